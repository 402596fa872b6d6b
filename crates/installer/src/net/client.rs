//! The HTTP client: retries, redirects, credentials, and a bound on what one answer may cost.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use backon::{ExponentialBuilder, Retryable};
use reqwest::header::{
    ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LOCATION, RANGE,
    RETRY_AFTER,
};
use reqwest::{Response, StatusCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

use super::body::{self, ContentRange, Pace};
use super::transport::Transport;
use super::{Credentials, NetworkCause, RemoteFailure};
use crate::event::{Reporter, WarningCode};
use crate::options::NetworkOptions;

/// Requests under way to one host at a time. With HTTP/2 they share a connection.
const REQUESTS_PER_HOST: usize = 32;
/// How long requests that time out are retried.
const RETRY_DEADLINE: Duration = Duration::from_secs(60);
/// Bodies longer than [`body::LARGE`] that are in memory at a time.
const LARGE_BODIES: usize = 1;
/// Redirects followed for one request.
const MAXIMUM_REDIRECTS: usize = 10;

/// Bounds on one answer.
#[derive(Clone, Copy, Debug)]
pub struct ResponseLimits {
    /// Bytes of the body after decoding.
    pub bytes: u64,
    /// Time for the whole answer; the time between two bytes is bounded by `--timeout` besides.
    pub deadline: Duration,
}

impl ResponseLimits {
    /// A page of an index.
    pub const PAGE: Self = Self { bytes: 64 << 20, deadline: Duration::from_secs(120) };
    /// A metadata file, or a few bytes of an archive.
    pub const METADATA: Self = Self { bytes: 16 << 20, deadline: Duration::from_secs(60) };

    /// A file of a signed index with at most this number of bytes.
    pub const fn signed(bytes: u64) -> Self {
        Self { bytes, deadline: Duration::from_secs(50) }
    }
}

/// A complete answer.
#[derive(Debug)]
pub struct HttpResponse {
    /// 200, or 304 when the request had a condition.
    pub status: u16,
    /// Headers of the last answer.
    pub headers: HeaderMap,
    /// Where the answer came from, after redirects; without credentials.
    pub url: Url,
    /// Nobody on the way could change it, see [`HttpClient::is_authentic`]; redirects included.
    pub is_authentic: bool,
    /// The decoded body.
    pub body: Vec<u8>,
    /// Held for as long as a large body is in memory.
    _turn: Option<OwnedSemaphorePermit>,
}

/// A part of a file.
#[derive(Debug)]
pub struct PartialContent {
    /// The bytes of the part.
    pub bytes: Vec<u8>,
    /// Position of its first byte.
    pub first: u64,
    /// Length of the whole file.
    pub total: u64,
    /// As in [`HttpResponse`].
    pub is_authentic: bool,
}

/// The HTTP client of a command. Creating it opens nothing.
pub struct HttpClient {
    transport: Transport,
    reporter: Arc<dyn Reporter>,
    retries: u32,
    resume_retries: u32,
    timeout: Duration,
    /// Nothing is sent.
    offline: bool,
    credentials: RwLock<Credentials>,
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
    large_bodies: Arc<Semaphore>,
    requests: AtomicUsize,
}

impl HttpClient {
    /// A client for these settings; opens nothing.
    pub fn new(settings: NetworkOptions, credentials: Credentials, reporter: Arc<dyn Reporter>) -> Self {
        Self {
            retries: settings.retries,
            resume_retries: settings.resume_retries,
            timeout: settings.timeout,
            offline: settings.offline,
            transport: Transport::new(settings),
            reporter,
            credentials: RwLock::new(credentials),
            hosts: Mutex::new(HashMap::new()),
            large_bodies: Arc::new(Semaphore::new(LARGE_BODIES)),
            requests: AtomicUsize::new(0),
        }
    }

    /// Requests sent so far, retries and redirects included.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    /// The user named these URLs: credentials of netrc may go to their origins.
    pub fn add_origins_of(&self, urls: impl IntoIterator<Item = Url>) {
        self.credentials.write().unwrap_or_else(PoisonError::into_inner).add_origins(urls);
    }

    /// Remembers the credentials in these URLs for everything at the same origins.
    pub fn add_credentials_of(&self, urls: &[Url]) {
        self.credentials.write().unwrap_or_else(PoisonError::into_inner).add_indexes(urls);
    }

    /// Exempts more hosts from certificate checks.
    pub fn trust_hosts(&self, hosts: &[String]) {
        self.transport.trust_hosts(hosts);
    }

    /// Whether no requests are sent (`--offline`).
    pub fn is_offline(&self) -> bool {
        self.offline
    }

    /// Whether content from `url` cannot be altered in transit, or the user accepts that it can.
    pub fn is_secure_origin(&self, url: &Url) -> bool {
        self.transport.is_secure_origin(url)
    }

    /// Whether content from `url` cannot be altered in transit, whatever the user accepts: what can be is not kept for
    /// commands whose user does not accept it.
    pub fn is_authentic(&self, url: &Url) -> bool {
        self.transport.is_authentic(url)
    }

    /// Fetches `url` whole, with retries.
    ///
    /// # Errors
    /// Any status but 200 (and 304 when `headers` have a condition), and everything [`NetworkCause`] names.
    pub async fn get(
        &self,
        url: &Url,
        headers: &HeaderMap,
        limits: ResponseLimits,
    ) -> Result<HttpResponse, RemoteFailure> {
        let mut headers = headers.clone();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let start = Instant::now();
        let attempt = || async {
            let _turn = self.host_permit(url).await;
            self.in_time(url, limits, self.get_once(url, &headers, limits.bytes)).await
        };
        attempt
            .retry(self.retry_backoff())
            .when(|failure| self.should_retry(failure, start.elapsed()))
            .adjust(|failure, planned| planned.map(|delay| failure.retry_after().unwrap_or(delay)))
            .notify(|failure, delay| self.report_retrying(failure, delay))
            .await
    }

    async fn get_once(&self, url: &Url, headers: &HeaderMap, limit: u64) -> Result<HttpResponse, RemoteFailure> {
        let (mut response, is_authentic) = self.send_and_follow(url, headers).await?;
        let final_url = response.url().clone();
        let (body, turn) = match response.status() {
            StatusCode::NOT_MODIFIED => (Vec::new(), None),
            _ => body::read(url, &mut response, limit, self.pace(), &self.large_bodies).await?,
        };
        Ok(HttpResponse {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            url: final_url,
            is_authentic,
            body,
            _turn: turn,
        })
    }

    /// Fetches the part of `url` that `range` (the value of a Range header) names; `None` when the server ignores Range
    /// or answers with an invalid part.
    ///
    /// # Errors
    /// As [`HttpClient::get`]; no retries, since the whole file can be fetched instead.
    pub async fn get_part(
        &self,
        url: &Url,
        range: &str,
        limits: ResponseLimits,
    ) -> Result<Option<PartialContent>, RemoteFailure> {
        let mut headers = identity_encoding();
        let value = HeaderValue::from_str(range)
            .map_err(|error| RemoteFailure::new(url, NetworkCause::Unsupported(error.to_string())))?;
        headers.insert(RANGE, value);
        let _turn = self.host_permit(url).await;
        let fetch = async {
            let (mut response, is_authentic) = self.send_and_follow(url, &headers).await?;
            let Some(range) = part_range(&response) else { return Ok(None) };
            let (bytes, _turn) = body::read(url, &mut response, limits.bytes, self.pace(), &self.large_bodies).await?;
            let complete = bytes.len() as u64 == range.length;
            Ok(complete.then_some(PartialContent { bytes, first: range.first, total: range.total, is_authentic }))
        };
        self.in_time(url, limits, fetch).await
    }

    /// Limits the time of a whole response. It is not retried: a retry would take as long.
    async fn in_time<T>(
        &self,
        url: &Url,
        limits: ResponseLimits,
        answer: impl Future<Output = Result<T, RemoteFailure>>,
    ) -> Result<T, RemoteFailure> {
        let deadline = limits.deadline.max(self.timeout.saturating_mul(2));
        tokio::time::timeout(deadline, answer).await.unwrap_or_else(|_| {
            let reason = format!("the answer took longer than {} s", deadline.as_secs());
            Err(RemoteFailure::new(url, NetworkCause::TooSlow(reason)))
        })
    }

    /// Sends one request and follows redirects; returns a success (200, and if `headers` request it 206 or 304) with
    /// its body not read yet.
    pub(crate) async fn send(&self, url: &Url, headers: &HeaderMap) -> Result<Response, RemoteFailure> {
        Ok(self.send_and_follow(url, headers).await?.0)
    }

    /// The same, and whether nobody on the way could change the answer.
    async fn send_and_follow(&self, url: &Url, headers: &HeaderMap) -> Result<(Response, bool), RemoteFailure> {
        if self.offline {
            return Err(RemoteFailure::new(url, NetworkCause::Offline));
        }
        let mut current = url.clone();
        let mut is_authentic = true;
        for _ in 0..=MAXIMUM_REDIRECTS {
            self.requests.fetch_add(1, Ordering::Relaxed);
            is_authentic &= self.is_authentic(&current);
            let response = self.send_once(url, &current, headers).await?;
            let status = response.status();
            let has_condition = || headers.contains_key(IF_NONE_MATCH) || headers.contains_key(IF_MODIFIED_SINCE);
            match status.as_u16() {
                200 | 203 => return Ok((response, is_authentic)),
                206 if headers.contains_key(RANGE) => return Ok((response, is_authentic)),
                304 if has_condition() => return Ok((response, is_authentic)),
                301 | 302 | 303 | 307 | 308 => {
                    let target = redirect_target(&current, response.headers());
                    let target = target.map_err(|cause| RemoteFailure::new(url, cause))?;
                    if self.is_secure_origin(&current) && !self.is_secure_origin(&target) {
                        let reason = "a redirect to plain http on a host that is not trusted is not followed";
                        return Err(RemoteFailure::new(url, NetworkCause::UnsafeRedirect(reason.to_owned())));
                    }
                    current = target;
                }
                status => {
                    let retry_after = response.headers().get(RETRY_AFTER).and_then(parse_retry_after);
                    return Err(RemoteFailure::new(url, NetworkCause::Status { status, retry_after }));
                }
            }
        }
        Err(RemoteFailure::new(url, NetworkCause::Redirect(format!("more than {MAXIMUM_REDIRECTS} redirects"))))
    }

    /// One request to `current`, for the sake of `url`.
    async fn send_once(&self, url: &Url, current: &Url, headers: &HeaderMap) -> Result<Response, RemoteFailure> {
        let mut headers = headers.clone();
        let credentials = self.credentials.read().unwrap_or_else(PoisonError::into_inner).for_url(current);
        if let Some((user, password)) = credentials {
            headers.insert(AUTHORIZATION, basic(&user, &password));
        }
        // Credentials travel in the header only: they must not end up in logs of proxies.
        let mut asked = printable::without_credentials(current);
        asked.set_fragment(None);
        let client = self.transport.client(&asked)?;
        client.get(asked).headers(headers).send().await.map_err(|error| RemoteFailure::from_reqwest(url, &error))
    }

    /// Waits for one of the request slots of the host of `url`.
    pub(crate) async fn host_permit(&self, url: &Url) -> Option<OwnedSemaphorePermit> {
        let key = url.origin().ascii_serialization();
        let semaphore = {
            let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(hosts.entry(key).or_insert_with(|| Arc::new(Semaphore::new(REQUESTS_PER_HOST))))
        };
        // The semaphore is never closed.
        semaphore.acquire_owned().await.ok()
    }

    /// Whether to retry, given the time since the first try. A server that is silent or sends its headers too slowly
    /// uses up all the time that each try has.
    pub(crate) fn should_retry(&self, failure: &RemoteFailure, asked_for: Duration) -> bool {
        let silent = matches!(failure.cause, NetworkCause::TimedOut);
        failure.is_transient() && (!silent || asked_for.saturating_add(self.timeout) <= RETRY_DEADLINE)
    }

    /// The waits between tries of a request that gave no answer.
    pub(crate) fn retry_backoff(&self) -> ExponentialBuilder {
        backoff(self.retries)
    }

    /// The waits between tries of a download that broke off.
    pub(crate) fn resume_backoff(&self) -> ExponentialBuilder {
        backoff(self.resume_retries)
    }

    /// A measure of how fast a body comes.
    pub(crate) fn pace(&self) -> Pace {
        Pace::new(self.timeout)
    }

    /// Reports that a request will be retried.
    pub(crate) fn report_retrying(&self, failure: &RemoteFailure, delay: Duration) {
        let seconds = delay.as_secs_f32();
        self.reporter.warning(
            WarningCode::Retrying,
            format!("Could not fetch {}: {failure}; trying again in {seconds:.1} s", failure.url),
        );
    }
}

fn backoff(times: u32) -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(250))
        .with_max_delay(Duration::from_secs(8))
        .with_max_times(times as usize)
        .with_jitter()
}

