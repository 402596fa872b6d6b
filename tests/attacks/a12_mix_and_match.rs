//! Files of several days, each of them signed, put together to an index that never was.

use testkit::{Profile, Recording, SignedIndex, Wheel};

use crate::scene::{SignedScene, forget_what_can_be_fetched, index};

const COMMAND: &[&str] = &["--force-reinstall", "app"];

/// Three days of an index, each with a newer library.
fn three_days(setup: SignedIndex) -> (SignedScene, [Recording; 3]) {
    let scene = SignedScene::of(setup);
    let first = scene.server.day();
    scene.server.publish(|index| index.add(Wheel::new("library", "3.0").build()));
    let second = scene.server.day();
    scene.server.publish(|index| index.add(Wheel::new("library", "4.0").build()));
    let third = scene.server.day();
    (scene, [first, second, third])
}

/// With and without the hashes in the snapshot that say it most clearly.
fn setups() -> [SignedIndex; 2] {
    [SignedIndex::new(index()), SignedIndex::new(index()).without_hashes_in_snapshot()]
}

#[test]
fn the_snapshot_of_one_day_and_the_roles_of_another() {
    for setup in setups() {
        for has_used_it in [false, true] {
            let (scene, [first, second, _]) = three_days(setup.clone());
            scene.server.replay(&first);
            if has_used_it {
                scene.installs(COMMAND);
                forget_what_can_be_fetched(&scene);
            }
            let before = scene.trusted();
            scene.server.replace("/tuf/1.index.json", second.files["/tuf/2.index.json"].clone());
            scene.refuses_and_learns(COMMAND, 10, &["Refused the signed metadata of", "refused index version 1"]);
            assert!(!has_used_it || scene.trusted() == before);
            scene.recovers(COMMAND, &["app-1.0", "library-4.0"]);
        }
    }
}

#[test]
fn the_page_of_yet_another_day() {
    let (scene, [first, second, third]) = three_days(SignedIndex::new(index()));
    let page_of = |day: &Recording| {
        let mut pages = day.files.iter().filter(|(path, _)| path.contains("/simple/library/"));
        // The page that this day has in addition is the day's own.
        pages.next_back().map(|(path, bytes)| (path.clone(), bytes.clone())).unwrap()
    };
    let newest = scene.server.page("library");
    scene.server.replay(&first);
    let (path, _) = page_of(&first);
    scene.server.replace(&path, newest);
    scene.refuses_and_learns(COMMAND, 10, &["Refused the page of library", "verify.page"]);
    // All of it at once: snapshot of the first day, role of the second, page of the third.
    scene.server.replace("/tuf/1.index.json", second.files["/tuf/2.index.json"].clone());
    forget_what_can_be_fetched(&scene);
    scene.refuses_and_learns(COMMAND, 10, &["refused index version 1"]);
    scene.server.replay(&third);
    scene.installs(COMMAND);
    scene.recovers(COMMAND, &["app-1.0", "library-4.0"]);
}

#[test]
fn the_timestamp_of_one_day_and_the_snapshot_of_another() {
    for consistent in [true, false] {
        let setup = SignedIndex::new(index());
        let setup = if consistent { setup } else { setup.without_consistent_snapshots() };
        let scene = SignedScene::of(setup);
        let earlier = scene.server.files()[&scene.server.role_path("snapshot")].clone();
        scene.server.publish(|index| index.add(Wheel::new("library", "3.0").build()));
        scene.server.replace(&scene.server.role_path("snapshot"), earlier);
        let said = ["Refused the signed metadata of", "refused snapshot version 2", "trust.hash-mismatch"];
        scene.refuses_and_learns(COMMAND, 10, &said);
        assert_eq!(scene.stored_version("snapshot"), None);
        scene.recovers(COMMAND, &["app-1.0", "library-3.0"]);
    }
}

/// Bins change one by one, so a mix of them would pass for an index that hides one release.
#[test]
fn one_bin_of_an_earlier_day() {
    for hashes in [true, false] {
        let setup = SignedIndex::new(index()).profile(Profile::Pep458 { bit_length: 3 });
        let setup = if hashes { setup } else { setup.without_hashes_in_snapshot() };
        let scene = SignedScene::of(setup);
        let bin = scene.server.role_of(&scene.server.page_target("library"));
        let earlier = scene.server.files()[&scene.server.role_path(&bin)].clone();
        scene.server.publish(|index| index.add(Wheel::new("library", "3.0").build()));
        scene.server.replace(&scene.server.role_path(&bin), earlier);
        scene.refuses_and_learns(COMMAND, 10, &[&format!("refused {bin} version 2"), "expected", "received"]);
        scene.recovers(COMMAND, &["app-1.0", "library-3.0"]);
    }
}

/// All bins have the same keys and the same version: only what is in them tells one from another.
#[test]
fn one_bin_in_the_place_of_another() {
    let setup = SignedIndex::new(index()).profile(Profile::Pep458 { bit_length: 3 });
    let scene = SignedScene::of(setup.clone());
    let bin = scene.server.role_of(&scene.server.page_target("library"));
    let other = if bin == "bins-0" { "bins-1" } else { "bins-0" };
    scene.server.replace(&scene.server.role_path(&bin), scene.server.files()[&scene.server.role_path(other)].clone());
    scene.refuses_and_learns(COMMAND, 10, &[&format!("refused {bin} version 1")]);
    scene.recovers(COMMAND, &["app-1.0", "library-2.0"]);

    let scene = SignedScene::of(setup.without_hashes_in_snapshot());
    scene.server.replace(&scene.server.role_path(&bin), scene.server.files()[&scene.server.role_path(other)].clone());
    scene.refuses_and_learns(COMMAND, 10, &["does not prove that it has no", "verify.absence-in-doubt"]);
    scene.recovers(COMMAND, &["app-1.0", "library-2.0"]);
}
