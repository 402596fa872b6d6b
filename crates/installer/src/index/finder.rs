//! Brings the resolver and the indexes together: facts the resolver misses are fetched, side by side, until it has an
//! answer.
//!
//! A solution takes about a millisecond, an answer from a server a hundred times as long. So everything is solved again
//! whenever something that was missing is known, and no question waits for answers it does not depend on.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use packaging::{CoreMetadata, PackageName, Requirement, Version};
use resolve::{Candidate, CandidateId, Catalog, Fact, Metadata, Origin, Outcome, Rejection, Request, Resolution};
use tokio::task::JoinSet;
use url::Url;

use super::direct::DirectFile;
use super::metadata::{ReadMetadata, download_request};
use super::{Choice, Listed, MetadataReader, Offer, Sources};
use crate::download::{DownloadRequest, Downloader, Proof, VerifiedFile};
use crate::error::{Failure, Kind};
use crate::event::{Progress, Reporter};
use crate::python::environment::Environment;
use crate::text::counted;
use crate::trust::{self, SignedFile, Trust};

/// What is known of distributions on offer, grown while the resolver asks.
pub struct Finder {
    places: Arc<Places>,
    catalog: Catalog,
    offers: HashMap<PackageName, HashMap<Version, Offer>>,
    metadata: HashMap<CandidateId, Arc<CoreMetadata>>,
    direct: HashMap<String, Found>,
    installed: Vec<(PackageName, Arc<CoreMetadata>)>,
    /// What is signed about files whose metadata was read.
    signed: HashMap<CandidateId, Arc<SignedFile>>,
    reporter: Arc<dyn Reporter>,
}

/// What facts are fetched with.
pub(super) struct Places {
    sources: Sources,
    pub choice: Choice,
    reader: MetadataReader,
    pub downloader: Arc<Downloader>,
    pub trust: Arc<Trust>,
    /// The URLs of files that the user named.
    pub named_urls: Vec<Url>,
}

/// What stands behind a chosen candidate.
#[derive(Clone, Debug)]
pub struct Found {
    /// What to fetch.
    pub request: DownloadRequest,
    /// Already fetched, as everything is that is named by URL or path.
    pub file: Option<VerifiedFile>,
    /// Why it was yanked, if it was.
    pub yanked: Option<String>,
    /// The user named it by a URL that says what the file has to be.
    pub is_hashed_in_url: bool,
}

impl Found {
    /// What vouches for it, given what it was checked by: a hash in a URL is the user's word if the user wrote the URL.
    pub fn proof(&self, checked_by: Proof) -> Proof {
        if checked_by == Proof::IndexHash && self.is_hashed_in_url { Proof::UserHash } else { checked_by }
    }
}

/// What is being fetched.
#[derive(Default)]
struct Fetching {
    running: JoinSet<Answer>,
    /// Everything that was asked so far.
    asked: HashSet<Fact>,
    /// What the resolver lacked when it was last asked.
    missing: HashSet<Fact>,
}

/// What became of a question.
struct Answer {
    fact: Fact,
    news: Result<News, Failure>,
}

enum News {
    Offers(Vec<Offer>),
    Metadata(Result<ReadMetadata, String>),
    Direct(Box<DirectFile>),
}

impl Finder {
    /// A finder that knows nothing yet.
    pub fn new(
        sources: Sources,
        choice: Choice,
        reader: MetadataReader,
        downloader: Arc<Downloader>,
        trust: Arc<Trust>,
        named_urls: Vec<Url>,
        reporter: Arc<dyn Reporter>,
    ) -> Self {
        Self {
            places: Arc::new(Places { sources, choice, reader, downloader, trust, named_urls }),
            catalog: Catalog::new(),
            offers: HashMap::new(),
            metadata: HashMap::new(),
            direct: HashMap::new(),
            installed: Vec::new(),
            signed: HashMap::new(),
            reporter,
        }
    }

    /// Tells of everything that is installed and can be understood; the rest is as if it was not there.
    pub fn insert_all_installed(&mut self, environment: &Environment) {
        for distribution in environment.distributions() {
            let Some(name) = &distribution.normalized_name else { continue };
            if self.catalog.installed(name).is_some() {
                continue;
            }
            match distribution.metadata() {
                Ok(Some(Ok(metadata))) => self.insert_installed(name.clone(), Arc::new(metadata)),
                _ => self.reporter.detail(1, || format!("{name} is installed with metadata that cannot be used")),
            }
        }
    }

