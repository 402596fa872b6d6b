//! Publishing: everything that changes what is published goes through here, in an order in which a kill at any moment
//! leaves clients with either the state before or the one after, and in which two concurrent publishers never undo each
//! other.
//!
//! 1. Files with their hash in the name: packages, pages. Nothing refers to them yet.
//! 2. `V.snapshot.json`, created only if it is missing: its creator owns the number V. Nothing refers to it yet.
//! 3. Offline metadata; the bins, whose version is V: no two publishers write the same name.
//! 4. `timestamp.json`, replaced only if it is still the one that was read. This publishes everything. A late publisher
//!    starts again from the state that the other one has published.
//! 5. The pages for installers that verify no signatures; they are not protected in any case.
//! 6. The staged changes are removed. If this is never reached, the next publication applies the same changes again, and
//!    finds nothing to do but steps 5 and 6.

mod drafting;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use futures_util::{StreamExt as _, TryStreamExt as _};
use packaging::PackageName;
use repository::draft::SignError;
use repository::{Change, Draft, FileAddition, Publication, RenewScope, layout};
use serde_json::json;
use tuf::SigningKey;
use tuf::metadata::RoleName;

use drafting::draft;

use super::distribution;
use super::operator_directory::{OperatorDirectory, SeenVersions};
use super::plain_pages;
use super::published_state::{self, PublishedState, ROOT_FILE};
use super::storage::{CreateOutcome, FileClass, FileContent, ReplaceOutcome, Storage};
use installer::error::{Code, Failure};
use installer::event::Reporter;

/// What is to be published.
pub struct PublicationUpdate {
    /// Staged or other changes.
    pub changes: Vec<Change>,
    /// The next root, signed.
    pub root: Option<Vec<u8>>,
    /// New versions of `targets`, `bins`, `claimed` and roles of projects, signed.
    pub offline_metadata: Vec<(RoleName, Vec<u8>)>,
    /// What is signed again with the same content.
    pub renew: RenewScope,
}

/// What was published, or would be.
#[derive(Clone, Debug, Default)]
pub struct PublishOutcome {
    /// Versions; `None` when there was nothing to do.
    pub versions: Option<PublishedVersions>,
    /// The projects of the changes.
    pub projects: BTreeSet<PackageName>,
    /// The number of files that the changes add.
    pub files: usize,
    /// The number of files that they remove.
    pub removed: usize,
    /// The number of files that they mark as yanked.
    pub yanked: usize,
    /// The number of files that they mark as no longer yanked.
    pub unyanked: usize,
    /// Whether nothing was signed but the timestamp.
    pub is_only_timestamp: bool,
    /// Bins that were signed.
    pub bins: usize,
    /// Projects whose changes wait for signatures of their own key holders.
    pub waiting: BTreeSet<PackageName>,
    /// How often another publisher was faster.
    pub rebased: usize,
}

/// The versions that are published now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishedVersions {
    /// Of the timestamp.
    pub timestamp: u64,
    /// Of the snapshot.
    pub snapshot: u64,
}

/// How many times a publisher starts again because another one was faster.
const ATTEMPTS: usize = 50;

