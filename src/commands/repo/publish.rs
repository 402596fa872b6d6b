//! `repo publish` and `repo refresh`: what is staged, or what would expire, is signed and published.

use std::sync::Arc;

use repository::ceremony::{ByPeople, RenewedByPeople};
use repository::{Change, Published, Renew};
use serde_json::Value;
use tuf::SigningKey;
use tuf::metadata::{RoleName, Targets};

use crate::failure::{Failure, Kind};
use crate::repo::publish::{self, Outcome, Update};
use crate::repo::storage::Storage;
use crate::repo::workplace::Workplace;
use crate::repo::{keys, overview, plain_pages, state};
use crate::settings::RepoSettings;
use crate::terminal::{Terminal, counted};
use crate::trust::unix_now;

/// Publishes what is staged; with `all_plain_pages` writes those of all projects anew.
///
/// # Errors
/// See [`publish::publish`]; and when nothing was published before, which `repo init` does.
pub async fn publish(repo: &RepoSettings, all_plain_pages: bool, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    let workplace = Workplace::open(&repo.directory)?;
    let changes = workplace.staged_changes()?;
    let nothing = changes.is_empty();
    let outcome = run(repo, &workplace, changes, terminal).await?;
    let rewritten = match all_plain_pages && !repo.dry_run {
        true => Some(plain_pages::write_all(&workplace, &Storage::open(&workplace.output())?, terminal).await?),
        false => None,
    };
    if repo.json {
        let mut said = publish::to_json(&outcome, repo.dry_run);
        if let (Some(rewritten), Value::Object(fields)) = (rewritten, &mut said) {
            fields.insert("plain_pages".to_owned(), rewritten.into());
        }
        terminal.data(&said.to_string());
        return Ok(());
    }
    if let Some(rewritten) = rewritten {
        terminal.line(&format!("Wrote the plain pages of {}", counted(rewritten, "project")));
    }
    if nothing {
        terminal.line("Nothing is staged.");
    }
    say(&outcome, &workplace, repo.dry_run, terminal);
    Ok(())
}

/// Signs the timestamp anew, and what else is due.
///
/// # Errors
/// See [`publish::publish`].
pub async fn refresh(repo: &RepoSettings, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    let workplace = Workplace::open(&repo.directory)?;
    let outcome = run(repo, &workplace, Vec::new(), terminal).await?;
    if repo.json {
        let mut said = publish::to_json(&outcome, repo.dry_run);
        if let Value::Object(fields) = &mut said {
            for name in ["projects", "files", "waiting_for_signatures"] {
                fields.remove(name);
            }
        }
        terminal.data(&said.to_string());
        return Ok(());
    }
    say(&outcome, &workplace, repo.dry_run, terminal);
    Ok(())
}

async fn run(
    repo: &RepoSettings,
    workplace: &Workplace,
    changes: Vec<Change>,
    terminal: &Arc<Terminal>,
) -> Result<Outcome, Failure> {
    let storage = Storage::open(&workplace.output())?;
    let Some(state) = state::read(workplace, &storage).await? else {
        let message = format!("Nothing is published in {} yet", workplace.output());
        return Err(Failure::new(Kind::Error, "repo.not-initialized", message)
            .hint("the first root has to be published before: `tufpip repo root finalize`"));
    };
    for warning in overview::warnings_for_people(&state.published, &storage, workplace, unix_now()).await? {
        terminal.warning(&warning);
    }
    let keys = keys::online(workplace, state.published.root(), repo, terminal)?;
    let by_people = renewed_targets(&state.published, workplace, &keys);
    let update = Update { changes, root: None, by_people, renew: Renew::WhatIsDue };
    publish::publish(workplace, &storage, &update, &keys, repo.dry_run, terminal).await
}

/// `targets` once more, when half of its time is over and the online key signs it (profile `rstuf`).
fn renewed_targets(published: &Published, workplace: &Workplace, keys: &[SigningKey]) -> Vec<(RoleName, Vec<u8>)> {
    let (before, policy, now) = (ByPeople::of(published), workplace.config.policy(), unix_now());
    let is_due = |targets: &Targets| targets.expires.0.saturating_sub(now.0) <= policy.expiry.targets / 2;
    if !before.targets_is_online() || !before.delegators.values().any(is_due) {
        return Vec::new();
    }
    let renewed = RenewedByPeople { root: false, targets: true };
    let mut files = before.since(Some(&before), renewed, &policy, now);
    for file in &mut files {
        keys.iter().for_each(|key| file.sign(key));
    }
    files.iter().map(|file| (file.role(), file.to_bytes())).collect()
}

/// Says what was published, or would be.
pub fn say(outcome: &Outcome, workplace: &Workplace, dry_run: bool, terminal: &Terminal) {
    let (published, signed) = if dry_run { ("Would publish", "Would sign") } else { ("Published", "Signed") };
    if !outcome.projects.is_empty() {
        terminal.line(&format!(
            "{published} {} of {} in {}",
            counted(outcome.files, "file"),
            counted(outcome.projects.len(), "project"),
            workplace.output()
        ));
    }
    if let Some(versions) = outcome.versions {
        let bins = match outcome.bins {
            0 => String::new(),
            bins => format!(", {}", counted(bins, "bin")),
        };
        terminal.line(&format!("{signed} timestamp {}, snapshot {}{bins}", versions.timestamp, versions.snapshot));
    }
    for project in &outcome.waiting {
        terminal.warning(&format!(
            "{project} waits for the signatures of its own people: `tufpip repo sign` on the file in {}",
            workplace.staged_metadata().display()
        ));
    }
}
