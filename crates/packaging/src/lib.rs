//! Python packaging standards as pure functions: text in, values out.
//!
//! Names, versions, requirements, markers, compatibility tags, distribution file names, core metadata and the pages of the
//! simple repository API. This crate never reads a file, a clock, the environment or the network.

mod requirement;

pub use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};
pub use pep508_rs::{ExtraName, MarkerEnvironment, MarkerTree, PackageName};
pub use requirement::{Requirement, RequirementError};
