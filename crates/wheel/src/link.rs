//! Fills the staging directory: hard links to unpacked files, and the few files that an installer writes itself.
//!
//! A link shares the mode, the owner and the modification time of the file in the cache. When mode or owner are not
//! what a file created now would have, or the file system refuses to link, the file is copied instead (with its
//! modification time, which compiled bytecode remembers). So the cache is best filled with the umask and by the user
//! who installs, and a cache of another user never leaves files in an environment that he could change afterwards.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rayon::prelude::*;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Timespec, Timestamps};

use crate::destination_tree::{DestinationTree, DirectoryId, FileSource, Permissions, PlannedFile};
use crate::fault_injection;
use crate::staging::Defaults;
use crate::transaction_error::TransactionError;

/// Makes files and directories of a layout in a staging directory.
pub(crate) struct Linker<'l, 'a> {
    pub(crate) tree: &'l DestinationTree<'a>,
    pub(crate) defaults: Defaults,
}

/// A directory of the cache that is open while its files are linked.
struct OpenDirectory<'a> {
    tree: &'a Path,
    path: &'a str,
    handle: OwnedFd,
}

impl<'a> Linker<'_, 'a> {
    /// Makes a directory and everything below it, several directories at once.
    pub(crate) fn directory(
        &self,
        id: DirectoryId,
        parent: BorrowedFd<'_>,
        name: &OsStr,
    ) -> Result<(), TransactionError> {
        let Some(directory) = self.tree.directory(id) else { return Ok(()) };
        let made = fault_injection::step().and_then(|()| {
            rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o777))?;
            Ok(open_directory(parent, name)?)
        });
        let handle = made.map_err(TransactionError::io(Path::new(name)))?;
        let mut sources = Vec::new();
        for (name, file) in &directory.files {
            self.file_from(&mut sources, file, handle.as_fd(), name)?;
        }
        drop(sources);
        match directory.directories.len() {
            0 => Ok(()),
            1 => directory.directories.iter().try_for_each(|(name, id)| self.directory(*id, handle.as_fd(), name)),
            _ => directory.directories.par_iter().try_for_each(|(name, id)| self.directory(*id, handle.as_fd(), name)),
        }
    }

    /// Makes one file.
    pub(crate) fn file(
        &self,
        file: &PlannedFile<'a>,
        parent: BorrowedFd<'_>,
        name: &OsStr,
    ) -> Result<(), TransactionError> {
        self.file_from(&mut Vec::new(), file, parent, name)
    }

    fn file_from(
        &self,
        sources: &mut Vec<OpenDirectory<'a>>,
        file: &PlannedFile<'a>,
        parent: BorrowedFd<'_>,
        name: &OsStr,
    ) -> Result<(), TransactionError> {
        match &file.source {
            FileSource::Written { contents, permissions, modified } => fault_injection::step()
                .and_then(|()| self.write(contents, *permissions, *modified, parent, name))
                .map_err(TransactionError::io(Path::new(name))),
            FileSource::Cached { tree, path, size, modified, permissions } => {
                let expected = ExpectedStat { size: *size, modified: *modified, mode: self.mode(*permissions) };
                self.cached(sources, tree, path, &expected, parent, name)
            }
        }
    }

    fn cached(
        &self,
        sources: &mut Vec<OpenDirectory<'a>>,
        tree: &'a Path,
        path: &'a str,
        expected: &ExpectedStat,
        parent: BorrowedFd<'_>,
        name: &OsStr,
    ) -> Result<(), TransactionError> {
        let full = || tree.join(path);
        let changed = |problem| TransactionError::CacheChanged { tree: tree.to_path_buf(), path: full(), problem };
        let (directory, file_name) = path.rsplit_once('/').unwrap_or(("", path));
        let known = sources.iter().position(|open| open.tree == tree && open.path == directory);
        let position = match known {
            Some(position) => position,
            None => {
                let opened = open_directory(rustix::fs::CWD, tree.join(directory).as_os_str());
                let handle = opened.map_err(|_| changed("its directory cannot be opened"))?;
                sources.push(OpenDirectory { tree, path: directory, handle });
                sources.len() - 1
            }
        };
        let Some(source) = sources.get(position).map(|open| open.handle.as_fd()) else { return Ok(()) };
        let found = rustix::fs::statat(source, file_name, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|_| changed("it cannot be looked at"))?;
        if let Some(problem) = expected.difference(&found) {
            return Err(changed(problem));
        }
        fault_injection::step().map_err(TransactionError::io(&full()))?;
        let as_new = found.st_mode & 0o7777 == expected.mode && found.st_uid == self.defaults.owner;
        if as_new && rustix::fs::linkat(source, file_name, parent, name, AtFlags::empty()).is_ok() {
            return Ok(());
        }
        // Another file system, too many links, links not allowed: whatever the reason, a copy does as well; and if the
        // disk has a deeper problem, the copy meets it too.
        let copied = copy(source, file_name, parent, name, expected, &found).map_err(TransactionError::io(&full()))?;
        if copied != expected.size {
            return Err(changed("its length changed while it was copied"));
        }
        Ok(())
    }

    fn write(
        &self,
        contents: &[u8],
        permissions: Permissions,
        modified: Option<(i64, u32)>,
        parent: BorrowedFd<'_>,
        name: &OsStr,
    ) -> io::Result<()> {
        let mut file = create(parent, name)?;
        file.write_all(contents)?;
        if let Some((seconds, nanoseconds)) = modified {
            let time = Timespec { tv_sec: seconds, tv_nsec: nanoseconds.into() };
            rustix::fs::futimens(&file, &Timestamps { last_access: time, last_modification: time })?;
        }
        if permissions != Permissions::Plain {
            rustix::fs::fchmod(&file, Mode::from_raw_mode(self.mode(permissions) as rustix::fs::RawMode))?;
        }
        Ok(())
    }

    fn mode(&self, permissions: Permissions) -> u32 {
        match permissions {
            Permissions::Plain => self.defaults.mode & 0o666,
            Permissions::Executable => self.defaults.mode | 0o111,
            Permissions::Script => self.defaults.mode & 0o666 | 0o555,
        }
    }
}

