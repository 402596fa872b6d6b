//! Older versions of what is trusted, and the recovery when versions have been moved ahead (TUF 5.3.11, 5.4.3, 5.5.5).

use tuf::metadata::{FileMeta, Metadata, RoleName, TopLevelRole};
use tuf::{Check, Error, KeyId, Signature, StoredFile};

use super::simulator::{Instead, Machine, Repository, Signer, ed25519, refused, sign};

#[test]
fn an_older_timestamp_is_refused() -> Result<(), Error> {
    let mut repository = Repository::new();
    let old = repository.file("timestamp");
    repository.release_timestamp();
    let mut machine = Machine::refreshed(&repository);
    repository.serve("timestamp.json", Instead::Body(old));
    refused(machine.refresh(&repository), Check::TimestampRollback, "timestamp", 1);
    assert_eq!(machine.trusts(), "root 1, timestamp 2, snapshot 1, targets 1");
    assert!(machine.written.is_empty());
    repository.serve_honestly();
    machine.refresh(&repository)?;
    Ok(())
}

#[test]
fn an_older_snapshot_in_a_newer_timestamp_is_refused() -> Result<(), Error> {
    for describes_content in [false, true] {
        let mut repository = Repository::new();
        repository.describes_content = describes_content;
        let old = repository.clone();
        repository.release("targets");
        let mut machine = Machine::refreshed(&repository);
        let mut hostile = old.clone();
        hostile.timestamp.version = 3;
        hostile.publish_timestamp();
        refused(machine.refresh(&hostile), Check::SnapshotRollback, "timestamp", 3);
        assert_eq!(machine.trusts(), "root 1, timestamp 2, snapshot 2, targets 2");
        machine.refresh(&repository)?;
    }
    Ok(())
}

#[test]
fn an_older_role_in_a_newer_snapshot_is_refused_fetched_before_or_not() -> Result<(), Error> {
    for describes_content in [false, true] {
        for role in ["targets", "role"] {
            let mut repository = Repository::new();
            repository.describes_content = describes_content;
            repository.delegate("targets", "role", &["*"]);
            repository.publish();
            let old = repository.clone();
            repository.release(role);
            let mut machine = Machine::refreshed(&repository);
            let trusted = machine.trusts();
            assert!(machine.stored_role("role").is_none());

            let mut hostile = old.clone();
            hostile.snapshot.version = 3;
            hostile.timestamp.version = 3;
            hostile.publish();
            refused(machine.refresh(&hostile), Check::RoleRollback, "snapshot", 3);
            assert_eq!(machine.trusts(), trusted.replace("timestamp 2", "timestamp 3"));
            // The timestamp was genuine, so that the repository has to go on from there.
            repository.release_timestamp();
            repository.release(role);
            machine.refresh(&repository)?;
        }
    }
    Ok(())
}

#[test]
fn a_role_that_vanishes_from_the_snapshot_is_refused_until_the_keys_are_rotated() -> Result<(), Error> {
    let mut repository = Repository::new();
    repository.delegate("targets", "role", &["*"]);
    repository.publish();
    let mut machine = Machine::refreshed(&repository);
    repository.snapshot.meta.remove("role.json");
    repository.release_snapshot();
    refused(machine.refresh(&repository), Check::RoleRemoved, "snapshot", 2);
    assert_eq!(machine.trusts(), "root 1, timestamp 2, snapshot 1, targets 1");

    repository.rotate(TopLevelRole::Snapshot, &[ed25519(10)], 1);
    repository.release_snapshot();
    machine.refresh(&repository)?;
    assert_eq!(machine.trusts(), "root 2, timestamp 3, snapshot 3, targets 1");
    Ok(())
}

