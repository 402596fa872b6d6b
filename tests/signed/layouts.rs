//! How signed indexes name and place what they sign, and what is fetched of it.

use std::fs;

use serde_json::json;
use testkit::{
    DistributionTrust, Environment, HashName, Index, IndexBehavior, ListedFile, MetadataMode, Response, Server,
    SignedIndex, SignedLayout, StolenKeys, Wheel,
};

use crate::scene::{SignedScene, entry, index, text, tufpip};

const LIBRARY: &str = "library-2.0-py3-none-any.whl";

fn requested(scene: &SignedScene, path: &str) -> bool {
    !scene.server.requests_for(path).is_empty()
}

#[test]
fn every_layout_that_has_a_name() {
    for (layout, by) in [
        (SignedLayout::InBand, "signed-target"),
        (SignedLayout::Static1, "signed-target"),
        (SignedLayout::Pip2021, "signed-target"),
        (SignedLayout::Warehouse2022, "signed-target"),
        (SignedLayout::Warehouse2024, "signed-page"),
        (SignedLayout::Pep691, "signed-page"),
    ] {
        let scene = SignedScene::of(SignedIndex::new(index()).layout(layout));
        let report = scene.report(&["app"]);
        scene.expect_installed(&["app-1.0", "library-2.0"]);
        let verification = &entry(&report, "library")["verification"];
        assert_eq!(verification["by"], by, "{layout:?}");
        let target = match by {
            "signed-target" => scene.server.distribution_target(LIBRARY),
            _ => scene.server.page_target("library"),
        };
        assert_eq!(verification["target"], target, "{layout:?}");
    }
}

#[test]
fn a_layout_that_nobody_declares_is_not_guessed() {
    let scene = SignedScene::of(SignedIndex::new(index()).layout(SignedLayout::Undeclared));
    scene.refuses_and_learns(
        &["app"],
        1,
        &[
            "is signed, but nothing says how its signed files are named",
            "--layout NAME",
            "static-1",
            "trust.layout-missing",
        ],
    );
    assert!(scene.server.requests().iter().all(|request| request.path.starts_with("/tuf/")));
    scene.edit_trust(|trust| trust["layout"] = "static-1".into());
    scene.installs(&["app"]);
}

#[test]
fn a_descriptor_in_trust_json_outranks_the_index_own_word() {
    let scene = SignedScene::signed();
    scene.edit_trust(|trust| trust["layout"] = DistributionTrust::Page.in_band(true));
    let report = scene.report(&["app"]);
    assert_eq!(entry(&report, "app")["verification"]["by"], "signed-page");
}

#[test]
fn page_and_target_and_both_vouch_for_a_file() {
    for (trust, by) in [
        (DistributionTrust::Page, "signed-page"),
        (DistributionTrust::Target, "signed-target"),
        (DistributionTrust::Both, "signed-target"),
    ] {
        let scene = SignedScene::of(SignedIndex::new(index()).trust(trust));
        let report = scene.report(&["app"]);
        assert_eq!(entry(&report, "app")["verification"]["by"], by, "{trust:?}");
        assert_eq!(entry(&report, "library")["verification"]["by"], by, "{trust:?}");
    }
}

#[test]
fn choosing_needs_the_signed_metadata_and_no_wheel() {
    for trust in [DistributionTrust::Page, DistributionTrust::Both] {
        let scene = SignedScene::of(SignedIndex::new(index()).trust(trust));
        scene.installs(&["--dry-run", "app"]);
        assert!(requested(&scene, &format!("{}.metadata", scene.server.wheel_path(LIBRARY))), "{trust:?}");
        assert!(!scene.server.log().iter().any(|line| line.ends_with(".whl")), "{:?}", scene.server.log());
    }
}

/// The server offers ranges, and metadata that nobody signs.
#[test]
fn without_signed_metadata_the_whole_wheel_is_fetched_once() {
    for (trust, metadata) in [
        (DistributionTrust::Page, MetadataMode::WithoutHash),
        (DistributionTrust::Page, MetadataMode::Unannounced),
        (DistributionTrust::Page, MetadataMode::Absent),
        (DistributionTrust::Both, MetadataMode::Absent),
    ] {
        let index = index().options(IndexBehavior { core_metadata: metadata, range: true, ..IndexBehavior::default() });
        let scene = SignedScene::of(SignedIndex::new(index).trust(trust));
        scene.installs(&["app"]);
        scene.expect_installed(&["app-1.0", "library-2.0"]);
        let path = scene.server.wheel_path(LIBRARY);
        let requests = scene.server.requests_for(&path);
        assert_eq!(requests.len(), 1, "{metadata:?}");
        assert!(requests.iter().all(|request| request.header("range").is_none()), "{metadata:?}");
        assert!(!requested(&scene, &format!("{path}.metadata")), "{metadata:?}");
    }
}

