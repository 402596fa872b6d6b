//! The metadata store: verified metadata of one index. Rollbacks are detected with it. Processes of one user share it.
//!
//! Roots, timestamp, snapshot and top-level targets are in the user's data directory
//! ([`TrustAnchor::metadata_directories`]), files of delegated roles in the cache. Nothing read from here is trusted.
//! Files are replaced whole, under a lock, and never by older ones; see `tuf::manual::driving`.
//!
//! An epoch sees the store as it was when the epoch began, before its first request. What other processes store later
//! may be newer than an answer that this one received before, and does not prove a rollback. This also separates what
//! the client has read and refused, which is replaced, from what another process has stored since, which is kept.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use tempfile::NamedTempFile;
use tuf::StoredFile;
use tuf::metadata::claimed_version;

use super::anchor::TrustAnchor;

/// How long another process may hold the lock.
const LOCK_WAIT: Duration = Duration::from_secs(10);
/// Largest file that is read, in bytes.
const LARGEST_FILE: u64 = 64 << 20;
/// What the name of an unfinished file begins with.
const UNFINISHED: &str = ".new-";
/// After this time an unfinished file of the cache, where there is no lock, counts as abandoned by its process.
const ABANDONED: Duration = Duration::from_secs(3600);
/// The directory of all roots.
const HISTORY: &str = "root_history";

/// The stored metadata of one index.
#[derive(Debug)]
pub struct MetadataStore {
    directory: Option<PathBuf>,
    roles: PathBuf,
    /// Whether the directory existed: if it is missing later, the user has removed the index since.
    existed: bool,
    /// The top-level files and roots that were there.
    stored_before: BTreeMap<StoredFile, Vec<u8>>,
    /// Metadata beside an anchor from elsewhere, or stored for another anchor: a machine with an empty store has at
    /// least this.
    from_anchor: BTreeMap<StoredFile, Vec<u8>>,
    /// Files to remove when the next root, which revokes keys, is stored: before it, and under the same lock.
    withdrawn: Vec<PathBuf>,
    /// A deletion failed, or a lock was not available: nothing is stored after it in this run.
    stopped: bool,
    /// Whether files that killed processes left among the roles were removed.
    swept: bool,
}

/// The lock on the directory; released when it is dropped.
struct Locked {
    directory: PathBuf,
    _file: File,
}

impl MetadataStore {
    /// The store for what is verified from an anchor. `users` is the user's own store (`None`: nothing can be stored);
    /// `roles` as in [`MetadataStore::new`].
    pub fn of(anchor: &TrustAnchor, users: Option<&Path>, roles: PathBuf) -> Self {
        let Some([memory, other]) = users.map(|store| anchor.metadata_directories(store)) else {
            return Self::new(None, roles).with_anchor(anchor.directory.as_deref());
        };
        Self::new(Some(memory), roles).with_anchor(anchor.directory.as_deref()).with_previous_store(&other)
    }

    /// Top-level metadata is in `directory` (`None`: nothing can be stored), delegated roles in `roles`. Reads what
    /// is there, and must be called before the first request.
    pub fn new(directory: Option<PathBuf>, roles: PathBuf) -> Self {
        let existed = directory.as_deref().is_some_and(Path::is_dir);
        let stored_before = directory.as_deref().map(everything_in).unwrap_or_default();
        let (from_anchor, withdrawn) = (BTreeMap::new(), Vec::new());
        Self { directory, roles, existed, stored_before, from_anchor, withdrawn, stopped: false, swept: false }
    }

    /// Also uses the metadata in the directory of an anchor, which is only read.
    fn with_anchor(mut self, anchor: Option<&Path>) -> Self {
        if let Some(anchor) = anchor.filter(|anchor| self.directory.as_deref() != Some(anchor)) {
            self.from_anchor = everything_in(anchor);
        }
        self
    }

