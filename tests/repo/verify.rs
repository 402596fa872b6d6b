//! `repo verify`: says of a sound index that it is, and of every other one what is wrong.

use std::fs;
use std::path::Path;

use serde_json::Value;
use testkit::{Outcome, SignedIndex, Wheel, in_seconds, tree};

use crate::repo::operator::Operator;
use crate::repo::published::{Published, index};

const DAY: i64 = 24 * 60 * 60;

fn verify(published: &Published, arguments: &[&str]) -> Outcome {
    published.repo(&[&["verify"], arguments].concat()).run()
}

fn problems(outcome: &Outcome) -> Vec<String> {
    let said: Value = serde_json::from_str(&outcome.stdout).unwrap();
    said["problems"].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// Changes one byte, and not the length.
fn spoil(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_sound_index_passes_from_its_first_root_to_its_last_file() {
    let published = Published::new();
    published.server.rotate_root(2);
    published.server.publish(|index| index.add(Wheel::new("library", "3.0").build()));
    published.write_tree();
    let before = tree(&published.directory());
    let outcome = verify(&published, &["--files"]).expect_code(0);
    for said in ["root 3", "2 projects, 3 files", "hashed", "Everything is as it was signed."] {
        assert!(outcome.stdout.contains(said), "no `{said}` in {}", outcome.stdout);
    }
    assert_eq!(outcome.stderr, "");
    assert_eq!(tree(&published.directory()), before, "looking changed something");
    assert_eq!(published.environment.leftovers(), Vec::<String>::new());
    assert!(!published.environment.trust_store().exists(), "the user's own trust was touched");
    assert!(!published.environment.cache().join("tufpip").exists(), "the user's own cache was touched");
}

#[test]
fn what_the_program_publishes_passes_in_every_profile_after_every_change() {
    for profile in ["small", "pep458", "rstuf"] {
        let operator = Operator::new();
        for wheel in ["1.0", "2.0"].map(|version| Wheel::new("app", version).build()) {
            operator.environment.write(&wheel.filename, &wheel.bytes);
        }
        let publishes = |change: &[&str]| {
            operator.does(change);
            operator.does(&["publish", "--repo", "index"]);
            operator.says(&["verify", "--files", "--repo", "index"])
        };
        operator.does(&["init", "--repo", "index", "--base", "https://pkgs.example.org/", "--profile", profile]);
        assert_eq!(operator.says(&["verify", "--repo", "index"])["projects"], 0, "{profile}");
        let all = ["add", "--repo", "index", "app-1.0-py3-none-any.whl", "app-2.0-py3-none-any.whl"];
        assert_eq!(publishes(&all)["files"], 2, "{profile}");
        assert_eq!(
            publishes(&["yank", "--repo", "index", "app==2.0", "--reason", "a <b> & \"c\""])["files"],
            2,
            "{profile}"
        );
        assert_eq!(publishes(&["remove", "--repo", "index", "app==1.0"])["files"], 1, "{profile}");
        assert_eq!(publishes(&["remove", "--repo", "index", "app", "--yes"])["projects"], 0, "{profile}");
    }
}

#[test]
fn a_copy_on_a_server_is_verified_over_http() {
    let published = Published::new();
    let serving = published.serve();
    let outcome = verify(&published, &["--files", "--url", &serving.url, "--json"]).expect_code(0);
    let said: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(
        (&said["projects"], &said["files"], &said["base"]),
        (&2.into(), &2.into(), &serving.url.as_str().into())
    );
    assert_eq!(said["versions"]["root"], 1);
    assert!(said["signed_by_people"]["targets"]["days"].as_i64().unwrap() > 60);
    fs::remove_file(published.public("files/app-1.0-py3-none-any.whl")).unwrap();
    let outcome = verify(&published, &["--url", &serving.url, "--json"]).expect_code(11);
    assert_eq!(problems(&outcome).len(), 1);
    assert!(problems(&outcome)[0].contains("app-1.0-py3-none-any.whl is signed, and the server does not give it"));
}

#[test]
fn every_damaged_file_is_found() {
    let whole = Published::new();
    let page = whole.server.page_path("app");
    for (path, arguments, code, says) in [
        ("files/app-1.0-py3-none-any.whl", &["--files"][..], 10, "Refused app-1.0-py3-none-any.whl"),
        ("files/app-1.0-py3-none-any.whl.metadata", &[], 10, "Refused the metadata of app-1.0-py3-none-any.whl"),
        (page.trim_start_matches('/'), &[], 10, "app: Refused the page of app"),
        ("simple/app/index.json", &[], 10, "simple/app/index.json is not the page that is signed"),
        ("tuf/1.index.json", &[], 10, ""),
        ("tuf/1.snapshot.json", &[], 10, ""),
        ("tuf/timestamp.json", &[], 10, ""),
    ] {
        let published = Published::new();
        // The signatures are another index's, the names of its files are not.
        let page_of_it = published.server.page_path("app");
        let path = if path == page.trim_start_matches('/') { page_of_it.trim_start_matches('/') } else { path };
        spoil(&published.public(path));
        let outcome = verify(&published, arguments).expect_code(code);
        assert!(outcome.stderr.contains(says), "{path}: no `{says}` in {}", outcome.stderr);
        assert!(!outcome.stdout.contains("Everything is as it was signed"), "{path}");
    }
}

#[test]
fn every_missing_file_is_found() {
    for (path, code, says) in [
        ("files/library-2.0-py3-none-any.whl", 11, "library-2.0-py3-none-any.whl is signed"),
        ("files/library-2.0-py3-none-any.whl.metadata", 10, "library-2.0-py3-none-any.whl.metadata is announced"),
        ("simple/library/index.html", 10, "simple/library/index.html is missing"),
        ("simple/library/index.json", 10, "simple/library/index.json is missing"),
        ("simple/index.json", 10, "simple/index.json is missing"),
        ("simple/index.html", 10, "simple/index.html is missing"),
        ("tuf/1.root.json", 10, "There is no tuf/1.root.json"),
        ("tuf/1.targets.json", 11, "trust.withheld"),
    ] {
        let published = Published::new();
        fs::remove_file(published.public(path)).unwrap();
        let outcome = verify(&published, &[]).expect_code(code);
        assert!(outcome.stderr.contains(says), "{path}: no `{says}` in {}", outcome.stderr);
        let hashing = verify(&published, &["--files"]).expect_code(code);
        assert!(hashing.stderr.contains(says), "{path}: no `{says}` in {}", hashing.stderr);
    }
}

#[test]
fn what_other_installers_see_must_be_what_is_signed() {
    let published = Published::new();
    let page = published.public("simple/app/index.html");
    let links = fs::read_to_string(&page).unwrap();
    fs::write(&page, links.replace("app-1.0-py3", "app-6.0-py3")).unwrap();
    fs::write(published.public("simple/index.html"), "<a href=\"app/\">app</a> <a href=\"evil/\">library</a>").unwrap();
    let listed = r#"{"meta": {"api-version": "1.1"}, "projects": [{"name": "app"}, {"name": "evil"}]}"#;
    fs::write(published.public("simple/index.json"), listed).unwrap();
    let outcome = verify(&published, &["--json"]).expect_code(10);
    assert_eq!(
        problems(&outcome),
        [
            "simple/app/index.html does not say what the signed page says",
            "simple/index.html does not list the projects that are signed",
            "simple/index.json: evil is listed and not signed",
            "simple/index.json: library is signed and not listed",
        ]
    );
}

#[test]
fn a_file_that_is_not_as_long_as_signed_is_found_without_hashing() {
    let published = Published::new();
    fs::write(published.public("files/app-1.0-py3-none-any.whl"), "short").unwrap();
    let outcome = verify(&published, &[]).expect_code(10);
    outcome.expect_stderr(&["app-1.0-py3-none-any.whl has another length", "received 5 bytes", "repo.not-as-signed"]);
}

#[test]
fn the_first_root_must_lead_to_the_operators_own() {
    let published = Published::new();
    let other = SignedIndex::new(index()).serve();
    published.environment.write("repository/root.json", other.root());
    let outcome = verify(&published, &[]).expect_code(10);
    outcome.expect_stderr(&["the operator's root 1", "is not among the roots that clients follow"]);
    // Nor may the newest one be withheld.
    let published = Published::new();
    published.server.rotate_root(1);
    published.write_tree();
    fs::remove_file(published.public("tuf/2.root.json")).unwrap();
    verify(&published, &[]).expect_code(10).expect_stderr(&["the operator's root 2"]);
}

#[test]
fn what_people_sign_is_called_for_in_time() {
    let at = |days: i64| Published::of(SignedIndex::new(index()).expires("targets", in_seconds(days * DAY + 60)));
    let outcome = verify(&at(59), &[]).expect_code(0);
    outcome.expect_stderr(&["WARNING: targets expires in 59 days"]);
    assert_eq!(verify(&at(61), &[]).expect_code(0).stderr, "");
    let soon = at(13);
    let outcome = verify(&soon, &["--json"]).expect_code(1);
    assert!(problems(&outcome)[0].starts_with("targets expires in 13 days"), "{:?}", problems(&outcome));
    verify(&soon, &[]).expect_code(1).expect_stderr(&["repo.expires-soon", "tufpip repo root edit"]);
    verify(&soon, &["--min-days", "10"]).expect_code(0);
    verify(&at(20), &["--min-days", "30"]).expect_code(1);
}

#[test]
fn what_has_expired_has_the_exit_code_that_clients_give() {
    for role in ["timestamp", "snapshot", "targets", "root", "index"] {
        let published = Published::of(SignedIndex::new(index()).expires(role, in_seconds(-60)));
        let outcome = verify(&published, &[]).expect_code(11);
        assert!(outcome.stderr.contains("expired"), "{role}: {}", outcome.stderr);
        outcome.expect_stderr(&["tufpip repo refresh", "tufpip repo root edit --renew all"]);
    }
}

#[test]
fn an_old_state_that_was_put_back_is_found_where_the_newer_one_was_seen() {
    let operator = Operator::new();
    let index = ["--repo", "index"];
    operator.does(&[&["init", "--base", "https://pkgs.example.org/"], &index[..]].concat());
    let old = operator.read("index/public/tuf/timestamp.json");
    let wheel = Wheel::new("app", "1.0").build();
    operator.environment.write(&wheel.filename, &wheel.bytes);
    operator.does(&[&["add", &wheel.filename], &index[..]].concat());
    operator.does(&[&["publish"], &index[..]].concat());
    operator.does(&[&["verify"], &index[..]].concat());

    operator.environment.write("index/public/tuf/timestamp.json", old);
    let before = tree(&operator.environment.work());
    let outcome = operator.repo(&[&["verify"], &index[..]].concat()).expect_code(10);
    outcome.expect_stderr(&["timestamp 1 is older than timestamp 2", "repo.not-as-signed"]);
    assert_eq!(tree(&operator.environment.work()), before, "looking changed something");
}
