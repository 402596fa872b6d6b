//! `repo mirror`: a chosen part of another index, signed anew.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use packaging::PackageName;

use crate::failure::{Failure, Kind};
use crate::repo::mirror::{Carrier, Closure, Followed, Listing, News, Present, Release, Rules, collect, follow, stage};
use crate::repo::workplace::Workplace;
use crate::session::Session;
use crate::settings::{MirrorIndex, RepoSettings, Settings};
use crate::terminal::{Progress, Terminal};

/// The projects that were ever mirrored: only these are looked at upstream when they are not wanted any more, so that the
/// names of an operator's own projects are told to nobody.
const MIRRORED: &str = "mirrored.json";

/// Projects that are compared at a time.
const PROJECTS: usize = 8;

/// Stages what the requirements lead to.
///
/// # Errors
/// When they cannot be fulfilled, a file is not what the other index says, or was replaced there.
pub async fn mirror(
    settings: &Settings,
    repo: &RepoSettings,
    mirror: &MirrorIndex,
    terminal: &Arc<Terminal>,
) -> Result<(), Failure> {
    let workplace = Workplace::open(&repo.directory)?;
    let session = Session::new(settings, repo.terminal(settings, terminal)?)?;
    let closure = collect(settings, mirror, &session).await?;
    let present = Present::read(&workplace).await?;
    let mut mirrored = read_mirrored(&workplace)?;
    let sources = closure.sources.clone();
    let has_unsigned =
        closure.projects.values().flat_map(|release| &release.chosen).any(|(file, _)| file.signed.is_none());
    let (wanted, followed) = all_followed(closure, &mirrored, &present, mirror).await?;

    let carrier = Carrier { session: &session, workplace: &workplace, bring: mirror.bring };
    let (total, mut done) = (followed.len(), 0);
    let compared = stream::iter(followed).map(|(followed, held_back)| {
        let (carrier, present) = (&carrier, &present);
        async move {
            let project = followed.project.clone();
            let here = present.page(&project).await?;
            let (changes, mut news) = follow(followed, &here, carrier, repo.dry_run).await?;
            news.held_back.extend(held_back.map(|version| (project, version)));
            Ok::<_, Failure>((changes, news))
        }
    });
    let mut compared = compared.buffered(PROJECTS);
    let (mut changes, mut news) = (Vec::new(), News { sources, has_unsigned, ..News::default() });
    while let Some(outcome) = compared.next().await {
        let (of_project, told) = outcome?;
        changes.extend(of_project);
        news.add(told);
        done += 1;
        session.terminal.progress(Progress::Counted { what: "Mirroring projects", done, total });
    }
    drop(compared);
    news.refuse_replaced()?;
    if !repo.dry_run {
        stage(&workplace, changes)?;
        mirrored.extend(wanted);
        let names = serde_json::to_vec_pretty(&mirrored).unwrap_or_default();
        workplace.write(MIRRORED, &names)?;
    }
    if repo.json {
        terminal.data(&news.to_json(repo.dry_run).to_string());
    } else {
        news.say(repo.dry_run, terminal);
    }
    Ok(())
}

type WithHeldBack = (Followed, Option<packaging::Version>);

/// The projects that are wanted, and those that were mirrored earlier.
async fn all_followed(
    mut closure: Closure,
    mirrored: &BTreeSet<PackageName>,
    present: &Present,
    mirror: &MirrorIndex,
) -> Result<(Vec<PackageName>, Vec<WithHeldBack>), Failure> {
    let releases = std::mem::take(&mut closure.projects);
    let wanted: Vec<PackageName> = releases.keys().cloned().collect();
    let here = present.projects();
    let earlier: Vec<PackageName> =
        mirrored.iter().filter(|project| here.contains(project) && !releases.contains_key(project)).cloned().collect();
    let mut followed: Vec<WithHeldBack> =
        releases.into_iter().map(|(project, release)| of_release(project, release, mirror)).collect();
    for project in earlier {
        let there: Vec<Listing> = closure.files(&project).await?.iter().map(Listing::of_page).collect();
        let rules = Rules { exactly: false, is_wanted: false, prune: mirror.prune };
        followed.push((Followed { project, there, wanted: BTreeMap::new(), rules }, None));
    }
    Ok((wanted, followed))
}

fn of_release(project: PackageName, release: Release, mirror: &MirrorIndex) -> WithHeldBack {
    let mut wanted = BTreeMap::new();
    let mut there: Vec<Listing> = release.listed.iter().map(Listing::of_page).collect();
    for (file, request) in release.chosen {
        // Of a signed index, the target counts.
        if let Some(listing) = there.iter_mut().find(|listing| Arc::ptr_eq(&listing.file, &file)) {
            listing.sha256 = request.known_sha256();
            listing.size = request.size;
        }
        wanted.entry(file.filename().to_owned()).or_insert(request);
    }
    let rules = Rules { exactly: false, is_wanted: true, prune: mirror.prune };
    (Followed { project, there, wanted, rules }, release.held_back)
}

fn read_mirrored(workplace: &Workplace) -> Result<BTreeSet<PackageName>, Failure> {
    let Some(bytes) = workplace.read(MIRRORED)? else { return Ok(BTreeSet::new()) };
    serde_json::from_slice(&bytes).map_err(|error| {
        let message = format!("{} is damaged: {error}", workplace.path(MIRRORED).display());
        Failure::new(Kind::Error, "repo.damaged", message)
            .hint("remove the file: then projects that are not wanted any more are not looked at upstream")
    })
}
