//! `repo gc`: published files that nobody needs any more are deleted.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tuf::UnixTime;

use crate::failure::Failure;
use crate::repo::collect;
use crate::repo::storage::Storage;
use crate::repo::workplace::Workplace;
use crate::settings::RepoSettings;
use crate::terminal::{Terminal, counted};
use crate::trust::unix_now;

/// Deletes what no snapshot names that was current within the last `keep`.
///
/// # Errors
/// When something published cannot be read; then nothing is deleted.
pub async fn gc(
    repo: &RepoSettings,
    keep: Duration,
    keep_packages: bool,
    terminal: &Arc<Terminal>,
) -> Result<(), Failure> {
    let workplace = Workplace::open(&repo.directory)?;
    let storage = Storage::open(&workplace.output())?;
    let since = UnixTime(unix_now().0.saturating_sub(i64::try_from(keep.as_secs()).unwrap_or(i64::MAX)));
    let garbage = collect::find(&workplace, &storage, since, keep_packages, terminal).await?;
    let bytes: u64 = garbage.files.iter().map(|file| file.size).sum();
    let count = counted(garbage.files.len(), "file");
    if !repo.json {
        let will = if repo.dry_run { "Would delete" } else { "Deleting" };
        terminal.line(&format!("{will} {count} ({bytes} bytes) in {}", workplace.output()));
        for file in &garbage.files {
            terminal.verbose(1, || format!("  {}", file.path));
        }
    }
    if !repo.dry_run {
        collect::sweep(&storage, &garbage, terminal).await?;
    }
    if repo.json {
        let files: Vec<&str> = garbage.files.iter().map(|file| file.path.as_str()).collect();
        let said = json!({
            "dry_run": repo.dry_run,
            "deleted": files,
            "bytes": bytes,
            "kept_files": garbage.kept_files,
            "kept_snapshots": garbage.kept_snapshots,
        });
        terminal.data(&said.to_string());
        return Ok(());
    }
    let kept =
        format!("{} and {} stay", counted(garbage.kept_snapshots, "snapshot"), counted(garbage.kept_files, "file"));
    terminal.line(&kept);
    Ok(())
}
