//! Files larger than any honest one are refused quickly, and the largest honest ones are read quickly.

use super::documents::{ROOT, SNAPSHOT, TARGETS, TIMESTAMP};
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use tuf::metadata::{
    MAX_DELEGATIONS, MAX_KEYS, MAX_KEYS_PER_ROLE, MAX_SIGNATURES, Metadata, Root, Signed, Snapshot, Targets, Timestamp,
};

fn list(count: usize, element: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for index in 0..count {
        let separator = if index == 0 { "" } else { "," };
        write!(text, "{separator}{}", element(index)).unwrap();
    }
    text
}

fn signatures(count: usize) -> String {
    let list = list(count, |index| format!(r#"{{"keyid": "{index}", "sig": ""}}"#));
    TIMESTAMP.replace(r#""signatures": []"#, &format!(r#""signatures": [{list}]"#))
}

fn keys(count: usize) -> String {
    let list = list(count, |index| format!(r#""{index}": {{"keytype": "", "scheme": "", "keyval": {{}}}}"#));
    ROOT.replace(r#""keys": {"#, &format!(r#""keys": {{{list},"#))
}

fn key_ids(count: usize) -> String {
    let list = list(count, |index| format!(r#""{index}""#));
    ROOT.replace(r#"["k1", "k2"]"#, &format!("[{list}]"))
}

fn delegations(count: usize) -> String {
    let role = |index| format!(r#"{{"name": "{index}", "keyids": [], "threshold": 1, "path_hash_prefixes": ["0"]}}"#);
    TARGETS.replace(r#""roles": ["#, &format!(r#""roles": [{},"#, list(count, role)))
}

#[track_caller]
fn refused<T: Signed>(text: &str, place: &str) {
    let start = Instant::now();
    let Err(error) = Metadata::<T>::from_bytes(text.as_bytes()) else { panic!("{place} is accepted") };
    assert_eq!(error.place, place, "{error}");
    assert!(error.expected.contains("at most"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(5), "{place}: {:?}", start.elapsed());
}

fn accepted<T: Signed>(text: &str) {
    let start = Instant::now();
    assert!(Metadata::<T>::from_bytes(text.as_bytes()).is_ok());
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn more_than_anyone_needs() {
    refused::<Timestamp>(&signatures(MAX_SIGNATURES + 1), "signatures");
    refused::<Timestamp>(&signatures(100_000), "signatures");
    refused::<Root>(&keys(MAX_KEYS - 1), "signed.keys");
    refused::<Root>(&keys(100_000), "signed.keys");
    refused::<Root>(&key_ids(MAX_KEYS_PER_ROLE + 1), "signed.roles.root.keyids");
    refused::<Root>(&key_ids(100_000), "signed.roles.root.keyids");
    refused::<Targets>(&delegations(MAX_DELEGATIONS - 3), "signed.delegations.roles");
    refused::<Targets>(&delegations(100_000), "signed.delegations.roles");
}

#[test]
fn as_much_as_is_allowed() {
    accepted::<Timestamp>(&signatures(MAX_SIGNATURES));
    accepted::<Root>(&keys(MAX_KEYS - 2));
    accepted::<Root>(&key_ids(MAX_KEYS_PER_ROLE));
    accepted::<Targets>(&delegations(MAX_DELEGATIONS - 4));
}

#[test]
fn a_snapshot_of_all_bins_of_the_package_index() {
    let entries = list(16_384, |index| format!(r#""bins-{index:04x}.json": {{"version": 1}}"#));
    let text = SNAPSHOT.replace(r#""meta": {"#, &format!(r#""meta": {{{entries},"#));
    accepted::<Snapshot>(&text);
}
