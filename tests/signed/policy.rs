//! How strictly signatures are insisted on: what may be unsigned, expired or offline, and who may say so.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use testkit::{Command, Index, Server, SignedIndex, Wheel, in_seconds};

use crate::scene::{SignedScene, entry, index, text, tufpip};

const LIBRARY: &str = "library-2.0-py3-none-any.whl";

fn unsigned(project: &str, version: &str) -> Server {
    Index::new().add(Wheel::new(project, version).build()).serve()
}

/// A file of the configuration of the machine, which belongs to its administrator.
fn administrator(scene: &SignedScene, configuration: &str) {
    let path = scene.environment.home().join("etc/pip/pip.conf");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, configuration).unwrap();
}

/// The program with the configuration files of the test in reach.
fn configured(scene: &SignedScene) -> Command {
    scene.tufpip(&["install"]).env_remove("PIP_CONFIG_FILE")
}

/// Every file of the cache goes.
fn empty_cache(scene: &SignedScene) {
    fs::remove_dir_all(scene.environment.cache()).unwrap();
    fs::create_dir(scene.environment.cache()).unwrap();
}

fn require<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&["--require-signed", "--force-reinstall"], arguments].concat()
}

// ---- --require-signed ---------------------------------------------------------------------------------------------

#[test]
fn a_signed_index_suffices() {
    let scene = SignedScene::signed();
    scene.installs(&["--require-signed", "app"]);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
}

#[test]
fn what_is_installed_already_is_not_looked_at_and_that_is_said() {
    let scene = SignedScene::signed();
    let other = unsigned("extra", "1.0");
    scene.installs(&["--extra-index-url", &other.url("/simple/"), "extra", "library"]);
    scene.installs(&["--require-signed", "app", "extra"]).expect_stderr(&[
        "Verified   1 file against snapshot 1 of",
        "Unchecked  2 installed packages were not looked at",
    ]);
    scene
        .installs(&["--require-signed", "--dry-run", "extra"])
        .expect_stderr(&["Unchecked  1 installed package was not looked at"]);
    assert!(!scene.installs(&["extra"]).stderr.contains("Unchecked"));
}

#[test]
fn an_unsigned_index_is_refused_before_it_is_asked_anything() {
    let scene = SignedScene::signed();
    let other = unsigned("extra", "1.0");
    let extra = other.url("/simple/");
    let pieces = ["is not a signed index", "--require-signed", "tufpip trust add", "policy.require-signed"];
    scene.refuses(&["--require-signed", "--extra-index-url", &extra, "app"], 12, &pieces);
    scene.environment.write("requirements.txt", format!("--extra-index-url {extra}\napp\n"));
    scene.refuses(&["--require-signed", "-r", "requirements.txt"], 12, &pieces);
    scene.refuses_command(
        scene.tufpip(&["install", "--extra-index-url", &extra, "app"]).env("TUFPIP_REQUIRE_SIGNED", "1"),
        12,
        &pieces,
    );
    administrator(&scene, "[global]\nrequire-signed = true\n");
    scene.refuses_command(configured(&scene).args(["--extra-index-url", &extra, "app"]), 12, &pieces);
    assert_eq!(other.log(), Vec::<String>::new());
}

