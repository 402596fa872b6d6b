//! The fields that begin every `signed` object (spec 4.2.1).

use super::fields::{Field, ObjectFields};
use super::{FormatError, TopLevelRole};
use crate::UnixTime;
use crate::json::{Object, Value};

/// The `spec_version` written into new files.
pub const SPEC_VERSION: &str = "1.0.31";

/// Versions end here, so that every implementation can count them (signed 64-bit integers).
pub(super) const MAX_VERSION: u64 = i64::MAX as u64;

pub(super) struct Header {
    pub(super) spec_version: String,
    pub(super) version: u64,
    pub(super) expires: UnixTime,
}

impl Header {
    pub(super) fn read(role: TopLevelRole, fields: &mut ObjectFields<'_, '_>) -> Result<Self, FormatError> {
        let type_field = fields.required("_type")?;
        if type_field.string()? != role.name() {
            return Err(type_field.wrong(format!("\"{}\"", role.name())));
        }
        let spec_version = read_spec_version(&fields.required("spec_version")?)?;
        let version = fields.required("version")?.integer(1..=MAX_VERSION)?;
        let expires = fields.required("expires")?;
        let expires =
            UnixTime::parse(expires.string()?).ok_or_else(|| expires.wrong("a time such as 2030-01-31T00:00:00Z"))?;
        Ok(Header { spec_version: spec_version.to_owned(), version, expires })
    }

    /// Adds the fields to the unknown ones.
    pub(super) fn write(
        role: TopLevelRole,
        spec_version: &str,
        version: u64,
        expires: UnixTime,
        other: &Object<'static>,
    ) -> Object<'static> {
        let mut signed = other.clone();
        signed.insert("_type", Value::String(role.name().into()));
        signed.insert("spec_version", Value::String(spec_version.to_owned().into()));
        signed.insert("version", Value::Unsigned(version));
        signed.insert("expires", Value::String(expires.to_string().into()));
        signed
    }
}

/// `1.X.Y`, or `1.X` as older repositories write. Another major version is another format.
fn read_spec_version<'v>(field: &Field<'_, 'v>) -> Result<&'v str, FormatError> {
    let text = field.string()?;
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let mut parts = text.split('.');
    let major = parts.next().unwrap_or_default();
    let well_formed = is_number(major) && !major.starts_with('0') && (1..=2).contains(&parts.clone().count());
    if !well_formed || !parts.all(is_number) {
        return Err(field.wrong("a version such as 1.0.31"));
    }
    if major != "1" {
        return Err(field.wrong("version 1 of the specification").unsupported());
    }
    Ok(text)
}
