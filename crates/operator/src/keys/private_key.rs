//! A private key as a file: PKCS#8 in PEM (RFC 5958, RFC 7468), encrypted with a passphrase (PBES2, RFC 8018) or not.

use pkcs8::der::asn1::OctetStringRef;
use pkcs8::der::pem::LineEnding;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::{self, Kdf, ScryptParams};
use pkcs8::{AlgorithmIdentifierRef, EncryptedPrivateKeyInfoRef, ObjectIdentifier, PrivateKeyInfoRef, SecretDocument};
use sec1::EcPrivateKey;
use tuf::SigningKey;
use zeroize::Zeroizing;

/// A private key that is not locked.
pub struct PrivateKey {
    /// PKCS#8; overwrites itself with zeros when dropped.
    document: SecretDocument,
    signing: SigningKey,
}

/// Why a private key file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrivateKeyError {
    /// It is encrypted, and no passphrase was given.
    #[error("it is encrypted")]
    Locked,
    /// The passphrase is wrong.
    #[error("the passphrase does not open it")]
    WrongPassphrase,
    /// Another kind of key, or of encryption.
    #[error("{0}")]
    Unsupported(String),
    /// No key file at all.
    #[error("it is damaged or no private key: {0}")]
    Damaged(String),
    /// The operating system has no randomness.
    #[error("the operating system gives no random numbers: {0}")]
    Randomness(String),
}

/// RFC 8410
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// RFC 5480
const ELLIPTIC_CURVE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// RFC 5480
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

/// The cost of trying a passphrase: N = 2^14, r = 8, p = 5, which is a sixth of a second and 16 MiB. openssl refuses to
/// take more memory than 32 MiB, so the cost is in p.
const SCRYPT_COST: u64 = 1 << 14;
const SCRYPT_BLOCK_SIZE: u16 = 8;
const SCRYPT_PARALLELIZATION: u16 = 5;

/// The most memory that decryption of a file may need: more is an accident or an attack.
const MOST_SCRYPT_MEMORY: u64 = 1 << 30;
const MOST_SCRYPT_BLOCKS: u64 = 1 << 27;
const MOST_PBKDF2_ROUNDS: u32 = 20_000_000;

impl PrivateKey {
    /// A new Ed25519 key.
    ///
    /// # Errors
    /// When the operating system has no randomness.
    pub fn generate() -> Result<Self, PrivateKeyError> {
        let mut seed = Zeroizing::new([0_u8; 32]);
        getrandom::fill(seed.as_mut()).map_err(|error| PrivateKeyError::Randomness(error.to_string()))?;
        // RFC 8410, 7: an OCTET STRING in the OCTET STRING.
        let mut inner = Zeroizing::new(vec![0x04, 32]);
        inner.extend_from_slice(seed.as_ref());
        let algorithm = AlgorithmIdentifierRef { oid: ED25519, parameters: None };
        Ok(Self { document: document(algorithm, &inner)?, signing: SigningKey::ed25519(&seed) })
    }

    /// Reads a file. The passphrase does not matter when it is not encrypted.
    ///
    /// # Errors
    /// See [`PrivateKeyError`].
    pub fn from_pem(pem: &str, passphrase: Option<&str>) -> Result<Self, PrivateKeyError> {
        // Skip the text before the key, which openssl writes for elliptic curves.
        let start = pem.match_indices("-----BEGIN ").map(|(start, _)| start);
        let start = start.into_iter().find(|start| !pem.get(*start..).is_some_and(|rest| rest.starts_with(PARAMETERS)));
        let pem = start.and_then(|start| pem.get(start..)).ok_or_else(|| damaged("there is no PEM in it"))?;
        if pem.contains("Proc-Type: 4,ENCRYPTED") {
            return Err(PrivateKeyError::Unsupported(
                "it is encrypted in the old way of openssl; `openssl pkcs8 -topk8` rewrites it".to_owned(),
            ));
        }
        let (label, document) = SecretDocument::from_pem(pem).map_err(damaged)?;
        match label {
            "PRIVATE KEY" => Self::from_document(document),
            "ENCRYPTED PRIVATE KEY" => {
                let passphrase = passphrase.ok_or(PrivateKeyError::Locked)?;
                let encrypted = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes())
                    .map_err(|_| damaged("its encryption is none that is known"))?;
                check_cost(&encrypted.encryption_algorithm)?;
                let document = encrypted.decrypt(passphrase).map_err(|error| match error {
                    pkcs8::Error::EncryptedPrivateKey(pkcs8::pkcs5::Error::UnsupportedAlgorithm { oid }) => {
                        PrivateKeyError::Unsupported(format!("it is encrypted with {oid}, which is not supported"))
                    }
                    _ => PrivateKeyError::WrongPassphrase,
                })?;
                // One wrong passphrase in 256 leaves a padding that looks right.
                if PrivateKeyInfoRef::try_from(document.as_bytes()).is_err() {
                    return Err(PrivateKeyError::WrongPassphrase);
                }
                Self::from_document(document)
            }
            "EC PRIVATE KEY" => {
                let parameters = (&P256).into();
                let algorithm = AlgorithmIdentifierRef { oid: ELLIPTIC_CURVE, parameters: Some(parameters) };
                Self::from_document(self::document(algorithm, document.as_bytes())?)
            }
            label => Err(PrivateKeyError::Unsupported(format!("it has a {label}; expected a PRIVATE KEY"))),
        }
    }

    /// Whether a file can only be read with a passphrase.
    pub fn is_locked(pem: &str) -> bool {
        pem.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    }

    /// The file, encrypted if there is a passphrase.
    ///
    /// # Errors
    /// When the operating system has no randomness.
    pub fn to_pem(&self, passphrase: Option<&str>) -> Result<Zeroizing<String>, PrivateKeyError> {
        let Some(passphrase) = passphrase else {
            return self.document.to_pem("PRIVATE KEY", LineEnding::LF).map_err(damaged);
        };
        let (mut salt, mut iv) = ([0_u8; 16], [0_u8; 16]);
        for bytes in [&mut salt, &mut iv] {
            getrandom::fill(bytes).map_err(|error| PrivateKeyError::Randomness(error.to_string()))?;
        }
        let kdf = Kdf::Scrypt(ScryptParams {
            salt: salt.as_slice().try_into().map_err(damaged)?,
            cost_parameter: SCRYPT_COST,
            block_size: SCRYPT_BLOCK_SIZE,
            parallelization: SCRYPT_PARALLELIZATION,
            key_length: None,
        });
        let parameters = pbes2::Parameters { kdf, encryption: pbes2::EncryptionScheme::Aes256Cbc { iv } };
        let info = PrivateKeyInfoRef::try_from(self.document.as_bytes()).map_err(damaged)?;
        let encrypted = info.encrypt_with_params(parameters, passphrase).map_err(damaged)?;
        encrypted.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF).map_err(damaged)
    }

    /// The key for signing, which also has the public half.
    pub fn signing_key(&self) -> &SigningKey {
        &self.signing
    }

    /// The key for signing.
    pub fn into_signing_key(self) -> SigningKey {
        self.signing
    }

    fn from_document(document: SecretDocument) -> Result<Self, PrivateKeyError> {
        let signing = signing_key(document.as_bytes())?;
        Ok(Self { document, signing })
    }
}

