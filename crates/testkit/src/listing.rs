//! The entry of a file on an index, and options that change it.

use crate::digest::HashName;
use crate::sdist_maker::SdistFile;
use crate::wheel_maker::WheelFile;

/// A file on an index: the bytes it serves and, separately, what its page claims.
///
/// The fields are the truth until a test changes them.
#[derive(Clone, Debug)]
pub struct ListedFile {
    /// The name on the page and in the URL.
    pub filename: String,
    /// What is served for the file.
    pub bytes: Vec<u8>,
    /// What is served as `FILENAME.metadata`.
    pub metadata: Vec<u8>,
    /// Claimed hashes that replace the true ones, name and hex.
    pub claimed_hashes: Option<Vec<(String, String)>>,
    /// Claimed size in bytes that replaces the true one.
    pub claimed_size: Option<u64>,
    /// Claimed `requires-python`; from METADATA unless changed.
    pub requires_python: Option<String>,
    /// RFC 3339 moment of the upload.
    pub upload_time: String,
    /// Yanked, with a reason that may be empty.
    pub yanked: Option<String>,
    /// The link as it stands on the page, instead of the one [`IndexBehavior`] make.
    pub raw_link: Option<String>,
    /// How PEP 658 metadata is announced and served, instead of what [`IndexBehavior`] say.
    pub core_metadata: Option<MetadataMode>,
}

/// How an index treats the PEP 658 metadata of a wheel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataMode {
    /// Announced with its hash, under the new and the old attribute, and served.
    Announced,
    /// Announced under `data-dist-info-metadata` only, as before PEP 714, and served.
    OldName,
    /// Announced as `true`, without a hash, and served.
    WithoutHash,
    /// Announced with the hash of something else, and served.
    WrongHash,
    /// Announced, but 404.
    Missing,
    /// Served, but not announced.
    Unannounced,
    /// Neither announced nor served.
    Absent,
}

/// How pages link to files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// `../../files/NAME`.
    Relative,
    /// `/files/NAME`.
    RelativeToHost,
    /// `http://127.0.0.1:PORT/files/NAME`.
    Absolute,
    /// Relative to a `<base href>` in the head of HTML pages; absolute in JSON.
    Base,
}

/// How an index behaves, for all of its projects.
#[derive(Clone, Debug)]
pub struct IndexBehavior {
    /// Answer PEP 691 JSON to clients that accept it; otherwise always HTML.
    pub json: bool,
    /// PEP 658 metadata of every wheel without a setting of its own.
    pub core_metadata: MetadataMode,
    /// Support `Range` for files.
    pub range: bool,
    /// Give pages and files an `ETag` and answer 304 to a matching `If-None-Match`.
    pub etag: bool,
    /// `Cache-Control` of pages.
    pub cache_control: Option<String>,
    /// Give `upload-time` (JSON only, PEP 700).
    pub upload_time: bool,
    /// Give `size` (JSON only, PEP 700).
    pub size: bool,
    /// Which hashes to give; HTML has room for the first only.
    pub hashes: Vec<HashName>,
    /// How pages link to files.
    pub links: Links,
    /// The `api-version` of pages.
    pub api_version: String,
    /// User and password without which everything is 401.
    pub basic_auth: Option<(String, String)>,
}

impl Default for IndexBehavior {
    fn default() -> Self {
        Self {
            json: true,
            core_metadata: MetadataMode::Announced,
            range: true,
            etag: true,
            cache_control: Some("max-age=600, public".to_owned()),
            upload_time: true,
            size: true,
            hashes: vec![HashName::Sha256],
            links: Links::Absolute,
            api_version: "1.1".to_owned(),
            basic_auth: None,
        }
    }
}

impl ListedFile {
    /// Yanked (PEP 592) with this reason.
    pub fn yanked(mut self, reason: &str) -> Self {
        self.yanked = Some(reason.to_owned());
        self
    }

    /// Uploaded at this RFC 3339 moment.
    pub fn uploaded(mut self, time: &str) -> Self {
        self.upload_time = time.to_owned();
        self
    }

    /// The page claims the hash of something else.
    pub fn wrong_hash(mut self) -> Self {
        self.claimed_hashes = Some(vec![("sha256".to_owned(), HashName::Sha256.hex(b"something else"))]);
        self
    }

    /// The page gives no hash for this file.
    pub fn without_hash(mut self) -> Self {
        self.claimed_hashes = Some(Vec::new());
        self
    }

    /// The page stays the same, but these bytes are served.
    pub fn served_as(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        if self.claimed_hashes.is_none() {
            self.claimed_hashes = Some(vec![("sha256".to_owned(), HashName::Sha256.hex(&self.bytes))]);
        }
        self.claimed_size.get_or_insert(self.bytes.len() as u64);
        self.bytes = bytes.into();
        self
    }

    /// PEP 658 metadata of this file alone.
    pub fn core_metadata(mut self, core_metadata: MetadataMode) -> Self {
        self.core_metadata = Some(core_metadata);
        self
    }

    /// The link exactly as it stands on the page.
    pub fn raw_link(mut self, link: &str) -> Self {
        self.raw_link = Some(link.to_owned());
        self
    }

    fn new(filename: String, bytes: Vec<u8>, metadata: Vec<u8>) -> Self {
        let requires_python = String::from_utf8_lossy(&metadata)
            .lines()
            .find_map(|line| line.strip_prefix("Requires-Python: "))
            .map(str::to_owned);
        Self {
            filename,
            bytes,
            metadata,
            claimed_hashes: None,
            claimed_size: None,
            requires_python,
            upload_time: "2024-01-02T03:04:05.678901Z".to_owned(),
            yanked: None,
            raw_link: None,
            core_metadata: None,
        }
    }

    /// The metadata setting in force; source distributions have none.
    pub(crate) fn metadata_setting(&self, options: &IndexBehavior) -> MetadataMode {
        let is_wheel = self.filename.ends_with(".whl");
        self.core_metadata.unwrap_or(if is_wheel { options.core_metadata } else { MetadataMode::Absent })
    }

    /// The hashes on the page, name and hex.
    pub(crate) fn page_hashes(&self, options: &IndexBehavior) -> Vec<(String, String)> {
        self.claimed_hashes.clone().unwrap_or_else(|| {
            options.hashes.iter().map(|hash| (hash.name().to_owned(), hash.hex(&self.bytes))).collect()
        })
    }
}

impl From<WheelFile> for ListedFile {
    fn from(wheel: WheelFile) -> Self {
        Self::new(wheel.filename, wheel.bytes, wheel.metadata)
    }
}

impl From<SdistFile> for ListedFile {
    fn from(sdist: SdistFile) -> Self {
        Self::new(sdist.filename, sdist.bytes, sdist.metadata)
    }
}
