//! From the solver's proof to an explanation: which requirements on which project exclude each other.
//!
//! The proof may have thousands of steps. A person needs the one project the requirements of which contradict each
//! other, which packages have them, and why those packages are needed. The requirements closest to the user are shown.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use packaging::Requirement;
use pubgrub::{DerivationTree, External, VersionSet};

use crate::candidate_set::CandidateSet;
use crate::catalog::Rejection;
use crate::explanation::{
    Conflict, ConflictCause, Explanation, NoMatch, Note, Parent, Unusable, shown, specifiers_in_words,
};
use crate::provider::{ActiveRequirement, Provider};
use crate::request::Prereleases;
use crate::search::Package;
use crate::table::{Table, UNKNOWN_PAGE};

/// Lines shown at most when no small set of requirements explains the failure.
const LONGEST_LIST: usize = 20;

type Tree = DerivationTree<Package, CandidateSet, String>;

/// A requirement that is part of the proof.
struct ProofLine<'a> {
    parent: Package,
    /// The parents that have the requirement, of which `index` is the best.
    parents: CandidateSet,
    index: u32,
    asked: ActiveRequirement<'a>,
    /// The required project.
    project: u32,
    range: CandidateSet,
}

/// Explains a proof.
pub(crate) fn explain(provider: &Provider<'_>, tree: Tree) -> Explanation {
    let (lines, excluded) = read(provider, tree);
    let mut by_project: BTreeMap<u32, Vec<&ProofLine<'_>>> = BTreeMap::new();
    for line in &lines {
        by_project.entry(line.project).or_default().push(line);
    }
    let best = by_project
        .iter()
        .filter_map(|(project, lines)| {
            let unusable = excluded.get(project).cloned().unwrap_or_else(CandidateSet::empty);
            contradiction(lines, &unusable)
        })
        .min_by_key(|lines| {
            let distance: u32 = lines.iter().map(|line| distance(provider, line.parent)).sum();
            // The problem of the best version of a parent is the most useful one to show.
            let age: usize = lines.iter().map(|line| better_versions(provider, line)).sum();
            (distance, age, lines.len())
        });
    match best.as_deref() {
        Some([line]) => explain_one(provider, line, &lines),
        Some(contradicting) => explain_conflict(provider, contradicting, &lines),
        None => {
            let mut all: Vec<&ProofLine<'_>> = lines.iter().collect();
            all.sort_by_key(|line| distance(provider, line.parent));
            all.truncate(LONGEST_LIST);
            explain_conflict(provider, &all, &lines)
        }
    }
}

