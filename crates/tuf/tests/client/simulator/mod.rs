//! A repository that signs with the crate's own signing side, and a machine that runs the client against it.
//!
//! A test is a story: change something of a [`Repository`], publish it, let a [`Machine`] refresh, see what it trusts.

mod keys;
mod machine;
mod repository;

pub use keys::{Signer, ecdsa, ed25519, ed25519_keys, public};
pub use machine::{Machine, Order, found, refused, searched};
pub use repository::{DAY, Instead, NOW, Repository, object_of, sign, sign_object};
