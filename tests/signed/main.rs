//! Stories of signed indexes at the command line, beside the attacks: layouts, snapshots that change meanwhile, signed and
//! unsigned sources together, policies, and what reports say.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a story that cannot go on is a failed test"
)]

mod epochs;
mod layouts;
mod mixing;
mod policy;
mod report;
mod scene;
mod without_memory;
