//! A signed index: project pages and distributions, each verified against one snapshot before any byte is used.

use std::sync::Arc;

use packaging::{CoreMetadataFile, HashAlgorithm, PackageName, ProjectFile, ProjectPage};
use serde_json::Value;
use tuf::{ChainLink, Hashes, Size, Target};
use url::Url;

use super::anchor::TrustAnchor;
use super::command_snapshot::{CommandSnapshot, EpochOptions, LookUpResult, mirror_urls};
use super::epoch::EpochInfo;
use super::index_identity::page_url;
use super::layout::{DistributionTrust, IndexUrls, Layout, LayoutError, PageFormat, PageTarget};
use super::refusal;
use super::signed_content::{ContentRequest, SignedContentCache};
use super::signed_file::{PageProof, SignedFile};
use crate::error::{Code, Failure};
use crate::net::MAXIMUM_DISTRIBUTION_SIZE;

/// The most bytes of a metadata file whose length is not signed.
const METADATA_SIZE: u64 = 8 << 20;

/// An index with an anchor.
pub struct TrustedIndex {
    snapshot: CommandSnapshot,
    signed_content: SignedContentCache,
}

/// The signed answer of an index about a project.
#[derive(Debug)]
pub enum PageLookUp {
    /// This is its page.
    Found(ProjectPage, Arc<PageProof>),
    /// The index proves that it does not have the project, in this epoch.
    Absent(Arc<EpochInfo>),
}

impl TrustedIndex {
    /// Begins to update its metadata; does not wait for it.
    ///
    /// # Errors
    /// When the anchor cannot be used.
    pub fn open(anchor: TrustAnchor, settings: EpochOptions) -> Result<Self, Failure> {
        let rewritten = anchor.rewrites.iter().filter_map(|rule| rule.to.parse().ok());
        let places = mirror_urls(&anchor).into_iter().flat_map(|(index, metadata)| [index, metadata]);
        settings.client.add_origins_of(places.chain(rewritten));
        let signed_content = SignedContentCache::new(Arc::clone(&settings.client), settings.cache.join("content"));
        Ok(Self { snapshot: CommandSnapshot::open(anchor, settings)?, signed_content })
    }

    /// Its trust anchor.
    pub fn anchor(&self) -> &TrustAnchor {
        self.snapshot.anchor()
    }

    /// The index's URL, for messages.
    pub fn display_url(&self) -> String {
        self.snapshot.display_url()
    }

    /// The verified snapshot that the command sees.
    ///
    /// # Errors
    /// When the metadata is refused.
    pub async fn epoch_info(&self) -> Result<Arc<EpochInfo>, Failure> {
        self.snapshot.epoch_info().await
    }

    /// The snapshot that the command sees, for its report; `None` if nothing of the index was needed.
    pub async fn to_json(&self) -> Option<Value> {
        self.snapshot.to_json().await
    }

    /// The roles and keys that a target rests on; `None` when the index has gone on to another snapshot meanwhile.
    ///
    /// # Errors
    /// When the verifier has stopped.
    pub async fn chain(&self, target: &Target) -> Result<Option<Vec<ChainLink>>, Failure> {
        self.snapshot.chain(target).await
    }

