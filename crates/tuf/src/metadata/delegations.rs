//! Delegations (spec 4.5, TAP 15).

use super::{PathPattern, RoleKeys, RoleName};
use crate::json::Object;
use crate::{Key, KeyId};
use std::collections::BTreeMap;

/// Keys and roles that a targets file delegates to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegations {
    /// By their names, which mean something only here.
    pub keys: BTreeMap<KeyId, Key>,
    /// The roles.
    pub roles: DelegatedRoles,
    /// Unknown fields.
    pub other: Object<'static>,
}

/// Either form of naming roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DelegatedRoles {
    /// `roles`: in order of priority, each name once.
    Listed(Vec<DelegatedRole>),
    /// `succinct_roles` (TAP 15).
    Succinct(SuccinctRoles),
}

/// One delegated role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DelegatedRole {
    /// Not one of the four top-level ones.
    pub name: RoleName,
    /// Who signs.
    pub keys: RoleKeys,
    /// Whether later roles are not asked for a path this one matches; missing means not.
    pub terminating: bool,
    /// Which target paths it may speak of.
    pub paths: PathSet,
    /// Unknown fields.
    pub other: Object<'static>,
}

/// Target paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathSet {
    /// `paths`
    Patterns(Vec<PathPattern>),
    /// `path_hash_prefixes`: prefixes of the hex SHA-256 of the path.
    HashPrefixes(Vec<HashPrefix>),
}

/// 1 to 64 lower-case hex digits (upper-case ones are refused).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HashPrefix(String);

/// All bins in one line (TAP 15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuccinctRoles {
    /// Who signs, the same for all bins.
    pub keys: RoleKeys,
    /// 1 to 32: there are 2^bit_length bins.
    pub bit_length: u8,
    /// Before the `-` and the number.
    pub name_prefix: String,
}

impl Delegations {
    /// To these roles.
    pub fn new(keys: &[Key], roles: DelegatedRoles) -> Self {
        let _ = (keys, roles);
        todo!()
    }
}

impl Delegations {
    /// Who signs for a role that is delegated to here.
    pub fn role_keys(&self, role: &RoleName) -> Option<&RoleKeys> {
        match &self.roles {
            DelegatedRoles::Listed(roles) => {
                roles.iter().find(|listed| listed.name == *role).map(|listed| &listed.keys)
            }
            // Which role it is was computed from this very delegation.
            DelegatedRoles::Succinct(succinct) => Some(&succinct.keys),
        }
    }
}

impl DelegatedRole {
    /// Whether the role may speak of this path.
    pub fn matches(&self, path: &str) -> bool {
        let _ = path;
        todo!()
    }
}

impl SuccinctRoles {
    /// The bin of this path: first `bit_length` bits of its SHA-256.
    pub fn bin(&self, path: &str) -> RoleName {
        let _ = path;
        todo!()
    }
    /// The names of all bins.
    pub fn bins(&self) -> impl Iterator<Item = RoleName> {
        std::iter::empty()
    }
}

impl HashPrefix {
    /// `None` unless 1 to 64 lower-case hex digits.
    pub fn new(digits: &str) -> Option<Self> {
        let _ = digits;
        todo!()
    }
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
