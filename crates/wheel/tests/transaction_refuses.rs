//! What a transaction does not do, and that nothing changes on disk when it refuses.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::placing::{install, picture, placement, scheme, site_packages, unpack};
use wheel::{Pending, ProtectedPlaces, Rule, Transaction, TransactionError, WheelError, pending};

/// An environment with an interpreter, activation scripts and one installed distribution.
fn environment() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let prefix = directory.path().join("environment");
    fs::create_dir_all(site_packages(&prefix)).unwrap();
    fs::create_dir_all(prefix.join("bin")).unwrap();
    for file in ["pyvenv.cfg", "bin/python", "bin/activate", "lib/python3.11/os.py"] {
        fs::write(prefix.join(file), "precious").unwrap();
    }
    let victim = unpack(&directory.path().join("cache"), "victim", "1.0", &[("victim.py", "")], &[]);
    install(&prefix, &[&victim]).unwrap();
    (directory, prefix)
}

fn refused(files: &[(&str, &str)]) {
    let (directory, prefix) = environment();
    std::os::unix::fs::symlink("lib", prefix.join("lib64")).unwrap();
    let before = picture(&prefix);
    let good = unpack(&directory.path().join("cache"), "good", "1.0", &[("good.py", "")], &[]);
    let evil = unpack(&directory.path().join("cache"), "evil", "1.0", files, &[]);
    let error = install(&prefix, &[&good, &evil]).unwrap_err();
    match &error {
        TransactionError::Wheel(WheelError::Refused(refusal)) => assert_eq!(refusal.rule, Rule::Placement),
        other => panic!("{other}"),
    }
    assert_eq!(picture(&prefix), before, "{error}");
}

#[test]
fn nothing_goes_into_another_distributions_metadata() {
    refused(&[("victim-1.0.dist-info/RECORD", "")]);
    refused(&[("absent-1.0.DIST-INFO/METADATA", "")]);
    refused(&[("absent-1.0.egg-info/PKG-INFO", "")]);
    refused(&[("absent.egg-link", "")]);
    refused(&[("evil-1.0.data/purelib/victim-1.0.dist-info/RECORD", "")]);
    refused(&[("evil-1.0.data/data/lib/python3.11/site-packages/victim-1.0.dist-info/RECORD", "")]);
    refused(&[("evil-1.0.data/data/lib64/python3.11/site-packages/victim-1.0.dist-info/RECORD", "")]);
}

#[test]
fn nothing_replaces_the_interpreter_or_what_belongs_to_the_environment() {
    refused(&[("evil-1.0.data/scripts/python", "")]);
    refused(&[("evil-1.0.data/scripts/Python3.11", "")]);
    refused(&[("evil-1.0.data/data/bin/python3", "")]);
    refused(&[("evil-1.0.data/scripts/activate", "")]);
    refused(&[("evil-1.0.data/scripts/activate.fish", "")]);
    refused(&[("evil-1.0.data/data/PyVenv.cfg", "")]);
    refused(&[("evil-1.0.data/data/pyvenv.cfg", "")]);
    refused(&[("evil-1.0.data/data/lib/python3.11/os.py", "")]);
}

#[test]
fn two_files_of_a_wheel_never_share_a_place() {
    refused(&[("a.py", "1"), ("evil-1.0.data/purelib/a.py", "2")]);
    refused(&[("a", "1"), ("evil-1.0.data/purelib/a/b.py", "2")]);
    refused(&[("evil-1.0.data/purelib/evil-1.0.dist-info/RECORD", "")]);
    refused(&[("evil-1.0.data/data/lib/python3.11/site-packages/evil-1.0.dist-info/INSTALLER", "")]);
}

#[test]
fn nothing_goes_into_a_staging_directory() {
    refused(&[(".tufpip-staging-1/new/x", "")]);
    refused(&[("evil-1.0.data/nonsense/x", "")]);
}

