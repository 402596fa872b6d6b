//! Metadata that has expired: refused, and yet a base to compare with (TUF 5.3.10, 5.4.4, 5.5.6, 5.6.5).

use tuf::{Check, Client, Error, Limits, Mode, StoredFile, UnixTime};

use super::simulator::{DAY, Machine, NOW, Repository, refused};

/// A second ago.
const EXPIRED: UnixTime = UnixTime(NOW.0 - 1);

fn in_days(days: i64) -> UnixTime {
    UnixTime(NOW.0 + days * DAY)
}

#[test]
fn an_expired_final_root_is_kept_and_nothing_after_it_is_used() -> Result<(), Error> {
    let mut repository = Repository::new();
    let mut machine = Machine::refreshed(&repository);
    repository.root.expires = EXPIRED;
    repository.release_root();
    repository.release("targets");
    refused(machine.refresh(&repository), Check::Expiry, "root", 2);
    assert_eq!(machine.requested, ["2.root.json", "3.root.json"]);
    assert_eq!(machine.trusts(), "root 2, timestamp 1, snapshot 1, targets 1");

    repository.root.expires = in_days(30);
    repository.release_root();
    machine.refresh(&repository)?;
    assert_eq!(machine.trusts(), "root 3, timestamp 2, snapshot 2, targets 2");
    Ok(())
}

#[test]
fn expired_roots_on_the_way_to_the_newest_do_not_matter() -> Result<(), Error> {
    let mut repository = Repository::new();
    repository.root.expires = EXPIRED;
    repository.publish_root();
    let mut machine = Machine::trusting(&repository);
    refused(machine.refresh(&repository), Check::Expiry, "root", 1);
    repository.release_root();
    repository.root.expires = in_days(30);
    repository.release_root();
    machine.refresh(&repository)?;
    assert_eq!(machine.trusts(), "root 3, timestamp 1, snapshot 1, targets 1");
    Ok(())
}

#[test]
fn an_expired_new_role_is_refused_and_not_kept() -> Result<(), Error> {
    for (role, kept) in [
        ("timestamp", "root 1, timestamp 1, snapshot 1, targets 1"),
        ("snapshot", "root 1, timestamp 2, snapshot 1, targets 1"),
        ("targets", "root 1, timestamp 2, snapshot 2, targets 1"),
    ] {
        let mut repository = Repository::new();
        let mut machine = Machine::refreshed(&repository);
        match role {
            "timestamp" => repository.timestamp.expires = EXPIRED,
            "snapshot" => repository.snapshot.expires = EXPIRED,
            _ => repository.targets.expires = EXPIRED,
        }
        repository.release("targets");
        refused(machine.refresh(&repository), Check::Expiry, role, 2);
        assert_eq!(machine.trusts(), kept);

        repository.timestamp.expires = in_days(30);
        repository.snapshot.expires = in_days(30);
        repository.targets.expires = in_days(30);
        repository.release("targets");
        machine.refresh(&repository)?;
        assert_eq!(machine.trusts(), "root 1, timestamp 3, snapshot 3, targets 3");
    }
    Ok(())
}

/// What was good when it was stored is judged again: a freeze ends with the expiry.
#[test]
fn a_stored_role_that_has_expired_since_is_not_good_enough() -> Result<(), Error> {
    let mut repository = Repository::new();
    let mut machine = Machine::refreshed(&repository);
    machine.now = in_days(30);
    refused(machine.refresh(&repository), Check::Expiry, "root", 1);
    repository.root.expires = in_days(900);
    repository.release_root();
    refused(machine.refresh(&repository), Check::Expiry, "timestamp", 1);
    repository.timestamp.expires = in_days(900);
    repository.release_timestamp();
    refused(machine.refresh(&repository), Check::Expiry, "snapshot", 1);
    assert_eq!(machine.requested, ["3.root.json", "timestamp.json", "1.snapshot.json"]);
    repository.snapshot.expires = in_days(900);
    repository.release_snapshot();
    refused(machine.refresh(&repository), Check::Expiry, "targets", 1);
    assert_eq!(machine.requested, ["3.root.json", "timestamp.json", "2.snapshot.json", "1.targets.json"]);
    repository.targets.expires = in_days(900);
    repository.release("targets");
    machine.refresh(&repository)?;
    assert_eq!(machine.trusts(), "root 2, timestamp 4, snapshot 3, targets 2");
    Ok(())
}

