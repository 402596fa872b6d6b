//! No attack: what a signed index is good for on an ordinary day.

use testkit::{DistributionTrust, Profile, SignedIndex};

use crate::scene::{SignedScene, index};

#[test]
fn a_project_and_its_dependencies_are_installed_verified() {
    let scene = SignedScene::signed();
    let outcome = scene.installs(&["app"]);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
    assert!(
        outcome.stderr.contains("Verified   2 files against snapshot 1 of http://127.0.0.1:"),
        "{}",
        outcome.stderr
    );
    assert!(outcome.stderr.contains(", signed "), "{}", outcome.stderr);
}

#[test]
fn every_profile_and_every_trust_works() {
    for profile in [Profile::Alone, Profile::Small, Profile::Pep458 { bit_length: 4 }] {
        for trust in [DistributionTrust::Page, DistributionTrust::Target, DistributionTrust::Both] {
            let scene = SignedScene::of(SignedIndex::new(index()).profile(profile).trust(trust));
            scene.installs(&["app"]);
            scene.expect_installed(&["app-1.0", "library-2.0"]);
        }
    }
}

#[test]
fn a_second_command_asks_for_the_next_root_and_the_timestamp_only() {
    let scene = SignedScene::signed();
    scene.installs(&["app"]);
    scene.server.forget_requests();
    scene.installs(&["--force-reinstall", "app"]);
    assert_eq!(scene.server.log(), ["GET /tuf/2.root.json", "GET /tuf/timestamp.json"]);
}
