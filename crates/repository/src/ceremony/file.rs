//! A file of offline metadata, and whose signatures it needs.

use std::collections::BTreeMap;

use tuf::metadata::{DelegatedRoles, FormatError, Metadata, RoleKeys, RoleName, Root, Signed, Targets, TopLevelRole};
use tuf::{Key, KeyId, SigningKey, UnixTime};

use super::OfflineMetadata;
use crate::published::{keys_of, name};

/// A file of offline metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfflineMetadataFile {
    /// `N.root.json`
    Root(Metadata<Root>),
    /// `N.targets.json`, `N.bins.json`, `N.claimed.json`, or that of a project.
    Targets(RoleName, Metadata<Targets>),
}

/// The keys and threshold that a file must meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureRequirement {
    /// The metadata that requires them, such as `root 2`.
    pub by: String,
    /// How many different keys must sign.
    pub threshold: u64,
    /// The keys, and whether each has signed.
    pub keys: Vec<(KeyId, bool)>,
}

impl OfflineMetadataFile {
    /// Unsigned.
    pub fn root(root: Root) -> Self {
        Self::Root(Metadata::new(root))
    }

    /// Unsigned.
    pub fn targets(role: RoleName, targets: Targets) -> Self {
        Self::Targets(role, Metadata::new(targets))
    }

    /// Reads a file; its name determines the role, which the metadata does not contain. `None` if the name is not one
    /// of metadata.
    pub fn read(file_name: &str, bytes: &[u8]) -> Option<Result<Self, FormatError>> {
        let (version, role) = file_name.strip_suffix(".json")?.split_once('.')?;
        version.parse::<u64>().ok()?;
        let role = percent_encoding::percent_decode_str(role).decode_utf8().ok()?;
        match role.as_ref() {
            "" | "snapshot" | "timestamp" => None,
            "root" => Some(Metadata::from_bytes(bytes).map(Self::Root)),
            role => Some(Metadata::from_bytes(bytes).map(|file| Self::Targets(RoleName::from(role), file))),
        }
    }

    /// Such as `3.root.json`, under which it is published.
    pub fn file_name(&self) -> String {
        format!("{}.{}.json", self.version(), self.role().encoded())
    }

    /// Which role.
    pub fn role(&self) -> RoleName {
        match self {
            Self::Root(_) => name(TopLevelRole::Root),
            Self::Targets(role, _) => role.clone(),
        }
    }

    /// Its version.
    pub fn version(&self) -> u64 {
        match self {
            Self::Root(root) => root.signed.version(),
            Self::Targets(_, targets) => targets.signed.version(),
        }
    }

