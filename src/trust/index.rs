//! A signed index: project pages and distributions, each verified against one snapshot before anybody sees a byte.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex as SyncMutex, PoisonError};
use std::time::Duration;

use packaging::{CoreMetadataFile, File, HashAlgorithm, PackageName, ProjectPage};
use tokio::sync::Mutex;
use tuf::{Check, Doubt, Hashes, Link, LookUp, Mode, Size, Target};
use url::Url;

use super::anchor::Anchor;
use super::content::{Content, Wanted};
use super::epoch::{Epoch, Facts};
use super::layout::{DistributionTrust, Layout, LayoutError, PageFormat, PageTarget, Places};
use super::refusal;
use super::remote::Remote;
use super::signed_file::{PageProof, SignedFile};
use super::store::Store;
use crate::failure::{Failure, Kind};
use crate::net::{Client, redacted};
use crate::terminal::{Terminal, printable};

/// The most snapshots that one command goes through when a repository takes old files away meanwhile.
const MOST_EPOCHS: u32 = 3;
/// How long to wait for a repository that lacks a file it has signed.
const PATIENCE: Duration = Duration::from_secs(2);
/// The most bytes of a metadata file whose length nobody signed.
const METADATA_SIZE: u64 = 8 << 20;

/// A failure with this code means that all that was read from the index has to be read again.
pub const MOVED: &str = "trust.snapshot-moved";

/// An index with an anchor.
pub struct TrustedIndex {
    anchor: Anchor,
    settings: EpochSettings,
    content: Content,
    epoch: Mutex<Current>,
    /// What look-ups found so far, by target path: another snapshot may not say otherwise.
    told: SyncMutex<BTreeMap<String, Option<Hashes>>>,
}

/// The code of a failure to prove that something is not signed.
const IN_DOUBT: &str = "verify.absence-in-doubt";

/// What each epoch of the index begins with.
pub struct EpochSettings {
    /// The network.
    pub client: Arc<Client>,
    /// For warnings.
    pub terminal: Arc<Terminal>,
    /// Where the user's own memory of the index is.
    pub store: Option<std::path::PathBuf>,
    /// The cache.
    pub cache: std::path::PathBuf,
    /// Whether servers are asked.
    pub mode: Mode,
    /// How long ago metadata may have expired.
    pub allow_expired: Duration,
}

#[derive(Clone)]
struct Current {
    number: u32,
    epoch: Arc<Epoch>,
}

/// What a signed index says of a project.
#[derive(Debug)]
pub enum SignedPage {
    /// This is its page.
    Found(ProjectPage, Arc<PageProof>),
    /// The index vouches for not having it, as of these facts.
    Absent(Arc<Facts>),
}

impl TrustedIndex {
    /// Begins to update its metadata; does not wait for it.
    ///
    /// # Errors
    /// When the anchor cannot be used.
    pub fn open(anchor: Anchor, settings: EpochSettings) -> Result<Self, Failure> {
        let content = Content::new(Arc::clone(&settings.client), settings.cache.join("content"));
        let epoch = Arc::new(start(&anchor, &settings)?);
        let epoch = Mutex::new(Current { number: 1, epoch });
        Ok(Self { anchor, settings, content, epoch, told: SyncMutex::default() })
    }

    /// What trust in it begins with.
    pub fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    /// The index's URL, for messages.
    pub fn shown(&self) -> String {
        redacted(self.anchor.identity.url())
    }

    /// The verified snapshot that the command sees.
    ///
    /// # Errors
    /// When the metadata is refused.
    pub async fn facts(&self) -> Result<Arc<Facts>, Failure> {
        Ok(self.current().await?.1)
    }

