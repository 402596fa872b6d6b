//! Downloads of distributions: streamed to disk, hashed on the way, resumed after a cut, and handed on only when verified.
//!
//! A [`VerifiedFile`] can be made here and nowhere else: whoever holds one holds the proof that its bytes were checked as
//! far as the index or the user gave something to check them by.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use packaging::{HashAlgorithm, Hashes};
use reqwest::StatusCode;
use reqwest::header::{CONTENT_RANGE, ETAG, HeaderMap, HeaderValue, IF_RANGE, LAST_MODIFIED, RANGE};
use sha2::digest::DynDigest;
use tempfile::NamedTempFile;
use tokio::sync::Semaphore;
use url::Url;

use super::client::identity_encoding;
use super::{Cause, Client, RemoteFailure, redacted};
use crate::failure::{Failure, Kind};
use crate::terminal::{Progress, Terminal};

/// The most bytes a file may have when the index does not say its size.
const MAXIMUM_SIZE: u64 = 8 << 30;
/// A download slower than this on average over [`SPEED_WINDOW`] is given up.
const MINIMUM_BYTES_PER_WINDOW: u64 = 30 << 10;
const SPEED_WINDOW: Duration = Duration::from_secs(30);

/// What to fetch, and what is known about it.
#[derive(Clone, Debug)]
pub struct DownloadRequest {
    /// The project, for messages.
    pub name: String,
    /// The requirement as pip would name it in a hash error.
    pub requirement: String,
    /// File name of the distribution.
    pub filename: String,
    /// `http`, `https` or `file`.
    pub url: Url,
    /// Hashes the index gives; each that can be computed must match.
    pub index_hashes: Hashes,
    /// Hashes the user gives, in hex; one must match when there are any.
    pub user_hashes: Vec<(HashAlgorithm, String)>,
    /// Length the index gives.
    pub size: Option<u64>,
}

/// Why a file is believed to be the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It has a hash that the user wrote down.
    UserHash,
    /// It has the hash that an unsigned index gives: the transfer was sound, the index itself is believed.
    IndexHash,
    /// Nobody gave a strong hash.
    Unverified,
}

/// A distribution on the local disk that passed every check there was something to check by.
#[derive(Clone, Debug)]
pub struct VerifiedFile {
    path: PathBuf,
    filename: String,
    url: Url,
    sha256: String,
    proof: Proof,
}

impl VerifiedFile {
    /// Where the bytes are.
    pub fn path(&self) -> &Path {
        &self.path
    }
    /// File name of the distribution.
    pub fn filename(&self) -> &str {
        &self.filename
    }
    /// Where it came from.
    pub fn url(&self) -> &Url {
        &self.url
    }
    /// SHA-256 of the whole file in hex.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
    /// What it was checked by.
    pub fn proof(&self) -> Proof {
        self.proof
    }
}

/// Fetches distributions into a content-addressed directory that several processes may share.
pub struct Downloader {
    client: Arc<Client>,
    terminal: Arc<Terminal>,
    directory: PathBuf,
    slots: Semaphore,
}

impl Downloader {
    /// Keeps files in `directory` and runs at most `connections` downloads at a time.
    pub fn new(client: Arc<Client>, terminal: Arc<Terminal>, directory: PathBuf, connections: usize) -> Self {
        Self { client, terminal, directory, slots: Semaphore::new(connections) }
    }

    /// Gives the file of `request`, from the cache when it is there.
    ///
    /// # Errors
    /// A network failure, a full disk, or `verify.*` when the bytes are not the expected ones; then nothing is kept.
    pub async fn fetch(&self, request: &DownloadRequest) -> Result<VerifiedFile, Failure> {
        if request.url.scheme() == "file" {
            return self.local(request);
        }
        if let Some(file) = self.cached(request)? {
            return Ok(file);
        }
        let _slot = self.slots.acquire().await;
        let turn = self.client.turn(&request.url).await;
        self.terminal.progress(Progress::DownloadStarted { name: &request.filename, size: request.size });
        let outcome = self.download(request).await;
        self.terminal.progress(Progress::DownloadFinished { name: &request.filename });
        drop(turn);
        outcome
    }

