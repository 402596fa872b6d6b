//! The memory that rollbacks are noticed by: verified metadata of one index, shared by all processes of the user.
//!
//! Roots, timestamp, snapshot and top-level targets lie in the user's data directory, files of delegated roles in the
//! cache. Nothing read from here is trusted. Files are replaced whole, under a lock, and never by older ones; see
//! `tuf::manual::driving`.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use tuf::StoredFile;
use tuf::metadata::claimed_version;

/// How long another process may hold the lock.
const LOCK_WAIT: Duration = Duration::from_secs(10);
/// The most bytes that are read from one file.
const LARGEST_FILE: u64 = 64 << 20;
/// What the name of an unfinished file begins with.
const UNFINISHED: &str = ".new-";

/// The stored metadata of one index.
#[derive(Debug)]
pub struct Store {
    directory: Option<PathBuf>,
    /// What somebody brought along for a machine that has no memory of its own; only read.
    brought: Option<PathBuf>,
    roles: PathBuf,
    /// A deletion that failed: nothing may be stored after it in this run.
    stopped: bool,
}

/// The lock on the directory; released when it is dropped.
struct Locked<'store> {
    directory: &'store Path,
    _file: File,
}

impl Store {
    /// Top-level metadata lies in `directory` (`None`: nowhere to remember anything), delegated roles in `roles`. What is not
    /// in `directory` is read from `brought`, which looks the same.
    pub fn new(directory: Option<PathBuf>, brought: Option<PathBuf>, roles: PathBuf) -> Self {
        Self { directory, brought, roles, stopped: false }
    }

    /// What is stored; `None` if it is not there or cannot be read.
    pub fn load(&self, file: &StoredFile) -> Option<Vec<u8>> {
        let brought = || read(&path_in(self.brought.as_deref()?, file)?);
        self.path(file).and_then(|path| read(&path)).or_else(brought)
    }

    /// When the timestamp was stored, as the file system knows it.
    pub fn last_change(&self) -> Option<SystemTime> {
        std::fs::metadata(self.path(&StoredFile::Timestamp)?).ok()?.modified().ok()
    }

    /// Keeps verified bytes, unless another process kept newer ones. `newest_root` is the version of the newest root that
    /// the client knows.
    ///
    /// # Errors
    /// When the disk refuses, or another process does not give the lock back. What was stored before is still there.
    pub fn store(&mut self, file: &StoredFile, bytes: &[u8], version: u64, newest_root: u64) -> io::Result<()> {
        let Some(path) = self.path(file) else { return Err(nowhere()) };
        if let StoredFile::Delegated(_) = file {
            std::fs::create_dir_all(&self.roles)?;
            return replace(&self.roles, &path, bytes, Durability::Cache);
        }
        if self.stopped {
            return Ok(());
        }
        let locked = self.lock()?;
        // A process that knows a newer root may have deleted what this one still believes.
        if newest_stored_root(locked.directory) > newest_root {
            return Ok(());
        }
        let is_newer = |path: &Path| {
            let stored = std::fs::read(path).ok().and_then(|stored| claimed_version(&stored));
            stored.is_none_or(|stored| stored < version)
        };
        match file {
            StoredFile::Root(_) => {
                let history = locked.directory.join("root_history");
                std::fs::create_dir_all(&history)?;
                let newest = locked.directory.join("root.json");
                keep_first_root(&history, &newest)?;
                replace(&history, &path, bytes, Durability::State)?;
                if is_newer(&newest) { replace(locked.directory, &newest, bytes, Durability::State) } else { Ok(()) }
            }
            StoredFile::Timestamp | StoredFile::Snapshot if !is_newer(&path) => Ok(()),
            _ => replace(locked.directory, &path, bytes, Durability::State),
        }
    }

    /// Removes a file, unless the store has the root `before_root` already.
    ///
    /// # Errors
    /// When it cannot be removed; nothing is stored any more then.
    pub fn delete(&mut self, file: &StoredFile, before_root: u64) -> io::Result<()> {
        let Some(path) = self.path(file) else { return Ok(()) };
        let deleted = self.lock().and_then(|locked| {
            if newest_stored_root(locked.directory) >= before_root {
                return Ok(());
            }
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        });
        self.stopped |= deleted.is_err();
        deleted
    }

    fn path(&self, file: &StoredFile) -> Option<PathBuf> {
        match file {
            StoredFile::Delegated(_) => Some(self.roles.join(file.file_name())),
            _ => path_in(self.directory.as_deref()?, file),
        }
    }

    fn lock(&self) -> io::Result<Locked<'_>> {
        let directory = self.directory.as_deref().ok_or_else(nowhere)?;
        make_private_directory(directory)?;
        let file = File::options().create(true).append(true).open(directory.join("lock"))?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if start.elapsed() < LOCK_WAIT => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(TryLockError::WouldBlock) => {
                    let reason = format!("another process has held {} for long", directory.join("lock").display());
                    return Err(io::Error::new(ErrorKind::TimedOut, reason));
                }
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        remove_unfinished(directory);
        Ok(Locked { directory, _file: file })
    }
}

/// Where top-level metadata lies in an index's directory.
fn path_in(directory: &Path, file: &StoredFile) -> Option<PathBuf> {
    match file {
        StoredFile::Delegated(_) => None,
        StoredFile::Root(_) => Some(directory.join("root_history").join(file.file_name())),
        _ => Some(directory.join(file.file_name())),
    }
}

fn read(path: &Path) -> Option<Vec<u8>> {
    std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(LARGEST_FILE).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Makes an index's directory, and those above it, for the user alone.
///
/// # Errors
/// When the disk refuses.
pub fn make_private_directory(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

/// Writes a file of the store so that after a power failure the old or the new one is there.
///
/// # Errors
/// When the disk refuses; the old file is then still there.
pub fn write_state(directory: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace(directory, path, bytes, Durability::State)
}

/// What a file has to outlive.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Durability {
    /// The process.
    Cache,
    /// The machine.
    State,
}

fn replace(directory: &Path, path: &Path, bytes: &[u8], durability: Durability) -> io::Result<()> {
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(directory)?;
    file.write_all(bytes)?;
    if durability == Durability::State {
        file.as_file().sync_all()?;
    }
    file.persist(path)?;
    Ok(())
}

/// Under the lock nobody else writes, so what is unfinished was left by a process that was killed.
fn remove_unfinished(directory: &Path) {
    for place in [directory.to_owned(), directory.join("root_history")] {
        for entry in std::fs::read_dir(place).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}

/// A root that was put beside the history by hand is what trust begins with: it must not be replaced without a trace.
fn keep_first_root(history: &Path, newest: &Path) -> io::Result<()> {
    let Ok(bytes) = std::fs::read(newest) else { return Ok(()) };
    let Some(version) = claimed_version(&bytes) else { return Ok(()) };
    let kept = history.join(StoredFile::Root(version).file_name());
    if kept.exists() { Ok(()) } else { replace(history, &kept, &bytes, Durability::State) }
}

/// 0 when there is none.
fn newest_stored_root(directory: &Path) -> u64 {
    std::fs::read(directory.join("root.json")).ok().and_then(|bytes| claimed_version(&bytes)).unwrap_or(0)
}

fn nowhere() -> io::Error {
    io::Error::new(ErrorKind::NotFound, "there is no directory for user data (set HOME or XDG_DATA_HOME)")
}
