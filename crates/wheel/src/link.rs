//! Fills the staging directory: hard links to unpacked files, and the few files that an installer writes itself.
//!
//! A link shares the mode, the owner and the modification time of the file in the cache, and what is written into one
//! later. So a file is linked only if mode and owner are what a file created now would have, and the directory that it
//! goes to belongs to the same owner; else, and where the file system refuses to link, it is copied (with its
//! modification time, which compiled bytecode remembers).
//!
//! Nothing is placed that is not what was unpacked: what is copied is hashed on the way, what is linked is hashed first
//! unless its change time is still that of our last linking ([`LinkTimes`](crate::LinkTimes)). What another user owns or
//! may write to is not believed.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use base64::Engine as _;
use rayon::prelude::*;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, Timespec, Timestamps};
use sha2::{Digest as _, Sha256};

use crate::destination_tree::{CachedFile, DestinationTree, DirectoryId, FileSource, Permissions, PlannedFile};
use crate::fault_injection;
use crate::staging::Defaults;
use crate::transaction_error::TransactionError;

/// Files of more bytes are looked at side by side.
const LARGE: u64 = 1 << 20;
/// Bytes that are hashed and copied at a time.
const BUFFER: usize = 64 << 10;

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
    /// Makes a directory and everything below it, several directories at once. Without `links`, all files are copied.
    pub(crate) fn directory(
        &self,
        id: DirectoryId,
        parent: BorrowedFd<'_>,
        name: &OsStr,
        links: bool,
    ) -> Result<(), TransactionError> {
        let Some(directory) = self.tree.directory(id) else { return Ok(()) };
        let made = fault_injection::step().and_then(|()| {
            rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o777))?;
            Ok(open_directory(parent, name)?)
        });
        let handle = made.map_err(TransactionError::io(Path::new(name)))?;
        // Large ones may have to be hashed, which takes longer than opening their directory again.
        let is_large = |file: &PlannedFile<'_>| matches!(&file.source, FileSource::Cached(file) if file.size > LARGE);
        let large: Vec<_> = directory.files.iter().filter(|(_, file)| is_large(file)).collect();
        large.par_iter().try_for_each(|(name, file)| self.file(file, handle.as_fd(), name, links))?;
        let mut sources = Vec::new();
        for (name, file) in directory.files.iter().filter(|(_, file)| !is_large(file)) {
            self.file_from(&mut sources, file, handle.as_fd(), name, links)?;
        }
        drop(sources);
        let below = |(name, id): (&OsString, &DirectoryId)| self.directory(*id, handle.as_fd(), name, links);
        match directory.directories.len() {
            0 => Ok(()),
            1 => directory.directories.iter().try_for_each(below),
            _ => directory.directories.par_iter().try_for_each(below),
        }
    }

    /// Makes one file.
    pub(crate) fn file(
        &self,
        file: &PlannedFile<'a>,
        parent: BorrowedFd<'_>,
        name: &OsStr,
        links: bool,
    ) -> Result<(), TransactionError> {
        self.file_from(&mut Vec::new(), file, parent, name, links)
    }

    fn file_from(
        &self,
        sources: &mut Vec<OpenDirectory<'a>>,
        file: &PlannedFile<'a>,
        parent: BorrowedFd<'_>,
        name: &OsStr,
        links: bool,
    ) -> Result<(), TransactionError> {
        match &file.source {
            FileSource::Written { contents, permissions, modified } => fault_injection::step()
                .and_then(|()| self.write(contents, *permissions, *modified, parent, name))
                .map_err(TransactionError::io(Path::new(name))),
            FileSource::Cached(file) => self.cached(sources, file, parent, name, links),
        }
    }

    fn cached(
        &self,
        sources: &mut Vec<OpenDirectory<'a>>,
        file: &CachedFile<'a>,
        parent: BorrowedFd<'_>,
        name: &OsStr,
        links: bool,
    ) -> Result<(), TransactionError> {
        let full = || file.tree.join(file.path);
        let changed = |problem| TransactionError::CacheChanged { tree: file.tree.to_path_buf(), path: full(), problem };
        let (directory, file_name) = file.path.rsplit_once('/').unwrap_or(("", file.path));
        let known = sources.iter().position(|open| open.tree == file.tree && open.path == directory);
        let position = match known {
            Some(position) => position,
            None => {
                let opened = open_directory(rustix::fs::CWD, file.tree.join(directory).as_os_str());
                let handle = opened.map_err(|_| changed("its directory cannot be opened"))?;
                let found = rustix::fs::fstat(&handle).map_err(|_| changed("its directory cannot be looked at"))?;
                if let Some(problem) = self.foreign(&found) {
                    return Err(changed(problem));
                }
                sources.push(OpenDirectory { tree: file.tree, path: directory, handle });
                sources.len() - 1
            }
        };
        let Some(source) = sources.get(position).map(|open| open.handle.as_fd()) else { return Ok(()) };
        let found = rustix::fs::statat(source, file_name, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|_| changed("it cannot be looked at"))?;
        if let Some(problem) = difference(file, &found).or_else(|| self.foreign(&found)) {
            return Err(changed(problem));
        }
        fault_injection::step().map_err(TransactionError::io(&full()))?;
        let mode = self.mode(file.permissions);
        let as_new = found.st_mode & 0o7777 == mode && found.st_uid == self.defaults.owner;
        if links && as_new {
            let is_known = file.times.is_known(file.number, change_time(&found));
            if !is_known
                && hash(source, file_name, io::sink()).map_err(|_| changed("it cannot be read"))? != file.sha256
            {
                return Err(changed("its contents differ"));
            }
            if rustix::fs::linkat(source, file_name, parent, name, AtFlags::empty()).is_ok() {
                // What is placed is what was looked at and hashed.
                let placed = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)
                    .map_err(TransactionError::io(&full()))?;
                if (placed.st_dev, placed.st_ino) != (found.st_dev, found.st_ino) || difference(file, &placed).is_some()
                {
                    return Err(changed("it changed while it was linked"));
                }
                file.times.set(file.number, change_time(&placed));
                return Ok(());
            }
        }
        // Another file system, too many links, links not allowed: whatever the reason, a copy does as well; and if the
        // disk has a deeper problem, the copy meets it too.
        let copied = copy(source, file_name, parent, name, mode, &found).map_err(TransactionError::io(&full()))?;
        if copied != file.sha256 {
            return Err(changed("its contents differ"));
        }
        Ok(())
    }

    /// Why others could have changed something in the cache. What belongs to root is as good as one's own.
    fn foreign(&self, found: &Stat) -> Option<&'static str> {
        if found.st_uid != self.defaults.owner && found.st_uid != 0 {
            return Some("it belongs to another user");
        }
        (found.st_mode & 0o022 != 0).then_some("others may write to it")
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

