//! Somebody makes a signed project depend on something he made, or offers its dependencies elsewhere.

use serde_json::json;
use testkit::{ForgedSignatures, Index, ListedFile, MetadataMode, SignedIndex, StolenKeys, Wheel, WheelFile, target};

use crate::scene::{SignedScene, index};

const APP: &str = "app-1.0-py3-none-any.whl";

/// `app` 1.0 as it is signed, with one dependency more.
fn app_that_needs_evil() -> WheelFile {
    Wheel::new("app", "1.0").requires("library>=1").requires("evil").build()
}

/// An ordinary index that has what nobody should get.
fn unsigned() -> Index {
    Index::new()
        .add(Wheel::new("evil", "1.0").build())
        .add(Wheel::new("library", "9.9").build())
        .add(Wheel::new("tool", "1.0").build())
}

#[test]
fn a_metadata_file_with_one_dependency_more() {
    let (scene, elsewhere) = (SignedScene::signed(), unsigned().serve());
    let path = format!("{}.metadata", scene.server.wheel_path(APP));
    scene.server.replace(&path, app_that_needs_evil().metadata);
    scene.refuses_and_learns(
        &["--extra-index-url", &elsewhere.url("/simple/"), "app"],
        10,
        &["Refused the metadata of app-1.0-py3-none-any.whl: it is not what was signed", "expected", "verify.metadata"],
    );
    assert_eq!(elsewhere.requests_for("/simple/evil/").len(), 0, "the false dependency was looked for");
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}

#[test]
fn a_wheel_with_one_dependency_more() {
    let (scene, elsewhere) = (SignedScene::signed(), unsigned().serve());
    scene.server.replace(&scene.server.wheel_path(APP), app_that_needs_evil().bytes);
    scene.refuses_and_learns(
        &["--extra-index-url", &elsewhere.url("/simple/"), "app"],
        10,
        &["Refused app-1.0-py3-none-any.whl: it is not what was signed", "expected", "received", "verify.target"],
    );
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}

#[test]
fn a_wheel_with_one_dependency_more_where_metadata_is_read_from_wheels() {
    let app = ListedFile::from(Wheel::new("app", "1.0").requires("library>=1").build());
    let library = ListedFile::from(Wheel::new("library", "2.0").build());
    let index =
        Index::new().add(app.core_metadata(MetadataMode::Absent)).add(library.core_metadata(MetadataMode::Absent));
    let (scene, elsewhere) = (SignedScene::of(SignedIndex::new(index)), unsigned().serve());
    scene.server.replace(&scene.server.wheel_path(APP), app_that_needs_evil().bytes);
    scene.refuses_and_learns(
        &["--extra-index-url", &elsewhere.url("/simple/"), "app"],
        10,
        &["Refused app-1.0-py3-none-any.whl: it is not what was signed", "verify.target"],
    );
    assert_eq!(elsewhere.requests_for("/simple/evil/").len(), 0, "the false dependency was looked for");
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}

/// The team of `app` may make it depend on whatever it likes, but what that is, others sign.
#[test]
fn a_team_cannot_sign_the_dependency_it_adds() {
    let index = index().add(Wheel::new("app", "2.0").requires("evil").build());
    let scene = SignedScene::of(SignedIndex::new(index).claim("app-team", &["simple/app/*", "dist/app/*"], true));
    let evil = Wheel::new("evil", "1.0").build();
    let page = json!({"meta": {"api-version": "1.1"}, "name": "evil", "versions": ["1.0"], "files": [{
        "filename": evil.filename, "url": "../../files/evil.whl", "size": evil.bytes.len(),
        "hashes": {"sha256": evil.sha256()}}]})
    .to_string()
    .into_bytes();
    let page_target = target(&page);
    let hash = page_target["hashes"]["sha256"].as_str().unwrap().to_owned();
    // The index publishes what the team signs, whatever it is.
    scene.server.forge_signed_by("app-team", ForgedSignatures::RightKeys, StolenKeys::Online, |signed| {
        signed["targets"]["simple/evil/vnd.pypi.simple.v1.json"] = page_target;
        signed["targets"][format!("dist/evil/{}", evil.filename)] = target(&evil.bytes);
    });
    let page_path = format!("/simple/evil/{hash}.vnd.pypi.simple.v1.json");
    scene.server.intercept(move |request| {
        (request.path == page_path).then(|| testkit::Response::ok("application/json", page.clone()))
    });
    // 1.0 needs nothing that is not there.
    scene.installs(&["app"]);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
    let before = scene.environment.state();
    scene.install(&["app==2.0"]).expect_code(1).expect_stderr(&["evil", "snapshot 2"]);
    assert_eq!(scene.environment.state(), before);
    let asked_for_evil = scene.server.log().into_iter().filter(|line| line.contains("evil")).count();
    assert_eq!(asked_for_evil, 0, "the page was fetched that the team may not sign");
}

