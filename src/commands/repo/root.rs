//! `repo root`: changes keys and thresholds by files that are passed from one key holder to the next.

pub(super) mod edit;
mod finalize;
pub(super) mod sign;

use std::sync::Arc;

use clap::{Args, Subcommand};
use repository::ceremony::OfflineMetadataFile;
use serde_json::Value;

use crate::terminal::Terminal;
use installer::error::Failure;
use installer::text::count_noun;
use operator::ceremony::{self, Ceremony};
use operator::keys::KeyRing;
use operator::operator_directory::OperatorDirectory;

/// Change who signs, in steps that several people can share
///
/// `edit` writes the next versions of what people sign to staged/metadata. The files go to whoever has to sign, each of whom
/// runs `sign` on them. `finalize` publishes them when there are enough signatures.
#[derive(Clone, Debug, Args)]
#[command(override_usage = "tufpip repo root <command> [options]")]
pub struct RootArgs {
    #[command(subcommand)]
    pub command: RootCommand,
}

#[derive(Clone, Debug, Subcommand)]
pub enum RootCommand {
    Edit(edit::EditArgs),
    Sign(sign::SignArgs),
    Finalize(finalize::FinalizeArgs),
}

/// Runs one of the commands below `repo root`.
///
/// # Errors
/// See the commands.
pub async fn root(command: &RootCommand, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    match command {
        RootCommand::Edit(edit) => edit::edit(edit, terminal).await,
        RootCommand::Sign(sign) => sign::sign(sign, terminal).await,
        RootCommand::Finalize(finalize) => finalize::finalize(finalize, terminal).await,
    }
}

/// Warns of online keys that are offline keys, too.
pub fn warn_of_keys(ceremony: &Ceremony, ring: &KeyRing, terminal: &Terminal) {
    for warning in ceremony.expected().iter().flat_map(|expected| ceremony::keys_for_everything(expected, ring)) {
        terminal.warning(&warning);
    }
}

/// Prints what waits, whose signatures are missing, and which command comes next.
pub fn say_what_is_next(
    ceremony: &Ceremony,
    operator_directory: &OperatorDirectory,
    ring: &KeyRing,
    terminal: &Terminal,
) {
    if ceremony.waiting.is_empty() {
        terminal.line("This takes back what was staged; nothing waits.");
        return;
    }
    let missing = ceremony.unsigned();
    if missing.is_empty() {
        terminal.line("All signatures are there. Next, where the online key is: tufpip repo root finalize");
        return;
    }
    terminal.line("These signatures are missing:");
    for (file, requirements) in &missing {
        for requirement in requirements {
            terminal.line(&format!("  {}", ceremony::progress(file, requirement, ring)));
        }
    }
    let files: Vec<String> =
        missing.iter().map(|(file, _)| ceremony::path_of(operator_directory, file).display().to_string()).collect();
    terminal.line("Next, for each of those who have a key:");
    terminal
        .line(&printable::line(&format!("  1. take {} to the machine with the key", count_noun(files.len(), "file"))));
    for file in &files {
        terminal.line(&printable::line(&format!("       {file}")));
    }
    terminal.line("  2. there: tufpip repo root sign FILE… --key NAME.pem");
    terminal.line("  3. bring them back to the same place");
    terminal.line("Then, here: tufpip repo root finalize");
}

/// The waiting files as JSON.
pub fn waiting_json(ceremony: &Ceremony, operator_directory: &OperatorDirectory, ring: &KeyRing) -> Vec<Value> {
    let described = |file: &OfflineMetadataFile| {
        let path = ceremony::path_of(operator_directory, file).display().to_string();
        ceremony::to_json(file, &ceremony.requirements(file), &path, ring)
    };
    ceremony.waiting.iter().map(described).collect()
}
