//! Offline metadata in `staged/metadata`, signed by the key holders one after the other, then published together.

mod contents;
mod description;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::PathBuf;

use repository::ceremony::{
    OfflineMetadata, OfflineMetadataFile, SignatureRequirement, SigningGroup, is_delegator, requirements,
};
use repository::{Published, RenewScope};
use tuf::UnixTime;
use tuf::metadata::{Metadata, RoleName, Root};

use super::keys;
use super::keys::{KeyRing, Passphrases};
use super::operator_directory::{OperatorDirectory, disk_failure};
use super::publish::{self, PublicationUpdate, PublishOutcome};
use super::published_state::{self, ROOT_FILE};
use super::storage::Storage;
use crate::keys::UnlockOptions;
use installer::error::{Code, Failure};
use installer::event::{Reporter, WarningCode};
use installer::trust::unix_now;

pub use description::{description, difference, keys_for_everything, progress, to_json};

/// A metadata file is never larger; offline metadata has a few kilobytes, or megabytes with classic bins.
const LARGEST: u64 = 64 << 20;

/// The waiting files, and what they would replace.
pub struct Ceremony {
    /// The root that this machine trusts; `None` before the first one.
    pub before: Option<Root>,
    /// The published state; `None` when nothing is published.
    pub published: Option<Published>,
    /// The waiting files, each after those it depends on.
    pub waiting: Vec<OfflineMetadataFile>,
}

impl Ceremony {
    /// Reads the waiting files and the published state.
    ///
    /// # Errors
    /// When one of them cannot be read, or the published state is refused.
    pub async fn read(
        operator_directory: &OperatorDirectory,
        storage: &Storage,
        reporter: &dyn Reporter,
    ) -> Result<Self, Failure> {
        let waiting = waiting(operator_directory)?;
        let root =
            waiting.iter().find(|file| matches!(file, OfflineMetadataFile::Root(_))).map(OfflineMetadataFile::to_bytes);
        let state = published_state::read_for_root(operator_directory, storage, root.as_deref()).await?;
        let mut ceremony = Self::of(operator_directory, state.map(|state| state.published), waiting)?;
        let old = ceremony.take_published();
        for file in old.iter().filter(|file| ceremony.is_overtaken(file)) {
            reporter.warning(WarningCode::Repository, format!(
                "{} was prepared here, but another one has been published meanwhile; `tufpip repo root edit` begins again",
                file.file_name()
            ));
        }
        unstage(operator_directory, &old)?;
        Ok(ceremony)
    }

    /// A ceremony of these files and the published state.
    ///
    /// # Errors
    /// When the trusted root cannot be read.
    pub fn of(
        operator_directory: &OperatorDirectory,
        published: Option<Published>,
        waiting: Vec<OfflineMetadataFile>,
    ) -> Result<Self, Failure> {
        let before = match &published {
            Some(published) => Some(published.root().clone()),
            None => trusted_root(operator_directory)?,
        };
        Ok(Self { before, published, waiting })
    }

