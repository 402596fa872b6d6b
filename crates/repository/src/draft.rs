//! From the published state and changes to the next publication: a [`Draft`] is filled step by step with the files
//! it requests, then signed.
//!
//! 1. [`Draft::begin`], with newly signed offline metadata, if any.
//! 2. If [`Draft::reads_everything`], [`Draft::take`] all of [`Draft::published_roles`].
//! 3. [`Draft::page_role`] of each project that changes, then its page: [`Draft::page_target`], [`Draft::take_page`].
//! 4. [`Draft::apply`], then [`Draft::take`] the roles of [`Draft::leaves_of_edits`].
//! 5. For each of [`Draft::awaiting_signatures`] either [`Draft::accept`] or [`Draft::hold_back`].
//! 6. [`Draft::sign`], again with a higher version if another publisher has taken that one.

mod publication;

use std::collections::{BTreeMap, BTreeSet};

use packaging::PackageName;
use tuf::UnixTime;
use tuf::metadata::{DelegatedRoles, Metadata, RoleName, Root, TargetFile, Targets, TopLevelRole};

pub use publication::{NewPage, Publication, SignError};

use crate::change::{Change, ChangeError, FileAddition};
use crate::layout;
use crate::page::Page;
use crate::published::{self, Published, StateError, keys_of, missing_delegator, name, open_page, read, signed};
use crate::roles::{Expiry, Policy};
use crate::router::{ResponsibleRole, Router};

/// What is signed again with the same content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenewScope {
    /// What would expire before half of its time is over.
    WhatIsDue,
    /// Everything that the online key signs.
    Everything,
}

/// What will be published.
pub struct Draft {
    policy: Policy,
    now: UnixTime,
    renew: RenewScope,
    before: Option<Published>,
    root: Root,
    /// `targets`, `bins`, `claimed`, as they will be.
    delegators: BTreeMap<RoleName, Targets>,
    router: Router,
    /// Newly signed offline metadata, as files.
    offline_metadata: BTreeMap<RoleName, (u64, Vec<u8>)>,
    /// The new root as a file.
    new_root: Option<Vec<u8>>,
    /// The delegations change: every target must be assigned to a role again.
    restructured: bool,
    /// The present content of bins and roles of projects, as far as it was read.
    taken: BTreeMap<RoleName, Targets>,
    pages: BTreeMap<PackageName, Page>,
    /// Targets that are added, changed or removed.
    edits: BTreeMap<String, Option<TargetFile>>,
    /// The projects of the changes, whether these made a difference or not.
    touched: BTreeSet<PackageName>,
}

/// A change that cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{project}: {error}")]
pub struct FailedChange {
    /// Of which project.
    pub project: PackageName,
    /// Why.
    pub error: ChangeError,
}

/// Metadata of a project that its own key holders must sign first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwaitingSignatures {
    /// Which role.
    pub role: RoleName,
    /// The content to be signed.
    pub targets: Targets,
}

impl AwaitingSignatures {
    /// Whether a file has this content: some key holders may have signed it already.
    pub fn matches_file(&self, file: &[u8], now: UnixTime) -> bool {
        Metadata::<Targets>::from_bytes(file).is_ok_and(|Metadata { signed, .. }| {
            let Targets { version, targets, .. } = &self.targets;
            signed.version == *version && signed.targets == *targets && signed.expires.0 > now.0
        })
    }
}

/// The field of the snapshot with the time at which the first bin is due to be signed again.
pub(crate) const RENEW_AT: &str = "x-renew-at";

