//! How a program drives the client: requests in any order and in parallel, answers that nobody asked for, look-ups at any
//! time.

use std::collections::BTreeMap;

use tuf::metadata::TopLevelRole;
use tuf::{Check, Client, Error, Event, Fetched, LookUp, LookUpId, Mode, Request, StoredFile};

use super::simulator::{Instead, Machine, Order, Repository, ed25519, found, refused};

/// 16 bins, and a target in each of ten paths.
fn binned() -> (Repository, Vec<String>) {
    let mut repository = Repository::new();
    repository.delegate_succinct("targets", 4);
    let paths: Vec<_> = (0..10).map(|number| format!("file-{number}")).collect();
    for path in &paths {
        let bin = repository.bin("targets", path);
        repository.add_target(&bin, path, path.as_bytes());
    }
    repository.publish();
    (repository, paths)
}

fn look_ups(events: &[Event]) -> BTreeMap<LookUpId, Result<LookUp, Error>> {
    let look_ups = events.iter().filter_map(|event| match event {
        Event::LookedUp { id, result } => Some((*id, result.clone())),
        _ => None,
    });
    look_ups.collect()
}

#[test]
fn one_round_trip_when_nothing_is_new() -> Result<(), Error> {
    let (repository, paths) = binned();
    let paths: Vec<_> = paths.iter().map(String::as_str).collect();
    let mut machine = Machine::trusting(&repository);
    machine.order = Order::RoundTrips;
    machine.look_up_all(&repository, &paths)?;
    machine.look_up_all(&repository, &paths)?;
    assert_eq!(machine.round_trips, [["2.root.json", "timestamp.json"]]);
    Ok(())
}

#[test]
fn one_round_trip_for_each_thing_that_depends_on_another() -> Result<(), Error> {
    let mut repository = Repository::new();
    repository.delegate("targets", "A", &["*"]);
    repository.delegate("A", "B", &["*"]);
    repository.add_target("B", "file", b"content");
    repository.publish();
    let mut machine = Machine::trusting(&repository);
    machine.order = Order::RoundTrips;
    machine.look_up_all(&repository, &["file", "file", "other"])?;
    let expected: &[&[&str]] =
        &[&["2.root.json", "timestamp.json"], &["1.snapshot.json"], &["1.targets.json"], &["1.A.json"], &["1.B.json"]];
    assert_eq!(machine.round_trips, expected);
    // A new role of the second level: the first one is still good.
    repository.release("B");
    machine.look_up_all(&repository, &["file", "file", "other"])?;
    let expected: &[&[&str]] = &[&["2.root.json", "timestamp.json"], &["2.snapshot.json"], &["2.B.json"]];
    assert_eq!(machine.round_trips, expected);
    Ok(())
}

/// Whatever comes first: the same results, the same files.
#[test]
fn the_order_of_answers_does_not_matter() -> Result<(), Error> {
    let (mut repository, paths) = binned();
    repository.delegate("bin-0", "below", &["*"]);
    repository.publish();
    let old = Machine::refreshed(&repository);
    repository.rotate(TopLevelRole::Timestamp, &[ed25519(10)], 1);
    repository.rotate(TopLevelRole::Targets, &[ed25519(11)], 1);
    repository.publish();
    repository.release("targets");
    repository.release("bin-1");
    let broken = repository.bin("targets", "file-3");
    let broken_file = repository.file_name(&broken, repository.role(&broken).version);
    repository.serve(&broken_file, Instead::Body(b"{}".to_vec()));
    let paths: Vec<_> = paths.iter().map(String::as_str).chain(["missing", "another"]).collect();
    let mut expected = None;
    for seed in 0..100 {
        let mut machine = Machine { order: Order::Shuffled(seed), ..old.clone() };
        let results = machine.look_up_all(&repository, &paths)?;
        let outcome = (results, machine.stored);
        assert_eq!(*expected.get_or_insert(outcome.clone()), outcome, "seed {seed}");
    }
    Ok(())
}

#[test]
fn failures_are_the_same_in_any_order() {
    for (name, check) in
        [("2.root.json", Check::Signatures), ("timestamp.json", Check::Reachable), ("1.snapshot.json", Check::Present)]
    {
        for seed in 0..30 {
            let mut repository = Repository::new();
            let mut machine = Machine { order: Order::Shuffled(seed), ..Machine::trusting(&repository) };
            repository.root.version = 2;
            repository.publish_root_signed_by(&[ed25519(99)]);
            let instead = match check {
                Check::Signatures => repository.answer("2.root.json"),
                Check::Reachable => Instead::Failed,
                _ => Instead::Absent,
            };
            repository.serve("2.root.json", Instead::Absent);
            repository.serve(name, instead);
            let error = machine.look_up(&repository, "file").unwrap_err();
            assert_eq!(error.check(), check);
            let kept = if name == "1.snapshot.json" { 1 } else { 0 };
            assert_eq!(machine.stored.len(), kept, "seed {seed}");
        }
    }
}

