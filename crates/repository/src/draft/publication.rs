//! The last step: signing, and the files to write.

use std::collections::BTreeMap;

use packaging::PackageName;
use tuf::metadata::{
    FileMeta, Metadata, RoleKeys, RoleName, Signed, Snapshot, TargetFile, Targets, Timestamp, TopLevelRole,
};
use tuf::{SigningKey, UnixTime};

use super::{Draft, RENEW_AT, RenewScope, due};
use crate::layout;
use crate::page::Page;
use crate::published::{SIGNED_AT, StateError, keys_of, name, page_path, signed};
use crate::router::ResponsibleRole;

/// Up to this number of bins each has its hash in the snapshot. Beyond, the hashes would cost clients more than they
/// gain: what a bin lists shows already which bin it is, so that only empty ones need theirs.
const HASHED_LEAVES: usize = 1024;

/// The files of one publication, in the order in which they have to become visible. Paths are those of [`layout`].
#[derive(Clone, Debug)]
pub struct Publication {
    /// `N.root.json`
    pub root: Option<(String, Vec<u8>)>,
    /// Offline metadata.
    pub offline_metadata: Vec<(String, Vec<u8>)>,
    /// Pages of all projects that the changes name.
    pub pages: Vec<NewPage>,
    /// Bins that have changed or were due.
    pub leaves: Vec<(String, Vec<u8>)>,
    /// A new snapshot, unless the one that is published stays.
    pub snapshot: Option<(String, Vec<u8>)>,
    /// The version that the timestamp names.
    pub snapshot_version: u64,
    /// Whether clients that still have the root before this one accept the timestamp too. Then the root comes after it,
    /// and no client sees a root whose timestamp is missing; else right before it.
    pub root_follows: bool,
    /// The timestamp, which publishes everything else.
    pub timestamp: Vec<u8>,
    /// Its version.
    pub timestamp_version: u64,
}

/// A page, to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPage {
    /// The project.
    pub project: PackageName,
    /// Its two forms; `None` when the project has no files any more.
    pub content: Option<PageContent>,
}

/// A page in both forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageContent {
    /// The permanent path of the JSON form.
    pub hashed_path: String,
    /// What is signed.
    pub json: Vec<u8>,
    /// The HTML form, for installers that read nothing else.
    pub html: Vec<u8>,
}

/// Why signing failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The given keys are not those of the role.
    #[error("the online keys given cannot sign for {role}: {error}")]
    Keys {
        /// For which role.
        role: RoleName,
        /// What is missing.
        error: StateError,
    },
    /// A role that must be read first was not.
    #[error("{role} was not read")]
    NotRead {
        /// Which one.
        role: RoleName,
    },
}

impl Draft {
    /// The lowest version that the next snapshot can have.
    pub fn minimum_snapshot_version(&self) -> u64 {
        self.before.as_ref().map_or(0, |before| before.snapshot.version) + 1
    }

