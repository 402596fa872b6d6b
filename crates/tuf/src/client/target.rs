//! What a look-up finds.

use crate::json::Value;
use crate::metadata::{RoleName, percent_encoded};
use crate::verifier::{Mismatch, Size, Verifier};
use crate::{HashAlgorithm, Hashes};

/// A file that the repository has signed. Only a look-up makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Target {
    /// Its target path.
    pub path: String,
    /// In bytes.
    pub length: u64,
    /// Not empty.
    pub hashes: Hashes,
    /// Further data of its signer.
    pub custom: Option<Value<'static>>,
    /// The roles that lead to it, from `targets` to the one that signed it. [`Epoch::version`](crate::Epoch::version)
    /// has their versions, [`Client::chain`](crate::Client::chain) their keys.
    pub roles: Vec<RoleName>,
}

impl Target {
    /// Checks the file's bytes while they arrive.
    pub fn verifier(&self) -> Result<Verifier, Mismatch> {
        Verifier::new(Size::Exactly(self.length), &self.hashes)
    }

    /// Where the repository has the file, relative to the URL of its targets, percent-encoded: append it as text, do
    /// not resolve it (a target path may begin with `/` or contain `..`). With consistent snapshots (TUF 5.7.3) that is
    /// under any of the hashes known here; this takes the first of [`Hashes::known`].
    pub fn remote_name(&self, consistent_snapshot: bool) -> String {
        let hashed = || self.hashes.known().find_map(|(algorithm, _)| self.hashed_path(algorithm));
        let path = if consistent_snapshot { hashed() } else { None };
        percent_encoded(path.as_deref().unwrap_or(&self.path), b"_.-~/")
    }

    /// The path with a hash before its last segment: `a/b` becomes `a/HASH.b`. `None` if no well-formed hash by this
    /// algorithm was signed.
    pub fn hashed_path(&self, algorithm: HashAlgorithm) -> Option<String> {
        let hash = self.hashes.get(algorithm)?;
        let well_formed = hash.len() == 2 * algorithm.digest_length() && hash.bytes().all(|b| b.is_ascii_hexdigit());
        well_formed.then(|| match self.path.rsplit_once('/') {
            Some((directory, file)) => format!("{directory}/{hash}.{file}"),
            None => format!("{hash}.{}", self.path),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(path: &str, hashes: Hashes) -> Target {
        Target { path: path.to_owned(), length: 0, hashes, custom: None, roles: Vec::new() }
    }

    #[test]
    fn names_on_the_repository_are_encoded_and_carry_a_hash() {
        let sha512 = Hashes::of(b"", &[HashAlgorithm::Sha512]);
        let hash = sha512.get(HashAlgorithm::Sha512).unwrap();
        let named = target("a b/c+d.txt", sha512);
        assert_eq!(named.remote_name(false), "a%20b/c%2Bd.txt");
        assert_eq!(named.remote_name(true), format!("a%20b/{hash}.c%2Bd.txt"));
        assert_eq!(target("plain", named.hashes.clone()).remote_name(true), format!("{hash}.plain"));
        assert_eq!(named.hashed_path(HashAlgorithm::Sha256), None);
    }

    #[test]
    fn what_is_no_hash_is_no_part_of_a_name() {
        for broken in ["", "../../x", "zz", &"g".repeat(64), &"a".repeat(63)] {
            let mut hashes = Hashes::new();
            hashes.insert("sha256", broken);
            assert_eq!(target("file", hashes).remote_name(true), "file", "{broken}");
        }
    }
}
