//! The client against a simulated repository: honest, broken, and hostile.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod basic;
#[allow(dead_code, unused_imports)]
mod simulator;
