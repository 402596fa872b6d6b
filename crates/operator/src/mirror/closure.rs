//! Which files the requirements lead to: resolved for each machine as for an installation, then combined.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use packaging::{PackageName, Version};

use super::{Machine, lock_file};
use installer::context::Context;
use installer::download::DownloadRequest;
use installer::error::{Code, Exit, Failure};
use installer::event::WarningCode;
use installer::index::{Finder, IndexFile};
use installer::install::plan::Plan;
use installer::install::resolution::{self, Resolved, Rules};
use installer::install::resolver_input::ResolverInput;
use installer::options::{CommonOptions, IndexOptions, RequirementOptions, SelectionOptions};
use installer::python::environment::Environment;
use installer::requirements::RequirementSet;

/// Pages that are fetched at a time.
const PAGES: usize = 8;

/// What is mirrored.
#[derive(Clone, Debug)]
pub struct MirrorOptions {
    /// The requirements.
    pub requirements: RequirementOptions,
    /// Lock files with further requirements.
    pub locks: Vec<PathBuf>,
    /// Where to look.
    pub indexes: IndexOptions,
    /// What may be chosen.
    pub selection: SelectionOptions,
    /// For which machines; the interpreter of the command when empty.
    pub machines: Vec<Machine>,
    /// Include all files of a release.
    pub all_files: bool,
    /// Include source distributions.
    pub sdists: bool,
    /// Younger files are held back; already part of `selection`.
    pub min_age: Option<Duration>,
}

/// The files that the requirements lead to.
pub struct Closure {
    /// Each project that is needed on one of the machines.
    pub projects: BTreeMap<PackageName, ChosenReleases>,
    /// The indexes they are from, for messages.
    pub sources: Vec<String>,
    /// For further requests to the indexes.
    finder: Finder,
}

/// The chosen releases of a project.
pub struct ChosenReleases {
    /// The files of the chosen versions that are to be mirrored, and how to get them.
    pub chosen: Vec<(Arc<IndexFile>, DownloadRequest)>,
    /// All files of the project.
    pub index_files: Vec<Arc<IndexFile>>,
    /// The newest version, if it is held back as too young.
    pub held_back: Option<Version>,
}

/// Resolves the requirements for each machine.
///
/// # Errors
/// When they cannot be fulfilled on one of them, or an index cannot be fetched.
pub async fn collect(options: &CommonOptions, mirror: &MirrorOptions, context: &Context) -> Result<Closure, Failure> {
    let mut requirements =
        resolution::read_requirements(&mirror.requirements, &mirror.indexes, &mirror.selection, context).await?;
    // With lock files only, nothing else than their content is mirrored.
    requirements.require_hashes |= requirements.requirements.is_empty();
    for path in &mirror.locks {
        requirements.requirements.extend(lock_file::read(path)?);
    }
    let sources = requirements.indexes.indexes.iter().map(printable::redacted_url).collect();
    let machines: Vec<Option<&Machine>> = match mirror.machines.as_slice() {
        [] => vec![None],
        machines => machines.iter().map(Some).collect(),
    };
    let mut versions: BTreeMap<PackageName, BTreeSet<Version>> = BTreeMap::new();
    let mut finders = Vec::new();
    for machine in machines {
        let (finder, plan) = resolve_for(options, mirror, requirements.clone(), machine, context)
            .await
            .map_err(|failure| explained(failure, mirror, machine))?;
        for addition in &plan.additions {
            let candidate = &addition.candidate;
            versions.entry(candidate.name.clone()).or_default().insert(candidate.version.clone());
        }
        finders.push(finder);
    }
    let releases = stream::iter(versions)
        .map(|(project, versions)| {
            let finders = &finders;
            async move {
                let release = release(&project, versions, finders, mirror, context).await?;
                Ok::<_, Failure>((project, release))
            }
        })
        .buffered(PAGES);
    let projects = releases.try_collect().await.map_err(|failure| explained(failure, mirror, None))?;
    let finder = finders.into_iter().next();
    let finder = finder.ok_or_else(|| Failure::new(Code::Internal, "there is no machine to mirror for"))?;
    Ok(Closure { projects, sources, finder })
}

impl Closure {
    /// What the indexes list of a project that is not needed.
    ///
    /// # Errors
    /// When an index cannot be fetched.
    pub async fn files(&self, project: &PackageName) -> Result<Vec<Arc<IndexFile>>, Failure> {
        self.finder.files(project).await
    }
}

