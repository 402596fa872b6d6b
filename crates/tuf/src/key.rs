//! Public keys and signatures.

use crate::json::{Object, Value};
use crate::metadata::FormatError;

/// The name of a key within one file. Opaque (TAP 12): never recomputed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub String);

/// A public key as it stands in metadata, unknown fields included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(pub(crate) Object<'static>);

/// A signature and the name of the key that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Which key.
    pub key_id: KeyId,
    /// As written in the file; hex for all schemes known here.
    pub signature: String,
    /// Unknown fields.
    pub other: Object<'static>,
}

/// A key that this crate can verify with, decoded.
pub(crate) enum PublicKey {}

/// Why a key cannot be used. Its signatures do not count; those of other keys may.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnusableKey {
    #[error("key type {key_type} with scheme {scheme} is not supported")]
    Unsupported { key_type: String, scheme: String },
    #[error("{0}")]
    Broken(String),
}

impl Key {
    /// Reads a key object: `keytype` and `scheme` are strings, `keyval` is an object; whatever they say.
    pub fn from_value(value: &Value<'_>) -> Result<Self, FormatError> {
        let _ = value;
        todo!()
    }
    /// The object.
    pub fn to_value(&self) -> Value<'static> {
        Value::Object(self.0.clone())
    }
    /// `keytype`
    pub fn key_type(&self) -> &str {
        todo!()
    }
    /// `scheme`
    pub fn scheme(&self) -> &str {
        todo!()
    }
    /// The identifier this crate gives keys it writes: hex SHA-256 of the canonical object (spec 4.3).
    pub fn identifier(&self) -> KeyId {
        todo!()
    }
    /// Decodes it.
    pub(crate) fn decode(&self) -> Result<PublicKey, UnusableKey> {
        todo!()
    }
}

impl PublicKey {
    /// What tells keys apart when a threshold is counted: two texts of one key are one key.
    pub(crate) fn material(&self) -> Vec<u8> {
        todo!()
    }
    /// Whether this key signed the message.
    pub(crate) fn verifies(&self, message: &[u8], signature: &str) -> bool {
        let _ = (message, signature);
        todo!()
    }
}