    /// The file of `request` if a download of this or another process left it in the cache; its bytes are hashed again.
    pub fn cached(&self, request: &DownloadRequest) -> Result<Option<VerifiedFile>, Failure> {
        let Some(sha256) = request.known_sha256() else { return Ok(None) };
        let path = self.directory.join(sha256);
        let Ok(mut file) = File::open(&path) else { return Ok(None) };
        let mut receiver = Receiver::new(request);
        if copy_into(&mut file, &mut receiver).is_err() {
            return Ok(None);
        }
        match receiver.check(request, &path) {
            Ok(verified) => Ok(Some(verified)),
            Err(_) => {
                // A damaged cache entry is not the index's fault: forget it and fetch the file again.
                let _ = std::fs::remove_file(&path);
                Ok(None)
            }
        }
    }

    fn local(&self, request: &DownloadRequest) -> Result<VerifiedFile, Failure> {
        let path = request.url.to_file_path().map_err(|()| {
            Failure::new(Kind::Error, "file.url", format!("'{}' names no file on this machine", request.url))
        })?;
        let unreadable = |error: std::io::Error| {
            Failure::new(Kind::Error, "file.unreadable", format!("Could not read {}: {error}", path.display()))
        };
        let mut file = File::open(&path).map_err(unreadable)?;
        let mut receiver = Receiver::new(request);
        copy_into(&mut file, &mut receiver).map_err(unreadable)?;
        receiver.check(request, &path)
    }

    async fn download(&self, request: &DownloadRequest) -> Result<VerifiedFile, Failure> {
        let disk =
            |error: std::io::Error| Failure::from(RemoteFailure::new(&request.url, Cause::Disk(error.to_string())));
        std::fs::create_dir_all(&self.directory).map_err(disk)?;
        let mut file = NamedTempFile::new_in(&self.directory).map_err(disk)?;
        let mut receiver = Receiver::new(request);
        let mut attempts = backon::BackoffBuilder::build(self.client.backoff());
        let mut validator = None;
        loop {
            match self.receive(request, &mut receiver, file.as_file_mut(), &mut validator).await {
                Ok(()) => break,
                Err(failure) if failure.is_transient() => match attempts.next() {
                    Some(delay) => {
                        let wait = failure.retry_after().unwrap_or(delay);
                        self.terminal.verbose(1, || {
                            format!(
                                "{}: {failure}; {} bytes so far, trying again",
                                redacted(&request.url),
                                receiver.length
                            )
                        });
                        tokio::time::sleep(wait).await;
                    }
                    None => return Err(failure.into()),
                },
                Err(failure) => return Err(failure.into()),
            }
        }
        let verified = receiver.check(request, file.path())?;
        let path = self.directory.join(&verified.sha256);
        file.persist(&path).map_err(|error| disk(error.error))?;
        Ok(VerifiedFile { path, ..verified })
    }