    /// The index had another anchor before, or an earlier tufpip stored everything in the user's own store: starting
    /// with an empty store would accept rollbacks. Once this store has files, the other one is used for nothing but
    /// roots, each of which proves the next: it may contain another chain of them.
    fn with_previous_store(mut self, other: &Path) -> Self {
        let has_begun =
            [StoredFile::Timestamp, StoredFile::Snapshot].iter().any(|file| self.stored_before.contains_key(file));
        for (file, bytes) in everything_in(other) {
            let counts = !has_begun || matches!(file, StoredFile::Root(_));
            let known = self.from_anchor.get(&file).and_then(|known| claimed_version(known));
            if counts && known < claimed_version(&bytes) {
                self.from_anchor.insert(file, bytes);
            }
        }
        self
    }

    /// What was stored, or the newer file from elsewhere; `None` if there is none or it cannot be read.
    pub fn load(&self, file: &StoredFile) -> Option<Vec<u8>> {
        match file {
            StoredFile::Delegated(_) => read(&self.path(file)?),
            _ => {
                let known = [self.from_anchor.get(file), self.stored_before.get(file)];
                known.into_iter().flatten().max_by_key(|bytes| claimed_version(bytes)).cloned()
            }
        }
    }

    /// When the timestamp was stored, as the file system knows it.
    pub fn timestamp_stored_at(&self) -> Option<SystemTime> {
        std::fs::metadata(self.path(&StoredFile::Timestamp)?).ok()?.modified().ok()
    }

    /// Keeps verified bytes, unless another process kept newer ones. `newest_root` is the version of the newest root
    /// that the client knows.
    ///
    /// # Errors
    /// When the disk refuses, or another process does not give the lock back. What was stored before is still there.
    pub fn store(&mut self, file: &StoredFile, bytes: &[u8], version: u64, newest_root: u64) -> io::Result<()> {
        let Some(path) = self.path(file) else { return Err(no_directory()) };
        if let StoredFile::Delegated(_) = file {
            return self.store_role(&path, bytes);
        }
        if self.stopped {
            return Ok(());
        }
        let locked = self.lock().inspect_err(|_| self.stopped = true)?;
        let is_root = matches!(file, StoredFile::Root(_));
        let overtaken = self.appeared(StoredFile::Root(newest_root.saturating_add(1)));
        // A process that knows a newer root may have deleted what this one still trusts.
        if overtaken && !is_root {
            return Ok(());
        }
        if is_root {
            locked.make_history()?;
        }
        let stored = read(&path);
        // A timestamp or snapshot that was refused is deleted by now. Roots and targets that were refused are not.
        let counts = matches!(file, StoredFile::Timestamp | StoredFile::Snapshot) || self.appeared(file.clone());
        let is_newer = stored.as_deref().and_then(claimed_version).is_none_or(|stored| stored < version);
        let is_there = stored.as_deref() == Some(bytes);
        if !is_there && (is_newer || !counts) {
            let unfinished = write_unfinished(&path, bytes, Durability::State)?;
            if is_root {
                self.withdraw(&locked)?;
            }
            finish(unfinished, &path, Durability::State)?;
        }
        // The files that this root withdraws were removed when it was stored first.
        self.withdrawn.clear();
        if overtaken { Ok(()) } else { locked.copy_newest_root(newest_root) }
    }

    /// Removes a file, unless another process has stored the root `before_root` or has replaced the file. `newest_root`
    /// as in [`MetadataStore::store`]. If the reason is that this root revokes keys, it is removed when the root is
    /// stored.
    ///
    /// # Errors
    /// When it cannot be removed; nothing is stored any more then.
    pub fn delete(&mut self, file: &StoredFile, before_root: u64, newest_root: u64) -> io::Result<()> {
        let Some(path) = self.path(file) else { return Ok(()) };
        if before_root <= newest_root {
            self.withdrawn.push(path);
            return Ok(());
        }
        let deleted = self.lock().and_then(|locked| {
            let is_overtaken = self.appeared(StoredFile::Root(before_root)) || self.appeared(file.clone());
            if is_overtaken { Ok(()) } else { locked.remove(&path) }
        });
        self.stopped |= deleted.is_err();
        deleted
    }

