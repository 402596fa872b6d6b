//! What the local store holds when a run begins: damaged, foreign, half an update, of another time.

use tuf::metadata::{RoleName, TopLevelRole};
use tuf::{Check, Error, StoredFile};

use super::simulator::{Machine, Repository, ed25519, ed25519_keys, found, refused, sign};

/// Damage in the store costs a request and nothing else.
#[test]
fn stored_files_that_are_damaged_or_foreign_are_fetched_again() -> Result<(), Error> {
    let mut repository = Repository::new();
    repository.delegate("targets", "role", &["*"]);
    repository.add_target("role", "file", b"content");
    repository.publish();
    let mut intact = Machine::refreshed(&repository);
    intact.look_up(&repository, "file")?;
    let mut foreign = Repository::new();
    for role in ["timestamp", "snapshot", "targets"] {
        foreign.signers.insert(role.to_owned(), vec![ed25519(99)]);
    }
    foreign.publish();
    let role = StoredFile::Delegated(RoleName::from("role"));
    for (file, name) in [
        (StoredFile::Timestamp, None),
        (StoredFile::Snapshot, Some("1.snapshot.json")),
        (StoredFile::Targets, Some("1.targets.json")),
        (role, Some("1.role.json")),
    ] {
        let whole = &intact.stored[&file];
        let too_long = [whole.as_slice(), &vec![b' '; 64 << 20]].concat();
        let foreign = foreign.published.get(name.unwrap_or("timestamp.json")).cloned().unwrap_or_default();
        for damaged in [Vec::new(), whole[..whole.len() / 2].to_vec(), b"\0\0\0".to_vec(), foreign, too_long] {
            let mut machine = intact.clone();
            machine.stored.insert(file.clone(), damaged);
            machine.look_up(&repository, "file")?;
            let expected: Vec<_> = ["2.root.json", "timestamp.json"].into_iter().chain(name).collect();
            assert_eq!(machine.requested, expected);
            assert_eq!(machine.stored, intact.stored);
        }
    }
    Ok(())
}

/// The power fails between any two writes. What is there is good for the next run, which ends where this one would have.
#[test]
fn an_update_that_is_interrupted_between_two_writes() -> Result<(), Error> {
    let mut repository = Repository::new();
    repository.delegate("targets", "role", &["*"]);
    repository.add_target("role", "file", b"content");
    repository.publish();
    // The snapshot has been moved out of reach, so that half a recovery could be none.
    let mut hostile = repository.clone();
    hostile.snapshot.version = 100;
    hostile.timestamp.version = 2;
    hostile.publish();
    let mut machine = Machine::trusting(&hostile);
    found(machine.look_up(&hostile, "file")?);

    repository.rotate(TopLevelRole::Root, &[ed25519(10)], 1);
    repository.rotate(TopLevelRole::Snapshot, &[ed25519(11)], 1);
    repository.publish();
    repository.release("role");
    repository.release("targets");
    repository.release_timestamp();
    let mut whole = machine.clone();
    found(whole.look_up(&repository, "file")?);
    let writes = whole.written.len() + whole.deleted.len();
    assert_eq!(writes, 8);
    for writes_left in 0..writes {
        let mut machine = Machine { writes_left, ..machine.clone() };
        found(machine.look_up(&repository, "file")?);
        machine.writes_left = usize::MAX;
        found(machine.look_up(&repository, "file")?);
        assert_eq!(machine.stored, whole.stored, "after {writes_left} writes");
    }
    Ok(())
}

/// Another program, or the same one restored from a backup, has left files of different times.
#[test]
fn files_of_different_times_are_sorted_out() -> Result<(), Error> {
    let mut repository = Repository::new();
    repository.delegate("targets", "role", &["*"]);
    repository.add_target("role", "file", b"content");
    repository.publish();
    let mut old = Machine::trusting(&repository);
    found(old.look_up(&repository, "file")?);
    repository.release("role");
    repository.release("targets");
    let mut new = old.clone();
    found(new.look_up(&repository, "file")?);
    let files: Vec<_> = new.stored.keys().cloned().collect();
    assert_eq!(files.len(), 4);
    // Each of them is old, new, or missing.
    for choice in 0..3_u32.pow(4) {
        let mut machine = old.clone();
        for (number, file) in (0..).zip(&files) {
            match choice / 3_u32.pow(number) % 3 {
                0 => {}
                1 => _ = machine.stored.insert(file.clone(), new.stored[file].clone()),
                _ => _ = machine.stored.remove(file),
            }
        }
        found(machine.look_up(&repository, "file")?);
        assert_eq!(machine.stored, new.stored);
    }
    Ok(())
}

/// Without a store there is no memory, and nothing but the trusted root protects from rollback.
#[test]
fn an_empty_store_is_a_first_run() -> Result<(), Error> {
    let mut repository = Repository::new();
    let old = repository.clone();
    repository.release("targets");
    let mut machine = Machine::refreshed(&repository);
    refused(machine.refresh(&old), Check::TimestampRollback, "timestamp", 1);
    machine.stored.clear();
    machine.refresh(&old)?;
    assert_eq!(machine.trusts(), "root 1, timestamp 1, snapshot 1, targets 1");
    Ok(())
}

/// A program with a newer root built in comes to a store from before.
#[test]
fn a_newer_trusted_root_judges_what_is_stored() -> Result<(), Error> {
    let mut repository = Repository::new();
    let machine = Machine::refreshed(&repository);
    repository.rotate(TopLevelRole::Timestamp, &[ed25519(10)], 1);
    repository.publish();
    let mut machine = Machine { trusted_root: repository.file("root"), ..machine };
    refused(machine.refresh_offline(), Check::Stored, "timestamp", None);
    machine.refresh(&repository)?;
    assert_eq!(machine.requested, ["3.root.json", "timestamp.json"]);
    Ok(())
}

/// A version that nobody signed must not keep good files from being stored, whoever compares versions.
#[test]
fn stored_files_that_do_not_verify_are_deleted() -> Result<(), Error> {
    let mut repository = Repository::new();
    let mut machine = Machine::refreshed(&repository);
    let mut forged = Repository::new();
    forged.timestamp.version = 1 << 40;
    forged.snapshot.version = 1 << 40;
    let strangers = ed25519_keys([901]);
    machine.stored.insert(StoredFile::Timestamp, sign(&forged.timestamp, &strangers));
    machine.stored.insert(StoredFile::Snapshot, sign(&forged.snapshot, &strangers));
    repository.release_snapshot();
    machine.refresh(&repository)?;
    assert_eq!(machine.deleted, [StoredFile::Timestamp, StoredFile::Snapshot]);
    assert_eq!(machine.trusts(), "root 1, timestamp 2, snapshot 2, targets 1");
    Ok(())
}
