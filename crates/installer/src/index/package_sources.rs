//! Where distributions are looked for: indexes, and the directories, pages and files of `--find-links`.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use packaging::{DistributionFilename, PackageName, ProjectPage};
use tokio::sync::OnceCell;
use url::Url;

use super::search_notes::{SearchNotebook, SearchNotes};
use super::{IndexFile, PageFetcher, page_fetcher};
use crate::error::{Code, Failure};
use crate::event::{Reporter, WarningCode};
use crate::net::{HttpResponse, local_path};
use crate::options::IndexOptions;
use crate::trust::{CommandTrust, EpochInfo, IndexIdentity, Mapping, PageLookUp, TrustedIndex};

/// Every place where a project may be found, in the order that decides ties: find-links locations, then indexes.
pub struct PackageSources {
    links: Vec<FindLinksLocation>,
    indexes: Vec<ConfiguredIndex>,
    pages: PageFetcher,
    trust: Arc<CommandTrust>,
    reporter: Arc<dyn Reporter>,
    /// Why a project was not found, or which sources were not searched.
    notes: SearchNotebook,
}

/// That nothing but these files may be used of a project.
pub struct Claim {
    /// By whom, as a sentence without its end.
    pub reason: String,
    /// What the claiming indexes have, which may be nothing.
    pub files: Vec<IndexFile>,
}

/// An index of the command.
struct ConfiguredIndex {
    url: Url,
    /// What verifies it; `None` for an ordinary index.
    trusted: Option<Arc<TrustedIndex>>,
}

/// One place of `--find-links`. What lists files of many projects is read once, when the first of them is looked for.
enum FindLinksLocation {
    /// A directory: links to its distributions, and its pages of links.
    Directory(PathBuf, OnceLock<DirectoryListing>),
    /// A page of links on a server.
    Page(Url, Box<OnceCell<Option<HttpResponse>>>),
    /// A page of links on the disk.
    File(PathBuf),
    /// A single distribution.
    Distribution(Url),
}

#[derive(Clone, Default)]
struct DirectoryListing {
    links: Vec<String>,
    pages: Vec<PathBuf>,
}

impl PackageSources {
    /// Parses the settings. Sends no request.
    ///
    /// A place of `--find-links` that is neither a URL nor there on the disk is only a warning, as in pip.
    ///
    /// # Errors
    /// When an index is signed and its trusted root cannot be used, or is not signed and must be.
    pub fn new(
        settings: &IndexOptions,
        pages: PageFetcher,
        trust: Arc<CommandTrust>,
        reporter: Arc<dyn Reporter>,
    ) -> Result<Self, Failure> {
        let mut links = Vec::new();
        for text in &settings.find_links {
            match find_links_location(text) {
                Some(FindLinksLocation::Page(url, _) | FindLinksLocation::Distribution(url))
                    if !is_secure_origin(&url, &pages, &*reporter) => {}
                Some(place) => {
                    if let Some(url) = place.url() {
                        trust.refuse_unverified(&url)?;
                    }
                    links.push(place);
                }
                None => reporter.warning(
                    WarningCode::LocationIgnored,
                    format!(
                        "Location '{}' is ignored: it is either a non-existing path or lacks a specific scheme.",
                        printable::redacted(text)
                    ),
                ),
            }
        }
        let mut indexes = Vec::new();
        for url in &settings.indexes {
            let trusted = trust.index(url)?;
            if trusted.is_none() {
                trust.refuse_unverified(url)?;
                trust.refuse_unsigned_index(url)?;
            }
            // Signed metadata cannot be altered in transit.
            if trusted.is_some() || is_secure_origin(url, &pages, &*reporter) {
                indexes.push(ConfiguredIndex { url: url.clone(), trusted });
            }
        }
        Ok(Self { links, indexes, pages, trust, reporter, notes: SearchNotebook::default() })
    }

    /// Whether content from `url` cannot be altered in transit, or the user accepts that it can.
    pub fn is_secure_origin(&self, url: &Url) -> bool {
        self.pages.is_secure_origin(url)
    }

