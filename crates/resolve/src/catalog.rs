//! Everything known so far: the candidates of projects and the metadata of candidates.
//!
//! The program fills the catalog; solving only reads it. It is plain data and can be serialised for a bug report.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use packaging::{ExtraName, PackageName, Requirement, Version};
use serde::{Deserialize, Serialize};

/// Where a candidate comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CandidateOrigin {
    /// An index or a directory of links: something found by its name.
    Index,
    /// Already installed in the environment.
    Installed,
    /// The URL of a direct reference (`name @ url`), as in [`Fact::Direct`](crate::Fact::Direct).
    Direct(String),
}

/// One version of a project that could be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Its version.
    pub version: Version,
    /// Where it comes from.
    pub origin: CandidateOrigin,
    /// Whether it was yanked (PEP 592).
    pub yanked: bool,
    /// Why it can not be used here. A rejected candidate is never chosen; it is kept for the explanation.
    pub rejected: Option<Rejection>,
}

/// Why a candidate cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Rejection {
    /// Its Requires-Python excludes the Python that is installed for.
    Python {
        /// Requires-Python as written.
        requires: String,
        /// The version of that Python.
        python: Version,
    },
    /// There is nothing but a source distribution of it.
    Source,
    /// It is a wheel for other platforms or Pythons.
    NotSupported {
        /// The wheel's file name.
        filename: String,
    },
    /// Anything else, as text for the user.
    Other(String),
}

impl fmt::Display for Rejection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Python { requires, python } => {
                write!(formatter, "requires a different Python: {python} not in '{requires}'")
            }
            Self::Source => formatter.write_str("only a source distribution"),
            Self::NotSupported { filename } => {
                write!(formatter, "{filename} is not a supported wheel on this platform.")
            }
            Self::Other(reason) => formatter.write_str(reason),
        }
    }
}

/// Names one candidate.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CandidateId {
    /// The normalized project name.
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// Where it comes from.
    pub origin: CandidateOrigin,
}

impl fmt::Display for CandidateId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.name, self.version)
    }
}

/// What resolving needs of a candidate's core metadata.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidateMetadata {
    /// `Requires-Dist`, markers included.
    pub requires_dist: Vec<Requirement>,
    /// `Provides-Extra`.
    pub provides_extras: Vec<ExtraName>,
}

/// Everything known so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalog {
    projects: HashMap<PackageName, Project>,
}

/// What is known of one project.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Project {
    /// Best first; `None` until the project's page was read.
    pub(crate) page: Option<Vec<Candidate>>,
    pub(crate) installed: Option<Candidate>,
    /// By URL.
    pub(crate) direct: BTreeMap<String, Candidate>,
    #[serde(with = "pairs")]
    pub(crate) metadata: HashMap<(Version, CandidateOrigin), Result<CandidateMetadata, String>>,
}

impl Catalog {
    /// A catalog that knows nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The candidates of a project in order of preference, best first; one for each version.
    ///
    /// A project that does not exist has no candidates. Answers [`Fact::Project`](crate::Fact::Project).
    pub fn insert_project(&mut self, name: PackageName, candidates: Vec<Candidate>) {
        self.project_mut(name).page = Some(candidates);
    }

    /// The installed distribution of a project. Its metadata goes in with [`Self::insert_metadata`] as for any other.
    pub fn insert_installed(&mut self, name: PackageName, candidate: Candidate) {
        self.project_mut(name).installed = Some(Candidate { origin: CandidateOrigin::Installed, ..candidate });
    }

    /// What the URL of a direct reference turned out to be. Answers [`Fact::Direct`](crate::Fact::Direct).
    pub fn insert_direct(&mut self, name: PackageName, url: String, candidate: Candidate) {
        let candidate = Candidate { origin: CandidateOrigin::Direct(url.clone()), ..candidate };
        self.project_mut(name).direct.insert(url, candidate);
    }

    /// The metadata of a candidate, or the reason why the candidate is unusable.
    /// Answers [`Fact::CandidateMetadata`](crate::Fact::Metadata).
    pub fn insert_metadata(&mut self, candidate: CandidateId, metadata: Result<CandidateMetadata, String>) {
        self.project_mut(candidate.name).metadata.insert((candidate.version, candidate.origin), metadata);
    }

    /// The candidates of a project, best first; `None` when its page is not known.
    pub fn candidates(&self, name: &PackageName) -> Option<&[Candidate]> {
        self.projects.get(name)?.page.as_deref()
    }

    /// The installed distribution of a project.
    pub fn installed(&self, name: &PackageName) -> Option<&Candidate> {
        self.projects.get(name)?.installed.as_ref()
    }

    /// The metadata of a candidate, when it is known.
    pub fn metadata(&self, candidate: &CandidateId) -> Option<&Result<CandidateMetadata, String>> {
        self.projects.get(&candidate.name)?.metadata.get(&(candidate.version.clone(), candidate.origin.clone()))
    }

    pub(crate) fn project(&self, name: &PackageName) -> Option<&Project> {
        self.projects.get(name)
    }

    fn project_mut(&mut self, name: PackageName) -> &mut Project {
        self.projects.entry(name).or_default()
    }
}

/// A map with a structured key as a list of pairs, because the keys of JSON are strings.
mod pairs {
    use std::collections::HashMap;
    use std::hash::Hash;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &HashMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(super) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<HashMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Eq + Hash,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Vec::<(K, V)>::deserialize(deserializer).map(|pairs| pairs.into_iter().collect())
    }
}
