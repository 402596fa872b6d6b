//! From a look-up to the bytes of a target (TUF 5.7).

use tuf::json::Value;
use tuf::{Error, HashAlgorithm, Hashes, Mismatch, Target};

use super::simulator::{Machine, Repository, found};

const ALL: [HashAlgorithm; 5] = [
    HashAlgorithm::Sha256,
    HashAlgorithm::Sha384,
    HashAlgorithm::Sha512,
    HashAlgorithm::Blake2b256,
    HashAlgorithm::Blake2b,
];

/// `directory/file` with this content and these hashes, as a client finds it.
fn target(content: &[u8], hashes: Hashes) -> Target {
    let mut repository = Repository::new();
    repository.add_target("targets", "directory/file", content);
    let file = repository.targets.targets.get_mut("directory/file").unwrap();
    file.hashes = hashes;
    file.custom = Some(Value::from("said besides"));
    repository.publish();
    found(Machine::trusting(&repository).look_up(&repository, "directory/file").unwrap())
}

/// In pieces of so many bytes.
fn check(target: &Target, content: &[u8], piece: usize) -> Result<(), Mismatch> {
    let mut verifier = target.verifier()?;
    for piece in content.chunks(piece) {
        verifier.update(piece)?;
    }
    verifier.finish()
}

#[test]
fn the_file_that_was_signed() {
    for algorithms in ALL.iter().map(std::slice::from_ref).chain([&ALL[..2], &ALL[3..], &ALL[..]]) {
        let target = target(b"content", Hashes::of(b"content", algorithms));
        for piece in [1, 3, 100] {
            assert_eq!(check(&target, b"content", piece), Ok(()));
        }
        assert_eq!((target.length, &target.custom), (7, &Some(Value::from("said besides"))));
    }
    assert_eq!(check(&target(b"", Hashes::of(b"", &ALL)), b"", 1), Ok(()));
}

#[test]
fn a_substituted_file() {
    for algorithms in ALL.iter().map(std::slice::from_ref) {
        let target = target(b"content", Hashes::of(b"content", algorithms));
        assert!(matches!(check(&target, b"c0ntent", 3), Err(Mismatch::Hash { .. })));
    }
}

#[test]
fn all_known_hashes_must_match_not_only_the_first() {
    for wrong in ALL {
        let mut hashes = Hashes::of(b"content", &ALL);
        hashes.insert(wrong.name(), Hashes::of(b"other", &[wrong]).get(wrong).unwrap());
        assert!(matches!(check(&target(b"content", hashes), b"content", 7), Err(Mismatch::Hash { .. })));
    }
}

#[test]
fn a_shorter_or_longer_file_and_one_that_never_ends() {
    let target = target(b"content", Hashes::of(b"content", &ALL));
    assert_eq!(check(&target, b"conten", 2), Err(Mismatch::TooShort { expected: 7, found: 6 }));
    assert_eq!(check(&target, b"", 2), Err(Mismatch::TooShort { expected: 7, found: 0 }));
    assert_eq!(check(&target, b"content!", 100), Err(Mismatch::TooLong { limit: 7 }));
    let mut verifier = target.verifier().unwrap();
    verifier.update(b"content").unwrap();
    for _ in 0..3 {
        assert_eq!(verifier.update(b"and more"), Err(Mismatch::TooLong { limit: 7 }));
    }
    assert_eq!(verifier.finish(), Err(Mismatch::TooLong { limit: 7 }));
}

#[test]
fn a_hash_that_nobody_can_verify_is_none() {
    for name in ["md5", "sha1", "SHA256", "sha3-256", "unknown"] {
        let mut hashes = Hashes::new();
        hashes.insert(name, "00".repeat(32));
        let unknown = target(b"content", hashes.clone());
        assert_eq!(unknown.verifier().unwrap_err(), Mismatch::NoKnownHash { listed: name.to_owned() });
        // Beside a known one it does no harm.
        hashes.insert("sha256", Hashes::of(b"content", &[HashAlgorithm::Sha256]).get(HashAlgorithm::Sha256).unwrap());
        assert_eq!(check(&target(b"content", hashes), b"content", 7), Ok(()));
    }
}

#[test]
fn a_malformed_hash_matches_nothing() {
    for hex in ["", "00", "no hex", &"0".repeat(63)] {
        let mut hashes = Hashes::new();
        hashes.insert("sha256", hex);
        assert!(check(&target(b"content", hashes), b"content", 7).is_err(), "{hex}");
    }
}

#[test]
fn where_a_repository_keeps_it() {
    let found = target(b"content", Hashes::of(b"content", &ALL[..1]));
    let hash = found.hashes.get(HashAlgorithm::Sha256).unwrap();
    assert_eq!(found.hashed_path(HashAlgorithm::Sha256), Some(format!("directory/{hash}.file")));
    assert_eq!(found.hashed_path(HashAlgorithm::Sha512), None);
}

/// Eleven versions of one target; between them others change, and the repository is refreshed or not.
#[test]
fn a_target_that_changes() -> Result<(), Error> {
    let mut repository = Repository::new();
    let mut machine = Machine::trusting(&repository);
    for version in 1..=11 {
        let content = format!("version {version}");
        repository.add_target("targets", "file", content.as_bytes());
        repository.add_target("targets", &format!("other-{version}"), b"other");
        repository.release("targets");
        let target = found(machine.look_up(&repository, "file")?);
        assert_eq!(check(&target, content.as_bytes(), 4), Ok(()));
        assert!(check(&target, b"version 0", 4).is_err());
        // Published and then changed without a signature.
        assert!(check(&target, format!("Version {version}").as_bytes(), 4).is_err());
    }
    Ok(())
}
