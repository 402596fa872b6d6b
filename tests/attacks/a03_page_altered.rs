//! The index page of a project is another one than the signed one. The page is a signed file of its own.

use serde_json::Value;
use testkit::{SignedIndex, Wheel};

use crate::scene::{SignedScene, index};

const INSTALLED: &[&str] = &["app-1.0", "library-2.0"];
const REFUSED: &[&str] =
    &["Refused the page of library: it is not what was signed", "expected", "received", "verify.page"];

/// Changes a page.
type Change = fn(&mut Value);

fn files(page: &mut Value) -> &mut Vec<Value> {
    page["files"].as_array_mut().unwrap()
}

#[test]
fn every_change_of_it_is_refused() {
    let scene = SignedScene::signed();
    let path = scene.server.page_path("library");
    let hide_newest = |page: &mut Value| files(page).retain(|file| file["filename"] != "library-2.0-py3-none-any.whl");
    let yank = |page: &mut Value| files(page).iter_mut().for_each(|file| file["yanked"] = "found to be bad".into());
    let forbid_python =
        |page: &mut Value| files(page).iter_mut().for_each(|file| file["requires-python"] = "<3".into());
    let move_files = |page: &mut Value| {
        files(page).iter_mut().for_each(|file| file["url"] = "https://pkgs.example.org/x.whl".into())
    };
    let drop_metadata = |page: &mut Value| files(page).iter_mut().for_each(|file| file["core-metadata"] = false.into());
    let changes: [(&str, Change); 5] = [
        ("the newest version hidden", hide_newest),
        ("all versions yanked", yank),
        ("another Python asked for", forbid_python),
        ("links elsewhere", move_files),
        ("no metadata files", drop_metadata),
    ];
    for (what, change) in changes {
        eprintln!("{what}");
        scene.server.replace(&path, scene.altered_page("library", change));
        scene.refuses_and_learns(&["app"], 10, REFUSED);
        scene.server.honest();
    }
    let honest = scene.server.page("library");
    for bytes in [Vec::new(), honest[..honest.len() - 1].to_vec(), [honest.as_slice(), b"\n"].concat()] {
        scene.server.replace(&path, bytes);
        scene.refuses_and_learns(&["app"], 10, REFUSED);
        scene.server.honest();
    }
    scene.recovers(&["app"], INSTALLED);
}

#[test]
fn the_signed_page_of_another_project() {
    let scene = SignedScene::signed();
    scene.server.replace(&scene.server.page_path("library"), scene.server.page("app"));
    scene.refuses_and_learns(&["app"], 10, REFUSED);
    scene.recovers(&["app"], INSTALLED);
}

#[test]
fn the_signed_page_of_an_earlier_day() {
    for setup in [SignedIndex::new(index()), SignedIndex::new(index()).without_consistent_snapshots()] {
        let scene = SignedScene::of(setup);
        let earlier = scene.server.page("library");
        scene.server.publish(|index| index.add(Wheel::new("library", "3.0").build()));
        scene.server.replace(&scene.server.page_path("library"), earlier);
        scene.refuses_and_learns(&["app"], 10, REFUSED);
        scene.recovers(&["app"], &["app-1.0", "library-3.0"]);
    }
}

#[test]
fn a_page_that_is_withheld_is_not_a_project_that_is_not_there() {
    for status in [404, 410] {
        let scene = SignedScene::signed();
        let path = scene.server.page_path("library");
        scene.server.status(&path, status);
        scene.refuses_and_learns(&["app"], 11, &["lacks a file that it has signed", &path, "trust.withheld"]);
        scene.recovers(&["app"], INSTALLED);
    }
    let scene = SignedScene::signed();
    scene.server.status(&scene.server.page_path("library"), 500);
    scene.refuses_and_learns(&["app"], 13, &["the server answered 500"]);
    scene.recovers(&["app"], INSTALLED);
}
