//! Deletes published files that are no longer needed: marks what the kept snapshots lead to, then sweeps the rest.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, TryStreamExt as _};
use packaging::PackageName;
use repository::garbage_collection::{is_collectable, kept_timestamps, timestamp_copy};
use repository::published::{open_page, page_path};
use repository::{Page, layout};
use tuf::UnixTime;
use tuf::metadata::{Metadata, RoleName, Signed, Snapshot, TargetFile, Targets, Timestamp, TopLevelRole};

use super::operator_directory::OperatorDirectory;
use super::published_state::{self, must_read};
use super::storage::{ObjectVersion, Storage, StorageEntry};
use installer::error::{Code, Failure};
use installer::event::{Progress, Reporter};
use installer::trust::unix_now;

/// Files that may be deleted.
pub struct Garbage {
    /// The files.
    pub files: Vec<StorageEntry>,
    /// How many snapshots stay usable.
    pub kept_snapshots: usize,
    /// How many files stay.
    pub kept_files: usize,
    /// The timestamp that this was found with.
    timestamp: Option<ObjectVersion>,
}

/// The result of [`sweep`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swept {
    /// All of it was deleted.
    Everything,
    /// Another publisher was faster and may need some of it again: [`find`] must run again.
    Changed,
}

/// Files written within this number of seconds may belong to an unfinished publication.
const UNFINISHED: i64 = 3600;
/// After this number of files, check whether another process has published.
const AT_ONCE: usize = 500;

/// Finds the files that no snapshot current after `since` names, and that were written before that.
///
/// # Errors
/// When something published cannot be read; nothing may be deleted then.
pub async fn find(
    operator_directory: &OperatorDirectory,
    storage: &Storage,
    since: UnixTime,
    keep_packages: bool,
    reporter: &dyn Reporter,
) -> Result<Garbage, Failure> {
    let Some(current) = published_state::read(operator_directory, storage).await? else {
        return Ok(Garbage { files: Vec::new(), kept_snapshots: 0, kept_files: 0, timestamp: None });
    };
    let listed = storage.list("").await?;
    let mut copies = Vec::new();
    let mut snapshots: BTreeMap<u64, u64> = BTreeMap::new();
    for file in &listed {
        let Some(version) = timestamp_copy(&file.path) else { continue };
        let timestamp: Timestamp = parsed(&file.path, &must_read(storage, &file.path).await?)?;
        let signed_at = timestamp.other.get("x-signed-at").and_then(|at| UnixTime::parse(at.as_str()?));
        copies.push((version, signed_at.unwrap_or(UnixTime(file.modified))));
        snapshots.insert(version, timestamp.snapshot.version);
    }
    let kept = kept_timestamps(&copies, since);
    let mut versions: BTreeSet<u64> = kept.iter().filter_map(|version| snapshots.get(version)).copied().collect();
    versions.insert(current.published.snapshot().version);
    let mut marked: BTreeSet<String> = kept.iter().map(|version| layout::timestamp_copy_path(*version)).collect();
    mark(storage, &versions, &mut marked, reporter).await?;
    let before = since.0.min(unix_now().0 - UNFINISHED);
    let is_garbage = |file: &&StorageEntry| {
        is_collectable(&file.path)
            && !marked.contains(&file.path)
            && file.modified < before
            && !(keep_packages && file.path.starts_with(layout::PACKAGES))
    };
    let files: Vec<StorageEntry> = listed.iter().filter(is_garbage).cloned().collect();
    let kept_files = listed.len() - files.len();
    Ok(Garbage { kept_files, files, kept_snapshots: versions.len(), timestamp: Some(current.version) })
}

