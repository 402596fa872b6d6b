//! Stages local files for publication: all of them, or none.
//!
//! Each is copied first, and the copy is checked: even if the original changes later, the file that was checked is the
//! one that will be published. The copies are in a directory of their own until all have passed.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use packaging::{PackageName, Version};
use rayon::prelude::*;
use repository::{FileAddition, PageFile};
use tempfile::TempDir;

use super::distribution::{ContentHashes, Distribution, Filename};
use super::index_contents::IndexContents as Contents;
use super::operator_directory::{OperatorDirectory, disk_failure};
use super::storage::Storage;
use installer::error::{Code, Failure};
use installer::event::{Progress, Reporter, WarningCode};

/// Prefix of the directories of unfinished copies.
const UNFINISHED: &str = ".adding-";

/// A file to be added.
#[derive(Clone, Debug)]
pub struct FileToAdd {
    /// Where it is.
    pub path: PathBuf,
    /// Its name, by which it will be published.
    pub filename: String,
    /// The project in the file name.
    pub project: PackageName,
}

/// The result of checking a file.
pub enum CheckedFile {
    /// It was checked, and is not in the index yet.
    New(Box<NewFile>),
    /// It is staged already.
    Staged,
    /// It is published already.
    Published,
}

/// The entry of a new file. Its core metadata is on disk beside the copy: that of many files would fill the memory.
pub struct NewFile {
    /// The project, normalized.
    pub project: PackageName,
    /// The version of the release.
    pub version: Version,
    /// Where it will be published.
    pub path: String,
    /// Its entry on the page.
    pub addition: FileAddition,
}

/// Copies of checked files. They are deleted with this value unless they are taken over.
pub struct StagedCopies {
    directory: Option<TempDir>,
    /// The upload time of these files (RFC 3339).
    upload_time: String,
}

/// The files that were named, and those in directories that were named.
///
/// # Errors
/// When there is nothing to add. Files that are missing, or that no index can list, are in the second part of the
/// result.
pub fn candidates(named: &[PathBuf], reporter: &dyn Reporter) -> Result<(Vec<FileToAdd>, Vec<Failure>), Failure> {
    let mut paths = Vec::new();
    for path in named {
        if path.is_dir() {
            let found = in_directory(path, reporter)?;
            if found.is_empty() {
                let message = format!("There are no wheels and no source distributions in {}", path.display());
                return Err(Failure::new(Code::RepoNothingToAdd, message)
                    .hint("directories in it are not looked into; name them as well"));
            }
            paths.extend(found);
        } else {
            paths.push(path.clone());
        }
    }
    let (mut candidates, mut failures) = (Vec::new(), Vec::new());
    for path in paths {
        if !path.exists() {
            failures.push(Failure::new(Code::RepoDisk, format!("{}: no such file", path.display())));
            continue;
        }
        let filename = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match Filename::parse(&filename) {
            Ok(name) => candidates.push(FileToAdd { project: name.project().clone(), filename, path }),
            Err(failure) => failures.push(failure),
        }
    }
    Ok((candidates, failures))
}

/// The wheels and source distributions directly in a directory, by name.
fn in_directory(directory: &Path, reporter: &dyn Reporter) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |error: io::Error| disk_failure(directory, error);
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".whl") || name.ends_with(".tar.gz") {
            found.push(path);
        } else if Filename::is_likely(&name) {
            reporter.warning(
                WarningCode::Repository,
                format!("{name} is left out: source distributions have to be .tar.gz (PEP 625)"),
            );
        }
    }
    found.sort();
    Ok(found)
}

impl StagedCopies {
    /// A directory for copies of files with this upload time. In a dry run nothing is copied.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn begin(operator_directory: &OperatorDirectory, upload_time: String, dry_run: bool) -> Result<Self, Failure> {
        if dry_run {
            return Ok(Self { directory: None, upload_time });
        }
        let staged = operator_directory.path("staged");
        let refused = |error: io::Error| disk_failure(&staged, error);
        fs::create_dir_all(&staged).map_err(refused)?;
        for entry in fs::read_dir(&staged).map_err(refused)? {
            let entry = entry.map_err(refused)?;
            // Left by a killed command: no other one works here now.
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        let private = fs::Permissions::from_mode(0o700);
        let unfinished = tempfile::Builder::new().prefix(UNFINISHED).permissions(private).tempdir_in(&staged);
        let directory = unfinished.map_err(refused)?;
        Ok(Self { directory: Some(directory), upload_time })
    }

