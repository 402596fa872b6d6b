//! The solver asked about small worlds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod brute_force;
mod catalog;
mod choosing;
mod explaining;
mod graphs;
mod world;
