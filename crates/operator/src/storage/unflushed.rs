//! Files that were written and not yet flushed to disk.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Up to this number of files are synchronised one by one; for more, the whole file system is.
const MANY: usize = 500;

/// The files that were written and not synchronised.
#[derive(Debug, Default)]
pub struct UnflushedFiles(Mutex<Files>);

#[derive(Debug)]
enum Files {
    Few(Vec<PathBuf>),
    Many,
}

impl Default for Files {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl UnflushedFiles {
    /// Adds a written file.
    pub fn add(&self, file: PathBuf) {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *files {
            Files::Few(few) if few.len() < MANY => few.push(file),
            _ => *files = Files::Many,
        }
    }

    /// Waits until every file written below `root` is on disk, under its name.
    pub fn flush(&self, root: &Path) -> io::Result<()> {
        // The lock is held, so that no other thread takes unfinished files for synchronised.
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let settled = match &*files {
            Files::Many => File::open(root).and_then(|directory| synchronize(&directory)),
            Files::Few(few) => few
                .iter()
                .try_for_each(|file| if_there(file))
                .and_then(|()| synchronize_names(root, few.iter().map(PathBuf::as_path))),
        };
        // A disk that has failed once may report no error the second time: synchronise everything then.
        *files = if settled.is_ok() { Files::default() } else { Files::Many };
        settled
    }
}

/// Waits until these files have their names: their directories, and those in which those are, up to `root`.
pub fn synchronize_names<'a>(root: &Path, files: impl Iterator<Item = &'a Path>) -> io::Result<()> {
    let above = |file: &'a Path| file.ancestors().skip(1).filter(|directory| directory.starts_with(root));
    let directories: BTreeSet<&Path> = files.flat_map(above).collect();
    directories.into_iter().try_for_each(if_there)
}

/// Synchronises one file or directory; skips one that was removed or replaced.
fn if_there(path: &Path) -> io::Result<()> {
    match File::open(path).and_then(|file| file.sync_all()) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Waits until the whole file system is on disk.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn synchronize(directory: &File) -> io::Result<()> {
    Ok(rustix::fs::syncfs(directory)?)
}

/// Waits until all file systems are on disk.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn synchronize(_: &File) -> io::Result<()> {
    rustix::fs::sync();
    Ok(())
}
