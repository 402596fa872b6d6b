//! The trust anchor of an index: a root that did not come with the metadata it verifies, and the metadata URL.
//!
//! An index is TUF-enabled exactly when such an anchor is found: in the program, in a directory of the system, in one
//! of `TUFPIP_TRUST`, or in the user's own store. The first place wins, whatever a later one contains. A place that has
//! something about an index but nothing usable is an error: an index that is trusted once is never used unverified.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use super::index_identity::{IndexIdentity, default_metadata_url};
use super::layout::Layout;
use super::metadata_store::{make_private_directory, write_state};
use super::shipped_roots;
use crate::error::{Code, Failure, Source};
use crate::options::TrustOptions;
use crate::ownership;

/// The most bytes a root may have (as in `tuf::Limits`).
pub const ROOT_SIZE: u64 = 512 << 10;
/// The most bytes of `trust.json` that are read.
const TRUST_FILE_SIZE: u64 = 1 << 20;
/// Beside the user's own store: metadata of indexes whose anchors are elsewhere.
const METADATA_DIRECTORY: &str = "tuf-remembered";
/// A file in an index's directory there: the user has trusted this index, whatever is left in the user's own store.
const TRUSTED_BY_USER: &str = "trusted-by-user.json";

/// The trust anchor of one index.
#[derive(Clone, Debug)]
pub struct TrustAnchor {
    /// Which index.
    pub identity: IndexIdentity,
    /// The root that all verification starts from, as it was pinned.
    pub root: Vec<u8>,
    /// Where the metadata is; ends in a slash.
    pub metadata_url: Url,
    /// How target paths are made, if the user chose that; otherwise the layout signed by the repository counts.
    pub layout: Option<Arc<Layout>>,
    /// Index URLs that serve the same, tried in order when the index itself cannot be reached.
    pub mirrors: Vec<Url>,
    /// URL prefixes to replace in the links of verified pages.
    pub rewrites: Vec<Rewrite>,
    /// How the root was obtained, if that was recorded.
    pub record: Option<AnchorRecord>,
    /// The directory it was found in; `None` if it came with the program.
    pub directory: Option<PathBuf>,
}

/// `trust.json`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TrustFile {
    /// The canonical URL of the index, so that users see which index the directory belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_url: Option<Url>,
    /// Where the metadata is; beside the index by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata_url: Option<Url>,
    /// The name of a preset, or a descriptor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<serde_json::Value>,
    /// Which root was pinned, and how it was obtained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<AnchorRecord>,
    /// See [`TrustAnchor::mirrors`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mirrors: Vec<Url>,
    /// See [`TrustAnchor::rewrites`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rewrite: Vec<Rewrite>,
}

/// How a root came to be trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnchorRecord {
    /// `file`, `url` or `first-use`.
    pub kind: AnchorKind,
    /// The file or URL.
    pub source: String,
    /// SHA-256 of the root in hex.
    pub sha256: String,
    /// Its version.
    pub version: u64,
    /// When, in RFC 3339.
    pub added: String,
}

/// How a root was authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnchorKind {
    /// The user has the file.
    File,
    /// The user knows its hash.
    Url,
    /// Nothing: the server was trusted once, at the user's explicit request.
    FirstUse,
}

/// Replaces the beginning of a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewrite {
    /// What a link begins with.
    pub from: String,
    /// What takes its place.
    pub to: String,
}

impl TrustAnchor {
    /// An anchor that is kept nowhere.
    pub fn new(identity: IndexIdentity, root: Vec<u8>, metadata_url: Url) -> Self {
        Self {
            identity,
            root,
            metadata_url,
            layout: None,
            mirrors: Vec::new(),
            rewrites: Vec::new(),
            record: None,
            directory: None,
        }
    }

