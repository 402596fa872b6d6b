//! Which delegated roles match a target path, without asking each of 16,384.

use crate::metadata::{DelegatedRole, DelegatedRoles, Delegations, HashPrefix, PathSet, RoleName, path_hash};
use std::collections::BTreeSet;

/// Made once for a targets file, which does not change.
#[derive(Debug)]
pub(crate) struct DelegationIndex {
    /// Positions of the roles that list patterns: asked one by one.
    by_pattern: Vec<usize>,
    /// Each prefix with the position of its role, sorted.
    by_prefix: Vec<(HashPrefix, usize)>,
    /// The distinct lengths of prefixes: a path is looked up once for each. In practice it is one.
    prefix_lengths: BTreeSet<usize>,
}

/// A delegated role that may speak of a path.
pub(crate) struct Matched {
    pub(crate) name: RoleName,
    /// The last one, if true.
    pub(crate) terminating: bool,
}

impl DelegationIndex {
    pub(crate) fn new(delegations: Option<&Delegations>) -> Self {
        let mut by_pattern = Vec::new();
        let mut by_prefix = Vec::new();
        let mut prefix_lengths = BTreeSet::new();
        for (position, role) in delegations.map_or(&[][..], listed).iter().enumerate() {
            match &role.paths {
                PathSet::Patterns(_) => by_pattern.push(position),
                PathSet::HashPrefixes(prefixes) => {
                    prefix_lengths.extend(prefixes.iter().map(|prefix| prefix.as_str().len()));
                    by_prefix.extend(prefixes.iter().map(|prefix| (prefix.clone(), position)));
                }
            }
        }
        by_prefix.sort_unstable();
        DelegationIndex { by_pattern, by_prefix, prefix_lengths }
    }

    /// The roles that may speak of a path, in order of priority, up to the first terminating one. `delegations` are those
    /// the index was made for.
    pub(crate) fn matching(&self, delegations: &Delegations, path: &str) -> Vec<Matched> {
        if let DelegatedRoles::Succinct(succinct) = &delegations.roles {
            // Terminating, as python-tuf and go-tuf take it (TAP 15 says otherwise): nothing follows the bins in this file, and
            // what follows the file itself gets less to say this way, never more.
            return vec![Matched { name: succinct.bin(path), terminating: true }];
        }
        let roles = listed(delegations);
        let mut positions = self.with_prefix_of(path);
        let by_pattern = self.by_pattern.iter().copied();
        positions.extend(by_pattern.filter(|position| roles.get(*position).is_some_and(|role| role.matches(path))));
        positions.sort_unstable();
        positions.dedup();

        let mut matching = Vec::new();
        for role in positions.into_iter().filter_map(|position| roles.get(position)) {
            matching.push(Matched { name: role.name.clone(), terminating: role.is_terminating() });
            if role.is_terminating() {
                break;
            }
        }
        matching
    }

    fn with_prefix_of(&self, path: &str) -> Vec<usize> {
        if self.by_prefix.is_empty() {
            return Vec::new();
        }
        let hash = path_hash(path);
        let mut positions = Vec::new();
        for prefix in self.prefix_lengths.iter().filter_map(|length| hash.get(..*length)) {
            let start = self.by_prefix.partition_point(|(other, _)| other.as_str() < prefix);
            let same = self.by_prefix.iter().skip(start).take_while(|(other, _)| other.as_str() == prefix);
            positions.extend(same.map(|(_, position)| *position));
        }
        positions
    }
}

fn listed(delegations: &Delegations) -> &[DelegatedRole] {
    match &delegations.roles {
        DelegatedRoles::Listed(roles) => roles,
        DelegatedRoles::Succinct(_) => &[],
    }
}