    /// Whether the host of `url` is that of a signed index, so that the file there may be one of its files.
    pub fn has_signed_index_at_host_of(&self, url: &Url) -> bool {
        let host = |url: &Url| IndexIdentity::of(url).url().host_str().map(str::to_owned);
        let signed = self.indexes.iter().filter(|index| index.trusted.is_some());
        url.scheme() != "file" && signed.map(|index| host(&index.url)).any(|known| known == host(url))
    }

    /// Whether there is nowhere to look.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty() && self.indexes.is_empty()
    }

    /// The index URLs without secrets, for messages.
    pub fn display_url(&self) -> Vec<String> {
        self.indexes.iter().map(|index| printable::redacted_url(&index.url)).collect()
    }

    /// What a user whose project was not found should know about the search.
    pub fn notes(&self, project: &PackageName) -> SearchNotes {
        self.notes.of(project)
    }

    /// All files of `project`.
    ///
    /// A project of a signed index is taken from nowhere else, except from places on this machine that the user names.
    pub async fn files(&self, project: &PackageName) -> Result<Vec<Arc<IndexFile>>, Failure> {
        // Of an older snapshot, if this is not the first time.
        self.notes.forget(project);
        let (mut files, linked_elsewhere) = self.of_local_links(project).await?;
        match self.claim(project).await? {
            Some(claim) => files.extend(claim.files),
            None => {
                let indexes: Vec<&ConfiguredIndex> = self.indexes.iter().collect();
                files.extend(linked_elsewhere);
                files.extend(self.of_links(|place| !place.is_local(), project).await?);
                files.extend(self.of_unsigned(&indexes, project).await?.unwrap_or_default());
            }
        }
        Ok(files.into_iter().map(Arc::new).collect())
    }

    /// Who alone may offer a project: the indexes of the user's map, or the first signed index that has it. Nothing else counts
    /// then, whether it has the project by name or is a URL that somebody else than the user wrote.
    ///
    /// # Errors
    /// When an index cannot be fetched, or the map names one that does not take part in the command.
    pub async fn claim(&self, project: &PackageName) -> Result<Option<Claim>, Failure> {
        for mapping in self.trust.mappings(project) {
            // With --no-index there is nothing that could come from a wrong one.
            let found = if self.indexes.is_empty() {
                None
            } else {
                let mapped = self.mapped_indexes(project, &mapping)?;
                self.of_indexes(&mapped, mapping.threshold, project).await?
            };
            if found.is_some() || mapping.terminating {
                self.note_mapping(project, &mapping);
                let reason = format!("map.json sends {project} to {} only", named_indexes(&mapping));
                return Ok(Some(Claim { reason, files: found.unwrap_or_default() }));
            }
        }
        let indexes: Vec<&ConfiguredIndex> = self.indexes.iter().collect();
        let signed = self.of_signed(&indexes, 1, project).await?;
        Ok(signed.map(|files| {
            let by = files.iter().find_map(|file| file.signed.as_ref()).map(|page| page.index().display_url());
            let by = by.map(|url| format!(" {url}")).unwrap_or_default();
            Claim { reason: format!("{project} is in the signed index{by}"), files }
        }))
    }

    /// The files on this machine, and those on servers that pages on this machine link to.
    async fn of_local_links(&self, project: &PackageName) -> Result<(Vec<IndexFile>, Vec<IndexFile>), Failure> {
        let files = self.of_links(FindLinksLocation::is_local, project).await?.into_iter();
        Ok(files.partition(|listed| listed.url().is_ok_and(|url| url.scheme() == "file")))
    }

    async fn of_links(
        &self,
        wanted: impl Fn(&FindLinksLocation) -> bool,
        project: &PackageName,
    ) -> Result<Vec<IndexFile>, Failure> {
        let mut files = Vec::new();
        for place in self.links.iter().filter(|place| wanted(place)) {
            files.extend(self.linked(place, project).await?.files.into_iter().map(IndexFile::unsigned));
        }
        Ok(files)
    }

    /// The indexes of a mapping. All of them must take part in the command: omitting one would silently change the
    /// rule.
    fn mapped_indexes(&self, project: &PackageName, mapping: &Mapping) -> Result<Vec<&ConfiguredIndex>, Failure> {
        let find =
            |identity: &IndexIdentity| self.indexes.iter().find(|index| IndexIdentity::of(&index.url) == *identity);
        let named = mapping.indexes.iter().zip(&mapping.names);
        let mut found = Vec::new();
        for (identity, name) in named {
            let index = find(identity).ok_or_else(|| {
                let message =
                    format!("map.json says that {project} comes from '{name}', which is not among the indexes");
                Failure::new(Code::PolicyMap, message)
                    .hint(format!("add --extra-index-url {}", printable::redacted_url(identity.url())))
            })?;
            found.push(index);
        }
        Ok(found)
    }

    /// `None` when none of them has the project.
    async fn of_indexes(
        &self,
        indexes: &[&ConfiguredIndex],
        threshold: usize,
        project: &PackageName,
    ) -> Result<Option<Vec<IndexFile>>, Failure> {
        match self.of_signed(indexes, threshold, project).await? {
            Some(signed) => Ok(Some(signed)),
            None if threshold > 1 => Ok(None),
            None => self.of_unsigned(indexes, project).await,
        }
    }

    /// The files of the first signed index that has the project; with a threshold, those on which that many indexes
    /// agree.
    async fn of_signed(
        &self,
        indexes: &[&ConfiguredIndex],
        threshold: usize,
        project: &PackageName,
    ) -> Result<Option<Vec<IndexFile>>, Failure> {
        let trusted: Vec<&Arc<TrustedIndex>> = indexes.iter().filter_map(|index| index.trusted.as_ref()).collect();
        if threshold > 1 && trusted.len() < threshold {
            self.note_missing_roots(project, threshold, indexes);
            return Ok(Some(Vec::new()));
        }
        let asked = trusted.iter().map(|index| index.page(project));
        let mut offers = Vec::new();
        let mut having: Vec<&TrustedIndex> = Vec::new();
        for (index, page) in trusted.iter().zip(futures_util::future::join_all(asked).await) {
            match page? {
                PageLookUp::Found(page, proof) => {
                    having.push(index.as_ref());
                    let files = page.files.into_iter();
                    offers.push(
                        files.map(|file| IndexFile { file, signed: Some(Arc::clone(&proof)) }).collect::<Vec<_>>(),
                    );
                }
                PageLookUp::Absent(epoch_info) => self.note_absence(project, index, &epoch_info),
            }
        }
        if let [first, later @ ..] = having.as_slice() {
            self.note_hidden(project, first, indexes);
            if threshold == 1 {
                self.note_outranked(project, first, later);
            }
        }
        if threshold > 1 && !offers.is_empty() {
            let agreed = agreed(offers, threshold);
            if agreed.is_empty() {
                self.note_disagreement(project, threshold);
            }
            return Ok(Some(agreed));
        }
        Ok(offers.into_iter().next())
    }

    /// The files of all unsigned indexes together, as in pip. A project that the user allows to be unsigned is
    /// also looked for in the unsigned pages of signed indexes.
    async fn of_unsigned(
        &self,
        indexes: &[&ConfiguredIndex],
        project: &PackageName,
    ) -> Result<Option<Vec<IndexFile>>, Failure> {
        if !self.trust.may_search_unsigned(project) {
            let reason = format!("{project} has to be signed (--require-signed)");
            self.notes.add_not_asked(project, &reason, unsigned_urls(indexes));
            return Ok(None);
        }
        let may_be_unsigned = self.trust.is_unsigned_allowed(project);
        let may_ask_signed =
            |index: &ConfiguredIndex| may_be_unsigned && is_secure_origin(&index.url, &self.pages, &*self.reporter);
        let asked = indexes.iter().filter(|index| index.trusted.is_none() || may_ask_signed(index));
        let pages = asked.map(|index| self.unsigned_page(&index.url, project));
        let mut files = Vec::new();
        let mut is_known = false;
        for page in futures_util::future::join_all(pages).await {
            let Some(page) = page? else { continue };
            is_known = true;
            files.extend(page.files.into_iter().map(IndexFile::unsigned));
        }
        if is_known && may_be_unsigned {
            self.reporter.warning(
                WarningCode::Unsigned,
                format!("{project} is taken from where it is not signed, as --allow-unsigned says."),
            );
        }
        Ok(is_known.then_some(files))
    }

    async fn unsigned_page(&self, url: &Url, project: &PackageName) -> Result<Option<ProjectPage>, Failure> {
        match local_path(url) {
            Some(path) => file_page(&path.join(project.as_ref()), project).map(Some),
            None => {
                let page = self.pages.project(url, project).await?;
                Ok(page.map(|page| self.without_insecure_links(page)))
            }
        }
    }

    /// A page from a server without its links to plain http on machines that the user did not name: anybody on the way there
    /// could change the files.
    fn without_insecure_links(&self, mut page: ProjectPage) -> ProjectPage {
        // By host and port as they are written: a large page has many links to few hosts, and to parse each takes long.
        let mut known: HashMap<String, bool> = HashMap::new();
        let mut warned: HashSet<String> = HashSet::new();
        page.files.retain(|file| {
            let Some(rest) = file.raw_url.strip_prefix("http:") else { return true };
            let authority =
                rest.trim_start_matches(['/', '\\']).split(['/', '\\', '?', '#']).next().unwrap_or_default();
            if let Some(is_secure) = known.get(authority) {
                return *is_secure;
            }
            // What is no URL is not fetched either.
            let is_secure = file.url().map_or(true, |url| {
                let is_secure = self.pages.is_secure_origin(&url);
                if !is_secure && warned.insert(url.host_str().unwrap_or_default().to_owned()) {
                    is_secure_origin(&url, &self.pages, &*self.reporter);
                }
                is_secure
            });
            known.insert(authority.to_owned(), is_secure);
            is_secure
        });
        page
    }

    fn note_absence(&self, project: &PackageName, index: &TrustedIndex, epoch_info: &EpochInfo) {
        let note = format!(
            "{project} is not in the signed snapshot {} of {} ({}). If it was published in the last minutes, try again soon.",
            epoch_info.snapshot,
            index.display_url(),
            epoch_info.age()
        );
        self.notes.add(project, note, Vec::new());
    }

    fn note_disagreement(&self, project: &PackageName, threshold: usize) {
        let note = format!("{}, and no file is signed so.", threshold_text(project, threshold));
        self.notes.add(project, note, Vec::new());
    }

    fn note_missing_roots(&self, project: &PackageName, threshold: usize, indexes: &[&ConfiguredIndex]) {
        let unsigned = unsigned_urls(indexes);
        let has = if unsigned.len() == 1 { "has no trusted root" } else { "have no trusted roots" };
        let note = format!("{}, and {} {has}.", threshold_text(project, threshold), unsigned.join(", "));
        self.notes.add(project, note, Vec::new());
    }

    /// The map ended the search before every source was asked.
    fn note_mapping(&self, project: &PackageName, mapping: &Mapping) {
        let left_out = |index: &&ConfiguredIndex| !mapping.indexes.contains(&IndexIdentity::of(&index.url));
        let left_out: Vec<String> =
            self.indexes.iter().filter(left_out).map(|index| printable::redacted_url(&index.url)).collect();
        if left_out.is_empty() && self.remote_links().next().is_none() {
            return;
        }
        let note = format!("map.json sends {project} to {} only", named_indexes(mapping));
        self.notes.add(project, note, left_out);
    }

    /// What a signed index has is neither looked for in unsigned ones nor on pages of links on servers.
    fn note_hidden(&self, project: &PackageName, having: &TrustedIndex, indexes: &[&ConfiguredIndex]) {
        let reason = format!("{project} is in the signed index {}", having.display_url());
        let places = unsigned_urls(indexes).into_iter().chain(self.remote_links());
        self.notes.add_not_asked(project, &reason, places.collect());
    }

    /// Of several signed indexes that have a project only the first counts.
    fn note_outranked(&self, project: &PackageName, first: &TrustedIndex, later: &[&TrustedIndex]) {
        if !later.is_empty() {
            let later: Vec<String> = later.iter().map(|index| index.display_url()).collect();
            let (first, later) = (first.display_url(), later.join(", "));
            let note =
                format!("{project} is taken from the signed index {first}, which comes first, and not from {later}");
            self.notes.add(project, note, Vec::new());
        }
    }

    /// The places of `--find-links` on servers, without secrets.
    fn remote_links(&self) -> impl Iterator<Item = String> {
        self.links.iter().filter(|place| !place.is_local()).filter_map(|place| match place {
            FindLinksLocation::Page(url, _) | FindLinksLocation::Distribution(url) => {
                Some(printable::redacted_url(url))
            }
            FindLinksLocation::Directory(..) | FindLinksLocation::File(_) => None,
        })
    }

    async fn linked(&self, place: &FindLinksLocation, project: &PackageName) -> Result<ProjectPage, Failure> {
        match place {
            FindLinksLocation::Distribution(url) => Ok(page_of_links(&[url.to_string()], url, project)),
            FindLinksLocation::File(path) => file_page(path, project),
            FindLinksLocation::Page(url, page) => match page.get_or_try_init(|| self.pages.links(url)).await? {
                Some(fetched) => Ok(self.without_insecure_links(page_fetcher::parse(fetched, project)?)),
                None => Ok(ProjectPage::default()),
            },
            FindLinksLocation::Directory(directory, listing) => {
                let listing = match listing.get() {
                    Some(listing) => listing,
                    None => {
                        let found = list_directory(directory)?;
                        listing.get_or_init(|| found)
                    }
                };
                let base = Url::from_directory_path(directory).ok();
                let mut page = base.map(|base| page_of_links(&listing.links, &base, project)).unwrap_or_default();
                for path in &listing.pages {
                    page.files.extend(file_page(path, project)?.files);
                }
                Ok(page)
            }
        }
    }
}