    /// The anchor for an index; `None` when there is none, which makes it an ordinary index.
    ///
    /// # Errors
    /// When the anchor cannot be used, or is missing for an index that is known to be signed.
    pub fn find(settings: &TrustOptions, identity: &IndexIdentity) -> Result<Option<Self>, Failure> {
        if let Some(shipped) = shipped_roots::root_of(shipped_roots::ROOTS, identity) {
            let metadata_url = default_metadata_url(identity.url());
            return Ok(Some(Self::new(identity.clone(), shipped.root.to_vec(), metadata_url)));
        }
        for place in places(settings) {
            let directory = place.join(identity.directory_name());
            let belongs_to_user = settings.store.as_ref() == Some(place);
            // Another user who can write here could remove an index's directory; the index would then be used
            // unverified.
            if exists(place)? {
                refuse_writable_by_others(place, belongs_to_user)?;
            }
            if exists(&directory)? {
                return Self::read(&directory, identity, belongs_to_user).map(Some);
            }
        }
        if let Some(store) = &settings.store
            && Self::is_remembered(store, identity)?
        {
            return Err(lost_anchor(identity, &store.join(identity.directory_name())));
        }
        if shipped_roots::is_known_secure(shipped_roots::KNOWN_SECURE, identity) {
            return Err(Failure::new(
                Code::TrustMissing,
                format!("{} is known to be signed, but there is no trusted root for it here", identity.url()),
            )
            .detail("meaning", "the index was not used, because it can be verified and must be")
            .hint("get its root from its operator and run: tufpip trust add URL --root FILE"));
        }
        Ok(None)
    }

    /// Every anchor, each index once, with the error for those that cannot be used. `None` for one that does not name
    /// its index: such an anchor can only be found from the index.
    pub fn all(settings: &TrustOptions) -> Vec<(PathBuf, Result<Option<Self>, Failure>)> {
        let mut found: Vec<(PathBuf, Result<Option<Self>, Failure>)> = Vec::new();
        for place in places(settings) {
            let Ok(entries) = std::fs::read_dir(place) else { continue };
            let mut directories: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
            directories.sort();
            for directory in directories {
                let name = directory.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                let is_known = found.iter().any(|(other, _)| other.ends_with(name));
                if IndexIdentity::names_directory(name) && directory.is_dir() && !is_known {
                    let belongs_to_user = settings.store.as_ref() == Some(place);
                    let trust = TrustFile::read(&directory);
                    let trust = trust.map_err(|failure| with_recovery_hint(failure, &directory, belongs_to_user));
                    let anchor = trust.and_then(|trust| match trust.index_url {
                        Some(url) => Self::read(&directory, &IndexIdentity::of(&url), belongs_to_user).map(Some),
                        None => lowest_root(&directory)
                            .map(|_| None)
                            .map_err(|failure| with_recovery_hint(failure, &directory, belongs_to_user)),
                    });
                    found.push((directory, anchor));
                }
            }
        }
        let lost = settings.store.iter().flat_map(|store| lost_anchors(store)).collect::<Vec<_>>();
        for (directory, identity) in lost {
            let name = directory.file_name().unwrap_or_default();
            if !found.iter().any(|(other, _)| other.ends_with(name)) {
                let failure = lost_anchor(&identity, &directory);
                found.push((directory, Err(failure)));
            }
        }
        found
    }

    /// Whether the user has trusted an index, whatever is left of it in the user's own store.
    ///
    /// # Errors
    /// When that cannot be seen.
    pub fn is_remembered(store: &Path, identity: &IndexIdentity) -> Result<bool, Failure> {
        exists(&marker_of(store, identity))
    }

