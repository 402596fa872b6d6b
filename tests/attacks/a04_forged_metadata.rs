//! Metadata that nobody with the role's keys has signed, for each role in turn. Where a role is protected by hashes in other
//! roles, the attacker even has those others' keys.

use serde_json::json;
use testkit::{ForgedSignatures, Profile, SignedIndex, StolenKeys, Wheel};

use crate::scene::{SignedScene, index};

const INSTALLED: &[&str] = &["app-1.0", "library-2.0"];

/// How a forgery is signed.
const FORGERIES: [ForgedSignatures; 6] = [
    ForgedSignatures::WrongKeys,
    ForgedSignatures::WrongKeysUnderRightNames,
    ForgedSignatures::RightKeysUnderWrongNames,
    ForgedSignatures::EarlierContent,
    ForgedSignatures::TooFew,
    ForgedSignatures::Nobody,
];

/// Every forgery of a role is refused, by who looks at the index for the first time and by who has used it before.
fn all_refused(setup: &SignedIndex, role: &str, stolen: StolenKeys) {
    let scene = SignedScene::of(setup.clone());
    let command = ["--force-reinstall", "app"];
    for has_used_it in [false, true] {
        for signed_by in FORGERIES {
            eprintln!("{role} {signed_by:?}, used before: {has_used_it}");
            scene.server.forge_signed_by(role, signed_by, stolen, |signed| signed["x-forged"] = json!(true));
            let said = [
                "Refused the signed metadata of",
                &format!("refused {role}"),
                "expected valid signatures of ",
                "received ",
                "what was trusted before is still trusted",
                "trust.signatures",
            ];
            scene.refuses_and_learns(&command, 10, &said);
            scene.server.honest();
            if stolen != StolenKeys::Nothing {
                // What the thief signed is newer than what the owner has: only new keys end that.
                scene.server.rotate("timestamp");
                scene.server.rotate("snapshot");
            }
        }
        scene.recovers(&command, INSTALLED);
        if role == "index" || role.starts_with("bins") || role == "targets" {
            // So that the forged role is not the one that is remembered.
            scene.server.publish(|index| index.add(Wheel::new("app", "0.9").build()).add(Wheel::new("c", "1").build()));
        }
    }
    scene.recovers(&command, INSTALLED);
}

#[test]
fn root() {
    all_refused(&SignedIndex::new(index()), "root", StolenKeys::Nothing);
}

#[test]
fn root_with_a_threshold() {
    all_refused(&SignedIndex::new(index()).threshold("root", 3, 2), "root", StolenKeys::Nothing);
}

#[test]
fn timestamp() {
    all_refused(&SignedIndex::new(index()), "timestamp", StolenKeys::Nothing);
}

#[test]
fn snapshot() {
    all_refused(&SignedIndex::new(index()), "snapshot", StolenKeys::Timestamp);
}

#[test]
fn targets() {
    all_refused(&SignedIndex::new(index()), "targets", StolenKeys::Snapshot);
}

#[test]
fn delegated_role() {
    all_refused(&SignedIndex::new(index()), "index", StolenKeys::Snapshot);
}

#[test]
fn bins_and_a_bin() {
    let setup = SignedIndex::new(index()).profile(Profile::Pep458 { bit_length: 1 });
    all_refused(&setup, "bins", StolenKeys::Snapshot);
    let scene = SignedScene::of(setup.clone());
    all_refused(&setup, &scene.server.role_of(&scene.server.page_target("app")), StolenKeys::Snapshot);
}

/// Without any key: the version that the snapshot lists, with other content. The hash in the snapshot tells; without one, the
/// signatures.
#[test]
fn in_the_place_of_the_listed_version() {
    for role in ["snapshot", "targets", "index"] {
        let scene = SignedScene::signed();
        let path = scene.server.role_path(role);
        let signed = String::from_utf8(scene.server.files()[&path].clone()).unwrap();
        scene.server.replace(&path, signed.replace("2100-01-01", "2900-01-01"));
        let said = ["Refused the signed metadata of", &format!("refused {role} version 1"), "trust.hash-mismatch"];
        scene.refuses_and_learns(&["app"], 10, &said);
        scene.server.forge(role, StolenKeys::Nothing, |signed| signed["x-forged"] = json!(true));
        scene.refuses_and_learns(&["app"], 10, &[&format!("refused {role} version 1"), "trust.too-large"]);
        scene.recovers(&["app"], INSTALLED);
    }
    for role in ["targets", "index"] {
        let scene = SignedScene::of(SignedIndex::new(index()).without_hashes_in_snapshot());
        for signed_by in FORGERIES {
            scene
                .server
                .forge_signed_by(role, signed_by, StolenKeys::Nothing, |signed| signed["x-forged"] = json!(true));
            scene.refuses_and_learns(&["app"], 10, &[&format!("refused {role} version 1"), "trust.signatures"]);
            scene.server.honest();
        }
        scene.recovers(&["app"], INSTALLED);
    }
}

/// A role cannot be signed for by the keys of another, and no file can stand for that of another role.
#[test]
fn good_signatures_of_another_role() {
    for (role, other) in
        [("timestamp", "snapshot"), ("snapshot", "targets"), ("targets", "index"), ("index", "targets")]
    {
        let scene = SignedScene::of(SignedIndex::new(index()).without_hashes_in_snapshot());
        let other = scene.server.files()[&scene.server.role_path(other)].clone();
        scene.server.replace(&scene.server.role_path(role), other);
        scene.refuses_and_learns(&["app"], 10, &[&format!("refused {role}")]);
        scene.recovers(&["app"], INSTALLED);
    }
}
