//! Reads values, and refuses what could be read in two ways.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Object, SyntaxError, Value};

/// Values in one text. Small ones take two bytes in a file and a hundred in memory: 16 MiB of them would take more than
/// a gigabyte, and this number takes 100 MB at worst. The largest metadata of a whole index has some 300,000.
const MAX_VALUES: u32 = 1_000_000;

/// Parses one JSON text.
///
/// Stricter than JSON: numbers are integers of 64 bits without fraction, exponent or `-0`, a name occurs once in its
/// object, and a text has at most a million values, nested at most 127 deep. No byte order mark.
pub fn parse(bytes: &[u8]) -> Result<Value<'_>, SyntaxError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| SyntaxError(format!("not UTF-8 after {} bytes", error.valid_up_to())))?;
    if text.starts_with('\u{feff}') {
        return Err(SyntaxError("expected JSON, found a byte order mark before it".to_owned()));
    }
    let mut tokens = serde_json::Deserializer::from_str(text);
    let mut budget = MAX_VALUES;
    let value = ValueReader { budget: &mut budget }.deserialize(&mut tokens);
    let value = value.map_err(|error| SyntaxError(error.to_string()))?;
    tokens.end().map_err(|error| SyntaxError(error.to_string()))?;
    Ok(value)
}

/// Reads a value and what is in it.
struct ValueReader<'b> {
    /// How many more values the text may have.
    budget: &'b mut u32,
}

impl<'de> DeserializeSeed<'de> for ValueReader<'_> {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        *self.budget = self
            .budget
            .checked_sub(1)
            .ok_or_else(|| D::Error::custom(format_args!("expected at most {MAX_VALUES} values, found more")))?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueReader<'_> {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value<'de>, E> {
        Ok(Value::Unsigned(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value<'de>, E> {
        Ok(u64::try_from(number).map_or(Value::Negative(number), Value::Unsigned))
    }

    /// Everything that is no integer, or none of 64 bits, arrives as a float.
    fn visit_f64<E: Error>(self, _: f64) -> Result<Value<'de>, E> {
        Err(E::custom("expected an integer of 64 bits without exponent, found another number"))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::String(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::String(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value<'de>, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = sequence.next_element_seed(ValueReader { budget: self.budget })? {
            push(&mut values, value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = map.next_key_seed(NameReader)? {
            let value = map.next_value_seed(ValueReader { budget: self.budget })?;
            push(&mut members, (name, value));
        }
        // Most files are written in order, so that comparing neighbours is all there is to do.
        if !members.is_sorted_by(|(name, _), (next, _)| name < next) {
            members.sort_by(|(name, _), (other, _)| name.cmp(other));
            if let Some(name) = first_duplicate(&members) {
                return Err(A::Error::custom(format_args!(
                    "the name {} occurs twice in an object",
                    printable::quoted(name, 60)
                )));
            }
        }
        Ok(Value::Object(Object(members)))
    }
}

/// Reads the name of a member.
struct NameReader;

impl<'de> DeserializeSeed<'de> for NameReader {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for NameReader {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// A vector makes room for four at first; thousands of roles have one member each.
fn push<T>(items: &mut Vec<T>, item: T) {
    if items.is_empty() {
        items.reserve_exact(1);
    }
    items.push(item);
}

/// Of sorted members.
fn first_duplicate<'m>(members: &'m [(Cow<'_, str>, Value<'_>)]) -> Option<&'m str> {
    let mut pairs = members.iter().zip(members.iter().skip(1));
    pairs.find(|((name, _), (next, _))| name == next).map(|((name, _), _)| name.as_ref())
}
