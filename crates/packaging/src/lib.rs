//! Python packaging standards as pure functions: text in, values out.
//!
//! Names, versions, requirements, markers, compatibility tags, distribution file names, core metadata and the pages of the
//! simple repository API. This crate never reads a file, a clock, the environment or the network.
//!
//! | module | is responsible for |
//! |---|---|
//! | `names` | project and extra names in their normal form (PEP 503) |
//! | `specifiers` | version specifiers, and which versions they match (PEP 440) |
//! | `marker_environment`, `marker` | environment markers: their variables, conditions and grammar (PEP 508) |
//! | `requirement` | dependency specifiers (PEP 508) |
//! | `tags` | compatibility tags of an interpreter, best first (PEP 425) |
//! | `wheel_filename`, `sdist_filename` | what the name of a distribution says (PEP 427, 625) |
//! | `metadata_fields`, `metadata` | core metadata: as headers, and validated |
//! | `simple_page` | project pages in both forms (PEP 503, 691) |
//! | `simple_list` | the list of all projects of an index |

mod marker;
mod marker_environment;
mod metadata;
mod metadata_fields;
mod names;
mod requirement;
mod sdist_filename;
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
