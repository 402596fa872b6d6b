//! Reads the published state and verifies it, starting with the root that this machine has stored.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use packaging::PackageName;
use repository::published::{PublishedReader, next_root, open_page, page_path, trusted_root};
use repository::{Page, Published, StateError, layout};
use tuf::metadata::{RoleName, Root, TargetFile, Targets, TopLevelRole};

use super::operator_directory::{OperatorDirectory, SeenVersions};
use super::storage::{ObjectVersion, Storage};
use installer::error::{Code, Failure};

/// The most bytes of one metadata file or page: what clients read at most.
pub const LIMIT: u64 = 64 << 20;
/// Where this machine stores the newest root.
pub const ROOT_FILE: &str = "root.json";

/// How many times the timestamp for a new root is read again, and how long to wait before each.
const PATIENCE: (usize, Duration) = (4, Duration::from_millis(500));

/// The published state, and its timestamp.
pub struct PublishedState {
    /// Verified.
    pub published: Published,
    /// The timestamp as a file.
    pub timestamp: Vec<u8>,
    /// What the next timestamp replaces.
    pub version: ObjectVersion,
}

/// Reads the published state; `None` when nothing is published and this machine has never seen anything.
///
/// # Errors
/// When it cannot be read, is not signed by the keys of the root, or is older than what this machine has seen.
pub async fn read(
    operator_directory: &OperatorDirectory,
    storage: &Storage,
) -> Result<Option<PublishedState>, Failure> {
    read_for_root(operator_directory, storage, None).await
}

/// Like [`read`], for a command that is about to publish this root, perhaps after an interrupted attempt: until
/// the timestamp is signed by its keys, the published state belongs to the previous root.
///
/// # Errors
/// As [`read`].
pub async fn read_for_root(
    operator_directory: &OperatorDirectory,
    storage: &Storage,
    next: Option<&[u8]>,
) -> Result<Option<PublishedState>, Failure> {
    // Read these before the published state: a concurrent publisher may store newer versions than this command will
    // read.
    let (seen, trusted) = (operator_directory.seen()?, operator_directory.read(ROOT_FILE)?);
    let Some((mut timestamp, mut version)) = storage.read(layout::TIMESTAMP, LIMIT).await? else {
        let gone = || {
            missing(&format!("{} in {}", layout::TIMESTAMP, operator_directory.output()))
                .hint("if it is published elsewhere, correct output in repo.toml")
        };
        return if seen == SeenVersions::default() { Ok(None) } else { Err(gone()) };
    };
    let Some(trusted) = trusted else {
        let message = format!(
            "Something is published in {}, and there is no root to verify it from",
            operator_directory.output()
        );
        return Err(Failure::new(Code::RepoNoRoot, message)
            .hint(format!("copy a root that you trust to {}", operator_directory.path(ROOT_FILE).display())));
    };
    let open =
        |root: &Root, timestamp: &[u8]| PublishedReader::new(root.clone(), timestamp, seen.timestamp, seen.snapshot);
    let mut root = trusted_root(&trusted).map_err(|error| damaged_root(operator_directory, error))?;
    let mut newest = None;
    while let Some((bytes, _)) = storage.read(&root_path(root.version + 1), LIMIT).await? {
        let successor = next_root(&root, &bytes).map_err(|error| {
            refused(error).hint(format!("if nobody knows {}, delete it", root_path(root.version + 1)))
        })?;
        if next == Some(bytes.as_slice()) && open(&successor, &timestamp).is_err() {
            break;
        }
        root = successor;
        newest = Some(bytes);
    }
    let mut opening = open(&root, &timestamp);
    for _ in 0..PATIENCE.0 {
        // A new root may appear right before the timestamp that its keys have signed.
        if !matches!(opening, Err(StateError::Signatures { .. })) || newest.is_none() {
            break;
        }
        tokio::time::sleep(PATIENCE.1).await;
        let again = storage.read(layout::TIMESTAMP, LIMIT).await?;
        (timestamp, version) = again.ok_or_else(|| missing(layout::TIMESTAMP))?;
        opening = open(&root, &timestamp);
    }
    let mut opening = opening.map_err(|error| match (&error, &newest) {
        (StateError::Signatures { .. }, Some(_)) => refused(error)
            .hint("if the publication of a new root was interrupted, `tufpip repo root finalize` completes it"),
        _ => refused(error),
    })?;
    opening.snapshot(&must_read(storage, &opening.snapshot_path()).await?).map_err(refused)?;
    while let Some((role, path)) = opening.next_delegator().map_err(refused)? {
        let bytes = must_read(storage, &path).await?;
        opening.delegator(role, &bytes).map_err(refused)?;
    }
    let published = opening.finish().map_err(refused)?;
    // A command that only reads leaves this to a command that holds the lock and may have seen more.
    if let Some(_turn) = operator_directory.try_lock()
        && (operator_directory.seen()?, operator_directory.read(ROOT_FILE)?.as_ref()) == (seen, Some(&trusted))
    {
        if let Some(bytes) = newest {
            operator_directory.write(ROOT_FILE, &bytes)?;
        }
        let now = SeenVersions { timestamp: published.timestamp().version, snapshot: published.snapshot().version };
        if now != seen {
            operator_directory.write_seen(now)?;
        }
    }
    Ok(Some(PublishedState { published, timestamp, version }))
}

