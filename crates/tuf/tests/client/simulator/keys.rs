//! Private keys of tests: always the same ones.

use std::rc::Rc;

use tuf::{Key, SigningKey};

/// A private key that several roles or repositories may share.
pub type Signer = Rc<SigningKey>;

/// The Ed25519 key of this number.
pub fn ed25519(number: u16) -> Signer {
    Rc::new(SigningKey::ed25519(&seed(number)))
}

/// Ed25519 keys of these numbers.
pub fn ed25519_keys(numbers: impl IntoIterator<Item = u16>) -> Vec<Signer> {
    numbers.into_iter().map(ed25519).collect()
}

/// The P-256 key of this number.
pub fn ecdsa(number: u16) -> Signer {
    Rc::new(SigningKey::ecdsa_p256(&seed(number)).unwrap())
}

/// The public halves.
pub fn public(signers: &[Signer]) -> Vec<Key> {
    signers.iter().map(|signer| signer.public().clone()).collect()
}

fn seed(number: u16) -> [u8; 32] {
    let mut seed = [1; 32];
    seed[..2].copy_from_slice(&number.to_be_bytes());
    seed
}
