//! `repo status`: what is published, what is staged, what waits for signatures, and what expires.

use std::sync::Arc;

use clap::Args;

use super::{OperatorDirectoryArgs, without_passphrase};
use crate::terminal::Terminal;
use installer::error::Failure;
use installer::text::count_noun;
use installer::text::duration;
use installer::trust::unix_now;
use operator::ceremony;
use operator::operator_directory::OperatorDirectory;
use operator::overview::{PublishedStatus, RepositoryStatus, StagedChange};

/// Show what is published, what waits, and what expires
#[derive(Clone, Debug, Args)]
pub struct StatusArgs {
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
}

/// Says how things stand.
///
/// # Errors
/// When something cannot be read, or what is published is refused.
pub async fn status(status: &StatusArgs, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    let repo = &status.operator_directory;
    let operator_directory = OperatorDirectory::open_to_read(&repo.directory)?;
    let ring = ceremony::ring(&operator_directory, &without_passphrase(terminal))?;
    let overview = RepositoryStatus::of(&operator_directory, &ring, unix_now()).await?;
    if repo.json {
        terminal.json(&serde_json::to_string(&overview).unwrap_or_default());
        return Ok(());
    }
    match &overview.published {
        Some(published) => report_published(published, &overview.output, terminal),
        None => terminal.data(&format!("Nothing is published in {} yet.", overview.output)),
    }
    report_staged(&overview, terminal);
    for waiting in &overview.waiting {
        terminal.data(&format!("Waits for signatures: {}", printable::line(&waiting.file)));
        for line in &waiting.progress {
            terminal.data(&format!("  {}", printable::line(line)));
        }
    }
    if !overview.orphans.is_empty() {
        let files = count_noun(overview.orphans.len(), "file");
        let there = operator_directory.path("staged/packages");
        terminal.data(&format!("{files} in {} belong to no change; they can be deleted.", there.display()));
        for path in &overview.orphans {
            terminal.verbose(1, || format!("  {}", printable::line(path)));
        }
    }
    for warning in &overview.warnings {
        terminal.warning(warning);
    }
    Ok(())
}

fn report_published(published: &PublishedStatus, output: &str, terminal: &Terminal) {
    let mut counts: Vec<String> = Vec::new();
    counts.extend(published.projects.map(|projects| count_noun(projects, "project")));
    counts.extend(published.files.map(|files| count_noun(files, "file")));
    let counts = if counts.is_empty() { String::new() } else { format!(": {}", counts.join(", ")) };
    terminal.data(&format!("Published in {output}{counts}"));
    let width = published.roles.iter().map(|age| age.role.len()).max().unwrap_or_default();
    for age in &published.roles {
        let when = match age.seconds_left {
            left @ 1.. => format!("expires in {}", duration(left)),
            left => format!("EXPIRED {} ago", duration(left.saturating_neg())),
        };
        terminal.data(&format!("  {:width$} {:>5}  {when} ({})", printable::line(&age.role), age.version, age.expires));
    }
}

fn report_staged(overview: &RepositoryStatus, terminal: &Terminal) {
    if overview.staged.is_empty() {
        terminal.data("Nothing is staged.");
        return;
    }
    terminal.data("Staged:");
    for staged in &overview.staged {
        terminal.data(&format!("  {}", staged.project));
        for StagedChange { change, filename, reason, files } in &staged.changes {
            let filename = filename.as_deref().unwrap_or_default();
            let files = files.map(|files| format!("by {}", count_noun(files, "file"))).unwrap_or_default();
            let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            terminal.data(&printable::line(&format!("    {change} {filename}{files}{reason}")));
        }
    }
}
