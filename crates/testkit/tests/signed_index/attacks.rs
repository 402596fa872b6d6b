//! What attackers do to an index: that each attack is what its name says, and that it ends.

use serde_json::{Value, json};
use testkit::{ForgedSignatures, Profile, SignedServer, StolenKeys, Wheel, in_seconds, target};
use tuf::Check;

use super::follower::{Follower, get};
use super::two_projects;

fn pep458() -> SignedServer {
    two_projects().profile(Profile::Pep458 { bit_length: 3 }).serve()
}

fn bin_of_app(server: &SignedServer) -> String {
    server.role_of(&server.page_target("app"))
}

#[test]
fn a_network_replaces_removes_and_alters_until_it_is_honest_again() {
    let server = pep458();
    let page = server.page_path("app");
    let honest = get(&server, &page);
    server.replace(&page, "evil");
    assert_eq!(get(&server, &page), (200, b"evil".to_vec()));
    server.remove(&page);
    assert_eq!(get(&server, &page).0, 404);
    server.status(&page, 503);
    assert_eq!(get(&server, &page).0, 503);
    server.alter(&page, |answer| answer.gzip());
    assert_ne!(get(&server, &page), honest);
    server.slow(&page, 1 << 20);
    assert_eq!(get(&server, &page), honest);
    server.honest();
    assert_eq!(get(&server, &page), honest);
    Follower::of(&server).look_up(&server, &[]).unwrap();
}

#[test]
fn an_earlier_day_comes_back_whole_or_in_parts() {
    let server = pep458();
    let mut follower = Follower::of(&server);
    let (day, old_page) = (server.day(), server.page("app"));
    server.publish(|index| index.add(Wheel::new("app", "2.0").build()));
    let mut up_to_date = follower.clone();
    up_to_date.look_up(&server, &[]).unwrap();
    server.replay(&day);
    assert_eq!(get(&server, "/simple/app/").1, old_page);
    assert_eq!(get(&server, "/tuf/2.snapshot.json").0, 404);
    follower.look_up(&server, &[]).expect("who has not seen the new day believes the old one");
    up_to_date.is_refused(&server, Check::TimestampRollback);
    server.honest();
    server.replay_file(&day, "/tuf/timestamp.json");
    up_to_date.is_refused(&server, Check::TimestampRollback);
    server.honest();
    up_to_date.look_up(&server, &[]).unwrap();
}

#[test]
fn without_keys_nothing_forged_is_believed() {
    let roles = ["root", "timestamp", "snapshot", "targets", "bins"].map(str::to_owned);
    let server = pep458();
    for role in roles.into_iter().chain([bin_of_app(&server)]) {
        server.forge(&role, StolenKeys::Nothing, |signed| signed["x-evil"] = true.into());
        let hashed = !matches!(role.as_str(), "root" | "timestamp");
        let check = if hashed { Check::LengthAndHashes } else { Check::Signatures };
        // A length that differs is noticed first, by the same check or by the size.
        let error = Follower::of(&server).look_up(&server, &[&server.page_target("app")]).expect_err("refused");
        assert!(error.check() == check || (hashed && error.check() == Check::Size), "{role}: {error}");
        assert_eq!(error.role().as_str(), role);
        server.honest();
        Follower::of(&server).look_up(&server, &[&server.page_target("app")]).unwrap();
    }
}

#[test]
fn signatures_are_as_bad_as_they_say() {
    // Without hashes in the snapshot, signatures are all that is left.
    let server = two_projects().profile(Profile::Pep458 { bit_length: 3 }).without_hashes_in_snapshot().serve();
    let bad = [
        ForgedSignatures::WrongKeys,
        ForgedSignatures::WrongKeysUnderRightNames,
        ForgedSignatures::EarlierContent,
        ForgedSignatures::TooFew,
        ForgedSignatures::OneKeyUnderAllNames,
        ForgedSignatures::Nobody,
    ];
    for role in ["root", "targets", "bins"] {
        for signed_by in bad {
            server.forge_signed_by(role, signed_by, StolenKeys::Nothing, |signed| signed["x-evil"] = true.into());
            Follower::of(&server).is_refused(&server, Check::Signatures);
            server.honest();
        }
        server.forge_signed_by(role, ForgedSignatures::OneKeyRepeated, StolenKeys::Nothing, |signed| {
            signed["x-evil"] = true.into()
        });
        Follower::of(&server).is_refused(&server, Check::Format);
        server.honest();
        server.forge_signed_by(role, ForgedSignatures::RightKeys, StolenKeys::Nothing, |signed| {
            signed["x-evil"] = true.into()
        });
        Follower::of(&server).look_up(&server, &[]).unwrap();
        server.honest();
    }
}

#[test]
fn a_thief_of_the_timestamp_can_only_stop_time() {
    let server = pep458();
    let day = server.day();
    server.publish(|index| index.add(Wheel::new("app", "2.0").build()));
    let entry = serde_json::from_slice::<Value>(&day.files["/tuf/timestamp.json"]).unwrap()["signed"]["meta"].clone();
    server.forge("timestamp", StolenKeys::Timestamp, |signed| signed["meta"] = entry.clone());
    let mut follower = Follower::of(&server);
    follower.look_up(&server, &[]).expect("the old snapshot, newly dated");
    server.forge("timestamp", StolenKeys::Timestamp, |signed| signed["version"] = (i64::MAX as u64).into());
    follower.look_up(&server, &[]).expect("the version of the last day");
    server.honest();
    follower.is_refused(&server, Check::TimestampRollback);
    server.rotate("timestamp");
    follower.look_up(&server, &[]).expect("a new key, and it is forgotten");
    server.forge("snapshot", StolenKeys::Timestamp, |signed| signed["x-evil"] = true.into());
    follower.is_refused(&server, Check::Signatures);
}

