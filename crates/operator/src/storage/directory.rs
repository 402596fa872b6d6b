//! A repository published in a directory of this machine.
//!
//! A file is written under a hidden name beside its place, and then gets its name in one step. Files are not
//! synchronised one by one, because a first publication writes hundreds of thousands: [`Directory::flush`] waits for
//! all of them together, and [`Directory::replace`] does so before the file appears that makes the others count.

use std::fs::{File, Permissions, TryLockError};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use super::unflushed::{UnflushedFiles, synchronize_names};
use super::{CreateOutcome, FileClass, FileContent, ObjectVersion, ReplaceOutcome, StorageEntry};
use installer::error::{Code, Failure};

/// Prefix of the names of files that are not published.
pub(super) const HIDDEN: &str = ".tufpip-";
/// Locked by a process that replaces a file; never removed, because two processes could then hold the lock.
const LOCK: &str = ".tufpip-lock";
/// How long another process may hold the lock: it only writes one small file.
const LOCK_WAIT: Duration = Duration::from_secs(30);
/// The most bytes that a file has which is compared before it is replaced.
const LARGEST_REPLACED: u64 = 64 << 20;
/// After this time an unfinished file counts as abandoned.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// A directory that files are published in. Clones are the same directory.
#[derive(Clone, Debug)]
pub struct Directory {
    root: PathBuf,
    unflushed: Arc<UnflushedFiles>,
}

impl Directory {
    /// The directory `root`, which need not exist yet.
    pub fn new(root: &Path) -> Result<Self, Failure> {
        let root = std::path::absolute(root).map_err(|error| failed("find", root, error))?;
        Ok(Self { root, unflushed: Arc::default() })
    }

    /// [`super::Storage::read`].
    pub fn read(&self, path: &str, limit: u64) -> Result<Option<(Vec<u8>, ObjectVersion)>, Failure> {
        let place = self.place(path)?;
        let bytes = read(&place, limit).map_err(|error| failed("read", &place, error))?;
        Ok(bytes.map(|bytes| {
            let version = ObjectVersion::of(&bytes);
            (bytes, version)
        }))
    }

    /// [`super::Storage::create`].
    pub fn create(&self, path: &str, content: &FileContent, class: FileClass) -> Result<CreateOutcome, Failure> {
        let place = self.place(path)?;
        let failed = |error: io::Error| failed("write", &place, error);
        let wanted = content.size()?;
        // After a crash of the machine, a file that was not flushed may be empty or truncated.
        let is_damaged = |size: u64| if class.is_named_by_content() { size != wanted } else { size == 0 && wanted > 0 };
        let mut lock = None;
        if let Some(size) = size(&place).map_err(failed)? {
            if !is_damaged(size) {
                return Ok(CreateOutcome::Exists);
            }
            // Another process may be repairing it already.
            lock = Some(self.lock()?);
            if self::size(&place).map_err(failed)?.is_some_and(is_damaged) {
                std::fs::remove_file(&place).map_err(failed)?;
            }
        }
        let _lock = lock;
        if let FileContent::File(source) = content
            && self.linked(source, &place)
        {
            self.unflushed.add(place);
            return Ok(CreateOutcome::Written);
        }
        let file = self.write_hidden(&place, content)?;
        match file.persist_noclobber(&place) {
            Ok(_) => {
                self.unflushed.add(place);
                Ok(CreateOutcome::Written)
            }
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(CreateOutcome::Exists),
            Err(error) => Err(failed(error.error)),
        }
    }

    /// [`super::Storage::put`].
    pub fn put(&self, path: &str, content: &FileContent) -> Result<(), Failure> {
        let place = self.place(path)?;
        let file = self.write_hidden(&place, content)?;
        file.persist(&place).map_err(|error| failed("write", &place, error.error))?;
        self.unflushed.add(place);
        Ok(())
    }

    /// [`super::Storage::replace`].
    pub fn replace(
        &self,
        path: &str,
        bytes: Vec<u8>,
        expected: Option<&ObjectVersion>,
    ) -> Result<ReplaceOutcome, Failure> {
        let place = self.place(path)?;
        let failed = |error: io::Error| failed("replace", &place, error);
        let file = self.write_hidden(&place, &FileContent::Bytes(bytes))?;
        self.flush()?;
        let _lock = self.lock()?;
        let present = read(&place, LARGEST_REPLACED).map_err(failed)?;
        if present.as_deref().map(ObjectVersion::of).as_ref() != expected {
            return Ok(ReplaceOutcome::Changed);
        }
        file.as_file().sync_all().map_err(failed)?;
        file.persist(&place).map_err(|error| failed(error.error))?;
        synchronize_names(&self.root, std::iter::once(place.as_path())).map_err(failed)?;
        Ok(ReplaceOutcome::Done)
    }