async fn resolve_for(
    options: &CommonOptions,
    mirror: &MirrorOptions,
    requirements: RequirementSet,
    machine: Option<&Machine>,
    context: &Context,
) -> Result<(Finder, Plan), Failure> {
    let mut environment = Environment::open(options, &context.cache)?;
    if let Some(machine) = machine {
        machine.apply_to(&mut environment.interpreter)?;
    }
    let name = machine.map_or("your environment", Machine::shown);
    let input = ResolverInput::for_machine(requirements, &environment.interpreter.markers, name, &*context.reporter)?;
    if let Some(url) = input.named_urls().first() {
        let message = format!("{} cannot be mirrored: only what indexes offer can", printable::redacted_url(url));
        return Err(Failure::new(Code::Usage, message)
            .hint("name the project and its version; a file of your own is added with `tufpip repo add`"));
    }
    let rules = Rules::ignoring_installed(&mirror.requirements);
    let resolved = resolution::choose(input, &environment, rules, context).await?;
    resolved.refuse_forbidden(&context.trust)?;
    let Resolved { finder, plan, .. } = resolved;
    Ok((finder, plan))
}

/// The files of a project that are to be mirrored.
async fn release(
    project: &PackageName,
    versions: BTreeSet<Version>,
    finders: &[Finder],
    mirror: &MirrorOptions,
    context: &Context,
) -> Result<ChosenReleases, Failure> {
    let first = finders.first().ok_or_else(|| Failure::new(Code::Internal, "there is no finder"))?;
    let index_files = first.files(project).await?;
    let mut chosen = Vec::new();
    let mut held_back = None;
    for file in &index_files {
        let version = file.dist.version();
        let mut usable = None;
        for finder in finders {
            if finder.evaluator().may_match_required_hashes(project, file) && finder.evaluator().fits(file)? {
                usable = Some(finder);
                break;
            }
        }
        if first.evaluator().is_too_new(file)? {
            let better = versions.last().is_none_or(|newest| version > newest);
            if better && usable.is_some() && file.dist.wheel().is_some() {
                held_back = held_back.max(Some(version.clone()));
            }
            continue;
        }
        if !versions.contains(version) || (file.dist.wheel().is_none() && !mirror.sdists) {
            continue;
        }
        let of_all = || {
            finders
                .iter()
                .find(|finder| mirror.all_files && finder.evaluator().may_match_required_hashes(project, file))
        };
        let Some(finder) = usable.or_else(of_all) else { continue };
        match finder.request(project, file).await? {
            Ok(request) => chosen.push((Arc::clone(file), request)),
            Err(reason) => {
                let message = format!("{} is left out: {reason}", printable::line(file.filename()));
                context.reporter.warning(WarningCode::Repository, message);
            }
        }
    }
    let lacks = |version: &&Version| !chosen.iter().any(|(file, _)| file.dist.version() == *version);
    if let Some(version) = versions.iter().find(lacks) {
        return Err(without_files(project, version, &index_files, first));
    }
    Ok(ChosenReleases { chosen, index_files, held_back })
}

/// Why a chosen version has no files to mirror.
fn without_files(project: &PackageName, version: &Version, index_files: &[Arc<IndexFile>], finder: &Finder) -> Failure {
    let mut of_version = index_files.iter().filter(|file| file.dist.version() == version);
    let choice = finder.evaluator();
    if of_version.clone().next().is_some() && of_version.all(|file| !choice.may_match_required_hashes(project, file)) {
        let message = format!("No file of {project} {version} has a hash that the requirements give for it");
        return Failure::new(Code::VerifyHashMismatch, message)
            .hint("compare the hashes in the requirements with those of the index");
    }
    let message = format!("{project} {version} was chosen, and the index has no file of it to be mirrored any more");
    Failure::new(Code::RepoUpstreamMoved, message).hint("the index has changed meanwhile: try again")
}

/// Adds the option of this command and the machine to a failure.
fn explained(mut failure: Failure, mirror: &MirrorOptions, machine: Option<&Machine>) -> Failure {
    let details = failure.details.iter_mut().map(|(_, text)| text);
    for text in std::iter::once(&mut failure.message).chain(details) {
        *text = text.replace(", which --only-binary excludes", ", which the mirror does not choose");
    }
    if mirror.min_age.is_some() {
        for text in std::iter::once(&mut failure.message).chain(&mut failure.hints) {
            *text = text.replace("--uploaded-prior-to", "--min-age");
        }
        if failure.code.exit() == Exit::Error {
            failure =
                failure.hint("releases that are younger than --min-age do not count: newer ones may be held back");
        }
    }
    match machine {
        Some(machine) => failure.detail("for", machine.shown()),
        None => failure,
    }
}
