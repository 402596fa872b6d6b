//! Brings the resolver and the indexes together: facts the resolver misses are fetched, all at once, until it has an answer.
//!
//! While facts come in, the finder guesses what will be asked next, so that a deep graph of dependencies does not cost a
//! round trip for each level and each kind of fact. A wrong guess costs a small request and changes nothing else.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use packaging::{CoreMetadata, ExtraName, File, PackageName, Requirement, Version};
use resolve::{Candidate, CandidateId, Catalog, Fact, Metadata, Origin, Outcome, Request, Resolution};
use tokio::task::JoinSet;
use url::Url;

use super::choice::SOURCE_ONLY;
use super::metadata::download_request;
use super::sources::{linked_filename, parse_filename};
use super::{Choice, MetadataReader, Offer, Sources};
use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::net::{DownloadRequest, Downloader, VerifiedFile, redacted};
use crate::terminal::{Progress, Terminal};

/// What is known of distributions on offer, grown while the resolver asks.
pub struct Finder {
    places: Arc<Places>,
    catalog: Catalog,
    offers: HashMap<PackageName, HashMap<Version, Offer>>,
    metadata: HashMap<CandidateId, Arc<CoreMetadata>>,
    direct: HashMap<String, Found>,
    /// Requirements seen for a project so far, by which the next guess is made.
    seen: HashMap<PackageName, Vec<Requirement>>,
    terminal: Arc<Terminal>,
}

/// What facts are fetched with.
struct Places {
    sources: Sources,
    choice: Choice,
    reader: MetadataReader,
    downloader: Arc<Downloader>,
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
}

/// An answer to a question.
enum Answer {
    Project(PackageName, Result<Vec<Offer>, Failure>),
    Metadata(CandidateId, Result<Result<CoreMetadata, String>, Failure>),
    Direct(PackageName, String, Box<Result<DirectFile, Failure>>),
}

struct DirectFile {
    candidate: Candidate,
    metadata: CoreMetadata,
    found: Found,
}

