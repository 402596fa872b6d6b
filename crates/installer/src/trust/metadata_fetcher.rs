//! The metadata files of one repository, as its servers have them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use percent_encoding::percent_decode_str;
use reqwest::header::{CACHE_CONTROL, HeaderMap, HeaderValue};
use tuf::RemoteFile;
use url::Url;

use crate::net::{HttpClient, NetworkCause, RemoteFailure, ResponseLimits};

/// The reason of a fetch that failed because the server demands credentials.
pub const UNAUTHORIZED: &str = "the server answered 401";

/// Where metadata is fetched from: one place for a whole epoch.
pub struct MetadataFetcher {
    client: Arc<HttpClient>,
    /// The repository, then its mirrors.
    base_urls: Vec<Url>,
    choice: Mutex<MirrorChoice>,
    /// The status with which a server last reported a file as missing.
    absent: Mutex<BTreeMap<String, u16>>,
}

/// Which base URL is used.
#[derive(Default)]
struct MirrorChoice {
    place: usize,
    /// Whether it has answered: then it is used for the whole epoch.
    answered: bool,
}

/// The result of a fetch.
#[derive(Debug)]
pub enum FetchOutcome {
    /// The file.
    Body(Vec<u8>),
    /// The server reports that the file is missing.
    Absent,
    /// More bytes than the limit.
    TooLong,
    /// The reason why there was no answer.
    Failed(String),
}

impl MetadataFetcher {
    /// `base_urls` are URLs that end in a slash, in order of preference; at least one.
    pub fn new(client: Arc<HttpClient>, base_urls: Vec<Url>) -> Self {
        Self { client, base_urls, choice: Mutex::default(), absent: Mutex::default() }
    }

    /// The base URL in use, for messages: of the repository itself, or of the mirror in its place.
    pub fn base_url(&self) -> Option<&Url> {
        self.base_urls.get(self.choice().place)
    }

    /// The HTTP status with which a server last reported a file as missing.
    pub fn status_of_absent(&self, name: &str) -> Option<u16> {
        self.absent.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied()
    }

    /// Fetches a file, from a mirror if the repository has not answered yet and does not.
    pub async fn fetch(&self, file: &RemoteFile) -> FetchOutcome {
        loop {
            let place = self.choice().place;
            let Some(url) = self.base_urls.get(place) else {
                return FetchOutcome::Failed("there is no server to ask".to_owned());
            };
            let answer = self.fetch_from(url, file).await;
            if self.is_final_answer(place, &answer) {
                return answer;
            }
        }
    }

    /// Whether this answer is final; if not, the next base URL is tried.
    fn is_final_answer(&self, place: usize, answer: &FetchOutcome) -> bool {
        let mut choice = self.choice();
        // Another fetch has moved to the next base URL, and all files of an epoch come from one.
        if choice.place != place {
            return false;
        }
        if !matches!(answer, FetchOutcome::Failed(_)) {
            choice.answered = true;
        }
        let is_last = place + 1 == self.base_urls.len();
        if choice.answered || is_last {
            return true;
        }
        choice.place += 1;
        false
    }

    fn choice(&self) -> MutexGuard<'_, MirrorChoice> {
        self.choice.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fetch_from(&self, place: &Url, file: &RemoteFile) -> FetchOutcome {
        if place.scheme() == "file" {
            return read(place, file);
        }
        // The name is encoded already: joining it as a path would change it.
        let url = match Url::parse(&format!("{place}{}", file.name)) {
            Ok(url) => url,
            Err(error) => return FetchOutcome::Failed(error.to_string()),
        };
        let mut headers = HeaderMap::new();
        if !file.immutable {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        }
        match self.client.get(&url, &headers, ResponseLimits::signed(file.max_bytes)).await {
            Ok(fetched) => FetchOutcome::Body(fetched.body),
            Err(failure) => self.answer_of(file, &failure),
        }
    }

    fn answer_of(&self, file: &RemoteFile, failure: &RemoteFailure) -> FetchOutcome {
        match (&failure.cause, failure.status()) {
            // Object stores without a listing answer 403 for missing files.
            (_, Some(status @ (403 | 404 | 410))) => {
                let mut absent = self.absent.lock().unwrap_or_else(PoisonError::into_inner);
                absent.insert(file.name.to_string(), status);
                FetchOutcome::Absent
            }
            (_, Some(401)) => FetchOutcome::Failed(UNAUTHORIZED.to_owned()),
            (NetworkCause::TooLarge { .. }, _) => FetchOutcome::TooLong,
            _ => FetchOutcome::Failed(failure.to_string()),
        }
    }
}

/// A repository that is a directory.
fn read(place: &Url, file: &RemoteFile) -> FetchOutcome {
    let name = percent_decode_str(&file.name).decode_utf8_lossy();
    let Some(directory) = place.to_file_path().ok().filter(|_| !name.contains(['/', '\\', '\0'])) else {
        return FetchOutcome::Failed("there is no such place on this machine".to_owned());
    };
    let path = directory.join(name.as_ref());
    match std::fs::metadata(&path) {
        Ok(metadata) if metadata.len() > file.max_bytes => FetchOutcome::TooLong,
        Ok(metadata) if metadata.is_file() => match std::fs::read(&path) {
            Ok(bytes) => FetchOutcome::Body(bytes),
            Err(error) => FetchOutcome::Failed(error.to_string()),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => FetchOutcome::Absent,
        Ok(_) => FetchOutcome::Failed("it is no file".to_owned()),
        Err(error) => FetchOutcome::Failed(error.to_string()),
    }
}
