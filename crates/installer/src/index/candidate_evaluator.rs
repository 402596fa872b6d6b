//! Chooses the file of each version, and rejects the versions that cannot be used here.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use packaging::{
    DistributionFilename, HashAlgorithm, PackageName, ProjectFile, TagInputs, Tags, Version, VersionSpecifiers,
    WheelFilename,
};
use resolve::{Candidate, CandidateOrigin, Rejection};

use super::IndexFile;
use crate::error::{Code, Failure};
use crate::options::SelectionOptions;
use crate::python::Interpreter;
use crate::requirements::RequiredHashes;

/// Accepts and orders the files of a project.
pub struct CandidateEvaluator {
    interpreter: Interpreter,
    /// As if nothing in the environment refused manylinux wheels.
    tags: Tags,
    /// Without those that the environment refuses; asked for when the first wheel depends on it.
    tags_not_refused: OnceLock<Result<Tags, String>>,
    python_version: Version,
    selection: SelectionOptions,
    hashes: HashMap<PackageName, RequiredHashes>,
}

/// A version of a project, and the file that would be fetched for it.
#[derive(Clone, Debug)]
pub struct InstallationCandidate {
    /// The version as the resolver sees it.
    pub candidate: Candidate,
    /// The best file of that version; for a rejected candidate the one it was rejected for.
    pub file: Arc<IndexFile>,
}

impl CandidateEvaluator {
    /// Rules for `interpreter`, or for the Python that `selection` names instead.
    ///
    /// `hashes` are those that requirements demand, by project.
    pub fn new(
        interpreter: &Interpreter,
        selection: SelectionOptions,
        hashes: HashMap<PackageName, RequiredHashes>,
    ) -> Result<Self, Failure> {
        let target = &selection.target;
        let tags = tags(&interpreter.tag_facts, &selection);
        let python_version = match &target.python_version {
            Some(parts) => Version::new(parts.iter().map(|part| u64::from(*part)).chain(std::iter::repeat(0)).take(3)),
            None => interpreter.version.parse().map_err(|_| {
                Failure::new(Code::PythonUnusable, format!("'{}' is no version of Python", interpreter.version))
            })?,
        };
        let (interpreter, tags_not_refused) = (interpreter.clone(), OnceLock::new());
        Ok(Self { interpreter, tags, tags_not_refused, python_version, selection, hashes })
    }

