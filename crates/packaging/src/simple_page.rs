//! A project's page in the simple repository API: PEP 503, 592, 629, 658, 691, 700, 714 and 792.
//!
//! Reads the JSON form; `html` reads the other. A row that is not understood is skipped and kept with the reason, so
//! that one bad row never loses the page.

mod html;
pub(crate) mod json;
mod link;

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

use crate::names::PackageName;
use crate::sdist_filename::{DistributionFilename, DistributionFilenameError};
use link::LinkBase;

/// Files that a page may list. Real projects have up to some ten thousand; a page that lists more is made to cost memory.
pub const MAXIMUM_FILES: usize = 100_000;
/// Rows that are kept of those that were left out: enough to explain.
const MAXIMUM_SKIPPED: usize = 1000;

/// The files of one project on one index.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProjectPage {
    /// The files that can be used, in the order of the page.
    pub files: Vec<ProjectFile>,
    /// What was left out, and why; the first thousand.
    pub skipped: Vec<SkippedFile>,
    /// The status of the project (PEP 792), for instance `archived` or `quarantined`.
    pub status: Option<ProjectStatus>,
}

/// One distribution on a page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProjectFile {
    /// The parsed file name.
    #[serde(serialize_with = "write_filename", deserialize_with = "read_filename")]
    pub dist: DistributionFilename,
    /// Where the file is: absolute, without fragment. It is parsed on demand, see [`ProjectFile::url`].
    pub raw_url: String,
    /// The hashes of the content on the page.
    pub hashes: Hashes,
    /// Versions of Python the file is for, as written.
    pub requires_python: Option<String>,
    /// The reason, often empty, if the file was yanked.
    pub yanked: Option<String>,
    /// Whether the metadata can be had without the file.
    pub core_metadata: CoreMetadataFile,
    /// Size of the file in bytes.
    pub size: Option<u64>,
    /// When the file was uploaded, as written (RFC 3339).
    pub upload_time: Option<String>,
}

/// Whether an index offers the metadata of a file at the URL of the file with `.metadata` appended (PEP 658, PEP 714).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CoreMetadataFile {
    /// It does not.
    #[default]
    Absent,
    /// It does.
    Available {
        /// The hash of the metadata in hex.
        sha256: Option<String>,
    },
}

/// Hash algorithms that have a meaning for installers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HashAlgorithm {
    /// Broken: good against accidents only.
    Md5,
    /// Broken: good against accidents only.
    Sha1,
    /// SHA-2 with 224 bits.
    Sha224,
    /// SHA-2 with 256 bits, which every index gives.
    Sha256,
    /// SHA-2 with 384 bits.
    Sha384,
    /// SHA-2 with 512 bits.
    Sha512,
}

/// Hashes of one file in hex, by algorithm; as the page has them, so a value need not be a possible hash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hashes(Vec<(HashAlgorithm, String)>);

/// The status of a project and what its owners say about it (PEP 792).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectStatus {
    /// `active`, `archived`, `quarantined`, `deprecated`, or a later one.
    pub status: String,
    /// The reason given.
    pub reason: Option<String>,
}

/// A row of a page that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedFile {
    /// The file name, or the link where there is no name.
    pub filename: String,
    /// Why.
    pub reason: SkipReason,
}

/// Why a row was left out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum SkipReason {
    /// The file name is not that of a distribution of the project.
    #[error("{0}")]
    Filename(String),
    /// The file belongs to another project.
    #[error("belongs to another project")]
    OtherProject,
    /// The link is not a URL, or names no file.
    #[error("the link is not valid")]
    Link,
    /// The page came over HTTPS and the link is plain HTTP.
    #[error("the page came over https and the link would leave it")]
    Insecure,
    /// The link has a scheme which a page from there must not use.
    #[error("the link has a scheme that is not allowed here")]
    Scheme,
    /// The row has no name or no link, or is not an object.
    #[error("the row is not understood")]
    Malformed,
}

/// Why a page cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The page is not JSON or has another shape.
    #[error("page is not valid JSON of the simple API: {0}")]
    Json(#[from] serde_json::Error),
    /// The page is of a version from the future whose rules are not known (PEP 629).
    #[error("page has version {0} of the simple API: expected 1.x")]
    ApiVersion(String),
    /// It lists more files than any project has.
    #[error("page lists more than {MAXIMUM_FILES} files of the project")]
    TooManyFiles,
}

impl ProjectPage {
    /// Reads the JSON form of the page of `project` that was found at `base`.
    pub fn from_json(content: &[u8], base: &Url, project: &PackageName) -> Result<Self, PageError> {
        json::read(content, base, project)
    }

    /// Reads the HTML form of the page of `project` that was found at `base`. Bytes that are no UTF-8 are replaced.
    ///
    /// Works for pages of links (`--find-links`), too: files of other projects are skipped.
    pub fn from_html(content: &[u8], base: &Url, project: &PackageName) -> Result<Self, PageError> {
        html::read(content, base, project)
    }
}

impl ProjectFile {
    /// The file name.
    pub fn filename(&self) -> &str {
        self.dist.as_str()
    }

    /// Where the file is.
    pub fn url(&self) -> Result<Url, url::ParseError> {
        Url::parse(&self.raw_url)
    }

