//! `uninstall`: what it shows and asks, what goes and what stays; held against pip where there is one.

use std::fs;

use testkit::{Environment, Wheel};

use super::reference::Reference;
use crate::scene::tufpip;

/// An environment with `app`, whose directory also has a file that nobody installed, and `plain`.
fn world() -> Option<Environment> {
    if testkit::Interpreter::find().is_none() {
        println!("skipped: no python3 on PATH");
        return None;
    }
    let environment = Environment::new();
    let app = Wheel::new("App.Name", "1.0")
        .file("app/__init__.py", "")
        .file("app/inner/module.py", "")
        .file("module.py", "")
        .data("data/share/app.txt", "data")
        .console_script("app = app:main");
    for wheel in [app.build(), Wheel::new("plain", "2.0").build()] {
        environment.write(&wheel.filename, &wheel.bytes);
    }
    let links = environment.work().display().to_string();
    let arguments = ["install", "--no-index", "--find-links", &links, "app.name", "plain"];
    tufpip(&environment).args(arguments).run().expect_code(0);
    fs::write(environment.site_packages().join("app/notes.txt"), "mine").unwrap();
    Some(environment)
}

#[test]
fn what_would_be_removed_is_shown_as_pip_shows_it() {
    let Some(environment) = world() else { return };
    let before = environment.state();
    let own = tufpip(&environment).args(["uninstall", "APP-name"]).input("what\nn\n").run().expect_code(0);
    assert!(
        own.stdout.starts_with("Found existing installation: App.Name 1.0\nUninstalling App.Name-1.0:\n"),
        "{}",
        own.stdout
    );
    for piece in [
        "  Would remove:\n",
        "site-packages/app/*\n",
        "Would not remove (might be manually added):\n",
        "Proceed (Y/n)? ",
    ] {
        assert!(own.stdout.contains(piece), "{piece}: {}", own.stdout);
    }
    assert_eq!(environment.state(), before);
    if let Some(reference) = Reference::find() {
        let arguments = ["uninstall", "APP-name"];
        let expected = reference.command(&environment).args(arguments).input("what\nn\n").run();
        assert_eq!(own.stdout, expected.stdout);
    }
}

#[test]
fn what_is_left_is_what_pip_leaves() {
    let (Some(environment), Some(other)) = (world(), world()) else { return };
    let outcome = tufpip(&environment).args(["uninstall", "-y", "app_name", "nothing", "plain"]).run().expect_code(0);
    assert_eq!(outcome.stderr, "WARNING: Skipping nothing as it is not installed.\n");
    assert!(
        outcome.stdout.contains("  Successfully uninstalled App.Name-1.0\n  Successfully uninstalled plain-2.0\n"),
        "{}",
        outcome.stdout
    );
    assert_eq!(environment.installed(), Vec::<String>::new());
    assert!(environment.site_packages().join("app/notes.txt").exists(), "what nobody installed stays");
    assert!(!environment.scripts().join("app").exists());
    assert_eq!(environment.leftovers(), Vec::<String>::new());
    if let Some(reference) = Reference::find() {
        reference.command(&other).args(["uninstall", "-y", "app_name", "plain"]).run().expect_code(0);
        assert_eq!(environment.state(), other.state());
    }
}

#[test]
fn one_that_cannot_go_keeps_all() {
    let Some(environment) = world() else { return };
    fs::remove_file(environment.site_packages().join("plain-2.0.dist-info/RECORD")).unwrap();
    let before = environment.state();
    let outcome = tufpip(&environment).args(["uninstall", "-y", "app.name", "plain"]).run().expect_code(1);
    assert!(outcome.stderr.contains("ERROR: Cannot uninstall plain 2.0\n"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("no RECORD file was found for plain"), "{}", outcome.stderr);
    assert_eq!(environment.state(), before);
}

#[test]
fn without_an_answer_nothing_goes() {
    let Some(environment) = world() else { return };
    let before = environment.state();
    for arguments in [&["uninstall", "plain"][..], &["uninstall", "--no-input", "plain"]] {
        let outcome = tufpip(&environment).args(arguments).run().expect_code(1);
        assert!(outcome.stderr.contains("--yes"), "{}", outcome.stderr);
    }
    assert_eq!(environment.state(), before);
    let file = environment.write("gone.txt", "plain==9 ; python_version < '3'\n");
    tufpip(&environment).args(["uninstall", "-r"]).arg(file).input("\n").run().expect_code(0);
    assert_eq!(environment.installed(), ["app_name-1.0"]);
}

#[test]
fn a_mark_of_the_system_does_not_protect_a_virtual_environment() {
    let Some(environment) = world() else { return };
    fs::write(
        environment.venv().join(format!("lib/python{}/EXTERNALLY-MANAGED", environment.interpreter().minor_version())),
        "[externally-managed]\nError=no\n",
    )
    .unwrap();
    tufpip(&environment).args(["uninstall", "-y", "plain"]).run().expect_code(0);
}