    /// Remembers outside of the user's own store that an anchor there is trusted, so that an index whose directory
    /// disappears does not become an unsigned one. Only `trust remove` forgets it.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn remember(settings: &TrustOptions, identity: &IndexIdentity) -> std::io::Result<()> {
        let Some(store) = &settings.store else { return Ok(()) };
        let marker = marker_of(store, identity);
        let Some(directory) = marker.parent().filter(|_| marker.symlink_metadata().is_err()) else { return Ok(()) };
        make_private_directory(directory)?;
        let trust = TrustFile { index_url: Some(identity.url().clone()), ..TrustFile::default() };
        write_state(directory, &marker, &serde_json::to_vec(&trust).map_err(std::io::Error::other)?)
    }

    /// Whether the user may change or remove it.
    pub fn is_users(&self, settings: &TrustOptions) -> bool {
        match (&self.directory, &settings.store) {
            (Some(directory), Some(store)) => directory.parent() == Some(store),
            _ => false,
        }
    }

    /// The directory of the metadata verified from this root, and the other one of [`metadata_store_directories`],
    /// where metadata of the index may have been stored before. `store` is the user's own store.
    ///
    /// Metadata of an anchor that is not the user's is stored where no anchors are searched: one command's trust must
    /// not become the user's. All anchors with the same root share it.
    pub fn metadata_directories(&self, store: &Path) -> [PathBuf; 2] {
        let [own, elsewhere] = metadata_store_directories(store, &self.identity);
        let is_own = self.directory.as_ref() == Some(&own)
            || Self::parse_directory(&own, &self.identity, true).is_ok_and(|users| users.root == self.root);
        if is_own { [own, elsewhere] } else { [elsewhere, own] }
    }

    fn read(directory: &Path, identity: &IndexIdentity, belongs_to_user: bool) -> Result<Self, Failure> {
        Self::parse_directory(directory, identity, belongs_to_user)
            .map_err(|failure| with_recovery_hint(failure, directory, belongs_to_user))
    }

    fn parse_directory(directory: &Path, identity: &IndexIdentity, belongs_to_user: bool) -> Result<Self, Failure> {
        if !std::fs::metadata(directory).is_ok_and(|metadata| metadata.is_dir()) {
            return Err(damaged(directory, "it is no directory that can be read"));
        }
        for path in ["", "root_history", TrustFile::NAME, "root.json"].map(|name| directory.join(name)) {
            refuse_writable_by_others(&path, belongs_to_user)?;
        }
        let trust = TrustFile::read(directory)?;
        // The name of the directory is what an index is found by.
        if let Some(url) = &trust.index_url
            && (IndexIdentity::of(url) != *identity || !directory.ends_with(identity.directory_name()))
        {
            return Err(damaged(
                directory,
                &format!("its trust.json is about another index, {}", printable::redacted_url(url)),
            ));
        }
        let root = match &trust.anchor {
            Some(record) => pinned_root(directory, record)?,
            None => lowest_root(directory)?,
        };
        let layout = trust.layout.as_ref().map(Layout::from_json).transpose();
        let layout = layout.map_err(|error| damaged(directory, &format!("the layout in its trust.json: {error}")))?;
        let metadata_url = trust.metadata_url.map(with_slash).unwrap_or_else(|| default_metadata_url(identity.url()));
        Ok(Self {
            identity: identity.clone(),
            root,
            metadata_url,
            layout: layout.map(Arc::new),
            mirrors: trust.mirrors.into_iter().map(with_slash).collect(),
            rewrites: trust.rewrite,
            record: trust.anchor,
            directory: Some(directory.to_owned()),
        })
    }
}

impl TrustFile {
    /// Its name in an index's directory.
    pub const NAME: &str = "trust.json";

    /// Reads the file in `directory`; empty if it is missing.
    ///
    /// # Errors
    /// When it exists and cannot be parsed.
    pub fn read(directory: &Path) -> Result<Self, Failure> {
        match read(&directory.join(Self::NAME), TRUST_FILE_SIZE)? {
            Some(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| damaged(directory, &format!("its trust.json cannot be understood: {error}"))),
            None => Ok(Self::default()),
        }
    }
}

