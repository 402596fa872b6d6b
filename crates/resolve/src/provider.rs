//! The solver's view of catalog and request: what depends on what, what is preferred, in which order to decide.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use packaging::{ExtraName, PackageName, Requirement};
use pubgrub::{Dependencies, DependencyProvider, PackageResolutionStatistics, VersionSet};

use crate::candidate_set::CandidateSet;
use crate::catalog::{CandidateId, CandidateMetadata, Catalog};
use crate::request::{Prereleases, ResolveRequest, UserRequirement};
use crate::search::{Package, Search};
use crate::table::{DirectReference, DirectReferences, EntrySource, RequirementRange, Table, UNKNOWN_PAGE};

/// After this number of conflicts a package is decided before others.
const CONFLICTS_TO_PROMOTE: u32 = 5;

/// What earlier attempts at the same request found out; it only grows, so that attempts come to an end.
#[derive(Debug, Default)]
pub(crate) struct Learned {
    /// Direct references of dependencies.
    pub(crate) references: HashMap<PackageName, Vec<DirectReference>>,
    /// Direct references that were chosen although nothing in the solution requires them.
    pub(crate) unwanted: HashSet<String>,
    /// Projects of which pre-releases and yanked candidates are admitted when any requirement names them (see
    /// `is_asked_for`).
    pub(crate) admitted: HashSet<PackageName>,
    /// Projects to decide before others, the most urgent first.
    pub(crate) early: Vec<PackageName>,
}

/// Something an attempt found out that the next one must know from its start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Discovery {
    /// A dependency names a direct reference that has no index yet.
    #[error("a dependency of {name} on a direct reference was found")]
    Reference {
        /// The project the reference is for.
        name: PackageName,
        /// What it refers to.
        reference: DirectReference,
    },
    /// The best candidate of a project does not fit what was decided before for another, which has others that fit
    /// both.
    #[error("{0} is to be decided earlier")]
    Early(PackageName),
}

/// A requirement of the user (with its source) or of a candidate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ActiveRequirement<'a> {
    pub(crate) requirement: &'a Requirement,
    pub(crate) user_requirement: Option<&'a UserRequirement>,
}

/// Catalog and request, and what one attempt did so far.
pub(crate) struct Provider<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) request: &'a ResolveRequest<'a>,
    learned: &'a Learned,
    pub(crate) search: RefCell<Search>,
    projects: RefCell<Projects<'a>>,
}

/// Projects and extras by number.
#[derive(Default)]
struct Projects<'a> {
    tables: Vec<Rc<Table<'a>>>,
    numbers: HashMap<&'a PackageName, u32>,
    extras: Vec<&'a ExtraName>,
    extra_numbers: HashMap<&'a ExtraName, u32>,
}

impl<'a> Provider<'a> {
    pub(crate) fn new(catalog: &'a Catalog, request: &'a ResolveRequest<'a>, learned: &'a Learned) -> Self {
        Self { catalog, request, learned, search: RefCell::default(), projects: RefCell::default() }
    }

