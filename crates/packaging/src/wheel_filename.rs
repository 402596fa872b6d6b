//! The file name of a wheel: `{name}-{version}(-{build})?-{python}-{abi}-{platform}.whl` (PEP 427, PEP 425).
//!
//! Names of wheel variants and everything else that has another shape are errors, so that a caller can skip them.

use std::fmt;
use std::str::FromStr;

use pep440_rs::Version;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::names::PackageName;

/// A parsed wheel file name. Prints as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WheelFilename {
    /// The normalized project name.
    pub name: PackageName,
    /// The version of the release.
    pub version: Version,
    /// The build tag, which breaks ties between wheels of the same version and tags; no build tag is less than any.
    pub build: Option<BuildTag>,
    text: Box<str>,
    /// Where the compatibility tags begin in `text`.
    tags_start: usize,
}

/// The optional build number of a wheel: leading digits, then whatever follows. Ordered by number, then by the rest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BuildTag {
    /// The leading digits.
    pub number: u64,
    /// What follows the digits, often nothing.
    pub rest: String,
}

/// Why a file name is not the name of a wheel that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WheelFilenameError {
    /// It does not end in `.whl`.
    #[error("expected a file name ending in '.whl'")]
    Extension,
    /// It does not have five or six parts, or a part has characters that no part may have.
    #[error("expected 'name-version(-build)-python-abi-platform.whl'")]
    Shape,
    /// The project name is not valid.
    #[error("'{0}' is no valid escaped project name")]
    Name(String),
    /// The version is not valid (PEP 440).
    #[error("'{0}' is no valid version")]
    Version(String),
    /// The build tag does not start with a number that fits 64 bits.
    #[error("'{0}' is no valid build tag: it must start with a number")]
    Build(String),
    /// A compatibility tag is empty or not an identifier.
    #[error("'{0}' is no valid compatibility tag")]
    Tag(String),
}

impl WheelFilename {
    /// The file name as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The Python tags as written, for instance `py2` and `py3`.
    pub fn python_tags(&self) -> impl Iterator<Item = &str> {
        self.tag_part(0)
    }

    /// The ABI tags as written, for instance `abi3`.
    pub fn abi_tags(&self) -> impl Iterator<Item = &str> {
        self.tag_part(1)
    }

    /// The platform tags as written, for instance `manylinux_2_17_x86_64` and `manylinux2014_x86_64`.
    pub fn platform_tags(&self) -> impl Iterator<Item = &str> {
        self.tag_part(2)
    }

    /// The three tag parts as written, for instance `py2.py3-none-any`.
    pub fn tags(&self) -> &str {
        self.text.get(self.tags_start..self.text.len().saturating_sub(".whl".len())).unwrap_or_default()
    }

    fn tag_part(&self, part: usize) -> impl Iterator<Item = &str> {
        self.tags().splitn(3, '-').nth(part).unwrap_or_default().split('.')
    }
}

impl FromStr for WheelFilename {
    type Err = WheelFilenameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let stem = text.strip_suffix(".whl").ok_or(WheelFilenameError::Extension)?;
        if !stem.bytes().all(|byte| byte > b' ' && byte != 0x7f && byte != b'/' && byte != b'\\') {
            return Err(WheelFilenameError::Shape);
        }
        let mut parts = [""; 6];
        let mut count = 0;
        for part in stem.split('-') {
            *parts.get_mut(count).ok_or(WheelFilenameError::Shape)? = part;
            count += 1;
        }
        let (name, version, build, python, abi, platform) = match (count, parts) {
            (5, [name, version, python, abi, platform, _]) => (name, version, None, python, abi, platform),
            (6, [name, version, build, python, abi, platform]) => (name, version, Some(build), python, abi, platform),
            _ => return Err(WheelFilenameError::Shape),
        };
        // PEP 427: runs of separators are escaped to a single underscore.
        let name = if name.contains("__") { None } else { name.parse().ok() }
            .ok_or_else(|| WheelFilenameError::Name(name.to_owned()))?;
        let version = version.parse().map_err(|_| WheelFilenameError::Version(version.to_owned()))?;
        let build = build.map(BuildTag::from_str).transpose()?;
        if let Some(tag) = python.split('.').find(|tag| !is_identifier(tag)) {
            return Err(WheelFilenameError::Tag(tag.to_owned()));
        }
        if abi.split('.').chain(platform.split('.')).any(str::is_empty) {
            return Err(WheelFilenameError::Tag(String::new()));
        }
        let tags_start = stem.len() - (python.len() + abi.len() + platform.len() + 2);
        Ok(Self { name, version, build, text: text.into(), tags_start })
    }
}

