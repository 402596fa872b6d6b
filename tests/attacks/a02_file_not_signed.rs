//! The index offers a file that nobody signed.

use serde_json::{Value, json};
use testkit::{HashName, StolenKeys, Wheel};

use crate::scene::SignedScene;

const EVIL: &str = "library-9.9-py3-none-any.whl";

fn evil_library() -> Vec<u8> {
    Wheel::new("library", "9.9").file("library/evil.py", "import this\n").build().bytes
}

/// Lists the file with everything that is true of it.
fn list_evil_library(page: &mut Value) {
    let bytes = evil_library();
    page["files"].as_array_mut().unwrap().push(json!({
        "filename": EVIL,
        "url": format!("/files/{EVIL}"),
        "hashes": {"sha256": HashName::Sha256.hex(&bytes)},
        "size": bytes.len(),
    }));
    page["versions"].as_array_mut().unwrap().push("9.9".into());
}

#[test]
fn a_page_that_lists_it_is_not_the_signed_page() {
    for command in [["app"], ["library==9.9"], ["library"]] {
        let scene = SignedScene::signed();
        scene.server.replace(&format!("/files/{EVIL}"), evil_library());
        scene.server.replace(&scene.server.page_path("library"), scene.altered_page("library", list_evil_library));
        scene.refuses_and_learns(&command, 10, &["Refused the page of library", "expected", "received", "verify.page"]);
        assert!(scene.server.requests_for(&format!("/files/{EVIL}")).is_empty());
        scene.server.honest();
        scene.installs(&["app"]);
        scene.expect_installed(&["app-1.0", "library-2.0"]);
    }
}

#[test]
fn the_page_for_unsigned_clients_is_not_believed() {
    let scene = SignedScene::signed();
    scene.server.replace(&format!("/files/{EVIL}"), evil_library());
    scene.server.replace("/simple/library/", scene.altered_page("library", list_evil_library));
    scene.installs(&["app"]);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
    assert!(scene.server.requests_for("/simple/library/").is_empty(), "{:?}", scene.server.log());
}

/// As when a file is published before it is signed (PEP 458): it is not there yet, whatever the page says of its hash.
#[test]
fn a_signed_page_is_not_enough_where_files_are_signed() {
    let scene = SignedScene::signed();
    scene.server.replace(&format!("/files/{EVIL}"), evil_library());
    let page = scene.altered_page("library", list_evil_library);
    scene.server.forge_page("library", &page, StolenKeys::Online);
    let before = scene.environment.state();
    scene.install(&["library==9.9"]).expect_code(1).expect_stderr(&["9.9: it is listed but not signed", "no-match"]);
    assert_eq!(scene.environment.state(), before);
    assert!(scene.server.requests_for(&format!("/files/{EVIL}")).is_empty());
    scene.installs(&["app"]);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
    scene.recovers_with_new_keys(&["--force-reinstall", "app"], &["app-1.0", "library-2.0"]);
}
