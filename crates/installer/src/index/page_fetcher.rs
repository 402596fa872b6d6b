//! Project pages over HTTP, with a cache that obeys the server's Cache-Control and revalidates with its ETag.
//!
//! The parsed form is kept, because the pages of large projects are megabytes of JSON.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use http_cache_semantics::{AfterResponse, BeforeRequest, CacheOptions, CachePolicy};
use packaging::{PackageName, PageError, ProjectPage};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap};
use sha2::{Digest, Sha256};
use url::Url;

use crate::cache::file;
use crate::error::{Code, Failure, Source};
use crate::event::Reporter;
use crate::local_key::LocalKey;
use crate::net::{HttpClient, HttpResponse, ResponseLimits};
use crate::text::count_noun;
use crate::trust::{CommandTrust, page_url};

/// JSON is preferred; a server may answer with HTML nevertheless.
const ACCEPTED: &str =
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.2, text/html; q=0.01";

/// Fetches and caches project pages.
pub struct PageFetcher {
    client: Arc<HttpClient>,
    trust: Arc<CommandTrust>,
    reporter: Arc<dyn Reporter>,
    directory: PathBuf,
    key: LocalKey,
}

impl PageFetcher {
    /// Keeps pages in `directory`, sealed with `key`.
    pub fn new(
        client: Arc<HttpClient>,
        trust: Arc<CommandTrust>,
        reporter: Arc<dyn Reporter>,
        directory: PathBuf,
        key: LocalKey,
    ) -> Self {
        Self { client, trust, reporter, directory, key }
    }

    /// Whether pages at `url` may be relied on, see [`HttpClient::is_secure_origin`].
    pub fn is_secure_origin(&self, url: &Url) -> bool {
        self.client.is_secure_origin(url)
    }

    /// The page of `project` below `index`; `None` when the index does not have the project.
    ///
    /// # Errors
    /// An index that refuses (401, 403) or fails stops the command: falling through to another index would let an
    /// attacker who can make an index fail choose where packages come from.
    pub async fn project(&self, index: &Url, project: &PackageName) -> Result<Option<ProjectPage>, Failure> {
        let url = page_url(index, project);
        let request = request(&url)?;
        let file = self.directory.join(cache_key(&url, project));
        let key = &self.key;
        let cached = CachedPage::read(&file, key);
        let mut headers = request.headers().clone();
        if let Some(cached) = &cached {
            if self.client.is_offline() {
                return Ok(Some(cached.page.clone()));
            }
            match cached.policy.before_request(&request, SystemTime::now()) {
                BeforeRequest::Fresh(_) => return Ok(Some(cached.page.clone())),
                BeforeRequest::Stale { request, .. } => headers = request.headers,
            }
        }
        let Some(fetched) = self.fetch(&url, &headers).await? else { return Ok(None) };
        if let (304, Some(cached)) = (fetched.status, cached) {
            let response = response(&fetched);
            if let AfterResponse::NotModified(policy, _) =
                cached.policy.after_response(&request, &response, SystemTime::now())
                && fetched.is_authentic
            {
                write(&file, key, &policy, &cached.page);
            }
            return Ok(Some(cached.page));
        }
        let page = parse(&fetched, project)?;
        self.reporter.detail(2, || {
            let files = count_noun(page.files.len(), "file");
            format!("{}: {files}, {} left out", printable::redacted_url(&url), page.skipped.len())
        });
        let policy = CachePolicy::new_options(&request, &response(&fetched), SystemTime::now(), options());
        // With --trusted-host it may be anybody's page, and later commands may not accept that.
        if fetched.is_authentic && policy.is_storable() {
            write(&file, key, &policy, &page);
        }
        Ok(Some(page))
    }

    /// The page of links to files of many projects at `url`, to be parsed for each project; `None` when there is none.
    pub async fn links(&self, url: &Url) -> Result<Option<HttpResponse>, Failure> {
        self.fetch(url, request(url)?.headers()).await
    }

    async fn fetch(&self, url: &Url, headers: &HeaderMap) -> Result<Option<HttpResponse>, Failure> {
        match self.client.get(url, headers, ResponseLimits::PAGE).await {
            Ok(fetched) => {
                self.trust.refuse_unverified_redirect(url, &fetched.url)?;
                Ok(Some(fetched))
            }
            Err(failure) if matches!(failure.status(), Some(404 | 410)) => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }
}

/// The user's name stays in it, because an index may show other pages to other users; the password does not.
fn cache_key(url: &Url, project: &PackageName) -> String {
    let url = printable::without_password(url);
    hex::encode(Sha256::digest(format!("{url}\n{project}")))
}

fn request(url: &Url) -> Result<http::Request<()>, Failure> {
    let asked = printable::without_credentials(url);
    http::Request::get(asked.as_str()).header(ACCEPT, ACCEPTED).body(()).map_err(|error| {
        Failure::new(Code::NetUnsupportedUrl, format!("Could not fetch {}: {error}", printable::redacted_url(url)))
            .caused_by(error)
    })
}

fn response(fetched: &HttpResponse) -> http::Response<()> {
    let mut response = http::Response::new(());
    *response.status_mut() = http::StatusCode::from_u16(fetched.status).unwrap_or_default();
    *response.headers_mut() = fetched.headers.clone();
    response
}

fn options() -> CacheOptions {
    // Without Cache-Control a page is revalidated each time: a heuristic would hide a new release.
    CacheOptions { shared: false, cache_heuristic: 0.0, ..CacheOptions::default() }
}

/// Parses a response as JSON or as HTML, according to its media type.
///
/// # Errors
/// When it is neither, or of a version that is not known.
pub(super) fn parse(fetched: &HttpResponse, project: &PackageName) -> Result<ProjectPage, Failure> {
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
            return Err(unusable(&fetched.url, format!("it is '{other}', neither JSON nor HTML")));
        }
    };
    page.map_err(|error| unusable(&fetched.url, error))
}

fn unusable(url: &Url, cause: impl Into<Source>) -> Failure {
    let cause = cause.into();
    let reason = printable::line(&cause.to_string());
    Failure::new(Code::IndexPage, format!("Could not read the page at {}: {reason}", printable::redacted_url(url)))
        .caused_by(cause)
        .hint("check that the index URL ends in the part that lists projects, often /simple")
}

fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A cached page and the server's cache policy for it.
struct CachedPage {
    policy: CachePolicy,
    page: ProjectPage,
}

impl CachedPage {
    fn read(file: &Path, key: &LocalKey) -> Option<Self> {
        let bytes = file::read(file, key)?;
        let (policy, page): (Vec<u8>, _) = postcard::take_from_bytes(&bytes).ok()?;
        Some(Self { policy: serde_json::from_slice(&policy).ok()?, page: postcard::from_bytes(page).ok()? })
    }
}

fn write(file: &Path, key: &LocalKey, policy: &CachePolicy, page: &ProjectPage) {
    let policy = serde_json::to_vec(policy).unwrap_or_default();
    if let Ok(bytes) = postcard::to_allocvec(&policy).and_then(|start| postcard::to_extend(page, start)) {
        file::write(file, key, bytes);
    }
}
