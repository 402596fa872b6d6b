//! Whose journals are obeyed: what lies in an environment may have come with an archive, or from another user.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::placing::{key, picture};
use wheel::{SealKey, Transaction, TransactionError};

/// A library with a module in it, beside a directory that is none of its business.
struct World {
    directory: tempfile::TempDir,
    library: PathBuf,
    outside: PathBuf,
}

/// What may be wrong with a staging directory, besides its journal.
type Flaw = fn(&World);

impl World {
    fn new() -> World {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        let (library, outside) = (root.join("library"), root.join("outside"));
        fs::create_dir(&library).unwrap();
        fs::create_dir(&outside).unwrap();
        fs::write(library.join("module.py"), "new").unwrap();
        fs::write(outside.join("precious"), "mine").unwrap();
        World { directory, library, outside }
    }

    fn staging(&self) -> PathBuf {
        self.library.join(".tufpip-staging-1-abc")
    }

    /// What an interrupted change leaves that has replaced the file `path`.
    fn interrupted(&self, path: &Path, key: Option<&SealKey>) {
        let staging = self.staging();
        for inner in ["new", "old"] {
            fs::create_dir_all(staging.join(inner)).unwrap();
        }
        fs::set_permissions(&staging, fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(staging.join("old/0"), "old").unwrap();
        let path = path.as_os_str().as_bytes();
        let parts = [b"tufpip journal 3\0away\x000\x000\0", path, b"\0place\x000\x001\0", path, b"\0end\0"];
        let mut text = parts.concat();
        text.extend_from_slice(&Sha256::digest(&text));
        let library = self.library.as_os_str().as_bytes();
        match key {
            Some(key) => key.seal(&[b"staging", library, b".tufpip-staging-1-abc", b"journal"], &mut text),
            None => text.extend([0; 32]),
        }
        fs::write(staging.join("journal"), text).unwrap();
    }

    fn recover(&self, key: Option<&SealKey>) -> Result<usize, TransactionError> {
        Transaction::begin(&self.library, key, || ()).map(|transaction| transaction.recovered().rolled_back)
    }

    /// The journal is not obeyed and the disk stays as it is.
    #[track_caller]
    fn refuses(&self, key: Option<&SealKey>, pieces: &[&str]) {
        let before = picture(self.directory.path());
        let error = self.recover(key).unwrap_err();
        let TransactionError::StagingNotBelieved { path, problem, remedy } = &error else { panic!("{error}") };
        assert_eq!(*path, self.staging());
        for piece in pieces {
            assert!(problem.contains(piece) || remedy.contains(piece), "{piece}: {problem}; {remedy}");
        }
        assert_eq!(picture(self.directory.path()), before);
    }

    #[track_caller]
    fn obeys(&self, key: Option<&SealKey>, path: &Path) {
        assert_eq!(self.recover(key).unwrap(), 1);
        assert_eq!(fs::read_to_string(path).unwrap(), "old");
        assert!(!self.staging().exists());
    }
}

#[test]
fn with_its_seal_a_journal_leads_wherever_the_transaction_went() {
    let world = World::new();
    let script = world.outside.join("tool");
    fs::write(&script, "new").unwrap();
    world.interrupted(&script, Some(&key()));
    world.obeys(Some(&key()), &script);
}

/// Another HOME after a kill must not block an environment for good.
#[test]
fn without_its_seal_it_leads_nowhere_but_into_its_own_library() {
    for (sealed_by, reader) in
        [(None, Some(key())), (None, None), (Some(SealKey::new([8; 32])), Some(key())), (Some(key()), None)]
    {
        let world = World::new();
        world.interrupted(&world.library.join("module.py"), sealed_by.as_ref());
        world.obeys(reader.as_ref(), &world.library.join("module.py"));

        let world = World::new();
        world.interrupted(&world.outside.join("precious"), sealed_by.as_ref());
        world.refuses(reader.as_ref(), &["outside/precious", "same user", "HOME"]);
        // Its owner is not kept out.
        if sealed_by == Some(key()) {
            world.obeys(Some(&key()), &world.outside.join("precious"));
        }
    }
}

#[test]
fn a_journal_moved_to_another_library_or_name_is_not_obeyed() {
    let world = World::new();
    world.interrupted(&world.outside.join("precious"), Some(&key()));
    let other = world.library.with_file_name("other");
    fs::rename(&world.library, &other).unwrap();
    let moved = World { library: other.clone(), outside: world.outside.clone(), directory: world.directory };
    moved.refuses(Some(&key()), &["outside/precious"]);
    fs::rename(moved.staging(), other.join(".tufpip-staging-2-abc")).unwrap();
    assert!(matches!(moved.recover(Some(&key())), Err(TransactionError::StagingNotBelieved { .. })));
    assert_eq!(fs::read_to_string(moved.outside.join("precious")).unwrap(), "mine");
}

#[test]
fn paths_that_lead_out_are_not_followed() {
    for inner in ["../outside/precious", "x/../../outside/precious"] {
        let world = World::new();
        world.interrupted(&world.library.join(inner), None);
        world.refuses(Some(&key()), &["no plain path"]);
        // Not even one's own.
        let world = World::new();
        world.interrupted(&world.library.join(inner), Some(&key()));
        world.refuses(Some(&key()), &["no plain path"]);
    }
    for key in [None, Some(key())] {
        let world = World::new();
        symlink(&world.outside, world.library.join("link")).unwrap();
        world.interrupted(&world.library.join("link/precious"), key.as_ref());
        let before = picture(world.directory.path());
        assert!(matches!(world.recover(key.as_ref()), Err(TransactionError::Wheel(_))));
        assert_eq!(picture(world.directory.path()), before);
    }
}

#[test]
fn only_ones_own_private_directories_are_believed() {
    let flaws: [(Flaw, &str); 6] = [
        (|world| fs::set_permissions(world.staging(), fs::Permissions::from_mode(0o755)).unwrap(), "mode 755"),
        (|world| fs::set_permissions(world.staging(), fs::Permissions::from_mode(0o770)).unwrap(), "mode 770"),
        (
            |world| {
                let journal = world.staging().join("journal");
                fs::set_permissions(journal, fs::Permissions::from_mode(0o666)).unwrap();
            },
            "its journal is not your own",
        ),
        (
            |world| {
                let elsewhere = world.outside.join("staging");
                fs::rename(world.staging(), &elsewhere).unwrap();
                symlink(&elsewhere, world.staging()).unwrap();
            },
            "a transaction has never left such a thing",
        ),
        (
            |world| {
                fs::remove_dir_all(world.staging()).unwrap();
                fs::write(world.staging(), "").unwrap();
            },
            "a transaction has never left such a thing",
        ),
        // Without a journal it is waste, which is deleted only if it is one's own.
        (
            |world| {
                fs::remove_file(world.staging().join("journal")).unwrap();
                fs::set_permissions(world.staging(), fs::Permissions::from_mode(0o755)).unwrap();
            },
            "mode 755",
        ),
    ];
    for (flaw, problem) in flaws {
        let world = World::new();
        world.interrupted(&world.library.join("module.py"), Some(&key()));
        flaw(&world);
        world.refuses(Some(&key()), &[problem, "delete"]);
    }
}

#[test]
fn the_journal_of_another_user_is_his() {
    let world = World::new();
    world.interrupted(&world.library.join("module.py"), Some(&key()));
    let user = fs::metadata(&world.library).unwrap().uid();
    if chown(world.staging(), Some(user + 1), None).is_err() {
        println!("skipped: only root can give files away");
        return;
    }
    let owner = format!("user {}", user + 1);
    world.refuses(Some(&key()), &["it belongs to", &owner, "has to run tufpip here"]);
    chown(world.staging(), Some(user), None).unwrap();
    chown(world.staging().join("journal"), Some(user + 1), None).unwrap();
    world.refuses(Some(&key()), &["its journal is not your own", &owner]);
    chown(world.staging().join("journal"), Some(user), None).unwrap();
    world.obeys(Some(&key()), &world.library.join("module.py"));
}

/// All are looked at before the first is obeyed.
#[test]
fn one_bad_directory_stops_the_recovery_of_all() {
    let world = World::new();
    world.interrupted(&world.library.join("module.py"), Some(&key()));
    fs::create_dir(world.library.join(".tufpip-staging-9")).unwrap();
    let before = picture(world.directory.path());
    assert!(matches!(world.recover(Some(&key())), Err(TransactionError::StagingNotBelieved { .. })));
    assert_eq!(picture(world.directory.path()), before);
}

/// The list of further staging directories says what gets deleted.
#[test]
fn an_unsealed_list_of_directories_deletes_nothing_elsewhere() {
    let world = World::new();
    let other = world.outside.join(".tufpip-staging-1-abc");
    for directory in [world.staging(), other.clone()] {
        fs::create_dir(&directory).unwrap();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).unwrap();
    }
    let mut list = [world.outside.as_os_str().as_bytes(), b"\0"].concat();
    list.extend_from_slice(&Sha256::digest(&list));
    list.extend([0; 32]);
    fs::write(world.staging().join("others"), &list).unwrap();
    world.refuses(Some(&key()), &["outside"]);
    list.truncate(list.len() - 32);
    let library = world.library.as_os_str().as_bytes();
    key().seal(&[b"staging", library, b".tufpip-staging-1-abc", b"others"], &mut list);
    fs::write(world.staging().join("others"), &list).unwrap();
    assert_eq!(world.recover(Some(&key())).unwrap(), 0);
    assert!(!other.exists() && !world.staging().exists());
}