#[test]
fn a_role_is_good_until_the_second_it_expires_at() -> Result<(), Error> {
    let mut repository = Repository::new();
    repository.timestamp.expires = UnixTime(NOW.0 + 1);
    repository.publish_timestamp();
    let mut machine = Machine::trusting(&repository);
    machine.refresh(&repository)?;
    machine.now = UnixTime(NOW.0 + 1);
    refused(machine.refresh(&repository), Check::Expiry, "timestamp", 1);
    Ok(())
}

#[test]
fn an_expired_stored_timestamp_still_refuses_an_older_one() -> Result<(), Error> {
    let mut repository = Repository::new();
    repository.root.expires = in_days(900);
    repository.publish_root();
    repository.release_timestamp();
    repository.release_timestamp();
    let mut machine = Machine::refreshed(&repository);
    machine.now = in_days(40);
    // The old one, signed again for a longer life.
    let mut replayed = repository.clone();
    replayed.timestamp.version = 2;
    replayed.timestamp.expires = in_days(900);
    replayed.publish_timestamp();
    refused(machine.refresh(&replayed), Check::TimestampRollback, "timestamp", 2);
    assert_eq!(machine.trusts(), "root 1, timestamp 3, snapshot 1, targets 1");
    Ok(())
}

#[test]
fn an_expired_stored_timestamp_still_refuses_an_older_snapshot() {
    let mut repository = Repository::new();
    repository.root.expires = in_days(900);
    repository.publish_root();
    repository.release("targets");
    let mut machine = Machine::refreshed(&repository);
    machine.now = in_days(40);
    repository.timestamp.version += 1;
    repository.timestamp.expires = in_days(900);
    repository.timestamp.snapshot.version = 1;
    repository.publish_timestamp();
    refused(machine.refresh(&repository), Check::SnapshotRollback, "timestamp", 3);
    assert_eq!(machine.trusts(), "root 1, timestamp 2, snapshot 2, targets 2");
}

#[test]
fn an_expired_stored_snapshot_still_refuses_an_older_role() {
    let mut repository = Repository::new();
    repository.root.expires = in_days(900);
    repository.timestamp.expires = in_days(900);
    repository.publish_root();
    repository.release("targets");
    let mut machine = Machine::refreshed(&repository);
    machine.now = in_days(40);
    repository.snapshot.expires = in_days(900);
    repository.targets.version = 1;
    repository.targets.expires = in_days(900);
    repository.publish_role("targets");
    repository.release_snapshot();
    refused(machine.refresh(&repository), Check::RoleRollback, "snapshot", 3);
    assert_eq!(machine.trusts(), "root 1, timestamp 3, snapshot 2, targets 2");
}

#[test]
fn an_expired_delegated_role_is_refused_new_or_stored() -> Result<(), Error> {
    let mut repository = Repository::new();
    repository.delegate("targets", "role", &["*"]);
    repository.add_target("role", "file", b"content");
    repository.role_mut("role").expires = in_days(1);
    repository.release("role");
    repository.release("targets");
    let mut machine = Machine::trusting(&repository);
    machine.look_up(&repository, "file")?;
    machine.now = in_days(1);
    refused(machine.look_up(&repository, "file"), Check::Expiry, "role", 2);
    machine.stored.remove(&StoredFile::Delegated("role".into()));
    refused(machine.look_up(&repository, "file"), Check::Expiry, "role", 2);
    assert!(machine.stored_role("role").is_none());
    repository.role_mut("role").expires = in_days(30);
    repository.release("role");
    machine.look_up(&repository, "file")?;
    assert!(machine.stored_role("role").is_some());
    Ok(())
}

/// However long the update takes: there is no clock to be asked twice (TUF 5.1).
#[test]
fn the_time_of_an_epoch_is_fixed() {
    let repository = Repository::new();
    let client = Client::new(&repository.file("root"), NOW, Mode::Online, Limits::default()).unwrap();
    assert_eq!(client.now(), NOW);
}
