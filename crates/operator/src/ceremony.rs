//! What waits for people's signatures: files in `staged/metadata`, signed by one after the other, then published together.

mod contents;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::PathBuf;

use repository::ceremony::{ByPeople, PeoplesFile, Requirement, SigningGroup, is_delegator, requirements};
use repository::{Published, Renew};
use tuf::UnixTime;
use tuf::metadata::{Metadata, RoleName, Root};

use super::keys;
use super::keys::{KeyRing, Passphrases};
use super::publish::{self, Outcome, Update};
use super::state::{self, ROOT_FILE};
use super::storage::Storage;
use super::workplace::{Workplace, disk};
use crate::keys::UnlockOptions;
use installer::error::{Failure, Kind};
use installer::event::{Reporter, WarningCode};
use installer::trust::unix_now;

pub use words::{description, difference, keys_for_everything, progress, to_json};

/// A metadata file is never larger; what people sign is a few kilobytes, or megabytes with classic bins.
const LARGEST: u64 = 64 << 20;

/// What waits, and what it would replace.
pub struct Ceremony {
    /// The root that this machine trusts; `None` before the first one.
    pub before: Option<Root>,
    /// What is published; `None` when nothing is.
    pub published: Option<Published>,
    /// In the order in which one depends on the other.
    pub waiting: Vec<PeoplesFile>,
}

impl Ceremony {
    /// Reads what waits and what is published.
    ///
    /// # Errors
    /// When one of it cannot be read, or what is published is refused.
    pub async fn read(workplace: &Workplace, storage: &Storage, reporter: &dyn Reporter) -> Result<Self, Failure> {
        let waiting = waiting(workplace)?;
        let root = waiting.iter().find(|file| matches!(file, PeoplesFile::Root(_))).map(PeoplesFile::to_bytes);
        let state = state::read_below(workplace, storage, root.as_deref()).await?;
        let mut ceremony = Self::of(workplace, state.map(|state| state.published), waiting)?;
        let old = ceremony.take_published();
        for file in old.iter().filter(|file| ceremony.is_overtaken(file)) {
            reporter.warning(WarningCode::Repository, format!(
                "{} was prepared here, but another one has been published meanwhile; `tufpip repo root edit` begins again",
                file.file_name()
            ));
        }
        forget(workplace, &old)?;
        Ok(ceremony)
    }

    /// These files, and what is published.
    ///
    /// # Errors
    /// When the trusted root cannot be read.
    pub fn of(workplace: &Workplace, published: Option<Published>, waiting: Vec<PeoplesFile>) -> Result<Self, Failure> {
        let before = match &published {
            Some(published) => Some(published.root().clone()),
            None => trusted_root(workplace)?,
        };
        Ok(Self { before, published, waiting })
    }

    /// Only what waits and the trusted root, where what is published cannot be read.
    ///
    /// # Errors
    /// When one of it cannot be read.
    pub fn offline(workplace: &Workplace) -> Result<Self, Failure> {
        Ok(Self { before: trusted_root(workplace)?, published: None, waiting: waiting(workplace)? })
    }

    /// As it will be when all of it is published; `None` when there is no root.
    pub fn expected(&self) -> Option<ByPeople> {
        let trusted = || Some(ByPeople { root: self.before.clone()?, delegators: BTreeMap::new() });
        ByPeople::expected(self.published.as_ref().map(ByPeople::of).or_else(trusted), &self.waiting)
    }

    /// Whose signatures a file needs.
    pub fn requirements(&self, file: &PeoplesFile) -> Vec<Requirement> {
        requirements(file, self.before.as_ref(), self.expected().as_ref())
    }

    /// The same with other files of root, targets, bins and claimed waiting.
    pub fn with(&self, files: Vec<PeoplesFile>) -> Self {
        let roles: BTreeSet<RoleName> = files.iter().map(PeoplesFile::role).collect();
        let stays = |file: &&PeoplesFile| {
            !matches!(file, PeoplesFile::Root(_)) && !is_delegator(&file.role()) && !roles.contains(&file.role())
        };
        let others: Vec<PeoplesFile> = self.waiting.iter().filter(stays).cloned().collect();
        let waiting = files.into_iter().chain(others).collect();
        Self { before: self.before.clone(), published: self.published.clone(), waiting }
    }

