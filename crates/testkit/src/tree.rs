//! What is on disk, as lines: two trees are equal exactly when nothing changed, and a failed assertion shows what did.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::digest::HashName;

/// One line for each file, directory and symbolic link below `directory`: path, kind, mode, and content or target.
///
/// A directory that does not exist has no lines.
pub fn tree(directory: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    walk(directory, directory, &mut lines);
    lines.sort();
    lines
}

fn walk(root: &Path, directory: &Path, lines: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().display().to_string();
        let status = fs::symlink_metadata(&path).unwrap();
        if status.is_symlink() {
            lines.push(format!("{name} -> {}", fs::read_link(&path).unwrap().display()));
        } else if status.is_dir() {
            lines.push(format!("{name}/"));
            walk(root, &path, lines);
        } else if status.is_file() {
            let hash = HashName::Sha256.hex(&fs::read(&path).unwrap());
            let hash = hash.get(..12).unwrap_or_default();
            lines.push(format!("{name} {:03o} {} bytes {hash}", status.permissions().mode() & 0o7777, status.len()));
        } else {
            lines.push(format!("{name} (special file)"));
        }
    }
}
