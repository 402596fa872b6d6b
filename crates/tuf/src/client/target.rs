//! What a look-up finds.

use crate::json::Value;
use crate::metadata::RoleName;
use crate::verifier::{Mismatch, Size, Verifier};
use crate::{HashAlgorithm, Hashes};

/// A file that the repository vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its target path.
    pub path: String,
    /// In bytes.
    pub length: u64,
    /// Not empty.
    pub hashes: Hashes,
    /// What its signer said besides.
    pub custom: Option<Value<'static>>,
    /// The roles that lead to it, from `targets` to the one that signed it.
    pub roles: Vec<RoleName>,
}

impl Target {
    /// Checks the file's bytes while they arrive.
    pub fn verifier(&self) -> Result<Verifier, Mismatch> {
        Verifier::new(Size::Exactly(self.length), &self.hashes)
    }

    /// Where a repository with consistent snapshots keeps the file (TUF 5.7.3): `a/b` becomes `a/HASH.b`. `None` if no
    /// hash by this algorithm was signed.
    pub fn hashed_path(&self, algorithm: HashAlgorithm) -> Option<String> {
        let hash = self.hashes.get(algorithm)?;
        Some(match self.path.rsplit_once('/') {
            Some((directory, file)) => format!("{directory}/{hash}.{file}"),
            None => format!("{hash}.{}", self.path),
        })
    }
}
