//! Solving: attempts until nothing new is learned, then solution, missing facts or explanation.

use std::collections::BTreeMap;

use pubgrub::PubGrubError;

use crate::catalog::{CandidateOrigin, Catalog};
use crate::conflict;
use crate::outcome::{Fact, SolveOutcome};
use crate::provider::{Discovery, Learned, Provider};
use crate::request::ResolveRequest;
use crate::search::Package;
use crate::solution::{self, Chosen};
use crate::table::{EntrySource, Table};

/// The most candidates of one project whose metadata is requested at once.
const LARGEST_BATCH: usize = 256;
/// From this number of known metadata on, a batch goes beyond the range in question.
const METADATA_OF_A_LONG_SEARCH: usize = 4;

/// Says which candidate of each project to take, or what is missing to know it, or why there is none.
///
/// What is missing is relaxed: an unknown project or candidate fits everything and needs nothing. So one call
/// finds all facts that can be known to matter, and what is impossible under these assumptions is impossible.
pub fn solve(catalog: &Catalog, request: &ResolveRequest<'_>) -> SolveOutcome {
    let mut learned = Learned::default();
    // Each further attempt knows one more direct reference, admitted or early project, of which there are finitely
    // many.
    loop {
        match attempt(catalog, request, &learned) {
            Attempt::Done(outcome) => return outcome,
            Attempt::Again(more) => more.add_to(&mut learned),
        }
    }
}

enum Attempt {
    Done(SolveOutcome),
    Again(More),
}

/// Something to know in the next attempt.
enum More {
    Discovery(Discovery),
    Unwanted(String),
    Admitted(Vec<packaging::PackageName>),
}

impl More {
    fn add_to(self, learned: &mut Learned) {
        match self {
            Self::Discovery(Discovery::Reference { name, reference }) => {
                learned.references.entry(name).or_default().push(reference);
            }
            Self::Discovery(Discovery::Early(name)) => learned.early.push(name),
            Self::Unwanted(key) => drop(learned.unwanted.insert(key)),
            Self::Admitted(names) => learned.admitted.extend(names),
        }
    }
}

fn attempt(catalog: &Catalog, request: &ResolveRequest<'_>, learned: &Learned) -> Attempt {
    let provider = Provider::new(catalog, request, learned);
    let result = pubgrub::resolve(&provider, Package::Root, 0u32);
    let refused = provider.refused_but_requested();
    if !refused.is_empty() {
        return Attempt::Again(More::Admitted(refused));
    }
    match result {
        Ok(selected) => {
            let chosen: Chosen = selected.into_iter().collect();
            if let Some(key) = solution::unwanted_reference(&provider, &chosen) {
                return Attempt::Again(More::Unwanted(key));
            }
            let facts = missing(&provider, &chosen);
            if facts.is_empty() {
                Attempt::Done(SolveOutcome::Solved(solution::resolution(&provider, &chosen)))
            } else {
                Attempt::Done(SolveOutcome::Missing(facts))
            }
        }
        Err(PubGrubError::NoSolution(tree)) => {
            Attempt::Done(SolveOutcome::Impossible(conflict::explain(&provider, tree)))
        }
        Err(
            PubGrubError::ErrorRetrievingDependencies { source, .. }
            | PubGrubError::ErrorChoosingVersion { source, .. }
            | PubGrubError::ErrorInShouldCancel(source),
        ) => Attempt::Again(More::Discovery(source)),
    }
}

/// The facts a relaxed solution stands on, in the order in which projects were met.
fn missing(provider: &Provider<'_>, chosen: &Chosen) -> Vec<Fact> {
    let projects: BTreeMap<u32, u32> = chosen
        .iter()
        .filter_map(|(package, index)| match package {
            Package::Project(project) => Some((*project, *index)),
            _ => None,
        })
        .collect();
    let mut facts = Vec::new();
    for (project, index) in projects {
        let Some(table) = provider.table(project) else { continue };
        match table.entry(index).map(|entry| &entry.source) {
            Some(EntrySource::UnknownPage) => facts.push(Fact::Project(table.name.clone())),
            Some(EntrySource::UnknownDirect(reference)) => {
                facts.push(Fact::Direct { name: table.name.clone(), url: reference.url.clone() });
            }
            Some(EntrySource::Known(_)) if provider.lacks_metadata(&table, index) => {
                facts.extend(metadata_batch(provider, project, &table, index));
            }
            _ => {}
        }
    }
    facts
}

/// The metadata of the chosen candidate and of those that would be tried next.
///
/// The more metadata of a project was already requested, the more is requested at once, so that going back through
/// thousands of versions needs few rounds.
fn metadata_batch(provider: &Provider<'_>, project: u32, table: &Table<'_>, index: u32) -> Vec<Fact> {
    let known = provider
        .catalog
        .project(table.name)
        .map_or(0, |project| project.metadata.keys().filter(|(_, origin)| *origin == CandidateOrigin::Index).count());
    let user_requirement = (known + 1).min(LARGEST_BATCH);
    let search = provider.search.borrow();
    let range = search.range(Package::Project(project));
    let in_range = range.into_iter().flat_map(|range| range.best_first()).filter(|other| *other < index);
    let below = (1..index).rev().filter(|_| known >= METADATA_OF_A_LONG_SEARCH);
    let others = in_range.chain(below).filter(|other| {
        let plain = table.entry(*other).is_some_and(|entry| entry.on_page && !entry.yanked && !entry.is_prerelease());
        plain && provider.lacks_metadata(table, *other)
    });
    let mut batch = vec![index];
    for other in others {
        if batch.len() >= user_requirement {
            break;
        }
        if !batch.contains(&other) {
            batch.push(other);
        }
    }
    batch.into_iter().filter_map(|index| provider.candidate_id(table, index)).map(Fact::Metadata).collect()
}