    /// The table of a project by its number.
    pub(crate) fn table(&self, project: u32) -> Option<Rc<Table<'a>>> {
        self.projects.borrow().tables.get(project as usize).cloned()
    }

    pub(crate) fn extra(&self, extra: u32) -> Option<&'a ExtraName> {
        self.projects.borrow().extras.get(extra as usize).copied()
    }

    /// The number of a project; its table is made when it is first named.
    pub(crate) fn number(&self, name: &'a PackageName) -> u32 {
        if let Some(number) = self.projects.borrow().numbers.get(name) {
            return *number;
        }
        let table = Table::new(name, self.catalog.project(name), self.request, self.references(name));
        let mut projects = self.projects.borrow_mut();
        let number = u32::try_from(projects.tables.len()).unwrap_or(u32::MAX);
        projects.tables.push(Rc::new(table));
        projects.numbers.insert(name, number);
        number
    }

    fn extra_number(&self, extra: &'a ExtraName) -> u32 {
        let mut projects = self.projects.borrow_mut();
        if let Some(number) = projects.extra_numbers.get(extra) {
            return *number;
        }
        let number = u32::try_from(projects.extras.len()).unwrap_or(u32::MAX);
        projects.extras.push(extra);
        projects.extra_numbers.insert(extra, number);
        number
    }

    fn references(&self, name: &PackageName) -> DirectReferences {
        let user_requirement = self.request.requirements.iter().chain(&self.request.constraints);
        let mut references = DirectReferences::default();
        let of_user = user_requirement
            .filter(|user_requirement| user_requirement.requirement.name == *name)
            .filter(|user_requirement| user_requirement.requirement.applies(self.request.environment, &[]))
            .filter_map(|user_requirement| DirectReference::of(&user_requirement.requirement));
        let of_dependencies = self.learned.references.get(name).into_iter().flatten().cloned();
        for reference in of_user {
            references.exclusive = true;
            references.add(reference);
        }
        for reference in of_dependencies.filter(|reference| !self.learned.unwanted.contains(&reference.key)) {
            references.add(reference);
        }
        references
    }

    /// The metadata of the candidate at `index`; `None` when it is not known.
    pub(crate) fn metadata(&self, table: &Table<'_>, index: u32) -> Option<&'a Result<CandidateMetadata, String>> {
        let candidate = table.entry(index)?.candidate()?;
        let key = (candidate.version.clone(), candidate.origin.clone());
        self.catalog.project(table.name)?.metadata.get(&key)
    }

    /// Names the candidate at `index`.
    pub(crate) fn candidate_id(&self, table: &Table<'_>, index: u32) -> Option<CandidateId> {
        let candidate = table.entry(index)?.candidate()?;
        let (version, origin) = (candidate.version.clone(), candidate.origin.clone());
        Some(CandidateId { name: table.name.clone(), version, origin })
    }

    /// The requirements of a package at `index`, apart from the tie of an extra to its project; empty while unknown.
    pub(crate) fn active_requirements(&self, package: Package, index: u32) -> Vec<ActiveRequirement<'a>> {
        let environment = self.request.environment;
        let Some(project) = package.project() else {
            let applying = self
                .request
                .requirements
                .iter()
                .filter(|user_requirement| user_requirement.requirement.applies(environment, &[]));
            return applying
                .map(|user_requirement| ActiveRequirement {
                    requirement: &user_requirement.requirement,
                    user_requirement: Some(user_requirement),
                })
                .collect();
        };
        let Some(table) = self.table(project).filter(|_| !self.request.no_deps) else { return Vec::new() };
        let Some(Ok(metadata)) = self.metadata(&table, index) else { return Vec::new() };
        let extra = match package {
            Package::Extra(_, extra) => self.extra(extra),
            _ => None,
        };
        let applying = metadata.requires_dist.iter().filter(|requirement| {
            let without = requirement.applies(environment, &[]);
            match extra {
                None => without,
                // What is required anyway is a matter of the project itself.
                Some(extra) => !without && requirement.applies(environment, std::slice::from_ref(extra)),
            }
        });
        applying.map(|requirement| ActiveRequirement { requirement, user_requirement: None }).collect()
    }

    /// The packages a requirement is about: the project and its extras.
    pub(crate) fn packages(&self, requirement: &'a Requirement) -> Vec<Package> {
        let project = self.number(&requirement.name);
        let extras = requirement.extras.iter().map(|extra| Package::Extra(project, self.extra_number(extra)));
        std::iter::once(Package::Project(project)).chain(extras).collect()
    }

    /// The best index of `range`, as pip chooses; `None` when nothing in it may be chosen now.
    fn best(&self, table: &Table<'a>, project: u32, range: &CandidateSet) -> Option<u32> {
        let installed = table.installed.filter(|index| range.contains(index));
        if let Some(installed) = installed.filter(|_| !table.upgradable) {
            return Some(installed);
        }
        if range.contains(&UNKNOWN_PAGE) {
            return Some(UNKNOWN_PAGE);
        }
        let listed = || range.best_first().filter(|index| table.entry(*index).is_some_and(|entry| !entry.direct));
        let Some(first) = listed().next() else {
            // Whether something requires the direct reference is checked when the solution is complete.
            return range.best_first().next();
        };
        let entry = table.entry(first)?;
        if installed == Some(first) || !entry.yanked && !entry.is_prerelease() {
            return Some(first);
        }
        let rule = self.rule(table, project);
        let admitted = self.learned.admitted.contains(table.name);
        let best = listed().find(|index| {
            let entry = table.entry(*index);
            installed == Some(*index)
                || entry.is_some_and(|entry| rule.admits(entry))
                || admitted && self.is_asked_for(table, project, *index)
        });
        if best.is_none() {
            self.search.borrow_mut().refuse(project, range);
        }
        best
    }

    fn is_asked_for(&self, table: &Table<'a>, project: u32, index: u32) -> bool {
        let asked_for =
            table.entry(index).is_some_and(|entry| self.search.borrow().is_asked_for(project, index, entry));
        asked_for && table.prereleases != Prereleases::Forbid
    }

    /// Projects with a refused candidate that some requirement names.
    pub(crate) fn refused_but_requested(&self) -> Vec<PackageName> {
        let search = self.search.borrow();
        let refused = search.refused().filter_map(|(project, range)| {
            let table = self.table(project).filter(|table| !self.learned.admitted.contains(table.name))?;
            let asked_for = range.best_first().any(|index| {
                table.entry(index).is_some_and(|entry| entry.on_page) && self.is_asked_for(&table, project, index)
            });
            asked_for.then(|| table.name.clone())
        });
        refused.collect()
    }

    /// Which pre-releases and yanked candidates count for a project under the requirements in effect.
    fn rule(&self, table: &Table<'a>, project: u32) -> AdmissionRule {
        let search = self.search.borrow();
        let mut range = CandidateSet::full();
        let (mut names_prerelease, mut pins) = (false, false);
        for demand in search.in_effect(project) {
            range = range.intersection(&demand.range);
            names_prerelease |= demand.names_prerelease;
            pins |= demand.pins;
        }
        let fitting = || {
            let entries = (0..).zip(&table.entries).filter(|(_, entry)| entry.on_page);
            entries.filter(|(index, _)| range.contains(index)).map(|(_, entry)| entry)
        };
        let prereleases = match table.prereleases {
            Prereleases::Allow => true,
            Prereleases::Forbid => false,
            Prereleases::WhenNeeded => names_prerelease || fitting().all(|entry| entry.is_prerelease()),
        };
        let applicable_yanked =
            || fitting().filter(|entry| prereleases || !entry.is_prerelease()).all(|entry| entry.yanked);
        AdmissionRule { prereleases, yanked: pins && applicable_yanked() }
    }
}