impl FindLinksLocation {
    /// Where it is.
    fn url(&self) -> Option<Url> {
        match self {
            Self::Directory(path, _) => Url::from_directory_path(path).ok(),
            Self::File(path) => Url::from_file_path(path).ok(),
            Self::Page(url, _) | Self::Distribution(url) => Some(url.clone()),
        }
    }

    /// Whether it is on this machine, out of the reach of servers. Its pages may link to other places.
    fn is_local(&self) -> bool {
        match self {
            Self::Directory(..) | Self::File(_) => true,
            Self::Distribution(url) => url.scheme() == "file",
            Self::Page(..) => false,
        }
    }
}

/// The indexes of a mapping by name and URL, without secrets.
fn named_indexes(mapping: &Mapping) -> String {
    let named = mapping.names.iter().zip(&mapping.indexes);
    let named = named.map(|(name, identity)| format!("'{name}' ({})", printable::redacted_url(identity.url())));
    named.collect::<Vec<_>>().join(", ")
}

/// Those of them that nothing verifies, without secrets.
fn unsigned_urls(indexes: &[&ConfiguredIndex]) -> Vec<String> {
    indexes.iter().filter(|index| index.trusted.is_none()).map(|index| printable::redacted_url(&index.url)).collect()
}

fn threshold_text(project: &PackageName, threshold: usize) -> String {
    format!("map.json demands that {threshold} indexes sign the same file of {project}")
}

