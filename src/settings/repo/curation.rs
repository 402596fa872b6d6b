//! `repo mirror`, `repo add-metadata-to`.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use packaging::PackageName;
use url::Url;

use super::{RepoCommand, RepoSettings};
use crate::cli::General;
use crate::cli::repo::curation as typed;
use crate::failure::Failure;
use crate::repo::mirror::Machine;
use crate::settings::commands::{conflict, controls, index_settings, index_url};
use crate::settings::settle::Told;
use crate::settings::{FormatControl, IndexSettings, SelectionSettings, Surroundings, WishSettings};

/// How files come into the index.
pub use typed::BringFiles as Bring;

/// `repo mirror`
#[derive(Clone, Debug)]
pub struct MirrorIndex {
    /// What is wanted.
    pub wishes: WishSettings,
    /// Lock files with more of what is wanted.
    pub locks: Vec<PathBuf>,
    /// Where to look.
    pub indexes: IndexSettings,
    /// What may be chosen.
    pub selection: SelectionSettings,
    /// For whom; the interpreter of the command when empty.
    pub machines: Vec<Machine>,
    /// All files of a release.
    pub all_files: bool,
    /// Source distributions, too.
    pub sdists: bool,
    /// What is younger is held back; already part of `selection`.
    pub min_age: Option<Duration>,
    /// How files come into the index.
    pub bring: Bring,
    /// Take away what is not led to any more.
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
    told: &Told,
    surroundings: &Surroundings,
) -> Result<(General, RepoSettings), Failure> {
    if typed.requirements.is_empty() && typed.requirement.is_empty() && typed.lock.is_empty() {
        return Err(conflict("You must give at least one requirement to mirror (see \"tufpip help repo mirror\")"));
    }
    let (_, releases) = controls(told, typed.pre)?;
    // Without building, nothing can be said of what a source distribution depends on.
    let mut formats = FormatControl::default();
    formats.only_binary(":all:")?;
    let oldest = typed.min_age.map(before_now).transpose()?;
    let selection = SelectionSettings {
        formats,
        releases,
        uploaded_prior_to: oldest.into_iter().chain(typed.index.uploaded_prior_to).min(),
        ..SelectionSettings::default()
    };
    let mirror = MirrorIndex {
        wishes: WishSettings {
            requirements: typed.requirements.into_iter().filter(|word| !word.trim().is_empty()).collect(),
            requirement_files: typed.requirement,
            constraint_files: typed.constraint,
            ..WishSettings::default()
        },
        locks: typed.lock.iter().map(|file| surroundings.expand(file)).collect(),
        indexes: index_settings(typed.index, surroundings)?,
        selection,
        machines: typed.machines,
        all_files: typed.all_files,
        sdists: typed.sdists,
        min_age: typed.min_age,
        bring: typed.files,
        prune: typed.prune,
    };
    let command = RepoCommand::Mirror(Box::new(mirror));
    Ok((typed.general, RepoSettings::new(&typed.place, command, surroundings).with_dry_run(typed.dry_run)))
}

fn before_now(age: Duration) -> Result<Timestamp, Failure> {
    Timestamp::now().checked_sub(age).map_err(|error| Failure::usage(format!("--min-age: {error}")))
}

pub(super) fn add_metadata_to(
    typed: typed::AddMetadataTo,
    surroundings: &Surroundings,
) -> Result<(General, RepoSettings), Failure> {
    let command = RepoCommand::AddMetadataTo(Box::new(AddMetadataTo {
        index: index_url(&typed.index, surroundings)?,
        projects: typed.project,
        projects_from: typed.projects_from.iter().map(|file| surroundings.expand(file)).collect(),
    }));
    Ok((typed.general, RepoSettings::new(&typed.place, command, surroundings).with_dry_run(typed.dry_run)))
}
