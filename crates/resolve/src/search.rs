//! What the search remembers besides the solver's own state: which requirements are in effect.
//!
//! Whether a pre-release or a yanked candidate may be chosen depends on all requirements in effect on a project. The
//! solver does not show its state, so the latest choice for each package is followed from the outside. A package that
//! fell out of the search is forgotten late, so that a requirement may count although it no longer is in effect: then
//! a pre-release is admitted that pip would not admit.
//!
//! Conversely, a candidate may be refused at a moment when the requirement that names it is not in effect
//! yet, and the solver never tries it again. Then everything is solved once more with that project marked, and of it
//! every candidate that any requirement names is admitted. This, too, admits a little more than pip.

use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use pubgrub::VersionSet;

use crate::candidate_set::CandidateSet;
use crate::table::{RequirementRange, TableEntry};

/// What the solver decides about: the user's request, a project, or an extra of a project, which is a package of its
/// own with the same indexes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Package {
    /// The request.
    Root,
    /// A project by its number.
    Project(u32),
    /// An extra of a project by their numbers.
    Extra(u32, u32),
}

impl Package {
    /// The number of the project.
    pub(crate) fn project(self) -> Option<u32> {
        match self {
            Self::Root => None,
            Self::Project(project) | Self::Extra(project, _) => Some(project),
        }
    }
}

impl fmt::Display for Package {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Only the solver's own log lines print it.
        fmt::Debug::fmt(self, formatter)
    }
}

type DemandsByIndex = HashMap<u32, Vec<Rc<RequirementRange>>>;

/// What the search has done so far.
#[derive(Default)]
pub(crate) struct Search {
    /// The latest choice.
    chosen: HashMap<Package, u32>,
    /// The range the latest choice was made from.
    ranges: HashMap<Package, CandidateSet>,
    /// All requirements seen on a project, by the package that has them.
    demands: HashMap<u32, HashMap<Package, DemandsByIndex>>,
    /// For each project the ranges that were refused only because of the requirements in effect at that moment.
    refused: HashMap<u32, Vec<CandidateSet>>,
}

impl Search {
    pub(crate) fn choose(&mut self, package: Package, index: u32, range: &CandidateSet) {
        self.chosen.insert(package, index);
        self.ranges.insert(package, range.clone());
    }

    /// The solver asks for a priority only while a package is undecided.
    pub(crate) fn undecided(&mut self, package: Package) {
        self.chosen.remove(&package);
    }

    pub(crate) fn chosen(&self, package: Package) -> Option<u32> {
        self.chosen.get(&package).copied()
    }

    pub(crate) fn range(&self, package: Package) -> Option<&CandidateSet> {
        self.ranges.get(&package)
    }

    pub(crate) fn require(&mut self, parent: Package, index: u32, project: u32, demand: Rc<RequirementRange>) {
        self.demands.entry(project).or_default().entry(parent).or_default().entry(index).or_default().push(demand);
    }

    /// The requirements in effect on a project.
    pub(crate) fn in_effect(&self, project: u32) -> impl Iterator<Item = &RequirementRange> {
        let parents = self.demands.get(&project).into_iter().flatten();
        parents
            .filter_map(|(parent, by_index)| by_index.get(&self.chosen(*parent)?))
            .flat_map(|demands| demands.iter().map(Rc::as_ref))
    }

    pub(crate) fn refuse(&mut self, project: u32, range: &CandidateSet) {
        self.refused.entry(project).or_default().push(range.clone());
    }

    /// Whether some requirement, in effect or not, names this pre-release or pins this yanked candidate.
    pub(crate) fn is_asked_for(&self, project: u32, index: u32, entry: &TableEntry<'_>) -> bool {
        let demands = self.demands.get(&project).into_iter().flat_map(HashMap::values).flat_map(HashMap::values);
        demands.flatten().any(|demand| {
            let admits = (demand.names_prerelease || !entry.is_prerelease()) && (demand.pins || !entry.yanked);
            admits && demand.range.contains(&index)
        })
    }

    /// Projects with the ranges of them that were refused.
    pub(crate) fn refused(&self) -> impl Iterator<Item = (u32, &CandidateSet)> {
        self.refused.iter().flat_map(|(project, ranges)| ranges.iter().map(|range| (*project, range)))
    }
}
