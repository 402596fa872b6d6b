//! `repo root finalize`: publishes the waiting files once enough key holders have signed them.

use std::sync::Arc;

use clap::Args;
use repository::ceremony::OfflineMetadata;
use serde_json::json;

use super::edit::report_difference;
use crate::commands::repo::publish::report;
use crate::commands::repo::{OperatorDirectoryArgs, PassphraseArgs};
use crate::terminal::Terminal;
use installer::error::Failure;
use operator::ceremony::{self, Ceremony};
use operator::operator_directory::OperatorDirectory;
use operator::publish;
use operator::storage::Storage;

/// Publish what enough people have signed
#[derive(Clone, Debug, Args)]
pub struct FinalizeArgs {
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
    #[command(flatten)]
    pub unlock: PassphraseArgs,
}

/// Publishes what waits.
///
/// # Errors
/// When signatures are missing, or publishing fails.
pub async fn finalize(finalize: &FinalizeArgs, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    let repo = &finalize.operator_directory;
    let operator_directory = OperatorDirectory::open(&repo.directory)?;
    let storage = Storage::open(&operator_directory.output())?;
    let mut ring = ceremony::ring(&operator_directory, &finalize.unlock.options(terminal))?;
    let mut ceremony = Ceremony::read(&operator_directory, &storage, terminal).await?;
    ceremony.sign_online(&mut ring)?;
    if !repo.json {
        let before = ceremony.published.as_ref().map(OfflineMetadata::of);
        report_difference(before.as_ref(), &ceremony.waiting, &ring, terminal);
    }
    let files = super::waiting_json(&ceremony, &operator_directory, &ring);
    let outcome = ceremony.publish(&operator_directory, &storage, &mut ring, finalize.dry_run, terminal).await?;
    if repo.json {
        let published = publish::to_json(&outcome, finalize.dry_run);
        terminal.json(&json!({"files": files, "published": published, "dry_run": finalize.dry_run}).to_string());
        return Ok(());
    }
    report(&outcome, &operator_directory, finalize.dry_run, terminal);
    Ok(())
}
