//! A bucket of a store on this machine.

use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use testkit::{Fault, S3Server, Server, Write};

use super::{LIMIT, bytes, keeps_its_promises, text};
use crate::storage::bucket::Bucket;
use crate::storage::{CreateOutcome, FileClass, FileContent, ReplaceOutcome, Storage};

/// What the environment variables of `store` say, with some of them changed.
fn open(store: &S3Server, location: &str, changed: &[(&str, &str)]) -> Storage {
    let mut builder = AmazonS3Builder::new();
    let variables = store.environment();
    let variables = variables.iter().map(|(name, value)| (*name, value.as_str())).chain(changed.iter().copied());
    for (name, value) in variables {
        builder = builder.with_config(name.to_lowercase().parse().unwrap(), value);
    }
    Storage::Bucket(Bucket::new(location, builder).unwrap())
}

/// A new store, and its bucket as a publisher sees it.
fn bucket() -> (S3Server, Storage) {
    let store = S3Server::start("published");
    let storage = open(&store, "s3://published", &[]);
    (store, storage)
}

fn actions(store: &S3Server) -> Vec<String> {
    store.writes().into_iter().map(|write| format!("{} {}", write.action, write.status)).collect()
}

#[tokio::test]
async fn a_bucket_keeps_its_promises() {
    let (store, storage) = bucket();
    store.list_in_pages_of(2);
    keeps_its_promises(&storage).await;
}

#[tokio::test]
async fn a_prefix_of_a_bucket_keeps_its_promises_and_touches_nothing_else() {
    let store = S3Server::start("published");
    store.put("other/file", b"other");
    store.put("indexes/our", b"other");
    store.put("indexes/ours2/file", b"other");
    keeps_its_promises(&open(&store, "s3://published/indexes/ours/", &[])).await;

    assert_eq!(store.keys().iter().filter(|key| !key.starts_with("indexes/ours/")).count(), 3);
    assert!(store.object("indexes/ours/tuf/1.snapshot.json").is_some());
    let foreign = |write: &&Write| !write.action.contains(" indexes/ours/");
    assert_eq!(store.writes().iter().filter(foreign).count(), 0);
}

#[tokio::test]
async fn caches_are_told_what_they_may_keep() {
    let (store, storage) = bucket();
    let immutable = "public, max-age=31536000, immutable";
    storage.create("tuf/1.root.json", bytes("root"), FileClass::Metadata).await.unwrap();
    storage.replace("tuf/timestamp.json", b"one", FileClass::Timestamp, None).await.unwrap();
    let (_, one) = storage.read("tuf/timestamp.json", LIMIT).await.unwrap().unwrap();
    storage.replace("tuf/timestamp.json", b"two", FileClass::Timestamp, Some(&one)).await.unwrap();
    storage.put("simple/sample/index.html", bytes("page"), FileClass::HtmlPage).await.unwrap();
    storage.create("packages/aa/a.whl", bytes("wheel"), FileClass::Distribution).await.unwrap();

    let header = |key: &str, name: &str| store.object(key).unwrap().header(name).unwrap().to_owned();
    assert_eq!(header("tuf/1.root.json", "cache-control"), immutable);
    assert_eq!(header("tuf/1.root.json", "content-type"), "application/json");
    assert_eq!(header("tuf/timestamp.json", "cache-control"), "max-age=30, must-revalidate");
    assert_eq!(header("simple/sample/index.html", "content-type"), "text/html; charset=utf-8");
    assert_eq!(header("simple/sample/index.html", "cache-control"), "max-age=60, must-revalidate");
    assert_eq!(header("packages/aa/a.whl", "cache-control"), immutable);

    let writes = store.writes();
    assert_eq!(writes[0].header("if-none-match"), Some("*"));
    assert_eq!(writes[1].header("if-none-match"), Some("*"));
    assert!(writes[2].header("if-match").is_some());
    let written: Vec<_> = writes.iter().map(|write| write.action.as_str()).collect();
    assert_eq!(written[..3], ["PUT tuf/1.root.json", "PUT tuf/timestamp.json", "PUT tuf/timestamp.json"]);

    // What a website sends.
    let answer = reqwest::get(store.public_url("tuf/timestamp.json")).await.unwrap();
    assert_eq!(answer.headers()["cache-control"], "max-age=30, must-revalidate");
    assert_eq!(answer.text().await.unwrap(), "two");
    assert_eq!(reqwest::get(store.public_url("tuf/2.root.json")).await.unwrap().status(), 404);
}

