//! `repo key`: keys are made, taken over and shown, on any machine.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};
use testkit::{Outcome, tree};

use crate::repo::operator::{Operator, PASSPHRASE};

#[test]
fn keys_are_made_without_a_repository() {
    let ann = Operator::new();
    let made = ann.says(&["key", "gen", "ann", "spare", "--out", "keys"]);
    assert_eq!(made["encrypted"], json!(true));
    assert_eq!(made["keys"][0]["name"], json!("ann"));
    assert_ne!(made["keys"][0]["keyid"], made["keys"][1]["keyid"]);

    let private = String::from_utf8(ann.read("keys/ann.pem")).unwrap();
    assert!(private.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), "{private}");
    assert_eq!(fs::metadata(ann.path("keys/ann.pem")).unwrap().permissions().mode() & 0o777, 0o600);
    let public: Value = serde_json::from_slice(&ann.read("keys/ann.pub")).unwrap();
    assert_eq!((&public["keytype"], &public["scheme"]), (&json!("ed25519"), &json!("ed25519")));

    let shown = ann.says(&["key", "show", "keys/ann.pub"]);
    assert_eq!(shown["keys"][0]["keyid"], made["keys"][0]["keyid"]);
    let outcome = ann.does(&["key", "show", "keys/ann.pem"]);
    assert!(outcome.stdout.contains(made["keys"][0]["keyid"].as_str().unwrap()), "{}", outcome.stdout);
}

#[test]
fn a_key_is_never_overwritten() {
    let ann = Operator::new();
    ann.does(&["key", "gen", "ann", "--out", "keys"]);
    let before = (ann.read("keys/ann.pem"), ann.read("keys/ann.pub"));
    ann.repo(&["key", "gen", "other", "ann", "--out", "keys"])
        .expect_code(1)
        .expect_stderr(&["keys/ann.pem is there already", "repo.key-exists"]);
    assert_eq!((ann.read("keys/ann.pem"), ann.read("keys/ann.pub")), before);
    assert!(!ann.path("keys/other.pem").exists(), "half of what was asked for was done");
}

#[test]
fn without_anybody_to_ask_nothing_is_made() {
    let ann = Operator::new();
    let without = |arguments: &[&str]| ann.tufpip(&["repo", "key", "gen", "ann", "--out", "keys"]).args(arguments);
    without(&[]).run().expect_code(2).expect_stderr(&["there is no terminal to ask at", "--passphrase-fd"]);
    without(&["--no-input"]).run().expect_code(2).expect_stderr(&["--no-input", "TUFPIP_REPO_PASSPHRASE"]);
    without(&["--passphrase-fd", "0"]).run().expect_code(2).expect_stderr(&["must not be empty"]);
    without(&["--passphrase-fd", "77"]).run().expect_code(2).expect_stderr(&["file descriptor 77"]);
    assert!(!ann.path("keys").exists());
}

#[test]
fn the_passphrase_comes_from_a_file_descriptor() {
    let ann = Operator::new();
    let with = |arguments: &[&str], input: &str| ann.tufpip(&["repo", "key"]).args(arguments).input(input).run();
    with(&["gen", "ann", "--out", "keys", "--passphrase-fd", "0"], "two words\nnot this line\n").expect_code(0);
    // Another machine takes the key over with the same passphrase; another passphrase does not open it.
    let import = ["import", "keys/ann.pem", "--out", "moved", "--passphrase-fd", "0"];
    with(&import, "two\n")
        .expect_code(1)
        .expect_stderr(&["The passphrase from --passphrase-fd does not open keys/ann.pem"]);
    assert!(!ann.path("moved").exists());
    with(&import, "two words").expect_code(0);
    assert_eq!(ann.read("moved/ann.pub"), ann.read("keys/ann.pub"));
}

#[test]
fn a_key_for_machines_is_not_encrypted_and_that_is_said() {
    let ann = Operator::new();
    let outcome = ann.does(&["key", "gen", "cron", "--out", "keys", "--no-passphrase"]);
    outcome.expect_stderr(&["Whoever reads a private half that is not encrypted can sign with it"]);
    assert!(String::from_utf8(ann.read("keys/cron.pem")).unwrap().starts_with("-----BEGIN PRIVATE KEY-----\n"));
    assert_eq!(fs::metadata(ann.path("keys/cron.pem")).unwrap().permissions().mode() & 0o777, 0o600);
    // A people's key made of it is encrypted again.
    ann.does(&["key", "import", "keys/cron.pem", "--name", "safe", "--out", "keys"]);
    assert!(String::from_utf8(ann.read("keys/safe.pem")).unwrap().contains("BEGIN ENCRYPTED PRIVATE KEY"));
    assert_eq!(ann.read("keys/safe.pub"), ann.read("keys/cron.pub"));
}

#[test]
fn keys_of_openssl_are_taken_over() {
    let ann = Operator::new();
    let pass = format!("pass:{PASSPHRASE}");
    let arguments = ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-aes256", "-pass", &pass];
    let outcome = ann.environment.command("openssl").args(arguments).try_run();
    let Some(outcome) = outcome.ok().filter(Outcome::succeeded) else {
        eprintln!("skipped: there is no openssl");
        return;
    };
    ann.environment.write("ann.key", &outcome.stdout);
    let imported = ann.says(&["key", "import", "ann.key", "--out", "keys"]);
    assert_eq!(imported["keys"][0]["scheme"], json!("ecdsa-sha2-nistp256"));
    assert!(String::from_utf8(ann.read("keys/ann.pem")).unwrap().contains("BEGIN ENCRYPTED PRIVATE KEY"));
}

#[test]
fn what_is_no_key_changes_nothing() {
    let ann = Operator::new();
    ann.environment.write("empty.pem", b"");
    ann.environment.write("text.pem", b"-----BEGIN PRIVATE KEY-----\nnothing\n-----END PRIVATE KEY-----\n");
    ann.environment.write("text.pub", b"{\"keytype\": 1}");
    let before = tree(&ann.environment.work());
    for file in ["empty.pem", "text.pem"] {
        ann.repo(&["key", "import", file, "--name", "x", "--out", "keys"])
            .expect_code(1)
            .expect_stderr(&["cannot be used", "repo.key-file"]);
    }
    ann.repo(&["key", "import", "missing.pem", "--out", "keys"]).expect_code(1).expect_stderr(&["missing.pem"]);
    ann.repo(&["key", "show", "text.pub"]).expect_code(1).expect_stderr(&["text.pub is no public key"]);
    ann.repo(&["key", "gen", "../x", "--out", "keys"]).expect_code(2).expect_stderr(&["no name for a key"]);
    ann.repo(&["key", "gen", "x"]).expect_code(1).expect_stderr(&["There is no repository in /"]);
    assert_eq!(tree(&ann.environment.work()), before);
}
