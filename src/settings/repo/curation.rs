//! `repo mirror`, `repo add-metadata-to`.

use super::{RepoCommand, RepoSettings};
use crate::cli::General;
use crate::cli::repo::curation as typed;
use crate::failure::Failure;
use crate::settings::Surroundings;

/// `repo mirror`
#[derive(Clone, Debug)]
pub struct MirrorIndex {
    /// What is wanted, from the command line.
    pub requirements: Vec<String>,
}

/// `repo add-metadata-to`
#[derive(Clone, Debug)]
pub struct AddMetadataTo {
    /// The index.
    pub index: String,
}

pub(super) fn mirror(typed: typed::Mirror, surroundings: &Surroundings) -> Result<(General, RepoSettings), Failure> {
    let command = RepoCommand::Mirror(Box::new(MirrorIndex { requirements: typed.requirements }));
    Ok((typed.general, RepoSettings::new(&typed.place, command, surroundings).with_dry_run(typed.dry_run)))
}

pub(super) fn add_metadata_to(
    typed: typed::AddMetadataTo,
    surroundings: &Surroundings,
) -> Result<(General, RepoSettings), Failure> {
    let command = RepoCommand::AddMetadataTo(Box::new(AddMetadataTo { index: typed.index }));
    Ok((typed.general, RepoSettings::new(&typed.place, command, surroundings).with_dry_run(typed.dry_run)))
}
