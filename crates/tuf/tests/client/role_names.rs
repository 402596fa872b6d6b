//! Delegated roles of any name: quoted in requests, apart in the store (threats: paths, devices, case, length).

use std::collections::BTreeSet;

use tuf::metadata::RoleName;
use tuf::{Error, StoredFile};

use super::simulator::{Machine, Repository, found, searched};

#[test]
fn names_are_quoted_in_requests() -> Result<(), Error> {
    for (role, requested) in [
        ("?", "1.%3F.json"),
        ("#", "1.%23.json"),
        ("/delegatedrole", "1.%2Fdelegatedrole.json"),
        ("../delegatedrole", "1...%2Fdelegatedrole.json"),
        (".", "1...json"),
        ("..", "1....json"),
        ("a b%20+", "1.a%20b%2520%2B.json"),
        ("\0", "1.%00.json"),
        ("é\u{1f600}", "1.%C3%A9%F0%9F%98%80.json"),
        ("a\\b:c*", "1.a%5Cb%3Ac%2A.json"),
    ] {
        let mut repository = Repository::new();
        repository.delegate("targets", role, &["*"]);
        repository.add_target(role, "file", b"content");
        repository.publish();
        let mut machine = Machine::trusting(&repository);
        found(machine.look_up(&repository, "file")?);
        assert_eq!(machine.requested.last().unwrap(), requested);
        assert_eq!(machine.stored_role(role), Some(&repository.file(role)));
        found(machine.look_up(&repository, "file")?);
        assert_eq!(machine.requested, ["2.root.json", "timestamp.json"]);
    }
    Ok(())
}

/// All in one repository: each gets a file of its own, with a name that is safe on every system.
#[test]
fn names_that_look_alike_have_different_files() -> Result<(), Error> {
    let long = "n".repeat(300);
    let longer = "n".repeat(301);
    let names = [
        ".",
        "..",
        "/",
        "Root",
        "ROOT",
        "TIMESTAMP",
        "Targets",
        "role",
        "Role",
        "ROLE",
        "con",
        "CON",
        "nul.txt",
        "a:b",
        "a%3Ab",
        "é",
        "e\u{301}",
        "\0",
        " ",
        "role ",
        "role.",
        ".role",
        "1.root",
        "root.json",
        &long,
        &longer,
    ];
    let mut repository = Repository::new();
    for name in names {
        repository.delegate("targets", name, &["*"]);
    }
    repository.publish();
    let mut machine = Machine::trusting(&repository);
    assert_eq!(searched(machine.look_up(&repository, "missing")?)[1..], names);
    let roles: BTreeSet<_> = machine.stored.keys().filter(|file| matches!(file, StoredFile::Delegated(_))).collect();
    assert_eq!(roles.len(), names.len());
    for name in names {
        assert_eq!(machine.stored_role(name), Some(&repository.file(name)));
    }
    let file_names: BTreeSet<_> = machine.stored.keys().map(|file| file.file_name().to_lowercase()).collect();
    assert_eq!(file_names.len(), names.len() + 3, "apart even where case is none");
    for name in file_names {
        let is_plain = |character: char| character.is_ascii_alphanumeric() || "%_.-".contains(character);
        assert!(name.chars().all(is_plain) && !name.starts_with('.') && name.len() < 200, "{name}");
    }
    Ok(())
}

/// A delegated role never has the file of a top-level one.
#[test]
fn no_delegated_role_takes_the_place_of_a_top_level_one() {
    for name in ["timestamp.json", "Timestamp", "snapshot ", "targets\0", "./root"] {
        let file_name = StoredFile::Delegated(RoleName::from(name)).file_name();
        for top_level in [StoredFile::Timestamp, StoredFile::Snapshot, StoredFile::Targets] {
            assert_ne!(file_name.to_lowercase(), top_level.file_name());
        }
    }
}
