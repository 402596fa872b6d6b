//! `root.json` (spec 4.3).

use super::{RoleKeys, TopLevelRole};
use crate::json::Object;
use crate::{Key, KeyId, UnixTime};
use std::collections::BTreeMap;

/// Which keys sign for the top-level roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// `spec_version`
    pub spec_version: String,
    /// 1 to 2^63 - 1.
    pub version: u64,
    /// When it stops being usable.
    pub expires: UnixTime,
    /// Whether file names carry versions and hashes; missing means not.
    pub consistent_snapshot: bool,
    /// By their names.
    pub keys: BTreeMap<KeyId, Key>,
    /// All four.
    pub roles: BTreeMap<TopLevelRole, RoleKeys>,
    /// Roles of other names, as they are.
    pub other_roles: Object<'static>,
    /// Unknown fields.
    pub other: Object<'static>,
}

impl Root {
    /// Version 1 with consistent snapshots and no keys at all.
    pub fn new(expires: UnixTime) -> Self {
        let _ = expires;
        todo!()
    }
    /// Gives a role these keys, of which `threshold` must sign; keys that no role uses any more leave.
    pub fn set_role(&mut self, role: TopLevelRole, keys: &[Key], threshold: u64) {
        let _ = (role, keys, threshold);
        todo!()
    }
    /// Keys and threshold of a role.
    pub fn role(&self, role: TopLevelRole) -> &RoleKeys {
        let _ = role;
        todo!()
    }
}