#[test]
fn a_file_never_replaces_a_directory_nor_the_other_way_round() {
    let (directory, prefix) = environment();
    fs::create_dir(site_packages(&prefix).join("taken")).unwrap();
    let before = picture(&prefix);
    let cache = directory.path().join("cache");
    for files in [&[("taken", "")], &[("victim.py/inner", "")]] {
        let wheel = unpack(&cache, &format!("w{}", files[0].0.len()), "1.0", files, &[]);
        let error = install(&prefix, &[&wheel]).unwrap_err();
        assert!(matches!(error, TransactionError::Occupied { .. }), "{error}");
        assert_eq!(picture(&prefix), before);
    }
}

#[test]
fn a_changed_cache_is_noticed() {
    let (directory, prefix) = environment();
    let before = picture(&prefix);
    type Damage = fn(&Path);
    let damages: [Damage; 5] = [
        |path| fs::write(path, "longer than before").unwrap(),
        |path| fs::write(path, "same").unwrap(),
        |path| fs::remove_file(path).unwrap(),
        |path| {
            fs::remove_file(path).unwrap();
            std::os::unix::fs::symlink("/etc/passwd", path).unwrap();
        },
        |path| fs::remove_dir_all(path.parent().unwrap()).unwrap(),
    ];
    for (number, damage) in damages.into_iter().enumerate() {
        let wheel = unpack(&directory.path().join("cache"), &format!("w{number}"), "1.0", &[("p/a.py", "1234")], &[]);
        std::thread::sleep(Duration::from_millis(20));
        damage(&wheel.tree.join("p/a.py"));
        let error = install(&prefix, &[&wheel]).unwrap_err();
        assert!(
            matches!(&error, TransactionError::CacheChanged { tree, .. } if *tree == wheel.tree),
            "{number}: {error}"
        );
        assert_eq!(picture(&prefix), before, "{number}");
    }
}

/// Files of a cache that was filled with another umask are copied: the mode on disk is what a new file would have.
#[test]
fn modes_are_those_of_new_files_whatever_the_cache_has() {
    let (directory, prefix) = environment();
    let wheel = unpack(&directory.path().join("cache"), "w", "1.0", &[("p/a.py", "1"), ("p/run!", "2")], &[]);
    for (file, mode) in [("p/a.py", 0o600), ("p/run", 0o4700)] {
        fs::set_permissions(wheel.tree.join(file), fs::Permissions::from_mode(mode)).unwrap();
    }
    install(&prefix, &[&wheel]).unwrap();
    let probe = directory.path().join("probe");
    fs::write(&probe, "").unwrap();
    let new = fs::metadata(&probe).unwrap();
    let found = fs::metadata(site_packages(&prefix).join("p/a.py")).unwrap();
    assert_eq!(found.permissions(), new.permissions());
    assert_eq!(found.modified().unwrap(), fs::metadata(wheel.tree.join("p/a.py")).unwrap().modified().unwrap());
    let mode = fs::metadata(site_packages(&prefix).join("p/run")).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode, new.permissions().mode() & 0o777 | 0o111);
}

/// A link that leads nowhere is replaced itself; pip would write through it.
#[test]
fn a_dangling_link_is_replaced_and_not_followed() {
    let (directory, prefix) = environment();
    let outside = directory.path().join("outside");
    std::os::unix::fs::symlink(&outside, site_packages(&prefix).join("a.py")).unwrap();
    let wheel = unpack(&directory.path().join("cache"), "w", "1.0", &[("a.py", "1")], &[]);
    install(&prefix, &[&wheel]).unwrap();
    assert!(!outside.exists());
    assert!(site_packages(&prefix).join("a.py").symlink_metadata().unwrap().is_file());
}

