//! Worlds for hermetic tests: wheels, indexes, an HTTP server that misbehaves to the byte, and environments to install into.
//!
//! Not published and never linked into the program. A test reads as a story:
//!
//! ```
//! use testkit::{Index, Wheel};
//!
//! let server = Index::new()
//!     .add(Wheel::new("app", "1.0").requires("library>=2").build())
//!     .add(Wheel::new("library", "2.1").build())
//!     .serve();
//! assert!(server.url("/simple/").starts_with("http://127.0.0.1:"));
//! ```
//!
//! | module | is responsible for |
//! |---|---|
//! | `wheel_maker`, `sdist_maker`, `archive`, `digest` | distributions, right or broken on purpose |
//! | `index`, `listing`, `pages` | a simple index, and what it says of its files |
//! | `signed_index`, `signed_layout`, `signed_repository`, `signing_keys`, `signed_server` | an index that signs, and its owner |
//! | `attacker`, `forgery` | what others do to it: without keys, and with stolen ones |
//! | `server`, `connection`, `request`, `response`, `body` | an HTTP server that misbehaves to the byte |
//! | `s3`, `s3_bucket`, `s3_signature` | a store that speaks S3 |
//! | `mutations` | damaged copies of something right, for parsers |
//! | `environment`, `command`, `isolation`, `tree` | environments to install into, processes that see nothing else, and what is on disk |
//!
//! Everything here panics when a world cannot be made: that is a failed test, not an error to handle.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a world that cannot be made is a failed test"
)]

mod archive;
mod attacker;
mod body;
mod command;
mod connection;
mod digest;
mod environment;
mod forgery;
mod index;
mod isolation;
mod listing;
mod mutations;
mod pages;
mod request;
mod response;
mod s3;
mod s3_bucket;
mod s3_signature;
mod sdist_maker;
mod server;
mod signed_index;
mod signed_layout;
mod signed_repository;
mod signed_server;
mod signing_keys;
mod tree;
mod wheel_maker;

pub use archive::{Entry, zip};
pub use command::{Command, Outcome};
pub use digest::HashName;
pub use environment::{Environment, Interpreter};
pub use forgery::{ForgedSignatures, StolenKeys, target};
pub use index::Index;
pub use listing::{IndexBehavior, Links, ListedFile, MetadataMode};
pub use mutations::{Mutation, Mutations};
pub use request::Request;
pub use response::Response;
pub use s3::{Fault, S3Server, Write};
pub use s3_bucket::Object;
pub use sdist_maker::{Sdist, SdistFile};
pub use server::Server;
pub use signed_index::SignedIndex;
pub use signed_layout::{DistributionTrust, SignedLayout};
pub use signed_repository::{Claim, Profile, SignedRepository, SigningOptions, in_seconds};
pub use signed_server::{Recording, SignedServer};
pub use signing_keys::KeyType;
pub use tree::tree;
pub use wheel_maker::{Wheel, WheelFile};
