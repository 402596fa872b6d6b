//! Wheels from the file to the environment and out of it again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod archive_maker;
mod archive_mutated;
mod installed_and_removed;
mod journal_obeyed;
mod kill_at_every_step;
mod link_or_copy;
mod place_like_pip;
mod place_speed;
mod placing;
mod record_mutated;
mod transaction_refuses;
mod unpack_benign;
mod unpack_hostile;