impl Draft {
    /// Begins with the published state and signed offline metadata: the next root, and new versions of `targets`,
    /// `bins` and `claimed`. Where nothing is published yet the root and `targets` must be among them.
    ///
    /// # Errors
    /// When one of them lacks signatures, is not the next version, or is missing.
    pub fn begin(
        policy: Policy,
        before: Option<Published>,
        new_root: Option<Vec<u8>>,
        offline_metadata: &[(RoleName, Vec<u8>)],
        renew: RenewScope,
        now: UnixTime,
    ) -> Result<Self, StateError> {
        let root = match (&before, &new_root) {
            (Some(before), Some(bytes)) => published::next_root(&before.root, bytes)?,
            (Some(before), None) => before.root.clone(),
            (None, Some(bytes)) => published::trusted_root(bytes)?,
            (None, None) => return Err(StateError::NotInSnapshot { role: name(TopLevelRole::Root) }),
        };
        let mut delegators = BTreeMap::new();
        let mut files = BTreeMap::new();
        while let Some(role) = missing_delegator(&delegators) {
            let published = before.as_ref().and_then(|before| before.delegators.get(&role));
            let (keys, role_keys) = keys_of(&root, &delegators, &role)?;
            let targets = match offline_metadata.iter().find(|(name, _)| *name == role) {
                Some((_, bytes)) => {
                    let targets: Metadata<Targets> = read(&role, bytes)?;
                    signed(&role, &targets, keys, role_keys)?;
                    let version = targets.signed.version;
                    next_version(&role, version, published)?;
                    files.insert(role.clone(), (version, bytes.clone()));
                    targets.signed
                }
                None => {
                    let published = published.ok_or_else(|| StateError::NotInSnapshot { role: role.clone() })?;
                    let earlier = before.as_ref().map(|before| keys_of(&before.root, &before.delegators, &role));
                    if earlier.transpose()?.is_none_or(|(_, earlier)| earlier != role_keys) {
                        return Err(StateError::SignAgain { role });
                    }
                    published.clone()
                }
            };
            delegators.insert(role, targets);
        }
        let router = Router::new(&delegators).ok_or(StateError::Delegations { role: name(TopLevelRole::Targets) })?;
        let restructured = before.as_ref().is_some_and(|before| !same_delegations(&before.delegators, &delegators));
        Ok(Self {
            policy,
            now,
            renew,
            before,
            root,
            delegators,
            router,
            offline_metadata: files,
            new_root,
            restructured,
            taken: BTreeMap::new(),
            pages: BTreeMap::new(),
            edits: BTreeMap::new(),
            touched: BTreeSet::new(),
        })
    }

    /// Whether all bins must be read: each may have to be signed again.
    pub fn reads_everything(&self) -> bool {
        let Some(before) = &self.before else { return false };
        let due = before.snapshot.other.get(RENEW_AT).and_then(|at| UnixTime::parse(at.as_str()?));
        self.restructured || self.renew == RenewScope::Everything || due.is_none_or(|due| due <= self.now)
    }

    /// All roles that are published and sign for targets.
    pub fn published_roles(&self) -> Vec<RoleName> {
        let Some(before) = &self.before else { return Vec::new() };
        let mut roles = before.router.leaves();
        roles.extend(before.router.projects().cloned());
        roles
    }

    /// Adds the targets of a published role, verified by [`Published::open`].
    pub fn take(&mut self, role: RoleName, targets: Targets) {
        self.taken.insert(role, targets);
    }

    /// The role that signs for the published page of a project, if it still has to be read.
    ///
    /// # Errors
    /// When the online key does not sign the page.
    pub fn page_role(&self, project: &PackageName) -> Result<Option<RoleName>, StateError> {
        let Some(before) = &self.before else { return Ok(None) };
        let role = published::page_role(&before.router, project)?;
        Ok((!self.taken.contains_key(&role)).then_some(role))
    }

    /// The target of the published page of a project; `None` if it has none.
    pub fn page_target(&self, project: &PackageName) -> Option<&TargetFile> {
        let role = published::page_role(&self.before.as_ref()?.router, project).ok()?;
        self.taken.get(&role)?.targets.get(&layout::page_target(project))
    }

    /// Adds the published page of a project.
    ///
    /// # Errors
    /// When it is not the one that was signed.
    pub fn take_page(&mut self, project: &PackageName, bytes: &[u8]) -> Result<(), StateError> {
        if let Some(target) = self.page_target(project) {
            let page = open_page(project, target, bytes)?;
            self.pages.insert(project.clone(), page);
        }
        Ok(())
    }

    /// Applies changes, in their order, to the pages of their projects, and to the targets behind these.
    ///
    /// # Errors
    /// When one cannot be applied to the published state.
    pub fn apply(&mut self, changes: &[Change]) -> Result<(), FailedChange> {
        let mut by_project: BTreeMap<&PackageName, Vec<&Change>> = BTreeMap::new();
        for change in changes {
            by_project.entry(change.project()).or_default().push(change);
        }
        for (project, changes) in by_project {
            let before = self.pages.remove(project).unwrap_or_else(|| Page::new(project.clone()));
            let mut after = before.clone();
            for change in &changes {
                let failed = |error| FailedChange { project: project.clone(), error };
                change.apply(&mut after).map_err(failed)?;
            }
            if after != before {
                if self.policy.trust.has_targets() {
                    self.edit_distributions(&before, &after, changes.iter().flat_map(|change| change.additions()));
                }
                let target = (after.files().len() > 0).then(|| TargetFile::of(&after.to_json()));
                self.edits.insert(layout::page_target(project), target);
            }
            self.touched.insert(project.clone());
            self.pages.insert(project.clone(), after);
        }
        Ok(())
    }

