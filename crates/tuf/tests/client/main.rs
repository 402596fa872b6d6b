//! The client against a simulated repository: honest, broken, and hostile.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod any_answer;
mod any_order;
mod basic;
mod expiry;
mod histories;
mod interleavings;
mod role_rotation;
mod rollback;
mod root_rotation;
mod roots;
#[allow(dead_code, unused_imports)]
mod simulator;
