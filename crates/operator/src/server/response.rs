//! From an HTTP request to a response (RFC 9110, sections 12 to 14).

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::time::SystemTime;

use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use tokio::io::AsyncReadExt as _;

use super::ResponseOverrides;
use crate::storage::FileClass;

/// What is served.
pub struct ServedDirectory {
    /// Canonical: nothing outside of it is served, and nothing hidden in it.
    pub directory: PathBuf,
    /// Responses that replace files.
    pub overrides: ResponseOverrides,
}

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// What a path leads to.
enum Found {
    File(Opened),
    Directory,
    Nothing,
}

/// A file that is about to be sent.
struct Opened {
    file: File,
    length: u64,
    modified: SystemTime,
}

/// Which bytes are requested.
#[derive(Debug, PartialEq, Eq)]
enum RequestedRange {
    Whole,
    /// From the first byte to the one behind the last.
    Part(u64, u64),
    /// A part beyond the end of the file.
    Beyond,
}

/// Bytes that are read and sent at a time.
const BLOCK: usize = 64 << 10;

impl ServedDirectory {
    /// The answer to a request.
    pub async fn answer(&self, request: &Request<Incoming>) -> Response<Body> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut refused = plain(StatusCode::METHOD_NOT_ALLOWED);
            set(&mut refused, header::ALLOW, "GET, HEAD");
            return refused;
        }
        let mut answer = self.answer_to_get(request.uri().path(), request.headers()).await;
        if request.method() == Method::HEAD {
            *answer.body_mut() = empty();
        }
        answer
    }

    async fn answer_to_get(&self, raw_path: &str, headers: &HeaderMap) -> Response<Body> {
        // With two slashes before it, it would name a host in a redirect.
        let raw_path = raw_path.trim_start_matches('/');
        let Ok(path) = percent_decode_str(raw_path).decode_utf8() else { return plain(StatusCode::NOT_FOUND) };
        let negotiated = path.ends_with('/');
        let path = match negotiated {
            true if prefers_json(headers) => format!("{path}index.json"),
            true => format!("{path}index.html"),
            false => path.into_owned(),
        };
        let replaced = self.overrides.lock().unwrap_or_else(PoisonError::into_inner).get(&path).cloned();
        let mut answer = match replaced {
            Some(Some(bytes)) => whole(bytes),
            Some(None) => return plain(StatusCode::NOT_FOUND),
            None => match self.open(&path).await {
                Found::File(opened) => send(opened, headers),
                Found::Directory if path.starts_with("simple") => return redirect(&format!("/{raw_path}/")),
                Found::Directory | Found::Nothing => return plain(StatusCode::NOT_FOUND),
            },
        };
        let class = class(&path);
        set(&mut answer, header::CONTENT_TYPE, class.content_type());
        set(&mut answer, header::CACHE_CONTROL, class.cache_control());
        if negotiated {
            set(&mut answer, header::VARY, "Accept");
        }
        answer
    }

    async fn open(&self, path: &str) -> Found {
        let (directory, path) = (self.directory.clone(), path.to_owned());
        // A file that cannot be opened counts as missing.
        let opened = tokio::task::spawn_blocking(move || open(&directory, &path)).await;
        opened.ok().and_then(Result::ok).unwrap_or(Found::Nothing)
    }
}

/// Opens a file, if it is inside the directory after resolving links and dots, and not hidden.
fn open(directory: &Path, path: &str) -> io::Result<Found> {
    let path = directory.join(path).canonicalize()?;
    let Ok(inside) = path.strip_prefix(directory) else { return Ok(Found::Nothing) };
    if inside.components().any(|part| part.as_os_str().as_encoded_bytes().starts_with(b".")) {
        return Ok(Found::Nothing);
    }
    let file = File::open(&path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Ok(Found::Directory);
    }
    if !metadata.is_file() {
        return Ok(Found::Nothing);
    }
    Ok(Found::File(Opened { file, length: metadata.len(), modified: metadata.modified()? }))
}

/// What is published at a path, as [`repository::layout`] has it.
fn class(path: &str) -> FileClass {
    match path {
        repository::layout::TIMESTAMP => FileClass::Timestamp,
        _ if path.starts_with(repository::layout::METADATA) => FileClass::Metadata,
        _ if path.ends_with(".html") => FileClass::HtmlPage,
        _ if path.ends_with("/index.json") => FileClass::JsonPage,
        _ if path.starts_with(repository::layout::PAGES) && path.ends_with(".json") => FileClass::HashedPage,
        _ => FileClass::Distribution,
    }
}