/// Publishes; with `dry_run` only reports what would be published. `keys` are the online ones.
///
/// Staged changes are removed if they are among the changes of the update and have been published.
///
/// # Errors
/// When the published state is refused, a change cannot be applied, a key is missing, or the storage fails.
pub async fn publish(
    operator_directory: &OperatorDirectory,
    storage: &Storage,
    update: &PublicationUpdate,
    keys: &[SigningKey],
    dry_run: bool,
    reporter: &dyn Reporter,
) -> Result<PublishOutcome, Failure> {
    for rebased in 0..ATTEMPTS {
        let state = published_state::read_for_root(operator_directory, storage, update.root.as_deref()).await?;
        let published = state.as_ref().map(|state| state.published.clone());
        let (draft, waiting) = draft(operator_directory, storage, update, published, reporter, dry_run).await?;
        let count = |which: fn(&Change) -> bool| {
            update.changes.iter().filter(|change| !waiting.contains(change.project()) && which(change)).count()
        };
        let mut outcome = PublishOutcome {
            removed: count(|change| matches!(change, Change::Remove { .. })),
            yanked: count(|change| matches!(change, Change::Yank { .. })),
            unyanked: count(|change| matches!(change, Change::Unyank { .. })),
            projects: update.changes.iter().map(|change| change.project().clone()).collect(),
            files: published_additions(&update.changes, &waiting).count(),
            waiting,
            rebased,
            ..PublishOutcome::default()
        };
        outcome.projects.retain(|project| !outcome.waiting.contains(project));
        let publication = draft.sign(0, keys).map_err(unsigned)?;
        outcome.bins = publication.leaves.len();
        outcome.is_only_timestamp = publication.snapshot.is_none();
        if dry_run {
            outcome.versions = Some(versions(&publication));
            return Ok(outcome);
        }
        let hashed = async |publication: &Publication| {
            let mut created =
                write_packages(operator_directory, storage, &update.changes, &outcome.waiting, reporter).await?;
            created.extend(write_pages(storage, publication, reporter).await?);
            Ok::<_, Failure>(created)
        };
        let created = hashed(&publication).await?;
        let publication = claim_version(storage, &draft, publication, keys).await?;
        let put = replace_timestamp(operator_directory, storage, &publication, state.as_ref()).await?;
        if put == ReplaceOutcome::Changed {
            reporter.detail(1, || "Somebody else has published meanwhile; trying again on top of that".to_owned());
            continue;
        }
        store_seen_versions(operator_directory, &publication)?;
        if created.contains(&CreateOutcome::Exists) {
            // Nothing named these files yet, so that a garbage collection may have deleted them.
            hashed(&publication).await?;
        }
        outcome.versions = Some(versions(&publication));
        plain_pages::write(operator_directory, storage, &publication, reporter).await.map_err(|failure| {
            failure
                .hint("what was signed is published; `tufpip repo publish` again writes the pages without signatures")
        })?;
        unstage(operator_directory, &update.changes, &outcome.waiting)?;
        return Ok(outcome);
    }
    Err(Failure::new(Code::RepoContention, "Other publishers were faster every time; nothing was published")
        .hint("see who publishes so often, then try again"))
}

/// The JSON form of an outcome.
pub fn to_json(outcome: &PublishOutcome, dry_run: bool) -> serde_json::Value {
    json!({
        "dry_run": dry_run,
        "timestamp": outcome.versions.map(|versions| versions.timestamp),
        "snapshot": outcome.versions.map(|versions| versions.snapshot),
        "projects": outcome.projects,
        "files": outcome.files,
        "removed": outcome.removed,
        "yanked": outcome.yanked,
        "unyanked": outcome.unyanked,
        "bins": outcome.bins,
        "waiting_for_signatures": outcome.waiting,
        "rebased": outcome.rebased,
    })
}

/// Step 1: wheels, source distributions and their metadata.
async fn write_packages(
    operator_directory: &OperatorDirectory,
    storage: &Storage,
    changes: &[Change],
    waiting: &BTreeSet<PackageName>,
    reporter: &dyn Reporter,
) -> Result<Vec<CreateOutcome>, Failure> {
    let mut files = BTreeSet::new();
    for file in published_additions(changes, waiting).map(|addition| &addition.file) {
        let Some(path) = file.path() else { continue };
        if let Some(sha256) = &file.core_metadata {
            files.insert((format!("{path}.metadata"), sha256.clone(), false));
        }
        files.insert((path, file.hashes.sha256.clone(), true));
    }
    let total = files.len();
    let written = files.into_iter().map(async |(path, sha256, is_distribution)| {
        let staged = operator_directory.staged_file(&path);
        let class = if is_distribution { FileClass::Distribution } else { FileClass::CoreMetadata };
        if staged.is_file() {
            same_as_added(&staged, sha256).await?;
            return storage.create(&path, FileContent::File(staged), class).await;
        }
        if storage.size(&path).await?.is_some() {
            return Ok(CreateOutcome::Exists);
        }
        let message = format!("{path} was to be published, and is not staged any more");
        Err(Failure::new(Code::RepoNotStaged, message)
            .hint("`tufpip repo remove` takes the file back; then add it again"))
    });
    storage.with_progress(written, "Writing files", total, reporter).await
}

