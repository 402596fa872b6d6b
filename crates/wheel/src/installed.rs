//! The distributions that are installed in the directories of an import path.
//!
//! Implements the reading side of "Recording installed projects" and of the older layouts that pip still understands
//! (`.egg-info`, eggs, `.egg-link`). Finding them costs one listing per directory; their files are read when asked for.
//! What other tools have written is taken as it is: odd names and versions stay as text.

mod direct_url;

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use packaging::{CoreMetadata, MetadataError, PackageName};

use crate::error::WheelError;
use crate::record::{RecordRow, parse_record, parse_record_paths};

pub use direct_url::{ArchiveInfo, DirInfo, DirectUrl, VcsInfo};

/// Most bytes of a metadata file that are read.
const LARGEST_FILE: u64 = 64 * 1024 * 1024;

/// One installed distribution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledDistribution {
    /// Name as the metadata directory spells it.
    pub name: String,
    /// The normalized name; `None` when the name is not valid (for instance `~umpy`, which an interrupted pip leaves).
    pub normalized_name: Option<PackageName>,
    /// Version as the metadata directory spells it; `None` when it does not say, then METADATA does.
    pub version: Option<String>,
    /// The directory it is installed in. For an `.egg-link` the directory of the project.
    pub location: PathBuf,
    /// Its metadata directory; of plain distutils a file.
    pub info: PathBuf,
    /// How it is installed.
    pub kind: InstalledKind,
}

/// The layout of an installed distribution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstalledKind {
    /// `name-version.dist-info`: the current standard.
    DistInfo,
    /// An `.egg-info` directory of setuptools.
    EggInfo,
    /// An `.egg-info` file of plain distutils.
    EggInfoFile,
    /// A `.egg` directory of easy_install.
    Egg,
    /// A project that setuptools' `develop` points at.
    EggLink {
        /// The `.egg-link` file.
        link: PathBuf,
    },
}

/// A defect of an installed distribution.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InstalledProblem {
    /// It has no RECORD, so that it cannot be checked or removed.
    #[error("RECORD is missing")]
    NoRecord,
    /// Its RECORD cannot be read.
    #[error("RECORD cannot be read: {0}")]
    UnreadableRecord(String),
    /// It has no METADATA.
    #[error("METADATA is missing")]
    NoMetadata,
    /// A file that RECORD lists does not exist.
    #[error("{} is missing", .0.display())]
    Missing(PathBuf),
    /// A file does not have the length that RECORD says.
    #[error("{} has {found} bytes instead of {expected}", path.display())]
    WrongSize {
        /// The file.
        path: PathBuf,
        /// Bytes that RECORD says.
        expected: u64,
        /// Bytes that are there.
        found: u64,
    },
}

/// Finds the distributions in some directories. Of several with one name the one in the first directory counts;
/// directories that do not exist hold nothing.
pub fn installed(directories: &[PathBuf]) -> Result<Vec<InstalledDistribution>, WheelError> {
    let mut known = HashSet::new();
    let mut found = Vec::new();
    for directory in directories {
        for distribution in in_directory(directory)? {
            let key = match &distribution.normalized_name {
                Some(name) => name.to_string(),
                None => distribution.name.clone(),
            };
            if known.insert(key) {
                found.push(distribution);
            }
        }
    }
    Ok(found)
}

