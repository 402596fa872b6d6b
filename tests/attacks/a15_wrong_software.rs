//! Good files in the wrong place, and teams that sign for what is not theirs.

use testkit::{ForgedSignatures, Index, ListedFile, SignedIndex, SignedServer, StolenKeys, Wheel, WheelFile, target};

use crate::scene::{SignedScene, index};

const APP: &str = "app-1.0-py3-none-any.whl";
const LIBRARY: &str = "library-2.0-py3-none-any.whl";

#[test]
fn a_signed_file_of_another_project() {
    let scene = SignedScene::signed();
    let other = scene.server.files()[&scene.server.wheel_path(LIBRARY)].clone();
    scene.server.replace(&scene.server.wheel_path(APP), other);
    scene.refuses_and_learns(
        &["app"],
        10,
        &["Refused app-1.0-py3-none-any.whl", "expected", "received", "verify.target"],
    );
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}

#[test]
fn a_signed_file_of_another_version() {
    let scene = SignedScene::signed();
    let older = scene.server.files()[&scene.server.wheel_path("library-1.0-py3-none-any.whl")].clone();
    scene.server.replace(&scene.server.wheel_path(LIBRARY), older);
    scene.refuses_and_learns(&["app"], 10, &["Refused library-2.0-py3-none-any.whl", "verify.target"]);
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}

#[test]
fn the_signed_page_of_another_project() {
    let scene = SignedScene::signed();
    scene.server.replace(&scene.server.page_path("app"), scene.server.page("library"));
    scene.refuses_and_learns(&["app"], 10, &["Refused the page of app", "expected", "received", "verify.page"]);
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}

/// Whoever may sign for `app` signs a wheel that calls itself something else.
#[test]
fn a_wheel_that_says_it_is_another_project() {
    wheel_that_lies(Wheel::new("library", "2.0").filename(APP).build());
}

#[test]
fn a_wheel_that_says_it_is_another_version() {
    wheel_that_lies(Wheel::new("app", "7.0").filename(APP).build());
}

#[test]
fn a_wheel_whose_metadata_names_another_project() {
    wheel_that_lies(Wheel::new("app", "1.0").metadata_name("library").build());
}

#[test]
fn a_wheel_whose_metadata_names_another_version() {
    wheel_that_lies(Wheel::new("app", "1.0").metadata_version("7.0").build());
}

/// It is refused whether its PEP 658 file tells the truth about it or what people expect.
fn wheel_that_lies(lying: WheelFile) {
    let mut lying = ListedFile::from(lying);
    let scene = SignedScene::of(SignedIndex::new(Index::new().add(lying.clone())));
    scene.refuses_and_learns(&["app"], 1, &["app", "its metadata names the"]);

    lying.metadata = Wheel::new("app", "1.0").build().metadata;
    let scene = SignedScene::of(SignedIndex::new(Index::new().add(lying)));
    scene.refuses_and_learns(&["app"], 10, &["app-1.0-py3-none-any.whl", "wheel."]);

    scene.server.publish(|_| Index::new().add(Wheel::new("app", "1.1").build()));
    scene.recovers(&["app"], &["app-1.1"]);
}

/// A newer `library` on a page of its own, with everything that has to be signed for it.
struct Forgery {
    wheel: WheelFile,
    page: Vec<u8>,
}

impl Forgery {
    fn new(scene: &SignedScene) -> Self {
        let wheel = Wheel::new("library", "9.9").build();
        let mut page: serde_json::Value = serde_json::from_slice(&scene.server.page("library")).unwrap();
        let file = serde_json::json!({
            "filename": wheel.filename, "url": format!("../../files/{}", wheel.filename), "size": wheel.bytes.len(),
            "hashes": {"sha256": wheel.sha256()}});
        page["files"].as_array_mut().unwrap().push(file);
        Self { wheel, page: page.to_string().into_bytes() }
    }

