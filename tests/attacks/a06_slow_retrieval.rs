//! Files that come at a byte a second: each byte resets the time-out of the connection, and all of them would take for ever.

use std::thread;
use std::time::Duration;

use testkit::{Response, SignedIndex};

use crate::scene::{SignedScene, index};

const LIBRARY: &str = "library-2.0-py3-none-any.whl";
const MOST_TIME: Duration = Duration::from_secs(60);

/// Every kind of file, and whether it is metadata.
fn every_file(scene: &SignedScene) -> Vec<(String, bool)> {
    let server = &scene.server;
    vec![
        (server.root_path(2), true),
        (server.role_path("timestamp"), true),
        (server.role_path("snapshot"), true),
        (server.role_path("targets"), true),
        (server.role_path("index"), true),
        (server.page_path("library"), false),
        (server.wheel_path(LIBRARY), false),
        (format!("{}.metadata", server.wheel_path(LIBRARY)), false),
    ]
}

/// All of them at once: each only waits. All codes are those of exit code 13, the only one that is safe to try again.
fn all_given_up(reason: &str, code: &str, slow: impl Fn(Response) -> Response + Copy + Send + Sync + 'static) {
    thread::scope(|stories| {
        for number in 0..8 {
            stories.spawn(move || {
                let scene = SignedScene::of(SignedIndex::new(index()));
                scene.server.rotate("root");
                let (path, is_metadata) = every_file(&scene).swap_remove(number);
                scene.server.alter(&path, slow);
                let command = ["--timeout=2", "--resume-retries=0", "app"];
                let code = if is_metadata { "trust.unreachable" } else { code };
                let outcome = scene.refuses_and_learns(&command, 13, &[reason, code]);
                assert!(outcome.elapsed < MOST_TIME, "{path}: {:?}", outcome.elapsed);
                scene.recovers(&command, &["app-1.0", "library-2.0"]);
            });
        }
    });
}

#[test]
fn bodies_that_drip() {
    all_given_up("less than 1 KiB per second", "net.too-slow", |answer| answer.slow_body(1));
}

#[test]
fn headers_that_drip() {
    all_given_up("no answer in time", "net.timeout", |answer| answer.slow(1));
}

#[test]
fn silence() {
    all_given_up("no answer in time", "net.timeout", |_| Response::never());
}

#[test]
fn silence_before_the_last_byte() {
    all_given_up("no answer in time", "net.timeout", |answer| {
        let all_but_one = answer.body_bytes().len() - 1;
        answer.hang_after(all_but_one)
    });
}