/// The files of the first offer that at least `threshold` offers have with the same name, length and SHA-256.
fn agreed(offers: Vec<Vec<IndexFile>>, threshold: usize) -> Vec<IndexFile> {
    let key = |listed: &IndexFile| {
        let sha256 = listed.hashes.get(packaging::HashAlgorithm::Sha256)?.to_ascii_lowercase();
        Some((listed.filename().to_owned(), listed.size?, sha256))
    };
    let mut votes: HashMap<_, (usize, IndexFile)> = HashMap::new();
    for offer in offers {
        // An index has one vote on a file, however often its page lists it.
        let ballot: HashMap<_, IndexFile> =
            offer.into_iter().filter_map(|listed| Some((key(&listed)?, listed))).collect();
        for (key, listed) in ballot {
            votes.entry(key).or_insert((0, listed)).0 += 1;
        }
    }
    let mut agreed: Vec<IndexFile> =
        votes.into_values().filter(|(count, _)| *count >= threshold).map(|(_, listed)| listed).collect();
    agreed.sort_by(|left, right| left.filename().cmp(right.filename()));
    agreed
}

/// pip's rule and message for insecure origins: content fetched over plain HTTP from another host may have been
/// altered.
fn is_secure_origin(url: &Url, pages: &PageFetcher, reporter: &dyn Reporter) -> bool {
    let believed = pages.is_secure_origin(url);
    if !believed {
        let host = url.host_str().unwrap_or_default();
        reporter.warning(WarningCode::InsecureHost, format!(
            "The repository located at {host} is not a trusted or secure host and is being ignored. If this repository is \
             available via HTTPS we recommend you use HTTPS instead, otherwise you may silence this warning and allow it \
             anyway with '--trusted-host {host}'."
        ));
    }
    believed
}

