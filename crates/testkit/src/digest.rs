//! Hashes as RECORD files and index pages write them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::Digest as _;

/// A hash algorithm an index page may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashName {
    /// What every index gives today.
    Sha256,
    /// Stronger than the usual one.
    Sha384,
    /// Stronger than the usual one.
    Sha512,
    /// What old indexes give; not to be trusted.
    Md5,
}

impl HashName {
    /// The name on index pages, such as `sha256`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
            Self::Md5 => "md5",
        }
    }

    /// The hash of `bytes` in lower-case hex.
    pub fn hex(self, bytes: &[u8]) -> String {
        match self {
            Self::Sha256 => hex::encode(sha2::Sha256::digest(bytes)),
            Self::Sha384 => hex::encode(sha2::Sha384::digest(bytes)),
            Self::Sha512 => hex::encode(sha2::Sha512::digest(bytes)),
            Self::Md5 => hex::encode(md5::Md5::digest(bytes)),
        }
    }
}

/// `sha256=…` as a row of RECORD has it.
pub(crate) fn record_hash(bytes: &[u8]) -> String {
    format!("sha256={}", URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(bytes)))
}
