//! Somebody keeps showing the index of an earlier day, in which everything is signed.

use std::time::{Duration, SystemTime};

use testkit::{SignedIndex, Wheel, in_seconds};

use crate::scene::{SignedScene, index};

const REFUSED: &[&str] =
    &["has expired (timestamp)", "expected", "received", "this machine's clock says", "trust.expired"];

/// A scene in which all that the attacker shows is a day that has expired, while the owner goes on.
fn frozen() -> SignedScene {
    let scene = SignedScene::signed();
    scene.server.set_expiry("timestamp", in_seconds(-60));
    let day = scene.server.day();
    scene.server.set_expiry("timestamp", in_seconds(86_400));
    scene.server.publish(|index| index.add(Wheel::new("library", "3.0").build()));
    scene.server.replay(&day);
    scene
}

#[test]
fn until_it_expires_and_after() {
    const VALID_FOR: i64 = 8;
    let scene = SignedScene::of(SignedIndex::new(index()).expires("timestamp", in_seconds(VALID_FOR)));
    let expires = SystemTime::now() + Duration::from_secs(VALID_FOR as u64);
    let day = scene.server.day();
    scene.server.set_expiry("timestamp", in_seconds(86_400));
    scene.server.publish(|index| index.add(Wheel::new("library", "3.0").build()));
    scene.server.replay(&day);
    // What is installed is old, and signed.
    scene.installs(&["app"]);
    scene.expect_installed(&["app-1.0", "library-2.0"]);

    std::thread::sleep(expires.duration_since(SystemTime::now()).unwrap_or_default() + Duration::from_secs(1));
    scene.refuses(&["--upgrade", "library"], 11, REFUSED);
    scene.recovers(&["--upgrade", "library"], &["app-1.0", "library-3.0"]);
}

#[test]
fn for_a_newcomer() {
    let scene = frozen();
    scene.refuses(&["app"], 11, REFUSED);
    scene.recovers(&["app"], &["app-1.0", "library-3.0"]);
}

#[test]
fn no_ordinary_option_switches_it_off() {
    let scene = frozen();
    let origin = scene.server.url("");
    let host = origin.strip_prefix("http://").unwrap();
    for options in [
        ["--trusted-host", host].as_slice(),
        &["--no-cache-dir"],
        &["--no-deps", "--pre"],
        &["--force-reinstall"],
        &["--upgrade", "--upgrade-strategy", "eager"],
        &["--ignore-installed"],
        &["--no-index", "--index-url", &scene.server.index_url()],
        &["--extra-index-url", &scene.server.index_url()],
        &["--dry-run"],
        &["--quiet"],
    ] {
        // What asks for nothing of the index is another matter.
        let options: Vec<_> = options.iter().copied().filter(|option| *option != "--no-index").collect();
        eprintln!("{options:?}");
        scene.refuses(&[options.as_slice(), &["app"]].concat(), 11, &["has expired (timestamp)", "trust.expired"]);
    }
    scene.recovers(&["app"], &["app-1.0", "library-3.0"]);
}

#[test]
fn no_variable_switches_it_off() {
    let scene = frozen();
    let (before, trusted) = (scene.environment.state(), scene.trusted());
    for (name, value) in [
        ("PIP_DISABLE_REPOSITORY_SECURITY", "1"),
        ("TUFPIP_DISABLE_REPOSITORY_SECURITY", "1"),
        ("PIP_ALLOW_EXPIRED", "30d"),
        ("TUFPIP_ALLOW_EXPIRED", "30d"),
        ("PIP_ALLOW_UNSIGNED", "app library"),
        ("PIP_TRUSTED_HOST", "127.0.0.1"),
        ("PIP_NO_CACHE_DIR", "1"),
        ("PIP_REQUIRE_SIGNED", "0"),
        ("SOURCE_DATE_EPOCH", "1700000000"),
        ("FAKETIME", "2020-01-01 00:00:00"),
        ("TUFPIP_NOW", "2020-01-01T00:00:00Z"),
    ] {
        let outcome = scene.tufpip(&["install", "app"]).env(name, value).run();
        // Either the variable is nothing to the program, or it says that it may not be set.
        assert!(matches!(outcome.code, Some(11 | 2)), "{name}: {:?}\n{}", outcome.code, outcome.stderr);
        assert!(outcome.code == Some(11) || outcome.stderr.contains("command line"), "{name}:\n{}", outcome.stderr);
        assert_eq!((scene.environment.state(), scene.trusted()), (before.clone(), trusted.clone()), "{name}");
    }
    scene.recovers(&["app"], &["app-1.0", "library-3.0"]);
}

