//! What can go wrong between us and a server, and which of it is worth another try.

use std::time::Duration;

use url::Url;

use super::redacted;
use super::transport::innermost;
use crate::error::{Failure, Kind};

/// A request that did not give what was asked for.
#[derive(Debug)]
pub struct RemoteFailure {
    /// The address asked, without secrets.
    pub url: String,
    /// What happened.
    pub cause: Cause,
}

/// What happened to a request.
#[derive(Debug)]
pub enum Cause {
    /// The server answered with an HTTP status other than success.
    Status {
        /// The HTTP status.
        status: u16,
        /// What `Retry-After` says.
        retry_after: Option<Duration>,
    },
    /// No connection, or it broke; the text is the innermost reason.
    Connection(String),
    /// The other side cannot prove who it is.
    Certificate(String),
    /// Nothing came for the time `--timeout` allows.
    TimedOut,
    /// Something came, but so slowly that it would take for ever.
    TooSlow(String),
    /// More bytes than the cap or than announced.
    TooLarge {
        /// The most bytes that are taken.
        limit: u64,
    },
    /// The body is not what its encoding promises, or it ended early.
    Body(String),
    /// The answer is no HTTP, or not what the request allows.
    Protocol(String),
    /// Redirects that lead nowhere.
    Redirect(String),
    /// A redirect that is not followed: from https to http, or out of HTTP.
    UnsafeRedirect(String),
    /// No server is asked (`--offline`).
    Offline,
    /// The URL cannot be asked at all.
    Unsupported(String),
    /// The local disk refused the bytes.
    Disk(String),
    /// No connection can be made with the settings as they are.
    Settings(Failure),
}

impl RemoteFailure {
    pub(crate) fn new(url: &Url, cause: Cause) -> Self {
        Self { url: redacted(url), cause }
    }

    pub(crate) fn from_reqwest(url: &Url, error: &reqwest::Error) -> Self {
        let reason = innermost(error);
        let cause = if error.is_timeout() {
            Cause::TimedOut
        } else if is_no_http(error) {
            Cause::Protocol(reason)
        } else if error.is_body() || error.is_decode() {
            Cause::Body(reason)
        } else if error.is_builder() {
            Cause::Unsupported(reason)
        } else if reason.contains("certificate") {
            Cause::Certificate(reason)
        } else {
            Cause::Connection(reason)
        };
        Self::new(url, cause)
    }

    /// Whether the same request may succeed in a moment.
    pub fn is_transient(&self) -> bool {
        match &self.cause {
            Cause::Status { status, .. } => matches!(status, 408 | 429 | 500 | 502 | 503 | 504 | 520..=530),
            Cause::Connection(_) | Cause::TimedOut | Cause::Body(_) => true,
            Cause::Certificate(_)
            | Cause::TooSlow(_)
            | Cause::TooLarge { .. }
            | Cause::Protocol(_)
            | Cause::Redirect(_)
            | Cause::UnsafeRedirect(_)
            | Cause::Unsupported(_)
            | Cause::Offline
            | Cause::Disk(_)
            | Cause::Settings(_) => false,
        }
    }

    /// How long the server asks to wait, never more than a minute.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.cause {
            Cause::Status { retry_after, .. } => retry_after.map(|wait| wait.min(Duration::from_secs(60))),
            _ => None,
        }
    }

    /// The HTTP status, when the server gave one.
    pub fn status(&self) -> Option<u16> {
        match self.cause {
            Cause::Status { status, .. } => Some(status),
            _ => None,
        }
    }
}

impl std::fmt::Display for RemoteFailure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.cause {
            Cause::Status { status, .. } => write!(formatter, "the server answered {status}"),
            Cause::Connection(reason)
            | Cause::Certificate(reason)
            | Cause::TooSlow(reason)
            | Cause::Redirect(reason)
            | Cause::UnsafeRedirect(reason)
            | Cause::Unsupported(reason) => formatter.write_str(reason),
            Cause::Offline => formatter.write_str("no server is asked (--offline), and the cache does not have it"),
            Cause::TimedOut => formatter.write_str("no answer in time"),
            Cause::Protocol(reason) => write!(formatter, "the answer breaks the rules of HTTP: {reason}"),
            Cause::Settings(failure) => formatter.write_str(&failure.message),
            Cause::TooLarge { limit } => write!(formatter, "more than {limit} bytes"),
            Cause::Body(reason) => write!(formatter, "the answer is damaged or incomplete: {reason}"),
            Cause::Disk(reason) => write!(formatter, "cannot write what was received: {reason}"),
        }
    }
}

impl From<RemoteFailure> for Failure {
    fn from(failure: RemoteFailure) -> Self {
        if let Cause::Settings(failure) = failure.cause {
            return failure;
        }
        let message = format!("Could not fetch {}: {failure}", failure.url);
        let (kind, code, hint) = meaning(&failure.cause);
        Self::new(kind, code, message).hint(hint)
    }
}

/// Exit code, stable code and advice.
fn meaning(cause: &Cause) -> (Kind, &'static str, &'static str) {
    match cause {
        Cause::Status { status: 401 | 403, .. } => (
            Kind::Error,
            "net.unauthorized",
            "put a user name and password into the URL, or into ~/.netrc for this host; nothing else was tried instead",
        ),
        Cause::Status { status: 404 | 410, .. } => (Kind::Error, "net.not-found", "check the URL for a typing error"),
        Cause::Status { .. } => (Kind::Network, "net.status", "try again later, or use another index with --index-url"),
        Cause::Certificate(_) => (
            Kind::Network,
            "net.certificate",
            "name the certificate authority's file with --cert if your network uses its own",
        ),
        Cause::Connection(_) => (
            Kind::Network,
            "net.unreachable",
            "check the host name, the network and the proxy settings; it is safe to try again",
        ),
        Cause::TimedOut => {
            (Kind::Network, "net.timeout", "it is safe to try again; --timeout SECONDS allows more time")
        }
        Cause::TooSlow(_) => (Kind::Network, "net.too-slow", "it is safe to try again, or use another index"),
        Cause::TooLarge { .. } => {
            (Kind::Verification, "net.too-large", "the server sent more than can be right; report it to its operator")
        }
        Cause::Body(_) => (Kind::Network, "net.incomplete", "it is safe to try again"),
        Cause::Protocol(_) => {
            (Kind::Network, "net.protocol", "check the URL and the proxy settings, or report it to the operator")
        }
        Cause::Redirect(_) => (Kind::Network, "net.redirect", "report it to the operator of the server"),
        Cause::UnsafeRedirect(_) => {
            (Kind::Verification, "net.unsafe-redirect", "use the URL of the final server directly if you trust it")
        }
        Cause::Offline => (Kind::Error, "net.offline", "run it once without --offline"),
        Cause::Unsupported(_) => (Kind::Error, "net.unsupported-url", "only http, https and file URLs can be fetched"),
        Cause::Disk(_) => (Kind::Error, "disk", "free some space, or choose another place with --cache-dir and TMPDIR"),
        // A failure of its own, see above.
        Cause::Settings(_) => (Kind::Error, "net.settings", ""),
    }
}

/// Whether the connection works and the other side does not speak HTTP, or too much of it (a flood of headers).
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
        let asked = |seconds| {
            let retry_after = Some(Duration::from_secs(seconds));
            let cause = Cause::Status { status: 503, retry_after };
            RemoteFailure::new(&Url::parse("https://pkgs.example.org/").unwrap(), cause).retry_after()
        };
        assert_eq!(asked(2), Some(Duration::from_secs(2)));
        assert_eq!(asked(86_400), Some(Duration::from_secs(60)));
    }
}
