//! The program as its users meet it: run as a process, against an index on 127.0.0.1, in a virtual environment of its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a story that cannot go on is a failed test"
)]

mod bad_input;
mod bytecode;
mod choosing;
mod golden;
mod hashes;
mod index_kinds;
mod killed;
mod places;
mod records;
mod scene;
mod together;
mod trust_commands;
mod upgrading;
mod warm_cache;
