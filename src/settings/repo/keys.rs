//! `repo init`, `repo key`, `repo root`, `repo rotate-online`, `repo delegate`.

use std::path::PathBuf;

use super::{RepoCommand, RepoSettings};
use crate::cli::General;
use crate::cli::repo::keys as typed;
use crate::failure::Failure;
use crate::settings::Surroundings;

/// `repo init`
#[derive(Clone, Debug)]
pub struct InitRepository {
    /// Where the index will be reachable.
    pub base: String,
    /// Where it is published.
    pub output: String,
}

/// `repo key`
#[derive(Clone, Debug)]
pub enum KeyCommand {
    /// `repo key show`
    Show {
        /// Key files; all of the repository when empty.
        files: Vec<PathBuf>,
    },
}

/// `repo root`
#[derive(Clone, Debug)]
pub enum RootCommand {
    /// `repo root finalize`
    Finalize,
}

/// `repo delegate`
#[derive(Clone, Debug)]
pub struct DelegateProject {
    /// Which project.
    pub project: String,
}

pub(super) fn init(typed: typed::Init, surroundings: &Surroundings) -> Result<(General, RepoSettings), Failure> {
    let init = InitRepository { base: typed.base, output: typed.output };
    let settings = RepoSettings::new(&typed.place, RepoCommand::Init(Box::new(init)), surroundings);
    Ok((typed.general, settings.unlocked_by(&typed.unlock)))
}

pub(super) fn key(typed: typed::KeyCommand, surroundings: &Surroundings) -> Result<(General, RepoSettings), Failure> {
    match typed {
        typed::KeyCommand::Show(show) => {
            let files = show.files.iter().map(|file| surroundings.expand(file)).collect();
            let command = RepoCommand::Key(KeyCommand::Show { files });
            Ok((show.general, RepoSettings::new(&show.place, command, surroundings)))
        }
    }
}

pub(super) fn root(typed: typed::RootCommand, surroundings: &Surroundings) -> Result<(General, RepoSettings), Failure> {
    match typed {
        typed::RootCommand::Finalize(finalize) => {
            let settings = RepoSettings::new(&finalize.place, RepoCommand::Root(RootCommand::Finalize), surroundings);
            Ok((finalize.general, settings.unlocked_by(&finalize.unlock).with_dry_run(finalize.dry_run)))
        }
    }
}

pub(super) fn rotate_online(
    typed: typed::RotateOnline,
    surroundings: &Surroundings,
) -> Result<(General, RepoSettings), Failure> {
    let settings = RepoSettings::new(&typed.place, RepoCommand::RotateOnline, surroundings);
    Ok((typed.general, settings.unlocked_by(&typed.unlock).with_dry_run(typed.dry_run)))
}

pub(super) fn delegate(
    typed: typed::Delegate,
    surroundings: &Surroundings,
) -> Result<(General, RepoSettings), Failure> {
    let command = RepoCommand::Delegate(DelegateProject { project: typed.project });
    let settings = RepoSettings::new(&typed.place, command, surroundings);
    Ok((typed.general, settings.unlocked_by(&typed.unlock).with_dry_run(typed.dry_run)))
}
