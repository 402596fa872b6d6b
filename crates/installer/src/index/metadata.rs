//! The core metadata of a file on an index, at the least cost that the index allows.
//!
//! From the cache by the file's hash, else by PEP 658, else by Range requests into the wheel, else from the whole
//! wheel.

use std::path::PathBuf;
use std::sync::Arc;

use packaging::{CoreMetadata, CoreMetadataFile, HashAlgorithm, PackageName, ProjectFile, WheelFilename};
use reqwest::header::HeaderMap;
use sha2::{Digest, Sha256};
use url::Url;
use wheel::{ArchiveLimits, MetadataLocation, MetadataSearch, WheelArchive};

use super::IndexFile;
use crate::cache::file;
use crate::download::{DownloadRequest, Downloader, VerifiedFile};
use crate::error::{Code, Failure, Source};
use crate::local_key::LocalKey;
use crate::net::{HttpClient, PartialContent, ResponseLimits, local_path};
use crate::requirements::RequiredHashes;
use crate::trust::{PageProof, SignedFile};
use crate::wheel_cache::WheelCache;

/// Bytes fetched from the end of a wheel at first: the central directory of all but the largest wheels is within.
const FIRST_TAIL: u64 = 16 << 10;

/// The metadata of a file, and what is signed about that file.
#[derive(Debug)]
pub struct ReadMetadata {
    /// What the distribution says of itself.
    pub metadata: CoreMetadata,
    /// By what it will be verified, if it is from a signed index.
    pub signed: Option<Arc<SignedFile>>,
}

/// Reads metadata of files.
pub struct MetadataReader {
    client: Arc<HttpClient>,
    downloader: Arc<Downloader>,
    wheel_cache: WheelCache,
    directory: PathBuf,
    key: LocalKey,
}

impl MetadataReader {
    /// Keeps metadata in `directory`, by the hash of the file it belongs to, sealed with `key`.
    pub fn new(
        client: Arc<HttpClient>,
        downloader: Arc<Downloader>,
        wheel_cache: WheelCache,
        directory: PathBuf,
        key: LocalKey,
    ) -> Self {
        Self { client, downloader, wheel_cache, directory, key }
    }

    /// Requests that the command has sent so far.
    pub fn requests(&self) -> usize {
        self.client.requests()
    }

    /// The metadata of the wheel `file` of `project`. `Ok(Err(reason))` when it exists but is invalid.
    ///
    /// # Errors
    /// When it cannot be fetched, or is not what its hash says.
    pub async fn read(
        &self,
        project: &PackageName,
        index_file: &IndexFile,
    ) -> Result<Result<ReadMetadata, String>, Failure> {
        match &index_file.signed {
            Some(page) => self.signed(project, &index_file.file, page).await,
            None => {
                let metadata = self.unsigned(project, &index_file.file).await?;
                Ok(metadata.map(|metadata| ReadMetadata { metadata, signed: None }))
            }
        }
    }

    /// Nothing unverified is parsed: the metadata file if one is signed, else the whole wheel.
    async fn signed(
        &self,
        project: &PackageName,
        file: &ProjectFile,
        page: &Arc<PageProof>,
    ) -> Result<Result<ReadMetadata, String>, Failure> {
        // A wheel that seems to be unpacked will not need its metadata file; else both are asked for at once.
        let (signed, metadata) = match self.is_probably_cached(project, file) {
            true => (page.index().file(page, file).await?, None),
            false => {
                let (signed, metadata) = tokio::join!(page.index().file(page, file), page.index().metadata(page, file));
                (signed?, Some(metadata))
            }
        };
        let signed = match signed {
            Ok(signed) => Arc::new(signed),
            Err(reason) => return Ok(Err(reason)),
        };
        let request =
            download_request(project, file, &signed.url, RequiredHashes::default(), Some(Arc::clone(&signed)));
        let bytes = if let Some(bytes) = page.index().cached_metadata(page, file) {
            bytes
        } else if let Some(unpacked) = self.wheel_cache.find(&request) {
            unpacked.raw_metadata().to_vec()
        } else if let Some(bytes) = match metadata {
            Some(metadata) => metadata?,
            None => page.index().metadata(page, file).await?,
        } {
            bytes
        } else {
            let Some(filename) = file.dist.wheel() else {
                return Err(Failure::new(Code::Internal, format!("{} is no wheel", file.filename())));
            };
            Self::of_wheel(&self.downloader.fetch(&request).await?, filename)?
        };
        let metadata = parse_metadata(project, file, &bytes);
        Ok(metadata.map(|metadata| ReadMetadata { metadata, signed: Some(signed) }))
    }

