//! The store under a whole client: several at once, killed and failing between any two changes of the disk, and damaged.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a failing test may panic")]

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{Command, ForgedSignatures, Index, Outcome, SignedIndex, SignedServer, Wheel};
use tuf::metadata::claimed_version;
use tuf::{Client, Event, Fetched, Limits, Mode, RemoteFile, Request, RequestId, StoredFile, UnixTime};

use super::{Locked, MetadataStore, write_state};

const SIGKILL: i32 = 9;

// ---- faults -----------------------------------------------------------------------------------------------------------

#[derive(Clone, Copy)]
enum Fault {
    None,
    Kill,
    Fail,
    FailFromThenOn,
}

thread_local! {
    static STEPS: Cell<u32> = const { Cell::new(0) };
    static FAULT: Cell<(u32, Fault)> = const { Cell::new((0, Fault::None)) };
}

pub(super) fn step() -> io::Result<()> {
    let now = STEPS.get();
    STEPS.set(now + 1);
    let full = || Err(io::Error::new(io::ErrorKind::StorageFull, "no space left"));
    match FAULT.get() {
        (at, Fault::Kill) if at == now => {
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).unwrap();
            Ok(())
        }
        (at, Fault::Fail) if at == now => full(),
        (at, Fault::FailFromThenOn) if at <= now => full(),
        _ => Ok(()),
    }
}

fn set_fault(at: u32, fault: Fault) {
    STEPS.set(0);
    FAULT.set((at, fault));
}

// ---- clients ----------------------------------------------------------------------------------------------------------

/// What a repository serves, by name.
type Files = BTreeMap<String, Vec<u8>>;

/// A client on a store, whose fetches are answered when the test says so.
struct Process {
    client: Client,
    store: MetadataStore,
    fetches: VecDeque<(RequestId, RemoteFile)>,
    warnings: Vec<String>,
}

#[derive(Debug, PartialEq, Eq)]
struct Versions {
    root: u64,
    timestamp: u64,
    snapshot: u64,
}

impl Process {
    fn begin(directory: &Path, root: &[u8]) -> Self {
        Self::in_mode(directory, root, Mode::Online)
    }

    fn in_mode(directory: &Path, root: &[u8], mode: Mode) -> Self {
        let now = UnixTime(i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap());
        let client = Client::new(root, now, mode, Limits::default()).unwrap();
        let store = MetadataStore::new(Some(directory.join("index")), directory.join("roles"));
        let mut process = Self { client, store, fetches: VecDeque::new(), warnings: Vec::new() };
        process.carry_out();
        process
    }

    /// Everything but fetches.
    fn carry_out(&mut self) {
        while let Some(request) = self.client.poll_request() {
            let root = self.client.root().version;
            match request {
                Request::Load { id, file } => {
                    let bytes = self.store.load(&file);
                    self.client.loaded(id, bytes.as_deref());
                }
                Request::Fetch { id, file } => self.fetches.push_back((id, file)),
                Request::Store { file, bytes, version } => {
                    let stored = self.store.store(&file, &bytes, version, root);
                    self.warnings.extend(stored.err().map(|error| error.to_string()));
                }
                Request::Delete { file, before_root } => {
                    let deleted = self.store.delete(&file, before_root, root);
                    self.warnings.extend(deleted.err().map(|error| error.to_string()));
                }
            }
        }
    }

    /// Answers the fetch of this role, which must be under way.
    fn answer(&mut self, role: &str, files: &Files) {
        let at = self.fetches.iter().position(|(_, file)| file.role.as_str() == role).unwrap();
        let (id, file) = self.fetches.remove(at).unwrap();
        self.client.fetched(id, files.get(&file.name).map_or(Fetched::Absent, |bytes| Fetched::Body(bytes)));
        self.carry_out();
    }

    /// Answers everything.
    fn finish(mut self, files: &Files) -> Result<(Versions, Vec<String>), tuf::Error> {
        while let Some(role) = self.fetches.front().map(|(_, file)| file.role.as_str().to_owned()) {
            self.answer(&role, files);
        }
        while let Some(event) = self.client.poll_event() {
            if let Event::Failed(error) = event {
                return Err(error);
            }
        }
        let epoch = self.client.epoch().unwrap();
        let (root, timestamp, snapshot) =
            (self.client.root().version, epoch.timestamp().version, epoch.snapshot().version);
        Ok((Versions { root, timestamp, snapshot }, self.warnings))
    }
}

