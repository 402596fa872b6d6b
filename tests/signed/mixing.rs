//! Signed and unsigned sources in one command, and the user's map of which index may offer what.

use std::fs;

use serde_json::json;
use testkit::{Command, Index, Outcome, Server, SignedIndex, SignedServer, Wheel};

use crate::scene::{SignedScene, entry, text, tufpip};

const VERIFIED: &str = "Verified   ";

/// An unsigned index with one file.
fn unsigned(project: &str, version: &str) -> Server {
    Index::new().add(Wheel::new(project, version).build()).serve()
}

/// A signed index with one file, which the user trusts.
fn signed(scene: &SignedScene, project: &str, version: &str) -> SignedServer {
    let server = SignedIndex::new(Index::new().add(Wheel::new(project, version).build())).serve();
    scene.trust(&server);
    server
}

/// A map with the scene's index as `main` and another one as `other`.
fn map(scene: &SignedScene, other: &str, mapping: serde_json::Value) {
    scene.map(&json!({"repositories": {"main": scene.server.index_url(), "other": other}, "mapping": mapping}));
}

fn with_extra(scene: &SignedScene, extra: &str, arguments: &[&str]) -> Outcome {
    scene.install(&[&["--extra-index-url", extra], arguments].concat())
}

#[test]
fn a_signed_index_hides_the_same_project_of_an_unsigned_one() {
    let scene = SignedScene::signed();
    let other = unsigned("library", "99.0");
    for indexes in
        [[scene.server.index_url(), other.url("/simple/")], [other.url("/simple/"), scene.server.index_url()]]
    {
        let [first, second] = indexes;
        scene.installs(&["--force-reinstall", "--index-url", &first, "--extra-index-url", &second, "app"]);
        scene.expect_installed(&["app-1.0", "library-2.0"]);
    }
    assert_eq!(other.log(), Vec::<String>::new(), "a signed project was asked for where it is not signed");
}

#[test]
fn who_wants_a_version_that_only_a_hidden_index_has_is_told_why_not() {
    let scene = SignedScene::signed();
    let other = unsigned("library", "99.0");
    let (main, extra, links) = (scene.server.index_url(), other.url("/simple/"), other.url("/find-links/"));
    let hidden = format!("library is in the signed index {main}, so ");
    with_extra(&scene, &extra, &["library==99.0"])
        .expect_code(1)
        .expect_stderr(&[&format!("{hidden}{extra} was not asked for it"), "from versions: 1.0, 2.0"]);
    with_extra(&scene, &extra, &["--find-links", &links, "library==99.0"])
        .expect_code(1)
        .expect_stderr(&[&format!("{hidden}{extra}, {links} were not asked for it")]);
    map(&scene, &extra, json!([{"projects": ["lib*"], "repositories": ["main"]}]));
    with_extra(&scene, &extra, &["library==99.0"])
        .expect_code(1)
        .expect_stderr(&[&format!("map.json sends library to 'main' ({main}) only")]);
    assert_eq!(other.log(), Vec::<String>::new());
}

#[test]
fn a_signed_project_without_files_is_hidden_too() {
    let scene = SignedScene::of(SignedIndex::new(Index::new().add_empty("library")));
    let other = unsigned("library", "99.0");
    with_extra(&scene, &other.url("/simple/"), &["library"]).expect_code(1).expect_stderr(&["was not asked for it"]);
    assert_eq!(other.log(), Vec::<String>::new());
}

#[test]
fn what_the_signed_index_does_not_have_comes_from_the_unsigned_one() {
    let scene = SignedScene::signed();
    let other = unsigned("extra", "1.0");
    let outcome = with_extra(&scene, &other.url("/simple/"), &["app", "extra"]).expect_code(0);
    scene.expect_installed(&["app-1.0", "extra-1.0", "library-2.0"]);
    outcome.expect_stderr(&[
        VERIFIED,
        "2 files against snapshot 1 of",
        "Unverified 1 file: only an unsigned index gave its hash",
    ]);
}