/// The requirements in a proof, and for each project the indexes it excludes for other reasons than requirements.
fn read<'a>(provider: &Provider<'a>, tree: Tree) -> (Vec<ProofLine<'a>>, BTreeMap<u32, CandidateSet>) {
    let mut lines: Vec<ProofLine<'a>> = Vec::new();
    let mut excluded: BTreeMap<u32, CandidateSet> = BTreeMap::new();
    let mut known: HashSet<(Package, &'a str)> = HashSet::new();
    for external in externals(tree) {
        match external {
            External::NotRoot(..) => {}
            External::NoVersions(package, range) | External::Custom(package, range, _) => {
                if let Some(project) = package.project() {
                    let all = excluded.entry(project).or_insert_with(CandidateSet::empty);
                    *all = all.union(&range);
                }
            }
            External::FromDependencyOf(parent, parents, on, range) => {
                let Some(line) = line(provider, parent, parents, on, range) else { continue };
                if known.insert((line.parent, line.asked.requirement.without_marker())) {
                    lines.push(line);
                }
            }
        }
    }
    (lines, excluded)
}

/// The leaves of a proof. Taken apart step by step, because a long proof is too deep to be visited or dropped by
/// recursion.
fn externals(tree: Tree) -> Vec<External<Package, CandidateSet, String>> {
    let mut leaves = Vec::new();
    let mut visited = HashSet::new();
    let mut shared: Vec<Arc<Tree>> = Vec::new();
    let mut waiting = vec![Arc::new(tree)];
    while let Some(node) = waiting.pop() {
        match Arc::try_unwrap(node) {
            Ok(DerivationTree::External(external)) => leaves.push(external),
            Ok(DerivationTree::Derived(derived)) => waiting.extend([derived.cause1, derived.cause2]),
            Err(node) => {
                if visited.insert(Arc::as_ptr(&node)) {
                    match &*node {
                        DerivationTree::External(external) => leaves.push(external.clone()),
                        DerivationTree::Derived(derived) => {
                            waiting.extend([derived.cause1.clone(), derived.cause2.clone()]);
                        }
                    }
                    shared.push(node);
                }
            }
        }
    }
    leaves
}

fn line<'a>(
    provider: &Provider<'a>,
    parent: Package,
    parents: CandidateSet,
    on: Package,
    range: CandidateSet,
) -> Option<ProofLine<'a>> {
    let project = on.project()?;
    if parent.project() == Some(project) {
        return None;
    }
    let name = provider.table(project)?.name;
    let indexes: Vec<u32> = if parent == Package::Root { vec![0] } else { parents.best_first().collect() };
    indexes.into_iter().find_map(|index| {
        let asked = provider.active_requirements(parent, index).into_iter().find(|asked| {
            asked.requirement.name == *name
                && provider.requirement_range(project, asked.requirement).is_ok_and(|demand| demand.range == range)
        })?;
        Some(ProofLine { parent, parents: parents.clone(), index, asked, project, range: range.clone() })
    })
}

/// The smallest set of these requirements on one project, as far as it is easily found, that excludes everything.
fn contradiction<'l, 'a>(lines: &[&'l ProofLine<'a>], excluded: &CandidateSet) -> Option<Vec<&'l ProofLine<'a>>> {
    let usable = excluded.complement();
    let left: Vec<CandidateSet> = lines.iter().map(|line| line.range.intersection(&usable)).collect();
    let each = || lines.iter().zip(&left);
    if let Some((line, _)) = each().find(|(_, range)| range.is_empty()) {
        return Some(vec![line]);
    }
    // A proof that goes through thousands of versions has as many requirements on one project.
    let first = || each().take(200);
    for (place, (line, range)) in first().enumerate() {
        // Two versions of one project never meet.
        let mut others = first().skip(place + 1).filter(|(other, _)| other.parent.project() != line.parent.project());
        if let Some((other, _)) = others.find(|(_, other)| range.is_disjoint(other)) {
            return Some(vec![line, other]);
        }
    }
    let mut parents = HashSet::new();
    let one_each: Vec<_> = each().filter(|(line, _)| parents.insert(line.parent.project())).collect();
    let together = one_each.iter().fold(CandidateSet::full(), |all, (_, range)| all.intersection(range));
    together.is_empty().then(|| one_each.into_iter().map(|(line, _)| *line).collect())
}

/// How far a package is from the user: 0 the user, 1 what the user named, 2 anything else.
fn distance(provider: &Provider<'_>, package: Package) -> u32 {
    match package.project().and_then(|project| provider.table(project)) {
        None => 0,
        Some(table) if table.named.is_some() => 1,
        Some(_) => 2,
    }
}

/// How many versions of the parent are better than the one with the requirement.
fn better_versions(provider: &Provider<'_>, line: &ProofLine<'_>) -> usize {
    let table = line.parent.project().and_then(|project| provider.table(project));
    table.map_or(0, |table| table.entries.len().saturating_sub(line.index as usize + 1))
}

fn parent(provider: &Provider<'_>, line: &ProofLine<'_>) -> Option<Parent> {
    let table = provider.table(line.parent.project()?)?;
    let version = table.entry(line.index)?.version()?.clone();
    Some(Parent { name: table.name.clone(), version })
}

