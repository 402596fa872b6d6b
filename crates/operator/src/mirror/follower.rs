//! Follows another index: compares project by project, imports missing files, and stages the changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use packaging::PackageName;
use repository::{Change, FileAddition, Page};

use super::comparison::{Comparison, MirrorRules, ReplacedFile, UpstreamFile, compare};
use super::{Importer, MirrorReport};
use crate::operator_directory::OperatorDirectory;
use installer::download::DownloadRequest;
use installer::error::{Code, Failure};
use installer::index::IndexFile;

/// Files of a project that are imported at a time.
const FILES: usize = 8;

/// A project of the upstream index.
pub struct UpstreamProject {
    /// Which.
    pub project: PackageName,
    /// Its files there.
    pub there: Vec<UpstreamFile>,
    /// The required ones of them by name, and how to fetch them.
    pub wanted: BTreeMap<String, DownloadRequest>,
    /// How far it is followed.
    pub rules: MirrorRules,
}

/// Compares a project's page here with its files there, and imports missing files; in a dry run nothing is fetched.
///
/// # Errors
/// When a file cannot be fetched, or does not match the other index.
pub async fn follow(
    upstream: UpstreamProject,
    here: &Page,
    importer: &Importer<'_>,
    dry_run: bool,
) -> Result<(Vec<Change>, MirrorReport), Failure> {
    let UpstreamProject { project, there, wanted, rules } = upstream;
    let names: BTreeSet<String> = wanted.keys().cloned().collect();
    let comparison = compare(&project, here, &there, &names, rules);
    let mut report = report_of(&project, &comparison);
    report.files = here.files().len() + comparison.missing.len();
    // Refuse before anything is fetched.
    if dry_run || !report.replaced.is_empty() {
        let of = |files: &[Arc<IndexFile>]| files.iter().map(|file| named(&project, file.filename())).collect();
        (report.new, report.updated) = (of(&comparison.missing), of(&comparison.outdated));
        return Ok((Vec::new(), report));
    }
    let missing = import_files(&comparison.missing, &wanted, importer).await?;
    let outdated = import_files(&comparison.outdated, &wanted, importer).await?;
    report.new = missing.iter().map(|addition| named(&project, &addition.file.filename)).collect();
    let mut changes = comparison.changes;
    for addition in outdated {
        let filename = addition.file.filename.clone();
        if let Some(present) = here.file(&filename)
            && (present.hashes != addition.file.hashes || present.size != addition.file.size)
        {
            let shown = |file: &repository::PageFile| format!("sha256 {}, {} bytes", file.hashes.sha256, file.size);
            let replaced = ReplacedFile { filename, here: shown(present), there: shown(&addition.file) };
            report.replaced.push((project.clone(), replaced));
            continue;
        }
        report.updated.push(named(&project, &filename));
        changes.push(Change::Remove { project: project.clone(), filename });
        changes.push(Change::Add { project: project.clone(), addition });
    }
    // One change for all files is less work when the project has no other files.
    if rules.exactly && here.files().len() == 0 && !missing.is_empty() {
        changes.push(Change::Replace { project, files: missing });
    } else {
        changes.extend(missing.into_iter().map(|addition| Change::Add { project: project.clone(), addition }));
    }
    Ok((changes, report))
}

/// Appends changes to those that are staged already.
///
/// # Errors
/// When the disk refuses.
pub fn stage(operator_directory: &OperatorDirectory, changes: Vec<Change>) -> Result<(), Failure> {
    if changes.is_empty() {
        return Ok(());
    }
    let mut staged = operator_directory.staged_changes()?;
    staged.extend(changes);
    operator_directory.write_staged_changes(&staged)
}

async fn import_files(
    files: &[Arc<IndexFile>],
    requests: &BTreeMap<String, DownloadRequest>,
    importer: &Importer<'_>,
) -> Result<Vec<FileAddition>, Failure> {
    let brought = stream::iter(files).map(|file| async move {
        let request = requests.get(file.filename());
        let request = request.ok_or_else(|| Failure::new(Code::Internal, "nothing says how to get a file"))?;
        importer.import(file, request).await
    });
    let additions: Vec<Option<FileAddition>> = brought.buffered(FILES).try_collect().await?;
    Ok(additions.into_iter().flatten().collect())
}

fn report_of(project: &PackageName, comparison: &Comparison) -> MirrorReport {
    let all = |names: &[String]| names.iter().map(|name| named(project, name)).collect();
    let mut report = MirrorReport {
        vanished: all(&comparison.vanished),
        different: all(&comparison.different),
        yanked_only_here: all(&comparison.yanked_only_here),
        replaced: comparison.replaced.iter().map(|replaced| (project.clone(), replaced.clone())).collect(),
        projects: 1,
        ..MirrorReport::default()
    };
    for change in &comparison.changes {
        match change {
            Change::Yank { filename, reason, .. } => {
                report.yanked.push((project.clone(), filename.clone(), reason.clone()));
            }
            Change::Unyank { filename, .. } => report.unyanked.push(named(project, filename)),
            Change::Remove { filename, .. } => report.removed.push(named(project, filename)),
            Change::Add { .. } | Change::Replace { .. } => {}
        }
    }
    report
}

fn named(project: &PackageName, filename: &str) -> (PackageName, String) {
    (project.clone(), filename.to_owned())
}