#[tokio::test]
async fn a_large_file_goes_in_parts_and_appears_whole() {
    let (store, storage) = bucket();
    let staged = tempfile::NamedTempFile::new().unwrap();
    let wheel: Vec<u8> = (0..(33_u32 << 20)).map(|byte| (byte / 1000) as u8).collect();
    std::fs::write(staged.path(), &wheel).unwrap();
    let content = || FileContent::File(staged.path().to_owned());

    let created = storage.create("packages/large.whl", content(), FileClass::Distribution).await.unwrap();
    assert_eq!(created, CreateOutcome::Written);
    let large = store.object("packages/large.whl").unwrap();
    assert!(large.bytes == wheel && large.header("cache-control") == Some(FileClass::Distribution.cache_control()));
    let name = "packages/large.whl";
    let parts = vec![format!("PART {name} 200"); 3];
    let expected = [vec![format!("START {name} 200")], parts, vec![format!("COMPLETE {name} 200")]].concat();
    assert_eq!(actions(&store), expected);
    assert_eq!(storage.size("packages/large.whl").await.unwrap(), Some(33 << 20));
    let created = storage.create("packages/large.whl", content(), FileClass::Distribution).await.unwrap();
    assert_eq!((created, store.writes().len()), (CreateOutcome::Exists, 5), "nothing is sent again");

    // One that does not get through leaves nothing to see and nothing to pay for.
    store.fail_write(7, Fault::Status(403));
    let failure = storage.create("packages/other.whl", content(), FileClass::Distribution).await.unwrap_err();
    assert_eq!(failure.code.name(), "repo.storage-refused", "{failure}");
    assert_eq!((store.keys(), store.unfinished_uploads()), (vec![name.to_owned()], 0));
}

#[tokio::test]
async fn what_fails_once_is_tried_again() {
    let (store, storage) = bucket();
    for fault in [Fault::Status(503), Fault::Status(409), Fault::Dropped] {
        store.forget_writes();
        // 409 is said of conditional writes only: somebody else is in the middle of one.
        let unconditional = (fault != Fault::Status(409)).then_some(4);
        for number in [0, 2].into_iter().chain(unconditional) {
            store.fail_write(number, fault);
        }
        let created = storage.create("tuf/1.root.json", bytes("root"), FileClass::Metadata).await.unwrap();
        assert_eq!(created, CreateOutcome::Written, "{fault:?}");
        let replaced = storage.replace("tuf/timestamp.json", b"one", FileClass::Timestamp, None).await.unwrap();
        assert_eq!(replaced, ReplaceOutcome::Done, "{fault:?}");
        storage.put("simple/index.html", bytes("page"), FileClass::HtmlPage).await.unwrap();
        assert_eq!(store.keys().len(), 3);
        store.heal();
        store.keys().iter().for_each(|key| store.remove(key));
    }
}

#[tokio::test]
async fn a_write_whose_answer_got_lost_is_known_again() {
    let (store, storage) = bucket();
    store.fail_write(0, Fault::AnswerLost);
    let replaced = storage.replace("tuf/timestamp.json", b"one", FileClass::Timestamp, None).await.unwrap();
    assert_eq!(replaced, ReplaceOutcome::Done);
    assert_eq!(actions(&store), ["PUT tuf/timestamp.json 200", "PUT tuf/timestamp.json 412"]);

    let (_, one) = storage.read("tuf/timestamp.json", LIMIT).await.unwrap().unwrap();
    store.fail_write(2, Fault::AnswerLost);
    let replaced = storage.replace("tuf/timestamp.json", b"two", FileClass::Timestamp, Some(&one)).await.unwrap();
    assert_eq!(replaced, ReplaceOutcome::Done);
    assert_eq!(text(&storage, "tuf/timestamp.json").await.as_deref(), Some("two"));

    store.fail_write(4, Fault::AnswerLost);
    let created = storage.create("tuf/1.root.json", bytes("root"), FileClass::Metadata).await.unwrap();
    assert_eq!(created, CreateOutcome::Written);
    assert_eq!(text(&storage, "tuf/1.root.json").await.as_deref(), Some("root"));
}