/// Deletes it, and adds it to `deleted` with its size. Copies of timestamps are deleted first, then other metadata: the
/// files they name are then out of reach already, and an interrupted run leaves no metadata that names a deleted file.
///
/// # Errors
/// When the storage fails; the rest can be deleted the next time.
pub async fn sweep(
    storage: &Storage,
    garbage: &Garbage,
    deleted: &mut BTreeMap<String, u64>,
    reporter: &dyn Reporter,
) -> Result<Swept, Failure> {
    let rank = |file: &&StorageEntry| match file.path.starts_with(layout::METADATA) {
        true if timestamp_copy(&file.path).is_some() => 0,
        true => 1,
        false => 2,
    };
    for wanted in 0..=2 {
        let files: Vec<&StorageEntry> = garbage.files.iter().filter(|file| rank(file) == wanted).collect();
        for files in files.chunks(AT_ONCE) {
            let timestamp = storage.read(layout::TIMESTAMP, published_state::LIMIT).await?;
            if timestamp.map(|(_, version)| version) != garbage.timestamp {
                return Ok(Swept::Changed);
            }
            let deletions = files.iter().map(async |file| storage.delete(&file.path).await);
            storage.with_progress(deletions, "Deleting files", files.len(), reporter).await?;
            deleted.extend(files.iter().map(|file| (file.path.clone(), file.size)));
        }
    }
    storage.remove_unfinished().await.map(|()| Swept::Everything)
}

/// Marks everything that these snapshots lead to.
async fn mark(
    storage: &Storage,
    snapshots: &BTreeSet<u64>,
    marked: &mut BTreeSet<String>,
    reporter: &dyn Reporter,
) -> Result<(), Failure> {
    let mut roles: BTreeSet<String> = BTreeSet::new();
    for version in snapshots {
        let path = layout::metadata_path(&RoleName::from(TopLevelRole::Snapshot.name()), *version);
        let snapshot: Snapshot = parsed(&path, &must_read(storage, &path).await?)?;
        marked.insert(path);
        for (file, meta) in &snapshot.meta {
            let role = RoleName::from(file.strip_suffix(".json").unwrap_or(file));
            roles.insert(layout::metadata_path(&role, meta.version));
        }
    }
    let read = roles.into_iter().map(async |path| {
        // The name of a removed role stays in the snapshot; its file may have been deleted long ago.
        let bytes = storage.read(&path, published_state::LIMIT).await?;
        let targets: Option<Targets> = bytes.map(|(bytes, _)| parsed(&path, &bytes)).transpose()?;
        Ok::<_, Failure>((path, targets))
    });
    let mut roles = futures_util::stream::iter(read).buffer_unordered(storage.parallel());
    let mut pages: BTreeMap<String, (PackageName, TargetFile)> = BTreeMap::new();
    while let Some((path, targets)) = roles.try_next().await? {
        marked.insert(path);
        for (target_path, target) in targets.into_iter().flat_map(|targets| targets.targets) {
            let Some(project) = layout::project_of_page(&target_path) else { continue };
            let Some(path) = page_path(&project, &target) else { continue };
            pages.insert(path, (project, target));
        }
    }
    let total = pages.len();
    let read = pages.into_iter().map(async |(path, (project, target))| {
        let bytes = must_read(storage, &path).await?;
        let page: Page = open_page(&project, &target, &bytes).map_err(published_state::refused)?;
        Ok::<_, Failure>((path, page))
    });
    let mut pages = futures_util::stream::iter(read).buffer_unordered(storage.parallel());
    let mut done = 0;
    while let Some((path, page)) = pages.try_next().await? {
        marked.insert(path);
        for path in page.files().filter_map(|file| file.path()) {
            marked.insert(format!("{path}.metadata"));
            marked.insert(path);
        }
        done += 1;
        reporter.progress(Progress::Counted { what: "Reading pages", done, total });
    }
    Ok(())
}

fn parsed<T: Signed>(path: &str, bytes: &[u8]) -> Result<T, Failure> {
    Metadata::from_bytes(bytes).map(|metadata| metadata.signed).map_err(|error| {
        let message = format!("{path} cannot be read, so that nobody knows what may be deleted: {error}");
        Failure::new(Code::RepoRefused, message).caused_by(error).hint("put it back from a backup")
    })
}
