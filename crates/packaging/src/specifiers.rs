//! Version specifiers (PEP 440): conditions on versions.
//!
//! The library parses them. Matching is `specifiers/matching.rs` and nowhere else: the library's own differs from the
//! reference implementation, and its type stays private, so that no other code can call it.

use std::fmt;
use std::ops::{Deref, Range};
use std::str::FromStr;

use pep440_rs::{Operator, Version};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

mod matching;

/// One version specifier, for instance `>=2.8`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VersionSpecifier {
    operator: Operator,
    version: Version,
    /// What `===` is followed by, which is compared as text.
    text: Option<Box<str>>,
}

/// A list of specifiers which all must match, for instance `>=2.8,<3`. None at all matches every version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct VersionSpecifiers(Vec<VersionSpecifier>);

/// Text that is no list of version specifiers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid version specifiers '{text}': {reason}")]
pub struct VersionSpecifiersError {
    /// The text, fit to be shown.
    pub text: String,
    /// What is wrong with it, in one line.
    pub reason: String,
}

impl VersionSpecifier {
    /// How versions are compared; `==1.*` has an operator of its own.
    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// What they are compared with; of `==1.*` without the star.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// Whether it matches a version. Pre-releases match like any version; whether they are wanted is another question.
    pub fn contains(&self, version: &Version) -> bool {
        matching::admits(self, version)
    }
}

impl VersionSpecifiers {
    /// Specifiers that match every version.
    pub fn empty() -> Self {
        Self(Vec::new())
    }

    /// Whether all specifiers match. Pre-releases match like any version; whether they are wanted is another question.
    pub fn contains(&self, version: &Version) -> bool {
        self.iter().all(|specifier| specifier.contains(version))
    }

    /// The spans of `versions`, which ascend, that [`Self::contains`] is true for.
    ///
    /// Only versions with the release number a specifier names are looked at one by one; the rest is decided by which
    /// side they are on. Projects have thousands of versions, and each version of a project may name another specifier.
    pub fn spans(&self, versions: &[&Version]) -> Vec<Range<usize>> {
        matching::spans(self, versions)
    }

    /// Whether a specifier names a pre-release, so that pre-releases are wanted.
    pub fn names_prerelease(&self) -> bool {
        self.iter().any(|specifier| {
            !matches!(specifier.operator, Operator::NotEqual | Operator::EqualStar | Operator::NotEqualStar)
                && specifier.version.any_prerelease()
        })
    }

    /// Whether a specifier pins one version, so that a yanked one may be wanted (PEP 592).
    pub fn pins(&self) -> bool {
        self.iter().any(|specifier| matches!(specifier.operator, Operator::Equal | Operator::ExactEqual))
    }
}

impl Deref for VersionSpecifiers {
    type Target = [VersionSpecifier];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl FromIterator<VersionSpecifier> for VersionSpecifiers {
    fn from_iter<T: IntoIterator<Item = VersionSpecifier>>(specifiers: T) -> Self {
        Self(specifiers.into_iter().collect())
    }
}

impl From<VersionSpecifier> for VersionSpecifiers {
    fn from(specifier: VersionSpecifier) -> Self {
        Self(vec![specifier])
    }
}

/// The most characters of a text that a message shows.
const MOST_SHOWN: usize = 200;

impl FromStr for VersionSpecifier {
    type Err = VersionSpecifiersError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = pep440_rs::VersionSpecifier::from_str(text).map_err(|error| VersionSpecifiersError {
            text: printable::shortened(text, MOST_SHOWN),
            reason: one_line(&error),
        })?;
        let (operator, version) = parsed.into_parts();
        let exactly = text.trim().strip_prefix("===").filter(|_| operator == Operator::ExactEqual);
        Ok(Self { operator, version, text: exactly.map(|text| text.trim().into()) })
    }
}

impl FromStr for VersionSpecifiers {
    type Err = VersionSpecifiersError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let specifiers = text.split(',').map(str::trim).filter(|specifier| !specifier.is_empty());
        specifiers
            .map(VersionSpecifier::from_str)
            .collect::<Result<_, _>>()
            .map_err(|error| VersionSpecifiersError { text: printable::shortened(text, MOST_SHOWN), ..error })
    }
}

fn one_line(error: &impl fmt::Display) -> String {
    printable::shortened(error.to_string().lines().next().unwrap_or_default(), 2 * MOST_SHOWN)
}

impl fmt::Display for VersionSpecifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operator, version, text } = self;
        match (operator, text) {
            (_, Some(text)) => write!(formatter, "{operator}{text}"),
            (Operator::EqualStar | Operator::NotEqualStar, None) => write!(formatter, "{operator}{version}.*"),
            (_, None) => write!(formatter, "{operator}{version}"),
        }
    }
}

impl fmt::Display for VersionSpecifiers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, specifier) in self.iter().enumerate() {
            let separator = if place == 0 { "" } else { ", " };
            write!(formatter, "{separator}{specifier}")?;
        }
        Ok(())
    }
}

impl Serialize for VersionSpecifiers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for VersionSpecifiers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
