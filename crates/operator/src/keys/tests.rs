//! Key files: what is written can be read, also by openssl; what is foreign is refused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use testkit::Command;

use super::*;

/// Whether openssl is there; a line on standard error when not.
fn has_openssl() -> bool {
    let there = Command::new("openssl").arg("version").try_run().is_ok_and(|outcome| outcome.succeeded());
    if !there {
        eprintln!("skipped: there is no openssl");
    }
    there
}

fn openssl(arguments: &[&str]) -> String {
    Command::new("openssl").args(arguments).run().expect_code(0).stdout
}

#[test]
fn an_encrypted_key_opens_with_its_passphrase_only() {
    let key = PrivateKey::generate().unwrap();
    let pem = key.to_pem(Some("correct horse")).unwrap();
    assert!(pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), "{}", *pem);
    assert!(PrivateKey::is_locked(&pem));
    let opened = PrivateKey::from_pem(&pem, Some("correct horse")).unwrap();
    assert_eq!(opened.signing_key().key_id(), key.signing_key().key_id());
    assert_eq!(opened.signing_key().sign(b"message"), key.signing_key().sign(b"message"));
    assert_eq!(PrivateKey::from_pem(&pem, Some("wrong")).err(), Some(PrivateKeyError::WrongPassphrase));
    assert_eq!(PrivateKey::from_pem(&pem, None).err(), Some(PrivateKeyError::Locked));
    assert_ne!(*key.to_pem(Some("correct horse")).unwrap(), *pem, "the salt is new each time");
}

#[test]
fn new_keys_differ() {
    let [one, other] = [(); 2].map(|()| PrivateKey::generate().unwrap());
    assert_ne!(one.signing_key().key_id(), other.signing_key().key_id());
}

#[test]
fn a_key_without_passphrase_needs_none() {
    let key = PrivateKey::generate().unwrap();
    let pem = key.to_pem(None).unwrap();
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    let opened = PrivateKey::from_pem(&pem, Some("ignored")).unwrap();
    assert_eq!(opened.signing_key().key_id(), key.signing_key().key_id());
}

#[test]
fn openssl_reads_what_is_written() {
    if !has_openssl() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let key = PrivateKey::generate().unwrap();
    let written = write(directory.path(), "root", &key, Some("secret words")).unwrap();
    let path = written.private.unwrap();
    let shown = openssl(&["pkey", "-in", path.to_str().unwrap(), "-passin", "pass:secret words", "-noout", "-text"]);
    let hex: String = shown.split("pub:").nth(1).unwrap().chars().filter(char::is_ascii_hexdigit).collect();
    let public = written.public.to_value();
    let public = public.as_object().unwrap().get("keyval").unwrap().as_object().unwrap().get("public").unwrap();
    assert_eq!(public.as_str().unwrap(), hex);
}

