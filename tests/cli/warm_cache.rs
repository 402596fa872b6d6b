//! What was fetched once is not fetched again.

use testkit::{Environment, Index, IndexBehavior, Wheel};

use crate::scene::{Scene, expect_whole, tufpip};

fn index(options: IndexBehavior) -> Index {
    Index::new()
        .options(options)
        .add(Wheel::new("app", "1.0").requires("library").build())
        .add(Wheel::new("library", "1.0").build())
}

#[test]
fn a_second_environment_costs_no_request_while_pages_are_fresh() {
    let scene = Scene::new(index(IndexBehavior::default()));
    scene.installs(&["app"]);
    scene.server.forget_requests();
    let other = Environment::new();
    tufpip(&other)
        .index(&scene.server)
        .env("XDG_CACHE_HOME", scene.environment.cache())
        .env("XDG_DATA_HOME", scene.environment.data())
        .args(["install", "app"])
        .run()
        .expect_code(0);
    assert_eq!(scene.server.log(), Vec::<String>::new());
    assert_eq!(other.installed(), ["app-1.0", "library-1.0"]);
    expect_whole(&other);
}

#[test]
fn pages_are_asked_for_again_when_nothing_is_said_about_caching() {
    let scene = Scene::new(index(IndexBehavior { cache_control: None, ..IndexBehavior::default() }));
    scene.installs(&["app"]);
    scene.server.forget_requests();
    scene.installs(&["--force-reinstall", "app"]);
    assert_eq!(scene.server.log(), ["GET /simple/app/", "GET /simple/library/"], "no file and no metadata");
    for request in scene.server.requests() {
        assert!(request.header("if-none-match").is_some(), "{} is asked for with its ETag", request.path);
    }
}

#[test]
fn a_new_release_is_seen_when_the_page_is_not_fresh() {
    let old = index(IndexBehavior { cache_control: None, ..IndexBehavior::default() });
    let new = old.clone().add(Wheel::new("app", "2.0").build());
    let server = testkit::Server::start(move |request| {
        if request.path.contains("library") || request.occurrence == 0 {
            old.respond(request)
        } else {
            new.respond(request)
        }
    });
    let scene = Scene::served(server);
    scene.installs(&["app"]);
    scene.expect_installed(&["app-1.0", "library-1.0"]);
    scene.installs(&["--upgrade", "app"]);
    scene.expect_installed(&["app-2.0", "library-1.0"]);
}

#[test]
fn doing_nothing_costs_no_request() {
    let scene = Scene::new(index(IndexBehavior { cache_control: None, ..IndexBehavior::default() }));
    scene.installs(&["app"]);
    scene.server.forget_requests();
    scene.installs(&["app"]);
    scene.installs(&["app==1.0", "library>=1"]);
    assert_eq!(scene.server.log(), Vec::<String>::new());
}

#[test]
fn without_a_cache_everything_is_fetched_and_nothing_stays() {
    let scene = Scene::new(index(IndexBehavior::default()));
    scene.installs(&["--no-cache-dir", "app"]);
    scene.installs(&["--no-cache-dir", "--force-reinstall", "app"]);
    assert_eq!(scene.server.requests_for("/files/app-1.0-py3-none-any.whl").len(), 2);
    assert_eq!(testkit::tree(&scene.environment.cache()), Vec::<String>::new());
    expect_whole(&scene.environment);
    scene.expect_clean();
}

#[test]
fn a_damaged_download_in_the_cache_is_fetched_again() {
    let scene = Scene::new(index(IndexBehavior::default()));
    scene.installs(&["app"]);
    let cache = scene.environment.cache().join("tufpip");
    for entry in std::fs::read_dir(cache.join("archives")).unwrap() {
        std::fs::write(entry.unwrap().path(), "damaged").unwrap();
    }
    std::fs::remove_dir_all(cache.join("wheels")).unwrap();
    scene.installs(&["--force-reinstall", "app"]);
    expect_whole(&scene.environment);
}

#[test]
fn a_cache_of_nonsense_is_no_obstacle() {
    let scene = Scene::new(index(IndexBehavior::default()));
    scene.installs(&["app"]);
    let before = scene.environment.state();
    for directory in ["pages", "metadata", "interpreters"] {
        for entry in std::fs::read_dir(scene.environment.cache().join("tufpip").join(directory)).unwrap() {
            std::fs::write(entry.unwrap().path(), "nonsense").unwrap();
        }
    }
    scene.installs(&["--force-reinstall", "app"]);
    assert_eq!(scene.environment.state(), before);
}
