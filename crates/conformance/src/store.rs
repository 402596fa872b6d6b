//! The local metadata store. Verified metadata lies where the suite looks for it; the roots that led there, and the one
//! that all trust comes from, in `root_history` below. For one process at a time.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use tuf::StoredFile;

use crate::Failure;

pub struct Store {
    directory: PathBuf,
}

impl Store {
    pub fn new(directory: PathBuf) -> Self {
        Store { directory }
    }

    /// Makes this root the one that all trust comes from. It is verified when it is used, each time.
    pub fn begin(&self, trusted_root: &[u8]) -> Result<(), Failure> {
        write(&self.trusted_root_path(), trusted_root)?;
        write(&self.newest_root_path(), trusted_root)
    }

    pub fn trusted_root(&self) -> Result<Vec<u8>, Failure> {
        Ok(std::fs::read(self.trusted_root_path())?)
    }

    /// `None` also for a file that cannot be read: the repository has it, too.
    pub fn load(&self, file: &StoredFile) -> Option<Vec<u8>> {
        std::fs::read(self.path(file)).ok()
    }

    /// Replaces what was there.
    pub fn store(&self, file: &StoredFile, bytes: &[u8]) -> Result<(), Failure> {
        write(&self.path(file), bytes)?;
        match file {
            StoredFile::Root(_) => write(&self.newest_root_path(), bytes),
            _ => Ok(()),
        }
    }

    pub fn delete(&self, file: &StoredFile) -> Result<(), Failure> {
        match std::fs::remove_file(self.path(file)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Where downloads wait until they are verified.
    pub fn scratch_directory(&self) -> Result<PathBuf, Failure> {
        let directory = self.directory.join("unverified_downloads");
        std::fs::create_dir_all(&directory)?;
        Ok(directory)
    }

    fn path(&self, file: &StoredFile) -> PathBuf {
        match file {
            StoredFile::Root(_) => self.directory.join("root_history").join(file.file_name()),
            _ => self.directory.join(file.file_name()),
        }
    }

    fn trusted_root_path(&self) -> PathBuf {
        self.directory.join("root_history/trusted_root.json")
    }

    /// A copy for the suite to look at.
    fn newest_root_path(&self) -> PathBuf {
        self.directory.join("root.json")
    }
}

/// Whenever this is interrupted, the old file is there or the new one.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let directory = path.parent().ok_or("a file without a directory")?;
    std::fs::create_dir_all(directory)?;
    let mut temporary = NamedTempFile::new_in(directory)?;
    temporary.write_all(bytes)?;
    temporary.persist(path)?;
    Ok(())
}
