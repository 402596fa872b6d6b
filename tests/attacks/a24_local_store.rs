//! What lies on this machine was damaged, or somebody else could write to it: nothing is believed because it is local, and
//! nothing that was seen is forgotten without need.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use testkit::{Command, Outcome, Wheel, tree};

use crate::scene::SignedScene;

/// What is stored beside the pinned root.
const FILES: [&str; 4] = ["root.json", "timestamp.json", "snapshot.json", "targets.json"];

/// `tufpip install --force-reinstall app`, which must not wait for anybody.
fn install(scene: &SignedScene) -> Outcome {
    scene.tufpip(&["install", "--force-reinstall", "app"]).time_limit(Duration::from_secs(20)).run()
}

/// A scene with a root that was rotated and a second day, all of it seen by the client.
fn after_two_days() -> SignedScene {
    let scene = SignedScene::signed();
    scene.installs(&["app"]);
    scene.server.rotate("root");
    scene.server.publish(|index| index.add(Wheel::new("library", "3.0").build()));
    scene.installs(&["--upgrade", "library"]);
    scene.expect_installed(&["app-1.0", "library-3.0"]);
    for file in FILES {
        assert!(scene.stored(file).is_file(), "the story needs {file}");
    }
    scene
}

fn version(scene: &SignedScene, file: &str) -> u64 {
    let file: Value = serde_json::from_slice(&fs::read(scene.stored(file)).unwrap()).unwrap();
    file["signed"]["version"].as_u64().unwrap()
}

type Damage = fn(&Path);

/// Ways in which a file stops being one.
fn damages() -> Vec<(&'static str, Damage)> {
    vec![
        ("empty", |path| fs::write(path, "").unwrap()),
        ("truncated", |path| {
            let bytes = fs::read(path).unwrap();
            fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        }),
        ("zeros", |path| fs::write(path, vec![0; 4096]).unwrap()),
        ("garbage", |path| fs::write(path, b"\xFF\xFE{{{").unwrap()),
        ("unsigned", |path| {
            let mut file: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
            file["signatures"] = Value::Array(Vec::new());
            fs::write(path, file.to_string()).unwrap();
        }),
        ("a version nobody signed", |path| {
            let mut file: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
            file["signed"]["version"] = 1_000_000.into();
            fs::write(path, file.to_string()).unwrap();
        }),
        ("missing", |path| fs::remove_file(path).unwrap()),
    ]
}

/// What is not the file that it should be, so that it cannot be written in place either.
fn obstacles() -> Vec<(&'static str, Damage)> {
    vec![
        ("a directory", |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        }),
        ("a full directory", |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
            fs::write(path.join("file"), "").unwrap();
        }),
        ("a pipe", |path| {
            fs::remove_file(path).unwrap();
            Command::new("mkfifo").arg(path).run().expect_code(0);
        }),
        ("a link to nowhere", |path| {
            fs::remove_file(path).unwrap();
            symlink("/nonexistent/file", path).unwrap();
        }),
        ("a link to a device", |path| {
            fs::remove_file(path).unwrap();
            symlink("/dev/zero", path).unwrap();
        }),
    ]
}

#[test]
fn stored_metadata_that_is_damaged_is_fetched_again() {
    for file in FILES {
        let scene = after_two_days();
        for (name, damage) in damages() {
            let before = version(&scene, file);
            let path = scene.stored(file);
            let good = fs::read(&path).unwrap();
            damage(&path);
            scene.server.publish(|index| index);
            let outcome = install(&scene);
            assert_eq!(outcome.code, Some(0), "{file}, {name}: {}", outcome.stderr);
            if file == "root.json" {
                // A copy for the user's eyes: it is written with the next root.
                fs::write(&path, good).unwrap();
            }
            assert!(version(&scene, file) >= before, "{file}, {name}");
        }
        scene.expect_installed(&["app-1.0", "library-3.0"]);
    }
}

