//! The URLs of a signed page.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tuf::{HashAlgorithm, Hashes};
use url::Url;

use super::template::Variable;
use super::{IndexUrls, LayoutError, PageTarget, shown};

/// All but what needs no encoding anywhere (RFC 3986, 2.3) and the slash. Not even `+`: some object stores decode it.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// See [`PageTarget::urls`].
pub fn urls(page: &PageTarget, index_urls: &IndexUrls<'_>, hashes: &Hashes) -> Result<Vec<Url>, LayoutError> {
    let start = start(page, index_urls)?;
    if !page.url.variables().any(|variable| *variable == Variable::Hash) {
        return Ok(vec![below(&start, &path(page, ""))]);
    }
    let mut usable: Vec<(HashAlgorithm, &str)> =
        hashes.known().filter(|(algorithm, hex)| is_hash(*algorithm, hex)).collect();
    if usable.is_empty() {
        return Err(error(page, "its metadata has no hash of a known kind"));
    }
    // A stable sort: the others stay in the order of preference.
    usable.sort_by_key(|(algorithm, _)| *algorithm != page.hash);
    Ok(usable.iter().map(|(_, hex)| below(&start, &path(page, &hex.to_ascii_lowercase()))).collect())
}

/// A target path up to and with its last slash, and what is behind.
pub fn split(target: &str) -> (&str, &str) {
    let behind = target.rfind('/').map_or(0, |slash| slash + 1);
    target.split_at_checked(behind).unwrap_or(("", target))
}

/// The URL of the directory the template begins with.
fn start(page: &PageTarget, index_urls: &IndexUrls<'_>) -> Result<Url, LayoutError> {
    let start = if page.url.variables().next() == Some(&Variable::Base) {
        let base = directory(index_urls.metadata).join(&page.base);
        base.map_err(|problem| error(page, &format!("base '{}': {problem}", shown(&page.base))))?
    } else {
        index_urls.index.clone()
    };
    // Metadata from a server must not lead to local files, nor metadata over https to http.
    let scheme = start.scheme();
    let allowed = matches!(scheme, "http" | "https" | "file")
        && (scheme == "https" || scheme == index_urls.index.scheme() || scheme == index_urls.metadata.scheme());
    if !allowed {
        return Err(error(page, &format!("the layout leads to {scheme}: from {}:", index_urls.metadata.scheme())));
    }
    Ok(directory(&start))
}

/// The URL without query and fragment, with a slash at its end.
fn directory(url: &Url) -> Url {
    let mut directory = url.clone();
    directory.set_query(None);
    directory.set_fragment(None);
    if !directory.path().ends_with('/') && !directory.cannot_be_a_base() {
        directory.set_path(&format!("{}/", url.path()));
    }
    directory
}

/// What follows the first variable.
fn path(page: &PageTarget, hash: &str) -> String {
    let (directory, file) = split(&page.path);
    page.url.expand(|variable| match variable {
        Variable::Project => Some(page.project.to_string()),
        Variable::Directory => Some(directory.to_owned()),
        Variable::File => Some(file.to_owned()),
        Variable::Hash => Some(hash.to_owned()),
        _ => None,
    })
}

fn below(start: &Url, path: &str) -> Url {
    let mut url = start.clone();
    let encoded = utf8_percent_encode(path, ENCODED);
    url.set_path(&format!("{}{encoded}", start.path()));
    url
}

fn is_hash(algorithm: HashAlgorithm, hex: &str) -> bool {
    hex.len() == 2 * algorithm.digest_length() && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn error(page: &PageTarget, problem: &str) -> LayoutError {
    LayoutError::PageUrl { path: shown(&page.path), problem: problem.to_owned() }
}
