//! The JSON form of a project page (PEP 691), read in one pass without copying what is not kept.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use url::Url;

use super::link::LinkBase;
use crate::names::PackageName;
use crate::simple_page::{CoreMetadataFile, HashAlgorithm, Hashes, PageError, ProjectPage, ProjectStatus, Row};

pub(crate) fn read(content: &[u8], base: &Url, project: &PackageName) -> Result<ProjectPage, PageError> {
    let mut reader = PageReader { page: ProjectPage::default(), api_version: None, base: LinkBase::new(base), project };
    let mut deserializer = serde_json::Deserializer::from_slice(content);
    deserializer.deserialize_map(&mut reader)?;
    deserializer.end()?;
    check_api_version(reader.api_version.as_deref())?;
    reader.page.check_size()?;
    Ok(reader.page)
}

/// PEP 629: another major version may mean anything. A page without a version is of the first.
pub(crate) fn check_api_version(version: Option<&str>) -> Result<(), PageError> {
    match version {
        None => Ok(()),
        Some(version) if version.split('.').next() == Some("1") => Ok(()),
        Some(version) => Err(PageError::ApiVersion(version.to_owned())),
    }
}

/// Fields kept of an object within a row, for instance hashes.
const MAXIMUM_FIELDS: usize = 64;

/// Methods of a visitor for values of types that are not expected and count as the given value.
macro_rules! visit_as {
    ($value:expr => $($method:ident($($type:ty)?)),+) => {
        $(fn $method<E>(self $(, _: $type)?) -> Result<Self::Value, E> {
            Ok($value)
        })+
    };
}

/// Judges each row as soon as it is read: a page of many rows would need far more memory as a list of them.
struct PageReader<'read> {
    page: ProjectPage,
    api_version: Option<String>,
    base: LinkBase<'read>,
    project: &'read PackageName,
}

impl<'de> Visitor<'de> for &mut PageReader<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object with the files of a project")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(key)) = map.next_key()? {
            match key.as_ref() {
                "meta" => {
                    if let Loose::Texts(mut meta) = map.next_value()? {
                        self.api_version = take(&mut meta, "api-version").map(Cow::into_owned);
                    }
                }
                "project-status" => self.page.status = status(map.next_value()?),
                "files" => {
                    // Of a key that is there twice, the last counts.
                    (self.page.files, self.page.skipped) = Default::default();
                    map.next_value_seed(Rows(self))?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

fn status(value: Loose<'_>) -> Option<ProjectStatus> {
    match value {
        Loose::Text(status) => Some(ProjectStatus { status: status.into_owned(), reason: None }),
        Loose::Texts(mut fields) => {
            let status = take(&mut fields, "status")?.into_owned();
            Some(ProjectStatus { status, reason: take(&mut fields, "reason").map(Cow::into_owned) })
        }
        _ => None,
    }
}

fn take<'page>(fields: &mut Vec<(Cow<'page, str>, Cow<'page, str>)>, name: &str) -> Option<Cow<'page, str>> {
    let position = fields.iter().rposition(|(field, _)| field == name)?;
    Some(fields.swap_remove(position).1)
}

struct Rows<'rows, 'read>(&'rows mut PageReader<'read>);

impl<'de> DeserializeSeed<'de> for Rows<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of files")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        while let Some(AnyRow(row)) = sequence.next_element()? {
            self.0.page.add(row, &self.0.base, self.0.project);
        }
        Ok(())
    }
}

/// A row of any shape: what is not an object is a row without anything.
struct AnyRow<'page>(Row<'page>);