/// How a file of the cache differs from what it must be, at first sight.
#[allow(clippy::unnecessary_cast, reason = "the types of these fields differ between systems")]
fn difference(file: &CachedFile<'_>, found: &Stat) -> Option<&'static str> {
    if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
        return Some("it is not a regular file");
    }
    if u64::try_from(found.st_size) != Ok(file.size) {
        return Some("its size differs");
    }
    let modified = (found.st_mtime as i64, found.st_mtime_nsec as u32);
    (file.modified.is_some_and(|expected| expected != modified)).then_some("its modification time differs")
}

/// In nanoseconds since 1970.
#[allow(clippy::unnecessary_cast, reason = "the types of these fields differ between systems")]
fn change_time(found: &Stat) -> i64 {
    (found.st_ctime as i64).saturating_mul(1_000_000_000).saturating_add(found.st_ctime_nsec as i64)
}

/// Copies a file into a new one; gives the hash of what was copied.
fn copy(
    source: BorrowedFd<'_>,
    file_name: &str,
    parent: BorrowedFd<'_>,
    name: &OsStr,
    mode: u32,
    found: &Stat,
) -> io::Result<String> {
    let mut to = create(parent, name)?;
    let copied = hash(source, file_name, &mut to)?;
    rustix::fs::fchmod(&to, Mode::from_raw_mode(mode as rustix::fs::RawMode))?;
    let time = Timespec { tv_sec: found.st_mtime, tv_nsec: found.st_mtime_nsec as _ };
    rustix::fs::futimens(&to, &Timestamps { last_access: time, last_modification: time })?;
    Ok(copied)
}

/// The hash of a file, the way RECORD writes it; its contents go to `sink`.
fn hash(source: BorrowedFd<'_>, file_name: &str, mut sink: impl io::Write) -> io::Result<String> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut from = File::from(rustix::fs::openat(source, file_name, flags, Mode::empty())?);
    let mut hasher = Sha256::new();
    let size = usize::try_from(rustix::fs::fstat(&from)?.st_size).unwrap_or(BUFFER);
    let mut buffer = vec![0; size.clamp(1, BUFFER)];
    loop {
        let length = from.read(&mut buffer)?;
        let part = buffer.get(..length).unwrap_or_default();
        if part.is_empty() {
            return Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(hasher.finalize()));
        }
        hasher.update(part);
        sink.write_all(part)?;
    }
}

fn create(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::openat(parent, name, flags, Mode::from_raw_mode(0o666))?))
}

fn open_directory(parent: BorrowedFd<'_>, path: &OsStr) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(parent, path.as_bytes(), flags, Mode::empty())
}