fn run(directory: &Path, files: &Files) -> Result<(Versions, Vec<String>), tuf::Error> {
    Process::begin(directory, &files["1.root.json"]).finish(files)
}

fn offline(directory: &Path, files: &Files) -> Result<(Versions, Vec<String>), tuf::Error> {
    Process::in_mode(directory, &files["1.root.json"], Mode::Offline).finish(files)
}

// ---- repositories and what is stored ----------------------------------------------------------------------------------

fn repository() -> SignedServer {
    SignedIndex::new(Index::new().add(Wheel::new("app", "1.0").build())).serve()
}

/// The metadata as of now.
fn today(server: &SignedServer) -> Files {
    let files = server.files().into_iter();
    files.filter_map(|(path, bytes)| Some((path.strip_prefix("/tuf/")?.to_owned(), bytes))).collect()
}

fn publish(server: &SignedServer) {
    let version = format!("1.{}", server.version("snapshot"));
    server.publish(|index| index.add(Wheel::new("app", &version).build()));
}

fn newest(server: &SignedServer) -> Versions {
    let version = |role| server.version(role);
    Versions { root: version("root"), timestamp: version("timestamp"), snapshot: version("snapshot") }
}

/// A timestamp of the far future for the same snapshot, as one who has stolen its key makes it.
fn far_ahead(server: &SignedServer, version: u64) -> Files {
    let mut signed = server.signed("timestamp");
    signed["version"] = version.into();
    let mut files = today(server);
    files.insert("timestamp.json".to_owned(), server.file_signed_by("timestamp", &signed, ForgedSignatures::RightKeys));
    files
}

fn stored(directory: &Path, name: &str) -> Option<u64> {
    let bytes = fs::read(directory.join("index").join(name)).ok()?;
    Some(claimed_version(&bytes).unwrap_or_else(|| panic!("{name} is not whole")))
}

fn newest_root(directory: &Path) -> u64 {
    let history = fs::read_dir(directory.join("index/root_history")).into_iter().flatten();
    let versions = history.filter_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let version: u64 = name.strip_suffix(".root.json")?.parse().unwrap();
        assert_eq!(stored(directory, &format!("root_history/{name}")), Some(version));
        Some(version)
    });
    versions.max().unwrap_or(1)
}

#[track_caller]
fn expect_stored(directory: &Path, versions: &Versions) {
    assert_eq!(stored(directory, "timestamp.json"), Some(versions.timestamp));
    assert_eq!(stored(directory, "snapshot.json"), Some(versions.snapshot));
    assert_eq!(newest_root(directory), versions.root);
    assert!(stored(directory, "root.json").is_none_or(|version| version == versions.root));
    assert_eq!(unfinished(directory), Vec::<String>::new());
}