#[test]
fn of_two_signed_indexes_the_first_that_has_the_project_serves_it() {
    let scene = SignedScene::signed();
    let other = signed(&scene, "library", "99.0");
    with_extra(&scene, &other.index_url(), &["app"]).expect_code(0);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
    with_extra(&scene, &other.index_url(), &["library==99.0"])
        .expect_code(1)
        .expect_stderr(&[&format!("which comes first, and not from {}", other.index_url())]);
    let outcome = scene
        .install(&[
            "--index-url",
            &other.index_url(),
            "--extra-index-url",
            &scene.server.index_url(),
            "-U",
            "app",
            "library",
        ])
        .expect_code(0);
    scene.expect_installed(&["app-1.0", "library-99.0"]);
    outcome.expect_stderr(&[VERIFIED, "1 file against snapshot 1 of"]);
}

#[test]
fn each_file_is_verified_against_its_own_index() {
    let scene = SignedScene::signed();
    let other = signed(&scene, "extra", "1.0");
    let report = scene.report(&["--extra-index-url", &other.index_url(), "app", "extra"]);
    assert_eq!(entry(&report, "app")["verification"]["repository"], scene.server.index_url());
    assert_eq!(entry(&report, "extra")["verification"]["repository"], other.index_url());
}

/// Otherwise it would be enough to block the signed index.
#[test]
fn a_failing_signed_index_fails_the_command_even_if_another_could_serve() {
    let scene = SignedScene::signed();
    let (other, plain) = (signed(&scene, "extra", "1.0"), unsigned("app", "99.0"));
    scene.server.intercept(|_| Some(testkit::Response::new(503)));
    for extra in [other.index_url(), plain.url("/simple/")] {
        scene.refuses(&["--extra-index-url", &extra, "app"], 13, &["trust.unreachable"]);
        scene.refuses(
            &["--index-url", &extra, "--extra-index-url", &scene.server.index_url(), "extra"],
            13,
            &["trust.unreachable"],
        );
    }
    assert!(!plain.log().iter().any(|line| line.contains("/files/")), "{:?}", plain.log());
}

#[test]
fn a_directory_that_the_user_names_still_counts() {
    let scene = SignedScene::signed();
    let wheels = scene.environment.work().join("wheels");
    fs::create_dir(&wheels).unwrap();
    fs::write(wheels.join("library-3.0-py3-none-any.whl"), Wheel::new("library", "3.0").build().bytes).unwrap();
    let outcome = scene.installs(&["--find-links", text(&wheels), "app"]);
    scene.expect_installed(&["app-1.0", "library-3.0"]);
    outcome.expect_stderr(&[
        "1 file against snapshot 1 of",
        "Unverified 1 file, no hash at all: library-3.0-py3-none-any.whl",
    ]);
}

#[test]
fn a_page_of_links_on_a_server_is_hidden_like_an_unsigned_index() {
    let scene = SignedScene::signed();
    let other = unsigned("library", "3.0");
    scene.installs(&["--find-links", &other.url("/find-links/"), "app"]);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
    assert_eq!(other.log(), Vec::<String>::new());

    let other = unsigned("extra", "1.0");
    scene.installs(&["--find-links", &other.url("/find-links/"), "extra"]);
    scene.expect_installed(&["app-1.0", "extra-1.0", "library-2.0"]);
}

#[test]
fn a_link_to_one_file_on_a_server_is_hidden_too() {
    let scene = SignedScene::signed();
    let other = unsigned("library", "3.0");
    scene.installs(&["--find-links", &other.url("/files/library-3.0-py3-none-any.whl"), "app"]);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
    assert_eq!(other.log(), Vec::<String>::new());
}

#[test]
fn a_url_and_a_path_are_what_the_user_wants() {
    let scene = SignedScene::signed();
    let other = unsigned("library", "3.0");
    let url = other.url("/files/library-3.0-py3-none-any.whl");
    scene.installs(&["app", &format!("library @ {url}")]);
    scene.expect_installed(&["app-1.0", "library-3.0"]);
    let path = scene.environment.write("library-4.0-py3-none-any.whl", Wheel::new("library", "4.0").build().bytes);
    scene.installs(&["app", text(&path)]);
    scene.expect_installed(&["app-1.0", "library-4.0"]);
}

