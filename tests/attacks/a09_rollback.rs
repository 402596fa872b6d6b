//! Somebody shows an older state of the index than the user has seen, or another one of the same version.

use std::fs;

use testkit::{Profile, Recording, SignedIndex, StolenKeys, Wheel, in_seconds};

use crate::scene::{SignedScene, forget_what_can_be_fetched, index};

const COMMAND: &[&str] = &["--force-reinstall", "app"];
const SEEN: &[&str] = &["app-1.0", "library-3.0"];
const OLDER: &str = "somebody shows an older state of the index than this machine has seen before";

/// A user who has seen the second day, on which everything has a newer version; and the first day.
fn second_day(setup: SignedIndex) -> (SignedScene, Recording) {
    let scene = SignedScene::of(setup);
    let first = scene.server.day();
    scene.server.set_expiry("targets", in_seconds(86_400));
    scene.server.publish(|index| index.add(Wheel::new("library", "3.0").build()));
    scene.recovers(COMMAND, SEEN);
    (scene, first)
}

fn usual() -> (SignedScene, Recording) {
    second_day(SignedIndex::new(index()))
}

/// What the snapshot of a day says of a role.
fn listed_on(day: &Recording, snapshot: &str, role: &str) -> serde_json::Value {
    let snapshot: serde_json::Value = serde_json::from_slice(&day.files[snapshot]).unwrap();
    snapshot["signed"]["meta"][format!("{role}.json")].clone()
}

#[test]
fn everything_as_it_was() {
    for setup in [
        SignedIndex::new(index()),
        SignedIndex::new(index()).without_consistent_snapshots(),
        SignedIndex::new(index()).without_hashes_in_snapshot(),
        SignedIndex::new(index()).profile(Profile::Pep458 { bit_length: 1 }),
    ] {
        let (scene, first) = second_day(setup);
        scene.server.replay(&first);
        let said =
            ["refused timestamp version 1", "expected at least version 3", "received 1", OLDER, "trust.rollback"];
        scene.refuses(COMMAND, 10, &said);
        assert_eq!(scene.stored_version("timestamp"), Some(3));
        assert_eq!(scene.stored_version("snapshot"), Some(3));
        // The next honest update works, and so does the one after a new publication.
        scene.recovers(COMMAND, SEEN);
        scene.server.publish(|index| index.add(Wheel::new("library", "4.0").build()));
        scene.recovers(COMMAND, &["app-1.0", "library-4.0"]);
    }
}

#[test]
fn a_timestamp_alone() {
    let (scene, first) = usual();
    scene.server.replay_file(&first, "/tuf/timestamp.json");
    scene.refuses(COMMAND, 10, &["refused timestamp version 1", "expected at least version 3", "trust.rollback"]);
    scene.recovers(COMMAND, SEEN);
}

/// The specification's way with it: what is stored stays, and is used (TUF 5.4.3.1).
#[test]
fn a_timestamp_of_the_same_version_with_other_content() {
    let (scene, first) = usual();
    let (stored, trusted) = (fs::read(scene.stored("timestamp.json")).unwrap(), scene.trusted());
    let older = serde_json::from_slice::<serde_json::Value>(&first.files["/tuf/timestamp.json"]).unwrap();
    scene.server.forge("timestamp", StolenKeys::Timestamp, |signed| {
        signed["version"] = 3.into();
        signed["meta"] = older["signed"]["meta"].clone();
    });
    scene.installs(COMMAND);
    scene.expect_installed(SEEN);
    assert_eq!(fs::read(scene.stored("timestamp.json")).unwrap(), stored);
    assert_eq!(scene.trusted(), trusted);
    scene.recovers(COMMAND, SEEN);
}

