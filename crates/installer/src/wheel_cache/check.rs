//! Every unpacked wheel is compared with what its manifest says; one that differs, or proves nothing, is taken out.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::{UnpackedWheel, WheelCache, hash, remove_directory};
use crate::cache::check::Checked;
use crate::download::Proof;
use crate::ownership;

impl WheelCache {
    /// Hashes every file of every unpacked wheel and its bytecode. What was changed is taken out, and made again when it is
    /// needed.
    pub fn check(&self) -> Checked {
        let mut checked = Checked::default();
        let entries = std::fs::read_dir(&self.kept).into_iter().flatten().flatten();
        // Names with a dot are of processes that are unpacking right now.
        let entries = entries.filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
        let mut directories: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        directories.sort();
        let wrong: Vec<Vec<PathBuf>> = directories.par_iter().map(|directory| self.wrong_in(directory)).collect();
        for wrong in wrong {
            checked.good += usize::from(wrong.is_empty());
            for directory in wrong {
                let removed = remove_directory(&directory);
                checked.add_wrong(directory, removed);
            }
        }
        checked
    }

    /// The entry itself, or bytecode in it.
    fn wrong_in(&self, directory: &Path) -> Vec<PathBuf> {
        let name = directory.file_name().unwrap_or_default().to_string_lossy();
        let Some(wheel) = self.read(&name, Proof::Unverified) else { return vec![directory.to_owned()] };
        let tree = wheel.tree();
        let files = wheel.manifest.files.par_iter();
        if !files.all(|file| is_unchanged(&tree.join(&file.path), &file.sha256)) {
            return vec![directory.to_owned()];
        }
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let bytecode = names.filter(|name| name.starts_with("bytecode-"));
        bytecode.filter(|name| !self.is_bytecode_whole(&wheel, name)).map(|name| directory.join(name)).collect()
    }

    fn is_bytecode_whole(&self, wheel: &UnpackedWheel, name: &str) -> bool {
        self.read_bytecode(wheel, name).is_some_and(|bytecode| {
            let bytecode = bytecode.directory();
            bytecode.files.par_iter().all(|file| is_unchanged(&bytecode.path.join(&file.path), &file.sha256))
        })
    }
}

/// Whether a file has this hash, and nobody else may write to it.
fn is_unchanged(path: &Path, sha256: &str) -> bool {
    let Ok(metadata) = std::fs::symlink_metadata(path) else { return false };
    metadata.is_file()
        && ownership::writable_by_others_or_group(&metadata).is_none()
        && std::fs::read(path).is_ok_and(|contents| hash(&contents) == sha256)
}
