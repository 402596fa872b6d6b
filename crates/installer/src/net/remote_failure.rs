//! Failures of requests, and which of them are retried.

use std::time::Duration;

use url::Url;

use super::transport::root_cause;
use crate::error::{Code, Failure};
use crate::text::duration;

/// A server that asks to wait longer than this (`Retry-After`) is not waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// A failed request.
#[derive(Debug)]
pub struct RemoteFailure {
    /// The URL of the request, without secrets.
    pub url: String,
    /// What happened.
    pub cause: NetworkCause,
}

/// What happened to a request.
#[derive(Debug)]
pub enum NetworkCause {
    /// The server answered with an HTTP status other than success.
    Status {
        /// The HTTP status.
        status: u16,
        /// What `Retry-After` says.
        retry_after: Option<Duration>,
    },
    /// No connection, or it broke; the text is the innermost reason.
    Connection(String),
    /// The server's certificate cannot be verified.
    Certificate(String),
    /// Nothing came for the time `--timeout` allows.
    TimedOut,
    /// The body arrives too slowly.
    TooSlow(String),
    /// More bytes than the cap or than announced.
    TooLarge {
        /// The most bytes that are taken.
        limit: u64,
    },
    /// The body is not what its encoding promises, or it ended early.
    Body(String),
    /// The answer is not HTTP, or not one that the request allows.
    Protocol(String),
    /// Redirects that lead nowhere.
    Redirect(String),
    /// A redirect that is not followed: from https to http, or out of HTTP.
    UnsafeRedirect(String),
    /// No requests are sent (`--offline`).
    Offline,
    /// The URL has a scheme that cannot be fetched.
    Unsupported(String),
    /// The local disk refused the bytes.
    Disk(String),
    /// No connection can be made with the settings as they are.
    Settings(Failure),
}

impl RemoteFailure {
    pub(crate) fn new(url: &Url, cause: NetworkCause) -> Self {
        Self { url: printable::redacted_url(url), cause }
    }

    pub(crate) fn from_reqwest(url: &Url, error: &reqwest::Error) -> Self {
        let reason = root_cause(error);
        let cause = if error.is_timeout() {
            NetworkCause::TimedOut
        } else if is_no_http(error) {
            NetworkCause::Protocol(reason)
        } else if error.is_body() || error.is_decode() {
            NetworkCause::Body(reason)
        } else if error.is_builder() {
            NetworkCause::Unsupported(reason)
        } else if reason.contains("certificate") {
            NetworkCause::Certificate(reason)
        } else {
            NetworkCause::Connection(reason)
        };
        Self::new(url, cause)
    }

    /// Whether the same request may succeed in a moment.
    pub fn is_transient(&self) -> bool {
        match &self.cause {
            NetworkCause::Status { retry_after: Some(wait), .. } if *wait > LONGEST_WAIT => false,
            NetworkCause::Status { status, .. } => matches!(status, 408 | 429 | 500 | 502 | 503 | 504 | 520..=530),
            NetworkCause::Connection(_) | NetworkCause::TimedOut | NetworkCause::Body(_) => true,
            NetworkCause::Certificate(_)
            | NetworkCause::TooSlow(_)
            | NetworkCause::TooLarge { .. }
            | NetworkCause::Protocol(_)
            | NetworkCause::Redirect(_)
            | NetworkCause::UnsafeRedirect(_)
            | NetworkCause::Unsupported(_)
            | NetworkCause::Offline
            | NetworkCause::Disk(_)
            | NetworkCause::Settings(_) => false,
        }
    }

    /// How long to wait before another try, according to the server.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.cause {
            NetworkCause::Status { retry_after, .. } => retry_after,
            _ => None,
        }
    }

    /// The HTTP status, when the server gave one.
    pub fn status(&self) -> Option<u16> {
        match self.cause {
            NetworkCause::Status { status, .. } => Some(status),
            _ => None,
        }
    }
}

