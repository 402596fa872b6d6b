//! Checks length and hashes of a file while it is downloaded (TUF 5.7.3).

use crate::hashes::Hasher;
use crate::{HashAlgorithm, Hashes};

/// How long a file may be, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Exactly so long: the length was signed.
    Exactly(u64),
    /// No longer than that: the length was not signed.
    AtMost(u64),
}

/// Takes the bytes of one file in order.
#[derive(Clone, Debug)]
pub struct Verifier {
    size: Size,
    /// Bytes so far.
    length: u64,
    /// Every listed algorithm that is known, and the hex that is listed.
    hashes: Vec<(HashAlgorithm, Hasher, String)>,
}

/// How a file differs from what was signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// More bytes than signed or allowed.
    #[error("longer than {limit} bytes, which is all it may have")]
    TooLong {
        /// bytes
        limit: u64,
    },
    /// Fewer bytes than signed.
    #[error("{found} bytes where {expected} were signed")]
    TooShort {
        /// bytes
        expected: u64,
        /// bytes
        found: u64,
    },
    /// Another content.
    #[error("{algorithm} is {found} where {expected} was signed")]
    Hash {
        /// its name
        algorithm: &'static str,
        /// As it was listed: hex, if all is well; shortened if it is longer than any hash.
        expected: String,
        /// hex
        found: String,
    },
    /// No listed hash is of an algorithm that is verified here.
    #[error("no hash that can be verified, only {listed}")]
    NoKnownHash {
        /// the names, comma-separated, shortened; "none at all"
        listed: String,
    },
}

impl Verifier {
    /// For a file of this size with these hashes.
    ///
    /// Of the hashes listed, all of known algorithms must match, a malformed one included; those of unknown algorithms
    /// are passed over, if there is a known one too.
    pub fn new(size: Size, hashes: &Hashes) -> Result<Self, Mismatch> {
        let known = hashes.known();
        let hashes_expected: Vec<_> =
            known.map(|(algorithm, hex)| (algorithm, Hasher::new(algorithm), hex.to_owned())).collect();
        if hashes_expected.is_empty() {
            return Err(Mismatch::NoKnownHash { listed: names(hashes) });
        }
        Ok(Verifier { size, length: 0, hashes: hashes_expected })
    }
    /// Takes the next bytes. An error as soon as there are too many.
    pub fn update(&mut self, bytes: &[u8]) -> Result<(), Mismatch> {
        self.length = self.length.saturating_add(bytes.len() as u64);
        self.check_not_too_long()?;
        for (_, hasher, _) in &mut self.hashes {
            hasher.update(bytes);
        }
        Ok(())
    }
    /// After the last byte: whether all is as signed.
    pub fn finish(self) -> Result<(), Mismatch> {
        self.check_not_too_long()?;
        if let Size::Exactly(expected) = self.size
            && self.length < expected
        {
            return Err(Mismatch::TooShort { expected, found: self.length });
        }
        for (algorithm, hasher, expected) in self.hashes {
            let found = hasher.finish();
            if hex::decode(&expected).ok().as_ref() != Some(&found) {
                let expected = printable::shortened(&expected, 2 * algorithm.digest_length());
                return Err(Mismatch::Hash { algorithm: algorithm.name(), expected, found: hex::encode(found) });
            }
        }
        Ok(())
    }

    fn check_not_too_long(&self) -> Result<(), Mismatch> {
        let (Size::Exactly(limit) | Size::AtMost(limit)) = self.size;
        if self.length > limit { Err(Mismatch::TooLong { limit }) } else { Ok(()) }
    }
}

/// The names of what is listed, for an error text.
fn names(hashes: &Hashes) -> String {
    if hashes.is_empty() {
        return "none at all".to_owned();
    }
    let mut listed = String::new();
    for (name, _) in hashes.iter().take(8) {
        if !listed.is_empty() {
            listed.push_str(", ");
        }
        listed.push_str(&printable::shortened(name, 32));
    }
    if hashes.iter().count() > 8 {
        listed.push_str(", …");
    }
    listed
}
