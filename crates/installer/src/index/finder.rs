//! Fetches the facts that the resolver lacks, in parallel, until it has an answer.
//!
//! A solution takes about a millisecond, an answer from a server a hundred times as long. So everything is solved again
//! whenever a missing fact becomes known, and no request waits for answers that it does not depend on.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use packaging::{CoreMetadata, PackageName, Requirement, Version};
use resolve::{
    Candidate, CandidateId, CandidateMetadata, CandidateOrigin, Catalog, Fact, Rejection, Resolution, ResolveRequest,
    SolveOutcome,
};
use tokio::task::JoinSet;
use url::Url;
use wheel::InstalledDistribution;

use super::direct::{DirectFile, same_address};
use super::metadata::{ReadMetadata, download_request};
use super::{CandidateEvaluator, IndexFile, InstallationCandidate, MetadataReader, PackageSources};
use crate::download::{DownloadRequest, Downloader, Proof, VerifiedFile};
use crate::error::{Code, Failure};
use crate::event::{Progress, Reporter};
use crate::python::environment::Environment;
use crate::text::count_noun;
use crate::trust::{CommandTrust, SignedFile};

/// An index could answer each question with a further one.
const ATTEMPTS: usize = 20_000;
/// Versions that one project may have; real ones have up to some thousand.
const VERSIONS_OF_PROJECT: usize = 30_000;
/// Versions that all projects of a command may have: some five hundred bytes each stay in memory.
const VERSIONS_OF_COMMAND: usize = 600_000;

/// Known candidates and metadata; grows while the resolver runs.
pub struct Finder {
    fetcher: Arc<FactFetcher>,
    catalog: Catalog,
    installation_candidates: HashMap<PackageName, HashMap<Version, InstallationCandidate>>,
    metadata: HashMap<CandidateId, Arc<CoreMetadata>>,
    direct: HashMap<String, ChosenFile>,
    installed: Vec<(PackageName, Arc<CoreMetadata>)>,
    distributions: HashMap<PackageName, InstalledDistribution>,
    /// The URLs of files of this machine that other files of this machine depend on.
    local_dependencies: HashSet<String>,
    /// What is signed about files whose metadata was read.
    signed: HashMap<CandidateId, Arc<SignedFile>>,
    reporter: Arc<dyn Reporter>,
    /// Dependencies do not matter, nor whether they can be understood.
    no_deps: bool,
}

/// What facts are fetched with.
pub(super) struct FactFetcher {
    pub sources: PackageSources,
    pub evaluator: CandidateEvaluator,
    reader: MetadataReader,
    pub downloader: Arc<Downloader>,
    pub trust: Arc<CommandTrust>,
    /// The URLs of files that the user wrote.
    pub user_urls: Vec<Url>,
    /// Versions found so far.
    versions: AtomicUsize,
}

/// How to obtain the file of a chosen candidate.
#[derive(Clone, Debug)]
pub struct ChosenFile {
    /// What to fetch.
    pub request: DownloadRequest,
    /// Already fetched, as everything is that is named by URL or path.
    pub file: Option<VerifiedFile>,
    /// Why it was yanked, if it was.
    pub yanked: Option<String>,
    /// The user named it by a URL that contains its hash.
    pub is_hashed_in_url: bool,
}

impl ChosenFile {
    /// What vouches for it, given what it was checked by: a hash in a URL is the user's word if the user wrote the URL.
    pub fn proof(&self, checked_by: Proof) -> Proof {
        if checked_by == Proof::IndexHash && self.is_hashed_in_url { Proof::UserHash } else { checked_by }
    }
}

/// What is being fetched.
#[derive(Default)]
struct PendingFacts {
    running: JoinSet<FetchedFact>,
    /// Every fact requested so far.
    asked: HashSet<Fact>,
    /// What the resolver lacked in its last run.
    missing: HashSet<Fact>,
}

/// The result of one fetch.
struct FetchedFact {
    fact: Fact,
    value: Result<FactValue, Failure>,
}

enum FactValue {
    Offers(Vec<InstallationCandidate>),
    Metadata(Result<ReadMetadata, String>),
    Direct(Box<DirectFile>),
}