#[test]
fn announced_metadata_that_is_gone_costs_only_time() {
    let index = index().options(IndexBehavior { core_metadata: MetadataMode::Missing, ..IndexBehavior::default() });
    let scene = SignedScene::of(SignedIndex::new(index));
    scene.installs(&["app"]);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
}

#[test]
fn files_may_lie_on_any_host() {
    let library = Wheel::new("library", "2.0").build();
    let other = Wheel::new("library", "2.0").file("library/other.py", "").build();
    for (served, code) in [(&library, 0), (&other, 10)] {
        let served = served.bytes.clone();
        let host = Server::start(move |_| Response::ok("application/octet-stream", served.clone()));
        let listed = ListedFile::from(library.clone()).raw_link(&host.url("/packages/library-2.0-py3-none-any.whl"));
        let listed = listed.core_metadata(MetadataMode::Absent);
        let scene = SignedScene::of(SignedIndex::new(Index::new().add(listed)));
        let outcome = scene.install(&["library"]).expect_code(code);
        if code == 0 {
            scene.expect_installed(&["library-2.0"]);
        } else {
            assert!(outcome.stderr.contains("verify.target"), "{}", outcome.stderr);
            scene.expect_installed(&[]);
        }
        assert_eq!(host.log(), ["GET /packages/library-2.0-py3-none-any.whl"]);
    }
}

/// Metadata and pages come from a mirror; links of the verified pages lead to it by a rule.
#[test]
fn a_mirror_and_a_rewrite_stand_in_for_an_index_that_is_down() {
    let scene = SignedScene::signed();
    let day = scene.server.day();
    let mirror = Server::start(move |request| day.respond(request));
    scene.server.intercept(|_| Some(Response::new(503)));
    scene.refuses(&["app"], 13, &["trust.unreachable"]);
    scene.edit_trust(|trust| trust["mirrors"] = json!([mirror.url("/simple/")]));
    scene.edit_trust(|trust| {
        trust["rewrite"] = json!([{"from": scene.server.url("/files/"), "to": mirror.url("/files/")}]);
    });
    scene.installs(&["app"]);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
}

#[test]
fn a_mirror_is_believed_no_more_than_the_index() {
    let scene = SignedScene::signed();
    let day = scene.server.day();
    let other = Wheel::new("library", "2.0").file("library/evil.py", "").build();
    let mirror = Server::start(move |request| match request.path.ends_with(LIBRARY) {
        true => Response::ok("application/octet-stream", other.bytes.clone()),
        false => day.respond(request),
    });
    scene.edit_trust(|trust| {
        trust["rewrite"] = json!([{"from": scene.server.url("/files/"), "to": mirror.url("/files/")}]);
    });
    scene.refuses_and_learns(&["app"], 10, &["Refused library-2.0-py3-none-any.whl", &mirror.url(""), "verify.target"]);
}

#[test]
fn names_without_versions_and_hashes() {
    let scene = SignedScene::of(SignedIndex::new(index()).without_consistent_snapshots());
    scene.installs(&["app"]);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
    assert!(requested(&scene, "/tuf/snapshot.json"));
}

/// Also where the targets have other hashes than the pages and the cache is named by one of them.
#[test]
fn what_was_verified_once_is_found_again_without_a_server() {
    for layout in [
        SignedLayout::InBand,
        SignedLayout::Pip2021,
        SignedLayout::Warehouse2022,
        SignedLayout::Warehouse2024,
        SignedLayout::Pep691,
    ] {
        let scene = SignedScene::of(SignedIndex::new(index()).layout(layout));
        scene.installs(&["app"]);
        scene.server.forget_requests();
        scene.installs(&["--offline", "--force-reinstall", "app"]);
        assert_eq!(scene.server.log(), Vec::<String>::new(), "{layout:?}");
    }
}

