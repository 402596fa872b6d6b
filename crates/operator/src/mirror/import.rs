//! Imports files of the upstream index: copied, or hashed where they stay and linked.

use std::path::Path;
use std::sync::Arc;

use packaging::CoreMetadataFile;
use repository::page::FileHashes;
use repository::{FileAddition, PageFile};
use reqwest::header::HeaderMap;
use sha2::{Digest as _, Sha256};

use super::comparison::{public_url, requires_python};
use crate::distribution::Distribution;
use crate::operator_directory::{OperatorDirectory, disk_failure};
use installer::context::Context;
use installer::download::{DownloadRequest, VerifiedFile};
use installer::error::{Code, Failure};
use installer::event::WarningCode;
use installer::index::{IndexFile, parse_time};
use installer::net::ResponseLimits;

/// How files come into the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportMode {
    /// They are downloaded, verified, and published again.
    Copy,
    /// The signed pages link to them.
    Link,
}

/// Imports files.
pub struct Importer<'a> {
    /// The network.
    pub context: &'a Context,
    /// Where copies are staged.
    pub operator_directory: &'a OperatorDirectory,
    /// Copied or linked.
    pub import_mode: ImportMode,
}

impl Importer<'_> {
    /// Imports a file. `None`, with a warning, for a source distribution that installers should not receive.
    ///
    /// # Errors
    /// When it cannot be fetched, or does not match the index.
    pub async fn import(
        &self,
        index_file: &Arc<IndexFile>,
        request: &DownloadRequest,
    ) -> Result<Option<FileAddition>, Failure> {
        let addition = match self.import_mode {
            ImportMode::Link => self.link(index_file, request).await.map(Some),
            ImportMode::Copy => self.copy(index_file, request).await,
        };
        let upload_time = upload_time(index_file);
        Ok(addition?.map(|FileAddition { file, core_metadata_size }| FileAddition {
            file: PageFile { yanked: index_file.yanked.clone(), upload_time, ..file },
            core_metadata_size,
        }))
    }

    async fn copy(
        &self,
        index_file: &Arc<IndexFile>,
        request: &DownloadRequest,
    ) -> Result<Option<FileAddition>, Failure> {
        let file = self.context.downloader.fetch(request).await?;
        let inspect = {
            let (path, filename) = (file.path().to_owned(), file.filename().to_owned());
            move || Distribution::inspect(&path, &filename)
        };
        let distribution = match tokio::task::spawn_blocking(inspect).await.map_err(internal)? {
            Ok(distribution) => distribution,
            Err(failure) if index_file.dist.wheel().is_none() => {
                let message = format!("{} is left out: {}", printable::line(file.filename()), failure.message);
                self.context.reporter.warning(WarningCode::Repository, message);
                return Ok(None);
            }
            Err(failure) => return Err(failure),
        };
        // The inspected bytes must be the verified ones: both were read from a cache that others may write to.
        if distribution.content.sha256 != file.sha256() {
            return Err(Failure::new(
                Code::RepoDisk,
                format!("{} has changed while it was read", file.path().display()),
            ));
        }
        let path = distribution.path();
        copy_whole(file.path(), &self.operator_directory.staged_file(&path))?;
        if let Some(metadata) = &distribution.core_metadata {
            self.operator_directory.write(&format!("staged/{path}.metadata"), metadata)?;
        }
        Ok(Some(distribution.addition("")))
    }

    async fn link(&self, index_file: &IndexFile, request: &DownloadRequest) -> Result<FileAddition, Failure> {
        let filename = index_file.filename().to_owned();
        let url = public_url(index_file).ok_or_else(|| {
            let message = format!("{} cannot be linked: it is not on a web server", printable::line(&filename));
            Failure::new(Code::RepoLink, message).hint("copy it: --files copy")
        })?;
        // A page that comes over https must not lead away from it: no client would follow.
        if self.operator_directory.config.index_url().scheme() == "https" && !url.starts_with("https:") {
            let message = format!("{} cannot be linked: it would leave https", printable::line(&filename));
            return Err(Failure::new(Code::RepoLink, message)
                .detail("file", printable::redacted_url(&request.url))
                .hint("copy it: --files copy"));
        }
        let (hashes, size) = self.measure(request).await?;
        let metadata = match &index_file.core_metadata {
            CoreMetadataFile::Available { sha256 } => self.metadata(index_file, sha256.as_deref()).await?,
            CoreMetadataFile::Absent => None,
        };
        let file = PageFile {
            filename,
            url,
            hashes,
            size,
            requires_python: requires_python(index_file),
            yanked: None,
            core_metadata: metadata.as_ref().map(|metadata| hex::encode(Sha256::digest(metadata))),
            upload_time: None,
        };
        Ok(FileAddition { file, core_metadata_size: metadata.map(|metadata| metadata.len() as u64) })
    }

    /// Hash and size as given by the index, else measured on the file.
    async fn measure(&self, request: &DownloadRequest) -> Result<(FileHashes, u64), Failure> {
        if let (Some(sha256), Some(size)) = (request.known_sha256(), request.size) {
            return Ok((FileHashes { sha256 }, size));
        }
        let file: VerifiedFile = self.context.downloader.fetch(request).await?;
        let size = std::fs::metadata(file.path()).map_err(|error| disk_failure(file.path(), error))?.len();
        Ok((FileHashes { sha256: file.sha256().to_owned() }, size))
    }

    /// The metadata file beside a linked file, verified by the hash that the index gives for it, if any. `None` when it
    /// is announced but missing.
    async fn metadata(&self, index_file: &IndexFile, sha256: Option<&str>) -> Result<Option<Vec<u8>>, Failure> {
        if let Some(page) = &index_file.signed {
            return page.index().metadata(page, &index_file.file).await;
        }
        let Some(Ok(url)) = index_file.metadata_url() else { return Ok(None) };
        let body = match self.context.client.get(&url, &HeaderMap::new(), ResponseLimits::METADATA).await {
            Ok(fetched) => fetched.body,
            Err(failure) if matches!(failure.status(), Some(404 | 410)) => return Ok(None),
            Err(failure) => return Err(failure.into()),
        };
        let received = hex::encode(Sha256::digest(&body));
        match sha256 {
            Some(expected) if !expected.eq_ignore_ascii_case(&received) => Err(Failure::new(
                Code::VerifyMetadataHashMismatch,
                format!("The metadata of {} is not what the index says it is", printable::line(index_file.filename())),
            )
            .detail("file", printable::redacted_url(&url))
            .detail("expected", format!("sha256 {}", printable::line(expected)))
            .detail("received", format!("sha256 {received}"))
            .detail("meaning", "nothing was changed")
            .hint("try again; if it stays so, ask the operator of the index")),
            _ => Ok(Some(body)),
        }
    }
}

/// The upload time; omitted when it is invalid, since installers do not need it. A time without an offset is UTC.
fn upload_time(index_file: &IndexFile) -> Option<String> {
    parse_time(index_file.upload_time.as_deref()?).map(|time| time.to_string())
}

/// Makes a copy that appears as a whole, or not at all.
fn copy_whole(from: &Path, to: &Path) -> Result<(), Failure> {
    let directory = to.parent().unwrap_or(Path::new("."));
    let copy = || -> std::io::Result<()> {
        std::fs::create_dir_all(directory)?;
        let temporary = tempfile::Builder::new().prefix(".tufpip-").tempfile_in(directory)?;
        std::io::copy(&mut std::fs::File::open(from)?, &mut temporary.as_file())?;
        temporary.as_file().sync_all()?;
        temporary.persist(to).map_err(|error| error.error)?;
        Ok(())
    };
    copy().map_err(|error| disk_failure(to, error))
}

fn internal(error: tokio::task::JoinError) -> Failure {
    Failure::new(Code::Internal, error.to_string()).caused_by(error)
}