#[test]
fn an_ordinary_index_may_have_what_the_signed_one_lacks() {
    let (scene, elsewhere) = (SignedScene::of(SignedIndex::new(needs_tool())), unsigned().serve());
    let outcome = scene.installs(&["--extra-index-url", &elsewhere.url("/simple/"), "app"]);
    scene.expect_installed(&["app-1.0", "tool-1.0"]);
    outcome.expect_stderr(&["Verified   1 file"]);
}

#[test]
fn but_not_what_the_map_gives_to_the_signed_one() {
    let (scene, elsewhere) = (SignedScene::of(SignedIndex::new(needs_tool())), unsigned().serve());
    let map = json!({
        "repositories": {"corp": scene.server.index_url()},
        "mapping": [{"projects": ["tool"], "repositories": ["corp"], "terminating": true}],
    });
    std::fs::write(scene.environment.trust_store().join("map.json"), map.to_string()).unwrap();
    let arguments = ["--extra-index-url", &elsewhere.url("/simple/"), "app"];
    scene.refuses_and_learns(&arguments, 1, &["tool", "is not in the signed snapshot 1"]);
    assert_eq!(elsewhere.log(), Vec::<String>::new(), "the other index was asked");

    scene.server.publish(|index| index.add(Wheel::new("tool", "0.5").build()));
    scene.recovers(&arguments, &["app-1.0", "tool-0.5"]);
}

#[test]
fn what_the_signed_index_has_is_not_taken_from_another_one() {
    let (scene, elsewhere) = (SignedScene::signed(), unsigned().serve());
    let (index, links) = (elsewhere.url("/simple/"), elsewhere.url("/find-links/"));
    for other in [["--extra-index-url", &index], ["--find-links", &links]] {
        scene.installs(&[other[0], other[1], "--force-reinstall", "app"]);
        scene.expect_installed(&["app-1.0", "library-2.0"]);
    }
    // The order of indexes changes nothing.
    let signed = scene.server.index_url();
    scene.installs(&["--index-url", &index, "--extra-index-url", &signed, "--force-reinstall", "app"]);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
    assert_eq!(elsewhere.requests_for("/simple/library/").len(), 0, "the other index was asked");
    let before = scene.environment.state();
    scene.install(&["--extra-index-url", &index, "library==9.9"]).expect_code(1);
    scene.install(&["--find-links", &links, "library==9.9"]).expect_code(1);
    assert_eq!(scene.environment.state(), before);
}

/// An owner who took all files away has still spoken.
#[test]
fn not_even_when_the_signed_index_has_no_file_of_it() {
    let index = Index::new().add(Wheel::new("app", "1.0").requires("library").build()).add_empty("library");
    let (scene, elsewhere) = (SignedScene::of(SignedIndex::new(index)), unsigned().serve());
    let arguments = ["--extra-index-url", &elsewhere.url("/simple/"), "app"];
    scene.refuses_and_learns(&arguments, 1, &["library"]);
    assert_eq!(elsewhere.requests_for("/simple/library/").len(), 0, "the other index was asked");
    scene.server.publish(|index| index.add(Wheel::new("library", "1.0").build()));
    scene.recovers(&arguments, &["app-1.0", "library-1.0"]);
}

/// What hides a project of the signed index must not open the way to the unsigned one.
#[test]
fn not_even_when_the_signed_page_is_withheld() {
    let (scene, elsewhere) = (SignedScene::signed(), unsigned().serve());
    scene.server.remove(&scene.server.page_path("library"));
    let arguments = ["--extra-index-url", &elsewhere.url("/simple/"), "app"];
    scene.refuses_and_learns(&arguments, 11, &["code      trust.withheld"]);
    assert_eq!(elsewhere.requests_for("/simple/library/").len(), 0, "the other index was asked");
    scene.recovers(&arguments, &["app-1.0", "library-2.0"]);
}

/// `app` needs `tool`, which this index does not have.
fn needs_tool() -> Index {
    Index::new().add(Wheel::new("app", "1.0").requires("tool").build())
}
