//! Downloads of distributions: streamed to disk, hashed on the way, resumed after a cut, and handed on only when
//! verified.
//!
//! A [`VerifiedFile`] is made here and nowhere else: it proves that its bytes passed every check for which
//! the index or the user gave a length, a hash or a signature.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use backon::BackoffBuilder;
use packaging::{HashAlgorithm, Hashes};
use reqwest::header::{ETAG, HeaderMap, HeaderValue, IF_RANGE, LAST_MODIFIED, RANGE};
use reqwest::{Response, StatusCode};
use sha2::digest::DynDigest;
use tempfile::NamedTempFile;
use tokio::sync::Semaphore;
use url::Url;

use crate::cache;
use crate::error::{Code, Failure};
use crate::event::{Progress, Reporter};
use crate::net::body::ContentRange;
use crate::net::client::identity_encoding;
use crate::net::{HttpClient, MAXIMUM_DISTRIBUTION_SIZE, NetworkCause, RemoteFailure};
use crate::requirements::RequiredHashes;
use crate::trust::{self, CommandTrust, SignedFile};

/// What to fetch, and what is known about it.
#[derive(Clone, Debug)]
pub struct DownloadRequest {
    /// The requirement as pip would name it in a hash error.
    pub requirement: String,
    /// File name of the distribution.
    pub filename: String,
    /// `http`, `https` or `file`.
    pub url: Url,
    /// Hashes the index gives; each that can be computed must match.
    pub index_hashes: Hashes,
    /// Hashes that requirements give; one must match when there are any.
    pub required_hashes: RequiredHashes,
    /// Length the index gives.
    pub size: Option<u64>,
    /// The signed length and hashes of the file, if the index is signed; they must match.
    pub signed: Option<Arc<SignedFile>>,
}

/// By what a file was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A signed index vouches for it.
    Signed,
    /// It has a hash that the user wrote down.
    UserHash,
    /// It has the hash that an unsigned index or a requirements file from a server gives: the transfer was sound, the server
    /// itself was not verified.
    IndexHash,
    /// There was no strong hash to check.
    Unverified,
}

/// A distribution on the local disk that passed every check that was possible.
#[derive(Clone, Debug)]
pub struct VerifiedFile {
    path: PathBuf,
    filename: String,
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
    client: Arc<HttpClient>,
    trust: Arc<CommandTrust>,
    reporter: Arc<dyn Reporter>,
    /// Where files may be.
    kept: PathBuf,
    /// Where files are put: the same, unless it cannot be written to.
    directory: PathBuf,
    slots: Semaphore,
}

impl Downloader {
    /// Finds files in both directories, keeps them in the second, and runs at most `connections` downloads at a time.
    pub fn new(
        client: Arc<HttpClient>,
        trust: Arc<CommandTrust>,
        reporter: Arc<dyn Reporter>,
        [kept, directory]: [PathBuf; 2],
        connections: usize,
    ) -> Self {
        Self { client, trust, reporter, kept, directory, slots: Semaphore::new(connections) }
    }

    /// Returns the file of `request`, from the cache if it is there.
    ///
    /// # Errors
    /// A network failure, a full disk, or `verify.*` when the bytes are not the expected ones; then nothing is kept.
    pub async fn fetch(&self, request: &DownloadRequest) -> Result<VerifiedFile, Failure> {
        let is_local = request.url.scheme() == "file";
        if (!is_local || request.signed.is_some())
            && let Some(file) = self.cached(request)?
        {
            return Ok(file);
        }
        if is_local {
            return self.local(request);
        }
        let _slot = self.slots.acquire().await;
        let turn = self.client.host_permit(&request.url).await;
        self.reporter.progress(Progress::DownloadStarted { name: &request.filename, size: request.size });
        let outcome = self.download(request).await;
        self.reporter.progress(Progress::DownloadFinished { name: &request.filename });
        drop(turn);
        outcome
    }

