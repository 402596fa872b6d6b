//! Private keys.

use std::fmt;

use p256::ecdsa::signature::Signer;
use p256::pkcs8::{EncodePublicKey, LineEnding};

use crate::json::Object;
use crate::{Key, KeyId, Signature};

/// A private key that signs metadata. Keys elsewhere (hardware, RSA) sign [`Metadata::signing_bytes`](crate::metadata::Metadata::signing_bytes) themselves.
pub struct SigningKey {
    secret: Secret,
    public: Key,
    key_id: KeyId,
}

/// Both kinds overwrite themselves with zeros when dropped.
enum Secret {
    Ed25519(ed25519_dalek::SigningKey),
    EcdsaP256(p256::ecdsa::SigningKey),
}

impl SigningKey {
    /// An Ed25519 key from its 32-byte seed.
    pub fn ed25519(seed: &[u8; 32]) -> Self {
        let secret = ed25519_dalek::SigningKey::from_bytes(seed);
        let public = Key::ed25519(secret.verifying_key().as_bytes());
        Self::new(Secret::Ed25519(secret), public)
    }
    /// An ECDSA P-256 key from its 32-byte scalar; `None` for 0 and beyond the order of the curve.
    pub fn ecdsa_p256(scalar: &[u8; 32]) -> Option<Self> {
        let secret = p256::ecdsa::SigningKey::from_slice(scalar).ok()?;
        let pem = secret.verifying_key().to_public_key_pem(LineEnding::LF).ok()?;
        Some(Self::new(Secret::EcdsaP256(secret), Key::ecdsa_p256(&pem)))
    }
    /// The public half.
    pub fn public(&self) -> &Key {
        &self.public
    }
    /// The name of the public half.
    pub fn key_id(&self) -> &KeyId {
        &self.key_id
    }
    /// Signs a message. Always the same signature for the same message (ECDSA: RFC 6979).
    pub fn sign(&self, message: &[u8]) -> Signature {
        let signature = match &self.secret {
            Secret::Ed25519(key) => hex::encode(ed25519_dalek::Signer::sign(key, message).to_bytes()),
            Secret::EcdsaP256(key) => {
                let signature: p256::ecdsa::DerSignature = key.sign(message);
                hex::encode(signature.as_bytes())
            }
        };
        Signature { key_id: self.key_id.clone(), signature, other: Object::new() }
    }

    fn new(secret: Secret, public: Key) -> Self {
        let key_id = public.identifier();
        SigningKey { secret, public, key_id }
    }
}

/// Never the secret.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("public", &self.public).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn signs_what_its_public_half_verifies() {
        for key in [SigningKey::ed25519(&[7; 32]), SigningKey::ecdsa_p256(&[7; 32]).unwrap()] {
            let signature = key.sign(b"message");
            assert_eq!(&signature.key_id, key.key_id());
            assert_eq!(key.sign(b"message"), signature);
            let public = Key::from_value(&key.public().to_value()).unwrap();
            assert_eq!(public.identifier(), *key.key_id());
            let public = public.decode().unwrap();
            assert!(public.verifies(b"message", &signature.signature));
            assert!(!public.verifies(b"messagf", &signature.signature));
        }
    }

    /// RFC 8032, 7.1, test 2.
    #[test]
    fn ed25519_as_published() {
        let seed = hex::decode("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb").unwrap();
        let key = SigningKey::ed25519(&seed.try_into().unwrap());
        assert_eq!(
            key.public().to_value().canonical(),
            br#"{"keytype":"ed25519","keyval":{"public":"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"},"scheme":"ed25519"}"#
        );
        assert_eq!(
            key.sign(&[0x72]).signature,
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        );
    }

    /// RFC 6979, A.2.5, SHA-256 of "sample"; its s is in the upper half and stays there.
    #[test]
    fn ecdsa_as_published() {
        let scalar = hex::decode("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721").unwrap();
        let key = SigningKey::ecdsa_p256(&scalar.try_into().unwrap()).unwrap();
        assert_eq!(
            key.sign(b"sample").signature,
            "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716\
             022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
        );
    }

    #[test]
    fn scalars_out_of_range() {
        assert!(SigningKey::ecdsa_p256(&[0; 32]).is_none());
        assert!(SigningKey::ecdsa_p256(&[0xff; 32]).is_none());
    }

    #[test]
    fn the_secret_is_not_shown() {
        for key in [SigningKey::ed25519(&[0xab; 32]), SigningKey::ecdsa_p256(&[0xab; 32]).unwrap()] {
            let shown = format!("{key:?} {key:#?}").to_lowercase();
            assert!(!shown.contains("abab") && !shown.contains("171, 171"), "{shown}");
        }
    }
}