/// Where a version of the root is.
pub fn root_path(version: u64) -> String {
    layout::metadata_path(&RoleName::from(TopLevelRole::Root.name()), version)
}

/// Reads and verifies roles that sign for targets, several at once.
///
/// # Errors
/// When one cannot be read, or is refused.
pub async fn roles(
    published: &Published,
    storage: &Storage,
    roles: Vec<RoleName>,
) -> Result<Vec<(RoleName, Targets)>, Failure> {
    let read = roles.into_iter().map(async |role| {
        let path = published.path_of(&role).map_err(refused)?;
        let bytes = must_read(storage, &path).await?;
        let targets = published.open(&role, &bytes).map_err(refused)?;
        Ok((role, targets))
    });
    futures_util::stream::iter(read).buffer_unordered(storage.parallel()).try_collect().await
}

/// The published page of a project, verified; `None` if it has none.
///
/// # Errors
/// When it cannot be read, or is refused.
pub async fn page(published: &Published, storage: &Storage, project: &PackageName) -> Result<Option<Page>, Failure> {
    let leaf = published.page_role(project).map_err(refused)?;
    let leaves = roles(published, storage, vec![leaf]).await?;
    let target = leaves.iter().find_map(|(_, leaf)| leaf.targets.get(&layout::page_target(project)));
    let Some(target) = target else { return Ok(None) };
    let path = page_path(project, target).unwrap_or_default();
    let bytes = must_read(storage, &path).await?;
    open_page(project, target, &bytes).map(Some).map_err(refused)
}

/// The published pages of these projects, verified; those that have none are left out.
///
/// # Errors
/// When one cannot be read, or is refused.
pub async fn pages(
    published: &Published,
    storage: &Storage,
    projects: &BTreeSet<PackageName>,
) -> Result<Vec<Page>, Failure> {
    let leaves = projects.iter().map(|project| published.page_role(project).map_err(refused));
    let leaves: BTreeSet<RoleName> = leaves.collect::<Result<_, _>>()?;
    let leaves = roles(published, storage, leaves.into_iter().collect()).await?;
    let targets: HashMap<&str, &TargetFile> =
        leaves.iter().flat_map(|(_, leaf)| &leaf.targets).map(|(path, target)| (path.as_str(), target)).collect();
    let found = projects.iter().filter_map(|project| {
        let target = targets.get(layout::page_target(project).as_str())?;
        Some((project.clone(), *target))
    });
    read_pages(storage, found.collect()).await
}

/// Reads and verifies pages, in the order of their projects.
async fn read_pages(storage: &Storage, targets: Vec<(PackageName, &TargetFile)>) -> Result<Vec<Page>, Failure> {
    let read = targets.into_iter().map(async |(project, target)| {
        let path = page_path(&project, target).unwrap_or_default();
        let bytes = must_read(storage, &path).await?;
        open_page(&project, target, &bytes).map_err(refused)
    });
    let mut pages: Vec<Page> =
        futures_util::stream::iter(read).buffer_unordered(storage.parallel()).try_collect().await?;
    pages.sort_by(|one, other| one.project.cmp(&other.project));
    Ok(pages)
}

/// Reads a file that must be there.
///
/// # Errors
/// When it is not.
pub async fn must_read(storage: &Storage, path: &str) -> Result<Vec<u8>, Failure> {
    storage.read(path, LIMIT).await?.map(|(bytes, _)| bytes).ok_or_else(|| missing(path))
}

/// The failure when the published state does not verify.
pub fn refused(error: StateError) -> Failure {
    Failure::new(Code::RepoRefused, format!("What is published cannot be gone on from: {error}"))
        .caused_by(error)
        .hint("somebody changed it without the keys, or put back an old copy; compare it with a backup")
}

/// The failure when the stored root is invalid.
fn damaged_root(operator_directory: &OperatorDirectory, error: StateError) -> Failure {
    let path = operator_directory.path(ROOT_FILE);
    Failure::new(Code::RepoDamaged, format!("{} is damaged: {error}", path.display()))
        .caused_by(error)
        .hint("put it back from a backup, or copy there another root of this index that you trust")
}

fn missing(path: &str) -> Failure {
    Failure::new(Code::RepoMissing, format!("{path} is not published any more"))
        .hint("somebody deleted it; put it back from a backup")
}