/// Whether the client accepts JSON at least as much as HTML (PEP 691). The default is HTML.
fn prefers_json(headers: &HeaderMap) -> bool {
    let (mut json, mut html) = (0.0_f32, 0.0_f32);
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    for range in values.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
        let quality = parts.find_map(|part| part.strip_prefix("q=")).and_then(|quality| quality.parse().ok());
        let quality: f32 = quality.unwrap_or(1.0);
        match media_type.as_str() {
            "application/vnd.pypi.simple.v1+json" | "application/vnd.pypi.simple.latest+json" => {
                json = json.max(quality);
            }
            "application/vnd.pypi.simple.v1+html"
            | "application/vnd.pypi.simple.latest+html"
            | "text/html"
            | "text/*"
            | "*/*" => html = html.max(quality),
            _ => {}
        }
    }
    json > 0.0 && json >= html
}

/// The file, a part of it, or that the client has it already.
fn send(mut opened: Opened, headers: &HeaderMap) -> Response<Body> {
    let since = opened.modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let tag = format!("\"{:x}-{:x}\"", opened.length, since.as_nanos());
    let seconds = i64::try_from(since.as_secs()).unwrap_or(0);
    let mut answer = if is_known(headers, &tag, seconds) {
        plain(StatusCode::NOT_MODIFIED)
    } else {
        match requested_range(headers, &tag, opened.length) {
            RequestedRange::Whole => stream(opened.file, opened.length),
            RequestedRange::Part(first, end) => match opened.file.seek(SeekFrom::Start(first)) {
                Ok(_) => {
                    let mut part = stream(opened.file, end - first);
                    *part.status_mut() = StatusCode::PARTIAL_CONTENT;
                    let range = format!("bytes {first}-{}/{}", end - 1, opened.length);
                    set(&mut part, header::CONTENT_RANGE, &range);
                    part
                }
                Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR),
            },
            RequestedRange::Beyond => {
                let mut refused = plain(StatusCode::RANGE_NOT_SATISFIABLE);
                set(&mut refused, header::CONTENT_RANGE, &format!("bytes */{}", opened.length));
                refused
            }
        }
    };
    set(&mut answer, header::ETAG, &tag);
    set(&mut answer, header::ACCEPT_RANGES, "bytes");
    if let Some(date) = http_date(seconds) {
        set(&mut answer, header::LAST_MODIFIED, &date);
    }
    answer
}

/// Whether the client's copy is the file as it is now (RFC 9110, 13.2.2: a date counts only without a tag).
fn is_known(headers: &HeaderMap, tag: &str, modified: i64) -> bool {
    if let Some(tags) = text(headers, &header::IF_NONE_MATCH) {
        return tags.split(',').map(str::trim).any(|known| known == "*" || known.trim_start_matches("W/") == tag);
    }
    let since = text(headers, &header::IF_MODIFIED_SINCE).and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
    since.is_some_and(|since| since.timestamp().as_second() >= modified)
}

/// One part of the file if one is requested; for several parts the whole file, which is always allowed.
fn requested_range(headers: &HeaderMap, tag: &str, length: u64) -> RequestedRange {
    // A part is of no use to a client that has the beginning of another file.
    if text(headers, &header::IF_RANGE).is_some_and(|known| known != tag) {
        return RequestedRange::Whole;
    }
    let range = text(headers, &header::RANGE).and_then(|range| range.trim().strip_prefix("bytes="));
    let Some((first, last)) = range.and_then(|range| range.split_once('-')) else { return RequestedRange::Whole };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let (first, end) = match (number(first), number(last)) {
        (Some(first), Some(last)) if last >= first => (first, last.saturating_add(1).min(length)),
        (Some(first), None) if last.trim().is_empty() => (first, length),
        (None, Some(count)) if first.trim().is_empty() => (length.saturating_sub(count), length),
        _ => return RequestedRange::Whole,
    };
    if first < end { RequestedRange::Part(first, end) } else { RequestedRange::Beyond }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn http_date(seconds: i64) -> Option<String> {
    let time = Timestamp::from_second(seconds).ok()?;
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&time).ok()
}

