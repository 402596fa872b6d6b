//! The testkit itself, judged by others where there are any.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod commands;
mod index;
mod server;
mod signed_index;
mod wheels;
