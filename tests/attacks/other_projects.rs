//! A wheel that speaks for another project: metadata in its name, files in the place of its files.

use std::fs;
use std::path::Path;

use testkit::{Index, Wheel};

use crate::scene::{Scene, expect_whole, read};

fn evil() -> Wheel {
    Wheel::new("evil", "1.0").file("evil.py", "")
}

/// An environment with `victim`, and an index that also has this wheel.
fn scene(wheel: Wheel) -> Scene {
    let victim = |version: &str| Wheel::new("victim", version).file("victim/__init__.py", version).build();
    let scene = Scene::new(Index::new().add(victim("1.0")).add(victim("2.0")).add(wheel.build()));
    scene.installs(&["victim==1.0"]);
    scene
}

fn put(path: &Path, contents: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, contents).unwrap();
}

#[test]
fn a_wheel_does_not_forge_an_installed_project() {
    let library = scene(evil()).environment.site_packages();
    let inner = library.components().rev().take(3).collect::<Vec<_>>();
    let library: std::path::PathBuf = inner.iter().rev().collect();
    let by_data = format!("evil-1.0.data/data/{}/realpkg-0.9.egg-info/PKG-INFO", library.display());
    for path in [
        "realpkg-0.9.egg-info/PKG-INFO",
        "realpkg-0.9.egg-info/installed-files.txt",
        "realpkg.EGG-INFO/PKG-INFO",
        "realpkg-0.9-py3.11.egg-info",
        "realpkg-0.9.egg/EGG-INFO/PKG-INFO",
        "evil-0.9.egg/EGG-INFO/PKG-INFO",
        "realpkg.egg",
        "realpkg.egg-link",
        "evil.egg-link",
        "evil-1.0.data/purelib/realpkg-0.9.egg-info/PKG-INFO",
        "evil-1.0.data/platlib/realpkg.egg-link",
        &by_data,
    ] {
        let scene = scene(evil().file(path, "Metadata-Version: 1.0\nName: realpkg\nVersion: 0.9\n"));
        scene.refuses(&["evil"], 10, &["wheel.placement", "another distribution's metadata"]);
    }
    let scene = scene(evil().file("realpkg-0.9.dist-info/METADATA", "Name: realpkg\nVersion: 0.9\n"));
    scene.refuses(&["evil"], 10, &["wheel.dist-info"]);
}

#[test]
fn metadata_below_a_package_and_old_metadata_of_its_own_are_harmless() {
    let old = "Metadata-Version: 1.0\nName: evil\nVersion: 0.1\n";
    let wheel = evil()
        .file("evil_vendored/realpkg-0.9.dist-info/METADATA", "Name: realpkg\nVersion: 0.9\n")
        .file("evil_vendored/realpkg.egg-info/PKG-INFO", "Name: realpkg\nVersion: 0.9\n")
        .file("Evil-0.1-py3.11.egg-info/PKG-INFO", old)
        .file("Evil-0.1-py3.11.egg-info/installed-files.txt", "../victim/__init__.py\n")
        .file("evil.egg-info", old);
    let scene = scene(wheel);
    scene.installs(&["evil"]);
    let site_packages = scene.environment.site_packages();
    assert!(site_packages.join("evil_vendored/realpkg.egg-info/PKG-INFO").is_file());
    // They would be read as a second installed version.
    assert!(!site_packages.join("Evil-0.1-py3.11.egg-info").exists() && !site_packages.join("evil.egg-info").exists());
    expect_whole(&scene.environment);
    let list = scene.tufpip(&["list", "--format", "freeze"]).run().expect_code(0);
    assert_eq!(list.stdout, "evil==1.0\nvictim==1.0\n");
    scene.tufpip(&["uninstall", "-y", "evil"]).run().expect_code(0);
    assert!(!site_packages.join("evil_vendored").exists());
    assert_eq!(read(&scene.environment, "victim/__init__.py"), "1.0");
}

