//! Who must sign a new root: enough keys of the old one and enough of its own (TUF 5.3.4). Fifteen sequences.

use tuf::metadata::{Root, TopLevelRole};
use tuf::{Check, UnixTime};

use super::simulator::{DAY, Machine, NOW, Repository, ed25519_keys, public, refused, sign};

/// A version of the root: the numbers of its keys, its threshold, and whose keys sign it.
type Version<'a> = (&'a [u16], u64, &'a [u16]);

/// What becomes of the last version of a sequence; all before it are accepted.
enum Last {
    Accepted,
    Refused,
}
use Last::{Accepted, Refused};

/// The number of keys `first..` that other roles do not have.
fn numbered(first: u16, numbers: &[u16]) -> impl Iterator<Item = u16> {
    numbers.iter().map(move |number| first + number)
}

#[track_caller]
fn sequence(versions: &[Version<'_>], last: Last) {
    let mut repository = Repository::new();
    let mut machine = None;
    for (version, (keys, threshold, signers)) in (1..).zip(versions) {
        let keys = ed25519_keys(numbered(20, keys));
        let signers = ed25519_keys(numbered(20, signers));
        repository.root.set_role(TopLevelRole::Root, &public(&keys), *threshold);
        repository.root.version = version;
        repository.publish_root_signed_by(&signers);
        machine.get_or_insert_with(|| Machine::trusting(&repository));
    }
    let mut machine = machine.unwrap();
    let newest = versions.len() as u64;
    match last {
        Accepted => {
            machine.refresh(&repository).unwrap();
            assert_eq!(machine.trusts(), format!("root {newest}, timestamp 1, snapshot 1, targets 1"));
        }
        Refused => {
            refused(machine.refresh(&repository), Check::Signatures, "root", newest);
            let root = newest - 1;
            assert_eq!(machine.trusts(), format!("root {root}"));
            // Signed as it should be, it is accepted.
            let all = ed25519_keys(numbered(20, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
            repository.publish_root_signed_by(&all);
            machine.refresh(&repository).unwrap();
            assert_eq!(machine.trusts(), format!("root {newest}, timestamp 1, snapshot 1, targets 1"));
        }
    }
}

#[test]
fn one_of_one() {
    sequence(&[(&[1], 1, &[1]), (&[2], 1, &[2, 1]), (&[2], 1, &[2])], Accepted);
}

#[test]
fn one_of_one_with_signatures_of_strangers() {
    sequence(&[(&[1], 1, &[3, 1, 4]), (&[2], 1, &[3, 2, 1, 4]), (&[2], 1, &[3, 2, 4])], Accepted);
}

#[test]
fn one_of_one_not_signed_by_the_old_key() {
    sequence(&[(&[1], 1, &[1]), (&[2], 1, &[2, 3, 4])], Refused);
}

#[test]
fn one_of_one_not_signed_by_the_new_key() {
    sequence(&[(&[1], 1, &[1]), (&[2], 1, &[1, 3, 4])], Refused);
}

#[test]
fn three_of_five_signed_by_changing_ones() {
    let keys: &[u16] = &[0, 1, 2, 3, 4];
    sequence(&[(keys, 3, &[0, 2, 4]), (keys, 3, &[0, 4, 1]), (keys, 3, &[0, 1, 3]), (keys, 3, &[0, 1, 3])], Accepted);
}

#[test]
fn three_of_five_with_one_key_replaced() {
    sequence(&[(&[0, 1, 2, 3, 4], 3, &[0, 2, 4]), (&[0, 1, 3, 4, 5], 3, &[0, 4, 1])], Accepted);
}

#[test]
fn three_of_five_with_one_key_replaced_not_signed_by_three_new_ones() {
    sequence(&[(&[0, 1, 2, 3, 4], 3, &[0, 2, 4]), (&[0, 1, 3, 4, 5], 3, &[0, 2, 4])], Refused);
}

#[test]
fn three_of_five_with_one_key_replaced_not_signed_by_three_old_ones() {
    sequence(&[(&[0, 1, 2, 3, 4], 3, &[0, 2, 4]), (&[0, 1, 3, 4, 5], 3, &[0, 4, 5])], Refused);
}

#[test]
fn three_of_five_with_one_key_replaced_in_two_steps() {
    let steps: &[Version<'_>] =
        &[(&[0, 1, 2, 3, 4], 3, &[0, 2, 4]), (&[0, 1, 3, 4, 5], 3, &[0, 2, 4, 5]), (&[0, 1, 3, 4, 5], 3, &[0, 4, 5])];
    sequence(steps, Accepted);
}

#[test]
fn three_of_five_with_all_keys_replaced() {
    let steps: &[Version<'_>] = &[
        (&[0, 1, 2, 3, 4], 3, &[0, 2, 4]),
        (&[5, 6, 7, 8, 9], 3, &[0, 2, 4, 5, 6, 7]),
        (&[5, 6, 7, 8, 9], 3, &[5, 6, 7]),
    ];
    sequence(steps, Accepted);
}

#[test]
fn the_threshold_rises() {
    sequence(&[(&[1, 2, 3], 1, &[1]), (&[1, 2, 3], 2, &[1, 2])], Accepted);
}

#[test]
fn the_threshold_rises_and_is_not_met() {
    sequence(&[(&[1, 2, 3], 1, &[1]), (&[1, 2, 3], 2, &[2])], Refused);
}

#[test]
fn the_threshold_falls() {
    sequence(&[(&[1, 2, 3], 2, &[1, 2]), (&[1, 2, 3], 1, &[1, 2]), (&[1, 2, 3], 1, &[1])], Accepted);
}

#[test]
fn the_threshold_falls_and_the_old_one_is_not_met() {
    sequence(&[(&[1, 2, 3], 2, &[1, 2]), (&[1, 2, 3], 1, &[1])], Refused);
}

#[test]
fn the_threshold_rises_to_all() {
    sequence(&[(&[1, 2], 1, &[1]), (&[1, 2], 2, &[1, 2]), (&[1, 2], 2, &[2, 1])], Accepted);
}

/// A key that was revoked signs a root of the next version, its own: the chain goes on from the one that revoked it.
#[test]
fn a_revoked_key_cannot_make_the_next_root() {
    let mut repository = Repository::new();
    let old = repository.root.clone();
    repository.rotate(TopLevelRole::Root, &ed25519_keys([30]), 1);
    let mut machine = Machine::refreshed(&repository);
    let next = Root { version: 3, expires: UnixTime(NOW.0 + 900 * DAY), ..old };
    repository.published.insert("3.root.json".to_owned(), sign(&next, &ed25519_keys([1])));
    refused(machine.refresh(&repository), Check::Signatures, "root", 3);
    assert_eq!(machine.trusts(), "root 2, timestamp 1, snapshot 1, targets 1");
}