fn source(line: &ProofLine<'_>) -> String {
    line.asked.user_requirement.map(|user_requirement| user_requirement.source.clone()).unwrap_or_default()
}

fn explain_one<'a>(provider: &Provider<'a>, line: &ProofLine<'a>, all: &[ProofLine<'a>]) -> Explanation {
    let Some(table) = provider.table(line.project) else { return explain_conflict(provider, &[line], all) };
    let requirement: &Requirement = line.asked.requirement;
    if requirement.url.is_some()
        && let Some(candidate) = table.rejected.first()
        && let Some(reason) = &candidate.rejected
    {
        return Explanation::Unusable(Box::new(Unusable {
            requirement: requirement.clone(),
            parent: parent(provider, line),
            version: Some(candidate.version.clone()),
            reason: reason.clone(),
        }));
    }
    if let Some(reference) = reference_of_user(provider, line) {
        return explain_conflict(provider, &[&reference, line], all);
    }
    if !table.constraints.is_empty() {
        return explain_conflict(provider, &[line], all);
    }
    Explanation::NoMatch(Box::new(no_match(provider, line, &table, all)))
}

/// The direct reference of the user that leaves nothing else to choose for the project `line` is about.
fn reference_of_user<'a>(provider: &Provider<'a>, line: &ProofLine<'a>) -> Option<ProofLine<'a>> {
    let asked = provider
        .active_requirements(Package::Root, 0)
        .into_iter()
        .find(|asked| asked.requirement.name == line.asked.requirement.name && asked.requirement.url.is_some())?;
    let range = provider.requirement_range(line.project, asked.requirement).ok()?.range.clone();
    let parents = CandidateSet::singleton(0);
    Some(ProofLine { parent: Package::Root, parents, index: 0, asked, project: line.project, range })
}

fn no_match(provider: &Provider<'_>, line: &ProofLine<'_>, table: &Table<'_>, all: &[ProofLine<'_>]) -> NoMatch {
    let requirement = line.asked.requirement;
    let listed = || table.entries.iter().filter(|entry| entry.on_page);
    let versions_of = |yanked: bool| {
        let mut versions: Vec<_> =
            listed().filter(|entry| entry.yanked == yanked).filter_map(|entry| entry.version().cloned()).collect();
        versions.sort();
        versions
    };
    let mut rejected: Vec<_> = (table.rejected.iter())
        .filter_map(|candidate| Some((candidate.version.clone(), candidate.rejected.clone()?)))
        .collect();
    rejected.sort();
    let mut unusable: Vec<_> = (UNKNOWN_PAGE..)
        .zip(&table.entries)
        .filter_map(|(index, entry)| {
            let reason = provider.metadata(table, index)?.as_ref().err()?;
            Some((entry.version()?.clone(), reason.clone()))
        })
        .collect();
    unusable.sort();
    let mut notes = Vec::new();
    let mut fitting = rejected.iter().filter(|(version, _)| requirement.specifiers.contains(version));
    if let Some((version, rejection)) = fitting.next_back() {
        notes.push(Note::WouldMatch {
            name: table.name.clone(),
            version: version.clone(),
            rejection: rejection.clone(),
        });
    }
    notes.extend(why_there(provider, line, all));
    NoMatch {
        requirement: requirement.clone(),
        parent: parent(provider, line),
        source: source(line),
        versions: versions_of(false),
        yanked: versions_of(true),
        rejected,
        unusable,
        only_final: table.prereleases == Prereleases::Forbid,
        notes,
    }
}