impl Finder {
    /// A finder that knows nothing yet.
    pub fn new(
        sources: PackageSources,
        evaluator: CandidateEvaluator,
        reader: MetadataReader,
        downloader: Arc<Downloader>,
        trust: Arc<CommandTrust>,
        user_urls: Vec<Url>,
        reporter: Arc<dyn Reporter>,
    ) -> Self {
        Self {
            fetcher: Arc::new(FactFetcher {
                sources,
                evaluator,
                reader,
                downloader,
                trust,
                user_urls,
                versions: AtomicUsize::new(0),
            }),
            catalog: Catalog::new(),
            installation_candidates: HashMap::new(),
            metadata: HashMap::new(),
            direct: HashMap::new(),
            installed: Vec::new(),
            distributions: HashMap::new(),
            local_dependencies: HashSet::new(),
            signed: HashMap::new(),
            reporter,
            no_deps: false,
        }
    }

    /// Adds all installed distributions with valid metadata to the catalog.
    pub fn insert_all_installed(&mut self, environment: &Environment) {
        for distribution in environment.distributions() {
            let Some(name) = &distribution.normalized_name else { continue };
            if self.catalog.installed(name).is_some() {
                continue;
            }
            match distribution.metadata() {
                Ok(Some(Ok(metadata))) => {
                    self.distributions.insert(name.clone(), distribution.clone());
                    self.insert_installed(name.clone(), Arc::new(metadata));
                }
                _ => self.reporter.detail(1, || format!("{name} is installed with metadata that cannot be used")),
            }
        }
    }

    fn insert_installed(&mut self, name: PackageName, metadata: Arc<CoreMetadata>) {
        self.installed.push((name.clone(), Arc::clone(&metadata)));
        let version = metadata.version.clone();
        let candidate =
            Candidate { version: version.clone(), origin: CandidateOrigin::Installed, yanked: false, rejected: None };
        self.catalog.insert_installed(name.clone(), candidate);
        self.insert_metadata(CandidateId { name, version, origin: CandidateOrigin::Installed }, Ok(metadata));
    }

    /// Finds one candidate for each project that is needed.
    ///
    /// # Errors
    /// When that is impossible, or what must be known cannot be fetched.
    pub async fn resolve(&mut self, request: &ResolveRequest<'_>) -> Result<Resolution, Failure> {
        self.no_deps = request.no_deps;
        match self.resolve_once(request).await {
            // A signed index went on to a newer snapshot: everything is chosen again, from that one.
            Err(failure) if failure.code == Code::TrustSnapshotMoved => {
                self.forget_indexes();
                self.resolve_once(request).await
            }
            outcome => outcome,
        }
    }

    async fn resolve_once(&mut self, request: &ResolveRequest<'_>) -> Result<Resolution, Failure> {
        let mut pending = PendingFacts::default();
        let mut attempts = 0;
        let outcome = loop {
            attempts += 1;
            if attempts > ATTEMPTS {
                let message = format!("No answer was found in {ATTEMPTS} attempts, each of which asked for more");
                return Err(Failure::new(Code::ResolveTooDeep, message)
                    .detail("known", count_noun(self.installation_candidates.len(), "project"))
                    .hint("an index may go on for ever; name versions for the projects that you do not know"));
            }
            let start = Instant::now();
            let facts = match resolve::solve(&self.catalog, request) {
                SolveOutcome::Missing(facts) => facts,
                // Without dependencies the resolver needs no metadata; what is installed still has to give its
                // Requires-Python.
                SolveOutcome::Solved(resolution) if !self.facts_to_read(&resolution).is_empty() => {
                    self.facts_to_read(&resolution)
                }
                other => break other,
            };
            pending.missing = facts.iter().cloned().collect();
            for fact in facts {
                self.start_fetch(fact, &mut pending);
            }
            // While more answers are to come, no more than half of the time goes into solving.
            self.wait_for_facts(&mut pending, start.elapsed()).await?;
        };
        self.reporter.progress(Progress::Resolved);
        self.reporter.detail(1, || {
            format!(
                "resolved in {}: {}, metadata of {}, {}",
                count_noun(attempts, "attempt"),
                count_noun(self.installation_candidates.len(), "project"),
                count_noun(self.metadata.len(), "file"),
                count_noun(self.fetcher.reader.requests(), "request")
            )
        });
        match outcome {
            SolveOutcome::Solved(resolution) => self.without_skipped_sources(resolution, request),
            SolveOutcome::Impossible(explanation) => Err(crate::index::explanation::resolution_failure(
                &explanation,
                &self.fetcher.sources,
                self.reporter.wants_whole_lists(),
            )),
            SolveOutcome::Missing(_) => Err(Failure::new(Code::Internal, "the resolver stopped without an answer")),
        }
    }