/// The first request is the most urgent one; who does one thing at a time asks for nothing in vain.
#[test]
fn one_at_a_time_asks_for_nothing_in_vain() -> Result<(), Error> {
    let mut repository = Repository::new();
    let mut machine = Machine::refreshed(&repository);
    repository.rotate(TopLevelRole::Timestamp, &[ed25519(10)], 1);
    repository.release_timestamp();
    machine.refresh(&repository)?;
    assert_eq!(machine.requested, ["2.root.json", "3.root.json", "timestamp.json", "1.snapshot.json"]);
    let mut broken = repository.clone();
    broken.serve("3.root.json", Instead::Failed);
    machine.refresh(&broken).unwrap_err();
    assert_eq!(machine.requested, ["3.root.json"]);
    Ok(())
}

/// The first outstanding fetch of a client that has been given all it wants to load.
fn next_fetch(client: &mut Client, machine: &Machine) -> (tuf::RequestId, String) {
    loop {
        match client.poll_request().expect("a request") {
            Request::Load { id, file } => client.loaded(id, machine.stored.get(&file).map(Vec::as_slice)),
            Request::Fetch { id, file } => return (id, file.name),
            Request::Store { .. } | Request::Delete { .. } => {}
        }
    }
}

#[test]
fn answers_to_what_was_not_asked_are_ignored() -> Result<(), Error> {
    let (repository, _) = binned();
    let mut machine = Machine::trusting(&repository);

    // Ids of another client, which has come further.
    let mut other = machine.client(Mode::Online)?;
    machine.drive(&mut other, Some(&repository));
    other.look_up("file-0");
    let (foreign, _) = next_fetch(&mut other, &Machine::trusting(&repository));

    let mut client = machine.client(Mode::Online)?;
    let Some(Request::Load { id: load, file: StoredFile::Root(2) }) = client.poll_request() else { panic!() };
    client.loaded(foreign, Some(b"poison"));
    client.fetched(foreign, Fetched::Absent);
    // The kind of answer that belongs to the other kind of request.
    client.fetched(load, Fetched::Absent);
    assert_eq!((client.poll_request(), client.poll_event()), (None, None));
    client.loaded(load, None);
    let Some(Request::Fetch { id: fetch, .. }) = client.poll_request() else { panic!() };
    client.loaded(fetch, Some(&repository.file("root")));
    client.loaded(load, Some(b"twice"));
    client.fetched(load, Fetched::Failed("late"));
    // Not yet answered, so that the timestamp is asked for early and nothing else.
    let Some(Request::Fetch { file, .. }) = client.poll_request() else { panic!() };
    assert_eq!(file.name, "timestamp.json");
    assert_eq!((client.poll_request(), client.poll_event()), (None, None));
    assert_eq!(client.root().version, 1);
    Ok(())
}

#[test]
fn a_second_answer_to_one_request_is_ignored() -> Result<(), Error> {
    let repository = Repository::new();
    let mut machine = Machine::refreshed(&repository);
    let mut client = machine.client(Mode::Online)?;
    let (root, _) = next_fetch(&mut client, &machine);
    client.fetched(root, Fetched::Absent);
    client.fetched(root, Fetched::Failed("late"));
    let (timestamp, _) = next_fetch(&mut client, &machine);
    client.fetched(timestamp, Fetched::Body(&repository.file("timestamp")));
    client.fetched(timestamp, Fetched::Body(b"late"));
    machine.drive(&mut client, None);
    assert_eq!(machine.events, [Event::Refreshed]);
    Ok(())
}

#[test]
fn look_ups_before_within_and_after_the_refresh() -> Result<(), Error> {
    let (repository, paths) = binned();
    let mut machine = Machine::trusting(&repository);
    let mut client = machine.client(Mode::Online)?;
    let before = client.look_up(&*paths[0]);
    let (root, _) = next_fetch(&mut client, &machine);
    let within = client.look_up(&*paths[1]);
    client.fetched(root, Fetched::Absent);
    assert!(client.epoch().is_none() && client.targets().is_none() && client.poll_event().is_none());
    machine.drive(&mut client, Some(&repository));
    assert_eq!(client.targets(), Some(&repository.targets));
    let after = client.look_up(&*paths[2]);
    let again = client.look_up(&*paths[0]);
    machine.drive(&mut client, Some(&repository));
    assert_eq!(machine.events[0], Event::Refreshed);
    let mut results = look_ups(&machine.events);
    for (id, path) in [(before, 0), (within, 1), (after, 2), (again, 0)] {
        assert_eq!(found(results.remove(&id).unwrap()?).path, paths[path]);
    }
    assert_eq!((client.poll_request(), client.poll_event()), (None, None));
    Ok(())
}