    /// Only the waiting files and the trusted root, for machines that cannot read the published state.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn offline(operator_directory: &OperatorDirectory) -> Result<Self, Failure> {
        Ok(Self { before: trusted_root(operator_directory)?, published: None, waiting: waiting(operator_directory)? })
    }

    /// The offline metadata once all waiting files are published; `None` when there is no root.
    pub fn expected(&self) -> Option<OfflineMetadata> {
        let trusted = || Some(OfflineMetadata { root: self.before.clone()?, delegators: BTreeMap::new() });
        OfflineMetadata::expected(self.published.as_ref().map(OfflineMetadata::of).or_else(trusted), &self.waiting)
    }

    /// Whose signatures a file needs.
    pub fn requirements(&self, file: &OfflineMetadataFile) -> Vec<SignatureRequirement> {
        requirements(file, self.before.as_ref(), self.expected().as_ref())
    }

    /// The same with other files of root, targets, bins and claimed waiting.
    pub fn with(&self, files: Vec<OfflineMetadataFile>) -> Self {
        let roles: BTreeSet<RoleName> = files.iter().map(OfflineMetadataFile::role).collect();
        let stays = |file: &&OfflineMetadataFile| {
            !matches!(file, OfflineMetadataFile::Root(_))
                && !is_delegator(&file.role())
                && !roles.contains(&file.role())
        };
        let others: Vec<OfflineMetadataFile> = self.waiting.iter().filter(stays).cloned().collect();
        let waiting = files.into_iter().chain(others).collect();
        Self { before: self.before.clone(), published: self.published.clone(), waiting }
    }

    /// Whether the keys of this ring are enough for everything, the online one included.
    pub fn can_be_signed_with(&self, ring: &KeyRing) -> bool {
        let enough = |requirement: &SignatureRequirement| {
            let there = requirement.keys.iter().filter(|(id, signed)| *signed || ring.has(id)).count();
            there as u64 >= requirement.threshold
        };
        let needed = self.waiting.iter().filter(|file| self.is_needed(file));
        let mut groups = self.expected().into_iter().map(|expected| expected.group(SigningGroup::Online));
        needed.flat_map(|file| self.requirements(file)).all(|requirement| enough(&requirement))
            && groups.all(|group| group.keys.iter().all(|key| ring.has(&key.identifier())))
    }

    /// Adds the signatures of all these keys that a file accepts. Returns whether any key signed.
    ///
    /// # Errors
    /// When a key cannot be opened.
    pub fn sign(&mut self, ring: &mut KeyRing) -> Result<bool, Failure> {
        let needed: Vec<Vec<SignatureRequirement>> = self.waiting.iter().map(|file| self.requirements(file)).collect();
        let mut signed = false;
        for (file, requirements) in self.waiting.iter_mut().zip(needed) {
            for id in requirements.iter().flat_map(SignatureRequirement::missing) {
                if let Some(key) = ring.get(id)? {
                    file.sign(key);
                    signed = true;
                }
            }
        }
        Ok(signed)
    }

    /// Adds the signatures of the online key, where it replaces key holders (`targets` in the profile `rstuf`).
    ///
    /// # Errors
    /// When the key cannot be opened.
    pub fn sign_online(&mut self, ring: &mut KeyRing) -> Result<(), Failure> {
        let Some(expected) = self.expected().filter(OfflineMetadata::targets_is_online) else { return Ok(()) };
        for key in expected.group(SigningGroup::Online).keys {
            let id = key.identifier();
            for file in self.waiting.iter_mut().filter(|file| !matches!(file, OfflineMetadataFile::Root(_))) {
                if let Some(key) = ring.get(&id)? {
                    file.sign(key);
                }
            }
        }
        Ok(())
    }

    /// The files that still need signatures before they can be published.
    pub fn unsigned(&self) -> Vec<(&OfflineMetadataFile, Vec<SignatureRequirement>)> {
        let unmet = |file| -> Vec<SignatureRequirement> {
            self.requirements(file).into_iter().filter(|requirement| !requirement.is_met()).collect()
        };
        let needed = self.waiting.iter().filter(|file| self.is_needed(file));
        needed.map(|file| (file, unmet(file))).filter(|(_, unmet)| !unmet.is_empty()).collect()
    }

    /// Publishes all waiting files. The online keys must be in the ring.
    ///
    /// # Errors
    /// When signatures are missing, something has expired, or publishing fails.
    pub async fn publish(
        self,
        operator_directory: &OperatorDirectory,
        storage: &Storage,
        ring: &mut KeyRing,
        dry_run: bool,
        reporter: &dyn Reporter,
    ) -> Result<PublishOutcome, Failure> {
        self.check(ring, unix_now())?;
        let Some(expected) = self.expected() else { return Err(nothing()) };
        let mut online = keys::online_keys_in(operator_directory, &expected.root, ring, reporter)?;
        if let Some(before) = &self.before {
            online.extend(keys::replaced_online(before, &expected.root, ring, reporter));
        }
        let root = self
            .waiting
            .iter()
            .find(|file| matches!(file, OfflineMetadataFile::Root(_)))
            .map(OfflineMetadataFile::to_bytes);
        let offline_metadata = self.waiting.iter().filter(|file| is_delegator(&file.role()));
        let offline_metadata: Vec<(RoleName, Vec<u8>)> =
            offline_metadata.map(|file| (file.role(), file.to_bytes())).collect();
        // Staged changes are published too: after a theft, removals must not come later than the new key.
        let changes = operator_directory.staged_changes()?;
        let update = PublicationUpdate { changes, root, offline_metadata, renew: RenewScope::WhatIsDue };
        let outcome = publish::publish(operator_directory, storage, &update, &online, dry_run, reporter).await?;
        if !dry_run {
            // Reading again removes the waiting files that are published now.
            Self::read(operator_directory, storage, reporter).await?;
        }
        Ok(outcome)
    }

    /// Refuses files that cannot be published.
    fn check(&self, ring: &KeyRing, now: UnixTime) -> Result<(), Failure> {
        if self.waiting.is_empty() {
            return Err(nothing());
        }
        self.refuse_misnamed_keys(&self.waiting)?;
        if let Some(file) = self.waiting.iter().find(|file| self.is_needed(file) && file.expires().0 <= now.0) {
            let message = format!("{} has expired ({})", file.file_name(), file.expires());
            return Err(Failure::new(Code::RepoExpired, message)
                .hint("`tufpip repo root edit --renew all` writes it again; then it has to be signed again"));
        }
        let unsigned = self.unsigned();
        if unsigned.is_empty() {
            return Ok(());
        }
        let message = "Signatures are missing; nothing was published";
        let mut failure = Failure::new(Code::RepoSignaturesMissing, message);
        for (file, requirements) in &unsigned {
            for requirement in requirements {
                failure = failure.detail("missing", progress(file, requirement, ring));
            }
        }
        Err(failure.hint("who has one of these keys runs `tufpip repo root sign` on the file"))
    }

    /// Refuses files that list a key under the key id of another one.
    ///
    /// # Errors
    /// When one does.
    pub fn refuse_misnamed_keys(&self, files: &[OfflineMetadataFile]) -> Result<(), Failure> {
        let trusted = || Some(OfflineMetadata { root: self.before.clone()?, delegators: BTreeMap::new() });
        let known = self.published.as_ref().map(OfflineMetadata::of).or_else(trusted);
        files.iter().try_for_each(|file| refuse_misnamed_keys(file, known.as_ref()))
    }

    /// The published file that this one replaces; `None` if there is none.
    ///
    /// # Errors
    /// When it cannot be read, or is refused.
    pub async fn before(
        &self,
        storage: &Storage,
        file: &OfflineMetadataFile,
    ) -> Result<Option<OfflineMetadataFile>, Failure> {
        let Some(published) = &self.published else { return Ok(None) };
        let role = match file {
            OfflineMetadataFile::Root(_) => return Ok(Some(OfflineMetadataFile::root(published.root().clone()))),
            OfflineMetadataFile::Targets(role, _) => role,
        };
        if let Some(targets) = published.delegators().get(role) {
            return Ok(Some(OfflineMetadataFile::targets(role.clone(), targets.clone())));
        }
        if !published.project_roles().any(|project| project == role) {
            return Ok(None);
        }
        let read = published_state::roles(published, storage, vec![role.clone()]).await?;
        Ok(read.into_iter().next().map(|(role, targets)| OfflineMetadataFile::targets(role, targets)))
    }

    /// Metadata of a project may stay unsigned if the project has been published before.
    fn is_needed(&self, file: &OfflineMetadataFile) -> bool {
        let role = file.role();
        let is_published =
            || self.published.as_ref().is_some_and(|published| published.snapshot().role(&role).is_some());
        matches!(file, OfflineMetadataFile::Root(_)) || is_delegator(&role) || !is_published()
    }

    /// Whether another version is published in the place of a file.
    fn is_overtaken(&self, file: &OfflineMetadataFile) -> bool {
        let Some(published) = &self.published else { return false };
        match file {
            OfflineMetadataFile::Root(root) => {
                root.signed.version == published.root().version && root.signed != *published.root()
            }
            OfflineMetadataFile::Targets(role, targets) => published
                .delegators()
                .get(role)
                .is_some_and(|published| published.version == targets.signed.version && *published != targets.signed),
        }
    }

    /// Removes and returns the waiting files that are published already.
    fn take_published(&mut self) -> Vec<OfflineMetadataFile> {
        let Some(published) = &self.published else { return Vec::new() };
        let is_published = |file: &OfflineMetadataFile| match file {
            OfflineMetadataFile::Root(root) => root.signed.version <= published.root().version,
            OfflineMetadataFile::Targets(role, targets) => {
                published.snapshot().role(role).is_some_and(|meta| targets.signed.version <= meta.version)
            }
        };
        let (old, waiting) = std::mem::take(&mut self.waiting).into_iter().partition(is_published);
        self.waiting = waiting;
        old
    }
}

