//! Metadata files as data: what stands in them, read strictly and written back without loss. Nothing here is trusted.

mod delegations;
mod envelope;
mod fields;
mod header;
mod path_pattern;
mod role;
mod role_name;
mod root;
mod snapshot;
mod succinct_roles;
mod targets;
pub(crate) mod threshold;
mod timestamp;

pub use crate::format_error::FormatError;
pub(crate) use delegations::path_hash;
pub use delegations::{DelegatedRole, DelegatedRoles, Delegations, HashPrefix, MAX_DELEGATIONS, PathSet};
pub(crate) use envelope::Envelope;
pub use envelope::MAX_SIGNATURES;
pub use header::SPEC_VERSION;
pub use path_pattern::PathPattern;
pub use role::{FileMeta, MAX_KEYS, MAX_KEYS_PER_ROLE, RoleKeys};
pub(crate) use role_name::percent_encoded;
pub use role_name::{RoleName, TopLevelRole};
pub use root::Root;
pub use snapshot::Snapshot;
pub use succinct_roles::SuccinctRoles;
pub use targets::{TargetFile, Targets};
pub use timestamp::Timestamp;

use std::collections::BTreeMap;

use crate::json::Value;
use crate::{Key, KeyId, Signature, SigningKey, UnixTime};
use threshold::Shortfall;

/// What stands below `signed`: what the four kinds of metadata have in common.
pub trait Signed: Sized + Clone {
    /// `_type`
    const TYPE: TopLevelRole;
    /// Reads the `signed` object.
    fn from_value(signed: &Value<'_>) -> Result<Self, FormatError>;
    /// Writes the `signed` object, unknown fields included.
    fn to_value(&self) -> Value<'static>;
    /// `version`
    fn version(&self) -> u64;
    /// `expires`
    fn expires(&self) -> UnixTime;
}

/// A metadata file: content and signatures. Reading one verifies nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata<T> {
    /// What is signed.
    pub signed: T,
    /// By whom.
    pub signatures: Vec<Signature>,
}

impl<T: Signed> Metadata<T> {
    /// Unsigned.
    pub fn new(signed: T) -> Self {
        Metadata { signed, signatures: Vec::new() }
    }
    /// Reads a file. Verifies nothing.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        let envelope = Envelope::open(bytes)?;
        Ok(Metadata { signed: T::from_value(&envelope.signed)?, signatures: envelope.signatures })
    }
    /// What is signed, byte for byte: canonical JSON of the content.
    pub fn signing_bytes(&self) -> Vec<u8> {
        self.signed.to_value().canonical()
    }
    /// Adds a signature by this key; replaces an earlier one by it.
    pub fn sign(&mut self, key: &SigningKey) {
        self.add_signature(key.sign(&self.signing_bytes()));
    }
    /// Adds a signature made elsewhere; replaces an earlier one with the same key id.
    pub fn add_signature(&mut self, signature: Signature) {
        match self.signatures.iter_mut().find(|earlier| earlier.key_id == signature.key_id) {
            Some(earlier) => *earlier = signature,
            None => self.signatures.push(signature),
        }
    }
    /// Whether enough different keys of a role have signed what stands here now. `keys` are those of the file that
    /// names the role: a root, or the delegations of a targets file.
    ///
    /// For signers. A client also needs the right version, expiry and content, which [`Client`](crate::Client) checks.
    pub fn verify(&self, keys: &BTreeMap<KeyId, Key>, role: &RoleKeys) -> Result<(), Shortfall> {
        threshold::verify(&self.signing_bytes(), &self.signatures, keys, role).map(drop)
    }
    /// The file, as compact JSON. Writes what is there, good or not; [`Metadata::from_bytes`] says whether others can
    /// read it.
    pub fn to_bytes(&self) -> Vec<u8> {
        envelope::write(&self.signatures, self.signed.to_value()).to_json()
    }
}

/// The version that a metadata file claims to have, without any check of signatures; `None` if it is no metadata. For
/// stores that must not go back (see [`manual::driving`](crate::manual::driving)), and for nothing that needs trust.
pub fn claimed_version(bytes: &[u8]) -> Option<u64> {
    match Envelope::open(bytes).ok()?.signed.as_object()?.get("version")? {
        Value::Unsigned(version) => Some(*version),
        _ => None,
    }
}