/// What is in the top-level targets, or in a role that is known, needs no request at all.
#[test]
fn a_look_up_of_what_is_known_is_answered_at_once() -> Result<(), Error> {
    let mut repository = Repository::new();
    repository.add_target("targets", "file", b"content");
    repository.publish();
    let mut machine = Machine::trusting(&repository);
    let mut client = machine.client(Mode::Online)?;
    machine.drive(&mut client, Some(&repository));
    for path in ["file", "missing"] {
        let id = client.look_up(path);
        let Some(Event::LookedUp { id: answered, result: Ok(_) }) = client.poll_event() else { panic!() };
        assert_eq!((answered, client.poll_request()), (id, None));
    }
    Ok(())
}

#[test]
fn after_a_failure_all_look_ups_have_the_same_error() -> Result<(), Error> {
    let mut repository = Repository::new();
    repository.serve("1.snapshot.json", Instead::Failed);
    let mut machine = Machine::trusting(&repository);
    let mut client = machine.client(Mode::Online)?;
    let ids = ["a", "b", "c"].map(|path| client.look_up(path));
    machine.drive(&mut client, Some(&repository));
    let [Event::Failed(error), rest @ ..] = machine.events.as_slice() else { panic!("{:?}", machine.events) };
    assert_eq!((error.check(), rest.len()), (Check::Reachable, 3));
    let results = look_ups(rest);
    for id in ids {
        assert_eq!(results[&id], Err(error.clone()));
    }
    let late = client.look_up("late");
    let expected = Event::LookedUp { id: late, result: Err(error.clone()) };
    assert_eq!((client.poll_event(), client.poll_event(), client.poll_request()), (Some(expected), None, None));
    assert!(client.epoch().is_none() && client.targets().is_none());
    Ok(())
}

/// What was verified before is still to be kept, and nothing else is to be done.
#[test]
fn after_a_failure_only_the_store_has_work_left() -> Result<(), Error> {
    let mut repository = Repository::new();
    let machine = Machine::refreshed(&repository);
    repository.root.expires = tuf::UnixTime(0);
    repository.rotate(TopLevelRole::Timestamp, &[ed25519(10)], 1);
    let mut client = machine.clone().client(Mode::Online)?;
    let (root, _) = next_fetch(&mut client, &machine);
    let Some(Request::Fetch { id: timestamp, .. }) = client.poll_request() else { panic!() };
    client.fetched(root, Fetched::Body(&repository.file("root")));
    let mut left = Vec::new();
    let next = loop {
        match client.poll_request() {
            Some(Request::Fetch { id, .. }) => break id,
            Some(request) => left.push(request),
            None => panic!("root 3 is asked for"),
        }
    };
    client.fetched(next, Fetched::Absent);
    assert!(matches!(client.poll_event(), Some(Event::Failed(_))));
    // Still under way when it failed.
    client.fetched(timestamp, Fetched::Body(&repository.file("timestamp")));
    left.extend(std::iter::from_fn(|| client.poll_request()));
    let [deleted @ .., Request::Store { file: StoredFile::Root(2), .. }] = left.as_slice() else { panic!("{left:?}") };
    assert_eq!(deleted.len(), 2, "{deleted:?}");
    assert!(deleted.iter().all(|request| matches!(request, Request::Delete { .. })));
    assert_eq!(client.poll_event(), None);
    Ok(())
}

/// Several look-ups wait for one role; when it fails, all of them do, and it is asked for once.
#[test]
fn a_role_wanted_by_many_is_asked_for_once() -> Result<(), Error> {
    let mut repository = Repository::new();
    repository.delegate("targets", "role", &["*"]);
    repository.add_target("role", "b", b"content");
    repository.publish();
    for broken in [false, true] {
        if broken {
            repository.serve("1.role.json", Instead::Failed);
        }
        for order in [Order::OneAtATime, Order::RoundTrips, Order::Shuffled(3)] {
            let mut machine = Machine { order, ..Machine::trusting(&repository) };
            let results = machine.look_up_all(&repository, &["a", "b", "c", "b"])?;
            assert_eq!(machine.requested.iter().filter(|name| *name == "1.role.json").count(), 1);
            for result in results {
                if broken {
                    refused(result, Check::Reachable, "role", 1);
                } else {
                    result?;
                }
            }
            let written = machine.written.iter().filter(|(file, _)| matches!(file, StoredFile::Delegated(_))).count();
            assert_eq!(written, usize::from(!broken));
        }
    }
    Ok(())
}