    /// Forgets everything but what is installed.
    fn forget_indexes(&mut self) {
        self.catalog = Catalog::new();
        self.installation_candidates.clear();
        self.metadata.clear();
        self.direct.clear();
        self.signed.clear();
        for (name, metadata) in std::mem::take(&mut self.installed) {
            self.insert_installed(name, metadata);
        }
    }

    /// Metadata of chosen candidates that was not read yet.
    fn facts_to_read(&self, resolution: &Resolution) -> Vec<Fact> {
        let candidates = resolution.pins.iter().map(|pin| &pin.candidate);
        candidates.filter(|id| self.catalog.metadata(id).is_none()).cloned().map(Fact::Metadata).collect()
    }

    /// The file of a candidate of the resolution.
    pub fn chosen_file(&self, candidate: &CandidateId) -> Option<ChosenFile> {
        match &candidate.origin {
            CandidateOrigin::Installed => None,
            CandidateOrigin::Direct(url) => self.direct.get(url).cloned(),
            CandidateOrigin::Index => {
                let file = &self.installation_candidate(candidate)?.file;
                let hashes = self.fetcher.evaluator.required_hashes(&candidate.name);
                let signed = self.signed.get(candidate).cloned();
                if file.signed.is_some() && signed.is_none() {
                    // Metadata is read of everything that is chosen, and with it what is signed: it cannot be missing.
                    return None;
                }
                let url = signed.as_ref().map(|signed| Ok(signed.url.clone())).unwrap_or_else(|| file.url()).ok()?;
                let request = download_request(&candidate.name, file, &url, hashes, signed);
                Some(ChosenFile { request, file: None, yanked: file.yanked.clone(), is_hashed_in_url: false })
            }
        }
    }

    /// The metadata by which a candidate was chosen.
    pub fn metadata(&self, candidate: &CandidateId) -> Option<&Arc<CoreMetadata>> {
        self.metadata.get(candidate)
    }

    /// The candidates of each of `names`, best first; all are fetched at once.
    ///
    /// # Errors
    /// When an index cannot be fetched.
    pub async fn installation_candidates(
        &self,
        names: &[PackageName],
    ) -> Result<HashMap<PackageName, Vec<InstallationCandidate>>, Failure> {
        match self.offers_once(names).await {
            Err(failure) if failure.code == Code::TrustSnapshotMoved => self.offers_once(names).await,
            outcome => outcome,
        }
    }

    async fn offers_once(
        &self,
        names: &[PackageName],
    ) -> Result<HashMap<PackageName, Vec<InstallationCandidate>>, Failure> {
        let mut running = JoinSet::new();
        for name in names.iter().cloned() {
            let fetcher = Arc::clone(&self.fetcher);
            running.spawn(async move {
                let installation_candidates = fetcher.installation_candidates(&name).await;
                (name, installation_candidates)
            });
        }
        let mut found = HashMap::new();
        while let Some(joined) = running.join_next().await {
            let (name, installation_candidates) =
                joined.map_err(|error| Failure::new(Code::Internal, error.to_string()).caused_by(error))?;
            found.insert(name, installation_candidates?);
        }
        self.reporter.progress(Progress::Resolved);
        Ok(found)
    }

    /// Every version of `project`, best first, once its page was read.
    pub fn candidates(&self, project: &PackageName) -> &[Candidate] {
        self.catalog.candidates(project).unwrap_or_default()
    }