fn stream(file: File, length: u64) -> Response<Body> {
    let rest = tokio::fs::File::from_std(file).take(length);
    let blocks = stream::try_unfold(rest, |mut rest| async move {
        let mut block = vec![0; BLOCK];
        let count = rest.read(&mut block).await?;
        block.truncate(count);
        Ok((count > 0).then(|| (Frame::data(Bytes::from(block)), rest)))
    });
    let mut answer = Response::new(StreamBody::new(blocks).boxed_unsync());
    set(&mut answer, header::CONTENT_LENGTH, &length.to_string());
    answer
}

fn whole(bytes: Vec<u8>) -> Response<Body> {
    let length = bytes.len().to_string();
    let mut answer = Response::new(Full::from(bytes).map_err(|never| match never {}).boxed_unsync());
    set(&mut answer, header::CONTENT_LENGTH, &length);
    answer
}

fn redirect(location: &str) -> Response<Body> {
    let mut answer = plain(StatusCode::MOVED_PERMANENTLY);
    set(&mut answer, header::LOCATION, location);
    answer
}

fn plain(status: StatusCode) -> Response<Body> {
    let mut answer = Response::new(empty());
    *answer.status_mut() = status;
    answer
}

fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// Sets a header, unless the value is invalid.
fn set(answer: &mut Response<Body>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(given: &[(HeaderName, &str)]) -> HeaderMap {
        given.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn html_is_the_default_and_json_is_for_those_who_like_it_as_much() {
        let json = "application/vnd.pypi.simple.v1+json";
        for (accept, expected) in [
            ("", false),
            ("*/*", false),
            ("text/html", false),
            (json, true),
            ("application/vnd.pypi.simple.v1+json, text/html; q=0.01", true),
            ("application/vnd.pypi.simple.v1+json;q=0.2, text/html;q=0.5", false),
            ("application/vnd.pypi.simple.v1+json;q=0", false),
            ("application/vnd.pypi.simple.latest+json, */*", true),
            ("application/json", false),
        ] {
            assert_eq!(prefers_json(&headers(&[(header::ACCEPT, accept)])), expected, "{accept}");
        }
        assert!(!prefers_json(&HeaderMap::new()));
    }

    #[test]
    fn parts_of_a_file_of_ten_bytes() {
        for (range, expected) in [
            ("bytes=0-", RequestedRange::Part(0, 10)),
            ("bytes=3-4", RequestedRange::Part(3, 5)),
            ("bytes=3-400", RequestedRange::Part(3, 10)),
            ("bytes=-4", RequestedRange::Part(6, 10)),
            ("bytes=-40", RequestedRange::Part(0, 10)),
            ("bytes=10-", RequestedRange::Beyond),
            ("bytes=-0", RequestedRange::Beyond),
            ("bytes=4-3", RequestedRange::Whole),
            ("bytes=0-1,3-4", RequestedRange::Whole),
            ("bytes=0-18446744073709551615", RequestedRange::Part(0, 10)),
            ("bytes=99999999999999999999-", RequestedRange::Whole),
            ("lines=1-2", RequestedRange::Whole),
            ("bytes=-", RequestedRange::Whole),
        ] {
            assert_eq!(requested_range(&headers(&[(header::RANGE, range)]), "\"tag\"", 10), expected, "{range}");
        }
        let of_another = headers(&[(header::RANGE, "bytes=3-"), (header::IF_RANGE, "\"other\"")]);
        assert_eq!(requested_range(&of_another, "\"tag\"", 10), RequestedRange::Whole);
    }

    #[test]
    fn a_copy_is_known_by_its_tag_or_else_by_its_date() {
        let (tag, modified) = ("\"a\"", 784_111_777);
        let date = http_date(modified).unwrap();
        assert_eq!(date, "Sun, 06 Nov 1994 08:49:37 GMT");
        for (given, expected) in [
            (vec![], false),
            (vec![(header::IF_NONE_MATCH, "\"b\", W/\"a\"")], true),
            (vec![(header::IF_NONE_MATCH, "*")], true),
            (vec![(header::IF_MODIFIED_SINCE, date.as_str())], true),
            (vec![(header::IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:36 GMT")], false),
            (vec![(header::IF_MODIFIED_SINCE, "yesterday")], false),
            (vec![(header::IF_NONE_MATCH, "\"b\""), (header::IF_MODIFIED_SINCE, date.as_str())], false),
        ] {
            assert_eq!(is_known(&headers(&given), tag, modified), expected, "{given:?}");
        }
    }
}
