//! Inspects a local wheel or source distribution that is to be published, and derives its entry in the index.
//!
//! Everything that an installer would refuse is refused here, before it is signed.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::Path;

use blake2::Blake2b256;
use packaging::{CoreMetadata, PackageName, SourceDistributionFilename, SourceFormat, Version, WheelFilename};
use repository::page::FileHashes;
use repository::{FileAddition, PageFile, layout};
use sha2::{Digest as _, Sha256};
use wheel::{ArchiveLimits, RecordPolicy, WheelArchive, WheelError};

use super::operator_directory::disk_failure;
use super::source_distribution;
use installer::error::{Code, Exit, Failure};

/// How much of a file is hashed at a time, in bytes.
const PART_LENGTH: usize = 1 << 20;

/// A distribution that was checked from its first to its last byte.
#[derive(Clone, Debug)]
pub struct Distribution {
    /// The project, normalized.
    pub project: PackageName,
    /// The version of the release.
    pub version: Version,
    /// The name under which it will be published.
    pub filename: String,
    /// Its hashes and length.
    pub content: ContentHashes,
    /// `Requires-Python`, as it is written.
    pub requires_python: Option<String>,
    /// METADATA, to be published beside the file (PEP 658); `None` for a source distribution, whose metadata may only
    /// be known when it is built.
    pub core_metadata: Option<Vec<u8>>,
}

/// Hashes and length of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentHashes {
    /// 64 lower-case hex digits.
    pub sha256: String,
    /// 64 lower-case hex digits.
    pub blake2b_256: String,
    /// In bytes.
    pub size: u64,
}

/// A file name that an index can list.
#[derive(Clone, Debug)]
pub enum Filename {
    /// Of a wheel.
    Wheel(WheelFilename),
    /// Of a source distribution (PEP 625).
    Source(SourceDistributionFilename),
}

impl Filename {
    /// Reads a file name.
    ///
    /// # Errors
    /// When it is neither that of a wheel nor `NAME-VERSION.tar.gz`.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let unusable =
            |problem: &str| Failure::new(Code::RepoFileName, format!("{text} cannot be in an index: {problem}"));
        // Other characters than those of versions and tags are errors, and would have to be encoded in URLs.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+!".contains(&byte);
        if !text.bytes().all(is_plain) {
            return Err(unusable("its name has characters that no wheel or source distribution has"));
        }
        if text.ends_with(".whl") {
            return text
                .parse()
                .map(Self::Wheel)
                .map_err(|error: packaging::WheelFilenameError| unusable(&error.to_string()));
        }
        match SourceFormat::split(text) {
            Some((_, SourceFormat::TarGz)) if text.ends_with(".tar.gz") => SourceDistributionFilename::guess(text)
                .map(Self::Source)
                .map_err(|_| unusable("expected NAME-VERSION.tar.gz, as PEP 625 names source distributions")),
            Some(_) => Err(unusable("source distributions have to be .tar.gz (PEP 625)")),
            None => Err(unusable("expected a wheel (.whl) or a source distribution (.tar.gz)")),
        }
    }

    /// Whether it looks like a wheel or a source distribution, of whatever kind.
    pub fn is_likely(text: &str) -> bool {
        text.ends_with(".whl") || SourceFormat::split(text).is_some()
    }

    /// The normalized project name.
    pub fn project(&self) -> &PackageName {
        match self {
            Self::Wheel(wheel) => &wheel.name,
            Self::Source(source) => &source.name,
        }
    }

    /// The version of the release.
    pub fn version(&self) -> &Version {
        match self {
            Self::Wheel(wheel) => &wheel.version,
            Self::Source(source) => &source.version,
        }
    }
}

impl ContentHashes {
    /// Hashes a file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(path: &Path) -> Result<Self, Failure> {
        let file = open(path)?;
        Self::of_open(&file).map_err(|error| disk_failure(path, error))
    }

    fn of_open(mut file: &File) -> std::io::Result<Self> {
        file.rewind()?;
        let (mut sha256, mut blake2b_256, mut size) = (Sha256::new(), Blake2b256::new(), 0);
        let mut part = vec![0; PART_LENGTH];
        loop {
            let length = file.read(&mut part)?;
            let Some(read) = part.get(..length).filter(|read| !read.is_empty()) else { break };
            sha256.update(read);
            blake2b_256.update(read);
            size += length as u64;
        }
        Ok(Self { sha256: hex::encode(sha256.finalize()), blake2b_256: hex::encode(blake2b_256.finalize()), size })
    }
}