    /// By what the page says, which may prove wrong.
    fn is_probably_cached(&self, project: &PackageName, file: &ProjectFile) -> bool {
        let request = file.url().ok().map(|url| download_request(project, file, &url, RequiredHashes::default(), None));
        request.is_some_and(|request| self.wheel_cache.has(&request))
    }

    async fn unsigned(
        &self,
        project: &PackageName,
        file: &ProjectFile,
    ) -> Result<Result<CoreMetadata, String>, Failure> {
        let cached = cache_key(file).map(|key| self.directory.join(key));
        if let Some(bytes) = cached.as_deref().and_then(|path| file::read(path, &self.key)) {
            return Ok(parse_metadata(project, file, &bytes));
        }
        let (bytes, is_authentic) = self.fetch(project, file).await?;
        // With --trusted-host it may be anybody's metadata, and later commands may not accept that.
        if let Some(path) = cached.filter(|_| is_authentic) {
            file::write(&path, &self.key, bytes.clone());
        }
        Ok(parse_metadata(project, file, &bytes))
    }

    /// The metadata inside a downloaded wheel.
    ///
    /// # Errors
    /// When the archive is refused.
    pub fn of_wheel(file: &VerifiedFile, filename: &WheelFilename) -> Result<Vec<u8>, Failure> {
        Ok(WheelArchive::open(file.path(), filename, &ArchiveLimits::default())?.metadata()?)
    }

    /// The metadata, and whether it is that of the wheel with the hash on the page, or nobody on the way could change it.
    async fn fetch(&self, project: &PackageName, file: &ProjectFile) -> Result<(Vec<u8>, bool), Failure> {
        let url = file.url().map_err(|error| unusable(&file.raw_url, error))?;
        let request = download_request(project, file, &url, RequiredHashes::default(), None);
        if let Some(unpacked) = self.wheel_cache.find(&request) {
            return Ok((unpacked.raw_metadata().to_vec(), true));
        }
        if let CoreMetadataFile::Available { sha256 } = &file.core_metadata
            && let Some(found) = self.read_metadata_file(file, sha256.as_deref()).await?
        {
            return Ok(found);
        }
        let Some(filename) = file.dist.wheel() else {
            return Err(Failure::new(Code::Internal, format!("{} is no wheel", file.filename())));
        };
        if matches!(url.scheme(), "http" | "https")
            && let Some(found) = self.read_by_range_requests(&url, filename).await
        {
            return Ok(found);
        }
        let downloaded = self.downloader.fetch(&request).await?;
        Ok((Self::of_wheel(&downloaded, filename)?, true))
    }

    /// PEP 658. `None` when the file that the index announced is missing: this happens.
    async fn read_metadata_file(
        &self,
        file: &ProjectFile,
        sha256: Option<&str>,
    ) -> Result<Option<(Vec<u8>, bool)>, Failure> {
        let Some(Ok(url)) = file.metadata_url() else { return Ok(None) };
        let (bytes, is_authentic) = match local_path(&url) {
            Some(path) => match std::fs::read(&path) {
                Ok(bytes) => (bytes, true),
                Err(_) => return Ok(None),
            },
            None => match self.client.get(&url, &HeaderMap::new(), ResponseLimits::METADATA).await {
                Ok(fetched) => (fetched.body, fetched.is_authentic),
                Err(failure) if matches!(failure.status(), Some(404 | 410)) => return Ok(None),
                Err(failure) => return Err(failure.into()),
            },
        };
        let received = hex::encode(Sha256::digest(&bytes));
        match sha256 {
            Some(expected) if !expected.eq_ignore_ascii_case(&received) => Err(Failure::new(
                Code::VerifyMetadataHashMismatch,
                format!("The metadata of {} is not what the index says it is", file.filename()),
            )
            .detail("file", printable::redacted_url(&url))
            .detail("expected", format!("sha256 {expected}"))
            .detail("received", format!("sha256 {received}"))
            .detail("meaning", "the metadata was not used and nothing was installed")
            .hint("try again; if it stays so, ask the operator of the index")),
            // What the cache calls it has this hash in it.
            _ => Ok(Some((bytes, is_authentic || sha256.is_some()))),
        }
    }