/// Compares RECORD with the disk: missing files and files of another length. Compiled files are
/// ignored, since they may be deleted at any time.
pub fn problems(distribution: &InstalledDistribution) -> Vec<InstalledProblem> {
    if distribution.kind != InstalledKind::DistInfo {
        return Vec::new();
    }
    let mut problems = Vec::new();
    if !distribution.info.join("METADATA").is_file() {
        problems.push(InstalledProblem::NoMetadata);
    }
    let rows = match distribution.record() {
        Ok(Some(rows)) => rows,
        Ok(None) => {
            problems.push(InstalledProblem::NoRecord);
            return problems;
        }
        Err(error) => {
            problems.push(InstalledProblem::UnreadableRecord(error.to_string()));
            return problems;
        }
    };
    for row in rows {
        let path = distribution.location.join(&row.path);
        if row.path.ends_with(".pyc") {
            continue;
        }
        match (fs::metadata(&path), row.size) {
            (Err(_), _) => problems.push(InstalledProblem::Missing(path)),
            (Ok(metadata), Some(expected)) if metadata.is_file() && metadata.len() != expected => {
                problems.push(InstalledProblem::WrongSize { path, expected, found: metadata.len() });
            }
            _ => {}
        }
    }
    problems
}

impl InstalledDistribution {
    /// Its METADATA or PKG-INFO, raw; `None` when there is none.
    pub fn metadata_text(&self) -> Result<Option<Vec<u8>>, WheelError> {
        match self.kind {
            InstalledKind::DistInfo => self.read("METADATA"),
            InstalledKind::EggInfoFile => read_optional(&self.info),
            InstalledKind::EggInfo | InstalledKind::Egg | InstalledKind::EggLink { .. } => self.read("PKG-INFO"),
        }
    }

    /// Its metadata; `None` when there are none.
    pub fn metadata(&self) -> Result<Option<Result<CoreMetadata, MetadataError>>, WheelError> {
        Ok(self.metadata_text()?.map(|text| CoreMetadata::parse(&text)))
    }

    /// The rows of its RECORD; `None` when there is none.
    pub fn record(&self) -> Result<Option<Vec<RecordRow>>, WheelError> {
        self.parsed_record(parse_record)
    }

    /// The files it consists of, as far as it says: of RECORD or `installed-files.txt`, relative to `location`.
    pub fn files(&self) -> Result<Option<Vec<String>>, WheelError> {
        if let Some(paths) = self.parsed_record(parse_record_paths)? {
            return Ok(Some(paths));
        }
        let Some(text) = self.read("installed-files.txt")? else { return Ok(None) };
        let Some(info) = self.info.file_name().map(|name| name.to_string_lossy().into_owned()) else { return Ok(None) };
        // Those paths are relative to the metadata directory.
        let text = String::from_utf8_lossy(&text).into_owned();
        let relative = |line: &str| match line.strip_prefix("../") {
            Some(path) => path.to_owned(),
            None => format!("{info}/{line}"),
        };
        Ok(Some(text.lines().filter(|line| !line.is_empty()).map(relative).collect()))
    }

    /// Who installed it: the first line of INSTALLER that is not empty; else an empty text.
    pub fn installer(&self) -> String {
        let text = self.read("INSTALLER").ok().flatten().unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
    }

    /// Whether the user requested it, and not only another distribution.
    pub fn requested(&self) -> bool {
        self.info.join("REQUESTED").is_file()
    }

    /// Where it came from, when not from an index. A file that is not valid counts as none, as with pip.
    pub fn direct_url(&self) -> Option<DirectUrl> {
        DirectUrl::from_json(&self.read("direct_url.json").ok()??).ok()
    }

    /// The directory of the project when it is installed in editable mode.
    pub fn editable_location(&self) -> Option<PathBuf> {
        match &self.kind {
            InstalledKind::EggLink { .. } => Some(self.location.clone()),
            _ => self.direct_url()?.editable_path(),
        }
    }

    /// Reads a file of the metadata directory; `None` when it does not exist.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, WheelError> {
        read_optional(&self.info.join(name))
    }

    fn parsed_record<T>(
        &self,
        parse: impl FnOnce(&[u8]) -> Result<T, crate::record::RecordError>,
    ) -> Result<Option<T>, WheelError> {
        if self.kind != InstalledKind::DistInfo {
            return Ok(None);
        }
        let Some(text) = self.read("RECORD")? else { return Ok(None) };
        let path = self.info.join("RECORD");
        parse(&text).map(Some).map_err(|source| WheelError::InstalledRecord { path, source })
    }
}

