//! What the owner of an index does.

use testkit::{
    Command, DistributionTrust, Environment, Interpreter, KeyType, Profile, SignedLayout, SignedServer, Wheel,
    in_seconds,
};
use tuf::Check;
use tuf::metadata::{Metadata, Root, Snapshot, Targets, TopLevelRole};

use super::follower::{Follower, get, get_as};
use super::two_projects;

const WHEELS: [&str; 3] =
    ["app-1.0-py3-none-any.whl", "app-1.1+local.1-py3-none-any.whl", "my_library-2.0-py3-none-any.whl"];

/// Targets that should be there, and where they are.
fn pages(server: &SignedServer) -> Vec<(String, String)> {
    ["app", "My.Library"].map(|project| (server.page_target(project), server.page_path(project))).to_vec()
}

fn distributions(server: &SignedServer) -> Vec<(String, String)> {
    let both = |name: &&str| {
        let (target, path) = (server.distribution_target(name), server.wheel_path(name));
        [(format!("{target}.metadata"), format!("{path}.metadata")), (target, path)]
    };
    // The draft of 2021 does not know of metadata beside files.
    let signed = |target: &str| server.layout() != SignedLayout::Pip2021 || !target.ends_with(".metadata");
    WHEELS.iter().flat_map(both).filter(|(target, _)| signed(target)).collect()
}

fn profiles() -> [Profile; 3] {
    [Profile::Alone, Profile::Small, Profile::Pep458 { bit_length: 5 }]
}

#[test]
fn every_profile_and_layout_is_found_and_verified() {
    let layouts = [
        SignedLayout::InBand,
        SignedLayout::Undeclared,
        SignedLayout::Static1,
        SignedLayout::Pip2021,
        SignedLayout::Warehouse2022,
        SignedLayout::Warehouse2024,
        SignedLayout::Pep691,
    ];
    for profile in profiles() {
        for layout in layouts {
            let server = two_projects().profile(profile).layout(layout).serve();
            let mut expected = pages(&server);
            if !matches!(layout, SignedLayout::Warehouse2024 | SignedLayout::Pep691) {
                expected.extend(distributions(&server));
            }
            Follower::of(&server).finds(&server, &expected);
        }
    }
}

#[test]
fn names_without_versions_verify_too() {
    for profile in profiles() {
        let server = two_projects().profile(profile).without_consistent_snapshots().serve();
        assert_eq!(server.role_path("snapshot"), "/tuf/snapshot.json");
        assert_eq!(server.page_path("app"), "/simple/app/vnd.pypi.simple.v1.json");
        Follower::of(&server).finds(&server, &[pages(&server), distributions(&server)].concat());
    }
}

#[test]
fn what_vouches_for_files_decides_which_targets_there_are() {
    for (trust, signed) in
        [(DistributionTrust::Page, false), (DistributionTrust::Target, true), (DistributionTrust::Both, true)]
    {
        let server = two_projects().trust(trust).serve();
        let found = Follower::of(&server).look_up(&server, &[&server.distribution_target(WHEELS[0])]).unwrap();
        assert_eq!(found[0].is_some(), signed, "{trust:?}");
    }
}

#[test]
fn the_layout_stands_in_the_signed_targets_unless_it_is_another_s() {
    let layout_of = |server: &SignedServer| {
        let targets = Metadata::<Targets>::from_bytes(&server.files()[&server.role_path("targets")]).unwrap();
        targets.signed.other.get("x-pyindex").is_some()
    };
    assert!(layout_of(&two_projects().serve()));
    assert!(!layout_of(&two_projects().layout(SignedLayout::Undeclared).serve()));
    assert!(!layout_of(&two_projects().layout(SignedLayout::Pip2021).serve()));
}

