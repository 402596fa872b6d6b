//! Reading fields of objects, with the place of what is wrong.
