//! One command sees one snapshot of an index, and what happens when that snapshot is taken away meanwhile.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{
    DistributionTrust, ForgedSignatures, Index, Profile, Response, SignedIndex, SignedServer, StolenKeys, Wheel,
};

use crate::scene::{SignedScene, index};

fn publish_library(server: &SignedServer, version: &str) {
    let wheel = Wheel::new("library", version).build();
    server.publish(|index| index.add(wheel));
}

fn publish_app(server: &SignedServer, version: &str) {
    let wheel = Wheel::new("app", version).requires("library>=1").build();
    server.publish(|index| index.add(wheel));
}

/// The scene's index with bins, which are fetched when they are needed.
fn with_bins() -> SignedScene {
    SignedScene::of(SignedIndex::new(index()).profile(Profile::Pep458 { bit_length: 4 }))
}

/// When the page of a project, as it is now, is asked for.
fn when_page(scene: &SignedScene, project: &str, action: impl Fn(&SignedServer) + Send + Sync + 'static) {
    let path = scene.server.page_path(project);
    scene.when(move |request| request.path == path, action);
}

#[test]
fn what_is_published_meanwhile_is_not_seen() {
    for scene in [SignedScene::signed(), with_bins()] {
        when_page(&scene, "app", |server| publish_library(server, "3.0"));
        let report = scene.report(&["app"]);
        scene.expect_installed(&["app-1.0", "library-2.0"]);
        assert_eq!(report["repositories"][0]["versions"]["snapshot"], 1);
        scene.installs(&["--upgrade", "library"]);
        scene.expect_installed(&["app-1.0", "library-3.0"]);
    }
}

#[test]
fn the_timestamp_is_asked_for_once() {
    let scene = with_bins();
    scene.installs(&["app"]);
    assert_eq!(scene.server.requests_for("/tuf/timestamp.json").len(), 1);
}

/// The role for the pages of `library` is gone when it is needed, but nothing is untrue that was read before.
#[test]
fn a_newer_snapshot_that_says_the_same_goes_on() {
    let scene = with_bins();
    when_page(&scene, "app", |server| {
        publish_library(server, "3.0");
        server.garbage_collect();
    });
    let outcome = scene.installs(&["-v", "app"]);
    scene.expect_installed(&["app-1.0", "library-3.0"]);
    assert!(outcome.stderr.contains("is gone; going on with snapshot 2"), "{}", outcome.stderr);
    assert_eq!(scene.server.requests_for("/tuf/timestamp.json").len(), 2);
}

#[test]
fn a_newer_snapshot_that_says_otherwise_is_chosen_from_anew() {
    for scene in [SignedScene::signed(), with_bins()] {
        when_page(&scene, "library", |server| {
            publish_app(server, "1.1");
            publish_library(server, "3.0");
            server.garbage_collect();
        });
        let report = scene.report(&["app"]);
        scene.expect_installed(&["app-1.1", "library-3.0"]);
        for entry in report["install"].as_array().unwrap() {
            assert_eq!(entry["verification"]["versions"]["snapshot"], 3, "{entry}");
        }
    }
}

#[test]
fn a_listing_is_of_one_snapshot_too() {
    let scene = with_bins();
    scene.installs(&["app", "library==1.0"]);
    std::fs::remove_dir_all(scene.environment.cache()).unwrap();
    when_page(&scene, "library", |server| {
        publish_app(server, "1.1");
        publish_library(server, "3.0");
        server.garbage_collect();
    });
    let outcome = scene.tufpip(&["list", "--outdated", "--format", "json"]).run().expect_code(0);
    let listed: Vec<Value> = serde_json::from_str(&outcome.stdout).unwrap();
    let latest: Vec<&Value> = listed.iter().map(|project| &project["latest_version"]).collect();
    assert_eq!(latest, ["1.1", "3.0"]);
}

