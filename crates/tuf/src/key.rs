//! Public keys and signatures, as they stand in metadata (TUF 4.2).

mod public_key;
#[cfg(test)]
mod tests;

use crate::HashAlgorithm;
use crate::format_error::FormatError;
use crate::hashes::Hashes;
use crate::json::{Object, Value};

pub(crate) use public_key::{PublicKey, UnusableKey};

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

impl Key {
    /// Reads a key object: `keytype` and `scheme` are strings, `keyval` is an object; whatever they say.
    ///
    /// The places in an error are relative to the key, such as `keyval`.
    pub fn from_value(value: &Value<'_>) -> Result<Self, FormatError> {
        let Value::Object(object) = value else {
            return Err(unexpected("", "an object", Some(value)));
        };
        for name in ["keytype", "scheme"] {
            let field = object.get(name);
            if field.and_then(Value::as_str).is_none() {
                return Err(unexpected(name, "a string", field));
            }
        }
        let values = object.get("keyval");
        if values.and_then(Value::as_object).is_none() {
            return Err(unexpected("keyval", "an object", values));
        }
        Ok(Key(object.clone().into_owned()))
    }
    /// An Ed25519 key from its 32 bytes (RFC 8032).
    pub fn ed25519(public: &[u8; 32]) -> Self {
        Self::of("ed25519", "ed25519", hex::encode(public))
    }
    /// A P-256 key for ECDSA, from its SubjectPublicKeyInfo in PEM.
    pub fn ecdsa_p256(pem: &str) -> Self {
        Self::of("ecdsa", "ecdsa-sha2-nistp256", pem.to_owned())
    }
    /// An RSA key for RSASSA-PSS with SHA-256, from its SubjectPublicKeyInfo in PEM.
    pub fn rsa_pss(pem: &str) -> Self {
        Self::of("rsa", "rsassa-pss-sha256", pem.to_owned())
    }
    /// The object.
    pub fn to_value(&self) -> Value<'static> {
        Value::Object(self.0.clone())
    }
    /// `keytype`
    pub fn key_type(&self) -> &str {
        self.text("keytype")
    }
    /// `scheme`
    pub fn scheme(&self) -> &str {
        self.text("scheme")
    }
    /// The identifier this crate gives keys it writes: hex SHA-256 of the canonical object (spec 4.3).
    pub fn identifier(&self) -> KeyId {
        let hashes = Hashes::of(&self.to_value().canonical(), &[HashAlgorithm::Sha256]);
        KeyId(hashes.get(HashAlgorithm::Sha256).unwrap_or_default())
    }
    /// Decodes it.
    pub(crate) fn decode(&self) -> Result<PublicKey, UnusableKey> {
        let values = self.0.get("keyval").and_then(Value::as_object);
        let public = values.and_then(|values| values.get("public")).and_then(Value::as_str);
        PublicKey::decode(self.key_type(), self.scheme(), public)
    }

    /// With the fields of the specification only, so that every way to compute an identifier gives the same.
    fn of(key_type: &'static str, scheme: &'static str, public: String) -> Self {
        let mut values = Object::new();
        values.insert("public", public);
        let mut object = Object::new();
        object.insert("keytype", key_type);
        object.insert("scheme", scheme);
        object.insert("keyval", values);
        Key(object)
    }

    fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

fn unexpected(place: &str, expected: &str, found: Option<&Value<'_>>) -> FormatError {
    FormatError {
        place: place.to_owned(),
        expected: expected.to_owned(),
        found: found.map_or("nothing", Value::kind).to_owned(),
        unsupported: false,
    }
}
