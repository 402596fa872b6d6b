//! What is linked, what is copied, and what is hashed before.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use super::placing::{Unpacked, install, picture, site_packages, unpack};
use wheel::{LinkTimes, TransactionError};

struct World {
    directory: tempfile::TempDir,
    wheel: Unpacked,
}

impl World {
    fn new() -> World {
        let directory = tempfile::tempdir().unwrap();
        let large = "x".repeat(2 << 20);
        let files = [("p/a.py", "1234"), ("p/large", large.as_str()), ("p/run!", "5678")];
        let wheel = unpack(&directory.path().join("cache"), "w", "1.0", &files, &[]);
        World { directory, wheel }
    }

    /// A new environment.
    fn prefix(&self, name: &str) -> PathBuf {
        let prefix = self.directory.path().join(name);
        fs::create_dir_all(site_packages(&prefix)).unwrap();
        prefix
    }

    #[track_caller]
    fn installs(&self, name: &str) -> PathBuf {
        let prefix = self.prefix(name);
        install(&prefix, &[&self.wheel]).unwrap();
        site_packages(&prefix).join("p")
    }

    #[track_caller]
    fn refuses(&self, name: &str, wanted: &str) {
        let prefix = self.prefix(name);
        let before = picture(&prefix);
        match install(&prefix, &[&self.wheel]).unwrap_err() {
            TransactionError::CacheChanged { problem, .. } => assert_eq!(problem, wanted),
            other => panic!("{other}"),
        }
        assert_eq!(picture(&prefix), before);
    }
}

/// Of the same length, and with the time that it had.
fn write_in_place(path: &Path, contents: &str) {
    let time = fs::metadata(path).unwrap().modified().unwrap();
    let file = fs::File::options().write(true).truncate(true).open(path).unwrap();
    std::io::Write::write_all(&mut &file, contents.as_bytes()).unwrap();
    file.set_modified(time).unwrap();
}

fn links(path: &Path) -> u64 {
    fs::metadata(path).unwrap().nlink()
}

#[test]
fn what_was_written_to_with_its_size_and_time_is_noticed() {
    for file in ["a.py", "large", "run"] {
        let world = World::new();
        let first = world.installs("first");
        let contents = fs::read_to_string(first.join(file)).unwrap().replace(['1', '5', 'x'], "y");
        write_in_place(&first.join(file), &contents);
        world.refuses("second", "its contents differ");
    }
}

/// Deleting an environment changes the times of its files, and not their contents.
#[test]
fn a_changed_time_alone_costs_a_hash() {
    let world = World::new();
    let first = world.installs("first");
    fs::remove_dir_all(&first).unwrap();
    let known = world.wheel.times.to_vec();
    let second = world.installs("second");
    assert_ne!(world.wheel.times.to_vec(), known, "what was found is remembered");
    assert!(["a.py", "large", "run"].iter().all(|file| links(&second.join(file)) == 2));
}

#[test]
fn without_known_times_everything_is_hashed_and_linked() {
    let mut world = World::new();
    world.wheel.times = LinkTimes::unknown(world.wheel.manifest.files.len());
    let first = world.installs("first");
    assert_eq!(links(&first.join("large")), 2);
    assert!(world.wheel.times.to_vec().iter().all(|time| *time > 0));
    world.wheel.manifest.files.iter_mut().for_each(|file| file.sha256 = "other".to_owned());
    // They are known now.
    world.installs("second");
    world.wheel.times = LinkTimes::unknown(0);
    world.refuses("third", "its contents differ");
}

#[test]
fn what_others_may_write_to_is_not_placed() {
    for (path, mode) in [("p/a.py", 0o664), ("p/a.py", 0o646), ("p", 0o775), ("p", 0o757)] {
        let world = World::new();
        let path = world.wheel.tree.join(path);
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        world.refuses("first", "others may write to it");
    }
}

#[test]
fn a_directory_of_another_owner_gets_copies() {
    let world = World::new();
    let prefix = world.prefix("foreign");
    let user = fs::metadata(&prefix).unwrap().uid();
    if chown(site_packages(&prefix), Some(user + 1), None).is_err() {
        println!("skipped: only root can give directories away");
        return;
    }
    let placed = world.installs("foreign");
    assert!(["a.py", "large", "run"].iter().all(|file| links(&placed.join(file)) == 1));
    // Copies are hashed, whatever is known of the times.
    fs::remove_dir_all(site_packages(&prefix)).unwrap();
    write_in_place(&world.wheel.tree.join("p/a.py"), "4321");
    fs::create_dir_all(site_packages(&prefix)).unwrap();
    chown(site_packages(&prefix), Some(user + 1), None).unwrap();
    world.refuses("foreign", "its contents differ");
    // A file of another user is not believed.
    let world = World::new();
    chown(world.wheel.tree.join("p/a.py"), Some(user + 1), None).unwrap();
    world.refuses("own", "it belongs to another user");
}
