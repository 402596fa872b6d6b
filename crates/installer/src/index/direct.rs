//! Wheels named by URL or path: fetched at once, because only the file itself has its metadata.

use std::sync::Arc;

use packaging::{CoreMetadata, PackageName};
use resolve::{Candidate, CandidateOrigin, Rejection};
use url::Url;

use super::MetadataReader;
use super::finder::{ChosenFile, FactFetcher};
use super::package_sources::{linked_filename, parse_filename};
use crate::download::DownloadRequest;
use crate::error::{Code, Failure};
use crate::trust::{IndexIdentity, SignedFile};

/// A fetched wheel, and what it says of itself.
pub(super) struct DirectFile {
    pub candidate: Candidate,
    pub metadata: Arc<CoreMetadata>,
    pub chosen_file: ChosenFile,
}

impl FactFetcher {
    /// Fetches what a direct reference names and looks into it. `is_local_dependency`: a file of this machine depends on it, which
    /// is one, too. `installed`: the metadata of what is installed from this URL and may stay.
    pub(super) async fn direct(
        &self,
        name: &PackageName,
        text: &str,
        is_local_dependency: bool,
        installed: Option<Arc<CoreMetadata>>,
    ) -> Result<DirectFile, Failure> {
        let invalid = |reason: String| {
            Failure::new(Code::RequirementUrl, format!("Could not use the URL given for {name}: {reason}"))
        };
        let mut url: Url = text.parse().map_err(|error: url::ParseError| invalid(error.to_string()))?;
        let mut index_hashes = fragment_hashes(&url);
        let is_hashed_in_url = self.add_hashes_of_user(&url, &mut index_hashes).map_err(invalid)?;
        url.set_fragment(None);
        let filename = linked_filename(&url)
            .ok_or_else(|| invalid(format!("{} does not end in the name of a wheel", printable::redacted_url(&url))))?;
        let shown = printable::line(&filename);
        let dist = parse_filename(&filename).ok_or_else(|| {
            Failure::new(Code::RequirementsWheelName, format!("{shown} is not a valid wheel filename."))
        })?;
        let Some(wheel) = dist.wheel() else {
            return Err(Failure::new(
                Code::SourceNotSupported,
                format!(
                    "{name} @ {} is a source distribution, which tufpip does not build yet",
                    printable::redacted_url(&url)
                ),
            )
            .hint("build a wheel of it first and give the wheel"));
        };
        if wheel.name != *name {
            return Err(invalid(format!("the file {shown} belongs to the project '{}'", wheel.name)));
        }
        let is_users = is_local_dependency || self.is_users(&url);
        if let Some(metadata) = installed.filter(|_| !is_users) {
            // Nothing new is fetched for its sake, so that nothing has to be allowed.
            let request = DownloadRequest {
                requirement: format!("{name}=={}", metadata.version),
                filename,
                url,
                index_hashes,
                required_hashes: self.evaluator.required_hashes(name),
                size: None,
                signed: None,
            };
            let candidate = Candidate {
                version: metadata.version.clone(),
                origin: CandidateOrigin::Direct(text.to_owned()),
                yanked: false,
                rejected: None,
            };
            let chosen_file = ChosenFile { request, file: None, yanked: None, is_hashed_in_url };
            return Ok(DirectFile { candidate, metadata, chosen_file });
        }
        if !is_users {
            self.refuse_dependency(name, &url)?;
        }
        let signed = if is_hashed_in_url { None } else { self.signed_file(name, &filename, &url, is_users).await? };
        let url = signed.as_ref().map_or(url, |signed| signed.url.clone());
        let request = DownloadRequest {
            requirement: format!("{name}=={}", wheel.version),
            filename,
            url,
            index_hashes,
            required_hashes: self.evaluator.required_hashes(name),
            size: signed.as_ref().and_then(|signed| signed.length()),
            signed,
        };
        if !is_hashed_in_url && !request.is_vouched_for() {
            self.refuse_unverified(name, &request.url)?;
            self.trust.refuse_unsigned_file(name, &request.filename, &request.url)?;
        }
        let file = self.downloader.fetch(&request).await?;
        if let Some(expected) = request.index_hashes.get(packaging::HashAlgorithm::Sha256)
            && !expected.eq_ignore_ascii_case(file.sha256())
        {
            return Err(invalid(format!("it says sha256 {expected}, and the file has sha256 {}", file.sha256())));
        }
        let bytes = MetadataReader::of_wheel(&file, wheel)?;
        let metadata = CoreMetadata::parse(&bytes)
            .map_err(|error| invalid(format!("the metadata of {} is not usable: {error}", request.filename)))?;
        let rejected = match self.evaluator.tags_for([wheel])?.rank(wheel) {
            None => Some(Rejection::NotSupported { filename: request.filename.clone() }),
            Some(_) => self.evaluator.python_mismatch(metadata.raw_requires_python()),
        };
        let candidate = Candidate {
            version: wheel.version.clone(),
            origin: CandidateOrigin::Direct(text.to_owned()),
            yanked: false,
            rejected,
        };
        Ok(DirectFile {
            candidate,
            metadata: Arc::new(metadata),
            chosen_file: ChosenFile { request, file: Some(file), yanked: None, is_hashed_in_url },
        })
    }