fn unfinished(directory: &Path) -> Vec<String> {
    testkit::tree(directory).into_iter().filter(|line| line.contains(super::UNFINISHED)).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

// ---- one after the other ----------------------------------------------------------------------------------------------

#[test]
fn what_was_verified_is_there_for_the_next_and_for_nobody_else() {
    let (server, directory) = (repository(), TempDir::new().unwrap());
    server.rotate_root(2);
    let files = today(&server);
    let (versions, warnings) = run(directory.path(), &files).unwrap();
    assert_eq!((versions, warnings), (newest(&server), Vec::new()));
    expect_stored(directory.path(), &newest(&server));
    assert_eq!(offline(directory.path(), &files).unwrap().0, newest(&server));
    for (path, mode) in [("index", 0o700), ("index/root_history", 0o700)] {
        assert_eq!(fs::metadata(directory.path().join(path)).unwrap().permissions().mode() & 0o777, mode, "{path}");
    }
    for path in ["timestamp.json", "snapshot.json", "targets.json", "root.json", "root_history/3.root.json", "lock"] {
        let mode = fs::metadata(directory.path().join("index").join(path)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{path}");
    }
}

#[test]
fn an_older_state_is_refused_and_not_stored() {
    let (server, directory) = (repository(), TempDir::new().unwrap());
    let yesterday = today(&server);
    publish(&server);
    run(directory.path(), &today(&server)).unwrap();
    run(directory.path(), &yesterday).unwrap_err();
    expect_stored(directory.path(), &newest(&server));
}

#[test]
fn a_root_put_there_by_hand_is_kept_when_another_follows() {
    let (server, directory) = (repository(), TempDir::new().unwrap());
    fs::create_dir(directory.path().join("index")).unwrap();
    fs::write(directory.path().join("index/root.json"), server.root()).unwrap();
    server.rotate_root(1);
    run(directory.path(), &today(&server)).unwrap();
    assert_eq!(fs::read(directory.path().join("index/root_history/1.root.json")).unwrap(), server.root());
    assert_eq!(stored(directory.path(), "root.json"), Some(2));
}

/// The operator began anew after losing the root keys, and the anchor, which lies elsewhere, was replaced.
#[test]
fn roots_of_another_chain_do_not_stop_the_memory() {
    let (lost, anew, directory) = (repository(), repository(), TempDir::new().unwrap());
    lost.rotate_root(4);
    for _ in 0..5 {
        publish(&lost);
    }
    run(directory.path(), &today(&lost)).unwrap();
    let yesterday = today(&anew);
    publish(&anew);
    let (versions, warnings) = run(directory.path(), &today(&anew)).unwrap();
    assert_eq!((versions, warnings), (newest(&anew), Vec::new()));
    assert_eq!(stored(directory.path(), "timestamp.json"), Some(newest(&anew).timestamp));
    run(directory.path(), &yesterday).unwrap_err();
    // Its next root takes the place of the other chain's, too.
    anew.rotate_root(1);
    run(directory.path(), &today(&anew)).unwrap();
    assert_eq!(fs::read(directory.path().join("index/root_history/2.root.json")).unwrap(), today(&anew)["2.root.json"]);
}

#[test]
fn a_removed_index_does_not_come_back() {
    let (server, directory) = (repository(), TempDir::new().unwrap());
    run(directory.path(), &today(&server)).unwrap();
    publish(&server);
    let process = Process::begin(directory.path(), &server.root());
    fs::remove_dir_all(directory.path().join("index")).unwrap();
    let (_, warnings) = process.finish(&today(&server)).unwrap();
    assert!(!warnings.is_empty());
    assert!(!directory.path().join("index").exists());
}

// ---- side by side -----------------------------------------------------------------------------------------------------

#[test]
fn a_slow_process_is_not_refused_because_a_fast_one_has_stored_newer_metadata() {
    let server = repository();
    // After so many answers the fast one overtakes it.
    for answered in 0..=3 {
        let directory = TempDir::new().unwrap();
        run(directory.path(), &today(&server)).unwrap();
        publish(&server);
        let before = today(&server);
        let mut slow = Process::begin(directory.path(), &server.root());
        for role in ["timestamp", "root", "snapshot"].into_iter().take(answered) {
            slow.answer(role, &before);
        }
        publish(&server);
        run(directory.path(), &today(&server)).unwrap();
        let (versions, warnings) = slow.finish(&before).unwrap();
        assert_eq!((versions.timestamp + 1, warnings), (newest(&server).timestamp, Vec::new()));
        expect_stored(directory.path(), &newest(&server));
        assert_eq!(offline(directory.path(), &before).unwrap().0, newest(&server), "after {answered} answers");
    }
}

#[test]
fn a_process_that_does_not_know_the_new_root_stores_nothing_under_the_old_one() {
    let (server, directory) = (repository(), TempDir::new().unwrap());
    run(directory.path(), &today(&server)).unwrap();
    publish(&server);
    let before = today(&server);
    let mut late = Process::begin(directory.path(), &server.root());
    late.answer("root", &before);
    server.rotate("timestamp");
    publish(&server);
    run(directory.path(), &today(&server)).unwrap();
    let (versions, warnings) = late.finish(&before).unwrap();
    assert_eq!((versions.root, warnings), (1, Vec::new()));
    expect_stored(directory.path(), &newest(&server));
}

#[test]
fn a_file_that_was_refused_and_repaired_by_another_process_stays() {
    let (server, directory) = (repository(), TempDir::new().unwrap());
    run(directory.path(), &today(&server)).unwrap();
    let before = today(&server);
    fs::write(directory.path().join("index/timestamp.json"), "{}").unwrap();
    let mut slow = Process::begin(directory.path(), &server.root());
    publish(&server);
    run(directory.path(), &today(&server)).unwrap();
    slow.answer("root", &before);
    assert_eq!(stored(directory.path(), "timestamp.json"), Some(newest(&server).timestamp));
    slow.finish(&before).unwrap();
    expect_stored(directory.path(), &newest(&server));
}

#[test]
fn two_that_follow_the_same_new_root_delete_once() {
    let (server, directory) = (repository(), TempDir::new().unwrap());
    run(directory.path(), &far_ahead(&server, 1000)).unwrap();
    let mut slow = Process::begin(directory.path(), &server.root());
    server.rotate("timestamp");
    run(directory.path(), &today(&server)).unwrap();
    let files = today(&server);
    slow.answer("root", &files);
    assert_eq!(stored(directory.path(), "timestamp.json"), Some(newest(&server).timestamp));
    slow.finish(&files).unwrap();
    expect_stored(directory.path(), &newest(&server));
}

#[test]
fn writers_wait_for_the_lock() {
    let (server, directory) = (repository(), TempDir::new().unwrap());
    run(directory.path(), &today(&server)).unwrap();
    publish(&server);
    let index = directory.path().join("index");
    let locked = Locked::take(&index).unwrap();
    let files = today(&server);
    std::thread::scope(|scope| {
        let process = scope.spawn(|| run(directory.path(), &files).unwrap());
        std::thread::sleep(Duration::from_millis(100));
        assert!(!process.is_finished());
        assert_eq!(stored(directory.path(), "timestamp.json"), Some(1));
        drop(locked);
    });
    expect_stored(directory.path(), &newest(&server));
}

// ---- killed and failing -----------------------------------------------------------------------------------------------

/// A store with an older state, and what the repository has now.
struct World {
    directory: TempDir,
    before: Versions,
    files: Files,
    after: Versions,
}

impl World {
    /// More of everything.
    fn grown() -> Self {
        let server = repository();
        Self::new(&server, &today(&server), || {
            server.rotate_root(2);
            publish(&server);
        })
    }

    /// The keys of the timestamp were stolen and taken away: what was stored has to be forgotten, exactly once.
    fn recovered() -> Self {
        let server = repository();
        Self::new(&server, &far_ahead(&server, 1000), || {
            server.rotate("timestamp");
            publish(&server);
        })
    }

    fn new(server: &SignedServer, first: &Files, change: impl FnOnce()) -> Self {
        let directory = TempDir::new().unwrap();
        let (before, _) = run(&directory.path().join("template"), first).unwrap();
        change();
        let files = today(server);
        fs::create_dir(directory.path().join("files")).unwrap();
        for (name, bytes) in &files {
            fs::write(directory.path().join("files").join(name), bytes).unwrap();
        }
        let world = Self { directory, before, files, after: newest(server) };
        world.reset();
        world
    }

    fn store(&self) -> PathBuf {
        self.directory.path().join("store")
    }

    fn reset(&self) {
        let _ = fs::remove_dir_all(self.store());
        copy(&self.directory.path().join("template"), &self.store());
    }

    /// A process of its own that is killed at this step, if it comes to it.
    fn killed_at(&self, step: u32) -> Outcome {
        let (_, module) = module_path!().split_once("::").unwrap();
        Command::at_home(std::env::current_exe().unwrap(), &self.directory.path().join("home"))
            .args(["--exact", &format!("{module}::child"), "--nocapture"])
            .env("TUFPIP_TEST_DIRECTORY", self.directory.path())
            .env("TUFPIP_TEST_KILL_AT", step.to_string())
            .run()
    }

    /// Nothing half, nothing older; where keys were taken away, nothing of the time before under the new root.
    fn expect_consistent(&self, step: u32) {
        let (root, timestamp) = (newest_root(&self.store()), stored(&self.store(), "timestamp.json"));
        assert!(root >= self.before.root, "step {step}");
        stored(&self.store(), "targets.json");
        stored(&self.store(), "root.json");
        let snapshot = stored(&self.store(), "snapshot.json");
        if self.before.timestamp < self.after.timestamp {
            assert!(timestamp.unwrap() >= self.before.timestamp, "step {step}");
            assert!(snapshot.unwrap() >= self.before.snapshot, "step {step}");
        } else {
            assert!(root == self.before.root || timestamp != Some(self.before.timestamp), "step {step}");
        }
    }

    fn expect_next_works(&self) {
        let (versions, warnings) = run(&self.store(), &self.files).unwrap();
        assert_eq!((&versions, warnings), (&self.after, Vec::new()));
        expect_stored(&self.store(), &self.after);
        assert_eq!(offline(&self.store(), &self.files).unwrap().0, self.after);
    }
}

/// Not a test by itself: what the killed process does.
#[test]
fn child() {
    let Some(directory) = std::env::var_os("TUFPIP_TEST_DIRECTORY").map(PathBuf::from) else { return };
    let files: Files = fs::read_dir(directory.join("files"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    set_fault(std::env::var("TUFPIP_TEST_KILL_AT").unwrap().parse().unwrap(), Fault::Kill);
    run(&directory.join("store"), &files).unwrap();
}

#[test]
fn killed_between_any_two_changes_of_the_disk() {
    for (world, at_least) in [(World::grown(), 30), (World::recovered(), 25)] {
        for step in 0.. {
            world.reset();
            let outcome = world.killed_at(step);
            if outcome.succeeded() {
                assert!(outcome.stdout.contains("1 passed"), "{}", outcome.stdout);
                assert!(step >= at_least, "only {step} steps");
                break;
            }
            assert_eq!(outcome.signal, Some(SIGKILL), "step {step}");
            world.expect_consistent(step);
            world.expect_next_works();
        }
    }
}

/// The disk is full, for a moment or from then on.
#[test]
fn failing_at_any_change_of_the_disk() {
    for world in [World::grown(), World::recovered()] {
        for fault in [Fault::Fail, Fault::FailFromThenOn] {
            for step in 0.. {
                world.reset();
                set_fault(step, fault);
                let (versions, warnings) = run(&world.store(), &world.files).unwrap();
                let steps = STEPS.get();
                set_fault(0, Fault::None);
                assert_eq!(versions, world.after, "verified all the same");
                if steps <= step {
                    break;
                }
                assert!(!warnings.is_empty(), "step {step}");
                world.expect_consistent(step);
                world.expect_next_works();
            }
        }
    }
}

// ---- damaged ----------------------------------------------------------------------------------------------------------

/// Every file but the anchor, which lies elsewhere, in every way.
#[test]
fn whatever_is_damaged_is_repaired() {
    let world = World::grown();
    run(&world.store(), &world.files).unwrap();
    fs::remove_dir_all(world.directory.path().join("template")).unwrap();
    copy(&world.store(), &world.directory.path().join("template"));
    let names = ["timestamp.json", "snapshot.json", "targets.json", "root.json", "lock", "root_history/2.root.json"];
    let names = names.into_iter().chain(["root_history/3.root.json", "root_history"]);
    for name in names {
        for (damage, how) in damages() {
            world.reset();
            let path = world.store().join("index").join(name);
            let bytes = fs::read(&path).unwrap_or_default();
            if path.is_dir() {
                fs::remove_dir_all(&path).unwrap()
            } else {
                fs::remove_file(&path).unwrap()
            }
            how(&path, &bytes);
            let (versions, warnings) = run(&world.store(), &world.files).unwrap();
            assert_eq!((&versions, warnings), (&world.after, Vec::new()), "{name}: {damage}");
            assert_eq!(offline(&world.store(), &world.files).unwrap().0, world.after, "{name}: {damage}");
            // And it is a memory again.
            let timestamp = stored(&world.store(), "timestamp.json");
            assert_eq!(timestamp, Some(world.after.timestamp), "{name}: {damage}");
        }
    }
}

type Damage = fn(&Path, &[u8]);

fn damages() -> [(&'static str, Damage); 10] {
    [
        ("deleted", |_, _| ()),
        ("emptied", |path, _| fs::write(path, "").unwrap()),
        ("truncated", |path, bytes| fs::write(path, &bytes[..bytes.len() / 2]).unwrap()),
        ("garbage", |path, _| fs::write(path, [0xff; 3000]).unwrap()),
        ("another role's", |path, _| {
            let other = if path.ends_with("snapshot.json") { "targets.json" } else { "snapshot.json" };
            let index = path.ancestors().find(|directory| directory.ends_with("index")).unwrap();
            let _ = fs::copy(index.join(other), path).unwrap();
        }),
        ("version 999 without signatures", |path, bytes| {
            let Ok(mut file) = serde_json::from_slice::<Value>(bytes) else { return };
            file["signed"]["version"] = 999.into();
            file["signatures"] = json!([]);
            fs::write(path, file.to_string()).unwrap();
        }),
        ("a directory", |path, _| {
            fs::create_dir_all(path.join("with")).unwrap();
            fs::write(path.join("with/something"), "in it").unwrap();
        }),
        ("a link to nowhere", |path, _| symlink("nowhere", path).unwrap()),
        ("a pipe", |path, _| {
            Command::new("mkfifo").arg(path).run().expect_code(0);
        }),
        ("unreadable", |path, bytes| {
            fs::write(path, bytes).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
        }),
    ]
}

#[test]
fn another_program_writes_its_files_under_the_same_lock() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("trust.json");
    write_state(directory.path(), &path, b"{}").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"{}");
    let store = MetadataStore::new(Some(directory.path().to_owned()), directory.path().join("roles"));
    assert_eq!(store.load(&StoredFile::Timestamp), None);
}
