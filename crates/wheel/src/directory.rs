//! A directory that is held open: what is done in it is done there, whatever its path has become meanwhile, and no
//! symbolic link is followed. Whoever may write to an environment could otherwise lead a transaction of another user,
//! of root above all, out of it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};

use crate::fault_injection;

/// The longest file that is read.
const LONGEST: u64 = 256 << 20;

/// An open directory.
#[derive(Debug)]
pub(crate) struct Directory(OwnedFd);

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Directory {
    /// Opens an absolute path of which no part is a symbolic link.
    pub(crate) fn open(path: &Path) -> io::Result<Directory> {
        let mut current = Directory(rustix::fs::openat(rustix::fs::CWD, "/", flags(), Mode::empty())?);
        for component in path.components() {
            match component {
                Component::RootDir => {}
                Component::Normal(name) => current = current.child(name)?,
                _ => return Err(io::Error::from(io::ErrorKind::InvalidInput)),
            }
        }
        Ok(current)
    }

    /// Opens a directory in this one; a symbolic link is an error.
    pub(crate) fn child(&self, name: &OsStr) -> io::Result<Directory> {
        Ok(Directory(rustix::fs::openat(&self.0, name, flags(), Mode::empty())?))
    }

    /// Makes a directory in this one.
    pub(crate) fn make(&self, name: &str, mode: rustix::fs::RawMode) -> io::Result<Directory> {
        fault_injection::step()?;
        rustix::fs::mkdirat(&self.0, name, Mode::from_raw_mode(mode))?;
        self.child(OsStr::new(name))
    }

    /// What is known about the directory itself.
    pub(crate) fn stat(&self) -> io::Result<Stat> {
        Ok(rustix::fs::fstat(&self.0)?)
    }

    /// What is there under a name, if anything is.
    pub(crate) fn look(&self, name: &OsStr) -> io::Result<Option<Stat>> {
        match rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(Some(found)),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The contents of a regular file, and whose it is; `None` if there is no such name.
    pub(crate) fn read(&self, name: &str) -> io::Result<Option<(Vec<u8>, Stat)>> {
        // Opening a pipe must not wait for somebody to write into it.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(&self.0, name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let found = rustix::fs::fstat(&file)?;
        if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
            return Err(io::Error::other("it is not a regular file"));
        }
        let mut contents = Vec::new();
        if file.take(LONGEST + 1).read_to_end(&mut contents)? as u64 > LONGEST {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        Ok(Some((contents, found)))
    }

    /// Writes a file that must not exist yet.
    pub(crate) fn write(&self, name: &str, contents: &[u8]) -> io::Result<()> {
        fault_injection::step()?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(rustix::fs::openat(&self.0, name, flags, Mode::from_raw_mode(0o600))?);
        io::Write::write_all(&mut file, contents)
    }

    /// Renames something into another directory, replacing what may be replaced there.
    pub(crate) fn rename(&self, name: &OsStr, to: &Directory, new: &OsStr) -> io::Result<()> {
        fault_injection::step()?;
        Ok(rustix::fs::renameat(&self.0, name, &to.0, new)?)
    }

    /// Renames a file or directory into another directory, replacing nothing. Where the file system cannot rename a
    /// directory (a directory of a lower layer of an overlay, as in containers) its contents are moved one by one; so they
    /// are when a former attempt was interrupted.
    pub(crate) fn move_tree(&self, name: &OsStr, to: &Directory, new: &OsStr) -> io::Result<()> {
        fault_injection::step()?;
        let error = match rustix::fs::renameat(&self.0, name, &to.0, new) {
            Ok(()) => return Ok(()),
            Err(error) => io::Error::from(error),
        };
        let piecemeal = matches!(
            error.kind(),
            io::ErrorKind::CrossesDevices | io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists
        );
        let found = rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if !piecemeal || FileType::from_raw_mode(found.st_mode) != FileType::Directory {
            return Err(error);
        }
        if to.look(new)?.is_none() {
            fault_injection::step()?;
            rustix::fs::mkdirat(&to.0, new, Mode::from_raw_mode(0o700))?;
            rustix::fs::chmodat(&to.0, new, Mode::from_raw_mode(found.st_mode & 0o7777), AtFlags::empty())?;
        }
        let (from, into) = (self.child(name)?, to.child(new)?);
        for entry in from.names()? {
            from.move_tree(&entry, &into, &entry)?;
        }
        fault_injection::step()?;
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::REMOVEDIR)?)
    }

    /// Deletes what is there under a name, with everything below it; nothing there is no error.
    pub(crate) fn delete_tree(&self, name: &OsStr) -> io::Result<()> {
        match rustix::fs::unlinkat(&self.0, name, AtFlags::empty()) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => return Ok(()),
            // Linux says the first, POSIX the second.
            Err(rustix::io::Errno::ISDIR | rustix::io::Errno::PERM) => {}
            Err(error) => return Err(error.into()),
        }
        let directory = self.child(name)?;
        for entry in directory.names()? {
            directory.delete_tree(&entry)?;
        }
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::REMOVEDIR)?)
    }

    /// The names of everything in the directory.
    fn names(&self) -> io::Result<Vec<std::ffi::OsString>> {
        let readable =
            rustix::fs::openat(&self.0, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::new(readable)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                names.push(OsStr::from_bytes(name).to_os_string());
            }
        }
        Ok(names)
    }
}

/// A handle that only leads on: directories that may be passed but not listed can be opened so.
fn flags() -> OFlags {
    OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}
