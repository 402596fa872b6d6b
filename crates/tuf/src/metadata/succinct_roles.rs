//! Hashed bins in one line (TAP 15).

use super::fields::Field;
use super::{FormatError, RoleKeys, RoleName};
use crate::json::Value;
use sha2::{Digest, Sha256};

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

impl SuccinctRoles {
    /// `None` unless `bit_length` is 1 to 32.
    pub fn new(keys: RoleKeys, bit_length: u8, name_prefix: &str) -> Option<Self> {
        let in_range = (1..=MAX_BIT_LENGTH).contains(&bit_length);
        in_range.then(|| SuccinctRoles { keys, bit_length, name_prefix: name_prefix.to_owned() })
    }
    /// The bin of this path: first `bit_length` bits of its SHA-256.
    pub fn bin(&self, path: &str) -> RoleName {
        let [first, second, third, fourth, ..] = <[u8; 32]>::from(Sha256::digest(path.as_bytes()));
        let leading = u64::from(u32::from_be_bytes([first, second, third, fourth]));
        self.name(leading >> (32 - self.bits()))
    }
    /// The names of all bins.
    pub fn bins(&self) -> impl Iterator<Item = RoleName> {
        (0..1_u64 << self.bits()).map(|number| self.name(number))
    }

    pub(super) fn read(field: &Field<'_, '_>) -> Result<Self, FormatError> {
        let mut fields = field.fields()?;
        let keys = RoleKeys::take(&mut fields)?;
        let bit_length = fields.required("bit_length")?.integer(1..=MAX_BIT_LENGTH.into())? as u8;
        let name_prefix = fields.required("name_prefix")?.non_empty_string()?.to_owned();
        Ok(SuccinctRoles { keys: RoleKeys { other: fields.rest(), ..keys }, bit_length, name_prefix })
    }

    pub(super) fn write(&self) -> Value<'static> {
        let mut object = self.keys.other.clone();
        self.keys.put(&mut object);
        object.insert("bit_length", Value::Unsigned(self.bit_length.into()));
        object.insert("name_prefix", Value::String(self.name_prefix.clone().into()));
        Value::Object(object)
    }

    /// All names are equally long: as many hex digits as the last one needs.
    fn name(&self, number: u64) -> RoleName {
        let digits = usize::from(self.bits().div_ceil(4));
        RoleName::from(format!("{}-{number:0digits$x}", self.name_prefix).as_str())
    }

    /// The field is public, so it can hold anything.
    fn bits(&self) -> u8 {
        self.bit_length.min(MAX_BIT_LENGTH)
    }
}

const MAX_BIT_LENGTH: u8 = 32;