    /// Without the lock between this and the root, a process that knows the old root only could store something old
    /// again.
    fn withdraw(&mut self, locked: &Locked) -> io::Result<()> {
        let removed = self.withdrawn.iter().try_for_each(|path| locked.remove(path));
        self.stopped |= removed.is_err();
        removed
    }

    fn store_role(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        make_private_directory(&self.roles)?;
        if !std::mem::replace(&mut self.swept, true) {
            remove_unfinished(&self.roles, ABANDONED);
        }
        replace(path, bytes, Durability::Cache)
    }

    /// Whether another process has put this file there since the epoch began, or this one.
    fn appeared(&self, file: StoredFile) -> bool {
        let stored = self.path(&file).and_then(|path| read(&path));
        stored.is_some() && stored.as_ref() != self.stored_before.get(&file)
    }

    fn path(&self, file: &StoredFile) -> Option<PathBuf> {
        let name = file.file_name();
        match file {
            StoredFile::Delegated(_) => Some(self.roles.join(name)),
            StoredFile::Root(_) => Some(self.directory.as_ref()?.join(HISTORY).join(name)),
            _ => Some(self.directory.as_ref()?.join(name)),
        }
    }

    fn lock(&self) -> io::Result<Locked> {
        let directory = self.directory.as_deref().ok_or_else(no_directory)?;
        if !self.existed {
            make_private_directory(directory)
                .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", directory.display())))?;
        }
        Locked::take(directory)
    }
}

