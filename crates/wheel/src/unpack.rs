//! From an open wheel to a directory with its files and a [`Manifest`]: everything is checked, or nothing is left.
//!
//! What can be checked without inflating everything is checked before the first file is written: the distribution's
//! identity, WHEEL, entry points, `.data` and that RECORD lists exactly the files of the archive. Checksums and hashes
//! are compared while inflating; if one is wrong, everything written is removed again.
//!
//! Implements the "Binary distribution format" specification (PEP 427) and RECORD as recorded by PEP 376 and PEP 627.

mod destinations;
mod dist_info;
mod record_check;
mod write;

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use crate::archive::{ArchiveEntry, WheelArchive};
use crate::error::{Refusal, Rule, WheelError};
use crate::manifest::Manifest;
use dist_info::{Scripts, WheelFile};
use record_check::ExpectedDigest;

/// What to do about a RECORD that does not describe the files of the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordPolicy {
    /// Refuse the wheel.
    Enforce,
    /// Unpack it nevertheless, at the user's explicit request for this wheel.
    Waive,
}

/// Files that only an installer or an index may write. They are left out when a wheel brings them along.
const INSTALLER_FILES: [&str; 3] = ["INSTALLER", "REQUESTED", "direct_url.json"];
/// RECORD and its signatures, which RECORD does not describe.
const RECORD_FILES: [&str; 3] = ["RECORD", "RECORD.jws", "RECORD.p7s"];

/// Unpacks all files to place into the directory `into`, which is created and must be empty if it exists. Uses the
/// threads of the current rayon pool.
pub fn unpack(archive: &WheelArchive, into: &Path, record: RecordPolicy) -> Result<Manifest, WheelError> {
    let plan = UnpackPlan::of(archive, record)?;
    let unfinished = Unfinished::begin(into)?;
    let mut files = write::write_all(archive, &plan.entries, &plan.expected, into)?;
    unfinished.keep();
    files.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(Manifest {
        dist_info: archive.dist_info().to_owned(),
        data: plan.data,
        wheel_version: plan.wheel_file.version,
        root_is_purelib: plan.wheel_file.root_is_purelib,
        files,
        console_scripts: plan.scripts.console,
        gui_scripts: plan.scripts.gui,
    })
}

/// Refuses what [`unpack`] would refuse, and writes nothing. Two names that only some file systems take for one are not
/// seen here. Uses the threads of the current rayon pool.
pub fn verify(archive: &WheelArchive, record: RecordPolicy) -> Result<(), WheelError> {
    let plan = UnpackPlan::of(archive, record)?;
    write::check_all(archive, &plan.entries, &plan.expected)
}

/// What a wheel consists of, as far as that can be checked without inflating everything.
struct UnpackPlan<'a> {
    wheel_file: WheelFile,
    scripts: Scripts,
    data: Option<String>,
    /// The files to place.
    entries: Vec<&'a ArchiveEntry>,
    /// What must be in them, in the same order.
    expected: Vec<ExpectedDigest>,
}

impl<'a> UnpackPlan<'a> {
    fn of(archive: &'a WheelArchive, record: RecordPolicy) -> Result<UnpackPlan<'a>, WheelError> {
        dist_info::check_metadata(archive)?;
        let wheel_file = dist_info::read_wheel_file(archive)?;
        let scripts = dist_info::read_entry_points(archive)?;
        let data = destinations::check(archive)?;
        let entries: Vec<&ArchiveEntry> = archive.files().filter(|entry| !is_left_out(archive, &entry.path)).collect();
        let expected = record_check::expected(archive, &entries, record)?;
        Ok(UnpackPlan { wheel_file, scripts, data, entries, expected })
    }
}

/// Whether a file is not unpacked: RECORD, its signatures, and what only installers write.
fn is_left_out(archive: &WheelArchive, path: &str) -> bool {
    dist_info_file(archive, path).is_some_and(|name| INSTALLER_FILES.contains(&name) || RECORD_FILES.contains(&name))
}

/// The part of `path` below the `.dist-info` directory, if it is there.
fn dist_info_file<'a>(archive: &WheelArchive, path: &'a str) -> Option<&'a str> {
    path.strip_prefix(archive.dist_info())?.strip_prefix('/')
}

/// A directory that is removed with all its contents unless it is kept.
struct Unfinished<'a> {
    path: &'a Path,
    was_there: bool,
    keep: bool,
}

impl<'a> Unfinished<'a> {
    fn begin(path: &'a Path) -> Result<Unfinished<'a>, WheelError> {
        // Whatever the umask: what others may write to is not believed later.
        let was_there = match DirBuilder::new().mode(0o755).create(path) {
            Ok(()) => false,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if fs::read_dir(path).map_err(WheelError::io(path))?.next().is_some() {
                    return Err(WheelError::Io {
                        path: path.to_owned(),
                        source: io::ErrorKind::DirectoryNotEmpty.into(),
                    });
                }
                true
            }
            Err(error) => return Err(WheelError::io(path)(error)),
        };
        Ok(Unfinished { path, was_there, keep: false })
    }

    fn keep(mut self) {
        self.keep = true;
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if self.keep {
            return;
        }
        // Best effort: the error that led here matters more, and nothing ever reads a directory without a manifest.
        let _ = fs::remove_dir_all(self.path);
        if self.was_there {
            let _ = fs::create_dir(self.path);
        }
    }
}

/// A file of the `.dist-info` directory that must be there.
fn required(archive: &WheelArchive, name: &str, rule: Rule, limit: u64) -> Result<Vec<u8>, WheelError> {
    let path = format!("{}/{name}", archive.dist_info());
    let contents = archive.read(&path, limit)?;
    contents.ok_or_else(|| Refusal::entry(archive.filename(), rule, "no such file in the wheel", path))
}