/// Whether pre-releases and yanked candidates may be chosen.
struct AdmissionRule {
    prereleases: bool,
    yanked: bool,
}

impl AdmissionRule {
    fn admits(&self, entry: &crate::table::TableEntry<'_>) -> bool {
        entry.on_page && (self.prereleases || !entry.is_prerelease()) && (self.yanked || !entry.yanked)
    }
}

impl DirectReferences {
    fn add(&mut self, reference: DirectReference) {
        if self.all.iter().all(|known| known.key != reference.key) {
            self.all.push(reference);
        }
    }
}

impl DependencyProvider for Provider<'_> {
    type P = Package;
    type V = u32;
    type VS = CandidateSet;
    type M = String;
    type Err = Discovery;
    /// The class, then conflicts, then the user's order, then the project before its extras.
    type Priority = (u8, u32, Reverse<u32>, bool);

    fn prioritize(
        &self,
        package: &Package,
        range: &CandidateSet,
        statistics: &PackageResolutionStatistics,
    ) -> Self::Priority {
        self.search.borrow_mut().undecided(*package);
        let base = matches!(package, Package::Project(_));
        let Some(table) = package.project().and_then(|project| self.table(project)) else {
            return (u8::MAX, 0, Reverse(0), true);
        };
        let order = Reverse(table.named.unwrap_or(u32::MAX));
        // A pin leaves nothing to decide. Where there never was a choice, the user's order counts as it does in pip.
        if range.count() <= 1 && table.entries.len() > 2 {
            return (4, 0, order, base);
        }
        if let Some(position) = self.learned.early.iter().position(|name| name == table.name) {
            return (3, u32::MAX - u32::try_from(position).unwrap_or(u32::MAX), order, base);
        }
        let conflicts = statistics.conflict_count();
        if conflicts >= CONFLICTS_TO_PROMOTE {
            // Powers of two, so that two packages in conflict do not overtake each other all the time.
            return (2, conflicts.ilog2(), order, base);
        }
        (u8::from(table.named.is_some()), 0, order, base)
    }

    fn choose_version(&self, package: &Package, range: &CandidateSet) -> Result<Option<u32>, Discovery> {
        let choice = match *package {
            Package::Root => Some(0),
            Package::Project(project) => self.table(project).and_then(|table| self.best(&table, project, range)),
            Package::Extra(project, _) => {
                // Whatever was decided for the project is the only index that can work.
                let decided = self.search.borrow().chosen(Package::Project(project));
                match decided {
                    Some(index) if range.contains(&index) => Some(index),
                    Some(_) => range.best_first().next(),
                    None => self.table(project).and_then(|table| self.best(&table, project, range)),
                }
            }
        };
        if let Some(index) = choice {
            self.search.borrow_mut().choose(*package, index, range);
        }
        Ok(choice)
    }

    fn get_dependencies(
        &self,
        package: &Package,
        index: &u32,
    ) -> Result<Dependencies<Package, CandidateSet, String>, Discovery> {
        let mut dependencies: Vec<(Package, CandidateSet)> = Vec::new();
        if let Package::Extra(project, _) = package {
            dependencies.push((Package::Project(*project), CandidateSet::singleton(*index)));
        }
        if let Some(table) = package.project().and_then(|project| self.table(project))
            && let Some(Err(reason)) = self.metadata(&table, *index)
        {
            return Ok(Dependencies::Unavailable(reason.clone()));
        }
        for asked in self.active_requirements(*package, *index) {
            let requirement = asked.requirement;
            let project = self.number(&requirement.name);
            let demand = self.requirement_range(project, requirement)?;
            if package.project() == Some(project) {
                // A project that requires itself does so at the same index.
                if !demand.range.contains(index) {
                    return Ok(Dependencies::Unavailable(format!("requires {requirement} of itself")));
                }
                let others = self.packages(requirement).into_iter().skip(1).filter(|other| other != package);
                dependencies.extend(others.map(|other| (other, CandidateSet::singleton(*index))));
                continue;
            }
            if self.should_have_been_earlier(*package, project, &demand)
                && let Some(table) = package.project().and_then(|project| self.table(project))
            {
                return Err(Discovery::Early(table.name.clone()));
            }
            for dependency in self.packages(requirement) {
                let pair = (dependency, demand.range.clone());
                if !dependencies.contains(&pair) {
                    dependencies.push(pair);
                }
            }
            self.search.borrow_mut().require(*package, *index, project, demand);
        }
        Ok(Dependencies::Available(dependencies.into_iter().collect()))
    }
}

