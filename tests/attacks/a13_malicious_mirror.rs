//! A mirror that the user named serves something else than the index: it is asked only when the index does not answer, and
//! is believed no more than the network is.

use serde_json::json;
use testkit::{Recording, Response, Server, Wheel};

use crate::scene::{SignedScene, expect_no_plain_pages};

const APP: &str = "app-1.0-py3-none-any.whl";

/// A mirror that has the index as it was on that day.
fn mirror_of(day: Recording) -> Server {
    Server::start(move |request| day.respond(request))
}

/// A mirror that gives one answer to everything.
fn mirror_that_says(answer: Response) -> Server {
    Server::start(move |_| answer.clone())
}

/// The user's mirrors; pages and metadata of the index itself are out of reach from now on, its files are not.
fn only_mirrors_answer(scene: &SignedScene, mirrors: &[&Server]) {
    let urls: Vec<String> = mirrors.iter().map(|mirror| mirror.url("/simple/")).collect();
    scene.edit_trust(|trust| trust["mirrors"] = json!(urls));
    scene.server.intercept(|request| (!request.path.starts_with("/files/")).then(|| Response::raw("")));
}

#[test]
fn an_honest_mirror_stands_in_for_the_index() {
    let scene = SignedScene::signed();
    let mirror = mirror_of(scene.server.day());
    only_mirrors_answer(&scene, &[&mirror]);
    let outcome = scene.installs(&["app"]);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
    outcome.expect_stderr(&["Verified   2 files against snapshot 1 of "]);
    assert_eq!(mirror.requests_for("/tuf/timestamp.json").len(), 1);
    expect_no_plain_pages(&mirror);
}

#[test]
fn a_mirror_is_not_asked_while_the_index_answers() {
    let scene = SignedScene::signed();
    let mirror = mirror_of(scene.server.day());
    scene.edit_trust(|trust| trust["mirrors"] = json!([mirror.url("/simple/")]));
    scene.server.replace("/tuf/timestamp.json", "not signed");
    scene.refuses(&["app"], 10, &["trust.malformed"]);
    assert_eq!(mirror.log(), Vec::<String>::new());
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
    assert_eq!(mirror.log(), Vec::<String>::new());
}

#[test]
fn garbage() {
    let scene = SignedScene::signed();
    let mirror = mirror_that_says(Response::ok("application/json", "garbage"));
    only_mirrors_answer(&scene, &[&mirror]);
    let outcome = scene.refuses(
        &["app"],
        10,
        &["Refused the signed metadata", "expected", "received", "code      trust.malformed"],
    );
    assert!(outcome.stderr.contains(&mirror.url("/tuf/")), "the mirror is not named: {}", outcome.stderr);
    expect_no_plain_pages(&mirror);
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}

#[test]
fn garbage_in_the_place_of_pages() {
    let scene = SignedScene::signed();
    let day = scene.server.day();
    let mirror = Server::start(move |request| {
        let is_page = request.path.starts_with("/simple/");
        if is_page { Response::ok("application/json", "{\"files\": []}") } else { day.respond(request) }
    });
    only_mirrors_answer(&scene, &[&mirror]);
    let pieces = ["Refused the page of app: it is not what was signed", "code      verify.page"];
    let outcome = scene.refuses_and_learns(&["app"], 10, &pieces);
    assert!(outcome.stderr.contains(&mirror.url("/simple/app/")), "the mirror is not named: {}", outcome.stderr);
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}

#[test]
fn an_older_state_than_was_seen() {
    let scene = SignedScene::signed();
    let old = scene.server.day();
    scene.server.publish(|index| index.add(Wheel::new("library", "3.0").build()));
    scene.installs(&["app"]);
    scene.expect_installed(&["app-1.0", "library-3.0"]);

    let mirror = mirror_of(old);
    only_mirrors_answer(&scene, &[&mirror]);
    scene.refuses(&["--force-reinstall", "app"], 10, &["expected", "received", "code      trust.rollback"]);
    expect_no_plain_pages(&mirror);
    scene.recovers(&["--force-reinstall", "app"], &["app-1.0", "library-3.0"]);
}

