//! Everything about a publication but the signatures and the writing: reads the published state as far as needed, and
//! applies the changes to it.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, TryStreamExt as _};
use packaging::PackageName;
use repository::{Change, Draft, Published};
use tuf::UnixTime;
use tuf::metadata::{FileMeta, Metadata, RoleName, Root, claimed_version};

use super::{PublicationUpdate, not_publishable};
use crate::operator_directory::OperatorDirectory;
use crate::published_state::{self, refused};
use crate::storage::Storage;
use installer::error::{Code, Failure};
use installer::event::{Progress, Reporter};
use installer::trust::unix_now;

/// How far the clocks of two publishers may differ, in seconds.
const CLOCK_TOLERANCE: i64 = 300;

/// Everything but the signatures. Also returns the projects whose own key holders have not signed yet.
pub async fn draft(
    operator_directory: &OperatorDirectory,
    storage: &Storage,
    update: &PublicationUpdate,
    published: Option<Published>,
    reporter: &dyn Reporter,
    dry_run: bool,
) -> Result<(Draft, BTreeSet<PackageName>), Failure> {
    let policy = operator_directory.config.policy();
    let (root, offline_metadata) = match &published {
        Some(published) => (new_root(update, published), new_offline_metadata(update, published)),
        None => (update.root.clone(), update.offline_metadata.clone()),
    };
    let now = unix_now();
    check_clock(published.as_ref(), now)?;
    let begun = Draft::begin(policy, published.clone(), root, &offline_metadata, update.renew, now);
    let mut draft = begun.map_err(not_publishable)?;
    let projects: BTreeSet<&PackageName> = update.changes.iter().map(Change::project).collect();
    if let Some(published) = &published {
        let mut roles = BTreeSet::new();
        if draft.reads_everything() {
            roles.extend(draft.published_roles());
        }
        for project in &projects {
            roles.extend(draft.page_role(project).map_err(refused)?);
        }
        take(&mut draft, published, storage, roles.into_iter().collect()).await?;
        read_pages(&mut draft, storage, &projects, reporter).await?;
    }
    draft.apply(&update.changes).map_err(|error| {
        Failure::new(Code::RepoChange, error.to_string())
            .caused_by(error)
            .hint("`tufpip repo status` shows what is staged; `tufpip repo remove` takes a staged file back")
    })?;
    if let Some(published) = &published {
        let roles = draft.leaves_of_edits();
        take(&mut draft, published, storage, roles).await?;
    }
    let mut waiting = BTreeSet::new();
    for awaiting_signatures in draft.awaiting_signatures() {
        let file = waiting_file(&awaiting_signatures.role, awaiting_signatures.targets.version);
        let there = operator_directory.read(&file)?;
        let accepted = there.as_ref().is_some_and(|bytes| draft.accept(&awaiting_signatures, bytes).is_ok());
        if !accepted {
            waiting.extend(draft.hold_back(&awaiting_signatures).map_err(not_publishable)?);
            // Some key holders may have signed it already.
            let stays = there.is_some_and(|bytes| awaiting_signatures.matches_file(&bytes, unix_now()));
            if !dry_run && !stays {
                operator_directory.write(&file, &Metadata::new(awaiting_signatures.targets.clone()).to_bytes())?;
            }
        }
    }
    if let Some(published) = &published {
        renew_projects(&mut draft, published, operator_directory, storage).await?;
    }
    Ok((draft, waiting))
}

/// Where the metadata of a project waits for its key holders.
fn waiting_file(role: &RoleName, version: u64) -> String {
    format!("staged/metadata/{version}.{}.json", role.encoded())
}

/// Adds project metadata that key holders signed only to extend its expiry.
async fn renew_projects(
    draft: &mut Draft,
    published: &Published,
    operator_directory: &OperatorDirectory,
    storage: &Storage,
) -> Result<(), Failure> {
    for role in published.project_roles() {
        let Some(meta) = published.snapshot().role(role) else { continue };
        let Some(bytes) = operator_directory.read(&waiting_file(role, meta.version + 1))? else { continue };
        take(draft, published, storage, vec![role.clone()]).await?;
        if let Some(renewal) = draft.renewal(role) {
            // Without enough signatures, or with other content, it keeps waiting.
            let _ = draft.accept(&renewal, &bytes);
        }
    }
    Ok(())
}

/// Refuses to sign with a clock that is behind existing signatures: new ones would already have expired for clients.
fn check_clock(published: Option<&Published>, now: UnixTime) -> Result<(), Failure> {
    match published.and_then(Published::signed_at) {
        Some(signed_at) if signed_at.0 > now.0 + CLOCK_TOLERANCE => {
            let message =
                format!("By the clock of this machine it is {now}, but what is published was signed at {signed_at}");
            Err(Failure::new(Code::RepoClock, message)
                .hint("set the clock, here or on the machine that published last"))
        }
        _ => Ok(()),
    }
}

/// The root of the update, unless an attempt that was interrupted has published it.
fn new_root(update: &PublicationUpdate, published: &Published) -> Option<Vec<u8>> {
    let bytes = update.root.as_ref()?;
    let is_there = claimed_version(bytes) == Some(published.root().version);
    let same = is_there && Metadata::<Root>::from_bytes(bytes).is_ok_and(|root| root.signed == *published.root());
    (!same).then(|| bytes.clone())
}

/// The signed offline metadata, without what an interrupted attempt has published.
fn new_offline_metadata(update: &PublicationUpdate, published: &Published) -> Vec<(RoleName, Vec<u8>)> {
    let is_there = |role: &RoleName, bytes: &[u8]| {
        let meta = published.snapshot().role(role);
        meta.is_some_and(|meta| *meta == FileMeta::of(claimed_version(bytes).unwrap_or(0), bytes))
    };
    update.offline_metadata.iter().filter(|(role, bytes)| !is_there(role, bytes)).cloned().collect()
}

async fn take(
    draft: &mut Draft,
    published: &Published,
    storage: &Storage,
    roles: Vec<RoleName>,
) -> Result<(), Failure> {
    for (role, targets) in published_state::roles(published, storage, roles).await? {
        draft.take(role, targets);
    }
    Ok(())
}

async fn read_pages(
    draft: &mut Draft,
    storage: &Storage,
    projects: &BTreeSet<&PackageName>,
    reporter: &dyn Reporter,
) -> Result<(), Failure> {
    let targets = projects.iter().filter_map(|project| {
        let path = repository::published::page_path(project, draft.page_target(project)?)?;
        Some(((*project).clone(), path))
    });
    let targets: Vec<(PackageName, String)> = targets.collect();
    let total = targets.len();
    let read = targets.into_iter().map(async |(project, path)| {
        let bytes = published_state::must_read(storage, &path).await?;
        Ok::<_, Failure>((project, bytes))
    });
    let mut pages = futures_util::stream::iter(read).buffer_unordered(storage.parallel());
    let mut done = 0;
    while let Some((project, bytes)) = pages.try_next().await? {
        draft.take_page(&project, &bytes).map_err(refused)?;
        done += 1;
        reporter.progress(Progress::Counted { what: "Reading pages", done, total });
    }
    Ok(())
}
