//! `repo export-anchor`: what it writes is what users can trust the index with.

use std::fs;

use serde_json::Value;

use crate::repo::published::Published;

#[test]
fn the_file_and_the_line_it_prints_make_the_index_trusted() {
    let published = Published::new();
    published.server.rotate_root(2);
    published.write_tree();
    let outcome = published.repo(&["export-anchor", "-o", "for users.json"]).run().expect_code(0);
    let written = published.environment.work().join("for users.json");
    assert_eq!(fs::read(&written).unwrap(), published.server.files()["/tuf/3.root.json"]);
    let line = outcome.stdout.lines().find(|line| line.contains("tufpip trust add")).unwrap().trim();
    assert!(
        line.starts_with("tufpip trust add https://pkgs.example.org/simple/ --root 'for users.json' --root-sha256 ")
    );
    assert!(!line.contains("--metadata-url"), "{line}");
    // The same line works for the copy of the index on this machine.
    let serving = published.serve();
    let sha256 = line.rsplit(' ').next().unwrap();
    let index = format!("{}simple/", serving.url);
    let tufpip = published.environment.command(env!("CARGO_BIN_EXE_tufpip")).args(["trust", "add", &index]);
    let added = tufpip.args(["--root", "for users.json", "--root-sha256", sha256]).run().expect_code(0);
    assert!(added.stdout.contains("Metadata verified: root 3"), "{}", added.stdout);
}

#[test]
fn signatures_that_live_apart_from_their_index_are_named() {
    let published = Published::new();
    published.environment.write(
        "repository/repo.toml",
        "base = \"https://signatures.example.org/\"\nindex-url = \"https://pkgs.example.org/simple/\"\n\
         output = \"public\"\nprofile = \"small\"\n",
    );
    let outcome = published.repo(&["export-anchor", "-o", "anchor.json", "--json"]).run().expect_code(0);
    let said: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let command = said["command"].as_str().unwrap();
    assert!(command.starts_with("tufpip trust add https://pkgs.example.org/simple/ --root anchor.json "), "{command}");
    assert!(command.ends_with(" --metadata-url https://signatures.example.org/tuf/"), "{command}");
}

#[test]
fn without_a_file_the_root_alone_goes_to_standard_output() {
    let published = Published::new();
    let outcome = published.repo(&["export-anchor"]).run().expect_code(0);
    let root = String::from_utf8(published.server.root()).unwrap();
    assert_eq!(outcome.stdout.trim_end(), root.trim_end());
    assert!(outcome.stderr.contains(&published.server.root_sha256()), "{}", outcome.stderr);
    let outcome = published.repo(&["export-anchor", "--json"]).run().expect_code(0);
    let said: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(said["root"], root);
    assert_eq!(said["sha256"], published.server.root_sha256());
}

#[test]
fn a_root_that_is_not_published_is_not_given_to_anybody() {
    let published = Published::new();
    fs::remove_file(published.public("tuf/1.root.json")).unwrap();
    let outcome = published.repo(&["export-anchor", "-o", "anchor.json"]).run().expect_code(1);
    outcome.expect_stderr(&["no tuf/1.root.json", "repo.root-not-published"]);
    assert!(!published.environment.work().join("anchor.json").exists());

    published.environment.write("repository/root.json", "{\"signed\": {}, \"signatures\": []}");
    published.repo(&["export-anchor"]).run().expect_code(1).expect_stderr(&["root.json is damaged", "repo.damaged"]);
    fs::remove_file(published.directory().join("root.json")).unwrap();
    published.repo(&["export-anchor"]).run().expect_code(1).expect_stderr(&["repo.no-root"]);
}
