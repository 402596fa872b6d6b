//! A file that never ends, one that is announced to be enormous, one that inflates: each is given up at the length that is
//! signed for it, or at the cap where nothing is.

use std::time::Duration;

use testkit::{Outcome, Response, SignedIndex};

use crate::scene::{SignedScene, index};

const LIBRARY: &str = "library-2.0-py3-none-any.whl";
const INSTALLED: &[&str] = &["app-1.0", "library-2.0"];

/// In KiB.
const MOST_MEMORY: u64 = 256 << 10;
const MOST_TIME: Duration = Duration::from_secs(30);

/// Every kind of file, with the path where it is asked for, who is named and the code.
fn every_file(scene: &SignedScene) -> Vec<(String, &'static str, &'static str)> {
    let server = &scene.server;
    vec![
        (server.root_path(2), "refused root", "trust.too-large"),
        (server.role_path("timestamp"), "refused timestamp", "trust.too-large"),
        (server.role_path("snapshot"), "refused snapshot version 1", "trust.too-large"),
        (server.role_path("targets"), "refused targets version 1", "trust.too-large"),
        (server.role_path("index"), "refused index version 1", "trust.too-large"),
        (server.page_path("library"), "Refused the page of library", "verify.page"),
        (server.wheel_path(LIBRARY), "Refused library-2.0-py3-none-any.whl", "verify.target"),
        (format!("{}.metadata", server.wheel_path(LIBRARY)), "Refused the metadata of library-2.0", "verify.metadata"),
    ]
}

fn bounded(outcome: &Outcome, path: &str) {
    assert!(outcome.elapsed < MOST_TIME, "{path}: {:?}", outcome.elapsed);
    assert!(outcome.peak_memory.is_none_or(|peak| peak < MOST_MEMORY), "{path}: {:?} KiB", outcome.peak_memory);
}

/// Each of the files in turn becomes what `attack` makes of it.
fn all_bounded(setup: &SignedIndex, attack: impl Fn(&SignedScene, &str)) {
    for number in 0..8 {
        let scene = SignedScene::of(setup.clone());
        let (path, who, code) = every_file(&scene).swap_remove(number);
        attack(&scene, &path);
        let outcome = scene.refuses_and_learns(&["app"], 10, &[who, "expected", "received", code]);
        bounded(&outcome, &path);
        scene.recovers(&["app"], INSTALLED);
    }
}

#[test]
fn no_file_may_go_on_for_ever() {
    all_bounded(&SignedIndex::new(index()), |scene, path| scene.server.endless(path));
}

/// Caps take the place of the lengths of targets and delegated roles.
#[test]
fn where_the_snapshot_has_no_lengths() {
    all_bounded(&SignedIndex::new(index()).without_hashes_in_snapshot(), |scene, path| scene.server.endless(path));
}

#[test]
fn what_is_announced_to_be_enormous_is_not_begun() {
    all_bounded(&SignedIndex::new(index()), |scene, path| {
        scene.server.intercept({
            let path = path.to_owned();
            move |request| {
                let enormous = || Response::ok("application/octet-stream", vec![b' '; 8192]).claimed_length(1 << 40);
                (request.path == path).then(enormous)
            }
        });
    });
}

/// The bound is on what is unpacked: 2 GB of zeros, 2 MB on the way. Wheels are not asked for in this form.
#[test]
fn what_is_compressed_counts_as_what_it_becomes() {
    let bomb = Response::gzip_bomb("application/json", 2000);
    for number in [0, 1, 2, 3, 4, 5, 7] {
        let scene = SignedScene::of(SignedIndex::new(index()).without_hashes_in_snapshot());
        let (path, who, code) = every_file(&scene).swap_remove(number);
        let asked = path.clone();
        let bomb = bomb.clone();
        scene.server.intercept(move |request| (request.path == asked).then(|| bomb.clone()));
        bounded(&scene.refuses_and_learns(&["app"], 10, &[who, code]), &path);
        scene.recovers(&["app"], INSTALLED);
    }
}
