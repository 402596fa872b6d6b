//! What several kinds of metadata share: keys, which of them sign for a role, and descriptions of files.

use super::FormatError;
use super::fields::{Field, ObjectFields};
use super::header::MAX_VERSION;
use crate::json::{Object, Value};
use crate::{HashAlgorithm, Hashes, Key, KeyId};
use std::collections::{BTreeMap, HashSet};

/// Keys in one file. A role per bin with a key of its own stays below; a file of a hundred thousand keys is an attack.
pub const MAX_KEYS: usize = 65_536;

/// Keys of one role: as many as signatures are read.
pub const MAX_KEYS_PER_ROLE: usize = 512;

/// No role needs more signatures; a higher threshold is an error or makes metadata unverifiable on purpose.
const MAX_THRESHOLD: u64 = u32::MAX as u64;

/// Which keys sign for a role, and how many of them must.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleKeys {
    /// No name twice. One without a key in the same file counts for nothing.
    pub key_ids: Vec<KeyId>,
    /// At least 1.
    pub threshold: u64,
    /// Unknown fields (of the object these two stand in, in root and succinct roles; empty for delegated roles).
    pub other: Object<'static>,
}

impl RoleKeys {
    /// These keys, each once, of which `threshold` must sign.
    pub fn new(keys: &[Key], threshold: u64) -> Self {
        let mut key_ids: Vec<KeyId> = Vec::with_capacity(keys.len());
        for key_id in keys.iter().map(Key::identifier) {
            if !key_ids.contains(&key_id) {
                key_ids.push(key_id);
            }
        }
        RoleKeys { key_ids, threshold, other: Object::new() }
    }

    /// Takes `keyids` and `threshold`; what else stands there is left to the caller.
    pub(super) fn take(fields: &mut ObjectFields<'_, '_>) -> Result<Self, FormatError> {
        let list = fields.required("keyids")?;
        let elements = list.elements(MAX_KEYS_PER_ROLE)?;
        let mut key_ids = Vec::with_capacity(elements.len());
        let several = elements.len() > 1;
        let mut seen = HashSet::new();
        for element in elements {
            let key_id = element.non_empty_string()?;
            // Thousands of roles have one key each.
            if several && !seen.insert(key_id) {
                return Err(element.wrong("no key id twice"));
            }
            key_ids.push(KeyId(key_id.to_owned()));
        }
        let threshold = fields.required("threshold")?.integer(1..=MAX_THRESHOLD)?;
        Ok(RoleKeys { key_ids, threshold, other: Object::new() })
    }

    /// Adds `keyids` and `threshold` to an object.
    pub(super) fn put(&self, object: &mut Object<'static>) {
        let key_ids = self.key_ids.iter().map(|key_id| Value::String(key_id.0.clone().into()));
        object.insert("keyids", Value::Array(key_ids.collect()));
        object.insert("threshold", Value::Unsigned(self.threshold));
    }
}

/// What one metadata file says of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileMeta {
    /// At least 1.
    pub version: u64,
    /// In bytes.
    pub length: Option<u64>,
    /// Not empty if present.
    pub hashes: Option<Hashes>,
    /// Unknown fields.
    pub other: Object<'static>,
}

impl FileMeta {
    /// Only a version: what else the file must be is left open.
    pub fn unhashed(version: u64) -> Self {
        FileMeta { version, length: None, hashes: None, other: Object::new() }
    }
    /// Version, length and SHA-256 of a file.
    pub fn of(version: u64, content: &[u8]) -> Self {
        FileMeta {
            version,
            length: Some(content.len() as u64),
            hashes: Some(Hashes::of(content, &[HashAlgorithm::Sha256])),
            other: Object::new(),
        }
    }

    pub(super) fn read(field: &Field<'_, '_>) -> Result<Self, FormatError> {
        let mut fields = field.fields()?;
        Ok(FileMeta {
            version: fields.required("version")?.integer(1..=MAX_VERSION)?,
            length: fields.optional("length").map(|length| length.integer(0..=u64::MAX)).transpose()?,
            hashes: fields.optional("hashes").map(|hashes| read_hashes(&hashes)).transpose()?,
            other: fields.rest(),
        })
    }

    pub(super) fn write(&self) -> Value<'static> {
        let mut object = self.other.clone();
        object.insert("version", Value::Unsigned(self.version));
        if let Some(length) = self.length {
            object.insert("length", Value::Unsigned(length));
        }
        if let Some(hashes) = &self.hashes {
            object.insert("hashes", write_hashes(hashes));
        }
        Value::Object(object)
    }
}

/// `keys` of root files and delegations.
pub(super) fn read_keys(field: &Field<'_, '_>) -> Result<BTreeMap<KeyId, Key>, FormatError> {
    let members = field.members(MAX_KEYS)?;
    members
        .map(|(name, key)| {
            if name.is_empty() {
                return Err(field.because("key ids that are not empty", "an empty one"));
            }
            let key = Key::from_value(key.value).map_err(|error| error.within(&key.place))?;
            Ok((KeyId(name.to_owned()), key))
        })
        .collect()
}

pub(super) fn write_keys(keys: &BTreeMap<KeyId, Key>) -> Value<'static> {
    let mut object = Object::new();
    for (key_id, key) in keys {
        object.insert(key_id.0.clone(), key.to_value());
    }
    Value::Object(object)
}

/// `hashes`: of any algorithm, not none.
pub(super) fn read_hashes(field: &Field<'_, '_>) -> Result<Hashes, FormatError> {
    let members = field.members(usize::MAX)?;
    let hashes = members.map(|(algorithm, hash)| Ok((algorithm.to_owned(), hash.string()?.to_owned())));
    let hashes = hashes.collect::<Result<Hashes, FormatError>>()?;
    if hashes.is_empty() {
        return Err(field.wrong("at least one hash"));
    }
    Ok(hashes)
}

pub(super) fn write_hashes(hashes: &Hashes) -> Value<'static> {
    let mut object = Object::new();
    for (algorithm, hash) in hashes.iter() {
        object.insert(algorithm.to_owned(), Value::String(hash.to_owned().into()));
    }
    Value::Object(object)
}