    /// Every file of a project, whether it can be chosen or not.
    ///
    /// # Errors
    /// When an index cannot be fetched.
    pub async fn files(&self, project: &PackageName) -> Result<Vec<Arc<IndexFile>>, Failure> {
        match self.fetcher.sources.files(project).await {
            Err(failure) if failure.code == Code::TrustSnapshotMoved => self.fetcher.sources.files(project).await,
            outcome => outcome,
        }
    }

    /// What to fetch for a file of a project; `Err(reason)` when it is of a signed index and not signed well enough.
    ///
    /// # Errors
    /// When metadata is refused, or cannot be had.
    pub async fn request(
        &self,
        project: &PackageName,
        index_file: &IndexFile,
    ) -> Result<Result<DownloadRequest, String>, Failure> {
        let signed = match &index_file.signed {
            None => None,
            Some(page) => match page.index().file(page, &index_file.file).await? {
                Ok(signed) => Some(Arc::new(signed)),
                Err(reason) => return Ok(Err(reason)),
            },
        };
        let url = match &signed {
            Some(signed) => signed.url.clone(),
            None => match index_file.url() {
                Ok(url) => {
                    self.fetcher.refuse_unverified(project, &url)?;
                    url
                }
                Err(error) => return Ok(Err(format!("its link is unusable: {error}"))),
            },
        };
        let hashes = self.evaluator().required_hashes(project);
        Ok(Ok(download_request(project, index_file, &url, hashes, signed)))
    }

    /// Accepts and orders the files of a project.
    pub fn evaluator(&self) -> &CandidateEvaluator {
        &self.fetcher.evaluator
    }

    /// Waits until a missing fact is known and `rest` has passed, or until all are known.
    async fn wait_for_facts(&mut self, pending: &mut PendingFacts, rest: Duration) -> Result<(), Failure> {
        let end = tokio::time::Instant::now() + rest;
        let all = pending.missing.len();
        loop {
            let some_known = pending.missing.len() < all;
            let answer = match pending.running.try_join_next() {
                Some(answer) => answer,
                None if pending.missing.is_empty() => return Ok(()),
                None if some_known => match tokio::time::timeout_at(end, pending.running.join_next()).await {
                    Ok(Some(answer)) => answer,
                    Ok(None) | Err(_) => return Ok(()),
                },
                None => match pending.running.join_next().await {
                    Some(answer) => answer,
                    None => return Err(Failure::new(Code::Internal, "the resolver asked for what is known")),
                },
            };
            let answer = answer.map_err(|error| Failure::new(Code::Internal, error.to_string()).caused_by(error))?;
            self.insert_fetched(answer, pending)?;
            self.reporter.progress(Progress::Resolving {
                projects: self.installation_candidates.len(),
                metadata: self.metadata.len(),
            });
        }
    }

    /// Starts to fetch a fact, once.
    fn start_fetch(&self, fact: Fact, pending: &mut PendingFacts) {
        if !pending.asked.insert(fact.clone()) {
            return;
        }
        let file = match &fact {
            Fact::Metadata(candidate) => self.installation_candidate(candidate).map(|offer| Arc::clone(&offer.file)),
            _ => None,
        };
        let is_local_dependency = matches!(&fact, Fact::Direct { url, .. } if self.local_dependencies.contains(url));
        let installed = match &fact {
            Fact::Direct { name, url } => self.installed_from(name, url),
            _ => None,
        };
        let fetcher = Arc::clone(&self.fetcher);
        pending.running.spawn(async move {
            let value = match (&fact, file) {
                (Fact::Project(name), _) => fetcher.installation_candidates(name).await.map(FactValue::Offers),
                (Fact::Metadata(candidate), Some(file)) => {
                    fetcher.metadata(&candidate.name, &file).await.map(FactValue::Metadata)
                }
                (Fact::Metadata(_), None) => Ok(FactValue::Metadata(Err("there is no file of it".to_owned()))),
                (Fact::Direct { name, url }, _) => fetcher
                    .direct(name, url, is_local_dependency, installed)
                    .await
                    .map(|direct| FactValue::Direct(Box::new(direct))),
            };
            FetchedFact { fact, value }
        });
    }

