//! `repo add`, `repo yank`, `repo unyank`, `repo remove`, `repo status`.

use std::path::PathBuf;

use super::{OperatorOptions, RepoCommand};
use crate::cli::GeneralArgs;
use crate::cli::repo::content as typed;
use installer::error::Failure;
use installer::process_environment::ProcessEnvironment;

/// `repo add`
#[derive(Clone, Debug)]
pub struct AddFiles {
    /// Wheels and source distributions; at least one.
    pub files: Vec<PathBuf>,
}

/// `repo yank`
#[derive(Clone, Debug)]
pub struct YankReleases {
    /// `name==version`, or names of files.
    pub releases: Vec<String>,
    /// Why.
    pub reason: Option<String>,
}

/// `repo unyank`
#[derive(Clone, Debug)]
pub struct ChangeReleases {
    /// `name==version`, or names of files.
    pub releases: Vec<String>,
}

/// `repo remove`
#[derive(Clone, Debug)]
pub struct RemoveReleases {
    /// Names of projects, `name==version`, or names of files.
    pub releases: Vec<String>,
    /// Do not ask before all files of a project are removed.
    pub yes: bool,
}

pub(super) fn add(
    typed: typed::Add,
    process_environment: &ProcessEnvironment,
) -> Result<(GeneralArgs, OperatorOptions), Failure> {
    let files = typed.files.iter().map(|file| process_environment.expand(file)).collect();
    let settings =
        OperatorOptions::new(&typed.operator_directory, RepoCommand::Add(AddFiles { files }), process_environment);
    Ok((typed.general, settings.with_dry_run(typed.dry_run)))
}

pub(super) fn yank(
    typed: typed::Yank,
    process_environment: &ProcessEnvironment,
) -> Result<(GeneralArgs, OperatorOptions), Failure> {
    let command = RepoCommand::Yank(YankReleases { releases: typed.releases, reason: typed.reason });
    Ok((
        typed.general,
        OperatorOptions::new(&typed.operator_directory, command, process_environment).with_dry_run(typed.dry_run),
    ))
}

pub(super) fn unyank(
    typed: typed::Unyank,
    process_environment: &ProcessEnvironment,
) -> Result<(GeneralArgs, OperatorOptions), Failure> {
    let command = RepoCommand::Unyank(ChangeReleases { releases: typed.releases });
    Ok((
        typed.general,
        OperatorOptions::new(&typed.operator_directory, command, process_environment).with_dry_run(typed.dry_run),
    ))
}

pub(super) fn remove(
    typed: typed::Remove,
    process_environment: &ProcessEnvironment,
) -> Result<(GeneralArgs, OperatorOptions), Failure> {
    let command = RepoCommand::Remove(RemoveReleases { releases: typed.releases, yes: typed.yes });
    Ok((
        typed.general,
        OperatorOptions::new(&typed.operator_directory, command, process_environment).with_dry_run(typed.dry_run),
    ))
}

pub(super) fn status(
    typed: typed::Status,
    process_environment: &ProcessEnvironment,
) -> Result<(GeneralArgs, OperatorOptions), Failure> {
    Ok((typed.general, OperatorOptions::new(&typed.operator_directory, RepoCommand::Status, process_environment)))
}
