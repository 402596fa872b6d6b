//! The crate as its users see it. `hostile_sizes.rs` is a program of its own, because it measures memory and time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod client;
mod drive;
mod hashes;
mod json;
mod metadata;
mod mutants_list;
mod python_reference;
mod python_tuf;
mod real_metadata;
