//! Compares the tree of destinations with the disk: what has to be taken away, and what can be moved in as a whole.

use std::collections::{BTreeSet, HashSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use crate::destination_tree::{DestinationTree, DirectoryId, PlannedFile};
use crate::place::Placement;
use crate::protected::{Protected, resolve};
use crate::transaction_error::TransactionError;

/// The moves of a transaction.
#[derive(Default)]
pub(crate) struct MovePlan {
    /// What leaves the environment, in this order.
    pub(crate) take_away: Vec<PathBuf>,
    /// What comes in, in this order.
    pub(crate) place: Vec<(Subtree, PathBuf)>,
    /// With `--target`: what exists and is left alone.
    pub(crate) kept: Vec<PathBuf>,
}

/// A part of the layout that is moved in with one rename.
pub(crate) enum Subtree {
    /// A directory with everything below.
    Directory(DirectoryId),
    /// One file of a directory.
    File(DirectoryId, OsString),
}

/// What `pip install --target` does with names that exist in the target directory.
#[derive(Clone, Debug)]
pub(crate) struct TargetDirectory {
    pub(crate) directory: PathBuf,
    /// Replace them whole instead of keeping them.
    pub(crate) upgrade: bool,
}

pub(crate) struct Planner<'p, 'a> {
    pub(crate) tree: &'p DestinationTree<'a>,
    pub(crate) placements: &'p [Placement<'a>],
    pub(crate) protected: &'p Protected,
    /// Files and directories that leave because their distribution is removed; links in the parents resolved.
    pub(crate) removed: BTreeSet<PathBuf>,
    pub(crate) target: Option<TargetDirectory>,
    pub(crate) plan: MovePlan,
}

/// What exists at a destination.
enum Occupant {
    Nothing,
    File,
    Directory(PathBuf),
}

impl Planner<'_, '_> {
    pub(crate) fn run(mut self) -> Result<MovePlan, TransactionError> {
        let removed = std::mem::take(&mut self.removed);
        let gone: HashSet<&Path> = removed.iter().map(PathBuf::as_path).collect();
        self.plan.take_away = removed.iter().cloned().collect();
        self.directory(&gone, DestinationTree::ROOT, Path::new("/"))?;
        // A distribution counts as installed when its metadata are there: they leave first and come last.
        self.plan.take_away.sort_by_key(|path| !is_info(path));
        self.plan.place.sort_by_key(|(_, path)| is_info(path));
        Ok(self.plan)
    }

    fn directory(&mut self, gone: &HashSet<&Path>, id: DirectoryId, path: &Path) -> Result<(), TransactionError> {
        let tree = self.tree;
        let Some(directory) = tree.directory(id) else { return Ok(()) };
        let is_target = self.target.as_ref().is_some_and(|target| target.directory == path);
        for (name, child) in &directory.directories {
            let destination = path.join(name);
            let occupant = occupant(gone, &destination)?;
            if is_target && self.keep_or_replace(&destination, &occupant) {
                continue;
            }
            match occupant {
                Occupant::Directory(found) if !is_target => {
                    if found != destination {
                        self.check_link_target(*child, &found)?;
                    }
                    self.directory(gone, *child, &found)?;
                    continue;
                }
                Occupant::File if !is_target => {
                    return Err(TransactionError::Occupied {
                        path: destination,
                        wanted: "a directory",
                        found: "a file",
                    });
                }
                _ => self.plan.place.push((Subtree::Directory(*child), destination)),
            }
        }
        for (name, file) in &directory.files {
            self.file(gone, id, name, file, path.join(name), is_target)?;
        }
        Ok(())
    }

    fn file(
        &mut self,
        gone: &HashSet<&Path>,
        id: DirectoryId,
        name: &OsStr,
        file: &PlannedFile<'_>,
        destination: PathBuf,
        is_target: bool,
    ) -> Result<(), TransactionError> {
        let occupant = occupant(gone, &destination)?;
        if is_target && self.keep_or_replace(&destination, &occupant) {
            return Ok(());
        }
        match occupant {
            Occupant::Directory(_) if !is_target => {
                return Err(TransactionError::Occupied { path: destination, wanted: "a file", found: "a directory" });
            }
            // Two distributions may well share a file, for instance the `__init__.py` of a namespace: the later one
            // wins, as with pip, but nothing that the environment itself lives on is replaced.
            Occupant::File if !is_target => {
                if let Some(what) = self.protected.existing(&destination) {
                    return Err(self.refusal(file, what, &destination));
                }
                self.plan.take_away.push(destination.clone());
            }
            _ => {}
        }
        self.plan.place.push((Subtree::File(id, name.to_os_string()), destination));
        Ok(())
    }

    /// For a name in the target directory: whether it stays as it is. If not, whatever is there leaves.
    fn keep_or_replace(&mut self, destination: &Path, occupant: &Occupant) -> bool {
        if matches!(occupant, Occupant::Nothing) {
            return false;
        }
        let upgrade = self.target.as_ref().is_some_and(|target| target.upgrade);
        if !upgrade || destination.is_symlink() {
            self.plan.kept.push(destination.to_path_buf());
            return true;
        }
        self.plan.take_away.push(destination.to_path_buf());
        false
    }

    /// A symbolic link in the environment must not lead a wheel to where it may not write.
    fn check_link_target(&self, id: DirectoryId, found: &Path) -> Result<(), TransactionError> {
        match self.first_file(id) {
            Some(file) => {
                let own_info = self.placements.get(file.owner).map_or("", |placement| &placement.manifest.dist_info);
                match self.protected.directory(found, own_info) {
                    Some(what) => Err(self.refusal(file, what, found)),
                    None => Ok(()),
                }
            }
            None => Ok(()),
        }
    }

    fn first_file(&self, id: DirectoryId) -> Option<&PlannedFile<'_>> {
        let directory = self.tree.directory(id)?;
        directory.files.values().next().or_else(|| directory.directories.values().find_map(|id| self.first_file(*id)))
    }

    fn refusal(&self, file: &PlannedFile<'_>, what: &str, destination: &Path) -> TransactionError {
        let entry = destination.to_string_lossy();
        match self.placements.get(file.owner) {
            Some(placement) => placement.refusal(format!("would replace {what}"), entry),
            None => TransactionError::Occupied {
                path: destination.to_path_buf(),
                wanted: "a file",
                found: "something protected",
            },
        }
    }
}

fn occupant(gone: &HashSet<&Path>, path: &Path) -> Result<Occupant, TransactionError> {
    if gone.contains(path) {
        return Ok(Occupant::Nothing);
    }
    let metadata = match path.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Occupant::Nothing),
        Err(error) => return Err(TransactionError::io(path)(error)),
    };
    if metadata.is_dir() {
        return Ok(Occupant::Directory(path.to_path_buf()));
    }
    if metadata.is_symlink() && path.is_dir() {
        return Ok(Occupant::Directory(resolve(path)?));
    }
    Ok(Occupant::File)
}

fn is_info(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "dist-info" || extension == "egg-info")
}
