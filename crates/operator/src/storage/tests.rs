//! What every storage promises, told of each kind.

mod bucket;

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::{CreateOutcome, FileClass, FileContent, ReplaceOutcome, Storage};

const LIMIT: u64 = 1 << 20;

fn bytes(text: &str) -> FileContent {
    FileContent::Bytes(text.into())
}

/// What lies under `path`.
async fn text(storage: &Storage, path: &str) -> Option<String> {
    let read = storage.read(path, LIMIT).await.unwrap();
    read.map(|(bytes, _)| String::from_utf8(bytes).unwrap())
}

/// Everything that has to be true of any storage; it is empty before.
async fn keeps_its_promises(storage: &Storage) {
    nothing_is_there(storage).await;
    what_is_created_stays(storage).await;
    what_changes_is_replaced_knowingly(storage).await;
    of_many_one_wins(storage).await;
    is_listed_and_removed(storage).await;
    paths_that_lead_elsewhere_are_refused(storage).await;
}

async fn nothing_is_there(storage: &Storage) {
    assert_eq!(storage.read("tuf/timestamp.json", LIMIT).await.unwrap(), None);
    assert_eq!(storage.size("tuf/timestamp.json").await.unwrap(), None);
    assert!(storage.list("").await.unwrap().is_empty());
    assert!(storage.list("tuf").await.unwrap().is_empty());
    storage.delete("tuf/timestamp.json").await.unwrap();
    storage.flush().await.unwrap();
}

async fn what_is_created_stays(storage: &Storage) {
    let path = "tuf/1.snapshot.json";
    assert_eq!(storage.create(path, bytes("first"), FileClass::Metadata).await.unwrap(), CreateOutcome::Written);
    assert_eq!(storage.create(path, bytes("other"), FileClass::Metadata).await.unwrap(), CreateOutcome::Exists);
    assert_eq!(text(storage, path).await.as_deref(), Some("first"));
    assert_eq!(storage.size(path).await.unwrap(), Some(5));

    let staged = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(staged.path(), b"a wheel").unwrap();
    let wheel = "packages/aa/bb/cc/sample-1!2.0+local.1-py3-none-any.whl";
    let content = || FileContent::File(staged.path().to_owned());
    assert_eq!(storage.create(wheel, content(), FileClass::Distribution).await.unwrap(), CreateOutcome::Written);
    assert_eq!(storage.create(wheel, content(), FileClass::Distribution).await.unwrap(), CreateOutcome::Exists);
    assert_eq!(text(storage, wheel).await.as_deref(), Some("a wheel"));

    storage.flush().await.unwrap();
    let failure = storage.read(path, 4).await.unwrap_err();
    assert!(failure.message.contains("more than the 4 bytes"), "{failure}");
    assert!(storage.read(path, 5).await.unwrap().is_some());
}

async fn what_changes_is_replaced_knowingly(storage: &Storage) {
    let path = "tuf/timestamp.json";
    assert_eq!(storage.replace(path, b"one", FileClass::Timestamp, None).await.unwrap(), ReplaceOutcome::Done);
    assert_eq!(storage.replace(path, b"two", FileClass::Timestamp, None).await.unwrap(), ReplaceOutcome::Changed);
    let (_, one) = storage.read(path, LIMIT).await.unwrap().unwrap();
    assert_eq!(storage.replace(path, b"two", FileClass::Timestamp, Some(&one)).await.unwrap(), ReplaceOutcome::Done);
    assert_eq!(
        storage.replace(path, b"three", FileClass::Timestamp, Some(&one)).await.unwrap(),
        ReplaceOutcome::Changed
    );
    assert_eq!(text(storage, path).await.as_deref(), Some("two"));

    // What is expected and not there was changed too.
    storage.delete(path).await.unwrap();
    assert_eq!(
        storage.replace(path, b"three", FileClass::Timestamp, Some(&one)).await.unwrap(),
        ReplaceOutcome::Changed
    );
    assert_eq!(text(storage, path).await, None);
    assert_eq!(storage.replace(path, b"four", FileClass::Timestamp, None).await.unwrap(), ReplaceOutcome::Done);

    storage.put("simple/index.html", bytes("a"), FileClass::HtmlPage).await.unwrap();
    storage.put("simple/index.html", bytes("b"), FileClass::HtmlPage).await.unwrap();
    assert_eq!(text(storage, "simple/index.html").await.as_deref(), Some("b"));
}

