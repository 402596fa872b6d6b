//! Signed indexes, followed by a real TUF client over HTTP: what the owner publishes is found and verified, and what attackers
//! do is what they say.

mod attacks;
mod follower;
mod owner;

use testkit::{Index, SignedIndex, Wheel};

/// Two projects, one with two files.
fn two_projects() -> SignedIndex {
    SignedIndex::new(
        Index::new()
            .add(Wheel::new("app", "1.0").requires("My-Library>=2").build())
            .add(Wheel::new("app", "1.1+local.1").build())
            .add(Wheel::new("My.Library", "2.0").build()),
    )
}
