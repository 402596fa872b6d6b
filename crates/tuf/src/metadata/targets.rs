//! `targets.json` and the files of delegated roles (spec 4.5).

use super::fields::Field;
use super::header::Header;
use super::role::{read_hashes, write_hashes};
use super::{Delegations, FormatError, SPEC_VERSION, Signed, TopLevelRole};
use crate::format_error::JsonPath;
use crate::json::{Object, Value};
use crate::{HashAlgorithm, Hashes, UnixTime};
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
        Targets {
            spec_version: SPEC_VERSION.to_owned(),
            version,
            expires,
            targets: BTreeMap::new(),
            delegations: None,
            other: Object::new(),
        }
    }
}

impl TargetFile {
    /// Length and SHA-256 of content.
    pub fn of(content: &[u8]) -> Self {
        TargetFile {
            length: content.len() as u64,
            hashes: Hashes::of(content, &[HashAlgorithm::Sha256]),
            custom: None,
            other: Object::new(),
        }
    }

    fn read(field: &Field<'_, '_>) -> Result<Self, FormatError> {
        let mut fields = field.fields()?;
        Ok(TargetFile {
            length: fields.required("length")?.integer(0..=u64::MAX)?,
            hashes: read_hashes(&fields.required("hashes")?)?,
            custom: fields.optional("custom").map(|custom| custom.value.clone().into_owned()),
            other: fields.rest(),
        })
    }

    fn write(&self) -> Value<'static> {
        let mut object = self.other.clone();
        object.insert("length", Value::Unsigned(self.length));
        object.insert("hashes", write_hashes(&self.hashes));
        if let Some(custom) = &self.custom {
            object.insert("custom", custom.clone());
        }
        Value::Object(object)
    }
}

impl Signed for Targets {
    const TYPE: TopLevelRole = TopLevelRole::Targets;

    fn from_value(signed: &Value<'_>) -> Result<Self, FormatError> {
        let signed = Field { value: signed, place: JsonPath::top("signed") };
        let mut fields = signed.fields()?;
        let Header { spec_version, version, expires } = Header::read(Self::TYPE, &mut fields)?;
        if let Some(field) = fields.optional("keys_for_delegations") {
            // TAP 3: ignoring it would ignore who else must agree.
            return Err(field.wrong("delegations to single roles").unsupported());
        }
        let delegations = fields.optional("delegations").map(|field| Delegations::read(&field)).transpose()?;
        let targets = fields.required("targets")?.map(TargetFile::read)?;
        Ok(Targets { spec_version, version, expires, targets, delegations, other: fields.rest() })
    }

    fn to_value(&self) -> Value<'static> {
        let mut signed = Header::write(Self::TYPE, &self.spec_version, self.version, self.expires, &self.other);
        let mut targets = Object::new();
        for (path, target) in &self.targets {
            targets.insert(path.clone(), target.write());
        }
        signed.insert("targets", Value::Object(targets));
        if let Some(delegations) = &self.delegations {
            signed.insert("delegations", delegations.write());
        }
        Value::Object(signed)
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn expires(&self) -> UnixTime {
        self.expires
    }
}