    /// Signs with the online keys. `version` is for a new snapshot and the bins that change with it: so no two
    /// publications ever write one name with two contents.
    ///
    /// # Errors
    /// When the keys are not those of the roles.
    pub fn sign(&self, version: u64, keys: &[SigningKey]) -> Result<Publication, SignError> {
        let version = version.max(self.minimum_snapshot_version());
        let leaves = self.new_leaves(version)?;
        let mut files = Vec::with_capacity(leaves.len());
        let mut metas: BTreeMap<RoleName, FileMeta> = BTreeMap::new();
        let hash_all = self.router.leaves().len() <= HASHED_LEAVES;
        for (role, targets) in &leaves {
            let bytes = self.signed_by(role, targets.clone(), keys)?;
            let hashed = hash_all || targets.targets.is_empty();
            let meta = if hashed { FileMeta::of(targets.version, &bytes) } else { FileMeta::unhashed(targets.version) };
            metas.insert(role.clone(), meta);
            files.push((layout::metadata_path(role, targets.version), bytes));
        }
        let mut offline_metadata = Vec::new();
        for (role, (version, bytes)) in &self.offline_metadata {
            metas.insert(role.clone(), FileMeta::of(*version, bytes));
            offline_metadata.push((layout::metadata_path(role, *version), bytes.clone()));
        }
        let snapshot = self.next_snapshot(version, metas, &leaves, keys);
        let snapshot_meta = match (&snapshot, &self.before) {
            (None, Some(before)) => before.timestamp.snapshot.clone(),
            _ => FileMeta::unhashed(version),
        };
        let (snapshot, snapshot_meta) = match snapshot {
            None => (None, snapshot_meta),
            Some(snapshot) => {
                let role = name(TopLevelRole::Snapshot);
                let bytes = self.signed_by(&role, snapshot, keys)?;
                let meta = FileMeta::of(version, &bytes);
                (Some((layout::metadata_path(&role, version), bytes)), meta)
            }
        };
        let timestamp_version = self.before.as_ref().map_or(0, |before| before.timestamp.version) + 1;
        let expires = UnixTime(self.now.0 + self.policy.expiry.timestamp);
        let snapshot_version = snapshot_meta.version;
        let mut timestamp = Timestamp::new(timestamp_version, expires, snapshot_meta);
        timestamp.other.insert(SIGNED_AT, self.now.to_string());
        let timestamp = self.signed_by(&name(TopLevelRole::Timestamp), timestamp, keys)?;
        let root = self
            .new_root
            .as_ref()
            .map(|bytes| (layout::metadata_path(&name(TopLevelRole::Root), self.root.version), bytes.clone()));
        Ok(Publication {
            root,
            offline_metadata,
            pages: self.new_pages(),
            leaves: files,
            snapshot,
            snapshot_version,
            root_follows: self.old_root_suffices(keys),
            timestamp,
            timestamp_version,
        })
    }

    /// The bins that get a new version.
    fn new_leaves(&self, version: u64) -> Result<BTreeMap<RoleName, Targets>, SignError> {
        let mut leaves = BTreeMap::new();
        let expires = UnixTime(self.now.0 + self.policy.expiry.leaves);
        let next = |role: &RoleName| {
            // Greater than its own, should it come from another tool.
            let published = self.taken.get(role).map_or(0, |published| published.version);
            Targets::new(version.max(published + 1), expires)
        };
        let everything = self.restructured || self.renew == RenewScope::Everything;
        for (signer, targets) in self.by_signer() {
            let ResponsibleRole::Online(role) = signer else { continue };
            let published = self.taken.get(&role);
            if self.is_published(&role) && published.is_none() {
                return Err(SignError::NotRead { role });
            }
            if everything || published.is_none_or(|published| published.targets != targets) {
                let next = Targets { targets, ..next(&role) };
                leaves.insert(role, next);
            }
        }
        // What is due within a sixteenth of its time counts as due, so that not every refresh reads all of them.
        let soon = UnixTime(self.now.0 + self.policy.expiry.leaves / 16);
        for (role, published) in &self.taken {
            let is_due = everything || due(role, published.expires, &self.policy.expiry) <= soon;
            if is_due && !self.restructured && !leaves.contains_key(role) && self.is_leaf(role) {
                leaves.insert(role.clone(), Targets { targets: published.targets.clone(), ..next(role) });
            }
        }
        Ok(leaves)
    }

    /// `None` when the published one stays.
    fn next_snapshot(
        &self,
        version: u64,
        metas: BTreeMap<RoleName, FileMeta>,
        leaves: &BTreeMap<RoleName, Targets>,
        keys: &[SigningKey],
    ) -> Option<Snapshot> {
        let expiry = &self.policy.expiry;
        if let Some(before) = &self.before
            && metas.is_empty()
            && self.renew != RenewScope::Everything
            && !self.snapshot_keys_changed()
            && self.now.0 < before.snapshot.expires.0 - expiry.snapshot / 2
            && !self.reads_everything()
        {
            return None;
        }
        let mut snapshot = Snapshot::new(version, UnixTime(self.now.0 + expiry.snapshot));
        if let Some(before) = &self.before {
            snapshot.meta = before.snapshot.meta.clone();
            // Names may be removed only when clients delete the old snapshot with its key (TUF 5.5.5), and no client
            // compares the new one with it.
            if self.snapshot_keys_changed() && !self.old_root_suffices(keys) {
                let current: std::collections::BTreeSet<String> = self.current_files().collect();
                snapshot.meta.retain(|file, _| current.contains(file));
            }
        }
        for (role, meta) in metas {
            snapshot.set_role(&role, meta);
        }
        let renewed = leaves.iter().map(|(role, leaf)| due(role, leaf.expires, expiry));
        let read = self.taken.iter().filter(|(role, _)| !leaves.contains_key(*role) && self.is_leaf(role));
        let read = read.map(|(role, leaf)| due(role, leaf.expires, expiry));
        let unread = match &self.before {
            Some(before) if !self.reads_everything() => {
                before.snapshot.other.get(RENEW_AT).and_then(|at| UnixTime::parse(at.as_str()?))
            }
            _ => None,
        };
        if let Some(at) = renewed.chain(read).chain(unread).min_by_key(|at| at.0) {
            snapshot.other.insert(RENEW_AT, at.to_string());
        }
        Some(snapshot)
    }

