//! Compares a resolution with an environment: what stays, what is added, what it replaces.

use std::sync::Arc;

use packaging::{CoreMetadata, PackageName};
use resolve::{CandidateId, CandidateOrigin, Pin, RequestedBy, Resolution};
use wheel::InstalledDistribution;

use crate::error::{Code, Failure};
use crate::event::{Event, Reporter, WarningCode};
use crate::index::{ChosenFile, Finder};
use crate::python::environment::{Environment, installed_version};

/// How an environment changes.
#[derive(Debug)]
pub struct Plan {
    /// What is installed, in the order of pip: a distribution comes after what it depends on.
    pub additions: Vec<Addition>,
    /// How many distributions stay as they are installed.
    pub kept: usize,
}

/// A distribution to install.
#[derive(Debug)]
pub struct Addition {
    /// What was chosen.
    pub candidate: CandidateId,
    /// The project's name as spelled in the first requirement for it.
    pub spelled: String,
    /// Where it is.
    pub chosen_file: ChosenFile,
    /// Its core metadata.
    pub metadata: Arc<CoreMetadata>,
    /// Extras asked for, sorted.
    pub extras: Vec<String>,
    /// Whether the user named it.
    pub requested: bool,
    /// What it takes the place of.
    pub replaces: Option<InstalledDistribution>,
}

/// What to do with distributions that are there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstalledPolicy {
    /// The same version stays, another is replaced.
    Keep,
    /// Every one is replaced (`--force-reinstall`).
    Reinstall,
    /// They are not looked at (`--ignore-installed`, `--target`).
    Ignore,
}

impl Plan {
    /// Compares the resolution with what is installed. Prints pip's "Requirement already satisfied" lines.
    ///
    /// # Errors
    /// When the finder does not know a file that it found, which is a bug in this program.
    pub fn new(
        resolution: &Resolution,
        finder: &Finder,
        environment: &Environment,
        existing: InstalledPolicy,
        reporter: &dyn Reporter,
    ) -> Result<Self, Failure> {
        let mut additions = Vec::new();
        let mut kept = 0;
        for pin in &resolution.pins {
            let installed = match existing {
                InstalledPolicy::Ignore => None,
                InstalledPolicy::Keep | InstalledPolicy::Reinstall => environment.installed(&pin.candidate.name),
            };
            if pin.candidate.origin == CandidateOrigin::Installed {
                kept += 1;
                say_satisfied(pin, installed, reporter);
                continue;
            }
            let missing = || Failure::new(Code::Internal, format!("{} was chosen but not found", pin.candidate));
            let chosen_file = finder.chosen_file(&pin.candidate).ok_or_else(missing)?;
            let metadata = Arc::clone(finder.metadata(&pin.candidate).ok_or_else(missing)?);
            if let (InstalledPolicy::Keep, Some(installed)) = (existing, installed)
                && installed_version(installed).as_ref() == Some(&pin.candidate.version)
                && installed.editable_location().is_none()
            {
                kept += 1;
                if chosen_file.request.url.scheme() == "file"
                    && matches!(pin.candidate.origin, CandidateOrigin::Direct(_))
                {
                    reporter.report(Event::SameVersionInstalled { project: &pin.candidate.name });
                } else {
                    say_satisfied(pin, Some(installed), reporter);
                }
                continue;
            }
            if let Some(reason) = &chosen_file.yanked {
                reporter.warning(WarningCode::Yanked, format!(
                    "The candidate selected for download or install is a yanked version: '{}' candidate (version {} at {})\n\
                     Reason for being yanked: {}",
                    pin.candidate.name,
                    pin.candidate.version,
                    printable::redacted_url(&chosen_file.request.url),
                    if reason.is_empty() { "<none given>".to_owned() } else { printable::line(reason) },
                ));
            }
            additions.push(Addition {
                candidate: pin.candidate.clone(),
                spelled: spelled(pin),
                chosen_file,
                metadata,
                extras: pin.extras.iter().map(ToString::to_string).collect(),
                requested: pin.requested_by.iter().any(|by| matches!(by, RequestedBy::User { .. })),
                replaces: installed.cloned(),
            });
        }
        Ok(Self { additions, kept })
    }

    /// Leaves out what the user named (`--only-deps`).
    pub fn remove_named(&mut self, names: &[PackageName]) {
        self.additions.retain(|addition| !names.contains(&addition.candidate.name));
    }

    /// The files to fetch, the largest first, so that the last one to arrive is not a large one.
    pub fn largest_first(&self) -> Vec<&Addition> {
        let mut additions: Vec<&Addition> = self.additions.iter().collect();
        additions.sort_by_key(|addition| std::cmp::Reverse(addition.chosen_file.request.size.unwrap_or(u64::MAX)));
        additions
    }
}

impl Addition {
    /// The contents of direct_url.json (PEP 610), for what was named by URL or path.
    pub fn direct_url(&self, sha256: &str) -> Option<String> {
        matches!(self.candidate.origin, CandidateOrigin::Direct(_)).then(|| self.download_info(sha256).to_string())
    }

    /// Where the distribution came from, in the form of PEP 610, without secrets.
    pub fn download_info(&self, sha256: &str) -> serde_json::Value {
        let request = &self.chosen_file.request;
        // Of what a signed page says, only what was verified.
        let of_index = request.index_hashes.iter().filter(|_| request.signed.is_none());
        let mut hashes: Vec<(String, String)> =
            of_index.map(|(algorithm, value)| (algorithm.name().to_owned(), value.to_owned())).collect();
        if hashes.is_empty() {
            let signed = request.signed.as_ref().and_then(|signed| signed.sha256());
            let known = signed.or_else(|| Some(sha256.to_owned()).filter(|sha256| !sha256.is_empty()));
            hashes.extend(known.map(|sha256| ("sha256".to_owned(), sha256)));
        }
        let mut archive = serde_json::Map::new();
        if let Some((algorithm, value)) = hashes.first() {
            archive.insert("hash".to_owned(), format!("{algorithm}={value}").into());
            archive.insert(
                "hashes".to_owned(),
                hashes
                    .iter()
                    .map(|(name, value)| (name.clone(), value.clone().into()))
                    .collect::<serde_json::Map<_, _>>()
                    .into(),
            );
        }
        serde_json::json!({"archive_info": archive, "url": printable::without_credentials(&request.url)})
    }
}

/// The project's name as in the first requirement that asks for it.
fn spelled(pin: &Pin) -> String {
    let first = pin.requested_by.first().map(|by| match by {
        RequestedBy::User { requirement, .. } | RequestedBy::Pin { requirement, .. } => {
            requirement.spelled_name().to_owned()
        }
    });
    first.unwrap_or_else(|| pin.candidate.name.to_string())
}

/// pip's line for a requirement that needs no work, once for each requirement.
fn say_satisfied(pin: &Pin, installed: Option<&InstalledDistribution>, reporter: &dyn Reporter) {
    let location = installed.map(|installed| installed.location.as_path());
    for by in &pin.requested_by {
        let (requirement, source) = match by {
            RequestedBy::User { requirement, source } => (requirement, source.clone()),
            RequestedBy::Pin { name, requirement, .. } => (requirement, name.to_string()),
        };
        reporter.report(Event::RequirementSatisfied {
            requirement: requirement.without_marker(),
            location,
            required_by: &source,
            version: &pin.candidate.version,
        });
    }
}
