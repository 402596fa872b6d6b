//! What was read is written again so that the signatures still fit.

use tuf::metadata::{
    DelegatedRole, DelegatedRoles, Delegations, FileMeta, Metadata, PathPattern, PathSet, RoleKeys, RoleName, Root,
    Signed, Snapshot, SuccinctRoles, TargetFile, Targets, Timestamp, TopLevelRole, claimed_version,
};
use tuf::{SigningKey, UnixTime, json};

use super::documents;

const EXPIRES: UnixTime = UnixTime(1_900_000_000);

/// Reads, writes, and compares the bytes that are signed before and after.
fn check<T: Signed + PartialEq + std::fmt::Debug>(text: &[u8]) -> Metadata<T> {
    let read = Metadata::<T>::from_bytes(text).unwrap();
    let original = json::parse(text).unwrap();
    let signed = original.as_object().unwrap().get("signed").unwrap();
    assert_eq!(read.signing_bytes(), signed.canonical(), "{}", String::from_utf8_lossy(text));
    let again = Metadata::<T>::from_bytes(&read.to_bytes()).unwrap();
    assert_eq!(read, again);
    assert_eq!(claimed_version(text), Some(read.signed.version()));
    read
}

#[test]
fn new_files_are_read_as_they_were_written() {
    let key = SigningKey::ed25519(&[7; 32]);
    let keys = [key.public().clone()];

    let mut root = Root::new(EXPIRES);
    for role in TopLevelRole::ALL {
        root.set_role(role, &keys, 1);
    }
    let mut root = Metadata::new(root);
    root.sign(&key);
    root.sign(&key);
    assert_eq!(root.signatures.len(), 1);
    assert_eq!(check::<Root>(&root.to_bytes()), root);
    assert!(root.signed.consistent_snapshot());

    let timestamp = Metadata::new(Timestamp::new(3, EXPIRES, FileMeta::of(2, b"snapshot")));
    assert_eq!(check::<Timestamp>(&timestamp.to_bytes()), timestamp);

    let mut snapshot = Metadata::new(Snapshot::new(2, EXPIRES));
    snapshot.signed.set_role(&TopLevelRole::Targets.into(), FileMeta::unhashed(1));
    snapshot.signed.set_role(&"a/b?".into(), FileMeta::unhashed(9));
    assert_eq!(check::<Snapshot>(&snapshot.to_bytes()), snapshot);
    assert_eq!(snapshot.signed.role(&"a/b?".into()), Some(&FileMeta::unhashed(9)));

    let mut targets = Metadata::new(Targets::new(1, EXPIRES));
    targets.signed.targets.insert("a".to_owned(), TargetFile::of(b"a"));
    let paths = PathSet::Patterns(vec![PathPattern::new("a/*")]);
    let role = DelegatedRole::new(RoleName::from("a"), RoleKeys::new(&keys, 1), paths);
    targets.signed.delegations = Some(Delegations::new(&keys, DelegatedRoles::Listed(vec![role])));
    assert_eq!(check::<Targets>(&targets.to_bytes()), targets);
    let bins = SuccinctRoles { keys: RoleKeys::new(&keys, 1), bit_length: 14, name_prefix: "bins".to_owned() };
    targets.signed.delegations = Some(Delegations::new(&keys, DelegatedRoles::Succinct(bins)));
    assert_eq!(check::<Targets>(&targets.to_bytes()), targets);
}

#[test]
fn nothing_is_lost() {
    let root = check::<Root>(documents::ROOT.as_bytes());
    assert!(!root.signed.consistent_snapshot());
    assert_eq!(root.signatures.len(), 2);
    check::<Timestamp>(documents::TIMESTAMP.as_bytes());
    check::<Snapshot>(documents::SNAPSHOT.as_bytes());
    check::<Targets>(documents::TARGETS.as_bytes());
    check::<Targets>(documents::SUCCINCT.as_bytes());
}

#[test]
fn what_was_missing_stays_missing() {
    let root = documents::ROOT.replace(r#""consistent_snapshot": false, "#, "");
    let root = check::<Root>(root.as_bytes());
    assert!(!root.signed.consistent_snapshot());
    let targets = documents::TARGETS.replace(r#" "terminating": false,"#, "");
    check::<Targets>(targets.as_bytes());
}

/// Every subset of the optional fields, in every kind of file.
#[test]
fn any_optional_field_may_be_missing() {
    let optional = [
        r#" "length": 0,"#,
        r#", "hashes": {"sha256": "AB", "md9": "?"}"#,
        r#", "x-other": {}"#,
        r#" "x-other": "\u00e4\n\"\\","#,
        r#", "beside": 1"#,
    ];
    for subset in 0..1_u32 << optional.len() {
        let mut text = documents::TIMESTAMP.to_owned();
        for (index, field) in optional.iter().enumerate().filter(|(index, _)| subset >> index & 1 == 1) {
            assert!(text.contains(field), "{index}");
            text = text.replace(field, "");
        }
        check::<Timestamp>(text.as_bytes());
    }
}

#[test]
fn a_signature_of_the_same_key_is_replaced() {
    let mut root = check::<Root>(documents::ROOT.as_bytes());
    let mut signature = root.signatures[1].clone();
    signature.signature = "ff".to_owned();
    root.add_signature(signature.clone());
    assert_eq!(root.signatures.len(), 2);
    assert_eq!(root.signatures[1], signature);
}

#[test]
fn keys_leave_root_with_their_last_role() {
    let [old, new] = [1, 2].map(|seed| SigningKey::ed25519(&[seed; 32]).public().clone());
    let mut root = Root::new(EXPIRES);
    for role in TopLevelRole::ALL {
        root.set_role(role, &[old.clone(), old.clone()], 1);
    }
    assert_eq!(root.role(TopLevelRole::Root).key_ids.len(), 1);
    root.set_role(TopLevelRole::Root, std::slice::from_ref(&new), 1);
    assert_eq!(root.keys.len(), 2);
    for role in TopLevelRole::ALL {
        root.set_role(role, std::slice::from_ref(&new), 1);
    }
    assert_eq!(root.keys.keys().collect::<Vec<_>>(), [&new.identifier()]);
}

#[test]
fn files_of_other_implementations() {
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/real");
    for project in ["sigstore", "tuf-on-ci", "rstuf"] {
        for entry in std::fs::read_dir(data.join(project)).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read(&path).unwrap();
            match path.file_name().unwrap().to_str().unwrap() {
                // Its date has an offset and fractions of a second, which the specification does not know.
                "1.root.json" if project == "sigstore" => {
                    assert_eq!(Metadata::<Root>::from_bytes(&text).unwrap_err().place, "signed.expires");
                }
                name if name.ends_with("root.json") => drop(check::<Root>(&text)),
                name if name.ends_with("timestamp.json") => drop(check::<Timestamp>(&text)),
                name if name.ends_with("snapshot.json") => drop(check::<Snapshot>(&text)),
                _ => drop(check::<Targets>(&text)),
            }
        }
    }
}

#[test]
fn what_is_no_metadata_claims_no_version() {
    for text in ["", "{}", "[1]", r#"{"signatures":[],"signed":{"_type":"root"}}"#, r#"{"version":3}"#] {
        assert_eq!(claimed_version(text.as_bytes()), None, "{text}");
    }
    for version in ["-1", "\"3\"", "1.0", "null"] {
        let text = format!(r#"{{"signatures":[],"signed":{{"_type":"root","version":{version}}}}}"#);
        assert_eq!(claimed_version(text.as_bytes()), None, "{text}");
    }
}
