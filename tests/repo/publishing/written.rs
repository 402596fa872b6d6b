//! What a publication writes: the files that change, in an order that never shows clients half of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testkit::{S3Server, Write};

use super::place::{Client, KINDS, Kind, Place};

const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// What was written, in order; hashes are left out of the names.
fn written(store: &S3Server) -> Vec<String> {
    store.writes().iter().map(|write| without_hash(&write.action)).collect()
}

fn without_hash(action: &str) -> String {
    let (verb, key) = action.split_once(' ').unwrap();
    let name = key.rsplit('/').next().unwrap();
    let short = match key.split('/').next().unwrap() {
        "packages" => format!("packages/{name}"),
        "simple" if name.ends_with("vnd.pypi.simple.v1.json") => {
            format!("simple/{}/HASH.json", key.split('/').nth(1).unwrap())
        }
        _ => key.to_owned(),
    };
    format!("{verb} {short}")
}

fn write_of<'a>(writes: &'a [Write], short: &str) -> &'a Write {
    writes.iter().find(|write| without_hash(&write.action) == short).unwrap_or_else(|| panic!("no {short}"))
}

#[test]
fn exactly_what_changes_is_written_and_the_timestamp_makes_it_count() {
    let place = Place::new(Kind::Bucket);
    let store = place.store.as_ref().unwrap();
    place.publish(&[("app", "1.0"), ("library", "1.0")]);
    let before = store.object("tuf/timestamp.json").unwrap().e_tag;
    place.stage(&[("app", "2.0")]);
    store.forget_writes();
    place.does(&["publish"]);

    let writes = store.writes();
    let mut order = written(store);
    // The two files of a package go side by side.
    order[..2].sort();
    let expected = [
        "PUT packages/app-2.0-py3-none-any.whl",
        "PUT packages/app-2.0-py3-none-any.whl.metadata",
        "PUT simple/app/HASH.json",
        "PUT tuf/3.snapshot.json",
        "PUT tuf/3.index.json",
        "PUT tuf/timestamp.json",
        "PUT tuf/3.timestamp.json",
        "PUT simple/app/index.html",
        "PUT simple/app/index.json",
    ];
    assert_eq!(order, expected);
    assert!(writes.iter().all(|write| write.status == 200), "{writes:?}");

    let timestamp = write_of(&writes, "PUT tuf/timestamp.json");
    assert_eq!(timestamp.header("if-match"), Some(before.as_str()));
    assert_eq!(write_of(&writes, "PUT tuf/3.snapshot.json").header("if-none-match"), Some("*"));
    for (short, content_type, cache) in [
        (expected[0], "application/octet-stream", FOR_EVER),
        (expected[1], "application/octet-stream", FOR_EVER),
        (expected[2], "application/vnd.pypi.simple.v1+json", FOR_EVER),
        (expected[3], "application/json", FOR_EVER),
        (expected[4], "application/json", FOR_EVER),
        (expected[5], "application/json", "max-age=30, must-revalidate"),
        (expected[6], "application/json", FOR_EVER),
        (expected[7], "text/html; charset=utf-8", "max-age=60, must-revalidate"),
        (expected[8], "application/vnd.pypi.simple.v1+json", "max-age=60, must-revalidate"),
    ] {
        let write = write_of(&writes, short);
        assert_eq!(write.header("content-type"), Some(content_type), "{short}");
        assert_eq!(write.header("cache-control"), Some(cache), "{short}");
    }
    place.is_whole();
}

#[test]
fn only_the_bins_that_change_are_signed() {
    let place = Place::shaped(Kind::Bucket, &["--profile", "pep458", "--bins", "16"]);
    let store = place.store.as_ref().unwrap();
    place.publish(&[("app", "1.0"), ("library", "1.0"), ("tool", "1.0")]);
    place.stage(&[("app", "2.0")]);
    store.forget_writes();
    let said = place.says(&["publish"]);
    let bins: BTreeSet<String> = written(store).into_iter().filter(|action| action.contains(".bins-")).collect();
    // A page, a wheel and its metadata: three target paths.
    assert!((1..=3).contains(&bins.len()), "{bins:?}");
    assert_eq!(said["bins"], json!(bins.len()));
    assert!(bins.iter().all(|bin| bin.starts_with("PUT tuf/3.bins-")), "{bins:?}");
    place.is_whole();
}

