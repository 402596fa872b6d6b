//! New keys and thresholds for timestamp, snapshot and targets, by a new root. Ten sequences for each role.

use tuf::metadata::TopLevelRole;
use tuf::{Check, Error};

use super::simulator::{Machine, Repository, ed25519_keys, refused};

/// Numbers of a role's keys, its threshold, and whose keys sign its files.
type Version<'a> = (&'a [u16], u64, &'a [u16]);

/// A first version is accepted. Then comes the second, with a new root and new files; whether they are accepted.
#[track_caller]
fn rotation(first: Version<'_>, second: Version<'_>, accepted: bool) {
    for role in [TopLevelRole::Timestamp, TopLevelRole::Snapshot, TopLevelRole::Targets] {
        let signers = |numbers: &[u16]| ed25519_keys(numbers.iter().map(|number| 20 + number));
        let mut repository = Repository::new();
        repository.rotate(role, &signers(first.0), first.1);
        repository.signers.insert(role.name().to_owned(), signers(first.2));
        repository.publish();
        let mut machine = Machine::refreshed(&repository);

        repository.rotate(role, &signers(second.0), second.1);
        repository.signers.insert(role.name().to_owned(), signers(second.2));
        repository.release("targets");
        let result = machine.refresh(&repository);
        if accepted {
            result.unwrap();
        } else {
            let version = if role == TopLevelRole::Timestamp { None } else { Some(2) };
            refused(result, Check::Signatures, role.name(), version);
            repository.signers.insert(role.name().to_owned(), signers(second.0));
            repository.publish();
            machine.refresh(&repository).unwrap();
        }
        assert_eq!(machine.trusts(), "root 3, timestamp 2, snapshot 2, targets 2");
    }
}

#[test]
fn one_of_one() {
    rotation((&[1], 1, &[1]), (&[2], 1, &[2]), true);
}

#[test]
fn one_of_one_with_signatures_of_strangers() {
    rotation((&[1], 1, &[3, 1, 4]), (&[2], 1, &[3, 2, 1, 4]), true);
}

#[test]
fn one_of_one_signed_by_the_old_key() {
    rotation((&[1], 1, &[1]), (&[2], 1, &[1, 3, 4]), false);
}

#[test]
fn three_of_five_signed_by_others_of_them() {
    rotation((&[0, 1, 2, 3, 4], 3, &[0, 2, 4]), (&[0, 1, 2, 3, 4], 3, &[1, 3, 4]), true);
}

#[test]
fn three_of_five_with_one_key_replaced() {
    rotation((&[0, 1, 2, 3, 4], 3, &[0, 2, 4]), (&[0, 1, 3, 4, 5], 3, &[0, 5, 1]), true);
}

#[test]
fn three_of_five_with_one_key_replaced_signed_by_the_old_one() {
    rotation((&[0, 1, 2, 3, 4], 3, &[0, 2, 4]), (&[0, 1, 3, 4, 5], 3, &[0, 2, 4]), false);
}

#[test]
fn three_of_five_with_all_keys_replaced() {
    rotation((&[0, 1, 2, 3, 4], 3, &[0, 2, 4]), (&[5, 6, 7, 8, 9], 3, &[5, 6, 7]), true);
}

#[test]
fn the_threshold_rises() {
    rotation((&[1, 2, 3], 1, &[1]), (&[1, 2, 3], 2, &[1, 2]), true);
}

#[test]
fn the_threshold_rises_and_is_not_met() {
    rotation((&[1, 2, 3], 1, &[1]), (&[1, 2, 3], 2, &[2]), false);
}

#[test]
fn the_threshold_falls() {
    rotation((&[1, 2, 3], 2, &[1, 2]), (&[1, 2, 3], 1, &[3]), true);
}

/// Stored files are judged by the newest root like all others: new keys make them worthless.
#[test]
fn what_old_keys_signed_is_fetched_again() -> Result<(), Error> {
    for (role, requested) in [
        (TopLevelRole::Timestamp, &["2.root.json", "3.root.json", "timestamp.json", "1.snapshot.json"][..]),
        (TopLevelRole::Snapshot, &["2.root.json", "3.root.json", "timestamp.json", "1.snapshot.json"]),
        (TopLevelRole::Targets, &["2.root.json", "3.root.json", "timestamp.json", "1.targets.json"]),
    ] {
        let mut repository = Repository::new();
        let mut machine = Machine::refreshed(&repository);
        repository.rotate(role, &ed25519_keys([30]), 1);
        repository.publish();
        machine.refresh(&repository)?;
        assert_eq!(machine.requested, requested);
        assert_eq!(machine.trusts(), "root 2, timestamp 1, snapshot 1, targets 1");
    }
    Ok(())
}
