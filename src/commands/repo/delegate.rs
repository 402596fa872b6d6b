//! `repo delegate`: the files of a project are signed by its own key holders (PEP 480).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use packaging::PackageName;
use repository::ceremony::{OfflineMetadataFile, OfflineRenewal};
use repository::roles::project_role;
use repository::{KeyGroup, Published, ResponsibleRole, layout};
use tuf::UnixTime;
use tuf::metadata::{RoleName, TargetFile, Targets};

use super::root::edit::{impossible, no_root, prepare, stage};
use super::{OperatorDirectoryArgs, PassphraseArgs, path};
use crate::arguments::values::project_name;
use crate::terminal::Terminal;
use installer::error::{Code, Failure};
use installer::trust::unix_now;
use operator::ceremony::{self, Ceremony};
use operator::keys;
use operator::operator_directory::OperatorDirectory;
use operator::published_state;
use operator::storage::Storage;

/// Require a project's own signature for its files
///
/// The files of the project are then trusted only if its people signed them (PEP 480). Its page is still the index's word.
#[derive(Clone, Debug, Args)]
pub struct DelegateArgs {
    /// Name of the project
    #[arg(value_name = "project", required = true, value_parser = project_name)]
    pub project: PackageName,
    /// Somebody who signs for it (a .pub file); may be given several times
    #[arg(long = "key", value_name = "file", value_parser = path)]
    pub keys: Vec<PathBuf>,
    /// How many of the keys must sign
    #[arg(long, value_name = "number", default_value_t = 1)]
    pub threshold: u64,
    /// Take it back: the index vouches for the project's files again
    #[arg(long)]
    pub remove: bool,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
    #[command(flatten)]
    pub unlock: PassphraseArgs,
}

/// Writes what people have to sign so that a project gets keys of its own, or loses them.
///
/// # Errors
/// When the repository has no place for it, or a key cannot be read.
pub async fn delegate(delegate: &DelegateArgs, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    if delegate.remove != delegate.keys.is_empty() {
        return Err(Failure::usage("expected either --key, for each of those who sign for the project, or --remove"));
    }
    let repo = &delegate.operator_directory;
    let operator_directory = OperatorDirectory::open(&repo.directory)?;
    let storage = Storage::open(&operator_directory.output())?;
    let ceremony = Ceremony::read(&operator_directory, &storage, terminal).await?;
    let mut ring = ceremony::ring(&operator_directory, &delegate.unlock.options(terminal))?;
    let mut wanted = ceremony.expected().ok_or_else(no_root)?;
    let (project, policy) = (&delegate.project, operator_directory.config.policy());
    let mut signers = Vec::new();
    for path in &delegate.keys {
        let key = keys::open(path)?;
        ring.add_file(key.clone());
        signers.push(key);
    }
    if delegate.remove {
        wanted.unclaim(project).map_err(impossible)?;
    } else {
        let keys = signers.iter().map(|key| key.public.clone()).collect();
        let group = KeyGroup::new(keys, delegate.threshold).map_err(impossible)?;
        wanted.claim(&policy, project, &group).map_err(impossible)?;
    }
    let renewed = OfflineRenewal::default();
    let mut files = prepare(&operator_directory, &ceremony, &wanted, renewed);
    if files.is_empty() && ceremony.with(Vec::new()).waiting.len() == ceremony.waiting.len() {
        return Err(Failure::new(Code::RepoNothingChanges, "Nothing would change"));
    }
    if !delegate.remove {
        let expires = UnixTime(unix_now().0 + policy.expiry.targets);
        files.push(projects_file(ceremony.published.as_ref(), &storage, project, expires).await?);
    }
    if !delegate.dry_run {
        for key in &signers {
            keys::adopt(&operator_directory.keys(), key, false)?;
        }
    }
    stage(repo, delegate.dry_run, &operator_directory, ceremony, files, &ring, terminal)
}

/// The first metadata of the project's key holders: the files that the index signs until now.
async fn projects_file(
    published: Option<&Published>,
    storage: &Storage,
    project: &PackageName,
    expires: UnixTime,
) -> Result<OfflineMetadataFile, Failure> {
    let role = project_role(project);
    let Some(published) = published else { return Ok(first(role, BTreeMap::new(), 1, expires)) };
    let version = published.snapshot().role(&role).map_or(0, |meta| meta.version) + 1;
    let mut targets = BTreeMap::new();
    if let Some(page) = published_state::page(published, storage, project).await? {
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
                Some(ResponsibleRole::Online(leaf) | ResponsibleRole::Project(leaf)) if !leaves.contains(&leaf) => {
                    leaves.push(leaf)
                }
                _ => {}
            }
        }
        for (_, leaf) in published_state::roles(published, storage, leaves).await? {
            targets.extend(leaf.targets.into_iter().filter(|(path, _)| paths.contains(path)));
        }
    }
    Ok(first(role, targets, version, expires))
}

fn first(
    role: RoleName,
    targets: BTreeMap<String, TargetFile>,
    version: u64,
    expires: UnixTime,
) -> OfflineMetadataFile {
    OfflineMetadataFile::targets(role, Targets { targets, ..Targets::new(version, expires) })
}