#[test]
fn unsigned_files_need_a_hash_of_the_user() {
    let scene = SignedScene::signed();
    let wheel = Wheel::new("extra", "1.0").build();
    let other = Index::new().add(wheel.clone()).serve();
    let path = scene.environment.write("wheels/extra-1.0-py3-none-any.whl", &wheel.bytes);
    let (directory, url) = (path.parent().unwrap(), other.url("/files/extra-1.0-py3-none-any.whl"));
    let pieces = [
        "extra-1.0-py3-none-any.whl is not signed",
        "--hash=sha256:… in a requirements file, or #sha256=… behind its URL",
        "--allow-unsigned extra",
        "policy.require-signed",
    ];
    scene.refuses(&require(&["--find-links", text(directory), "extra"]), 12, &pieces);
    scene.refuses(&require(&[text(&path)]), 12, &pieces);
    scene.refuses(&require(&[&format!("extra @ {url}")]), 12, &pieces);
    assert_eq!(other.log(), Vec::<String>::new(), "fetched although nobody vouches for it");

    let sha256 = wheel.sha256();
    scene.installs(&require(&[&format!("extra @ {url}#sha256={sha256}")]));
    scene.environment.write("requirements.txt", format!("extra==1.0 --hash=sha256:{sha256}\n"));
    scene.installs(&require(&["--find-links", text(directory), "-r", "requirements.txt"]));
    scene.environment.write("requirements.txt", format!("{} --hash=sha256:{sha256}\n", text(&path)));
    scene.installs(&require(&["-r", "requirements.txt"]));
    scene.installs(&require(&["--allow-unsigned", "extra", "--find-links", text(directory), "extra"]));
    scene.expect_installed(&["extra-1.0"]);
}

#[test]
fn nothing_takes_back_what_the_administrator_requires() {
    let scene = SignedScene::signed();
    administrator(&scene, "[global]\nrequire-signed = true\n");
    let pieces = ["signatures are required", "pip.conf", "policy.require-signed"];
    let command = |arguments: &[&str]| configured(&scene).args(arguments);
    scene.refuses_command(command(&["--disable-repository-security", "app"]), 12, &pieces);
    scene.refuses_command(command(&["--allow-expired", "7d", "app"]), 12, &pieces);
    let other = unsigned("extra", "1.0");
    let extra = other.url("/simple/");
    let command = command(&["--extra-index-url", &extra, "extra"]).env("TUFPIP_REQUIRE_SIGNED", "0");
    scene.refuses_command(command, 12, &["policy.require-signed"]);
    assert_eq!(other.log(), Vec::<String>::new());
}

// ---- --allow-unsigned ---------------------------------------------------------------------------------------------

#[test]
fn a_project_that_may_be_unsigned_and_its_dependency_that_may_not() {
    let scene = SignedScene::signed();
    let other = Index::new()
        .add(Wheel::new("extra", "1.0").requires("second").build())
        .add(Wheel::new("second", "1.0").build())
        .serve();
    let url = other.url("/simple/");
    let allowing = |names: &[&'static str]| {
        let names = names.iter().flat_map(|name| ["--allow-unsigned", name]);
        ["--require-signed", "--extra-index-url", &url, "app", "extra"].into_iter().chain(names).collect::<Vec<_>>()
    };
    let reason = format!("second has to be signed (--require-signed), so {url} was not asked for it");
    scene.refuses(&allowing(&["extra"]), 1, &["No matching distribution found for second", &reason]);
    assert!(!other.log().iter().any(|line| line.contains("second")), "{:?}", other.log());
    let outcome = scene.installs(&allowing(&["extra", "second"]));
    scene.expect_installed(&["app-1.0", "extra-1.0", "library-2.0", "second-1.0"]);
    outcome.expect_stderr(&["WARNING: extra is taken from where it is not signed, as --allow-unsigned says."]);
}

#[test]
fn the_report_marks_what_was_allowed_to_be_unsigned() {
    let scene = SignedScene::signed();
    let other = unsigned("extra", "1.0");
    let url = other.url("/simple/");
    let report = scene.report(&[
        "--extra-index-url",
        &url,
        "--allow-unsigned",
        "extra",
        "--allow-unsigned",
        "app",
        "app",
        "extra",
    ]);
    assert_eq!(entry(&report, "extra")["verification"], json!({"by": "index-hash", "unsigned": "allowed"}));
    // What is signed is taken signed, whatever else would be allowed.
    assert_eq!(entry(&report, "app")["verification"]["by"], "signed-target");
    assert_eq!(entry(&report, "app")["verification"]["unsigned"], Value::Null);
}