const PARAMETERS: &str = "-----BEGIN EC PARAMETERS-----";

fn signing_key(document: &[u8]) -> Result<SigningKey, PrivateKeyError> {
    let info = PrivateKeyInfoRef::try_from(document).map_err(damaged)?;
    let inner = info.private_key.as_bytes();
    match info.algorithm.oid {
        ED25519 => match inner {
            [0x04, 32, seed @ ..] => Ok(SigningKey::ed25519(&*fixed(seed)?)),
            _ => Err(damaged("an Ed25519 key of another length")),
        },
        ELLIPTIC_CURVE => {
            let key = EcPrivateKey::try_from(inner).map_err(damaged)?;
            let outer = info.algorithm.parameters_oid().ok();
            let curve = key.parameters.and_then(|parameters| parameters.named_curve()).or(outer);
            if outer != Some(P256) || curve != Some(P256) {
                return Err(PrivateKeyError::Unsupported(
                    "it is on another elliptic curve than P-256 (prime256v1)".to_owned(),
                ));
            }
            SigningKey::ecdsa_p256(&*fixed(key.private_key)?).ok_or_else(|| damaged("a number that is no key"))
        }
        other => Err(PrivateKeyError::Unsupported(format!(
            "it is a key of the kind {other}; Ed25519 and ECDSA on P-256 can sign"
        ))),
    }
}

fn fixed(bytes: &[u8]) -> Result<Zeroizing<[u8; 32]>, PrivateKeyError> {
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| damaged("a key of another length"))?;
    Ok(Zeroizing::new(bytes))
}

fn document(algorithm: AlgorithmIdentifierRef<'_>, inner: &[u8]) -> Result<SecretDocument, PrivateKeyError> {
    let inner = OctetStringRef::new(inner).map_err(damaged)?;
    SecretDocument::encode_msg(&PrivateKeyInfoRef::new(algorithm, inner)).map_err(damaged)
}

/// A foreign file must not consume all memory or unlimited time.
fn check_cost(scheme: &EncryptionScheme) -> Result<(), PrivateKeyError> {
    let Some(parameters) = scheme.pbes2() else { return Ok(()) };
    let bearable = match &parameters.kdf {
        Kdf::Pbkdf2(pbkdf2) => pbkdf2.iteration_count <= MOST_PBKDF2_ROUNDS,
        Kdf::Scrypt(scrypt) => {
            let blocks = scrypt.cost_parameter.saturating_mul(u64::from(scrypt.block_size));
            blocks.saturating_mul(128) <= MOST_SCRYPT_MEMORY
                && blocks.saturating_mul(u64::from(scrypt.parallelization)) <= MOST_SCRYPT_BLOCKS
        }
        _ => true,
    };
    if bearable {
        return Ok(());
    }
    Err(PrivateKeyError::Unsupported("trying a passphrase on it would take too much memory or time".to_owned()))
}

fn damaged(error: impl std::fmt::Display) -> PrivateKeyError {
    PrivateKeyError::Damaged(error.to_string())
}
