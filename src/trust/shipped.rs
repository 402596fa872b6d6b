//! Roots that come with the program, from `data/roots/`, and indexes that are never used without one.
//!
//! Both lists are empty: no public index publishes metadata yet.

use super::identity::IndexIdentity;

/// A root that came with the program.
#[derive(Debug)]
pub struct Shipped {
    /// The index it is for.
    pub index_url: &'static str,
    /// The file.
    pub root: &'static [u8],
}

/// Every root in `data/roots/`.
pub const ROOTS: &[Shipped] = &[];

/// Indexes that publish metadata for everything, so that using them without is always a mistake or an attack.
pub const KNOWN_SECURE: &[&str] = &[];

/// The shipped root of an index.
pub fn root_of<'a>(roots: &'a [Shipped], identity: &IndexIdentity) -> Option<&'a Shipped> {
    roots.iter().find(|shipped| is_of(shipped.index_url, identity))
}

/// Whether an index may not be used without metadata.
pub fn is_known_secure(urls: &[&str], identity: &IndexIdentity) -> bool {
    urls.iter().any(|url| is_of(url, identity))
}

fn is_of(url: &str, identity: &IndexIdentity) -> bool {
    url.parse().is_ok_and(|url| IndexIdentity::of(&url) == *identity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_known_by_any_spelling_of_its_url() {
        let roots = [Shipped { index_url: "https://pkgs.example.org/simple", root: b"root" }];
        let identity = IndexIdentity::of(&"https://user@PKGS.example.org:443/simple/".parse().unwrap());
        assert_eq!(root_of(&roots, &identity).map(|shipped| shipped.root), Some(&b"root"[..]));
        assert!(is_known_secure(&["https://pkgs.example.org/simple/"], &identity));
        let other = IndexIdentity::of(&"https://pkgs.example.org/other/".parse().unwrap());
        assert!(root_of(&roots, &other).is_none());
        assert!(!is_known_secure(&["https://pkgs.example.org/simple/"], &other));
    }
}
