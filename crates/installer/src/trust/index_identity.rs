//! The identity of an index: one canonical URL for all spellings.

use packaging::PackageName;
use sha2::{Digest, Sha224};
use url::Url;

/// An index, by its canonical URL.
///
/// Canonical: scheme and host in lower case, no default port, no user name, password, query or fragment, dot segments
/// resolved, no dot behind the host, no empty segments, exactly one `/` at the end, nothing encoded that needs no encoding (RFC 3986, 6.2.2). Two
/// spellings of one address must not be two indexes, of which only one is verified.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndexIdentity(Url);

impl IndexIdentity {
    /// The identity behind any spelling.
    pub fn of(index: &Url) -> Self {
        // Parsing has lowered scheme and host, dropped a default port and resolved dot segments already.
        let mut canonical = printable::without_credentials(index);
        canonical.set_query(None);
        canonical.set_fragment(None);
        if let Some(host) = canonical.host_str().and_then(|host| host.strip_suffix('.')).map(str::to_owned) {
            let _ = canonical.set_host(Some(&host));
        }
        // Many servers take `//` for `/`.
        let segments = canonical.path().split('/').filter(|segment| !segment.is_empty());
        let path: String = segments.map(|segment| format!("/{}", with_least_encoding(segment))).collect();
        let path = format!("{path}/");
        if !canonical.cannot_be_a_base() {
            canonical.set_path(&path);
        }
        Self(canonical)
    }

    /// Every index that the content at a URL could belong to: the URL itself and all directories above it, as it is written, and
    /// as servers read it that decode `%2F` before they look for a file.
    pub fn around(url: &Url) -> Vec<Self> {
        let written = Self::of(url);
        let mut read = written.0.clone();
        if !read.cannot_be_a_base() {
            read.set_path(&written.0.path().replace("%2F", "/").replace("%5C", "/"));
        }
        let mut found: Vec<Self> = Vec::new();
        // Setting the path has resolved the dot segments that were behind a `%2F`.
        for start in [written, Self::of(&read)] {
            let mut directory = start.0;
            loop {
                let identity = Self(directory.clone());
                let is_known = found.contains(&identity);
                if !is_known {
                    found.push(identity);
                }
                match directory.join("..") {
                    Ok(above) if above != directory && !is_known => directory = above,
                    _ => break,
                }
            }
        }
        found
    }

    /// The canonical URL; it ends with `/`.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Whether one URL could be a misspelling of the other.
    pub fn is_similar(&self, other: &Self) -> bool {
        let (Some(host), Some(other_host)) = (self.0.host_str(), other.0.host_str()) else { return false };
        let same_host = host == other_host;
        let same_machine = same_host || (is_loopback(host) && is_loopback(other_host));
        let same_path = self.0.path() == other.0.path();
        let same_server = same_host && self.0.scheme() == other.0.scheme();
        self.0.port() == other.0.port() && self != other && same_machine && (same_server || same_path)
    }

    /// SHA-224 of the canonical URL in lower-case hex: a directory name of 56 characters.
    pub fn directory_name(&self) -> String {
        hex::encode(Sha224::digest(self.0.as_str()))
    }

    /// Whether a directory of this name can be that of an index.
    pub fn names_directory(name: &str) -> bool {
        name.len() == 56 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
    }
}

/// Whether a host of a URL is this machine itself.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// `%7e` as `~`, and what must stay encoded with capital letters.
fn with_least_encoding(path: &str) -> String {
    let mut result = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        result.push_str(before);
        let encoded =
            after.split_at_checked(2).filter(|(digits, _)| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let Some((digits, after_digits)) = encoded else {
            result.push('%');
            rest = after;
            continue;
        };
        match u8::from_str_radix(digits, 16).map(char::from) {
            Ok(character) if character.is_ascii_alphanumeric() || "-._~".contains(character) => result.push(character),
            _ => {
                result.push('%');
                result.push_str(&digits.to_ascii_uppercase());
            }
        }
        rest = after_digits;
    }
    result + rest
}