    /// The compatibility tags by which one of these wheels is chosen. Asks the environment whether it refuses manylinux wheels
    /// only if one of them would be accepted otherwise: to ask is to run code of the environment.
    ///
    /// # Errors
    /// When the environment must be asked and fails to answer.
    pub fn tags_for<'a>(&self, wheels: impl IntoIterator<Item = &'a WheelFilename>) -> Result<&Tags, Failure> {
        let depends = |wheel: &WheelFilename| {
            wheel.platform_tags().any(|tag| tag.to_ascii_lowercase().starts_with("manylinux"))
                && self.tags.rank(wheel).is_some()
        };
        // pip does not ask about a platform that the user names.
        if !self.selection.target.platforms.is_empty() || !wheels.into_iter().any(depends) {
            return Ok(&self.tags);
        }
        let asked = self.tags_not_refused.get_or_init(|| {
            let manylinux_refused = self.interpreter.refused_manylinux()?;
            Ok(tags(&TagInputs { manylinux_refused, ..self.interpreter.tag_facts.clone() }, &self.selection))
        });
        asked.as_ref().map_err(|reason| {
            Failure::new(Code::PythonUnusable, "Could not ask the module _manylinux which wheels it refuses")
                .detail("cause", reason)
                .hint("repair or remove the module: it decides about manylinux wheels")
        })
    }

    /// The hashes that requirements demand of the files of `project`.
    pub fn required_hashes(&self, project: &PackageName) -> RequiredHashes {
        self.hashes.get(project).cloned().unwrap_or_default()
    }

    fn demanded(&self, project: &PackageName) -> &[(HashAlgorithm, String)] {
        self.hashes.get(project).map(|hashes| hashes.allowed.as_slice()).unwrap_or_default()
    }

    /// Why a Requires-Python rules this Python out; text that is no specifier rules nothing out, as in pip.
    pub fn python_mismatch(&self, requires_python: Option<&str>) -> Option<Rejection> {
        let text = requires_python?;
        if self.selection.ignore_requires_python {
            return None;
        }
        let specifiers: VersionSpecifiers = text.parse().ok()?;
        (!specifiers.contains(&self.python_version))
            .then(|| Rejection::Python { requires: text.to_owned(), python: self.python_version.clone() })
    }

    /// One offer for each version among `files`, best first.
    ///
    /// # Errors
    /// When `--uploaded-prior-to` needs an upload time that an index does not give.
    pub fn installation_candidates(
        &self,
        project: &PackageName,
        files: Vec<Arc<IndexFile>>,
    ) -> Result<Vec<InstallationCandidate>, Failure> {
        let mut pythons: HashMap<String, Option<Rejection>> = HashMap::new();
        let mut best: BTreeMap<Version, EvaluatedFile> = BTreeMap::new();
        let demanded = self.demanded(project);
        let any_matches = files.iter().any(|file| matches_any(file, demanded));
        let tags = self.tags_for(files.iter().filter_map(|file| file.dist.wheel()))?;
        for file in files {
            if !demanded.is_empty() && any_matches && !file.hashes.is_empty() && !matches_any(&file, demanded) {
                continue;
            }
            if self.is_too_new(&file)? {
                continue;
            }
            let judged = self.evaluate(project, file, tags, &mut pythons);
            match best.entry(judged.file.dist.version().clone()) {
                std::collections::btree_map::Entry::Vacant(entry) => {
                    entry.insert(judged);
                }
                std::collections::btree_map::Entry::Occupied(mut entry) => {
                    if judged.rank() > entry.get().rank() {
                        entry.insert(judged);
                    }
                }
            }
        }
        let mut installation_candidates: Vec<EvaluatedFile> = best.into_values().rev().collect();
        if self.selection.prefer_binary {
            // Stable: within wheels and within source distributions the newest stays first.
            installation_candidates.sort_by_key(|judged| !judged.is_wheel);
        }
        Ok(installation_candidates.into_iter().map(EvaluatedFile::into_candidate).collect())
    }

    /// Whether a wheel can be used here; a source distribution, whether it is for this Python.
    ///
    /// # Errors
    /// When the environment must be asked whether it refuses the wheel and fails to answer.
    pub fn fits(&self, file: &ProjectFile) -> Result<bool, Failure> {
        let tags = self.tags_for(file.dist.wheel())?;
        let has_tag = file.dist.wheel().is_none_or(|wheel| tags.rank(wheel).is_some());
        Ok(has_tag && self.python_mismatch(file.requires_python.as_deref()).is_none())
    }

    /// Whether a file may have a hash that is demanded, if any is: it must be fetched to be known if the
    /// index gives none.
    pub fn may_match_required_hashes(&self, project: &PackageName, file: &ProjectFile) -> bool {
        let demanded = self.demanded(project);
        demanded.is_empty() || file.hashes.is_empty() || matches_any(file, demanded)
    }

    fn evaluate(
        &self,
        project: &PackageName,
        file: Arc<IndexFile>,
        tags: &Tags,
        pythons: &mut HashMap<String, Option<Rejection>>,
    ) -> EvaluatedFile {
        let formats = self.selection.formats.allowed(project);
        let (unsuitable, tag_rank) = match &file.dist {
            DistributionFilename::Wheel(_) if !formats.wheel => {
                (Some(Unsuitable::Format("wheels are excluded by --no-binary")), None)
            }
            DistributionFilename::Wheel(wheel) => match tags.rank(wheel) {
                Some(rank) => (None, Some(rank)),
                None => (Some(Unsuitable::Platform), None),
            },
            DistributionFilename::SourceDistribution(_) if !formats.source => {
                (Some(Unsuitable::Format("only a source distribution, which --only-binary excludes")), None)
            }
            DistributionFilename::SourceDistribution(_) => (Some(Unsuitable::Source), None),
        };
        let python = file
            .requires_python
            .as_ref()
            .and_then(|text| pythons.entry(text.clone()).or_insert_with(|| self.python_mismatch(Some(text))).clone());
        let unsuitable = match (unsuitable, python) {
            (Some(Unsuitable::Format(reason)), _) => Some(Unsuitable::Format(reason)),
            (_, Some(reason)) => Some(Unsuitable::Python(reason)),
            (unsuitable, None) => unsuitable,
        };
        EvaluatedFile { is_wheel: file.dist.wheel().is_some(), unsuitable, tag_rank, file }
    }

    /// Whether a file was uploaded after the moment that the settings name.
    ///
    /// # Errors
    /// When the index does not give its upload time.
    pub fn is_too_new(&self, file: &ProjectFile) -> Result<bool, Failure> {
        let Some(limit) = self.selection.uploaded_prior_to else { return Ok(false) };
        // Local files have no upload time; the user put them there.
        if file.raw_url.starts_with("file:") {
            return Ok(false);
        }
        let uploaded = file.upload_time.as_deref().and_then(parse_time);
        uploaded.map(|time| time >= limit).ok_or_else(|| {
            Failure::new(
                Code::PolicyUploadTime,
                format!(
                    "The index does not give an upload time for {}, which --uploaded-prior-to needs",
                    file.filename()
                ),
            )
            .hint("use an index that gives upload-time in its JSON pages, or leave --uploaded-prior-to out")
        })
    }
}