    /// The page of a project, verified.
    ///
    /// # Errors
    /// When metadata or page are refused, or cannot be had.
    pub async fn page(self: &Arc<Self>, project: &PackageName) -> Result<SignedPage, Failure> {
        loop {
            let (current, facts) = self.current().await?;
            let layout = self.layout(&facts)?;
            let mut found = None;
            for page in layout.pages(project) {
                if let Some(target) = self.look_up(&page.path).await? {
                    found = Some((page, target));
                    break;
                }
            }
            let Some((page, target)) = found else { return Ok(SignedPage::Absent(facts)) };
            let urls = self.urls(&page, &target)?;
            let what = format!("the page of {project}");
            let signer = signer(self, &target, &facts);
            let wanted = Wanted {
                what: &what,
                urls: &urls,
                accept: page.accept,
                size: Size::Exactly(target.length),
                hashes: &target.hashes,
                signer: &signer,
                code: "verify.page",
            };
            let Some(bytes) = self.content.get(&wanted).await? else {
                let missing = urls.first().map(redacted).unwrap_or_default();
                self.renew(current.number, &missing).await?;
                continue;
            };
            let proof = PageProof { index: Arc::clone(self), project: project.clone(), target, facts, layout };
            return Ok(SignedPage::Found(self.parse(&page, &bytes, project)?, Arc::new(proof)));
        }
    }

    /// What is signed about a file on a verified page; `Err(reason)` if it is not signed, or not well enough.
    ///
    /// # Errors
    /// When metadata is refused, or page and target contradict each other.
    pub async fn file(
        self: &Arc<Self>,
        proof: &Arc<PageProof>,
        file: &File,
    ) -> Result<Result<SignedFile, String>, Failure> {
        let link = match file.url() {
            Ok(url) => url,
            Err(error) => return Ok(Err(format!("its link is unusable: {error}"))),
        };
        let url = self.rewritten(&link)?;
        let of_page = page_hashes(file);
        let mut signed = SignedFile {
            url,
            page: Arc::clone(proof),
            target: None,
            size: file.size.map_or(Size::AtMost(crate::net::MAXIMUM_SIZE), Size::Exactly),
            hashes: of_page.clone(),
        };
        let trust = proof.layout.trust();
        if trust != DistributionTrust::Target && of_page.get(tuf::HashAlgorithm::Sha256).is_none() {
            return Ok(Err("the signed page has no SHA-256 for it".to_owned()));
        }
        if trust == DistributionTrust::Page {
            return Ok(Ok(signed));
        }
        let path = match proof.layout.distribution(&proof.project, file.filename(), &link) {
            Ok(Some(path)) => path,
            Ok(None) => return Ok(Err("its link fits no target of the index's layout".to_owned())),
            Err(error) => return Ok(Err(printable(&error.to_string()))),
        };
        let Some(target) = self.look_up(&path).await? else {
            let snapshot = proof.facts.snapshot;
            return Ok(Err(format!(
                "it is listed but not signed (yet) in snapshot {snapshot}; if it was published in the last minutes, try again soon"
            )));
        };
        if let Some(difference) = disagreement(file, &target) {
            return Err(self.disagree(file.filename(), &difference));
        }
        signed.size = Size::Exactly(target.length);
        signed.hashes = target.hashes.clone();
        signed.target = Some(target);
        Ok(Ok(signed))
    }

    /// The verified metadata file (PEP 658) of a signed file; `None` when the index signs none, or does not have it.
    ///
    /// # Errors
    /// When it is something else than what is signed.
    pub async fn metadata(self: &Arc<Self>, signed: &SignedFile, file: &File) -> Result<Option<Vec<u8>>, Failure> {
        let Some(url) = metadata_url(&signed.url) else { return Ok(None) };
        let of_page = match &file.core_metadata {
            CoreMetadataFile::Available { sha256: Some(sha256) } => Some(sha256.as_str()),
            _ => None,
        };
        let (size, hashes) = match &signed.target {
            Some(distribution) => {
                let Some(path) = signed.page.layout.metadata(&distribution.path) else { return Ok(None) };
                let target = match self.look_up(&path).await {
                    Ok(Some(target)) => target,
                    Ok(None) => return Ok(None),
                    // The wheel has its metadata, too, and is signed for certain.
                    Err(failure) if failure.code == IN_DOUBT => return Ok(None),
                    Err(failure) => return Err(failure),
                };
                let of_target = target.hashes.get(tuf::HashAlgorithm::Sha256);
                if let (Some(page), Some(target)) = (of_page, &of_target)
                    && !page.eq_ignore_ascii_case(target)
                {
                    let difference = format!("page: sha256 {page}\ntarget: sha256 {target}");
                    return Err(self.disagree(&format!("{}.metadata", file.filename()), &difference));
                }
                (Size::Exactly(target.length), target.hashes)
            }
            None => match of_page {
                Some(sha256) => {
                    let hashes = [("sha256".to_owned(), sha256.to_owned())].into_iter().collect();
                    (Size::AtMost(METADATA_SIZE), hashes)
                }
                None => return Ok(None),
            },
        };
        let what = format!("the metadata of {}", file.filename());
        let signer = signed.signer();
        let urls = [url];
        let wanted = Wanted {
            what: &what,
            urls: &urls,
            accept: None,
            size,
            hashes: &hashes,
            signer: &signer,
            code: "verify.metadata",
        };
        self.content.get(&wanted).await
    }

