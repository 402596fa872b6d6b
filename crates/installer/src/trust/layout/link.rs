//! From the link of a distribution to the part of its path that is a target path.

use percent_encoding::percent_decode_str;
use url::Url;

use super::template::LinkPart;
use super::{LayoutError, shown};

/// Refuses file names that are no single segment of a path.
pub fn check_filename(filename: &str, link: &Url) -> Result<(), LayoutError> {
    match segment_problem(filename) {
        None => Ok(()),
        Some(problem) => Err(error(link, &format!("its file name '{}' {problem}", shown(filename)))),
    }
}

/// What is wrong with a text as a segment of a target path.
pub fn segment_problem(segment: &str) -> Option<&'static str> {
    match segment {
        "" => Some("is empty"),
        "." | ".." => Some("means another directory"),
        _ if segment.contains(['/', '\\']) => Some("has an encoded slash or a backslash"),
        _ if segment.chars().any(char::is_control) => Some("has control characters"),
        _ => None,
    }
}

/// That part of the link's path, decoded; `None` when the link does not have the form that the part needs.
pub fn part(part: &LinkPart, link: &Url, filename: &str) -> Result<Option<String>, LayoutError> {
    let encoded: Vec<&str> = link.path_segments().map(Iterator::collect).unwrap_or_default();
    let encoded = match part {
        LinkPart::LastFour => last_four(&encoded),
        LinkPart::After(prefix) => after(prefix, link, &encoded),
    };
    let Some(encoded) = encoded else { return Ok(None) };
    let mut decoded = Vec::new();
    for segment in encoded {
        let segment = percent_decode_str(segment).decode_utf8();
        let segment = segment.map_err(|_| error(link, "its path is not UTF-8"))?;
        if let Some(problem) = segment_problem(&segment) {
            return Err(error(link, &format!("'{}' in its path {problem}", shown(&segment))));
        }
        decoded.push(segment);
    }
    // The target path must end in the name of the installed file.
    if decoded.last().is_none_or(|name| name != filename) {
        return Err(error(link, &format!("the page calls it '{}'", shown(filename))));
    }
    Ok(Some(decoded.join("/")))
}

/// The last four segments, when they are those of content stored by its BLAKE2b-256.
fn last_four<'a, 's>(segments: &'s [&'a str]) -> Option<&'s [&'a str]> {
    let last = segments.last_chunk::<4>()?;
    let [first, second, rest, _] = last;
    let is_hash = is_lower_hex(first, 2) && is_lower_hex(second, 2) && is_lower_hex(rest, 60);
    is_hash.then_some(last.as_slice())
}

fn is_lower_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The segments behind a prefix that ends with `/`.
fn after<'a, 's>(prefix: &Url, link: &Url, segments: &'s [&'a str]) -> Option<&'s [&'a str]> {
    let same_place = prefix.scheme() == link.scheme()
        && prefix.host() == link.host()
        && prefix.port() == link.port()
        && link.path().starts_with(prefix.path());
    // The empty segment behind the prefix's last slash is where the rest begins.
    let depth = prefix.path_segments()?.count().checked_sub(1)?;
    segments.get(depth..).filter(|_| same_place)
}

fn error(link: &Url, problem: &str) -> LayoutError {
    LayoutError::Link { link: shown(&printable::redacted_url(link)), problem: problem.to_owned() }
}
