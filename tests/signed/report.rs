//! What is said of signatures after a command: in the report, on the screen, and by commands that do not install.

use std::fs;

use serde_json::{Value, json};
use testkit::{DistributionTrust, Index, Profile, SignedIndex, Wheel, WheelFile};

use crate::scene::{SignedScene, entry, index, text};

const LIBRARY: &str = "library-2.0-py3-none-any.whl";

fn library() -> WheelFile {
    Wheel::new("library", "2.0").build()
}

#[test]
fn the_report_says_who_signed_what() {
    let scene = SignedScene::of(SignedIndex::new(index()).profile(Profile::Pep458 { bit_length: 4 }));
    scene.server.refresh();
    let report = scene.report(&["app"]);
    let target = scene.server.distribution_target(LIBRARY);
    let bin = scene.server.role_of(&target);
    let verification = &entry(&report, "library")["verification"];
    assert_eq!(
        *verification,
        json!({
            "by": "signed-target",
            "repository": scene.server.index_url(),
            "target": target,
            "roles": ["targets", "bins", bin.clone()],
            "versions": {"root": 1, "timestamp": 2, "snapshot": 1, "targets": 1, "bins": 1, (bin): 1},
            "hashes": {"sha256": library().sha256()},
        })
    );
    let repositories = report["repositories"].as_array().unwrap();
    assert_eq!(repositories.len(), 1);
    assert_eq!(repositories[0]["repository"], scene.server.index_url());
    assert_eq!(repositories[0]["versions"], json!({"root": 1, "timestamp": 2, "snapshot": 1, "targets": 1}));
    assert_eq!(repositories[0]["used_although_expired"], json!([]));
    assert!(repositories[0]["signed_at"].is_string() && repositories[0]["expires"].is_string(), "{repositories:?}");
    assert_eq!(report["repository_security"], Value::Null);
}

#[test]
fn a_file_that_its_page_vouches_for() {
    let scene = SignedScene::of(SignedIndex::new(index()).trust(DistributionTrust::Page));
    let report = scene.report(&["library"]);
    assert_eq!(
        entry(&report, "library")["verification"],
        json!({
            "by": "signed-page",
            "repository": scene.server.index_url(),
            "target": scene.server.page_target("library"),
            "roles": ["targets", "index"],
            "versions": {"root": 1, "timestamp": 1, "snapshot": 1, "targets": 1, "index": 1},
            "hashes": {"sha256": library().sha256()},
        })
    );
}

#[test]
fn what_is_in_the_cache_is_held_against_the_signatures_of_today() {
    let scene = SignedScene::signed();
    scene.installs(&["app"]);
    scene.server.publish(|index| index.add(Wheel::new("third", "1.0").build()));
    let report = scene.report(&["--force-reinstall", "app"]);
    assert_eq!(entry(&report, "library")["verification"]["versions"]["snapshot"], 2);
}

/// Nothing was fetched, so nothing was verified; but which hash would have to match is known and comes from signed pages.
#[test]
fn a_dry_run_claims_no_verification() {
    let scene = SignedScene::signed();
    let report = scene.report(&["--dry-run", "app"]);
    let library_entry = entry(&report, "library");
    assert_eq!(library_entry["verification"], Value::Null);
    assert_eq!(library_entry["download_info"]["archive_info"]["hashes"]["sha256"], library().sha256());
    assert_eq!(report["repositories"][0]["versions"]["snapshot"], 1);
    assert!(!scene.server.log().iter().any(|line| line.ends_with(".whl")));
}

#[test]
fn an_unsigned_index_is_not_among_the_repositories() {
    let scene = SignedScene::signed();
    let other = Index::new().add(Wheel::new("extra", "1.0").build()).serve();
    let report = scene.report(&["--index-url", &other.url("/simple/"), "extra"]);
    assert_eq!(entry(&report, "extra")["verification"], json!({"by": "index-hash"}));
    assert_eq!(report["repositories"], Value::Null);
}

/// Only the user's own URLs are the user's word.
#[test]
fn a_hash_in_a_url_counts_as_the_word_of_whoever_wrote_it() {
    let scene = SignedScene::signed();
    let wheel = Wheel::new("extra", "1.0").build();
    let other = Index::new().add(wheel.clone()).serve();
    let reference = format!("extra @ {}#sha256={}", other.url("/files/extra-1.0-py3-none-any.whl"), wheel.sha256());
    let outcome = scene.installs(&[&reference]);
    outcome.expect_stderr(&["Verified   1 file by the hashes you gave"]);
    let report = scene.report(&["--force-reinstall", &reference]);
    assert_eq!(entry(&report, "extra")["verification"], json!({"by": "user-hash"}));

    let needy = Wheel::new("needy", "1.0").requires(&reference).build();
    let path = scene.environment.write("needy-1.0-py3-none-any.whl", needy.bytes);
    let report = scene.report(&["--force-reinstall", text(&path)]);
    assert_eq!(entry(&report, "extra")["verification"], json!({"by": "index-hash"}));
}

