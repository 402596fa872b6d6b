//! The tree of destinations: for every file of every wheel in a transaction, where it goes and where it comes from.
//!
//! One tree from the root of the file system for the whole transaction, so that two wheels that share a directory, or a
//! wheel that reaches one directory by two ways, need no special care.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use crate::link_times::LinkTimes;

/// Number of a directory in a [`DestinationTree`].
pub(crate) type DirectoryId = usize;

/// The tree.
pub(crate) struct DestinationTree<'a> {
    directories: Vec<DestinationDirectory<'a>>,
    /// Files that a later placement of the transaction replaced.
    pub(crate) replaced: Vec<ReplacedFile<'a>>,
}

/// A file that two placements of a transaction want in one place. The later one has it.
pub(crate) struct ReplacedFile<'a> {
    pub(crate) path: PathBuf,
    /// Where the later file is in the tree.
    pub(crate) directory: DirectoryId,
    pub(crate) earlier: PlannedFile<'a>,
}

/// One directory of the tree.
#[derive(Default)]
pub(crate) struct DestinationDirectory<'a> {
    pub(crate) directories: BTreeMap<OsString, DirectoryId>,
    pub(crate) files: BTreeMap<OsString, PlannedFile<'a>>,
}

/// One file of the tree.
pub(crate) struct PlannedFile<'a> {
    /// Which placement of the transaction it is from, counted from 0.
    pub(crate) owner: usize,
    pub(crate) source: FileSource<'a>,
}

/// Where the contents of a file come from.
pub(crate) enum FileSource<'a> {
    /// An unpacked file, to be linked or copied.
    Cached(CachedFile<'a>),
    /// Written by the installer.
    Written {
        contents: Vec<u8>,
        permissions: Permissions,
        /// Modification time to give it, where bytecode refers to that.
        modified: Option<(i64, u32)>,
    },
}

/// A file of the cache, and what it must be.
pub(crate) struct CachedFile<'a> {
    pub(crate) tree: &'a Path,
    pub(crate) path: &'a str,
    pub(crate) size: u64,
    /// Expected modification time; bytecode has none in its list.
    pub(crate) modified: Option<(i64, u32)>,
    /// In the form RECORD uses.
    pub(crate) sha256: &'a str,
    pub(crate) permissions: Permissions,
    pub(crate) times: &'a LinkTimes,
    /// Which of the times is that of the file.
    pub(crate) number: usize,
}

/// Permissions of a placed file, before the umask (pip's rules).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permissions {
    /// 0666 without the umask.
    Plain,
    /// 0777 without the umask, and always executable for everybody.
    Executable,
    /// A generated script: 0666 without the umask, and always readable and executable for everybody.
    Script,
}

/// What prevents a new file.
pub(crate) enum PathConflict {
    /// The same placement already put a file there.
    SameOwner,
    /// A directory is planned at this path.
    Directory,
}

impl<'a> DestinationTree<'a> {
    pub(crate) const ROOT: DirectoryId = 0;

    pub(crate) fn new() -> DestinationTree<'a> {
        DestinationTree { directories: vec![DestinationDirectory::default()], replaced: Vec::new() }
    }

    pub(crate) fn directory(&self, id: DirectoryId) -> Option<&DestinationDirectory<'a>> {
        self.directories.get(id)
    }

    /// The directory at an absolute path, or at a path relative to `start`; `None` when a file is in the way.
    pub(crate) fn make_directory(&mut self, start: DirectoryId, path: &Path) -> Option<DirectoryId> {
        let mut current = start;
        for component in path.components() {
            if let Component::Normal(name) = component {
                current = self.make_child(current, name)?;
            }
        }
        Some(current)
    }

    fn make_child(&mut self, parent: DirectoryId, name: &OsStr) -> Option<DirectoryId> {
        let next = self.directories.len();
        let directory = self.directories.get_mut(parent)?;
        if let Some(child) = directory.directories.get(name) {
            return Some(*child);
        }
        if directory.files.contains_key(name) {
            return None;
        }
        directory.directories.insert(name.to_os_string(), next);
        self.directories.push(DestinationDirectory::default());
        Some(next)
    }

    /// Adds a file. Where two placements want the same file the later one has it, as with pip, which installs one wheel
    /// after the other. Returns the one that was there before.
    pub(crate) fn add_file(
        &mut self,
        parent: DirectoryId,
        name: &str,
        file: PlannedFile<'a>,
        replace_own: bool,
    ) -> Result<Option<PlannedFile<'a>>, PathConflict> {
        let Some(directory) = self.directories.get_mut(parent) else { return Err(PathConflict::Directory) };
        let name = OsString::from(name);
        if directory.directories.contains_key(&name) {
            return Err(PathConflict::Directory);
        }
        match directory.files.entry(name) {
            Entry::Vacant(entry) => {
                entry.insert(file);
                Ok(None)
            }
            Entry::Occupied(mut entry) => {
                if entry.get().owner == file.owner && !replace_own {
                    return Err(PathConflict::SameOwner);
                }
                Ok(Some(entry.insert(file)))
            }
        }
    }
}