    /// Whether the keys of this ring are enough for everything, the online one included.
    pub fn can_be_signed_with(&self, ring: &KeyRing) -> bool {
        let enough = |requirement: &Requirement| {
            let there = requirement.keys.iter().filter(|(id, signed)| *signed || ring.has(id)).count();
            there as u64 >= requirement.threshold
        };
        let needed = self.waiting.iter().filter(|file| self.is_needed(file));
        let mut groups = self.expected().into_iter().map(|expected| expected.group(SigningGroup::Online));
        needed.flat_map(|file| self.requirements(file)).all(|requirement| enough(&requirement))
            && groups.all(|group| group.keys.iter().all(|key| ring.has(&key.identifier())))
    }

    /// Adds the signatures of all these keys that a file accepts. Says which keys signed.
    ///
    /// # Errors
    /// When a key cannot be opened.
    pub fn sign(&mut self, ring: &mut KeyRing) -> Result<bool, Failure> {
        let needed: Vec<Vec<Requirement>> = self.waiting.iter().map(|file| self.requirements(file)).collect();
        let mut signed = false;
        for (file, requirements) in self.waiting.iter_mut().zip(needed) {
            for id in requirements.iter().flat_map(Requirement::missing) {
                if let Some(key) = ring.get(id)? {
                    file.sign(key);
                    signed = true;
                }
            }
        }
        Ok(signed)
    }

    /// Adds the signatures of the online key, where it takes the place of people (`targets` in the profile `rstuf`).
    ///
    /// # Errors
    /// When the key cannot be opened.
    pub fn sign_online(&mut self, ring: &mut KeyRing) -> Result<(), Failure> {
        let Some(expected) = self.expected().filter(ByPeople::targets_is_online) else { return Ok(()) };
        for key in expected.group(SigningGroup::Online).keys {
            let id = key.identifier();
            for file in self.waiting.iter_mut().filter(|file| !matches!(file, PeoplesFile::Root(_))) {
                if let Some(key) = ring.get(&id)? {
                    file.sign(key);
                }
            }
        }
        Ok(())
    }

    /// What has not got its signatures yet and cannot be published without.
    pub fn unsigned(&self) -> Vec<(&PeoplesFile, Vec<Requirement>)> {
        let unmet = |file| -> Vec<Requirement> {
            self.requirements(file).into_iter().filter(|requirement| !requirement.is_met()).collect()
        };
        let needed = self.waiting.iter().filter(|file| self.is_needed(file));
        needed.map(|file| (file, unmet(file))).filter(|(_, unmet)| !unmet.is_empty()).collect()
    }

    /// Publishes all that waits. The online keys must be in the ring.
    ///
    /// # Errors
    /// When signatures are missing, something has expired, or publishing fails.
    pub async fn publish(
        self,
        workplace: &Workplace,
        storage: &Storage,
        ring: &mut KeyRing,
        dry_run: bool,
        reporter: &dyn Reporter,
    ) -> Result<Outcome, Failure> {
        self.check(ring, unix_now())?;
        let Some(expected) = self.expected() else { return Err(nothing()) };
        let mut online = keys::online_in(workplace, &expected.root, ring, reporter)?;
        if let Some(before) = &self.before {
            online.extend(keys::replaced_online(before, &expected.root, ring, reporter));
        }
        let root = self.waiting.iter().find(|file| matches!(file, PeoplesFile::Root(_))).map(PeoplesFile::to_bytes);
        let by_people = self.waiting.iter().filter(|file| is_delegator(&file.role()));
        let by_people: Vec<(RoleName, Vec<u8>)> = by_people.map(|file| (file.role(), file.to_bytes())).collect();
        // What is staged goes along: after a theft, its removals must not come later than the new key.
        let changes = workplace.staged_changes()?;
        let update = Update { changes, root, by_people, renew: Renew::WhatIsDue };
        let outcome = publish::publish(workplace, storage, &update, &online, dry_run, reporter).await?;
        if !dry_run {
            // Reading it again forgets what is published now.
            Self::read(workplace, storage, reporter).await?;
        }
        Ok(outcome)
    }

