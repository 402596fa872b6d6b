//! Whose file something is, by what the installed distributions say they consist of.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use packaging::PackageName;

use crate::installed::{InstalledDistribution, installed};
use crate::transaction_error::TransactionError;

/// A distribution that has a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Owner {
    /// Its name as its metadata directory spells it.
    pub(crate) name: String,
    /// The normalized name, if it is valid.
    project: Option<PackageName>,
}

impl Owner {
    fn of(distribution: &InstalledDistribution) -> Owner {
        Owner { name: distribution.name.clone(), project: distribution.normalized_name.clone() }
    }

    /// Whether both are versions of one project.
    pub(crate) fn is(&self, project: &str) -> bool {
        match (&self.project, project.parse::<PackageName>()) {
            (Some(own), Ok(other)) => *own == other,
            _ => self.name == project,
        }
    }
}

/// The owners of each of `paths`, whose parents have no links, among the distributions in `libraries`. What cannot be
/// read owns nothing.
pub(crate) fn owners(
    libraries: &[PathBuf],
    paths: &[PathBuf],
) -> Result<HashMap<PathBuf, BTreeSet<Owner>>, TransactionError> {
    let mut owners: HashMap<PathBuf, BTreeSet<Owner>> = HashMap::new();
    if paths.is_empty() {
        return Ok(owners);
    }
    let wanted: HashSet<&Path> = paths.iter().map(PathBuf::as_path).collect();
    // Most files have a name that nobody asks for: their directories need not be looked at.
    let names: HashSet<&OsStr> = paths.iter().filter_map(|path| path.file_name()).collect();
    let mut parents = ResolvedParents::default();
    for distribution in in_all(libraries)? {
        for path in parents.files_of(&distribution, |name| names.contains(name)) {
            if wanted.contains(path.as_path()) {
                owners.entry(path).or_default().insert(Owner::of(&distribution));
            }
        }
    }
    Ok(owners)
}

/// The files of all distributions but those of one project.
pub(crate) struct ForeignFiles(BTreeSet<PathBuf>);

impl ForeignFiles {
    /// What the distributions in `libraries` have that are not versions of `own`.
    pub(crate) fn of(libraries: &[PathBuf], own: &InstalledDistribution) -> Result<ForeignFiles, TransactionError> {
        let own = Owner::of(own);
        let mut files = BTreeSet::new();
        let mut parents = ResolvedParents::default();
        for distribution in in_all(libraries)?.iter().filter(|other| !own.is(&other.name)) {
            files.insert(distribution.info.clone());
            files.extend(parents.files_of(distribution, |_| true));
        }
        Ok(ForeignFiles(files))
    }

    /// Whether there is one at this path, whose parent has no links, or below it.
    pub(crate) fn has(&self, path: &Path) -> bool {
        self.0.range(path.to_path_buf()..).next().is_some_and(|next| next.starts_with(path))
    }
}

/// Directories with their links resolved, each once.
#[derive(Default)]
struct ResolvedParents(HashMap<PathBuf, Option<PathBuf>>);

impl ResolvedParents {
    /// The files that a distribution lists, of those whose names are wanted.
    fn files_of(&mut self, distribution: &InstalledDistribution, is_wanted: impl Fn(&OsStr) -> bool) -> Vec<PathBuf> {
        let Ok(Some(files)) = distribution.files() else { return Vec::new() };
        let resolved = files.iter().filter_map(|file| {
            let path = distribution.location.join(file);
            let (parent, name) = (path.parent()?, path.file_name().filter(|name| is_wanted(name))?);
            let parent = self.0.entry(parent.to_path_buf()).or_insert_with_key(|parent| parent.canonicalize().ok());
            Some(parent.as_ref()?.join(name))
        });
        resolved.collect()
    }
}

fn in_all(libraries: &[PathBuf]) -> Result<Vec<InstalledDistribution>, TransactionError> {
    let mut all = Vec::new();
    for library in libraries {
        all.extend(installed(std::slice::from_ref(library))?);
    }
    Ok(all)
}