    /// Whether the user wrote this URL, wherever it is named.
    fn is_users(&self, url: &Url) -> bool {
        self.user_urls.iter().any(|written| same_address(written, url))
    }

    /// Who publishes a package must not say which files of this machine are looked at, nor let others on the way choose what is
    /// installed.
    fn refuse_dependency(&self, name: &PackageName, url: &Url) -> Result<(), Failure> {
        let shown = printable::redacted_url(url);
        let refused = |message: String| {
            Failure::new(Code::PolicyDependencyUrl, message)
                .detail("dependency", format!("{name} @ {shown}"))
                .detail("meaning", NOT_YOURS)
        };
        if url.scheme() == "file" {
            return Err(refused(format!("A dependency on {name} names a file of this machine"))
                .hint(format!("give it yourself if you want that file: '{name} @ {shown}'")));
        }
        if url.scheme() != "http" || self.sources.is_secure_origin(url) {
            return Ok(());
        }
        let host = url.host_str().unwrap_or_default();
        Err(refused(format!("A dependency on {name} comes over plain http, so that others can change it"))
            .hint(format!("give a version of {name} from an index, or accept the risk with --trusted-host {host}")))
    }

    /// What a signed index says of the file at this URL, if it is one of its files. A project that its index or the map claims
    /// comes from no other URL than that, unless the user wrote it.
    async fn signed_file(
        &self,
        name: &PackageName,
        filename: &str,
        url: &Url,
        is_users: bool,
    ) -> Result<Option<Arc<SignedFile>>, Failure> {
        if is_users && !self.sources.has_signed_index_at_host_of(url) {
            return Ok(None);
        }
        let Some(claim) = self.sources.claim(name).await? else { return Ok(None) };
        for file in claim.files.iter().filter(|file| file.filename() == filename) {
            let Some(page) = &file.signed else { continue };
            let Ok(signed) = page.index().file(page, &file.file).await? else { continue };
            if IndexIdentity::around(url).contains(&IndexIdentity::of(&signed.url)) {
                return Ok(Some(Arc::new(signed)));
            }
        }
        if is_users {
            return Ok(None);
        }
        Err(Failure::new(
            Code::PolicyClaimed,
            format!("{}, so that it is not taken from a URL that you did not write", claim.reason),
        )
        .detail("dependency", format!("{name} @ {}", printable::redacted_url(url)))
        .detail("meaning", NOT_YOURS)
        .hint(format!(
            "if you trust that file more than the index, name it yourself: '{name} @ {}'",
            printable::redacted_url(url)
        )))
    }

    /// Adds the hashes that the user gives in the URL of this file, wherever it is named; whether there is a strong
    /// one. A hash in a dependency's URL is checked as well, but it comes from the author of that dependency only.
    fn add_hashes_of_user(&self, url: &Url, hashes: &mut packaging::Hashes) -> Result<bool, String> {
        let mut is_hashed = false;
        for named in self.user_urls.iter().filter(|named| same_address(named, url)) {
            for (algorithm, value) in fragment_hashes(named).iter() {
                match hashes.get(algorithm) {
                    Some(known) if !known.eq_ignore_ascii_case(value) => {
                        let name = algorithm.name();
                        return Err(format!("it is named with two hashes, {name} {known} and {name} {value}"));
                    }
                    _ => hashes.set(algorithm, value.to_owned()),
                }
                is_hashed |= algorithm.is_strong();
            }
        }
        Ok(is_hashed)
    }
}

const NOT_YOURS: &str = "a package, or a requirements file from a server, names this URL; you did not write it";

/// Whether two URLs are the same but for credentials and fragment.
pub(super) fn same_address(left: &Url, right: &Url) -> bool {
    let address = |url: &Url| {
        let mut url = printable::without_credentials(url);
        url.set_fragment(None);
        url
    };
    address(left) == address(right)
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