    /// Copies and checks files on all cores; the answers are in the order of the candidates.
    pub fn check(
        &self,
        candidates: &[FileToAdd],
        contents: &Contents,
        operator_directory: &OperatorDirectory,
        reporter: &dyn Reporter,
    ) -> Vec<Result<CheckedFile, Failure>> {
        let staged = contents.staged_files();
        let done = AtomicUsize::new(0);
        let total = candidates.len();
        let check = |(place, candidate): (usize, &FileToAdd)| {
            let checked = self.check_one(place, candidate, contents, &staged, operator_directory);
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            reporter.progress(Progress::Counted { what: "Checking files", done, total });
            checked
        };
        candidates.par_iter().enumerate().with_max_len(1).map(check).collect()
    }

    fn check_one(
        &self,
        place: usize,
        candidate: &FileToAdd,
        contents: &Contents,
        staged: &HashMap<String, FileAddition>,
        operator_directory: &OperatorDirectory,
    ) -> Result<CheckedFile, Failure> {
        let published = contents.published_file(&candidate.project, &candidate.filename);
        let staged = staged.get(&candidate.filename).map(|addition| &addition.file);
        if let Some(known) = published {
            same_content(known, candidate, "published")?;
            if !contents.is_touched(&candidate.filename) {
                return Ok(CheckedFile::Published);
            }
        }
        if let Some(known) = staged {
            same_content(known, candidate, "staged")?;
            // A staged file may be lost; then it is staged again.
            if is_there(known, operator_directory) {
                return Ok(CheckedFile::Staged);
            }
        }
        let Some(directory) = &self.directory else {
            return Ok(self.new_file(Distribution::inspect(&candidate.path, &candidate.filename)?));
        };
        let copy = directory.path().join(place.to_string());
        copy_file(&candidate.path, &copy).map_err(|error| disk_failure(&candidate.path, error))?;
        let found = Distribution::inspect(&copy, &candidate.filename)?;
        if let Some(metadata) = &found.core_metadata {
            let beside = copy.with_extension("metadata");
            fs::write(&beside, metadata).map_err(|error| disk_failure(&beside, error))?;
        }
        Ok(self.new_file(found))
    }

    fn new_file(&self, found: Distribution) -> CheckedFile {
        let (path, addition) = (found.path(), found.addition(&self.upload_time));
        CheckedFile::New(Box::new(NewFile { project: found.project, version: found.version, path, addition }))
    }

    /// Moves the copy of the candidate at `place` to the staged files.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn take_over(
        &self,
        place: usize,
        file: &NewFile,
        operator_directory: &OperatorDirectory,
    ) -> Result<(), Failure> {
        let Some(directory) = &self.directory else { return Ok(()) };
        let copy = directory.path().join(place.to_string());
        let path = &file.path;
        let target = operator_directory.staged_file(path);
        let refused = |error: io::Error| disk_failure(&target, error);
        fs::create_dir_all(target.parent().unwrap_or(&target)).map_err(refused)?;
        if file.addition.file.core_metadata.is_some() {
            fs::rename(copy.with_extension("metadata"), operator_directory.staged_file(&format!("{path}.metadata")))
                .map_err(refused)?;
        }
        fs::rename(&copy, &target).map_err(refused)
    }

    /// Waits until everything that was taken over survives a crash of the machine.
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn flush(&self, operator_directory: &OperatorDirectory) -> Result<(), Failure> {
        match &self.directory {
            Some(_) => Storage::open(&operator_directory.path("staged").to_string_lossy())?.flush().await,
            None => Ok(()),
        }
    }
}

/// A file name belongs to one content for ever: users have pinned its hash.
fn same_content(known: &PageFile, candidate: &FileToAdd, how: &str) -> Result<(), Failure> {
    let (expected, found) = (&known.hashes.sha256, ContentHashes::of(&candidate.path)?.sha256);
    if *expected == found {
        return Ok(());
    }
    let message = format!(
        "{} is {how} already, with other content (sha256 {expected}, not {found}): a new file needs a new name",
        candidate.filename
    );
    Err(Failure::new(Code::RepoOtherContent, message))
}

/// Whether the staged files of this entry exist with the right lengths.
fn is_there(file: &PageFile, operator_directory: &OperatorDirectory) -> bool {
    let Some(path) = file.path() else { return true };
    let length = |path: &str| fs::metadata(operator_directory.staged_file(path)).ok().map(|metadata| metadata.len());
    let has_metadata = file.core_metadata.is_none() || length(&format!("{path}.metadata")).is_some();
    has_metadata && length(&path) == Some(file.size)
}

/// Where the file system can share the content of two files, nothing is copied. Everybody may read the copy.
fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    if !fs::metadata(from)?.is_file() {
        return Err(io::Error::other("not a file"));
    }
    io::copy(&mut File::open(from)?, &mut File::create_new(to)?).map(|_| ())
}
