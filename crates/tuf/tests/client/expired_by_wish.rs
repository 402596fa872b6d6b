//! Metadata that has expired and is used all the same, because the user wants it: only so long, never the root, and told.

use tuf::{Check, Client, Error, Event, Limits, Mode, UnixTime};

use super::simulator::{DAY, Machine, NOW, Repository, found, refused};

/// All roles but the root expire in these days; `file` is in `role`, and nobody asks for what is in `other`.
fn expiring_in(days: i64) -> Repository {
    let mut repository = Repository::new();
    repository.root.expires = in_days(900);
    repository.publish_root();
    for role in ["role", "other"] {
        repository.delegate("targets", role, &[if role == "role" { "file" } else { "else" }]);
        repository.add_target(role, if role == "role" { "file" } else { "else" }, b"content");
    }
    for role in ["targets", "role", "other"] {
        repository.role_mut(role).expires = in_days(days);
    }
    repository.snapshot.expires = in_days(days);
    repository.timestamp.expires = in_days(days);
    repository.publish();
    repository
}

fn in_days(days: i64) -> UnixTime {
    UnixTime(NOW.0 + days * DAY)
}

/// A machine whose user lets metadata pass that expired less than a week ago.
fn patient(repository: &Repository) -> Machine {
    let mut machine = Machine::trusting(repository);
    machine.limits = Limits { expired_for: 7 * DAY as u64, ..Limits::default() };
    machine
}

/// The client after looking for `file`, and what it says of expired roles.
fn looked_up(machine: &mut Machine, repository: Option<&Repository>) -> (Client, Vec<(String, UnixTime)>) {
    let mode = if repository.is_some() { Mode::Online } else { Mode::Offline };
    let mut client = machine.client(mode).unwrap();
    assert_eq!(client.expired(), []);
    client.look_up("file");
    machine.drive(&mut client, repository);
    let expired = client.expired().into_iter().map(|(role, expires)| (role.to_string(), expires)).collect();
    (client, expired)
}

fn has_found(machine: &Machine) -> bool {
    machine.events.iter().any(|event| matches!(event, Event::LookedUp { result: Ok(_), .. }))
}

#[test]
fn nothing_expired_is_let_pass_unless_asked_for() {
    let repository = expiring_in(-1);
    refused(Machine::trusting(&repository).refresh(&repository), Check::Expiry, "timestamp", 1);
    assert_eq!(Limits::default().expired_for, 0);
}

#[test]
fn what_expired_this_week_is_used_and_told_online_and_offline() {
    let repository = expiring_in(-2);
    let mut machine = patient(&repository);
    let all = ["timestamp", "snapshot", "targets", "role"].map(|role| (role.to_owned(), in_days(-2)));
    let (client, expired) = looked_up(&mut machine, Some(&repository));
    assert!(has_found(&machine) && client.epoch().is_some());
    assert_eq!(expired, all);
    let (_, expired) = looked_up(&mut machine, None);
    assert!(has_found(&machine));
    assert_eq!(expired, all);
}

#[test]
fn what_has_not_expired_is_not_told() -> Result<(), Error> {
    for expiring in ["timestamp", "snapshot", "targets", "role"] {
        let mut repository = expiring_in(30);
        match expiring {
            "timestamp" => repository.timestamp.expires = NOW,
            "snapshot" => repository.snapshot.expires = NOW,
            role => repository.role_mut(role).expires = NOW,
        }
        repository.publish();
        let mut machine = patient(&repository);
        assert_eq!(looked_up(&mut machine, Some(&repository)).1, [(expiring.to_owned(), NOW)]);
        // A second before it was good by itself.
        machine.now = UnixTime(NOW.0 - 1);
        assert_eq!(looked_up(&mut machine, None).1, []);
    }
    Ok(())
}

#[test]
fn patience_ends_at_the_second() -> Result<(), Error> {
    for expiring in ["timestamp", "snapshot", "targets", "role"] {
        let mut repository = expiring_in(900);
        match expiring {
            "timestamp" => repository.timestamp.expires = in_days(1),
            "snapshot" => repository.snapshot.expires = in_days(1),
            role => repository.role_mut(role).expires = in_days(1),
        }
        repository.publish();
        let mut machine = patient(&repository);
        machine.now = UnixTime(in_days(8).0 - 1);
        let empty_store = machine.clone();
        found(machine.look_up(&repository, "file")?);
        found(machine.look_up_offline("file")?);
        // Stored or fetched anew.
        for mut machine in [machine, empty_store] {
            machine.now = in_days(8);
            let error = refused(machine.look_up(&repository, "file"), Check::Expiry, expiring, 1);
            let expected = "expected an expiry date less than 604800 seconds before the time of the update, \
                            2026-01-09T00:00:00Z";
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
    Ok(())
}

/// An expired root may have a successor that names other keys, withheld by the one who has the old ones.
#[test]
fn an_expired_root_is_never_let_pass() {
    let mut repository = expiring_in(30);
    repository.root.expires = NOW;
    repository.publish_root();
    for expired_for in [1, 7 * DAY as u64, u64::MAX] {
        let mut machine = Machine::trusting(&repository);
        machine.limits.expired_for = expired_for;
        let error = refused(machine.refresh(&repository), Check::Expiry, "root", 1);
        assert!(error.to_string().contains("expected an expiry date after the time of the update"), "{error}");
        refused(machine.refresh_offline(), Check::Expiry, "root", 1);
        assert!(machine.stored.is_empty());
    }
}

/// Only the date is forgiven: what is newer is taken, what is older refused.
#[test]
fn an_expired_stored_timestamp_still_gives_way_to_a_newer_one_and_refuses_an_older_one() -> Result<(), Error> {
    let mut repository = expiring_in(-1);
    let before = repository.clone();
    repository.release("targets");
    let mut machine = patient(&repository);
    machine.refresh(&repository)?;
    refused(machine.refresh(&before), Check::TimestampRollback, "timestamp", 1);
    for role in ["targets", "role"] {
        repository.role_mut(role).expires = in_days(30);
    }
    repository.snapshot.expires = in_days(30);
    repository.timestamp.expires = in_days(30);
    repository.release("role");
    repository.release("targets");
    assert_eq!(looked_up(&mut machine, Some(&repository)).1, []);
    assert_eq!(machine.trusts(), "root 1, timestamp 4, snapshot 4, targets 3, role 2");
    Ok(())
}

#[test]
fn no_number_of_seconds_is_too_many() {
    for (now, expired_for) in [(NOW, u64::MAX), (UnixTime(i64::MIN), u64::MAX), (UnixTime(i64::MAX), 1)] {
        let repository = expiring_in(-1);
        let mut machine = Machine::trusting(&repository);
        machine.limits.expired_for = expired_for;
        machine.now = now;
        let refreshed = machine.refresh(&repository);
        match now {
            UnixTime(i64::MAX) => drop(refused(refreshed, Check::Expiry, "root", 1)),
            _ => drop(refreshed.unwrap()),
        }
    }
}
