//! Roots out of order: each must be the next one, and signed by the one before.

use testkit::{SignedIndex, StolenKeys, Wheel};

use crate::scene::{SignedScene, index};

const COMMAND: &[&str] = &["--force-reinstall", "app"];
const INSTALLED: &[&str] = &["app-1.0", "library-2.0"];

/// An index whose root was changed four times with the same root keys, so that each signs for every other.
fn five_roots() -> SignedScene {
    let scene = SignedScene::of(SignedIndex::new(index()));
    for _ in 0..4 {
        scene.server.rotate("timestamp");
    }
    assert_eq!(scene.server.version("root"), 5);
    scene
}

/// Serves the root of one version under the name of another.
fn serve_root(scene: &SignedScene, served: u64, under: u64) {
    let bytes = scene.server.files()[&scene.server.root_path(served)].clone();
    scene.server.replace(&scene.server.root_path(under), bytes);
}

#[test]
fn a_version_is_left_out() {
    for (under, served) in [(2, 3), (2, 5), (3, 5)] {
        let scene = five_roots();
        serve_root(&scene, served, under);
        let said = [
            "Refused the signed metadata of",
            &format!("refused root version {under}"),
            &format!("expected version {under}"),
            &format!("received {served}"),
            "trust.version",
        ];
        scene.refuses_and_learns(COMMAND, 10, &said);
        // The good ones before it are kept, it itself is not, and nothing is skipped to.
        let newest = scene.stored_version("root");
        assert_eq!(newest, (under > 2).then_some(under - 1));
        assert!(!scene.stored(&format!("root_history/{under}.root.json")).exists());
        assert!(scene.server.requests_for(&scene.server.root_path(under + 1)).is_empty());
        scene.recovers(COMMAND, INSTALLED);
        assert_eq!(scene.stored_version("root"), Some(5));
    }
}

#[test]
fn an_older_one_or_the_same() {
    for (under, served) in [(2, 1), (3, 1), (3, 2), (6, 5), (6, 1)] {
        let scene = five_roots();
        serve_root(&scene, served, under);
        let said = [
            &format!("refused root version {under}"),
            &format!("expected version {under}"),
            &format!("received {served}"),
            "trust.version",
        ];
        scene.refuses_and_learns(COMMAND, 10, &said);
        assert!(!scene.stored(&format!("root_history/{under}.root.json")).exists());
        scene.recovers(COMMAND, INSTALLED);
        assert_eq!(scene.stored_version("root"), Some(5));
        // Who has the newest one is not led back either.
        serve_root(&scene, served, 6);
        scene.refuses(COMMAND, 10, &["refused root version 6", "trust.version"]);
        scene.recovers(COMMAND, INSTALLED);
    }
}

/// A root in the middle is withheld: everything signed for the later ones is refused, and they are not skipped to.
#[test]
fn a_gap() {
    let scene = five_roots();
    scene.server.remove(&scene.server.root_path(3));
    scene.refuses_and_learns(COMMAND, 10, &["refused timestamp", "that root 2 names", "trust.signatures"]);
    assert!(scene.server.requests_for(&scene.server.root_path(4)).is_empty());
    assert_eq!(scene.stored_version("root"), Some(2));
    scene.recovers(COMMAND, INSTALLED);
    assert_eq!(scene.stored_version("root"), Some(5));
}

/// The roots before the newest one are no longer needed by whoever has seen it.
#[test]
fn who_has_seen_the_newest_is_not_led_back() {
    let scene = SignedScene::signed();
    let first = scene.server.day();
    scene.server.rotate("root");
    scene.server.rotate("timestamp");
    scene.recovers(COMMAND, INSTALLED);
    scene.server.replay(&first);
    // The old timestamp is signed by a key that the newest root has taken away.
    scene.refuses(COMMAND, 10, &["refused timestamp", "that root 3 names", "trust.signatures"]);
    assert_eq!(scene.stored_version("root"), Some(3));
    scene.recovers(COMMAND, INSTALLED);
}

#[test]
fn a_root_that_the_one_before_did_not_sign() {
    let scene = SignedScene::signed();
    scene.server.rotate_root(3);
    // Signed by its own keys and those of root 3, not by those of root 1.
    serve_root(&scene, 4, 2);
    scene.refuses(COMMAND, 10, &["refused root", "that root 1 names", "trust.signatures"]);
    scene.recovers(COMMAND, INSTALLED);
    assert_eq!(scene.stored_version("root"), Some(4));
}

/// A bad root is not on disk, where the next run would begin with it; a good one before it is, at once.
#[test]
fn a_bad_root_among_good_ones() {
    let scene = SignedScene::signed();
    scene.server.rotate_root(1);
    scene.server.forge("root", StolenKeys::Nothing, |signed| signed["x-forged"] = true.into());
    for _ in 0..2 {
        scene.refuses_and_learns(COMMAND, 10, &["refused root", "trust.signatures"]);
        assert_eq!(scene.stored_version("root"), Some(2));
        assert!(!scene.stored("root_history/3.root.json").exists());
    }
    scene.server.honest();
    scene.server.publish(|index| index.add(Wheel::new("library", "3.0").build()));
    scene.recovers(COMMAND, &["app-1.0", "library-3.0"]);
}