/// The keys of the repository.
///
/// # Errors
/// When one cannot be read.
pub fn ring(operator_directory: &OperatorDirectory, unlock: &UnlockOptions) -> Result<KeyRing, Failure> {
    Ok(KeyRing::new(keys::in_directory(&operator_directory.keys())?, Passphrases::new(unlock)))
}

/// The files that wait for signatures.
///
/// # Errors
/// When one cannot be read.
pub fn waiting(operator_directory: &OperatorDirectory) -> Result<Vec<OfflineMetadataFile>, Failure> {
    let directory = operator_directory.staged_metadata();
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(disk_failure(&directory, error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| disk_failure(&directory, error))?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(".json")) {
            found.push(read_file(&path)?);
        }
    }
    // Root, then the roles that delegate, then the projects.
    found.sort_by_key(|file| {
        (!matches!(file, OfflineMetadataFile::Root(_)), !is_delegator(&file.role()), file.file_name())
    });
    Ok(found)
}

/// Reads a file of offline metadata.
///
/// # Errors
/// When it is none.
pub fn read_file(path: &std::path::Path) -> Result<OfflineMetadataFile, Failure> {
    let no_file = |problem: String| {
        let message = format!("{} is nothing that people sign: {problem}", path.display());
        Failure::new(Code::RepoMetadataFile, message)
            .hint("expected metadata of root, targets, bins, claimed or a project, named as 2.root.json")
    };
    let size = fs::metadata(path).map_err(|error| disk_failure(path, error))?.len();
    if size > LARGEST {
        return Err(no_file(format!("it has {size} bytes")));
    }
    let bytes = fs::read(path).map_err(|error| disk_failure(path, error))?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let file = OfflineMetadataFile::read(&name, &bytes).ok_or_else(|| no_file("its name tells no role".to_owned()))?;
    let file = file.map_err(|error| no_file(error.to_string()))?;
    if file.file_name() != name {
        return Err(no_file(format!("it has version {}", file.version())));
    }
    Ok(file)
}

