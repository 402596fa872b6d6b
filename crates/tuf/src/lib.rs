//! The Update Framework (TUF) as a state machine without I/O, and the side that signs.

mod client;
mod delegation_index;
mod error;
mod hashes;
pub mod json;
mod key;
mod limits;
pub mod metadata;
mod signing_key;
mod threshold;
mod time;
mod verifier;

pub use client::{
    Client, Epoch, Event, Fetched, LookUp, LookUpId, Mode, RemoteFile, Request, RequestId, StoredFile, Target,
};
pub use error::{Action, Check, Error};
pub use hashes::{HashAlgorithm, Hashes};
pub use key::{Key, KeyId, Signature};
pub use limits::Limits;
pub use signing_key::SigningKey;
pub use time::UnixTime;
pub use verifier::{Mismatch, Size, Verifier};
mod stub;
