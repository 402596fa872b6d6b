//! Somebody who can write to the storage and has no keys: the publisher signs nothing that it was talked into.

use testkit::Wheel;

use super::place::{Client, KINDS, Kind, Place};

/// After the attack everything is refused with these words, and nothing is written.
#[track_caller]
fn is_refused(place: &Place, says: &[&str]) {
    let before = place.files();
    for command in ["publish", "refresh", "status", "gc"] {
        place.repo(&[command]).expect_code(10).expect_stderr(says);
    }
    assert_eq!(place.files(), before, "something was written");
}

#[test]
fn an_older_copy_is_not_gone_on_from() {
    for kind in KINDS {
        let place = Place::new(kind);
        place.publish(&[("app", "1.0")]);
        let old = place.files();
        place.publish(&[("app", "2.0")]);
        place.stage(&[("tool", "1.0")]);
        let new = place.files();
        for (path, bytes) in &old {
            place.plant(path, bytes);
        }
        is_refused(&place, &["repo.refused", "timestamp has version 2; expected 3", "put back an old copy"]);
        for (path, bytes) in &new {
            place.plant(path, bytes);
        }
        place.does(&["publish"]);
        place.is_whole();
    }
}

#[test]
fn what_another_machine_has_published_counts_as_seen() {
    let place = Place::new(Kind::Bucket);
    place.copy_workplace("other");
    let old = place.files();
    place.publish(&[("app", "1.0")]);
    // It only looks.
    place.repo_in("other", &["status"]).expect_code(0);
    for (path, bytes) in &old {
        place.plant(path, bytes);
    }
    place.repo_in("other", &["refresh"]).expect_code(10).expect_stderr(&["repo.refused"]);
}

#[test]
fn a_swapped_bin_or_page_is_not_signed_again() {
    for kind in KINDS {
        let place = Place::new(kind);
        let elsewhere = Place::new(kind);
        for index in [&place, &elsewhere] {
            index.publish(&[("app", "1.0")]);
        }
        place.stage(&[("app", "2.0")]);
        let bin = place.read("tuf/2.index.json").unwrap();
        place.plant("tuf/2.index.json", &elsewhere.read("tuf/2.index.json").unwrap());
        let before = place.files();
        place.repo(&["publish"]).expect_code(10).expect_stderr(&[
            "repo.refused",
            "index",
            "not the file that was signed",
        ]);
        assert_eq!(place.files(), before);
        place.plant("tuf/2.index.json", &bin);

        let path = place.paths().into_iter().find(|path| path.ends_with("vnd.pypi.simple.v1.json")).unwrap();
        let page = place.read(&path).unwrap();
        let edited = String::from_utf8(page.clone()).unwrap().replace("app-1.0", "app-6.6");
        place.plant(&path, edited.as_bytes());
        let before = place.files();
        place.repo(&["publish"]).expect_code(10).expect_stderr(&["repo.refused", "the page of app"]);
        assert_eq!(place.files(), before);
        place.plant(&path, &page);
        place.does(&["publish"]);
        place.is_whole();
    }
}

#[test]
fn without_the_timestamp_nothing_begins_anew() {
    for kind in KINDS {
        let place = Place::new(kind);
        place.publish(&[("app", "1.0")]);
        place.stage(&[("app", "2.0")]);
        place.remove("tuf/timestamp.json");
        is_refused(&place, &["repo.missing", "tuf/timestamp.json", "backup"]);
    }
}

#[test]
fn names_that_come_next_are_stepped_over() {
    for kind in KINDS {
        let place = Place::new(kind);
        place.publish(&[("app", "1.0")]);
        let client = Client::new(&place);
        client.gets("app");
        for path in ["tuf/3.snapshot.json", "tuf/4.index.json", "tuf/6.snapshot.json"] {
            place.plant(path, b"{\"signed\": {}, \"signatures\": []}");
        }
        place.publish(&[("app", "2.0")]);
        assert_eq!(place.versions(), (3, 5), "{kind:?}");
        place.publish(&[("app", "3.0")]);
        assert_eq!(place.versions(), (4, 7), "{kind:?}");
        client.gets("app==3.0");
        place.is_whole();
    }
}

#[test]
fn a_planted_root_is_no_root() {
    for kind in KINDS {
        let place = Place::new(kind);
        let elsewhere = Place::new(kind);
        place.publish(&[("app", "1.0")]);
        place.stage(&[("app", "2.0")]);
        elsewhere.does(&["rotate-online", "--no-passphrase"]);
        place.plant("tuf/2.root.json", &elsewhere.read("tuf/2.root.json").unwrap());
        is_refused(&place, &["repo.refused", "root is not signed", "tuf/2.root.json", "delete it"]);
        place.remove("tuf/2.root.json");
        place.does(&["publish"]);
        place.is_whole();
    }
}

#[test]
fn a_spoiled_package_is_noticed_and_clients_refuse_it() {
    let place = Place::new(Kind::Bucket);
    place.publish(&[("app", "1.0")]);
    let path = place.paths().into_iter().find(|path| path.ends_with(".whl")).unwrap();
    place.plant(&path, &Wheel::new("app", "1.0").file("evil.py", "evil").build().bytes);
    assert_eq!(Client::new(&place).download("app").code, Some(10));
    place.repo(&["verify", "--files", "--url", &place.url()]).expect_code(10);
}

/// Nothing protects the pages for installers without signatures, but they are easily put right.
#[test]
fn plain_pages_are_written_anew() {
    for kind in KINDS {
        let place = Place::new(kind);
        place.publish(&[("app", "1.0"), ("tool", "1.0")]);
        let honest: Vec<_> = place.files().into_iter().filter(|(path, _)| path.starts_with("simple/")).collect();
        place.plant("simple/app/index.html", b"<a href=\"https://evil.example.org/app-9.0-py3-none-any.whl\">app</a>");
        place.remove("simple/tool/index.json");
        place.plant("simple/evil/index.html", b"<a href=\"https://evil.example.org/evil-9.0.tar.gz\">evil</a>");
        place.plant("simple/index.json", b"{\"projects\": [{\"name\": \"evil\"}]}");
        place.repo(&["verify", "--url", &place.url()]).expect_code(10);
        place.does(&["publish"]);
        place.repo(&["verify", "--url", &place.url()]).expect_code(10);
        assert_eq!(place.says(&["publish", "--plain-pages"])["plain_pages"], 2);
        let now: Vec<_> = place.files().into_iter().filter(|(path, _)| path.starts_with("simple/")).collect();
        assert_eq!(now, honest);
        place.is_whole();
    }
}
