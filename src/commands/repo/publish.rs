//! `repo publish` and `repo refresh`: sign and publish what is staged, or what would expire.

use std::sync::Arc;

use clap::Args;
use repository::ceremony::{OfflineMetadata, OfflineRenewal};
use repository::{Change, Profile, Published, RenewScope};
use serde_json::Value;
use tuf::SigningKey;
use tuf::metadata::{RoleName, Targets};

use super::{OperatorDirectoryArgs, PassphraseArgs};
use crate::terminal::Terminal;
use installer::error::{Code, Failure};
use installer::text::count_noun;
use installer::trust::unix_now;
use operator::operator_directory::OperatorDirectory;
use operator::publish::{self, PublicationUpdate, PublishOutcome};
use operator::storage::Storage;
use operator::{keys, overview, plain_pages, published_state};

/// Sign what has changed and publish it
#[derive(Clone, Debug, Args)]
pub struct PublishArgs {
    /// Write the pages for installers without signatures again, of all projects: if somebody has changed them
    #[arg(long)]
    pub plain_pages: bool,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
    #[command(flatten)]
    pub unlock: PassphraseArgs,
}

/// Sign again what would expire; for cron
#[derive(Clone, Debug, Args)]
pub struct RefreshArgs {
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
    #[command(flatten)]
    pub unlock: PassphraseArgs,
}

/// Publishes what is staged; with `--plain-pages` writes those of all projects again.
///
/// # Errors
/// See [`publish::publish`]; and when nothing was published before, which `repo init` does.
pub async fn publish(publish: &PublishArgs, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    let (repo, dry_run) = (&publish.operator_directory, publish.dry_run);
    let operator_directory = OperatorDirectory::open_waiting(&repo.directory, terminal)?;
    let changes = operator_directory.staged_changes()?;
    let nothing = changes.is_empty();
    let outcome = run(&publish.unlock, dry_run, &operator_directory, changes, terminal).await?;
    let rewritten = match publish.plain_pages && !dry_run {
        true => Some(
            plain_pages::write_all(&operator_directory, &Storage::open(&operator_directory.output())?, terminal)
                .await?,
        ),
        false => None,
    };
    if repo.json {
        let mut said = publish::to_json(&outcome, dry_run);
        if let (Some(rewritten), Value::Object(fields)) = (rewritten, &mut said) {
            fields.insert("plain_pages".to_owned(), rewritten.into());
        }
        terminal.json(&said.to_string());
        return Ok(());
    }
    if let Some(rewritten) = rewritten {
        terminal.line(&format!("Wrote the plain pages of {}", count_noun(rewritten, "project")));
    }
    if nothing {
        terminal.line("Nothing is staged.");
    }
    report(&outcome, &operator_directory, dry_run, terminal);
    Ok(())
}

/// Signs the timestamp again, and whatever else is due.
///
/// # Errors
/// See [`publish::publish`].
pub async fn refresh(refresh: &RefreshArgs, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    let (repo, dry_run) = (&refresh.operator_directory, refresh.dry_run);
    let operator_directory = OperatorDirectory::open_waiting(&repo.directory, terminal)?;
    let outcome = run(&refresh.unlock, dry_run, &operator_directory, Vec::new(), terminal).await?;
    if repo.json {
        let mut said = publish::to_json(&outcome, dry_run);
        if let Value::Object(fields) = &mut said {
            for name in ["projects", "files", "removed", "yanked", "unyanked", "waiting_for_signatures"] {
                fields.remove(name);
            }
        }
        terminal.json(&said.to_string());
        return Ok(());
    }
    report(&outcome, &operator_directory, dry_run, terminal);
    Ok(())
}

async fn run(
    unlock: &PassphraseArgs,
    dry_run: bool,
    operator_directory: &OperatorDirectory,
    changes: Vec<Change>,
    terminal: &Arc<Terminal>,
) -> Result<PublishOutcome, Failure> {
    let storage = Storage::open(&operator_directory.output())?;
    let Some(state) = published_state::read(operator_directory, &storage).await? else {
        let message = format!("Nothing is published in {} yet", operator_directory.output());
        return Err(Failure::new(Code::RepoNotInitialized, message)
            .hint("the first root has to be published before: `tufpip repo root finalize`"));
    };
    for warning in overview::key_holder_warnings(&state.published, &storage, operator_directory, unix_now()).await? {
        terminal.warning(&warning);
    }
    let keys = keys::online_keys(operator_directory, state.published.root(), &unlock.options(terminal), terminal)?;
    let offline_metadata = renewed_targets(&state.published, operator_directory, &keys);
    let update = PublicationUpdate { changes, root: None, offline_metadata, renew: RenewScope::WhatIsDue };
    publish::publish(operator_directory, &storage, &update, &keys, dry_run, terminal).await
}

/// The next version of `targets`, when half of its time is over and the online key signs it (profile `rstuf`).
fn renewed_targets(
    published: &Published,
    operator_directory: &OperatorDirectory,
    keys: &[SigningKey],
) -> Vec<(RoleName, Vec<u8>)> {
    let (before, policy, now) = (OfflineMetadata::of(published), operator_directory.config.policy(), unix_now());
    let is_due = |targets: &Targets| targets.expires.0.saturating_sub(now.0) <= policy.expiry.targets / 2;
    if !before.targets_is_online() || !before.delegators.values().any(is_due) {
        return Vec::new();
    }
    let renewed = OfflineRenewal { root: false, targets: true };
    let mut files = before.changes_since(Some(&before), renewed, &policy, now);
    for file in &mut files {
        keys.iter().for_each(|key| file.sign(key));
    }
    files.iter().map(|file| (file.role(), file.to_bytes())).collect()
}

/// Prints what was published, or would be.
pub fn report(outcome: &PublishOutcome, operator_directory: &OperatorDirectory, dry_run: bool, terminal: &Terminal) {
    let signed = if dry_run { "Would sign" } else { "Signed" };
    if !outcome.projects.is_empty() {
        terminal.line(&format!(
            "{} of {} in {}",
            what_was_done(outcome, dry_run),
            count_noun(outcome.projects.len(), "project"),
            operator_directory.output()
        ));
    }
    if let Some(versions) = outcome.versions {
        let bins = match outcome.bins {
            0 => String::new(),
            _ if operator_directory.config.profile == Profile::Small => String::new(),
            bins => format!(", {}", count_noun(bins, "bin")),
        };
        let join = if outcome.is_only_timestamp { " for" } else { "," };
        terminal.line(&format!("{signed} timestamp {}{join} snapshot {}{bins}", versions.timestamp, versions.snapshot));
    }
    for project in &outcome.waiting {
        terminal.warning(&format!(
            "{project} waits for the signatures of its own people: `tufpip repo sign` on the file in {}",
            operator_directory.staged_metadata().display()
        ));
    }
}

/// Such as "Published 2 files, removed 1 file".
fn what_was_done(outcome: &PublishOutcome, dry_run: bool) -> String {
    let PublishOutcome { files, removed, yanked, unyanked, .. } = outcome;
    let counts = [
        (*files, "Published", "publish"),
        (*removed, "removed", "remove"),
        (*yanked, "yanked", "yank"),
        (*unyanked, "unyanked", "unyank"),
    ];
    let done = counts.into_iter().filter(|(count, ..)| *count > 0);
    let done: Vec<String> = done
        .map(|(count, done, todo)| format!("{} {}", if dry_run { todo } else { done }, count_noun(count, "file")))
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
