//! Whether enough keys signed (TUF 5.3.4, 5.4.2, 5.5.3, 5.6.3).

use std::collections::{BTreeMap, BTreeSet};

use crate::key::UnusableKey;
use crate::metadata::RoleKeys;
use crate::{Key, KeyId, Signature};

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
) -> Result<(), Shortfall> {
    let of_role: BTreeSet<&KeyId> = role.key_ids.iter().collect();
    let mut signed = BTreeSet::new();
    for signature in signatures.iter().filter(|signature| of_role.contains(&signature.key_id)) {
        let Some(Ok(key)) = keys.get(&signature.key_id).map(Key::decode) else { continue };
        let material = key.material();
        if !signed.contains(&material) && key.verifies(message, &signature.signature) {
            signed.insert(material);
            if signed.len() as u64 >= role.threshold {
                return Ok(());
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
