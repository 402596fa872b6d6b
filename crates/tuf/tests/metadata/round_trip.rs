//! What was read is written again so that the signatures still fit.

use tuf::metadata::{
    DelegatedRole, DelegatedRoles, Delegations, FileMeta, Metadata, PathPattern, PathSet, Role, RoleKeys, RoleName,
    Root, Snapshot, SuccinctRoles, TargetFile, Targets, Timestamp, TopLevelRole,
};
use tuf::{SigningKey, UnixTime, json};

const EXPIRES: UnixTime = UnixTime(1_900_000_000);

/// Reads, writes, and compares the bytes that are signed before and after.
pub fn check<T: Role + PartialEq + std::fmt::Debug>(text: &[u8]) -> Metadata<T> {
    let read = Metadata::<T>::from_bytes(text).unwrap();
    let original = json::parse(text).unwrap();
    let signed = original.as_object().unwrap().get("signed").unwrap();
    assert_eq!(read.signing_bytes(), signed.canonical(), "{}", String::from_utf8_lossy(text));
    let again = Metadata::<T>::from_bytes(&read.to_bytes()).unwrap();
    assert_eq!(read, again);
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
    snapshot.signed.set_role(&TopLevelRole::Targets.into(), FileMeta::version(1));
    snapshot.signed.set_role(&"a/b?".into(), FileMeta::version(9));
    assert_eq!(check::<Snapshot>(&snapshot.to_bytes()), snapshot);
    assert_eq!(snapshot.signed.role(&"a/b?".into()), Some(&FileMeta::version(9)));

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
