//! The cache: its directory, and files in it that may be lost at any time.

pub mod file;
pub mod ownership;

use std::path::{Path, PathBuf};

use crate::error::{Code, Failure};
use crate::event::{Reporter, WarningCode};

/// The directory of the cache, or a temporary one in its place that is removed with this value.
#[derive(Debug)]
pub struct CacheDirectory {
    path: PathBuf,
    _temporary: Option<tempfile::TempDir>,
}

impl CacheDirectory {
    /// Opens `wanted` if only the user can write there; else a temporary directory, with a warning if `wanted` is
    /// unsafe.
    ///
    /// # Errors
    /// When a temporary directory is needed and cannot be made.
    pub fn open(wanted: Option<&Path>, reporter: &dyn Reporter) -> Result<Self, Failure> {
        if let Some(directory) = wanted.filter(|directory| is_cache_private(directory, reporter)) {
            return Ok(Self { path: directory.to_owned(), _temporary: None });
        }
        let temporary = tempfile::Builder::new().prefix("tufpip-").tempdir().map_err(|error| {
            Failure::new(Code::Disk, format!("Could not make a temporary directory: {error}"))
                .caused_by(error)
                .hint("set TMPDIR to a directory with free space")
        })?;
        Ok(Self { path: temporary.path().to_owned(), _temporary: Some(temporary) })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Whether the cache is private to the user. Unpacked wheels in it are installed without being hashed again.
fn is_cache_private(cache: &Path, reporter: &dyn Reporter) -> bool {
    let strange = [cache.to_owned(), cache.join("wheels")].into_iter().find_map(|directory| {
        let reason = ownership::writable_by_others(&std::fs::metadata(&directory).ok()?, false)?;
        Some((directory, reason))
    });
    if let Some((directory, reason)) = &strange {
        reporter.warning(
            WarningCode::CacheNotPrivate,
            format!(
                "The cache in {} is not used: {reason}, and could have put other files there than were verified. If it shall be \
                 used, make it yours with chown, and chmod o-w.",
                directory.display()
            ),
        );
    }
    strange.is_none()
}
