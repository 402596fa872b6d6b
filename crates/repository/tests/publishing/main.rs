//! Publishing, and clients that look: nothing that was accepted is ever taken back by a later publication.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod changes;
mod rotations;
mod world;
