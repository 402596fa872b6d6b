//! `repo gc`: deletes published files that are no longer needed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tuf::UnixTime;

use crate::settings::OperatorOptions;
use crate::terminal::Terminal;
use installer::error::Failure;
use installer::text::count_noun;
use installer::trust::unix_now;
use operator::garbage_collection::{self, Garbage, Swept};
use operator::operator_directory::OperatorDirectory;
use operator::storage::Storage;

/// Deletes the files that no snapshot of the period `keep` names.
///
/// # Errors
/// When something published cannot be read; then nothing is deleted.
pub async fn gc(
    repo: &OperatorOptions,
    keep: Duration,
    keep_packages: bool,
    terminal: &Arc<Terminal>,
) -> Result<(), Failure> {
    let operator_directory = OperatorDirectory::open(&repo.directory)?;
    let storage = Storage::open(&operator_directory.output())?;
    let since = UnixTime(unix_now().0.saturating_sub(i64::try_from(keep.as_secs()).unwrap_or(i64::MAX)));
    let mut garbage = garbage_collection::find(&operator_directory, &storage, since, keep_packages, terminal).await?;
    let mut deleted = BTreeMap::new();
    loop {
        if !repo.json {
            say(&garbage, &operator_directory, repo.dry_run, terminal);
        }
        if repo.dry_run {
            deleted.extend(garbage.files.iter().map(|file| (file.path.clone(), file.size)));
            break;
        }
        if garbage_collection::sweep(&storage, &garbage, &mut deleted, terminal).await? == Swept::Everything {
            break;
        }
        garbage = garbage_collection::find(&operator_directory, &storage, since, keep_packages, terminal).await?;
    }
    if repo.json {
        let said = json!({
            "dry_run": repo.dry_run,
            "deleted": deleted.keys().collect::<Vec<_>>(),
            "bytes": deleted.values().sum::<u64>(),
            "kept_files": garbage.kept_files,
            "kept_snapshots": garbage.kept_snapshots,
        });
        terminal.json(&said.to_string());
        return Ok(());
    }
    let kept = format!(
        "{} and {} stay",
        count_noun(garbage.kept_snapshots, "snapshot"),
        count_noun(garbage.kept_files, "file")
    );
    terminal.line(&kept);
    Ok(())
}

fn say(garbage: &Garbage, operator_directory: &OperatorDirectory, dry_run: bool, terminal: &Terminal) {
    let bytes: u64 = garbage.files.iter().map(|file| file.size).sum();
    let will = if dry_run { "Would delete" } else { "Deleting" };
    let count = count_noun(garbage.files.len(), "file");
    terminal.line(&format!("{will} {count} ({bytes} bytes) in {}", operator_directory.output()));
    for file in &garbage.files {
        terminal.verbose(1, || format!("  {}", file.path));
    }
}