/// A published path is final: a file that has changed since it was added must not be published.
async fn same_as_added(staged: &Path, sha256: String) -> Result<(), Failure> {
    let path = staged.to_owned();
    let hashed = tokio::task::spawn_blocking(move || distribution::ContentHashes::of(&path)).await;
    let found = hashed.map_err(|error| Failure::new(Code::Internal, error.to_string()).caused_by(error))??.sha256;
    if found == sha256 {
        return Ok(());
    }
    let message = format!("{} is not what was added: sha256 {found}, not {sha256}", staged.display());
    Err(Failure::new(Code::RepoStagedChanged, message)
        .hint("find out who has changed it; `tufpip repo remove` takes it back, then it can be added again"))
}

/// The files of changes that do not wait for signatures.
fn published_additions<'a>(
    changes: &'a [Change],
    waiting: &BTreeSet<PackageName>,
) -> impl Iterator<Item = &'a FileAddition> {
    changes.iter().filter(|change| !waiting.contains(change.project())).flat_map(Change::additions)
}

/// Step 1: pages that are named by their hash.
async fn write_pages(
    storage: &Storage,
    publication: &Publication,
    reporter: &dyn Reporter,
) -> Result<Vec<CreateOutcome>, Failure> {
    let contents: Vec<_> = publication.pages.iter().filter_map(|page| page.content.as_ref()).collect();
    let total = contents.len();
    let written = contents.into_iter().map(async |content| {
        storage.create(&content.hashed_path, FileContent::Bytes(content.json.clone()), FileClass::HashedPage).await
    });
    storage.with_progress(written, "Writing pages", total, reporter).await
}

/// Steps 2 and 3: signs with the first snapshot version that is not taken and for which no bin exists either:
/// such a bin would be left by an interrupted publisher, or planted.
async fn claim_version(
    storage: &Storage,
    draft: &Draft,
    mut publication: Publication,
    keys: &[SigningKey],
) -> Result<Publication, Failure> {
    for _ in 0..ATTEMPTS {
        while let Some((path, bytes)) = &publication.snapshot {
            let created = storage.create(path, FileContent::Bytes(bytes.clone()), FileClass::Metadata).await?;
            if created == CreateOutcome::Written {
                break;
            }
            publication = draft.sign(publication.snapshot_version + 1, keys).map_err(unsigned)?;
        }
        if write_bins(storage, &publication).await? {
            for (path, bytes) in &publication.offline_metadata {
                create_same(storage, path, bytes).await?;
            }
            return Ok(publication);
        }
        publication = draft.sign(publication.snapshot_version + 1, keys).map_err(unsigned)?;
    }
    let message = format!("Other files lie where version {} would be", publication.snapshot_version);
    Err(Failure::new(Code::RepoTaken, message).hint("`tufpip repo gc` deletes what nothing refers to"))
}

/// Writes the bins; `false` if one of the names was taken.
async fn write_bins(storage: &Storage, publication: &Publication) -> Result<bool, Failure> {
    let bins = publication
        .leaves
        .iter()
        .map(async |(path, bytes)| storage.create(path, FileContent::Bytes(bytes.clone()), FileClass::Metadata).await);
    let written: Vec<CreateOutcome> =
        futures_util::stream::iter(bins).buffer_unordered(storage.parallel()).try_collect().await?;
    Ok(written.iter().all(|created| *created == CreateOutcome::Written))
}