#[test]
fn a_signed_index_that_was_not_needed_is_not_either() {
    let scene = SignedScene::signed();
    let path = scene.environment.write("extra-1.0-py3-none-any.whl", Wheel::new("extra", "1.0").build().bytes);
    let report = scene.report(&[text(&path)]);
    assert_eq!(report["repositories"], Value::Null);
}

#[test]
fn verbose_says_what_is_seen_and_who_signed_it() {
    let scene = SignedScene::signed();
    let index = scene.server.index_url();
    scene.installs(&["-v", "app"]).expect_stderr(&[
        &format!("{index}: root 1, timestamp 1, snapshot 1, signed "),
        &format!("{LIBRARY}: {index}, snapshot 1, targets → index"),
        &format!("Verified   2 files against snapshot 1 of {index}, signed "),
    ]);
}

#[test]
fn a_quiet_command_is_quiet() {
    let scene = SignedScene::signed();
    let outcome = scene.installs(&["-q", "app"]);
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""));
}

#[test]
fn download_verifies_what_it_saves() {
    let scene = SignedScene::signed();
    let download = |directory: &str| scene.tufpip(&["download", "--dest", directory, "app"]).run();
    let outcome = download("good").expect_code(0);
    outcome.expect_stderr(&["Verified   2 files against snapshot 1 of http://127.0.0.1:"]);
    assert_eq!(fs::read(scene.environment.work().join("good").join(LIBRARY)).unwrap(), library().bytes);

    fs::remove_dir_all(scene.environment.cache()).unwrap();
    let other = Wheel::new("library", "2.0").file("library/evil.py", "").build();
    scene.server.replace(&scene.server.wheel_path(LIBRARY), other.bytes);
    download("bad").expect_code(10).expect_stderr(&["Refused library-2.0-py3-none-any.whl", "verify.target"]);
    assert!(!scene.environment.work().join("bad").exists());
}

#[test]
fn outdated_is_what_the_signed_pages_say() {
    let scene = SignedScene::signed();
    scene.installs(&["library==1.0"]);
    let outdated = || scene.tufpip(&["list", "--outdated", "--format", "json"]).run();
    let outcome = outdated().expect_code(0);
    let listed: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(listed[0]["latest_version"], "2.0");

    let evil = String::from_utf8(scene.server.page("library")).unwrap().replace("2.0", "9.9");
    scene.server.replace(&scene.server.page_path("library"), evil);
    fs::remove_dir_all(scene.environment.cache()).unwrap();
    let outcome = outdated().expect_code(10).expect_stderr(&["Refused the page of library", "verify.page"]);
    assert_eq!(outcome.stdout, "");
}

// ---- hashes of the user -------------------------------------------------------------------------------------------

#[test]
fn hashes_of_the_user_and_signatures_must_both_hold() {
    let scene = SignedScene::signed();
    let requirements = |sha256: &str| {
        scene.environment.write("requirements.txt", format!("library==2.0 --hash=sha256:{sha256}\n"));
        ["--require-hashes", "-r", "requirements.txt"]
    };
    scene.refuses(&requirements(&"1".repeat(64)), 10, &["DO NOT MATCH THE HASHES", "verify.hash-mismatch"]);

    let other = Wheel::new("library", "2.0").file("library/evil.py", "").build();
    scene.server.replace(&scene.server.wheel_path(LIBRARY), other.bytes.clone());
    scene.refuses(&requirements(&other.sha256()), 10, &[LIBRARY]);
    scene.server.honest();

    let report = scene.report(&requirements(&library().sha256()));
    scene.expect_installed(&["library-2.0"]);
    assert_eq!(entry(&report, "library")["verification"]["by"], "signed-target");
}

/// The cache has the signed file already; the hash of the user still counts.
#[test]
fn a_wrong_hash_is_noticed_when_the_file_is_in_the_cache() {
    let scene = SignedScene::signed();
    scene.installs(&["library"]);
    scene.environment.write("requirements.txt", format!("library==2.0 --hash=sha256:{}\n", "1".repeat(64)));
    scene.refuses(&["--force-reinstall", "-r", "requirements.txt"], 10, &["verify.hash-mismatch"]);
}

#[test]
fn a_signed_dependency_needs_a_hash_too_when_hashes_are_required() {
    let scene = SignedScene::signed();
    let app = Wheel::new("app", "1.0").requires("library>=1").build();
    scene.environment.write("requirements.txt", format!("app==1.0 --hash=sha256:{}\n", app.sha256()));
    scene.refuses(&["--require-hashes", "-r", "requirements.txt"], 12, &["library", "policy.require-hashes"]);
}
