//! The HTTP client: timeouts, retry, redirects, credentials, and a bound on what one answer may cost.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use reqwest::StatusCode;
use reqwest::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_RANGE, HeaderMap, HeaderValue, LOCATION, RANGE, RETRY_AFTER,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

use super::{Cause, Credentials, RemoteFailure};
use crate::failure::{Failure, Kind};
use crate::settings::{NetworkSettings, Proxy};

/// Requests under way to one host at a time. With HTTP/2 they share a connection.
const REQUESTS_PER_HOST: usize = 32;
/// Redirects followed for one request.
const MAXIMUM_REDIRECTS: usize = 10;

/// Bounds on one answer.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of the body after decoding.
    pub bytes: u64,
    /// Time for the whole answer; the time between two bytes is bounded by `--timeout` besides.
    pub deadline: Duration,
}

impl Limits {
    /// A page of an index.
    pub const PAGE: Self = Self { bytes: 64 << 20, deadline: Duration::from_secs(120) };
    /// A metadata file, or a few bytes of an archive.
    pub const METADATA: Self = Self { bytes: 16 << 20, deadline: Duration::from_secs(60) };
}

/// A complete answer.
#[derive(Debug)]
pub struct Fetched {
    /// The HTTP status: 2xx or 304.
    pub status: u16,
    /// Headers of the last answer.
    pub headers: HeaderMap,
    /// Where the answer came from, after redirects.
    pub url: Url,
    /// The decoded body.
    pub body: Vec<u8>,
}

/// A part of a file.
#[derive(Debug)]
pub struct Part {
    /// The bytes of the part.
    pub bytes: Vec<u8>,
    /// Length of the whole file.
    pub total: u64,
}

/// The one HTTP client of a command. Cheap until the first request.
pub struct Client {
    settings: NetworkSettings,
    credentials: RwLock<Credentials>,
    trusted_hosts: RwLock<Vec<String>>,
    plain: OnceLock<reqwest::Client>,
    secure: OnceLock<reqwest::Client>,
    unchecked: OnceLock<reqwest::Client>,
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
    requests: AtomicUsize,
}

/// Which connection security a client is built for. Building one with certificates costs milliseconds, so each is built
/// when first needed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Security {
    Plain,
    Checked,
    Unchecked,
}

impl Client {
    /// A client for these settings; opens nothing.
    pub fn new(settings: NetworkSettings, credentials: Credentials) -> Self {
        let trusted_hosts = RwLock::new(settings.trusted_hosts.clone());
        Self {
            settings,
            credentials: RwLock::new(credentials),
            trusted_hosts,
            plain: OnceLock::new(),
            secure: OnceLock::new(),
            unchecked: OnceLock::new(),
            hosts: Mutex::new(HashMap::new()),
            requests: AtomicUsize::new(0),
        }
    }

    /// Requests sent so far, retries and redirects included.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    /// Remembers the credentials in the URLs of `indexes`.
    pub fn add_credentials_of(&self, indexes: &[Url]) {
        self.credentials.write().unwrap_or_else(PoisonError::into_inner).add_indexes(indexes);
    }

    /// Exempts more hosts from certificate checks.
    pub fn trust_hosts(&self, hosts: &[String]) {
        self.trusted_hosts.write().unwrap_or_else(PoisonError::into_inner).extend_from_slice(hosts);
    }

    /// Fetches `url` whole, with retries.
    ///
    /// # Errors
    /// Any status but success and 304, and everything [`Cause`] names.
    pub async fn get(&self, url: &Url, headers: &HeaderMap, limits: Limits) -> Result<Fetched, RemoteFailure> {
        let attempt = || async {
            let _turn = self.turn(url).await;
            tokio::time::timeout(limits.deadline, self.get_once(url, headers, limits.bytes)).await.unwrap_or_else(
                |_| {
                    let reason = format!("the answer took longer than {} s", limits.deadline.as_secs());
                    Err(RemoteFailure::new(url, Cause::TimedOut(reason)))
                },
            )
        };
        attempt.retry(self.backoff()).when(RemoteFailure::is_transient).adjust(retry_delay).await
    }

    async fn get_once(&self, url: &Url, headers: &HeaderMap, limit: u64) -> Result<Fetched, RemoteFailure> {
        let mut response = self.send(url, headers).await?;
        let final_url = response.url().clone();
        let body = read_body(url, &mut response, limit).await?;
        Ok(Fetched { status: response.status().as_u16(), headers: response.headers().clone(), url: final_url, body })
    }