/// Where an ordinary index at this URL has the page of a project (PEP 503).
pub fn page_url(index: &Url, project: &PackageName) -> Url {
    let mut url = index.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend([project.as_ref(), ""]);
    }
    url
}

/// Where the metadata of an index is unless its trust says otherwise: `tuf/` beside the last segment of the index's URL,
/// or below it if the index is the root of its host.
pub fn default_metadata_url(index: &Url) -> Url {
    let canonical = IndexIdentity::of(index).0;
    // Fails only for URLs that cannot be a base, such as `data:`, which are no index.
    canonical.join("../tuf/").unwrap_or(canonical)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn canonical(text: &str) -> String {
        IndexIdentity::of(&url(text)).url().to_string()
    }

    #[test]
    fn all_spellings_of_an_index_are_one() {
        for (spelling, expected) in [
            ("https://pkgs.example.org/simple/", "https://pkgs.example.org/simple/"),
            ("https://pkgs.example.org/simple", "https://pkgs.example.org/simple/"),
            ("https://pkgs.example.org/simple///", "https://pkgs.example.org/simple/"),
            ("https://pkgs.example.org//team//simple/", "https://pkgs.example.org/team/simple/"),
            ("HTTPS://PKGS.Example.ORG/simple/", "https://pkgs.example.org/simple/"),
            ("https://pkgs.example.org:443/simple/", "https://pkgs.example.org/simple/"),
            ("https://me:secret@pkgs.example.org/simple/", "https://pkgs.example.org/simple/"),
            ("https://me@pkgs.example.org/simple/?a=b#c", "https://pkgs.example.org/simple/"),
            ("https://pkgs.example.org/a/../simple/./", "https://pkgs.example.org/simple/"),
            ("https://pkgs.example.org/a/%2e%2E/simple/", "https://pkgs.example.org/simple/"),
            ("https://pkgs.example.org/a b/", "https://pkgs.example.org/a%20b/"),
            ("https://pkgs.example.org/ä/", "https://pkgs.example.org/%C3%A4/"),
            ("https://bücher.example.org/simple/", "https://xn--bcher-kva.example.org/simple/"),
            ("https://pkgs.example.org/%7Eme/%2f%c3%a4%/", "https://pkgs.example.org/~me/%2F%C3%A4%/"),
            ("https://pkgs.example.org./simple/", "https://pkgs.example.org/simple/"),
            ("https://pkgs.example.org", "https://pkgs.example.org/"),
            ("https://pkgs.example.org//", "https://pkgs.example.org/"),
            ("http://[::1]:80/simple", "http://[::1]/simple/"),
            ("http://127.1:8000/simple", "http://127.0.0.1:8000/simple/"),
            ("file:///srv/index/simple", "file:///srv/index/simple/"),
            ("file://localhost/srv/index/simple/", "file:///srv/index/simple/"),
            ("file:///", "file:///"),
        ] {
            assert_eq!(canonical(spelling), expected, "{spelling}");
            assert_eq!(canonical(expected), expected, "canonical is not stable");
        }
    }

    #[test]
    fn different_indexes_stay_different() {
        let indexes = [
            "https://pkgs.example.org/simple/",
            "http://pkgs.example.org/simple/",
            "https://pkgs.example.org:8443/simple/",
            "https://pkgs.example.org/Simple/",
            "https://pkgs.example.org/team/simple/",
            "https://pkgs.example.org/team%2Fsimple/",
            "https://pkgs.example.org/",
            "file:///simple/",
        ];
        let names: std::collections::BTreeSet<String> =
            indexes.iter().map(|index| IndexIdentity::of(&url(index)).directory_name()).collect();
        assert_eq!(names.len(), indexes.len());
    }

    #[test]
    fn content_may_belong_to_every_directory_above_it() {
        let around = |text: &str| -> Vec<String> {
            IndexIdentity::around(&url(text)).iter().map(|identity| identity.url().to_string()).collect()
        };
        let base = "https://pkgs.example.org/";
        let simple = format!("{base}simple/");
        assert_eq!(around(&format!("{simple}/good/?a#b")), [format!("{simple}good/"), simple.clone(), base.to_owned()]);
        for inside in [
            "simple",
            "simple/good//",
            "simple/good/index.html",
            "simple%2Fgood/",
            "simple%2f",
            "%73imple/good",
            "other/..%2Fsimple/good/",
            "other%2F%2e%2e%2Fsimple%5Cgood/",
            "simple/good/a/b/good-1.0-py3-none-any.whl",
            "a/../simple/./good",
        ] {
            let found = around(&format!("HTTPS://me:pw@PKGS.example.org.:443/{inside}"));
            assert!(found.contains(&simple), "{inside}: {found:?}");
        }
        for outside in ["simpler/good/", "Simple/", "files/good.whl", "", "simple/../other/", "simple%252Fgood/"] {
            assert!(!around(&format!("{base}{outside}")).contains(&simple), "{outside}");
        }
        assert_eq!(around("data:text/plain,x").len(), 1);
    }

    #[test]
    fn what_is_easily_mistaken_for_another_index_is_near() {
        for (trusted, written, expected) in [
            ("https://pkgs.example.org/simple/", "https://pkgs.example.org/simpel/", true),
            ("https://pkgs.example.org/simple/", "https://pkgs.example.org/Simple/", true),
            ("https://pkgs.example.org/simple/", "http://pkgs.example.org/simple/", true),
            ("http://127.0.0.1:8000/simple/", "http://localhost:8000/simple/", true),
            ("http://[::1]:8000/simple/", "https://127.0.0.1:8000/simple/", true),
            ("https://pkgs.example.org/simple/", "https://pkgs.example.org/simple", false),
            ("https://pkgs.example.org/simple/", "http://pkgs.example.org/other/", false),
            ("https://pkgs.example.org/simple/", "https://pkgs.example.org:8443/simple/", false),
            ("https://pkgs.example.org/simple/", "https://other.example.org/simple/", false),
            ("http://127.0.0.1:8000/simple/", "http://127.0.0.1:8001/simple/", false),
            ("http://127.0.0.1:8000/simple/", "http://localhost:8000/other/", false),
            ("file:///srv/simple/", "file:///srv/other/", false),
        ] {
            let (trusted, written) = (IndexIdentity::of(&url(trusted)), IndexIdentity::of(&url(written)));
            assert_eq!(trusted.is_similar(&written), expected, "{trusted:?} {written:?}");
            assert_eq!(written.is_similar(&trusted), expected, "{trusted:?} {written:?}");
        }
    }

    #[test]
    fn the_directory_is_named_as_in_the_draft_for_pip() {
        let name = IndexIdentity::of(&url("http://LOCALHOST:8000/simple")).directory_name();
        assert!(name.starts_with("ed8b0907") && name.ends_with("c28d"), "{name}");
        assert_eq!(name.len(), 56);
    }

    #[test]
    fn metadata_is_beside_the_index() {
        for (index, expected) in [
            ("https://pkgs.example.org/simple/", "https://pkgs.example.org/tuf/"),
            ("https://pkgs.example.org/team/simple", "https://pkgs.example.org/team/tuf/"),
            ("https://me:secret@pkgs.example.org/team/simple/?a#b", "https://pkgs.example.org/team/tuf/"),
            ("https://pkgs.example.org/", "https://pkgs.example.org/tuf/"),
            ("file:///srv/index/simple/", "file:///srv/index/tuf/"),
        ] {
            assert_eq!(default_metadata_url(&url(index)).as_str(), expected, "{index}");
        }
    }

    #[test]
    fn what_is_no_index_is_no_reason_to_panic() {
        for text in
            ["data:text/plain,a?b#c", "mailto:a@b", "unix:/a/b", "a://B/../c", "file:////a//", "a:", "blob:https://h/"]
        {
            let identity = IndexIdentity::of(&url(text));
            assert_eq!(identity.directory_name().len(), 56);
            assert_eq!(IndexIdentity::of(identity.url()), identity, "{text}");
            default_metadata_url(&url(text));
        }
    }
}
