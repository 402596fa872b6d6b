//! Version specifiers (PEP 440): which versions are wanted.
//!
//! The library parses them. Matching is written here, because the library differs from the reference implementation for
//! specifiers that name a pre-release, a post-release or a local version.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use pep440_rs::{Operator, Version, VersionSpecifier};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A list of specifiers which all must match, for instance `>=2.8,<3`. None at all matches every version.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VersionSpecifiers(pep440_rs::VersionSpecifiers);

/// Text that is no list of version specifiers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid version specifiers '{text}': {reason}")]
pub struct VersionSpecifiersError {
    /// The text as given.
    pub text: String,
    /// What is wrong with it, in one line.
    pub reason: String,
}

impl VersionSpecifiers {
    /// Specifiers that match every version.
    pub fn empty() -> Self {
        Self(pep440_rs::VersionSpecifiers::empty())
    }

    /// Whether all specifiers match. Pre-releases match like any version; whether they are wanted is another question.
    pub fn contains(&self, version: &Version) -> bool {
        self.iter().all(|specifier| matches(specifier, version))
    }
}

/// Whether one specifier matches a version. Pre-releases match like any version.
pub fn matches(specifier: &VersionSpecifier, version: &Version) -> bool {
    let wanted = specifier.version();
    match specifier.operator() {
        // PEP 440, exclusive ordered comparison: pre-releases of the named version are not before it, unless one is named.
        Operator::LessThan if wanted.any_prerelease() => version < wanted,
        Operator::LessThan => *version < wanted.clone().with_dev(Some(0)),
        // Likewise its post-releases are not after it, unless one is named; and local versions never are.
        Operator::GreaterThan => {
            let public = version.clone().without_local();
            public > *wanted
                && (wanted.any_prerelease() || wanted.is_post() || !version.is_post() || !same_release(version, wanted))
        }
        _ => specifier.contains(version),
    }
}

/// Whether two versions have the same epoch and the same numbers, zeros at the end apart.
fn same_release(left: &Version, right: &Version) -> bool {
    left.epoch() == right.epoch() && numbers(left) == numbers(right)
}

fn numbers(version: &Version) -> &[u64] {
    let release = version.release();
    let zeros = release.iter().rev().take_while(|number| **number == 0).count();
    release.get(..release.len() - zeros).unwrap_or_default()
}

impl Default for VersionSpecifiers {
    fn default() -> Self {
        Self::empty()
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
        Self(specifier.into())
    }
}

impl FromStr for VersionSpecifiers {
    type Err = VersionSpecifiersError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |reason: String| VersionSpecifiersError { text: text.to_owned(), reason };
        let specifiers = text.split(',').map(str::trim).filter(|specifier| !specifier.is_empty());
        specifiers
            .map(|specifier| VersionSpecifier::from_str(specifier).map_err(|found| error(one_line(&found))))
            .collect()
    }
}

fn one_line(error: &impl fmt::Display) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

impl fmt::Display for VersionSpecifiers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
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