    /// The published roles whose targets change and that must still be read.
    pub fn leaves_of_edits(&self) -> Vec<RoleName> {
        let Some(before) = &self.before else { return Vec::new() };
        let published: BTreeSet<RoleName> = self.published_roles().into_iter().collect();
        let mut roles: BTreeSet<RoleName> = BTreeSet::new();
        for path in self.edits.keys() {
            for router in [&before.router, &self.router] {
                if let Some(ResponsibleRole::Online(role) | ResponsibleRole::Project(role)) = router.signer(path) {
                    roles.insert(role);
                }
            }
        }
        roles.into_iter().filter(|role| published.contains(role) && !self.taken.contains_key(role)).collect()
    }

    /// What the key holders of claimed projects must sign.
    pub fn awaiting_signatures(&self) -> Vec<AwaitingSignatures> {
        let mut awaiting_signatures = Vec::new();
        for (signer, targets) in self.by_signer() {
            let ResponsibleRole::Project(role) = signer else { continue };
            if self.offline_metadata.contains_key(&role) {
                continue;
            }
            let published = self.taken.get(&role);
            if published.is_some_and(|published| published.targets == targets) {
                continue;
            }
            let version = published.map_or(0, |published| published.version) + 1;
            let expires = UnixTime(self.now.0 + self.policy.expiry.targets);
            awaiting_signatures
                .push(AwaitingSignatures { role, targets: Targets { targets, ..Targets::new(version, expires) } });
        }
        awaiting_signatures
    }

    /// The metadata of a project with a later expiry and the same content, to be signed by its key holders. `None` if
    /// its content changes, or it was not read.
    pub fn renewal(&self, role: &RoleName) -> Option<AwaitingSignatures> {
        if self.offline_metadata.contains_key(role) || !self.router.projects().any(|project| project == role) {
            return None;
        }
        let published = self.taken.get(role)?;
        let version = published.version + 1;
        Some(AwaitingSignatures { role: role.clone(), targets: Targets { version, ..published.clone() } })
    }

    /// Adds metadata that the key holders of a project have signed.
    ///
    /// # Errors
    /// When it lacks signatures, has other content, or has expired since.
    pub fn accept(&mut self, awaiting_signatures: &AwaitingSignatures, bytes: &[u8]) -> Result<(), StateError> {
        let role = &awaiting_signatures.role;
        let file: Metadata<Targets> = read(role, bytes)?;
        let (keys, role_keys) = keys_of(&self.root, &self.delegators, role)?;
        signed(role, &file, keys, role_keys)?;
        if file.signed.version != awaiting_signatures.targets.version {
            let expected = awaiting_signatures.targets.version.to_string();
            return Err(StateError::Version { role: role.clone(), found: file.signed.version, expected });
        }
        if file.signed.targets != awaiting_signatures.targets.targets {
            return Err(StateError::Content { role: role.to_string() });
        }
        if file.signed.expires.0 <= self.now.0 {
            return Err(StateError::Expired { role: role.clone(), expires: file.signed.expires });
        }
        self.offline_metadata.insert(role.clone(), (file.signed.version, bytes.to_owned()));
        Ok(())
    }

    /// Omits what the key holders of a project have not signed yet; returns the projects whose changes must wait.
    ///
    /// # Errors
    /// When the role has no metadata yet: without it clients could not look up any file.
    pub fn hold_back(&mut self, awaiting_signatures: &AwaitingSignatures) -> Result<BTreeSet<PackageName>, StateError> {
        let role = &awaiting_signatures.role;
        if !self.taken.contains_key(role) {
            let (keys, role_keys) = keys_of(&self.root, &self.delegators, role)?;
            let unsigned = Metadata::new(awaiting_signatures.targets.clone());
            signed(role, &unsigned, keys, role_keys)?;
        }
        let is_its = |path: &str| {
            self.router.signer(path).is_some_and(|signer| signer == ResponsibleRole::Project(role.clone()))
        };
        let held: BTreeSet<PackageName> = self
            .touched
            .iter()
            .filter(|project| is_its(&layout::distribution_target(project, "any")))
            .cloned()
            .collect();
        self.edits.retain(|path, _| !held.iter().any(|project| is_of(path, project)));
        self.touched.retain(|project| !held.contains(project));
        self.pages.retain(|project, _| !held.contains(project));
        Ok(held)
    }

