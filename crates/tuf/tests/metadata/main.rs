//! Metadata as data: what is read, what is refused and where, and that nothing is lost between reading and writing.

mod round_trip;
