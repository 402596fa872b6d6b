//! `repo publish`, `repo refresh`, `repo gc`.

use super::{RepoCommand, RepoSettings};
use crate::cli::General;
use crate::cli::repo::publishing as typed;
use crate::failure::Failure;
use crate::settings::Surroundings;

pub(super) fn publish(typed: typed::Publish, surroundings: &Surroundings) -> Result<(General, RepoSettings), Failure> {
    let settings =
        RepoSettings::new(&typed.place, RepoCommand::Publish { plain_pages: typed.plain_pages }, surroundings);
    Ok((typed.general, settings.unlocked_by(&typed.unlock).with_dry_run(typed.dry_run)))
}

pub(super) fn refresh(typed: typed::Refresh, surroundings: &Surroundings) -> Result<(General, RepoSettings), Failure> {
    let settings = RepoSettings::new(&typed.place, RepoCommand::Refresh, surroundings);
    Ok((typed.general, settings.unlocked_by(&typed.unlock).with_dry_run(typed.dry_run)))
}

pub(super) fn gc(typed: typed::Gc, surroundings: &Surroundings) -> Result<(General, RepoSettings), Failure> {
    let settings = RepoSettings::new(
        &typed.place,
        RepoCommand::Gc { keep: typed.keep, keep_packages: typed.keep_files },
        surroundings,
    );
    Ok((typed.general, settings.with_dry_run(typed.dry_run)))
}
