//! Stories of operators: making, publishing, checking and serving a signed index with `tufpip repo`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a story that cannot go on is a failed test"
)]

mod ceremony;
mod content;
mod demo;
mod export_anchor;
mod hostile;
mod how_to;
mod interop;
mod keys;
mod mirror;
mod mistakes;
mod old_clients;
mod operator;
mod page;
mod published;
mod publishing;
mod reference;
mod serve;
mod serving;
mod sidecar;
mod upstream;
mod verify;