/// Step 4, with the root, and the copies for garbage collection.
async fn replace_timestamp(
    operator_directory: &OperatorDirectory,
    storage: &Storage,
    publication: &Publication,
    before: Option<&PublishedState>,
) -> Result<ReplaceOutcome, Failure> {
    storage.flush().await?;
    if let Some(PublishedState { published, timestamp, .. }) = before {
        // Its publisher may have been interrupted before this step.
        write_copy(storage, published.timestamp().version, timestamp).await?;
        let next_root = published_state::root_path(published.root().version + 1);
        if publication.root.is_none() && storage.size(&next_root).await?.is_some() {
            // Another process has just published it, and its keys may differ from those that have signed here.
            return Ok(ReplaceOutcome::Changed);
        }
    }
    if !publication.root_follows {
        write_root(storage, publication).await?;
    }
    let expected = before.map(|before| &before.version);
    let replaced = storage.replace(layout::TIMESTAMP, &publication.timestamp, FileClass::Timestamp, expected).await?;
    if replaced == ReplaceOutcome::Done {
        if publication.root_follows {
            write_root(storage, publication).await?;
        }
        if let Some((_, bytes)) = &publication.root {
            operator_directory.write(ROOT_FILE, bytes)?;
        }
        write_copy(storage, publication.timestamp_version, &publication.timestamp).await?;
    }
    Ok(replaced)
}

async fn write_copy(storage: &Storage, version: u64, timestamp: &[u8]) -> Result<(), Failure> {
    let path = layout::timestamp_copy_path(version);
    if storage.size(&path).await?.is_none() {
        // Another publisher may be writing the same.
        storage.create(&path, FileContent::Bytes(timestamp.to_vec()), FileClass::Metadata).await?;
    }
    Ok(())
}

async fn write_root(storage: &Storage, publication: &Publication) -> Result<(), Failure> {
    match &publication.root {
        Some((path, bytes)) => create_same(storage, path, bytes).await,
        None => Ok(()),
    }
}

/// Creates a file; an existing one must be the same.
async fn create_same(storage: &Storage, path: &str, bytes: &[u8]) -> Result<(), Failure> {
    if storage.create(path, FileContent::Bytes(bytes.to_vec()), FileClass::Metadata).await? == CreateOutcome::Written
        || published_state::must_read(storage, path).await? == bytes
    {
        return Ok(());
    }
    Err(Failure::new(Code::RepoTaken, format!("{path} is published already, with other content"))
        .hint("somebody else has published this version; begin again with what is published now"))
}

fn store_seen_versions(operator_directory: &OperatorDirectory, publication: &Publication) -> Result<(), Failure> {
    let PublishedVersions { timestamp, snapshot } = versions(publication);
    operator_directory.write_seen(SeenVersions { timestamp, snapshot })
}

/// Step 6: removes published changes from the staged ones.
fn unstage(
    operator_directory: &OperatorDirectory,
    published: &[Change],
    waiting: &BTreeSet<PackageName>,
) -> Result<(), Failure> {
    if published.is_empty() {
        return Ok(());
    }
    let mut by_project: BTreeMap<&PackageName, Vec<&Change>> = BTreeMap::new();
    for change in published.iter().filter(|change| !waiting.contains(change.project())) {
        by_project.entry(change.project()).or_default().push(change);
    }
    let is_done = |change: &Change| by_project.get(change.project()).is_some_and(|done| done.contains(&change));
    let (done, left): (Vec<Change>, Vec<Change>) = operator_directory.staged_changes()?.into_iter().partition(is_done);
    operator_directory.write_staged_changes(&left)?;
    for addition in done.iter().flat_map(Change::additions) {
        let Some(path) = addition.file.path() else { continue };
        for path in [format!("{path}.metadata"), path] {
            // A file that cannot be removed does no harm.
            let _ = std::fs::remove_file(operator_directory.staged_file(&path));
        }
    }
    Ok(())
}

fn versions(publication: &Publication) -> PublishedVersions {
    PublishedVersions { timestamp: publication.timestamp_version, snapshot: publication.snapshot_version }
}

fn not_publishable(error: repository::StateError) -> Failure {
    Failure::new(Code::RepoNotSigned, format!("This cannot be published: {error}"))
        .caused_by(error)
        .hint("`tufpip repo root sign` adds signatures; `tufpip repo status` shows whose are missing")
}

fn unsigned(error: SignError) -> Failure {
    Failure::new(Code::RepoOnlineKey, error.to_string())
        .caused_by(error)
        .hint("publishing needs the private key of the online role in keys/")
}
