//! Which files of other distributions get other contents. Equal ones may be shared: `tests/__init__.py`, the
//! `__init__.py` of a namespace.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use crate::destination_tree::{DestinationTree, DirectoryId, FileSource, PlannedFile};
use crate::owners::owners;
use crate::place::Placement;
use crate::transaction_error::TransactionError;

/// Files of one distribution that another one replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overwriting {
    /// The project whose files are there now.
    pub project: String,
    /// The project whose files were there.
    pub other: String,
    /// The files.
    pub files: BTreeSet<PathBuf>,
}

/// Compares what is `replaced` on disk, and what placements of one transaction have in common.
pub(super) fn find(
    replaced: &[(PathBuf, DirectoryId)],
    tree: &DestinationTree<'_>,
    placements: &[Placement<'_>],
    libraries: &[PathBuf],
) -> Result<Vec<Overwriting>, TransactionError> {
    let project = |file: &PlannedFile<'_>| placements.get(file.owner).map(Placement::project);
    let mut found: BTreeMap<(String, String), BTreeSet<PathBuf>> = BTreeMap::new();
    let mut note = |project: &str, other: &str, path: &Path| {
        found.entry((project.to_owned(), other.to_owned())).or_default().insert(path.to_path_buf());
    };
    let paths: Vec<PathBuf> = replaced.iter().map(|(path, _)| path.clone()).filter(|path| counts(path)).collect();
    let owners = owners(libraries, &paths)?;
    for (path, directory) in replaced {
        let (Some(owners), Some(file)) = (owners.get(path), planned(tree, *directory, path)) else { continue };
        let Some(project) = project(file) else { continue };
        // Who has it as well wrote over it before, and that was said then.
        if owners.iter().any(|owner| owner.is(project)) || is_equal(file, &mut read(path))? {
            continue;
        }
        for owner in owners {
            note(project, &owner.name, path);
        }
    }
    for shared in tree.replaced.iter().filter(|shared| counts(&shared.path)) {
        let Some(later) = planned(tree, shared.directory, &shared.path) else { continue };
        if let (Some(later_project), Some(earlier)) = (project(later), project(&shared.earlier))
            && !is_equal(later, &mut *open(&shared.earlier))?
        {
            note(later_project, earlier, &shared.path);
        }
    }
    let overwriting = |((project, other), files)| Overwriting { project, other, files };
    Ok(found.into_iter().map(overwriting).collect())
}

/// Compiled files hold the time of their source, and differ although the sources are equal.
fn counts(path: &Path) -> bool {
    path.extension().is_none_or(|extension| extension != "pyc")
}

fn planned<'t, 'a>(tree: &'t DestinationTree<'a>, directory: DirectoryId, path: &Path) -> Option<&'t PlannedFile<'a>> {
    tree.directory(directory)?.files.get(path.file_name()?)
}

fn is_equal(file: &PlannedFile<'_>, other: &mut dyn BufRead) -> Result<bool, TransactionError> {
    let mut one = open(file);
    loop {
        let (left, right) = match (one.fill_buf(), other.fill_buf()) {
            (Ok(left), Ok(right)) => (left, right),
            (Err(error), _) | (_, Err(error)) => {
                return Err(TransactionError::io(Path::new("a file to compare"))(error));
            }
        };
        let length = left.len().min(right.len());
        if length == 0 {
            return Ok(left.is_empty() && right.is_empty());
        }
        if left.get(..length) != right.get(..length) {
            return Ok(false);
        }
        one.consume(length);
        other.consume(length);
    }
}

fn open<'f>(file: &'f PlannedFile<'_>) -> Box<dyn BufRead + 'f> {
    match &file.source {
        FileSource::Written { contents, .. } => Box::new(contents.as_slice()),
        FileSource::Cached(file) => Box::new(read(&file.tree.join(file.path))),
    }
}

/// What cannot be read is equal to nothing that has contents. A missing file of the cache is noticed when it is linked.
fn read(path: &Path) -> BufReader<Box<dyn io::Read>> {
    // Opening a pipe would wait for its other end.
    let file = path.metadata().ok().filter(Metadata::is_file).and_then(|_| File::open(path).ok());
    BufReader::new(file.map_or_else(|| Box::new(io::empty()) as Box<dyn io::Read>, |file| Box::new(file)))
}