#[test]
fn a_snapshot_by_a_stolen_timestamp_key() {
    let (scene, first) = usual();
    let older = serde_json::from_slice::<serde_json::Value>(&first.files["/tuf/timestamp.json"]).unwrap();
    scene.server.forge("timestamp", StolenKeys::Timestamp, |signed| signed["meta"] = older["signed"]["meta"].clone());
    let said =
        ["refused timestamp version 4", "expected snapshot 3 or later", "received snapshot 1", OLDER, "trust.rollback"];
    scene.refuses(COMMAND, 10, &said);
    // The timestamp that was refused is not remembered: it would keep out the owner's next one.
    assert_eq!(scene.stored_version("timestamp"), Some(3));
    scene.recovers(COMMAND, SEEN);
    scene.server.publish(|index| index.add(Wheel::new("library", "4.0").build()));
    scene.recovers(COMMAND, &["app-1.0", "library-4.0"]);
}

#[test]
fn a_snapshot_of_the_same_version_with_other_content() {
    let (scene, first) = usual();
    let path = scene.server.role_path("snapshot");
    scene.server.replace(&path, first.files["/tuf/1.snapshot.json"].clone());
    // Nobody asks for what is stored and named by the timestamp.
    scene.server.forget_requests();
    scene.installs(COMMAND);
    scene.expect_installed(SEEN);
    assert!(scene.server.requests_for(&path).is_empty());
    // A newcomer asks, and gets something else than the timestamp names.
    fs::remove_file(scene.stored("snapshot.json")).unwrap();
    scene.refuses(COMMAND, 10, &["refused snapshot version 3", "trust.hash-mismatch"]);
    scene.recovers(COMMAND, SEEN);
}

#[test]
fn a_role_by_stolen_keys_of_snapshot_and_timestamp() {
    for role in ["targets", "index"] {
        let (scene, first) = usual();
        let older = listed_on(&first, "/tuf/1.snapshot.json", role);
        scene.server.forge("snapshot", StolenKeys::Snapshot, |signed| signed["meta"][format!("{role}.json")] = older);
        let expected = format!("expected {role}.json of version 2 or later");
        let said = ["refused snapshot version 4", &expected, "received 1", OLDER, "trust.rollback"];
        scene.refuses_and_learns(COMMAND, 10, &said);
        assert_eq!(scene.stored_version("snapshot"), Some(3));
        scene.recovers_with_new_keys(COMMAND, SEEN);
    }
}

#[test]
fn a_bin_that_was_never_fetched() {
    let (scene, first) = second_day(SignedIndex::new(index()).profile(Profile::Pep458 { bit_length: 4 }));
    // One that has changed since the first day, if it was asked for or not.
    let bin = scene.server.role_of(&scene.server.page_target("library"));
    let older = listed_on(&first, "/tuf/1.snapshot.json", &bin);
    forget_what_can_be_fetched(&scene);
    scene.server.forge("snapshot", StolenKeys::Snapshot, |signed| signed["meta"][format!("{bin}.json")] = older);
    let said = ["refused snapshot version 4", &format!("expected {bin}.json of version 2 or later"), "trust.rollback"];
    scene.refuses_and_learns(COMMAND, 10, &said);
    scene.recovers_with_new_keys(COMMAND, SEEN);
}

#[test]
fn a_snapshot_that_drops_a_role() {
    for role in ["targets", "index"] {
        let (scene, _) = usual();
        scene.server.forge("snapshot", StolenKeys::Snapshot, |signed| {
            signed["meta"].as_object_mut().unwrap().remove(&format!("{role}.json"));
        });
        scene.refuses_and_learns(COMMAND, 10, &["refused snapshot version 4"]);
        assert_eq!(scene.stored_version("snapshot"), Some(3));
        scene.recovers_with_new_keys(COMMAND, SEEN);
    }
    let (scene, _) = usual();
    scene.server.forge("snapshot", StolenKeys::Snapshot, |signed| {
        signed["meta"].as_object_mut().unwrap().remove("index.json");
    });
    let said = ["expected index.json, which version 3 lists", "received no such entry", "trust.rollback"];
    scene.refuses_and_learns(COMMAND, 10, &said);
    scene.recovers_with_new_keys(COMMAND, SEEN);
}

