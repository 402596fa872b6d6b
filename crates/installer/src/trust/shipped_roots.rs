//! Which indexes the roots in the program belong to, and which indexes are never used without a root.

pub use data::{KNOWN_SECURE, ROOTS, ShippedRoot};

use super::index_identity::IndexIdentity;

/// The shipped root of an index.
pub fn root_of<'a>(roots: &'a [ShippedRoot], identity: &IndexIdentity) -> Option<&'a ShippedRoot> {
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
        let roots = [ShippedRoot { index_url: "https://pkgs.example.org/simple", root: b"root" }];
        let identity = IndexIdentity::of(&"https://user@PKGS.example.org:443/simple/".parse().unwrap());
        assert_eq!(root_of(&roots, &identity).map(|shipped| shipped.root), Some(&b"root"[..]));
        assert!(is_known_secure(&["https://pkgs.example.org/simple/"], &identity));
        let other = IndexIdentity::of(&"https://pkgs.example.org/other/".parse().unwrap());
        assert!(root_of(&roots, &other).is_none());
        assert!(!is_known_secure(&["https://pkgs.example.org/simple/"], &other));
    }
}