fn find_links_location(text: &str) -> Option<FindLinksLocation> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https" | "file"));
    let path = match &url {
        Some(url) => local_path(url),
        None => std::path::absolute(text).ok(),
    };
    match (path, url) {
        (Some(path), _) if path.is_dir() => Some(FindLinksLocation::Directory(path, OnceLock::new())),
        (Some(path), _) if !path.is_file() => None,
        (Some(path), _) if is_distribution(&path.to_string_lossy()) => {
            Url::from_file_path(&path).ok().map(FindLinksLocation::Distribution)
        }
        (Some(path), _) => Some(FindLinksLocation::File(path)),
        (None, Some(url)) if is_distribution(url.path()) => Some(FindLinksLocation::Distribution(url)),
        (None, Some(url)) => Some(FindLinksLocation::Page(url, Box::default())),
        (None, None) => None,
    }
}

/// The distributions lying in a directory, and the pages of links in it.
fn list_directory(directory: &Path) -> Result<DirectoryListing, Failure> {
    let unreadable = |error: std::io::Error| {
        let message = format!("Could not read the directory {}: {error}", directory.display());
        Failure::new(Code::FileUnreadable, message).caused_by(error)
    };
    let mut listing = DirectoryListing::default();
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if is_distribution(&name) {
            listing.links.extend(Url::from_file_path(&path).map(String::from));
        } else if name.ends_with(".html") {
            listing.pages.push(path);
        }
    }
    listing.links.sort();
    listing.pages.sort();
    Ok(listing)
}