    fn new_pages(&self) -> Vec<NewPage> {
        let pages = self.touched.iter().filter_map(|project| self.pages.get(project));
        pages.map(NewPage::of).collect()
    }

    fn is_leaf(&self, role: &RoleName) -> bool {
        !self.router.projects().any(|project| project == role)
    }

    fn is_published(&self, role: &RoleName) -> bool {
        self.before.as_ref().is_some_and(|before| !self.restructured && before.snapshot.role(role).is_some())
    }

    fn snapshot_keys_changed(&self) -> bool {
        let role = TopLevelRole::Snapshot;
        self.before.as_ref().is_some_and(|before| {
            let kept = &self.root.role(role).key_ids;
            before.root.role(role).key_ids.iter().any(|key_id| !kept.contains(key_id))
        })
    }

    /// Whether clients with the root before this one accept everything that these keys sign.
    fn old_root_suffices(&self, keys: &[SigningKey]) -> bool {
        let Some(before) = &self.before else { return false };
        let online = [TopLevelRole::Timestamp, TopLevelRole::Snapshot].into_iter().all(|role| {
            let old = before.root.role(role);
            keys.iter().filter(|key| old.key_ids.contains(key.key_id())).count() as u64 >= old.threshold
        });
        let targets = TopLevelRole::Targets;
        online && before.root.role(targets) == self.root.role(targets)
    }

    /// The names of all present roles in the snapshot.
    fn current_files(&self) -> impl Iterator<Item = String> {
        let leaves = self.router.leaves().into_iter().chain(self.router.projects().cloned());
        leaves.chain(self.delegators.keys().cloned()).map(|role| format!("{}.json", role.as_str()))
    }

    fn signed_by<T: Signed>(&self, role: &RoleName, content: T, keys: &[SigningKey]) -> Result<Vec<u8>, SignError> {
        let failed = |error| SignError::Keys { role: role.clone(), error };
        let (known, role_keys) = keys_of(&self.root, &self.delegators, role).map_err(failed)?;
        let mut metadata = Metadata::new(content);
        // With the keys before a rotation as well: clients that have not seen the new root go on without a gap.
        let before = role.top_level().zip(self.before.as_ref()).map(|(role, before)| before.root.role(role));
        let has = |of: &RoleKeys, key: &SigningKey| of.key_ids.contains(key.key_id());
        for key in keys.iter().filter(|key| has(role_keys, key) || before.is_some_and(|before| has(before, key))) {
            metadata.sign(key);
        }
        // Thousands of bins have the same keys, and each signature would be verified.
        if role.top_level().is_some() || (metadata.signatures.len() as u64) < role_keys.threshold {
            signed(role, &metadata, known, role_keys).map_err(failed)?;
        }
        Ok(metadata.to_bytes())
    }
}

impl NewPage {
    /// The forms of a page.
    pub fn of(page: &Page) -> Self {
        let content = (page.files().len() > 0).then(|| {
            let json = page.to_json();
            let hashed_path = page_path(&page.project, &TargetFile::of(&json)).unwrap_or_default();
            PageContent { hashed_path, json, html: page.to_html() }
        });
        Self { project: page.project.clone(), content }
    }
}
