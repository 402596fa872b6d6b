//! A trust store that cannot be written to, or in which files are damaged: the index is verified all the same, or not used.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use testkit::{Command, Environment, Outcome};

use crate::scene::{SignedScene, tufpip};

/// Puts something in the place of a file that was removed.
type Damage = fn(&Path);

const WARNING: &str = "Could not remember what was verified: ";
const MEANING: &str = "It was verified all the same, but a later run will not notice when it is shown an older state";

fn expect_one_warning(outcome: &Outcome) {
    assert_eq!(outcome.stderr.matches(WARNING).count(), 1, "{}", outcome.stderr);
    assert!(outcome.stderr.contains(MEANING), "{}", outcome.stderr);
}

/// A shell in which the user's data may be on another file system; `None` where the machine does not allow that.
fn in_own_mounts(environment: &Environment, script: &str) -> Option<Command> {
    let unshare = || environment.command("unshare").args(["--mount", "--map-root-user", "sh", "-euc"]);
    let is_allowed = unshare().arg(r#"mount -t tmpfs none "$TMPDIR""#).run().code == Some(0);
    if !is_allowed {
        eprintln!("skipped: no file systems can be mounted here");
    }
    is_allowed.then(|| unshare().args([script, "sh", env!("CARGO_BIN_EXE_tufpip")]))
}

#[test]
fn a_full_disk() {
    let scene = SignedScene::signed();
    scene.installs(&["app"]);
    scene.server.rotate("timestamp");
    scene.server.publish(|index| index);
    let script = r#"
        cp -a "$XDG_DATA_HOME" saved
        mount -t tmpfs -o size=256k none "$XDG_DATA_HOME"
        cp -a saved/. "$XDG_DATA_HOME"
        dd if=/dev/zero of="$XDG_DATA_HOME/fill" bs=1k 2>/dev/null || true
        "$1" install --force-reinstall app
        cp -a "$XDG_DATA_HOME/tufpip" full
        rm "$XDG_DATA_HOME/fill"
        "$1" install --force-reinstall app 2>with_space
        cp -a "$XDG_DATA_HOME/tufpip" space
    "#;
    let Some(command) = in_own_mounts(&scene.environment, script) else { return };
    let outcome = command.env("PIP_INDEX_URL", scene.server.index_url()).run().expect_code(0);
    expect_one_warning(&outcome);
    assert!(outcome.stderr.contains("No space left on device"), "{}", outcome.stderr);
    let work = scene.environment.work();
    assert_eq!(version(&scene, &work.join("full/tuf-repositories"), "timestamp.json"), 1, "what was there is there");
    let with_space = fs::read_to_string(work.join("with_space")).unwrap();
    assert!(!with_space.contains("WARNING"), "{with_space}");
    let newest = scene.server.version("timestamp");
    assert_eq!(version(&scene, &work.join("space/tuf-repositories"), "timestamp.json"), newest);
}

#[test]
fn a_home_that_can_only_be_read_with_the_anchor_in_it() {
    let scene = SignedScene::signed();
    scene.installs(&["app"]);
    let yesterday = scene.server.day();
    scene.server.publish(|index| index);
    let script = r#"
        mount --bind "$HOME" "$HOME"
        mount -o remount,ro,bind "$HOME"
        "$1" install --force-reinstall app
    "#;
    let trusted = scene.trusted();
    let Some(command) = in_own_mounts(&scene.environment, script) else { return };
    let outcome = command.env("PIP_INDEX_URL", scene.server.index_url()).run().expect_code(0);
    expect_one_warning(&outcome);
    assert!(outcome.stderr.contains("Read-only file system"), "{}", outcome.stderr);
    assert_eq!(scene.trusted(), trusted);
    // What can be read still counts.
    scene.installs(&["--force-reinstall", "app"]);
    scene.server.replay(&yesterday);
    let Some(command) = in_own_mounts(&scene.environment, script) else { return };
    command.env("PIP_INDEX_URL", scene.server.index_url()).run().expect_code(10).expect_stderr(&["trust.rollback"]);
}

#[test]
fn nowhere_to_remember_anything_and_the_anchor_elsewhere() {
    let scene = SignedScene::signed();
    let anchors = scene.environment.work().join("anchors");
    fs::rename(scene.environment.trust_store(), &anchors).unwrap();
    let without = || scene.tufpip(&["install", "--force-reinstall", "app"]).env("TUFPIP_TRUST", &anchors);
    let outcome = without().env("XDG_DATA_HOME", "/dev/null/x").run().expect_code(0);
    expect_one_warning(&outcome);
    assert!(outcome.stderr.contains("/dev/null/x"), "{}", outcome.stderr);
    // Refused is what is not signed, remembered or not.
    scene.server.replace("/tuf/timestamp.json", "{}");
    without().env("XDG_DATA_HOME", "/dev/null/x").run().expect_code(10);
    scene.server.honest();
    let outcome = without().env_remove("XDG_DATA_HOME").env("HOME", "/dev/null/home").run().expect_code(0);
    expect_one_warning(&outcome);
}

#[test]
fn a_damaged_anchor_is_an_error_that_says_what_to_do() {
    let scene = SignedScene::signed();
    // So that root.json, the copy of the newest one, cannot stand in for it.
    scene.server.rotate_root(1);
    scene.installs(&["app"]);
    let template = scene.environment.work().join("template");
    copy(&scene.stored(""), &template);
    let damages: [(&str, Damage); 7] = [
        ("deleted", |_| ()),
        ("emptied", |path| fs::write(path, "").unwrap()),
        ("truncated", |path| fs::write(path, r#"{"signed": {"_type": "root", "ver"#).unwrap()),
        ("garbage", |path| fs::write(path, [0xff; 3000]).unwrap()),
        ("another role's", |path| fs::write(path, fs::read(sibling(path, "snapshot.json")).unwrap()).unwrap()),
        ("without signatures", |path| {
            let root = r#"{"signatures": [], "signed": {"_type": "root", "version": 999}}"#;
            fs::write(path, root).unwrap();
        }),
        ("a directory", |path| fs::create_dir(path).unwrap()),
    ];
    for name in ["root_history/1.root.json", "trust.json"] {
        for (damage, how) in damages {
            fs::remove_dir_all(scene.stored("")).unwrap();
            copy(&template, &scene.stored(""));
            fs::remove_file(scene.stored(name)).unwrap();
            how(&scene.stored(name));
            scene.server.forget_requests();
            let before = scene.environment.state();
            let outcome = scene.install(&["--force-reinstall", "app"]);
            // Without trust.json the oldest root is what trust begins with, and the metadata is beside the index.
            let may_work =
                name == "trust.json" && ["deleted", "without signatures", "another role's"].contains(&damage);
            match outcome.code {
                Some(0) if may_work => assert!(outcome.stderr.contains("against snapshot"), "{}", outcome.stderr),
                _ => {
                    assert_eq!(outcome.code, Some(1), "{name} {damage}: {}", outcome.stderr);
                    assert!(outcome.stderr.contains("trust."), "{name} {damage}: {}", outcome.stderr);
                    assert!(outcome.stderr.contains("\n  help "), "{name} {damage}: {}", outcome.stderr);
                    assert_eq!(scene.server.log(), Vec::<String>::new(), "{name} {damage}: the index was asked");
                    assert_eq!(scene.environment.state(), before);
                }
            }
        }
    }
    fs::remove_dir_all(scene.stored("")).unwrap();
    copy(&template, &scene.stored(""));
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}

#[test]
fn damage_elsewhere_is_repaired_and_the_memory_stays() {
    let scene = SignedScene::signed();
    scene.server.rotate_root(1);
    scene.server.publish(|index| index);
    scene.installs(&["app"]);
    let yesterday = scene.server.day();
    scene.server.publish(|index| index);
    for name in ["snapshot.json", "targets.json", "root.json", "root_history/2.root.json", "lock"] {
        scene.installs(&["--force-reinstall", "app"]);
        let unsigned = r#"{"signatures": [], "signed": {"_type": "root", "version": 999}}"#;
        for damage in ["", "{", unsigned] {
            fs::write(scene.stored(name), damage).unwrap();
            let outcome = scene.install(&["--force-reinstall", "app"]).expect_code(0);
            assert!(!outcome.stderr.contains("WARNING"), "{name}: {}", outcome.stderr);
            scene.server.replay(&yesterday);
            scene.install(&["--force-reinstall", "app"]).expect_code(10).expect_stderr(&["trust.rollback"]);
            scene.server.honest();
        }
    }
}

#[test]
fn what_others_can_write_to_is_not_believed() {
    let scene = SignedScene::signed();
    for name in ["", "root_history", "trust.json"] {
        let path = scene.stored(name);
        let permissions = fs::metadata(&path).unwrap().permissions();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
        scene.refuses(&["app"], 1, &["trust.store-unsafe", "everybody may write to it"]);
        fs::set_permissions(&path, permissions).unwrap();
    }
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}

#[test]
fn another_process_that_never_gives_the_lock_back() {
    let scene = SignedScene::signed();
    let lock = fs::File::create(scene.stored("lock")).unwrap();
    lock.lock().unwrap();
    let outcome = scene.installs(&["app"]);
    expect_one_warning(&outcome);
    assert!(outcome.stderr.contains("another process has held"), "{}", outcome.stderr);
    assert!(outcome.elapsed.as_secs() < 20, "waits once: {:?}", outcome.elapsed);
    drop(lock);
    assert!(!scene.installs(&["--force-reinstall", "app"]).stderr.contains("WARNING"));
}

#[test]
fn the_memory_of_an_index_whose_anchor_is_elsewhere_is_the_users_own() {
    let (scene, other) = (SignedScene::signed(), Environment::new());
    let command = tufpip(&other)
        .env("PIP_INDEX_URL", scene.server.index_url())
        .env("TUFPIP_TRUST", scene.environment.trust_store())
        .env("XDG_DATA_HOME", "");
    let outcome = command.args(["install", "app"]).run().expect_code(0);
    assert!(!outcome.stderr.contains(WARNING), "{}", outcome.stderr);
    assert!(scene.server.trust_directory(&other.trust_memory()).join("timestamp.json").exists());
}

fn version(scene: &SignedScene, store: &Path, name: &str) -> u64 {
    let bytes = fs::read(scene.server.trust_directory(store).join(name)).unwrap();
    let file: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    file["signed"]["version"].as_u64().unwrap()
}

fn sibling(path: &Path, name: &str) -> std::path::PathBuf {
    let directory = path.parent().unwrap();
    let directory = if directory.ends_with("root_history") { directory.parent().unwrap() } else { directory };
    directory.join(name)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (entry, to) = entry.map(|entry| (entry.path(), to.join(entry.file_name()))).unwrap();
        if entry.is_dir() {
            copy(&entry, &to);
        } else {
            fs::copy(&entry, &to).unwrap();
        }
    }
}