    /// One request: the whole file, or the rest of it when a validator of the first answer allows to ask for that.
    async fn receive(
        &self,
        request: &DownloadRequest,
        receiver: &mut Receiver,
        file: &mut File,
        validator: &mut Option<HeaderValue>,
    ) -> Result<(), RemoteFailure> {
        let fail = |cause| RemoteFailure::new(&request.url, cause);
        let disk = |error: std::io::Error| fail(Cause::Disk(error.to_string()));
        let mut headers = identity_encoding();
        let offset = receiver.length;
        if let (Some(validator), 1..) = (validator.as_ref(), offset) {
            headers.insert(IF_RANGE, validator.clone());
            if let Ok(range) = HeaderValue::from_str(&format!("bytes={offset}-")) {
                headers.insert(RANGE, range);
            }
        }
        let mut response = match self.client.send(&request.url, &headers).await {
            Err(failure) if failure.status() == Some(416) => {
                *validator = None;
                receiver.restart(request, file).map_err(disk)?;
                return Err(fail(Cause::Body("the server refused to resume".to_owned())));
            }
            answer => answer?,
        };
        let resumed =
            response.status() == StatusCode::PARTIAL_CONTENT && range_start(response.headers()) == Some(offset);
        if !resumed {
            receiver.restart(request, file).map_err(disk)?;
            if response.status() == StatusCode::PARTIAL_CONTENT {
                *validator = None;
                return Err(fail(Cause::Body("the server sent another part than the one asked for".to_owned())));
            }
            *validator = strong_validator(response.headers());
        }
        let announced = response.content_length().map(|length| receiver.length + length);
        let limit = request.size.unwrap_or(MAXIMUM_SIZE);
        let (mut window_start, mut window_length) = (Instant::now(), receiver.length);
        while let Some(chunk) =
            response.chunk().await.map_err(|error| RemoteFailure::from_reqwest(&request.url, &error))?
        {
            if receiver.length + chunk.len() as u64 > limit {
                return Err(fail(Cause::TooLarge { limit }));
            }
            file.write_all(&chunk).map_err(disk)?;
            receiver.update(&chunk);
            self.terminal.progress(Progress::DownloadAdvanced { name: &request.filename, bytes: chunk.len() as u64 });
            if window_start.elapsed() >= SPEED_WINDOW {
                if receiver.length - window_length < MINIMUM_BYTES_PER_WINDOW {
                    return Err(fail(Cause::TimedOut("the server sends less than 1 KiB per second".to_owned())));
                }
                (window_start, window_length) = (Instant::now(), receiver.length);
            }
        }
        match announced {
            Some(length) if receiver.length < length => {
                Err(fail(Cause::Body(format!("{} of {length} bytes came", receiver.length))))
            }
            _ => Ok(()),
        }
    }
}

impl DownloadRequest {
    /// The SHA-256 the file must have, when somebody says so.
    pub fn known_sha256(&self) -> Option<&str> {
        match self.user_hashes.as_slice() {
            [(HashAlgorithm::Sha256, value)] => Some(value),
            _ => self.index_hashes.get(HashAlgorithm::Sha256),
        }
    }
}

/// Length and hashes of what came so far.
struct Receiver {
    length: u64,
    hashers: Vec<(HashAlgorithm, Box<dyn DynDigest + Send>)>,
}

impl Receiver {
    fn new(request: &DownloadRequest) -> Self {
        let mut algorithms = vec![HashAlgorithm::Sha256];
        let given = request.index_hashes.iter().map(|(algorithm, _)| algorithm);
        for algorithm in given.chain(request.user_hashes.iter().map(|(algorithm, _)| *algorithm)) {
            if !algorithms.contains(&algorithm) {
                algorithms.push(algorithm);
            }
        }
        let hashers = algorithms.into_iter().map(|algorithm| (algorithm, hasher(algorithm))).collect();
        Self { length: 0, hashers }
    }

    fn update(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        for (_, hasher) in &mut self.hashers {
            hasher.update(bytes);
        }
    }

