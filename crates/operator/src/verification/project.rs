//! One project: its signed page, every file on it, and the pages that other installers read.

use std::sync::Arc;

use packaging::{CoreMetadataFile, PackageName, ProjectFile, ProjectPage};
use repository::layout;
use url::Url;

use super::IndexProblem;
use super::place::PublishedIndex;
use installer::download::DownloadRequest;
use installer::error::{Code, Failure};
use installer::net::{ResponseLimits, local_path};
use installer::requirements::RequiredHashes;
use installer::trust::{PageLookUp, PageProof, SignedFile, TrustedIndex, page_url, withheld_file};

/// What was found about a project.
#[derive(Default)]
pub struct ProjectCheck {
    /// How many files its page lists.
    pub files: usize,
    /// How many bytes they have.
    pub bytes: u64,
    /// What is wrong.
    pub problems: Vec<IndexProblem>,
    /// The target paths that belong to it.
    pub targets: Vec<String>,
}

impl ProjectCheck {
    /// Verifies every file as an installer would.
    ///
    /// # Errors
    /// When the page is refused or cannot be fetched.
    pub async fn run(
        &mut self,
        published_index: &PublishedIndex,
        index: &Arc<TrustedIndex>,
        project: &PackageName,
        whole_files: bool,
    ) -> Result<(), Failure> {
        let PageLookUp::Found(page, proof) = index.page(project).await? else {
            self.wrong(format!("{project} is signed, and clients are told that there is no such project"));
            return Ok(());
        };
        self.targets.push(layout::page_target(project));
        for skipped in &page.skipped {
            self.wrong(format!("{project}: installers skip {}: {}", skipped.filename, skipped.reason));
        }
        for file in &page.files {
            self.files += 1;
            let name = file.filename();
            self.targets.push(layout::distribution_target(project, name));
            self.targets.push(layout::core_metadata_target(project, name));
            match index.file(&proof, file).await {
                Ok(Ok(signed)) => {
                    self.bytes += signed.length().unwrap_or(0);
                    let checked = check_file(published_index, name, signed, whole_files).await;
                    self.problems.extend(checked.err().map(IndexProblem::from));
                }
                Ok(Err(reason)) => self.wrong(format!("{name}: {reason}")),
                Err(failure) => self.problems.push(failure.into()),
            }
            self.check_metadata(index, &proof, file).await;
        }
        if published_index.has_own_pages {
            self.check_plain_pages(published_index, project, &page, &proof).await?;
        }
        Ok(())
    }

    fn wrong(&mut self, text: String) {
        self.problems.push(IndexProblem::wrong(text));
    }

    async fn check_metadata(&mut self, index: &Arc<TrustedIndex>, proof: &Arc<PageProof>, file: &ProjectFile) {
        if file.core_metadata == CoreMetadataFile::Absent {
            return;
        }
        match index.metadata(proof, file).await {
            Ok(Some(_)) => {}
            Ok(None) => self.wrong(format!("{}.metadata is announced, and is missing or not signed", file.filename())),
            Err(failure) => self.problems.push(failure.into()),
        }
    }

    /// The pages for pip and others must match the signed ones.
    async fn check_plain_pages(
        &mut self,
        published_index: &PublishedIndex,
        project: &PackageName,
        page: &ProjectPage,
        proof: &PageProof,
    ) -> Result<(), Failure> {
        let json = layout::json_page_path(project);
        match published_index.read(&json).await? {
            Some(bytes) => {
                let same = proof.target().verifier().and_then(|mut verifier| {
                    verifier.update(&bytes)?;
                    verifier.finish()
                });
                if same.is_err() {
                    self.wrong(format!("{json} is not the page that is signed"));
                }
            }
            None => self.wrong(format!("{json} is missing")),
        }
        let html = layout::html_page_path(project);
        match published_index.read(&html).await? {
            Some(bytes) => {
                let base = page_url(published_index.anchor.identity.url(), project);
                let read = ProjectPage::from_html(&bytes, &base, project);
                if !read.is_ok_and(|read| read.skipped.is_empty() && read.files == as_in_html(page)) {
                    self.wrong(format!("{html} does not say what the signed page says"));
                }
            }
            None => self.wrong(format!("{html} is missing")),
        }
        Ok(())
    }
}

/// The files without the fields that HTML cannot express.
fn as_in_html(page: &ProjectPage) -> Vec<ProjectFile> {
    page.files.iter().map(|file| ProjectFile { size: None, upload_time: None, ..file.clone() }).collect()
}

/// Whether a file exists with its signed length; or, with `whole`, whether it has the signed hash.
async fn check_file(
    published_index: &PublishedIndex,
    name: &str,
    signed: SignedFile,
    whole: bool,
) -> Result<(), Failure> {
    let length = signed.length();
    // A file that is missing on this disk is treated as one that a server does not have.
    let is_there = local_path(&signed.url).is_none_or(|path| path.is_file());
    if whole && is_there {
        let request = DownloadRequest {
            requirement: name.to_owned(),
            filename: name.to_owned(),
            url: signed.url.clone(),
            index_hashes: packaging::Hashes::default(),
            required_hashes: RequiredHashes::default(),
            size: length,
            signed: Some(Arc::new(signed)),
        };
        let file = published_index.context.downloader.fetch(&request).await?;
        // A whole index may not fit onto the disk once more.
        let _ = std::fs::remove_file(file.path());
        return Ok(());
    }
    match (size_of(published_index, &signed.url).await?, length) {
        (None, _) => Err(withheld_file(name, &signed.url, 404, &signed)),
        (Some(Some(found)), Some(expected)) if found != expected => {
            let message = format!("{name} has another length than the one that is signed");
            Err(Failure::new(Code::VerifyTarget, message)
                .detail("expected", format!("{expected} bytes"))
                .detail("received", format!("{found} bytes")))
        }
        _ => Ok(()),
    }
}

/// The length of a file, if the server reports it; `None` if there is no such file.
async fn size_of(published_index: &PublishedIndex, url: &Url) -> Result<Option<Option<u64>>, Failure> {
    if let Some(path) = local_path(url) {
        return Ok(std::fs::metadata(path)
            .ok()
            .filter(std::fs::Metadata::is_file)
            .map(|metadata| Some(metadata.len())));
    }
    match published_index.context.client.get_part(url, "bytes=0-0", ResponseLimits::METADATA).await {
        Ok(part) => Ok(Some(part.map(|part| part.total))),
        Err(failure) if matches!(failure.status(), Some(403 | 404 | 410)) => Ok(None),
        Err(failure) => Err(failure.into()),
    }
}
