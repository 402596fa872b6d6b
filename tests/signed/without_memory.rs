//! Machines that see an index for the first time, with an anchor that somebody gave them.

use std::fs;

use testkit::{Environment, Wheel};

use crate::scene::{Scene, tufpip};

/// An anchor with the metadata of a newer day beside it: a fresh machine is not shown an older one.
#[test]
fn what_comes_with_an_anchor_is_remembered_for_a_machine_that_has_no_memory() {
    let scene = Scene::new();
    let first_day = scene.server.day();
    scene.installs(&["library"]);
    scene.server.publish(|index| index.add(Wheel::new("library", "3.0").build()));
    scene.installs(&["--upgrade", "library"]);
    scene.expect_installed(&["library-3.0"]);

    let container = Environment::new();
    let anchors = container.work().join("trust.d");
    fs::rename(scene.environment.trust_store(), &anchors).unwrap();
    let install = || {
        tufpip(&container)
            .env("TUFPIP_TRUST", &anchors)
            .args(["install", "--index-url", &scene.server.index_url(), "library"])
            .run()
    };
    scene.server.replay(&first_day);
    install().expect_code(10).expect_stderr(&["trust.rollback"]);
    assert_eq!(container.installed(), Vec::<String>::new());

    scene.server.honest();
    install().expect_code(0);
    assert_eq!(container.installed(), ["library-3.0"]);
}