// ---- map.json -----------------------------------------------------------------------------------------------------

#[test]
fn a_map_says_which_index_offers_a_name() {
    let scene = SignedScene::signed();
    let other = signed(&scene, "library", "99.0");
    map(
        &scene,
        &other.index_url(),
        json!([
            {"projects": ["lib*"], "repositories": ["other"]},
            {"projects": ["*"], "repositories": ["main", "other"]},
        ]),
    );
    with_extra(&scene, &other.index_url(), &["app"]).expect_code(0);
    scene.expect_installed(&["app-1.0", "library-99.0"]);
}

#[test]
fn a_terminating_mapping_ends_the_search() {
    let scene = SignedScene::signed();
    let other = unsigned("acme-web", "1.0");
    let extra = other.url("/simple/");
    let terminating =
        |terminating: bool| json!([{"projects": ["acme-*"], "repositories": ["main"], "terminating": terminating}]);
    map(&scene, &extra, terminating(true));
    with_extra(&scene, &extra, &["acme-web"])
        .expect_code(1)
        .expect_stderr(&["No matching distribution found for acme-web", "acme-web is not in the signed snapshot 1 of"]);
    assert_eq!(other.log(), Vec::<String>::new());
    map(&scene, &extra, terminating(false));
    with_extra(&scene, &extra, &["acme-web"]).expect_code(0);
    scene.expect_installed(&["acme_web-1.0"]);
}

#[test]
fn a_mapping_may_keep_a_name_for_an_unsigned_index() {
    let scene = SignedScene::signed();
    let other = unsigned("library", "99.0");
    map(&scene, &other.url("/simple/"), json!([{"projects": ["library"], "repositories": ["other"]}]));
    with_extra(&scene, &other.url("/simple/"), &["app"]).expect_code(0);
    scene.expect_installed(&["app-1.0", "library-99.0"]);
}

#[test]
fn with_a_threshold_only_what_two_indexes_sign_alike_is_offered() {
    let scene = SignedScene::signed();
    let same = Index::new().add(Wheel::new("library", "1.0").build());
    let other = SignedIndex::new(same.add(Wheel::new("library", "2.0").file("library/other.py", "").build())).serve();
    scene.trust(&other);
    map(
        &scene,
        &other.index_url(),
        json!([
            {"projects": ["library"], "repositories": ["main", "other"], "threshold": 2},
        ]),
    );
    with_extra(&scene, &other.index_url(), &["app"]).expect_code(0);
    scene.expect_installed(&["app-1.0", "library-1.0"]);
}

#[test]
fn what_one_index_alone_signs_does_not_reach_a_threshold_of_two() {
    let scene = SignedScene::signed();
    let other = signed(&scene, "extra", "1.0");
    for terminating in [true, false] {
        map(
            &scene,
            &other.index_url(),
            json!([
                {"projects": ["*"], "repositories": ["main", "other"], "threshold": 2, "terminating": terminating},
            ]),
        );
        with_extra(&scene, &other.index_url(), &["library"])
            .expect_code(1)
            .expect_stderr(&["map.json demands that 2 indexes sign the same file of library"]);
    }
}

/// The mapping has nothing to say of a project that none of its indexes has.
#[test]
fn a_threshold_that_does_not_terminate_leaves_unknown_projects_to_others() {
    let scene = SignedScene::signed();
    let (other, plain) = (signed(&scene, "extra", "1.0"), unsigned("third", "1.0"));
    map(
        &scene,
        &other.index_url(),
        json!([
            {"projects": ["*"], "repositories": ["main", "other"], "threshold": 2, "terminating": false},
        ]),
    );
    with_extra(&scene, &plain.url("/simple/"), &["--extra-index-url", &other.index_url(), "third"]).expect_code(0);
    scene.expect_installed(&["third-1.0"]);
}

