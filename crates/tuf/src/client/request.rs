//! The requests of the client to the program that drives it.

use std::sync::Arc;

use crate::metadata::RoleName;

/// Pairs an answer with a [`Request::Load`] or [`Request::Fetch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub(super) u64);

/// Something for the program to do.
///
/// Loads, stores and deletions are to be carried out in the order in which they come, one after the other. Fetches take
/// time and depend on nothing: all that have been asked for may run at once, beside everything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Read a file from the local store and answer with [`Client::loaded`](crate::Client::loaded).
    Load {
        /// For the answer.
        id: RequestId,
        /// Which file.
        file: StoredFile,
    },
    /// Get a file from the repository and answer with [`Client::fetched`](crate::Client::fetched).
    Fetch {
        /// For the answer.
        id: RequestId,
        /// Which file.
        file: RemoteFile,
    },
    /// Keep these bytes in the local store, exactly as they are. No answer.
    Store {
        /// Under this name.
        file: StoredFile,
        /// As they were received.
        bytes: Arc<[u8]>,
        /// The version of the metadata in them. A store shared by processes must not go back to an older root,
        /// timestamp or snapshot; see [`manual::driving`](crate::manual::driving).
        version: u64,
    },
    /// Remove a file from the local store; it may be absent. No answer. If it is there and cannot be removed, store
    /// nothing any more in this run: after the root that follows were stored, the next run would not know that there
    /// was something to remove.
    Delete {
        /// Which file.
        file: StoredFile,
        /// Leave the file alone if the store has the root of this version already: then another process has been here,
        /// and what is stored now is its.
        before_root: u64,
    },
}

/// A file in the local store. Nothing read from there is trusted before it is verified again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StoredFile {
    /// The root of this version; all of them are kept.
    Root(u64),
    /// The newest timestamp.
    Timestamp,
    /// The newest snapshot.
    Snapshot,
    /// The newest top-level targets.
    Targets,
    /// The newest file of a delegated role.
    Delegated(RoleName),
}

/// A file on the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteFile {
    /// Relative to the URL of the metadata, percent-encoded already: append it as text and change nothing.
    pub name: String,
    /// Whose metadata it is.
    pub role: RoleName,
    /// Stop after this number of bytes of decoded content and answer [`Fetched::TooLong`].
    pub max_bytes: u64,
    /// Whether its content never changes under this name, so that a cache may answer; none may keep it before the
    /// client has asked to store it. Otherwise ask for it past all caches.
    pub immutable: bool,
}

/// The answer to a [`Request::Fetch`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched<'a> {
    /// The whole content, with any `Content-Encoding` undone.
    Body(&'a [u8]),
    /// The repository reported the file as missing: HTTP 404, or 403 as object stores answer. Nothing else may be
    /// reported as absent: a server error that counts as "no newer root" would let an attacker on the network hide the
    /// revocation of a key.
    Absent,
    /// There was more than `max_bytes` of it.
    TooLong,
    /// The fetch failed, with the reason.
    Failed(&'a str),
}

impl StoredFile {
    /// A name that is safe on every file system: `3.root.json`, `timestamp.json`. Different files have different names.
    pub fn file_name(&self) -> String {
        match self {
            StoredFile::Root(version) => format!("{version}.root.json"),
            StoredFile::Timestamp => "timestamp.json".to_owned(),
            StoredFile::Snapshot => "snapshot.json".to_owned(),
            StoredFile::Targets => "targets.json".to_owned(),
            StoredFile::Delegated(role) => format!("{}.json", role.file_stem()),
        }
    }
}