fn explain_conflict(provider: &Provider<'_>, lines: &[&ProofLine<'_>], all: &[ProofLine<'_>]) -> Explanation {
    let mut ordered = lines.to_vec();
    // The user comes last, in the order written.
    ordered.sort_by_key(|line| {
        let user_requirement = provider
            .request
            .requirements
            .iter()
            .position(|user_requirement| line.asked.user_requirement == Some(user_requirement));
        (line.asked.user_requirement.is_some(), user_requirement)
    });
    let mut triggers: Vec<String> = Vec::new();
    let mut constraints = Vec::new();
    let mut without_candidates = Vec::new();
    let mut causes = Vec::new();
    let mut notes = Vec::new();
    for line in ordered {
        let parent = parent(provider, line);
        triggers.push(match &parent {
            Some(parent) => format!("{}=={}", parent.name, parent.version),
            None => specifiers_in_words(line.asked.requirement),
        });
        if let Some(table) = provider.table(line.project) {
            for user_requirement in &table.constraints {
                if !constraints.contains(*user_requirement) {
                    constraints.push((*user_requirement).clone());
                }
            }
            if table.page_known && table.entries.len() <= 1 && !without_candidates.contains(table.name) {
                without_candidates.push(table.name.clone());
            }
        }
        notes.extend(why_there(provider, line, all));
        notes.extend(the_same(provider, line));
        notes.extend(source_aside(provider, line, all));
        causes.push(ConflictCause { parent, requirement: line.asked.requirement.clone(), source: source(line) });
    }
    triggers.sort();
    triggers.dedup();
    without_candidates.sort();
    let mut seen = HashSet::new();
    notes.retain(|note| seen.insert(note.clone()));
    Explanation::Conflict(Conflict { triggers, causes, constraints, without_candidates, notes })
}

/// The way from the user to the parent of a requirement.
fn why_there(provider: &Provider<'_>, line: &ProofLine<'_>, all: &[ProofLine<'_>]) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut package = line.parent;
    let mut visited = HashSet::new();
    while let Some(project) = package.project() {
        if !visited.insert(project) {
            break;
        }
        let above =
            all.iter().filter(|above| above.project == project).min_by_key(|above| distance(provider, above.parent));
        let (Some(above), Some(table)) = (above, provider.table(project)) else { break };
        let by = match parent(provider, above) {
            Some(parent) => format!("{} {} depends on", parent.name, parent.version),
            // What was typed as a requirement of the command explains itself.
            None if source(above).is_empty() => break,
            None => format!("{} asks for", source(above)),
        };
        let sentence = format!("{} is needed because {by} {}", table.name, shown(above.asked.requirement));
        notes.push(Note::Sentence(sentence));
        package = above.parent;
    }
    notes
}

/// Versions of a parent that were not looked at because they would have to be built.
fn source_aside(provider: &Provider<'_>, line: &ProofLine<'_>, all: &[ProofLine<'_>]) -> Option<Note> {
    let project = line.parent.project()?;
    let table = provider.table(project)?;
    let of_parent: Vec<&Requirement> =
        all.iter().filter(|above| above.project == project).map(|above| above.asked.requirement).collect();
    let fits = |version| of_parent.iter().all(|asked| asked.specifiers.contains(version));
    let mut sources = table.rejected.iter().rev().filter(|candidate| {
        candidate.rejected == Some(Rejection::Source) && !candidate.yanked && fits(&candidate.version)
    });
    let best = sources.next()?;
    Some(Note::CouldFit {
        name: table.name.clone(),
        version: best.version.clone(),
        others: sources.count(),
        rejection: Rejection::Source,
    })
}

/// Other versions of a parent with the same requirement.
fn the_same(provider: &Provider<'_>, line: &ProofLine<'_>) -> Option<Note> {
    let table = provider.table(line.parent.project()?)?;
    let known: Vec<u32> = line.parents.best_first().filter(|index| table.entry(*index).is_some()).collect();
    let oldest = table.entry(*known.last()?)?.version()?;
    let others = known.len().checked_sub(1).filter(|others| *others > 0)?;
    let name = table.name;
    Some(Note::Sentence(format!(
        "{others} other versions of {name}, down to {oldest}, depend on {} in the same way",
        line.asked.requirement.name
    )))
}
