//! `timestamp.json` (spec 4.6).

use super::FileMeta;
use crate::UnixTime;
use crate::json::Object;

/// Which snapshot is current.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timestamp {
    /// `spec_version`
    pub spec_version: String,
    /// 1 to 2^63 - 1.
    pub version: u64,
    /// When it stops being usable.
    pub expires: UnixTime,
    /// `meta["snapshot.json"]`, the only entry.
    pub snapshot: FileMeta,
    /// Unknown fields.
    pub other: Object<'static>,
}

impl Timestamp {
    /// For a snapshot.
    pub fn new(version: u64, expires: UnixTime, snapshot: FileMeta) -> Self {
        let _ = (version, expires, snapshot);
        todo!()
    }
}
