//! A journal that somebody else put where the program finds it: in a directory out of an archive or a cloned repository, in
//! an environment that another user may write to.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use testkit::{Index, Wheel};
use wheel::SealKey;

use crate::scene::Scene;

const NAME: &str = ".tufpip-staging-4711-aBcDeF";

fn scene() -> Scene {
    Scene::new(Index::new().add(Wheel::new("app", "1.0").build()))
}

/// A staging directory whose journal says that a file was taken away and another put in its place.
fn plant(library: &Path, victim: &Path, mode: u32, key: Option<&SealKey>) -> PathBuf {
    let staging = library.join(NAME);
    for inner in ["new", "old"] {
        fs::create_dir_all(staging.join(inner)).unwrap();
    }
    fs::write(staging.join("old/0"), "planted").unwrap();
    let victim = victim.as_os_str().as_bytes();
    let mut text = [b"tufpip journal 3\0away\x000\x000\0", victim, b"\0place\x000\x001\0", victim, b"\0end\0"].concat();
    text.extend_from_slice(&Sha256::digest(&text));
    match key {
        Some(key) => {
            key.seal(&[b"staging", library.as_os_str().as_bytes(), NAME.as_bytes(), b"journal"], &mut text);
        }
        None => text.extend([0; 32]),
    }
    fs::write(staging.join("journal"), text).unwrap();
    fs::set_permissions(&staging, fs::Permissions::from_mode(mode)).unwrap();
    staging
}

/// The key of the user of a scene, who has run the program before.
fn key_of(scene: &Scene) -> SealKey {
    let bytes = fs::read(scene.environment.data().join("tufpip/local-key")).unwrap();
    SealKey::new(bytes.try_into().unwrap())
}

#[test]
fn a_prepared_target_directory_leads_nowhere() {
    let scene = scene();
    let precious = scene.environment.write("precious", "mine");
    // As a clone has it, and as an archive that keeps modes has it; before the first run of the program, and after it.
    for mode in [0o755, 0o700, 0o755, 0o700] {
        let vendor = scene.environment.work().join("vendor");
        fs::create_dir_all(&vendor).unwrap();
        let staging = plant(&vendor, &precious, mode, None);
        let before = testkit::tree(&scene.environment.work());
        let name = staging.display().to_string();
        scene.refuses(&["-t", "vendor", "app"], 1, &["place.foreign-change", &name, "nothing was changed", "delete"]);
        assert_eq!(testkit::tree(&scene.environment.work()), before);
        assert_eq!(fs::read_to_string(&precious).unwrap(), "mine");
        fs::remove_dir_all(&staging).unwrap();
        scene.installs(&["-t", "vendor", "app"]);
        assert!(vendor.join("app-1.0.dist-info").is_dir());
        fs::remove_dir_all(&vendor).unwrap();
    }
}

#[test]
fn no_command_obeys_the_journal_of_another_user() {
    let scene = scene();
    scene.installs(&["app"]);
    let precious = scene.environment.write("precious", "mine");
    let library = scene.environment.site_packages();
    let staging = plant(&library, &precious, 0o700, Some(&key_of(&scene)));
    let user = fs::metadata(&library).unwrap().uid();
    if chown(&staging, Some(user + 7), None).is_err() {
        println!("skipped: only root can give files away");
        return;
    }
    let before = scene.environment.state();
    let owner = format!("user {}", user + 7);
    for words in [&["install", "--force-reinstall", "app"] as &[&str], &["uninstall", "--yes", "app"]] {
        let outcome = scene.tufpip(words).run().expect_code(1);
        for piece in ["place.foreign-change", &owner, "has to run tufpip here"] {
            assert!(outcome.stderr.contains(piece), "no {piece} in {}", outcome.stderr);
        }
        assert_eq!(scene.environment.state(), before);
    }
    assert_eq!(fs::read_to_string(&precious).unwrap(), "mine");
    fs::remove_dir_all(&staging).unwrap();
    scene.installs(&["--force-reinstall", "app"]);
}

/// What was killed under one HOME is undone under another as far as it names the library alone.
#[test]
fn another_home_after_a_kill_does_not_block_an_environment() {
    let scene = scene();
    scene.installs(&["app"]);
    let library = scene.environment.site_packages();
    let module = library.join("other.py");
    fs::write(&module, "half").unwrap();
    let other = SealKey::new([9; 32]);
    plant(&library, &module, 0o700, Some(&other));
    scene.installs(&["--force-reinstall", "app"]);
    assert_eq!(fs::read_to_string(&module).unwrap(), "planted");

    let script = scene.environment.scripts().join("tool");
    fs::write(&script, "whole").unwrap();
    let staging = plant(&library, &script, 0o700, Some(&other));
    let outcome = scene.install(&["--force-reinstall", "app"]).expect_code(1);
    for piece in ["place.foreign-change", "bin/tool", "same HOME"] {
        assert!(outcome.stderr.split_whitespace().collect::<Vec<_>>().join(" ").contains(piece), "{}", outcome.stderr);
    }
    assert_eq!(fs::read_to_string(&script).unwrap(), "whole");
    // Whoever was interrupted is obeyed.
    fs::remove_dir_all(&staging).unwrap();
    plant(&library, &script, 0o700, Some(&key_of(&scene)));
    scene.installs(&["--force-reinstall", "app"]);
    assert_eq!(fs::read_to_string(&script).unwrap(), "planted");
}