/// The directories of the scheme may be links themselves, and links inside of the environment are usual (`lib64`).
#[test]
fn nothing_is_written_through_a_link_out_of_the_environment() {
    for (link, file) in [
        ("lib/python3.11/site-packages/linked", "linked/new/a.py"),
        ("lib/python3.11/site-packages/linked", "w-1.0.data/purelib/linked/a.py"),
        ("share", "w-1.0.data/data/share/doc/a.txt"),
        ("include", "w-1.0.data/data/include/a.h"),
    ] {
        let (directory, prefix) = environment();
        let outside = directory.path().join("outside");
        fs::create_dir(&outside).unwrap();
        std::os::unix::fs::symlink(&outside, prefix.join(link)).unwrap();
        let before = picture(directory.path());
        let wheel = unpack(&directory.path().join("cache"), "w", "1.0", &[(file, "1")], &[]);
        let error = install(&prefix, &[&wheel]).unwrap_err();
        assert!(error.to_string().contains("through a link out of the environment"), "{link}: {error}");
        fs::remove_dir_all(&wheel.tree).unwrap();
        assert_eq!(picture(directory.path()), before, "{link}");
    }
    let (directory, prefix) = environment();
    fs::rename(prefix.join("bin"), directory.path().join("programs")).unwrap();
    std::os::unix::fs::symlink("../programs", prefix.join("bin")).unwrap();
    std::os::unix::fs::symlink("lib", prefix.join("lib64")).unwrap();
    let files = [("w-1.0.data/data/lib64/a.txt", "1"), ("w-1.0.data/data/bin/b", "2"), ("w-1.0.data/scripts/c!", "3")];
    let wheel = unpack(&directory.path().join("cache"), "w", "1.0", &files, &[]);
    install(&prefix, &[&wheel]).unwrap();
    for file in ["environment/lib/a.txt", "programs/b", "programs/c"] {
        assert!(directory.path().join(file).is_file(), "{file}");
    }
}

#[test]
fn directories_made_for_a_failed_transaction_go_again() {
    let directory = tempfile::tempdir().unwrap();
    let wheel = unpack(&directory.path().join("cache"), "w", "1.0", &[("a.py", "1")], &[]);
    fs::remove_file(wheel.tree.join("a.py")).unwrap();
    let prefix = directory.path().join("new/environment");
    install(&prefix, &[&wheel]).unwrap_err();
    assert!(!directory.path().join("new").exists());
}