/// The newer snapshot goes, too, while it is compared with what was told.
#[test]
fn a_newer_snapshot_that_goes_while_it_is_compared() {
    let scene = with_bins();
    let bin = scene.server.role_of(&scene.server.page_target("app"));
    when_page(&scene, "library", |server| {
        publish_app(server, "1.1");
        publish_library(server, "3.0");
        server.garbage_collect();
    });
    scene.when(
        move |request| !request.path.starts_with("/tuf/1.") && request.path.ends_with(&format!(".{bin}.json")),
        |server| {
            publish_app(server, "1.2");
            server.garbage_collect();
        },
    );
    scene.installs(&["app"]);
    scene.expect_installed(&["app-1.2", "library-3.0"]);
}

/// The index goes over from a target for each file to pages that vouch for their files.
#[test]
fn a_newer_snapshot_with_other_names_is_chosen_from_anew() {
    let scene = SignedScene::signed();
    let path = scene.server.page_path("library");
    let server = std::sync::Arc::downgrade(&scene.server);
    scene.server.intercept(move |request| {
        let server = server.upgrade().filter(|_| request.path == path && request.occurrence == 0)?;
        let layout = DistributionTrust::Page.in_band(true);
        let edit = |signed: &mut Value| signed["x-pyindex"] = layout;
        server.forge_signed_by("targets", ForgedSignatures::RightKeys, StolenKeys::Online, edit);
        Some(Response::not_found())
    });
    let report = scene.report(&["app"]);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
    for entry in report["install"].as_array().unwrap() {
        assert_eq!(entry["verification"]["by"], "signed-page", "{entry}");
        assert_eq!(entry["verification"]["versions"]["targets"], 2, "{entry}");
    }
}

/// The snapshot is gone before it was read at all: nothing was told yet that could be untrue.
#[test]
fn a_snapshot_that_goes_before_it_is_read() {
    let scene = SignedScene::signed();
    let path = scene.server.role_path("snapshot");
    scene.when(
        move |request| request.path == path,
        |server| {
            publish_library(server, "3.0");
            server.garbage_collect();
        },
    );
    scene.installs(&["app"]);
    scene.expect_installed(&["app-1.0", "library-3.0"]);
}

#[test]
fn a_signed_page_that_is_gone_while_nothing_newer_is_signed_is_withheld() {
    let scene = SignedScene::signed();
    let path = scene.server.page_path("library");
    scene.server.remove(&path);
    let outcome = scene.refuses_and_learns(
        &["app"],
        11,
        &[
            "lacks a file that it has signed",
            &path,
            "somebody removes or withholds files",
            "try again",
            "trust.withheld",
        ],
    );
    assert!(outcome.elapsed >= Duration::from_secs(2), "it did not wait for the index to be published");
    assert_eq!(scene.server.requests_for("/tuf/timestamp.json").len(), 3);
    scene.server.honest();
    scene.installs(&["app"]);
}

#[test]
fn a_signed_page_that_comes_back_after_a_moment() {
    let scene = SignedScene::signed();
    let path = scene.server.page_path("library");
    scene.server.remove(&path);
    // The third time the timestamp is asked for is the one after the wait.
    scene.when(
        |request| request.path == "/tuf/timestamp.json" && request.occurrence == 2,
        |server| publish_library(server, "3.0"),
    );
    scene.installs(&["app"]);
    scene.expect_installed(&["app-1.0", "library-3.0"]);
}

/// Whenever its page is asked for, `library` is published again and its older pages are removed.
#[test]
fn an_index_that_never_stands_still_is_given_up() {
    let scene = SignedScene::signed();
    for version in 3..9 {
        let path = move |server: &SignedServer| server.page_path("library");
        let server = std::sync::Arc::downgrade(&scene.server);
        scene.when(
            move |request| server.upgrade().is_some_and(|server| request.path == path(&server)),
            move |server| {
                publish_library(server, &format!("{version}.0"));
                server.garbage_collect();
            },
        );
    }
    scene.refuses_and_learns(
        &["app"],
        11,
        &["was changed while it was read", "trust.snapshot-moved", "run the command again"],
    );
    assert_eq!(scene.server.requests_for("/tuf/timestamp.json").len(), 3);
    scene.server.honest();
    scene.installs(&["app"]);
}