#[tokio::test]
async fn who_has_not_the_key_is_told_so_and_changes_nothing() {
    let (store, _) = bucket();
    store.put("tuf/timestamp.json", b"one");
    let secret = ("AWS_SECRET_ACCESS_KEY", "wrong-secret");
    let token = ("AWS_SESSION_TOKEN", "session-token");
    for changed in [&[secret, token][..], &[("AWS_ACCESS_KEY_ID", "stranger")]] {
        let storage = open(&store, "s3://published", changed);
        let failures = [
            storage.put("tuf/timestamp.json", bytes("two"), FileClass::Timestamp).await.unwrap_err(),
            storage.create("tuf/1.root.json", bytes("two"), FileClass::Metadata).await.map(drop).unwrap_err(),
            storage.list("").await.map(drop).unwrap_err(),
            storage.delete("tuf/timestamp.json").await.unwrap_err(),
            storage.read("tuf/timestamp.json", LIMIT).await.map(drop).unwrap_err(),
        ];
        for failure in failures {
            assert_eq!((failure.code.name(), failure.exit_code()), ("repo.storage-refused", 1), "{failure}");
            let shown = failure.to_string();
            assert!(!shown.contains("wrong-secret") && !shown.contains("session-token"), "{shown}");
        }
    }
    assert_eq!(store.object("tuf/timestamp.json").unwrap().bytes, b"one");
    assert!(store.writes().is_empty());
}

#[tokio::test]
async fn a_bucket_or_store_that_is_not_there_is_named() {
    let (store, _) = bucket();
    let storage = open(&store, "s3://elsewhere", &[]);
    let failure = storage.put("index.html", bytes("a"), FileClass::HtmlPage).await.unwrap_err();
    assert!(failure.message.contains("s3://elsewhere/index.html") && failure.exit_code() == 1, "{failure}");

    let nobody = Server::unreachable_url("");
    let storage = open(&store, "s3://published", &[("AWS_ENDPOINT_URL", &nobody)]);
    let failure = storage.read("tuf/timestamp.json", LIMIT).await.unwrap_err();
    assert_eq!((failure.code.name(), failure.exit_code()), ("repo.storage-unreachable", 13), "{failure}");

    store.fail_writes_from(0, Fault::Status(500));
    let storage = open(&store, "s3://published", &[]);
    let failure = storage.put("index.html", bytes("a"), FileClass::HtmlPage).await.unwrap_err();
    assert_eq!((failure.code.name(), failure.exit_code()), ("repo.storage-unreachable", 13), "{failure}");
}

#[tokio::test]
async fn locations_with_more_than_a_bucket_and_a_prefix_are_refused() {
    for location in ["s3://", "s3:///x", "s3://me:secret@published", "s3://published?x=y", "s3://published:80/"] {
        let failure = Storage::open(location).unwrap_err();
        assert_eq!(failure.exit_code(), 2, "{failure}");
        assert!(!failure.to_string().contains("secret"), "{failure}");
    }
    Bucket::new("s3://published/a//b", AmazonS3Builder::new()).unwrap_err();
}

#[tokio::test]
async fn ages_are_those_of_the_store() {
    let (store, storage) = bucket();
    store.put("tuf/1.root.json", b"root");
    let before = storage.list("").await.unwrap();
    store.age(Duration::from_secs(86_400));
    let after = storage.list("").await.unwrap();
    assert_eq!(before[0].modified - after[0].modified, 86_400);
}