/// Where metadata of an index may be stored: in its directory of the user's own store, beside the anchor, or, for
/// anchors from elsewhere, in a directory of its own.
pub fn metadata_store_directories(store: &Path, identity: &IndexIdentity) -> [PathBuf; 2] {
    let name = identity.directory_name();
    [store.join(&name), memory_of(store).join(&name)]
}

/// Where metadata of indexes is remembered that is not in the user's own store.
pub fn memory_of(store: &Path) -> PathBuf {
    store.with_file_name(METADATA_DIRECTORY)
}

/// See [`TrustAnchor::remember`].
fn marker_of(store: &Path, identity: &IndexIdentity) -> PathBuf {
    memory_of(store).join(identity.directory_name()).join(TRUSTED_BY_USER)
}

/// The indexes that the user has trusted and whose directories are not in the user's own store any more.
fn lost_anchors(store: &Path) -> Vec<(PathBuf, IndexIdentity)> {
    let entries = std::fs::read_dir(memory_of(store)).into_iter().flatten().flatten();
    let mut lost: Vec<_> = entries
        .filter_map(|entry| {
            let bytes = std::fs::read(entry.path().join(TRUSTED_BY_USER)).ok()?;
            let url = serde_json::from_slice::<TrustFile>(&bytes).ok()?.index_url?;
            let directory = store.join(entry.file_name());
            directory.symlink_metadata().is_err().then(|| (directory, IndexIdentity::of(&url)))
        })
        .collect();
    lost.sort();
    lost
}

fn lost_anchor(identity: &IndexIdentity, directory: &Path) -> Failure {
    let url = printable::redacted_url(identity.url());
    Failure::new(
        Code::TrustMissing,
        format!("{url} was trusted on this machine, but its trusted root is gone from {}", directory.display()),
    )
    .detail("meaning", "the index was not used, because it can be verified and must be")
    .hint(format!(
        "bring back the directory, or get the root from the operator of the index and run: tufpip trust add {url} --root FILE"
    ))
    .hint(format!("if it shall not be verified any more, run: tufpip trust remove {url}"))
}

/// Where anchors may be, the most securely kept first.
fn places(settings: &TrustOptions) -> impl Iterator<Item = &PathBuf> {
    settings.anchors.iter().chain(&settings.store)
}

fn exists(directory: &Path) -> Result<bool, Failure> {
    match std::fs::symlink_metadata(directory) {
        Ok(_) => Ok(true),
        // A link to a missing place, such as one on a disk that is not mounted, is no statement about the index.
        Err(error) if error.kind() == ErrorKind::NotFound && leads_nowhere(directory.parent()) => Err(Failure::new(
            Code::TrustUnreadable,
            format!(
                "Could not see whether there is trust for the index in {}: a link leads nowhere",
                directory.display()
            ),
        )
        .hint("bring back what the link leads to, or remove it")),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
        Err(error) => Err(Failure::new(
            Code::TrustUnreadable,
            format!("Could not see whether there is trust for the index in {}: {error}", directory.display()),
        )
        .caused_by(error)
        .hint("make the directory readable; without it nobody knows whether the index has to be verified")),
    }
}

/// Whether this is a link to something that does not exist.
fn leads_nowhere(path: Option<&Path>) -> bool {
    path.is_some_and(|path| path.is_symlink() && !path.exists())
}

/// Refuses a file that other users can write: they could choose what is trusted. What was named with `TUFPIP_TRUST` may
/// be another user's, as a checkout
/// in a container often is.
fn refuse_writable_by_others(path: &Path, belongs_to_user: bool) -> Result<(), Failure> {
    // A file without metadata cannot be read either, and a missing file decides nothing.
    let Ok(metadata) = std::fs::metadata(path) else { return Ok(()) };
    let Some(reason) = ownership::writable_by_others(&metadata, !belongs_to_user) else { return Ok(()) };
    Err(Failure::new(
        Code::TrustStoreUnsafe,
        format!("The trusted metadata in {} is not used: {reason}", path.display()),
    )
    .detail("meaning", "somebody else could have changed which keys are trusted; the index was not used")
    .hint("check what is in it; then make it yours with chown, and chmod o-w, or remove it and run tufpip trust add again")
    .hint("under sudo, sudo -H makes the directory of the right user be looked at"))
}

