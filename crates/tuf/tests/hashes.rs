//! Hashes as published, and the check of a file while it is downloaded.

use tuf::{HashAlgorithm, Hashes, Mismatch, Size, Verifier};

const ALL: [HashAlgorithm; 5] = [
    HashAlgorithm::Sha256,
    HashAlgorithm::Sha384,
    HashAlgorithm::Sha512,
    HashAlgorithm::Blake2b256,
    HashAlgorithm::Blake2b,
];

fn listed(hashes: &[(&str, &str)]) -> Hashes {
    hashes.iter().map(|(name, hex)| ((*name).to_owned(), (*hex).to_owned())).collect()
}

fn verify(size: Size, hashes: &Hashes, content: &[u8]) -> Result<(), Mismatch> {
    let mut verifier = Verifier::new(size, hashes)?;
    for part in content.chunks(7) {
        verifier.update(part)?;
    }
    verifier.finish()
}

/// "abc": FIPS 180-4 examples, RFC 7693 appendix A; BLAKE2b of 32 bytes from `b2sum -l 256`.
#[test]
fn as_published() {
    let hashes = Hashes::of(b"abc", &ALL);
    for (algorithm, expected) in [
        (HashAlgorithm::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            HashAlgorithm::Sha384,
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
        ),
        (
            HashAlgorithm::Sha512,
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ),
        (HashAlgorithm::Blake2b256, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"),
        (
            HashAlgorithm::Blake2b,
            "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1\
             7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923",
        ),
    ] {
        assert_eq!(hashes.get(algorithm).as_deref(), Some(expected));
        assert_eq!(expected.len(), 2 * algorithm.digest_length());
        assert_eq!(HashAlgorithm::from_name(algorithm.name()), Some(algorithm));
    }
    for name in ["md5", "sha1", "SHA256", "sha-256", "sha3-256", "blake2b-512", "blake2s", "", "sha256 "] {
        assert_eq!(HashAlgorithm::from_name(name), None, "{name}");
    }
}

#[test]
fn order_of_preference() {
    let hashes = Hashes::of(b"", &ALL);
    let order: Vec<&str> = hashes.known().map(|(algorithm, _)| algorithm.name()).collect();
    assert_eq!(order, ["sha256", "sha512", "blake2b-256", "sha384", "blake2b"]);
    let mut hashes = listed(&[("md5", "00"), ("sha384", "AB"), ("sha512", "Cd")]);
    assert_eq!(hashes.known().collect::<Vec<_>>(), [(HashAlgorithm::Sha512, "Cd"), (HashAlgorithm::Sha384, "AB")]);
    assert_eq!(hashes.get(HashAlgorithm::Sha384).as_deref(), Some("ab"));
    assert_eq!(hashes.insert("md5", "01").as_deref(), Some("00"));
}

#[test]
fn every_known_hash_must_match() {
    let content = b"some content of a file";
    let right = Hashes::of(content, &ALL);
    let size = Size::Exactly(content.len() as u64);
    verify(size, &right, content).unwrap();
    for algorithm in ALL {
        verify(size, &Hashes::of(content, &[algorithm]), content).unwrap();
        let hex = right.get(algorithm).unwrap();
        let mut upper = right.clone();
        upper.insert(algorithm.name(), hex.to_uppercase());
        verify(size, &upper, content).unwrap();
        let wrong = Hashes::of(b"other content", &[algorithm]).get(algorithm).unwrap();
        let other_length = if hex.len() == 64 { "0".repeat(128) } else { "0".repeat(64) };
        for listed in [
            wrong,
            String::new(),
            hex.get(1..).unwrap().to_owned(),
            hex.get(2..).unwrap().to_owned(),
            format!("{hex}00"),
            format!("{hex} "),
            format!("0x{hex}"),
            "no hex".to_owned(),
            "0".repeat(1 << 20),
            other_length,
        ] {
            let mut hashes = right.clone();
            hashes.insert(algorithm.name(), listed.as_str());
            let error = verify(size, &hashes, content).unwrap_err();
            assert!(error.to_string().len() < 400);
            let Mismatch::Hash { algorithm: name, found, .. } = error else { unreachable!("{error}") };
            assert_eq!((name, found), (algorithm.name(), hex.clone()));
        }
    }
}

#[test]
fn unknown_hashes_alone_prove_nothing() {
    let content = b"content";
    let size = Size::AtMost(100);
    let mut hashes = listed(&[("sha3-512", "00"), ("md5", "9a0364b9e99bb480dd25e1f0284c8555")]);
    let error = verify(size, &hashes, content).unwrap_err();
    assert_eq!(error, Mismatch::NoKnownHash { listed: "md5, sha3-512".to_owned() });
    hashes.insert("sha256", Hashes::of(content, &ALL).get(HashAlgorithm::Sha256).unwrap());
    verify(size, &hashes, content).unwrap();
    assert!(verify(size, &hashes, b"Content").is_err());
    let error = verify(size, &Hashes::new(), content).unwrap_err();
    assert_eq!(error, Mismatch::NoKnownHash { listed: "none at all".to_owned() });
    let many: Hashes = (0..10_000).map(|n| (format!("\u{1b}{n}").repeat(1000), String::new())).collect();
    let error = verify(size, &many, content).unwrap_err().to_string();
    assert!(error.len() < 5000 && !error.contains('\u{1b}'), "{error}");
}

#[test]
fn lengths() {
    let content = [1; 100];
    let hashes = Hashes::of(&content, &ALL);
    verify(Size::Exactly(100), &hashes, &content).unwrap();
    verify(Size::AtMost(100), &hashes, &content).unwrap();
    verify(Size::AtMost(u64::MAX), &hashes, &content).unwrap();
    for size in [Size::Exactly(99), Size::AtMost(99)] {
        assert_eq!(verify(size, &hashes, &content), Err(Mismatch::TooLong { limit: 99 }));
    }
    assert_eq!(verify(Size::Exactly(101), &hashes, &content), Err(Mismatch::TooShort { expected: 101, found: 100 }));
    let empty = Hashes::of(b"", &ALL);
    verify(Size::Exactly(0), &empty, b"").unwrap();
    verify(Size::AtMost(0), &empty, b"").unwrap();
    // As soon as there are too many, and from then on.
    let mut verifier = Verifier::new(Size::Exactly(10), &hashes).unwrap();
    verifier.update(&[1; 10]).unwrap();
    verifier.update(&[]).unwrap();
    assert_eq!(verifier.update(&[1]), Err(Mismatch::TooLong { limit: 10 }));
    assert_eq!(verifier.update(&[]), Err(Mismatch::TooLong { limit: 10 }));
    assert_eq!(verifier.finish(), Err(Mismatch::TooLong { limit: 10 }));
}

#[test]
fn goes_to_other_threads() {
    fn sendable<T: Send + Sync + Clone + 'static>() {}
    sendable::<Verifier>();
}