    fn insert_installed(&mut self, name: PackageName, metadata: Arc<CoreMetadata>) {
        self.installed.push((name.clone(), Arc::clone(&metadata)));
        let version = metadata.version.clone();
        let candidate =
            Candidate { version: version.clone(), origin: Origin::Installed, yanked: false, rejected: None };
        self.catalog.insert_installed(name.clone(), candidate);
        self.insert_metadata(CandidateId { name, version, origin: Origin::Installed }, Ok(metadata));
    }

    /// Finds one candidate for each project that is needed.
    ///
    /// # Errors
    /// When that is impossible, or what must be known cannot be fetched.
    pub async fn resolve(&mut self, request: &Request<'_>) -> Result<Resolution, Failure> {
        match self.resolve_once(request).await {
            // A signed index went on to a newer snapshot: everything is chosen again, from that one.
            Err(failure) if failure.code == trust::MOVED => {
                self.forget_indexes();
                self.resolve_once(request).await
            }
            outcome => outcome,
        }
    }

    async fn resolve_once(&mut self, request: &Request<'_>) -> Result<Resolution, Failure> {
        let mut fetching = Fetching::default();
        let mut attempts = 0;
        let outcome = loop {
            attempts += 1;
            let start = Instant::now();
            let facts = match resolve::solve(&self.catalog, request) {
                Outcome::Missing(facts) => facts,
                // Without dependencies the resolver needs no metadata; what is installed still has to say its Python.
                Outcome::Solved(resolution) if !self.unread(&resolution).is_empty() => self.unread(&resolution),
                other => break other,
            };
            fetching.missing = facts.iter().cloned().collect();
            for fact in facts {
                self.ask(fact, &mut fetching);
            }
            // While more answers are to come, no more than half of the time goes into solving.
            self.wait(&mut fetching, start.elapsed()).await?;
        };
        self.reporter.progress(Progress::Resolved);
        self.reporter.detail(1, || {
            format!(
                "resolved in {}: {}, metadata of {}, {}",
                counted(attempts, "attempt"),
                counted(self.offers.len(), "project"),
                counted(self.metadata.len(), "file"),
                counted(self.places.reader.requests(), "request")
            )
        });
        match outcome {
            Outcome::Solved(resolution) => self.without_skipped_sources(resolution, request),
            Outcome::Impossible(explanation) => Err(crate::index::explanation::impossible(
                &explanation,
                &self.places.sources,
                self.reporter.wants_whole_lists(),
            )),
            Outcome::Missing(_) => Err(Failure::new(Kind::Error, "internal", "the resolver stopped without an answer")),
        }
    }

    /// Forgets everything but what is installed.
    fn forget_indexes(&mut self) {
        self.catalog = Catalog::new();
        self.offers.clear();
        self.metadata.clear();
        self.direct.clear();
        self.signed.clear();
        for (name, metadata) in std::mem::take(&mut self.installed) {
            self.insert_installed(name, metadata);
        }
    }

    /// Metadata of chosen candidates that was not read yet.
    fn unread(&self, resolution: &Resolution) -> Vec<Fact> {
        let candidates = resolution.pins.iter().map(|pin| &pin.candidate);
        candidates.filter(|id| self.catalog.metadata(id).is_none()).cloned().map(Fact::Metadata).collect()
    }

    /// What stands behind a candidate of the resolution.
    pub fn found(&self, candidate: &CandidateId) -> Option<Found> {
        match &candidate.origin {
            Origin::Installed => None,
            Origin::Direct(url) => self.direct.get(url).cloned(),
            Origin::Index => {
                let file = &self.offer(candidate)?.file;
                let hashes = self.places.choice.hashes(&candidate.name).to_vec();
                let signed = self.signed.get(candidate).cloned();
                if file.signed.is_some() && signed.is_none() {
                    // Metadata is read of everything that is chosen, and with it what is signed: it cannot be missing.
                    return None;
                }
                let url = signed.as_ref().map(|signed| Ok(signed.url.clone())).unwrap_or_else(|| file.url()).ok()?;
                let request = download_request(&candidate.name, file, &url, hashes, signed);
                Some(Found { request, file: None, yanked: file.yanked.clone(), is_hashed_in_url: false })
            }
        }
    }

