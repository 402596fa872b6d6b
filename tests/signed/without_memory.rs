//! Machines that see an index for the first time, with an anchor that somebody gave them.

use std::fs;

use testkit::{Command, Environment, Wheel};

use crate::scene::{SignedScene, text, tufpip};

/// A scene whose anchor is in a directory that the code brings along: nothing is trusted by the user of the machine.
fn with_anchor_elsewhere() -> SignedScene {
    let scene = SignedScene::signed();
    fs::rename(scene.environment.trust_store(), scene.environment.work().join("trust.d")).unwrap();
    scene
}

/// A command of the job that the directory is for.
fn job(scene: &SignedScene, arguments: &[&str]) -> Command {
    scene.tufpip(arguments).env("TUFPIP_TRUST", scene.environment.work().join("trust.d"))
}

/// An anchor with the metadata of a newer day beside it: a fresh machine is not shown an older one.
#[test]
fn what_comes_with_an_anchor_is_remembered_for_a_machine_that_has_no_memory() {
    let scene = SignedScene::signed();
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

/// What one job trusts, the user does not: neither with the root that the directory has, nor with a newer one.
#[test]
fn a_job_leaves_no_trust_behind() {
    for new_roots in [0, 2] {
        let scene = with_anchor_elsewhere();
        let url = scene.server.index_url();
        scene.server.rotate_root(new_roots);
        scene.server.publish(|index| index.add(Wheel::new("library", "3.0").build()));
        job(&scene, &["install", "library"]).run().expect_code(0);
        let newest = format!("root       version {}", 1 + new_roots);
        let shown = job(&scene, &["trust", "show", &url]).run().expect_code(0).stdout;
        assert!(shown.contains(&newest) && shown.contains("timestamp  version"), "{shown}");
        assert!(!scene.environment.trust_store().exists(), "something looks like trust of the user");

        scene.tufpip(&["trust", "list"]).run().expect_code(0).expect_stderr(&["No index is trusted"]);
        scene.installs(&["--force-reinstall", "library"]).expect_stderr(&["Unverified 1 file"]);
        let root = scene.environment.write("root.json", scene.server.root());
        scene.tufpip(&["trust", "add", &url, "--root", text(&root)]).run().expect_code(0);
        let listed = scene.tufpip(&["trust", "list", "--json"]).run().expect_code(0).stdout;
        assert!(listed.contains(r#""pinned_root":1"#) && listed.contains(r#""read_only":false"#), "{listed}");
    }
}

#[test]
fn a_job_notices_what_is_older_than_it_was_shown_before() {
    for new_roots in [0, 2] {
        let scene = with_anchor_elsewhere();
        scene.server.rotate_root(new_roots);
        let first_day = scene.server.day();
        scene.server.publish(|index| index.add(Wheel::new("library", "3.0").build()));
        job(&scene, &["install", "library"]).run().expect_code(0);
        scene.server.replay(&first_day);
        // Each time, and for the user who begins to trust the same root, too.
        for _ in 0..2 {
            scene.refuses_command(job(&scene, &["install", "--upgrade", "app"]), 10, &["trust.rollback"]);
        }
        let root = scene.environment.write("root.json", scene.server.root());
        let add = || scene.tufpip(&["trust", "add", &scene.server.index_url(), "--root", text(&root)]);
        add().run().expect_code(10).expect_stderr(&["trust.rollback"]);
        scene.refuses(&["--upgrade", "app"], 10, &["trust.rollback"]);
        scene.refuses_command(job(&scene, &["install", "--upgrade", "app"]), 10, &["trust.rollback"]);
        scene.server.honest();
        scene.installs(&["--upgrade", "app"]);
        scene.expect_installed(&["app-1.0", "library-3.0"]);
        scene.server.replay(&first_day);
        scene.refuses_command(job(&scene, &["install", "--force-reinstall", "app"]), 10, &["trust.rollback"]);
    }
}

/// The user's own root is another one: what each of the two has verified says nothing about the other.
#[test]
fn another_root_of_the_user_is_left_alone() {
    let (scene, stranger) = (with_anchor_elsewhere(), SignedScene::signed());
    let own = scene.server.trust_directory(&scene.environment.trust_store());
    fs::create_dir_all(&own).unwrap();
    fs::write(own.join("root.json"), stranger.server.root()).unwrap();
    job(&scene, &["install", "app"]).run().expect_code(0);
    assert_eq!(testkit::tree(&own).len(), 1, "{:?}", testkit::tree(&own));
    scene.refuses(&["--force-reinstall", "app"], 10, &["http://127.0.0.1:"]);
    let first_day = scene.server.day();
    scene.server.publish(|index| index);
    job(&scene, &["install", "--force-reinstall", "app"]).run().expect_code(0);
    scene.server.replay(&first_day);
    scene.refuses_command(job(&scene, &["install", "--force-reinstall", "app"]), 10, &["trust.rollback"]);
}

/// Earlier versions remembered in the user's own store what they had verified for such a job.
#[test]
fn half_a_directory_from_before_is_refused_and_still_remembered() {
    let scene = with_anchor_elsewhere();
    let url = scene.server.index_url();
    let first_day = scene.server.day();
    scene.server.publish(|index| index.add(Wheel::new("library", "3.0").build()));
    job(&scene, &["install", "library"]).run().expect_code(0);
    fs::rename(scene.environment.trust_memory(), scene.environment.trust_store()).unwrap();
    let half = scene.server.trust_directory(&scene.environment.trust_store());

    for arguments in [&["install", "app"][..], &["trust", "list"], &["trust", "show"]] {
        let refused = scene.tufpip(arguments).run().expect_code(1);
        refused.expect_stderr(&["trust.damaged", text(&half), "TUFPIP_TRUST", "tufpip trust remove URL"]);
    }
    let root = scene.environment.write("root.json", scene.server.root());
    let add = || scene.tufpip(&["trust", "add", &url, "--root", text(&root)]).run();
    add().expect_code(1).expect_stderr(&["tufpip trust remove URL"]);
    // The job is not shown anything older, and goes on elsewhere.
    scene.server.replay(&first_day);
    scene.refuses_command(job(&scene, &["install", "--upgrade", "app"]), 10, &["trust.rollback"]);
    scene.server.publish(|index| index.add(Wheel::new("library", "4.0").build()));
    scene.server.honest();
    let before = testkit::tree(&half);
    job(&scene, &["install", "--upgrade", "library"]).run().expect_code(0);
    scene.expect_installed(&["library-4.0"]);
    assert_eq!(testkit::tree(&half), before);

    let remove = || scene.tufpip(&["trust", "remove", &url, "--yes"]).run();
    remove().expect_code(0);
    assert!(!half.exists() && !scene.server.trust_directory(&scene.environment.trust_memory()).exists());
    remove().expect_code(1).expect_stderr(&["There is no trusted root for"]);
    add().expect_code(0);
}
