//! Signed files of the size of a page: fetched, verified as a whole before any byte is used, and kept by their hash.
//!
//! A file in the cache that has the signed hash is current by definition: no request is needed.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use tuf::{Hashes, Mismatch, Size, Verifier};
use url::Url;

use super::refusal;
use crate::cache::file;
use crate::error::{Code, Failure};
use crate::net::{HttpClient, NetworkCause, RemoteFailure, ResponseLimits, local_path};

/// The most bytes of a page or metadata file, whatever is signed.
const LARGEST: u64 = 64 << 20;

/// Fetches and caches signed files.
pub struct SignedContentCache {
    client: Arc<HttpClient>,
    directory: PathBuf,
}

/// What to fetch: URLs, signed size and hashes.
#[derive(Clone, Debug)]
pub struct ContentRequest<'a> {
    /// In messages: `the page of app`.
    pub what: &'a str,
    /// Where it is, the preferred place first.
    pub urls: &'a [Url],
    /// The one media type to ask for, where the server chooses among several.
    pub accept: Option<&'a str>,
    /// How long it is.
    pub size: Size,
    /// One of them at least is of a known algorithm.
    pub hashes: &'a Hashes,
    /// Who signed it, for messages.
    pub signer: &'a str,
    /// The code of a refusal.
    pub code: Code,
}

impl SignedContentCache {
    /// Keeps files in `directory`.
    pub fn new(client: Arc<HttpClient>, directory: PathBuf) -> Self {
        Self { client, directory }
    }

    /// The verified bytes; `None` if no place has them.
    ///
    /// # Errors
    /// When a server sends something else, or no server answers.
    pub async fn get(&self, request: &ContentRequest<'_>) -> Result<Option<Vec<u8>>, Failure> {
        let refused = |url: &Url, mismatch: &Mismatch| {
            refusal::of_file(request.what, request.code, url, mismatch, request.signer)
        };
        if let Some(bytes) = self.cached(request.size, request.hashes) {
            return Ok(Some(bytes));
        }
        let (Size::Exactly(limit) | Size::AtMost(limit)) = request.size;
        let mut unanswered = None;
        for url in request.urls {
            let fetched = match local_path(url) {
                Some(path) => match read(&path, limit.min(LARGEST))? {
                    Some(bytes) => Ok(bytes),
                    None => continue,
                },
                None => self.fetch(url, request.accept, limit.min(LARGEST)).await,
            };
            let bytes = match fetched {
                Ok(bytes) => bytes,
                Err(failure) if matches!(failure.status(), Some(403 | 404 | 410)) => continue,
                Err(failure) if matches!(failure.cause, NetworkCause::TooLarge { .. }) => {
                    return Err(refused(url, &Mismatch::TooLong { limit: limit.min(LARGEST) }));
                }
                Err(failure) => {
                    unanswered = Some(failure);
                    continue;
                }
            };
            verify(request.size, request.hashes, &bytes).map_err(|mismatch| refused(url, &mismatch))?;
            if let Some(path) = self.path(request.hashes) {
                file::keep(&path, &bytes);
            }
            return Ok(Some(bytes));
        }
        unanswered.map_or(Ok(None), |failure| Err(failure.into()))
    }

    /// The bytes with these hashes if they are in the cache; they are verified again.
    pub fn cached(&self, size: Size, hashes: &Hashes) -> Option<Vec<u8>> {
        let bytes = std::fs::read(self.path(hashes)?).ok()?;
        verify(size, hashes, &bytes).ok().map(|()| bytes)
    }

    fn path(&self, hashes: &Hashes) -> Option<PathBuf> {
        cache_name(hashes).map(|name| self.directory.join(name))
    }

    async fn fetch(&self, url: &Url, accept: Option<&str>, limit: u64) -> Result<Vec<u8>, RemoteFailure> {
        let mut headers = HeaderMap::new();
        if let Some(value) = accept.and_then(|accept| HeaderValue::from_str(accept).ok()) {
            headers.insert(ACCEPT, value);
        }
        Ok(self.client.get(url, &headers, ResponseLimits::signed(limit)).await?.body)
    }
}

fn verify(size: Size, hashes: &Hashes, bytes: &[u8]) -> Result<(), Mismatch> {
    let mut verifier = Verifier::new(size, hashes)?;
    verifier.update(bytes)?;
    verifier.finish()
}

/// A file of an index that is a directory, and one byte too many if it is too long.
fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
    let mut bytes = Vec::new();
    let file = match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => File::open(path),
        Ok(_) => return Ok(None),
        Err(error) => Err(error),
    };
    match file.and_then(|file| file.take(limit.saturating_add(1)).read_to_end(&mut bytes)) {
        Ok(_) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let message = format!("Could not read {}: {error}", path.display());
            Err(Failure::new(Code::FileUnreadable, message))
        }
    }
}

/// By the first hash that is one: safe as a file name.
fn cache_name(hashes: &Hashes) -> Option<String> {
    hashes.known().find_map(|(algorithm, hex)| {
        let is_hash = hex.len() >= 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hash.then(|| format!("{}-{}", algorithm.name(), hex.to_ascii_lowercase()))
    })
}
