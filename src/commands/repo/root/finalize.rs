//! `repo root finalize`: publishes the waiting files once enough key holders have signed them.

use std::sync::Arc;

use repository::ceremony::OfflineMetadata;
use serde_json::json;

use super::edit::say_difference;
use crate::commands::repo::publish::say;
use crate::settings::OperatorOptions;
use crate::terminal::Terminal;
use installer::error::Failure;
use operator::ceremony::{self, Ceremony};
use operator::operator_directory::OperatorDirectory;
use operator::publish;
use operator::storage::Storage;

/// Publishes the waiting files.
///
/// # Errors
/// When signatures are missing, or publishing fails.
pub async fn finalize(repo: &OperatorOptions, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    let operator_directory = OperatorDirectory::open(&repo.directory)?;
    let storage = Storage::open(&operator_directory.output())?;
    let mut ring = ceremony::ring(&operator_directory, &repo.unlock())?;
    let mut ceremony = Ceremony::read(&operator_directory, &storage, terminal).await?;
    ceremony.sign_online(&mut ring)?;
    if !repo.json {
        let before = ceremony.published.as_ref().map(OfflineMetadata::of);
        say_difference(before.as_ref(), &ceremony.waiting, &ring, terminal);
    }
    let files = super::waiting_json(&ceremony, &operator_directory, &ring);
    let outcome = ceremony.publish(&operator_directory, &storage, &mut ring, repo.dry_run, terminal).await?;
    if repo.json {
        let published = publish::to_json(&outcome, repo.dry_run);
        terminal.json(&json!({"files": files, "published": published, "dry_run": repo.dry_run}).to_string());
        return Ok(());
    }
    say(&outcome, &operator_directory, repo.dry_run, terminal);
    Ok(())
}
