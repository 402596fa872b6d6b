//! A dependency specifier (PEP 508): what a user or a distribution asks for.

use std::fmt;
use std::str::FromStr;

use pep440_rs::VersionSpecifiers;
use pep508_rs::{ExtraName, MarkerEnvironment, MarkerTree, PackageName, Pep508Url, VersionOrUrl};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

/// A parsed dependency specifier, for instance `requests[socks]>=2.8; python_version < "3.13"`.
///
/// Prints as it was written, so that messages show what the user or the author of the metadata knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Requirement {
    /// The normalized project name.
    pub name: PackageName,
    /// Extras asked for, normalized, in the order written.
    pub extras: Vec<ExtraName>,
    /// Version specifiers; empty when any version will do or when there is a URL.
    pub specifiers: VersionSpecifiers,
    /// The URL of a direct reference (`name @ url`).
    pub url: Option<Url>,
    /// The environment marker; `MarkerTree::TRUE` when there is none.
    pub marker: MarkerTree,
    text: String,
}

/// Text that is no dependency specifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid requirement '{text}': {reason}")]
pub struct RequirementError {
    /// The text as given.
    pub text: String,
    /// What is wrong with it, in one line.
    pub reason: String,
}

impl Requirement {
    /// Whether the requirement applies in `environment` with one of `extras` asked of the distribution that declares it.
    ///
    /// A marker that mentions no extra does not depend on `extras`.
    pub fn applies(&self, environment: &MarkerEnvironment, extras: &[ExtraName]) -> bool {
        self.marker.evaluate(environment, extras)
    }

    /// The text without its marker and without surrounding space.
    pub fn without_marker(&self) -> &str {
        // A semicolon may occur inside a URL; there the marker starts only after white space.
        let end = if self.url.is_some() {
            self.text.find(" ;").unwrap_or(self.text.len())
        } else {
            self.text.find(';').unwrap_or(self.text.len())
        };
        self.text.get(..end).unwrap_or(&self.text).trim()
    }
}

impl FromStr for Requirement {
    type Err = RequirementError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = pep508_rs::Requirement::<DirectUrl>::from_str(text).map_err(|error| RequirementError {
            text: text.to_owned(),
            // The library appends a picture of the text with a caret; messages here are one line.
            reason: error.message.to_string().lines().next().unwrap_or_default().to_owned(),
        })?;
        let (specifiers, url) = match parsed.version_or_url {
            None => (VersionSpecifiers::empty(), None),
            Some(VersionOrUrl::VersionSpecifier(specifiers)) => (specifiers, None),
            Some(VersionOrUrl::Url(DirectUrl(url))) => (VersionSpecifiers::empty(), Some(url)),
        };
        Ok(Self {
            name: parsed.name,
            extras: parsed.extras,
            specifiers,
            url,
            marker: parsed.marker,
            text: text.trim().to_owned(),
        })
    }
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

/// The URL of a direct reference, absolute as PEP 508 wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct DirectUrl(Url);

impl fmt::Display for DirectUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Pep508Url for DirectUrl {
    type Err = url::ParseError;

    fn parse_url(url: &str, _working_dir: Option<&std::path::Path>) -> Result<Self, Self::Err> {
        Url::parse(url).map(Self)
    }
}