/// The root that was pinned, and no other.
fn pinned_root(directory: &Path, record: &AnchorRecord) -> Result<Vec<u8>, Failure> {
    for name in [format!("root_history/{}.root.json", record.version), "root.json".to_owned()] {
        if let Some(bytes) = read(&directory.join(name), ROOT_SIZE)?
            && hex::encode(Sha256::digest(&bytes)).eq_ignore_ascii_case(&record.sha256)
        {
            return Ok(bytes);
        }
    }
    let reason =
        format!("root {} with sha256 {}, which was pinned, is not there any more", record.version, record.sha256);
    Err(damaged(directory, &printable::line(&reason)))
}

/// Without a record, the oldest root is what trust began with.
fn lowest_root(directory: &Path) -> Result<Vec<u8>, Failure> {
    let names = std::fs::read_dir(directory.join("root_history")).into_iter().flatten().flatten();
    let versions = names.filter_map(|entry| {
        let name = entry.file_name();
        name.to_str()?.strip_suffix(".root.json")?.parse::<u64>().ok()
    });
    let path = match versions.min() {
        Some(version) => directory.join(format!("root_history/{version}.root.json")),
        None => directory.join("root.json"),
    };
    read(&path, ROOT_SIZE)?.ok_or_else(|| damaged(directory, "there is no root in it to begin from"))
}

/// A whole small file; `None` when it is missing.
pub(super) fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
    let unreadable = |cause: Source| {
        Failure::new(Code::TrustUnreadable, format!("Could not read {}: {cause}", path.display()))
            .caused_by(cause)
            .hint("make it readable; without it the index is not used, because it can be verified and must be")
    };
    // A pipe or device would never end, and opening it may block.
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err(unreadable("it is no file".into())),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error.into())),
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| unreadable(error.into()))?;
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|error| unreadable(error.into()))?;
    if bytes.len() as u64 > limit {
        return Err(unreadable(format!("it has more than {limit} bytes").into()));
    }
    Ok(Some(bytes))
}

fn with_slash(mut url: Url) -> Url {
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    url
}

fn damaged(directory: &Path, reason: &str) -> Failure {
    Failure::new(
        Code::TrustDamaged,
        format!("The trusted metadata in {} cannot be used: {reason}", directory.display()),
    )
    .detail("meaning", "the index was not used, because it can be verified and must be")
}

/// What to do about a damaged directory depends on whose it is.
fn with_recovery_hint(failure: Failure, directory: &Path, belongs_to_user: bool) -> Failure {
    if failure.code != Code::TrustDamaged {
        failure
    } else if belongs_to_user && !holds_anchor(directory) {
        failure
            .hint(
                "it may be what an earlier tufpip remembered about an index whose root is kept elsewhere (TUFPIP_TRUST): \
                 if you never trusted this index yourself, forget it with tufpip trust remove URL",
            )
            .hint("if you did, restore the directory, or pin the root again with tufpip trust add after that")
    } else if belongs_to_user {
        failure.hint(
            "restore the directory, or forget it with tufpip trust remove and pin the root again with tufpip trust add",
        )
    } else {
        let repair = format!(
            "{} is only read here: repair it, or have it repaired by whoever administers it",
            directory.display()
        );
        failure.hint(repair)
    }
}

/// Whether a directory contains anything that may be meant as a trust anchor.
fn holds_anchor(directory: &Path) -> bool {
    let is_there = |name: &str| directory.join(name).symlink_metadata().is_ok();
    !directory.is_dir() || ["root_history", "root.json", TrustFile::NAME].into_iter().any(is_there)
}
