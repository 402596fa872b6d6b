//! The Update Framework (TUF) as a state machine without I/O, and the side that signs.
//!
//! A [`Client`] updates the metadata of one repository and finds targets in it, as the specification's client workflow
//! (TUF 1.0, section 5) says. It does not read or write files, open connections, look at a clock or wait for anything:
//! it says which files it wants, is given their bytes, and says what it has found out. The program around it keeps its
//! own HTTP client, cache, concurrency and progress bars.
//!
//! ```text
//!               Request::Load, Fetch          Request::Store, Delete
//!             ┌───────────────────────►  program  ─────────────► local store
//!   Client ───┤                             │
//!             │◄────────────────────────────┘
//!             │   loaded(bytes), fetched(bytes)
//!             └──► Event::Refreshed, LookedUp, Failed
//! ```
//!
//! | module | is responsible for |
//! |---|---|
//! | [`json`] | the one parser of foreign bytes, strict; the canonical form that signatures are over |
//! | `format_error` | what is wrong with the form of a file, and where |
//! | [`metadata`] | metadata files as data, read strictly, written back without loss; whether enough keys signed (`threshold`). Trusts nothing |
//! | `key`, `signing_key` | public keys and private keys |
//! | `hashes`, `verifier` | lengths and hashes, of whole files and of bytes that stream by |
//! | `time`, `limits` | points in time without a clock; how much the client takes |
//! | `delegation_index` | which of 16,384 delegated roles match a path, without asking each |
//! | `client` | the client workflow; every check of it is in `client/checks.rs` |
//! | `error` | what is refused, by which step of the specification, and what the reader should do |
//! | [`manual`] | how to drive the client, how to sign, and what it all protects from |
//!
//! # A repository, signed
//!
//! [`metadata`] holds the four kinds of metadata as plain data, and [`SigningKey`] signs them. Here one key signs
//! everything; a `BTreeMap` is the web server. [`manual::signing`] goes on with delegations, thresholds and rotation.
//!
//! ```
//! # use std::collections::BTreeMap;
//! use tuf::metadata::{FileMeta, Metadata, Root, Snapshot, TargetFile, Targets, Timestamp, TopLevelRole};
//! use tuf::{SigningKey, UnixTime};
//!
//! # fn publish() -> Result<BTreeMap<String, Vec<u8>>, Box<dyn std::error::Error>> {
//! let key = SigningKey::ed25519(&[7; 32]); // 32 random bytes in earnest
//! let expires = UnixTime::parse("2040-01-01T00:00:00Z").ok_or("not a date")?;
//!
//! let mut root = Root::new(expires);
//! for role in TopLevelRole::ALL {
//!     root.set_role(role, &[key.public().clone()], 1);
//! }
//! let mut root = Metadata::new(root);
//! root.sign(&key);
//!
//! let mut targets = Metadata::new(Targets::new(1, expires));
//! targets.signed.targets.insert("greeting.txt".into(), TargetFile::of(b"hello"));
//! targets.sign(&key);
//!
//! let mut snapshot = Metadata::new(Snapshot::new(1, expires));
//! snapshot.signed.set_role(&TopLevelRole::Targets.into(), FileMeta::unhashed(1));
//! snapshot.sign(&key);
//!
//! let mut timestamp = Metadata::new(Timestamp::new(1, expires, FileMeta::of(1, &snapshot.to_bytes())));
//! timestamp.sign(&key);
//!
//! let server = BTreeMap::from([
//!     ("1.root.json".to_owned(), root.to_bytes()),
//!     ("1.targets.json".to_owned(), targets.to_bytes()),
//!     ("1.snapshot.json".to_owned(), snapshot.to_bytes()),
//!     ("timestamp.json".to_owned(), timestamp.to_bytes()),
//! ]);
//! # Ok(server) }
//! # assert_eq!(publish().unwrap().len(), 4);
//! ```
//!
//! # A client, driven
//!
//! The driver carries out requests until there are none, then looks what has become known. This one does one thing after
//! the other; [`manual::driving`] has one that fetches in parallel, and says what a driver has to keep in mind.
//!
//! ```
//! # use std::collections::BTreeMap;
//! use tuf::{Client, Event, Fetched, Limits, LookUp, Mode, Request, UnixTime};
//!
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/greeting_server.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = greeting_server();
//! let mut store: BTreeMap<String, Vec<u8>> = BTreeMap::new();
//! let trusted_root = server.get("1.root.json").ok_or("no root")?; // in earnest it came with the program
//! let now = UnixTime::parse("2039-12-31T23:59:59Z").ok_or("not a date")?; // in earnest the clock
//!
//! let mut client = Client::new(trusted_root, now, Mode::Online, Limits::default())?;
//! let greeting = client.look_up("greeting.txt");
//! let target = 'found: loop {
//!     while let Some(request) = client.poll_request() {
//!         match request {
//!             Request::Load { id, file } => client.loaded(id, store.get(&file.file_name()).map(Vec::as_slice)),
//!             Request::Fetch { id, file } => client.fetched(id, match server.get(&file.name) {
//!                 Some(bytes) => Fetched::Body(bytes),
//!                 None => Fetched::Absent,
//!             }),
//!             Request::Store { file, bytes, .. } => {
//!                 store.insert(file.file_name(), bytes.to_vec());
//!             }
//!             Request::Delete { file, .. } => {
//!                 store.remove(&file.file_name());
//!             }
//!         }
//!     }
//!     while let Some(event) = client.poll_event() {
//!         match event {
//!             Event::Refreshed => println!("snapshot {}", client.epoch().ok_or("refreshed")?.snapshot().version),
//!             Event::Failed(error) => return Err(error.into()),
//!             Event::LookedUp { id, result } if id == greeting => match result? {
//!                 LookUp::Found(target) => break 'found target,
//!                 LookUp::NotFound { .. } => return Err("the repository has no greeting".into()),
//!             },
//!             Event::LookedUp { .. } => {}
//!         }
//!     }
//! };
//!
//! // The bytes of a target come from anywhere, in any pieces; they are checked on the way.
//! let mut verifier = target.verifier()?;
//! verifier.update(b"hel")?;
//! verifier.update(b"lo")?;
//! verifier.finish()?;
//! # Ok(()) }
//! ```
//!
//! # What goes wrong
//!
//! Every [`Error`] names the role, its version, what was expected, what was found and the step of the specification;
//! [`Error::action`] says what kind of answer it calls for. Only [`Action::TryAgain`] is worth another attempt. Errors can be
//! printed as they are: what they quote of the repository is escaped and shortened.
//! [`manual::threats`] lists the attacks and where each is refused.

mod client;
mod delegation_index;
mod error;
mod format_error;
mod hashes;
pub mod json;
mod key;
mod limits;
pub mod manual;
pub mod metadata;
mod signing_key;
mod time;
mod verifier;

pub use client::{
    AbsenceDoubt, ChainLink, Client, Epoch, Event, Fetched, LookUp, LookUpId, Mode, RemoteFile, Request, RequestId,
    Signer, StoredFile, Target,
};
pub use error::{Action, Check, Error};
pub use hashes::{HashAlgorithm, Hashes};
pub use key::{Key, KeyId, Signature};
pub use limits::Limits;
pub use metadata::threshold::Shortfall;
pub use signing_key::SigningKey;
pub use time::UnixTime;
pub use verifier::{Mismatch, Size, Verifier};
