//! Files of the cache are compared with what they say of themselves; those that differ, or prove nothing, are removed.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::file;
use crate::local_key::LocalKey;

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// How many are as they were kept.
    pub good: usize,
    /// What was removed, because it is not what was kept or does not prove that it is.
    pub removed: Vec<PathBuf>,
    /// What should have been removed and could not be; it is not used.
    pub stuck: Vec<PathBuf>,
}

impl Checked {
    /// Adds what another check found.
    pub fn add(&mut self, other: Checked) {
        self.good += other.good;
        self.removed.extend(other.removed);
        self.stuck.extend(other.stuck);
    }

    /// Adds something wrong, and whether it is gone now.
    pub fn add_wrong(&mut self, path: PathBuf, removed: std::io::Result<()>) {
        match removed {
            Ok(()) => self.removed.push(path),
            Err(_) => self.stuck.push(path),
        }
    }
}

/// The files of a directory that [`file::write`] has put there.
pub fn sealed_files(directory: &Path, key: &LocalKey) -> Checked {
    files(directory, |path| file::read(path, key).is_some())
}

/// Downloads, whose names are the hashes of their contents.
pub fn downloads(directory: &Path) -> Checked {
    files(directory, |path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        sha256(path).is_ok_and(|found| hex::encode(found) == name)
    })
}

fn sha256(path: &Path) -> std::io::Result<impl AsRef<[u8]> + use<>> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        let length = file.read(&mut buffer)?;
        match buffer.get(..length) {
            None | Some([]) => return Ok(hasher.finalize()),
            Some(part) => hasher.update(part),
        }
    }
}

fn files(directory: &Path, is_good: impl Fn(&Path) -> bool + Sync) -> Checked {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    // Names with a dot are of processes that are writing right now.
    let entries = entries.filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    let good: Vec<bool> = paths.par_iter().map(|path| is_good(path)).collect();
    let mut checked = Checked::default();
    for (path, good) in paths.into_iter().zip(good) {
        match good {
            true => checked.good += 1,
            false => {
                let removed = std::fs::remove_file(&path);
                checked.add_wrong(path, removed);
            }
        }
    }
    checked
}
