//! Reads and verifies the published state, for a publisher of the next one.
//!
//! An operator trusts the storage no more than a client does: its content must be signed by the keys of the root that
//! this machine has stored, and must not be older than what this machine has seen. Unlike a client, an operator
//! accepts expired metadata, because only a new publication replaces it.

use std::collections::BTreeMap;

use packaging::PackageName;
use tuf::metadata::{
    DelegatedRoles, FileMeta, FormatError, Metadata, RoleKeys, RoleName, Root, Signed, Snapshot, TargetFile, Targets,
    Timestamp, TopLevelRole,
};
use tuf::{HashAlgorithm, Hashes, Key, KeyId, Shortfall, UnixTime};

use crate::layout;
use crate::page::{Page, PageError};
use crate::roles::{BINS, CLAIMED};
use crate::router::{self, ResponsibleRole, Router};

/// The field with the time at which the timestamp was signed: TUF has none, and users want to see it.
pub(crate) const SIGNED_AT: &str = "x-signed-at";

/// Why the published state cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// No metadata.
    #[error("{role} cannot be read: {error}")]
    Format {
        /// The role of the metadata.
        role: RoleName,
        /// What is wrong.
        error: FormatError,
    },
    /// Signatures are missing or invalid.
    #[error("{role} is not signed by those who must: {shortfall}")]
    Signatures {
        /// The role of the metadata.
        role: RoleName,
        /// How many signatures there are.
        shortfall: Shortfall,
    },
    /// Another version than the one expected.
    #[error("{role} has version {found}; expected {expected}")]
    Version {
        /// The role of the metadata.
        role: RoleName,
        /// What it has.
        found: u64,
        /// The expected version, as text.
        expected: String,
    },
    /// Other content than what was signed.
    #[error("{role} is not the file that was signed: its hash or length differs")]
    Content {
        /// The role, or the page.
        role: String,
    },
    /// It has expired: clients would refuse it.
    #[error("{role} has expired ({expires})")]
    Expired {
        /// The role of the metadata.
        role: RoleName,
        /// When it expired.
        expires: UnixTime,
    },
    /// Its keys change, and the new ones have not signed it.
    #[error("{role} has to be signed again, because its keys change")]
    SignAgain {
        /// The role of the metadata.
        role: RoleName,
    },
    /// The snapshot does not list it.
    #[error("the snapshot does not list {role}")]
    NotInSnapshot {
        /// The role of the metadata.
        role: RoleName,
    },
    /// No role delegates to it, or in a way that no profile has.
    #[error("the delegations are not of a kind this program makes ({role})")]
    Delegations {
        /// Whose.
        role: RoleName,
    },
    /// A signed page that is invalid.
    #[error("the page of {project}: {error}")]
    Page {
        /// Whose.
        project: PackageName,
        /// What is wrong.
        error: PageError,
    },
}

/// The published state: the root, the snapshot, and all metadata that delegates. Bins and pages are read when needed.
#[derive(Clone, Debug)]
pub struct Published {
    pub(crate) root: Root,
    pub(crate) timestamp: Timestamp,
    pub(crate) snapshot: Snapshot,
    pub(crate) delegators: BTreeMap<RoleName, Targets>,
    pub(crate) router: Router,
}

/// [`Published`], while its files are being read.
pub struct PublishedReader {
    root: Root,
    timestamp: Timestamp,
    snapshot: Snapshot,
    delegators: BTreeMap<RoleName, Targets>,
}

/// The next root, signed by its own keys and those of the one before (TUF 5.3).
///
/// # Errors
/// When it is not.
pub fn next_root(before: &Root, bytes: &[u8]) -> Result<Root, StateError> {
    let root: Metadata<Root> = read(&name(TopLevelRole::Root), bytes)?;
    let signed = |by: &Root| signed(&name(TopLevelRole::Root), &root, &by.keys, by.role(TopLevelRole::Root));
    signed(before)?;
    signed(&root.signed)?;
    let expected = before.version + 1;
    exactly(&name(TopLevelRole::Root), root.signed.version, expected)?;
    Ok(root.signed)
}

/// A root that this machine trusts already, or the first one: signed by its own keys.
///
/// # Errors
/// When it is not.
pub fn trusted_root(bytes: &[u8]) -> Result<Root, StateError> {
    let root: Metadata<Root> = read(&name(TopLevelRole::Root), bytes)?;
    signed(&name(TopLevelRole::Root), &root, &root.signed.keys, root.signed.role(TopLevelRole::Root))?;
    Ok(root.signed)
}

