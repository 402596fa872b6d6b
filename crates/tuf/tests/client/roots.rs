//! The chain of roots: long, endless, broken in the middle, hidden, poisoned in the store (TUF 5.3).

use tuf::metadata::TopLevelRole;
use tuf::{Action, Check, Error, Mode, Request, StoredFile};

use super::simulator::{Instead, Machine, Order, Repository, ed25519, refused, sign};

const UP_TO_DATE: &str = "root 1, timestamp 1, snapshot 1, targets 1";

fn html() -> Instead {
    Instead::Body(b"<!doctype html><title>Sign in to the network</title>".to_vec())
}

/// A reset or an error page must not hide a new root, which may revoke keys.
#[test]
fn only_the_repository_can_say_that_there_is_no_newer_root() -> Result<(), Error> {
    for (instead, check) in [
        (Instead::Failed, Check::Reachable),
        (Instead::Body(Vec::new()), Check::Format),
        (html(), Check::Format),
        (Instead::TooLong, Check::Size),
        (Instead::Endless, Check::Size),
    ] {
        for order in [Order::OneAtATime, Order::RoundTrips, Order::Shuffled(7)] {
            let mut repository = Repository::new();
            let mut machine = Machine::refreshed(&repository);
            machine.order = order;
            repository.release_root();
            repository.serve("2.root.json", instead.clone());
            let error = refused(machine.refresh(&repository), check, "root", 2);
            assert_eq!(error.action() == Action::TryAgain, check == Check::Reachable);
            assert_eq!(machine.trusts(), UP_TO_DATE);
            repository.serve_honestly();
            machine.refresh(&repository)?;
        }
    }
    Ok(())
}

#[test]
fn three_hundred_new_roots() -> Result<(), Error> {
    let mut repository = Repository::new();
    let mut machine = Machine::trusting(&repository);
    for number in 0..300 {
        repository.rotate(TopLevelRole::Root, &[ed25519(1000 + number)], 1);
    }
    machine.refresh(&repository)?;
    assert_eq!(machine.trusts(), "root 301, timestamp 1, snapshot 1, targets 1");
    assert_eq!(machine.requested.len(), 304);
    machine.refresh(&repository)?;
    assert_eq!(machine.requested, ["302.root.json", "timestamp.json"]);
    Ok(())
}

#[test]
fn an_endless_chain_is_followed_as_far_as_the_limit_and_further_the_next_time() -> Result<(), Error> {
    let mut repository = Repository::new();
    let mut machine = Machine::trusting(&repository);
    machine.limits.root_rotations = 3;
    for _ in 0..7 {
        repository.release_root();
    }
    refused(machine.refresh(&repository), Check::RootRotations, "root", 5);
    assert_eq!(machine.trusts(), "root 4");
    refused(machine.refresh(&repository), Check::RootRotations, "root", 8);
    assert_eq!(machine.trusts(), "root 7");
    machine.refresh(&repository)?;
    assert_eq!(machine.trusts(), "root 8, timestamp 1, snapshot 1, targets 1");
    // As many as the limit are not too many.
    let mut machine = Machine::trusting(&Repository::new());
    machine.limits.root_rotations = 7;
    machine.refresh(&repository)?;
    Ok(())
}

#[test]
fn a_bad_root_in_the_middle_ends_the_chain_before_it() -> Result<(), Error> {
    let mut repository = Repository::new();
    let mut machine = Machine::refreshed(&repository);
    repository.release_root();
    let bad = sign(&repository.root, &[ed25519(99)]);
    repository.release_root();
    repository.serve("2.root.json", Instead::Body(bad));
    for _ in 0..2 {
        refused(machine.refresh(&repository), Check::Signatures, "root", 2);
        assert_eq!(machine.requested, ["2.root.json"]);
        assert_eq!(machine.trusts(), UP_TO_DATE);
    }
    repository.serve_honestly();
    machine.refresh(&repository)?;
    assert_eq!(machine.trusts(), "root 3, timestamp 1, snapshot 1, targets 1");
    Ok(())
}

#[test]
fn a_root_is_kept_before_the_next_one_is_asked_for() {
    let mut repository = Repository::new();
    let mut machine = Machine::refreshed(&repository);
    repository.release_root();
    repository.release_root();
    repository.serve("3.root.json", Instead::Failed);
    refused(machine.refresh(&repository), Check::Reachable, "root", 3);
    assert_eq!(machine.written, [(StoredFile::Root(2), 2)]);
    assert_eq!(machine.stored[&StoredFile::Root(2)], repository.published["2.root.json"]);
}