    /// When it expires.
    pub fn expires(&self) -> UnixTime {
        match self {
            Self::Root(root) => root.signed.expires(),
            Self::Targets(_, targets) => targets.signed.expires(),
        }
    }

    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Root(root) => root.to_bytes(),
            Self::Targets(_, targets) => targets.to_bytes(),
        }
    }

    /// Adds a signature.
    pub fn sign(&mut self, key: &SigningKey) {
        match self {
            Self::Root(root) => root.sign(key),
            Self::Targets(_, targets) => targets.sign(key),
        }
    }

    /// Whether this one key has signed.
    pub fn is_signed_by(&self, id: &KeyId, keys: &BTreeMap<KeyId, Key>) -> bool {
        let alone = RoleKeys { key_ids: vec![id.clone()], ..RoleKeys::new(&[], 1) };
        self.is_signed(keys, &alone)
    }

    /// How many signatures it has, valid or not.
    pub fn signatures(&self) -> usize {
        match self {
            Self::Root(root) => root.signatures.len(),
            Self::Targets(_, targets) => targets.signatures.len(),
        }
    }

    /// Whether there is a signature under a key id, valid or not.
    pub fn has_signature_of(&self, id: &KeyId) -> bool {
        let signatures = match self {
            Self::Root(root) => &root.signatures,
            Self::Targets(_, targets) => &targets.signatures,
        };
        signatures.iter().any(|signature| signature.key_id == *id && !signature.signature.is_empty())
    }

    /// Adds the missing signatures from a copy. `false` if the two have different content.
    pub fn take_signatures(&mut self, copy: &Self) -> bool {
        let (here, there) = match (self, copy) {
            (Self::Root(one), Self::Root(other)) if one.signed == other.signed => {
                (&mut one.signatures, &other.signatures)
            }
            (Self::Targets(role, one), Self::Targets(other_role, other))
                if role == other_role && one.signed == other.signed =>
            {
                (&mut one.signatures, &other.signatures)
            }
            _ => return false,
        };
        for signature in there {
            if !here.iter().any(|known| known.key_id == signature.key_id) {
                here.push(signature.clone());
            }
        }
        true
    }

    /// Whether the two have the same content, apart from signatures and expiry.
    pub fn same_but_expiry(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Root(one), Self::Root(other)) => {
                Root { expires: other.signed.expires, ..one.signed.clone() } == other.signed
            }
            (Self::Targets(role, one), Self::Targets(other_role, other)) => {
                role == other_role && Targets { expires: other.signed.expires, ..one.signed.clone() } == other.signed
            }
            _ => false,
        }
    }

    /// Sets another expiry; signatures are lost.
    pub fn set_expires(&mut self, expires: UnixTime) {
        match self {
            Self::Root(root) => {
                root.signed.expires = expires;
                root.signatures.clear();
            }
            Self::Targets(_, targets) => {
                targets.signed.expires = expires;
                targets.signatures.clear();
            }
        }
    }

    /// The roles that this file delegates to, each with its keys.
    pub fn names(&self) -> Vec<(RoleName, RoleKeys)> {
        match self {
            Self::Root(root) => root.signed.roles.iter().map(|(role, keys)| (name(*role), keys.clone())).collect(),
            Self::Targets(_, targets) => match targets.signed.delegations.as_ref().map(|found| &found.roles) {
                None => Vec::new(),
                Some(DelegatedRoles::Listed(roles)) => {
                    roles.iter().map(|role| (role.name.clone(), role.keys.clone())).collect()
                }
                Some(DelegatedRoles::Succinct(roles)) => {
                    let count = 1_u64 << roles.bit_length.min(32);
                    let name = format!("{}-… ({count} of them)", roles.name_prefix);
                    vec![(RoleName::from(name.as_str()), roles.keys.clone())]
                }
            },
        }
    }

    /// Keys under a key id that is not theirs. An id that `known` metadata uses for the same key is accepted.
    ///
    /// Key ids are free (TAP 12), and users see only ids: another key could be listed under the id of a key they
    /// know.
    pub fn misnamed_keys(&self, known: Option<&OfflineMetadata>) -> Vec<KeyId> {
        let delegators = known.into_iter().flat_map(|known| known.delegators.values());
        let delegations = delegators.filter_map(|targets| targets.delegations.as_ref());
        let root = known.map(|known| &known.root.keys);
        let known: Vec<_> = root.into_iter().chain(delegations.map(|delegations| &delegations.keys)).collect();
        let is_known = |id: &KeyId, key: &Key| known.iter().any(|keys| keys.get(id) == Some(key));
        let keys = self.keys().into_iter().flatten();
        let misnamed = keys.filter(|(id, key)| **id != key.identifier() && !is_known(id, key));
        misnamed.map(|(id, _)| id.clone()).collect()
    }

    /// The keys that it knows.
    pub fn keys(&self) -> Option<&BTreeMap<KeyId, Key>> {
        match self {
            Self::Root(root) => Some(&root.signed.keys),
            Self::Targets(_, targets) => targets.signed.delegations.as_ref().map(|found| &found.keys),
        }
    }

    fn is_signed(&self, keys: &BTreeMap<KeyId, Key>, role: &RoleKeys) -> bool {
        match self {
            Self::Root(root) => root.verify(keys, role).is_ok(),
            Self::Targets(_, targets) => targets.verify(keys, role).is_ok(),
        }
    }

    /// How many signatures of these keys do not match the present content.
    pub fn invalid_signatures(&self, requirement: &SignatureRequirement) -> usize {
        requirement.missing().filter(|id| self.has_signature_of(id)).count()
    }

    fn requirement(&self, by: String, keys: &BTreeMap<KeyId, Key>, role: &RoleKeys) -> SignatureRequirement {
        let signed = role.key_ids.iter().map(|id| (id.clone(), self.is_signed_by(id, keys)));
        SignatureRequirement { by, threshold: role.threshold, keys: signed.collect() }
    }
}

impl SignatureRequirement {
    /// How many have signed.
    pub fn signed(&self) -> u64 {
        self.keys.iter().filter(|(_, signed)| *signed).count() as u64
    }

    /// Whether enough keys have signed.
    pub fn is_met(&self) -> bool {
        self.signed() >= self.threshold
    }

    /// The keys that have not signed.
    pub fn missing(&self) -> impl Iterator<Item = &KeyId> {
        self.keys.iter().filter(|(_, signed)| !signed).map(|(id, _)| id)
    }
}

/// Whose signatures a file needs: a root those of the previous root and its own (TUF 5.3.4), others those of the roles
/// that delegate to them. Empty when that is not known here.
pub fn requirements(
    file: &OfflineMetadataFile,
    before: Option<&Root>,
    next: Option<&OfflineMetadata>,
) -> Vec<SignatureRequirement> {
    match file {
        OfflineMetadataFile::Root(root) => {
            let of = |root: &Root| {
                file.requirement(format!("root {}", root.version), &root.keys, root.role(TopLevelRole::Root))
            };
            let own = of(&root.signed);
            let before = before.filter(|before| before.version < root.signed.version).map(of);
            match before {
                Some(before) if before.threshold == own.threshold && before.keys == own.keys => vec![own],
                before => before.into_iter().chain([own]).collect(),
            }
        }
        OfflineMetadataFile::Targets(role, _) => {
            let Some(next) = next else { return Vec::new() };
            let Ok((keys, role_keys)) = keys_of(&next.root, &next.delegators, role) else { return Vec::new() };
            let by = match role.top_level() {
                Some(_) => format!("root {}", next.root.version),
                None => "the delegation to it".to_owned(),
            };
            vec![file.requirement(by, keys, role_keys)]
        }
    }
}