impl Distribution {
    /// Checks the file at `path`, which is offered under the name `filename`.
    ///
    /// # Errors
    /// When it cannot be read, or breaks any rule; the message begins with the name of the file.
    pub fn inspect(path: &Path, filename: &str) -> Result<Self, Failure> {
        let name = Filename::parse(filename)?;
        let file = open(path)?;
        let content = ContentHashes::of_open(&file).map_err(|error| disk_failure(path, error))?;
        let metadata = match &name {
            Filename::Wheel(wheel) => {
                let archive = WheelArchive::from_file(file, wheel, &ArchiveLimits::default()).map_err(broken)?;
                ::wheel::verify(&archive, RecordPolicy::Enforce).map_err(broken)?;
                archive.metadata().map_err(broken)?
            }
            Filename::Source(source) => source_distribution::read_metadata(&file, source, &ArchiveLimits::default())
                .map_err(|problem| refused(filename, &problem))?,
        };
        let understood = understood(&name, &metadata).map_err(|problem| refused(filename, &problem))?;
        let requires_python = understood.raw_requires_python().map(str::trim).filter(|text| !text.is_empty());
        Ok(Self {
            project: name.project().clone(),
            version: name.version().clone(),
            filename: filename.to_owned(),
            content,
            requires_python: requires_python.map(str::to_owned),
            core_metadata: matches!(name, Filename::Wheel(_)).then_some(metadata),
        })
    }

    /// Where it is published; its metadata is beside it, with `.metadata` behind the name.
    pub fn path(&self) -> String {
        layout::distribution_path(&self.content.blake2b_256, &self.filename).unwrap_or_default()
    }

    /// Its entry in the index, with this upload time (RFC 3339).
    pub fn addition(&self, upload_time: &str) -> FileAddition {
        let core_metadata = self.core_metadata.as_ref();
        FileAddition {
            file: PageFile {
                filename: self.filename.clone(),
                url: PageFile::url_of(&self.path()),
                hashes: FileHashes { sha256: self.content.sha256.clone() },
                size: self.content.size,
                requires_python: self.requires_python.clone(),
                yanked: None,
                core_metadata: core_metadata.map(|metadata| hex::encode(Sha256::digest(metadata))),
                upload_time: Some(upload_time.to_owned()),
            },
            core_metadata_size: core_metadata.map(|metadata| metadata.len() as u64),
        }
    }
}

/// Parses metadata, which must be readable for installers and match the file name.
fn understood(name: &Filename, metadata: &[u8]) -> Result<CoreMetadata, String> {
    let understood = CoreMetadata::parse(metadata).map_err(|error| error.to_string())?;
    for field in ["Name", "Version"] {
        if understood.fields.get_all(field).count() != 1 {
            return Err(format!("its metadata has {field} more than once"));
        }
    }
    if understood.name != *name.project() {
        return Err(format!("its metadata is of {}, not of {}", understood.raw_name(), name.project()));
    }
    if understood.version != *name.version() {
        let (found, expected) = (understood.raw_version(), name.version());
        return Err(format!("its metadata is of version {found}, not of {expected}"));
    }
    Ok(understood)
}

/// Opens a regular file; anything else might never end.
fn open(path: &Path) -> Result<File, Failure> {
    let metadata = std::fs::metadata(path).map_err(|error| disk_failure(path, error))?;
    if !metadata.is_file() {
        return Err(Failure::new(Code::RepoDisk, format!("{} is not a file", path.display())));
    }
    File::open(path).map_err(|error| disk_failure(path, error))
}

/// The failure for a file that an installer would refuse.
fn broken(error: WheelError) -> Failure {
    let failure = Failure::from(error);
    if failure.code.exit() != Exit::Verification {
        return failure;
    }
    Failure::new(failure.code, failure.message)
        .detail("meaning", "installers that look closely refuse this file; it was not added")
        .hint("build it again, with another build tool if need be; if it is not yours, tell its project")
}

fn refused(filename: &str, problem: &str) -> Failure {
    Failure::new(Code::RepoDistribution, format!("refused {filename}: {problem}"))
}

#[cfg(test)]
mod tests;
