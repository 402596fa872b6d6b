//! Which delegated roles match a target path, without asking each of 16,384.

use crate::metadata::{DelegatedRole, DelegatedRoles, Delegations, HashPrefix, PathSet, RoleName, path_hash};
use std::collections::BTreeSet;

/// Made once for a targets file, which does not change.
#[derive(Debug)]
pub(crate) struct DelegationIndex {
    /// Positions of the roles that list patterns: asked one by one.
    by_pattern: Vec<usize>,
    /// All prefixes, sorted, and without copies of them: the position of the role, and the prefix's among those of the role.
    by_prefix: Vec<(usize, usize)>,
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
        let roles = delegations.map_or(&[][..], listed);
        for (position, role) in roles.iter().enumerate() {
            match &role.paths {
                PathSet::Patterns(_) => by_pattern.push(position),
                PathSet::HashPrefixes(prefixes) => {
                    prefix_lengths.extend(prefixes.iter().map(|prefix| prefix.as_str().len()));
                    by_prefix.extend((0..prefixes.len()).map(|prefix| (position, prefix)));
                }
            }
        }
        by_prefix.sort_by_key(|entry| prefix(roles, *entry));
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
        let mut positions = self.with_prefix_of(roles, path);
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

    fn with_prefix_of(&self, roles: &[DelegatedRole], path: &str) -> Vec<usize> {
        if self.by_prefix.is_empty() {
            return Vec::new();
        }
        let hash = path_hash(path);
        let mut positions = Vec::new();
        for start_of_hash in self.prefix_lengths.iter().filter_map(|length| hash.get(..*length)) {
            let first = self.by_prefix.partition_point(|entry| prefix(roles, *entry) < start_of_hash);
            let same = self.by_prefix.iter().skip(first).take_while(|entry| prefix(roles, **entry) == start_of_hash);
            positions.extend(same.map(|(position, _)| *position));
        }
        positions
    }
}

/// An entry of the index as text; all entries have one.
fn prefix(roles: &[DelegatedRole], (role, prefix): (usize, usize)) -> &str {
    match roles.get(role).map(|role| &role.paths) {
        Some(PathSet::HashPrefixes(prefixes)) => prefixes.get(prefix).map_or("", HashPrefix::as_str),
        _ => "",
    }
}

fn listed(delegations: &Delegations) -> &[DelegatedRole] {
    match &delegations.roles {
        DelegatedRoles::Listed(roles) => roles,
        DelegatedRoles::Succinct(_) => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Object;
    use crate::metadata::{PathPattern, RoleKeys, SuccinctRoles};
    use std::collections::BTreeMap;

    fn keys() -> RoleKeys {
        RoleKeys { key_ids: Vec::new(), threshold: 1, other: Object::new() }
    }

    fn delegations(roles: DelegatedRoles) -> Delegations {
        Delegations { keys: BTreeMap::new(), roles, other: Object::new() }
    }

    fn role(number: usize, paths: PathSet, terminating: bool) -> DelegatedRole {
        let name = RoleName::from(format!("role-{number}").as_str());
        DelegatedRole { terminating: Some(terminating), ..DelegatedRole::new(name, keys(), paths) }
    }

    fn prefixes(prefixes: &[&str]) -> PathSet {
        PathSet::HashPrefixes(prefixes.iter().map(|digits| HashPrefix::new(digits).unwrap()).collect())
    }

    fn matching(delegations: &Delegations, path: &str) -> Vec<(String, bool)> {
        let matching = DelegationIndex::new(Some(delegations)).matching(delegations, path);
        matching.into_iter().map(|matched| (matched.name.to_string(), matched.terminating)).collect()
    }

    /// All roles asked in turn, which is how the specification says it.
    fn matching_in_turn(delegations: &Delegations, path: &str) -> Vec<(String, bool)> {
        let mut found = Vec::new();
        for role in listed(delegations).iter().filter(|role| role.matches(path)) {
            found.push((role.name.to_string(), role.is_terminating()));
            if role.is_terminating() {
                break;
            }
        }
        found
    }

    /// A small generator (xorshift), so that a failure can be repeated.
    fn random(state: &mut u64, below: usize) -> usize {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (*state >> 33) as usize % below
    }

    #[test]
    fn same_as_asking_all_roles_in_turn() {
        let mut state = 0x0123_4567_89ab_cdef;
        let mut several = 0;
        for _ in 0..300 {
            let mut roles = Vec::new();
            for number in 0..random(&mut state, 24) {
                let paths = if random(&mut state, 4) == 0 {
                    let patterns = ["*", "a*", "?1", "b*", "c/*"];
                    PathSet::Patterns(vec![PathPattern::new(patterns[random(&mut state, patterns.len())])])
                } else {
                    let one = |state: &mut u64| {
                        let digits: String =
                            (0..=random(state, 3)).map(|_| ['0', '7', 'a', 'f'][random(state, 4)]).collect();
                        HashPrefix::new(&digits).unwrap()
                    };
                    PathSet::HashPrefixes((0..random(&mut state, 5)).map(|_| one(&mut state)).collect())
                };
                roles.push(role(number, paths, random(&mut state, 8) == 0));
            }
            let delegations = delegations(DelegatedRoles::Listed(roles));
            for path in (0..20).map(|number| format!("{}{number}", ["a", "b", "c/"][number % 3])) {
                let expected = matching_in_turn(&delegations, &path);
                several += usize::from(expected.len() > 1);
                assert_eq!(matching(&delegations, &path), expected, "{path}");
            }
        }
        assert!(several > 500, "{several} paths with several roles: too few to mean something");
    }

    #[test]
    fn the_order_is_that_of_the_roles() {
        // SHA-256 of `a` begins with ca97.
        let roles = vec![
            role(0, prefixes(&["ca97"]), false),
            role(1, PathSet::Patterns(vec![PathPattern::new("a")]), false),
            role(2, prefixes(&["c", "ca", "cb"]), true),
            role(3, prefixes(&["ca"]), true),
        ];
        let delegations = delegations(DelegatedRoles::Listed(roles));
        let expected = [("role-0", false), ("role-1", false), ("role-2", true)];
        assert_eq!(matching(&delegations, "a"), expected.map(|(name, last)| (name.to_owned(), last)));
        assert_eq!(matching(&delegations, "b"), []);
    }

    #[test]
    fn a_bin_is_the_last_to_be_asked() {
        let succinct = SuccinctRoles { keys: keys(), bit_length: 8, name_prefix: "bins".to_owned() };
        let delegations = delegations(DelegatedRoles::Succinct(succinct));
        assert_eq!(matching(&delegations, "a"), [("bins-ca".to_owned(), true)]);
    }

    /// How fast is measured by `thousand_look_ups_in_a_thousand_loaded_bins` of the benchmark.
    #[test]
    fn each_path_is_in_one_of_16384_bins() {
        let bin = |number: usize| {
            let digits: Vec<String> = (0..4).map(|prefix| format!("{:04x}", number * 4 + prefix)).collect();
            role(number, prefixes(&digits.iter().map(String::as_str).collect::<Vec<_>>()), false)
        };
        let delegations = delegations(DelegatedRoles::Listed((0..16_384).map(bin).collect()));
        let index = DelegationIndex::new(Some(&delegations));
        for number in 0..1_000 {
            assert_eq!(index.matching(&delegations, &format!("path/{number}")).len(), 1);
        }
    }
}