#[test]
fn a_refresh_writes_the_timestamp_and_its_copy() {
    for kind in KINDS {
        let place = Place::new(kind);
        place.publish(&[("app", "1.0")]);
        let before = place.files();
        if let Some(store) = &place.store {
            store.forget_writes();
        }
        let client = Client::new(&place);
        client.gets("app");
        let said = place.says(&["refresh"]);
        assert_eq!((&said["timestamp"], &said["snapshot"]), (&json!(3), &json!(2)));
        if let Some(store) = &place.store {
            assert_eq!(written(store), ["PUT tuf/timestamp.json", "PUT tuf/3.timestamp.json"]);
        }
        let after = place.files();
        let changed: Vec<&str> =
            after.iter().filter(|file| !before.contains(file)).map(|(path, _)| path.as_str()).collect();
        assert_eq!(changed, ["tuf/3.timestamp.json", "tuf/timestamp.json"], "{kind:?}");
        assert!(before.iter().all(|(path, _)| place.read(path).is_some()), "something is gone");
        client.gets("app");
    }
}

#[test]
fn without_a_change_nothing_but_the_timestamp_is_new() {
    let place = Place::new(Kind::Directory);
    place.publish(&[("app", "1.0")]);
    let before = place.paths();
    let outcome = place.does(&["publish"]);
    assert!(outcome.stdout.contains("Nothing is staged."), "{}", outcome.stdout);
    let after = place.paths();
    let new: Vec<&String> = after.iter().filter(|path| !before.contains(path)).collect();
    assert_eq!(new, ["tuf/3.timestamp.json"]);
}

#[test]
fn a_dry_run_writes_nothing_and_says_what_a_publication_then_does() {
    for kind in KINDS {
        let place = Place::new(kind);
        place.publish(&[("app", "1.0")]);
        place.stage(&[("app", "2.0"), ("tool", "1.0")]);
        let before = (place.files(), testkit::tree(&place.operator.path("index")));
        if let Some(store) = &place.store {
            store.forget_writes();
        }
        let mut said = place.says(&["publish", "--dry-run"]);
        place.does(&["publish", "--dry-run"]);
        place.does(&["refresh", "--dry-run"]);
        assert_eq!((place.files(), testkit::tree(&place.operator.path("index"))), before, "{kind:?}");
        assert_eq!(place.store.as_ref().map_or(0, |store| store.writes().len()), 0);

        let done = place.says(&["publish"]);
        assert_eq!(said["dry_run"], json!(true));
        said["dry_run"] = Value::Bool(false);
        assert_eq!(done, said);
        assert_eq!(done["projects"], json!(["app", "tool"]));
        assert_eq!(place.listed(), ["app", "tool"]);
        place.is_whole();
    }
}

#[test]
fn what_is_removed_leaves_the_pages_and_lists() {
    for kind in KINDS {
        let place = Place::new(kind);
        place.publish(&[("app", "1.0"), ("app", "2.0"), ("tool", "1.0")]);
        place.does(&["remove", "app==1.0", "tool", "--yes"]);
        place.does(&["yank", "app==2.0", "--reason", "broken"]);
        place.does(&["publish"]);
        assert_eq!(place.listed(), ["app"]);
        assert_eq!(place.read("simple/tool/index.html"), None);
        let page = String::from_utf8(place.read("simple/app/index.html").unwrap()).unwrap();
        assert!(page.contains("app-2.0") && page.contains("broken") && !page.contains("app-1.0"), "{page}");
        place.is_whole();
    }
}
