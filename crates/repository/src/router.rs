//! Which role signs for a target path, by the delegations as they are published.

use std::collections::{BTreeMap, HashMap};

use sha2::{Digest as _, Sha256};
use tuf::metadata::{DelegatedRole, DelegatedRoles, Delegations, PathSet, RoleKeys, RoleName, SuccinctRoles, Targets};
use tuf::{Key, KeyId};

use crate::roles::{BINS, CLAIMED, INDEX};

/// The role that signs for a target path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResponsibleRole {
    /// A role of the online key.
    Online(RoleName),
    /// The role of a project, signed by its own key holders.
    Project(RoleName),
}

/// The delegations of an index, indexed by target path.
#[derive(Clone, Debug)]
pub(crate) struct Router {
    /// The roles of projects with keys of their own, in order of priority.
    projects: Vec<DelegatedRole>,
    leaves: Leaves,
}

#[derive(Clone, Debug)]
enum Leaves {
    One(RoleName),
    Succinct(SuccinctRoles),
    /// All prefixes are equally long.
    Classic {
        digits: usize,
        by_prefix: HashMap<String, RoleName>,
    },
}

impl Router {
    /// `None` when the delegations are not of one of the profiles.
    pub fn new(delegators: &BTreeMap<RoleName, Targets>) -> Option<Self> {
        let targets = delegators.get(&RoleName::from("targets"))?.delegations.as_ref()?;
        let mut projects = Vec::new();
        let mut leaves = None;
        match &targets.roles {
            DelegatedRoles::Succinct(succinct) => leaves = Some(Leaves::Succinct(succinct.clone())),
            DelegatedRoles::Listed(roles) => {
                for role in roles {
                    match role.name.as_str() {
                        CLAIMED => projects = listed(delegators.get(&role.name)?)?.to_vec(),
                        INDEX => leaves = Some(Leaves::One(role.name.clone())),
                        BINS => leaves = Some(bins(delegators.get(&role.name)?.delegations.as_ref()?)?),
                        _ => return None,
                    }
                }
            }
        }
        Some(Self { projects, leaves: leaves? })
    }

    pub fn signer(&self, path: &str) -> Option<ResponsibleRole> {
        if let Some(project) = self.projects.iter().find(|project| project.matches(path)) {
            return Some(ResponsibleRole::Project(project.name.clone()));
        }
        let leaf = match &self.leaves {
            Leaves::One(name) => name.clone(),
            Leaves::Succinct(succinct) => succinct.bin(path),
            Leaves::Classic { digits, by_prefix } => {
                let hash = hex::encode(Sha256::digest(path.as_bytes()));
                by_prefix.get(hash.get(..*digits)?)?.clone()
            }
        };
        Some(ResponsibleRole::Online(leaf))
    }

    /// All roles of the online key.
    pub fn leaves(&self) -> Vec<RoleName> {
        match &self.leaves {
            Leaves::One(name) => vec![name.clone()],
            Leaves::Succinct(succinct) => succinct.bins().collect(),
            Leaves::Classic { by_prefix, .. } => {
                let mut names: Vec<RoleName> = by_prefix.values().cloned().collect();
                names.sort();
                names.dedup();
                names
            }
        }
    }

    /// The roles of all projects with keys of their own.
    pub fn projects(&self) -> impl Iterator<Item = &RoleName> {
        self.projects.iter().map(|project| &project.name)
    }
}

/// The keys of a role, from the role that delegates to it.
pub(crate) fn keys_of<'a>(
    delegators: &'a BTreeMap<RoleName, Targets>,
    role: &RoleName,
) -> Option<(&'a BTreeMap<KeyId, Key>, &'a RoleKeys)> {
    delegators.values().filter_map(|delegator| delegator.delegations.as_ref()).find_map(|delegations| {
        let keys = match &delegations.roles {
            DelegatedRoles::Listed(_) => delegations.role_keys(role)?,
            // Succinct roles have keys for any name.
            DelegatedRoles::Succinct(succinct) => {
                let number = role.as_str().strip_prefix(succinct.name_prefix.as_str())?.strip_prefix('-')?;
                let digits = usize::from(succinct.bit_length.div_ceil(4));
                let is_bin =
                    number.len() == digits && u64::from_str_radix(number, 16).ok()? >> succinct.bit_length == 0;
                is_bin.then_some(&succinct.keys)?
            }
        };
        Some((&delegations.keys, keys))
    })
}

/// The roles that a metadata file lists one by one.
fn listed(targets: &Targets) -> Option<&[DelegatedRole]> {
    match &targets.delegations {
        None => Some(&[]),
        Some(Delegations { roles: DelegatedRoles::Listed(roles), .. }) => Some(roles),
        Some(_) => None,
    }
}

fn bins(delegations: &Delegations) -> Option<Leaves> {
    let roles = match &delegations.roles {
        DelegatedRoles::Succinct(succinct) => return Some(Leaves::Succinct(succinct.clone())),
        DelegatedRoles::Listed(roles) => roles,
    };
    let mut by_prefix = HashMap::new();
    let mut digits = None;
    for role in roles {
        let PathSet::HashPrefixes(prefixes) = &role.paths else { return None };
        for prefix in prefixes.iter().map(|prefix| prefix.as_str()) {
            if *digits.get_or_insert(prefix.len()) != prefix.len() {
                return None;
            }
            by_prefix.insert(prefix.to_owned(), role.name.clone());
        }
    }
    Some(Leaves::Classic { digits: digits?, by_prefix })
}
