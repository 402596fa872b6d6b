//! `repo verify`, `repo export-anchor`, `repo serve`, `repo demo`.

use std::path::PathBuf;

use url::Url;

use super::{RepoCommand, RepoSettings};
use crate::cli::General;
use crate::cli::repo::trying as typed;
use crate::failure::Failure;
use crate::settings::{Surroundings, index_url};

/// `repo verify`
#[derive(Clone, Debug)]
pub struct VerifyPublished {
    /// Hash every file.
    pub files: bool,
    /// The base of the copy to look at, with a slash at the end; where the index is published when `None`.
    pub base: Option<Url>,
    /// How long what people sign must be good, in days.
    pub min_days: u32,
}

pub(super) fn verify(typed: typed::Verify, surroundings: &Surroundings) -> Result<(General, RepoSettings), Failure> {
    let base = typed.url.map(|text| base_url(&text, surroundings)).transpose()?;
    let verify = VerifyPublished { files: typed.files, base, min_days: typed.min_days };
    Ok((typed.general, RepoSettings::new(&typed.place, RepoCommand::Verify(verify), surroundings)))
}

fn base_url(text: &str, surroundings: &Surroundings) -> Result<Url, Failure> {
    let mut url = index_url(text, surroundings)?;
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
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