/// Eight publishers at once count up one number. Who lost reads again, so that no step is lost.
async fn of_many_one_wins(storage: &Storage) {
    storage.put("counter", bytes("0"), FileClass::Timestamp).await.unwrap();
    let mut publishers = tokio::task::JoinSet::new();
    for publisher in 0..8 {
        let storage = storage.clone();
        publishers.spawn(async move {
            let path = format!("tuf/2.snapshot.json.{}", publisher % 2);
            let created = storage.create(&path, bytes(&publisher.to_string()), FileClass::Metadata).await.unwrap();
            loop {
                let (number, version) = storage.read("counter", LIMIT).await.unwrap().unwrap();
                let next = String::from_utf8(number).unwrap().parse::<u32>().unwrap() + 1;
                let next = next.to_string().into_bytes();
                let replaced = storage.replace("counter", &next, FileClass::Timestamp, Some(&version)).await.unwrap();
                if replaced == ReplaceOutcome::Done {
                    return created;
                }
            }
        });
    }
    let created = publishers.join_all().await;
    assert_eq!(created.iter().filter(|created| **created == CreateOutcome::Written).count(), 2, "one for each path");
    assert_eq!(text(storage, "counter").await.as_deref(), Some("8"));
    for path in ["counter", "tuf/2.snapshot.json.0", "tuf/2.snapshot.json.1"] {
        storage.delete(path).await.unwrap();
    }
}

async fn is_listed_and_removed(storage: &Storage) {
    let paths = |listed: Vec<super::StorageEntry>| listed.into_iter().map(|file| file.path).collect::<Vec<_>>();
    let all = storage.list("").await.unwrap();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    assert!(all.iter().all(|file| file.modified.abs_diff(now.cast_signed()) < 120), "{all:?}");
    assert_eq!(all[0].size, 7);
    let wheel = "packages/aa/bb/cc/sample-1!2.0+local.1-py3-none-any.whl";
    assert_eq!(paths(all), [wheel, "simple/index.html", "tuf/1.snapshot.json", "tuf/timestamp.json"]);
    assert_eq!(paths(storage.list("tuf").await.unwrap()), ["tuf/1.snapshot.json", "tuf/timestamp.json"]);
    // A directory, not the beginning of a name.
    assert!(storage.list("tu").await.unwrap().is_empty());

    storage.delete(wheel).await.unwrap();
    storage.delete(wheel).await.unwrap();
    assert_eq!(storage.size(wheel).await.unwrap(), None);
    assert!(storage.list("packages").await.unwrap().is_empty());
}

async fn paths_that_lead_elsewhere_are_refused(storage: &Storage) {
    let paths = ["", "/etc/passwd", "../outside", "a/../../outside", "a//b", "a/", ".", "a/./b", "a\\b", "a\nb"];
    for path in paths.into_iter().chain([".tufpip-lock", "tuf/.tufpip-new"]) {
        let failure = storage.put(path, bytes("x"), FileClass::HtmlPage).await.unwrap_err();
        assert_eq!(failure.code.name(), "repo.storage-path", "{path:?}");
        assert_eq!(storage.read(path, LIMIT).await.unwrap_err().code.name(), "repo.storage-path", "{path:?}");
        assert_eq!(storage.delete(path).await.unwrap_err().code.name(), "repo.storage-path", "{path:?}");
    }
}

/// A directory that is not there yet, and what keeps it.
fn directory() -> (TempDir, Storage) {
    let world = TempDir::new().unwrap();
    let storage = Storage::open(world.path().join("published").to_str().unwrap()).unwrap();
    (world, storage)
}

#[tokio::test]
async fn a_directory_keeps_its_promises() {
    let (world, storage) = directory();
    keeps_its_promises(&storage).await;

    let left: Vec<_> = testkit::tree(world.path());
    assert!(left.iter().all(|path| !path.contains("packages")), "empty directories go with the last file: {left:?}");
    let mode = world.path().join("published/tuf/timestamp.json").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o400, 0o400);
    assert_eq!(mode & 0o044, world.path().join("published/tuf").metadata().unwrap().permissions().mode() & 0o044);
}

#[tokio::test]
async fn a_directory_may_be_a_url_and_other_locations_are_refused() {
    let world = TempDir::new().unwrap();
    let storage = Storage::open(&format!("file://{}/published", world.path().display())).unwrap();
    storage.put("simple/index.html", bytes("a"), FileClass::HtmlPage).await.unwrap();
    assert_eq!(std::fs::read(world.path().join("published/simple/index.html")).unwrap(), b"a");

    for location in ["", "https://me:secret@pkgs.example.org/simple/", "file://other-host/x", "gs://bucket"] {
        let failure = Storage::open(location).unwrap_err();
        assert_eq!(failure.exit_code(), 2, "{location}");
        assert!(!failure.to_string().contains("secret"), "{failure}");
    }
}

#[tokio::test]
async fn links_do_not_lead_out_of_a_directory() {
    let (world, storage) = directory();
    storage.put("simple/index.html", bytes("a"), FileClass::HtmlPage).await.unwrap();
    let (outside, published) = (world.path().join("outside"), world.path().join("published"));
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("secret"), b"secret").unwrap();
    symlink(&outside, published.join("tuf")).unwrap();
    symlink(outside.join("secret"), published.join("simple/secret")).unwrap();
    symlink("nowhere", published.join("simple/dangling")).unwrap();

    let before = testkit::tree(&outside);
    for path in ["tuf/1.root.json", "tuf/secret", "tuf/deeper/file", "simple/secret", "simple/dangling"] {
        let created = storage.create(path, bytes("x"), FileClass::Metadata).await.unwrap_err();
        assert!(created.message.contains("symbolic link"), "{created}");
        storage.put(path, bytes("x"), FileClass::HtmlPage).await.unwrap_err();
        storage.replace(path, b"x", FileClass::Timestamp, None).await.unwrap_err();
        storage.read(path, LIMIT).await.unwrap_err();
        storage.size(path).await.unwrap_err();
        storage.delete(path).await.unwrap_err();
    }
    storage.list("tuf").await.unwrap_err();
    assert_eq!(storage.list("").await.unwrap().len(), 1, "links are not published files");
    assert_eq!(testkit::tree(&outside), before);
}