    /// Fetches the part of `url` that `range` (the value of a Range header) names; `None` when the server ignores Range.
    ///
    /// # Errors
    /// As [`Client::get`]; no retries, since the whole file can be had instead.
    pub async fn get_part(&self, url: &Url, range: &str, limits: Limits) -> Result<Option<Part>, RemoteFailure> {
        let mut headers = identity_encoding();
        let value = HeaderValue::from_str(range)
            .map_err(|error| RemoteFailure::new(url, Cause::Unsupported(error.to_string())))?;
        headers.insert(RANGE, value);
        let _turn = self.turn(url).await;
        let fetch = async {
            let mut response = self.send(url, &headers).await?;
            let total = content_range_total(response.headers());
            let (StatusCode::PARTIAL_CONTENT, Some(total)) = (response.status(), total) else { return Ok(None) };
            let bytes = read_body(url, &mut response, limits.bytes).await?;
            Ok(Some(Part { bytes, total }))
        };
        tokio::time::timeout(limits.deadline, fetch)
            .await
            .unwrap_or_else(|_| Err(RemoteFailure::new(url, Cause::TimedOut("the answer took too long".to_owned()))))
    }

    /// Sends one request and follows redirects; gives the answer with its body still to come.
    pub(super) async fn send(&self, url: &Url, headers: &HeaderMap) -> Result<reqwest::Response, RemoteFailure> {
        let mut current = url.clone();
        for _ in 0..=MAXIMUM_REDIRECTS {
            let mut request_headers = headers.clone();
            if let Some((user, password)) =
                self.credentials.read().unwrap_or_else(PoisonError::into_inner).for_url(&current)
            {
                request_headers.insert(AUTHORIZATION, basic(&user, password.as_deref()));
            }
            let mut asked = current.clone();
            // Credentials travel in the header only: they must not end up in logs of proxies.
            let _ = asked.set_username("");
            let _ = asked.set_password(None);
            asked.set_fragment(None);
            let client = self.client_for(&asked)?;
            self.requests.fetch_add(1, Ordering::Relaxed);
            let response = client
                .get(asked.clone())
                .headers(request_headers)
                .send()
                .await
                .map_err(|error| RemoteFailure::from_reqwest(url, &error))?;
            let status = response.status();
            if status.is_success() || status.as_u16() == 304 {
                return Ok(response);
            }
            if !status.is_redirection() {
                let retry_after = response.headers().get(RETRY_AFTER).and_then(parse_retry_after);
                return Err(RemoteFailure::new(url, Cause::Status { status: status.as_u16(), retry_after }));
            }
            current = redirect_target(&current, response.headers())
                .map_err(|reason| RemoteFailure::new(url, Cause::Redirect(reason)))?;
        }
        Err(RemoteFailure::new(url, Cause::Redirect(format!("more than {MAXIMUM_REDIRECTS} redirects"))))
    }

    /// Waits until the host of `url` has room for one more request.
    pub(super) async fn turn(&self, url: &Url) -> Option<OwnedSemaphorePermit> {
        let key = url.origin().ascii_serialization();
        let semaphore = {
            let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(hosts.entry(key).or_insert_with(|| Arc::new(Semaphore::new(REQUESTS_PER_HOST))))
        };
        // The semaphore is never closed.
        semaphore.acquire_owned().await.ok()
    }