    /// Refuses what cannot be published.
    fn check(&self, ring: &KeyRing, now: UnixTime) -> Result<(), Failure> {
        if self.waiting.is_empty() {
            return Err(nothing());
        }
        self.refuse_misnamed_keys(&self.waiting)?;
        if let Some(file) = self.waiting.iter().find(|file| self.is_needed(file) && file.expires().0 <= now.0) {
            let message = format!("{} has expired ({})", file.file_name(), file.expires());
            return Err(Failure::new(Kind::Expired, "repo.expired", message)
                .hint("`tufpip repo root edit --renew all` writes it anew; then it has to be signed again"));
        }
        let unsigned = self.unsigned();
        if unsigned.is_empty() {
            return Ok(());
        }
        let message = "Signatures are missing; nothing was published";
        let mut failure = Failure::new(Kind::Error, "repo.signatures-missing", message);
        for (file, requirements) in &unsigned {
            for requirement in requirements {
                failure = failure.detail("missing", progress(file, requirement, ring));
            }
        }
        Err(failure.hint("who has one of these keys runs `tufpip repo root sign` on the file"))
    }

    /// Refuses files that put a key under the name of another one.
    ///
    /// # Errors
    /// When one does.
    pub fn refuse_misnamed_keys(&self, files: &[PeoplesFile]) -> Result<(), Failure> {
        let trusted = || Some(ByPeople { root: self.before.clone()?, delegators: BTreeMap::new() });
        let known = self.published.as_ref().map(ByPeople::of).or_else(trusted);
        files.iter().try_for_each(|file| refuse_misnamed_keys(file, known.as_ref()))
    }

    /// The published file in whose place this one comes; `None` if there is none.
    ///
    /// # Errors
    /// When it cannot be read, or is refused.
    pub async fn before(&self, storage: &Storage, file: &PeoplesFile) -> Result<Option<PeoplesFile>, Failure> {
        let Some(published) = &self.published else { return Ok(None) };
        let role = match file {
            PeoplesFile::Root(_) => return Ok(Some(PeoplesFile::root(published.root().clone()))),
            PeoplesFile::Targets(role, _) => role,
        };
        if let Some(targets) = published.delegators().get(role) {
            return Ok(Some(PeoplesFile::targets(role.clone(), targets.clone())));
        }
        if !published.project_roles().any(|project| project == role) {
            return Ok(None);
        }
        let read = state::roles(published, storage, vec![role.clone()]).await?;
        Ok(read.into_iter().next().map(|(role, targets)| PeoplesFile::targets(role, targets)))
    }

    /// Project files can wait when the project has been published before.
    fn is_needed(&self, file: &PeoplesFile) -> bool {
        let role = file.role();
        let is_published =
            || self.published.as_ref().is_some_and(|published| published.snapshot().role(&role).is_some());
        matches!(file, PeoplesFile::Root(_)) || is_delegator(&role) || !is_published()
    }

    /// Whether something else is published in the place of a file.
    fn is_overtaken(&self, file: &PeoplesFile) -> bool {
        let Some(published) = &self.published else { return false };
        match file {
            PeoplesFile::Root(root) => {
                root.signed.version == published.root().version && root.signed != *published.root()
            }
            PeoplesFile::Targets(role, targets) => published
                .delegators()
                .get(role)
                .is_some_and(|published| published.version == targets.signed.version && *published != targets.signed),
        }
    }