    /// The file of `request` if a download of this or another process left it in the cache; its bytes are hashed again.
    pub fn cached(&self, request: &DownloadRequest) -> Result<Option<VerifiedFile>, Failure> {
        let Some(sha256) = request.known_sha256() else { return Ok(None) };
        let places = [&self.directory, &self.kept].map(|directory| directory.join(&sha256));
        let opened = places.into_iter().find_map(|path| File::open(&path).ok().map(|file| (file, path)));
        let Some((mut file, path)) = opened else { return Ok(None) };
        let mut receiver = HashingReceiver::new(request);
        if copy_into(&mut file, &mut receiver, std::io::sink()).is_err() {
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
        let path = request
            .url
            .to_file_path()
            .map_err(|()| Failure::new(Code::FileUrl, format!("'{}' names no file on this machine", request.url)))?;
        let unreadable = |error: std::io::Error| {
            Failure::new(Code::FileUnreadable, format!("Could not read {}: {error}", path.display())).caused_by(error)
        };
        let mut file = File::open(&path).map_err(unreadable)?;
        if !file.metadata().map_err(unreadable)?.is_file() {
            // A device or a pipe may never end.
            return Err(unreadable(std::io::Error::other("it is no file")));
        }
        let mut receiver = HashingReceiver::new(request);
        if !request.has_expected_hash() {
            copy_into(&mut file, &mut receiver, std::io::sink()).map_err(unreadable)?;
            return receiver.check(request, &path);
        }
        // Another user may be able to write there between this read and the next one: verify a copy of our own.
        let disk = |error: std::io::Error| RemoteFailure::new(&request.url, NetworkCause::Disk(error.to_string()));
        cache::make_private(&self.directory).map_err(disk)?;
        let mut copy = NamedTempFile::new_in(&self.directory).map_err(disk)?;
        let limit = request.size.unwrap_or(MAXIMUM_DISTRIBUTION_SIZE).saturating_add(1);
        copy_into(&mut file.take(limit), &mut receiver, &mut copy).map_err(unreadable)?;
        let verified = receiver.check(request, &path)?;
        let path = self.directory.join(&verified.sha256);
        copy.persist(&path).map_err(|error| disk(error.error))?;
        Ok(VerifiedFile { path, ..verified })
    }

    async fn download(&self, request: &DownloadRequest) -> Result<VerifiedFile, Failure> {
        let disk = |error: std::io::Error| {
            Failure::from(RemoteFailure::new(&request.url, NetworkCause::Disk(error.to_string())))
        };
        cache::make_private(&self.directory).map_err(disk)?;
        let mut file = NamedTempFile::new_in(&self.directory).map_err(disk)?;
        let mut transfer =
            Transfer { receiver: HashingReceiver::new(request), file: file.as_file_mut(), validator: None };
        let mut retries = self.client.retry_backoff().build();
        let mut resumes = self.client.resume_backoff().build();
        let mut asked = Instant::now();
        loop {
            let before = transfer.receiver.length;
            let (failure, delay) = match self.ask(request, &mut transfer).await {
                Ok(response) => match self.receive(request, response, &mut transfer).await {
                    Ok(()) => break,
                    Err(failure) => (failure, resumes.next()),
                },
                Err(failure) => (failure, retries.next()),
            };
            if transfer.receiver.length > before {
                asked = Instant::now();
            }
            let again = self.client.should_retry(&failure, asked.elapsed());
            let Some(delay) = delay.filter(|_| again) else { return Err(size_refusal(request, failure)) };
            let delay = failure.retry_after().unwrap_or(delay);
            self.client.report_retrying(&failure, delay);
            tokio::time::sleep(delay).await;
        }
        let verified = transfer.receiver.check(request, file.path())?;
        let path = self.directory.join(&verified.sha256);
        file.persist(&path).map_err(|error| disk(error.error))?;
        Ok(VerifiedFile { path, ..verified })
    }

    /// One request: for the whole file, or for the rest of it when a validator of the first answer allows that.
    async fn ask(&self, request: &DownloadRequest, transfer: &mut Transfer<'_>) -> Result<Response, RemoteFailure> {
        let mut headers = identity_encoding();
        if let (Some(validator), offset @ 1..) = (&transfer.validator, transfer.receiver.length) {
            headers.insert(IF_RANGE, validator.clone());
            if let Ok(range) = HeaderValue::from_str(&format!("bytes={offset}-")) {
                headers.insert(RANGE, range);
            }
        }
        match self.client.send(&request.url, &headers).await {
            // The server has no such rest: what was received is not the beginning of its present file.
            Err(failure) if failure.status() == Some(416) && headers.contains_key(RANGE) => {
                transfer.restart(request)?;
                self.client.send(&request.url, &identity_encoding()).await
            }
            answer => answer,
        }
    }

    /// Takes the body of an answer, which begins where the last one ended or at the start of the file.
    async fn receive(
        &self,
        request: &DownloadRequest,
        mut response: Response,
        transfer: &mut Transfer<'_>,
    ) -> Result<(), RemoteFailure> {
        let fail = |cause| RemoteFailure::new(&request.url, cause);
        if !request.is_vouched_for() {
            let allowed = self.trust.refuse_unverified_redirect(&request.url, response.url());
            allowed.map_err(|failure| fail(NetworkCause::Settings(failure)))?;
        }
        let expected = if response.status() == StatusCode::PARTIAL_CONTENT {
            match ContentRange::of(response.headers()) {
                Some(range) if range.first == transfer.receiver.length => Some(range.total),
                _ => {
                    transfer.restart(request)?;
                    return Err(fail(NetworkCause::Body(
                        "the server sent another part than the one asked for".to_owned(),
                    )));
                }
            }
        } else {
            transfer.restart(request)?;
            transfer.validator = strong_validator(response.headers());
            response.content_length()
        };
        let limit = request.size.unwrap_or(MAXIMUM_DISTRIBUTION_SIZE);
        if expected.is_some_and(|length| length > limit) {
            return Err(fail(NetworkCause::TooLarge { limit }));
        }
        let mut pace = self.client.pace();
        while let Some(chunk) =
            response.chunk().await.map_err(|error| RemoteFailure::from_reqwest(&request.url, &error))?
        {
            if transfer.receiver.length + chunk.len() as u64 > limit {
                return Err(fail(NetworkCause::TooLarge { limit }));
            }
            transfer.take(request, &chunk)?;
            self.reporter.progress(Progress::DownloadAdvanced { name: &request.filename, bytes: chunk.len() as u64 });
            pace.advance(chunk.len()).map_err(fail)?;
        }
        // Without a length from the server, the end of the connection may be a cut.
        match expected.or(request.size) {
            Some(length) if transfer.receiver.length < length => {
                Err(fail(NetworkCause::Body(format!("{} of {length} bytes came", transfer.receiver.length))))
            }
            _ => Ok(()),
        }
    }
}

/// A download in progress.
struct Transfer<'file> {
    receiver: HashingReceiver,
    file: &'file mut File,
    /// What proves, on resuming, that the file on the server is still the same.
    validator: Option<HeaderValue>,
}