/// Even with one of the files gone the others remember that the older state is older.
#[test]
fn a_damaged_file_does_not_open_the_way_to_an_older_state() {
    for file in FILES {
        let scene = SignedScene::signed();
        scene.installs(&["app"]);
        scene.server.rotate("root");
        let old = scene.server.day();
        scene.server.publish(|index| index.add(Wheel::new("library", "3.0").build()));
        scene.installs(&["--upgrade", "library"]);
        for (name, damage) in damages() {
            let path = scene.stored(file);
            let good = fs::read(&path).unwrap();
            damage(&path);
            scene.server.replay(&old);
            let before = scene.environment.state();
            let outcome = install(&scene).expect_code(10).expect_stderr(&["expected", "received", "trust.rollback"]);
            assert_eq!(scene.environment.state(), before, "{file}, {name}: {}", outcome.stderr);
            fs::write(&path, good).unwrap();
            scene.server.honest();
        }
        scene.recovers(&["--force-reinstall", "app"], &["app-1.0", "library-3.0"]);
    }
}

#[test]
fn something_else_in_the_place_of_a_file() {
    for file in FILES.iter().chain(&["lock"]) {
        let scene = after_two_days();
        for (name, obstacle) in obstacles() {
            let path = scene.stored(file);
            let good = fs::read(&path).unwrap();
            obstacle(&path);
            scene.server.publish(|index| index);
            let before = scene.environment.state();
            let outcome = install(&scene);
            // What everybody may write to, such as a device, is no place for roots.
            let is_refused = outcome.code == Some(1) && outcome.stderr.contains("code      trust.store-unsafe");
            assert!(outcome.code == Some(0) || is_refused, "{file}, {name}: {}", outcome.stderr);
            if is_refused {
                assert_eq!(scene.environment.state(), before);
            }
            remove(&path);
            fs::write(&path, good).unwrap();
        }
        scene.expect_installed(&["app-1.0", "library-3.0"]);
    }
}

/// Whatever it is.
fn remove(path: &Path) {
    if path.is_dir() && !path.is_symlink() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
}

/// A link in the store is replaced; what it leads to is not written to.
#[test]
fn a_link_is_not_followed_when_writing() {
    let scene = after_two_days();
    let mut victims = Vec::new();
    for file in FILES {
        let content = fs::read(scene.stored(file)).unwrap();
        let victim = scene.environment.write(&format!("victim of {file}"), &content);
        fs::remove_file(scene.stored(file)).unwrap();
        symlink(&victim, scene.stored(file)).unwrap();
        victims.push((victim, content));
    }
    scene.server.rotate("root");
    scene.server.rotate("targets");
    install(&scene).expect_code(0);
    for (victim, content) in victims {
        assert_eq!(fs::read(&victim).unwrap(), content, "{}", victim.display());
    }
}

/// What trust begins with is not repaired from the network: that would be trust in the network.
#[test]
fn a_damaged_beginning() {
    let scene = SignedScene::signed();
    for file in ["root_history/1.root.json", "trust.json"] {
        for (name, damage) in damages() {
            let is_told_by_signatures = matches!(name, "unsigned" | "a version nobody signed");
            if file == "trust.json" && (is_told_by_signatures || name == "missing") {
                continue;
            }
            let path = scene.stored(file);
            let good = fs::read(&path).unwrap();
            damage(&path);
            let damaged = scene.trusted();
            let before = scene.environment.state();
            let outcome = install(&scene).expect_code(1);
            let pieces = ["cannot be used", "the index was not used", "tufpip trust", "code      trust.damaged"];
            outcome.expect_stderr(&pieces);
            assert_eq!((scene.environment.state(), scene.trusted()), (before, damaged), "{file}, {name}");
            assert_eq!(scene.server.log(), Vec::<String>::new(), "{file}, {name}: the index was asked");
            fs::write(&path, good).unwrap();
        }
    }
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}