impl<'de> Deserialize<'de> for AnyRow<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RowVisitor;
        impl<'de> Visitor<'de> for RowVisitor {
            type Value = AnyRow<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a file")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut row = Row::default();
                let mut old_metadata = None;
                let mut metadata = None;
                while let Some(Text(key)) = map.next_key()? {
                    match key.as_ref() {
                        "filename" => row.filename = map.next_value::<Loose<'_>>()?.text(),
                        "url" => row.link = map.next_value::<Loose<'_>>()?.text(),
                        "hashes" => row.hashes = map.next_value::<Loose<'_>>()?.hashes(),
                        "requires-python" => row.requires_python = map.next_value::<Loose<'_>>()?.text(),
                        "yanked" => row.yanked = map.next_value::<Loose<'_>>()?.yanked(),
                        "core-metadata" => metadata = map.next_value::<Loose<'_>>()?.core_metadata(),
                        "dist-info-metadata" => old_metadata = map.next_value::<Loose<'_>>()?.core_metadata(),
                        "size" => row.size = map.next_value::<Loose<'_>>()?.number(),
                        "upload-time" => row.upload_time = map.next_value::<Loose<'_>>()?.text(),
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                // PEP 714: the old name counts only where the new one is missing.
                row.core_metadata = metadata.or(old_metadata).unwrap_or_default();
                Ok(AnyRow(row))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
                while sequence.next_element::<IgnoredAny>()?.is_some() {}
                Ok(AnyRow(Row::default()))
            }

            visit_as!(AnyRow(Row::default()) => visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64));
            visit_as!(AnyRow(Row::default()) => visit_unit(), visit_str(&str));
        }
        deserializer.deserialize_any(RowVisitor)
    }
}

/// A string, borrowed from the page unless it has escapes.
struct Text<'page>(Cow<'page, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// Any value, of which only what rows use is kept; so a field of another type than expected is as good as missing.
enum Loose<'page> {
    Text(Cow<'page, str>),
    Texts(Vec<(Cow<'page, str>, Cow<'page, str>)>),
    Bool(bool),
    Number(u64),
    Other,
}

impl<'page> Loose<'page> {
    fn text(self) -> Option<Cow<'page, str>> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    fn number(self) -> Option<u64> {
        if let Self::Number(number) = self { Some(number) } else { None }
    }

    fn hashes(self) -> Hashes {
        let mut hashes = Hashes::default();
        if let Self::Texts(texts) = self {
            for (name, hex) in texts {
                if let Some(algorithm) = HashAlgorithm::from_name(&name) {
                    hashes.set(algorithm, hex.into_owned());
                }
            }
        }
        hashes
    }

    /// PEP 691: anything true is yanked, a string is the reason.
    fn yanked(self) -> Option<String> {
        match self {
            Self::Text(reason) if !reason.is_empty() => Some(reason.into_owned()),
            Self::Bool(true) => Some(String::new()),
            _ => None,
        }
    }

    fn core_metadata(self) -> Option<CoreMetadataFile> {
        match self {
            Self::Bool(false) => Some(CoreMetadataFile::Absent),
            Self::Bool(true) => Some(CoreMetadataFile::Available { sha256: None }),
            Self::Texts(mut texts) => {
                let sha256 = take(&mut texts, "sha256").map(|hex| hex.to_ascii_lowercase());
                Some(CoreMetadataFile::Available { sha256 })
            }
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Loose<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LooseVisitor;
        impl<'de> Visitor<'de> for LooseVisitor {
            type Value = Loose<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("any value")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Loose::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Loose::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
                Ok(Loose::Bool(value))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
                Ok(Loose::Number(value))
            }

            visit_as!(Loose::Other => visit_i64(i64), visit_f64(f64), visit_unit());

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
                while sequence.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Loose::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut texts = Vec::new();
                while let Some(Text(key)) = map.next_key()? {
                    if let Shallow(Some(text)) = map.next_value()?
                        && texts.len() < MAXIMUM_FIELDS
                    {
                        texts.push((key, text));
                    }
                }
                Ok(Loose::Texts(texts))
            }
        }
        deserializer.deserialize_any(LooseVisitor)
    }
}

/// A string, or anything else, which is passed over without recursion.
struct Shallow<'page>(Option<Cow<'page, str>>);

impl<'de> Deserialize<'de> for Shallow<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ShallowVisitor;
        impl<'de> Visitor<'de> for ShallowVisitor {
            type Value = Shallow<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("any value")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Shallow(Some(Cow::Borrowed(text))))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Shallow(Some(Cow::Owned(text.to_owned()))))
            }

            visit_as!(Shallow(None) => visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_unit());

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
                while sequence.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Shallow(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Shallow(None))
            }
        }
        deserializer.deserialize_any(ShallowVisitor)
    }
}
