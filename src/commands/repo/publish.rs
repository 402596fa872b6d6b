//! `repo publish` and `repo refresh`: what is staged, or what would expire, is signed and published.

use std::sync::Arc;

use repository::ceremony::{ByPeople, RenewedByPeople};
use repository::{Change, Profile, Published, Renew};
use serde_json::Value;
use tuf::SigningKey;
use tuf::metadata::{RoleName, Targets};

use crate::settings::RepoSettings;
use crate::terminal::Terminal;
use installer::error::{Failure, Kind};
use installer::text::counted;
use installer::trust::unix_now;
use operator::publish::{self, Outcome, Update};
use operator::storage::Storage;
use operator::workplace::Workplace;
use operator::{keys, overview, plain_pages, state};

/// Publishes what is staged; with `all_plain_pages` writes those of all projects anew.
///
/// # Errors
/// See [`publish::publish`]; and when nothing was published before, which `repo init` does.
pub async fn publish(repo: &RepoSettings, all_plain_pages: bool, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    let workplace = Workplace::open_patiently(&repo.directory, terminal)?;
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
    let workplace = Workplace::open_patiently(&repo.directory, terminal)?;
    let outcome = run(repo, &workplace, Vec::new(), terminal).await?;
    if repo.json {
        let mut said = publish::to_json(&outcome, repo.dry_run);
        if let Value::Object(fields) = &mut said {
            for name in ["projects", "files", "removed", "yanked", "unyanked", "waiting_for_signatures"] {
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
    let keys = keys::online(workplace, state.published.root(), &repo.unlock(), terminal)?;
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
    let signed = if dry_run { "Would sign" } else { "Signed" };
    if !outcome.projects.is_empty() {
        terminal.line(&format!(
            "{} of {} in {}",
            what_was_done(outcome, dry_run),
            counted(outcome.projects.len(), "project"),
            workplace.output()
        ));
    }
    if let Some(versions) = outcome.versions {
        let bins = match outcome.bins {
            0 => String::new(),
            _ if workplace.config.profile == Profile::Small => String::new(),
            bins => format!(", {}", counted(bins, "bin")),
        };
        let join = if outcome.is_only_timestamp { " for" } else { "," };
        terminal.line(&format!("{signed} timestamp {}{join} snapshot {}{bins}", versions.timestamp, versions.snapshot));
    }
    for project in &outcome.waiting {
        terminal.warning(&format!(
            "{project} waits for the signatures of its own people: `tufpip repo sign` on the file in {}",
            workplace.staged_metadata().display()
        ));
    }
}

/// Such as "Published 2 files, removed 1 file".
fn what_was_done(outcome: &Outcome, dry_run: bool) -> String {
    let Outcome { files, removed, yanked, unyanked, .. } = outcome;
    let counts = [
        (*files, "Published", "publish"),
        (*removed, "removed", "remove"),
        (*yanked, "yanked", "yank"),
        (*unyanked, "unyanked", "unyank"),
    ];
    let done = counts.into_iter().filter(|(count, ..)| *count > 0);
    let done: Vec<String> = done
        .map(|(count, done, todo)| format!("{} {}", if dry_run { todo } else { done }, counted(count, "file")))
        .collect();
    let done = match (done.as_slice(), dry_run) {
        ([], true) => "write the pages".to_owned(),
        ([], false) => "Wrote the pages".to_owned(),
        (done, _) => done.join(", "),
    };
    if dry_run {
        return format!("Would {done}");
    }
    let mut characters = done.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}