    fn restart(&mut self, request: &DownloadRequest, file: &mut File) -> std::io::Result<()> {
        *self = Self::new(request);
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0)).map(drop)
    }

    /// The one place where a [`VerifiedFile`] comes into being.
    fn check(self, request: &DownloadRequest, path: &Path) -> Result<VerifiedFile, Failure> {
        if let Some(size) = request.size
            && size != self.length
        {
            return Err(mismatch(
                request,
                "verify.length-mismatch",
                format!("{size} bytes"),
                format!("{} bytes", self.length),
            ));
        }
        let computed: Vec<(HashAlgorithm, String)> =
            self.hashers.into_iter().map(|(algorithm, hasher)| (algorithm, hex::encode(hasher.finalize()))).collect();
        let value = |algorithm: HashAlgorithm| {
            computed.iter().find(|(known, _)| *known == algorithm).map_or("", |(_, value)| value.as_str())
        };
        for (algorithm, expected) in request.index_hashes.iter() {
            if !value(algorithm).eq_ignore_ascii_case(expected) {
                let expected = format!("{} {expected}", algorithm.name());
                return Err(mismatch(request, "verify.hash-mismatch", expected, value(algorithm).to_owned()));
            }
        }
        let user = &request.user_hashes;
        let matches_user = user.iter().any(|(algorithm, expected)| value(*algorithm).eq_ignore_ascii_case(expected));
        if let (Some((algorithm, _)), false) = (user.first(), matches_user) {
            let expected: Vec<String> =
                user.iter().map(|(algorithm, value)| format!("{} {value}", algorithm.name())).collect();
            return Err(mismatch(request, "verify.hash-mismatch", expected.join("\n"), value(*algorithm).to_owned()));
        }
        let proof = if matches_user {
            Proof::UserHash
        } else if request.index_hashes.iter().any(|(algorithm, _)| is_strong(algorithm)) {
            Proof::IndexHash
        } else {
            Proof::Unverified
        };
        Ok(VerifiedFile {
            path: path.to_owned(),
            filename: request.filename.clone(),
            url: request.url.clone(),
            sha256: value(HashAlgorithm::Sha256).to_owned(),
            proof,
        })
    }
}

/// Algorithms whose match proves anything today.
fn is_strong(algorithm: HashAlgorithm) -> bool {
    matches!(algorithm, HashAlgorithm::Sha256 | HashAlgorithm::Sha384 | HashAlgorithm::Sha512)
}

fn hasher(algorithm: HashAlgorithm) -> Box<dyn DynDigest + Send> {
    match algorithm {
        HashAlgorithm::Md5 => Box::new(md5::Md5::default()),
        HashAlgorithm::Sha1 => Box::new(sha1::Sha1::default()),
        HashAlgorithm::Sha224 => Box::new(sha2::Sha224::default()),
        HashAlgorithm::Sha256 => Box::new(sha2::Sha256::default()),
        HashAlgorithm::Sha384 => Box::new(sha2::Sha384::default()),
        HashAlgorithm::Sha512 => Box::new(sha2::Sha512::default()),
    }
}

fn copy_into(file: &mut File, receiver: &mut Receiver) -> std::io::Result<()> {
    let mut buffer = vec![0; 256 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(()),
            length => receiver.update(buffer.get(..length).unwrap_or_default()),
        }
    }
}

/// pip's words, which scripts look for, with the facts below them.
fn mismatch(request: &DownloadRequest, code: &'static str, expected: String, received: String) -> Failure {
    let message = if request.user_hashes.is_empty() {
        "THESE PACKAGES DO NOT MATCH THE HASHES GIVEN BY THE INDEX. Either the file was changed on its way, or the index is wrong about it."
    } else {
        "THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated the package versions, \
         please update the hashes. Otherwise, examine the package contents carefully; someone may have tampered with them."
    };
    let mut lines = vec![message.to_owned(), format!("    {} from {}:", request.requirement, redacted(&request.url))];
    for (index, line) in expected.lines().enumerate() {
        lines.push(format!("        {} {line}", if index == 0 { "Expected" } else { "      or" }));
    }
    lines.push(format!("             Got        {received}"));
    Failure::new(Kind::Verification, code, lines.join("\n"))
        .detail("meaning", "the file was not used and nothing was installed")
        .hint("try again; if it stays so, ask the operator of the index, and do not install the file another way")
}

/// A validator that promises the same bytes; weak ones do not.
fn strong_validator(headers: &HeaderMap) -> Option<HeaderValue> {
    match headers.get(ETAG) {
        Some(tag) if !tag.as_bytes().starts_with(b"W/") => Some(tag.clone()),
        _ => headers.get(LAST_MODIFIED).cloned(),
    }
}

/// The first byte position of a `Content-Range: bytes 100-199/200`.
fn range_start(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    text.strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}
