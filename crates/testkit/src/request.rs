//! A request as the server received it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// One request, recorded in full.
#[derive(Clone, Debug)]
pub struct Request {
    /// Such as `GET`.
    pub method: String,
    /// The request target as sent: path and query, still percent-encoded.
    pub path: String,
    /// Names as sent, in order.
    pub headers: Vec<(String, String)>,
    /// The body, with the length of `Content-Length`.
    pub body: Arc<[u8]>,
    /// How many requests with the same method and path the server had before this one.
    pub occurrence: usize,
    /// Which connection it came over, counted from 0: equal numbers mean a connection was kept alive.
    pub connection: usize,
}

impl Request {
    /// The first header with this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Scheme and host the client used, such as `http://127.0.0.1:40001`.
    pub fn origin(&self) -> String {
        format!("http://{}", self.header("host").unwrap_or("127.0.0.1"))
    }

    /// User and password of HTTP basic authentication.
    pub fn basic_auth(&self) -> Option<(String, String)> {
        let encoded = self.header("authorization")?.strip_prefix("Basic ")?;
        let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
        let (user, password) = decoded.split_once(':')?;
        Some((user.to_owned(), password.to_owned()))
    }

    /// Whether `Accept` names this media type (without regard to quality values).
    pub fn accepts(&self, media_type: &str) -> bool {
        self.header("accept").is_some_and(|accept| {
            accept.split(',').any(|part| part.split(';').next().is_some_and(|name| name.trim() == media_type))
        })
    }

    /// First and last byte of a single `Range: bytes=…` for a body of `length` bytes.
    ///
    /// `None` without a range or with one this server does not understand, `Some(None)` when it cannot be satisfied.
    pub fn range(&self, length: usize) -> Option<Option<(usize, usize)>> {
        let (first, last) = self.header("range")?.strip_prefix("bytes=")?.split_once('-')?;
        let end = length.checked_sub(1);
        let range = if first.is_empty() {
            let wanted: usize = last.parse().ok()?;
            end.filter(|_| wanted > 0).map(|end| (length.saturating_sub(wanted), end))
        } else {
            let first: usize = first.parse().ok()?;
            let last = if last.is_empty() { usize::MAX } else { last.parse().ok()? };
            end.filter(|end| first <= *end && first <= last).map(|end| (first, last.min(end)))
        };
        Some(range)
    }
}