/// As staging directories are.
fn make_private(directory: &Path) {
    fs::create_dir(directory).unwrap();
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn transactions_take_turns() {
    let (directory, prefix) = environment();
    let first = Transaction::begin(&site_packages(&prefix), None, || panic!("nobody else is there")).unwrap();
    make_private(&site_packages(&prefix).join(".tufpip-staging-x"));
    assert_eq!(pending(&site_packages(&prefix)).unwrap(), Some(Pending::Running));
    let (sender, receiver) = mpsc::channel();
    let other = site_packages(&prefix);
    let second = std::thread::spawn(move || {
        let transaction = Transaction::begin(&other, None, || sender.send("waits").unwrap()).unwrap();
        transaction.recovered().cleaned
    });
    assert_eq!(receiver.recv_timeout(Duration::from_secs(10)).unwrap(), "waits");
    drop(first);
    assert_eq!(second.join().unwrap(), 1);
    assert_eq!(pending(&site_packages(&prefix)).unwrap(), None);
    drop(directory);
}

#[test]
fn a_damaged_journal_is_reported_and_not_guessed_at() {
    let (_directory, prefix) = environment();
    let staging = site_packages(&prefix).join(".tufpip-staging-x");
    make_private(&staging);
    for text in [
        "",
        "junk",
        "tufpip journal 3\0",
        "tufpip journal 3\0away\x000\x000\0relative\0end\0",
        "tufpip journal 3\0away\x009\x000\0/x\0end\0",
    ] {
        for checksum in [Sha256::digest(text).to_vec(), vec![0; 32]] {
            fs::write(staging.join("journal"), [text.as_bytes(), &checksum, &[0; 32]].concat()).unwrap();
            let error = Transaction::begin(&site_packages(&prefix), None, || ()).unwrap_err();
            assert!(matches!(error, TransactionError::JournalDamaged { .. }), "{error}");
            assert_eq!(pending(&site_packages(&prefix)).unwrap(), Some(Pending::Interrupted(staging.clone())));
        }
    }
}

/// `--target`: what exists stays, or with `--upgrade` is replaced whole, unless it is a link.
#[test]
fn a_target_directory_keeps_what_it_has() {
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("target");
    fs::create_dir_all(target.join("pkg")).unwrap();
    fs::write(target.join("pkg/mine.py"), "mine").unwrap();
    std::os::unix::fs::symlink("/nowhere", target.join("linked.py")).unwrap();
    let files = &[("pkg/a.py", "1"), ("linked.py", "1"), ("free.py", "1")];
    let wheel = unpack(&directory.path().join("cache"), "w", "1.0", files, &[("tool", "pkg.a:f")]);
    let mut into = scheme(&target, "w");
    (into.purelib, into.platlib) = (target.clone(), target.clone());
    let mut home = scheme(Path::new("/home"), "w");
    (home.purelib, home.platlib) = (PathBuf::from("/home/lib/python"), PathBuf::from("/home/lib/python"));
    let run = |upgrade| {
        let mut transaction = Transaction::begin(&target, None, || ()).unwrap();
        transaction.into_target(upgrade);
        let mut placement = placement(&wheel, &into, Path::new("/usr/bin/python3"));
        placement.record_scheme = Some(&home);
        transaction.add(placement);
        transaction.commit(&ProtectedPlaces::default()).unwrap().kept
    };
    let mut kept = run(false);
    kept.sort();
    assert_eq!(kept, [target.join("linked.py"), target.join("pkg")]);
    assert!(target.join("pkg/mine.py").exists() && !target.join("pkg/a.py").exists());
    assert!(target.join("free.py").exists() && target.join("bin/tool").exists());
    let record = fs::read_to_string(target.join("w-1.0.dist-info/RECORD")).unwrap();
    assert!(record.starts_with("../../bin/tool,sha256="), "{record}");
    assert_eq!(run(true), [target.join("linked.py")]);
    assert!(!target.join("pkg/mine.py").exists() && target.join("pkg/a.py").exists());
}

/// Each file system gets its own staging directory, and none is left.
#[test]
fn an_environment_may_span_file_systems() {
    let directory = tempfile::tempdir().unwrap();
    let Ok(other) = tempfile::tempdir_in("/dev/shm") else {
        println!("skipped: needs a second file system at /dev/shm");
        return;
    };
    let prefix = directory.path().join("environment");
    let files = |text| [("a.py", text), ("w-1.0.data/data/share/one.txt", text), ("w-1.0.data/scripts/run!", text)];
    let first = unpack(&directory.path().join("first"), "w", "1.0", &files("1"), &[("tool", "a:f")]);
    let second = unpack(&directory.path().join("second"), "w", "1.0", &files("2"), &[]);
    let mut scheme = scheme(&prefix, "w");
    (scheme.scripts, scheme.data) = (other.path().join("bin"), other.path().to_path_buf());
    let interpreter = other.path().join("bin/python");
    for wheel in [&first, &second] {
        let mut transaction = Transaction::begin(&site_packages(&prefix), None, || ()).unwrap();
        transaction.add(placement(wheel, &scheme, &interpreter));
        transaction.commit(&ProtectedPlaces::default()).unwrap();
    }
    let found = picture(other.path());
    let names: Vec<_> = found.keys().map(String::as_str).collect();
    assert_eq!(names, ["bin", "bin/run", "bin/tool", "share", "share/one.txt"]);
    assert_eq!((found["bin/run"].as_str(), found["share/one.txt"].as_str()), ("755 2", "644 2"));
    assert!(picture(&prefix).keys().all(|name| !name.contains(".tufpip")));
}
