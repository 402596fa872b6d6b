//! One project as the solver sees it: its candidates, numbered from the least to the most preferred.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use packaging::{PackageName, Requirement, Version, VersionSpecifiers};
use pubgrub::VersionSet;

use crate::candidate_set::CandidateSet;
use crate::catalog::{Candidate, Project};
use crate::request::{Prereleases, ResolveRequest, UpgradeStrategy, UserRequirement};

/// Stands for all candidates of a project whose page is not known; it fits every requirement.
pub(crate) const UNKNOWN_PAGE: u32 = 0;

/// What stands at one index.
#[derive(Clone, Debug)]
pub(crate) enum EntrySource<'a> {
    /// Candidates that were not looked up yet.
    UnknownPage,
    /// A direct reference that was not looked up yet; it fits every requirement.
    UnknownDirect(DirectReference),
    /// A candidate.
    Known(&'a Candidate),
}

/// A candidate and what decides whether it may be chosen.
#[derive(Clone, Debug)]
pub(crate) struct TableEntry<'a> {
    pub(crate) source: EntrySource<'a>,
    /// Whether the project's page has this version; pre-release and yank rules look at the page only.
    pub(crate) on_page: bool,
    pub(crate) yanked: bool,
    pub(crate) direct: bool,
}

/// The URL of a direct reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DirectReference {
    /// Equal for two spellings that mean the same thing: without password and without hashes.
    pub(crate) key: String,
    /// As the first requirement writes it.
    pub(crate) url: String,
}

/// Which indexes a requirement admits, and whether it admits pre-releases and yanked candidates.
#[derive(Debug)]
pub(crate) struct RequirementRange {
    pub(crate) range: CandidateSet,
    pub(crate) names_prerelease: bool,
    pub(crate) pins: bool,
}

/// One project.
pub(crate) struct Table<'a> {
    pub(crate) name: &'a PackageName,
    pub(crate) entries: Vec<TableEntry<'a>>,
    pub(crate) page_known: bool,
    pub(crate) installed: Option<u32>,
    /// Whether a better candidate may replace the installed one.
    pub(crate) upgradable: bool,
    pub(crate) prereleases: Prereleases,
    /// The place of the first requirement of the user that names the project.
    pub(crate) named: Option<u32>,
    /// Candidates that can not be used here.
    pub(crate) rejected: Vec<&'a Candidate>,
    pub(crate) constraints: Vec<&'a UserRequirement>,
    references: Vec<(DirectReference, u32)>,
    /// Versions of the entries between the placeholder and the direct references.
    versions: Vec<&'a Version>,
    versions_ascend: bool,
    demands: RefCell<HashMap<&'a VersionSpecifiers, Rc<RequirementRange>>>,
}

/// What is known of a project's direct references before its table is made.
#[derive(Clone, Debug, Default)]
pub(crate) struct DirectReferences {
    pub(crate) all: Vec<DirectReference>,
    /// The user gave one of them, so that nothing but them may be chosen.
    pub(crate) exclusive: bool,
}

impl DirectReference {
    pub(crate) fn of(requirement: &Requirement) -> Option<Self> {
        let url = requirement.url.as_ref()?;
        let mut same = printable::without_credentials(url);
        let subdirectory = url.fragment().unwrap_or_default().split('&').find(|part| part.starts_with("subdirectory="));
        same.set_fragment(subdirectory);
        Some(Self { key: same.to_string(), url: url.to_string() })
    }
}

impl<'a> Table<'a> {
    pub(crate) fn new(
        name: &'a PackageName,
        project: Option<&'a Project>,
        request: &'a ResolveRequest<'_>,
        references: DirectReferences,
    ) -> Self {
        let named = request.requirements.iter().position(|wanted| wanted.requirement.name == *name);
        let upgradable = match request.upgrade {
            UpgradeStrategy::ToSatisfyOnly => false,
            UpgradeStrategy::OnlyIfNeeded => named.is_some(),
            UpgradeStrategy::Eager => true,
        };
        let mut table = Self {
            name,
            entries: vec![TableEntry {
                source: EntrySource::UnknownPage,
                on_page: false,
                yanked: false,
                direct: false,
            }],
            page_known: true,
            installed: None,
            upgradable,
            prereleases: request.prereleases(name),
            named: named.and_then(|place| u32::try_from(place).ok()),
            rejected: Vec::new(),
            constraints: request
                .constraints
                .iter()
                .filter(|wanted| wanted.requirement.name == *name)
                .filter(|wanted| wanted.requirement.applies(request.environment, &[]))
                .collect(),
            references: Vec::new(),
            versions: Vec::new(),
            versions_ascend: true,
            demands: RefCell::default(),
        };
        if !references.exclusive {
            table.page_known = project.is_some_and(|project| project.page.is_some());
            table.add_page(project.and_then(|project| project.page.as_deref()).unwrap_or_default());
            if !request.ignore_installed {
                table.add_installed(project.and_then(|project| project.installed.as_ref()));
            }
        }
        table.versions = table.entries.iter().filter_map(TableEntry::version).collect();
        table.versions_ascend = table.versions.is_sorted();
        for reference in references.all {
            table.add_direct(project, reference);
        }
        table
    }

