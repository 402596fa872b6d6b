//! The hashes a metadata file lists for another file.

use std::collections::BTreeMap;

/// The algorithms that are verified. Never MD5 or SHA-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashAlgorithm {
    /// `sha256`
    Sha256,
    /// `sha384`
    Sha384,
    /// `sha512`
    Sha512,
    /// `blake2b-256`: BLAKE2b of 32 bytes
    Blake2b256,
    /// `blake2b`: BLAKE2b of 64 bytes
    Blake2b,
}

/// Hashes by the name of their algorithm, as hex; unknown algorithms are kept, and prove nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hashes(pub(crate) BTreeMap<String, String>);

impl Hashes {
    /// The hash by this algorithm, in lower-case hex.
    pub fn get(&self, algorithm: HashAlgorithm) -> Option<String> {
        let _ = algorithm;
        todo!()
    }
    /// Hashes of content by the given algorithms.
    pub fn of(content: &[u8], algorithms: &[HashAlgorithm]) -> Self {
        let _ = (content, algorithms);
        todo!()
    }
    /// The known algorithms listed, strongest preference first: sha256, sha512, blake2b-256, sha384, blake2b.
    pub fn known(&self) -> impl Iterator<Item = (HashAlgorithm, &str)> {
        std::iter::empty()
    }
}