    pub(super) fn backoff(&self) -> ExponentialBuilder {
        ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(250))
            .with_max_delay(Duration::from_secs(8))
            .with_max_times(self.settings.retries as usize)
            .with_jitter()
    }

    fn client_for(&self, url: &Url) -> Result<&reqwest::Client, RemoteFailure> {
        let security = match url.scheme() {
            "http" => Security::Plain,
            "https" if self.is_trusted(url) => Security::Unchecked,
            "https" => Security::Checked,
            other => {
                return Err(RemoteFailure::new(
                    url,
                    Cause::Unsupported(format!("'{other}' is no scheme that can be fetched")),
                ));
            }
        };
        let cell = match security {
            Security::Plain => &self.plain,
            Security::Checked => &self.secure,
            Security::Unchecked => &self.unchecked,
        };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let client =
            self.build(security).map_err(|failure| RemoteFailure::new(url, Cause::Unsupported(failure.message)))?;
        Ok(cell.get_or_init(|| client))
    }

    /// Whether the user exempted this host from certificate checks with `--trusted-host`.
    fn is_trusted(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        self.trusted_hosts.read().unwrap_or_else(PoisonError::into_inner).iter().any(|trusted| {
            match trusted.rsplit_once(':') {
                Some((name, port)) if port.parse::<u16>().is_ok() => {
                    name.eq_ignore_ascii_case(host) && port.parse().ok() == url.port_or_known_default()
                }
                _ => trusted.eq_ignore_ascii_case(host),
            }
        })
    }

    fn build(&self, security: Security) -> Result<reqwest::Client, Failure> {
        let settings = &self.settings;
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("tufpip/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(settings.timeout)
            .read_timeout(settings.timeout)
            .pool_max_idle_per_host(REQUESTS_PER_HOST);
        builder = match &settings.proxy {
            Proxy::Environment => builder,
            Proxy::Off => builder.no_proxy(),
            Proxy::Url(address) => {
                // The address may hold a password and is not repeated.
                let proxy = reqwest::Proxy::all(address.as_str())
                    .map_err(|error| Failure::usage(format!("the address given to --proxy is not usable: {error}")))?;
                builder.proxy(proxy)
            }
        };
        builder = match security {
            Security::Plain => builder.tls_certs_only([]),
            Security::Unchecked => builder.tls_danger_accept_invalid_certs(true),
            Security::Checked => match certificate_bundle(settings) {
                None => builder,
                Some(path) => builder.tls_certs_only(read_certificates(&path)?),
            },
        };
        builder.build().map_err(|error| Failure::usage(format!("the network settings are not usable: {error}")))
    }
}

/// The body, stopped as soon as it is longer than `limit` after decoding.
async fn read_body(url: &Url, response: &mut reqwest::Response, limit: u64) -> Result<Vec<u8>, RemoteFailure> {
    let announced = response.content_length().unwrap_or(0);
    if announced > limit {
        return Err(RemoteFailure::new(url, Cause::TooLarge { limit }));
    }
    let mut body = Vec::with_capacity(usize::try_from(announced).unwrap_or(0));
    while let Some(chunk) = response.chunk().await.map_err(|error| RemoteFailure::from_reqwest(url, &error))? {
        if (body.len() + chunk.len()) as u64 > limit {
            return Err(RemoteFailure::new(url, Cause::TooLarge { limit }));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The length of the whole file in `Content-Range: bytes 100-199/200`.
fn content_range_total(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_RANGE)?.to_str().ok()?.rsplit_once('/')?.1.trim().parse().ok()
}

/// The file that replaces the system's certificate authorities: `--cert`, or the variables requests and curl honour.
fn certificate_bundle(settings: &NetworkSettings) -> Option<std::path::PathBuf> {
    settings.cert.clone().or_else(|| {
        ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]
            .iter()
            .filter_map(std::env::var_os)
            .find(|value| !value.is_empty())
            .map(std::path::PathBuf::from)
    })
}

/// A bundle that was named but gives no certificate is an error: falling back to other roots would be silent.
fn read_certificates(path: &std::path::Path) -> Result<Vec<reqwest::Certificate>, Failure> {
    let wrong = |reason: String| {
        Failure::new(
            Kind::Error,
            "net.certificate-file",
            format!("Could not find a suitable TLS CA certificate bundle, invalid path: {}", path.display()),
        )
        .detail("cause", reason)
        .hint("give --cert a PEM file with at least one certificate")
    };
    let bytes = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let certificates = reqwest::Certificate::from_pem_bundle(&bytes).map_err(|error| wrong(error.to_string()))?;
    if certificates.is_empty() {
        return Err(wrong("no certificate in the file".to_owned()));
    }
    Ok(certificates)
}

fn retry_delay(failure: &RemoteFailure, planned: Option<Duration>) -> Option<Duration> {
    // No planned delay means that the retries are used up.
    planned.map(|delay| failure.retry_after().unwrap_or(delay))
}

fn basic(user: &str, password: Option<&str>) -> HeaderValue {
    use base64::Engine as _;
    let pair = format!("{user}:{}", password.unwrap_or_default());
    let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
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

fn redirect_target(from: &Url, headers: &HeaderMap) -> Result<Url, String> {
    let location = headers
        .get(LOCATION)
        .and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
        .ok_or("a redirect without a destination")?;
    let target =
        from.join(location).map_err(|error| format!("a redirect to '{}': {error}", location.escape_debug()))?;
    match (from.scheme(), target.scheme()) {
        ("https", "https") | ("http", "http" | "https") => Ok(target),
        (_, scheme) => Err(format!("a redirect from {} to {scheme} is not followed", from.scheme())),
    }
}

/// Headers that ask for an archive's own bytes: compressing them again would only break resuming.
pub(super) fn identity_encoding() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers
}
