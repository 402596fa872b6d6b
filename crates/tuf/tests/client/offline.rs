//! Offline: what is stored, as long as it belongs together and has not expired. Nothing is fetched, written or deleted.

use tuf::metadata::TopLevelRole;
use tuf::{Action, Check, Error, StoredFile, UnixTime};

use super::simulator::{DAY, Machine, NOW, Repository, ed25519, found, refused};

fn in_days(days: i64) -> UnixTime {
    UnixTime(NOW.0 + days * DAY)
}

/// `file` in `role`, and a machine that has looked it up.
fn looked_up() -> (Repository, Machine) {
    let mut repository = Repository::new();
    repository.delegate("targets", "role", &["*"]);
    repository.delegate("role", "below", &["b*"]);
    repository.add_target("role", "file", b"content");
    repository.publish();
    let mut machine = Machine::trusting(&repository);
    found(machine.look_up(&repository, "file").unwrap());
    (repository, machine)
}

fn role() -> StoredFile {
    StoredFile::Delegated("role".into())
}

#[test]
fn what_is_stored_is_enough_while_it_is_good() -> Result<(), Error> {
    let (_, mut machine) = looked_up();
    let before = machine.stored.clone();
    let epoch = machine.refresh_offline()?;
    assert_eq!((epoch.timestamp().version, epoch.snapshot().version), (1, 1));
    found(machine.look_up_offline("file")?);
    assert!(machine.written.is_empty() && machine.deleted.is_empty());
    assert_eq!(machine.stored, before);
    Ok(())
}

#[test]
fn what_is_not_stored_cannot_be_had() -> Result<(), Error> {
    let (repository, machine) = looked_up();
    for (file, role) in
        [(StoredFile::Timestamp, "timestamp"), (StoredFile::Snapshot, "snapshot"), (StoredFile::Targets, "targets")]
    {
        for damaged in [None, Some(Vec::new()), Some(b"{}".to_vec())] {
            let mut machine = machine.clone();
            match damaged {
                None => _ = machine.stored.remove(&file),
                Some(bytes) => _ = machine.stored.insert(file.clone(), bytes),
            }
            let error = refused(machine.refresh_offline(), Check::Stored, role, None);
            assert_eq!(error.action(), Action::GoOnline);
            assert!(machine.written.is_empty() && machine.deleted.is_empty());
            machine.refresh(&repository)?;
            machine.refresh_offline()?;
        }
    }
    refused(Machine::trusting(&repository).refresh_offline(), Check::Stored, "timestamp", None);
    Ok(())
}

#[test]
fn a_delegated_role_that_is_not_stored_is_missing_for_its_targets_alone() -> Result<(), Error> {
    let (repository, mut machine) = looked_up();
    refused(machine.look_up_offline("below"), Check::Stored, "below", None);
    found(machine.look_up_offline("file")?);
    machine.stored.insert(role(), repository.file("below"));
    refused(machine.look_up_offline("file"), Check::Stored, "role", None);
    machine.stored.remove(&role());
    refused(machine.look_up_offline("file"), Check::Stored, "role", None);
    machine.refresh_offline()?;
    Ok(())
}

#[test]
fn what_has_expired_says_so() -> Result<(), Error> {
    for expiring in ["root", "timestamp", "snapshot", "targets", "role"] {
        let (mut repository, _) = looked_up();
        for role in ["root", "timestamp", "snapshot", "targets", "role"] {
            let expires = in_days(if role == expiring { 1 } else { 30 });
            match role {
                "root" => repository.root.expires = expires,
                "timestamp" => repository.timestamp.expires = expires,
                "snapshot" => repository.snapshot.expires = expires,
                role => repository.role_mut(role).expires = expires,
            }
        }
        repository.publish_root();
        repository.publish();
        let mut machine = Machine::trusting(&repository);
        found(machine.look_up(&repository, "file")?);
        machine.now = UnixTime(in_days(1).0 - 1);
        found(machine.look_up_offline("file")?);
        machine.now = in_days(1);
        let error = refused(machine.look_up_offline("file"), Check::Expiry, expiring, 1);
        assert_eq!(error.action(), Action::CheckDate);
    }
    Ok(())
}

/// The store has files of different times, such as after an update that was interrupted.
#[test]
fn files_that_do_not_belong_together_are_not_used_together() -> Result<(), Error> {
    let (mut repository, machine) = looked_up();
    repository.release("role");
    repository.release("targets");
    for (file, role) in [
        (StoredFile::Timestamp, "snapshot"),
        (StoredFile::Snapshot, "targets"),
        (StoredFile::Targets, "targets"),
        (StoredFile::Delegated("role".into()), "role"),
    ] {
        // The files up to this one are new.
        let mut mixed = machine.clone();
        let new = match &file {
            StoredFile::Timestamp => vec![(file.clone(), "timestamp")],
            StoredFile::Snapshot => vec![(StoredFile::Timestamp, "timestamp"), (file.clone(), "snapshot")],
            StoredFile::Targets => vec![(file.clone(), "targets")],
            _ => vec![(file.clone(), "role")],
        };
        for (file, role) in new {
            mixed.stored.insert(file, repository.file(role));
        }
        refused(mixed.look_up_offline("file"), Check::Stored, role, None);
        found(mixed.look_up(&repository, "file")?);
        found(mixed.look_up_offline("file")?);
    }
    Ok(())
}

#[test]
fn stored_roots_are_followed_and_judge_the_rest() -> Result<(), Error> {
    let (mut repository, mut machine) = looked_up();
    repository.rotate(TopLevelRole::Root, &[ed25519(10)], 1);
    repository.rotate(TopLevelRole::Targets, &[ed25519(11)], 1);
    repository.release("targets");
    machine.refresh(&repository)?;
    machine.refresh_offline()?;
    assert_eq!(machine.trusts(), "root 3, timestamp 2, snapshot 2, targets 2, role 1");

    // Without its last root, the targets are signed by somebody unknown.
    let last = machine.stored.remove(&StoredFile::Root(3)).unwrap();
    refused(machine.refresh_offline(), Check::Stored, "targets", None);
    // A hole in the chain ends it.
    machine.stored.insert(StoredFile::Root(3), last);
    machine.stored.insert(StoredFile::Root(2), b"poison".to_vec());
    refused(machine.refresh_offline(), Check::Stored, "targets", None);
    machine.refresh(&repository)?;
    machine.refresh_offline()?;
    Ok(())
}

#[test]
fn a_timestamp_of_keys_that_a_stored_root_took_away_is_not_used() {
    let (mut repository, mut machine) = looked_up();
    repository.rotate(TopLevelRole::Timestamp, &[ed25519(10)], 1);
    machine.stored.insert(StoredFile::Root(2), repository.file("root"));
    refused(machine.refresh_offline(), Check::Stored, "timestamp", None);
}

/// The snapshot lists all there is: a role that is not in it is not looked for.
#[test]
fn a_role_outside_the_snapshot_is_refused_like_online() -> Result<(), Error> {
    let (mut repository, _) = looked_up();
    repository.snapshot.meta.remove("role.json");
    repository.publish_snapshot();
    repository.publish_timestamp();
    let mut machine = Machine::refreshed(&repository);
    refused(machine.look_up_offline("file"), Check::InSnapshot, "role", None);
    Ok(())
}