#[test]
fn a_permission_that_changed_nothing_is_mentioned() {
    let scene = SignedScene::signed();
    let other = unsigned("extra", "1.0");
    let names = "--allow-unsigned=app,extra,nothing";
    let outcome = scene.installs(&["--extra-index-url", &other.url("/simple/"), names, "app", "extra"]);
    outcome.clone().expect_stderr(&[
        "--allow-unsigned app had no effect: a signed index has it",
        "--allow-unsigned nothing had no effect: it was not needed",
    ]);
    assert!(!outcome.stderr.contains("--allow-unsigned extra had"), "{}", outcome.stderr);
}

/// An upload that the index lists on its ordinary page, but has not signed yet.
#[test]
fn a_project_that_a_signed_index_lists_unsigned() {
    let scene = SignedScene::signed();
    let later = Index::new().add(Wheel::new("extra", "1.0").build());
    scene.server.intercept(move |request| request.path.contains("extra").then(|| later.respond(request)));
    scene.refuses(&["extra"], 1, &["extra is not in the signed snapshot 1"]);
    assert!(!scene.server.log().iter().any(|line| line.contains("extra")), "{:?}", scene.server.log());
    let outcome = scene.installs(&["--allow-unsigned", "extra", "extra"]);
    scene.expect_installed(&["extra-1.0"]);
    outcome.expect_stderr(&["WARNING: extra is taken from where it is not signed"]);
}

#[test]
fn only_the_command_line_allows_what_is_unsigned() {
    let scene = SignedScene::signed();
    let other = unsigned("extra", "1.0");
    let arguments = ["--require-signed", "--extra-index-url", &other.url("/simple/"), "extra"].map(str::to_owned);
    for name in ["TUFPIP_ALLOW_UNSIGNED", "PIP_ALLOW_UNSIGNED"] {
        scene.refuses_command(
            scene.tufpip(&["install"]).env(name, "extra").args(&arguments),
            12,
            &["policy.require-signed"],
        );
    }
    administrator(&scene, "[install]\nallow-unsigned = extra\n");
    scene.refuses_command(configured(&scene).args(&arguments), 12, &["policy.require-signed"]);
    assert_eq!(other.log(), Vec::<String>::new());
}

// ---- --offline ----------------------------------------------------------------------------------------------------

#[test]
fn offline_a_second_command_needs_no_request() {
    let scene = SignedScene::signed();
    scene.installs(&["app"]);
    scene.server.forget_requests();
    let outcome = scene.installs(&["--offline", "--force-reinstall", "app"]);
    outcome.expect_stderr(&["Verified   2 files against snapshot 1 of"]);
    scene.installs(&["--offline", "--force-reinstall", "--require-signed", "app"]);
    assert_eq!(scene.server.log(), Vec::<String>::new());
}

#[test]
fn offline_nothing_is_believed_that_was_never_seen() {
    let scene = SignedScene::signed();
    scene.refuses(
        &["--offline", "app"],
        1,
        &["cannot be used offline", "run it once without --offline", "trust.offline"],
    );
    assert_eq!(scene.server.log(), Vec::<String>::new());
}

#[test]
fn offline_the_page_of_another_project_is_missing() {
    let scene = SignedScene::signed();
    scene.installs(&["library"]);
    scene.server.forget_requests();
    scene.refuses(&["--offline", "app"], 1, &["no server is asked (--offline)", "net.offline"]);
    assert_eq!(scene.server.log(), Vec::<String>::new());
}

#[test]
fn offline_expired_metadata_is_refused() {
    let scene = SignedScene::of(SignedIndex::new(index()).expires("timestamp", in_seconds(2)));
    scene.installs(&["app"]);
    std::thread::sleep(std::time::Duration::from_secs(3));
    scene.refuses(&["--offline", "--force-reinstall", "app"], 11, &["has expired (timestamp)", "trust.expired"]);
    scene.installs(&["--offline", "--allow-expired", "1h", "--force-reinstall", "app"]);
}

// ---- --allow-expired ----------------------------------------------------------------------------------------------

const DAY: i64 = 24 * 3600;

