//! One refresh of an honest repository, and of one with a single file wrong.

use tuf::json::Value;
use tuf::metadata::{FileMeta, Metadata, Root, TopLevelRole};
use tuf::{Check, Error, HashAlgorithm, Hashes, Key, StoredFile, UnixTime};

use super::simulator::{
    DAY, Instead, Machine, NOW, Repository, ecdsa, ed25519, found, object_of, refused, sign, sign_object,
};

const NOTHING_BUT_ROOT: &str = "root 1";

#[test]
fn a_first_refresh_asks_for_the_four_roles_and_keeps_them_as_received() -> Result<(), Error> {
    let mut repository = Repository::new();
    // Bytes that no writer of canonical or compact JSON would make.
    for name in ["timestamp.json", "1.snapshot.json", "1.targets.json"] {
        repository.published.get_mut(name).unwrap().extend(b" \n");
    }
    let mut machine = Machine::trusting(&repository);
    let epoch = machine.refresh(&repository)?;
    assert_eq!(machine.requested, ["2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"]);
    assert_eq!(machine.trusts(), "root 1, timestamp 1, snapshot 1, targets 1");
    let written = [(StoredFile::Timestamp, 1), (StoredFile::Snapshot, 1), (StoredFile::Targets, 1)];
    assert_eq!(machine.written, written);
    for (file, role) in written.map(|(file, _)| file).into_iter().zip(["timestamp", "snapshot", "targets"]) {
        assert_eq!(machine.stored[&file], repository.file(role));
    }
    assert_eq!((epoch.timestamp(), epoch.snapshot()), (&repository.timestamp, &repository.snapshot));
    Ok(())
}

#[test]
fn when_nothing_is_new_only_root_and_timestamp_are_asked_for_and_nothing_is_written() -> Result<(), Error> {
    let repository = Repository::new();
    let mut machine = Machine::refreshed(&repository);
    machine.refresh(&repository)?;
    assert_eq!(machine.requested, ["2.root.json", "timestamp.json"]);
    assert!(machine.written.is_empty() && machine.deleted.is_empty());
    Ok(())
}

#[test]
fn a_new_version_of_each_role_is_fetched_once() -> Result<(), Error> {
    let mut repository = Repository::new();
    let mut machine = Machine::refreshed(&repository);
    repository.release_root();
    repository.release("targets");
    machine.refresh(&repository)?;
    let names = ["2.root.json", "3.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json"];
    assert_eq!(machine.requested, names);
    assert_eq!(machine.trusts(), "root 2, timestamp 2, snapshot 2, targets 2");
    repository.release_timestamp();
    machine.refresh(&repository)?;
    assert_eq!(machine.requested, ["3.root.json", "timestamp.json"]);
    assert_eq!(machine.trusts(), "root 2, timestamp 3, snapshot 2, targets 2");
    Ok(())
}

#[test]
fn a_repository_without_consistent_snapshots() -> Result<(), Error> {
    for consistent_snapshot in [Some(false), None] {
        let mut repository = Repository::new();
        repository.root.consistent_snapshot = consistent_snapshot;
        repository.publish_root();
        repository.published.retain(|name, _| name.ends_with("root.json"));
        repository.delegate("targets", "role/1", &["*"]);
        repository.add_target("role/1", "file", b"content");
        repository.publish();
        let mut machine = Machine::trusting(&repository);
        found(machine.look_up(&repository, "file")?);
        let names = ["2.root.json", "timestamp.json", "snapshot.json", "targets.json", "role%2F1.json"];
        assert_eq!(machine.requested, names);
        repository.release("role/1");
        found(machine.look_up(&repository, "file")?);
        assert_eq!(machine.requested, ["2.root.json", "timestamp.json", "snapshot.json", "role%2F1.json"]);
        assert_eq!(machine.trusts(), "root 1, timestamp 2, snapshot 2, targets 1, role/1 2");
    }
    Ok(())
}

