//! Names of roles, and what becomes of them in URLs and on disks.

use sha2::{Digest, Sha256};
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
    /// All of them, in the order in which a client updates them.
    pub const ALL: [Self; 4] = [Self::Root, Self::Timestamp, Self::Snapshot, Self::Targets];

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
        TopLevelRole::ALL.into_iter().find(|role| role.name() == self.as_str())
    }
    /// For URLs: percent-encoded with nothing kept but letters, digits and `_.-~` (`quote(name, "")`).
    pub fn encoded(&self) -> String {
        percent_encoded(&self.0, b"_.-~")
    }
    /// For files, without `.json`: distinct names have distinct stems even where upper and lower case are one, where
    /// some names mean devices, and where names are short.
    pub fn file_stem(&self) -> String {
        let mut stem = String::with_capacity(self.0.len());
        let first_is_special =
            self.0.starts_with('.') || is_device(&self.0) || looks_hashed(&self.0) || is_stored_root(&self.0);
        for (index, byte) in self.0.bytes().enumerate() {
            let safe = byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.".contains(&byte);
            push_encoded(&mut stem, byte, safe && !(index == 0 && first_is_special));
        }
        if stem.len() > LONGEST_STEM {
            return format!("{HASHED}{}", hex::encode(Sha256::digest(self.0.as_bytes())));
        }
        stem
    }
}

/// In bytes: file systems take 255, of which versions and the names of temporary files need some.
const LONGEST_STEM: usize = 180;

/// Begins the stems of names too long to be written out.
const HASHED: &str = "h-";

/// All but ASCII letters, digits and what is to be kept becomes `%XX`.
pub(crate) fn percent_encoded(text: &str, keep: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        push_encoded(&mut encoded, byte, byte.is_ascii_alphanumeric() || keep.contains(&byte));
    }
    encoded
}

fn push_encoded(text: &mut String, byte: u8, safe: bool) {
    if safe {
        text.push(char::from(byte));
    } else {
        text.push('%');
        text.push_str(&hex::encode_upper([byte]));
    }
}

/// Whether Windows would open a device, whatever follows the first dot. Upper case needs no thought: it is encoded.
fn is_device(name: &str) -> bool {
    let base = name.split('.').next().unwrap_or_default();
    let numbered =
        |device: &str| base.strip_prefix(device).is_some_and(|number| matches!(number.as_bytes(), [b'0'..=b'9']));
    matches!(base, "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

/// Whether a name could be that of a root in a local store, `3.root`.
fn is_stored_root(name: &str) -> bool {
    name.strip_suffix(".root").is_some_and(|version| version.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether a name could be the stem of another, long one.
fn looks_hashed(name: &str) -> bool {
    let is_hash = |hash: &str| hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    name.strip_prefix(HASHED).is_some_and(is_hash)
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
