//! Whether enough keys signed (TUF 5.3.4, 5.4.2, 5.5.3, 5.6.3).

use std::collections::{BTreeMap, BTreeSet};

use smallvec::SmallVec;

use crate::key::UnusableKey;
use crate::metadata::RoleKeys;
use crate::{Key, KeyId, Signature};

/// Bytes hashed for the signatures of one file: a second of work, as many signatures as a file may have if it has a
/// megabyte, 16 if it is as large as a file may be. The next ones do not count.
const MAX_HASHED: usize = 512 << 20;

/// The keys whose signatures counted, by their places in [`RoleKeys::key_ids`]. Kept for each of thousands of bins.
pub(crate) type SignedBy = SmallVec<[usize; 2]>;

/// How far the signatures of a file fall short of a role's threshold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected valid signatures of {threshold} different keys, found {signed}")]
pub struct Shortfall {
    /// How many different keys must sign.
    pub threshold: u64,
    /// Different keys of the role with a valid signature.
    pub signed: u64,
    /// Different keys of the role that could have signed.
    pub usable: u64,
    /// Kinds of keys of the role that are unknown here, as `type/scheme`.
    pub unsupported: Vec<String>,
}

/// Counts different keys, not key ids and not signatures: one key under two names counts once (TAP 12). Signatures by
/// other keys, invalid ones and those by keys that cannot be used do not count and do not spoil the others.
pub(crate) fn verify(
    message: &[u8],
    signatures: &[Signature],
    keys: &BTreeMap<KeyId, Key>,
    role: &RoleKeys,
) -> Result<SignedBy, Shortfall> {
    let of_role: BTreeSet<&KeyId> = role.key_ids.iter().collect();
    let mut signed = BTreeSet::new();
    let mut signed_by = SignedBy::new();
    let mut hashed = 0_usize;
    for signature in signatures.iter().filter(|signature| of_role.contains(&signature.key_id)) {
        let Some(Ok(key)) = keys.get(&signature.key_id).map(Key::decode) else { continue };
        let material = key.material();
        if signed.contains(&material) {
            continue;
        }
        // Each signature hashes the message again.
        hashed = hashed.saturating_add(message.len());
        if hashed > MAX_HASHED {
            break;
        }
        if key.verifies(message, &signature.signature) {
            signed.insert(material);
            signed_by.extend(role.key_ids.iter().position(|key_id| *key_id == signature.key_id));
            if signed.len() as u64 >= role.threshold {
                return Ok(signed_by);
            }
        }
    }
    Err(shortfall(role.threshold, signed.len() as u64, keys, &of_role))
}

/// Only for the message: what would have been possible.
fn shortfall(threshold: u64, signed: u64, keys: &BTreeMap<KeyId, Key>, of_role: &BTreeSet<&KeyId>) -> Shortfall {
    let mut usable = BTreeSet::new();
    let mut unsupported = BTreeSet::new();
    for key in of_role.iter().filter_map(|key_id| keys.get(*key_id)) {
        match key.decode() {
            Ok(key) => {
                usable.insert(key.material());
            }
            Err(UnusableKey::Unsupported { key_type, scheme }) => {
                unsupported.insert(format!("{key_type}/{scheme}"));
            }
            Err(UnusableKey::Broken(_)) => {}
        }
    }
    Shortfall { threshold, signed, usable: usable.len() as u64, unsupported: unsupported.into_iter().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SigningKey;

    #[test]
    fn what_is_hashed_for_signatures_is_bounded() {
        let signers: Vec<SigningKey> = (1..=9).map(|seed| SigningKey::ed25519(&[seed; 32])).collect();
        let public: Vec<Key> = signers.iter().map(|signer| signer.public().clone()).collect();
        let keys = public.iter().map(|key| (key.identifier(), key.clone())).collect();
        let role = RoleKeys::new(&public, 1);
        let message = vec![b' '; MAX_HASHED / 8];
        // Good only the one at the end.
        let signed_by = |signers: &[SigningKey]| {
            let (last, others) = signers.split_last().unzip();
            let bad = others.into_iter().flatten().map(|signer| signer.sign(b"something else"));
            let signatures: Vec<Signature> = bad.chain(last.map(|signer| signer.sign(&message))).collect();
            verify(&message, &signatures, &keys, &role).is_ok()
        };
        assert!(signed_by(signers.get(..8).unwrap_or_default()));
        assert!(!signed_by(&signers));
    }
}
