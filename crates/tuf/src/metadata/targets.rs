//! `targets.json` and the files of delegated roles (spec 4.5).

use super::Delegations;
use crate::json::{Object, Value};
use crate::{Hashes, UnixTime};
use std::collections::BTreeMap;

/// Which files are trusted, and who else may say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Targets {
    /// `spec_version`
    pub spec_version: String,
    /// 1 to 2^63 - 1.
    pub version: u64,
    /// When it stops being usable.
    pub expires: UnixTime,
    /// By target path.
    pub targets: BTreeMap<String, TargetFile>,
    /// Who signs for other paths.
    pub delegations: Option<Delegations>,
    /// Unknown fields.
    pub other: Object<'static>,
}

/// One target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetFile {
    /// In bytes.
    pub length: u64,
    /// Not empty.
    pub hashes: Hashes,
    /// What the signer wanted to say besides.
    pub custom: Option<Value<'static>>,
    /// Unknown fields.
    pub other: Object<'static>,
}

impl Targets {
    /// Without targets and delegations.
    pub fn new(version: u64, expires: UnixTime) -> Self {
        let _ = (version, expires);
        todo!()
    }
}

impl TargetFile {
    /// Length and SHA-256 of content.
    pub fn of(content: &[u8]) -> Self {
        let _ = content;
        todo!()
    }
}