impl Transfer<'_> {
    fn take(&mut self, request: &DownloadRequest, bytes: &[u8]) -> Result<(), RemoteFailure> {
        self.receiver.update(bytes);
        self.file
            .write_all(bytes)
            .map_err(|error| RemoteFailure::new(&request.url, NetworkCause::Disk(error.to_string())))
    }

    fn restart(&mut self, request: &DownloadRequest) -> Result<(), RemoteFailure> {
        self.validator = None;
        if self.receiver.length == 0 {
            return Ok(());
        }
        self.receiver = HashingReceiver::new(request);
        let emptied = self.file.set_len(0).and_then(|()| self.file.seek(SeekFrom::Start(0)));
        emptied.map(drop).map_err(|error| RemoteFailure::new(&request.url, NetworkCause::Disk(error.to_string())))
    }
}

impl DownloadRequest {
    /// The SHA-256 the file must have, if one is known. Safe as a file name: always 64 hex digits in lower case.
    pub fn known_sha256(&self) -> Option<String> {
        if let Some(signed) = self.signed.as_ref().and_then(|signed| signed.sha256()) {
            return Some(signed);
        }
        let value = match self.required_hashes.allowed.as_slice() {
            [(HashAlgorithm::Sha256, value)] => value,
            _ => self.index_hashes.get(HashAlgorithm::Sha256)?,
        };
        let is_hash = value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hash.then(|| value.to_ascii_lowercase())
    }

