//! A metadata file around what is signed (spec 4.2).

use super::fields::Field;
use crate::format_error::{FormatError, JsonPath};
use crate::json::{self, Object, Value};
use crate::{KeyId, Signature};
use std::collections::HashSet;

/// Each signature costs a verification: up to 3 ms for the largest RSA keys. Real files carry fewer than ten.
pub const MAX_SIGNATURES: usize = 512;

/// A file taken apart for verification, before anything in it is interpreted.
pub(crate) struct Envelope<'a> {
    pub(crate) signatures: Vec<Signature>,
    pub(crate) signed: Value<'a>,
    /// What the signatures are over.
    pub(crate) canonical: Vec<u8>,
}

impl<'a> Envelope<'a> {
    /// Refuses two signatures with one key id (spec 4.2.1), more signatures than [`MAX_SIGNATURES`], `_type` other than
    /// a string. Members beside `signatures` and `signed` are not signed and not kept.
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Self, FormatError> {
        let file = json::parse(bytes)?;
        let whole = Field { value: &file, place: JsonPath::FILE };
        let mut fields = whole.fields()?;
        let signatures = read_signatures(&fields.required("signatures")?)?;

        let signed = fields.required("signed")?;
        let mut header = signed.fields()?;
        header.required("_type")?.string()?;

        let signed = match file {
            Value::Object(mut members) => members.remove("signed").unwrap_or(Value::Null),
            _ => Value::Null,
        };
        let canonical = signed.canonical_in(Vec::with_capacity(bytes.len()));
        Ok(Envelope { signatures, signed, canonical })
    }

    /// `_type`, whatever it says.
    pub(crate) fn type_name(&self) -> &str {
        self.signed.as_object().and_then(|signed| signed.get("_type")).and_then(Value::as_str).unwrap_or_default()
    }
}

fn read_signatures(field: &Field<'_, '_>) -> Result<Vec<Signature>, FormatError> {
    let elements = field.elements(MAX_SIGNATURES)?;
    let mut signatures = Vec::with_capacity(elements.len());
    let mut seen = HashSet::with_capacity(elements.len());
    for element in elements {
        let mut fields = element.fields()?;
        let key_id = fields.required("keyid")?;
        if !seen.insert(key_id.string()?) {
            return Err(key_id.wrong("no two signatures with one key id"));
        }
        signatures.push(Signature {
            key_id: KeyId(key_id.string()?.to_owned()),
            signature: fields.required("sig")?.string()?.to_owned(),
            other: fields.rest(),
        });
    }
    Ok(signatures)
}

pub(super) fn write(signatures: &[Signature], signed: Value<'static>) -> Value<'static> {
    let signatures = signatures.iter().map(|signature| {
        let mut object = signature.other.clone();
        object.insert("keyid", Value::String(signature.key_id.0.clone().into()));
        object.insert("sig", Value::String(signature.signature.clone().into()));
        Value::Object(object)
    });
    let mut file = Object::new();
    file.insert("signatures", Value::Array(signatures.collect()));
    file.insert("signed", signed);
    Value::Object(file)
}
