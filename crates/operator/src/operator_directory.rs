//! The operator directory: decisions, keys, remembered versions and staged changes.
//!
//! ```text
//! repo.toml            what the operator decided
//! root.json            the newest root this machine has seen; everything published is verified from it
//! seen.json            the newest versions this machine has seen: the published state must not be older
//! keys/NAME.pem        private keys that are on this machine, encrypted; keys/NAME.pub is the public half
//! staged/changes.json  changes of `add`, `yank` … that `publish` has not published yet
//! staged/packages/…    the files they bring, under the paths they will be published at
//! staged/metadata/     offline metadata that waits for signatures of key holders
//! public/              the published state, unless repo.toml names another place
//! ```
//!
//! One command at a time works on it. After a loss only the keys and repo.toml are needed to continue.

use std::fs::{self, File, Permissions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use repository::Change;
use serde::{Deserialize, Serialize};

use super::config::Config;
use installer::error::{Code, Failure};
use installer::event::{Event, Reporter};

/// How long scheduled commands wait for another command that works on the directory.
const PATIENCE: Duration = Duration::from_secs(60);

/// A locked operator directory.
pub struct OperatorDirectory {
    directory: PathBuf,
    /// What the operator decided.
    pub config: Config,
    /// Held for the lifetime of this value; `None` if the directory is only read.
    lock: Option<File>,
}

/// The newest versions this machine has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenVersions {
    /// Of the timestamp.
    pub timestamp: u64,
    /// Of the snapshot.
    pub snapshot: u64,
}

impl OperatorDirectory {
    /// Opens a directory made by `repo init`.
    ///
    /// # Errors
    /// When it is none, cannot be read, or another command works on it.
    pub fn open(directory: &Path) -> Result<Self, Failure> {
        let config = Config::read(directory)?;
        config.check_output(directory)?;
        let lock = lock(directory, Duration::ZERO)?;
        Ok(Self { directory: directory.to_owned(), config, lock: Some(lock) })
    }

    /// The same for scheduled commands, which wait for a while until another one has ended.
    ///
    /// # Errors
    /// As [`OperatorDirectory::open`].
    pub fn open_waiting(directory: &Path, reporter: &dyn Reporter) -> Result<Self, Failure> {
        match Self::open(directory) {
            Err(failure) if failure.code == Code::RepoBusy => {
                let text = format!("{}; waiting for it up to {} s", failure.message, PATIENCE.as_secs());
                reporter.report(Event::Waiting { text });
                let lock = lock(directory, PATIENCE)?;
                // The other command may have changed it.
                Ok(Self { directory: directory.to_owned(), config: Config::read(directory)?, lock: Some(lock) })
            }
            opened => opened,
        }
    }

    /// Opens without the lock, for commands that only read and record the versions seen.
    ///
    /// # Errors
    /// When it is none, or cannot be read.
    pub fn open_to_read(directory: &Path) -> Result<Self, Failure> {
        Ok(Self { directory: directory.to_owned(), config: Config::read(directory)?, lock: None })
    }

    /// Locks the directory for the lifetime of the returned file; `None` if another command has the lock, or this one
    /// may not.
    pub fn try_lock(&self) -> Option<File> {
        match &self.lock {
            Some(lock) => lock.try_clone().ok(),
            None => lock(&self.directory, Duration::ZERO).ok(),
        }
    }

    /// A path in the directory.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.directory.join(relative)
    }

    /// Where the keys are.
    pub fn keys(&self) -> PathBuf {
        self.path("keys")
    }

    /// Where a file for this published path is staged.
    pub fn staged_file(&self, published_path: &str) -> PathBuf {
        self.path("staged").join(published_path)
    }

    /// Where metadata waits for signatures.
    pub fn staged_metadata(&self) -> PathBuf {
        self.path("staged/metadata")
    }

    /// Where the index is published, as `Storage::open` wants it: absolute for a directory.
    pub fn output(&self) -> String {
        self.config.output(&self.directory)
    }

    /// The staged changes, in the order in which they were made.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn staged_changes(&self) -> Result<Vec<Change>, Failure> {
        let lost =
            "put it back from a backup, or remove it: then nothing is staged, and what was has to be added again";
        Ok(self.read_json("staged/changes.json", lost)?.unwrap_or_default())
    }

    /// Replaces the staged changes.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write_staged_changes(&self, changes: &[Change]) -> Result<(), Failure> {
        self.write_json("staged/changes.json", &changes)
    }

    /// The newest versions this machine has seen.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn seen(&self) -> Result<SeenVersions, Failure> {
        let lost = "put it back from a backup, or remove it if you are sure that what is published is the newest";
        Ok(self.read_json("seen.json", lost)?.unwrap_or_default())
    }

    /// Stores the newest versions.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write_seen(&self, seen: SeenVersions) -> Result<(), Failure> {
        self.write_json("seen.json", &seen)
    }

    /// Reads a file of the directory; `None` if it is missing.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self, relative: &str) -> Result<Option<Vec<u8>>, Failure> {
        let path = self.path(relative);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(disk_failure(&path, error)),
        }
    }

    /// Writes a file of the directory, as a whole or not at all.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, relative: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.path(relative);
        write_whole(&path, bytes).map_err(|error| disk_failure(&path, error))
    }

    /// `lost` says what can be done when the file is damaged.
    fn read_json<T: for<'de> Deserialize<'de>>(&self, relative: &str, lost: &str) -> Result<Option<T>, Failure> {
        let Some(bytes) = self.read(relative)? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|error| {
            let message = format!("{} is damaged: {error}", self.path(relative).display());
            Failure::new(Code::RepoDamaged, message).caused_by(error).hint(lost)
        })
    }

    fn write_json<T: Serialize>(&self, relative: &str, value: &T) -> Result<(), Failure> {
        let bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
        self.write(relative, &bytes)
    }
}

/// The disk refused something.
pub fn disk_failure(path: &Path, error: io::Error) -> Failure {
    Failure::new(Code::RepoDisk, format!("{}: {error}", path.display())).caused_by(error)
}

/// Replaces a file atomically; makes its directory if needed. Its permissions follow from the umask, as with other
/// programs: nothing secret is written here.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let mut file = tempfile::Builder::new()
        .prefix(".tufpip-")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn lock(directory: &Path, patience: Duration) -> Result<File, Failure> {
    let path = directory.join(".lock");
    let file = File::options().create(true).append(true).open(&path).map_err(|error| disk_failure(&path, error))?;
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if start.elapsed() < patience => {
                std::thread::sleep(Duration::from_millis(100));
            }
            Err(TryLockError::WouldBlock) => {
                let message = format!("Another command works on {}", directory.display());
                return Err(Failure::new(Code::RepoBusy, message).hint("wait until it has ended, then try again"));
            }
            Err(TryLockError::Error(error)) => return Err(disk_failure(&path, error)),
        }
    }
}
