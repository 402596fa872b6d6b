//! Errors of the client, and what to do about each.

use std::fmt;

use crate::metadata::{FormatError, RoleName};

/// Why an update or a look-up cannot go on.
///
/// It names the role, its version where that is known, what was expected, what was found, and the step of the
/// specification's client workflow (`TUF 5.4.3.1`) that demands it. [`Error::action`] says what kind of answer it calls
/// for. What was trusted before is still good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    check: Check,
    role: RoleName,
    version: Option<u64>,
    expected: String,
    found: String,
}

/// What the reader of an [`Error`] should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The root that was given to start from cannot be used: get the right one from the repository's operator.
    ReplaceTrustedRoot,
    /// What was received is not what the repository's keys have signed. A broken repository, a broken or hostile mirror
    /// or network. Use none of it, tell the operator, try from another network.
    DoNotTrust,
    /// The repository stopped signing, its updates are withheld, or the clock is wrong.
    CheckDate,
    /// A file could not be had. The only kind that is worth trying again: it claims nothing about what is trusted.
    TryAgain,
    /// Offline, and what is stored does not suffice: let the repository be asked.
    GoOnline,
    /// The repository uses what this crate does not know: use a newer one.
    Upgrade,
}

/// The checks of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Check {
    /// The root to start from is a root, and signed by its own keys.
    TrustedRoot,
    /// No file is longer than its signed length, or than the limit for files without one.
    Size,
    /// The file is JSON of the specified form.
    Format,
    /// The file uses no later specification and no unknown extension.
    Supported,
    /// `_type` is that of the role.
    Type,
    /// Enough keys of the role signed the file; for a root, of the root before it too.
    Signatures,
    /// The role could be signed by enough keys of kinds that are known.
    SupportedKeys,
    /// Each root is the successor of the one before.
    RootVersion,
    /// No more new roots than the limit.
    RootRotations,
    /// The timestamp is not older than the trusted one.
    TimestampRollback,
    /// The snapshot a timestamp names is not older than what the trusted timestamp names.
    SnapshotRollback,
    /// The file has the signed length and hashes.
    LengthAndHashes,
    /// The file has the version signed for it.
    Version,
    /// A new snapshot leaves out no role of the trusted one.
    RoleRemoved,
    /// A new snapshot gives no role an older version than the trusted one.
    RoleRollback,
    /// The file has not expired.
    Expiry,
    /// A delegated role is listed in the snapshot.
    InSnapshot,
    /// The repository has the file.
    Present,
    /// The repository answers.
    Reachable,
    /// Offline: the file is in the store and still good.
    Stored,
}

impl Error {
    pub(crate) fn new(
        check: Check,
        role: impl Into<RoleName>,
        expected: impl fmt::Display,
        found: impl fmt::Display,
    ) -> Self {
        Error { check, role: role.into(), version: None, expected: shown(expected), found: shown(found) }
    }

    pub(crate) fn format(role: impl Into<RoleName>, error: &FormatError) -> Self {
        let check = if error.unsupported { Check::Supported } else { Check::Format };
        let place = if error.place.is_empty() { String::new() } else { format!(" as {}", error.place) };
        Error::new(check, role, format!("{}{place}", error.expected), &error.found)
    }

    pub(crate) fn with_version(mut self, version: u64) -> Self {
        self.version = Some(version);
        self
    }

    /// The same finding about the root to start from.
    pub(crate) fn of_trusted_root(mut self) -> Self {
        self.check = Check::TrustedRoot;
        self
    }

    /// Which check failed.
    pub fn check(&self) -> Check {
        self.check
    }

    /// Whose file it is about.
    pub fn role(&self) -> &RoleName {
        &self.role
    }

    /// The version of that file, as far as it is known: the one it claims, or the one that was asked for.
    pub fn version(&self) -> Option<u64> {
        self.version
    }

    /// What the check wants.
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// What was there instead. Where it quotes the repository, it is escaped and shortened.
    pub fn found(&self) -> &str {
        &self.found
    }

    /// What the reader should do.
    pub fn action(&self) -> Action {
        match self.check {
            Check::TrustedRoot => Action::ReplaceTrustedRoot,
            Check::Supported | Check::SupportedKeys => Action::Upgrade,
            Check::Expiry => Action::CheckDate,
            Check::Stored => Action::GoOnline,
            Check::Present | Check::Reachable | Check::RootRotations => Action::TryAgain,
            Check::Size
            | Check::Format
            | Check::Type
            | Check::Signatures
            | Check::RootVersion
            | Check::TimestampRollback
            | Check::SnapshotRollback
            | Check::LengthAndHashes
            | Check::Version
            | Check::RoleRemoved
            | Check::RoleRollback
            | Check::InSnapshot => Action::DoNotTrust,
        }
    }

    /// The section of the specification that demands the check, such as `5.5.4`.
    pub fn step(&self) -> &'static str {
        let [root, timestamp, snapshot, targets] = match self.check {
            Check::TrustedRoot => return "5.2",
            Check::Format | Check::Type => return "4",
            Check::Supported => return "4.2.1",
            Check::SupportedKeys => return "4.3",
            Check::RootVersion => return "5.3.5",
            Check::TimestampRollback => return "5.4.3.1",
            Check::SnapshotRollback => return "5.4.3.2",
            Check::RoleRemoved | Check::RoleRollback => return "5.5.5",
            Check::InSnapshot => return "5.6.7",
            Check::RootRotations => return "5.3.3",
            Check::Size | Check::Present | Check::Reachable | Check::Stored => ["5.3.3", "5.4.1", "5.5.1", "5.6.1"],
            Check::Signatures => ["5.3.4", "5.4.2", "5.5.3", "5.6.3"],
            Check::LengthAndHashes => ["5.3", "5.4", "5.5.2", "5.6.2"],
            Check::Version => ["5.3.5", "5.4.3", "5.5.4", "5.6.4"],
            Check::Expiry => ["5.3.10", "5.4.4", "5.5.6", "5.6.5"],
        };
        match self.role.as_str() {
            "root" => root,
            "timestamp" => timestamp,
            "snapshot" => snapshot,
            _ => targets,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", shown(&self.role))?;
        if let Some(version) = self.version {
            write!(f, " version {version}")?;
        }
        let (expected, found, step) = (&self.expected, &self.found, self.step());
        write!(f, ": {}: expected {expected}, found {found} (TUF {step})", self.check)
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Check::TrustedRoot => "the root to start from cannot be used",
            Check::Size => "too long",
            Check::Format => "not in the form of the specification",
            Check::Supported => "of a later specification",
            Check::Type => "metadata of another role",
            Check::Signatures => "not signed by enough keys",
            Check::SupportedKeys => "signed with unknown kinds of keys",
            Check::RootVersion => "not the next root",
            Check::RootRotations => "too many new roots",
            Check::TimestampRollback | Check::SnapshotRollback | Check::RoleRollback => "older than what is trusted",
            Check::LengthAndHashes => "other content than signed",
            Check::Version => "another version than signed",
            Check::RoleRemoved => "a role has vanished",
            Check::Expiry => "expired",
            Check::InSnapshot => "not part of the snapshot",
            Check::Present => "missing from the repository",
            Check::Reachable => "could not be fetched",
            Check::Stored => "not in the local store",
        })
    }
}

/// The most characters of a text that are shown.
const MOST_SHOWN: usize = 400;

/// A text that may quote the repository: in one line, and not as long as the repository likes.
fn shown(text: impl fmt::Display) -> String {
    printable::shortened(text, MOST_SHOWN)
}
