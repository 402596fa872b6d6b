//! Nothing wrong: the update is made.

use tuf::UnixTime;
use tuf::metadata::{TargetFile, TopLevelRole};

use super::Expected::Accepted;
use super::{History, List};
use crate::python_tuf::repository::{DAY, Repository, public};

pub(super) fn add(list: &mut List) {
    use History::{Either, Needed};
    for number in 0..40 {
        list.add(format!("honest {number}"), Either, Accepted, |_, _| {});
    }
    list.add("five new roots with new keys", Either, Accepted, |repository, _| {
        for _ in 0..5 {
            for role in TopLevelRole::ALL {
                repository.new_top_level_keys(role);
            }
            repository.next_root();
            repository.publish_root();
        }
    });
    list.add("consistent snapshots from now on, or no longer", Needed, Accepted, |repository, _| {
        repository.root.consistent_snapshot = Some(!repository.root.consistent_snapshot());
        repository.next_root();
        repository.publish_root();
    });
    list.add("an expired root before the last one", Either, Accepted, |repository, _| {
        let expires = std::mem::replace(&mut repository.root.expires, UnixTime(repository.now.0 - DAY));
        repository.next_root();
        repository.publish_root();
        repository.root.expires = expires;
        repository.next_root();
        repository.publish_root();
    });
    list.add("the timestamp of the same version says something else", Needed, Accepted, |repository, _| {
        repository.timestamp.version -= 1;
    });
    list.add("a chain of 32 delegations and one of 33", History::Unwanted, Accepted, |repository, _| chain(repository));
}

/// Every link knows the next one; the links from the 30th on have a target.
fn chain(repository: &mut Repository) {
    use tuf::metadata::{DelegatedRole, DelegatedRoles, Delegations, PathPattern, PathSet, RoleKeys, Targets};
    let (keys, threshold) = repository.new_keys();
    for link in 1..=34 {
        let name = format!("link {link}");
        let mut targets = Targets::new(1, repository.root.expires);
        if link >= 30 {
            targets.targets.insert(format!("deep-{link}"), TargetFile::of(name.as_bytes()));
        }
        repository.targets.insert(name.clone(), targets);
        repository.signers.insert(name.clone(), keys.clone());
        repository.enough.insert(name.clone(), threshold);
        let paths = PathSet::Patterns(vec![PathPattern::new("deep-*")]);
        let role_keys = RoleKeys::new(&public(&keys), threshold as u64);
        let role = DelegatedRole::new(name.as_str().into(), role_keys, paths);
        let before = if link == 1 { "targets".to_owned() } else { format!("link {}", link - 1) };
        let delegations = Delegations::new(&public(&keys), DelegatedRoles::Listed(vec![role]));
        repository.targets.get_mut(&before).unwrap().delegations = Some(delegations);
    }
}