/// The same for pages nobody has read yet: each time `app` says the same, but `library` is out of reach.
#[test]
fn three_snapshots_are_enough() {
    let scene = SignedScene::of(SignedIndex::new(index()).profile(Profile::Pep458 { bit_length: 1 }));
    let server = std::sync::Arc::downgrade(&scene.server);
    scene.server.intercept(move |request| {
        let is_page = request.path.contains("/simple/library/");
        if is_page && let Some(server) = server.upgrade() {
            server.refresh();
        }
        is_page.then(Response::not_found)
    });
    scene.refuses_and_learns(&["app"], 11, &["lacks a file that it has signed", "trust.withheld"]);
    assert_eq!(scene.server.requests_for("/tuf/timestamp.json").len(), 3);
}

/// The page lists what no target vouches for: an upload whose signature is still to come.
#[test]
fn a_file_that_is_listed_but_not_signed_yet() {
    let unsigned_files = SignedIndex::new(index()).trust(DistributionTrust::Page);
    let scene = SignedScene::of(unsigned_files);
    scene.edit_trust(|trust| trust["layout"] = "static-1".into());
    scene.refuses_and_learns(
        &["library==2.0"],
        1,
        &["listed but not signed (yet) in snapshot 1", "if it was published in the last minutes, try again soon"],
    );
    assert!(!scene.server.log().iter().any(|line| line.ends_with(".whl")), "{:?}", scene.server.log());
}

#[test]
fn a_project_that_is_not_in_the_snapshot() {
    let scene = SignedScene::signed();
    scene.refuses_and_learns(
        &["absent"],
        1,
        &[
            "No matching distribution found for absent",
            "absent is not in the signed snapshot 1 of http://127.0.0.1:",
            "(signed ",
            " ago)",
            "try again soon",
            "resolve.no-match",
        ],
    );
    assert!(scene.server.requests().iter().all(|request| request.path.starts_with("/tuf/")));
}

#[test]
fn a_dependency_that_is_not_in_the_snapshot() {
    let scene =
        SignedScene::of(SignedIndex::new(Index::new().add(Wheel::new("app", "1.0").requires("absent").build())));
    scene.refuses_and_learns(&["app"], 1, &["absent is not in the signed snapshot 1 of", "try again soon"]);
}

/// A snapshot without hashes does not say which of two bins a file is, so an empty one may hide a project.
#[test]
fn an_absence_that_proves_nothing() {
    let few = Index::new().add(Wheel::new("app", "1.0").build());
    let index = SignedIndex::new(few).profile(Profile::Pep458 { bit_length: 4 }).without_hashes_in_snapshot();
    let scene = SignedScene::of(index);
    let bin = scene.server.role_path(&scene.server.role_of("simple/missing/vnd.pypi.simple.v1.json"));
    let bin: Value = serde_json::from_slice(&scene.server.files()[&bin]).unwrap();
    assert_eq!(bin["signed"]["targets"], json!({}), "the story needs an empty bin");
    scene.installs(&["app"]);
    scene.refuses(
        &["missing"],
        10,
        &[
            "does not prove that it has no simple/missing/",
            "somebody on the network may be hiding it",
            "verify.absence-in-doubt",
        ],
    );
}

#[test]
fn an_absence_that_is_proved() {
    let few = Index::new().add(Wheel::new("app", "1.0").build());
    let scene = SignedScene::of(SignedIndex::new(few).profile(Profile::Pep458 { bit_length: 4 }));
    scene.refuses_and_learns(&["absent"], 1, &["absent is not in the signed snapshot 1"]);
}
