//! JSON as TUF reads it: strict, and with the canonical form that is signed.
//!
//! Signatures are over the canonical form of what was parsed (TUF 4.2.1), so one text must never mean two things: a
//! name occurs once in an object, and numbers are integers of 64 bits. The tokenizer is serde_json's.

mod parse;
mod write;

use std::borrow::Cow;

pub use parse::parse;

/// A parsed JSON value. Strings without escapes borrow from the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// An integer of at least 0.
    Unsigned(u64),
    /// An integer below 0.
    Negative(i64),
    /// A string.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Value<'a>>),
    /// An object.
    Object(Object<'a>),
}

/// An object: members sorted by name (code points, which is the order of UTF-8 bytes too), each name once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object<'a>(Vec<(Cow<'a, str>, Value<'a>)>);

/// Why bytes are not JSON that TUF can read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SyntaxError(String);

impl<'a> Value<'a> {
    /// The bytes that are signed (OLPC canonical JSON as securesystemslib writes it).
    pub fn canonical(&self) -> Vec<u8> {
        self.canonical_in(Vec::new())
    }
    /// The same, at the end of this buffer.
    pub(crate) fn canonical_in(&self, mut buffer: Vec<u8>) -> Vec<u8> {
        write::write(self, write::Form::Canonical, &mut buffer);
        buffer
    }
    /// Ordinary compact JSON, for files.
    pub fn to_json(&self) -> Vec<u8> {
        let mut text = Vec::new();
        write::write(self, write::Form::Ordinary, &mut text);
        text
    }
    /// The same value, owning its strings.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(value) => Value::Bool(value),
            Value::Unsigned(number) => Value::Unsigned(number),
            Value::Negative(number) => Value::Negative(number),
            Value::String(text) => Value::String(Cow::Owned(text.into_owned())),
            Value::Array(values) => Value::Array(values.into_iter().map(Value::into_owned).collect()),
            Value::Object(object) => Value::Object(object.into_owned()),
        }
    }
    /// The text, if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }
    /// The members, if it is an object.
    pub fn as_object(&self) -> Option<&Object<'a>> {
        match self {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }
    /// What kind of value it is, for error texts.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Unsigned(_) => "a number",
            Value::Negative(_) => "a negative number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        }
    }
}

impl<'a> Object<'a> {
    /// No members.
    pub fn new() -> Self {
        Object(Vec::new())
    }
    /// The member of that name.
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        let place = self.find(name).ok()?;
        self.0.get(place).map(|(_, value)| value)
    }
    /// Sets a member; gives what was there.
    pub fn insert(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Value<'a>>) -> Option<Value<'a>> {
        let (name, value) = (name.into(), value.into());
        match self.find(&name) {
            Ok(place) => self.0.get_mut(place).map(|(_, old)| std::mem::replace(old, value)),
            Err(place) => {
                self.0.insert(place, (name, value));
                None
            }
        }
    }
    /// Takes a member out.
    pub fn remove(&mut self, name: &str) -> Option<Value<'a>> {
        let place = self.find(name).ok()?;
        Some(self.0.remove(place).1)
    }
    /// The members in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value<'a>)> {
        self.0.iter().map(|(n, v)| (n.as_ref(), v))
    }
    /// How many members.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// The same members, owning their strings.
    pub fn into_owned(self) -> Object<'static> {
        let members = self.0.into_iter();
        Object(members.map(|(name, value)| (Cow::Owned(name.into_owned()), value.into_owned())).collect())
    }

    /// Where a member is, or where it belongs.
    fn find(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.as_ref().cmp(name))
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Value::String(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Value::String(Cow::Owned(text))
    }
}

impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        Value::Unsigned(number)
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl<'a> From<Vec<Value<'a>>> for Value<'a> {
    fn from(values: Vec<Value<'a>>) -> Self {
        Value::Array(values)
    }
}

impl<'a> From<Object<'a>> for Value<'a> {
    fn from(object: Object<'a>) -> Self {
        Value::Object(object)
    }
}
