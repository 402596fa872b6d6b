//! What happens to distributions that are installed already.

use testkit::{Index, Wheel};

use crate::scene::{Scene, expect_whole, read};

/// `app` needs `library`; both have two versions.
fn scene() -> Scene {
    Scene::new(
        Index::new()
            .add(
                Wheel::new("app", "1.0").requires("library").file("app/old.py", "").file("app/__init__.py", "").build(),
            )
            .add(
                Wheel::new("app", "2.0").requires("library").file("app/new.py", "").file("app/__init__.py", "").build(),
            )
            .add(Wheel::new("library", "1.0").build())
            .add(Wheel::new("library", "2.0").build()),
    )
}

#[test]
fn what_satisfies_stays() {
    let scene = scene();
    scene.installs(&["app==1.0", "library==1.0"]);
    let before = scene.environment.state();
    let outcome = scene.installs(&["app", "library"]);
    assert_eq!(scene.environment.state(), before);
    assert!(outcome.stdout.contains("Requirement already satisfied: app in "), "{}", outcome.stdout);
    assert!(!outcome.stdout.contains("Successfully"), "{}", outcome.stdout);
}

#[test]
fn another_version_replaces() {
    let scene = scene();
    scene.installs(&["app==1.0"]);
    let outcome = scene.installs(&["app==2.0"]);
    scene.expect_installed(&["app-2.0", "library-2.0"]);
    for line in [
        "  Attempting uninstall: app\n",
        "    Found existing installation: app 1.0\n",
        "      Successfully uninstalled app-1.0\n",
    ] {
        assert!(outcome.stdout.contains(line), "no `{line}` in {}", outcome.stdout);
    }
    assert!(!scene.environment.site_packages().join("app/old.py").exists(), "the old version's files are gone");
    expect_whole(&scene.environment);
    scene.expect_clean();
}

#[test]
fn a_downgrade_is_a_replacement() {
    let scene = scene();
    scene.installs(&["app"]);
    scene.installs(&["app<2"]);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
    expect_whole(&scene.environment);
}

#[test]
fn upgrade_takes_the_newest_of_what_is_named() {
    let scene = scene();
    scene.installs(&["app==1.0", "library==1.0"]);
    scene.installs(&["--upgrade", "app"]);
    scene.expect_installed(&["app-2.0", "library-1.0"]);
}

#[test]
fn an_eager_upgrade_takes_the_newest_of_everything() {
    let scene = scene();
    scene.installs(&["app==1.0", "library==1.0"]);
    scene.installs(&["--upgrade", "--upgrade-strategy", "eager", "app"]);
    scene.expect_installed(&["app-2.0", "library-2.0"]);
}

#[test]
fn a_dependency_is_upgraded_when_it_must() {
    let scene = Scene::new(
        Index::new()
            .add(Wheel::new("app", "1.0").requires("library>=2").build())
            .add(Wheel::new("library", "1.0").build())
            .add(Wheel::new("library", "2.0").build()),
    );
    scene.installs(&["library==1.0"]);
    scene.installs(&["app"]);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
}

#[test]
fn force_reinstall_mends_what_was_damaged() {
    let scene = scene();
    scene.installs(&["app==1.0"]);
    let module = scene.environment.site_packages().join("app/old.py");
    std::fs::remove_file(&module).unwrap();
    std::fs::write(&module, "damaged").unwrap();
    scene.installs(&["--force-reinstall", "app==1.0"]);
    assert_eq!(read(&scene.environment, "app/old.py"), "");
    expect_whole(&scene.environment);
}

#[test]
fn a_file_edited_in_place_does_not_spoil_the_next_environment() {
    let scene = scene();
    scene.installs(&["app==1.0"]);
    // The file is a hard link into the cache, so that this changes the cache as well.
    std::fs::write(scene.environment.site_packages().join("app/old.py"), "edited = True\n").unwrap();
    scene.installs(&["--force-reinstall", "app==1.0"]);
    assert_eq!(read(&scene.environment, "app/old.py"), "");
    expect_whole(&scene.environment);
}

#[test]
fn ignore_installed_overwrites() {
    let scene = scene();
    scene.installs(&["app==1.0"]);
    let outcome = scene.installs(&["--ignore-installed", "--no-deps", "app==1.0"]);
    assert!(!outcome.stdout.contains("uninstall"), "{}", outcome.stdout);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
    expect_whole(&scene.environment);
}

#[test]
fn files_of_the_user_survive_a_replacement() {
    let scene = scene();
    scene.installs(&["app==1.0"]);
    let mine = scene.environment.site_packages().join("app/mine.txt");
    std::fs::write(&mine, "mine").unwrap();
    scene.installs(&["app==2.0"]);
    assert_eq!(std::fs::read_to_string(mine).unwrap(), "mine");
    scene.expect_installed(&["app-2.0", "library-2.0"]);
}
