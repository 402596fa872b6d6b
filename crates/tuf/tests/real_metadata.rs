//! Metadata that other programs have signed. Where it comes from is said in `data/real/README.md`.

use std::path::PathBuf;
use std::sync::Arc;

use super::drive::{Served, Store, update};
use tuf::metadata::{Metadata, Root, TopLevelRole};
use tuf::{Check, Client, HashAlgorithm, Limits, LookUp, Mode, StoredFile, UnixTime};

/// All files of a project, by name.
fn published(project: &str) -> Served {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/real").join(project);
    let files = std::fs::read_dir(directory).unwrap().map(|entry| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), Arc::from(std::fs::read(entry.path()).unwrap()))
    });
    files.collect()
}

fn time(text: &str) -> UnixTime {
    UnixTime::parse(text).unwrap()
}

fn root_version(bytes: &[u8]) -> Result<u64, Check> {
    match Client::new(bytes, time("2026-08-25T00:00:00Z"), Mode::Online, Limits::default()) {
        Ok(client) => Ok(client.root().version),
        Err(error) => {
            assert_eq!(error.check(), Check::TrustedRoot, "{error}");
            let root = Metadata::<Root>::from_bytes(bytes);
            Err(if root.is_err() { Check::Format } else { Check::Signatures })
        }
    }
}

#[test]
fn every_root_of_sigstore_with_a_valid_date_vouches_for_itself() {
    let served = published("sigstore");
    for version in 4..=15 {
        assert_eq!(root_version(&served[&format!("{version}.root.json")]), Ok(version));
    }
}

/// TUF 4.2.1 knows one form of dates. Whoever has such an old root needs a new one: it expired in 2021.
#[test]
fn a_date_with_fractions_of_a_second_and_an_offset_is_refused() {
    assert_eq!(root_version(&published("sigstore")["1.root.json"]), Err(Check::Format));
}

#[test]
fn one_update_follows_all_roots_of_sigstore() {
    let served = published("sigstore");
    for first in 4..=15 {
        let mut store = Store::new();
        let trusted_root = &served[&format!("{first}.root.json")];
        let outcome = update(trusted_root, time("2026-08-25T00:00:00Z"), &served, &mut store, &[]).unwrap();
        assert_eq!(outcome.client.root().version, 15, "from {first}");
        for version in first + 1..=15 {
            assert_eq!(store[&StoredFile::Root(version)], served[&format!("{version}.root.json")]);
        }
        // The timestamp is the one signed for root 15; there are no files here beyond it.
        assert_eq!(store[&StoredFile::Timestamp], served["timestamp.json"]);
        let error = outcome.refreshed.unwrap_err();
        assert_eq!((error.check(), error.role().as_str(), error.version()), (Check::Present, "snapshot", Some(165)));
    }
}

#[test]
fn roots_in_the_store_are_followed_without_fetching_them() {
    let served = published("sigstore");
    let roots = (4..=15).map(|version| (StoredFile::Root(version), served[&format!("{version}.root.json")].clone()));
    let mut store: Store = roots.collect();
    let nothing_but_the_timestamp = Served::from([("timestamp.json".to_owned(), served["timestamp.json"].clone())]);
    let now = time("2026-08-25T00:00:00Z");
    let outcome = update(&served["4.root.json"], now, &nothing_but_the_timestamp, &mut store, &[]).unwrap();
    assert_eq!(outcome.client.root().version, 15);
    assert!(store.contains_key(&StoredFile::Timestamp));
}

#[test]
fn a_root_of_sigstore_left_out_or_exchanged_ends_the_update() {
    let mut served = published("sigstore");
    let expiring = "2026-11-20T13:58:18Z";
    let outcome = update(&served["9.root.json"], time(expiring), &served, &mut Store::new(), &[]).unwrap();
    assert_eq!(outcome.refreshed.unwrap_err().check(), Check::Expiry);

    let now = time("2026-08-25T00:00:00Z");
    let twelve = served["12.root.json"].clone();
    served.insert("11.root.json".to_owned(), twelve);
    let outcome = update(&served["9.root.json"], now, &served, &mut Store::new(), &[]).unwrap();
    assert_eq!(outcome.client.root().version, 10);
    let error = outcome.refreshed.unwrap_err();
    assert_eq!((error.check(), error.version()), (Check::RootVersion, Some(11)));

    served.remove("11.root.json");
    let outcome = update(&served["9.root.json"], now, &served, &mut Store::new(), &[]).unwrap();
    // Root 10 is then the newest one, and expired in 2025.
    assert_eq!(outcome.refreshed.unwrap_err().check(), Check::Expiry);
}

