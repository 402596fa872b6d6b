//! The core metadata of a file on an index, at the least cost that the index allows.
//!
//! From the cache by the file's hash, else by PEP 658, else by Range requests into the wheel, else from the whole wheel.

use std::path::PathBuf;
use std::sync::Arc;

use packaging::{CoreMetadata, CoreMetadataFile, File, HashAlgorithm, PackageName, WheelFilename};
use reqwest::header::HeaderMap;
use sha2::{Digest, Sha256};
use url::Url;
use wheel::{Limits as ArchiveLimits, MetadataLocation, MetadataSearch, WheelArchive};

use crate::failure::{Failure, Kind};
use crate::net::{Client, DownloadRequest, Downloader, Limits, Part, VerifiedFile, redacted};
use crate::store::Store;

/// Bytes fetched from the end of a wheel at first: the central directory of all but the largest wheels is within.
const FIRST_TAIL: u64 = 16 << 10;

/// Reads metadata of files.
pub struct MetadataReader {
    client: Arc<Client>,
    downloader: Arc<Downloader>,
    store: Store,
    directory: PathBuf,
}

impl MetadataReader {
    /// Keeps metadata in `directory`, by the hash of the file it belongs to.
    pub fn new(client: Arc<Client>, downloader: Arc<Downloader>, store: Store, directory: PathBuf) -> Self {
        Self { client, downloader, store, directory }
    }

    /// Requests that the command has sent so far.
    pub fn requests(&self) -> usize {
        self.client.requests()
    }

    /// The metadata of the wheel `file` of `project`. `Ok(Err(reason))` when there is some but it makes no sense.
    ///
    /// # Errors
    /// When it cannot be fetched, or is not what its hash says.
    pub async fn read(&self, project: &PackageName, file: &File) -> Result<Result<CoreMetadata, String>, Failure> {
        let sha256 = file.hashes.get(HashAlgorithm::Sha256).filter(|value| is_sha256(value));
        let cached = sha256.map(|sha256| self.directory.join(sha256));
        if let Some(path) = &cached
            && let Ok(bytes) = std::fs::read(path)
            && let Ok(metadata) = CoreMetadata::parse(&bytes)
        {
            return Ok(Ok(metadata));
        }
        let bytes = self.fetch(project, file).await?;
        if let Some(path) = cached {
            remember(&path, &bytes);
        }
        Ok(understand(project, file, &bytes))
    }

    /// The metadata inside a downloaded wheel.
    ///
    /// # Errors
    /// When the archive is refused.
    pub fn of_wheel(file: &VerifiedFile, filename: &WheelFilename) -> Result<Vec<u8>, Failure> {
        Ok(WheelArchive::open(file.path(), filename, &ArchiveLimits::default())?.metadata()?)
    }

    async fn fetch(&self, project: &PackageName, file: &File) -> Result<Vec<u8>, Failure> {
        let url = file.url().map_err(|error| unusable(&file.raw_url, &error.to_string()))?;
        if let CoreMetadataFile::Available { sha256 } = &file.core_metadata
            && let Some(bytes) = self.announced(file, sha256.as_deref()).await?
        {
            return Ok(bytes);
        }
        let request = download_request(project, file, &url, Vec::new());
        if let Some(unpacked) = self.store.find(&request) {
            return unpacked.raw_metadata();
        }
        let Some(filename) = file.dist.wheel() else {
            return Err(Failure::new(Kind::Error, "internal", format!("{} is no wheel", file.filename())));
        };
        if matches!(url.scheme(), "http" | "https")
            && let Some(bytes) = self.ranged(&url, filename).await
        {
            return Ok(bytes);
        }
        let downloaded = self.downloader.fetch(&request).await?;
        Self::of_wheel(&downloaded, filename)
    }