/// The older file in the place of the newer one: the snapshot says what is in it, or at least its version.
#[test]
fn the_file_of_a_role() {
    for role in ["targets", "index"] {
        for (setup, code) in [
            (SignedIndex::new(index()), "trust.hash-mismatch"),
            (SignedIndex::new(index()).without_hashes_in_snapshot(), "trust.version"),
        ] {
            let scene = SignedScene::of(setup);
            let first = scene.server.files()[&scene.server.role_path(role)].clone();
            scene.server.set_expiry(role, in_seconds(86_400));
            let path = scene.server.role_path(role);
            scene.server.replace(&path, first);
            let outcome = scene.install(COMMAND).expect_code(10);
            let is_longer = outcome.stderr.contains("trust.too-large");
            assert!(is_longer || outcome.stderr.contains(code), "{role}:\n{}", outcome.stderr);
            scene.refuses(COMMAND, 10, &[&format!("refused {role} version 2")]);
            scene.recovers(COMMAND, &["app-1.0", "library-2.0"]);
        }
    }
}

/// A role of the version that is listed, with other content: good signatures are not enough where the snapshot has hashes.
#[test]
fn a_role_of_the_same_version_by_its_own_stolen_key() {
    let (scene, _) = usual();
    let page = scene.altered_page("library", |page| page["files"].as_array_mut().unwrap().truncate(1));
    scene.server.forge_page("library", &page, StolenKeys::Bins);
    // What is stored is the role that the snapshot lists: nobody asks for another.
    scene.installs(COMMAND);
    scene.expect_installed(SEEN);
    forget_what_can_be_fetched(&scene);
    scene.refuses(COMMAND, 10, &["refused index version 2"]);
    scene.recovers(COMMAND, SEEN);
}

/// What was seen counts after it has expired, too: otherwise an older timestamp with a longer life would do.
#[test]
fn after_what_is_stored_has_expired() {
    let scene = SignedScene::signed();
    let first = scene.server.day();
    scene.recovers(COMMAND, &["app-1.0", "library-2.0"]);
    scene.server.publish(|index| index.add(Wheel::new("library", "3.0").build()));
    scene.server.set_expiry("timestamp", in_seconds(-60));
    // Stored when it was good.
    fs::write(scene.stored("timestamp.json"), &scene.server.files()["/tuf/timestamp.json"]).unwrap();
    scene.server.replay(&first);
    scene.refuses(
        COMMAND,
        10,
        &["refused timestamp version 1", "expected at least version 3", OLDER, "trust.rollback"],
    );
    assert_eq!(scene.stored_version("timestamp"), Some(3));
    scene.server.honest();
    scene.refuses(COMMAND, 11, &["has expired (timestamp)", "trust.expired"]);
    scene.server.set_expiry("timestamp", in_seconds(86_400));
    scene.recovers(COMMAND, SEEN);
}

#[test]
fn after_a_stored_snapshot_has_expired() {
    let (scene, first) = usual();
    let older = listed_on(&first, "/tuf/1.snapshot.json", "index");
    scene.server.set_expiry("snapshot", in_seconds(-60));
    let files = scene.server.files();
    fs::write(scene.stored("timestamp.json"), &files["/tuf/timestamp.json"]).unwrap();
    fs::write(scene.stored("snapshot.json"), &files[&scene.server.role_path("snapshot")]).unwrap();
    scene.server.forge("snapshot", StolenKeys::Snapshot, |signed| {
        signed["expires"] = "2100-01-01T00:00:00Z".into();
        signed["meta"]["index.json"] = older;
    });
    let said = ["refused snapshot version 5", "expected index.json of version 2 or later", OLDER, "trust.rollback"];
    scene.refuses_and_learns(COMMAND, 10, &said);
    scene.server.set_expiry("snapshot", in_seconds(86_400));
    scene.recovers_with_new_keys(COMMAND, SEEN);
}

/// An emptied cache is no way around: what rollbacks are noticed by lies elsewhere.
#[test]
fn with_an_empty_cache() {
    let (scene, first) = usual();
    forget_what_can_be_fetched(&scene);
    scene.server.replay(&first);
    scene.refuses(COMMAND, 10, &["refused timestamp version 1", "trust.rollback"]);
    scene.refuses(&[COMMAND, &["--no-cache-dir"]].concat(), 10, &["refused timestamp version 1", "trust.rollback"]);
    scene.recovers(COMMAND, SEEN);
}
