//! The data of `repo status`: what is published and until when, what is staged, and what waits for signatures.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use packaging::PackageName;
use repository::ceremony::OfflineMetadataFile;
use repository::{Change, Expiry, Profile, Published, layout};
use serde::Serialize;
use tuf::UnixTime;
use tuf::metadata::RoleName;

use super::ceremony::{self, Ceremony};
use super::keys::KeyRing;
use super::operator_directory::{OperatorDirectory, disk_failure};
use super::published_state;
use super::storage::Storage;
use installer::error::Failure;
use installer::text::duration;

/// For offline metadata there is a warning when this number of days is left, and again at each of the others.
const WARNED_DAYS: [i64; 4] = [60, 30, 14, 7];
const DAY: i64 = 86_400;
/// The most roles that are read to count projects and files.
const COUNTED_LEAVES: usize = 256;

/// Everything that `repo status` shows.
#[derive(Debug, Serialize)]
pub struct RepositoryStatus {
    /// Where it is published.
    pub output: String,
    /// `None` when nothing is.
    pub published: Option<PublishedStatus>,
    /// What is staged.
    pub staged: Vec<StagedProject>,
    /// Metadata that waits for signatures.
    pub waiting: Vec<WaitingMetadata>,
    /// Files below `staged/packages` that no change refers to.
    pub orphans: Vec<String>,
    /// What the operator or key holders should do.
    pub warnings: Vec<String>,
}

/// What is published.
#[derive(Debug, Serialize)]
pub struct PublishedStatus {
    /// Root, timestamp, snapshot, targets, and the roles that delegate.
    pub roles: Vec<RoleExpiry>,
    /// How many projects have a page; `None` if counting would take too long.
    pub projects: Option<usize>,
    /// How many distributions are targets; `None` if that would take too long, or none are.
    pub files: Option<usize>,
}

/// A role and how long it is valid.
#[derive(Debug, Serialize)]
pub struct RoleExpiry {
    /// Which.
    pub role: String,
    /// Its version.
    pub version: u64,
    /// When it expires (RFC 3339).
    pub expires: String,
    /// Seconds until then; negative when it has.
    pub seconds_left: i64,
}

/// Staged changes of a project.
#[derive(Debug, Serialize)]
pub struct StagedProject {
    /// Which.
    pub project: PackageName,
    /// In the order in which they were made.
    pub changes: Vec<StagedChange>,
}

/// A staged change.
#[derive(Debug, Serialize)]
pub struct StagedChange {
    /// `add`, `yank`, `unyank`, `remove` or `replace`.
    pub change: &'static str,
    /// The file; `None` when all files are replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// Why it is yanked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How many files there are afterwards, when all are replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<usize>,
}

/// Metadata that waits for signatures.
#[derive(Debug, Serialize)]
pub struct WaitingMetadata {
    /// The file, below the operator's directory.
    pub file: String,
    /// The required keys that have signed it; invalid signatures do not count.
    pub signatures: Vec<String>,
    /// The lines to show: the state of its signatures, or why it cannot be used.
    pub progress: Vec<String>,
}

impl RepositoryStatus {
    /// Collects everything.
    ///
    /// # Errors
    /// When something cannot be read, or what is published is refused.
    pub async fn of(operator_directory: &OperatorDirectory, ring: &KeyRing, now: UnixTime) -> Result<Self, Failure> {
        let storage = Storage::open(&operator_directory.output())?;
        let mut warnings = Vec::new();
        let state = published_state::read(operator_directory, &storage).await?;
        let published = match &state {
            Some(state) => {
                Some(PublishedStatus::of(&state.published, &storage, operator_directory, now, &mut warnings).await?)
            }
            None => None,
        };
        let changes = operator_directory.staged_changes()?;
        let lost = lost_files(&changes, operator_directory);
        warnings.extend(
            lost.iter()
                .map(|name| format!("{name} was to be added, and its file is not staged any more; add it again")),
        );
        Ok(Self {
            output: operator_directory.output(),
            published,
            staged: by_project(&changes),
            waiting: waiting(operator_directory, state.map(|state| state.published), ring)?,
            orphans: orphans(&changes, operator_directory)?,
            warnings,
        })
    }
}