#[test]
fn a_snapshot_without_targets_is_none() -> Result<(), Error> {
    let mut repository = Repository::new();
    let listed = repository.snapshot.meta.remove("targets.json").unwrap();
    repository.publish_snapshot();
    repository.publish_timestamp();
    let mut machine = Machine::trusting(&repository);
    refused(machine.refresh(&repository), Check::Format, "snapshot", 1);
    assert_eq!(machine.trusts(), "root 1, timestamp 1");
    repository.snapshot.set_role(&RoleName::from("targets"), listed);
    repository.release_snapshot();
    machine.refresh(&repository)?;
    Ok(())
}

/// The stored snapshot is a base to compare with even if it is not the one that the timestamp signed.
#[test]
fn a_stored_snapshot_of_another_hash_still_refuses_rollback() -> Result<(), Error> {
    let mut repository = Repository::new();
    repository.describes_content = true;
    repository.release("targets");
    let mut machine = Machine::refreshed(&repository);
    let mut other = repository.snapshot.clone();
    other.set_role(&RoleName::from("targets"), FileMeta::unhashed(3));
    machine.stored.insert(StoredFile::Snapshot, sign(&other, &[ed25519(3)]));
    refused(machine.refresh(&repository), Check::RoleRollback, "snapshot", 2);
    assert_eq!(machine.requested, ["2.root.json", "timestamp.json", "2.snapshot.json"]);
    repository.release("targets");
    machine.refresh(&repository)?;
    assert_eq!(machine.trusts(), "root 1, timestamp 3, snapshot 3, targets 3");
    Ok(())
}

#[test]
fn a_stored_snapshot_with_other_content_than_signed_is_fetched_again() -> Result<(), Error> {
    let mut repository = Repository::new();
    repository.describes_content = true;
    repository.publish();
    let mut machine = Machine::refreshed(&repository);
    machine.stored.get_mut(&StoredFile::Snapshot).unwrap().push(b' ');
    machine.refresh(&repository)?;
    assert_eq!(machine.requested, ["2.root.json", "timestamp.json", "1.snapshot.json"]);
    assert_eq!(machine.stored[&StoredFile::Snapshot], repository.file("snapshot"));
    Ok(())
}

/// Who had the online keys has moved a version beyond what the repository will ever reach. New keys bring it back.
#[test]
fn recovery_from_versions_moved_ahead() -> Result<(), Error> {
    const FAR: u64 = i64::MAX as u64;
    let honest = Repository::new();
    for (moved, rotated) in [
        ("timestamp", TopLevelRole::Timestamp),
        ("snapshot", TopLevelRole::Snapshot),
        ("snapshot", TopLevelRole::Timestamp),
        ("targets", TopLevelRole::Snapshot),
        ("targets", TopLevelRole::Timestamp),
        ("role", TopLevelRole::Snapshot),
        ("role", TopLevelRole::Timestamp),
    ] {
        let mut honest = honest.clone();
        honest.delegate("targets", "role", &["*"]);
        honest.add_target("role", "file", b"content");
        honest.publish();
        let mut hostile = honest.clone();
        hostile.timestamp.version = 2;
        match moved {
            "timestamp" => hostile.timestamp.version = FAR,
            "snapshot" => hostile.snapshot.version = FAR,
            role => {
                hostile.role_mut(role).version = FAR;
                hostile.snapshot.version = 2;
            }
        }
        hostile.publish();
        let mut machine = Machine::refreshed(&honest);
        machine.look_up(&hostile, "file")?;

        honest.release("targets");
        honest.release("targets");
        machine.refresh(&honest).expect_err("the versions are out of reach");
        honest.rotate(rotated, &[ed25519(10)], 1);
        honest.publish();
        machine.look_up(&honest, "file")?;
        assert_eq!(machine.deleted, [StoredFile::Timestamp, StoredFile::Snapshot]);
        assert_eq!(machine.trusts(), "root 2, timestamp 3, snapshot 3, targets 3, role 1");
        machine.look_up(&honest, "file")?;
        assert_eq!(machine.requested, ["3.root.json", "timestamp.json"]);
        assert!(machine.deleted.is_empty());
    }
    Ok(())
}