    /// A role signs for it with its own good keys, the index publishes that, and the files are there.
    fn publish(&self, server: &SignedServer, role: &str) {
        let page = target(&self.page);
        let hash = page["hashes"]["sha256"].as_str().unwrap().to_owned();
        server.forge_signed_by(role, ForgedSignatures::RightKeys, StolenKeys::Online, |signed| {
            signed["targets"]["simple/library/vnd.pypi.simple.v1.json"] = page;
            signed["targets"][format!("dist/library/{}", self.wheel.filename)] = target(&self.wheel.bytes);
        });
        server.replace(&format!("/files/{}", self.wheel.filename), self.wheel.bytes.clone());
        server.replace(&format!("/simple/library/{hash}.vnd.pypi.simple.v1.json"), self.page.clone());
    }
}

/// So that the next stories can fail: signed by whom it may be signed, the newer library is installed.
#[test]
fn a_team_signs_what_is_its_own() {
    let scene = SignedScene::of(SignedIndex::new(index()).claim("team", &["simple/library/*", "dist/library/*"], true));
    Forgery::new(&scene).publish(&scene.server, "team");
    scene.installs(&["app"]);
    scene.expect_installed(&["app-1.0", "library-9.9"]);
}

#[test]
fn a_team_signs_outside_its_paths() {
    team_is_not_heard(&["simple/app/*", "dist/app/*"]);
}

/// TUF 4.5: `*` does not match `/`.
#[test]
fn a_wildcard_does_not_cross_a_slash() {
    team_is_not_heard(&["simple/*", "dist/*", "*", "simple*", "*.json", "*.whl"]);
}

#[test]
fn a_pattern_begins_at_the_beginning_and_ends_at_the_end() {
    team_is_not_heard(&[
        "library/*",
        "simple/library",
        "dist/library",
        "simple/librar?",
        "SIMPLE/LIBRARY/*",
        "/simple/library/*",
    ]);
}

/// With these patterns a team cannot sign for `library`: others are asked.
fn team_is_not_heard(patterns: &[&str]) {
    let scene = SignedScene::of(SignedIndex::new(index()).claim("team", patterns, true));
    Forgery::new(&scene).publish(&scene.server, "team");
    scene.installs(&["app"]);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
    scene.install(&["library==9.9"]).expect_code(1);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
}

/// The page has it, and its role may sign for the page, but not for the file.
#[test]
fn a_team_that_may_sign_pages_only() {
    let scene = SignedScene::of(SignedIndex::new(index()).claim("team", &["simple/library/*"], true));
    Forgery::new(&scene).publish(&scene.server, "team");
    scene.refuses_and_learns(&["library==9.9"], 1, &["library", "it is listed but not signed"]);
    assert!(!scene.server.log().iter().any(|line| line.contains("9.9")), "the file was fetched");
    scene.installs(&["app"]);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
}

/// The keys of the index, which are online, do not sign for what a team has for itself.
#[test]
fn nobody_is_asked_behind_a_terminating_delegation() {
    let index = Index::new().add(Wheel::new("app", "1.0").requires("library").build());
    let setup = |terminating| {
        SignedIndex::new(index.clone()).claim("team", &["simple/library/*", "dist/library/*"], terminating)
    };
    for terminating in [false, true] {
        let scene = SignedScene::of(setup(terminating));
        let wheel = Wheel::new("library", "9.9").build();
        let page = serde_json::json!({"meta": {"api-version": "1.1"}, "name": "library", "files": [{
            "filename": wheel.filename, "url": format!("../../files/{}", wheel.filename), "size": wheel.bytes.len(),
            "hashes": {"sha256": wheel.sha256()}}]});
        Forgery { wheel, page: page.to_string().into_bytes() }.publish(&scene.server, "index");
        if terminating {
            scene.refuses_and_learns(&["app"], 1, &["library", "is not in the signed snapshot"]);
            assert!(!scene.server.log().iter().any(|line| line.contains("/simple/library/")), "the page was fetched");
        } else {
            scene.installs(&["app"]);
            scene.expect_installed(&["app-1.0", "library-9.9"]);
        }
    }
}
