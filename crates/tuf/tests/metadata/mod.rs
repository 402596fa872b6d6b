//! Metadata as data: what is read, what is refused and where, and that nothing is lost between reading and writing.

mod bins;
mod documents;
mod hostile_sizes;
mod malformed;
mod path_patterns;
mod role_names;
mod round_trip;
