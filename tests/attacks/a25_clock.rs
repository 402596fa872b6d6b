//! The clock of the machine is wrong: metadata looks expired, or what has expired looks fresh.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime};

use testkit::{Command, SignedIndex, StolenKeys, in_seconds};

use crate::scene::{SignedScene, index};

const DAY: i64 = 86_400;
/// What the warning says.
const BEHIND: [&str; 3] = ["This machine's clock says", "the clock is behind", "expired is not noticed"];

#[test]
fn the_stored_timestamp_is_from_the_future() {
    let scene = SignedScene::signed();
    scene.installs(&["app"]);
    let file = File::options().write(true).open(scene.stored("timestamp.json")).unwrap();
    file.set_modified(SystemTime::now() + Duration::from_secs(10 * 86_400)).unwrap();
    scene.installs(&["--force-reinstall", "app"]).expect_stderr(&BEHIND);
}

#[test]
fn the_timestamp_was_signed_in_the_future() {
    let scene = SignedScene::signed();
    let later = in_seconds(10 * DAY).to_string();
    scene.server.forge("timestamp", StolenKeys::Timestamp, |signed| signed["x-signed-at"] = later.as_str().into());
    scene.installs(&["app"]).expect_stderr(&BEHIND).expect_stderr(&[&later]);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
}

/// Clocks differ a little; that is nothing to be told.
#[test]
fn a_few_minutes_are_no_matter() {
    let scene = SignedScene::signed();
    let later = in_seconds(600).to_string();
    scene.server.forge("timestamp", StolenKeys::Timestamp, |signed| signed["x-signed-at"] = later.into());
    let outcome = scene.installs(&["app"]);
    assert!(!outcome.stderr.contains("clock"), "{}", outcome.stderr);
}

/// The time of signing is not TUF's: whatever stands there, it is no reason to refuse.
#[test]
fn a_time_of_signing_that_is_none() {
    for nonsense in ["yesterday".into(), 5.into(), serde_json::Value::Null, "9999999-01-01T00:00:00Z".into()] {
        let scene = SignedScene::signed();
        scene.server.forge("timestamp", StolenKeys::Timestamp, |signed| signed["x-signed-at"] = nonsense);
        scene.installs(&["app"]);
        scene.expect_installed(&["app-1.0", "library-2.0"]);
    }
}

/// Which it is, the clock or the index, nobody can tell from here: both are named.
#[test]
fn what_has_expired_names_the_clock() {
    for role in ["timestamp", "snapshot", "targets", "index", "root"] {
        let scene = SignedScene::signed();
        scene.server.set_expiry(role, in_seconds(-DAY));
        let (expired, today) = (format!("has expired ({role})"), in_seconds(0).to_string());
        let clock = format!("clock     this machine's clock says {}", &today[..10]);
        let pieces = [expired.as_str(), "expected", "received", &clock, "check the clock", "code      trust.expired"];
        scene.refuses_and_learns(&["app"], 11, &pieces);
        scene.server.set_expiry(role, in_seconds(DAY));
        scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
    }
}

#[test]
fn the_clock_is_years_ahead() {
    let Some(faketime) = faketime() else { return };
    let scene = SignedScene::of(SignedIndex::new(index()).expires("timestamp", in_seconds(DAY)));
    scene.installs(&["app"]);
    let (before, trusted) = (scene.environment.state(), scene.trusted());
    let year = &in_seconds(3 * 366 * DAY).to_string()[..4];
    let outcome = at(&scene, faketime, "+1098d", &["install", "--force-reinstall", "app"]).run().expect_code(11);
    let clock = format!("clock     this machine's clock says {year}");
    outcome.expect_stderr(&["has expired (timestamp)", &clock, "check the clock", "code      trust.expired"]);
    assert_eq!((scene.environment.state(), scene.trusted()), (before, trusted));
    // The clock is right again.
    scene.recovers(&["--force-reinstall", "app"], &["app-1.0", "library-2.0"]);
}

#[test]
fn the_clock_is_years_behind() {
    let Some(faketime) = faketime() else { return };
    let scene = SignedScene::signed();
    at(&scene, faketime, "-1098d", &["install", "app"]).run().expect_code(0).expect_stderr(&BEHIND);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
}

/// With the clock behind, old metadata is not noticed by its date; but it is still no older than was seen.
#[test]
fn the_clock_is_behind_and_an_older_state_is_shown() {
    let Some(faketime) = faketime() else { return };
    let scene = SignedScene::signed();
    scene.server.set_expiry("timestamp", in_seconds(-DAY));
    let old = scene.server.day();
    scene.server.set_expiry("timestamp", in_seconds(DAY));
    scene.installs(&["app"]);
    let (before, trusted) = (scene.environment.state(), scene.trusted());
    scene.server.replay(&old);
    let outcome = at(&scene, faketime, "-10d", &["install", "--force-reinstall", "app"]).run().expect_code(10);
    outcome.expect_stderr(&BEHIND).expect_stderr(&["expected", "received", "code      trust.rollback"]);
    assert_eq!((scene.environment.state(), scene.trusted()), (before, trusted));
    scene.recovers(&["--force-reinstall", "app"], &["app-1.0", "library-2.0"]);
}

/// The program that gives others another time; it is no part of every machine.
fn faketime() -> Option<&'static Path> {
    let found = ["/usr/bin/faketime", "/usr/local/bin/faketime"].map(Path::new).into_iter().find(|path| path.exists());
    if found.is_none() {
        eprintln!("skipped: there is no faketime on this machine");
    }
    found
}

/// The program with its clock moved; time passes as usual.
fn at(scene: &SignedScene, faketime: &Path, moved: &str, arguments: &[&str]) -> Command {
    let program = env!("CARGO_BIN_EXE_tufpip");
    scene
        .environment
        .command(faketime)
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("DONT_FAKE_MONOTONIC", "1")
        .env("PIP_INDEX_URL", scene.server.index_url())
        .env("PIP_RETRIES", "0")
        .args(["-f", moved, program])
        .args(arguments)
}
