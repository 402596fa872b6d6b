//! Keys and times as text for users. The input comes from metadata, which may be hostile: none of it may control the
//! terminal or fill it.

use tuf::metadata::{RoleKeys, Root};
use tuf::{Key, KeyId, UnixTime};

use installer::text::duration;

/// Characters of a key id that are shown to distinguish it from others.
const SHORT: usize = 12;
/// The longest key id that is shown whole: hex SHA-256.
const LONG: usize = 64;

/// The kind of a key and the beginning of its key id.
pub fn key(id: &KeyId, key: Option<&Key>) -> String {
    named(id, key, SHORT)
}

/// The kind of a key and its key id.
pub fn whole_key(id: &KeyId, key: Option<&Key>) -> String {
    named(id, key, LONG)
}

/// `2 of these must sign: ed25519 0a1b2c3d4e5f, ed25519 60718293a4b5`: the threshold and the keys; not who has signed.
pub fn role_keys(role: &RoleKeys, find: impl Fn(&KeyId) -> Option<Key>) -> String {
    let keys: Vec<String> = role.key_ids.iter().map(|id| key(id, find(id).as_ref())).collect();
    format!("{} of these must sign: {}", role.threshold, keys.join(", "))
}

/// As [`role_keys`], with keys of a root.
pub fn keys_of_root(role: &RoleKeys, root: &Root) -> String {
    role_keys(role, |id| root.keys.get(id).cloned())
}

/// When something expires, or since when it has.
pub fn expiry(expires: UnixTime, now: UnixTime) -> String {
    let left = expires.0.saturating_sub(now.0);
    if left > 0 {
        format!("expires in {} ({expires})", duration(left))
    } else {
        format!("EXPIRED {} ago ({expires})", duration(left.saturating_neg()))
    }
}

/// How long ago something was.
pub fn ago(time: UnixTime, now: UnixTime) -> String {
    format!("{} ago ({time})", duration(now.0.saturating_sub(time.0)))
}

fn named(id: &KeyId, key: Option<&Key>, length: usize) -> String {
    let kind: String = key.map_or("unknown key", Key::key_type).chars().take(LONG).collect();
    let name: String = id.0.chars().take(length).collect();
    printable::line(&format!("{kind} {name}"))
}