impl Locked {
    fn take(directory: &Path) -> io::Result<Self> {
        step()?;
        let path = directory.join("lock");
        let in_words = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        // Opening a pipe would wait for a process at its other end.
        if std::fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
            make_way(&path).map_err(in_words)?;
        }
        let open = || File::options().create(true).append(true).mode(0o600).open(&path);
        let file = open().or_else(|error| match error.kind() {
            // Another user's file, such as one of root; a user who may not remove it may not write here either.
            ErrorKind::PermissionDenied => make_way(&path).and_then(|()| open()),
            _ => Err(error),
        });
        let file = file.map_err(in_words)?;
        let start = Instant::now();
        let idle = loop {
            match file.try_lock() {
                // No other process writes now: unfinished files were left by a killed process.
                Ok(()) => break Duration::ZERO,
                // Some cluster file systems have no locks. Storing without one is better than not storing.
                Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => break ABANDONED,
                Err(TryLockError::WouldBlock) if start.elapsed() < LOCK_WAIT => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(TryLockError::WouldBlock) => {
                    let reason =
                        format!("another process has held {} for {} seconds", path.display(), LOCK_WAIT.as_secs());
                    return Err(io::Error::new(ErrorKind::TimedOut, reason));
                }
                Err(TryLockError::Error(error)) => return Err(in_words(error)),
            }
        };
        remove_unfinished(directory, idle);
        remove_unfinished(&directory.join(HISTORY), idle);
        Ok(Self { directory: directory.to_owned(), _file: file })
    }

    /// A root that was put beside the history by hand is the trusted root: keep it in the history before it is
    /// replaced.
    fn make_history(&self) -> io::Result<()> {
        let history = self.directory.join(HISTORY);
        if history.symlink_metadata().is_ok_and(|_| !history.is_dir()) {
            make_way(&history)?;
        }
        make_private_directory(&history)?;
        let first = read(&self.directory.join("root.json"));
        match first.as_deref().and_then(|bytes| Some((bytes, claimed_version(bytes)?))) {
            Some((bytes, version)) if roots_in(&history).next().is_none() => {
                replace(&history.join(StoredFile::Root(version).file_name()), bytes, Durability::State)
            }
            _ => Ok(()),
        }
    }

    /// The newest root under its name without a version, for users and other programs; tufpip reads the history.
    fn copy_newest_root(&self, version: u64) -> io::Result<()> {
        let newest = read(&self.directory.join(HISTORY).join(StoredFile::Root(version).file_name()));
        let copy = self.directory.join("root.json");
        match newest {
            Some(newest) if read(&copy).as_ref() != Some(&newest) => replace(&copy, &newest, Durability::State),
            _ => Ok(()),
        }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match make_way(path) {
            Ok(()) => sync_directory(&self.directory),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Makes an index's directory, and those above it, for the user alone.
///
/// # Errors
/// When the disk refuses.
pub fn make_private_directory(directory: &Path) -> io::Result<()> {
    step()?;
    DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

/// Writes a file of an index's directory, under the directory's lock, so that after a power failure the old or the new
/// one is there.
///
/// # Errors
/// When the disk refuses; the old file is then still there.
pub fn write_state(directory: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let _locked = Locked::take(directory)?;
    replace(path, bytes, Durability::State)
}

/// Which failure a file must survive.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Durability {
    /// A crash of the process.
    Cache,
    /// A power failure.
    State,
}

fn replace(path: &Path, bytes: &[u8], durability: Durability) -> io::Result<()> {
    finish(write_unfinished(path, bytes, durability)?, path, durability)
}

/// The part of a write that needs disk space.
fn write_unfinished(path: &Path, bytes: &[u8], durability: Durability) -> io::Result<NamedTempFile> {
    step()?;
    let directory = path.parent().ok_or_else(no_directory)?;
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(directory)?;
    step()?;
    file.write_all(bytes)?;
    if durability == Durability::State {
        step()?;
        file.as_file().sync_all()?;
    }
    Ok(file)
}

fn finish(file: NamedTempFile, path: &Path, durability: Durability) -> io::Result<()> {
    if path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
        make_way(path)?;
    }
    step()?;
    file.persist(path)?;
    step()?;
    match path.parent() {
        Some(directory) if durability == Durability::State => sync_directory(directory),
        _ => Ok(()),
    }
}

/// The order of changes must survive a power failure, too: first a deletion, then the root that causes it.
fn sync_directory(directory: &Path) -> io::Result<()> {
    match File::open(directory)?.sync_all() {
        // Not every file system can do that for directories.
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

/// Removes whatever has the name of a file of the store.
fn make_way(path: &Path) -> io::Result<()> {
    step()?;
    if path.symlink_metadata()?.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }
}

/// Removes unfinished files that were not written to for this long.
fn remove_unfinished(directory: &Path, idle: Duration) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let is_idle = || {
            let written = entry.metadata().and_then(|metadata| metadata.modified());
            idle.is_zero() || written.is_ok_and(|written| written.elapsed().is_ok_and(|passed| passed > idle))
        };
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) && is_idle() {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// The top-level files and all roots.
fn everything_in(directory: &Path) -> BTreeMap<StoredFile, Vec<u8>> {
    let history = directory.join(HISTORY);
    let roots = roots_in(&history).map(|file| (history.join(file.file_name()), file));
    let others = [StoredFile::Timestamp, StoredFile::Snapshot, StoredFile::Targets];
    let others = others.into_iter().map(|file| (directory.join(file.file_name()), file));
    roots.chain(others).filter_map(|(path, file)| Some((file, read(&path)?))).collect()
}

fn roots_in(history: &Path) -> impl Iterator<Item = StoredFile> {
    std::fs::read_dir(history).into_iter().flatten().flatten().filter_map(|entry| {
        let name = entry.file_name();
        let root = StoredFile::Root(name.to_str()?.strip_suffix(".root.json")?.parse().ok()?);
        (name.to_str()? == root.file_name()).then_some(root)
    })
}

/// The content of a file; `None` when there is none that can be read.
fn read(path: &Path) -> Option<Vec<u8>> {
    // A pipe or device would never end, and opening it may block.
    std::fs::metadata(path).ok().filter(|metadata| metadata.is_file() && metadata.len() <= LARGEST_FILE)?;
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(LARGEST_FILE).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn no_directory() -> io::Error {
    io::Error::new(ErrorKind::NotFound, "there is no directory for user data (set HOME or XDG_DATA_HOME)")
}

/// Called before each change of the disk: tests let it fail, or kill the process.
#[cfg(test)]
use tests::step;

#[cfg(not(test))]
#[expect(clippy::unnecessary_wraps, reason = "it fails in tests")]
fn step() -> io::Result<()> {
    Ok(())
}
