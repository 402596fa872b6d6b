//! `repo`: a signed index is made, kept and changed by its operators, each with the program as a process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a story that cannot go on is a failed test"
)]

mod keys;
mod operator;
