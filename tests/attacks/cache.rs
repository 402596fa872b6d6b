//! A cache that somebody else filled, changed, or could have: what is in it proves itself, or is not used.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use testkit::{Environment, Index, Outcome, Wheel};
use wheel::SealKey;

use crate::scene::{Scene, expect_whole, tufpip};

const HONEST: &str = "VALUE = 'honest'\n";
const EVIL: &str = "VALUE = 'hacked'\n";

fn scene() -> Scene {
    Scene::new(Index::new().add(Wheel::new("app", "1.0").file("app.py", HONEST).build()))
}

fn cache(scene: &Scene) -> PathBuf {
    scene.environment.cache().join("tufpip")
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

fn let_others(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Installs into another environment, from the cache and with the home of the scene.
fn installs_elsewhere(scene: &Scene) -> (Environment, Outcome) {
    let other = Environment::new();
    let command = tufpip(&other).index(&scene.server).env("XDG_CACHE_HOME", scene.environment.cache());
    let outcome = command.env("XDG_DATA_HOME", scene.environment.data()).args(["install", "app"]).run();
    (other, outcome.expect_code(0))
}

#[track_caller]
fn expect_honest(environment: &Environment) {
    assert_eq!(fs::read_to_string(environment.site_packages().join("app.py")).unwrap(), HONEST);
    assert_eq!(environment.run_python("import app; print(app.VALUE)"), "honest");
    expect_whole(environment);
}

/// Writes into a file as some editors do, and gives it the time that it had.
fn write_in_place(path: &Path, contents: &[u8]) {
    let time = fs::metadata(path).unwrap().modified().unwrap();
    let file = fs::File::options().write(true).truncate(true).open(path).unwrap();
    std::io::Write::write_all(&mut &file, contents).unwrap();
    file.set_modified(time).unwrap();
}

/// The unpacked file of the cache.
fn unpacked(scene: &Scene) -> PathBuf {
    let entries = fs::read_dir(cache(scene).join("wheels")).unwrap().flatten();
    entries.map(|entry| entry.path().join("tree/app.py")).find(|path| path.is_file()).unwrap()
}

#[test]
fn what_is_written_into_a_linked_file_does_not_reach_the_next_environment() {
    let scene = scene();
    scene.installs(&["app"]);
    let module = scene.environment.site_packages().join("app.py");
    if fs::metadata(&module).unwrap().nlink() < 2 {
        println!("skipped: this file system has no hard links");
        return;
    }
    write_in_place(&module, EVIL.as_bytes());
    assert_eq!(fs::read_to_string(unpacked(&scene)).unwrap(), EVIL, "the cache has the same file");
    let (other, outcome) = installs_elsewhere(&scene);
    assert!(outcome.stderr.contains("was changed after it was unpacked"), "{}", outcome.stderr);
    expect_honest(&other);
    // The environment that was edited stays as its owner wants it, until it is installed again.
    assert_eq!(fs::read_to_string(&module).unwrap(), EVIL);
    scene.installs(&["--force-reinstall", "app"]);
    expect_honest(&scene.environment);
}

#[test]
fn bytecode_that_was_written_to_does_not_reach_the_next_environment() {
    let scene = scene();
    scene.installs(&["app"]);
    let tag = scene.environment.run_python("import sys; print(sys.implementation.cache_tag)");
    let compiled = format!("__pycache__/app.{tag}.pyc");
    let path = scene.environment.site_packages().join(&compiled);
    let mut bytes = fs::read(&path).unwrap();
    let honest = bytes.clone();
    let position = bytes.windows(6).position(|part| part == b"honest").unwrap();
    bytes[position..position + 6].copy_from_slice(b"hacked");
    write_in_place(&path, &bytes);
    let (other, _) = installs_elsewhere(&scene);
    // Behind the header, which has the time of the source: that was unpacked again.
    assert_eq!(fs::read(other.site_packages().join(&compiled)).unwrap()[16..], honest[16..]);
    expect_honest(&other);
}

/// A source that is altered while another interpreter has yet to compile it.
#[test]
fn nothing_altered_is_compiled() {
    let scene = scene();
    scene.installs(&["--no-compile", "app"]);
    write_in_place(&scene.environment.site_packages().join("app.py"), EVIL.as_bytes());
    let (other, _) = installs_elsewhere(&scene);
    expect_honest(&other);
}

/// A cache that was restored from elsewhere: everything in it is sealed, by somebody else.
#[test]
fn a_cache_of_another_user_of_the_same_id_does_not_vouch_for_itself() {
    let (scene, elsewhere) = (scene(), Environment::new());
    let fill = tufpip(&elsewhere).index(&scene.server).env("XDG_CACHE_HOME", scene.environment.cache());
    fill.args(["install", "app"]).run().expect_code(0);
    write_in_place(&unpacked(&scene), EVIL.as_bytes());
    scene.server.forget_requests();
    scene.installs(&["app"]);
    expect_honest(&scene.environment);
    // The download is believed by its hash; what an unsigned index said is asked for again.
    let log = scene.server.log();
    assert!(!log.iter().any(|line| line.ends_with(".whl")) && log.contains(&"GET /simple/app/".to_owned()), "{log:?}");
}

#[test]
fn without_a_place_for_the_key_nothing_is_believed_and_everything_works() {
    let scene = scene();
    for _ in 0..3 {
        let command = scene.tufpip(&["install", "--force-reinstall", "app"]).env("XDG_DATA_HOME", "/dev/null/none");
        command.run().expect_code(0);
        expect_honest(&scene.environment);
        scene.expect_clean();
    }
    scene.installs(&["app"]);
    write_in_place(&unpacked_or_made(&scene), EVIL.as_bytes());
    let command = scene.tufpip(&["install", "--force-reinstall", "app"]).env("XDG_DATA_HOME", "/dev/null/none");
    command.run().expect_code(0);
    expect_honest(&scene.environment);
}

/// The unpacked file, after an installation that has a key.
fn unpacked_or_made(scene: &Scene) -> PathBuf {
    scene.installs(&["--force-reinstall", "app"]);
    unpacked(scene)
}

#[test]
fn environments_of_another_owner_share_nothing_with_the_cache() {
    let scene = scene();
    scene.installs(&["app"]);
    let other = Environment::new();
    let user = fs::metadata(other.site_packages()).unwrap().uid();
    if chown(other.site_packages(), Some(user + 1), None).is_err() {
        println!("skipped: only root can give directories away");
        return;
    }
    let command = tufpip(&other).index(&scene.server).env("XDG_CACHE_HOME", scene.environment.cache());
    command.env("XDG_DATA_HOME", scene.environment.data()).args(["install", "app"]).run().expect_code(0);
    for line in testkit::tree(&other.site_packages()) {
        let path = other.site_packages().join(line.split(' ').next().unwrap());
        assert!(path.is_dir() || fs::metadata(&path).unwrap().nlink() == 1, "{line}");
    }
    expect_honest(&other);
    // What was linked and given away afterwards is not believed either.
    let module = scene.environment.site_packages().join("app.py");
    chown(&module, Some(user + 1), None).unwrap();
    write_in_place(&module, EVIL.as_bytes());
    let (third, _) = installs_elsewhere(&scene);
    expect_honest(&third);
    assert_eq!(fs::metadata(third.site_packages().join("app.py")).unwrap().uid(), user);
}

#[test]
fn files_that_others_may_write_to_are_made_again() {
    let scene = scene();
    scene.installs(&["app"]);
    let entry = unpacked(&scene).parent().unwrap().parent().unwrap().to_owned();
    for (path, bits) in [("tree/app.py", 0o666), ("tree", 0o777), ("", 0o770), ("tree/app.py", 0o664)] {
        let_others(&entry.join(path), bits);
        let (other, _) = installs_elsewhere(&scene);
        expect_honest(&other);
        assert_eq!(mode(&entry.join(path)) & 0o022, 0, "{path}");
    }
}

/// What others may write to chooses no program that is executed.
#[test]
fn a_cache_that_is_not_believed_is_not_used_at_all() {
    let scene = scene();
    scene.installs(&["app"]);
    let marker = scene.environment.work().join("executed");
    let evil = scene.environment.write("evil", format!("#!/bin/sh\ntouch {}\n", marker.display()));
    let_others(&evil, 0o755);
    let answers: Vec<PathBuf> =
        fs::read_dir(cache(&scene).join("interpreters")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let key = fs::read(scene.environment.data().join("tufpip/local-key")).unwrap();
    let key = SealKey::new(key.try_into().unwrap());
    let plant = |key: Option<&SealKey>| {
        for answer in &answers {
            let name = answer.file_name().unwrap().to_str().unwrap();
            let sealed = fs::read(answer).unwrap();
            let text = String::from_utf8(sealed[..sealed.len() - 32].to_vec()).unwrap();
            let python = scene.environment.python().display().to_string();
            let mut text = text.replace(&format!("\"{python}\""), &format!("\"{}\"", evil.display())).into_bytes();
            match key {
                Some(key) => key.seal(&[b"cache", b"interpreters", name.as_bytes()], &mut text),
                None => text.extend([0; 32]),
            }
            fs::write(answer, text).unwrap();
        }
    };
    let commands = [&["install", "--force-reinstall", "app"] as &[&str], &["list"], &["show", "app"], &["check"]];
    for (directory, bits) in [("", 0o770), ("", 0o777), ("interpreters", 0o775), ("wheels", 0o1777)] {
        // Even if it is sealed: whoever may write there may put back what was there before.
        plant(Some(&key));
        let_others(&cache(&scene).join(directory), bits);
        for words in commands {
            let outcome = scene.tufpip(words).run().expect_code(0);
            assert_eq!(outcome.stderr.matches("is not used").count(), 1, "{}", outcome.stderr);
            assert!(!marker.exists(), "{words:?}");
        }
        let_others(&cache(&scene).join(directory), 0o700);
        scene.expect_clean();
    }
    // In a private cache that was restored from elsewhere.
    plant(None);
    for words in commands {
        scene.tufpip(words).run().expect_code(0);
        assert!(!marker.exists(), "{words:?}");
    }
}

#[test]
fn the_cache_of_another_user_is_not_used() {
    let scene = scene();
    scene.installs(&["app"]);
    let user = fs::metadata(cache(&scene)).unwrap().uid();
    if chown(cache(&scene), Some(user + 1), None).is_err() {
        println!("skipped: only root can give directories away");
        return;
    }
    let before = testkit::tree(&scene.environment.cache());
    let outcome = scene.installs(&["--force-reinstall", "app"]);
    assert_eq!(outcome.stderr.matches("is not used: it belongs to another user").count(), 1, "{}", outcome.stderr);
    assert_eq!(testkit::tree(&scene.environment.cache()), before);
    expect_honest(&scene.environment);
}

#[test]
fn a_cache_is_private_and_older_ones_become_so() {
    let scene = scene();
    scene.installs(&["app"]);
    let directories = ["", "archives", "interpreters", "metadata", "pages", "wheels"];
    for directory in directories {
        assert_eq!(mode(&cache(&scene).join(directory)), 0o700, "{directory}");
        let_others(&cache(&scene).join(directory), 0o755);
    }
    let outcome = scene.tufpip(&["list"]).run().expect_code(0);
    assert!(!outcome.stderr.contains("is not used"), "{}", outcome.stderr);
    for directory in directories {
        assert_eq!(mode(&cache(&scene).join(directory)), 0o700, "{directory}");
    }
    // A directory that has other uses is left as it is.
    let shared = scene.environment.work();
    let_others(&shared, 0o755);
    scene.environment.write("notes.txt", "");
    scene.installs(&["--cache-dir", ".", "--force-reinstall", "app"]);
    assert_eq!(mode(&shared), 0o755);
    assert_eq!(mode(&shared.join("wheels")), 0o700);
}

#[test]
fn a_cache_that_cannot_be_used_is_one_warning_and_no_failure() {
    let scene = scene();
    let file = scene.environment.write("file", "");
    let below = file.join("below");
    for place in [file.as_path(), &below, Path::new("/proc/none")] {
        let outcome = scene.installs(&["--force-reinstall", "--cache-dir", place.to_str().unwrap(), "app"]);
        assert_eq!(outcome.stderr.matches("is not used").count(), 1, "{}", outcome.stderr);
        expect_honest(&scene.environment);
        scene.expect_clean();
    }
}

/// What root has put into a cache is used by others, who can heal nothing in it.
#[test]
fn a_cache_that_only_root_may_change_is_read() {
    let scene = scene();
    scene.installs(&["--no-compile", "app"]);
    let root = cache(&scene).parent().unwrap().parent().unwrap().to_owned();
    let user = 12345;
    let Some(setpriv) = ["/usr/bin/setpriv", "/bin/setpriv"].map(Path::new).into_iter().find(|path| path.exists())
    else {
        println!("skipped: needs setpriv");
        return;
    };
    if chown(scene.environment.home(), Some(user), None).is_err() {
        println!("skipped: only root can be another user");
        return;
    }
    for directory in [scene.environment.temporary(), scene.environment.work(), scene.environment.venv()] {
        give(&directory, user);
    }
    give(&scene.environment.home(), user);
    for directory in [root.as_path(), &scene.environment.cache()] {
        let_others(directory, 0o755);
    }
    let make_readable = |directory: PathBuf| {
        for line in testkit::tree(&directory) {
            let path = directory.join(line.split(' ').next().unwrap());
            let_others(&path, if path.is_dir() { 0o755 } else { 0o644 });
        }
        let_others(&directory, 0o755);
    };
    make_readable(cache(&scene));
    // One file is not what it was: it cannot be healed where it is.
    write_in_place(&unpacked(&scene), EVIL.as_bytes());
    let before = testkit::tree(&scene.environment.cache());
    let program = Path::new(env!("CARGO_BIN_EXE_tufpip"));
    let as_user = |words: &[&str]| {
        let command = scene.environment.command(setpriv).index(&scene.server);
        let identity = ["--reuid=12345", "--regid=12345", "--clear-groups"];
        command.args(identity).arg(program).args(words).run()
    };
    if as_user(&["list"]).code != Some(0) {
        println!("skipped: another user cannot run the program, or Python, where they lie");
        return;
    }
    scene.server.forget_requests();
    let outcome = as_user(&["install", "--force-reinstall", "app"]).expect_code(0);
    assert!(!outcome.stderr.contains("is not used"), "{}", outcome.stderr);
    assert!(!scene.server.log().iter().any(|line| line.ends_with(".whl")), "{:?}", scene.server.log());
    assert_eq!(testkit::tree(&scene.environment.cache()), before);
    assert_eq!(fs::read_to_string(scene.environment.site_packages().join("app.py")).unwrap(), HONEST);
    expect_whole(&scene.environment);
}

fn give(directory: &Path, user: u32) {
    for line in testkit::tree(directory) {
        let path = directory.join(line.split(' ').next().unwrap());
        std::os::unix::fs::lchown(&path, Some(user), Some(user)).unwrap();
    }
    chown(directory, Some(user), Some(user)).unwrap();
}

#[test]
fn cache_verify_finds_what_was_changed() {
    let scene = scene();
    scene.installs(&["app"]);
    let verify = || scene.tufpip(&["cache", "verify"]).run().expect_code(0).stdout;
    let text = verify();
    assert!(text.contains("unpacked wheels: 1, downloads: 1") && text.contains("removed: 0"), "{text}");
    write_in_place(&unpacked(&scene), EVIL.as_bytes());
    for directory in ["archives", "pages", "interpreters"] {
        let path = fs::read_dir(cache(&scene).join(directory)).unwrap().next().unwrap().unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        bytes[0] ^= 1;
        fs::write(&path, bytes).unwrap();
    }
    let text = verify();
    assert!(text.contains("unpacked wheels: 0, downloads: 0") && text.contains("removed: 4"), "{text}");
    assert!(text.contains("it is not what was kept"), "{text}");
    assert!(verify().contains("removed: 0"));
    let (other, _) = installs_elsewhere(&scene);
    expect_honest(&other);
}