    /// The edits of the targets behind a page that has changed.
    fn edit_distributions<'a>(
        &mut self,
        before: &Page,
        after: &Page,
        additions: impl Iterator<Item = &'a FileAddition>,
    ) {
        let project = &after.project;
        for file in before.files().filter(|file| after.file(&file.filename).is_none()) {
            self.edits.insert(layout::distribution_target(project, &file.filename), None);
            if file.core_metadata.is_some() {
                self.edits.insert(layout::core_metadata_target(project, &file.filename), None);
            }
        }
        for FileAddition { file, core_metadata_size } in additions {
            let has_it = |page: &Page| page.file(&file.filename).is_some_and(|there| there.hashes == file.hashes);
            if has_it(before) || !has_it(after) {
                continue;
            }
            let target = target_of(file.size, &file.hashes.sha256);
            self.edits.insert(layout::distribution_target(project, &file.filename), Some(target));
            if let (Some(sha256), Some(size)) = (&file.core_metadata, core_metadata_size) {
                let target = target_of(*size, sha256);
                self.edits.insert(layout::core_metadata_target(project, &file.filename), Some(target));
            }
        }
    }

    /// What each role will sign for: all of them when the delegations have changed, else those that change.
    fn by_signer(&self) -> BTreeMap<ResponsibleRole, BTreeMap<String, TargetFile>> {
        let mut by_signer: BTreeMap<ResponsibleRole, BTreeMap<String, TargetFile>> = BTreeMap::new();
        let mut place = |path: &str, target: &TargetFile| {
            if let Some(signer) = self.router.signer(path) {
                by_signer.entry(signer).or_default().insert(path.to_owned(), target.clone());
            }
        };
        if self.restructured || self.before.is_none() {
            for (path, target) in self.taken.values().flat_map(|role| &role.targets) {
                if !self.edits.contains_key(path) {
                    place(path, target);
                }
            }
            for (path, target) in self.edits.iter().filter_map(|(path, edit)| Some((path, edit.as_ref()?))) {
                place(path, target);
            }
            for leaf in self.router.leaves() {
                by_signer.entry(ResponsibleRole::Online(leaf)).or_default();
            }
            for project in self.router.projects() {
                by_signer.entry(ResponsibleRole::Project(project.clone())).or_default();
            }
            return by_signer;
        }
        for (path, edit) in &self.edits {
            let Some(signer) = self.router.signer(path) else { continue };
            let (ResponsibleRole::Online(role) | ResponsibleRole::Project(role)) = &signer;
            let published = || self.taken.get(role).map(|role| role.targets.clone()).unwrap_or_default();
            let targets = by_signer.entry(signer.clone()).or_insert_with(published);
            match edit {
                Some(target) => targets.insert(path.clone(), target.clone()),
                None => targets.remove(path),
            };
        }
        by_signer
    }
}

/// When a role of the online key is due to be signed again: when half of its time is over, and for each one a
/// little later, so that they do not all come at once.
pub(crate) fn due(role: &RoleName, expires: UnixTime, expiry: &Expiry) -> UnixTime {
    let spread = role.as_str().bytes().fold(0_i64, |sum, byte| (sum * 31 + i64::from(byte)) % 1024);
    UnixTime(expires.0 - expiry.leaves / 2 + expiry.leaves / 4 * spread / 1024)
}

fn target_of(length: u64, sha256: &str) -> TargetFile {
    let mut target = TargetFile::of(b"");
    target.length = length;
    target.hashes.insert("sha256", sha256);
    target
}

/// Whether a target path is a page or a file of this project.
fn is_of(path: &str, project: &PackageName) -> bool {
    let mut segments = path.split('/');
    matches!(segments.next(), Some("simple" | "dist")) && segments.next() == Some(project.as_ref())
}

fn next_version(role: &RoleName, version: u64, published: Option<&Targets>) -> Result<(), StateError> {
    let expected = published.map_or(1, |published| published.version + 1);
    if version == expected {
        return Ok(());
    }
    Err(StateError::Version { role: role.clone(), found: version, expected: expected.to_string() })
}

/// Whether the same roles and keys are delegated to.
fn same_delegations(before: &BTreeMap<RoleName, Targets>, after: &BTreeMap<RoleName, Targets>) -> bool {
    let roles = |delegators: &BTreeMap<RoleName, Targets>| -> Vec<Option<DelegatedRoles>> {
        delegators.values().map(|role| role.delegations.as_ref().map(|found| found.roles.clone())).collect()
    };
    roles(before) == roles(after)
}