/// The mode and owner that a file of the cache must have.
struct ExpectedStat {
    size: u64,
    modified: Option<(i64, u32)>,
    mode: u32,
}

impl ExpectedStat {
    #[allow(clippy::unnecessary_cast, reason = "the types of these fields differ between systems")]
    fn difference(&self, found: &rustix::fs::Stat) -> Option<&'static str> {
        if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
            return Some("it is not a regular file");
        }
        if u64::try_from(found.st_size) != Ok(self.size) {
            return Some("its size differs");
        }
        let modified = (found.st_mtime as i64, found.st_mtime_nsec as u32);
        (self.modified.is_some_and(|expected| expected != modified)).then_some("its modification time differs")
    }
}

fn copy(
    source: BorrowedFd<'_>,
    file_name: &str,
    parent: BorrowedFd<'_>,
    name: &OsStr,
    expected: &ExpectedStat,
    found: &rustix::fs::Stat,
) -> io::Result<u64> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut from = File::from(rustix::fs::openat(source, file_name, flags, Mode::empty())?);
    let mut to = create(parent, name)?;
    let copied = io::copy(&mut from, &mut to)?;
    rustix::fs::fchmod(&to, Mode::from_raw_mode(expected.mode as rustix::fs::RawMode))?;
    let time = Timespec { tv_sec: found.st_mtime, tv_nsec: found.st_mtime_nsec as _ };
    rustix::fs::futimens(&to, &Timestamps { last_access: time, last_modification: time })?;
    Ok(copied)
}

fn create(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::openat(parent, name, flags, Mode::from_raw_mode(0o666))?))
}

fn open_directory(parent: BorrowedFd<'_>, path: &OsStr) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(parent, path.as_bytes(), flags, Mode::empty())
}