impl FromStr for BuildTag {
    type Err = WheelFilenameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
        let (digits, rest) = text.split_at(end);
        let number = digits.parse().map_err(|_| WheelFilenameError::Build(text.to_owned()))?;
        Ok(Self { number, rest: rest.to_owned() })
    }
}

impl fmt::Display for WheelFilename {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Serialize for WheelFilename {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for WheelFilename {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Every tag a Python interpreter has is ASCII, so other identifiers need no support: they could never match.
fn is_identifier(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> WheelFilenameError {
        text.parse::<WheelFilename>().expect_err(text)
    }

    #[test]
    fn parts_are_found_and_the_text_is_kept() {
        let text = "Foo_Bar.baz-1.0+local.1-12abc-py2.py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl";
        let wheel: WheelFilename = text.parse().unwrap();
        assert_eq!(wheel.name.to_string(), "foo-bar-baz");
        assert_eq!(wheel.version, "1.0+local.1".parse().unwrap());
        assert_eq!(wheel.build, Some(BuildTag { number: 12, rest: "abc".into() }));
        assert_eq!(wheel.python_tags().collect::<Vec<_>>(), ["py2", "py3"]);
        assert_eq!(wheel.abi_tags().collect::<Vec<_>>(), ["none"]);
        assert_eq!(wheel.platform_tags().collect::<Vec<_>>(), ["manylinux_2_17_x86_64", "manylinux2014_x86_64"]);
        assert_eq!(wheel.tags(), "py2.py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64");
        assert_eq!(wheel.to_string(), text);
    }

    #[test]
    fn build_tags_are_ordered_by_number_and_absence_is_least() {
        let build = |text: &str| Some(BuildTag::from_str(text).unwrap());
        assert!(None < build("0"));
        assert!(build("2") < build("10"));
        assert!(build("2") < build("2a"));
    }

    #[test]
    fn what_is_no_wheel_is_a_typed_error() {
        assert_eq!(error("foo-1.0.tar.gz"), WheelFilenameError::Extension);
        assert_eq!(error("foo-1.0.whl"), WheelFilenameError::Shape);
        assert_eq!(error("foo-1.0-1-py3-none-any-x86_64_v3.whl"), WheelFilenameError::Shape);
        assert!(matches!(error("foo-1.0-py3-none-any-x86_64_v3.whl"), WheelFilenameError::Build(_)));
        assert!(matches!(error("foo__bar-1.0-py3-none-any.whl"), WheelFilenameError::Name(_)));
        assert!(matches!(error("-1.0-py3-none-any.whl"), WheelFilenameError::Name(_)));
        assert!(matches!(error("foo-1.x-py3-none-any.whl"), WheelFilenameError::Version(_)));
        assert!(matches!(error("foo-1.0-py3..py2-none-any.whl"), WheelFilenameError::Tag(_)));
        assert!(matches!(error("foo-1.0-py3--any.whl"), WheelFilenameError::Tag(_)));
        assert!(matches!(error("foo-1.0-99999999999999999999-py3-none-any.whl"), WheelFilenameError::Build(_)));
        for hostile in [
            "foo-1.0-py3-none-a/ny.whl",
            "foo-1.0-py3-none-a\\ny.whl",
            "foo-1.0-py3-none-a\0.whl",
            "foo-1.0-py3-none-a\nb.whl",
        ] {
            assert_eq!(error(hostile), WheelFilenameError::Shape);
        }
    }

    #[test]
    fn long_names_take_linear_time() {
        for long in [
            format!("{}-1.0-py3-none-any.whl", "a_".repeat(32_000)),
            format!("foo-1{}-py3-none-any.whl", ".0".repeat(32_000)),
            format!("foo-1.0+{}-py3-none-any.whl", "a.".repeat(32_000)),
            format!("foo-1.0-py3{}-none-any.whl", ".py3".repeat(16_000)),
            format!("foo-1.0-{}-py3-none-any.whl", "9".repeat(64_000)),
            "-".repeat(64_000) + ".whl",
        ] {
            let _ = long.parse::<WheelFilename>();
        }
    }
}