    /// The metadata by which a candidate was chosen.
    pub fn metadata(&self, candidate: &CandidateId) -> Option<&Arc<CoreMetadata>> {
        self.metadata.get(candidate)
    }

    /// What is on offer for each of `names`, best first; all are asked for at once.
    ///
    /// # Errors
    /// When an index cannot be asked.
    pub async fn offers(&self, names: &[PackageName]) -> Result<HashMap<PackageName, Vec<Offer>>, Failure> {
        match self.offers_once(names).await {
            Err(failure) if failure.code == trust::MOVED => self.offers_once(names).await,
            outcome => outcome,
        }
    }

    async fn offers_once(&self, names: &[PackageName]) -> Result<HashMap<PackageName, Vec<Offer>>, Failure> {
        let mut running = JoinSet::new();
        for name in names.iter().cloned() {
            let places = Arc::clone(&self.places);
            running.spawn(async move {
                let offers = places.offers(&name).await;
                (name, offers)
            });
        }
        let mut found = HashMap::new();
        while let Some(joined) = running.join_next().await {
            let (name, offers) = joined.map_err(|error| Failure::new(Kind::Error, "internal", error.to_string()))?;
            found.insert(name, offers?);
        }
        self.reporter.progress(Progress::Resolved);
        Ok(found)
    }

    /// Every version on offer for `project`, best first, once its page was read.
    pub fn candidates(&self, project: &PackageName) -> &[Candidate] {
        self.catalog.candidates(project).unwrap_or_default()
    }