fn part_range(response: &Response) -> Option<ContentRange> {
    if response.status() != StatusCode::PARTIAL_CONTENT {
        return None;
    }
    ContentRange::of(response.headers())
}

fn basic(user: &str, password: &str) -> HeaderValue {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    let mut value = HeaderValue::from_str(&format!("Basic {encoded}")).unwrap_or_else(|_| HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

fn parse_retry_after(value: &HeaderValue) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    let wait = date.timestamp().as_second().saturating_sub(jiff::Timestamp::now().as_second());
    Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)))
}

/// Where a redirect leads. The text of a destination is foreign and may contain credentials: it is never shown.
fn redirect_target(from: &Url, headers: &HeaderMap) -> Result<Url, NetworkCause> {
    let location = headers.get(LOCATION).and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
    let target = location
        .and_then(|location| from.join(location).ok())
        .ok_or_else(|| NetworkCause::Redirect("a redirect without a usable destination".to_owned()))?;
    match (from.scheme(), target.scheme()) {
        ("https", "https") | ("http", "http" | "https") => Ok(target),
        (_, scheme) => {
            Err(NetworkCause::UnsafeRedirect(format!("a redirect from {} to {scheme} is not followed", from.scheme())))
        }
    }
}

/// Headers that ask for an archive's own bytes: compressing them again would only break resuming.
pub(crate) fn identity_encoding() -> HeaderMap {
    HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("identity"))])
}
