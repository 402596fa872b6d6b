//! Follows another index: compares project by project, brings what is missing, and stages what changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use packaging::PackageName;
use repository::{Addition, Change, Page};

use super::comparison::{Comparison, Listing, Replaced, Rules, compare};
use super::{Carrier, News};
use crate::workplace::Workplace;
use installer::download::DownloadRequest;
use installer::error::{Failure, Kind};
use installer::index::Listed;

/// Files of a project that are brought at a time.
const FILES: usize = 8;

/// A project of the other index.
pub struct Followed {
    /// Which.
    pub project: PackageName,
    /// Its files there.
    pub there: Vec<Listing>,
    /// The wanted ones of them by name, and how to get them.
    pub wanted: BTreeMap<String, DownloadRequest>,
    /// How far it is followed.
    pub rules: Rules,
}

/// Compares a project's page here with its files there, and brings what is missing; in a dry run nothing is fetched.
///
/// # Errors
/// When a file cannot be had, or is not what the other index says.
pub async fn follow(
    followed: Followed,
    here: &Page,
    carrier: &Carrier<'_>,
    dry_run: bool,
) -> Result<(Vec<Change>, News), Failure> {
    let Followed { project, there, wanted, rules } = followed;
    let names: BTreeSet<String> = wanted.keys().cloned().collect();
    let comparison = compare(&project, here, &there, &names, rules);
    let mut news = told(&project, &comparison);
    news.files = here.files().len() + comparison.missing.len();
    // What is refused is refused before anything is fetched.
    if dry_run || !news.replaced.is_empty() {
        let of = |files: &[Arc<Listed>]| files.iter().map(|file| named(&project, file.filename())).collect();
        (news.new, news.updated) = (of(&comparison.missing), of(&comparison.outdated));
        return Ok((Vec::new(), news));
    }
    let missing = bring(&comparison.missing, &wanted, carrier).await?;
    let outdated = bring(&comparison.outdated, &wanted, carrier).await?;
    news.new = missing.iter().map(|addition| named(&project, &addition.file.filename)).collect();
    let mut changes = comparison.changes;
    for addition in outdated {
        let filename = addition.file.filename.clone();
        if let Some(present) = here.file(&filename)
            && (present.hashes != addition.file.hashes || present.size != addition.file.size)
        {
            let shown = |file: &repository::PageFile| format!("sha256 {}, {} bytes", file.hashes.sha256, file.size);
            let replaced = Replaced { filename, here: shown(present), there: shown(&addition.file) };
            news.replaced.push((project.clone(), replaced));
            continue;
        }
        news.updated.push(named(&project, &filename));
        changes.push(Change::Remove { project: project.clone(), filename });
        changes.push(Change::Add { project: project.clone(), addition });
    }
    // One change for all is less work where nobody else adds files.
    if rules.exactly && here.files().len() == 0 && !missing.is_empty() {
        changes.push(Change::Replace { project, files: missing });
    } else {
        changes.extend(missing.into_iter().map(|addition| Change::Add { project: project.clone(), addition }));
    }
    Ok((changes, news))
}

/// Puts changes behind those that wait already.
///
/// # Errors
/// When the disk refuses.
pub fn stage(workplace: &Workplace, changes: Vec<Change>) -> Result<(), Failure> {
    if changes.is_empty() {
        return Ok(());
    }
    let mut staged = workplace.staged_changes()?;
    staged.extend(changes);
    workplace.write_staged_changes(&staged)
}

async fn bring(
    files: &[Arc<Listed>],
    requests: &BTreeMap<String, DownloadRequest>,
    carrier: &Carrier<'_>,
) -> Result<Vec<Addition>, Failure> {
    let brought = stream::iter(files).map(|file| async move {
        let request = requests.get(file.filename());
        let request = request.ok_or_else(|| Failure::new(Kind::Error, "internal", "nothing says how to get a file"))?;
        carrier.bring(file, request).await
    });
    let additions: Vec<Option<Addition>> = brought.buffered(FILES).try_collect().await?;
    Ok(additions.into_iter().flatten().collect())
}

fn told(project: &PackageName, comparison: &Comparison) -> News {
    let all = |names: &[String]| names.iter().map(|name| named(project, name)).collect();
    let mut news = News {
        vanished: all(&comparison.vanished),
        different: all(&comparison.different),
        yanked_only_here: all(&comparison.yanked_only_here),
        replaced: comparison.replaced.iter().map(|replaced| (project.clone(), replaced.clone())).collect(),
        projects: 1,
        ..News::default()
    };
    for change in &comparison.changes {
        match change {
            Change::Yank { filename, reason, .. } => {
                news.yanked.push((project.clone(), filename.clone(), reason.clone()));
            }
            Change::Unyank { filename, .. } => news.unyanked.push(named(project, filename)),
            Change::Remove { filename, .. } => news.removed.push(named(project, filename)),
            Change::Add { .. } | Change::Replace { .. } => {}
        }
    }
    news
}

fn named(project: &PackageName, filename: &str) -> (PackageName, String) {
    (project.clone(), filename.to_owned())
}
