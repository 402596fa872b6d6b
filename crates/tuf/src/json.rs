//! JSON as TUF reads it: strict, and with the canonical form that is signed.

use std::borrow::Cow;

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

/// Parses one JSON text.
pub fn parse(bytes: &[u8]) -> Result<Value<'_>, SyntaxError> {
    let _ = bytes;
    todo!()
}

impl<'a> Value<'a> {
    /// The bytes that are signed (OLPC canonical JSON as securesystemslib writes it).
    pub fn canonical(&self) -> Vec<u8> {
        todo!()
    }
    /// Ordinary compact JSON, for files.
    pub fn to_json(&self) -> Vec<u8> {
        todo!()
    }
    /// The same value, owning its strings.
    pub fn into_owned(self) -> Value<'static> {
        todo!()
    }
    /// The text, if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        todo!()
    }
    /// The members, if it is an object.
    pub fn as_object(&self) -> Option<&Object<'a>> {
        todo!()
    }
}

impl<'a> Object<'a> {
    /// No members.
    pub fn new() -> Self {
        todo!()
    }
    /// The member of that name.
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        let _ = name;
        todo!()
    }
    /// Sets a member; gives what was there.
    pub fn insert(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Value<'a>>) -> Option<Value<'a>> {
        let _ = (name.into(), value.into());
        todo!()
    }
    /// Takes a member out.
    pub fn remove(&mut self, name: &str) -> Option<Value<'a>> {
        let _ = name;
        todo!()
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
}