    /// Every file of a project, whether it can be chosen or not.
    ///
    /// # Errors
    /// When an index cannot be asked.
    pub async fn files(&self, project: &PackageName) -> Result<Vec<Arc<Listed>>, Failure> {
        match self.places.sources.files(project).await {
            Err(failure) if failure.code == trust::MOVED => self.places.sources.files(project).await,
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
        listed: &Listed,
    ) -> Result<Result<DownloadRequest, String>, Failure> {
        let signed = match &listed.signed {
            None => None,
            Some(page) => match page.index().file(page, &listed.file).await? {
                Ok(signed) => Some(Arc::new(signed)),
                Err(reason) => return Ok(Err(reason)),
            },
        };
        let url = match &signed {
            Some(signed) => signed.url.clone(),
            None => match listed.url() {
                Ok(url) => url,
                Err(error) => return Ok(Err(format!("its link is unusable: {error}"))),
            },
        };
        let hashes = self.choice().hashes(project).to_vec();
        Ok(Ok(download_request(project, listed, &url, hashes, signed)))
    }

    /// The rules by which files are chosen.
    pub fn choice(&self) -> &Choice {
        &self.places.choice
    }

    /// Takes answers until one of the missing facts is known and `rest` is over, or all of them are known.
    async fn wait(&mut self, fetching: &mut Fetching, rest: Duration) -> Result<(), Failure> {
        let end = tokio::time::Instant::now() + rest;
        let all = fetching.missing.len();
        loop {
            let some_known = fetching.missing.len() < all;
            let answer = match fetching.running.try_join_next() {
                Some(answer) => answer,
                None if fetching.missing.is_empty() => return Ok(()),
                None if some_known => match tokio::time::timeout_at(end, fetching.running.join_next()).await {
                    Ok(Some(answer)) => answer,
                    Ok(None) | Err(_) => return Ok(()),
                },
                None => match fetching.running.join_next().await {
                    Some(answer) => answer,
                    None => return Err(Failure::new(Kind::Error, "internal", "the resolver asked for what is known")),
                },
            };
            let answer = answer.map_err(|error| Failure::new(Kind::Error, "internal", error.to_string()))?;
            self.take(answer, fetching)?;
            self.reporter.progress(Progress::Resolving { projects: self.offers.len(), metadata: self.metadata.len() });
        }
    }

    /// Starts to fetch a fact, once.
    fn ask(&self, fact: Fact, fetching: &mut Fetching) {
        if !fetching.asked.insert(fact.clone()) {
            return;
        }
        let file = match &fact {
            Fact::Metadata(candidate) => self.offer(candidate).map(|offer| Arc::clone(&offer.file)),
            _ => None,
        };
        let places = Arc::clone(&self.places);
        fetching.running.spawn(async move {
            let news = match (&fact, file) {
                (Fact::Project(name), _) => places.offers(name).await.map(News::Offers),
                (Fact::Metadata(candidate), Some(file)) => {
                    places.reader.read(&candidate.name, &file).await.map(News::Metadata)
                }
                (Fact::Metadata(_), None) => Ok(News::Metadata(Err("there is no file of it".to_owned()))),
                (Fact::Direct { name, url }, _) => {
                    places.direct(name, url).await.map(|direct| News::Direct(Box::new(direct)))
                }
            };
            Answer { fact, news }
        });
    }

    /// Puts an answer into the catalog.
    fn take(&mut self, answer: Answer, fetching: &mut Fetching) -> Result<(), Failure> {
        let Answer { fact, news } = answer;
        let is_missing = fetching.missing.remove(&fact);
        let news = match news {
            Ok(news) => news,
            // All that is known is of an older snapshot now, whoever heard of it first.
            Err(failure) if is_missing || failure.code == trust::MOVED => return Err(failure),
            Err(_) => {
                // The resolver has gone another way meanwhile. If it comes back it asks again.
                fetching.asked.remove(&fact);
                return Ok(());
            }
        };
        match (fact, news) {
            (Fact::Project(name), News::Offers(offers)) => {
                let candidates = offers.iter().map(|offer| offer.candidate.clone()).collect();
                self.catalog.insert_project(name.clone(), candidates);
                let by_version = offers.into_iter().map(|offer| (offer.candidate.version.clone(), offer)).collect();
                self.offers.insert(name, by_version);
            }
            (Fact::Metadata(id), News::Metadata(metadata)) => {
                let metadata = metadata.and_then(|read| {
                    self.signed.extend(read.signed.map(|signed| (id.clone(), signed)));
                    self.usable(read.metadata)
                });
                if let Err(reason) = &metadata {
                    self.reporter.detail(1, || format!("{} {}: {reason}", id.name, id.version));
                }
                self.insert_metadata(id, metadata.map(Arc::new));
            }
            (Fact::Direct { name, url }, News::Direct(direct)) => {
                let (version, origin) = (direct.candidate.version.clone(), Origin::Direct(url.clone()));
                let id = CandidateId { name: name.clone(), version, origin };
                self.catalog.insert_direct(name, url.clone(), direct.candidate);
                self.direct.insert(url, direct.found);
                self.insert_metadata(id, Ok(Arc::new(direct.metadata)));
            }
            // An answer is always one to its question.
            _ => {}
        }
        Ok(())
    }

    fn offer(&self, candidate: &CandidateId) -> Option<&Offer> {
        self.offers.get(&candidate.name)?.get(&candidate.version)
    }

    /// Metadata says more exactly than a page which Python it is for.
    fn usable(&self, metadata: CoreMetadata) -> Result<CoreMetadata, String> {
        if let Err(error) = metadata.requires_dist() {
            return Err(error.to_string());
        }
        match self.places.choice.python_mismatch(metadata.raw_requires_python()) {
            Some(rejection) => Err(rejection.to_string()),
            None => Ok(metadata),
        }
    }

    fn insert_metadata(&mut self, id: CandidateId, metadata: Result<Arc<CoreMetadata>, String>) {
        let told = metadata.as_ref().map_err(Clone::clone).map(|metadata| Metadata {
            requires_dist: metadata.valid_requires_dist().to_vec(),
            provides_extras: metadata.provides_extra.clone(),
        });
        self.catalog.insert_metadata(id.clone(), told);
        if let Ok(metadata) = metadata {
            self.metadata.insert(id, metadata);
        }
    }

    /// Refuses a resolution that pip would not choose because it would build a newer source distribution.
    fn without_skipped_sources(&self, resolution: Resolution, request: &Request<'_>) -> Result<Resolution, Failure> {
        for pin in &resolution.pins {
            if pin.candidate.origin != Origin::Index {
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
                    Kind::Error,
                    "source.not-supported",
                    format!("{name} {} has {}", candidate.version, crate::index::explanation::rejection(&Rejection::Source)),
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

impl Places {
    async fn offers(&self, name: &PackageName) -> Result<Vec<Offer>, Failure> {
        self.choice.offers(name, self.sources.files(name).await?)
    }
}