#[test]
fn keys_of_openssl_can_be_read() {
    if !has_openssl() {
        return;
    }
    let made: [(&[&str], Option<&str>, &str); 5] = [
        (&["genpkey", "-algorithm", "ed25519"], None, "ed25519"),
        (&["genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "pass:words"], Some("words"), "ed25519"),
        (&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], None, "ecdsa"),
        (
            &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-aes256", "-pass", "pass:words"],
            Some("words"),
            "ecdsa",
        ),
        (&["ecparam", "-name", "prime256v1", "-genkey"], None, "ecdsa"),
    ];
    for (arguments, passphrase, kind) in made {
        let pem = openssl(arguments);
        let key = PrivateKey::from_pem(&pem, passphrase).unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
        assert_eq!(key.signing_key().public().key_type(), kind);
        // And go on as ours.
        let again = key.to_pem(Some("new words")).unwrap();
        let again = PrivateKey::from_pem(&again, Some("new words")).unwrap();
        assert_eq!(again.signing_key().key_id(), key.signing_key().key_id());
    }
}

#[test]
fn keys_that_cannot_sign_are_refused() {
    if !has_openssl() {
        return;
    }
    for (arguments, reason) in [
        (&["genpkey", "-algorithm", "x25519"][..], "of the kind 1.3.101.110"),
        (&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"], "another elliptic curve"),
        (&["ecparam", "-name", "secp384r1", "-genkey"], "another elliptic curve"),
    ] {
        let error = PrivateKey::from_pem(&openssl(arguments), None).err().unwrap();
        assert!(matches!(error, PrivateKeyError::Unsupported(_)), "{arguments:?}: {error}");
        assert!(error.to_string().contains(reason), "{arguments:?}: {error}");
    }
}

#[test]
fn what_is_no_key_is_refused() {
    let key = PrivateKey::generate().unwrap();
    let pem = key.to_pem(Some("words")).unwrap();
    let shortened = pem.lines().enumerate().filter(|(number, _)| *number != 2).map(|(_, line)| line);
    let shortened: String = shortened.map(|line| format!("{line}\n")).collect();
    for text in [
        "",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        &shortened,
    ] {
        let error = PrivateKey::from_pem(text, Some("words")).err().unwrap();
        assert!(matches!(error, PrivateKeyError::Damaged(_) | PrivateKeyError::WrongPassphrase), "{error}");
    }
}

#[test]
fn a_file_cannot_ask_for_all_memory() {
    let key = PrivateKey::generate().unwrap();
    let pem = key.to_pem(Some("words")).unwrap();
    let (_, document) = pkcs8::SecretDocument::from_pem(&pem).unwrap();
    // The cost parameter 2^14 is the INTEGER 02 02 40 00; there is room for 2^14 + 2^13 only, so the block size grows too.
    let mut bytes = document.to_bytes().to_vec();
    let place = bytes.windows(7).position(|window| window == [2, 2, 0x40, 0, 2, 1, 8]).unwrap();
    bytes[place..place + 7].copy_from_slice(&[2, 5, 0x40, 0, 0, 0, 0]);
    let pem = pem_of(&bytes);
    let error = PrivateKey::from_pem(&pem, Some("words")).err().unwrap();
    assert!(!matches!(error, PrivateKeyError::WrongPassphrase), "{error}");
}

fn pem_of(bytes: &[u8]) -> String {
    let document = pkcs8::SecretDocument::try_from(bytes).unwrap();
    document.to_pem("ENCRYPTED PRIVATE KEY", pkcs8::der::pem::LineEnding::LF).unwrap().to_string()
}

#[test]
fn key_files_are_private_and_never_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let key = PrivateKey::generate().unwrap();
    let written = write(directory.path(), "online", &key, None).unwrap();
    let path = written.private.clone().unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let before = fs::read(&path).unwrap();
    let failure = write(directory.path(), "online", &PrivateKey::generate().unwrap(), None).unwrap_err();
    assert_eq!(failure.code.name(), "repo.key-exists");
    fs::remove_file(path.with_extension("pub")).unwrap();
    assert_eq!(write(directory.path(), "online", &key, None).unwrap_err().code.name(), "repo.key-exists");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn files_are_matched_to_keys_without_a_passphrase() {
    let directory = tempfile::tempdir().unwrap();
    let key = PrivateKey::generate().unwrap();
    write(directory.path(), "root", &key, Some("words")).unwrap();
    let found = in_directory(directory.path()).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].name.as_str(), &found[0].id), ("root", key.signing_key().key_id()));
    let by_private = open(&directory.path().join("root.pem")).unwrap();
    assert_eq!(by_private.id, found[0].id);
    // Without the public half nobody can tell.
    fs::remove_file(directory.path().join("root.pub")).unwrap();
    assert_eq!(open(&directory.path().join("root.pem")).unwrap_err().code.name(), "repo.key-file");
    assert_eq!(in_directory(directory.path()).unwrap().len(), 0);
}

#[test]
fn names_of_keys_are_no_paths() {
    for name in ["", "../root", "a/b", ".hidden", "-x", "a.pem", &"x".repeat(65)] {
        assert!(check_name(name).is_err(), "{name}");
    }
    assert!(check_name("root-2026_a").is_ok());
}
