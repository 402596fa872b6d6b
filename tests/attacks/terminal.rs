//! Foreign text on the way to a terminal and to a log. `cli::foreign_text` feeds many sources and looks at all that is printed;
//! here each text is also seen to arrive, escaped, so that nothing passes because it was never shown.

use std::fs;

use serde_json::json;
use testkit::{Command, Index, Outcome, Wheel};

use crate::cli::foreign_text::{FORGED, SECRET, checked, plant};
use crate::scene::{Scene, text};

/// Colours, reorders and hides; fits into a header.
const HOSTILE: &str = "\u{1b}[31m\u{9b}2J\u{202e}\u{200b}";

/// The same as it may be shown.
const ESCAPED: &str = "\\u{1b}[31m\\u{9b}2J\\u{202e}\\u{200b}";

/// Runs a command whose output and log must be harmless and must have these pieces.
#[track_caller]
fn shows(scene: &Scene, words: &[&str], pieces: &[&str]) -> Outcome {
    let outcome = checked(scene, scene.tufpip(words));
    let shown = format!("{}{}", outcome.stdout, outcome.stderr);
    for piece in pieces {
        assert!(shown.contains(piece), "no `{piece}` in the output of {words:?}:\n{shown}");
    }
    outcome
}

fn metadata(name: &str, version: &str, rest: &str) -> String {
    format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{rest}")
}

fn scene() -> Scene {
    Scene::new(Index::new().add(Wheel::new("app", "9.0").build()).add(Wheel::new("other", "1.0").build()))
}

#[test]
fn what_an_installed_distribution_says_of_itself() {
    let scene = scene();
    let app = metadata(&format!("app{HOSTILE}"), &format!("1.0{HOSTILE}"), &format!("Requires-Dist: {HOSTILE}\n"));
    let installer = format!("i{HOSTILE}{FORGED}\n");
    plant(&scene, "app-1.0.dist-info", &[("METADATA", &app), ("INSTALLER", &installer), ("WHEEL", "Tag: a-b-c\n")]);
    let (name, version) = (format!("app{ESCAPED}"), format!("1.0{ESCAPED}"));
    shows(&scene, &["list", "-v"], &[&name, &version, &format!("i{ESCAPED}")]);
    shows(&scene, &["list", "--format", "freeze"], &[&format!("{name}==")]);
    shows(&scene, &["freeze"], &[&format!("{name}==")]);
    shows(&scene, &["show", "-f", "app"], &[&format!("Name: {name}"), &format!("Version: {version}")]);
    shows(
        &scene,
        &["check", "-v"],
        &[
            &format!("parsing dependencies of app: invalid requirement '{ESCAPED}'"),
            &format!("{name} 1.0 is not supported"),
            &format!("{name} {version}: RECORD is missing"),
        ],
    );
    shows(
        &scene,
        &["uninstall", "-v", "app"],
        &[
            &format!("Found existing installation: {name} {version}"),
            &format!("Cannot uninstall {name} {version}"),
            &format!("installed by i{ESCAPED}"),
        ],
    );
    shows(&scene, &["install", "-v", "--upgrade", "app"], &["annot uninstall", &format!("installed by i{ESCAPED}")]);
    fs::remove_dir_all(scene.environment.site_packages().join("app-1.0.dist-info")).unwrap();
    plant(&scene, &format!("app-1.0{HOSTILE}{FORGED}.dist-info"), &[("METADATA", &app), ("RECORD", "")]);
    let replaced = format!("Found existing installation: app 1.0{ESCAPED}\\u{{a}}FORGED");
    shows(&scene, &["install", "-v", "--upgrade", "--no-deps", "app"], &[&replaced, "Successfully installed app-9.0"]);
}

#[test]
fn dependencies_that_are_not_met() {
    let scene = scene();
    let marker = format!("python_version > \"3\" or os_name == \"{HOSTILE}\n FORGED\"");
    plant(
        &scene,
        "needs-1.0.dist-info",
        &[("METADATA", &metadata("needs", "1.0", &format!("Requires-Dist: other<1; {marker}\n"))), ("RECORD", "")],
    );
    shows(&scene, &["install", "other"], &["needs 1.0 requires other<1", ESCAPED]);
    shows(&scene, &["check"], &["needs 1.0 has requirement other<1", ESCAPED]);
}

