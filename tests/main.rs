//! Tests of the workspace as a whole, in one program, because each program of its own costs a link: `cargo test --test
//! integration attacks::` runs those of one module.
//!
//! Nearly all of them run the program as its users do, against an index on 127.0.0.1.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod architecture;
mod attacks;
mod cli;
mod documentation;
mod http;
mod like_pip;
mod popular_projects;
mod repo;
mod scene;
mod signed;