impl PublishedStatus {
    async fn of(
        published: &Published,
        storage: &Storage,
        operator_directory: &OperatorDirectory,
        now: UnixTime,
        warnings: &mut Vec<String>,
    ) -> Result<Self, Failure> {
        let Expiry { snapshot: snapshot_time, timestamp: timestamp_time, leaves: leaf_time, .. } =
            operator_directory.config.policy().expiry;
        let (timestamp, snapshot) = (published.timestamp(), published.snapshot());
        let mut ages = key_holder_roles(published, storage, operator_directory, now).await?;
        let after_root = ages.len().min(1);
        let online = [
            (RoleExpiry::of("timestamp", timestamp.version, timestamp.expires, now), Some(timestamp_time)),
            (RoleExpiry::of("snapshot", snapshot.version, snapshot.expires, now), Some(snapshot_time)),
        ];
        ages.splice(after_root..after_root, online);
        let (mut projects, mut files) = (None, None);
        let leaves = published.leaves();
        if leaves.len() <= COUNTED_LEAVES {
            let leaves = published_state::roles(published, storage, leaves).await?;
            if let Some((role, first)) = leaves.iter().min_by_key(|(_, leaf)| leaf.expires) {
                ages.push((RoleExpiry::of(role.as_str(), first.version, first.expires, now), Some(leaf_time)));
            }
            let paths = || leaves.iter().flat_map(|(_, leaf)| leaf.targets.keys());
            projects = Some(paths().filter(|path| layout::project_of_page(path).is_some()).count());
            let is_file = |path: &&String| path.starts_with("dist/") && !path.ends_with(".metadata");
            files = Some(paths().filter(is_file).count()).filter(|count| *count > 0 || projects == Some(0));
        }
        warnings.extend(ages.iter().filter_map(|(age, usual)| age.warning(*usual)));
        Ok(Self { roles: ages.into_iter().map(|(age, _)| age).collect(), projects, files })
    }
}

/// Warnings about offline metadata that will expire, for other commands: `repo status` is not read every day.
///
/// # Errors
/// When something published cannot be read, or is refused.
pub async fn key_holder_warnings(
    published: &Published,
    storage: &Storage,
    operator_directory: &OperatorDirectory,
    now: UnixTime,
) -> Result<Vec<String>, Failure> {
    let ages = key_holder_roles(published, storage, operator_directory, now).await?;
    Ok(ages.iter().filter_map(|(age, usual)| age.warning(*usual)).collect())
}

/// The root, what delegates, and the roles of projects, unless these are too many to be read; each with the time that
/// it is usually valid if a machine signs it.
async fn key_holder_roles(
    published: &Published,
    storage: &Storage,
    operator_directory: &OperatorDirectory,
    now: UnixTime,
) -> Result<Vec<(RoleExpiry, Option<i64>)>, Failure> {
    let root = published.root();
    let mut ages = vec![(RoleExpiry::of("root", root.version, root.expires, now), None)];
    // Without key holders for targets, a machine can sign it.
    let config = &operator_directory.config;
    let usual = (config.profile == Profile::Rstuf).then(|| config.policy().expiry.targets);
    let delegators = published.delegators().iter();
    ages.extend(
        delegators.map(|(role, found)| (RoleExpiry::of(role.as_str(), found.version, found.expires, now), usual)),
    );
    let projects: Vec<RoleName> = published.project_roles().cloned().collect();
    if projects.len() <= COUNTED_LEAVES {
        let mut read = published_state::roles(published, storage, projects).await?;
        read.sort_by(|(role, _), (other, _)| role.cmp(other));
        let read = read.into_iter();
        ages.extend(read.map(|(role, found)| (RoleExpiry::of(role.as_str(), found.version, found.expires, now), None)));
    }
    Ok(ages)
}

impl RoleExpiry {
    fn of(role: &str, version: u64, expires: UnixTime, now: UnixTime) -> Self {
        let seconds_left = expires.0.saturating_sub(now.0);
        Self { role: role.to_owned(), version, expires: expires.to_string(), seconds_left }
    }

    /// The warning about its expiry: for key holders long before, for the machine when a quarter of the usual time is
    /// left.
    fn warning(&self, usual: Option<i64>) -> Option<String> {
        let Self { role, seconds_left, expires, .. } = self;
        let command = match usual {
            Some(_) => "`tufpip repo refresh`",
            None => "`tufpip repo root edit --renew all`, then its signers",
        };
        if *seconds_left <= 0 {
            let since = duration(seconds_left.saturating_neg());
            return Some(format!("{role} has expired {since} ago ({expires}): clients refuse the index; {command}"));
        }
        let left = duration(*seconds_left);
        match usual {
            Some(usual) if *seconds_left < usual / 4 => {
                Some(format!("{role} expires in {left}: {command} should have run, every few hours"))
            }
            Some(_) => None,
            None => {
                let reached = WARNED_DAYS.iter().rev().find(|days| *seconds_left <= **days * DAY)?;
                let hurry = if *reached <= 14 { " soon" } else { "" };
                Some(format!("{role} expires in {left} ({expires}): it has to be signed again{hurry}; {command}"))
            }
        }
    }
}

