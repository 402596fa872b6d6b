//! The result of solving: pins, missing facts, or an explanation.

use std::fmt;

use packaging::{ExtraName, PackageName, Requirement, Version};
use serde::{Deserialize, Serialize};

use crate::catalog::CandidateId;
use crate::explanation::Explanation;

/// The result of solving a request against a catalog.
#[derive(Clone, Debug)]
pub enum SolveOutcome {
    /// Everything needed is known and fits together.
    Solved(Resolution),
    /// Facts to fetch, never empty; put all of them into the catalog and solve again.
    Missing(Vec<Fact>),
    /// Nothing can satisfy the request, for any content of the missing facts.
    Impossible(Explanation),
}

/// Something the catalog does not know yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Fact {
    /// The candidates of a project: its page.
    Project(PackageName),
    /// The metadata of a candidate.
    Metadata(CandidateId),
    /// What the URL of a direct reference is.
    Direct {
        /// The name the requirement gives it.
        name: PackageName,
        /// The URL as the requirement writes it.
        url: String,
    },
}

impl fmt::Display for Fact {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Project(name) => write!(formatter, "the candidates of {name}"),
            Self::Metadata(candidate) => write!(formatter, "the metadata of {candidate}"),
            // The URL may carry a password and is not printed here.
            Self::Direct { name, .. } => write!(formatter, "the direct reference of {name}"),
        }
    }
}

/// One candidate for each project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// In the order in which pip installs: what others depend on comes first; cycles are broken somewhere.
    pub pins: Vec<Pin>,
    /// A warning.
    pub warnings: Vec<Warning>,
}

/// A chosen candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// What was chosen.
    pub candidate: CandidateId,
    /// Extras asked for, sorted.
    pub extras: Vec<ExtraName>,
    /// Whether the candidate was yanked; pip then warns.
    pub yanked: bool,
    /// The requirements for it: first those of the user, then those of other pins.
    pub requested_by: Vec<RequestedBy>,
}

/// A requirement that is in effect in a resolution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RequestedBy {
    /// A requirement of the user.
    User {
        /// The requirement.
        requirement: Requirement,
        /// Where it was read.
        source: String,
    },
    /// A requirement of another pin.
    Pin {
        /// The project of that pin.
        name: PackageName,
        /// Its version.
        version: Version,
        /// The requirement.
        requirement: Requirement,
    },
}

/// A warning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Warning {
    /// A requested extra that the candidate does not provide; it is ignored.
    UnknownExtra {
        /// The project.
        name: PackageName,
        /// The chosen version.
        version: Version,
        /// The extra.
        extra: ExtraName,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownExtra { name, version, extra } => {
                write!(formatter, "{name} {version} does not provide the extra '{extra}'")
            }
        }
    }
}