#[test]
fn expired_metadata_is_used_only_as_long_as_the_user_says() {
    for role in ["timestamp", "snapshot", "targets"] {
        let scene = SignedScene::of(SignedIndex::new(index()).expires(role, in_seconds(-3 * DAY)));
        scene.refuses(&["app"], 11, &["has expired", role, "trust.expired"]);
        scene.refuses(&["--allow-expired", "2d", "app"], 11, &["has expired", role, "trust.expired"]);
        scene.installs(&["--report", "report.json", "--allow-expired", "7d", "app"]).expect_stderr(&[
            "WARNING: The metadata of http://127.0.0.1:",
            &format!("({role}) expired on "),
            "as --allow-expired says",
        ]);
        let report = fs::read(scene.environment.work().join("report.json")).unwrap();
        let report: Value = serde_json::from_slice(&report).unwrap();
        let expired = &report["repositories"][0]["used_although_expired"];
        assert_eq!(expired[0]["role"], role);
        assert!(expired[0]["since"].is_string());
    }
}

#[test]
fn an_expired_root_is_not_used() {
    let scene = SignedScene::of(SignedIndex::new(index()).expires("root", in_seconds(-3 * DAY)));
    scene.refuses(&["--allow-expired", "7d", "app"], 11, &["has expired (root)", "trust.expired"]);
}

#[test]
fn expiry_is_allowed_on_the_command_line_only() {
    let scene = SignedScene::of(SignedIndex::new(index()).expires("timestamp", in_seconds(-3 * DAY)));
    for name in ["TUFPIP_ALLOW_EXPIRED", "PIP_ALLOW_EXPIRED"] {
        scene.refuses_command(scene.tufpip(&["install", "app"]).env(name, "7d"), 11, &["trust.expired"]);
    }
}

// ---- --disable-repository-security --------------------------------------------------------------------------------

#[test]
fn with_security_switched_off_a_signed_index_is_used_like_any_other() {
    let scene = SignedScene::signed();
    scene.installs(&["library==1.0"]);
    empty_cache(&scene);
    let trusted = scene.trusted();
    scene.server.forget_requests();
    let outcome =
        scene.installs(&["--disable-repository-security", "--report", "report.json", "--upgrade", "app", "library"]);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
    outcome.clone().expect_stderr(&["WARNING: Repository security is switched off for this command"]);
    assert!(!outcome.stderr.contains("against snapshot"), "{}", outcome.stderr);
    assert!(!scene.server.log().iter().any(|line| line.contains("/tuf/")), "{:?}", scene.server.log());
    assert_eq!(scene.trusted(), trusted);
    let report: Value =
        serde_json::from_slice(&fs::read(scene.environment.work().join("report.json")).unwrap()).unwrap();
    assert_eq!(report["repository_security"], "disabled");
    assert_eq!(entry(&report, "library")["verification"], json!({"by": "index-hash"}));
    assert_eq!(report["repositories"], Value::Null);

    let other = Wheel::new("library", "2.0").file("library/evil.py", "").build();
    empty_cache(&scene);
    scene.server.replace(&scene.server.wheel_path(LIBRARY), other.bytes);
    scene.refuses(&["--force-reinstall", "app"], 10, &["verify.target"]);
}

#[test]
fn what_was_used_unverified_is_verified_when_security_is_on_again() {
    let scene = SignedScene::signed();
    let evil = Index::new().add(Wheel::new("library", "99.0").build());
    scene.server.intercept(move |request| {
        let is_plain = request.path == "/simple/library/" || request.path.contains("library-99.0");
        is_plain.then(|| evil.respond(request))
    });
    scene.installs(&["--disable-repository-security", "library"]);
    scene.expect_installed(&["library-99.0"]);
    let report = scene.report(&["--force-reinstall", "library"]);
    scene.expect_installed(&["library-2.0"]);
    assert_eq!(entry(&report, "library")["verification"]["by"], "signed-target");
}

