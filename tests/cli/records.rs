//! What an installation writes about itself: INSTALLER, REQUESTED, direct_url.json, RECORD, and the report.

use serde_json::Value;
use testkit::{Index, Wheel};

use crate::scene::{Scene, expect_whole, read, text};

fn index() -> Index {
    Index::new()
        .add(
            Wheel::new("app", "1.0")
                .requires("library")
                .extra("fast", "library")
                .console_script("app = app:main")
                .file("app.py", "def main():\n    pass\n")
                .script("helper.sh", "#!/bin/sh\necho helped\n")
                .build(),
        )
        .add(Wheel::new("library", "1.0").build())
}

#[test]
fn who_installed_it_and_who_asked() {
    let scene = Scene::new(index());
    scene.installs(&["app"]);
    assert_eq!(read(&scene.environment, "app-1.0.dist-info/INSTALLER"), "tufpip\n");
    assert_eq!(read(&scene.environment, "app-1.0.dist-info/REQUESTED"), "");
    let site_packages = scene.environment.site_packages();
    assert!(!site_packages.join("library-1.0.dist-info/REQUESTED").exists(), "nobody asked for the dependency");
    assert!(!site_packages.join("app-1.0.dist-info/direct_url.json").exists(), "it came from an index");
}

#[test]
fn record_lists_everything_with_hashes() {
    let scene = Scene::new(index());
    scene.installs(&["app"]);
    expect_whole(&scene.environment);
    let record = read(&scene.environment, "app-1.0.dist-info/RECORD");
    for row in
        ["../../../bin/app,sha256=", "../../../bin/helper.sh,sha256=", "app.py,sha256=", "app-1.0.dist-info/RECORD,,"]
    {
        assert!(record.lines().any(|line| line.starts_with(row)), "no {row} in\n{record}");
    }
    let tag = scene.environment.run_python("import sys; print(sys.implementation.cache_tag)");
    assert!(
        record.lines().any(|line| line == format!("__pycache__/app.{tag}.pyc,,")),
        "bytecode has no hash:\n{record}"
    );
}

#[test]
fn where_a_direct_reference_came_from() {
    let scene = Scene::new(index());
    let wheel = Wheel::new("local", "1.0").build();
    let path = scene.environment.write(&wheel.filename, &wheel.bytes);
    scene.installs(&[text(&path)]);
    let origin: Value = serde_json::from_str(&read(&scene.environment, "local-1.0.dist-info/direct_url.json")).unwrap();
    assert_eq!(origin["url"], format!("file://{}", path.display()));
    assert_eq!(origin["archive_info"]["hashes"]["sha256"], wheel.sha256());

    let url = scene.server.url_with_credentials("user", "secret", "/files/library-1.0-py3-none-any.whl");
    scene.installs(&[&url]);
    let text = read(&scene.environment, "library-1.0.dist-info/direct_url.json");
    assert!(!text.contains("secret"), "{text}");
    let origin: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(origin["url"], scene.server.url("/files/library-1.0-py3-none-any.whl"));
}

#[test]
fn a_dry_run_changes_nothing_and_downloads_nothing() {
    let scene = Scene::new(index());
    let before = scene.environment.state();
    let outcome = scene.installs(&["--dry-run", "app"]);
    assert!(outcome.stdout.ends_with("Would install app-1.0 library-1.0\n"), "{}", outcome.stdout);
    assert_eq!(scene.environment.state(), before);
    assert_eq!(scene.server.requests_for("/files/app-1.0-py3-none-any.whl").len(), 0);
}

#[test]
fn the_report() {
    let scene = Scene::new(index());
    let outcome = scene.installs(&["--dry-run", "--quiet", "--report", "-", "app[fast]"]);
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(report["version"], "1");
    let entries = report["install"].as_array().unwrap();
    let of = |name: &str| entries.iter().find(|entry| entry["metadata"]["name"] == name).unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(of("app")["requested"], true);
    assert_eq!(of("app")["requested_extras"], serde_json::json!(["fast"]));
    assert_eq!(of("library")["requested"], false);
    assert_eq!(of("app")["download_info"]["url"], scene.server.url("/files/app-1.0-py3-none-any.whl"));
    assert_eq!(of("app")["download_info"]["archive_info"]["hashes"]["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(report["environment"]["implementation_name"], "cpython");

    scene.installs(&["--report", "report.json", "app"]);
    let report: Value =
        serde_json::from_slice(&std::fs::read(scene.environment.work().join("report.json")).unwrap()).unwrap();
    assert_eq!(report["install"][0]["verification"]["by"], "index-hash");
}

#[test]
fn files_that_only_an_installer_may_write_are_ours() {
    let wheel = Wheel::new("app", "1.0")
        .dist_info_file("INSTALLER", "somebody\n")
        .dist_info_file("REQUESTED", "")
        .dist_info_file("direct_url.json", "{\"url\": \"https://evil.example.org/\"}")
        .file("app.py", "")
        .build();
    let scene = Scene::new(Index::new().add(wheel).add(Wheel::new("user", "1.0").requires("app").build()));
    scene.installs(&["user"]);
    assert_eq!(read(&scene.environment, "app-1.0.dist-info/INSTALLER"), "tufpip\n");
    for name in ["REQUESTED", "direct_url.json"] {
        assert!(!scene.environment.site_packages().join("app-1.0.dist-info").join(name).exists(), "{name}");
    }
    expect_whole(&scene.environment);
}

#[test]
fn modes_are_those_of_pip() {
    let scene = Scene::new(index());
    scene.installs(&["app"]);
    let modes = scene.environment.run_python(
        "import os, sys; umask = os.umask(0); os.umask(umask)\n\
         site = [p for p in sys.path if p.endswith('site-packages')][0]; scripts = os.path.dirname(sys.executable)\n\
         missing = lambda *path: oct((0o777 & ~umask) ^ os.stat(os.path.join(*path)).st_mode & 0o7777)\n\
         print(missing(site, 'app.py'), missing(scripts, 'app'), missing(scripts, 'helper.sh'))",
    );
    // A file has what the umask leaves; it is executable if it was made for an entry point, or is so in the wheel.
    assert_eq!(modes, "0o111 0o0 0o111");
}
