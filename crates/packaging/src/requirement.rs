//! A dependency specifier (PEP 508): a requirement of a user or a distribution.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

use crate::marker::Marker;
use crate::marker_environment::MarkerEnvironment;
use crate::names::{ExtraName, PackageName};
use crate::specifiers::{VersionSpecifiers, VersionSpecifiersError};

/// The longest requirement that is read, in bytes.
const MAX_LENGTH: usize = 64 * 1024;

/// The most characters of a text that a message shows.
const MOST_SHOWN: usize = 200;

/// A parsed dependency specifier, for instance `requests[socks]>=2.8; python_version < "3.13"`.
///
/// Prints as it was written, so that messages show what the user or the author of the metadata knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Requirement {
    /// The normalized project name.
    pub name: PackageName,
    /// Requested extras, normalized, in the order written.
    pub extras: Vec<ExtraName>,
    /// Version specifiers; empty when any version will do or when there is a URL.
    pub specifiers: VersionSpecifiers,
    /// The URL of a direct reference (`name @ url`).
    pub url: Option<Url>,
    /// The environment marker; `Marker::TRUE` when there is none.
    pub marker: Marker,
    /// Where in `text` the part before the marker ends.
    marker_start: usize,
    text: String,
}

/// Text that is no dependency specifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid requirement '{text}': {reason}")]
pub struct RequirementError {
    /// The text as given, fit to be shown: without control characters and passwords, and not longer than a message.
    pub text: String,
    /// What is wrong with it, in one line.
    pub reason: String,
}

impl Requirement {
    /// Whether the requirement applies in `environment` with one of `extras` asked of the distribution that declares
    /// it.
    ///
    /// A marker that mentions no extra does not depend on `extras`.
    pub fn applies(&self, environment: &MarkerEnvironment, extras: &[ExtraName]) -> bool {
        self.marker.evaluate(environment, extras)
    }

    /// The project's name as written.
    pub fn spelled_name(&self) -> &str {
        let is_part = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
        let end = self.text.find(|character| !is_part(character)).unwrap_or(self.text.len());
        self.text.get(..end).unwrap_or_default()
    }

    /// The text without its marker and without surrounding space.
    pub fn without_marker(&self) -> &str {
        self.text.get(..self.marker_start).unwrap_or(&self.text).trim_end()
    }
}

impl FromStr for Requirement {
    type Err = RequirementError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let error = |mut reason: String| {
            let shown = printable::redacted(text);
            // What was found can be a piece of what is hidden.
            if shown != text
                && let Some(found) = reason.find(", found ")
            {
                reason.truncate(found);
            }
            RequirementError { text: printable::shortened(shown, MOST_SHOWN), reason }
        };
        if text.len() > MAX_LENGTH {
            return Err(error(format!("it is longer than {MAX_LENGTH} bytes")));
        }
        let parts = Parts::split(text).map_err(error)?;
        let (name, extras) = name_and_extras(parts.name).map_err(error)?;
        let specifiers = parts.specifiers.parse().map_err(|found: VersionSpecifiersError| error(found.reason))?;
        let url = parts.url.map(Url::parse).transpose().map_err(|found| error(found.to_string()))?;
        let marker = parts.marker.map(str::parse).transpose().map_err(error)?.unwrap_or(Marker::TRUE);
        let marker_start = parts.marker_start;
        Ok(Self { name, extras, specifiers, url, marker, marker_start, text: text.to_owned() })
    }
}

/// The parts of a requirement by the characters which separate them.
#[derive(Default)]
struct Parts<'text> {
    /// The name and the extras.
    name: &'text str,
    specifiers: &'text str,
    url: Option<&'text str>,
    marker: Option<&'text str>,
    /// Where the part before the marker ends.
    marker_start: usize,
}

impl<'text> Parts<'text> {
    fn split(text: &'text str) -> Result<Self, String> {
        let end = text.find(['@', ';', '<', '>', '=', '!', '~', '(']).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        if let Some(rest) = rest.strip_prefix('@') {
            return Self::split_url(rest, text.len()).map(|parts| Self { name, ..parts });
        }
        let (specifiers, marker) = rest.split_once(';').map_or((rest, None), |(head, marker)| (head, Some(marker)));
        let marker_start = name.len() + specifiers.len();
        let mut specifiers = specifiers.trim();
        if let Some(inner) = specifiers.strip_prefix('(') {
            specifiers = inner.strip_suffix(')').ok_or("expected ')' after the versions")?;
        }
        Ok(Self { name, specifiers, url: None, marker, marker_start })
    }

    /// A semicolon may occur inside a URL; there the marker starts only after white space.
    fn split_url(rest: &'text str, length: usize) -> Result<Self, String> {
        let rest = rest.trim_start();
        let (url, rest) = rest.split_at(rest.find([' ', '\t']).unwrap_or(rest.len()));
        let marker = match rest.trim_start() {
            "" => None,
            rest => Some(rest.strip_prefix(';').ok_or("expected ';' and a marker after the URL")?),
        };
        if url.is_empty() {
            return Err("expected a URL after '@'".to_owned());
        }
        Ok(Self { url: Some(url), marker, marker_start: length - rest.len(), ..Self::default() })
    }
}

/// What an archive is named. A file in place of a name is a mistake, and must not become the name of a project in an
/// index.
const ARCHIVES: [&str; 12] =
    [".whl", ".zip", ".tar", ".tgz", ".tbz", ".txz", ".tlz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.lz", ".tar.lzma"];

/// The name, and the extras between brackets behind it.
fn name_and_extras(text: &str) -> Result<(PackageName, Vec<ExtraName>), String> {
    let text = text.trim();
    let is_part = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
    let (name, rest) = text.split_at(text.find(|character| !is_part(character)).unwrap_or(text.len()));
    if name.is_empty() {
        let found =
            if text.is_empty() { "nothing".to_owned() } else { format!("'{}'", printable::shortened(text, 40)) };
        return Err(format!("expected the name of a project, found {found}"));
    }
    if ARCHIVES.iter().any(|ending| name.ends_with(ending)) {
        return Err(format!("expected the name of a project, found a file; write 'name @ URL' to name one: '{name}'"));
    }
    let name = name.parse::<PackageName>().map_err(|error| error.to_string())?;
    let rest = rest.trim();
    if rest.is_empty() {
        return Ok((name, Vec::new()));
    }
    let inner = rest.strip_prefix('[').ok_or_else(|| {
        let found = printable::shortened(rest, 40);
        format!("expected '[', '@', ';', '(' or a version specifier after the name, found '{found}'")
    })?;
    let inner = inner.strip_suffix(']').ok_or("expected ']' after the extras")?.trim();
    if inner.is_empty() {
        return Ok((name, Vec::new()));
    }
    let extras = inner.split(',').map(|extra| extra.trim().parse::<ExtraName>().map_err(|error| error.to_string()));
    Ok((name, extras.collect::<Result<_, _>>()?))
}

impl fmt::Display for Requirement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Serialize for Requirement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Requirement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Requirement;

    #[test]
    fn no_part_of_a_secret_is_in_the_reason() {
        for text in ["me:s3cret@pkgs.example.org/a.zip", ":s3cret@pkgs.example.org", "a b:s3cret@pkgs.example.org"] {
            let error = text.parse::<Requirement>().unwrap_err().to_string();
            assert!(error.contains("****@pkgs.example.org") && !error.contains("s3cret"), "{error}");
        }
    }
}
