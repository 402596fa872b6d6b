//! Checks length and hashes of a file while it is downloaded (TUF 5.7.3).

use crate::Hashes;

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
pub struct Verifier {}

/// How a file differs from what was signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// More bytes than signed or allowed.
    #[error("longer than the {limit} bytes signed for it")]
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
        /// hex
        expected: String,
        /// hex
        found: String,
    },
    /// No listed hash is of an algorithm that is verified here.
    #[error("no hash that can be verified, only {listed}")]
    NoKnownHash {
        /// the names, comma-separated
        listed: String,
    },
}

impl Verifier {
    /// For a file of this size with these hashes.
    pub fn new(size: Size, hashes: &Hashes) -> Result<Self, Mismatch> {
        let _ = (size, hashes);
        todo!()
    }
    /// Takes the next bytes. An error as soon as there are too many.
    pub fn update(&mut self, bytes: &[u8]) -> Result<(), Mismatch> {
        let _ = bytes;
        todo!()
    }
    /// After the last byte: whether all is as signed.
    pub fn finish(self) -> Result<(), Mismatch> {
        todo!()
    }
}