impl PublishedReader {
    /// Begins with the newest root and the timestamp, whose version and that of the snapshot must not be below these.
    ///
    /// # Errors
    /// When the timestamp is older, or not signed.
    pub fn new(root: Root, timestamp: &[u8], least_timestamp: u64, least_snapshot: u64) -> Result<Self, StateError> {
        let role = name(TopLevelRole::Timestamp);
        let timestamp: Metadata<Timestamp> = read(&role, timestamp)?;
        signed(&role, &timestamp, &root.keys, root.role(TopLevelRole::Timestamp))?;
        let timestamp = timestamp.signed;
        at_least(&role, timestamp.version, least_timestamp)?;
        at_least(&name(TopLevelRole::Snapshot), timestamp.snapshot.version, least_snapshot)?;
        let snapshot = Snapshot::new(timestamp.snapshot.version, UnixTime(0));
        Ok(Self { root, timestamp, snapshot, delegators: BTreeMap::new() })
    }

    /// Where the snapshot is.
    pub fn snapshot_path(&self) -> String {
        layout::metadata_path(&name(TopLevelRole::Snapshot), self.timestamp.snapshot.version)
    }

    /// Adds the snapshot.
    ///
    /// # Errors
    /// When it is not the one the timestamp names.
    pub fn snapshot(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        let role = name(TopLevelRole::Snapshot);
        content(&role, bytes, &self.timestamp.snapshot)?;
        let snapshot: Metadata<Snapshot> = read(&role, bytes)?;
        signed(&role, &snapshot, &self.root.keys, self.root.role(TopLevelRole::Snapshot))?;
        exactly(&role, snapshot.signed.version, self.timestamp.snapshot.version)?;
        self.snapshot = snapshot.signed;
        Ok(())
    }

    /// The next delegating metadata to read, and where it is; `None` when all was read.
    ///
    /// # Errors
    /// When the snapshot does not list it.
    pub fn next_delegator(&self) -> Result<Option<(RoleName, String)>, StateError> {
        let Some(role) = missing_delegator(&self.delegators) else { return Ok(None) };
        let path = layout::metadata_path(&role, listed(&self.snapshot, &role)?.version);
        Ok(Some((role, path)))
    }

    /// Adds delegating metadata.
    ///
    /// # Errors
    /// When it is not what the snapshot lists.
    pub fn delegator(&mut self, role: RoleName, bytes: &[u8]) -> Result<(), StateError> {
        let targets = open(&self.root, &self.delegators, &self.snapshot, &role, bytes)?;
        self.delegators.insert(role, targets);
        Ok(())
    }

    /// Finishes once all delegating metadata was read.
    ///
    /// # Errors
    /// When the delegations are not of a kind that this program makes.
    pub fn finish(self) -> Result<Published, StateError> {
        let Self { root, timestamp, snapshot, delegators } = self;
        let router = Router::new(&delegators).ok_or(StateError::Delegations { role: name(TopLevelRole::Targets) })?;
        Ok(Published { root, timestamp, snapshot, delegators, router })
    }
}

impl Published {
    /// The newest root.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// The timestamp.
    pub fn timestamp(&self) -> &Timestamp {
        &self.timestamp
    }

    /// When the timestamp was signed, by the clock of its signer.
    pub fn signed_at(&self) -> Option<UnixTime> {
        UnixTime::parse(self.timestamp.other.get(SIGNED_AT)?.as_str()?)
    }

    /// The snapshot.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// `targets`, `bins`, `claimed`: the metadata that delegates.
    pub fn delegators(&self) -> &BTreeMap<RoleName, Targets> {
        &self.delegators
    }

    /// All roles of the online key: `index`, or the bins.
    pub fn leaves(&self) -> Vec<RoleName> {
        self.router.leaves()
    }

    /// The roles of projects with keys of their own.
    pub fn project_roles(&self) -> impl Iterator<Item = &RoleName> {
        self.router.projects()
    }

    /// Who signs for a target path.
    pub fn signer(&self, path: &str) -> Option<ResponsibleRole> {
        self.router.signer(path)
    }

    /// The role that signs for a project's page.
    ///
    /// # Errors
    /// When the online key does not sign it.
    pub fn page_role(&self, project: &PackageName) -> Result<RoleName, StateError> {
        page_role(&self.router, project)
    }

    /// Where a role's metadata is.
    ///
    /// # Errors
    /// When the snapshot does not list it.
    pub fn path_of(&self, role: &RoleName) -> Result<String, StateError> {
        Ok(layout::metadata_path(role, listed(&self.snapshot, role)?.version))
    }

    /// Verifies the metadata of a bin, `index` or a project.
    ///
    /// # Errors
    /// When it is not what the snapshot lists, or not signed by the delegated keys.
    pub fn open(&self, role: &RoleName, bytes: &[u8]) -> Result<Targets, StateError> {
        open(&self.root, &self.delegators, &self.snapshot, role, bytes)
    }
}

