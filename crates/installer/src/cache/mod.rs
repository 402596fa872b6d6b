//! The cache: its directory, and files in it that may be lost at any time.

pub mod check;
pub mod file;

use std::fs::{DirBuilder, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::error::{Code, Failure};
use crate::event::{Reporter, WarningCode};
use crate::local_key::LocalKey;
use crate::options::CommonOptions;
use crate::ownership;

/// The directories that a cache consists of.
const DIRECTORIES: [&str; 7] = ["archives", "content", "interpreters", "metadata", "pages", "tuf", "wheels"];

/// The directory of the cache, or a temporary one in its place that is removed with this value.
#[derive(Debug)]
pub struct CacheDirectory {
    path: PathBuf,
    key: LocalKey,
    /// In the place of what cannot be used, or cannot be written.
    temporary: OnceLock<TempDir>,
}

impl CacheDirectory {
    /// Opens the cache of a command if only the user can write there; else a temporary directory, with a warning if the
    /// cache is unsafe or cannot be used.
    ///
    /// # Errors
    /// When a temporary directory is needed and cannot be made.
    pub fn open(options: &CommonOptions, reporter: &dyn Reporter) -> Result<Self, Failure> {
        let key = LocalKey::new(&options.trust);
        let wanted = options.network.cache_dir.as_deref();
        match wanted.map(|wanted| (wanted, usable(wanted))) {
            Some((wanted, Ok(()))) => Ok(Self { path: wanted.to_owned(), key, temporary: OnceLock::new() }),
            Some((_, Err(reason))) => {
                reporter.warning(WarningCode::CacheNotPrivate, reason);
                Self::temporary(key)
            }
            None => Self::temporary(key),
        }
    }

    fn temporary(key: LocalKey) -> Result<Self, Failure> {
        let temporary = make_temporary()?;
        Ok(Self { path: temporary.path().to_owned(), key, temporary: OnceLock::from(temporary) })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the user's own files in it are sealed with.
    pub fn key(&self) -> &LocalKey {
        &self.key
    }

    /// Where a directory of the cache can be written to: in the cache, or where that cannot be changed, for instance
    /// because root filled it, in a temporary directory.
    ///
    /// # Errors
    /// When a temporary directory is needed and cannot be made.
    pub fn writable(&self, name: &str) -> Result<PathBuf, Failure> {
        let wanted = self.path.join(name);
        let there = if wanted.exists() { &wanted } else { &self.path };
        if rustix::fs::access(there, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK).is_ok() {
            return Ok(wanted);
        }
        if self.temporary.get().is_none() {
            // Nobody else has this value while it is being set up; if somebody was faster, that one counts.
            let _ = self.temporary.set(make_temporary()?);
        }
        Ok(self.temporary.get().map_or(wanted, |temporary| temporary.path().join(name)))
    }
}

/// Makes a directory of the cache and those above it, for the user alone.
///
/// # Errors
/// When it cannot be made.
pub fn make_private(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

/// A directory for this command alone.
///
/// # Errors
/// When it cannot be made.
pub fn make_temporary() -> Result<TempDir, Failure> {
    let private = Permissions::from_mode(0o700);
    tempfile::Builder::new().prefix("tufpip-").permissions(private).tempdir().map_err(|error| {
        Failure::new(Code::Disk, format!("Could not make a temporary directory: {error}"))
            .caused_by(error)
            .hint("set TMPDIR to a directory with free space")
    })
}

/// Makes the cache if there is none. What others could have put into it chooses programs that are executed and pages that
/// are believed.
///
/// # Errors
/// Why it is not used, as sentences for a warning.
fn usable(cache: &Path) -> Result<(), String> {
    let unusable = |reason: io::Error| {
        format!(
            "The cache in {} is not used: {reason}. Nothing is kept for later commands; --cache-dir names another place.",
            cache.display()
        )
    };
    make_private(cache).map_err(unusable)?;
    let metadata = std::fs::metadata(cache).map_err(unusable)?;
    rustix::fs::access(cache, rustix::fs::Access::READ_OK | rustix::fs::Access::EXEC_OK)
        .map_err(|error| unusable(error.into()))?;
    refuse_shared(cache, &metadata)?;
    for directory in DIRECTORIES.map(|name| cache.join(name)) {
        if let Ok(metadata) = std::fs::metadata(&directory) {
            refuse_shared(&directory, &metadata)?;
            mend(&directory, &metadata);
        }
    }
    if metadata.mode() & 0o077 != 0 && consists_of_ours(cache) {
        mend(cache, &metadata);
    }
    Ok(())
}

fn refuse_shared(directory: &Path, metadata: &Metadata) -> Result<(), String> {
    match ownership::writable_by_others_or_group(metadata) {
        None => Ok(()),
        Some(reason) => Err(format!(
            "The cache in {} is not used: {reason}, and could have put other files there than were verified. If it shall be \
             used, make it yours with chown, and chmod go-w.",
            directory.display()
        )),
    }
}

/// Takes away what earlier versions let others do. Where that is not possible, others can still only read.
fn mend(directory: &Path, metadata: &Metadata) {
    if metadata.mode() & 0o077 != 0 && ownership::is_own(metadata) {
        let _ = std::fs::set_permissions(directory, Permissions::from_mode(0o700));
    }
}

/// Whether there is nothing but a cache in a directory: `--cache-dir` may name one that has other uses.
fn consists_of_ours(directory: &Path) -> bool {
    let Ok(mut entries) = std::fs::read_dir(directory) else { return false };
    entries.all(|entry| {
        entry.is_ok_and(|entry| entry.file_name().to_str().is_some_and(|name| DIRECTORIES.contains(&name)))
    })
}
