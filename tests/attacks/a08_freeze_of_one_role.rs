//! Everything is fresh but one role, which somebody keeps showing in a version that has expired.

use testkit::{Profile, SignedIndex, StolenKeys, Wheel, in_seconds};

use crate::scene::{SignedScene, index};

const COMMAND: &[&str] = &["--force-reinstall", "app"];
const INSTALLED: &[&str] = &["app-1.0", "library-2.0"];

/// Whoever has never seen the index and whoever has are both refused; with the role signed anew, both go on.
fn refused_until_signed_anew(setup: &SignedIndex, role: &str, shown: &str) {
    for has_used_it in [false, true] {
        let scene = SignedScene::of(setup.clone());
        if has_used_it {
            scene.recovers(COMMAND, INSTALLED);
        }
        scene.server.set_expiry(role, in_seconds(-60));
        let said = [
            &format!("has expired ({shown}"),
            &format!("refused {shown}"),
            "expected an expiry date after the time of the update",
            "received",
            "trust.expired",
        ];
        scene.refuses_and_learns(COMMAND, 11, &said);
        // As long as nobody signs it anew, a new timestamp is none the better.
        scene.server.refresh();
        scene.refuses_and_learns(COMMAND, 11, &said);
        scene.server.set_expiry(role, in_seconds(86_400));
        scene.recovers(COMMAND, INSTALLED);
    }
}

#[test]
fn snapshot() {
    refused_until_signed_anew(&SignedIndex::new(index()), "snapshot", "snapshot");
}

#[test]
fn targets() {
    refused_until_signed_anew(&SignedIndex::new(index()), "targets", "targets");
}

#[test]
fn delegated_role() {
    refused_until_signed_anew(&SignedIndex::new(index()), "index", "index");
}

#[test]
fn bins_and_a_bin() {
    let setup = SignedIndex::new(index()).profile(Profile::Pep458 { bit_length: 1 });
    refused_until_signed_anew(&setup, "bins", "bins");
    refused_until_signed_anew(&setup, "bins-*", "bins-");
}

/// With the key of the timestamp, the attacker can go on naming a snapshot that the owner has replaced; until it expires.
#[test]
fn a_fresh_timestamp_over_an_expired_snapshot() {
    let scene = SignedScene::signed();
    scene.server.set_expiry("snapshot", in_seconds(-60));
    let expired = scene.server.signed("timestamp")["meta"].clone();
    scene.server.set_expiry("snapshot", in_seconds(86_400));
    scene.server.publish(|index| index.add(Wheel::new("library", "3.0").build()));
    scene.server.forge("timestamp", StolenKeys::Timestamp, |signed| signed["meta"] = expired);
    scene.refuses_and_learns(COMMAND, 11, &["has expired (snapshot)", "refused snapshot version 2", "trust.expired"]);
    scene.recovers_with_new_keys(COMMAND, &["app-1.0", "library-3.0"]);
}

/// With the keys of snapshot and timestamp, he can go on listing roles that the owner has replaced; until they expire.
#[test]
fn a_fresh_snapshot_over_an_expired_role() {
    for role in ["targets", "index"] {
        let scene = SignedScene::signed();
        scene.server.set_expiry(role, in_seconds(-60));
        let expired = scene.server.signed("snapshot")["meta"].clone();
        scene.server.set_expiry(role, in_seconds(86_400));
        scene.server.publish(|index| index.add(Wheel::new("library", "3.0").build()));
        scene.server.forge("snapshot", StolenKeys::Snapshot, |signed| signed["meta"] = expired);
        let said = [&format!("has expired ({role})"), &format!("refused {role} version"), "trust.expired"];
        scene.refuses_and_learns(COMMAND, 11, &said);
        scene.recovers_with_new_keys(COMMAND, &["app-1.0", "library-3.0"]);
    }
}