#[test]
fn the_signed_page_is_the_plain_one_and_is_stable() {
    for layout in [SignedLayout::InBand, SignedLayout::Pep691] {
        let server = two_projects().layout(layout).serve();
        let signed = server.page("app");
        assert_eq!(get(&server, "/simple/app/"), (200, signed.clone()), "pip and uv see the same");
        let page: serde_json::Value = serde_json::from_slice(&signed).unwrap();
        assert_eq!(page["files"][0]["url"], "../../files/app-1.0-py3-none-any.whl");
        let (path, refreshed) = (server.page_path("app"), server.version("timestamp"));
        server.refresh();
        server.publish(|index| index);
        assert_eq!((server.page_path("app"), server.page("app")), (path, signed));
        assert_eq!(server.version("timestamp"), refreshed + 2);
        assert_eq!(server.version("index"), 1, "nothing changed, so nothing was signed again");
        let html = get_as(&server, "/simple/app/", "text/html").1;
        assert!(html.starts_with(b"<!DOCTYPE html>"));
    }
}

#[test]
fn publishing_changes_the_bins_concerned_and_keeps_what_was_there() {
    let server = two_projects().profile(Profile::Pep458 { bit_length: 8 }).trust(DistributionTrust::Page).serve();
    let mut follower = Follower::of(&server);
    follower.finds(&server, &pages(&server));
    let (before, old_page) = (server.files(), server.page_path("app"));

    server.publish(|index| index.add(Wheel::new("app", "2.0").build()));
    assert_ne!(server.page_path("app"), old_page);
    let after = server.files();
    assert!(before.iter().all(|(path, bytes)| path == "/tuf/timestamp.json" || after.get(path) == Some(bytes)));
    let snapshot = Metadata::<Snapshot>::from_bytes(&after["/tuf/2.snapshot.json"]).unwrap().signed;
    let changed: Vec<_> = snapshot.meta.iter().filter(|(_, meta)| meta.version > 1).map(|(name, _)| name).collect();
    assert_eq!(changed, [&format!("{}.json", server.role_of(&server.page_target("app")))]);
    assert!(snapshot.meta.values().all(|meta| meta.hashes.is_some()));
    follower.finds(&server, &pages(&server));

    server.garbage_collect();
    assert_eq!(get(&server, &old_page).0, 404);
    assert_eq!(get(&server, "/tuf/1.snapshot.json").0, 404);
    assert_eq!(get(&server, "/tuf/1.root.json").0, 200);
    follower.finds(&server, &pages(&server));
    Follower::of(&server).finds(&server, &pages(&server));
}

#[test]
fn every_role_can_be_rotated() {
    for (profile, roles) in [
        (Profile::Small, ["root", "timestamp", "snapshot", "targets", "index"].as_slice()),
        (Profile::Pep458 { bit_length: 3 }, &["root", "timestamp", "snapshot", "targets", "bins", "bins-*"]),
    ] {
        let server = two_projects().profile(profile).serve();
        let mut follower = Follower::of(&server);
        for role in roles {
            follower.finds(&server, &pages(&server));
            let before = server.day();
            server.rotate(role);
            follower.finds(&server, &pages(&server));
            // What the old keys signed is worth nothing any more.
            if !matches!(*role, "root" | "snapshot" | "timestamp") {
                let bin = server.role_of(&server.page_target("app"));
                let file = if *role == "bins-*" { &bin } else { *role };
                let old = before.files.get(&server.role_path(file));
                assert!(old.is_none(), "{file} has a new version");
            }
        }
        Follower::of(&server).finds(&server, &pages(&server));
    }
}

#[test]
fn a_hundred_roots_lead_to_the_newest() {
    let server = two_projects().profile(Profile::Pep458 { bit_length: 1 }).serve();
    let mut follower = Follower::of(&server);
    server.rotate_root(100);
    assert_eq!(server.version("root"), 101);
    follower.finds(&server, &pages(&server));
    assert_eq!(server.requests_for("/tuf/101.root.json").len(), 1);
    assert_eq!(server.requests_for("/tuf/102.root.json").len(), 1);
}

#[test]
fn expiry_of_any_role_is_noticed_and_mended() {
    let server = two_projects().profile(Profile::Pep458 { bit_length: 2 }).serve();
    for role in ["root", "timestamp", "snapshot", "targets", "bins", "bins-*"] {
        server.set_expiry(role, in_seconds(-60));
        Follower::of(&server).is_refused(&server, Check::Expiry);
        server.set_expiry(role, in_seconds(60));
        Follower::of(&server).finds(&server, &pages(&server));
    }
}

