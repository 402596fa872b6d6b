//! `repo publish`, `repo refresh`, `repo gc`.

use super::{OperatorOptions, RepoCommand};
use crate::cli::GeneralArgs;
use crate::cli::repo::publishing as typed;
use installer::error::Failure;
use installer::process_environment::ProcessEnvironment;

pub(super) fn publish(
    typed: typed::Publish,
    process_environment: &ProcessEnvironment,
) -> Result<(GeneralArgs, OperatorOptions), Failure> {
    let settings = OperatorOptions::new(
        &typed.operator_directory,
        RepoCommand::Publish { plain_pages: typed.plain_pages },
        process_environment,
    );
    Ok((typed.general, settings.unlocked_by(&typed.unlock).with_dry_run(typed.dry_run)))
}

pub(super) fn refresh(
    typed: typed::Refresh,
    process_environment: &ProcessEnvironment,
) -> Result<(GeneralArgs, OperatorOptions), Failure> {
    let settings = OperatorOptions::new(&typed.operator_directory, RepoCommand::Refresh, process_environment);
    Ok((typed.general, settings.unlocked_by(&typed.unlock).with_dry_run(typed.dry_run)))
}

pub(super) fn gc(
    typed: typed::Gc,
    process_environment: &ProcessEnvironment,
) -> Result<(GeneralArgs, OperatorOptions), Failure> {
    let settings = OperatorOptions::new(
        &typed.operator_directory,
        RepoCommand::Gc { keep: typed.keep, keep_packages: typed.keep_files },
        process_environment,
    );
    Ok((typed.general, settings.with_dry_run(typed.dry_run)))
}
