//! The order in which pins are installed: what others depend on first.
//!
//! As pip does it: packages without dependencies come first, then those that depend only on them, and so on; within
//! one layer names descend. What then is left has cycles; there the longest way from the request counts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::search::Package;

/// Ways to one package that are followed before the rest is taken to add nothing; keeps the walk linear.
const WAYS_FOLLOWED: usize = 5;

/// Project numbers in installation order.
pub(crate) fn installation_order(
    graph: &BTreeMap<Package, Vec<Package>>,
    name: impl Fn(Package) -> Option<String>,
) -> Vec<u32> {
    let mut left: BTreeMap<Package, BTreeSet<Package>> = graph
        .iter()
        .map(|(package, dependencies)| {
            (*package, dependencies.iter().copied().filter(|dependency| dependency != package).collect())
        })
        .collect();
    let mut weights: HashMap<Package, usize> = HashMap::new();
    loop {
        let leaves: Vec<Package> = left
            .iter()
            .filter(|(package, dependencies)| {
                **package != Package::Root && !dependencies.iter().any(|dependency| left.contains_key(dependency))
            })
            .map(|(package, _)| *package)
            .collect();
        if leaves.is_empty() {
            break;
        }
        let weight = left.len() - 1;
        for leaf in leaves {
            weights.insert(leaf, weight);
            left.remove(&leaf);
        }
    }
    weigh_cycles(&left, &mut weights);
    let mut projects: Vec<(usize, String, u32)> = weights
        .into_iter()
        .filter_map(|(package, weight)| match package {
            Package::Project(project) => Some((weight, name(package)?, project)),
            _ => None,
        })
        .collect();
    projects.sort_unstable_by(|one, other| other.cmp(one));
    projects.into_iter().map(|(_, _, project)| project).collect()
}

/// The length of the longest way without repetition from the request to each package of a graph without leaves.
fn weigh_cycles(graph: &BTreeMap<Package, BTreeSet<Package>>, weights: &mut HashMap<Package, usize>) {
    let mut visits: HashMap<Package, usize> = HashMap::new();
    let mut path = vec![Package::Root];
    let mut on_path = BTreeSet::from([Package::Root]);
    let mut waiting: Vec<Vec<Package>> = vec![graph.get(&Package::Root).into_iter().flatten().copied().collect()];
    while let Some(next) = waiting.last_mut().map(Vec::pop) {
        match next {
            Some(package) => {
                let seen = visits.entry(package).or_default();
                if on_path.contains(&package) || *seen >= WAYS_FOLLOWED || !graph.contains_key(&package) {
                    continue;
                }
                *seen += 1;
                path.push(package);
                on_path.insert(package);
                waiting.push(graph.get(&package).into_iter().flatten().copied().collect());
            }
            None => {
                waiting.pop();
                if let Some(package) = path.pop() {
                    on_path.remove(&package);
                    let weight = weights.entry(package).or_default();
                    *weight = (*weight).max(path.len());
                }
            }
        }
    }
}