    /// The page of a project, verified.
    ///
    /// # Errors
    /// When metadata or page are refused, or cannot be had.
    pub async fn page(self: &Arc<Self>, project: &PackageName) -> Result<PageLookUp, Failure> {
        loop {
            let mut epoch_info = self.epoch_info().await?;
            let layout = self.layout(&epoch_info)?;
            let mut found = None;
            for page in layout.pages(project) {
                let looked_up = self.snapshot.look_up(&page.path).await?;
                epoch_info = looked_up.epoch_info;
                if let Some(target) = looked_up.target {
                    found = Some((page, target, looked_up.epoch));
                    break;
                }
            }
            let Some((page, target, epoch)) = found else { return Ok(PageLookUp::Absent(epoch_info)) };
            let urls = self.urls(&page, &target)?;
            let what = format!("the page of {project}");
            let signer = signer(self, &target, &epoch_info);
            let wanted = ContentRequest {
                what: &what,
                urls: &urls,
                accept: page.accept,
                size: Size::Exactly(target.length),
                hashes: &target.hashes,
                signer: &signer,
                code: Code::VerifyPage,
            };
            let Some(bytes) = self.signed_content.get(&wanted).await? else {
                let missing = urls.first().map(printable::redacted_url).unwrap_or_default();
                self.snapshot.renew(epoch, &missing).await?;
                continue;
            };
            let proof = PageProof { index: Arc::clone(self), project: project.clone(), target, epoch_info, layout };
            return Ok(PageLookUp::Found(self.parse(&page, &bytes, project)?, Arc::new(proof)));
        }
    }

