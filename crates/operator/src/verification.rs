//! Verifies the published index as a client with the first root would.
//!
//! It uses the client of `trust/`, with a temporary store and cache. What a client cannot see,
//! because it looks up single projects only, is read in addition: which projects and files are signed at all.

mod place;
mod project;
mod signed;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::StreamExt as _;
use packaging::PackageName;
use repository::layout;
use repository::page::projects_of_list;
use tuf::UnixTime;
use tuf::metadata::RoleName;

pub use self::place::PublishedIndex;
use self::project::ProjectCheck;
use self::signed::SignedPaths;
use installer::error::{Code, Exit, Failure};
use installer::event::{Progress, Reporter};
use installer::trust::{EpochInfo, TrustedIndex};

/// A problem of the published index.
#[derive(Clone, Debug)]
pub struct IndexProblem {
    /// The exit code with which a client would fail.
    pub exit: Exit,
    /// A message.
    pub text: String,
    /// Whether nothing is wrong yet, and key holders only have to sign again in time.
    pub is_only_due: bool,
    /// Whether signing again solves it.
    pub has_expired: bool,
}

/// What was found.
pub struct Findings {
    /// The versions the client has seen.
    pub epoch_info: Arc<EpochInfo>,
    /// How many projects are signed.
    pub projects: usize,
    /// How many files their pages list.
    pub files: usize,
    /// How many bytes these have.
    pub bytes: u64,
    /// When offline metadata expires: it is not renewed automatically.
    pub offline_metadata: BTreeMap<RoleName, UnixTime>,
    /// All problems.
    pub problems: Vec<IndexProblem>,
}

/// Projects that are verified at a time.
const PARALLEL: usize = 8;

impl IndexProblem {
    /// A problem that makes a client refuse.
    pub fn wrong(text: impl Into<String>) -> Self {
        Self { exit: Exit::Verification, text: text.into(), is_only_due: false, has_expired: false }
    }
}

impl From<Failure> for IndexProblem {
    fn from(failure: Failure) -> Self {
        let epoch_info =
            failure.details.iter().filter(|(label, _)| matches!(*label, "expected" | "received" | "missing"));
        let epoch_info: Vec<String> = epoch_info.map(|(label, text)| format!("{label} {text}")).collect();
        let text = match epoch_info.is_empty() {
            true => failure.message,
            false => format!("{} ({})", failure.message, epoch_info.join(", ").replace('\n', ", ")),
        };
        Self { exit: failure.code.exit(), text, is_only_due: false, has_expired: failure.code == Code::TrustExpired }
    }
}

/// Verifies everything; with `whole_files` hashes every file instead of checking only that it exists with the length
/// that is signed.
///
/// # Errors
/// When the client refuses the metadata as a whole, so that there is nothing to look at.
pub async fn verify(
    published_index: &PublishedIndex,
    whole_files: bool,
    reporter: &dyn Reporter,
) -> Result<Findings, Failure> {
    let index = published_index.context.trust.open(published_index.anchor.clone())?;
    let epoch_info = index.epoch_info().await?;
    let mut problems = Vec::new();
    let mut signed = SignedPaths::read(published_index, epoch_info.root).await?;
    let projects: BTreeSet<PackageName> =
        signed.paths.iter().filter_map(|path| layout::project_of_page(path)).collect();
    if published_index.has_own_pages {
        problems.extend(check_project_list(published_index, &projects).await?);
    }
    let (mut files, mut bytes) = (0, 0);
    let checks = projects.iter().map(|project| check_project(published_index, &index, project, whole_files));
    let mut checks = futures_util::stream::iter(checks).buffer_unordered(PARALLEL);
    let mut done = 0;
    while let Some(checked) = checks.next().await {
        done += 1;
        reporter.progress(Progress::Counted { what: "Verifying", done, total: projects.len() });
        files += checked.files;
        bytes += checked.bytes;
        problems.extend(checked.problems);
        for path in &checked.targets {
            signed.paths.remove(path);
        }
    }
    // The files of a refused page are unknown.
    if problems.is_empty() {
        let orphans =
            signed.paths.iter().map(|path| IndexProblem::wrong(format!("{path} is signed, and on no signed page")));
        problems.extend(orphans);
    }
    problems.sort_by(|one, other| one.text.cmp(&other.text));
    let problems =
        problems.into_iter().map(|problem| IndexProblem { text: printable::line(&problem.text), ..problem }).collect();
    Ok(Findings {
        epoch_info,
        projects: projects.len(),
        files,
        bytes,
        offline_metadata: signed.offline_metadata,
        problems,
    })
}

async fn check_project(
    published_index: &PublishedIndex,
    index: &Arc<TrustedIndex>,
    project: &PackageName,
    whole_files: bool,
) -> ProjectCheck {
    let mut check = ProjectCheck::default();
    if let Err(failure) = check.run(published_index, index, project, whole_files).await {
        let problem = IndexProblem::from(failure);
        check.problems.push(IndexProblem { text: format!("{project}: {}", problem.text), ..problem });
    }
    check
}

/// Compares the lists of projects, which are not signed, with the signed pages.
async fn check_project_list(
    published_index: &PublishedIndex,
    signed: &BTreeSet<PackageName>,
) -> Result<Vec<IndexProblem>, Failure> {
    let mut problems = Vec::new();
    match published_index.read(layout::PROJECT_LIST_JSON).await? {
        Some(bytes) => {
            let listed: BTreeSet<PackageName> = projects_of_list(&bytes).into_iter().collect();
            for project in signed.symmetric_difference(&listed) {
                let (is, is_not) = match signed.contains(project) {
                    true => ("signed", "listed"),
                    false => ("listed", "signed"),
                };
                problems.push(IndexProblem::wrong(format!(
                    "{}: {project} is {is} and not {is_not}",
                    layout::PROJECT_LIST_JSON
                )));
            }
        }
        None => problems.push(IndexProblem::wrong(format!("{} is missing", layout::PROJECT_LIST_JSON))),
    }
    match published_index.read(layout::PROJECT_LIST_HTML).await? {
        Some(bytes) if links_to(&String::from_utf8_lossy(&bytes), signed) => {}
        Some(_) => {
            let text = format!("{} does not list the projects that are signed", layout::PROJECT_LIST_HTML);
            problems.push(IndexProblem::wrong(text));
        }
        None => problems.push(IndexProblem::wrong(format!("{} is missing", layout::PROJECT_LIST_HTML))),
    }
    Ok(problems)
}

/// Whether a list in HTML has a link to each of these projects and no other, as this program writes them.
fn links_to(html: &str, projects: &BTreeSet<PackageName>) -> bool {
    let links: Option<BTreeSet<&str>> =
        html.split("<a href=\"").skip(1).map(|rest| Some(rest.split_once("/\"")?.0)).collect();
    links.is_some_and(|links| links == projects.iter().map(|project| project.as_ref()).collect())
}
