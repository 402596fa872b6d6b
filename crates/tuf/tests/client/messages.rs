//! What the reader of an error is told: role, version, expected, found, step of the specification, and what to do.

use tuf::metadata::{FileMeta, RoleName, TopLevelRole};
use tuf::{Action, Error, StoredFile, UnixTime};

use super::simulator::{Instead, Machine, Repository, ecdsa, ed25519};

#[track_caller]
fn says<T: std::fmt::Debug>(result: Result<T, Error>, message: &str, action: Action) {
    let error = result.unwrap_err();
    assert_eq!((error.to_string().as_str(), error.action()), (message, action));
}

/// A repository with a second version of everything, and a machine that has the first.
fn updated() -> (Repository, Machine) {
    let mut repository = Repository::new();
    let machine = Machine::refreshed(&repository);
    repository.release_root();
    repository.release("targets");
    (repository, machine)
}

#[test]
fn of_roots() {
    let (mut repository, mut machine) = updated();
    repository.publish_root_signed_by(&[ecdsa(1)]);
    says(
        machine.refresh(&repository),
        "root version 2: not signed by enough keys: expected valid signatures of 1 of the 1 keys that root 1 names, \
         found 0 (TUF 5.3.4)",
        Action::DoNotTrust,
    );
    repository.serve("2.root.json", Instead::Failed);
    says(
        machine.refresh(&repository),
        "root version 2: could not be fetched: expected an answer, found connection reset (TUF 5.3.3)",
        Action::TryAgain,
    );
    machine.trusted_root = repository.file("snapshot");
    says(
        machine.refresh(&repository),
        "root: the root to start from cannot be used: expected root metadata, found snapshot (TUF 5.2)",
        Action::ReplaceTrustedRoot,
    );
}

#[test]
fn of_timestamps() {
    let (mut repository, mut machine) = updated();
    machine.refresh(&repository).unwrap();
    repository.timestamp.version = 1;
    repository.publish_timestamp();
    says(
        machine.refresh(&repository),
        "timestamp version 1: older than what is trusted: expected at least version 2, found 1 (TUF 5.4.3.1)",
        Action::DoNotTrust,
    );
    repository.timestamp.version = 3;
    repository.timestamp.snapshot = FileMeta::unhashed(1);
    repository.publish_timestamp();
    says(
        machine.refresh(&repository),
        "timestamp version 3: older than what is trusted: expected snapshot 2 or later, which version 2 names, \
         found snapshot 1 (TUF 5.4.3.2)",
        Action::DoNotTrust,
    );
    repository.timestamp.expires = UnixTime::parse("2025-12-31T23:00:00Z").unwrap();
    repository.timestamp.snapshot = FileMeta::unhashed(2);
    repository.publish_timestamp();
    says(
        machine.refresh(&repository),
        "timestamp version 3: expired: expected an expiry date after the time of the update, \
         2026-01-01T00:00:00Z, \
         found 2025-12-31T23:00:00Z (TUF 5.4.4)",
        Action::CheckDate,
    );
}

#[test]
fn of_snapshots() {
    let (mut repository, mut machine) = updated();
    let targets = RoleName::from(TopLevelRole::Targets);
    repository.snapshot.set_role(&targets, FileMeta::unhashed(3));
    repository.snapshot.version = 3;
    repository.publish_snapshot();
    repository.release_timestamp();
    repository.serve("3.targets.json", Instead::Absent);
    says(
        machine.refresh(&repository),
        "targets version 3: missing from the repository: expected 3.targets.json, found no such file (TUF 5.6.1)",
        Action::TryAgain,
    );
    repository.snapshot.set_role(&targets, FileMeta::unhashed(2));
    repository.release_snapshot();
    says(
        machine.refresh(&repository),
        "snapshot version 4: older than what is trusted: expected targets.json of version 3 or later, \
         found 2 (TUF 5.5.5)",
        Action::DoNotTrust,
    );
}

#[test]
fn of_delegated_roles_and_of_the_store() {
    let mut repository = Repository::new();
    repository.delegate("targets", "bin-3f", &["*"]);
    repository.describes_content = true;
    repository.publish();
    let mut machine = Machine::refreshed(&repository);
    repository.serve("1.bin-3f.json", Instead::Endless);
    let length = repository.file("bin-3f").len();
    says(
        machine.look_up(&repository, "file"),
        &format!("bin-3f version 1: too long: expected at most {length} bytes, found more (TUF 5.6.1)"),
        Action::DoNotTrust,
    );
    says(
        machine.look_up_offline("file"),
        "bin-3f: not in the local store: expected a current file, since nothing may be fetched, found none (TUF 5.6.1)",
        Action::GoOnline,
    );
    repository.signers.insert("bin-3f".to_owned(), vec![ed25519(99)]);
    repository.release("bin-3f");
    says(
        machine.look_up(&repository, "file"),
        "bin-3f version 2: not signed by enough keys: expected valid signatures of 1 of the 1 keys that targets names, \
         found 0 (TUF 5.6.3)",
        Action::DoNotTrust,
    );
    machine.stored.remove(&StoredFile::Timestamp);
    says(
        machine.refresh_offline(),
        "timestamp: not in the local store: expected a current file, since nothing may be fetched, found none \
         (TUF 5.4.1)",
        Action::GoOnline,
    );
}
