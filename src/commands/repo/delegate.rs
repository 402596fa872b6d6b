//! `repo delegate`: the files of a project are signed by its own people (PEP 480).

use std::collections::BTreeMap;
use std::sync::Arc;

use packaging::PackageName;
use repository::ceremony::{PeoplesFile, RenewedByPeople};
use repository::roles::project_role;
use repository::{Group, Published, Signer, layout};
use tuf::UnixTime;
use tuf::metadata::{RoleName, TargetFile, Targets};

use super::root::edit::{impossible, no_root, prepare, stage};
use crate::settings::{DelegateProject, RepoSettings};
use crate::terminal::Terminal;
use installer::error::{Failure, Kind};
use installer::trust::unix_now;
use operator::ceremony::{self, Ceremony};
use operator::keys;
use operator::state;
use operator::storage::Storage;
use operator::workplace::Workplace;

/// Writes what people shall sign so that a project gets keys of its own, or loses them.
///
/// # Errors
/// When the repository has no place for it, or a key cannot be read.
pub async fn delegate(
    repo: &RepoSettings,
    delegate: &DelegateProject,
    terminal: &Arc<Terminal>,
) -> Result<(), Failure> {
    let workplace = Workplace::open(&repo.directory)?;
    let storage = Storage::open(&workplace.output())?;
    let ceremony = Ceremony::read(&workplace, &storage, terminal).await?;
    let mut ring = ceremony::ring(&workplace, &repo.unlock())?;
    let mut wanted = ceremony.expected().ok_or_else(no_root)?;
    let (project, policy) = (&delegate.project, workplace.config.policy());
    let mut signers = Vec::new();
    for path in &delegate.keys {
        let key = keys::open(path)?;
        ring.know(key.clone());
        signers.push(key);
    }
    if delegate.remove {
        wanted.unclaim(project).map_err(impossible)?;
    } else {
        let keys = signers.iter().map(|key| key.public.clone()).collect();
        let group = Group::new(keys, delegate.threshold).map_err(impossible)?;
        wanted.claim(&policy, project, &group).map_err(impossible)?;
    }
    let renewed = RenewedByPeople::default();
    let mut files = prepare(&workplace, &ceremony, &wanted, renewed);
    if files.is_empty() && ceremony.with(Vec::new()).waiting.len() == ceremony.waiting.len() {
        return Err(Failure::new(Kind::Usage, "repo.nothing-changes", "Nothing would change"));
    }
    if !delegate.remove {
        let expires = UnixTime(unix_now().0 + policy.expiry.targets);
        files.push(projects_file(ceremony.published.as_ref(), &storage, project, expires).await?);
    }
    if !repo.dry_run {
        for key in &signers {
            keys::adopt(&workplace.keys(), key, false)?;
        }
    }
    stage(repo, &workplace, ceremony, files, &ring, terminal)
}

/// What the project's people sign first: the files that the index vouches for until now.
async fn projects_file(
    published: Option<&Published>,
    storage: &Storage,
    project: &PackageName,
    expires: UnixTime,
) -> Result<PeoplesFile, Failure> {
    let role = project_role(project);
    let Some(published) = published else { return Ok(first(role, BTreeMap::new(), 1, expires)) };
    let version = published.snapshot().role(&role).map_or(0, |meta| meta.version) + 1;
    let mut targets = BTreeMap::new();
    if let Some(page) = state::page(published, storage, project).await? {
        let paths: Vec<String> = page
            .files()
            .flat_map(|file| {
                [
                    layout::distribution_target(project, &file.filename),
                    layout::core_metadata_target(project, &file.filename),
                ]
            })
            .collect();
        let mut leaves: Vec<RoleName> = Vec::new();
        for path in &paths {
            match published.signer(path) {
                Some(Signer::Online(leaf) | Signer::Project(leaf)) if !leaves.contains(&leaf) => leaves.push(leaf),
                _ => {}
            }
        }
        for (_, leaf) in state::roles(published, storage, leaves).await? {
            targets.extend(leaf.targets.into_iter().filter(|(path, _)| paths.contains(path)));
        }
    }
    Ok(first(role, targets, version, expires))
}

fn first(role: RoleName, targets: BTreeMap<String, TargetFile>, version: u64, expires: UnixTime) -> PeoplesFile {
    PeoplesFile::targets(role, Targets { targets, ..Targets::new(version, expires) })
}
