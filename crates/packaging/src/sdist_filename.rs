//! File names of source distributions, and of distributions in general.
//!
//! Source distributions from before PEP 625 may have dashes in the name and in the version, so `a-b-1.tar.gz` can only
//! be read by a caller that knows which project it should belong to.

use std::fmt;

use pep440_rs::Version;

use crate::names::PackageName;
use crate::wheel_filename::{WheelFilename, WheelFilenameError};

/// The parsed file name of a source distribution. Prints as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SourceDistributionFilename {
    /// The normalized project name.
    pub name: PackageName,
    /// The version of the release.
    pub version: Version,
    /// How the archive is packed, by its extension.
    pub format: SourceFormat,
    text: Box<str>,
}

/// The archive formats in which source distributions are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SourceFormat {
    /// `.zip`
    Zip,
    /// `.tar`
    Tar,
    /// `.tar.gz`, `.tgz`
    TarGz,
    /// `.tar.bz2`, `.tbz`
    TarBz2,
    /// `.tar.xz`, `.txz` and the LZMA extensions
    TarXz,
}

/// The file name of something that can be installed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DistributionFilename {
    /// A wheel.
    Wheel(WheelFilename),
    /// A source distribution.
    SourceDistribution(SourceDistributionFilename),
}

/// Why a file name is not that of a distribution of the expected project.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DistributionFilenameError {
    /// The extension is neither `.whl` nor that of a source archive.
    #[error("expected a wheel or a source archive")]
    Extension,
    /// The name belongs to another project.
    #[error("expected a file of project '{expected}'")]
    OtherProject {
        /// The expected project.
        expected: PackageName,
    },
    /// The version of a source distribution is not valid (PEP 440).
    #[error("'{0}' is no valid version")]
    Version(String),
    /// It ends in `.whl` but is not the name of a wheel.
    #[error(transparent)]
    Wheel(#[from] WheelFilenameError),
}

/// Longest extension first where one ends in another.
const SOURCE_EXTENSIONS: [(&str, SourceFormat); 11] = [
    (".tar.gz", SourceFormat::TarGz),
    (".zip", SourceFormat::Zip),
    (".tar.bz2", SourceFormat::TarBz2),
    (".tgz", SourceFormat::TarGz),
    (".tar.xz", SourceFormat::TarXz),
    (".tbz", SourceFormat::TarBz2),
    (".txz", SourceFormat::TarXz),
    (".tar.lzma", SourceFormat::TarXz),
    (".tar.lz", SourceFormat::TarXz),
    (".tlz", SourceFormat::TarXz),
    (".tar", SourceFormat::Tar),
];

impl SourceDistributionFilename {
    /// Reads the file name of a source distribution of `project`.
    pub fn parse(text: &str, project: &PackageName) -> Result<Self, DistributionFilenameError> {
        let (stem, format) = SourceFormat::split(text).ok_or(DistributionFilenameError::Extension)?;
        let version = after_name(stem, project.as_ref())
            .ok_or_else(|| DistributionFilenameError::OtherProject { expected: project.clone() })?;
        let parsed = version.parse().map_err(|_| DistributionFilenameError::Version(version.to_owned()))?;
        Ok(Self { name: project.clone(), version: parsed, format, text: text.into() })
    }

    /// Reads a file name by the rule of PEP 625, for files whose project is not known: the version has no dash.
    pub fn guess(text: &str) -> Result<Self, DistributionFilenameError> {
        let (stem, format) = SourceFormat::split(text).ok_or(DistributionFilenameError::Extension)?;
        let (name, version) = stem.rsplit_once('-').ok_or(DistributionFilenameError::Extension)?;
        let name = name.parse().ok().ok_or(DistributionFilenameError::Extension)?;
        let parsed = version.parse().map_err(|_| DistributionFilenameError::Version(version.to_owned()))?;
        Ok(Self { name, version: parsed, format, text: text.into() })
    }

    /// The file name as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl SourceFormat {
    /// The part of a file name before the extension of a source archive, and the format.
    pub fn split(filename: &str) -> Option<(&str, Self)> {
        SOURCE_EXTENSIONS
            .iter()
            .find_map(|(extension, format)| filename.strip_suffix(extension).map(|stem| (stem, *format)))
    }
}