/// A page of links on the disk; in a directory it is `index.html`. A missing page lists nothing.
fn file_page(path: &Path, project: &PackageName) -> Result<ProjectPage, Failure> {
    let path = if path.is_dir() { path.join("index.html") } else { path.to_owned() };
    let (Ok(bytes), Ok(url)) = (std::fs::read(&path), Url::from_file_path(&path)) else {
        return Ok(ProjectPage::default());
    };
    ProjectPage::from_html(&bytes, &url, project).map_err(|error| {
        Failure::new(Code::IndexPage, format!("Could not read the page {}: {error}", path.display())).caused_by(error)
    })
}

/// A page made of bare links, so that the same rules apply to them as to links on a page.
fn page_of_links(links: &[String], base: &Url, project: &PackageName) -> ProjectPage {
    let html: String = links.iter().map(|link| format!("<a href=\"{}\"></a>", link.replace('"', "%22"))).collect();
    ProjectPage::from_html(html.as_bytes(), base, project).unwrap_or_default()
}

fn is_distribution(name: &str) -> bool {
    name.ends_with(".whl") || packaging::SourceFormat::split(name).is_some()
}

/// The file name that a link to a distribution ends in, if it does.
pub fn linked_filename(url: &Url) -> Option<String> {
    let last = url.path_segments()?.next_back()?;
    let name = percent_encoding::percent_decode_str(last).decode_utf8().ok()?.into_owned();
    is_distribution(&name).then_some(name)
}

/// Reads the file name of a distribution whose project is not known.
pub fn parse_filename(name: &str) -> Option<DistributionFilename> {
    if name.ends_with(".whl") {
        return name.parse().ok().map(DistributionFilename::Wheel);
    }
    packaging::SourceDistributionFilename::guess(name).ok().map(DistributionFilename::SourceDistribution)
}