    /// Puts an answer into the catalog.
    fn insert_fetched(&mut self, answer: FetchedFact, pending: &mut PendingFacts) -> Result<(), Failure> {
        let FetchedFact { fact, value } = answer;
        let is_missing = pending.missing.remove(&fact);
        let value = match value {
            Ok(value) => value,
            // All known facts are of an older snapshot now, whichever task noticed that first.
            Err(failure) if is_missing || failure.code == Code::TrustSnapshotMoved => return Err(failure),
            Err(_) => {
                // The resolver no longer needs this fact; if it does later, it is requested again.
                pending.asked.remove(&fact);
                return Ok(());
            }
        };
        match (fact, value) {
            (Fact::Project(name), FactValue::Offers(installation_candidates)) => {
                let candidates = installation_candidates.iter().map(|offer| offer.candidate.clone()).collect();
                self.catalog.insert_project(name.clone(), candidates);
                let by_version =
                    installation_candidates.into_iter().map(|offer| (offer.candidate.version.clone(), offer)).collect();
                self.installation_candidates.insert(name, by_version);
            }
            (Fact::Metadata(id), FactValue::Metadata(metadata)) => {
                let metadata = metadata.and_then(|read| {
                    self.signed.extend(read.signed.map(|signed| (id.clone(), signed)));
                    self.check_requires_python(Arc::new(read.metadata))
                });
                if let Err(reason) = &metadata {
                    self.reporter.detail(1, || format!("{} {}: {reason}", id.name, id.version));
                }
                self.insert_metadata(id, metadata);
            }
            (Fact::Direct { name, url }, FactValue::Direct(direct)) => {
                let (version, origin) = (direct.candidate.version.clone(), CandidateOrigin::Direct(url.clone()));
                let id = CandidateId { name: name.clone(), version, origin };
                self.catalog.insert_direct(name, url.clone(), direct.candidate);
                self.direct.insert(url, direct.chosen_file);
                // There is no other candidate for what the user named.
                let metadata = self.check_dependencies(direct.metadata).map_err(|reason| {
                    let name = &id.name;
                    Failure::new(Code::RequirementUrl, format!("Could not use the URL given for {name}: {reason}"))
                })?;
                self.insert_metadata(id, Ok(metadata));
            }
            // An answer is always one to its question.
            _ => {}
        }
        Ok(())
    }

    fn installation_candidate(&self, candidate: &CandidateId) -> Option<&InstallationCandidate> {
        self.installation_candidates.get(&candidate.name)?.get(&candidate.version)
    }

    /// Metadata is more reliable than a page about which Python it is for.
    fn check_requires_python(&self, metadata: Arc<CoreMetadata>) -> Result<Arc<CoreMetadata>, String> {
        let metadata = self.check_dependencies(metadata)?;
        match self.fetcher.evaluator.python_mismatch(metadata.raw_requires_python()) {
            Some(rejection) => Err(rejection.to_string()),
            None => Ok(metadata),
        }
    }

    /// Where dependencies matter, one that cannot be understood cannot be left out.
    fn check_dependencies(&self, metadata: Arc<CoreMetadata>) -> Result<Arc<CoreMetadata>, String> {
        match metadata.requires_dist() {
            Err(error) if !self.no_deps => Err(error.to_string()),
            _ => Ok(metadata),
        }
    }

    fn insert_metadata(&mut self, id: CandidateId, metadata: Result<Arc<CoreMetadata>, String>) {
        if let Ok(metadata) = &metadata
            && self.is_local(&id)
        {
            self.local_dependencies.extend(file_urls(metadata).map(Url::to_string));
        }
        let told = metadata.as_ref().map_err(Clone::clone).map(|metadata| CandidateMetadata {
            requires_dist: metadata.valid_requires_dist().to_vec(),
            provides_extras: metadata.provides_extra.clone(),
        });
        self.catalog.insert_metadata(id.clone(), told);
        if let Ok(metadata) = metadata {
            self.metadata.insert(id, metadata);
        }
    }

    /// The metadata of what is installed from this very URL.
    fn installed_from(&self, name: &PackageName, url: &str) -> Option<Arc<CoreMetadata>> {
        let from = self.distributions.get(name)?.direct_url()?;
        let is_same = same_address(&from.url.parse().ok()?, &url.parse().ok()?);
        let (_, metadata) = self.installed.iter().find(|(known, _)| is_same && known == name)?;
        Some(Arc::clone(metadata))
    }