#[test]
fn nothing_at_all() {
    let scene = SignedScene::signed();
    let mirror = mirror_that_says(Response::not_found());
    only_mirrors_answer(&scene, &[&mirror]);
    scene.refuses(&["app"], 11, &["timestamp", "withheld", "code      trust.withheld"]);
    expect_no_plain_pages(&mirror);
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}

#[test]
fn no_pages() {
    let scene = SignedScene::signed();
    let day = scene.server.day();
    let mirror =
        Server::start(
            move |request| {
                if request.path.starts_with("/simple/") { Response::not_found() } else { day.respond(request) }
            },
        );
    only_mirrors_answer(&scene, &[&mirror]);
    // The index itself might have the page: it could not be asked.
    scene.refuses_and_learns(&["app"], 13, &[]);
    expect_no_plain_pages(&mirror);
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}

#[test]
fn the_page_of_another_project() {
    let scene = SignedScene::signed();
    let (day, page, other) = (scene.server.day(), scene.server.page_path("app"), scene.server.page("library"));
    let mirror = Server::start(move |request| {
        if request.path == page { Response::ok("application/json", other.clone()) } else { day.respond(request) }
    });
    only_mirrors_answer(&scene, &[&mirror]);
    scene.refuses_and_learns(&["app"], 10, &["Refused the page of app: it is not what was signed", "verify.page"]);
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}

#[test]
fn the_file_of_another_project() {
    let scene = SignedScene::signed();
    let day = scene.server.day();
    let (app, library) = (scene.server.wheel_path(APP), scene.server.wheel_path("library-2.0-py3-none-any.whl"));
    let other = day.files[&library].clone();
    let mirror = Server::start(move |request| {
        if request.path == app { Response::ok("application/octet-stream", other.clone()) } else { day.respond(request) }
    });
    // Links lead to the index; this user takes files from the mirror as well.
    let (from, to) = (scene.server.url("/files/"), mirror.url("/files/"));
    scene.edit_trust(|trust| trust["rewrite"] = json!([{"from": from, "to": to}]));
    only_mirrors_answer(&scene, &[&mirror]);
    let outcome = scene.refuses_and_learns(
        &["app"],
        10,
        &["Refused app-1.0-py3-none-any.whl: it is not what was signed", "expected", "received", "verify.target"],
    );
    assert!(outcome.stderr.contains(&mirror.url("/files/")), "the mirror is not named: {}", outcome.stderr);
    scene.edit_trust(|trust| {
        trust["rewrite"] = json!([]);
        trust["mirrors"] = json!([]);
    });
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}

#[test]
fn behind_a_dead_mirror_the_next_is_asked() {
    let scene = SignedScene::signed();
    let (dead, honest) = (mirror_that_says(Response::new(503)), mirror_of(scene.server.day()));
    only_mirrors_answer(&scene, &[&dead, &honest]);
    scene.installs(&["app"]);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
}

#[test]
fn when_nobody_answers_the_network_has_failed() {
    let scene = SignedScene::signed();
    let mirror = mirror_that_says(Response::new(503));
    only_mirrors_answer(&scene, &[&mirror]);
    scene.refuses(&["app"], 13, &["Could not fetch the signed metadata", "code      trust.unreachable"]);
    expect_no_plain_pages(&mirror);
    scene.expect_nothing_asked_plainly();
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}

/// Links to wheels are not mirrored; a server that hides one is not believed to be the end of the matter either.
#[test]
fn a_signed_wheel_is_withheld() {
    for status in [403, 404, 410] {
        let scene = SignedScene::signed();
        scene.server.status(&scene.server.wheel_path("library-2.0-py3-none-any.whl"), status);
        scene.refuses_and_learns(
            &["app"],
            11,
            &["library-2.0-py3-none-any.whl is signed", &format!("status {status}"), "signed by", "trust.withheld"],
        );
        scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
    }
}
