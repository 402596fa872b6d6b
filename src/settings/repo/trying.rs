//! `repo verify`, `repo export-anchor`, `repo serve`, `repo demo`.

use std::path::PathBuf;

use super::{RepoCommand, RepoSettings};
use crate::cli::General;
use crate::cli::repo::trying as typed;
use crate::failure::Failure;
use crate::settings::Surroundings;

pub(super) fn verify(typed: typed::Verify, surroundings: &Surroundings) -> Result<(General, RepoSettings), Failure> {
    Ok((typed.general, RepoSettings::new(&typed.place, RepoCommand::Verify, surroundings)))
}

pub(super) fn export_anchor(
    typed: typed::ExportAnchor,
    surroundings: &Surroundings,
) -> Result<(General, RepoSettings), Failure> {
    let output = typed.output.filter(|output| output != "-").map(|output| surroundings.expand(&output));
    Ok((typed.general, RepoSettings::new(&typed.place, RepoCommand::ExportAnchor { output }, surroundings)))
}

pub(super) fn serve(typed: typed::Serve, surroundings: &Surroundings) -> Result<(General, RepoSettings), Failure> {
    Ok((typed.general, RepoSettings::new(&typed.place, RepoCommand::Serve { port: typed.port }, surroundings)))
}

pub(super) fn demo(typed: typed::Demo, _surroundings: &Surroundings) -> Result<(General, RepoSettings), Failure> {
    let settings = RepoSettings {
        no_input: false,
        directory: PathBuf::new(),
        json: false,
        dry_run: false,
        passphrase_fd: None,
        command: RepoCommand::Demo,
    };
    Ok((typed.general, settings))
}
