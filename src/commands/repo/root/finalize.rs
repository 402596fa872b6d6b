//! `repo root finalize`: what enough people have signed is published.

use std::sync::Arc;

use repository::ceremony::ByPeople;
use serde_json::json;

use super::edit::say_difference;
use crate::commands::repo::publish::say;
use crate::settings::RepoSettings;
use crate::terminal::Terminal;
use installer::error::Failure;
use operator::ceremony::{self, Ceremony};
use operator::publish;
use operator::storage::Storage;
use operator::workplace::Workplace;

/// Publishes what waits.
///
/// # Errors
/// When signatures are missing, or publishing fails.
pub async fn finalize(repo: &RepoSettings, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    let workplace = Workplace::open(&repo.directory)?;
    let storage = Storage::open(&workplace.output())?;
    let mut ring = ceremony::ring(&workplace, &repo.unlock())?;
    let mut ceremony = Ceremony::read(&workplace, &storage, terminal).await?;
    ceremony.sign_online(&mut ring)?;
    if !repo.json {
        let before = ceremony.published.as_ref().map(ByPeople::of);
        say_difference(before.as_ref(), &ceremony.waiting, &ring, terminal);
    }
    let files = super::waiting_json(&ceremony, &workplace, &ring);
    let outcome = ceremony.publish(&workplace, &storage, &mut ring, repo.dry_run, terminal).await?;
    if repo.json {
        let published = publish::to_json(&outcome, repo.dry_run);
        terminal.data(&json!({"files": files, "published": published, "dry_run": repo.dry_run}).to_string());
        return Ok(());
    }
    say(&outcome, &workplace, repo.dry_run, terminal);
    Ok(())
}
