//! Wheels named by URL or path: fetched at once, because only the file itself has its metadata.

use packaging::{CoreMetadata, PackageName};
use resolve::{Candidate, CandidateOrigin, Rejection};
use url::Url;

use super::MetadataReader;
use super::finder::{ChosenFile, FactFetcher};
use super::package_sources::{linked_filename, parse_filename};
use crate::download::DownloadRequest;
use crate::error::{Code, Failure};

/// A fetched wheel, and what it says of itself.
pub(super) struct DirectFile {
    pub candidate: Candidate,
    pub metadata: CoreMetadata,
    pub chosen_file: ChosenFile,
}

impl FactFetcher {
    /// Fetches what a direct reference names and looks into it.
    pub(super) async fn direct(&self, name: &PackageName, text: &str) -> Result<DirectFile, Failure> {
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
        let request = DownloadRequest {
            requirement: format!("{name}=={}", wheel.version),
            filename,
            url,
            index_hashes,
            user_hashes: self.evaluator.hashes(name).to_vec(),
            size: None,
            signed: None,
        };
        if !is_hashed_in_url && !request.is_vouched_for() {
            self.trust.refuse_unsigned_file(name, &request.filename, &request.url)?;
        }
        let file = self.downloader.fetch(&request).await?;
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
            metadata,
            chosen_file: ChosenFile { request, file: Some(file), yanked: None, is_hashed_in_url },
        })
    }

    /// Adds the hashes that the user gives in the URL of this file, wherever it is named; whether there is a strong
    /// one. A hash in a dependency's URL is checked as well, but it comes from the author of that dependency only.
    fn add_hashes_of_user(&self, url: &Url, hashes: &mut packaging::Hashes) -> Result<bool, String> {
        let mut is_hashed = false;
        for named in self.named_urls.iter().filter(|named| without_fragment(named) == without_fragment(url)) {
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

/// The address alone.
fn without_fragment(url: &Url) -> Url {
    let mut url = printable::without_credentials(url);
    url.set_fragment(None);
    url
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
