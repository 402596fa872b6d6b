//! What an install that went well tells all the same: dependencies it broke, and programs outside of PATH.

use testkit::{Command, Environment, Wheel};

use crate::scene::tufpip;

fn environment() -> Option<Environment> {
    if testkit::Interpreter::find().is_none() {
        println!("skipped: no python3 on PATH");
        return None;
    }
    let environment = Environment::new();
    for wheel in [
        Wheel::new("library", "1.0").build(),
        Wheel::new("library", "2.0").build(),
        Wheel::new("other", "1.0").build(),
        Wheel::new("app", "1.0").requires("library < 2 ,>=1").requires("gone").console_script("app = app:main").build(),
    ] {
        environment.write(&wheel.filename, &wheel.bytes);
    }
    Some(environment)
}

fn install(environment: &Environment) -> Command {
    let links = environment.work();
    tufpip(environment).args(["install", "--no-index", "--find-links"]).arg(links)
}

#[test]
fn dependencies_that_an_install_breaks() {
    let Some(environment) = environment() else { return };
    let outcome = install(&environment).args(["--no-deps", "app", "library==1.0"]).run().expect_code(0);
    assert!(!outcome.stderr.contains("ERROR"), "{}", outcome.stderr);
    let outcome = install(&environment).arg("other").run().expect_code(0);
    assert!(!outcome.stderr.contains("ERROR"), "what was broken before is not reported: {}", outcome.stderr);
    let outcome = install(&environment).arg("library==2.0").run().expect_code(0);
    let expected = "which is not installed.\n\
                    app 1.0 requires library<2,>=1, but you have library 2.0 which is incompatible.\n";
    assert!(
        outcome.stderr.contains("the source of the following dependency conflicts.\napp 1.0 requires gone, "),
        "{}",
        outcome.stderr
    );
    assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
    for arguments in [&["--no-warn-conflicts", "library==1.0"], &["--no-deps", "library==2.0"]] {
        let outcome = install(&environment).args(arguments).run().expect_code(0);
        assert!(!outcome.stderr.contains("ERROR"), "{arguments:?}: {}", outcome.stderr);
    }
}

#[test]
fn programs_that_a_shell_does_not_find() {
    let Some(environment) = environment() else { return };
    let root = environment.work().join("root");
    let arguments = ["--no-deps", "app", "--root"];
    let outcome = install(&environment).args(arguments).arg(&root).run().expect_code(0);
    assert!(outcome.stderr.contains("WARNING: The script app is installed in '"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("use --no-warn-script-location."), "{}", outcome.stderr);
    for quiet in [&["--no-deps", "app"][..], &["--no-deps", "--force-reinstall", "--no-warn-script-location", "app"]] {
        let outcome = install(&environment).args(quiet).run().expect_code(0);
        assert!(!outcome.stderr.contains("WARNING"), "{quiet:?}: {}", outcome.stderr);
    }
}
