//! The list that `uninstall` prints before it asks.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use wheel::Removal;

/// The lines to show, indented; `verbose` has every single file. `info` is the distribution's metadata directory.
pub fn lines(removal: &Removal, info: &Path, verbose: bool) -> Vec<String> {
    let resolved_info = info.canonicalize().unwrap_or_else(|_| info.to_owned());
    // The metadata directory goes as a whole, but reads better as its files.
    let listed: Vec<&PathBuf> = removal.paths.iter().filter(|path| **path != resolved_info).collect();
    let (leaving, staying) = if verbose {
        (listed.iter().map(|path| shown(path)).collect(), BTreeSet::new())
    } else {
        summary(&listed, &resolved_info)
    };
    let mut lines = Vec::new();
    for (title, paths) in [
        ("Would remove:", leaving),
        ("Would not remove (might be manually added):", staying),
        ("Would not remove (outside of prefix):", removal.refused.iter().map(|path| shown(path)).collect()),
    ] {
        if !paths.is_empty() {
            lines.push(format!("  {title}"));
            lines.extend(shortest(&paths).iter().map(|path| format!("    {path}")));
        }
    }
    lines
}

/// What is removed, packages as `directory/*`; and the files in those directories that stay.
fn summary(listed: &[&PathBuf], info: &Path) -> (BTreeSet<String>, BTreeSet<String>) {
    let compiled = |path: &Path| path.extension().is_some_and(|extension| extension == "pyc");
    let files: HashSet<&Path> = listed.iter().map(|path| path.as_path()).filter(|path| !compiled(path)).collect();
    let is_package_file = |path: &Path| path.ends_with("__init__.py") || path.starts_with(info);
    let folders: BTreeSet<String> =
        files.iter().filter(|path| is_package_file(path)).filter_map(|path| path.parent()).map(shown).collect();
    let folders = shortest(&folders);
    let mut staying = BTreeSet::new();
    for folder in &folders {
        for found in files_below(Path::new(folder)) {
            if !compiled(&found) && !files.contains(found.as_path()) && !found.starts_with(info) {
                staying.insert(shown(&found));
            }
        }
    }
    let leaving = files.iter().map(|path| shown(path)).chain(folders.iter().map(|folder| format!("{folder}/*")));
    (leaving.collect(), staying)
}

/// Without those that lie below another.
fn shortest(paths: &BTreeSet<String>) -> Vec<String> {
    let directory = |path: &str| path.strip_suffix("/*").unwrap_or(path).to_owned();
    let roots: HashSet<String> = paths.iter().map(|path| directory(path)).collect();
    let is_below = |path: &str| Path::new(path).ancestors().skip(1).any(|above| roots.contains(&shown(above)));
    paths.iter().filter(|path| !is_below(&directory(path))).cloned().collect()
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(entry.path()),
                _ if entry.path().is_file() => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found
}

fn shown(path: &Path) -> String {
    printable::line(&path.to_string_lossy())
}