    /// Whether a file with this SHA-256 needs no further check, and what it then is checked by.
    pub fn proof_by_sha256(&self, sha256: &str) -> Option<Proof> {
        let is_required = |(algorithm, value): &(HashAlgorithm, String)| {
            *algorithm == HashAlgorithm::Sha256 && value.eq_ignore_ascii_case(sha256)
        };
        let required = &self.required_hashes;
        if !required.allowed.is_empty() && !required.allowed.iter().any(is_required) {
            return None;
        }
        match &self.signed {
            Some(signed) => (signed.sha256().as_deref() == Some(sha256)).then_some(Proof::Signed),
            None if required.vouch() => Some(Proof::UserHash),
            None => Some(Proof::IndexHash),
        }
    }

    /// Whether a hash is expected.
    fn has_expected_hash(&self) -> bool {
        self.signed.is_some() || !self.required_hashes.allowed.is_empty() || !self.index_hashes.is_empty()
    }

    /// Whether the user gave a strong hash of the file.
    pub fn is_hashed_by_user(&self) -> bool {
        self.required_hashes.vouch()
    }

    /// Whether a signed index or a hash of the user determines the content of the file.
    pub fn is_vouched_for(&self) -> bool {
        self.signed.is_some() || self.is_hashed_by_user()
    }
}

/// Length and hashes of what came so far.
struct HashingReceiver {
    length: u64,
    hashers: Vec<(HashAlgorithm, Box<dyn DynDigest + Send>)>,
    /// The verifier of a signed file; an error when no signed hash can be computed, or too many bytes came.
    signed: Option<Result<tuf::Verifier, tuf::Mismatch>>,
}

impl HashingReceiver {
    fn new(request: &DownloadRequest) -> Self {
        let signed = request.signed.as_ref();
        let of_index = request.index_hashes.iter().map(|(algorithm, _)| algorithm).filter(|_| signed.is_none());
        let of_user = request.required_hashes.allowed.iter().map(|(algorithm, _)| *algorithm);
        let mut algorithms = Vec::new();
        for algorithm in std::iter::once(HashAlgorithm::Sha256).chain(of_index).chain(of_user) {
            // A signed SHA-256 is computed by its verifier already.
            let is_signed =
                algorithm == HashAlgorithm::Sha256 && signed.is_some_and(|signed| signed.sha256().is_some());
            if !is_signed && !algorithms.contains(&algorithm) {
                algorithms.push(algorithm);
            }
        }
        let hashers = algorithms.into_iter().map(|algorithm| (algorithm, hasher(algorithm))).collect();
        Self { length: 0, hashers, signed: signed.map(|signed| signed.verifier()) }
    }

    fn update(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        for (_, hasher) in &mut self.hashers {
            hasher.update(bytes);
        }
        if let Some(Ok(verifier)) = &mut self.signed
            && let Err(mismatch) = verifier.update(bytes)
        {
            self.signed = Some(Err(mismatch));
        }
    }

