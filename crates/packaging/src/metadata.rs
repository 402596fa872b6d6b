//! Core metadata: the `METADATA` file of a wheel or an installed distribution, the `PKG-INFO` of a source distribution.
//!
//! Reads every version of the specification from 1.0 to 2.x.

use pep440_rs::Version;
use serde_json::Value;

use crate::metadata_fields::MetadataFields;
use crate::names::{ExtraName, PackageName};
use crate::requirement::{Requirement, RequirementError};
use crate::specifiers::VersionSpecifiers;

/// The largest metadata file that is read, in bytes.
pub const MAX_METADATA_SIZE: usize = 16 * 1024 * 1024;

/// The metadata of one distribution.
#[derive(Clone, Debug)]
pub struct CoreMetadata {
    /// All headers and the body as text.
    pub fields: MetadataFields,
    /// The normalized project name.
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// Versions of Python the distribution runs on. `None` when the field is missing, and when it is not valid: then it
    /// restricts nothing, as in pip. The text is in `raw_requires_python`.
    pub requires_python: Option<VersionSpecifiers>,
    /// The extras the distribution offers, in order; names that are not valid are left out.
    pub provides_extra: Vec<ExtraName>,
    requires_dist: Vec<Requirement>,
    invalid_requires_dist: Vec<RequirementError>,
}

/// Why a metadata file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// The file is larger than [`MAX_METADATA_SIZE`].
    #[error("metadata of {size} bytes is too large: expected at most {MAX_METADATA_SIZE}")]
    TooLarge {
        /// Size of the file in bytes.
        size: usize,
    },
    /// A required field is missing.
    #[error("metadata has no field '{0}'")]
    Missing(&'static str),
    /// A field has a value which cannot be understood.
    #[error("metadata has an invalid {field}: '{value}'")]
    Invalid {
        /// The name of the field.
        field: &'static str,
        /// Its value.
        value: String,
    },
    /// The metadata is of a version from the future whose rules are not known.
    #[error("metadata version {0} is not supported: expected 2.x or older")]
    MetadataVersion(String),
    /// A dependency is not valid.
    #[error("metadata has an invalid Requires-Dist: {0}")]
    RequiresDist(#[from] RequirementError),
}

impl CoreMetadata {
    /// Reads a metadata file. An invalid dependency is no error here but in [`CoreMetadata::requires_dist`].
    pub fn parse(content: &[u8]) -> Result<Self, MetadataError> {
        if content.len() > MAX_METADATA_SIZE {
            return Err(MetadataError::TooLarge { size: content.len() });
        }
        Self::from_fields(MetadataFields::parse(content))
    }

    /// Understands headers that were read before.
    pub fn from_fields(fields: MetadataFields) -> Result<Self, MetadataError> {
        check_metadata_version(&fields)?;
        let name = required(&fields, "Name", |text| text.parse().ok())?;
        let version = required(&fields, "Version", |version| version.parse().ok())?;
        let requires_python = fields.get("Requires-Python").and_then(|value| value.trim().parse().ok());
        let provides_extra = fields.get_all("Provides-Extra").map(str::trim);
        let provides_extra =
            provides_extra.filter(|extra| !extra.is_empty()).filter_map(|extra| extra.parse().ok()).collect();
        let mut requires_dist = Vec::new();
        let mut invalid_requires_dist = Vec::new();
        for requirement in fields.get_all("Requires-Dist") {
            match requirement.trim().parse() {
                Ok(requirement) => requires_dist.push(requirement),
                Err(error) => invalid_requires_dist.push(error),
            }
        }
        Ok(Self { name, version, requires_python, provides_extra, requires_dist, invalid_requires_dist, fields })
    }

    /// The dependencies in order, or the first that is not valid.
    pub fn requires_dist(&self) -> Result<&[Requirement], MetadataError> {
        match self.invalid_requires_dist.first() {
            None => Ok(&self.requires_dist),
            Some(error) => Err(error.clone().into()),
        }
    }

    /// The dependencies which are valid, in order.
    pub fn valid_requires_dist(&self) -> &[Requirement] {
        &self.requires_dist
    }

    /// The dependencies which are not valid, in order.
    pub fn invalid_requires_dist(&self) -> &[RequirementError] {
        &self.invalid_requires_dist
    }

    /// The project name as written.
    pub fn raw_name(&self) -> &str {
        self.fields.get("Name").unwrap_or_default().trim()
    }

    /// The version as written.
    pub fn raw_version(&self) -> &str {
        self.fields.get("Version").unwrap_or_default().trim()
    }

    /// `Requires-Python` as written.
    pub fn raw_requires_python(&self) -> Option<&str> {
        self.fields.get("Requires-Python")
    }

    /// The metadata as pip's installation report and `inspect` print it.
    pub fn to_json(&self) -> Value {
        self.fields.to_json()
    }
}

/// Files from before the field existed are read; a larger major version may mean anything.
fn check_metadata_version(fields: &MetadataFields) -> Result<(), MetadataError> {
    let Some(text) = fields.get("Metadata-Version") else { return Ok(()) };
    let invalid = || MetadataError::Invalid { field: "Metadata-Version", value: text.to_owned() };
    let version: Version = text.trim().parse().map_err(|_| invalid())?;
    if version.epoch() > 0 || version.release().first().is_none_or(|major| *major > 2) {
        return Err(MetadataError::MetadataVersion(text.trim().to_owned()));
    }
    Ok(())
}

fn required<T>(
    fields: &MetadataFields,
    field: &'static str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<T, MetadataError> {
    let value = fields.get(field).ok_or(MetadataError::Missing(field))?;
    read(value.trim()).ok_or_else(|| MetadataError::Invalid { field, value: value.to_owned() })
}
