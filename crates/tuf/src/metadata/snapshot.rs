//! `snapshot.json` (spec 4.4).

use super::fields::Field;
use super::header::Header;
use super::{FileMeta, FormatError, RoleName, SPEC_VERSION, Signed, TopLevelRole};
use crate::UnixTime;
use crate::format_error::JsonPath;
use crate::json::{Object, Value};
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
    /// Without files; a client wants `targets.json` at least.
    pub fn new(version: u64, expires: UnixTime) -> Self {
        let spec_version = SPEC_VERSION.to_owned();
        Snapshot { spec_version, version, expires, meta: BTreeMap::new(), other: Object::new() }
    }
    /// The entry of a role.
    pub fn role(&self, name: &RoleName) -> Option<&FileMeta> {
        self.meta.get(&file_name(name))
    }
    /// Sets the entry of a role.
    pub fn set_role(&mut self, name: &RoleName, meta: FileMeta) {
        self.meta.insert(file_name(name), meta);
    }
}

impl Signed for Snapshot {
    const TYPE: TopLevelRole = TopLevelRole::Snapshot;

    fn from_value(signed: &Value<'_>) -> Result<Self, FormatError> {
        let signed = Field { value: signed, place: JsonPath::top("signed") };
        let mut fields = signed.fields()?;
        let Header { spec_version, version, expires } = Header::read(Self::TYPE, &mut fields)?;
        let meta = fields.required("meta")?;
        meta.fields()?.required("targets.json")?;
        let meta = meta.map(FileMeta::read)?;
        Ok(Snapshot { spec_version, version, expires, meta, other: fields.rest() })
    }

    fn to_value(&self) -> Value<'static> {
        let mut signed = Header::write(Self::TYPE, &self.spec_version, self.version, self.expires, &self.other);
        let mut meta = Object::new();
        for (name, entry) in &self.meta {
            meta.insert(name.clone(), entry.write());
        }
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

/// A name in metadata, so nothing in it is encoded (TUF 4.4).
fn file_name(role: &RoleName) -> String {
    format!("{}.json", role.as_str())
}