impl Finder {
    /// A finder that knows nothing yet.
    pub fn new(
        sources: Sources,
        choice: Choice,
        reader: MetadataReader,
        downloader: Arc<Downloader>,
        terminal: Arc<Terminal>,
    ) -> Self {
        Self {
            places: Arc::new(Places { sources, choice, reader, downloader }),
            catalog: Catalog::new(),
            offers: HashMap::new(),
            metadata: HashMap::new(),
            direct: HashMap::new(),
            seen: HashMap::new(),
            terminal,
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
                Ok(Some(Ok(metadata))) => {
                    self.insert_installed(name.clone(), metadata.version.clone(), Arc::new(metadata))
                }
                _ => self.terminal.verbose(1, || format!("{name} is installed with metadata that cannot be used")),
            }
        }
    }

    fn insert_installed(&mut self, name: PackageName, version: Version, metadata: Arc<CoreMetadata>) {
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
        let mut rounds = 0;
        let outcome = loop {
            rounds += 1;
            match resolve::solve(&self.catalog, request) {
                Outcome::Missing(facts) => self.fetch(facts, request).await?,
                // Without dependencies the resolver needs no metadata; what is installed still has to say its Python.
                Outcome::Solved(resolution) if !self.unread(&resolution).is_empty() => {
                    self.fetch(self.unread(&resolution), request).await?;
                }
                other => break other,
            }
        };
        self.terminal.progress(Progress::Resolved);
        self.terminal.verbose(1, || {
            format!(
                "resolved in {rounds} rounds, {} projects and {} metadata files read",
                self.offers.len(),
                self.metadata.len()
            )
        });
        match outcome {
            Outcome::Solved(resolution) => self.without_skipped_sources(resolution, request),
            Outcome::Impossible(explanation) => Err(crate::explain::impossible(explanation, &self.places.sources)),
            Outcome::Missing(_) => Err(Failure::new(Kind::Error, "internal", "the resolver stopped without an answer")),
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
                let file = &self.offers.get(&candidate.name)?.get(&candidate.version)?.file;
                let url = file.url().ok()?;
                let hashes = self.places.choice.hashes(&candidate.name).to_vec();
                let request = download_request(&candidate.name, file, &url, hashes);
                Some(Found { request, file: None, yanked: file.yanked.clone() })
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
        self.terminal.progress(Progress::Resolved);
        Ok(found)
    }

    /// Every version on offer for `project`, best first, once its page was read.
    pub fn candidates(&self, project: &PackageName) -> &[Candidate] {
        self.catalog.candidates(project).unwrap_or_default()
    }

    /// Fetches `facts` and whatever they make likely to be asked next.
    async fn fetch(&mut self, facts: Vec<Fact>, request: &Request<'_>) -> Result<(), Failure> {
        let mut asked: HashSet<Fact> = HashSet::new();
        let wanted: HashSet<Fact> = facts.iter().cloned().collect();
        let mut running = JoinSet::new();
        if self.seen.is_empty() {
            for root in request.requirements.iter().chain(&request.constraints) {
                self.seen.entry(root.requirement.name.clone()).or_default().push(root.requirement.clone());
            }
        }
        for fact in facts {
            self.ask(fact, &mut asked, &mut running);
        }
        while let Some(joined) = running.join_next().await {
            let answer = joined.map_err(|error| Failure::new(Kind::Error, "internal", error.to_string()))?;
            let next = self.take(answer, &wanted, request)?;
            self.terminal.progress(Progress::Resolving { projects: self.offers.len(), metadata: self.metadata.len() });
            for fact in next {
                self.ask(fact, &mut asked, &mut running);
            }
        }
        Ok(())
    }

    /// Starts to fetch a fact, once.
    fn ask(&self, fact: Fact, asked: &mut HashSet<Fact>, running: &mut JoinSet<Answer>) {
        if !asked.insert(fact.clone()) {
            return;
        }
        let places = Arc::clone(&self.places);
        match fact {
            Fact::Project(name) => {
                running.spawn(async move {
                    let offers = places.offers(&name).await;
                    Answer::Project(name, offers)
                });
            }
            Fact::Metadata(candidate) => {
                let file = self.offers.get(&candidate.name).and_then(|offers| offers.get(&candidate.version));
                let Some(file) = file.map(|offer| Arc::clone(&offer.file)) else { return };
                running.spawn(async move {
                    let metadata = places.reader.read(&candidate.name, &file).await;
                    Answer::Metadata(candidate, metadata)
                });
            }
            Fact::Direct { name, url } => {
                running.spawn(async move {
                    let file = places.direct(&name, &url).await;
                    Answer::Direct(name, url, Box::new(file))
                });
            }
        }
    }

    /// Puts an answer into the catalog; gives what is likely to be asked next.
    fn take(&mut self, answer: Answer, wanted: &HashSet<Fact>, request: &Request<'_>) -> Result<Vec<Fact>, Failure> {
        match answer {
            Answer::Project(name, offers) => {
                let offers = match offers {
                    Ok(offers) => offers,
                    // The resolver asks again if it needs what was only guessed.
                    Err(_) if !wanted.contains(&Fact::Project(name.clone())) => return Ok(Vec::new()),
                    Err(failure) => return Err(failure),
                };
                let candidates = offers.iter().map(|offer| offer.candidate.clone()).collect();
                self.catalog.insert_project(name.clone(), candidates);
                let by_version = offers.into_iter().map(|offer| (offer.candidate.version.clone(), offer)).collect();
                self.offers.insert(name.clone(), by_version);
                Ok(if request.no_deps { Vec::new() } else { self.guess(&name).into_iter().collect() })
            }
            Answer::Metadata(id, metadata) => {
                let metadata = match metadata {
                    Ok(metadata) => metadata,
                    Err(_) if !wanted.contains(&Fact::Metadata(id.clone())) => return Ok(Vec::new()),
                    Err(failure) => return Err(failure),
                };
                let metadata = metadata.and_then(|metadata| self.usable(metadata));
                if let Err(reason) = &metadata {
                    self.terminal.verbose(1, || format!("{} {}: {reason}", id.name, id.version));
                }
                self.insert_metadata(id.clone(), metadata.map(Arc::new));
                Ok(if request.no_deps { Vec::new() } else { self.follow(&id, request) })
            }
            Answer::Direct(name, url, direct) => {
                let direct = (*direct)?;
                let id = CandidateId {
                    name: name.clone(),
                    version: direct.candidate.version.clone(),
                    origin: Origin::Direct(url.clone()),
                };
                self.catalog.insert_direct(name, url.clone(), direct.candidate);
                self.direct.insert(url, direct.found);
                self.insert_metadata(id.clone(), Ok(Arc::new(direct.metadata)));
                Ok(if request.no_deps { Vec::new() } else { self.follow(&id, request) })
            }
        }
    }

    /// Metadata says more exactly than a page which Python it is for.
    fn usable(&self, metadata: CoreMetadata) -> Result<CoreMetadata, String> {
        if let Err(error) = metadata.requires_dist() {
            return Err(error.to_string());
        }
        match self.places.choice.python_mismatch(metadata.raw_requires_python()) {
            Some(reason) => Err(reason),
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

    /// The metadata that the resolver will probably ask for: of the best version that fits what was seen so far.
    fn guess(&self, project: &PackageName) -> Option<Fact> {
        let seen = self.seen.get(project).map(Vec::as_slice).unwrap_or_default();
        let candidates = self.catalog.candidates(project)?;
        let fits = |candidate: &&Candidate| {
            candidate.rejected.is_none()
                && !candidate.yanked
                && seen.iter().all(|requirement| requirement.specifiers.contains(&candidate.version))
        };
        let usable = || candidates.iter().filter(fits);
        let best = usable().find(|candidate| !candidate.version.any_prerelease()).or_else(|| usable().next())?;
        let id = CandidateId { name: project.clone(), version: best.version.clone(), origin: Origin::Index };
        self.catalog.metadata(&id).is_none().then_some(Fact::Metadata(id))
    }

    /// Pages that the dependencies of `candidate` will probably need.
    fn follow(&mut self, candidate: &CandidateId, request: &Request<'_>) -> Vec<Fact> {
        let Some(metadata) = self.metadata.get(candidate).cloned() else { return Vec::new() };
        let extras: Vec<ExtraName> = self
            .seen
            .get(&candidate.name)
            .map(|seen| seen.iter().flat_map(|requirement| requirement.extras.clone()).collect())
            .unwrap_or_default();
        let mut next = Vec::new();
        for requirement in metadata.valid_requires_dist() {
            if requirement.url.is_some() || !requirement.applies(request.environment, &extras) {
                continue;
            }
            let name = &requirement.name;
            let seen = self.seen.entry(name.clone()).or_default();
            if !seen.contains(requirement) {
                seen.push(requirement.clone());
            }
            if self.catalog.candidates(name).is_some() {
                next.extend(self.guess(name));
            } else if request.ignore_installed || !self.installed_fits(requirement) {
                next.push(Fact::Project(name.clone()));
            }
        }
        next
    }

    fn installed_fits(&self, requirement: &Requirement) -> bool {
        self.catalog
            .installed(&requirement.name)
            .is_some_and(|installed| requirement.specifiers.contains(&installed.version))
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
                    candidate.rejected.as_deref() == Some(SOURCE_ONLY)
                        && !candidate.yanked
                        && (!candidate.version.any_prerelease() || pin.candidate.version.any_prerelease())
                        && requirements.iter().all(|requirement| requirement.specifiers.contains(&candidate.version))
                });
            if let Some(candidate) = better {
                let name = &pin.candidate.name;
                return Err(Failure::new(
                    Kind::Error,
                    "source.not-supported",
                    format!("{name} {} has {SOURCE_ONLY}", candidate.version),
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
        let files: Vec<Arc<File>> = self.sources.files(name).await?;
        self.choice.offers(name, files)
    }

    /// Fetches what a direct reference names and looks into it.
    async fn direct(&self, name: &PackageName, text: &str) -> Result<DirectFile, Failure> {
        let invalid = |reason: String| {
            Failure::new(Kind::Error, "requirement.url", format!("Could not use the URL given for {name}: {reason}"))
        };
        let mut url: Url = text.parse().map_err(|error: url::ParseError| invalid(error.to_string()))?;
        let index_hashes = fragment_hashes(&url);
        url.set_fragment(None);
        let filename = linked_filename(&url)
            .ok_or_else(|| invalid(format!("{} does not end in the name of a wheel", redacted(&url))))?;
        let dist = parse_filename(&filename).ok_or_else(|| {
            Failure::new(Kind::Error, "wheel.file-name", format!("{filename} is not a valid wheel filename."))
        })?;
        let Some(wheel) = dist.wheel() else {
            return Err(Failure::new(
                Kind::Error,
                "source.not-supported",
                format!("{name} @ {} is a source distribution, which tufpip does not build yet", redacted(&url)),
            )
            .hint("build a wheel of it first and give the wheel"));
        };
        if wheel.name != *name {
            return Err(invalid(format!("the file {filename} belongs to the project '{}'", wheel.name)));
        }
        let request = DownloadRequest {
            requirement: format!("{name}=={}", wheel.version),
            filename,
            url,
            index_hashes,
            user_hashes: self.choice.hashes(name).to_vec(),
            size: None,
        };
        let file = self.downloader.fetch(&request).await?;
        let bytes = MetadataReader::of_wheel(&file, wheel)?;
        let metadata = CoreMetadata::parse(&bytes)
            .map_err(|error| invalid(format!("the metadata of {} is not usable: {error}", request.filename)))?;
        let unsupported = || format!("{} is not a supported wheel on this platform.", request.filename);
        let rejected = match self.choice.tags().rank(wheel) {
            None => Some(unsupported()),
            Some(_) => self.choice.python_mismatch(metadata.raw_requires_python()),
        };
        let candidate = Candidate {
            version: wheel.version.clone(),
            origin: Origin::Direct(text.to_owned()),
            yanked: false,
            rejected,
        };
        Ok(DirectFile { candidate, metadata, found: Found { request, file: Some(file), yanked: None } })
    }
}

/// The hash in a URL's fragment, `#sha256=…`: a check of the transfer.
fn fragment_hashes(url: &Url) -> packaging::Hashes {
    let mut hashes = packaging::Hashes::default();
    for part in url.fragment().unwrap_or_default().split('&') {
        if let Some((name, value)) = part.split_once('=')
            && let Some(algorithm) = packaging::HashAlgorithm::from_name(name)
        {
            hashes.set(algorithm, value.to_owned());
        }
    }
    hashes
}
