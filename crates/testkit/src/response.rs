//! A response to the byte, with the faults a network or a hostile server adds.

use std::time::Duration;

use crate::body;
use crate::request::Request;

/// The response of a handler: status, headers, body, and faults of the transfer.
///
/// Without a fault it is sent as given, with `Content-Length` unless a header or a framing was chosen.
#[derive(Clone, Debug)]
pub struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) framing: Framing,
    pub(crate) faults: Faults,
}

/// How the end of the body is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    ContentLength,
    /// A `Content-Length` that need not be true.
    Claimed(usize),
    Chunked,
    ChunkedWithoutEnd,
    /// No length: the end of the connection is the end of the body.
    UntilClose,
    /// Chunks with the body, over and over, until the client disconnects.
    Endless,
    /// The body is everything: no status line, no headers.
    Raw,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) delay: Duration,
    pub(crate) interim_responses: usize,
    pub(crate) bytes_per_second: Option<usize>,
    pub(crate) head_at_full_speed: bool,
    pub(crate) stop_after: Option<(usize, Stop)>,
    pub(crate) silent: bool,
}

/// What happens after the bytes that still get through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Close,
    Reset,
    Hang,
}

impl Response {
    /// An empty answer with any status.
    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            framing: Framing::ContentLength,
            faults: Faults::default(),
        }
    }

    /// 200 with a body.
    pub fn ok(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::new(200).header("Content-Type", content_type).body(body)
    }

    /// 404 with a short text.
    pub fn not_found() -> Self {
        Self::new(404).header("Content-Type", "text/plain").body("not found\n")
    }

    /// 401 that asks for HTTP basic authentication.
    pub fn unauthorized() -> Self {
        Self::new(401).header("WWW-Authenticate", "Basic realm=\"test\"").body("unauthorized\n")
    }

    /// A redirect with this status, such as 301, 302, 307 or 308.
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::new(status).header("Location", location)
    }

    /// 200, 206 or 416 for `bytes`, as `Range` and `If-Range` ask (RFC 9110, 13.1.5 and 14).
    pub fn ranged(request: &Request, content_type: &str, bytes: &[u8], etag: Option<&str>) -> Self {
        let mut whole = Self::ok(content_type, bytes).header("Accept-Ranges", "bytes");
        if let Some(etag) = etag {
            whole = whole.header("ETag", etag);
        }
        let unchanged = request.header("if-range").is_none_or(|wanted| Some(wanted) == etag);
        match request.range(bytes.len()).filter(|_| unchanged) {
            None => whole,
            Some(None) => Self::new(416).header("Content-Range", &format!("bytes */{}", bytes.len())),
            Some(Some((first, last))) => {
                whole.partial(first, last, bytes.len()).body(bytes.get(first..=last).unwrap_or_default())
            }
        }
    }

    /// 206 with this `Content-Range`; the body is left alone, so that a test can send other bytes than it names.
    pub fn partial(mut self, first: usize, last: usize, length: usize) -> Self {
        self.status = 206;
        self.without_header("Content-Range").header("Content-Range", &format!("bytes {first}-{last}/{length}"))
    }

    /// Exactly these bytes instead of an HTTP response; then the connection closes.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { framing: Framing::Raw, ..Self::new(200) }.body(bytes)
    }

    /// 200 with a body that inflates to `mebibytes` MiB of zeros, about a thousandth of that on the wire.
    pub fn gzip_bomb(content_type: &str, mebibytes: u32) -> Self {
        Self::ok(content_type, body::gzip_bomb(mebibytes)).header("Content-Encoding", "gzip")
    }

    /// Accepts the request and never answers.
    pub fn never() -> Self {
        let mut response = Self::new(200);
        response.faults.silent = true;
        response
    }

    /// Adds a header; equal names stay side by side.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Removes every header with this name.
    pub fn without_header(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    /// Replaces the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The body as it is now, for a handler that alters another's answer.
    pub fn body_bytes(&self) -> &[u8] {
        &self.body
    }

    /// The status as it is now.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The present value of `Content-Type`.
    pub fn content_type(&self) -> Option<&str> {
        let header = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        header.map(|(_, value)| value.as_str())
    }

    /// Sends the body with `Content-Encoding: gzip`.
    pub fn gzip(mut self) -> Self {
        self.body = body::gzip(&self.body);
        self.header("Content-Encoding", "gzip")
    }

    /// Gzip without its last `missing` bytes; framing and length are those of what is sent.
    pub fn truncated_gzip(self, missing: usize) -> Self {
        let mut response = self.gzip();
        response.body.truncate(response.body.len().saturating_sub(missing));
        response
    }

    /// Claims this `Content-Length`, whatever the body is; the connection closes after the body.
    pub fn claimed_length(mut self, length: usize) -> Self {
        self.framing = Framing::Claimed(length);
        self
    }

    /// Sends the body in chunks.
    pub fn chunked(mut self) -> Self {
        self.framing = Framing::Chunked;
        self
    }

    /// Sends the body in chunks and closes the connection without the last one.
    pub fn chunked_without_end(mut self) -> Self {
        self.framing = Framing::ChunkedWithoutEnd;
        self
    }

    /// Sends no length at all; the end of the connection is the end of the body.
    pub fn until_close(mut self) -> Self {
        self.framing = Framing::UntilClose;
        self
    }

    /// Sends the body over and over, until the client disconnects.
    pub fn endless(mut self) -> Self {
        self.framing = Framing::Endless;
        self
    }

    /// Closes the connection after `bytes` bytes of the body; the headers promise all of it.
    pub fn close_after(mut self, bytes: usize) -> Self {
        self.faults.stop_after = Some((bytes, Stop::Close));
        self
    }

    /// Resets the connection after `bytes` bytes of the body, some of which the client may lose with it.
    pub fn reset_after(mut self, bytes: usize) -> Self {
        self.faults.stop_after = Some((bytes, Stop::Reset));
        self
    }

    /// Falls silent after `bytes` bytes of the body, with the connection open.
    pub fn hang_after(mut self, bytes: usize) -> Self {
        self.faults.stop_after = Some((bytes, Stop::Hang));
        self
    }

    /// Waits before the first byte.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.faults.delay = delay;
        self
    }

    /// Sends headers and body at this pace.
    pub fn slow(mut self, bytes_per_second: usize) -> Self {
        self.faults.bytes_per_second = Some(bytes_per_second);
        self
    }

    /// Sends the headers at once and the body at this pace.
    pub fn slow_body(mut self, bytes_per_second: usize) -> Self {
        self.faults.head_at_full_speed = true;
        self.slow(bytes_per_second)
    }

    /// Sends this many `103 Early Hints` first.
    pub fn interim_responses(mut self, count: usize) -> Self {
        self.faults.interim_responses = count;
        self
    }
}