    /// The roles and keys that a target rests on; `None` when the index has gone on to another snapshot meanwhile.
    pub async fn chain(&self, target: &Target) -> Option<Vec<Link>> {
        let epoch = Arc::clone(&self.epoch.lock().await.epoch);
        epoch.chain(target).await
    }

    /// Looks a target up in the snapshot of the command.
    async fn look_up(&self, path: &str) -> Result<Option<Target>, Failure> {
        loop {
            let (current, _) = self.current().await?;
            let target = match current.epoch.look_up(path).await {
                Ok(LookUp::Found(target)) => Some(target),
                Ok(LookUp::NotFound { doubt: None, .. }) => None,
                Ok(LookUp::NotFound { doubt: Some(doubt), .. }) => return Err(self.in_doubt(path, &doubt)),
                Err(error) if is_gone(&error) => {
                    self.renew(current.number, &printable(error.expected())).await?;
                    continue;
                }
                Err(error) => return Err(refusal::of_metadata(&self.anchor, &error, current.epoch.now())),
            };
            let hashes = target.as_ref().map(|target| target.hashes.clone());
            self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), hashes);
            return Ok(target);
        }
    }

    /// The epoch, verified.
    async fn current(&self) -> Result<(Current, Arc<Facts>), Failure> {
        loop {
            let current = self.epoch.lock().await.clone();
            match current.epoch.facts().await {
                Ok(facts) => return Ok((current, facts)),
                Err(error) if is_gone(&error) => self.renew(current.number, &printable(error.expected())).await?,
                Err(error) => return Err(refusal::of_metadata(&self.anchor, &error, current.epoch.now())),
            }
        }
    }

    /// A signed file is not there (any more): goes on with a newer snapshot, if there is one and what was told so far is
    /// true in it, too.
    async fn renew(&self, number: u32, missing: &str) -> Result<(), Failure> {
        let mut current = self.epoch.lock().await;
        if current.number != number {
            return Ok(());
        }
        let before = current.epoch.facts_so_far().map(|facts| facts.timestamp);
        for attempt in 0..2 {
            if number >= MOST_EPOCHS {
                break;
            }
            if attempt > 0 {
                tokio::time::sleep(PATIENCE).await;
            }
            let epoch = Arc::new(start(&self.anchor, &self.settings)?);
            let facts = match epoch.facts().await {
                Ok(facts) => facts,
                Err(error) if is_gone(&error) => continue,
                Err(error) => return Err(refusal::of_metadata(&self.anchor, &error, epoch.now())),
            };
            if before.is_some_and(|before| facts.timestamp <= before) {
                continue;
            }
            self.settings.terminal.verbose(1, || {
                format!("{}: {missing} is gone; going on with snapshot {}", self.shown(), facts.snapshot)
            });
            let moved = self.says_otherwise(&epoch).await?;
            *current = Current { number: number + 1, epoch };
            return if moved { Err(self.moved()) } else { Ok(()) };
        }
        Err(self.incomplete(missing))
    }

    /// Whether another epoch contradicts what was told; if so, that is forgotten.
    async fn says_otherwise(&self, epoch: &Epoch) -> Result<bool, Failure> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (path, before) in told {
            let now = match epoch.look_up(&path).await {
                Ok(LookUp::Found(target)) => Some(target.hashes),
                Ok(LookUp::NotFound { .. }) => None,
                Err(error) => return Err(refusal::of_metadata(&self.anchor, &error, epoch.now())),
            };
            if now != before {
                self.told.lock().unwrap_or_else(PoisonError::into_inner).clear();
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn layout(&self, facts: &Facts) -> Result<Arc<Layout>, Failure> {
        if let Some(layout) = &self.anchor.layout {
            return Ok(Arc::clone(layout));
        }
        match &facts.in_band_layout {
            Ok(Some(layout)) => Ok(Arc::clone(layout)),
            Ok(None) => Err(Failure::new(
                Kind::Error,
                "trust.layout-missing",
                format!("{} is signed, but nothing says how its signed files are named", self.shown()),
            )
            .hint(format!(
                "say it with tufpip trust add … --layout NAME, where NAME is one of {}, or a file",
                Layout::presets().collect::<Vec<_>>().join(", ")
            ))),
            Err(error) => Err(self.bad_layout(error)),
        }
    }

    /// Where a page may be, at the index first, then at its mirrors.
    fn urls(&self, page: &PageTarget, target: &Target) -> Result<Vec<Url>, Failure> {
        let mut urls = Vec::new();
        for (index, metadata) in &places(&self.anchor) {
            let of_place = page.urls(&Places { index, metadata }, &target.hashes);
            urls.extend(of_place.map_err(|error| self.bad_layout(&error))?);
        }
        Ok(urls)
    }

    /// What kind of page it is says the layout; what the server calls it does not count. Links are relative to where pip
    /// would have found it.
    fn parse(&self, page: &PageTarget, bytes: &[u8], project: &PackageName) -> Result<ProjectPage, Failure> {
        let mut base = self.anchor.identity.url().clone();
        if let Ok(mut segments) = base.path_segments_mut() {
            segments.pop_if_empty().extend([project.as_ref(), ""]);
        }
        let parsed = match page.format {
            PageFormat::Json => ProjectPage::from_json(bytes, &base, project),
            PageFormat::Html => ProjectPage::from_html(bytes, &base, project),
        };
        parsed.map_err(|error| {
            let message = format!("Could not read the signed page of {project} from {}: {error}", self.shown());
            Failure::new(Kind::Error, "index.page", printable(&message)).hint("tell the operator of the index")
        })
    }

    fn rewritten(&self, link: &Url) -> Result<Url, Failure> {
        for rule in &self.anchor.rewrites {
            if let Some(rest) = link.as_str().strip_prefix(&rule.from) {
                return format!("{}{rest}", rule.to).parse().map_err(|error| {
                    Failure::usage(format!("rewriting {} as configured gives no URL: {error}", redacted(link)))
                });
            }
        }
        Ok(link.clone())
    }

    fn bad_layout(&self, error: &LayoutError) -> Failure {
        let message = format!("The layout of {} cannot be used: {error}", self.shown());
        Failure::new(Kind::Error, "trust.layout", printable(&message))
            .hint("give the right one with tufpip trust add … --layout, or tell the operator of the index")
    }

    fn disagree(&self, filename: &str, difference: &str) -> Failure {
        let message = format!("Refused {}: the signed page and the signed target of it differ", printable(filename));
        Failure::new(Kind::Verification, "verify.page-target-disagree", message)
            .detail("from", self.shown())
            .detail("received", difference)
            .detail("meaning", format!("the index contradicts itself; {}", refusal::NOTHING_USED))
            .hint("tell the operator of the index")
    }

    fn in_doubt(&self, path: &str, doubt: &Doubt) -> Failure {
        let why = match doubt {
            Doubt::Bin(role) => format!("the file of {} may be another bin's", printable(role.as_str())),
            _ => "more roles may speak of it than are asked".to_owned(),
        };
        Failure::new(
            Kind::Verification,
            IN_DOUBT,
            format!("{} does not prove that it has no {}", self.shown(), printable(path)),
        )
        .detail("received", why)
        .detail("meaning", "somebody on the network may be hiding it; nothing was taken from elsewhere instead")
        .hint("try from another network; the operator of the index can end this by signing the hashes of bins in the snapshot")
    }

    fn incomplete(&self, missing: &str) -> Failure {
        Failure::new(Kind::Expired, "trust.withheld", format!("{} lacks a file that it has signed", self.shown()))
            .detail("missing", missing)
            .detail(
                "meaning",
                "somebody removes or withholds files, or the index is being published; nothing was installed",
            )
            .hint("try again in a moment or from another network; if it stays so, tell the operator of the index")
    }

    fn moved(&self) -> Failure {
        Failure::new(Kind::Expired, MOVED, format!("{} was changed while it was read", self.shown()))
            .detail("meaning", "what was chosen is no longer what the index signs; nothing was installed")
            .hint("run the command again")
    }
}

impl std::fmt::Debug for TrustedIndex {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "TrustedIndex({})", self.shown())
    }
}

