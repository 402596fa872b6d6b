//! Private keys.

use crate::{Key, KeyId, Signature};

/// A private key that signs metadata. Keys elsewhere (hardware, RSA) sign [`Metadata::signing_bytes`](crate::metadata::Metadata::signing_bytes) themselves.
pub struct SigningKey {}

impl SigningKey {
    /// An Ed25519 key from its 32-byte seed.
    pub fn ed25519(seed: &[u8; 32]) -> Self {
        let _ = seed;
        todo!()
    }
    /// An ECDSA P-256 key from its 32-byte scalar; `None` for 0 and beyond the order of the curve.
    pub fn ecdsa_p256(scalar: &[u8; 32]) -> Option<Self> {
        let _ = scalar;
        todo!()
    }
    /// The public half.
    pub fn public(&self) -> &Key {
        todo!()
    }
    /// The name of the public half.
    pub fn key_id(&self) -> &KeyId {
        todo!()
    }
    /// Signs a message.
    pub fn sign(&self, message: &[u8]) -> Signature {
        let _ = message;
        todo!()
    }
}