    /// What is signed about a file on a verified page; `Err(reason)` if it is not signed, or not well enough.
    ///
    /// # Errors
    /// When metadata is refused, or page and target contradict each other.
    pub async fn file(
        self: &Arc<Self>,
        proof: &Arc<PageProof>,
        file: &ProjectFile,
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
            size: file.size.map_or(Size::AtMost(MAXIMUM_DISTRIBUTION_SIZE), Size::Exactly),
            hashes: of_page.clone(),
        };
        let trust = proof.layout.trust();
        if trust != DistributionTrust::Target && of_page.known().next().is_none() {
            return Ok(Err("the signed page has no SHA-256 or better hash for it".to_owned()));
        }
        if trust == DistributionTrust::Page {
            return Ok(Ok(signed));
        }
        let path = match proof.layout.distribution(&proof.project, file.filename(), &link) {
            Ok(Some(path)) => path,
            Ok(None) => return Ok(Err("its link fits no target of the index's layout".to_owned())),
            Err(error) => return Ok(Err(printable::line(&error.to_string()))),
        };
        let LookUpResult { target, epoch_info, .. } = self.snapshot.look_up(&path).await?;
        let Some(target) = target else {
            let snapshot = epoch_info.snapshot;
            return Ok(Err(format!(
                "it is listed but not signed (yet) in snapshot {snapshot}; if it was published in the last minutes, try again soon"
            )));
        };
        if let Some(difference) = disagreement(file, &target) {
            return Err(self.disagree(file.filename(), &difference));
        }
        signed.size = Size::Exactly(target.length);
        // Where both give the same kind of hash they agree; a kind that only one of them gives must match, too.
        signed.hashes = of_page.iter().chain(target.hashes.iter()).map(owned).collect();
        signed.target = Some(target);
        Ok(Ok(signed))
    }

    /// The verified metadata file (PEP 658) of a file on a verified page; `None` when the index signs none, or does not
    /// have it. Whether the file itself is signed is checked by [`TrustedIndex::file`], at the same time.
    ///
    /// # Errors
    /// When it is something else than what is signed.
    pub async fn metadata(self: &Arc<Self>, page: &PageProof, file: &ProjectFile) -> Result<Option<Vec<u8>>, Failure> {
        let Ok(link) = file.url() else { return Ok(None) };
        let url = packaging::metadata_url(self.rewritten(&link)?);
        if page.layout.trust() == DistributionTrust::Page {
            return self.metadata_of_page(page, file, url).await;
        }
        let Ok(Some(distribution)) = page.layout.distribution(&page.project, file.filename(), &link) else {
            return Ok(None);
        };
        let Some(path) = page.layout.metadata(&distribution) else { return Ok(None) };
        // A hash on the page need not wait for the role that signs the target. The file is not used before both agree.
        let of_page = async {
            match page.layout.trust() {
                DistributionTrust::Both => self.metadata_of_page(page, file, url.clone()).await,
                _ => Ok(None),
            }
        };
        let (looked_up, of_page) = tokio::join!(self.snapshot.look_up(&path), of_page);
        let (target, epoch_info) = match looked_up {
            Ok(LookUpResult { target: Some(target), epoch_info, .. }) => (target, epoch_info),
            Ok(LookUpResult { target: None, .. }) => return Ok(None),
            // The wheel has its metadata, too, and is signed for certain.
            Err(failure) if failure.code == Code::VerifyAbsenceInDoubt => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let mut hashes = target.hashes.clone();
        match (metadata_hash(file), hashes.get(tuf::HashAlgorithm::Sha256)) {
            (Some(page), Some(target)) if !page.eq_ignore_ascii_case(&target) => {
                let difference = format!("page: sha256 {page}\ntarget: sha256 {target}");
                return Err(self.disagree(&format!("{}.metadata", file.filename()), &difference));
            }
            (Some(page), None) => {
                hashes.insert("sha256", page);
            }
            _ => {}
        }
        // The file that the page's hash verified is in the cache now; read it again with the signed length as its
        // limit.
        of_page?;
        let signer = signer(self, &target, &epoch_info);
        self.metadata_file(file, url, Size::Exactly(target.length), &hashes, &signer).await
    }

    /// The metadata file that the signed page has the hash of, if it is in the cache.
    pub fn cached_metadata(&self, page: &PageProof, file: &ProjectFile) -> Option<Vec<u8>> {
        let sha256 = metadata_hash(file).filter(|_| page.layout.trust() == DistributionTrust::Page)?;
        self.signed_content.cached(Size::AtMost(METADATA_SIZE), &only_sha256(sha256))
    }

    async fn metadata_of_page(
        &self,
        page: &PageProof,
        file: &ProjectFile,
        url: Url,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let Some(sha256) = metadata_hash(file) else { return Ok(None) };
        let signer = signer(self, &page.target, &page.epoch_info);
        self.metadata_file(file, url, Size::AtMost(METADATA_SIZE), &only_sha256(sha256), &signer).await
    }

    async fn metadata_file(
        &self,
        file: &ProjectFile,
        url: Url,
        size: Size,
        hashes: &Hashes,
        signer: &str,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let what = format!("the metadata of {}", file.filename());
        let urls = [url];
        let code = Code::VerifyMetadata;
        self.signed_content
            .get(&ContentRequest { what: &what, urls: &urls, accept: None, size, hashes, signer, code })
            .await
    }

    fn layout(&self, epoch_info: &EpochInfo) -> Result<Arc<Layout>, Failure> {
        if let Some(layout) = &self.anchor().layout {
            return Ok(Arc::clone(layout));
        }
        match &epoch_info.in_band_layout {
            Ok(Some(layout)) => Ok(Arc::clone(layout)),
            Ok(None) => Err(Failure::new(
                Code::TrustLayoutMissing,
                format!("{} is signed, but nothing says how its signed files are named", self.display_url()),
            )
            .hint(format!(
                "say it with tufpip trust add … --layout NAME, where NAME is one of {}, or a file",
                Layout::presets().collect::<Vec<_>>().join(", ")
            ))),
            Err(error) => Err(self.bad_layout(error.clone())),
        }
    }

    /// Where a page may be, at the index first, then at its mirrors.
    fn urls(&self, page: &PageTarget, target: &Target) -> Result<Vec<Url>, Failure> {
        let mut urls = Vec::new();
        for (index, metadata) in &mirror_urls(self.anchor()) {
            let of_place = page.urls(&IndexUrls { index, metadata }, &target.hashes);
            urls.extend(of_place.map_err(|error| self.bad_layout(error))?);
        }
        Ok(urls)
    }

    /// The layout determines the format of the page; the server's media type does not count. Links are relative to
    /// where pip would have found it.
    fn parse(&self, page: &PageTarget, bytes: &[u8], project: &PackageName) -> Result<ProjectPage, Failure> {
        let base = page_url(self.anchor().identity.url(), project);
        let parsed = match page.format {
            PageFormat::Json => ProjectPage::from_json(bytes, &base, project),
            PageFormat::Html => ProjectPage::from_html(bytes, &base, project),
        };
        parsed.map_err(|error| {
            let message = format!("Could not read the signed page of {project} from {}: {error}", self.display_url());
            Failure::new(Code::IndexPage, printable::line(&message))
                .caused_by(error)
                .hint("tell the operator of the index")
        })
    }

    fn rewritten(&self, link: &Url) -> Result<Url, Failure> {
        for rule in &self.anchor().rewrites {
            if let Some(rest) = link.as_str().strip_prefix(&rule.from) {
                return format!("{}{rest}", rule.to).parse().map_err(|error| {
                    Failure::usage(format!(
                        "rewriting {} as configured gives no URL: {error}",
                        printable::redacted_url(link)
                    ))
                    .caused_by(error)
                });
            }
        }
        Ok(link.clone())
    }

    fn bad_layout(&self, error: LayoutError) -> Failure {
        let message = format!("The layout of {} cannot be used: {error}", self.display_url());
        Failure::new(Code::TrustLayout, printable::line(&message))
            .caused_by(error)
            .hint("give the right one with tufpip trust add … --layout, or tell the operator of the index")
    }

    fn disagree(&self, filename: &str, difference: &str) -> Failure {
        let message =
            format!("Refused {}: the signed page and the signed target of it differ", printable::line(filename));
        Failure::new(Code::VerifyPageTargetDisagree, message)
            .detail("from", self.display_url())
            .detail("received", difference)
            .detail("meaning", format!("the index contradicts itself; {}", refusal::NOTHING_USED))
            .hint("tell the operator of the index")
    }
}

