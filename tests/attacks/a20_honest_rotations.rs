//! No attack: keys are replaced, as they should be from time to time, and clients that were away for long catch up.

use testkit::{KeyType, Profile, SignedIndex, in_seconds};

use crate::scene::{SignedScene, index};

/// The roots in the store, by number.
fn roots(scene: &SignedScene) -> usize {
    std::fs::read_dir(scene.stored("root_history")).unwrap().count()
}

#[test]
fn one_after_the_other() {
    let scene = SignedScene::signed();
    for rotation in 1..=5 {
        scene.server.rotate("root");
        scene.installs(&["--force-reinstall", "app"]);
        assert_eq!(roots(&scene), rotation + 1);
    }
    scene.expect_installed(&["app-1.0", "library-2.0"]);
}

#[test]
fn three_hundred_at_once() {
    let scene = SignedScene::signed();
    scene.installs(&["app"]);
    scene.server.rotate_root(300);
    scene.installs(&["--force-reinstall", "app"]);
    assert_eq!(roots(&scene), 301);
    scene.server.forget_requests();
    scene.installs(&["--force-reinstall", "app"]);
    assert_eq!(scene.server.log(), ["GET /tuf/302.root.json", "GET /tuf/timestamp.json"]);
}

/// There is an end to what one command follows. It says so, keeps what it verified, and the next one goes on.
#[test]
fn more_than_one_command_follows() {
    let scene = SignedScene::signed();
    scene.server.rotate_root(1030);
    let pieces = [
        "has replaced its keys more often than one command follows (root)",
        "expected  at most 1024 new roots in one update",
        "run the command again",
        "code      trust.too-many-roots",
    ];
    scene.refuses_and_learns(&["app"], 10, &pieces);
    assert_eq!(roots(&scene), 1025);
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
    assert_eq!(roots(&scene), 1031);
}

/// TUF 5.3.10: only the last root has to be valid today.
#[test]
fn roots_in_between_have_expired() {
    let scene = SignedScene::signed();
    for expired in 1..=3 {
        scene.server.set_expiry("root", in_seconds(-1000 * expired));
        scene.server.rotate("root");
    }
    let pieces = ["has expired (root)", "expected", "received", "clock", "code      trust.expired"];
    scene.refuses_and_learns(&["app"], 11, &pieces);
    scene.server.set_expiry("root", in_seconds(86_400));
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}

/// Nothing helps against an expired root, not even the user's wish.
#[test]
fn an_expired_root_is_not_used_on_request_either() {
    let scene = SignedScene::signed();
    scene.server.set_expiry("root", in_seconds(-10));
    let arguments = ["--allow-expired", "7d", "app"];
    scene.refuses_and_learns(&arguments, 11, &["has expired (root)", "code      trust.expired"]);
    scene.server.set_expiry("root", in_seconds(86_400));
    scene.recovers(&arguments, &["app-1.0", "library-2.0"]);
}

#[test]
fn every_role_in_every_profile() {
    let profiles: [(Profile, &[&str]); 3] =
        [(Profile::Alone, &[]), (Profile::Small, &["index"]), (Profile::Pep458 { bit_length: 2 }, &["bins", "bins-*"])];
    for (profile, delegated) in profiles {
        let scene = SignedScene::of(SignedIndex::new(index()).profile(profile));
        scene.installs(&["app"]);
        for role in ["root", "timestamp", "snapshot", "targets"].iter().chain(delegated) {
            scene.server.rotate(role);
            scene.installs(&["--force-reinstall", "app"]);
        }
        scene.expect_installed(&["app-1.0", "library-2.0"]);
        // All at once, for somebody who comes for the first time.
        let newcomer = SignedScene { environment: testkit::Environment::new(), server: scene.server };
        newcomer.server.write_trust(&newcomer.environment.trust_store());
        newcomer.installs(&["app"]);
        newcomer.expect_installed(&["app-1.0", "library-2.0"]);
    }
}

#[test]
fn every_role_with_every_kind_of_key_that_the_kit_makes() {
    for key_type in [KeyType::Ed25519, KeyType::Ecdsa] {
        let mut setup = SignedIndex::new(index()).profile(Profile::Pep458 { bit_length: 1 });
        for role in ["root", "timestamp", "snapshot", "targets", "bins", "bins-*"] {
            setup = setup.key_type(role, key_type);
        }
        let scene = SignedScene::of(setup);
        scene.installs(&["app"]);
        scene.server.rotate_root(3);
        scene.server.rotate("targets");
        scene.installs(&["--force-reinstall", "app"]);
        scene.expect_installed(&["app-1.0", "library-2.0"]);
    }
}