impl std::fmt::Display for RemoteFailure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.cause {
            NetworkCause::Status { status, retry_after: Some(wait) } if *wait > LONGEST_WAIT => {
                let wait = duration(i64::try_from(wait.as_secs()).unwrap_or(i64::MAX));
                write!(formatter, "the server answered {status} and asks to wait {wait}")
            }
            NetworkCause::Status { status, .. } => write!(formatter, "the server answered {status}"),
            NetworkCause::Connection(reason)
            | NetworkCause::Certificate(reason)
            | NetworkCause::TooSlow(reason)
            | NetworkCause::Redirect(reason)
            | NetworkCause::UnsafeRedirect(reason)
            | NetworkCause::Unsupported(reason) => formatter.write_str(reason),
            NetworkCause::Offline => {
                formatter.write_str("no server is asked (--offline), and the cache does not have it")
            }
            NetworkCause::TimedOut => formatter.write_str("no answer in time"),
            NetworkCause::Protocol(reason) => write!(formatter, "the answer breaks the rules of HTTP: {reason}"),
            NetworkCause::Settings(failure) => formatter.write_str(&failure.message),
            NetworkCause::TooLarge { limit } => write!(formatter, "more than {limit} bytes"),
            NetworkCause::Body(reason) => write!(formatter, "the answer is damaged or incomplete: {reason}"),
            NetworkCause::Disk(reason) => write!(formatter, "cannot write what was received: {reason}"),
        }
    }
}

impl std::error::Error for RemoteFailure {}

impl From<RemoteFailure> for Failure {
    fn from(failure: RemoteFailure) -> Self {
        if let NetworkCause::Settings(failure) = failure.cause {
            return failure;
        }
        let message = format!("Could not fetch {}: {failure}", failure.url);
        let (code, hint) = failure_code(&failure.cause);
        Self::new(code, message).hint(hint).caused_by(failure)
    }
}

/// Code and advice.
fn failure_code(cause: &NetworkCause) -> (Code, &'static str) {
    match cause {
        NetworkCause::Status { status: 401 | 403, .. } => (
            Code::NetUnauthorized,
            "put a user name and password into the URL, or into ~/.netrc for this host; nothing else was tried instead",
        ),
        NetworkCause::Status { status: 404 | 410, .. } => (Code::NetNotFound, "check the URL for a typing error"),
        NetworkCause::Status { .. } => (Code::NetStatus, "try again later, or use another index with --index-url"),
        NetworkCause::Certificate(_) => {
            (Code::NetCertificate, "name the certificate authority's file with --cert if your network uses its own")
        }
        NetworkCause::Connection(_) => {
            (Code::NetUnreachable, "check the host name, the network and the proxy settings; it is safe to try again")
        }
        NetworkCause::TimedOut => (Code::NetTimeout, "it is safe to try again; --timeout SECONDS allows more time"),
        NetworkCause::TooSlow(_) => (Code::NetTooSlow, "it is safe to try again, or use another index"),
        NetworkCause::TooLarge { .. } => {
            (Code::NetTooLarge, "the server sent more than can be right; report it to its operator")
        }
        NetworkCause::Body(_) => (Code::NetIncomplete, "it is safe to try again"),
        NetworkCause::Protocol(_) => {
            (Code::NetProtocol, "check the URL and the proxy settings, or report it to the operator")
        }
        NetworkCause::Redirect(_) => (Code::NetRedirect, "report it to the operator of the server"),
        NetworkCause::UnsafeRedirect(_) => {
            (Code::NetUnsafeRedirect, "use the URL of the final server directly if you trust it")
        }
        NetworkCause::Offline => (Code::NetOffline, "run it once without --offline"),
        NetworkCause::Unsupported(_) => (Code::NetUnsupportedUrl, "only http, https and file URLs can be fetched"),
        NetworkCause::Disk(_) => (Code::Disk, "free some space, or choose another place with --cache-dir and TMPDIR"),
        // A failure of its own, see above.
        NetworkCause::Settings(_) => (Code::NetSettings, ""),
    }
}

/// Whether the connection works and the server does not speak HTTP, or sends too many headers.
fn is_no_http(error: &reqwest::Error) -> bool {
    let mut current: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = current {
        if error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse) {
            return true;
        }
        current = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_server_makes_us_wait_longer_than_a_minute() {
        let answered = |seconds| {
            let retry_after = Some(Duration::from_secs(seconds));
            let cause = NetworkCause::Status { status: 503, retry_after };
            RemoteFailure::new(&Url::parse("https://pkgs.example.org/").unwrap(), cause)
        };
        assert_eq!(answered(60).retry_after(), Some(Duration::from_secs(60)));
        assert!(answered(60).is_transient());
        for (seconds, wait) in [(61, "61 seconds"), (86_400, "24 hours"), (u64::MAX, "days")] {
            assert!(!answered(seconds).is_transient());
            assert!(answered(seconds).to_string().ends_with(wait), "{}", answered(seconds));
        }
    }
}
