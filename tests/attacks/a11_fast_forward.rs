//! A thief of keys signs versions so high that the owner could never sign a higher one.

use testkit::{StolenKeys, Wheel};

use crate::scene::SignedScene;

const COMMAND: &[&str] = &["--force-reinstall", "app"];
const INSTALLED: &[&str] = &["app-1.0", "library-2.0"];

/// Versions that are integers of the specification, the last one the highest that the program counts to.
const VALID: [u64; 5] = [1 << 31, (1 << 31) + 1, 1 << 53, (1 << 53) + 1, (1 << 63) - 1];

/// The owner's metadata is refused as a rollback, and what is stored is kept, until he takes the stolen keys away.
fn only_new_keys_help(scene: &SignedScene, stored: u64, role: &str) {
    scene.server.honest();
    scene.server.publish(|index| index.add(Wheel::new("library", "3.0").build()));
    // A timestamp of the version that the thief has signed would be taken for his.
    scene.server.refresh();
    scene.refuses_and_learns(COMMAND, 10, &["expected", "received", "trust.rollback"]);
    assert_eq!(scene.stored_version(role), Some(stored));
    scene.recovers_with_new_keys(COMMAND, &["app-1.0", "library-3.0"]);
    for role in ["timestamp", "snapshot"] {
        assert_eq!(scene.stored_version(role), Some(scene.server.version(role)), "{role}");
    }
    // And from there it goes on as ever.
    scene.server.publish(|index| index.add(Wheel::new("library", "4.0").build()));
    scene.recovers(COMMAND, &["app-1.0", "library-4.0"]);
}

#[test]
fn of_the_timestamp() {
    for version in VALID {
        let scene = SignedScene::signed();
        scene.server.forge("timestamp", StolenKeys::Timestamp, |signed| signed["version"] = version.into());
        scene.installs(COMMAND);
        scene.expect_installed(INSTALLED);
        assert_eq!(scene.stored_version("timestamp"), Some(version));
        only_new_keys_help(&scene, version, "timestamp");
    }
}

#[test]
fn of_the_snapshot() {
    for version in [1_u64 << 31, 1 << 53, (1 << 63) - 1] {
        let scene = SignedScene::signed();
        scene.server.forge("snapshot", StolenKeys::Snapshot, |signed| signed["version"] = version.into());
        scene.installs(COMMAND);
        scene.expect_installed(INSTALLED);
        assert_eq!(scene.stored_version("snapshot"), Some(version));
        only_new_keys_help(&scene, version, "snapshot");
    }
}

/// The snapshot with the high version is forgotten with the keys, and so are the versions that it lists.
#[test]
fn of_a_delegated_role() {
    for version in [1_u64 << 53, (1 << 63) - 1] {
        let scene = SignedScene::signed();
        scene.server.forge("index", StolenKeys::Online, |signed| signed["version"] = version.into());
        scene.installs(COMMAND);
        scene.expect_installed(INSTALLED);
        scene.server.honest();
        scene.server.rotate("index");
        scene.server.publish(|index| index.add(Wheel::new("library", "3.0").build()));
        scene.recovers_with_new_keys(COMMAND, &["app-1.0", "library-3.0"]);
    }
}

#[test]
fn beyond_all_integers() {
    let versions =
        ["9223372036854775808", "18446744073709551615", "18446744073709551616", "1e400", "2147483648.0", "0", "-1"];
    for version in versions {
        eprintln!("{version}");
        let scene = SignedScene::signed();
        scene.recovers(COMMAND, INSTALLED);
        match version.parse::<i128>().ok().and_then(|version| u64::try_from(version).ok()) {
            Some(version) => {
                scene.server.forge("timestamp", StolenKeys::Timestamp, |signed| signed["version"] = version.into());
            }
            // No JSON library signs such numbers; they are refused before any signature is looked at.
            None => {
                let file = String::from_utf8(scene.server.files()["/tuf/timestamp.json"].clone()).unwrap();
                let forged = file.replace(r#""version":1"#, &format!(r#""version":{version}"#));
                assert_ne!(file, forged);
                scene.server.replace("/tuf/timestamp.json", forged);
            }
        }
        // JSON has this number; the kit has no signature for it.
        let code = if version == "-1" { "trust.signatures" } else { "trust.malformed" };
        let said = ["Refused the signed metadata of", "refused timestamp", "expected", "received", code];
        scene.refuses(COMMAND, 10, &said);
        scene.recovers(COMMAND, INSTALLED);
    }
}

#[test]
fn of_the_snapshot_beyond_all_integers() {
    for version in [1 << 63, u64::MAX, 0] {
        let scene = SignedScene::signed();
        scene.recovers(COMMAND, INSTALLED);
        scene.server.forge("snapshot", StolenKeys::Snapshot, |signed| signed["version"] = version.into());
        // The timestamp has to name that version, and is refused for it.
        let said = ["refused timestamp", r#"as signed.meta["snapshot.json"].version"#, "trust.malformed"];
        scene.refuses(COMMAND, 10, &said);
        scene.recovers(COMMAND, INSTALLED);
    }
}
