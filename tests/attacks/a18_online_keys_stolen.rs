//! Somebody has the keys of the bins, or all that are online: he may sign files until those offline take the keys away.

use serde_json::{Value, json};
use testkit::{ForgedSignatures, Profile, SignedIndex, StolenKeys, Wheel, WheelFile, target};

use crate::scene::{SignedScene, index};

const LIBRARY: &str = "library-2.0-py3-none-any.whl";
const PROFILES: [Profile; 2] = [Profile::Small, Profile::Pep458 { bit_length: 2 }];

/// The role whose key it is, as it is rotated.
fn online_role(profile: Profile) -> &'static str {
    if profile == Profile::Small { "index" } else { "bins-*" }
}

/// `library` 2.0 with other content.
fn evil() -> WheelFile {
    Wheel::new("library", "2.0").file("library/evil.py", "import this\n").build()
}

/// Serves it, page and all, with the signatures that these keys make.
fn attack(scene: &SignedScene, stolen: StolenKeys) {
    let evil = evil();
    let mut page: Value = serde_json::from_slice(&scene.server.page("library")).unwrap();
    for file in page["files"].as_array_mut().unwrap() {
        if file["filename"] == LIBRARY {
            file["size"] = evil.bytes.len().into();
            file["hashes"] = json!({"sha256": evil.sha256()});
            file.as_object_mut().unwrap().retain(|field, _| !field.contains("metadata"));
        }
    }
    scene.server.replace(&scene.server.wheel_path(LIBRARY), evil.bytes.clone());
    scene.server.forge_page("library", page.to_string().as_bytes(), stolen);
    scene.server.forge_target(&scene.server.distribution_target(LIBRARY), &evil.bytes, stolen);
    let metadata = format!("{}.metadata", scene.server.distribution_target(LIBRARY));
    scene.server.forge_target(&metadata, &evil.metadata, stolen);
}

fn is_evil(scene: &SignedScene) -> bool {
    scene.environment.site_packages().join("library/evil.py").exists()
}

/// A limit of PEP 458's minimum model, and said to be one: nothing distinguishes it from what the index wants.
#[test]
fn with_all_online_keys_he_signs_what_he_likes_until_they_are_rotated() {
    for profile in PROFILES {
        let scene = SignedScene::of(SignedIndex::new(index()).profile(profile));
        attack(&scene, StolenKeys::Online);
        scene.installs(&["app"]);
        assert!(is_evil(&scene), "the story needs an attack that works");

        for role in [online_role(profile), "snapshot", "timestamp"] {
            scene.server.rotate(role);
        }
        scene.recovers(&["--force-reinstall", "app"], &["app-1.0", "library-2.0"]);
        assert!(!is_evil(&scene));
    }
}

/// Without the snapshot nobody is led to what the bins' key signs.
#[test]
fn with_the_key_of_the_bins_alone_he_gets_nowhere() {
    for profile in PROFILES {
        let scene = SignedScene::of(SignedIndex::new(index()).profile(profile));
        attack(&scene, StolenKeys::Bins);
        scene.refuses_and_learns(&["app"], 10, &["expected", "received", "code      trust.hash-mismatch"]);
        scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
    }
}

/// In a repository whose snapshot has versions only, the key of a bin is enough for a file under the same version.
#[test]
fn where_the_snapshot_has_no_hashes_it_is_enough() {
    for profile in PROFILES {
        let scene = SignedScene::of(SignedIndex::new(index()).profile(profile).without_hashes_in_snapshot());
        attack(&scene, StolenKeys::Bins);
        scene.installs(&["app"]);
        assert!(is_evil(&scene), "the story needs an attack that works");
        scene.server.rotate(online_role(profile));
        scene.recovers(&["--force-reinstall", "app"], &["app-1.0", "library-2.0"]);
        assert!(!is_evil(&scene));
    }
}

/// What was verified once is verified again with the keys of today, wherever it lies: here it is in the cache, the attacker
/// serves it as well, and a snapshot of his lists it, no older than was seen.
#[test]
fn the_old_bin_is_refused_after_the_rotation_even_from_the_cache() {
    for profile in PROFILES {
        let scene = SignedScene::of(SignedIndex::new(index()).profile(profile));
        attack(&scene, StolenKeys::Online);
        scene.installs(&["app"]);
        let role = scene.server.role_of(&scene.server.distribution_target(LIBRARY));
        let stolen_entry = scene.server.signed("snapshot")["meta"][format!("{role}.json")].clone();
        let forged = scene.server.file_signed_by(&role, &scene.server.signed(&role), ForgedSignatures::RightKeys);
        assert_eq!(
            target(&forged)["hashes"],
            stolen_entry["hashes"],
            "the story needs the file that was installed from"
        );
        assert!(cached_role(&scene, &role).exists(), "the story needs a bin in the cache");

        scene.server.rotate(online_role(profile));
        // The honest repository, but for the snapshot.
        scene.server.honest();
        scene.server.publish(|index| index);
        scene.server.publish(|index| index);
        scene.server.publish(|index| index);
        let path = scene
            .server
            .role_path(&role)
            .replace(&format!("/{}.", scene.server.version(&role)), &format!("/{}.", stolen_entry["version"]));
        scene.server.replace(&path, forged);
        scene.server.forge("snapshot", StolenKeys::Snapshot, |signed| {
            signed["meta"][format!("{role}.json")] = stolen_entry.clone();
        });
        let named = format!("({role})");
        let pieces = [named.as_str(), "expected", "received", "code      trust.signatures"];
        scene.refuses_and_learns(&["--force-reinstall", "library"], 10, &pieces);

        for role in ["snapshot", "timestamp"] {
            scene.server.rotate(role);
        }
        scene.recovers(&["--force-reinstall", "app"], &["app-1.0", "library-2.0"]);
        assert!(!is_evil(&scene));
    }
}

/// The same with the key of `targets`, which delegates: the stored file is not believed because it was.
#[test]
fn the_old_targets_are_refused_after_the_rotation_even_from_the_store() {
    let scene = SignedScene::signed();
    scene.installs(&["app"]);
    let old = scene.server.files()[&scene.server.role_path("targets")].clone();
    let entry = scene.server.signed("snapshot")["meta"]["targets.json"].clone();
    let path = scene.server.role_path("targets");
    scene.server.rotate("targets");
    scene.server.replace(&path, old);
    scene.server.forge("snapshot", StolenKeys::Snapshot, |signed| signed["meta"]["targets.json"] = entry);
    let pieces = ["(targets)", "expected", "received", "code      trust.signatures"];
    scene.refuses_and_learns(&["--force-reinstall", "app"], 10, &pieces);
    scene.server.rotate("snapshot");
    scene.server.rotate("timestamp");
    scene.recovers(&["--force-reinstall", "app"], &["app-1.0", "library-2.0"]);
}

/// Where the program keeps a delegated role of the index.
fn cached_role(scene: &SignedScene, role: &str) -> std::path::PathBuf {
    let name = scene.stored("").file_name().unwrap().to_owned();
    scene.environment.cache().join("tufpip/tuf").join(name).join("roles").join(format!("{role}.json"))
}