#[test]
fn paths_in_the_environment() {
    let scene = scene();
    let directory = format!("odd{HOSTILE}{FORGED}-1.0.dist-info");
    plant(&scene, &directory, &[]);
    shows(&scene, &["list"], &["Ignoring invalid distribution odd\\u{1b}[31m", "\\u{a}forged line"]);
    fs::remove_dir(scene.environment.site_packages().join(&directory)).unwrap();

    let directory = format!("odd-1.0{HOSTILE}{FORGED}.dist-info");
    plant(&scene, &directory, &[]);
    fs::create_dir(scene.environment.site_packages().join(&directory).join("RECORD")).unwrap();
    fs::create_dir(scene.environment.site_packages().join(&directory).join("METADATA")).unwrap();
    shows(&scene, &["list"], &[&format!("odd-1.0{ESCAPED}\\u{{a}}FORGED LINE.dist-info/METADATA")]);
    fs::remove_dir(scene.environment.site_packages().join(&directory).join("METADATA")).unwrap();
    fs::write(scene.environment.site_packages().join(&directory).join("METADATA"), metadata("odd", "1.0", "")).unwrap();
    let shown = format!("odd-1.0{ESCAPED}\\u{{a}}FORGED LINE.dist-info/RECORD");
    shows(&scene, &["uninstall", "-y", "odd"], &[&shown]);
}

#[test]
fn a_frozen_environment_has_one_line_for_each_distribution_and_no_passwords() {
    let scene = scene();
    let url = |path: &str| format!("https://me:{SECRET}@pkgs.example.org/{path}{FORGED}==1");
    let directs = [
        json!({"url": url("vcs"), "vcs_info": {"vcs": format!("git{FORGED}"), "commit_id": format!("c{FORGED}https://me:{SECRET}@h")}}),
        json!({"url": url("archive"), "archive_info": {"hash": format!("sha256=h{FORGED}==1")},
            "subdirectory": format!("https://me:{SECRET}@h{FORGED}")}),
        json!({"url": url("archive"), "archive_info": {"hashes": {format!("sha256{FORGED}"): format!("https://me:{SECRET}@h")}}}),
        json!({"url": format!("https:/me:{SECRET}@pkgs.example.org/a"), "archive_info": {}}),
        json!({"url": format!("https:///me:{SECRET}@pkgs.example.org/a"), "archive_info": {}}),
        json!({"url": format!("me:{SECRET}@pkgs.example.org/a"), "archive_info": {}}),
        json!({"url": format!("https://pkgs.example.org/?to=https://me:{SECRET}@h"), "archive_info": {}}),
        json!({"url": format!("file:///{HOSTILE}{FORGED}"), "dir_info": {}}),
        json!({"url": format!("file:///{HOSTILE}%0AFORGED"), "dir_info": {"editable": true}}),
    ];
    for (number, direct) in directs.iter().enumerate() {
        let files = [("METADATA", metadata(&format!("p{number}"), "1.0", "")), ("direct_url.json", direct.to_string())];
        plant(
            &scene,
            &format!("p{number}-1.0.dist-info"),
            &files.each_ref().map(|(name, text)| (*name, text.as_str())),
        );
    }
    let frozen = shows(&scene, &["freeze"], &[ESCAPED, "\\u{a}FORGED", "https://pkgs.example.org/vcs", "****@pkgs"]);
    let lines: Vec<&str> = frozen.stdout.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines.len(), directs.len(), "{}", frozen.stdout);
    for (number, line) in lines.iter().enumerate() {
        assert!(line.starts_with(&format!("p{number} @ ")) || line.starts_with("-e /"), "{line}");
    }
    let listed = shows(&scene, &["list", "--editable"], &[ESCAPED]);
    assert_eq!(listed.stdout.lines().count(), 3, "{}", listed.stdout);
}