impl DistributionFilename {
    /// Reads the file name of a wheel or source distribution of `project`.
    pub fn parse(text: &str, project: &PackageName) -> Result<Self, DistributionFilenameError> {
        if text.ends_with(".whl") {
            let wheel: WheelFilename = text.parse()?;
            if wheel.name != *project {
                return Err(DistributionFilenameError::OtherProject { expected: project.clone() });
            }
            return Ok(Self::Wheel(wheel));
        }
        SourceDistributionFilename::parse(text, project).map(Self::SourceDistribution)
    }

    /// The normalized project name.
    pub fn name(&self) -> &PackageName {
        match self {
            Self::Wheel(wheel) => &wheel.name,
            Self::SourceDistribution(source) => &source.name,
        }
    }

    /// The version of the release.
    pub fn version(&self) -> &Version {
        match self {
            Self::Wheel(wheel) => &wheel.version,
            Self::SourceDistribution(source) => &source.version,
        }
    }

    /// The file name as written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Wheel(wheel) => wheel.as_str(),
            Self::SourceDistribution(source) => source.as_str(),
        }
    }

    /// The wheel, if it is one.
    pub fn wheel(&self) -> Option<&WheelFilename> {
        match self {
            Self::Wheel(wheel) => Some(wheel),
            Self::SourceDistribution(_) => None,
        }
    }
}

impl fmt::Display for SourceDistributionFilename {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl fmt::Display for DistributionFilename {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What follows the first spelling of the normalized `project` and a dash in `stem`, in one pass.
fn after_name<'text>(stem: &'text str, project: &str) -> Option<&'text str> {
    let is_separator = |byte: u8| matches!(byte, b'-' | b'_' | b'.');
    let bytes = stem.as_bytes();
    let mut position = 0;
    for expected in project.bytes() {
        let byte = *bytes.get(position)?;
        if expected == b'-' {
            if !is_separator(byte) {
                return None;
            }
            while bytes.get(position).copied().is_some_and(is_separator) {
                position += 1;
            }
        } else if byte.eq_ignore_ascii_case(&expected) {
            position += 1;
        } else {
            return None;
        }
    }
    stem.get(position..)?.strip_prefix('-').filter(|version| !version.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(text: &str) -> PackageName {
        text.parse().unwrap()
    }

    #[test]
    fn the_expected_project_tells_name_from_version() {
        for (text, name, version, format) in [
            ("foo-1.0.tar.gz", "foo", "1.0", SourceFormat::TarGz),
            ("Foo_Bar-1.0.zip", "foo-bar", "1.0", SourceFormat::Zip),
            ("foo--bar-1.0.tgz", "foo-bar", "1.0", SourceFormat::TarGz),
            ("foo-2-1.0.tar.bz2", "foo-2", "1.0", SourceFormat::TarBz2),
            ("foo-2-1.tar.xz", "foo", "2-1", SourceFormat::TarXz),
            ("foo-1.0-1.tar", "foo", "1.0.post1", SourceFormat::Tar),
        ] {
            let source = SourceDistributionFilename::parse(text, &project(name)).unwrap();
            assert_eq!((source.version.clone(), source.format), (version.parse().unwrap(), format), "{text}");
            assert_eq!(source.to_string(), text);
        }
    }

    #[test]
    fn files_of_others_and_other_files_are_typed_errors() {
        let parse = |text: &str| DistributionFilename::parse(text, &project("foo")).expect_err(text);
        assert!(matches!(parse("foobar-1.0.tar.gz"), DistributionFilenameError::OtherProject { .. }));
        assert!(matches!(parse("foo-.tar.gz"), DistributionFilenameError::OtherProject { .. }));
        assert!(matches!(parse("bar-1.0-py3-none-any.whl"), DistributionFilenameError::OtherProject { .. }));
        assert!(matches!(parse("foo-1.0.linux-x86_64.tar.gz"), DistributionFilenameError::Version(_)));
        assert!(matches!(parse("foo-1.0/../x.tar.gz"), DistributionFilenameError::Version(_)));
        assert!(matches!(parse("foo-1.0.exe"), DistributionFilenameError::Extension));
        assert!(matches!(parse(""), DistributionFilenameError::Extension));
    }

    #[test]
    fn a_name_alone_is_read_by_the_last_dash() {
        let source = SourceDistributionFilename::guess("foo-bar-1.0.tar.gz").unwrap();
        assert_eq!((source.name.to_string().as_str(), source.version.to_string().as_str()), ("foo-bar", "1.0"));
        assert!(SourceDistributionFilename::guess("-1.0.tar.gz").is_err());
    }
}
