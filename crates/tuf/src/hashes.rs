//! The hashes a metadata file lists for another file.

use blake2::{Blake2b256, Blake2b512};
use sha2::{Digest, Sha256, Sha384, Sha512};

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
///
/// Sorted by name, each name once: a map with its nodes would take 500 bytes more for each of thousands of targets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hashes(Vec<(String, String)>);

/// A hash being computed.
#[derive(Clone, Debug)]
pub(crate) enum Hasher {
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
    Blake2b256(Blake2b256),
    Blake2b(Blake2b512),
}

impl HashAlgorithm {
    /// All of them, strongest preference first.
    const ALL: [HashAlgorithm; 5] = [
        HashAlgorithm::Sha256,
        HashAlgorithm::Sha512,
        HashAlgorithm::Blake2b256,
        HashAlgorithm::Sha384,
        HashAlgorithm::Blake2b,
    ];

    /// As metadata calls it, which is as securesystemslib does.
    pub fn name(self) -> &'static str {
        match self {
            HashAlgorithm::Sha256 => "sha256",
            HashAlgorithm::Sha384 => "sha384",
            HashAlgorithm::Sha512 => "sha512",
            HashAlgorithm::Blake2b256 => "blake2b-256",
            HashAlgorithm::Blake2b => "blake2b",
        }
    }
    /// The algorithm of exactly that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }
    /// How long a hash is, in bytes.
    pub fn digest_length(self) -> usize {
        match self {
            HashAlgorithm::Sha256 | HashAlgorithm::Blake2b256 => 32,
            HashAlgorithm::Sha384 => 48,
            HashAlgorithm::Sha512 | HashAlgorithm::Blake2b => 64,
        }
    }
}

impl Hashes {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }
    /// Lists a hash; gives the one that was listed for that algorithm. Neither name nor hex need be known or right.
    pub fn insert(&mut self, name: impl Into<String>, hex: impl Into<String>) -> Option<String> {
        let (name, hex) = (name.into(), hex.into());
        match self.find(&name) {
            Ok(place) => self.0.get_mut(place).map(|(_, old)| std::mem::replace(old, hex)),
            Err(place) => {
                if self.0.is_empty() {
                    // Nearly always the only one.
                    self.0.reserve_exact(1);
                }
                self.0.insert(place, (name, hex));
                None
            }
        }
    }
    /// The hash by this algorithm, in lower-case hex.
    pub fn get(&self, algorithm: HashAlgorithm) -> Option<String> {
        self.listed(algorithm).map(str::to_ascii_lowercase)
    }
    /// Hashes of content by the given algorithms.
    pub fn of(content: &[u8], algorithms: &[HashAlgorithm]) -> Self {
        let mut hashes = Self::new();
        for algorithm in algorithms {
            let mut hasher = Hasher::new(*algorithm);
            hasher.update(content);
            hashes.insert(algorithm.name(), hex::encode(hasher.finish()));
        }
        hashes
    }
    /// The known algorithms listed, strongest preference first: sha256, sha512, blake2b-256, sha384, blake2b.
    pub fn known(&self) -> impl Iterator<Item = (HashAlgorithm, &str)> {
        HashAlgorithm::ALL.into_iter().filter_map(|algorithm| {
            let hex = self.listed(algorithm)?;
            Some((algorithm, hex))
        })
    }
    /// All that are listed, known or not: name and hex as written, in order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, hex)| (name.as_str(), hex.as_str()))
    }
    /// Whether none is listed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn listed(&self, algorithm: HashAlgorithm) -> Option<&str> {
        let place = self.find(algorithm.name()).ok()?;
        self.0.get(place).map(|(_, hex)| hex.as_str())
    }

    /// Where a name is, or where it belongs.
    fn find(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.as_str().cmp(name))
    }
}

impl FromIterator<(String, String)> for Hashes {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(hashes: I) -> Self {
        let mut listed = Hashes::new();
        for (name, hex) in hashes {
            listed.insert(name, hex);
        }
        listed
    }
}

impl Hasher {
    pub(crate) fn new(algorithm: HashAlgorithm) -> Self {
        match algorithm {
            HashAlgorithm::Sha256 => Hasher::Sha256(Sha256::new()),
            HashAlgorithm::Sha384 => Hasher::Sha384(Sha384::new()),
            HashAlgorithm::Sha512 => Hasher::Sha512(Sha512::new()),
            HashAlgorithm::Blake2b256 => Hasher::Blake2b256(Blake2b256::new()),
            HashAlgorithm::Blake2b => Hasher::Blake2b(Blake2b512::new()),
        }
    }
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Hasher::Sha256(state) => state.update(bytes),
            Hasher::Sha384(state) => state.update(bytes),
            Hasher::Sha512(state) => state.update(bytes),
            Hasher::Blake2b256(state) => state.update(bytes),
            Hasher::Blake2b(state) => state.update(bytes),
        }
    }
    pub(crate) fn finish(self) -> Vec<u8> {
        match self {
            Hasher::Sha256(state) => state.finalize().to_vec(),
            Hasher::Sha384(state) => state.finalize().to_vec(),
            Hasher::Sha512(state) => state.finalize().to_vec(),
            Hasher::Blake2b256(state) => state.finalize().to_vec(),
            Hasher::Blake2b(state) => state.finalize().to_vec(),
        }
    }
}
