//! `repo verify`, `repo export-anchor`, `repo serve`, `repo demo`.

use std::path::PathBuf;

use url::Url;

use super::{OperatorOptions, RepoCommand};
use crate::cli::GeneralArgs;
use crate::cli::repo::trying as typed;
use installer::error::Failure;
use installer::options::index_url;
use installer::process_environment::ProcessEnvironment;

/// `repo verify`
#[derive(Clone, Debug)]
pub struct VerifyPublished {
    /// Hash every file.
    pub files: bool,
    /// The base URL of the copy to verify, with a slash at the end; where the index is published when `None`.
    pub base: Option<Url>,
    /// How long offline metadata must still be valid, in days.
    pub min_days: u32,
}

pub(super) fn verify(
    typed: typed::Verify,
    process_environment: &ProcessEnvironment,
) -> Result<(GeneralArgs, OperatorOptions), Failure> {
    let base = typed.url.map(|text| base_url(&text, process_environment)).transpose()?;
    let verify = VerifyPublished { files: typed.files, base, min_days: typed.min_days };
    Ok((
        typed.general,
        OperatorOptions::new(&typed.operator_directory, RepoCommand::Verify(verify), process_environment),
    ))
}

fn base_url(text: &str, process_environment: &ProcessEnvironment) -> Result<Url, Failure> {
    let mut url = index_url(text, process_environment)?;
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

pub(super) fn export_anchor(
    typed: typed::ExportAnchor,
    process_environment: &ProcessEnvironment,
) -> Result<(GeneralArgs, OperatorOptions), Failure> {
    let output = typed.output.filter(|output| output != "-").map(|output| process_environment.expand(&output));
    Ok((
        typed.general,
        OperatorOptions::new(&typed.operator_directory, RepoCommand::ExportAnchor { output }, process_environment),
    ))
}

pub(super) fn serve(
    typed: typed::Serve,
    process_environment: &ProcessEnvironment,
) -> Result<(GeneralArgs, OperatorOptions), Failure> {
    Ok((
        typed.general,
        OperatorOptions::new(&typed.operator_directory, RepoCommand::Serve { port: typed.port }, process_environment),
    ))
}

pub(super) fn demo(
    typed: typed::Demo,
    _surroundings: &ProcessEnvironment,
) -> Result<(GeneralArgs, OperatorOptions), Failure> {
    let settings = OperatorOptions {
        no_input: false,
        directory: PathBuf::new(),
        json: false,
        dry_run: false,
        passphrase_fd: None,
        command: RepoCommand::Demo,
    };
    Ok((typed.general, settings))
}