#[tokio::test]
async fn what_a_killed_publisher_left_is_not_published_and_goes_after_a_day() {
    let (world, storage) = directory();
    storage.replace("tuf/timestamp.json", b"one", FileClass::Timestamp, None).await.unwrap();
    let tuf = world.path().join("published/tuf");
    let (old, new) = (tuf.join(".tufpip-old"), tuf.join(".tufpip-new"));
    let day = Duration::from_secs(25 * 3600);
    for (path, age) in [(&old, day), (&new, Duration::ZERO)] {
        std::fs::write(path, b"half a fi").unwrap();
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }
    let lock = std::fs::File::options().write(true).open(world.path().join("published/.tufpip-lock")).unwrap();
    lock.set_modified(SystemTime::now() - day).unwrap();

    assert_eq!(storage.list("").await.unwrap().len(), 1);
    storage.remove_unfinished().await.unwrap();
    assert!(!old.exists() && new.exists());
    assert!(world.path().join("published/.tufpip-lock").exists(), "somebody may be waiting for it");
    assert_eq!(text(&storage, "tuf/timestamp.json").await.as_deref(), Some("one"));
}

#[tokio::test]
async fn a_file_that_a_crash_of_the_machine_damaged_is_written_again() {
    let (world, storage) = directory();
    let damage = |path: &str, left: &[u8]| std::fs::write(world.path().join("published").join(path), left).unwrap();
    let (wheel, snapshot) = ("packages/aa/a.whl", "tuf/2.snapshot.json");
    for path in [wheel, snapshot] {
        storage.put(path, bytes("whole"), FileClass::HtmlPage).await.unwrap();
    }
    damage(wheel, b"who");
    assert_eq!(storage.create(wheel, bytes("whole"), FileClass::Distribution).await.unwrap(), CreateOutcome::Written);
    assert_eq!(text(&storage, wheel).await.as_deref(), Some("whole"));
    // What is there of this one may be all of another publisher's, unless nothing is.
    damage(snapshot, b"who");
    assert_eq!(storage.create(snapshot, bytes("whole"), FileClass::Metadata).await.unwrap(), CreateOutcome::Exists);
    assert_eq!(text(&storage, snapshot).await.as_deref(), Some("who"));
    damage(snapshot, b"");
    let mut publishers = tokio::task::JoinSet::new();
    for publisher in 0..8 {
        let storage = storage.clone();
        publishers.spawn(async move {
            storage.create(snapshot, bytes(&format!("whole {publisher}")), FileClass::Metadata).await.unwrap()
        });
    }
    let created = publishers.join_all().await;
    assert_eq!(created.iter().filter(|created| **created == CreateOutcome::Written).count(), 1);
    assert!(text(&storage, snapshot).await.unwrap().starts_with("whole "));
}

#[tokio::test]
async fn whoever_cannot_write_says_so_and_leaves_nothing() {
    let (world, storage) = directory();
    storage.put("simple/index.html", bytes("a"), FileClass::HtmlPage).await.unwrap();
    // Something that is no directory where one is needed.
    let failure = storage.put("simple/index.html/deeper", bytes("a"), FileClass::HtmlPage).await.unwrap_err();
    assert_eq!((failure.code.name(), failure.exit_code()), ("repo.storage", 1), "{failure}");
    let missing = FileContent::File(world.path().join("missing.whl"));
    let failure = storage.create("packages/a.whl", missing, FileClass::Distribution).await.unwrap_err();
    assert!(failure.message.contains("missing.whl"), "{failure}");
    let left: Vec<_> = testkit::tree(world.path()).into_iter().filter(|line| !line.ends_with('/')).collect();
    assert!(left.len() == 1 && left[0].starts_with("published/simple/index.html "), "{left:?}");
}

#[tokio::test]
async fn few_files_and_many_settle() {
    let (world, storage) = directory();
    for count in [3, 600] {
        for number in 0..count {
            let path = format!("packages/{count}/{number}.whl");
            storage.create(&path, bytes("wheel"), FileClass::Distribution).await.unwrap();
        }
        // What is gone again is not waited for.
        storage.delete(&format!("packages/{count}/0.whl")).await.unwrap();
        storage.flush().await.unwrap();
    }
    storage.put("simple/index.html", bytes("page"), FileClass::HtmlPage).await.unwrap();
    std::fs::remove_dir_all(world.path().join("published")).unwrap();
    storage.flush().await.unwrap();
}
