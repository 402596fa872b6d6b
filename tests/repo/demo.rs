//! `repo demo`: the attacks work against others, are refused here, and nothing of the user's is touched.

use testkit::{Environment, tree};

#[test]
fn every_attack_is_refused_and_nothing_is_left() {
    let environment = Environment::new();
    let (home, venv) = (tree(&environment.home()), environment.state());
    let outcome = environment.command(env!("CARGO_BIN_EXE_tufpip")).args(["repo", "demo"]).run().expect_code(0);
    let mut rest = outcome.stdout.as_str();
    for said in [
        "1. An operator",
        "$ tufpip repo init",
        "| Published 2 files of 2 projects",
        "2. A user",
        "| Verified   2 files against snapshot",
        "| Good evening",
        "3. Attack",
        "what the attacker wants was installed",
        "| ERROR: Refused tufpip_demo_greeting-1.0-py3-none-any.whl: it is not what was signed",
        "expected  sha256",
        "verify.target",
        "Refused, with exit code 10",
        "4. Attack",
        "what the attacker wants was installed",
        "verify.page",
        "Refused, with exit code 10",
        "5. Version 1.0",
        "| Successfully installed tufpip-demo-greeting-1.1",
        "6. Attack",
        "what the attacker wants was installed",
        "trust.rollback",
        "Refused, with exit code 10",
        "7. Attack",
        "what the attacker wants was installed",
        "trust.withheld",
        "Refused, with exit code 11",
        "8. The attacker is gone",
        "| Successfully installed tufpip-demo-greeting-1.1",
        "Every attack was refused",
    ] {
        let (_, after) = rest.split_once(said).unwrap_or_else(|| panic!("no `{said}` in the rest:\n{rest}"));
        rest = after;
    }
    assert_eq!(outcome.stderr, "");
    assert_eq!(environment.leftovers(), Vec::<String>::new());
    assert_eq!(tree(&environment.home()), home, "the user's own files were touched");
    assert_eq!(environment.state(), venv, "the user's own packages were touched");
    assert!(!environment.cache().join("tufpip").exists(), "the user's own cache was touched");
}

#[test]
fn without_a_python_it_says_so_at_once() {
    let environment = Environment::without_venv();
    let command = environment.command(env!("CARGO_BIN_EXE_tufpip")).env("PATH", "/nowhere");
    let outcome = command.args(["repo", "demo"]).run().expect_code(1);
    outcome.expect_stderr(&["Could not find a Python interpreter", "python.not-found"]);
    assert_eq!(environment.leftovers(), Vec::<String>::new());
}
