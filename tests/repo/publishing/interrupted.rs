//! A publisher who dies leaves clients with the state before or the one after, and the next publication completes it.

use std::thread;
use std::time::{Duration, Instant};

use testkit::{Fault, Wheel, WheelFile};

use super::place::{Client, Kind, Place};

/// The n-th write fails, for every n, and with it all that follow.
#[test]
fn at_every_write_to_a_bucket() {
    let place = Place::new(Kind::Bucket);
    let store = place.store.as_ref().unwrap();
    place.publish(&[("app", "1.0")]);
    let client = Client::new(&place);
    client.gets("app");
    let mut projects = vec!["app".to_owned()];
    for number in 0.. {
        let project = format!("project-{number}");
        place.stage(&[("app", &format!("2.{number}")), (&project, "1.0")]);
        store.forget_writes();
        store.fail_writes_from(number, Fault::Status(403));
        let before = place.versions();
        let failed = place.repo(&["publish"]);
        let is_published = place.versions() != before;
        store.heal();
        if failed.code == Some(0) {
            assert!(number > 10, "there were only {number} writes");
            break;
        }
        failed.expect_code(1).expect_stderr(&["repo.storage-refused"]);
        place.is_consistent();
        client.gets("app");
        let sees_new = client.download(&project).code == Some(0);
        assert_eq!(sees_new, is_published, "after {number} writes");

        place.does(&["publish"]);
        projects.push(project.clone());
        client.gets(&project);
        client.gets(&format!("app==2.{number}"));
        let mut sorted = projects.clone();
        sorted.sort();
        assert_eq!(place.listed(), sorted);
        place.is_whole();
    }
    assert_eq!(place.says(&["status"])["staged"], serde_json::json!([]));
}

/// The connection ends after a write has happened and before the answer: the write counts.
#[test]
fn answers_that_get_lost_change_nothing() {
    let place = Place::new(Kind::Bucket);
    let store = place.store.as_ref().unwrap();
    place.publish(&[("app", "1.0")]);
    for number in 0..9 {
        place.stage(&[("app", &format!("2.{number}"))]);
        store.forget_writes();
        store.fail_write(number, Fault::AnswerLost);
        let (timestamp, _) = place.versions();
        let said = place.says(&["publish"]);
        store.heal();
        assert_eq!(said["rebased"], 0, "write {number}");
        assert_eq!(place.versions().0, timestamp + 1, "write {number}");
    }
    place.is_whole();
}

fn many(number: usize) -> Vec<WheelFile> {
    (0..20).map(|wheel| Wheel::new(&format!("project-{wheel}"), &format!("1.{number}")).build()).collect()
}

/// Killed at many moments, from the first to the last.
#[test]
fn at_any_moment_in_a_directory() {
    let place = Place::new(Kind::Directory);
    place.publish(&[("app", "1.0")]);
    place.stage_in("index", &many(0));
    let start = Instant::now();
    place.does(&["publish"]);
    let whole = start.elapsed();
    let client = Client::new(&place);
    let mut killed = 0;
    for number in 1..=10_u32 {
        place.stage_in("index", &many(number as usize));
        if place.kill_after(&["publish"], whole * number / 10) {
            killed += 1;
        }
        place.is_consistent();
        client.gets("app");
        // Sometimes the next one begins on top of what is half there.
        if number % 5 == 0 {
            place.does(&["publish"]);
            client.gets(&format!("project-7==1.{number}"));
            place.is_whole();
        }
    }
    assert!(killed >= 3, "only {killed} were killed; a publication takes {whole:?}");
    place.does(&["publish"]);
    place.is_whole();
    assert_eq!(place.listed().len(), 21);
    client.gets("project-19==1.10");
    assert_eq!(
        testkit::tree(&place.operator.path("index/staged")).iter().filter(|line| line.contains(".whl")).count(),
        0
    );
}

/// The new key comes with a new root: a rotation that dies is completed by doing it again.
#[test]
fn a_key_rotation_at_every_write() {
    for number in 0.. {
        let place = Place::new(Kind::Bucket);
        let store = place.store.as_ref().unwrap();
        place.publish(&[("app", "1.0")]);
        let client = Client::new(&place);
        client.gets("app");
        store.forget_writes();
        store.fail_writes_from(number, Fault::Status(403));
        let failed = place.repo(&["rotate-online", "--no-passphrase"]);
        store.heal();
        client.gets("app");
        Client::new(&place).gets("app");
        if failed.code == Some(0) {
            assert!(number > 5, "there were only {number} writes");
            break;
        }
        let again = place.repo(&["root", "finalize"]);
        if again.code != Some(0) {
            // All of it was published already, but for what others do not see.
            again.expect_code(1).expect_stderr(&["repo.nothing-waits"]);
        }
        assert!(place.read("tuf/2.root.json").is_some(), "after {number} writes");
        client.gets("app");
        place.publish(&[("app", "2.0")]);
        client.gets("app==2.0");
        place.is_whole();
    }
}

#[test]
fn clients_go_on_while_keys_change() {
    for kind in super::place::KINDS {
        let place = Place::new(kind);
        place.publish(&[("app", "1.0")]);
        let client = Client::new(&place);
        let ((), count) = client.while_going_on("app", || {
            for _ in 0..3 {
                place.does(&["rotate-online", "--no-passphrase"]);
                place.does(&["refresh"]);
                thread::sleep(Duration::from_millis(50));
            }
        });
        assert!(count > 1);
        assert!(place.read("tuf/4.root.json").is_some());
        place.is_whole();
    }
}