    /// [`super::Storage::flush`].
    pub fn flush(&self) -> Result<(), Failure> {
        self.unflushed.flush(&self.root).map_err(|error| failed("write", &self.root, error))
    }

    /// [`super::Storage::size`].
    pub fn size(&self, path: &str) -> Result<Option<u64>, Failure> {
        let place = self.place(path)?;
        size(&place).map_err(|error| failed("read", &place, error))
    }

    /// [`super::Storage::list`], in any order.
    pub fn list(&self, below: &str) -> Result<Vec<StorageEntry>, Failure> {
        let mut listed = Vec::new();
        self.walk(below, &mut |path, place| {
            let metadata = match place.symlink_metadata() {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
                metadata => metadata?,
            };
            let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            let modified = i64::try_from(modified).unwrap_or(i64::MAX);
            if !is_hidden(&path) {
                listed.push(StorageEntry { path, size: metadata.len(), modified });
            }
            Ok(())
        })?;
        Ok(listed)
    }

    /// [`super::Storage::delete`]. Directories that are empty then go as well.
    pub fn delete(&self, path: &str) -> Result<(), Failure> {
        let place = self.place(path)?;
        match std::fs::remove_file(&place) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed("remove", &place, error)),
            _ => {}
        }
        // The first directory that is not empty refuses.
        let above = place.ancestors().skip(1).take_while(|above| *above != self.root);
        let _ = above.map(std::fs::remove_dir).take_while(Result::is_ok).count();
        Ok(())
    }

    /// [`super::Storage::remove_unfinished`].
    pub fn remove_unfinished(&self) -> Result<(), Failure> {
        let now = SystemTime::now();
        self.walk("", &mut |path, place| {
            if !is_hidden(&path) || path == LOCK {
                return Ok(());
            }
            let is_abandoned = |modified| now.duration_since(modified).is_ok_and(|age| age > ABANDONED);
            match place.symlink_metadata().and_then(|metadata| metadata.modified()).map(is_abandoned) {
                Ok(true) => std::fs::remove_file(place),
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        })
    }

    /// Where the file `path` is.
    fn place(&self, path: &str) -> Result<PathBuf, Failure> {
        self.locate(path, false)
    }

    /// Where `path` is. A symbolic link on the way could lead anywhere, and is refused.
    fn locate(&self, path: &str, is_directory: bool) -> Result<PathBuf, Failure> {
        let mut place = self.root.clone();
        let mut segments = path.split('/').filter(|segment| !segment.is_empty()).peekable();
        while let Some(segment) = segments.next() {
            place.push(segment);
            let wants_directory = is_directory || segments.peek().is_some();
            match place.symlink_metadata() {
                Ok(metadata) if metadata.is_symlink() || metadata.is_dir() != wants_directory => {
                    return Err(in_the_way(&place, wants_directory, metadata.is_symlink()));
                }
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => break,
                Err(error) => return Err(failed("read", &place, error)),
            }
        }
        place.extend(segments);
        Ok(place)
    }

    /// Links a staged file, which does not change any more, to its published name: a hundred thousand of them would
    /// take minutes to copy. `false` where that is impossible (another file system) or the name is taken; the caller
    /// then copies.
    fn linked(&self, source: &Path, place: &Path) -> bool {
        let link = || {
            if !source.symlink_metadata()?.is_file() {
                return Err(ErrorKind::InvalidInput.into());
            }
            std::fs::create_dir_all(place.parent().unwrap_or(&self.root))?;
            std::fs::hard_link(source, place)?;
            // Staged files are private to the operator, published ones readable for everybody who may read the
            // directory.
            let mode = self.root.metadata()?.permissions().mode() & 0o666;
            std::fs::set_permissions(place, Permissions::from_mode(mode))?;
            // The time of publication counts, not that of staging.
            File::open(place)?.set_modified(SystemTime::now())
        };
        link().is_ok()
    }

    /// Writes a file under a hidden name, beside `place`.
    fn write_hidden(&self, place: &Path, content: &FileContent) -> Result<NamedTempFile, Failure> {
        let failed = |error: io::Error| failed("write", place, error);
        let mut file = make_hidden(place.parent().unwrap_or(&self.root)).map_err(failed)?;
        match content {
            FileContent::Bytes(bytes) => file.write_all(bytes).map_err(failed)?,
            FileContent::File(source) => {
                let mut reader = File::open(source).map_err(|error| self::failed("read", source, error))?;
                io::copy(&mut reader, file.as_file_mut()).map_err(failed)?;
            }
        }
        Ok(file)
    }

    /// Prevents other processes from replacing files until it is dropped.
    fn lock(&self) -> Result<File, Failure> {
        let path = self.root.join(LOCK);
        let failed = |error: io::Error| failed("lock", &path, error);
        let mut options = File::options();
        options.create(true).append(true).custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
        let file = options.open(&path).map_err(failed)?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Err(TryLockError::WouldBlock) if start.elapsed() < LOCK_WAIT => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(TryLockError::WouldBlock) => {
                    let message = format!("Another process keeps {} locked", self.root.display());
                    let hint = "end the other tufpip that publishes there: what it has published so far is whole";
                    return Err(Failure::new(Code::RepoStorageLocked, message).hint(hint));
                }
            }
        }
    }

    /// Visits each file below the directory `below`: its path, and its place on disk. Anything that is no file, or has
    /// a name that no published file has, is left out.
    fn walk(&self, below: &str, visit: &mut dyn FnMut(String, &Path) -> io::Result<()>) -> Result<(), Failure> {
        let mut waiting = vec![(below.to_owned(), self.locate(below, true)?)];
        while let Some((path, place)) = waiting.pop() {
            let failed = |error: io::Error| failed("read", &place, error);
            let entries = match std::fs::read_dir(&place) {
                // Missing, or removed by another process.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                entries => entries.map_err(failed)?,
            };
            for entry in entries {
                let entry = entry.map_err(failed)?;
                let Ok(name) = entry.file_name().into_string() else { continue };
                let path = if path.is_empty() { name } else { format!("{path}/{name}") };
                let kind = entry.file_type().map_err(failed)?;
                if kind.is_dir() {
                    waiting.push((path, entry.path()));
                } else if kind.is_file() {
                    visit(path, &entry.path()).map_err(failed)?;
                }
            }
        }
        Ok(())
    }
}