    /// PEP 658. `None` when the index announced a file that is not there: some do.
    async fn announced(&self, file: &File, sha256: Option<&str>) -> Result<Option<Vec<u8>>, Failure> {
        let Some(Ok(url)) = file.metadata_url() else { return Ok(None) };
        let bytes = match url.to_file_path() {
            Ok(path) => match std::fs::read(&path) {
                Ok(bytes) => bytes,
                Err(_) => return Ok(None),
            },
            Err(()) => match self.client.get(&url, &HeaderMap::new(), Limits::METADATA).await {
                Ok(fetched) => fetched.body,
                Err(failure) if matches!(failure.status(), Some(404 | 410)) => return Ok(None),
                Err(failure) => return Err(failure.into()),
            },
        };
        let received = hex::encode(Sha256::digest(&bytes));
        match sha256 {
            Some(expected) if !expected.eq_ignore_ascii_case(&received) => Err(Failure::new(
                Kind::Verification,
                "verify.metadata-hash-mismatch",
                format!("The metadata of {} is not what the index says it is", file.filename()),
            )
            .detail("file", redacted(&url))
            .detail("expected", format!("sha256 {expected}"))
            .detail("received", format!("sha256 {received}"))
            .detail("meaning", "the metadata was not used and nothing was installed")
            .hint("try again; if it stays so, ask the operator of the index")),
            _ => Ok(Some(bytes)),
        }
    }

    /// The metadata by a few requests for parts of the wheel; `None` when the server or the archive does not play along.
    /// What is wrong with either comes out when the whole wheel is fetched.
    async fn ranged(&self, url: &Url, filename: &WheelFilename) -> Option<Vec<u8>> {
        let tail = self.part(url, format!("bytes=-{FIRST_TAIL}")).await?;
        let (total, mut bytes) = (tail.total, tail.bytes);
        loop {
            let start = total.checked_sub(bytes.len() as u64)?;
            match MetadataLocation::find(filename, &bytes, total).ok()? {
                MetadataSearch::Found(location) => {
                    let range = location.range();
                    // Small wheels came whole, or their metadata lies next to the directory.
                    let from = range.start.checked_sub(start).and_then(|from| usize::try_from(from).ok());
                    let to = range.end.checked_sub(start).and_then(|to| usize::try_from(to).ok());
                    let here = from.zip(to).and_then(|(from, to)| bytes.get(from..to)).map(<[u8]>::to_vec);
                    let part = match here {
                        Some(part) => part,
                        None => {
                            self.part(url, format!("bytes={}-{}", range.start, range.end.checked_sub(1)?)).await?.bytes
                        }
                    };
                    return location.extract(&part).ok();
                }
                MetadataSearch::NeedMore { from } => {
                    let mut more = self.part(url, format!("bytes={from}-{}", start.checked_sub(1)?)).await?.bytes;
                    more.append(&mut bytes);
                    bytes = more;
                }
            }
        }
    }

    async fn part(&self, url: &Url, range: String) -> Option<Part> {
        self.client.get_part(url, &range, Limits::METADATA).await.ok()?
    }
}

/// What to fetch for `file`.
pub fn download_request(
    project: &PackageName,
    file: &File,
    url: &Url,
    user_hashes: Vec<(HashAlgorithm, String)>,
) -> DownloadRequest {
    DownloadRequest {
        name: project.to_string(),
        requirement: format!("{project}=={}", file.dist.version()),
        filename: file.filename().to_owned(),
        url: url.clone(),
        index_hashes: file.hashes.clone(),
        user_hashes,
        size: file.size,
    }
}

/// Metadata that belongs to another project or version is as bad as none.
fn understand(project: &PackageName, file: &File, bytes: &[u8]) -> Result<CoreMetadata, String> {
    let metadata = CoreMetadata::parse(bytes).map_err(|error| error.to_string())?;
    if metadata.name != *project {
        return Err(format!("its metadata names the project '{}'", metadata.name));
    }
    if metadata.version != *file.dist.version() {
        return Err(format!("its metadata names the version '{}'", metadata.version));
    }
    Ok(metadata)
}

fn is_sha256(value: &str) -> bool {
    value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn remember(path: &std::path::Path, bytes: &[u8]) {
    // A cache that cannot be written only costs time.
    let Some(directory) = path.parent() else { return };
    let written = std::fs::create_dir_all(directory)
        .and_then(|()| tempfile::NamedTempFile::new_in(directory))
        .and_then(|mut file| std::io::Write::write_all(&mut file, bytes).map(|()| file));
    if let Ok(file) = written {
        let _ = file.persist(path);
    }
}

fn unusable(url: &str, reason: &str) -> Failure {
    Failure::new(
        Kind::Error,
        "index.link",
        format!("The index gives an unusable link, '{}': {reason}", crate::terminal::printable(url)),
    )
}
