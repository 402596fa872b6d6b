//! Compares the tree of destinations with the disk: what has to be taken away, and what can be moved in as a whole.
//!
//! Everything that is going to change passes here, whatever scheme or link it came by: protected places are refused here.

use std::collections::{BTreeSet, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use crate::destination_tree::{DestinationTree, DirectoryId, PlannedFile};
use crate::owners::owners;
use crate::place::Placement;
use crate::protected::{Protected, resolve};
use crate::protected_places::{ProtectedPlaces, Reach, identity, identity_of};
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
    /// Files that exist, belong to nothing that is removed, and are replaced: which file of the tree replaces them.
    pub(crate) replaced: Vec<(PathBuf, DirectoryId)>,
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
    pub(crate) places: &'p ProtectedPlaces,
    /// Files and directories that leave because their distribution is removed; links in the parents resolved.
    pub(crate) removed: BTreeSet<PathBuf>,
    pub(crate) target: Option<TargetDirectory>,
    pub(crate) plan: MovePlan,
}

/// What exists at a destination.
enum Occupant {
    Nothing,
    File,
    Directory(PathBuf, Metadata),
}

impl<'p> Planner<'p, '_> {
    pub(crate) fn run(mut self) -> Result<MovePlan, TransactionError> {
        let removed = std::mem::take(&mut self.removed);
        let gone: HashSet<&Path> = removed.iter().map(PathBuf::as_path).collect();
        self.plan.take_away = removed.iter().cloned().collect();
        let root = Path::new("/");
        let reach = self.places.enter(&Reach::default(), OsStr::new(""), identity_of(root));
        self.directory(&gone, DestinationTree::ROOT, root, &reach)?;
        self.check_what_leaves()?;
        // A distribution counts as installed when its metadata are there: they leave first and come last.
        self.plan.take_away.sort_by_key(|path| !is_info(path));
        self.plan.place.sort_by_key(|(_, path)| is_info(path));
        Ok(self.plan)
    }

    fn directory(
        &mut self,
        gone: &HashSet<&Path>,
        id: DirectoryId,
        path: &Path,
        reach: &Reach<'p>,
    ) -> Result<(), TransactionError> {
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
                Occupant::Directory(found, metadata) if !is_target => {
                    if found != destination {
                        self.check_link_target(*child, &destination, &found)?;
                    }
                    let inner = match found == destination {
                        true => self.places.enter(reach, name, Some(identity(&metadata))),
                        // A link may lead anywhere.
                        false => self.places.reach(&found),
                    };
                    self.directory(gone, *child, &found, &inner)?;
                    continue;
                }
                Occupant::File if !is_target => {
                    return Err(TransactionError::Occupied {
                        path: destination,
                        wanted: "a directory",
                        found: "a file",
                    });
                }
                _ => {
                    self.check_new(*child, &destination, &self.places.enter(reach, name, None))?;
                    self.plan.place.push((Subtree::Directory(*child), destination));
                }
            }
        }
        for (name, file) in &directory.files {
            self.check_place(reach, name, file, &path.join(name))?;
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
            Occupant::Directory(..) if !is_target => {
                return Err(TransactionError::Occupied { path: destination, wanted: "a file", found: "a directory" });
            }
            // Two distributions may well share a file, for instance the `__init__.py` of a namespace: the later one
            // wins, as with pip, but nothing that the environment itself lives on is replaced.
            Occupant::File if !is_target => {
                if let Some(what) = self.protected.existing(&destination) {
                    return Err(self.refusal(file, what, &destination));
                }
                self.plan.replaced.push((destination.clone(), id));
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

    /// A symbolic link in the environment must not lead a wheel out of it, nor to where it may not write.
    fn check_link_target(&self, id: DirectoryId, link: &Path, found: &Path) -> Result<(), TransactionError> {
        let Some(file) = self.first_file(id) else { return Ok(()) };
        let own_info = self.placements.get(file.owner).map_or("", |placement| &placement.manifest.dist_info);
        if let Some(what) = self.protected.directory(found, own_info) {
            return Err(self.refusal(file, what, found));
        }
        match self.placements.get(file.owner) {
            Some(placement) if !self.protected.is_inside(found) => {
                let problem = format!("would write through a link out of the environment, to {}", found.display());
                Err(placement.refusal(problem, link.to_string_lossy()))
            }
            _ => Ok(()),
        }
    }

    /// Refuses a file at a protected place.
    fn check_place(
        &self,
        reach: &Reach<'_>,
        name: &OsStr,
        file: &PlannedFile<'_>,
        destination: &Path,
    ) -> Result<(), TransactionError> {
        let Some(place) = reach.file(name).and_then(|number| self.places.place(number)) else { return Ok(()) };
        let placement = self.placements.get(file.owner);
        if let (Some(owner), Some(placement)) = (place.owner, placement)
            && (placement.project() == owner || self.is_owner(placement.project(), destination)?)
        {
            return Ok(());
        }
        Err(self.refusal(file, place.what, destination))
    }

    /// Refuses all files of a directory that does not exist yet and would be in a protected place.
    fn check_new(&self, id: DirectoryId, path: &Path, reach: &Reach<'p>) -> Result<(), TransactionError> {
        let Some(directory) = self.tree.directory(id).filter(|_| !reach.is_nothing()) else { return Ok(()) };
        for (name, file) in &directory.files {
            self.check_place(reach, name, file, &path.join(name))?;
        }
        for (name, child) in &directory.directories {
            self.check_new(*child, &path.join(name), &self.places.enter(reach, name, None))?;
        }
        Ok(())
    }

    /// Refuses to take away what a protected place is in, or is.
    fn check_what_leaves(&self) -> Result<(), TransactionError> {
        for path in &self.plan.take_away {
            let Ok(metadata) = path.symlink_metadata() else { continue };
            let Some(place) = self.places.taken_with(&metadata).and_then(|number| self.places.place(number)) else {
                continue;
            };
            // A file with an owner was judged when it was listed for removal, or by what comes in its place.
            if place.owner.is_none() || !metadata.is_file() {
                return Err(self.refusal_of_first(place.what, path));
            }
        }
        Ok(())
    }

    fn is_owner(&self, project: &str, path: &Path) -> Result<bool, TransactionError> {
        let found = owners(&self.protected.libraries(), &[path.to_path_buf()])?;
        Ok(found.values().flatten().any(|owner| owner.is(project)))
    }

    fn first_file(&self, id: DirectoryId) -> Option<&PlannedFile<'_>> {
        let directory = self.tree.directory(id)?;
        directory.files.values().next().or_else(|| directory.directories.values().find_map(|id| self.first_file(*id)))
    }

    fn refusal(&self, file: &PlannedFile<'_>, what: &str, destination: &Path) -> TransactionError {
        match self.placements.get(file.owner) {
            Some(placement) => placement.refusal(format!("would change {what}"), destination.to_string_lossy()),
            None => TransactionError::Protected { path: destination.to_path_buf(), what: what.to_owned() },
        }
    }

    /// A refusal of what no single file of a wheel is to blame for.
    fn refusal_of_first(&self, what: &str, path: &Path) -> TransactionError {
        match self.placements.first() {
            Some(placement) => placement.refusal(format!("would take away {what}"), path.to_string_lossy()),
            None => TransactionError::Protected { path: path.to_path_buf(), what: what.to_owned() },
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
        return Ok(Occupant::Directory(path.to_path_buf(), metadata));
    }
    if metadata.is_symlink() && path.is_dir() {
        return Ok(Occupant::Directory(resolve(path)?, metadata));
    }
    Ok(Occupant::File)
}

fn is_info(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "dist-info" || extension == "egg-info")
}