#[test]
fn only_the_command_line_switches_security_off() {
    let scene = SignedScene::signed();
    let other = Wheel::new("library", "2.0").file("library/evil.py", "").build();
    scene.server.replace(&scene.server.wheel_path(LIBRARY), other.bytes);
    for name in ["TUFPIP_DISABLE_REPOSITORY_SECURITY", "PIP_DISABLE_REPOSITORY_SECURITY"] {
        scene.refuses_command(scene.tufpip(&["install", "app"]).env(name, "1"), 10, &["verify.target"]);
    }
    administrator(&scene, "[global]\ndisable-repository-security = true\n");
    scene.refuses_command(configured(&scene).arg("app"), 10, &["verify.target"]);
    scene.environment.write("requirements.txt", "--disable-repository-security\napp\n");
    scene.refuses(&["-r", "requirements.txt"], 1, &["no such option: --disable-repository-security"]);
}

#[test]
fn requiring_signatures_and_switching_them_off_is_a_contradiction() {
    let scene = SignedScene::signed();
    scene.refuses(&["--require-signed", "--disable-repository-security", "app"], 2, &["contradict each other"]);
}

// ---- a URL that is not quite that of a trusted index --------------------------------------------------------------

#[test]
fn a_near_miss_of_a_trusted_index_is_noticed() {
    let scene = SignedScene::signed();
    let trusted = scene.server.index_url();
    let port = trusted.trim_start_matches("http://127.0.0.1:").trim_end_matches("/simple/");
    let written = format!("http://localhost:{port}/simple/");
    let warning = format!("WARNING: {written} is not trusted and not verified; {trusted} is (tufpip trust list)");
    let outcome = scene.installs(&["--index-url", &written, "app"]);
    assert_eq!(outcome.stderr.matches(&warning).count(), 1, "{}", outcome.stderr);
    outcome.expect_stderr(&["Unverified 2 files"]);
    let other = unsigned("extra", "1.0");
    let outcome = scene.installs(&["--extra-index-url", &other.url("/simple/"), "extra"]);
    assert!(!outcome.stderr.contains("WARNING"), "{}", outcome.stderr);
}

// ---- directories of trust -----------------------------------------------------------------------------------------

/// Trust for the scene's index in a directory, with a metadata URL of its own.
fn anchor_at(scene: &SignedScene, directory: &Path, metadata_url: &str) {
    scene.server.write_trust_at(directory, &scene.server.index_url(), metadata_url);
}

#[test]
fn a_directory_of_trust_makes_an_index_signed() {
    let scene = SignedScene::signed();
    let store = scene.environment.trust_store();
    let anchors = scene.environment.work().join("trust.d");
    fs::rename(&store, &anchors).unwrap();
    let before = testkit::tree(&anchors);
    let outcome =
        scene.tufpip(&["install", "--require-signed", "app"]).env("TUFPIP_TRUST", &anchors).run().expect_code(0);
    outcome.expect_stderr(&["Verified   2 files against snapshot 1 of"]);
    assert_eq!(testkit::tree(&anchors), before, "a directory that is only read was written to");
    let memory = scene.server.trust_directory(&scene.environment.trust_memory());
    assert!(memory.join("timestamp.json").is_file(), "what was verified is remembered");
    assert!(!store.exists(), "the user has trusted nothing");
}

/// A container that is made anew each time has no memory; the directory that comes with the code brings one.
#[test]
fn a_directory_of_trust_brings_the_memory_of_the_machine_it_was_made_on() {
    let scene = SignedScene::signed();
    let first_day = scene.server.day();
    scene.server.rotate("snapshot");
    scene.server.publish(|index| index.add(Wheel::new("library", "3.0").build()));
    scene.installs(&["app"]);
    let second_day = scene.server.day();
    scene.server.publish(|index| index.add(Wheel::new("library", "4.0").build()));
    let (anchors, store) = (scene.environment.work().join("trust.d"), scene.environment.trust_store());
    fs::rename(&store, &anchors).unwrap();
    let command = || {
        empty_cache(&scene);
        let _ = fs::remove_dir_all(scene.environment.trust_memory());
        scene.tufpip(&["install", "--upgrade", "app", "library"]).env("TUFPIP_TRUST", &anchors)
    };
    scene.server.replay(&first_day);
    scene.refuses_command(command(), 10, &["http://127.0.0.1:", "somebody shows an older state", "trust.rollback"]);
    scene.server.replay(&second_day);
    command().run().expect_code(0);
    scene.expect_installed(&["app-1.0", "library-3.0"]);
    scene.server.honest();
    command().run().expect_code(0);
    scene.expect_installed(&["app-1.0", "library-4.0"]);
}

