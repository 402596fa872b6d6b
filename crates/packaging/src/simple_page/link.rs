//! Links of a page: their target, whether it is allowed, and the hash in their fragment.

use percent_encoding::percent_decode_str;
use url::Url;

use crate::simple_page::{HashAlgorithm, SkipReason};

/// What links of a page are resolved against.
pub(crate) struct LinkBase<'page> {
    /// Where the page came from: decides which schemes are allowed.
    pub page: &'page Url,
    /// What relative links are relative to.
    pub base: Url,
}

/// A link that may be followed.
#[derive(Debug)]
pub(crate) struct ResolvedLink {
    /// Absolute, without fragment.
    pub url: String,
    /// The hash in the fragment, in lower case.
    pub hash: Option<(HashAlgorithm, String)>,
}

impl<'page> LinkBase<'page> {
    pub fn new(page: &'page Url) -> Self {
        Self { page, base: page.clone() }
    }

    /// Makes a link absolute and checks that the page may use it.
    pub fn resolve(&self, link: &str) -> Result<ResolvedLink, SkipReason> {
        let (before, fragment) = link.split_once('#').unwrap_or((link, ""));
        let hash = fragment_hash(fragment);
        let scheme_of_page = self.page.scheme();
        let (scheme, url) = match plain_scheme(before) {
            Some(scheme) => (scheme.to_owned(), before.to_owned()),
            None => {
                let mut url = self.base.join(before.trim()).map_err(|_| SkipReason::Link)?;
                url.set_fragment(None);
                (url.scheme().to_owned(), url.into())
            }
        };
        match (scheme_of_page, scheme.as_str()) {
            ("https", "https") | ("http" | "file", "http" | "https") | ("file", "file") => {
                Ok(ResolvedLink { url, hash })
            }
            ("https", "http") => Err(SkipReason::Insecure),
            _ => Err(SkipReason::Scheme),
        }
    }
}

impl ResolvedLink {
    /// The last segment of the path, percent-decoded exactly once.
    pub fn filename(&self) -> Result<String, SkipReason> {
        let path = self.url.split('?').next().unwrap_or_default();
        let path = path.split_once("://").map_or("", |(_, rest)| rest);
        let (_, segment) = path.trim_end_matches('/').rsplit_once('/').ok_or(SkipReason::Link)?;
        let name = percent_decode_str(segment).decode_utf8().map_err(|_| SkipReason::Link)?;
        if name.is_empty() || name.contains(['/', '\\']) {
            return Err(SkipReason::Link);
        }
        Ok(name.into_owned())
    }
}

/// The scheme of a link that is absolute and needs no parsing: nothing in it would be changed or refused by the parser.
///
/// Nearly all links of large pages are such; parsing them would take longer than reading the page.
fn plain_scheme(link: &str) -> Option<&'static str> {
    let (scheme, rest) = if let Some(rest) = link.strip_prefix("https://") {
        ("https", rest)
    } else {
        ("http", link.strip_prefix("http://")?)
    };
    let (host, path) = rest.split_once('/')?;
    let plain_host = host.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'-' | b'.'));
    let plain_path = path.bytes().all(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~' | b'+' | b'%' | b'!' | b',')
    });
    // A host without digits cannot be an address; a path without leading dots in its segments, encoded or not, has no steps up.
    (plain_host
        && plain_path
        && !host.is_empty()
        && !host.contains("xn--")
        && !path.starts_with('.')
        && !path.contains("/.")
        && !path.contains("%2e")
        && !path.contains("%2E"))
    .then_some(scheme)
}

/// `sha256=…` anywhere in the fragment; the first algorithm that is known counts.
fn fragment_hash(fragment: &str) -> Option<(HashAlgorithm, String)> {
    fragment.split('&').find_map(|part| {
        let (name, hex) = part.split_once('=')?;
        Some((HashAlgorithm::from_name(name)?, hex.to_ascii_lowercase()))
    })
}
