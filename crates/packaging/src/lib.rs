//! Python packaging standards as pure functions: text in, values out.
//!
//! Names, versions, requirements, markers, compatibility tags, distribution file names, core metadata and the pages of the
//! simple repository API. This crate never reads a file, a clock, the environment or the network.

mod marker;
mod marker_environment;
mod marker_parser;
mod metadata;
mod metadata_fields;
mod names;
mod platform_tags;
mod requirement;
mod sdist_filename;
mod simple_html;
mod simple_json;
mod simple_link;
mod simple_list;
mod simple_page;
mod specifiers;
mod tags;
mod wheel_filename;

pub use marker::Marker;
pub use marker_environment::MarkerEnvironment;
pub use metadata::{CoreMetadata, MAX_METADATA_SIZE, MetadataError};
pub use metadata_fields::MetadataFields;
pub use names::{ExtraName, NameError, PackageName};
pub use pep440_rs::{Operator, Version};
pub use requirement::{Requirement, RequirementError};
pub use sdist_filename::{DistributionFilename, DistributionFilenameError, SourceDistributionFilename, SourceFormat};
pub use simple_list::ProjectList;
pub use simple_page::{
    CoreMetadataFile, HashAlgorithm, Hashes, PageError, ProjectFile, ProjectPage, ProjectStatus, SkipReason,
    SkippedFile, metadata_url,
};
pub use specifiers::{VersionSpecifier, VersionSpecifiers, VersionSpecifiersError};
pub use tags::{ElfHeader, Tag, TagInputs, Tags, TargetPython};
pub use wheel_filename::{BuildTag, WheelFilename, WheelFilenameError};
