//! `snapshot.json` (spec 4.4).

use super::FileMeta;
use crate::UnixTime;
use crate::json::Object;
use std::collections::BTreeMap;

/// Which versions of all targets files belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// `spec_version`
    pub spec_version: String,
    /// 1 to 2^63 - 1.
    pub version: u64,
    /// When it stops being usable.
    pub expires: UnixTime,
    /// By file name (`targets.json`, `NAME.json`).
    pub meta: BTreeMap<String, FileMeta>,
    /// Unknown fields.
    pub other: Object<'static>,
}

impl Snapshot {
    /// Without files.
    pub fn new(version: u64, expires: UnixTime) -> Self {
        let _ = (version, expires);
        todo!()
    }
    /// The entry of a role.
    pub fn role(&self, name: &super::RoleName) -> Option<&FileMeta> {
        let _ = name;
        todo!()
    }
    /// Sets the entry of a role.
    pub fn set_role(&mut self, name: &super::RoleName, meta: FileMeta) {
        let _ = (name, meta);
        todo!()
    }
}