    pub(crate) fn entry(&self, index: u32) -> Option<&TableEntry<'a>> {
        self.entries.get(index as usize)
    }

    /// The direct reference at `index`.
    pub(crate) fn reference(&self, index: u32) -> Option<&DirectReference> {
        self.references.iter().find(|(_, at)| *at == index && index != UNKNOWN_PAGE).map(|(reference, _)| reference)
    }

    /// Which indexes fit `requirement` and the constraints on the project; `ToSatisfyOnly` for a direct reference that
    /// has no index yet.
    pub(crate) fn requirement_range(&self, requirement: &'a Requirement) -> Option<Rc<RequirementRange>> {
        if let Some(reference) = DirectReference::of(requirement) {
            let (_, index) = self.references.iter().find(|(known, _)| known.key == reference.key)?;
            let mut range = CandidateSet::empty();
            // A rejected one has no entry.
            if *index != UNKNOWN_PAGE {
                range = self.constrained(CandidateSet::singleton(*index));
            }
            return Some(Rc::new(RequirementRange { range, names_prerelease: false, pins: false }));
        }
        let specifiers = &requirement.specifiers;
        if let Some(demand) = self.demands.borrow().get(specifiers) {
            return Some(demand.clone());
        }
        let limits = || self.constraints.iter().map(|wanted| &wanted.requirement.specifiers).chain([specifiers]);
        let demand = Rc::new(RequirementRange {
            range: self.constrained(self.matching(specifiers)),
            names_prerelease: limits().any(VersionSpecifiers::names_prerelease),
            pins: limits().any(VersionSpecifiers::pins),
        });
        self.demands.borrow_mut().insert(specifiers, demand.clone());
        Some(demand)
    }

    /// The indexes that fit `specifiers`, constraints aside.
    pub(crate) fn matching(&self, specifiers: &VersionSpecifiers) -> CandidateSet {
        let mut fitting = Vec::new();
        if !self.page_known {
            fitting.push(UNKNOWN_PAGE);
        }
        if self.versions_ascend {
            for span in specifiers.spans(&self.versions) {
                fitting.extend(span.filter_map(|place| u32::try_from(place + 1).ok()));
            }
        } else {
            let places = self.versions.iter().zip(1..);
            fitting.extend(places.filter(|(version, _)| specifiers.contains(version)).map(|(_, index)| index));
        }
        for (index, entry) in (0..).zip(&self.entries).skip(self.versions.len() + 1) {
            if entry.version().is_none_or(|version| specifiers.contains(version)) {
                fitting.push(index);
            }
        }
        fitting.into_iter().collect()
    }

    fn constrained(&self, range: CandidateSet) -> CandidateSet {
        self.constraints.iter().fold(range, |range, wanted| {
            let admitted = match DirectReference::of(&wanted.requirement) {
                Some(reference) => (self.references.iter())
                    .filter(|(known, index)| known.key == reference.key && *index != UNKNOWN_PAGE)
                    .map(|(_, index)| *index)
                    .collect(),
                None => self.matching(&wanted.requirement.specifiers),
            };
            range.intersection(&admitted)
        })
    }

    fn add_page(&mut self, page: &'a [Candidate]) {
        for candidate in page.iter().rev() {
            if candidate.rejected.is_some() {
                self.rejected.push(candidate);
            } else {
                let source = EntrySource::Known(candidate);
                self.entries.push(TableEntry { source, on_page: true, yanked: candidate.yanked, direct: false });
            }
        }
    }

    /// The installed version takes the place of the same version on the page, which is then not installed again;
    /// otherwise it goes in front of the first worse one that is older.
    fn add_installed(&mut self, installed: Option<&'a Candidate>) {
        let Some(installed) = installed else { return };
        let source = EntrySource::Known(installed);
        let same = self.entries.iter().position(|entry| entry.version() == Some(&installed.version));
        let place = match same {
            Some(place) => {
                if let Some(entry) = self.entries.get_mut(place) {
                    entry.source = source;
                }
                place
            }
            None => {
                let older =
                    self.entries.iter().rposition(|entry| entry.version().is_some_and(|v| *v < installed.version));
                let place = older.map_or(1, |place| place + 1);
                self.entries.insert(place, TableEntry { source, on_page: false, yanked: false, direct: false });
                place
            }
        };
        self.installed = u32::try_from(place).ok();
    }

    fn add_direct(&mut self, project: Option<&'a Project>, reference: DirectReference) {
        let known = project.and_then(|project| project.direct.get(&reference.url));
        if let Some(candidate) = known.filter(|candidate| candidate.rejected.is_some()) {
            self.rejected.push(candidate);
            self.references.push((reference, UNKNOWN_PAGE));
            return;
        }
        let index = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let source = known.map_or_else(|| EntrySource::UnknownDirect(reference.clone()), EntrySource::Known);
        self.entries.push(TableEntry { source, on_page: false, yanked: false, direct: true });
        self.references.push((reference, index));
    }
}

impl<'a> TableEntry<'a> {
    pub(crate) fn candidate(&self) -> Option<&'a Candidate> {
        match self.source {
            EntrySource::Known(candidate) => Some(candidate),
            _ => None,
        }
    }

    pub(crate) fn version(&self) -> Option<&'a Version> {
        self.candidate().map(|candidate| &candidate.version)
    }

    pub(crate) fn is_prerelease(&self) -> bool {
        self.version().is_some_and(Version::any_prerelease)
    }
}