#[test]
fn a_map_that_names_an_index_the_command_leaves_out() {
    let scene = SignedScene::signed();
    let other = signed(&scene, "library", "99.0");
    map(&scene, &other.index_url(), json!([{"projects": ["lib*"], "repositories": ["other"]}]));
    scene.refuses(
        &["app"],
        12,
        &[
            "map.json says that library comes from 'other', which is not among the indexes",
            &format!("add --extra-index-url {}", other.index_url()),
            "policy.map",
        ],
    );
}

#[test]
fn unsigned_indexes_reach_no_threshold() {
    let scene = SignedScene::signed();
    let other = unsigned("library", "2.0");
    let reason = format!("and {} has no trusted root.", other.url("/simple/"));
    let mapping = json!([{"projects": ["library"], "repositories": ["main", "other"], "threshold": 2}]);
    map(&scene, &other.url("/simple/"), mapping);
    with_extra(&scene, &other.url("/simple/"), &["library"])
        .expect_code(1)
        .expect_stderr(&["map.json demands that 2 indexes sign the same file of library", &reason]);
    assert_eq!(other.log(), Vec::<String>::new());
}

/// What the user has in a directory comes from no index at all.
#[test]
fn a_map_leaves_local_files_alone_when_no_index_is_used() {
    let scene = SignedScene::signed();
    let other = unsigned("library", "99.0");
    map(&scene, &other.url("/simple/"), json!([{"projects": ["*"], "repositories": ["main"]}]));
    let wheel = Wheel::new("library", "3.0").build();
    let path = scene.environment.write("wheels/library-3.0-py3-none-any.whl", wheel.bytes);
    let (wheels, links) = (path.parent().unwrap(), other.url("/find-links/"));
    scene.installs(&["--no-index", "--find-links", text(wheels), "--find-links", &links, "library"]);
    scene.expect_installed(&["library-3.0"]);
    assert_eq!(other.log(), Vec::<String>::new(), "a page on a server is no local file");
}

#[test]
fn a_map_that_makes_no_sense_stops_the_command_before_any_request() {
    let scene = SignedScene::signed();
    let main = scene.server.index_url();
    for (map, piece) in [
        (json!({"repositories": {"main": main}, "mapping": [{"projects": ["*"], "repositories": ["mian"]}]}), "mian"),
        (json!({"repositories": {"main": main}, "mapping": [{"project": ["*"], "repositories": ["main"]}]}), "project"),
        (
            json!({"repositories": {"main": main}, "mapping": [
                {"projects": ["*"], "repositories": ["main"], "threshold": 2},
            ]}),
            "threshold",
        ),
        (json!([]), "map.json"),
    ] {
        scene.map(&map);
        scene.refuses(&["app"], 2, &["Could not use", "map.json", piece, "nothing is installed without it"]);
    }
    fs::write(scene.environment.trust_store().join("map.json"), "{").unwrap();
    scene.refuses(&["app"], 2, &["Could not use", "it is not JSON", "repair the file, or remove it", "layouts.md"]);
    assert_eq!(scene.server.log(), Vec::<String>::new());
}

/// The directory of the system for trust, in the configuration directory of the test.
#[test]
fn the_map_of_the_system_outranks_the_users() {
    let scene = SignedScene::signed();
    let other = signed(&scene, "library", "99.0");
    let repositories = json!({"main": scene.server.index_url(), "other": other.index_url()});
    let only = |index: &str| json!({"repositories": repositories, "mapping": [{"projects": ["library"], "repositories": [index]}]});
    scene.map(&only("other"));
    let system = scene.environment.home().join("etc/tufpip/trust.d");
    fs::create_dir_all(&system).unwrap();
    fs::write(system.join("map.json"), only("main").to_string()).unwrap();
    let command = || -> Command {
        tufpip(&scene.environment).args(["install", "--force-reinstall", "--index-url", &other.index_url()]).args([
            "--extra-index-url",
            &scene.server.index_url(),
            "app",
        ])
    };
    command().run().expect_code(0);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
    fs::remove_file(system.join("map.json")).unwrap();
    command().run().expect_code(0);
    scene.expect_installed(&["app-1.0", "library-99.0"]);
}