impl ObjectVersion {
    /// Equal bytes are the same version.
    fn of(bytes: &[u8]) -> Self {
        Self(hex::encode(Sha256::digest(bytes)))
    }
}

impl FileContent {
    fn size(&self) -> Result<u64, Failure> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.len() as u64),
            Self::File(source) => {
                source.metadata().map(|metadata| metadata.len()).map_err(|error| failed("read", source, error))
            }
        }
    }
}

/// The bytes of a file, `None` if it is missing.
fn read(place: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut options = File::options();
    // Opening a pipe would block; check again what was opened.
    options.read(true).custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    let file = match options.open(place) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!("it has more than the {limit} bytes that such a file may have")));
    }
    Ok(Some(bytes))
}

fn size(place: &Path) -> io::Result<Option<u64>> {
    match place.symlink_metadata() {
        Ok(metadata) => Ok(Some(metadata.len())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// An empty hidden file in `directory`, with the permissions that the user's files have.
fn make_hidden(directory: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    let make = builder.prefix(HIDDEN).permissions(Permissions::from_mode(0o666));
    // A process that removes files may remove the empty directory again, but not for ever.
    for _ in 0..8 {
        match make.tempfile_in(directory) {
            Err(error) if error.kind() == ErrorKind::NotFound => std::fs::create_dir_all(directory)?,
            made => return made,
        }
    }
    make.tempfile_in(directory)
}

fn is_hidden(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.starts_with(HIDDEN))
}

fn in_the_way(place: &Path, wants_directory: bool, is_symlink: bool) -> Failure {
    let wanted = if wants_directory { "a directory" } else { "a file" };
    let found = if is_symlink { "a symbolic link, which may lead out of what is published" } else { "something else" };
    let message = format!("Expected {wanted} at {}, and there is {found}", place.display());
    Failure::new(Code::RepoStorage, message).hint("remove it")
}

fn failed(action: &str, place: &Path, error: io::Error) -> Failure {
    Failure::new(Code::RepoStorage, format!("Could not {action} {}: {error}", place.display())).caused_by(error)
}