#[test]
fn keys_and_thresholds_are_as_asked_for() {
    let server = two_projects()
        .key_type("root", KeyType::Ecdsa)
        .key_type("timestamp", KeyType::Ecdsa)
        .threshold("root", 5, 3)
        .serve();
    let root = Metadata::<Root>::from_bytes(&server.root()).unwrap().signed;
    let keys = root.role(TopLevelRole::Root);
    assert_eq!((keys.key_ids.len(), keys.threshold), (5, 3));
    assert!(keys.key_ids.iter().all(|name| root.keys[name].key_type() == "ecdsa"));
    Follower::of(&server).finds(&server, &pages(&server));
    let server = two_projects().profile(Profile::Pep458 { bit_length: 1 }).serve();
    let root = Metadata::<Root>::from_bytes(&server.root()).unwrap().signed;
    for (role, expected) in
        [(TopLevelRole::Root, (3, 2)), (TopLevelRole::Targets, (3, 2)), (TopLevelRole::Snapshot, (1, 1))]
    {
        let keys = root.role(role);
        assert_eq!((keys.key_ids.len(), keys.threshold), expected, "{role:?}");
    }
}

#[test]
fn trust_is_written_where_the_program_looks_for_it() {
    if Interpreter::find().is_none() {
        return;
    }
    let environment = Environment::new();
    let server = two_projects().layout(SignedLayout::Pip2021).serve();
    let directory = server.write_trust(&environment.trust_store());
    let name = directory.file_name().unwrap().to_str().unwrap();
    assert_eq!(name.len(), 56, "SHA-224 in hex");
    assert_eq!(directory, environment.home().join(".local/share/tufpip/tuf-repositories").join(name));
    assert_eq!(std::fs::read(directory.join("root_history/1.root.json")).unwrap(), server.root());
    let trust: serde_json::Value =
        serde_json::from_slice(&std::fs::read(directory.join("trust.json")).unwrap()).unwrap();
    assert_eq!(trust["index_url"], server.url("/simple/"));
    assert_eq!(trust["metadata_url"], server.url("/tuf/"));
    assert_eq!(trust["layout"], "pip-2021");
    assert_eq!(trust["anchor"]["sha256"], server.root_sha256());
}

#[test]
fn the_time_of_signing_stands_in_the_timestamp() {
    let server = two_projects().serve();
    let signed = server.signed("timestamp");
    let time = tuf::UnixTime::parse(signed["x-signed-at"].as_str().unwrap()).unwrap();
    assert!((in_seconds(-60)..=in_seconds(0)).contains(&time));
}

#[test]
fn two_indexes_share_no_keys() {
    let [one, other] = [two_projects().serve(), two_projects().serve()];
    one.replay(&other.day());
    Follower::of(&one).is_refused(&one, Check::Signatures);
}

#[test]
fn pip_which_verifies_nothing_installs_from_it_all_the_same() {
    let Some(interpreter) = Interpreter::find() else { return };
    let has_pip = Command::new(&interpreter.executable).args(["-I", "-m", "pip", "--version"]).try_run();
    if !has_pip.is_ok_and(|outcome| outcome.succeeded()) {
        eprintln!("skipped: python3 has no pip");
        return;
    }
    for layout in [SignedLayout::InBand, SignedLayout::Pip2021, SignedLayout::Warehouse2024] {
        let server = two_projects().layout(layout).serve();
        let environment = Environment::without_venv();
        environment
            .command(&interpreter.executable)
            .args(["-I", "-m", "pip", "download", "--disable-pip-version-check", "--no-cache-dir", "-d", "out", "app"])
            .args(["--index-url", &server.index_url()])
            .run()
            .expect_code(0);
        assert!(environment.work().join("out").join(WHEELS[1]).exists());
        assert!(server.log().iter().all(|line| !line.contains("/tuf/")));
    }
}