/// The run that learns of the new keys does not come to its end; the next ones still recover.
#[test]
fn recovery_when_the_update_with_the_new_keys_is_interrupted() -> Result<(), Error> {
    let mut honest = Repository::new();
    let mut hostile = honest.clone();
    hostile.snapshot.version = 100;
    hostile.timestamp.version = 2;
    hostile.publish();
    let machine = Machine::refreshed(&hostile);

    // Timestamp 2 is trusted for good, by a key that stays, and names a snapshot out of reach.
    honest.rotate(TopLevelRole::Snapshot, &[ed25519(10)], 1);
    honest.publish();
    honest.release_timestamp();
    honest.release_timestamp();
    for name in ["3.root.json", "timestamp.json", "1.snapshot.json"] {
        let mut machine = machine.clone();
        honest.serve(name, Instead::Failed);
        machine.refresh(&honest).expect_err("interrupted");
        honest.serve_honestly();
        machine.refresh(&honest)?;
        assert_eq!(machine.trusts(), "root 2, timestamp 3, snapshot 1, targets 1", "interrupted at {name}");
    }
    Ok(())
}

/// The name of a key stays, and another key bears it: names mean something only within one root (TAP 12).
#[test]
fn recovery_with_a_new_key_of_the_old_name() -> Result<(), Error> {
    let mut honest = Repository::new();
    let name = KeyId("online".to_owned());
    let give_key = |repository: &mut Repository, key: &Signer| {
        repository.root.keys.insert(name.clone(), key.public().clone());
        repository.root.roles.get_mut(&TopLevelRole::Snapshot).unwrap().key_ids = vec![name.clone()];
        repository.release_root();
    };
    let publish = |repository: &mut Repository, key: &Signer| {
        let mut snapshot = Metadata::new(repository.snapshot.clone());
        let signature = key.sign(&snapshot.signing_bytes());
        snapshot.add_signature(Signature { key_id: name.clone(), ..signature });
        let file_name = repository.file_name("snapshot", repository.snapshot.version);
        repository.published.insert(file_name, snapshot.to_bytes());
        repository.timestamp.snapshot = FileMeta::unhashed(repository.snapshot.version);
        repository.release_timestamp();
    };
    give_key(&mut honest, &ed25519(10));
    let mut hostile = honest.clone();
    hostile.snapshot.version = 100;
    publish(&mut hostile, &ed25519(10));
    let mut machine = Machine::refreshed(&hostile);
    honest.release_timestamp();
    give_key(&mut honest, &ed25519(11));
    publish(&mut honest, &ed25519(11));
    machine.refresh(&honest)?;
    assert_eq!(machine.trusts(), "root 3, timestamp 3, snapshot 1, targets 1");

    // Only another name for the same key.
    honest.root.keys.insert(KeyId("other".to_owned()), ed25519(11).public().clone());
    honest.root.roles.get_mut(&TopLevelRole::Snapshot).unwrap().key_ids = vec![KeyId("other".to_owned())];
    honest.release_root();
    let mut old = honest.clone();
    old.timestamp.version = 2;
    old.publish_timestamp();
    refused(machine.refresh(&old), Check::TimestampRollback, "timestamp", 2);
    Ok(())
}

#[test]
fn keys_that_are_added_or_rotated_elsewhere_make_nothing_forgotten() -> Result<(), Error> {
    let mut repository = Repository::new();
    let mut machine = Machine::refreshed(&repository);
    repository.rotate(TopLevelRole::Targets, &[ed25519(10)], 1);
    repository.rotate(TopLevelRole::Root, &[ed25519(11)], 1);
    repository.rotate(TopLevelRole::Timestamp, &[ed25519(2), ed25519(12)], 1);
    repository.rotate(TopLevelRole::Snapshot, &[ed25519(3), ed25519(13)], 1);
    repository.release("targets");
    machine.refresh(&repository)?;
    assert!(machine.deleted.is_empty());
    assert_eq!(machine.trusts(), "root 5, timestamp 2, snapshot 2, targets 2");
    Ok(())
}
