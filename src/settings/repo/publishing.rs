//! `repo publish`, `repo refresh`, `repo gc`.

use super::{RepoCommand, RepoSettings};
use crate::cli::General;
use crate::cli::repo::publishing as typed;
use installer::error::Failure;
use installer::process_environment::ProcessEnvironment;

pub(super) fn publish(
    typed: typed::Publish,
    process_environment: &ProcessEnvironment,
) -> Result<(General, RepoSettings), Failure> {
    let settings =
        RepoSettings::new(&typed.place, RepoCommand::Publish { plain_pages: typed.plain_pages }, process_environment);
    Ok((typed.general, settings.unlocked_by(&typed.unlock).with_dry_run(typed.dry_run)))
}

pub(super) fn refresh(
    typed: typed::Refresh,
    process_environment: &ProcessEnvironment,
) -> Result<(General, RepoSettings), Failure> {
    let settings = RepoSettings::new(&typed.place, RepoCommand::Refresh, process_environment);
    Ok((typed.general, settings.unlocked_by(&typed.unlock).with_dry_run(typed.dry_run)))
}

pub(super) fn gc(
    typed: typed::Gc,
    process_environment: &ProcessEnvironment,
) -> Result<(General, RepoSettings), Failure> {
    let settings = RepoSettings::new(
        &typed.place,
        RepoCommand::Gc { keep: typed.keep, keep_packages: typed.keep_files },
        process_environment,
    );
    Ok((typed.general, settings.with_dry_run(typed.dry_run)))
}