    /// Whether a candidate is a file that the user has on this machine.
    fn is_local(&self, id: &CandidateId) -> bool {
        match &id.origin {
            CandidateOrigin::Index => self
                .installation_candidate(id)
                .is_some_and(|offer| offer.file.url().is_ok_and(|url| url.scheme() == "file")),
            CandidateOrigin::Direct(url) => url.starts_with("file:"),
            CandidateOrigin::Installed => false,
        }
    }

    /// Refuses a resolution that pip would not choose because it would build a newer source distribution.
    fn without_skipped_sources(
        &self,
        resolution: Resolution,
        request: &ResolveRequest<'_>,
    ) -> Result<Resolution, Failure> {
        for pin in &resolution.pins {
            if pin.candidate.origin != CandidateOrigin::Index {
                continue;
            }
            let requirements: Vec<&Requirement> =
                pin.requested_by
                    .iter()
                    .map(|by| match by {
                        resolve::RequestedBy::User { requirement, .. }
                        | resolve::RequestedBy::Pin { requirement, .. } => requirement,
                    })
                    .chain(
                        request
                            .constraints
                            .iter()
                            .map(|wanted| &wanted.requirement)
                            .filter(|r| r.name == pin.candidate.name),
                    )
                    .collect();
            let better = self
                .candidates(&pin.candidate.name)
                .iter()
                .take_while(|candidate| candidate.version != pin.candidate.version)
                .find(|candidate| {
                    candidate.rejected == Some(Rejection::Source)
                        && !candidate.yanked
                        && (!candidate.version.any_prerelease() || pin.candidate.version.any_prerelease())
                        && requirements.iter().all(|requirement| requirement.specifiers.contains(&candidate.version))
                });
            if let Some(candidate) = better {
                let name = &pin.candidate.name;
                return Err(Failure::new(
                    Code::SourceNotSupported,
                    format!(
                        "{name} {} has {}",
                        candidate.version,
                        crate::index::explanation::rejection(&Rejection::Source)
                    ),
                )
                .hint(format!(
                    "take the newest version with a wheel instead, {}: add --only-binary {name}",
                    pin.candidate.version
                )));
            }
        }
        Ok(resolution)
    }
}

impl FactFetcher {
    /// Refuses a file of a signed index that stands on a page which nothing verifies.
    pub(super) fn refuse_unverified(&self, project: &PackageName, url: &Url) -> Result<(), Failure> {
        if self.trust.is_unsigned_allowed(project) { Ok(()) } else { self.trust.refuse_unverified(url) }
    }

    async fn metadata(&self, project: &PackageName, file: &IndexFile) -> Result<Result<ReadMetadata, String>, Failure> {
        if file.signed.is_none()
            && let Ok(url) = file.url()
        {
            self.refuse_unverified(project, &url)?;
        }
        self.reader.read(project, file).await
    }

    async fn installation_candidates(&self, name: &PackageName) -> Result<Vec<InstallationCandidate>, Failure> {
        let found = self.evaluator.installation_candidates(name, self.sources.files(name).await?)?;
        let all = self.versions.fetch_add(found.len(), Ordering::Relaxed) + found.len();
        let message = if found.len() > VERSIONS_OF_PROJECT {
            format!(
                "The index lists {} versions of {name}: more than {VERSIONS_OF_PROJECT} cannot be right",
                found.len()
            )
        } else if all > VERSIONS_OF_COMMAND {
            format!("The index lists more than {VERSIONS_OF_COMMAND} versions of the projects of this command")
        } else {
            return Ok(found);
        };
        Err(Failure::new(Code::IndexPage, message)
            .detail("meaning", "such pages would fill the memory; nothing was installed")
            .hint("report it to the operator of the index"))
    }
}

/// The files of this machine that a distribution depends on.
fn file_urls(metadata: &CoreMetadata) -> impl Iterator<Item = &Url> {
    let urls = metadata.valid_requires_dist().iter().filter_map(|requirement| requirement.url.as_ref());
    urls.filter(|url| url.scheme() == "file")
}
