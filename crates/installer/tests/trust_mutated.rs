//! A trust store with random damage: an error that says where, or the anchor that was pinned; never another index, and
//! never an index without verification.

use std::path::Path;

use installer::options::TrustOptions;
use installer::trust::{IndexIdentity, TrustAnchor};
use sha2::{Digest as _, Sha256};
use testkit::Mutations;

const ROOT: &str =
    r#"{"signatures": [], "signed": {"_type": "root", "version": 1, "expires": "2040-01-01T00:00:00Z"}}"#;

fn index() -> IndexIdentity {
    IndexIdentity::of(&"https://pkgs.example.org/simple/".parse().unwrap())
}

fn trust_file() -> String {
    format!(
        r#"{{"index_url": "{}", "metadata_url": "https://pkgs.example.org/tuf/", "layout": "{}",
        "anchor": {{"kind": "file", "source": "root.json", "sha256": "{}", "version": 1, "added": "2026-01-01T00:00:00Z"}},
        "mirrors": ["https://mirror.example.org/simple/"], "rewrite": [{{"from": "https://a/", "to": "https://b/"}}]}}"#,
        index().url(),
        "pep691",
        hex::encode(Sha256::digest(ROOT)),
    )
}

/// What the directory of the index says, looked for and listed.
fn check(directory: &Path, settings: &TrustOptions) -> bool {
    let name = directory.display().to_string();
    let is_named = |failure: &installer::error::Failure| failure.message.contains(&name);
    let found = TrustAnchor::find(settings, &index());
    match TrustAnchor::all(settings).as_slice() {
        [(listed, Ok(anchor))] => {
            assert_eq!(listed, directory);
            assert!(anchor.as_ref().is_none_or(|anchor| anchor.identity == index()), "{anchor:?}");
            assert!(anchor.is_none() || found.is_ok(), "{anchor:?} is listed; {found:?}");
        }
        [(listed, Err(failure))] => assert!(listed == directory && is_named(failure), "{failure}"),
        other => panic!("{other:?}"),
    }
    match found {
        Ok(anchor) => {
            let anchor = anchor.expect("an index that is trusted is not an ordinary one");
            assert_eq!((anchor.identity, anchor.root), (index(), ROOT.as_bytes().to_vec()));
            assert_eq!(anchor.directory.as_deref(), Some(directory));
            true
        }
        Err(failure) => {
            assert!(is_named(&failure), "{failure}");
            false
        }
    }
}

#[test]
fn damaged_trust_stores() {
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join("tuf-repositories");
    let directory = store.join(index().directory_name());
    std::fs::create_dir_all(&directory).unwrap();
    let settings = TrustOptions { store: Some(store), ..TrustOptions::default() };
    let write = |name: &str, content: &[u8]| std::fs::write(directory.join(name), content).unwrap();
    write("root.json", ROOT.as_bytes());
    write("trust.json", trust_file().as_bytes());
    assert!(check(&directory, &settings));

    let words = [
        "null",
        "{}",
        "[]",
        ",",
        "{",
        "}",
        "\"",
        "\\u0000",
        "\\u001b",
        "1",
        "-1",
        "1e99",
        "\"index_url\": \"https://evil.example.org/\",",
        "\"anchor\": null,",
        "\"layout\": {},",
        "/",
        "../",
        "@",
        "%2e",
        "file:///",
        "http://",
        "\u{feff}",
    ];
    let mut usable = 0;
    for bytes in Mutations::of(trust_file(), 1_500).words(words) {
        write("trust.json", &bytes);
        usable += u64::from(check(&directory, &settings));
    }
    assert!(usable > 100, "only {usable}");
    write("trust.json", trust_file().as_bytes());
    for bytes in Mutations::of(ROOT, 300).words(words) {
        write("root.json", &bytes);
        assert_eq!(check(&directory, &settings), *bytes == *ROOT.as_bytes());
    }
    // The same root elsewhere in the directory will do.
    std::fs::create_dir(directory.join("root_history")).unwrap();
    write("root_history/1.root.json", ROOT.as_bytes());
    assert!(check(&directory, &settings));
}