/// Verifies a page by its target and reads it.
///
/// # Errors
/// When it is not what was signed, or no page.
pub fn open_page(project: &PackageName, target: &TargetFile, bytes: &[u8]) -> Result<Page, StateError> {
    if target.length != bytes.len() as u64 || sha256(bytes) != target.hashes.get(HashAlgorithm::Sha256) {
        return Err(StateError::Content { role: format!("the page of {project}") });
    }
    Page::from_json(project, bytes).map_err(|error| StateError::Page { project: project.clone(), error })
}

/// Where the page with this target is.
pub fn page_path(project: &PackageName, target: &TargetFile) -> Option<String> {
    Some(layout::page_path(project, &target.hashes.get(HashAlgorithm::Sha256)?))
}

pub(crate) fn page_role(router: &Router, project: &PackageName) -> Result<RoleName, StateError> {
    match router.signer(&layout::page_target(project)) {
        Some(ResponsibleRole::Online(role)) => Ok(role),
        Some(ResponsibleRole::Project(role)) => Err(StateError::Delegations { role }),
        None => Err(StateError::Delegations { role: name(TopLevelRole::Targets) }),
    }
}

/// The next delegating metadata that was not read yet; a delegator is recognised by its name.
pub(crate) fn missing_delegator(delegators: &BTreeMap<RoleName, Targets>) -> Option<RoleName> {
    let targets = name(TopLevelRole::Targets);
    let Some(found) = delegators.get(&targets) else { return Some(targets) };
    let DelegatedRoles::Listed(roles) = &found.delegations.as_ref()?.roles else { return None };
    let mut names = roles.iter().map(|role| &role.name);
    names.find(|role| matches!(role.as_str(), BINS | CLAIMED) && !delegators.contains_key(role)).cloned()
}

pub(crate) fn name(role: TopLevelRole) -> RoleName {
    RoleName::from(role.name())
}

/// The keys of `targets`, or of a role that is delegated to.
pub(crate) fn keys_of<'a>(
    root: &'a Root,
    delegators: &'a BTreeMap<RoleName, Targets>,
    role: &RoleName,
) -> Result<(&'a BTreeMap<KeyId, Key>, &'a RoleKeys), StateError> {
    match role.top_level() {
        Some(top_level) => Ok((&root.keys, root.role(top_level))),
        None => router::keys_of(delegators, role).ok_or_else(|| StateError::Delegations { role: role.clone() }),
    }
}

pub(crate) fn read<T: Signed>(role: &RoleName, bytes: &[u8]) -> Result<Metadata<T>, StateError> {
    Metadata::from_bytes(bytes).map_err(|error| StateError::Format { role: role.clone(), error })
}

pub(crate) fn signed<T: Signed>(
    role: &RoleName,
    metadata: &Metadata<T>,
    keys: &BTreeMap<KeyId, Key>,
    role_keys: &RoleKeys,
) -> Result<(), StateError> {
    let verified = metadata.verify(keys, role_keys);
    verified.map_err(|shortfall| StateError::Signatures { role: role.clone(), shortfall })
}

fn open(
    root: &Root,
    delegators: &BTreeMap<RoleName, Targets>,
    snapshot: &Snapshot,
    role: &RoleName,
    bytes: &[u8],
) -> Result<Targets, StateError> {
    let meta = listed(snapshot, role)?;
    content(role, bytes, meta)?;
    let targets: Metadata<Targets> = read(role, bytes)?;
    let (keys, role_keys) = keys_of(root, delegators, role)?;
    signed(role, &targets, keys, role_keys)?;
    exactly(role, targets.signed.version, meta.version)?;
    Ok(targets.signed)
}

fn listed<'a>(snapshot: &'a Snapshot, role: &RoleName) -> Result<&'a FileMeta, StateError> {
    snapshot.role(role).ok_or_else(|| StateError::NotInSnapshot { role: role.clone() })
}

fn content(role: &RoleName, bytes: &[u8], meta: &FileMeta) -> Result<(), StateError> {
    let length = meta.length.is_none_or(|length| length == bytes.len() as u64);
    let hash = meta.hashes.as_ref().and_then(|hashes| hashes.get(HashAlgorithm::Sha256));
    if length && (hash.is_none() || hash == sha256(bytes)) {
        return Ok(());
    }
    Err(StateError::Content { role: role.to_string() })
}

fn sha256(bytes: &[u8]) -> Option<String> {
    Hashes::of(bytes, &[HashAlgorithm::Sha256]).get(HashAlgorithm::Sha256)
}

fn exactly(role: &RoleName, found: u64, expected: u64) -> Result<(), StateError> {
    if found == expected {
        return Ok(());
    }
    Err(StateError::Version { role: role.clone(), found, expected: expected.to_string() })
}

fn at_least(role: &RoleName, found: u64, least: u64) -> Result<(), StateError> {
    if found >= least {
        return Ok(());
    }
    Err(StateError::Version {
        role: role.clone(),
        found,
        expected: format!("{least}, which this machine has seen, or more"),
    })
}