#[test]
fn no_line_of_a_configuration_file_switches_it_off() {
    let scene = frozen();
    let (before, trusted) = (scene.environment.state(), scene.trusted());
    for line in [
        "disable-repository-security = true",
        "disable-repository-security = 1",
        "allow-expired = 30d",
        "allow-unsigned = app library",
        "trusted-host = 127.0.0.1",
        "no-cache-dir = true",
    ] {
        let file = scene.environment.write("pip.conf", format!("[global]\n{line}\n[install]\n{line}\n"));
        let outcome = scene.tufpip(&["install", "app"]).env("PIP_CONFIG_FILE", &file).run();
        assert!(matches!(outcome.code, Some(11 | 2)), "{line}: {:?}\n{}", outcome.code, outcome.stderr);
        assert!(outcome.code == Some(11) || outcome.stderr.contains("command line"), "{line}:\n{}", outcome.stderr);
        assert_eq!((scene.environment.state(), scene.trusted()), (before.clone(), trusted.clone()), "{line}");
    }
    scene.recovers(&["app"], &["app-1.0", "library-3.0"]);
}

/// The two options that do are on the command line, and loud.
#[test]
fn the_users_explicit_wish_is_never_silent() {
    let scene = frozen();
    let outcome = scene.installs(&["--allow-expired=1h", "app"]);
    assert!(outcome.stderr.contains("expired on") && outcome.stderr.contains("--allow-expired"), "{}", outcome.stderr);
    scene.expect_installed(&["app-1.0", "library-2.0"]);

    let scene = frozen();
    scene.refuses(&["--allow-expired=30s", "app"], 11, REFUSED);
    let trusted = scene.trusted();
    let outcome = scene.installs(&["--disable-repository-security", "app"]);
    assert!(outcome.stderr.to_lowercase().contains("warning"), "{}", outcome.stderr);
    assert_eq!(scene.trusted(), trusted);
}

/// Withheld altogether is frozen, too.
#[test]
fn a_timestamp_that_is_not_there() {
    for status in [404, 403, 410] {
        let scene = SignedScene::signed();
        scene.server.status("/tuf/timestamp.json", status);
        scene.refuses(&["app"], 11, &["timestamp is withheld or missing", "trust.withheld"]);
        scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
        // What is stored and good is no substitute: nobody knows what is newer.
        scene.server.status("/tuf/timestamp.json", status);
        scene.refuses(&["--force-reinstall", "app"], 11, &["timestamp is withheld or missing", "trust.withheld"]);
        scene.recovers(&["--force-reinstall", "app"], &["app-1.0", "library-2.0"]);
    }
    let scene = SignedScene::signed();
    scene.server.status("/tuf/timestamp.json", 503);
    scene.refuses(&["app"], 13, &["Could not fetch the signed metadata", "trust.unreachable"]);
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}

/// Only a server that says so means that there is no newer root: an error could hide one for ever.
#[test]
fn a_root_that_cannot_be_asked_for() {
    for status in [500, 502, 503, 429] {
        let scene = SignedScene::signed();
        scene.server.rotate("root");
        scene.server.status("/tuf/2.root.json", status);
        scene.refuses(&["app"], 13, &["(root)", "trust.unreachable"]);
        scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
    }
}

/// An expired root freezes out everything below it, whatever else is fresh.
#[test]
fn a_root_whose_successor_is_withheld() {
    let scene = SignedScene::of(SignedIndex::new(index()).expires("root", in_seconds(-60)));
    scene.server.set_expiry("root", in_seconds(86_400));
    scene.server.remove("/tuf/2.root.json");
    scene.refuses(&["app"], 11, &["has expired (root)", "refused root version 1", "trust.expired"]);
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}