fn in_directory(directory: &Path) -> Result<Vec<InstalledDistribution>, WheelError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(WheelError::io(directory)(error)),
    };
    let in_egg = directory.extension() == Some(OsStr::new("egg"));
    let mut found = Vec::new();
    let mut links = Vec::new();
    for entry in entries {
        let path = entry.map_err(WheelError::io(directory))?.path();
        let Some(file_name) = path.file_name().and_then(OsStr::to_str) else { continue };
        if let Some(stem) = file_name.strip_suffix(".dist-info") {
            found.extend(dist_info(directory, &path, stem));
        } else if let Some(stem) = file_name.strip_suffix(".egg-info") {
            found.push(egg_info(directory, &path, stem));
        } else if file_name.ends_with(".egg-link") {
            links.push(path);
        } else if in_egg && file_name == "EGG-INFO" {
            let stem = directory.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            let egg = egg_info(directory, &path, &stem);
            found.push(InstalledDistribution { kind: InstalledKind::Egg, ..egg });
        }
    }
    // The order of directory entries is arbitrary.
    found.sort_by(|one, other| one.info.cmp(&other.info));
    links.sort();
    for link in links {
        found.extend(linked(directory, &link));
    }
    Ok(found)
}

fn dist_info(location: &Path, info: &Path, stem: &str) -> Option<InstalledDistribution> {
    let (name, version) = match stem.split_once('-') {
        Some((name, version)) => (name, Some(version)),
        None => (stem, None),
    };
    // A name that starts with a dot (of a staging directory, say) is no distribution's.
    (!name.is_empty()).then(|| distribution(name, version, location, info, InstalledKind::DistInfo))
}

fn egg_info(location: &Path, info: &Path, stem: &str) -> InstalledDistribution {
    let mut parts = stem.split('-');
    let name = parts.next().unwrap_or(stem);
    let version = parts.next().filter(|part| part.starts_with(|first: char| first.is_ascii_digit()));
    let kind = if info.is_dir() { InstalledKind::EggInfo } else { InstalledKind::EggInfoFile };
    distribution(name, version, location, info, kind)
}

fn distribution(
    name: &str,
    version: Option<&str>,
    location: &Path,
    info: &Path,
    kind: InstalledKind,
) -> InstalledDistribution {
    InstalledDistribution {
        name: name.to_owned(),
        normalized_name: PackageName::from_str(name).ok(),
        version: version.map(str::to_owned),
        location: location.to_path_buf(),
        info: info.to_path_buf(),
        kind,
    }
}

/// The distributions in the project that an `.egg-link` points at with its first line that is not empty.
fn linked(directory: &Path, link: &Path) -> Vec<InstalledDistribution> {
    let Ok(Some(text)) = read_optional(link) else { return Vec::new() };
    let text = String::from_utf8_lossy(&text).into_owned();
    let Some(target) = text.lines().map(str::trim).find(|line| !line.is_empty()) else { return Vec::new() };
    let location = directory.join(target);
    let Ok(entries) = fs::read_dir(&location) else { return Vec::new() };
    let mut found: Vec<_> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let file_name = path.file_name()?.to_str()?;
            let egg = egg_info(&location, &path, file_name.strip_suffix(".egg-info")?);
            Some(InstalledDistribution { kind: InstalledKind::EggLink { link: link.to_path_buf() }, ..egg })
        })
        .collect();
    found.sort_by(|one, other| one.info.cmp(&other.info));
    found
}

fn read_optional(path: &Path) -> Result<Option<Vec<u8>>, WheelError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(WheelError::io(path)(error)),
    };
    let mut contents = Vec::new();
    file.take(LARGEST_FILE).read_to_end(&mut contents).map_err(WheelError::io(path))?;
    Ok(Some(contents))
}
