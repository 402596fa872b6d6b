//! What can go wrong while an environment is changed.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::WheelError;

/// Why an environment was not changed. Unless the variant says otherwise, the environment is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum TransactionError {
    /// A wheel is refused, an installed RECORD is unreadable, or the disk failed.
    #[error(transparent)]
    Wheel(#[from] WheelError),
    /// An unpacked file in the cache is not what its manifest says: unpack the wheel again and start over.
    #[error("{} changed after it was unpacked: {problem}", path.display())]
    CacheChanged {
        /// The directory of the unpacked wheel.
        tree: PathBuf,
        /// The file in question.
        path: PathBuf,
        /// What differs.
        problem: &'static str,
    },
    /// A directory stands where a file must go, or the other way round.
    #[error("cannot place {wanted} at {}: {found} is there and belongs to nothing that is being replaced", path.display())]
    Occupied {
        /// The destination.
        path: PathBuf,
        /// What should go there.
        wanted: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// A place that no package may change would be changed.
    #[error("would change {what}: {}", path.display())]
    Protected {
        /// What would be changed.
        path: PathBuf,
        /// What it is.
        what: String,
    },
    /// The files of an installed distribution are unknown.
    #[error(
        "cannot uninstall {name} {version}: the package's contents are unknown: no RECORD file was found for {name}"
    )]
    NoRecord {
        /// Name of the distribution.
        name: String,
        /// Its version, as far as it is known.
        version: String,
        /// Who installed it according to INSTALLER; empty when unknown. That program may be able to remove it.
        installer: String,
    },
    /// A distribution that plain distutils installed.
    #[error(
        "cannot uninstall {name} {version}: it was installed by distutils, which does not record the files it installs, \
         so that only a part of them could be removed"
    )]
    Distutils {
        /// Name of the distribution.
        name: String,
        /// Its version, as far as it is known.
        version: String,
    },
    /// The journal of an interrupted transaction, or its list of staging directories, is damaged, which happens when the
    /// power failed while it was written.
    #[error("the journal {} of an interrupted change is unreadable: {problem}", path.display())]
    JournalDamaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Something looks like an interrupted transaction and does not prove to be one of this user: nothing was changed.
    #[error("{} is not believed to be an interrupted change: {problem}", path.display())]
    StagingNotBelieved {
        /// The staging directory.
        path: PathBuf,
        /// Why it is not believed.
        problem: String,
        /// Who has to do what.
        remedy: String,
    },
    /// The change failed, and so did undoing it. The journal is kept: the next transaction tries again.
    #[error("{failure}; undoing the change failed too: {undoing}")]
    NotRolledBack {
        /// Why the change failed.
        failure: Box<TransactionError>,
        /// Why it could not be undone.
        undoing: Box<TransactionError>,
    },
}

impl TransactionError {
    /// Attaches the path to an error of the operating system.
    pub(crate) fn io<E: Into<io::Error>>(path: &Path) -> impl FnOnce(E) -> TransactionError + '_ {
        move |source| WheelError::Io { path: path.to_path_buf(), source: source.into() }.into()
    }
}
