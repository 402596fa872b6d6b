//! `repo gc`: what nobody needs any more goes, and nothing else.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use testkit::Fault;

use super::place::{Client, KINDS, Kind, Place};

/// Longer than any publication takes.
const LONG_AGO: Duration = Duration::from_secs(2 * 3600);

/// After this even number of publications, all of them a while ago.
fn old_index(kind: Kind, publications: usize) -> Place {
    let place = Place::new(kind);
    place.publish(&[("app", "1.0"), ("removed", "1.0")]);
    for number in 1..=publications {
        let command = if number % 2 == 1 { "yank" } else { "unyank" };
        place.does(&[command, "app==1.0"]);
        if number == 5 {
            place.does(&["remove", "removed", "--yes"]);
        }
        place.does(&["publish"]);
    }
    place.age(LONG_AGO);
    // What `--keep 1s` keeps was current then.
    thread::sleep(Duration::from_millis(2100));
    place
}

/// What the snapshot of this version leads to: itself and the metadata it names.
fn named_by(place: &Place, snapshot: u64) -> BTreeSet<String> {
    let path = format!("tuf/{snapshot}.snapshot.json");
    let document: Value = serde_json::from_slice(&place.read(&path).unwrap()).unwrap();
    let roles = document["signed"]["meta"].as_object().unwrap().iter();
    roles.map(|(role, meta)| format!("tuf/{}.{role}", meta["version"])).chain([path]).collect()
}

#[test]
fn what_is_left_is_usable_and_what_nobody_reaches_is_gone() {
    for kind in KINDS {
        let place = old_index(kind, 30);
        let client = Client::new(&place);
        client.gets("app");
        for path in ["packages/notes.txt", "robots.txt", "tuf/README", "simple/app/logo.svg"] {
            place.plant(path, b"the operator's own");
        }
        place.age(LONG_AGO);
        let before = place.paths();
        let (_, newest) = place.versions();

        let would = place.says(&["gc", "--keep", "1s", "--dry-run"]);
        assert_eq!(place.paths(), before, "a dry run deleted something");
        // Whoever began within a day still needs all of it.
        assert_eq!(place.says(&["gc"])["deleted"], serde_json::json!([]));
        assert_eq!(place.paths(), before);

        let said = place.says(&["gc", "--keep", "1s"]);
        assert_eq!(said["deleted"], would["deleted"], "{kind:?}");
        let after: BTreeSet<String> = place.paths().into_iter().collect();
        let deleted: BTreeSet<String> = before.into_iter().filter(|path| !after.contains(path)).collect();
        let told: BTreeSet<String> =
            said["deleted"].as_array().unwrap().iter().map(|path| path.as_str().unwrap().to_owned()).collect();
        assert_eq!(deleted, told);
        let snapshots = after.iter().filter(|path| path.ends_with(".snapshot.json")).count();
        assert_eq!(snapshots, 3, "{after:#?}");
        for version in newest - 2..=newest {
            assert!(named_by(&place, version).is_subset(&after), "{version}: {after:#?}");
        }
        assert!(!after.iter().any(|path| path.contains("removed-1.0")), "{after:#?}");
        for path in ["packages/notes.txt", "robots.txt", "tuf/README", "simple/app/logo.svg", "tuf/1.root.json"] {
            assert!(after.contains(path), "{path}");
        }
        place.is_whole();
        client.gets("app");
        assert_eq!(place.says(&["gc", "--keep", "1s"])["deleted"], serde_json::json!([]));
        place.publish(&[("app", "2.0")]);
        client.gets("app==2.0");
    }
}

#[test]
fn packages_stay_on_request() {
    let place = old_index(Kind::Directory, 12);
    place.does(&["gc", "--keep", "1s", "--keep-files"]);
    assert!(place.paths().iter().any(|path| path.ends_with("removed-1.0-py3-none-any.whl")));
    place.does(&["gc", "--keep", "1s"]);
    assert!(!place.paths().iter().any(|path| path.contains("removed-1.0")));
}

#[test]
fn whoever_is_killed_can_begin_again_with_any_keep() {
    let place = old_index(Kind::Bucket, 12);
    let store = place.store.as_ref().unwrap();
    for number in [1, 10, 20] {
        store.forget_writes();
        store.fail_writes_from(number, Fault::Status(403));
        place.repo(&["gc", "--keep", "1s"]).expect_code(1).expect_stderr(&["repo.storage-refused"]);
        store.heal();
        place.is_whole();
        place.does(&["gc", "--keep", "24h"]);
    }
    place.does(&["gc", "--keep", "1s"]);
    place.is_whole();
    assert_eq!(place.paths().iter().filter(|path| path.ends_with(".snapshot.json")).count(), 3);
}

#[test]
fn beside_publications_nothing_they_need_is_deleted() {
    for kind in KINDS {
        let place = old_index(kind, 12);
        place.copy_workplace("cron");
        let client = Client::new(&place);
        client.while_going_on("app==1.0", || {
            thread::scope(|scope| {
                scope.spawn(|| {
                    for _ in 0..6 {
                        place.repo_in("cron", &["gc", "--keep", "1s"]).expect_code(0);
                    }
                });
                // The pages that these bring back lie there since long ago, and nothing refers to them.
                for number in 0..6 {
                    place.does(&[if number % 2 == 0 { "yank" } else { "unyank" }, "app==1.0"]);
                    place.does(&["publish"]);
                }
            });
        });
        place.is_whole();
    }
}

#[test]
fn what_a_publication_has_not_named_yet_stays_for_a_while() {
    let place = Place::new(Kind::Bucket);
    let store = place.store.as_ref().unwrap();
    place.stage(&[("app", "1.0")]);
    store.forget_writes();
    // Packages, page, snapshot and bin are there; the timestamp is not.
    store.fail_writes_from(5, Fault::Status(403));
    place.repo(&["publish"]).expect_code(1);
    store.heal();
    thread::sleep(Duration::from_millis(1100));
    assert_eq!(place.says(&["gc", "--keep", "1s"])["deleted"], serde_json::json!([]));
    place.age(LONG_AGO);
    assert_eq!(place.says(&["gc", "--keep", "1s"])["deleted"].as_array().unwrap().len(), 5);
    // The files are staged still.
    place.does(&["publish"]);
    place.is_whole();
}
