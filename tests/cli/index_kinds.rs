//! Every kind of index that pip accepts gives the same environment.

use testkit::{HashName, Index, IndexBehavior, Links, MetadataMode, Wheel};

use crate::scene::{Scene, expect_whole};

/// Two projects, one of which needs the other, on an index with these options.
fn index(options: IndexBehavior) -> Index {
    // Large enough that the metadata is fetched by parts where the server allows that.
    let noise: Vec<u8> =
        (0..60_000_u32).flat_map(|number| (number.wrapping_mul(2_654_435_761)).to_le_bytes()).collect();
    Index::new()
        .options(options)
        .add(
            Wheel::new("app", "1.0")
                .requires("library>=2")
                .file("app.py", "import library\n")
                .file("app_data/noise.bin", noise)
                .build(),
        )
        .add(Wheel::new("library", "1.0").build())
        .add(Wheel::new("library", "2.1").build())
}

#[track_caller]
fn works(options: IndexBehavior) -> Scene {
    let scene = Scene::new(index(options));
    let outcome = scene.installs(&["app"]);
    assert!(outcome.stdout.contains("Successfully installed app-1.0 library-2.1\n"), "{}", outcome.stdout);
    scene.expect_installed(&["app-1.0", "library-2.1"]);
    assert_eq!(scene.environment.run_python("import app; print(app.library.__version__)"), "2.1");
    expect_whole(&scene.environment);
    scene.expect_clean();
    scene
}

fn gets(scene: &Scene, filename: &str) -> usize {
    scene.server.requests_for(&format!("/files/{filename}")).len()
}

#[test]
fn json_with_everything() {
    let scene = works(IndexBehavior::default());
    let page = &scene.server.requests_for("/simple/app/")[0];
    assert!(page.accepts("application/vnd.pypi.simple.v1+json"));
    assert!(page.accepts("text/html"));
    assert_eq!(gets(&scene, "app-1.0-py3-none-any.whl.metadata"), 1);
    assert_eq!(gets(&scene, "app-1.0-py3-none-any.whl"), 1, "the wheel is fetched once");
}

#[test]
fn html_although_json_is_asked_for() {
    works(IndexBehavior { json: false, ..IndexBehavior::default() });
}

#[test]
fn html_without_anything_but_links() {
    works(IndexBehavior {
        json: false,
        core_metadata: MetadataMode::Absent,
        range: false,
        etag: false,
        cache_control: None,
        hashes: Vec::new(),
        ..IndexBehavior::default()
    });
}

#[test]
fn json_without_sizes_times_and_hashes() {
    let scene =
        works(IndexBehavior { size: false, upload_time: false, hashes: Vec::new(), ..IndexBehavior::default() });
    let again = scene.installs(&["--force-reinstall", "app"]);
    assert!(again.stderr.contains("Unverified 2 files, no hash at all: "), "{}", again.stderr);
}

#[test]
fn links_of_every_form() {
    for links in [Links::Relative, Links::RelativeToHost, Links::Absolute, Links::Base] {
        for json in [true, false] {
            works(IndexBehavior { links, json, ..IndexBehavior::default() });
        }
    }
}

#[test]
fn metadata_announced_in_every_way() {
    for core_metadata in
        [MetadataMode::Announced, MetadataMode::OldName, MetadataMode::WithoutHash, MetadataMode::Missing]
    {
        for json in [true, false] {
            let scene = works(IndexBehavior { core_metadata, json, ..IndexBehavior::default() });
            assert_eq!(gets(&scene, "app-1.0-py3-none-any.whl.metadata"), 1, "{core_metadata:?}");
        }
    }
}

#[test]
fn metadata_that_is_not_announced_is_not_asked_for() {
    let scene = works(IndexBehavior { core_metadata: MetadataMode::Unannounced, ..IndexBehavior::default() });
    assert_eq!(gets(&scene, "app-1.0-py3-none-any.whl.metadata"), 0);
}

#[test]
fn metadata_by_parts_of_the_wheel() {
    let scene = works(IndexBehavior { core_metadata: MetadataMode::Absent, ..IndexBehavior::default() });
    let requests = scene.server.requests_for("/files/app-1.0-py3-none-any.whl");
    let whole = requests.iter().filter(|request| request.header("range").is_none()).count();
    assert_eq!(whole, 1, "the wheel is fetched whole once, for installing it");
    assert!(requests.len() > 1, "its metadata is fetched by Range before");
}

#[test]
fn metadata_from_the_whole_wheel() {
    let scene = works(IndexBehavior { core_metadata: MetadataMode::Absent, range: false, ..IndexBehavior::default() });
    let ranged = scene
        .server
        .requests_for("/files/app-1.0-py3-none-any.whl")
        .iter()
        .filter(|r| r.header("range").is_some())
        .count();
    assert!(ranged <= 1, "a server that ignores Range is not asked for parts again");
}

#[test]
fn any_hash() {
    for hash in [HashName::Md5, HashName::Sha256] {
        works(IndexBehavior { hashes: vec![hash], ..IndexBehavior::default() });
    }
}

#[test]
fn a_newer_minor_version_of_the_page_format() {
    works(IndexBehavior { api_version: "1.9".to_owned(), ..IndexBehavior::default() });
}

#[test]
fn a_password() {
    let options =
        IndexBehavior { basic_auth: Some(("user".to_owned(), "secret".to_owned())), ..IndexBehavior::default() };
    let scene = Scene::new(index(options));
    let url = scene.server.url_with_credentials("user", "secret", "/simple/");
    let outcome = scene.installs(&["--index-url", &url, "app", "-vv"]);
    scene.expect_installed(&["app-1.0", "library-2.1"]);
    assert!(!format!("{}{}", outcome.stdout, outcome.stderr).contains("secret"), "the password is printed nowhere");
}

#[test]
fn two_indexes_are_one() {
    let scene = Scene::new(index(IndexBehavior::default()));
    let other = Index::new().add(Wheel::new("library", "3.0").build()).serve();
    scene.installs(&["--extra-index-url", &other.url("/simple/"), "app"]);
    scene.expect_installed(&["app-1.0", "library-3.0"]);
}