/// What an attacker put into the store is verified from the root that came with the program.
#[test]
fn poisoned_roots_in_the_store_are_fetched_again() -> Result<(), Error> {
    let mut repository = Repository::new();
    let mut machine = Machine::refreshed(&repository);
    repository.rotate(TopLevelRole::Root, &[ed25519(10)], 1);
    repository.rotate(TopLevelRole::Root, &[ed25519(11)], 1);
    machine.refresh(&repository)?;
    let intact = machine.stored.clone();

    let mut own = repository.root.clone();
    own.version = 2;
    for role in [TopLevelRole::Root, TopLevelRole::Timestamp, TopLevelRole::Snapshot, TopLevelRole::Targets] {
        own.set_role(role, &[ed25519(99).public().clone()], 1);
    }
    let other_version = intact[&StoredFile::Root(3)].clone();
    let mut too_long = intact[&StoredFile::Root(2)].clone();
    too_long.resize((512 << 10) + 1, b' ');
    for poison in [b"poison".to_vec(), Vec::new(), sign(&own, &[ed25519(99)]), other_version, too_long] {
        machine.stored.insert(StoredFile::Root(2), poison);
        machine.refresh(&repository)?;
        assert_eq!(machine.requested, ["2.root.json", "3.root.json", "4.root.json", "timestamp.json"]);
        assert_eq!(machine.stored, intact);
    }
    Ok(())
}

#[test]
fn a_root_of_another_repository_in_the_store_is_not_followed() -> Result<(), Error> {
    let repository = Repository::new();
    let mut other = Repository::new();
    other.set_signers(TopLevelRole::Root, &[ed25519(60)], 1);
    other.publish_root();
    other.rotate(TopLevelRole::Root, &[ed25519(61)], 1);
    let mut machine = Machine::trusting(&repository);
    machine.stored.insert(StoredFile::Root(2), other.file("root"));
    machine.refresh(&repository)?;
    assert_eq!(machine.requested, ["2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"]);
    Ok(())
}

/// The timestamp was asked for together with the root that replaced its keys.
#[test]
fn an_early_timestamp_of_before_the_rotation_is_asked_for_again() -> Result<(), Error> {
    let mut repository = Repository::new();
    let mut machine = Machine::refreshed(&repository);
    machine.order = Order::RoundTrips;
    let old_timestamp = repository.file("timestamp");
    repository.rotate(TopLevelRole::Timestamp, &[ed25519(10)], 1);
    repository.release_timestamp();

    let mut client = machine.client(Mode::Online)?;
    let mut timestamps = 0;
    // Everything is asked, then answered in order; the first timestamp is still the old one.
    loop {
        let requests: Vec<_> = std::iter::from_fn(|| client.poll_request()).collect();
        if requests.is_empty() {
            break;
        }
        for request in requests {
            match request {
                Request::Load { id, file } => client.loaded(id, machine.stored.get(&file).map(Vec::as_slice)),
                Request::Fetch { id, file } => {
                    let mut answer = repository.answer(&file.name);
                    if file.name == "timestamp.json" {
                        timestamps += 1;
                        if timestamps == 1 {
                            answer = Instead::Body(old_timestamp.clone());
                        }
                    }
                    match answer {
                        Instead::Body(bytes) => client.fetched(id, tuf::Fetched::Body(&bytes)),
                        _ => client.fetched(id, tuf::Fetched::Absent),
                    }
                }
                Request::Store { .. } | Request::Delete { .. } => {}
            }
        }
    }
    assert_eq!(timestamps, 2);
    assert_eq!(client.epoch().unwrap().timestamp().version, 2);
    Ok(())
}

#[test]
fn an_early_timestamp_that_the_new_root_accepts_is_not_asked_for_again() -> Result<(), Error> {
    let mut repository = Repository::new();
    let mut machine = Machine::refreshed(&repository);
    machine.order = Order::RoundTrips;
    repository.rotate(TopLevelRole::Targets, &[ed25519(10)], 1);
    repository.release("targets");
    machine.refresh(&repository)?;
    let rounds: &[&[&str]] =
        &[&["2.root.json", "timestamp.json"], &["3.root.json"], &["2.snapshot.json"], &["2.targets.json"]];
    assert_eq!(machine.round_trips, rounds);
    Ok(())
}

/// A timestamp that stays wrong is asked for twice and no more.
#[test]
fn an_early_timestamp_that_stays_wrong_is_refused() {
    let mut repository = Repository::new();
    let mut machine = Machine::refreshed(&repository);
    machine.order = Order::RoundTrips;
    repository.rotate(TopLevelRole::Timestamp, &[ed25519(10)], 1);
    refused(machine.refresh(&repository), Check::Signatures, "timestamp", None);
    assert_eq!(machine.requested, ["2.root.json", "timestamp.json", "3.root.json", "timestamp.json"]);
}
