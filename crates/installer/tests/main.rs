//! The installer as a library: what programs that use it rely on.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod recorder;
mod reentrant;
mod trust_mutated;
