//! Metadata files as data: what stands in them, read strictly and written back without loss. Nothing here is trusted.

mod delegations;
mod fields;
mod format_error;
mod path_pattern;
mod role;
mod root;
mod snapshot;
mod targets;
mod timestamp;

pub use delegations::{DelegatedRole, DelegatedRoles, Delegations, HashPrefix, PathSet, SuccinctRoles};
pub use format_error::FormatError;
pub use path_pattern::PathPattern;
pub use role::{FileMeta, RoleKeys, RoleName, TopLevelRole};
pub use root::Root;
pub use snapshot::Snapshot;
pub use targets::{TargetFile, Targets};
pub use timestamp::Timestamp;

use crate::json::Value;
use crate::{Signature, SigningKey, UnixTime};

/// What the four kinds of signed content have in common.
pub trait Role: Sized + Clone {
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

impl<T: Role> Metadata<T> {
    /// Unsigned.
    pub fn new(signed: T) -> Self {
        Metadata { signed, signatures: Vec::new() }
    }
    /// Reads a file. Verifies nothing.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        let _ = bytes;
        todo!()
    }
    /// What is signed, byte for byte: canonical JSON of the content.
    pub fn signing_bytes(&self) -> Vec<u8> {
        self.signed.to_value().canonical()
    }
    /// Adds a signature by this key; replaces an earlier one by it.
    pub fn sign(&mut self, key: &SigningKey) {
        let _ = key;
        todo!()
    }
    /// Adds a signature made elsewhere; replaces an earlier one with the same key id.
    pub fn add_signature(&mut self, signature: Signature) {
        let _ = signature;
        todo!()
    }
    /// The file, as compact JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        todo!()
    }
}

/// A file taken apart for verification, before anything in it is interpreted.
pub(crate) struct Envelope<'a> {
    pub(crate) signatures: Vec<Signature>,
    pub(crate) signed: Value<'a>,
    /// What the signatures are over.
    pub(crate) canonical: Vec<u8>,
}

impl<'a> Envelope<'a> {
    /// Refuses two signatures with one key id (spec 4.2.1), more signatures than [`MAX_SIGNATURES`], `_type` other than a string, another major `spec_version`.
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Self, FormatError> {
        let _ = bytes;
        todo!()
    }
    /// `_type`, whatever it says.
    pub(crate) fn type_name(&self) -> &str {
        todo!()
    }
}
