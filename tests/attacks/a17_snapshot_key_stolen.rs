//! Somebody has the keys of snapshot and timestamp: he may choose among signed bins no older than those seen, and nothing more.

use serde_json::Value;
use testkit::{DistributionTrust, ForgedSignatures, Index, Profile, SignedIndex, SignedServer, StolenKeys, Wheel};

use crate::scene::SignedScene;

const APP: &str = "app-1.0-py3-none-any.whl";

/// Four bins; `app` has one version more each day, `library` too.
fn bins() -> SignedScene {
    SignedScene::of(two_projects())
}

fn two_projects() -> SignedIndex {
    let index = Index::new()
        .add(Wheel::new("app", "1.0").requires("library").build())
        .add(Wheel::new("library", "1.0").build());
    SignedIndex::new(index).profile(Profile::Pep458 { bit_length: 2 })
}

fn publish(scene: &SignedScene, version: &str) {
    scene.server.publish(|index| {
        index.add(Wheel::new("app", version).requires("library").build()).add(Wheel::new("library", version).build())
    });
}

fn page_bin(scene: &SignedScene, project: &str) -> String {
    scene.server.role_of(&scene.server.page_target(project))
}

/// What a role is to the snapshot.
fn entry(server: &SignedServer, role: &str) -> Value {
    server.signed("snapshot")["meta"][format!("{role}.json")].clone()
}

/// Serves a snapshot with these entries, and the timestamp for it, both well signed.
fn snapshot_with(scene: &SignedScene, entries: &[(String, Value)]) {
    scene.server.forge("snapshot", StolenKeys::Snapshot, |signed| {
        for (role, entry) in entries {
            signed["meta"][format!("{role}.json")] = entry.clone();
        }
    });
}

#[test]
fn a_bin_older_than_was_seen() {
    let scene = bins();
    let bin = page_bin(&scene, "library");
    let old = entry(&scene.server, &bin);
    publish(&scene, "2.0");
    scene.installs(&["app"]);
    snapshot_with(&scene, &[(bin.clone(), old)]);
    let expected = format!("expected  {bin}.json of version 2 or later");
    let pieces = ["(snapshot)", &expected, "received  1", "code      trust.rollback"];
    scene.refuses_and_learns(&["--force-reinstall", "app"], 10, &pieces);
    scene.server.rotate("timestamp");
    scene.recovers(&["--force-reinstall", "app"], &["app-2.0", "library-2.0"]);
}

#[test]
fn a_bin_left_out() {
    let scene = bins();
    scene.installs(&["app"]);
    let bin = page_bin(&scene, "library");
    scene.server.forge("snapshot", StolenKeys::Snapshot, |signed| {
        signed["meta"].as_object_mut().unwrap().remove(&format!("{bin}.json"));
    });
    scene.refuses_and_learns(&["--force-reinstall", "app"], 10, &["expected", "code      trust.rollback"]);
    scene.server.rotate("timestamp");
    scene.recovers(&["--force-reinstall", "app"], &["app-1.0", "library-1.0"]);
}

#[test]
fn a_bin_left_out_for_those_who_never_saw_it() {
    let scene = bins();
    let bin = page_bin(&scene, "library");
    scene.server.forge("snapshot", StolenKeys::Snapshot, |signed| {
        signed["meta"].as_object_mut().unwrap().remove(&format!("{bin}.json"));
    });
    scene.refuses_and_learns(&["app"], 10, &["expected", "received", "code      trust.not-in-snapshot"]);
    scene.server.rotate("snapshot");
    scene.server.rotate("timestamp");
    scene.recovers(&["app"], &["app-1.0", "library-1.0"]);
}

