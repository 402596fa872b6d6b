//! `repo gc`: deletes published files that are no longer needed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use tuf::UnixTime;

use super::OperatorDirectoryArgs;
use crate::arguments::values::expiry_grace;
use crate::terminal::Terminal;
use installer::error::Failure;
use installer::text::count_noun;
use installer::trust::unix_now;
use operator::garbage_collection::{self, Garbage, Swept};
use operator::operator_directory::OperatorDirectory;
use operator::storage::Storage;

/// Delete published files that nobody needs any more
#[derive(Clone, Debug, Args)]
pub struct GcArgs {
    /// Keep what was current within so long, for clients that are still at it
    #[arg(long, value_name = "duration", default_value = "24h", value_parser = expiry_grace)]
    pub keep: Duration,
    /// Keep all wheels and source distributions, removed ones too
    #[arg(long)]
    pub keep_files: bool,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
}

/// Deletes what no snapshot names that was current within the time of `--keep`.
///
/// # Errors
/// When something published cannot be read; then nothing is deleted.
pub async fn gc(gc: &GcArgs, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    let repo = &gc.operator_directory;
    let operator_directory = OperatorDirectory::open(&repo.directory)?;
    let storage = Storage::open(&operator_directory.output())?;
    let since = UnixTime(unix_now().0.saturating_sub(i64::try_from(gc.keep.as_secs()).unwrap_or(i64::MAX)));
    let mut garbage = garbage_collection::find(&operator_directory, &storage, since, gc.keep_files, terminal).await?;
    let mut deleted = BTreeMap::new();
    loop {
        if !repo.json {
            report(&garbage, &operator_directory, gc.dry_run, terminal);
        }
        if gc.dry_run {
            deleted.extend(garbage.files.iter().map(|file| (file.path.clone(), file.size)));
            break;
        }
        if garbage_collection::sweep(&storage, &garbage, &mut deleted, terminal).await? == Swept::Everything {
            break;
        }
        garbage = garbage_collection::find(&operator_directory, &storage, since, gc.keep_files, terminal).await?;
    }
    if repo.json {
        let said = json!({
            "dry_run": gc.dry_run,
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

fn report(garbage: &Garbage, operator_directory: &OperatorDirectory, dry_run: bool, terminal: &Terminal) {
    let bytes: u64 = garbage.files.iter().map(|file| file.size).sum();
    let will = if dry_run { "Would delete" } else { "Deleting" };
    let count = count_noun(garbage.files.len(), "file");
    terminal.line(&format!("{will} {count} ({bytes} bytes) in {}", operator_directory.output()));
    for file in &garbage.files {
        terminal.verbose(1, || format!("  {}", file.path));
    }
}