/// Another installer has let it through.
#[test]
fn what_an_egg_info_lists_does_not_take_files_of_others_along() {
    let scene = scene(Wheel::new("realpkg", "1.0"));
    let site_packages = scene.environment.site_packages();
    let foreign = site_packages.join("foreign/kept.py");
    put(&foreign, "");
    put(&site_packages.join("old_realpkg.py"), "");
    let info = site_packages.join("realpkg-0.9.egg-info");
    put(&info.join("PKG-INFO"), "Metadata-Version: 1.0\nName: realpkg\nVersion: 0.9\n");
    let listed = "../old_realpkg.py\n../foreign\n../foreign/\n../victim/__init__.py\n../victim-1.0.dist-info/RECORD\n";
    put(&info.join("installed-files.txt"), listed);
    scene.installs(&["--upgrade", "realpkg"]);
    assert!(!info.exists() && !site_packages.join("old_realpkg.py").exists());
    assert!(foreign.exists());
    assert_eq!(read(&scene.environment, "victim/__init__.py"), "1.0");
    assert!(site_packages.join("victim-1.0.dist-info/RECORD").exists());

    // Without a list, the packages that it names go as a whole.
    scene.tufpip(&["uninstall", "-y", "realpkg"]).run().expect_code(0);
    put(&info.join("PKG-INFO"), "Metadata-Version: 1.0\nName: realpkg\nVersion: 0.9\n");
    put(&info.join("top_level.txt"), "victim\nmine\n");
    put(&site_packages.join("mine/__init__.py"), "");
    scene.installs(&["--upgrade", "realpkg"]);
    assert!(!site_packages.join("mine").exists());
    assert_eq!(read(&scene.environment, "victim/__init__.py"), "1.0");
    scene.expect_installed(&["realpkg-1.0", "victim-1.0"]);
}

/// A `.pth` file brings a directory onto the path that distributions are looked for in.
#[test]
fn a_distribution_beside_the_libraries_does_not_take_files_of_others_along() {
    let scene = scene(Wheel::new("realpkg", "1.0"));
    let site_packages = scene.environment.site_packages();
    put(&site_packages.join("evil.pth"), "evil_path\n");
    let info = site_packages.join("evil_path/realpkg-0.9.dist-info");
    put(&info.join("METADATA"), "Metadata-Version: 2.1\nName: realpkg\nVersion: 0.9\n");
    put(&info.join("RECORD"), "../victim/__init__.py,,\nrealpkg-0.9.dist-info/METADATA,,\n");
    // The interpreter is asked again.
    scene.installs(&["--cache-dir", "fresh", "--upgrade", "realpkg"]);
    assert!(!info.exists());
    assert_eq!(read(&scene.environment, "victim/__init__.py"), "1.0");
}

#[test]
fn replacing_files_of_another_project_is_said_once() {
    let files = ["victim/__init__.py", "victim/a.py", "victim/b.py", "victim/c.py", "victim/d.py"];
    let with = |name: &str, text: &str| {
        let wheel = Wheel::new(name, "1.0").file("shared/__init__.py", "# shared\n");
        files.iter().fold(wheel, |wheel, file| wheel.file(file, text)).build()
    };
    let index = Index::new().add(with("victim", "1")).add(with("equal", "1")).add(with("other", "2"));
    let scene = Scene::new(index.add(with("third", "3")));
    scene.installs(&["victim"]);
    let equal = scene.installs(&["equal"]);
    assert!(!equal.stderr.contains("WARNING"), "{}", equal.stderr);
    let other = scene.installs(&["other"]);
    let said = other.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(said.matches("other replaced 5 files of victim").count(), 1, "{said}");
    assert_eq!(said.matches("other replaced 5 files of equal").count(), 1, "{said}");
    assert!(said.contains("victim/b.py and 2 more"), "{said}");
    // Its own files are its own, whoever has them as well; and nothing is said again.
    let again = scene.installs(&["--force-reinstall", "other"]);
    assert!(!again.stderr.contains("replaced"), "{}", again.stderr);
    // Two in one command.
    let fresh = Scene { environment: testkit::Environment::new(), ..scene };
    let both = fresh.installs(&["equal", "third", "victim"]);
    let said = both.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains(" replaced 5 files of "), "{said}");
}

#[test]
fn what_the_environment_runs_on_is_never_replaced() {
    for (path, what) in [
        ("scripts/activate", "an activation script"),
        ("scripts/activate.fish", "an activation script"),
        ("scripts/Activate.ps1", "an activation script"),
        ("data/bin/activate_this.py", "an activation script"),
        ("data/bin/deactivate.nu", "an activation script"),
    ] {
        let scene = scene(evil().data(path, ""));
        scene.refuses(&["evil"], 10, &["wheel.placement", what]);
        // Whether it is there or not.
        put(&scene.environment.scripts().join(path.rsplit('/').next().unwrap()), "honest");
        scene.refuses(&["evil"], 10, &["wheel.placement", what]);
    }
    scene(evil().data("scripts/activate-global-python-argcomplete", "")).installs(&["evil"]);
}