/// All of it was signed once, though never together: this is what those keys are good for.
#[test]
fn bins_of_different_days() {
    // What is of one day is a page and its files.
    let scene = SignedScene::of(two_projects().trust(DistributionTrust::Page));
    scene.installs(&["app"]);
    let (bin_of_app, bin_of_library) = (page_bin(&scene, "app"), page_bin(&scene, "library"));
    assert_ne!(bin_of_app, bin_of_library, "the story needs two bins");
    publish(&scene, "2.0");
    let of_second_day = entry(&scene.server, &bin_of_library);
    publish(&scene, "3.0");
    snapshot_with(&scene, &[(bin_of_library, of_second_day)]);
    scene.installs(&["--upgrade", "--upgrade-strategy", "eager", "app"]);
    scene.expect_installed(&["app-3.0", "library-2.0"]);
    scene.server.rotate("snapshot");
    scene.server.rotate("timestamp");
    scene.recovers(&["--upgrade", "library"], &["app-3.0", "library-3.0"]);
}

#[test]
fn a_bin_of_his_own() {
    let scene = bins();
    let evil = Wheel::new("app", "1.0").file("app/evil.py", "import this\n").build();
    scene.server.replace(&scene.server.wheel_path(APP), evil.bytes.clone());
    scene.server.forge_target(&scene.server.distribution_target(APP), &evil.bytes, StolenKeys::Snapshot);
    scene.refuses_and_learns(&["app"], 10, &["(bins-", "expected", "received", "code      trust.signatures"]);
    scene.server.rotate("snapshot");
    scene.server.rotate("timestamp");
    scene.recovers(&["app"], &["app-1.0", "library-1.0"]);
}

#[test]
fn targets_of_his_own() {
    let scene = bins();
    scene.server.forge("targets", StolenKeys::Snapshot, |signed| signed["delegations"] = Value::Null);
    scene.refuses_and_learns(&["app"], 10, &["(targets)", "expected", "received", "code      trust."]);
    scene.server.rotate("snapshot");
    scene.server.rotate("timestamp");
    scene.recovers(&["app"], &["app-1.0", "library-1.0"]);
}

#[test]
fn one_bin_in_the_place_of_another() {
    let scene = bins();
    let (bin_of_app, bin_of_library) = (page_bin(&scene, "app"), page_bin(&scene, "library"));
    let other = scene.server.files()[&scene.server.role_path(&bin_of_app)].clone();
    let entry_of_other = entry(&scene.server, &bin_of_app);
    let path = scene.server.role_path(&bin_of_library);
    assert_eq!(scene.server.version(&bin_of_app), scene.server.version(&bin_of_library));
    snapshot_with(&scene, &[(bin_of_library, entry_of_other)]);
    scene.server.replace(&path, other);
    // It is well signed and says nothing of `library`. Nothing can be made up with it; it can hide.
    let before = scene.environment.state();
    let outcome = scene.install(&["app"]);
    assert_ne!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(scene.environment.state(), before);
    scene.expect_nothing_asked_plainly();
    scene.server.rotate("snapshot");
    scene.server.rotate("timestamp");
    scene.recovers(&["app"], &["app-1.0", "library-1.0"]);
}

#[test]
fn the_stolen_keys_are_worth_nothing_after_the_rotation() {
    let scene = bins();
    let mut signed = scene.server.signed("snapshot");
    signed["version"] = 1_000_000.into();
    let forged = scene.server.file_signed_by("snapshot", &signed, ForgedSignatures::RightKeys);
    scene.server.rotate("snapshot");
    // He still has the key of the timestamp.
    scene.server.replace("/tuf/1000000.snapshot.json", forged.clone());
    scene.server.forge("timestamp", StolenKeys::Timestamp, |signed| {
        signed["meta"]["snapshot.json"] = testkit::target(&forged);
        signed["meta"]["snapshot.json"]["version"] = 1_000_000.into();
    });
    scene.refuses_and_learns(&["app"], 10, &["(snapshot)", "expected", "received", "code      trust.signatures"]);
    scene.server.rotate("timestamp");
    scene.recovers(&["app"], &["app-1.0", "library-1.0"]);
}
