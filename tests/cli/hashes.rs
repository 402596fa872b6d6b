//! Hashes that the user writes down, and what they demand.

use testkit::{Index, Wheel, WheelFile};

use crate::scene::Scene;

fn app() -> WheelFile {
    Wheel::new("app", "1.0").requires("library").build()
}

fn library() -> WheelFile {
    Wheel::new("library", "1.0").build()
}

fn scene(requirements: &str) -> Scene {
    let scene = Scene::new(Index::new().add(app()).add(library()).add(Wheel::new("library", "2.0").build()));
    scene.environment.write("requirements.txt", requirements);
    scene
}

#[test]
fn every_hash_given_and_right() {
    let scene = scene(&format!(
        "app==1.0 --hash=sha256:{}\nlibrary==1.0 \\\n  --hash=sha256:{} \\\n  --hash=sha256:{}\n",
        app().sha256(),
        "0".repeat(64),
        library().sha256()
    ));
    let outcome = scene.installs(&["-r", "requirements.txt"]);
    scene.expect_installed(&["app-1.0", "library-1.0"]);
    assert!(outcome.stderr.contains("Verified   2 files by the hashes you gave\n"), "{}", outcome.stderr);
}

#[test]
fn a_wrong_hash() {
    let wrong = "1".repeat(64);
    let scene = scene(&format!("library==1.0 --hash=sha256:{wrong}\n"));
    scene.refuses(
        &["-r", "requirements.txt"],
        10,
        &[
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE",
            &format!("Expected sha256 {wrong}"),
            &format!("Got        {}", library().sha256()),
            "verify.hash-mismatch",
        ],
    );
}

#[test]
fn a_dependency_without_a_hash() {
    let scene = scene(&format!("app==1.0 --hash=sha256:{}\n", app().sha256()));
    scene.refuses(
        &["-r", "requirements.txt"],
        12,
        &[
            "In --require-hashes mode, all requirements must have their versions pinned with ==",
            "library",
            "policy.require-hashes",
        ],
    );
}

#[test]
fn a_requirement_without_a_hash_shows_the_line_to_write() {
    let scene = scene("library==1.0\n");
    scene.refuses(
        &["--require-hashes", "-r", "requirements.txt"],
        12,
        &[
            "ERROR: Hashes are required in --require-hashes mode",
            &format!("library==1.0 --hash=sha256:{}", library().sha256()),
        ],
    );
}

#[test]
fn a_requirement_without_a_pin() {
    let scene = scene(&format!("library --hash=sha256:{}\n", library().sha256()));
    scene.refuses(&["-r", "requirements.txt"], 12, &["pinned with ==", "library"]);
}

#[test]
fn a_hash_in_the_fragment_of_a_url() {
    let scene = scene("");
    let url = scene.server.url("/files/library-1.0-py3-none-any.whl");
    scene.installs(&[&format!("{url}#sha256={}", library().sha256())]);
    scene.expect_installed(&["library-1.0"]);
    scene.refuses(
        &["--force-reinstall", &format!("{url}#sha256={}", "2".repeat(64))],
        10,
        &["DO NOT MATCH THE HASHES"],
    );
}

#[test]
fn the_cache_does_not_replace_the_check() {
    let scene = scene(&format!("library==1.0 --hash=sha256:{}\n", "3".repeat(64)));
    scene.installs(&["library==1.0"]);
    scene.refuses(&["--force-reinstall", "-r", "requirements.txt"], 10, &["DO NOT MATCH THE HASHES"]);
}
