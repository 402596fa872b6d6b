//! The suite accepts 0 and 1 and nothing else, whatever goes wrong.

#![allow(clippy::unwrap_used, reason = "a story that cannot go on is a failed test")]

use testkit::{Command, Outcome};

fn run(arguments: &[&str]) -> Outcome {
    Command::new(env!("CARGO_BIN_EXE_tuf-conformance-client")).args(arguments).run()
}

#[test]
fn help_is_no_failure() {
    assert_eq!(run(&["--help"]).code, Some(0));
}

#[test]
fn wrong_usage_is_1() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path().to_str().unwrap();
    let wrong: [&[&str]; 5] = [
        &[],
        &["--metadata-dir", directory, "rotate"],
        &["--metadata-dir", directory, "init"],
        &["--metadata-dir", directory, "init", "no/such/root.json"],
        &["--metadata-dir", directory, "refresh"],
    ];
    for arguments in wrong {
        assert_eq!(run(arguments).code, Some(1), "{arguments:?}");
    }
}

#[test]
fn a_root_that_is_none_is_noticed_before_anything_is_asked() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("initial.json");
    std::fs::write(&root, "{}").unwrap();
    let metadata = directory.path().join("metadata");
    let metadata = metadata.to_str().unwrap();
    assert_eq!(run(&["--metadata-dir", metadata, "init", root.to_str().unwrap()]).code, Some(0));
    // Nobody listens at this address.
    let refresh = run(&["--metadata-dir", metadata, "--metadata-url", "http://127.0.0.1:1/", "refresh"]);
    assert_eq!(refresh.code, Some(1));
    refresh.expect_stderr(&["the root to start from cannot be used"]);
}