#[test]
fn something_else_in_the_place_of_the_beginning() {
    let scene = SignedScene::signed();
    for file in ["root_history/1.root.json", "trust.json"] {
        for (name, obstacle) in obstacles() {
            if file == "trust.json" && name == "a link to nowhere" {
                continue;
            }
            let path = scene.stored(file);
            let good = fs::read(&path).unwrap();
            obstacle(&path);
            let before = scene.environment.state();
            let outcome = install(&scene);
            assert_eq!(outcome.code, Some(1), "{file}, {name}: {}", outcome.stderr);
            outcome.expect_stderr(&["code      trust."]);
            assert_eq!(scene.environment.state(), before);
            assert_eq!(scene.server.log(), Vec::<String>::new(), "{file}, {name}: the index was asked");
            remove(&path);
            fs::write(&path, good).unwrap();
        }
    }
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}

/// Without `trust.json` the lowest root is the beginning, and the index is no less signed for it.
#[test]
fn a_store_with_a_root_only() {
    let scene = SignedScene::signed();
    fs::remove_file(scene.stored("trust.json")).unwrap();
    scene.installs(&["app"]).expect_stderr(&["Verified   2 files"]);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
}

/// The directory of one index in the place of another's.
#[test]
fn trust_in_another_index() {
    let (scene, other) = (SignedScene::signed(), SignedScene::signed());
    let own = scene.environment.work().join("own");
    fs::rename(scene.stored(""), &own).unwrap();
    fs::rename(other.stored(""), scene.stored("")).unwrap();
    let pieces = ["its trust.json is about another index", "code      trust.damaged"];
    scene.refuses(&["app"], 1, &pieces);
    assert_eq!(scene.server.log(), Vec::<String>::new());
    fs::remove_dir_all(scene.stored("")).unwrap();
    fs::rename(&own, scene.stored("")).unwrap();
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}

/// A root that another key signed, put there by somebody: its hash is not the one that was pinned.
#[test]
fn another_root_in_the_place_of_the_pinned_one() {
    let (scene, other) = (SignedScene::signed(), SignedScene::signed());
    let good = fs::read(scene.stored("root_history/1.root.json")).unwrap();
    fs::write(scene.stored("root_history/1.root.json"), other.server.root()).unwrap();
    scene.refuses(&["app"], 1, &["which was pinned, is not there any more", "code      trust.damaged"]);
    fs::write(scene.stored("root_history/1.root.json"), good).unwrap();
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}

/// Later roots on the disk are verified from the pinned one each time.
#[test]
fn a_foreign_root_in_the_history() {
    let (scene, other) = (after_two_days(), SignedScene::signed());
    other.server.rotate("root");
    let foreign = other.server.files()["/tuf/2.root.json"].clone();
    for file in ["root_history/2.root.json", "root.json"] {
        fs::write(scene.stored(file), &foreign).unwrap();
        install(&scene).expect_code(0);
    }
    scene.expect_installed(&["app-1.0", "library-3.0"]);
}

/// The cache is believed even less: files of delegated roles, pages, wheels.
#[test]
fn a_damaged_cache() {
    let damages: [(&str, Damage); 4] = [
        ("empty", |path| fs::write(path, "").unwrap()),
        ("garbage", |path| fs::write(path, "garbage").unwrap()),
        ("one byte more", |path| fs::write(path, [fs::read(path).unwrap(), vec![b' ']].concat()).unwrap()),
        ("another byte", |path| {
            let mut bytes = fs::read(path).unwrap();
            if let Some(last) = bytes.last_mut() {
                *last ^= 1;
            }
            fs::write(path, bytes).unwrap();
        }),
    ];
    for (name, damage) in damages {
        let scene = SignedScene::signed();
        scene.installs(&["app"]);
        let mut count = 0;
        for directory in ["tuf", "content"] {
            each_file(&scene.environment.cache().join("tufpip").join(directory), &mut |path| {
                damage(path);
                count += 1;
            });
        }
        assert!(count >= 3, "the story needs a cache, found {count} files");
        let outcome = install(&scene);
        assert_eq!(outcome.code, Some(0), "{name}: {}", outcome.stderr);
        scene.expect_installed(&["app-1.0", "library-2.0"]);
    }
}

