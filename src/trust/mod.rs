//! Signed indexes: which index a root of trust belongs to, under which names its pages and distributions are signed, and
//! which indexes may offer a project.
//!
//! `crates/tuf` knows targets and nothing of projects; what stands between the two is here.

mod foreign_text;
pub mod identity;
pub mod layout;
pub mod map;
