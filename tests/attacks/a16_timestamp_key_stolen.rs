//! Somebody has the key of the timestamp: he can hold people back until the snapshot expires, and nothing more.

use serde_json::Value;
use testkit::{ForgedSignatures, SignedServer, StolenKeys, Wheel, in_seconds};

use crate::scene::SignedScene;

const APP: &str = "app-1.0-py3-none-any.whl";

/// What a snapshot is to a timestamp.
fn entry(server: &SignedServer) -> Value {
    server.signed("timestamp")["meta"]["snapshot.json"].clone()
}

/// The day after: `library` 3.0 is out.
fn publish_more(scene: &SignedScene) {
    scene.server.publish(|index| index.add(Wheel::new("library", "3.0").build()));
}

#[test]
fn an_older_snapshot_than_was_seen() {
    let scene = SignedScene::signed();
    let old = entry(&scene.server);
    publish_more(&scene);
    scene.installs(&["app"]);
    scene.server.forge("timestamp", StolenKeys::Timestamp, |signed| signed["meta"]["snapshot.json"] = old);
    scene.refuses(&["--force-reinstall", "app"], 10, &["expected", "received", "code      trust.rollback"]);
    scene.recovers(&["--force-reinstall", "app"], &["app-1.0", "library-3.0"]);
}

/// Nobody can tell it from a day on which nothing was published; but all of it is what was signed then.
#[test]
fn an_older_snapshot_for_those_who_never_saw_a_newer_one() {
    let scene = SignedScene::signed();
    let old = entry(&scene.server);
    publish_more(&scene);
    scene.server.forge("timestamp", StolenKeys::Timestamp, |signed| signed["meta"]["snapshot.json"] = old);
    scene.installs(&["app"]);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
    // The owner notices, and takes the key away: whatever the version of the forged timestamp was, it does not matter.
    scene.server.rotate("timestamp");
    scene.recovers(&["--upgrade", "library"], &["app-1.0", "library-3.0"]);
}

#[test]
fn a_snapshot_that_has_expired() {
    let scene = SignedScene::signed();
    scene.installs(&["app"]);
    scene.server.set_expiry("snapshot", in_seconds(-60));
    scene.server.forge("timestamp", StolenKeys::Timestamp, |signed| signed["expires"] = "2090-01-01T00:00:00Z".into());
    let pieces = ["has expired (snapshot)", "expected", "received", "clock", "code      trust.expired"];
    scene.refuses_and_learns(&["--force-reinstall", "app"], 11, &pieces);
    scene.server.set_expiry("snapshot", in_seconds(86_400));
    scene.server.rotate("timestamp");
    scene.recovers(&["--force-reinstall", "app"], &["app-1.0", "library-2.0"]);
}

#[test]
fn a_snapshot_of_his_own() {
    let scene = SignedScene::signed();
    let snapshot =
        scene.server.file_signed_by("snapshot", &scene.server.signed("snapshot"), ForgedSignatures::WrongKeys);
    scene.server.replace(&scene.server.role_path("snapshot"), snapshot.clone());
    scene.server.forge("timestamp", StolenKeys::Timestamp, |signed| {
        let version = signed["meta"]["snapshot.json"]["version"].clone();
        signed["meta"]["snapshot.json"] = testkit::target(&snapshot);
        signed["meta"]["snapshot.json"]["version"] = version;
    });
    scene.refuses_and_learns(&["app"], 10, &["(snapshot)", "expected", "received", "code      trust.signatures"]);
    scene.server.rotate("timestamp");
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}

#[test]
fn files_pages_and_roles_of_his_own() {
    let evil = Wheel::new("app", "1.0").file("app/evil.py", "import this\n").build();
    type Attack<'a> = &'a dyn Fn(&SignedScene);
    let attacks: [(Attack, &str); 3] = [
        (
            &|scene| {
                scene.server.replace(&scene.server.wheel_path(APP), evil.bytes.clone());
                scene.server.forge("timestamp", StolenKeys::Timestamp, |_| {});
            },
            "code      verify.target",
        ),
        (
            &|scene| {
                let target = scene.server.distribution_target(APP);
                scene.server.forge_target(&target, &evil.bytes, StolenKeys::Timestamp);
            },
            "code      trust.hash-mismatch",
        ),
        (&|scene| scene.server.forge_page("app", b"{}", StolenKeys::Timestamp), "code      trust.hash-mismatch"),
    ];
    for (attack, code) in attacks {
        let scene = SignedScene::signed();
        attack(&scene);
        scene.refuses_and_learns(&["app"], 10, &["expected", "received", code]);
        scene.server.rotate("timestamp");
        scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
    }
}

#[test]
fn the_stolen_key_is_worth_nothing_after_the_rotation() {
    let scene = SignedScene::signed();
    scene.installs(&["app"]);
    let mut signed = scene.server.signed("timestamp");
    signed["version"] = 1_000_000.into();
    let forged = scene.server.file_signed_by("timestamp", &signed, ForgedSignatures::RightKeys);
    scene.server.replace("/tuf/timestamp.json", forged.clone());
    scene.installs(&["--force-reinstall", "app"]);

    publish_more(&scene);
    scene.server.rotate("timestamp");
    scene.server.replace("/tuf/timestamp.json", forged);
    let pieces = ["(timestamp)", "expected", "received", "code      trust.signatures"];
    scene.refuses_and_learns(&["--upgrade", "library"], 10, &pieces);
    scene.recovers(&["--upgrade", "library"], &["app-1.0", "library-3.0"]);
}