fn start(anchor: &Anchor, settings: &EpochSettings) -> Result<Epoch, Failure> {
    let name = anchor.identity.directory_name();
    let directory = settings.store.as_ref().map(|store| store.join(&name));
    let store = Store::new(directory, settings.cache.join("tuf").join(&name).join("roles"));
    let places = places(anchor).into_iter().map(|(_, metadata)| metadata).collect();
    let remote = Arc::new(Remote::new(Arc::clone(&settings.client), places));
    let limits = tuf::Limits { expired_for: settings.allow_expired.as_secs(), ..tuf::Limits::default() };
    let name = redacted(anchor.identity.url());
    Epoch::start(name, &anchor.root, settings.mode, limits, store, remote, Arc::clone(&settings.terminal))
        .map_err(|error| refusal::of_metadata(anchor, &error, super::epoch::unix_now()))
}

/// Index and metadata URL of the index and of its mirrors, which have the metadata where the index has it, seen from the
/// pages.
fn places(anchor: &Anchor) -> Vec<(Url, Url)> {
    let relative = anchor.identity.url().make_relative(&anchor.metadata_url);
    let of_mirrors = anchor.mirrors.iter().filter_map(|mirror| {
        let metadata = mirror.join(relative.as_deref()?).ok()?;
        Some((mirror.clone(), metadata))
    });
    std::iter::once((anchor.identity.url().clone(), anchor.metadata_url.clone())).chain(of_mirrors).collect()
}

