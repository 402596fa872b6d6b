//! `timestamp.json` (spec 4.6).

use super::fields::Field;
use super::header::Header;
use super::{FileMeta, FormatError, SPEC_VERSION, Signed, TopLevelRole};
use crate::UnixTime;
use crate::format_error::JsonPath;
use crate::json::{Object, Value};

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
        Timestamp { spec_version: SPEC_VERSION.to_owned(), version, expires, snapshot, other: Object::new() }
    }
}

impl Signed for Timestamp {
    const TYPE: TopLevelRole = TopLevelRole::Timestamp;

    fn from_value(signed: &Value<'_>) -> Result<Self, FormatError> {
        let signed = Field { value: signed, place: JsonPath::top("signed") };
        let mut fields = signed.fields()?;
        let Header { spec_version, version, expires } = Header::read(Self::TYPE, &mut fields)?;
        let meta = fields.required("meta")?;
        let mut files = meta.fields()?;
        let snapshot = FileMeta::read(&files.required(FILE)?)?;
        if !files.rest().is_empty() {
            return Err(meta.wrong("snapshot.json alone"));
        }
        Ok(Timestamp { spec_version, version, expires, snapshot, other: fields.rest() })
    }

    fn to_value(&self) -> Value<'static> {
        let mut signed = Header::write(Self::TYPE, &self.spec_version, self.version, self.expires, &self.other);
        let mut meta = Object::new();
        meta.insert(FILE, self.snapshot.write());
        signed.insert("meta", Value::Object(meta));
        Value::Object(signed)
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn expires(&self) -> UnixTime {
        self.expires
    }
}

const FILE: &str = "snapshot.json";