#[test]
fn a_thief_of_all_online_keys_signs_what_he_likes_until_the_bins_get_new_keys() {
    let server = pep458();
    let mut follower = Follower::of(&server);
    server.forge_page("app", b"evil page", StolenKeys::Online);
    server.forge_target("dist/app/app-9.9-py3-none-any.whl", b"evil wheel", StolenKeys::Online);
    let found = follower
        .look_up(&server, &[&server.page_target("app"), "dist/app/app-9.9-py3-none-any.whl"])
        .expect("the limit of the minimum security model");
    assert_eq!(found[0].as_ref().unwrap().length, 9);
    assert_eq!(found[1].as_ref().unwrap().length, 10);
    server.honest();
    for role in ["bins-*", "snapshot", "timestamp"] {
        server.rotate(role);
    }
    let found = follower.look_up(&server, &[&server.page_target("app"), "dist/app/app-9.9-py3-none-any.whl"]).unwrap();
    assert_ne!(found[0].as_ref().unwrap().length, 9);
    assert!(found[1].is_none());
}

#[test]
fn a_thief_of_bins_alone_is_stopped_by_the_snapshot() {
    let server = pep458();
    let path = server.page_target("app");
    server.forge_target(&path, b"evil", StolenKeys::Bins);
    let error = Follower::of(&server).look_up(&server, &[&path]).expect_err("hash in the snapshot");
    assert!(matches!(error.check(), Check::LengthAndHashes | Check::Size), "{error}");
}

#[test]
fn a_root_below_its_threshold_is_refused_under_any_number() {
    let server = pep458();
    server.forge("root", StolenKeys::RootBelowThreshold, |signed| {
        signed["roles"]["root"]["threshold"] = 1.into();
    });
    assert_eq!(get(&server, "/tuf/2.root.json").0, 200);
    Follower::of(&server).is_refused(&server, Check::Signatures);
    server.honest();
    server.forge_signed_by("root", ForgedSignatures::RightKeys, StolenKeys::Nothing, |signed| {
        signed["version"] = 5.into()
    });
    Follower::of(&server).is_refused(&server, Check::RootVersion);
    server.honest();
    for threshold in [json!(0), json!(-1), json!(1.5), json!("1")] {
        server.forge_signed_by("root", ForgedSignatures::RightKeys, StolenKeys::Nothing, |signed| {
            signed["roles"]["root"]["threshold"] = threshold.clone();
        });
        Follower::of(&server).is_refused(&server, Check::Format);
        server.honest();
    }
}

#[test]
fn a_role_frozen_by_a_thief_expires() {
    let server = pep458();
    let bin = bin_of_app(&server);
    server.set_expiry(&bin, in_seconds(-1));
    let day = server.day();
    server.set_expiry(&bin, in_seconds(1000));
    let old = serde_json::from_slice::<Value>(&day.files[&format!("/tuf/2.{bin}.json")]).unwrap();
    server.forge("snapshot", StolenKeys::Snapshot, |signed| {
        let mut entry = target(&day.files[&format!("/tuf/2.{bin}.json")]);
        entry["version"] = old["signed"]["version"].clone();
        signed["meta"][format!("{bin}.json")] = entry;
    });
    Follower::of(&server).is_refused(&server, Check::Expiry);
}

#[test]
fn data_without_end_is_data_without_end() {
    use std::io::{Read as _, Write as _};
    let server = pep458();
    server.endless("/tuf/timestamp.json");
    let mut stream = std::net::TcpStream::connect(server.url("").replace("http://", "")).unwrap();
    stream.write_all(b"GET /tuf/timestamp.json HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    let mut bytes = vec![0; 4 << 20];
    stream.read_exact(&mut bytes).unwrap();
}

#[test]
fn metadata_that_is_no_metadata_can_be_signed_all_the_same() {
    let server = pep458();
    for nonsense in [json!([]), json!({"_type": "root"}), json!({"version": 1e300})] {
        let file = server.file_signed_by("timestamp", &nonsense, ForgedSignatures::RightKeys);
        server.replace("/tuf/timestamp.json", file);
        Follower::of(&server).look_up(&server, &[]).expect_err("refused");
    }
}

#[test]
fn a_project_s_own_key_signs_for_its_paths_only() {
    let server = two_projects()
        .profile(Profile::Pep458 { bit_length: 2 })
        .claim("app-authors", &["simple/app/*", "dist/app/*"], true)
        .serve();
    let [app, library] = ["app", "my-library"].map(|project| server.page_target(project));
    assert_eq!(server.role_of(&app), "app-authors");
    let mut follower = Follower::of(&server);
    let found = follower.look_up(&server, &[&app, &library]).unwrap();
    assert_eq!(found[0].as_ref().unwrap().roles.last().unwrap().as_str(), "app-authors");
    // The owner passes on what the project's own key signed, whatever it is.
    server.forge_signed_by("app-authors", ForgedSignatures::RightKeys, StolenKeys::Snapshot, |signed| {
        signed["targets"][&library] = target(b"evil");
        signed["targets"][&app] = target(b"new page");
    });
    let found = follower.look_up(&server, &[&app, &library]).unwrap();
    assert_eq!(found[0].as_ref().unwrap().length, 8);
    assert_ne!(found[1].as_ref().unwrap().length, 4);
}