/// Whether the repository lacks a file that belongs to a snapshot it has signed.
fn is_gone(error: &tuf::Error) -> bool {
    error.check() == Check::Present && error.role().as_str() != "timestamp"
}

/// The hashes of a page that prove anything.
fn page_hashes(file: &File) -> Hashes {
    let strong = |algorithm: &HashAlgorithm| {
        matches!(algorithm, HashAlgorithm::Sha256 | HashAlgorithm::Sha384 | HashAlgorithm::Sha512)
    };
    let given = file.hashes.iter().filter(|(algorithm, _)| strong(algorithm));
    given.map(|(algorithm, hex)| (algorithm.name().to_owned(), hex.to_owned())).collect()
}

/// What page and target say differently of a file.
fn disagreement(file: &File, target: &Target) -> Option<String> {
    if let Some(size) = file.size
        && size != target.length
    {
        return Some(format!("page: {size} bytes\ntarget: {} bytes", target.length));
    }
    target.hashes.known().find_map(|(algorithm, hex)| {
        let of_page = file.hashes.get(HashAlgorithm::from_name(algorithm.name())?)?;
        let differs = !of_page.eq_ignore_ascii_case(hex);
        differs.then(|| printable(&format!("page: {0} {of_page}\ntarget: {0} {hex}", algorithm.name())))
    })
}

fn metadata_url(url: &Url) -> Option<Url> {
    let mut url = url.clone();
    let path = format!("{}.metadata", url.path());
    url.set_path(&path);
    Path::new(url.path()).file_name()?;
    Some(url)
}

/// Who signed a target, for people.
pub(super) fn signer(index: &TrustedIndex, target: &Target, facts: &Facts) -> String {
    let roles: Vec<&str> = target.roles.iter().map(tuf::metadata::RoleName::as_str).collect();
    format!("{}, snapshot {}, {}", index.shown(), facts.snapshot, roles.join(" → "))
}
