//! Project pages over HTTP, with a cache that obeys the server's Cache-Control and asks again with its ETag.
//!
//! The parsed form is kept, because the pages of large projects are megabytes of JSON.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use http_cache_semantics::{AfterResponse, BeforeRequest, CacheOptions, CachePolicy};
use packaging::{PackageName, PageError, ProjectPage};
use reqwest::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use sha2::{Digest, Sha256};
use url::Url;

use crate::failure::{Failure, Kind};
use crate::net::{Client, Fetched, Limits, redacted};
use crate::terminal::Terminal;

/// JSON is asked for first; a server may answer with HTML all the same.
const ACCEPTED: &str =
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.2, text/html; q=0.01";

/// Fetches and remembers pages.
pub struct Pages {
    client: Arc<Client>,
    terminal: Arc<Terminal>,
    directory: PathBuf,
}

impl Pages {
    /// Keeps pages in `directory`.
    pub fn new(client: Arc<Client>, terminal: Arc<Terminal>, directory: PathBuf) -> Self {
        Self { client, terminal, directory }
    }

    /// The page of `project` below `index`; `None` when the index does not have the project.
    ///
    /// # Errors
    /// An index that refuses (401, 403) or fails stops the command: falling through to another index would let whoever
    /// can make an index fail choose where packages come from.
    pub async fn project(&self, index: &Url, project: &PackageName) -> Result<Option<ProjectPage>, Failure> {
        let mut url = index.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend([project.as_ref(), ""]);
        }
        self.page(&url, project).await
    }

    /// The page at `url`, of which only the files of `project` are wanted.
    pub async fn page(&self, url: &Url, project: &PackageName) -> Result<Option<ProjectPage>, Failure> {
        let request = request(url)?;
        let file = self.directory.join(hex::encode(Sha256::digest(format!("{url}\n{project}"))));
        let cached = read_policy(&file);
        let mut headers = request.headers().clone();
        if let Some(cached) = &cached {
            match cached.policy.before_request(&request, SystemTime::now()) {
                BeforeRequest::Fresh(_) => {
                    if let Some(page) = cached.page() {
                        return Ok(Some(page));
                    }
                }
                BeforeRequest::Stale { request, .. } => headers = request.headers,
            }
        }
        let fetched = match self.client.get(url, &headers, Limits::PAGE).await {
            Ok(fetched) => fetched,
            Err(failure) if matches!(failure.status(), Some(404 | 410)) => return Ok(None),
            Err(failure) => return Err(failure.into()),
        };
        if let (304, Some(cached)) = (fetched.status, &cached)
            && let Some(page) = cached.page()
        {
            let response = response(&fetched);
            if let AfterResponse::NotModified(policy, _) =
                cached.policy.after_response(&request, &response, SystemTime::now())
            {
                write(&file, &policy, &page);
            }
            return Ok(Some(page));
        }
        let page = parse(&fetched, project)?;
        self.terminal
            .verbose(2, || format!("{}: {} files, {} left out", redacted(url), page.files.len(), page.skipped.len()));
        let policy = CachePolicy::new_options(&request, &response(&fetched), SystemTime::now(), options());
        if policy.is_storable() {
            write(&file, &policy, &page);
        }
        Ok(Some(page))
    }
}

fn request(url: &Url) -> Result<http::Request<()>, Failure> {
    let mut shown = url.clone();
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    http::Request::get(shown.as_str()).header(ACCEPT, ACCEPTED).body(()).map_err(|error| {
        Failure::new(Kind::Error, "net.unsupported-url", format!("Could not fetch {}: {error}", redacted(url)))
    })
}

fn response(fetched: &Fetched) -> http::Response<()> {
    let mut response = http::Response::new(());
    *response.status_mut() = http::StatusCode::from_u16(fetched.status).unwrap_or_default();
    *response.headers_mut() = fetched.headers.clone();
    if !fetched.headers.contains_key(CACHE_CONTROL) {
        // Without word from the server a page is asked for again each time: guessing would hide a new release.
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    }
    response
}

fn options() -> CacheOptions {
    CacheOptions { shared: false, ..CacheOptions::default() }
}

fn parse(fetched: &Fetched, project: &PackageName) -> Result<ProjectPage, Failure> {
    let kind = content_type(&fetched.headers);
    let page = match kind.as_str() {
        "application/vnd.pypi.simple.v1+json" | "application/json" => {
            ProjectPage::from_json(&fetched.body, &fetched.url, project)
        }
        "text/html" | "application/vnd.pypi.simple.v1+html" | "application/xhtml+xml" | "" => {
            ProjectPage::from_html(&fetched.body, &fetched.url, project)
        }
        other if other.starts_with("application/vnd.pypi.simple.") => Err(PageError::ApiVersion(other.to_owned())),
        other => {
            return Err(unusable(
                &fetched.url,
                &format!("it is '{}', neither JSON nor HTML", crate::terminal::printable(other)),
            ));
        }
    };
    page.map_err(|error| unusable(&fetched.url, &error.to_string()))
}

fn unusable(url: &Url, reason: &str) -> Failure {
    Failure::new(Kind::Error, "index.page", format!("Could not read the page at {}: {reason}", redacted(url)))
        .hint("check that the index URL ends in the part that lists projects, often /simple")
}

fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A remembered page whose content is read only when the policy says that it may serve.
struct Cached {
    policy: CachePolicy,
    bytes: Vec<u8>,
    page_start: usize,
}

impl Cached {
    fn page(&self) -> Option<ProjectPage> {
        postcard::from_bytes(self.bytes.get(self.page_start..)?).ok()
    }
}

fn read_policy(file: &Path) -> Option<Cached> {
    let bytes = std::fs::read(file).ok()?;
    let (policy, rest): (Vec<u8>, _) = postcard::take_from_bytes(&bytes).ok()?;
    let page_start = bytes.len() - rest.len();
    Some(Cached { policy: serde_json::from_slice(&policy).ok()?, page_start, bytes })
}

fn write(file: &Path, policy: &CachePolicy, page: &ProjectPage) {
    // A cache that cannot be written only costs time.
    let _ = (|| -> Option<()> {
        let policy = serde_json::to_vec(policy).ok()?;
        let bytes = postcard::to_extend(page, postcard::to_allocvec(&policy).ok()?).ok()?;
        let directory = file.parent()?;
        std::fs::create_dir_all(directory).ok()?;
        let mut temporary = tempfile::NamedTempFile::new_in(directory).ok()?;
        std::io::Write::write_all(&mut temporary, &bytes).ok()?;
        temporary.persist(file).ok()?;
        Some(())
    })();
}
