//! Public keys that signatures are verified with: Ed25519, ECDSA over P-256, RSASSA-PSS with SHA-256.
//!
//! Keys of foreign files. Whatever is not exactly one of these is unusable: its signatures do not count.

use p256::pkcs8::DecodePublicKey;
use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::signature::Verifier;
use rsa::traits::PublicKeyParts;
use sha2::Sha256;

/// The longest text of a key, in bytes. That of the largest RSA key takes a tenth of it.
const MAX_KEY_TEXT: usize = 16 << 10;

/// Characters of a foreign name in an error text.
const MOST_SHOWN: usize = 40;

/// Bits of an RSA modulus: no fewer than are hard to factor, no more than are quick to verify.
const RSA_MODULUS_BITS: std::ops::RangeInclusive<u32> = 2048..=8192;

/// A public key that this crate can verify with, decoded.
#[derive(Debug)]
pub(crate) enum PublicKey {
    /// `ed25519`
    Ed25519(ed25519_dalek::VerifyingKey),
    /// `ecdsa-sha2-nistp256`
    EcdsaP256(p256::ecdsa::VerifyingKey),
    /// `rsassa-pss-sha256`
    RsaPss { modulus: Box<[u8]>, exponent: Box<[u8]>, verifying: Box<rsa::pss::VerifyingKey<Sha256>> },
}

/// Why a key cannot be used. Its signatures do not count; those of other keys may.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnusableKey {
    #[error("key type {key_type} with scheme {scheme} is not supported")]
    Unsupported { key_type: String, scheme: String },
    #[error("{0}")]
    Broken(String),
}

impl PublicKey {
    /// From the fields of a key object; `public` is `None` if `keyval` has none, or no string.
    pub(super) fn decode(key_type: &str, scheme: &str, public: Option<&str>) -> Result<Self, UnusableKey> {
        let decode = match (key_type, scheme) {
            ("ed25519", "ed25519") => decode_ed25519,
            // Files before securesystemslib 0.20 have the scheme as the type.
            ("ecdsa" | "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256") => decode_ecdsa,
            ("rsa", "rsassa-pss-sha256") => decode_rsa,
            _ => {
                return Err(UnusableKey::Unsupported {
                    key_type: printable::shortened(key_type, MOST_SHOWN),
                    scheme: printable::shortened(scheme, MOST_SHOWN),
                });
            }
        };
        let public = public.ok_or_else(|| broken("expected a string as keyval.public, found none"))?;
        if public.len() > MAX_KEY_TEXT {
            let found = public.len();
            return Err(broken(format!("expected a key of at most {MAX_KEY_TEXT} bytes, found {found}")));
        }
        decode(public)
    }
    /// What tells keys apart when a threshold is counted: two texts of one key are one key.
    pub(crate) fn material(&self) -> Vec<u8> {
        match self {
            PublicKey::Ed25519(key) => [b"ed25519:", key.as_bytes().as_slice()].concat(),
            PublicKey::EcdsaP256(key) => [b"ecdsa-sha2-nistp256:", key.to_sec1_point(false).as_bytes()].concat(),
            PublicKey::RsaPss { modulus, exponent, .. } => {
                // The exponent has at most 5 bytes; its length keeps the two apart.
                [b"rsassa-pss-sha256:".as_slice(), &[exponent.len() as u8], exponent, modulus].concat()
            }
        }
    }
    /// Whether this key signed the message.
    pub(crate) fn verifies(&self, message: &[u8], signature: &str) -> bool {
        let Ok(signature) = hex::decode(signature) else {
            return false;
        };
        match self {
            PublicKey::Ed25519(key) => ed25519_dalek::Signature::from_slice(&signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            PublicKey::EcdsaP256(key) => p256::ecdsa::Signature::from_der(&signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            PublicKey::RsaPss { verifying, .. } => rsa::pss::Signature::try_from(signature.as_slice())
                .is_ok_and(|signature| verifying.verify(message, &signature).is_ok()),
        }
    }
}

/// 64 hex digits.
fn decode_ed25519(public: &str) -> Result<PublicKey, UnusableKey> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(public, &mut bytes)
        .map_err(|_| broken("expected 64 hex digits as the Ed25519 key, found something else"))?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(&bytes)
        .map_err(|_| broken("the Ed25519 key is no point of the curve"))?;
    if key.is_weak() {
        return Err(broken("the Ed25519 key is of small order: anyone can sign for it"));
    }
    // A few points can be written in two ways; that would be one key as two.
    if key.to_edwards().compress().to_bytes() != bytes {
        return Err(broken("the Ed25519 key is not written in its canonical form"));
    }
    Ok(PublicKey::Ed25519(key))
}

/// PEM; in very old files (the first roots of sigstore) the uncompressed point in hex.
fn decode_ecdsa(public: &str) -> Result<PublicKey, UnusableKey> {
    let key = match hex::decode(public) {
        Ok(point) if point.len() == 65 => p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok(),
        _ => normalized_pem(public)
            .and_then(|pem| p256::PublicKey::from_public_key_pem(&pem).ok())
            .map(p256::ecdsa::VerifyingKey::from),
    };
    key.map(PublicKey::EcdsaP256).ok_or_else(|| broken("expected a P-256 key in PEM, found something else"))
}

/// PEM, as SubjectPublicKeyInfo or as PKCS#1.
fn decode_rsa(public: &str) -> Result<PublicKey, UnusableKey> {
    let pem = normalized_pem(public).ok_or_else(|| broken("expected an RSA key in PEM, found something else"))?;
    let key = if pem.starts_with("-----BEGIN RSA ") {
        rsa::RsaPublicKey::from_pkcs1_pem(&pem).map_err(|error| error.to_string())
    } else {
        rsa::RsaPublicKey::from_public_key_pem(&pem).map_err(|error| error.to_string())
    };
    // The crate refuses exponents that are even, 1, or beyond 33 bits.
    let key = key.map_err(|error| broken(format!("the RSA key is broken or of a size not supported: {error}")))?;
    let bits = key.n().bits_vartime();
    if !RSA_MODULUS_BITS.contains(&bits) {
        let (least, most) = (RSA_MODULUS_BITS.start(), RSA_MODULUS_BITS.end());
        return Err(broken(format!("expected an RSA key of {least} to {most} bits, found {bits}")));
    }
    Ok(PublicKey::RsaPss {
        modulus: key.n_bytes(),
        exponent: key.e_bytes(),
        // Signers choose: securesystemslib takes 32 bytes, others as many as fit.
        verifying: Box::new(rsa::pss::VerifyingKey::new_with_auto_salt_len(key)),
    })
}

/// The same PEM in lines of 64 characters, as RFC 7468 has it and the decoders want it; files in the wild are wrapped
/// otherwise, or have blank lines around.
fn normalized_pem(text: &str) -> Option<String> {
    let (label, rest) = text.trim_ascii().strip_prefix("-----BEGIN ")?.split_once("-----")?;
    let body = rest.strip_suffix(format!("-----END {label}-----").as_str())?;
    let mut pem = format!("-----BEGIN {label}-----\n");
    let mut column = 0;
    for character in body.chars().filter(|character| !character.is_ascii_whitespace()) {
        if column == 64 {
            pem.push('\n');
            column = 0;
        }
        pem.push(character);
        column += 1;
    }
    pem.push_str(&format!("\n-----END {label}-----\n"));
    Some(pem)
}

fn broken(why: impl Into<String>) -> UnusableKey {
    UnusableKey::Broken(why.into())
}
