//! `repo mirror`, `repo add-metadata-to`.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use packaging::PackageName;
use url::Url;

use super::{OperatorOptions, RepoCommand};
use crate::cli::GeneralArgs;
use crate::cli::repo::curation as typed;
use crate::settings::commands::{command_error, format_and_release_control, index_options};
use crate::settings::resolve_settings::CommandInput;
use installer::error::Failure;
use installer::options::index_url;
use installer::options::{FormatControl, RequirementOptions, SelectionOptions};
use installer::process_environment::ProcessEnvironment;
use operator::mirror::MirrorOptions;

/// How files come into the index.
pub use operator::mirror::ImportMode;

/// `repo mirror`
#[derive(Clone, Debug)]
pub struct MirrorIndex {
    /// What is mirrored.
    pub options: MirrorOptions,
    /// How files come into the index.
    pub import_mode: ImportMode,
    /// Remove files that the requirements no longer lead to.
    pub prune: bool,
}

/// `repo add-metadata-to`
#[derive(Clone, Debug)]
pub struct AddMetadataTo {
    /// The index.
    pub index: Url,
    /// Only these projects; all when there is no name and no file.
    pub projects: Vec<PackageName>,
    /// Files with names of projects.
    pub projects_from: Vec<PathBuf>,
}

pub(super) fn mirror(
    typed: typed::Mirror,
    input: &CommandInput,
    process_environment: &ProcessEnvironment,
) -> Result<(GeneralArgs, OperatorOptions), Failure> {
    if typed.requirements.is_empty() && typed.requirement.is_empty() && typed.lock.is_empty() {
        return Err(command_error(
            "You must give at least one requirement to mirror (see \"tufpip help repo mirror\")",
        ));
    }
    let (_, releases) = format_and_release_control(input, typed.pre)?;
    // Without building, the dependencies of a source distribution are unknown.
    let mut formats = FormatControl::default();
    formats.only_binary(":all:")?;
    let oldest = typed.min_age.map(before_now).transpose()?;
    let selection = SelectionOptions {
        formats,
        releases,
        uploaded_prior_to: oldest.into_iter().chain(typed.index.uploaded_prior_to).min(),
        ..SelectionOptions::default()
    };
    let mirror = MirrorIndex {
        options: MirrorOptions {
            requirements: RequirementOptions {
                requirements: typed.requirements.into_iter().filter(|word| !word.trim().is_empty()).collect(),
                requirement_files: typed.requirement,
                constraint_files: typed.constraint,
                ..RequirementOptions::default()
            },
            locks: typed.lock.iter().map(|file| process_environment.expand(file)).collect(),
            indexes: index_options(typed.index, process_environment)?,
            selection,
            machines: typed.machines,
            all_files: typed.all_files,
            sdists: typed.sdists,
            min_age: typed.min_age,
        },
        import_mode: match typed.files {
            typed::ImportMode::Copy => ImportMode::Copy,
            typed::ImportMode::Link => ImportMode::Link,
        },
        prune: typed.prune,
    };
    let command = RepoCommand::Mirror(Box::new(mirror));
    Ok((
        typed.general,
        OperatorOptions::new(&typed.operator_directory, command, process_environment).with_dry_run(typed.dry_run),
    ))
}

fn before_now(age: Duration) -> Result<Timestamp, Failure> {
    Timestamp::now().checked_sub(age).map_err(|error| Failure::usage(format!("--min-age: {error}")))
}

pub(super) fn add_metadata_to(
    typed: typed::AddMetadataTo,
    process_environment: &ProcessEnvironment,
) -> Result<(GeneralArgs, OperatorOptions), Failure> {
    let command = RepoCommand::AddMetadataTo(Box::new(AddMetadataTo {
        index: index_url(&typed.index, process_environment)?,
        projects: typed.project,
        projects_from: typed.projects_from.iter().map(|file| process_environment.expand(file)).collect(),
    }));
    Ok((
        typed.general,
        OperatorOptions::new(&typed.operator_directory, command, process_environment).with_dry_run(typed.dry_run),
    ))
}