/// Refuses a file that lists a key under the key id of another one; ids that are `known` are accepted.
///
/// # Errors
/// When it does.
pub fn refuse_misnamed_keys(file: &OfflineMetadataFile, known: Option<&OfflineMetadata>) -> Result<(), Failure> {
    let misnamed = file.misnamed_keys(known);
    if misnamed.is_empty() {
        return Ok(());
    }
    let message = format!("{} has keys under names that are not theirs", file.file_name());
    let failure = Failure::new(Code::RepoKeyName, message);
    let failure = misnamed.iter().fold(failure, |failure, id| failure.detail("keyid", &id.0));
    Err(failure
        .detail("meaning", "another key would be taken for the one of this name; nothing was signed")
        .hint("ask whoever wrote the file"))
}

/// Stages these files for signing, and no others of root, targets, bins and claimed. A waiting file with the same
/// content keeps its signatures.
///
/// # Errors
/// When the disk refuses.
pub fn stage(operator_directory: &OperatorDirectory, files: &[OfflineMetadataFile]) -> Result<(), Failure> {
    let before = waiting(operator_directory)?;
    let names: BTreeSet<String> = files.iter().map(OfflineMetadataFile::file_name).collect();
    let gone = before.iter().filter(|file| matches!(file, OfflineMetadataFile::Root(_)) || is_delegator(&file.role()));
    let gone: Vec<OfflineMetadataFile> = gone.filter(|file| !names.contains(&file.file_name())).cloned().collect();
    unstage(operator_directory, &gone)?;
    for file in files {
        write_file(operator_directory, file)?;
    }
    Ok(())
}

/// Writes one waiting file.
///
/// # Errors
/// When the disk refuses.
pub fn write_file(operator_directory: &OperatorDirectory, file: &OfflineMetadataFile) -> Result<(), Failure> {
    operator_directory.write(&format!("staged/metadata/{}", file.file_name()), &file.to_bytes())
}

/// Where a file waits.
pub fn path_of(operator_directory: &OperatorDirectory, file: &OfflineMetadataFile) -> PathBuf {
    operator_directory.staged_metadata().join(file.file_name())
}

fn unstage(operator_directory: &OperatorDirectory, files: &[OfflineMetadataFile]) -> Result<(), Failure> {
    for file in files {
        let path = path_of(operator_directory, file);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(disk_failure(&path, error)),
            _ => {}
        }
    }
    Ok(())
}

/// The root that this machine trusts; it was verified when it was written.
fn trusted_root(operator_directory: &OperatorDirectory) -> Result<Option<Root>, Failure> {
    let Some(bytes) = operator_directory.read(ROOT_FILE)? else { return Ok(None) };
    let root = Metadata::<Root>::from_bytes(&bytes).map_err(|error| {
        let message = format!("{} is damaged: {error}", operator_directory.path(ROOT_FILE).display());
        Failure::new(Code::RepoDamaged, message).caused_by(error)
    })?;
    Ok(Some(root.signed))
}

fn nothing() -> Failure {
    Failure::new(Code::RepoNothingWaits, "Nothing waits for signatures")
        .hint("`tufpip repo root edit` writes what people have to sign next")
}