fn tags(facts: &TagInputs, selection: &SelectionOptions) -> Tags {
    match &selection.target {
        target if target.is_set() => Tags::for_target(facts, target),
        _ => Tags::for_interpreter(facts),
    }
}

/// When a file was uploaded; an index may leave out the offset, which then is UTC.
pub fn parse_time(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| format!("{text}Z").parse().ok())
}

fn matches_any(file: &ProjectFile, demanded: &[(HashAlgorithm, String)]) -> bool {
    demanded
        .iter()
        .any(|(algorithm, value)| file.hashes.get(*algorithm).is_some_and(|known| known.eq_ignore_ascii_case(value)))
}

/// Why a file is rejected; the order decides which of several reasons is shown for a version.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Unsuitable {
    Format(&'static str),
    Platform,
    Python(Rejection),
    Source,
}

struct EvaluatedFile {
    is_wheel: bool,
    unsuitable: Option<Unsuitable>,
    tag_rank: Option<u32>,
    file: Arc<IndexFile>,
}

impl EvaluatedFile {
    /// Greater is better: usable, not yanked, a wheel, the better tag, the higher build number.
    fn rank(&self) -> impl Ord + use<> {
        let reason = match &self.unsuitable {
            None => 4,
            Some(Unsuitable::Source) => 3,
            Some(Unsuitable::Python(_)) => 2,
            Some(Unsuitable::Platform) => 1,
            Some(Unsuitable::Format(_)) => 0,
        };
        let build = self.file.dist.wheel().and_then(|wheel| wheel.build.clone());
        (reason, self.file.yanked.is_none(), self.is_wheel, std::cmp::Reverse(self.tag_rank.unwrap_or(u32::MAX)), build)
    }

    fn into_candidate(self) -> InstallationCandidate {
        let rejected = self.unsuitable.map(|unsuitable| match unsuitable {
            Unsuitable::Format(reason) => Rejection::Other(reason.to_owned()),
            Unsuitable::Platform => Rejection::Other("no wheel for this platform and Python".to_owned()),
            Unsuitable::Python(rejection) => rejection,
            Unsuitable::Source => Rejection::Source,
        });
        InstallationCandidate {
            candidate: Candidate {
                version: self.file.dist.version().clone(),
                origin: CandidateOrigin::Index,
                yanked: self.file.yanked.is_some(),
                rejected,
            },
            file: self.file,
        }
    }
}