impl std::fmt::Debug for TrustedIndex {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "TrustedIndex({})", self.display_url())
    }
}

fn owned((name, hex): (&str, &str)) -> (String, String) {
    (name.to_owned(), hex.to_owned())
}

/// The hashes of a page with a strong algorithm.
fn page_hashes(file: &ProjectFile) -> Hashes {
    let given = file.hashes.iter().filter(|(algorithm, _)| algorithm.is_strong());
    given.map(|(algorithm, hex)| owned((algorithm.name(), hex))).collect()
}

/// The contradiction between page and target about a file.
fn disagreement(file: &ProjectFile, target: &Target) -> Option<String> {
    if let Some(size) = file.size
        && size != target.length
    {
        return Some(format!("page: {size} bytes\ntarget: {} bytes", target.length));
    }
    target.hashes.known().find_map(|(algorithm, hex)| {
        let of_page = file.hashes.get(HashAlgorithm::from_name(algorithm.name())?)?;
        let differs = !of_page.eq_ignore_ascii_case(hex);
        let name = algorithm.name();
        // Two lines, so they are not made printable together.
        differs.then(|| format!("page: {name} {}\ntarget: {name} {}", printable::line(of_page), printable::line(hex)))
    })
}

/// The hash that a page gives for the metadata of a file.
fn metadata_hash(file: &ProjectFile) -> Option<&str> {
    match &file.core_metadata {
        CoreMetadataFile::Available { sha256 } => sha256.as_deref(),
        CoreMetadataFile::Absent => None,
    }
}

fn only_sha256(hex: &str) -> Hashes {
    [("sha256".to_owned(), hex.to_owned())].into_iter().collect()
}

/// Who signed a target, for messages.
pub(super) fn signer(index: &TrustedIndex, target: &Target, epoch_info: &EpochInfo) -> String {
    let roles: Vec<&str> = target.roles.iter().map(tuf::metadata::RoleName::as_str).collect();
    printable::line(&format!("{}, snapshot {}, {}", index.display_url(), epoch_info.snapshot, roles.join(" → ")))
}