    /// Takes out of what waits what is published already.
    fn take_published(&mut self) -> Vec<PeoplesFile> {
        let Some(published) = &self.published else { return Vec::new() };
        let is_published = |file: &PeoplesFile| match file {
            PeoplesFile::Root(root) => root.signed.version <= published.root().version,
            PeoplesFile::Targets(role, targets) => {
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
pub fn ring(workplace: &Workplace, unlock: &UnlockOptions) -> Result<KeyRing, Failure> {
    Ok(KeyRing::new(keys::in_directory(&workplace.keys())?, Passphrases::new(unlock)))
}

/// The files that wait for signatures.
///
/// # Errors
/// When one cannot be read.
pub fn waiting(workplace: &Workplace) -> Result<Vec<PeoplesFile>, Failure> {
    let directory = workplace.staged_metadata();
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(disk(&directory, &error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| disk(&directory, &error))?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(".json")) {
            found.push(read_file(&path)?);
        }
    }
    // Root, then who delegates, then the projects.
    found.sort_by_key(|file| (!matches!(file, PeoplesFile::Root(_)), !is_delegator(&file.role()), file.file_name()));
    Ok(found)
}

/// Reads a file that people sign.
///
/// # Errors
/// When it is none.
pub fn read_file(path: &std::path::Path) -> Result<PeoplesFile, Failure> {
    let no_file = |problem: String| {
        let message = format!("{} is nothing that people sign: {problem}", path.display());
        Failure::new(Kind::Error, "repo.metadata-file", message)
            .hint("expected metadata of root, targets, bins, claimed or a project, named as 2.root.json")
    };
    let size = fs::metadata(path).map_err(|error| disk(path, &error))?.len();
    if size > LARGEST {
        return Err(no_file(format!("it has {size} bytes")));
    }
    let bytes = fs::read(path).map_err(|error| disk(path, &error))?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let file = PeoplesFile::read(&name, &bytes).ok_or_else(|| no_file("its name tells no role".to_owned()))?;
    let file = file.map_err(|error| no_file(error.to_string()))?;
    if file.file_name() != name {
        return Err(no_file(format!("it has version {}", file.version())));
    }
    Ok(file)
}

/// Refuses a file that puts a key under the name of another one; names that are `known` are as they are.
///
/// # Errors
/// When it does.
pub fn refuse_misnamed_keys(file: &PeoplesFile, known: Option<&ByPeople>) -> Result<(), Failure> {
    let misnamed = file.misnamed_keys(known);
    if misnamed.is_empty() {
        return Ok(());
    }
    let message = format!("{} has keys under names that are not theirs", file.file_name());
    let failure = Failure::new(Kind::Verification, "repo.key-name", message);
    let failure = misnamed.iter().fold(failure, |failure, id| failure.detail("keyid", &id.0));
    Err(failure
        .detail("meaning", "another key would be taken for the one of this name; nothing was signed")
        .hint("ask whoever wrote the file"))
}

/// Lets these files wait, and no others of root, targets, bins and claimed. A file that waits already and says the same
/// keeps its signatures.
///
/// # Errors
/// When the disk refuses.
pub fn stage(workplace: &Workplace, files: &[PeoplesFile]) -> Result<(), Failure> {
    let before = waiting(workplace)?;
    let names: BTreeSet<String> = files.iter().map(PeoplesFile::file_name).collect();
    let gone = before.iter().filter(|file| matches!(file, PeoplesFile::Root(_)) || is_delegator(&file.role()));
    let gone: Vec<PeoplesFile> = gone.filter(|file| !names.contains(&file.file_name())).cloned().collect();
    forget(workplace, &gone)?;
    for file in files {
        write_file(workplace, file)?;
    }
    Ok(())
}

/// Writes one file that waits.
///
/// # Errors
/// When the disk refuses.
pub fn write_file(workplace: &Workplace, file: &PeoplesFile) -> Result<(), Failure> {
    workplace.write(&format!("staged/metadata/{}", file.file_name()), &file.to_bytes())
}

/// Where a file waits.
pub fn path_of(workplace: &Workplace, file: &PeoplesFile) -> PathBuf {
    workplace.staged_metadata().join(file.file_name())
}

fn forget(workplace: &Workplace, files: &[PeoplesFile]) -> Result<(), Failure> {
    for file in files {
        let path = path_of(workplace, file);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(disk(&path, &error)),
            _ => {}
        }
    }
    Ok(())
}

/// The root this machine trusts, verified when it was written.
fn trusted_root(workplace: &Workplace) -> Result<Option<Root>, Failure> {
    let Some(bytes) = workplace.read(ROOT_FILE)? else { return Ok(None) };
    let root = Metadata::<Root>::from_bytes(&bytes).map_err(|error| {
        let message = format!("{} is damaged: {error}", workplace.path(ROOT_FILE).display());
        Failure::new(Kind::Error, "repo.damaged", message)
    })?;
    Ok(Some(root.signed))
}

fn nothing() -> Failure {
    Failure::new(Kind::Error, "repo.nothing-waits", "Nothing waits for signatures")
        .hint("`tufpip repo root edit` writes what people shall sign next")
}
