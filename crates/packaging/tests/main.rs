//! What is understood and what is refused, and the reference implementation asked the same.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod metadata;
mod pages;
mod reference;
mod tags;