#[test]
fn any_strong_hash_on_the_page_will_do_and_no_weak_one() {
    for trust in [DistributionTrust::Page, DistributionTrust::Both] {
        let with = |hashes| {
            let index = index().options(IndexBehavior { hashes, ..IndexBehavior::default() });
            SignedScene::of(SignedIndex::new(index).trust(trust))
        };
        let scene = with(vec![HashName::Sha512]);
        scene.installs(&["app"]);
        scene.expect_installed(&["app-1.0", "library-2.0"]);
        let scene = with(vec![HashName::Md5]);
        scene.refuses_and_learns(&["app"], 1, &["the signed page has no SHA-256 or better hash for it"]);
    }
}

/// The page says SHA-256 and the target BLAKE2b, so that neither sees the other's mistake.
#[test]
fn page_and_target_must_both_be_right_about_a_file() {
    let (signed, other) = (Wheel::new("library", "2.0").build(), Wheel::new("library", "2.0").file("o", "").build());
    let listed = ListedFile::from(signed.clone()).core_metadata(MetadataMode::Absent);
    let scene = SignedScene::of(SignedIndex::new(Index::new().add(listed)));
    let target = scene.server.distribution_target(LIBRARY);
    let path = scene.server.wheel_path(LIBRARY);
    for (vouched, served) in [(&signed, &signed), (&other, &signed), (&signed, &other)] {
        let blake2b = tuf::Hashes::of(&vouched.bytes, &[tuf::HashAlgorithm::Blake2b256]);
        let hash = blake2b.get(tuf::HashAlgorithm::Blake2b256).unwrap();
        let entry = json!({"length": signed.bytes.len(), "hashes": {"blake2b-256": hash}});
        scene.server.forge("index", StolenKeys::Online, |role| role["targets"][&target] = entry);
        scene.server.replace(&path, served.bytes.clone());
        if vouched.bytes == served.bytes {
            scene.installs(&["library"]);
            fs::remove_dir_all(scene.environment.cache()).unwrap();
        } else {
            scene.refuses_and_learns(
                &["--force-reinstall", "library"],
                10,
                &["Refused library-2.0-py3-none-any.whl", "verify.target"],
            );
        }
    }
}

/// A directory laid out as on a server, used in place.
#[test]
fn a_signed_directory() {
    let (environment, server) = (Environment::new(), SignedIndex::new(index()).layout(SignedLayout::Static1).serve());
    let directory = environment.work().join("repository");
    for (path, bytes) in server.files() {
        let path = directory.join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let url = |name: &str| format!("file://{}/{name}/", directory.display());
    server.write_trust_at(&environment.trust_store(), &url("simple"), &url("tuf"));
    let simple = directory.join("simple");
    let install =
        || tufpip(&environment).args(["install", "--force-reinstall", "--index-url", text(&simple), "app"]).run();
    let outcome = install().expect_code(0);
    assert!(outcome.stderr.contains("Verified   2 files against snapshot 1 of file:///"), "{}", outcome.stderr);
    assert_eq!(environment.installed(), ["app-1.0", "library-2.0"]);
    assert_eq!(server.log(), Vec::<String>::new());

    let (before, wheel) = (environment.state(), directory.join("files").join(LIBRARY));
    fs::write(&wheel, Wheel::new("library", "2.0").file("library/evil.py", "").build().bytes).unwrap();
    fs::remove_dir_all(environment.cache()).unwrap();
    fs::create_dir(environment.cache()).unwrap();
    install().expect_code(10).expect_stderr(&["Refused library-2.0-py3-none-any.whl", "verify.target"]);
    assert_eq!(environment.state(), before);
}

#[test]
fn a_password_opens_metadata_pages_and_files() {
    let auth = Some(("me".to_owned(), "s3cret".to_owned()));
    let index = index().options(IndexBehavior { basic_auth: auth.clone(), ..IndexBehavior::default() });
    let scene = SignedScene::of(SignedIndex::new(index));
    let url = scene.server.url_with_credentials("me", "s3cret", "/simple/");
    let outcome = scene.installs(&["-v", "--report", "report.json", "--index-url", &url, "app"]);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
    assert!(scene.server.requests().iter().all(|request| request.basic_auth() == auth));
    let report = fs::read_to_string(scene.environment.work().join("report.json")).unwrap();
    for shown in [outcome.stdout, outcome.stderr, report] {
        assert!(!shown.contains("s3cret"), "{shown}");
    }

    scene.server.forget_requests();
    let wrong = scene.server.url_with_credentials("me", "wr0ng", "/simple/");
    let outcome =
        scene.refuses(&["--force-reinstall", "--index-url", &wrong, "app"], 1, &["trust.unauthorized", "401"]);
    assert!(!outcome.stderr.contains("wr0ng"), "{}", outcome.stderr);
}
