//! Private keys of roles. No two roles and no two repositories of one process share a key.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tuf::{Key, SigningKey};

/// What kind of key a role gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyType {
    /// Ed25519.
    #[default]
    Ed25519,
    /// ECDSA over P-256.
    Ecdsa,
}

/// The keys of one role and how many of them must sign.
#[derive(Clone)]
pub(crate) struct Signers {
    pub(crate) keys: Vec<Arc<SigningKey>>,
    pub(crate) threshold: u64,
    key_type: KeyType,
}

/// The keys of all roles; the bins share theirs under the name `bins-*`.
pub(crate) type KeyRing = BTreeMap<String, Signers>;

impl Signers {
    /// So many new keys.
    pub(crate) fn new(key_type: KeyType, count: usize, threshold: u64) -> Self {
        let keys = (0..count).map(|_| Arc::new(new_key(key_type))).collect();
        Self { keys, threshold, key_type }
    }

    /// As many new keys of the same kind.
    pub(crate) fn replaced(&self) -> Self {
        Self::new(self.key_type, self.keys.len(), self.threshold)
    }

    /// The public halves.
    pub(crate) fn public(&self) -> Vec<Key> {
        self.keys.iter().map(|key| key.public().clone()).collect()
    }
}

/// A new key.
pub(crate) fn new_key(key_type: KeyType) -> SigningKey {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let mut seed = [1; 32];
    let number = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    seed.iter_mut().zip(number).for_each(|(place, byte)| *place = byte);
    match key_type {
        KeyType::Ed25519 => SigningKey::ed25519(&seed),
        // The first byte is zero for the first 16 million keys, so the scalar is below the order of the curve.
        KeyType::Ecdsa => SigningKey::ecdsa_p256(&seed).unwrap(),
    }
}