/// The key ids of root 11 are what its signers took them to be; nobody can recompute them all.
#[test]
fn key_ids_are_names_and_not_hashes() {
    let root = Metadata::<Root>::from_bytes(&published("sigstore")["11.root.json"]).unwrap().signed;
    let others = root.keys.iter().filter(|(key_id, key)| key.identifier() != **key_id).count();
    assert_eq!(others, 1);

    let bytes = published("rstuf")["1.root.json"].clone();
    assert_eq!(root_version(&bytes), Ok(1));
    let root = Metadata::<Root>::from_bytes(&bytes).unwrap().signed;
    for (key_id, key) in &root.keys {
        assert_ne!(key.identifier(), *key_id, "the hash leaves out a field");
        let name = ["x-rstuf-key-name", "x-rstuf-online-key-uri"]
            .into_iter()
            .find_map(|name| key.to_value().as_object()?.get(name).cloned());
        assert!(name.is_some(), "unknown fields of a key are kept");
    }
    let kinds: Vec<_> = root.keys.values().map(tuf::Key::key_type).collect();
    assert_eq!(kinds, ["rsa", "ecdsa", "ed25519"]);
    assert_eq!(root.role(TopLevelRole::Root).key_ids.len(), 2);
}

#[test]
fn a_repository_of_tuf_on_ci_from_root_to_target() {
    let served = published("tuf-on-ci");
    let mut store = Store::new();
    let paths = ["delegatedrole/artifact", "delegatedrole/a/b/c/d", "delegatedrole/a/b/c/d/e", "artifact"];
    let paths = paths.map(str::to_owned);
    // Twice: the second time everything but root and timestamp comes from the store.
    for served in [served.clone(), Served::from([("timestamp.json".to_owned(), served["timestamp.json"].clone())])] {
        let now = time("2025-02-09T12:02:08Z");
        let outcome = update(&published("tuf-on-ci")["1.root.json"], now, &served, &mut store, &paths).unwrap();
        outcome.refreshed.unwrap();
        let [Ok(LookUp::Found(target)), rest @ ..] = outcome.look_ups.as_slice() else {
            panic!("{:?}", outcome.look_ups.first())
        };
        assert_eq!(target.length, 34);
        assert_eq!(
            target.hashed_path(HashAlgorithm::Sha256).as_deref(),
            Some("delegatedrole/45f337ee451b4c098d121d09cc224bacc7794503ac58a47a78cfe7ebefb7fab3.artifact")
        );
        let roles: Vec<_> = target.roles.iter().map(|role| role.as_str()).collect();
        assert_eq!(roles, ["targets", "delegatedrole"]);
        let mut verifier = target.verifier().unwrap();
        verifier.update(b"artifact for tuf-on-ci repository\n").unwrap();
        verifier.finish().unwrap();

        let asked: Vec<_> = rest
            .iter()
            .map(|result| match result {
                Ok(LookUp::NotFound { searched, doubt: None }) => searched.len(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(asked, [2, 1, 1], "roles asked");
    }

    let outcome = update(&served["1.root.json"], time("2044-08-10T10:05:04Z"), &served, &mut store, &paths).unwrap();
    assert_eq!(outcome.refreshed.unwrap_err().check(), Check::Expiry);
}

/// Whatever is signed is written as it was read: custom fields, old fields, missing ones.
#[test]
fn what_others_signed_is_read_and_written_without_loss() {
    for (project, name) in [("sigstore", "12.root.json"), ("rstuf", "1.root.json"), ("tuf-on-ci", "1.root.json")] {
        let bytes = published(project)[name].clone();
        let root = Metadata::<Root>::from_bytes(&bytes).unwrap();
        assert_eq!(root_version(&root.to_bytes()), Ok(root.signed.version), "{project}");
    }
}