/// One file is not signed by who should have.
#[test]
fn a_role_signed_by_somebody_else_is_refused_and_those_before_it_are_kept() -> Result<(), Error> {
    for (role, version, kept) in [
        ("timestamp", None, "root 1, timestamp 1, snapshot 1, targets 1"),
        ("snapshot", Some(2), "root 1, timestamp 2, snapshot 1, targets 1"),
        ("targets", Some(2), "root 1, timestamp 2, snapshot 2, targets 1"),
    ] {
        let mut repository = Repository::new();
        let mut machine = Machine::refreshed(&repository);
        let signers = repository.signers.insert(role.to_owned(), vec![ed25519(99)]).unwrap();
        repository.release("targets");
        refused(machine.refresh(&repository), Check::Signatures, role, version);
        assert_eq!(machine.trusts(), kept);
        repository.signers.insert(role.to_owned(), signers);
        repository.publish();
        machine.refresh(&repository)?;
        assert_eq!(machine.trusts(), "root 1, timestamp 2, snapshot 2, targets 2");
    }
    Ok(())
}

#[test]
fn a_role_without_signatures_is_refused() {
    let mut repository = Repository::new();
    for role in ["timestamp", "snapshot", "targets"] {
        repository.signers.insert(role.to_owned(), Vec::new());
    }
    repository.publish();
    let mut machine = Machine::trusting(&repository);
    refused(machine.refresh(&repository), Check::Signatures, "timestamp", None);
    assert_eq!(machine.trusts(), NOTHING_BUT_ROOT);
}

#[test]
fn no_request_is_made_for_a_trusted_root_that_is_none() {
    let repository = Repository::new();
    let mut without_version = object_of(&repository.root);
    without_version.remove("version");
    let mut trusted_roots = vec![
        ("unsigned", sign(&repository.root, &[])),
        ("signed by another key", sign(&repository.root, &[ed25519(99)])),
        ("without version", sign_object(&without_version, &[ed25519(1)])),
        ("of another role", repository.file("timestamp")),
        ("empty", Vec::new()),
        ("longer than a root may be", vec![b' '; (512 << 10) + 1]),
    ];
    let mut flipped = Metadata::<Root>::from_bytes(&repository.file("root")).unwrap();
    flipped.signatures[0].signature.replace_range(10..11, "_");
    trusted_roots.push(("with a damaged signature", flipped.to_bytes()));
    for (how, trusted_root) in trusted_roots {
        let mut machine = Machine::trusting(&repository);
        machine.trusted_root = trusted_root;
        let error = machine.refresh(&repository).expect_err(how);
        assert_eq!((error.check(), error.role().as_str()), (Check::TrustedRoot, "root"), "{how}");
        assert!(machine.requested.is_empty() && machine.stored.is_empty(), "{how}");
    }
}

#[test]
fn an_older_trusted_root_is_followed_to_the_newest() -> Result<(), Error> {
    let mut repository = Repository::new();
    let mut machine = Machine::trusting(&repository);
    repository.rotate(TopLevelRole::Root, &[ecdsa(1)], 1);
    repository.rotate(TopLevelRole::Root, &[ed25519(10)], 1);
    machine.refresh(&repository)?;
    let names = ["2.root.json", "3.root.json", "4.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"];
    assert_eq!(machine.requested, names);
    machine.refresh(&repository)?;
    assert_eq!(machine.requested, ["4.root.json", "timestamp.json"]);
    // A trusted root that is newer than what is stored comes with the next version of the program.
    let mut machine = Machine { stored: machine.stored, ..Machine::trusting(&repository) };
    machine.refresh(&repository)?;
    assert_eq!(machine.requested, ["4.root.json", "timestamp.json"]);
    Ok(())
}

#[test]
fn a_file_holds_another_version_than_its_name_and_its_parent_say() -> Result<(), Error> {
    for found in [1, 3] {
        let mut repository = Repository::new();
        let mut machine = Machine::refreshed(&repository);
        repository.release("targets");
        let honest = repository.published.clone();

        let mut other = repository.targets.clone();
        other.version = found;
        repository.published.insert("2.targets.json".to_owned(), sign(&other, &[ed25519(4)]));
        refused(machine.refresh(&repository), Check::Version, "targets", 2);
        assert_eq!(machine.trusts(), "root 1, timestamp 2, snapshot 2, targets 1");

        let mut machine = Machine::refreshed(&Repository::new());
        let mut other = repository.snapshot.clone();
        other.version = found;
        repository.published.insert("2.snapshot.json".to_owned(), sign(&other, &[ed25519(3)]));
        refused(machine.refresh(&repository), Check::Version, "snapshot", 2);
        assert_eq!(machine.trusts(), "root 1, timestamp 2, snapshot 1, targets 1");

        repository.published = honest;
        machine.refresh(&repository)?;
        assert_eq!(machine.trusts(), "root 1, timestamp 2, snapshot 2, targets 2");
    }
    Ok(())
}