impl<'a> Provider<'a> {
    /// Which indexes of a project fit a requirement.
    pub(crate) fn requirement_range(
        &self,
        project: u32,
        requirement: &'a Requirement,
    ) -> Result<Rc<RequirementRange>, Discovery> {
        let demand = self.table(project).and_then(|table| table.requirement_range(requirement));
        if let Some(demand) = demand {
            return Ok(demand);
        }
        let reference =
            DirectReference::of(requirement).filter(|reference| !self.learned.unwanted.contains(&reference.key));
        match reference {
            Some(reference) => Err(Discovery::Reference { name: requirement.name.clone(), reference }),
            None => {
                Ok(Rc::new(RequirementRange { range: CandidateSet::empty(), names_prerelease: false, pins: false }))
            }
        }
    }

    /// Whether `package` requires another candidate of `project` than was decided, which would be available.
    ///
    /// The solver would then go back to older versions of `package`, and pip to another candidate of `project`.
    /// Deciding `package` first comes to what pip does. It is tried once for each project, so that attempts come to an
    /// end.
    fn should_have_been_earlier(&self, package: Package, project: u32, demand: &RequirementRange) -> bool {
        let search = self.search.borrow();
        let Some(decided) = search.chosen(Package::Project(project)) else { return false };
        if demand.range.contains(&decided) {
            return false;
        }
        let Some(table) = package.project().and_then(|asking| self.table(asking)) else { return false };
        if self.learned.early.contains(table.name) {
            return false;
        }
        let fitting =
            search.in_effect(project).fold(demand.range.clone(), |range, other| range.intersection(&other.range));
        self.table(project).is_some_and(|table| {
            fitting.best_first().any(|index| {
                table.entry(index).is_some_and(|entry| entry.on_page && !entry.yanked && !entry.is_prerelease())
            })
        })
    }

    /// Whether a candidate is chosen whose metadata is still to be fetched.
    pub(crate) fn lacks_metadata(&self, table: &Table<'_>, index: u32) -> bool {
        let known = table.entry(index).is_some_and(|entry| matches!(entry.source, EntrySource::Known(_)));
        known && !self.request.no_deps && self.metadata(table, index).is_none()
    }
}