#[test]
fn a_checkout_with_a_hostile_configuration() {
    let scene = scene();
    let checkout = scene.environment.work().join(format!("a{FORGED}"));
    fs::create_dir(&checkout).unwrap();
    let git = |arguments: &[&str]| {
        Command::new("git").args(["-C", text(&checkout)]).args(arguments).try_run().is_ok_and(|ran| ran.succeeded())
    };
    if !git(&["init", "-q"]) {
        eprintln!("skipped: no git");
        return;
    }
    let url = format!("file://{}", text(&checkout).replace('\n', "%0A"));
    plant(
        &scene,
        "e-1.0.dist-info",
        &[
            ("METADATA", &metadata("e", "1.0", "")),
            ("direct_url.json", &json!({"url": url, "dir_info": {"editable": true}}).to_string()),
        ],
    );
    let escaped = "-e /";
    shows(&scene, &["freeze"], &["no remote", escaped]);
    let remote = format!("https://me:{SECRET}@pkgs.example.org/{HOSTILE}x");
    assert!(git(&["config", "remote.origin.url", &remote]));
    shows(&scene, &["freeze"], &["Could not determine repository location of /", "a\\u{a}FORGED"]);
    assert!(git(&["config", "remote.origin.url", &format!("https:/me:{SECRET}@pkgs.example.org/{HOSTILE}x")]));
    shows(&scene, &["freeze"], &["invalid URI", "****@pkgs.example.org", ESCAPED]);
    assert!(git(&["config", "remote.origin.url", &remote]));
    let commit = ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x"];
    assert!(git(&commit));
    shows(&scene, &["freeze"], &["-e git+https://pkgs.example.org/", ESCAPED, "#egg=e"]);
}

#[test]
fn passwords_of_mistyped_urls() {
    let scene = scene();
    let place = format!("me:{SECRET}@127.0.0.1:1/x");
    for mistyped in [
        place.clone(),
        format!("htps://{place}"),
        format!("http:/{place}"),
        format!("htp:/{place}"),
        format!("htp:///{place}"),
        format!("http//{place}"),
        format!("http//:{place}"),
        format!("http;//{place}"),
        format!("htp:{place}"),
        format!("htp:\\\\{place}"),
        format!("htp://me:{SECRET}/y@127.0.0.1:1/x"),
        format!("htp://me:1 {SECRET}@127.0.0.1:1/x").replace(":1 ", ":a "),
        format!("./{place}"),
        format!("git+{place}"),
    ] {
        for words in [
            &["install", "--no-index", &mistyped][..],
            &["install", "--no-index", &format!("app @ {mistyped}")],
            &["install", "--no-index", "-r", &mistyped],
            &["install", "--no-index", "-c", &mistyped, "app"],
            &["install", "--no-index", "--find-links", &mistyped, "app"],
            &["install", "--retries", "0", "--index-url", &mistyped, "app"],
            &["install", "--retries", "0", "--extra-index-url", &mistyped, "app"],
            &["install", "--no-index", "--proxy", &mistyped, "app"],
            &["download", "--no-index", &mistyped],
            &["uninstall", "-y", &mistyped],
            &["show", &mistyped],
            &["trust", "add", &mistyped, "--root", "no-root.json"],
            &["trust", "show", &mistyped],
            &["trust", "remove", &mistyped],
            &["repo", "init", "--base", &mistyped],
            &["repo", "verify", &mistyped],
        ] {
            checked(&scene, scene.tufpip(words).env_remove("NO_PROXY"));
        }
        let outcome = shows(&scene, &["install", "--no-index", &mistyped], &["ERROR: "]);
        assert_ne!(outcome.code, Some(0));
    }
    shows(
        &scene,
        &["install", "--no-index", &format!("htp:/{place}")],
        &["looks like a path", "htp:/****@127.0.0.1:1/x"],
    );
    let ignored = ["install", "--no-index", "--find-links", &format!("htp:/{place}"), "app"];
    shows(&scene, &ignored, &["'htp:/****@127.0.0.1:1/x' is ignored"]);
}