#[test]
fn a_root_of_another_version_than_the_next_is_refused() -> Result<(), Error> {
    for found in [1, 3, u64::MAX >> 1] {
        let mut repository = Repository::new();
        let mut machine = Machine::refreshed(&repository);
        let other = Root { version: found, ..repository.root.clone() };
        repository.serve("2.root.json", Instead::Body(sign(&other, &[ed25519(1)])));
        refused(machine.refresh(&repository), Check::RootVersion, "root", 2);
        assert_eq!(machine.requested, ["2.root.json"]);
        assert!(machine.written.is_empty());
        repository.serve_honestly();
        machine.refresh(&repository)?;
    }
    Ok(())
}

#[test]
fn a_timestamp_of_the_same_version_with_other_content_changes_nothing() -> Result<(), Error> {
    let mut repository = Repository::new();
    let mut machine = Machine::refreshed(&repository);
    let stored = machine.stored.clone();
    repository.snapshot.version = 2;
    repository.publish_snapshot();
    repository.timestamp.expires = UnixTime(NOW.0 + 300 * DAY);
    repository.publish_timestamp();
    let epoch = machine.refresh(&repository)?;
    assert_eq!(epoch.snapshot().version, 1);
    assert_eq!(machine.requested, ["2.root.json", "timestamp.json"]);
    assert_eq!(machine.stored, stored);
    Ok(())
}

#[test]
fn lengths_and_hashes_are_optional_and_checked() -> Result<(), Error> {
    let mut repository = Repository::new();
    repository.describes_content = true;
    repository.publish();
    let honest = repository.clone();
    let mut machine = Machine::trusting(&repository);
    machine.refresh(&repository)?;

    // Only a length, only hashes; any of several hashes is wrong; none is known.
    let targets = repository.file("targets");
    let right = FileMeta::of(1, &targets);
    let mut both = Hashes::of(&targets, &[HashAlgorithm::Sha256, HashAlgorithm::Sha512, HashAlgorithm::Blake2b256]);
    let every = FileMeta { hashes: Some(both.clone()), ..right.clone() };
    both.insert("sha512", "00".repeat(64));
    let second_wrong = FileMeta { hashes: Some(both), ..right.clone() };
    let mut unknown = Hashes::new();
    unknown.insert("md5", "00".repeat(16));
    let unknown_only = FileMeta { hashes: Some(unknown), ..right.clone() };
    let other = FileMeta { hashes: Some(Hashes::of(b"other", &[HashAlgorithm::Sha256])), ..right.clone() };
    for (listed, refused_by) in [
        (FileMeta { hashes: None, ..right.clone() }, None),
        (FileMeta { length: None, ..right.clone() }, None),
        (every, None),
        (second_wrong, Some(Check::LengthAndHashes)),
        (unknown_only, Some(Check::Supported)),
        (other, Some(Check::LengthAndHashes)),
        (
            FileMeta { length: right.length.map(|length| length + 1), hashes: None, ..right.clone() },
            Some(Check::LengthAndHashes),
        ),
    ] {
        repository.snapshot.set_role(&TopLevelRole::Targets.into(), listed);
        repository.publish_snapshot();
        repository.publish_timestamp();
        let mut machine = Machine::trusting(&repository);
        let result = machine.refresh(&repository);
        let Some(check) = refused_by else {
            result?;
            continue;
        };
        refused(result, check, "targets", 1);
        assert_eq!(machine.trusts(), "root 1, timestamp 1, snapshot 1");
        let mut repository = honest.clone();
        repository.release_snapshot();
        machine.refresh(&repository)?;
    }
    Ok(())
}

