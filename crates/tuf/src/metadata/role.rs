//! What several kinds of metadata share: names of roles, their keys, descriptions of files.

use crate::json::Object;
use crate::{Hashes, Key, KeyId};
use std::fmt;
use std::sync::Arc;

/// The four roles every repository has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TopLevelRole {
    /// `root`
    Root,
    /// `timestamp`
    Timestamp,
    /// `snapshot`
    Snapshot,
    /// `targets`
    Targets,
}

impl TopLevelRole {
    /// As written in metadata.
    pub fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Timestamp => "timestamp",
            Self::Snapshot => "snapshot",
            Self::Targets => "targets",
        }
    }
}

/// The name of a top-level or delegated role. Any non-empty text: never part of a path or URL unencoded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleName(Arc<str>);

impl RoleName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// Which of the four it is, if it is one of them.
    pub fn top_level(&self) -> Option<TopLevelRole> {
        use TopLevelRole::{Root, Snapshot, Targets, Timestamp};
        [Root, Timestamp, Snapshot, Targets].into_iter().find(|role| role.name() == self.as_str())
    }

    /// For URLs: percent-encoded with nothing kept but letters, digits and `_.-~` (`quote(name, "")`).
    pub fn encoded(&self) -> String {
        todo!()
    }
    /// For files, on any system: see the code. Without `.json`.
    pub fn file_stem(&self) -> String {
        todo!()
    }
}
impl From<&str> for RoleName {
    fn from(name: &str) -> Self {
        RoleName(name.into())
    }
}
impl From<TopLevelRole> for RoleName {
    fn from(role: TopLevelRole) -> Self {
        RoleName(role.name().into())
    }
}
impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which keys sign for a role, and how many of them must.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleKeys {
    /// No name twice.
    pub key_ids: Vec<KeyId>,
    /// At least 1.
    pub threshold: u64,
    /// Unknown fields (of the object these two stand in, in root and succinct roles; empty for delegated roles).
    pub other: Object<'static>,
}

impl RoleKeys {
    /// These keys, of which `threshold` must sign.
    pub fn new(keys: &[Key], threshold: u64) -> Self {
        let _ = (keys, threshold);
        todo!()
    }
}

/// What one metadata file says of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileMeta {
    /// At least 1.
    pub version: u64,
    /// In bytes.
    pub length: Option<u64>,
    /// Not empty if present.
    pub hashes: Option<Hashes>,
    /// Unknown fields.
    pub other: Object<'static>,
}

impl FileMeta {
    /// Only a version.
    pub fn version(version: u64) -> Self {
        FileMeta { version, length: None, hashes: None, other: Object::new() }
    }
    /// Version, length and SHA-256 of a file.
    pub fn of(version: u64, content: &[u8]) -> Self {
        let _ = (version, content);
        todo!()
    }
}
