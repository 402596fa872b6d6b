//! # Signing a repository's metadata
//!
//! [`Metadata`](crate::metadata::Metadata) is content and signatures. Change the content, and signatures made before are
//! worth nothing: clear them or replace them.
//!
//! ## Again, with a later expiry date
//!
//! ```
//! use tuf::metadata::{FileMeta, Metadata, Timestamp};
//! use tuf::{SigningKey, UnixTime};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let key = SigningKey::ed25519(&[1; 32]);
//! # let day = UnixTime::parse("2030-01-01T00:00:00Z").ok_or("not a date")?;
//! # let mut timestamp = Metadata::new(Timestamp::new(41, day, FileMeta::unhashed(7)));
//! # timestamp.sign(&key);
//! # let file = timestamp.to_bytes();
//! let mut timestamp = Metadata::<Timestamp>::from_bytes(&file)?; // unknown fields are kept
//! timestamp.signed.version += 1;
//! timestamp.signed.expires = UnixTime::parse("2030-01-02T00:00:00Z").ok_or("not a date")?;
//! timestamp.signatures.clear();
//! timestamp.sign(&key);
//! let file = timestamp.to_bytes();
//! # assert_eq!(Metadata::<Timestamp>::from_bytes(&file)?.signed.version, 42);
//! # Ok(()) }
//! ```
//!
//! Which time the file is signed for is for the caller to say; nothing here knows what time it is.
//!
//! ## Several people, several machines
//!
//! Every signer adds a signature to the file and passes it on. Who has the key in hardware signs
//! [`signing_bytes`](crate::metadata::Metadata::signing_bytes) there and hands in the result as hex with
//! [`add_signature`](crate::metadata::Metadata::add_signature). [`verify`](crate::metadata::Metadata::verify) says when
//! there are enough.
//!
//! A new root must satisfy the threshold of the root before it and its own (TUF 5.3.4):
//!
//! ```
//! use tuf::metadata::{Metadata, Root, TopLevelRole};
//! use tuf::{SigningKey, UnixTime};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let expires = UnixTime::parse("2031-01-01T00:00:00Z").ok_or("not a date")?;
//! let [ann, bob, eve] = [1, 2, 3].map(|seed| SigningKey::ed25519(&[seed; 32]));
//! let keys = |signers: &[&SigningKey]| signers.iter().map(|key| key.public().clone()).collect::<Vec<_>>();
//!
//! let mut first = Root::new(expires);
//! first.set_role(TopLevelRole::Root, &keys(&[&ann, &eve]), 2);
//!
//! // Bob takes the place of Eve.
//! let mut second = first.clone();
//! second.version += 1;
//! second.set_role(TopLevelRole::Root, &keys(&[&ann, &bob]), 2);
//! let mut second = Metadata::new(second);
//!
//! let enough = |second: &Metadata<Root>| {
//!     second.verify(&first.keys, first.role(TopLevelRole::Root)).is_ok()
//!         && second.verify(&second.signed.keys, second.signed.role(TopLevelRole::Root)).is_ok()
//! };
//! second.sign(&ann);
//! second.sign(&bob);
//! assert!(!enough(&second)); // Eve has to hand over
//! second.sign(&eve);
//! assert!(enough(&second));
//! # Ok(()) }
//! ```
//!
//! ## Delegations
//!
//! Targets are spread over hashed bins so that a client fetches few of them and no file grows large. The bins have their own
//! keys, which may be online while those of `targets` are not.
//!
//! ```
//! use tuf::metadata::{DelegatedRoles, Delegations, FileMeta, Metadata, Snapshot, TargetFile, Targets};
//! use tuf::{SigningKey, UnixTime};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let expires = UnixTime::parse("2031-01-01T00:00:00Z").ok_or("not a date")?;
//! # let (offline, online) = (SigningKey::ed25519(&[1; 32]), SigningKey::ed25519(&[2; 32]));
//! # let mut snapshot = Snapshot::new(1, expires);
//! let delegations = Delegations::succinct(&[online.public().clone()], 1, 4, "bins").ok_or("4 bits are 16 bins")?;
//! let DelegatedRoles::Succinct(bins) = delegations.roles.clone() else { unreachable!() };
//! let mut targets = Metadata::new(Targets::new(1, expires));
//! targets.signed.delegations = Some(delegations);
//! targets.sign(&offline);
//!
//! for name in bins.bins() {
//!     let mut bin = Targets::new(1, expires);
//!     for path in ["greeting.txt", "farewell.txt"].into_iter().filter(|path| bins.bin(path) == name) {
//!         bin.targets.insert(path.to_owned(), TargetFile::of(b"content"));
//!     }
//!     let mut bin = Metadata::new(bin);
//!     bin.sign(&online);
//!     // With its hash, as long as there are not thousands of them: only that tells empty bins apart.
//!     snapshot.set_role(&name, FileMeta::of(1, &bin.to_bytes()));
//! }
//! # Ok(()) }
//! ```
//!
//! [`Delegations::add`](crate::metadata::Delegations::add) delegates to roles with names, paths and keys of their own.
//!
//! ## What to publish, under which names
//!
//! | file | with consistent snapshots | without |
//! |---|---|---|
//! | root | `N.root.json` | `N.root.json` |
//! | timestamp | `timestamp.json` | `timestamp.json` |
//! | snapshot | `N.snapshot.json` | `snapshot.json` |
//! | targets, delegated role | `N.targets.json`, `N.ROLE.json` | `targets.json`, `ROLE.json` |
//! | target `a/b.txt` | `a/HASH.b.txt`, for each hash that is signed | `a/b.txt` |
//!
//! `ROLE` is [`RoleName::encoded`](crate::metadata::RoleName::encoded) in URLs. Targets lie below a URL of their own.
//!
//! ## What clients need to be able to follow
//!
//! * Publish every root, for ever: clients walk from the one they have to the newest.
//! * Take `timestamp` and `snapshot` keys away in a root when clients should forget the versions that were signed with them.
//! * With [`consistent_snapshot`](crate::metadata::Root::consistent_snapshot), never change a file of a version that was
//!   published; write `timestamp.json` last.
//! * Keep every role of the last snapshot in the next one, with the same version or a later one.
