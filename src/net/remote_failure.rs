//! What can go wrong between us and a server, and which of it is worth another try.

use std::time::Duration;

use url::Url;

use super::redacted;
use crate::failure::{Failure, Kind};

/// A request that did not give what was asked for.
#[derive(Debug)]
pub struct RemoteFailure {
    /// The address asked, without secrets.
    pub url: String,
    /// What happened.
    pub cause: Cause,
}

/// What happened to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The server answered with an HTTP status other than success.
    Status { status: u16, retry_after: Option<Duration> },
    /// No connection, or it broke; the text is the innermost reason.
    Connection(String),
    /// Nothing came for the time `--timeout` allows, or the whole took too long.
    TimedOut(String),
    /// More bytes than the cap or than announced.
    TooLarge { limit: u64 },
    /// The body is not what its encoding promises, or it ended early.
    Body(String),
    /// A redirect that is not followed: a loop, or from https to something else.
    Redirect(String),
    /// The URL cannot be asked at all.
    Unsupported(String),
    /// The local disk refused the bytes.
    Disk(String),
}

impl RemoteFailure {
    pub(super) fn new(url: &Url, cause: Cause) -> Self {
        Self { url: redacted(url), cause }
    }

    pub(super) fn from_reqwest(url: &Url, error: &reqwest::Error) -> Self {
        let reason = innermost(error);
        let cause = if error.is_timeout() {
            Cause::TimedOut("no answer in time".to_owned())
        } else if error.is_body() || error.is_decode() {
            Cause::Body(reason)
        } else if error.is_builder() {
            Cause::Unsupported(reason)
        } else {
            Cause::Connection(reason)
        };
        Self::new(url, cause)
    }

    /// Whether the same request may succeed in a moment.
    pub fn is_transient(&self) -> bool {
        match &self.cause {
            Cause::Status { status, .. } => matches!(status, 408 | 429 | 500 | 502 | 503 | 504 | 520..=530),
            Cause::Connection(reason) => !reason.contains("certificate"),
            Cause::TimedOut(_) | Cause::Body(_) => true,
            Cause::TooLarge { .. } | Cause::Redirect(_) | Cause::Unsupported(_) | Cause::Disk(_) => false,
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
            | Cause::TimedOut(reason)
            | Cause::Redirect(reason)
            | Cause::Unsupported(reason) => formatter.write_str(reason),
            Cause::TooLarge { limit } => write!(formatter, "more than {limit} bytes"),
            Cause::Body(reason) => write!(formatter, "the answer is damaged or incomplete: {reason}"),
            Cause::Disk(reason) => write!(formatter, "cannot write what was received: {reason}"),
        }
    }
}

impl From<RemoteFailure> for Failure {
    fn from(failure: RemoteFailure) -> Self {
        let (kind, code, hint) = match &failure.cause {
            Cause::Status { status: 401 | 403, .. } => (
                Kind::Error,
                "net.unauthorized",
                "put a user name and password into the URL, or into ~/.netrc for this host; nothing else was tried instead",
            ),
            Cause::Status { status: 404 | 410, .. } => {
                (Kind::Error, "net.not-found", "check the URL for a typing error")
            }
            Cause::Status { .. } => {
                (Kind::Network, "net.status", "try again later, or use another index with --index-url")
            }
            Cause::Connection(reason) if reason.contains("certificate") => (
                Kind::Network,
                "net.certificate",
                "name the certificate authority's file with --cert if your network uses its own",
            ),
            Cause::Connection(_) => (
                Kind::Network,
                "net.unreachable",
                "check the host name, the network and the proxy settings; it is safe to try again",
            ),
            Cause::TimedOut(_) => {
                (Kind::Network, "net.timeout", "it is safe to try again; --timeout SECONDS allows more time")
            }
            Cause::TooLarge { .. } => (
                Kind::Verification,
                "net.too-large",
                "the server sent more than can be right; report it to its operator",
            ),
            Cause::Body(_) => (Kind::Network, "net.incomplete", "it is safe to try again"),
            Cause::Redirect(_) => {
                (Kind::Verification, "net.redirect", "use the URL of the final server directly if you trust it")
            }
            Cause::Unsupported(_) => {
                (Kind::Error, "net.unsupported-url", "only http, https and file URLs can be fetched")
            }
            Cause::Disk(_) => {
                (Kind::Error, "disk", "free some space, or choose another place with --cache-dir and TMPDIR")
            }
        };
        Failure::new(kind, code, format!("Could not fetch {}: {failure}", failure.url)).hint(hint)
    }
}

/// The reason at the bottom of the chain: the layers above only say that a request failed.
fn innermost(error: &reqwest::Error) -> String {
    let mut current: &dyn std::error::Error = error;
    while let Some(source) = current.source() {
        current = source;
    }
    current.to_string()
}