    /// The one place where a [`VerifiedFile`] comes into being.
    fn check(self, request: &DownloadRequest, path: &Path) -> Result<VerifiedFile, Failure> {
        if let (Some(signed), Some(verifier)) = (&request.signed, self.signed) {
            verifier
                .and_then(tuf::Verifier::finish)
                .map_err(|mismatch| trust::refused_file(&request.filename, &request.url, &mismatch, signed))?;
        }
        if let Some(size) = request.size
            && size != self.length
        {
            return Err(mismatch(
                request,
                Code::VerifyLengthMismatch,
                format!("{size} bytes"),
                format!("{} bytes", self.length),
            ));
        }
        let mut computed: Vec<(HashAlgorithm, String)> =
            self.hashers.into_iter().map(|(algorithm, hasher)| (algorithm, hex::encode(hasher.finalize()))).collect();
        computed.extend(request.signed.as_ref().and_then(|signed| Some((HashAlgorithm::Sha256, signed.sha256()?))));
        let value = |algorithm: HashAlgorithm| {
            computed.iter().find(|(known, _)| *known == algorithm).map_or("", |(_, value)| value.as_str())
        };
        let of_index = request.index_hashes.iter().filter(|_| request.signed.is_none());
        for (algorithm, expected) in of_index {
            if !value(algorithm).eq_ignore_ascii_case(expected) {
                let expected = format!("{} {expected}", algorithm.name());
                return Err(mismatch(request, Code::VerifyHashMismatch, expected, value(algorithm).to_owned()));
            }
        }
        let required = &request.required_hashes.allowed;
        let is_required = required.iter().any(|(algorithm, expected)| value(*algorithm).eq_ignore_ascii_case(expected));
        if let (Some((algorithm, _)), false) = (required.first(), is_required) {
            let expected: Vec<String> =
                required.iter().map(|(algorithm, value)| format!("{} {value}", algorithm.name())).collect();
            return Err(mismatch(request, Code::VerifyHashMismatch, expected.join("\n"), value(*algorithm).to_owned()));
        }
        let proof = if request.signed.is_some() {
            Proof::Signed
        } else if request.required_hashes.vouch() {
            Proof::UserHash
        } else if is_required || request.index_hashes.iter().any(|(algorithm, _)| algorithm.is_strong()) {
            Proof::IndexHash
        } else {
            Proof::Unverified
        };
        Ok(VerifiedFile {
            path: path.to_owned(),
            filename: request.filename.clone(),
            sha256: value(HashAlgorithm::Sha256).to_owned(),
            proof,
        })
    }
}

/// A file longer than signed is refused like a hash mismatch.
fn size_refusal(request: &DownloadRequest, failure: RemoteFailure) -> Failure {
    match (&request.signed, &failure.cause) {
        (Some(signed), NetworkCause::TooLarge { limit }) => {
            trust::refused_file(&request.filename, &request.url, &tuf::Mismatch::TooLong { limit: *limit }, signed)
        }
        (Some(signed), NetworkCause::Status { status: status @ (403 | 404 | 410), .. }) => {
            trust::withheld_file(&request.filename, &request.url, *status, signed)
        }
        _ => failure.into(),
    }
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

/// Hashes a file, and copies it.
fn copy_into(file: &mut impl Read, receiver: &mut HashingReceiver, mut copy: impl Write) -> std::io::Result<()> {
    let mut buffer = vec![0; 256 << 10];
    loop {
        let length = file.read(&mut buffer)?;
        let bytes = buffer.get(..length).unwrap_or_default();
        if bytes.is_empty() {
            return Ok(());
        }
        receiver.update(bytes);
        copy.write_all(bytes)?;
    }
}

/// pip's message, which scripts search for, followed by the facts.
fn mismatch(request: &DownloadRequest, code: Code, expected: String, received: String) -> Failure {
    let message = if request.required_hashes.allowed.is_empty() {
        "THESE PACKAGES DO NOT MATCH THE HASHES GIVEN BY THE INDEX. Either the file was changed on its way, or the index is wrong about it."
    } else {
        "THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated the package versions, \
         please update the hashes. Otherwise, examine the package contents carefully; someone may have tampered with them."
    };
    let mut lines = vec![
        message.to_owned(),
        format!("    {} from {}:", request.requirement, printable::redacted_url(&request.url)),
    ];
    for (index, line) in expected.lines().enumerate() {
        lines.push(format!("        {} {line}", if index == 0 { "Expected" } else { "      or" }));
    }
    lines.push(format!("             Got        {received}"));
    Failure::new(code, lines.join("\n"))
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