/// What the machine itself has seen counts before what was brought along some time ago.
#[test]
fn a_machine_with_a_memory_of_its_own_uses_that() {
    let scene = SignedScene::signed();
    let (anchors, store) = (scene.environment.work().join("trust.d"), scene.environment.trust_store());
    scene.installs(&["app"]);
    let first_day = scene.server.day();
    fs::rename(&store, &anchors).unwrap();
    let command = || scene.tufpip(&["install", "--upgrade", "app", "library"]).env("TUFPIP_TRUST", &anchors);
    scene.server.publish(|index| index.add(Wheel::new("library", "3.0").build()));
    command().run().expect_code(0);
    scene.server.replay(&first_day);
    scene.refuses_command(command(), 10, &["trust.rollback"]);
}

/// The user's own store says that the metadata is elsewhere; who set up the run, and the machine, know better.
#[test]
fn the_machine_outranks_the_variable_and_both_outrank_the_user() {
    let scene = SignedScene::signed();
    let (system, variable) =
        (scene.environment.home().join("etc/tufpip/trust.d"), scene.environment.work().join("trust.d"));
    let (nowhere, nowhere_else) = (Server::unreachable_url("/a/"), Server::unreachable_url("/b/"));
    anchor_at(&scene, &scene.environment.trust_store(), &nowhere);
    let command = || scene.tufpip(&["install", "app"]).env("TUFPIP_TRUST", &variable);
    fs::create_dir(&variable).unwrap();
    scene.refuses_command(command(), 2, &["holds no trusted roots", "56 hex digits"]);
    fs::create_dir(variable.join("0".repeat(56))).unwrap();
    scene.refuses_command(command(), 13, &[&nowhere, "trust.unreachable"]);
    anchor_at(&scene, &variable, &nowhere_else);
    scene.refuses_command(command(), 13, &[&nowhere_else, "trust.unreachable"]);
    anchor_at(&scene, &system, &scene.server.metadata_url());
    command().run().expect_code(0);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
}

#[test]
fn the_earlier_of_two_directories_in_the_variable_counts() {
    let scene = SignedScene::signed();
    let (first, second) = (scene.environment.work().join("first"), scene.environment.work().join("second"));
    anchor_at(&scene, &first, &scene.server.metadata_url());
    anchor_at(&scene, &second, &Server::unreachable_url("/tuf/"));
    let with = |one: &Path, two: &Path| {
        let path = std::env::join_paths([one, two]).unwrap();
        scene.tufpip(&["install", "--force-reinstall", "app"]).env("TUFPIP_TRUST", path)
    };
    with(&first, &second).run().expect_code(0);
    scene.refuses_command(with(&second, &first), 13, &["trust.unreachable"]);
}

#[test]
fn an_index_with_broken_trust_is_not_used_unsigned() {
    let scene = SignedScene::signed();
    let directory = scene.server.trust_directory(&scene.environment.trust_store());
    fs::remove_dir_all(directory.join("root_history")).unwrap();
    scene.refuses(&["app"], 1, &["cannot be used", "it can be verified and must be", "trust.damaged"]);
    assert_eq!(scene.server.log(), Vec::<String>::new());
    fs::remove_dir_all(directory).unwrap();
    tufpip(&scene.environment)
        .args(["install", "--index-url", &scene.server.index_url(), "app"])
        .run()
        .expect_code(0)
        .expect_stderr(&["Unverified 2 files: only an unsigned index gave their hashes"]);
}