    /// The metadata by a few requests for parts of the wheel; `None` when the server or the archive does not support
    /// that. An error in either is found when the whole wheel is fetched.
    async fn read_by_range_requests(&self, url: &Url, filename: &WheelFilename) -> Option<(Vec<u8>, bool)> {
        let tail =
            self.client.get_part(url, &format!("bytes=-{FIRST_TAIL}"), ResponseLimits::METADATA).await.ok()??;
        let (total, mut start, mut bytes) = (tail.total, tail.first, tail.bytes);
        let mut is_authentic = tail.is_authentic;
        if start + bytes.len() as u64 != total {
            return None;
        }
        loop {
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
                            let part = self.fetch_range(url, range.start, range.end, total).await?;
                            is_authentic &= part.is_authentic;
                            part.bytes
                        }
                    };
                    return Some((location.extract(&part).ok()?, is_authentic));
                }
                // Each round reads further towards the start, so there is an end.
                MetadataSearch::NeedMore { from } if from < start => {
                    let mut more = self.fetch_range(url, from, start, total).await?;
                    more.bytes.append(&mut bytes);
                    is_authentic &= more.is_authentic;
                    (start, bytes) = (from, more.bytes);
                }
                MetadataSearch::NeedMore { .. } => return None,
            }
        }
    }

    /// The bytes from `start` to before `end` of a file with `total` bytes; nothing less, and of no other file.
    async fn fetch_range(&self, url: &Url, start: u64, end: u64, total: u64) -> Option<PartialContent> {
        let last = end.checked_sub(1)?;
        let part: PartialContent =
            self.client.get_part(url, &format!("bytes={start}-{last}"), ResponseLimits::METADATA).await.ok()??;
        let fits = part.first == start && part.first + part.bytes.len() as u64 == end && part.total == total;
        fits.then_some(part)
    }
}

/// The name of metadata in the cache: the wheel it belongs to, and the index it is from. An index that gives wrong
/// metadata for a wheel thus does no harm to another index with the same wheel.
fn cache_key(file: &ProjectFile) -> Option<String> {
    let sha256 = file.hashes.get(HashAlgorithm::Sha256)?;
    let source = match &file.core_metadata {
        CoreMetadataFile::Available { sha256: Some(metadata) } => metadata.as_str(),
        // Without a hash the index may correct it any time.
        CoreMetadataFile::Available { sha256: None } => return None,
        CoreMetadataFile::Absent => file.raw_url.as_str(),
    };
    Some(hex::encode(Sha256::digest(format!("{sha256}\n{source}"))))
}

/// What to fetch for `file`.
pub fn download_request(
    project: &PackageName,
    file: &ProjectFile,
    url: &Url,
    required_hashes: RequiredHashes,
    signed: Option<Arc<SignedFile>>,
) -> DownloadRequest {
    DownloadRequest {
        requirement: format!("{project}=={}", file.dist.version()),
        filename: file.filename().to_owned(),
        url: url.clone(),
        index_hashes: file.hashes.clone(),
        required_hashes,
        size: signed.as_ref().map_or(file.size, |signed| signed.length()),
        signed,
    }
}

/// Metadata of another project or version is refused.
fn parse_metadata(project: &PackageName, file: &ProjectFile, bytes: &[u8]) -> Result<CoreMetadata, String> {
    let metadata = CoreMetadata::parse(bytes).map_err(|error| error.to_string())?;
    if metadata.name != *project {
        return Err(format!("its metadata names the project '{}'", metadata.name));
    }
    if metadata.version != *file.dist.version() {
        return Err(format!("its metadata names the version '{}'", metadata.version));
    }
    Ok(metadata)
}

fn unusable(url: &str, cause: impl Into<Source>) -> Failure {
    let cause = cause.into();
    Failure::new(Code::IndexLink, format!("The index gives an unusable link, '{}': {cause}", printable::line(url)))
        .caused_by(cause)
}