fn each_file(directory: &Path, act: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { each_file(&path, act) } else { act(&path) }
    }
}

#[test]
fn everybody_may_write_to_the_store() {
    let scene = SignedScene::signed();
    let directory = scene.stored("");
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o777)).unwrap();
    scene.refuses(
        &["app"],
        1,
        &["everybody may write to it", "the index was not used", "code      trust.store-unsafe"],
    );
    assert_eq!(scene.server.log(), Vec::<String>::new());
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).unwrap();
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}

#[test]
fn the_store_belongs_to_somebody_else() {
    if !is_root() {
        return eprintln!("skipped: only root can give a directory away");
    }
    let scene = SignedScene::signed();
    let directory = scene.stored("");
    std::os::unix::fs::chown(&directory, Some(12_345), None).unwrap();
    scene.refuses(
        &["app"],
        1,
        &["it belongs to another user", "the index was not used", "code      trust.store-unsafe"],
    );
    assert_eq!(scene.server.log(), Vec::<String>::new());
    std::os::unix::fs::chown(&directory, Some(0), None).unwrap();
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}

#[test]
fn the_store_cannot_be_read() {
    if is_root() {
        return eprintln!("skipped: root can read everything");
    }
    for unreadable in ["", "trust.json", "root_history/1.root.json"] {
        let scene = SignedScene::signed();
        let path = scene.stored(unreadable);
        let mode = fs::metadata(&path).unwrap().permissions();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
        let before = scene.environment.state();
        install(&scene).expect_code(1).expect_stderr(&["Could not", "code      trust.unreadable"]);
        assert_eq!(scene.environment.state(), before);
        assert_eq!(scene.server.log(), Vec::<String>::new());
        fs::set_permissions(&path, mode).unwrap();
        scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
    }
}

#[test]
fn the_store_cannot_be_written() {
    if is_root() {
        return eprintln!("skipped: root can write everywhere");
    }
    let scene = SignedScene::signed();
    let (directory, trusted) = (scene.stored(""), scene.trusted());
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o500)).unwrap();
    scene.installs(&["app"]).expect_stderr(&["Could not remember what was verified"]);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
    assert_eq!(scene.trusted(), trusted);
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).unwrap();
}

/// The same for root, to whom nothing is read-only: the root is the administrator's, and there is no place of one's own.
#[test]
fn nothing_can_be_remembered() {
    let scene = SignedScene::signed();
    let anchors = scene.environment.work().join("trust.d");
    fs::rename(scene.environment.trust_store(), &anchors).unwrap();
    let before = tree(&anchors);
    let install = scene.tufpip(&["install", "app"]).env("TUFPIP_TRUST", &anchors).env("XDG_DATA_HOME", "/dev/null");
    let outcome = install.run().expect_code(0);
    outcome.expect_stderr(&["Could not remember what was verified", "verified all the same", "Verified   2 files"]);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
    assert_eq!(tree(&anchors), before);

    // With a place, nothing has to be said.
    let install = scene.tufpip(&["install", "--force-reinstall", "app"]).env("TUFPIP_TRUST", &anchors);
    let outcome = install.run().expect_code(0);
    assert!(!outcome.stderr.contains("Could not remember"), "{}", outcome.stderr);
    let memory = scene.server.trust_directory(&scene.environment.trust_memory());
    assert!(memory.join("timestamp.json").exists());
    assert_eq!(tree(&anchors), before);
}

/// By what it may do: the number of the user is not all there is to it.
fn is_root() -> bool {
    std::os::unix::fs::MetadataExt::uid(&fs::metadata("/proc/self").unwrap()) == 0
}
