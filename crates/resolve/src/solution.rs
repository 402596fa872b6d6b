//! From the solver's choice to a resolution: pins, the requirements for them, warnings.

use std::collections::{BTreeMap, HashMap};

use crate::order;
use crate::outcome::{Pin, RequestedBy, Resolution, Warning};
use crate::provider::Provider;
use crate::search::Package;

/// What the solver chose.
pub(crate) type Chosen = HashMap<Package, u32>;

/// The chosen packages in the order in which they were met; the request comes first.
pub(crate) fn in_order(chosen: &Chosen) -> BTreeMap<Package, u32> {
    chosen.iter().map(|(package, index)| (*package, *index)).collect()
}

/// A direct reference that was chosen only because nothing else fits, while nothing in the solution requires it.
pub(crate) fn unwanted_reference(provider: &Provider<'_>, chosen: &Chosen) -> Option<String> {
    let is_direct = |package: &Package, index: u32| {
        let table = package.project().and_then(|project| provider.table(project));
        table.is_some_and(|table| table.entry(index).is_some_and(|entry| entry.direct))
    };
    let mut direct: HashMap<Package, u32> = chosen
        .iter()
        .filter(|(package, index)| matches!(package, Package::Project(_)) && is_direct(package, **index))
        .map(|(package, index)| (*package, *index))
        .collect();
    if direct.is_empty() {
        return None;
    }
    for (package, index) in chosen {
        for asked in
            provider.active_requirements(*package, *index).into_iter().filter(|asked| asked.requirement.url.is_some())
        {
            direct.remove(&Package::Project(provider.number(&asked.requirement.name)));
        }
    }
    direct.into_iter().find_map(|(package, index)| {
        let table = provider.table(package.project()?)?;
        if table.constraints.iter().any(|user_requirement| user_requirement.requirement.url.is_some()) {
            return None;
        }
        table.reference(index).map(|reference| reference.key.clone())
    })
}

/// The resolution of a choice that lacks no facts.
pub(crate) fn resolution(provider: &Provider<'_>, chosen: &Chosen) -> Resolution {
    let mut requested_by: HashMap<u32, Vec<RequestedBy>> = HashMap::new();
    let mut graph: BTreeMap<Package, Vec<Package>> = BTreeMap::new();
    let mut warnings = Vec::new();
    for (package, index) in in_order(chosen) {
        let dependencies = graph.entry(package).or_default();
        if let Package::Extra(project, _) = package {
            dependencies.push(Package::Project(project));
            warnings.extend(unknown_extra(provider, package, index));
        }
        for asked in provider.active_requirements(package, index) {
            dependencies.extend(provider.packages(asked.requirement));
            let target = provider.number(&asked.requirement.name);
            if Some(target) == package.project() {
                continue;
            }
            let requirement = asked.requirement.clone();
            let by = match asked.user_requirement {
                Some(user_requirement) => RequestedBy::User { requirement, source: user_requirement.source.clone() },
                None => {
                    let Some(table) = package.project().and_then(|project| provider.table(project)) else { continue };
                    let Some(parent) = provider.candidate_id(&table, index) else { continue };
                    RequestedBy::Pin { name: parent.name, version: parent.version, requirement }
                }
            };
            let all = requested_by.entry(target).or_default();
            if !all.contains(&by) {
                all.push(by);
            }
        }
    }
    let names = |package: Package| {
        package.project().and_then(|project| provider.table(project)).map(|table| table.name.to_string())
    };
    let pins = order::installation_order(&graph, names)
        .into_iter()
        .filter_map(|project| {
            let table = provider.table(project)?;
            let index = *chosen.get(&Package::Project(project))?;
            let mut extras: Vec<_> = chosen
                .keys()
                .filter_map(|package| match package {
                    Package::Extra(of, extra) if *of == project => provider.extra(*extra).cloned(),
                    _ => None,
                })
                .collect();
            extras.sort();
            Some(Pin {
                candidate: provider.candidate_id(&table, index)?,
                extras,
                yanked: table.entry(index)?.candidate()?.yanked,
                requested_by: requested_by.remove(&project).unwrap_or_default(),
            })
        })
        .collect();
    Resolution { pins, warnings }
}

fn unknown_extra(provider: &Provider<'_>, package: Package, index: u32) -> Option<Warning> {
    let Package::Extra(project, extra) = package else { return None };
    let table = provider.table(project)?;
    let extra = provider.extra(extra)?;
    let metadata = provider.metadata(&table, index)?.as_ref().ok()?;
    if metadata.provides_extras.contains(extra) {
        return None;
    }
    let candidate = provider.candidate_id(&table, index)?;
    Some(Warning::UnknownExtra { name: candidate.name, version: candidate.version, extra: extra.clone() })
}
