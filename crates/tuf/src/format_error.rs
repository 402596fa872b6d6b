//! What is wrong with the form of a file.

use crate::json::{SyntaxError, Value};
use std::fmt;

/// Longest text of a file that an error repeats, in characters.
const SHOWN: usize = 80;

/// Where a file is not as the specification says (spec section 4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatError {
    /// Path of the field, such as `signed.roles.root.threshold`; the file itself is empty.
    pub place: String,
    /// What the specification wants.
    pub expected: String,
    /// What is there, shortened.
    pub found: String,
    /// The format is one of a later specification, or of an extension not supported here.
    pub unsupported: bool,
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        write!(f, "expected {}, found {}", self.expected, self.found)
    }
}

impl std::error::Error for FormatError {}

impl FormatError {
    /// A value of the wrong kind.
    pub(crate) fn wrong(place: &JsonPath<'_>, expected: impl Into<String>, found: &Value<'_>) -> Self {
        Self::because(place, expected, describe(found))
    }

    /// Anything else; `found` is already text for users.
    pub(crate) fn because(place: &JsonPath<'_>, expected: impl Into<String>, found: impl Into<String>) -> Self {
        FormatError { place: place.to_string(), expected: expected.into(), found: found.into(), unsupported: false }
    }

    /// The same, of a format that a later version of this program may know.
    pub(crate) fn unsupported(self) -> Self {
        FormatError { unsupported: true, ..self }
    }

    /// The same error, seen from the file in which the value stands at `place`.
    pub(crate) fn within(mut self, place: &JsonPath<'_>) -> Self {
        let inner = std::mem::take(&mut self.place);
        let dot = if inner.is_empty() || inner.starts_with('[') { "" } else { "." };
        self.place = format!("{place}{dot}{inner}");
        self
    }
}

impl From<SyntaxError> for FormatError {
    fn from(error: SyntaxError) -> Self {
        FormatError { place: String::new(), expected: "JSON".to_owned(), found: error.to_string(), unsupported: false }
    }
}

/// Where a value stands. A chain through the callers' stack frames: it becomes text only when something is wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JsonPath<'p> {
    within: Option<&'p JsonPath<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'p> {
    File,
    Member(&'p str),
    Element(usize),
}

impl<'p> JsonPath<'p> {
    /// The file as a whole.
    pub(crate) const FILE: JsonPath<'static> = JsonPath { within: None, step: Step::File };

    /// A member of the file's object.
    pub(crate) fn top(name: &'p str) -> Self {
        JsonPath { within: None, step: Step::Member(name) }
    }

    /// A member of the object here.
    pub(crate) fn member(&'p self, name: &'p str) -> Self {
        JsonPath { within: Some(self), step: Step::Member(name) }
    }

    /// An element of the array here.
    pub(crate) fn element(&'p self, index: usize) -> Self {
        JsonPath { within: Some(self), step: Step::Element(index) }
    }
}

impl fmt::Display for JsonPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(outer) = self.within {
            outer.fmt(f)?;
        }
        match self.step {
            Step::File => Ok(()),
            Step::Element(index) => write!(f, "[{index}]"),
            Step::Member(name) if !is_plain(name) => write!(f, "[{}]", quote(name)),
            Step::Member(name) if self.within.is_some_and(|outer| !matches!(outer.step, Step::File)) => {
                write!(f, ".{name}")
            }
            Step::Member(name) => f.write_str(name),
        }
    }
}

/// Whether a name can stand in a path without quotes.
fn is_plain(name: &str) -> bool {
    (1..=SHOWN).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// A value in at most about [`SHOWN`] characters.
fn describe(value: &Value<'_>) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Unsigned(value) => value.to_string(),
        Value::Negative(value) => value.to_string(),
        Value::String(text) => quote(text),
        Value::Array(elements) => format!("an array of {}", elements.len()),
        Value::Object(members) => format!("an object of {}", members.len()),
    }
}

/// Text in quotes, in at most [`SHOWN`] characters with them and the sign that it goes on.
pub(super) fn quote(text: &str) -> String {
    printable::quoted(text, SHOWN - 3)
}