    /// Where the metadata of the file is, if the index offers it: `.metadata` goes to the end of the path (PEP 658).
    pub fn metadata_url(&self) -> Option<Result<Url, url::ParseError>> {
        if self.core_metadata == CoreMetadataFile::Absent {
            return None;
        }
        Some(self.url().map(metadata_url))
    }
}

/// Where an index has the metadata of a file at this URL, if it has it (PEP 658).
pub fn metadata_url(mut file: Url) -> Url {
    let path = format!("{}.metadata", file.path());
    file.set_path(&path);
    file
}

impl HashAlgorithm {
    /// Whether a match proves anything today.
    pub fn is_strong(self) -> bool {
        matches!(self, Self::Sha256 | Self::Sha384 | Self::Sha512)
    }

    /// The algorithm with this name in `hashlib`.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "md5" => Self::Md5,
            "sha1" => Self::Sha1,
            "sha224" => Self::Sha224,
            "sha256" => Self::Sha256,
            "sha384" => Self::Sha384,
            "sha512" => Self::Sha512,
            _ => return None,
        })
    }

    /// The name in `hashlib`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }
}

impl Hashes {
    /// The hash by one algorithm.
    pub fn get(&self, algorithm: HashAlgorithm) -> Option<&str> {
        self.iter().find(|(known, _)| *known == algorithm).map(|(_, hex)| hex)
    }

    /// All hashes in the order of the page.
    pub fn iter(&self) -> impl Iterator<Item = (HashAlgorithm, &str)> {
        self.0.iter().map(|(algorithm, hex)| (*algorithm, hex.as_str()))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds or replaces the hash by one algorithm; hex is kept in lower case.
    pub fn set(&mut self, algorithm: HashAlgorithm, mut hex: String) {
        hex.make_ascii_lowercase();
        match self.0.iter_mut().find(|(known, _)| *known == algorithm) {
            Some((_, known)) => *known = hex,
            None => self.0.push((algorithm, hex)),
        }
    }
}

/// A row of a page before it is validated.
#[derive(Default)]
pub(crate) struct Row<'page> {
    pub filename: Option<Cow<'page, str>>,
    pub link: Option<Cow<'page, str>>,
    pub hashes: Hashes,
    pub requires_python: Option<Cow<'page, str>>,
    pub yanked: Option<String>,
    pub core_metadata: CoreMetadataFile,
    pub size: Option<u64>,
    pub upload_time: Option<Cow<'page, str>>,
}

impl ProjectPage {
    /// Refuses a page that lists more files than any project has.
    pub(crate) fn check_size(&self) -> Result<(), PageError> {
        if self.files.len() > MAXIMUM_FILES { Err(PageError::TooManyFiles) } else { Ok(()) }
    }

    /// Judges a row and keeps it as a file or as skipped.
    pub(crate) fn add(&mut self, row: Row<'_>, base: &LinkBase<'_>, project: &PackageName) {
        if self.files.len() > MAXIMUM_FILES {
            return;
        }
        match check_row(&row, base, project) {
            Ok((dist, raw_url, link_hash)) => {
                let mut hashes = row.hashes;
                if let Some((algorithm, hex)) = link_hash {
                    hashes.set(algorithm, hex);
                }
                self.files.push(ProjectFile {
                    dist,
                    raw_url,
                    hashes,
                    requires_python: row.requires_python.filter(|text| !text.is_empty()).map(Cow::into_owned),
                    yanked: row.yanked,
                    core_metadata: row.core_metadata,
                    size: row.size,
                    upload_time: row.upload_time.filter(|text| !text.is_empty()).map(Cow::into_owned),
                });
            }
            Err(_) if self.skipped.len() == MAXIMUM_SKIPPED => {}
            Err(reason) => {
                let filename = row.filename.or(row.link).unwrap_or_default().into_owned();
                self.skipped.push(SkippedFile { filename, reason });
            }
        }
    }
}

type AcceptedRow = (DistributionFilename, String, Option<(HashAlgorithm, String)>);

fn check_row(row: &Row<'_>, base: &LinkBase<'_>, project: &PackageName) -> Result<AcceptedRow, SkipReason> {
    let link = row.link.as_deref().ok_or(SkipReason::Malformed)?;
    let link = base.resolve(link)?;
    let dist = match row.filename.as_deref() {
        Some(filename) => DistributionFilename::parse(filename, project),
        None => DistributionFilename::parse(&link.filename()?, project),
    };
    let dist = dist.map_err(|error| match error {
        DistributionFilenameError::OtherProject { .. } => SkipReason::OtherProject,
        other => SkipReason::Filename(other.to_string()),
    })?;
    Ok((dist, link.url, link.hash))
}

/// The parsed form of a file name cannot be written shorter than the name; a wheel tells itself, a source distribution
/// needs its project.
fn write_filename<S: Serializer>(dist: &DistributionFilename, serializer: S) -> Result<S::Ok, S::Error> {
    (dist.name().as_ref(), dist.as_str()).serialize(serializer)
}

fn read_filename<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DistributionFilename, D::Error> {
    let (project, filename) = <(PackageName, String)>::deserialize(deserializer)?;
    DistributionFilename::parse(&filename, &project).map_err(serde::de::Error::custom)
}
