// Part of the examples in the documentation: the files of a repository with the one target `greeting.txt`.
fn greeting_server() -> std::collections::BTreeMap<String, Vec<u8>> {
    use tuf::metadata::{FileMeta, Metadata, Root, Snapshot, TargetFile, Targets, Timestamp, TopLevelRole};
    let key = tuf::SigningKey::ed25519(&[7; 32]);
    let expires = tuf::UnixTime::parse("2040-01-01T00:00:00Z").unwrap();
    let mut root = Root::new(expires);
    for role in TopLevelRole::ALL {
        root.set_role(role, &[key.public().clone()], 1);
    }
    let mut root = Metadata::new(root);
    let mut targets = Metadata::new(Targets::new(1, expires));
    targets.signed.targets.insert("greeting.txt".into(), TargetFile::of(b"hello"));
    let mut snapshot = Metadata::new(Snapshot::new(1, expires));
    snapshot.signed.set_role(&TopLevelRole::Targets.into(), FileMeta::unhashed(1));
    let mut timestamp = Metadata::new(Timestamp::new(1, expires, FileMeta::unhashed(1)));
    root.sign(&key);
    targets.sign(&key);
    snapshot.sign(&key);
    timestamp.sign(&key);
    let files = [
        ("1.root.json", root.to_bytes()),
        ("1.targets.json", targets.to_bytes()),
        ("1.snapshot.json", snapshot.to_bytes()),
        ("timestamp.json", timestamp.to_bytes()),
    ];
    files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect()
}
