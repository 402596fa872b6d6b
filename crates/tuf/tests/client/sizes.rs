//! How much is read of each file: the signed length, or else the limit.

use tuf::{Action, Check, Error, Fetched, Mode, RemoteFile, Request};

use super::simulator::{Instead, Machine, Repository, found, refused};

/// All fetches of a look-up for `file`, as the client describes them.
fn fetches(machine: &mut Machine, repository: &Repository) -> Vec<RemoteFile> {
    let mut client = machine.client(Mode::Online).unwrap();
    client.look_up("file");
    let mut fetches = Vec::new();
    while let Some(request) = client.poll_request() {
        match request {
            Request::Load { id, .. } => client.loaded(id, None),
            Request::Fetch { id, file } => {
                match repository.answer(&file.name) {
                    Instead::Body(bytes) => client.fetched(id, Fetched::Body(&bytes)),
                    _ => client.fetched(id, Fetched::Absent),
                }
                fetches.push(file);
            }
            Request::Store { .. } | Request::Delete { .. } => {}
        }
    }
    fetches
}

fn with_role() -> Repository {
    let mut repository = Repository::new();
    repository.delegate("targets", "role", &["*"]);
    repository.add_target("role", "file", b"content");
    repository.publish();
    repository
}

#[test]
fn files_without_a_signed_length_have_the_limit_of_their_role() {
    let repository = with_role();
    let mut machine = Machine::trusting(&repository);
    machine.limits.root_size = 100_001;
    machine.limits.timestamp_size = 100_002;
    machine.limits.snapshot_size = 100_003;
    machine.limits.targets_size = 100_004;
    let fetches = fetches(&mut machine, &repository);
    let limits: Vec<_> = fetches.iter().map(|file| (file.name.as_str(), file.max_bytes, !file.immutable)).collect();
    let expected = [
        ("2.root.json", 100_001, true),
        ("timestamp.json", 100_002, true),
        ("1.snapshot.json", 100_003, false),
        ("1.targets.json", 100_004, false),
        ("1.role.json", 100_004, false),
    ];
    assert_eq!(limits, expected);
    let roles: Vec<_> = fetches.iter().map(|file| file.role.as_str()).collect();
    assert_eq!(roles, ["root", "timestamp", "snapshot", "targets", "role"]);
}

/// Under one name the content changes, so that a cache must not answer for the repository.
#[test]
fn without_consistent_snapshots_every_file_may_change() {
    let mut repository = with_role();
    repository.root.consistent_snapshot = Some(false);
    repository.publish_root();
    repository.publish();
    let fetches = fetches(&mut Machine::trusting(&repository), &repository);
    assert_eq!(fetches.len(), 5);
    assert!(fetches.iter().all(|file| !file.immutable));
}

#[test]
fn a_signed_length_takes_the_place_of_the_limit() -> Result<(), Error> {
    let mut repository = with_role();
    repository.describes_content = true;
    repository.publish();
    let mut machine = Machine::trusting(&repository);
    // Shorter limits than the files are long; the signed lengths count.
    machine.limits.snapshot_size = 10;
    machine.limits.targets_size = 10;
    let fetches = fetches(&mut machine, &repository);
    let lengths: Vec<_> = fetches[2..].iter().map(|file| file.max_bytes).collect();
    let expected = ["snapshot", "targets", "role"].map(|role| repository.file(role).len() as u64);
    assert_eq!(lengths, expected);
    found(machine.look_up(&repository, "file")?);
    Ok(())
}

#[test]
fn no_signed_length_goes_beyond_the_limit_for_all_metadata() -> Result<(), Error> {
    let mut repository = with_role();
    repository.describes_content = true;
    repository.publish();
    for length in [(32 << 20) + 1, u64::MAX] {
        let mut repository = repository.clone();
        repository.snapshot.meta.get_mut("role.json").unwrap().length = Some(length);
        repository.release_snapshot();
        let mut machine = Machine::trusting(&repository);
        assert_eq!(fetches(&mut machine, &repository)[4].max_bytes, 32 << 20);
        repository.serve("1.role.json", Instead::Endless);
        refused(machine.look_up(&repository, "file"), Check::Size, "role", 1);
        repository.serve("1.role.json", Instead::TooLong);
        refused(machine.look_up(&repository, "file"), Check::Size, "role", 1);
        assert!(machine.stored_role("role").is_none());
    }
    // A length that is honest, and more than this client takes.
    let shortest = ["snapshot", "targets", "role"].map(|role| repository.file(role).len() as u64).into_iter().min();
    let mut machine = Machine::trusting(&repository);
    machine.limits.metadata_size = shortest.unwrap() - 1;
    refused(machine.look_up(&repository, "file"), Check::Size, "snapshot", 1);
    Ok(())
}

/// Every role is cut off, by the driver or, if that read on, by the client.
#[test]
fn endless_files_are_refused() -> Result<(), Error> {
    for (name, role, version) in [
        ("2.root.json", "root", Some(2)),
        ("timestamp.json", "timestamp", None),
        ("2.snapshot.json", "snapshot", Some(2)),
        ("2.targets.json", "targets", Some(2)),
        ("2.role.json", "role", Some(2)),
    ] {
        for describes_content in [false, true] {
            for instead in [Instead::Endless, Instead::TooLong] {
                let mut repository = with_role();
                let mut machine = Machine::refreshed(&repository);
                repository.describes_content = describes_content;
                repository.release("targets");
                repository.release("role");
                repository.snapshot.version = 2;
                repository.publish_snapshot();
                repository.publish_timestamp();
                repository.serve(name, instead);
                let error = refused(machine.look_up(&repository, "file"), Check::Size, role, version);
                assert_eq!(error.action(), Action::DoNotTrust);
                repository.serve_honestly();
                found(machine.look_up(&repository, "file")?);
            }
        }
    }
    Ok(())
}

#[test]
fn a_file_that_begins_like_the_signed_one_is_not_it() -> Result<(), Error> {
    let mut repository = with_role();
    repository.describes_content = true;
    repository.publish();
    for (name, role) in [("1.snapshot.json", "snapshot"), ("1.targets.json", "targets"), ("1.role.json", "role")] {
        let whole = repository.published[name].clone();
        let longer = [whole.as_slice(), b" "].concat();
        let shorter = whole[..whole.len() - 1].to_vec();
        for (bytes, check) in
            [(longer, Check::Size), (shorter, Check::LengthAndHashes), (Vec::new(), Check::LengthAndHashes)]
        {
            repository.serve(name, Instead::Body(bytes));
            let mut machine = Machine::trusting(&repository);
            refused(machine.look_up(&repository, "file"), check, role, 1);
            repository.serve_honestly();
            found(machine.look_up(&repository, "file")?);
        }
    }
    Ok(())
}