#[test]
fn a_snapshot_of_another_hash_than_the_timestamp_signs_is_refused() -> Result<(), Error> {
    let mut repository = Repository::new();
    let mut machine = Machine::refreshed(&repository);
    repository.describes_content = true;
    repository.release("targets");
    // Signed, of the right version, and not the one.
    let mut other = repository.snapshot.clone();
    other.expires = UnixTime(NOW.0 + 300 * DAY);
    repository.serve("2.snapshot.json", Instead::Body(sign(&other, &[ed25519(3)])));
    refused(machine.refresh(&repository), Check::LengthAndHashes, "snapshot", 2);
    assert_eq!(machine.trusts(), "root 1, timestamp 2, snapshot 1, targets 1");
    repository.serve_honestly();
    machine.refresh(&repository)?;
    Ok(())
}

#[test]
fn fields_nobody_knows_are_signed_like_all_others() -> Result<(), Error> {
    let mut repository = Repository::new();
    let key_id = ed25519(2).key_id().clone();
    let Value::Object(mut key) = repository.root.keys[&key_id].to_value() else { unreachable!() };
    key.insert("x-owner", "somebody");
    key.insert("keyid_hash_algorithms", Value::Array(vec!["sha1".into()]));
    repository.root.keys.insert(key_id, Key::from_value(&Value::Object(key)).unwrap());
    repository.root.other.insert("x-root", 1);
    repository.root.roles.get_mut(&TopLevelRole::Targets).unwrap().other.insert("x-role", true);
    repository.timestamp.other.insert("x-timestamp", "é\u{1f600}\"\\");
    repository.snapshot.other.insert("x-snapshot", Value::Null);
    repository.targets.other.insert("x-targets", Value::Negative(-1));
    repository.release_root();
    repository.release("targets");
    let mut machine = Machine::trusting(&repository);
    machine.refresh(&repository)?;

    // Changing one of them breaks the signature.
    repository.timestamp.version += 1;
    let mut changed = Metadata::new(repository.timestamp.clone());
    changed.sign(&ed25519(2));
    changed.signed.other.insert("x-timestamp", "other");
    repository.serve("timestamp.json", Instead::Body(changed.to_bytes()));
    refused(machine.refresh(&repository), Check::Signatures, "timestamp", None);
    Ok(())
}

#[test]
fn a_file_that_is_missing_or_out_of_reach_ends_the_refresh() -> Result<(), Error> {
    for (name, role, version, kept) in [
        ("timestamp.json", "timestamp", None, "root 1, timestamp 1, snapshot 1, targets 1"),
        ("2.snapshot.json", "snapshot", Some(2), "root 1, timestamp 2, snapshot 1, targets 1"),
        ("2.targets.json", "targets", Some(2), "root 1, timestamp 2, snapshot 2, targets 1"),
    ] {
        for (instead, check) in [
            (Instead::Absent, Check::Present),
            (Instead::Failed, Check::Reachable),
            (Instead::TooLong, Check::Size),
            (Instead::Endless, Check::Size),
        ] {
            let mut repository = Repository::new();
            let mut machine = Machine::refreshed(&repository);
            repository.release("targets");
            repository.serve(name, instead);
            refused(machine.refresh(&repository), check, role, version);
            assert_eq!(machine.trusts(), kept);
            repository.serve_honestly();
            machine.refresh(&repository)?;
        }
    }
    Ok(())
}

#[test]
fn metadata_of_another_role_is_refused_whoever_signed_it() -> Result<(), Error> {
    let mut repository = Repository::new();
    // One key for all roles, so that only the type tells them apart.
    for role in [TopLevelRole::Timestamp, TopLevelRole::Snapshot, TopLevelRole::Targets, TopLevelRole::Root] {
        repository.set_signers(role, &[ed25519(1)], 1);
    }
    repository.release_root();
    repository.publish();
    let trusting = || Machine::trusting(&repository);
    let files = ["root", "timestamp", "snapshot", "targets"].map(|role| (role, repository.file(role)));
    let places = ["3.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"];
    let mut machine_at_end = trusting();
    for (place, (role, honest)) in places.iter().zip(&files) {
        for (_, file) in files.iter().filter(|(_, file)| file != honest) {
            let mut repository = repository.clone();
            repository.serve(place, Instead::Body(file.clone()));
            let mut machine = trusting();
            let error = machine.refresh(&repository).unwrap_err();
            assert_eq!((error.check(), error.role().as_str()), (Check::Type, *role), "{error}");
            machine_at_end.stored = machine.stored;
        }
    }
    machine_at_end.refresh(&repository)?;
    Ok(())
}