fn by_project(changes: &[Change]) -> Vec<StagedProject> {
    let mut projects: BTreeMap<&PackageName, Vec<StagedChange>> = BTreeMap::new();
    for change in changes {
        projects.entry(change.project()).or_default().push(StagedChange::of(change));
    }
    projects.into_iter().map(|(project, changes)| StagedProject { project: project.clone(), changes }).collect()
}

impl StagedChange {
    fn of(change: &Change) -> Self {
        let plain =
            |change, filename: &String| Self { change, filename: Some(filename.clone()), reason: None, files: None };
        match change {
            Change::Add { addition, .. } => plain("add", &addition.file.filename),
            Change::Yank { filename, reason, .. } => {
                Self { reason: Some(reason.clone()).filter(|reason| !reason.is_empty()), ..plain("yank", filename) }
            }
            Change::Unyank { filename, .. } => plain("unyank", filename),
            Change::Remove { filename, .. } => plain("remove", filename),
            Change::Replace { files, .. } => {
                Self { change: "replace", filename: None, reason: None, files: Some(files.len()) }
            }
        }
    }
}

/// Metadata files that wait, by name.
fn waiting(
    operator_directory: &OperatorDirectory,
    published: Option<Published>,
    ring: &KeyRing,
) -> Result<Vec<WaitingMetadata>, Failure> {
    let paths = files_below(&operator_directory.staged_metadata())?.into_iter();
    let read = |path: String| (ceremony::read_file(&operator_directory.staged_metadata().join(&path)), path);
    let read: Vec<_> = paths.map(read).collect();
    let files = read.iter().filter_map(|(file, _)| file.as_ref().ok().cloned()).collect();
    let ceremony = Ceremony::of(operator_directory, published, files)?;
    let described = |(file, path): (Result<OfflineMetadataFile, Failure>, String)| {
        let (mut signatures, mut progress) = (Vec::new(), Vec::new());
        match file {
            Err(failure) => progress.push(failure.message),
            Ok(file) => {
                for requirement in ceremony.requirements(&file) {
                    progress.push(ceremony::progress(&file, &requirement, ring));
                    signatures.extend(requirement.keys.into_iter().filter(|(_, signed)| *signed).map(|(id, _)| id.0));
                }
            }
        }
        signatures.sort();
        signatures.dedup();
        WaitingMetadata { file: format!("staged/metadata/{path}"), signatures, progress }
    };
    Ok(read.into_iter().map(described).collect())
}

/// The paths of staged files, by the path they will be published at.
fn staged_paths(changes: &[Change]) -> BTreeMap<String, String> {
    let mut paths = BTreeMap::new();
    for file in changes.iter().flat_map(Change::additions).map(|addition| &addition.file) {
        let Some(path) = file.path() else { continue };
        if file.core_metadata.is_some() {
            paths.insert(format!("{path}.metadata"), file.filename.clone());
        }
        paths.insert(path, file.filename.clone());
    }
    paths
}

/// Files to be added that are missing. One that is published already is not needed.
fn lost_files(changes: &[Change], operator_directory: &OperatorDirectory) -> BTreeSet<String> {
    let paths = staged_paths(changes).into_iter();
    paths.filter(|(path, _)| !operator_directory.staged_file(path).is_file()).map(|(_, filename)| filename).collect()
}

/// Files that a killed command left.
fn orphans(changes: &[Change], operator_directory: &OperatorDirectory) -> Result<Vec<String>, Failure> {
    let known = staged_paths(changes);
    let found = files_below(&operator_directory.path("staged/packages"))?;
    Ok(found.into_iter().map(|path| format!("packages/{path}")).filter(|path| !known.contains_key(path)).collect())
}

/// The files below a directory, relative, sorted; none when there is no directory.
fn files_below(directory: &Path) -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    let mut waiting = vec![(directory.to_owned(), String::new())];
    while let Some((directory, prefix)) = waiting.pop() {
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(disk_failure(&directory, error)),
        };
        for entry in entries {
            let entry = entry.map_err(|error| disk_failure(&directory, error))?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            match entry.file_type().map_err(|error| disk_failure(&directory, error))?.is_dir() {
                true => waiting.push((entry.path(), format!("{name}/"))),
                false => found.push(name),
            }
        }
    }
    found.sort();
    Ok(found)
}
