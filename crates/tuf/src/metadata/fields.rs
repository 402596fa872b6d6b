//! Reading fields of objects, with the place of what is wrong.

use crate::format_error::{FormatError, JsonPath};
use crate::json::{Object, Value};
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// A value and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Field<'p, 'v> {
    pub(super) value: &'v Value<'v>,
    pub(super) place: JsonPath<'p>,
}

/// An object out of which known members are taken; the others are kept by [`ObjectFields::rest`].
pub(super) struct ObjectFields<'p, 'v> {
    place: &'p JsonPath<'p>,
    object: &'v Object<'v>,
    taken: SmallVec<[&'static str; 8]>,
}

impl<'p, 'v> Field<'p, 'v> {
    pub(super) fn wrong(&self, expected: impl Into<String>) -> FormatError {
        FormatError::wrong(&self.place, expected, self.value)
    }

    /// Right in kind, wrong in content.
    pub(super) fn because(&self, expected: impl Into<String>, found: impl Into<String>) -> FormatError {
        FormatError::because(&self.place, expected, found)
    }

    pub(super) fn string(&self) -> Result<&'v str, FormatError> {
        self.value.as_str().ok_or_else(|| self.wrong("a string"))
    }

    pub(super) fn non_empty_string(&self) -> Result<&'v str, FormatError> {
        self.value.as_str().filter(|text| !text.is_empty()).ok_or_else(|| self.wrong("a non-empty string"))
    }

    pub(super) fn boolean(&self) -> Result<bool, FormatError> {
        match self.value {
            Value::Bool(value) => Ok(*value),
            _ => Err(self.wrong("true or false")),
        }
    }

    pub(super) fn integer(&self, range: RangeInclusive<u64>) -> Result<u64, FormatError> {
        match self.value {
            Value::Unsigned(value) if range.contains(value) => Ok(*value),
            _ => Err(self.wrong(format!("an integer from {} to {}", range.start(), range.end()))),
        }
    }

    /// The elements of an array of at most `most`; more are refused before any is looked at.
    pub(super) fn elements(&self, most: usize) -> Result<impl ExactSizeIterator<Item = Field<'_, 'v>>, FormatError> {
        let Value::Array(elements) = self.value else { return Err(self.wrong("an array")) };
        if elements.len() > most {
            return Err(self.wrong(format!("an array of at most {most}")));
        }
        let field = |(index, value)| Field { value, place: self.place.element(index) };
        Ok(elements.iter().enumerate().map(field))
    }

    /// The members of an object in which names are data, at most `most` of them.
    pub(super) fn members(&self, most: usize) -> Result<impl Iterator<Item = (&'v str, Field<'_, 'v>)>, FormatError> {
        let object = self.object()?;
        if object.len() > most {
            return Err(self.wrong(format!("an object of at most {most}")));
        }
        Ok(object.iter().map(|(name, value)| (name, Field { value, place: self.place.member(name) })))
    }

    /// The same members as a map, each value read by `read`.
    pub(super) fn map<T>(
        &self,
        read: impl Fn(&Field<'_, 'v>) -> Result<T, FormatError>,
    ) -> Result<BTreeMap<String, T>, FormatError> {
        // The limit on the size of the file is limit enough.
        let members = self.members(usize::MAX)?;
        // Room for all at once: a map is made from sorted entries quicker than by collecting what may fail.
        let mut entries = Vec::with_capacity(self.object()?.len());
        for (name, field) in members {
            entries.push((name.to_owned(), read(&field)?));
        }
        Ok(entries.into_iter().collect())
    }

    pub(super) fn fields(&self) -> Result<ObjectFields<'_, 'v>, FormatError> {
        Ok(ObjectFields { place: &self.place, object: self.object()?, taken: SmallVec::new() })
    }

    fn object(&self) -> Result<&'v Object<'v>, FormatError> {
        self.value.as_object().ok_or_else(|| self.wrong("an object"))
    }
}

impl<'p, 'v> ObjectFields<'p, 'v> {
    pub(super) fn required(&mut self, name: &'static str) -> Result<Field<'p, 'v>, FormatError> {
        let place = self.place;
        self.optional(name).ok_or_else(|| FormatError::because(&place.member(name), "a value", "nothing"))
    }

    pub(super) fn optional(&mut self, name: &'static str) -> Option<Field<'p, 'v>> {
        let value = self.object.get(name)?;
        self.taken.push(name);
        Some(Field { value, place: self.place.member(name) })
    }

    /// The object as a whole is wrong.
    pub(super) fn because(&self, expected: impl Into<String>, found: impl Into<String>) -> FormatError {
        FormatError::because(self.place, expected, found)
    }

    /// The unknown members: signed like all others, so they must not get lost.
    pub(super) fn rest(self) -> Object<'static> {
        let mut rest = Object::new();
        if self.taken.len() < self.object.len() {
            for (name, value) in self.object.iter().filter(|(name, _)| !self.taken.contains(name)) {
                rest.insert(name.to_owned(), value.clone().into_owned());
            }
        }
        rest
    }
}
