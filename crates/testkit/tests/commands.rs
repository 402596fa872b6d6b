//! What a started program sees of whoever runs the tests: a home that is not theirs, and none of their settings.

use std::collections::BTreeMap;
use std::path::Path;

use testkit::{Command, Environment};

/// Settings that would change what is tested.
const SETTINGS: &[(&str, &str)] = &[
    ("PIP_INDEX_URL", "https://pkgs.example.org/simple/"),
    ("PIP_CONFIG_FILE", "/somewhere/pip.conf"),
    ("TUFPIP_TRUST", "/somewhere/trust"),
    ("UV_CACHE_DIR", "/somewhere/uv"),
    ("PYTHONPATH", "/somewhere/python"),
    ("VIRTUAL_ENV", "/somewhere/venv"),
    ("GIT_CONFIG_GLOBAL", "/somewhere/gitconfig"),
    ("HTTPS_PROXY", "http://127.0.0.1:1/"),
    ("HOME", "/somewhere"),
    ("XDG_CACHE_HOME", "/somewhere/cache"),
    ("XDG_CONFIG_HOME", "/somewhere/config"),
    ("XDG_DATA_HOME", "/somewhere/data"),
    ("XDG_RUNTIME_DIR", "/somewhere/run"),
];

/// Names the second run of this program, by somebody who has such settings.
const SECOND_RUN: &str = "TESTKIT_SECOND_RUN";

#[test]
fn settings_of_whoever_runs_the_tests_are_not_seen() {
    let this = std::env::current_exe().unwrap();
    let mut command = Command::new(this).args(["commands::as_somebody_with_settings", "--exact"]).env(SECOND_RUN, "1");
    for (name, value) in SETTINGS {
        command = command.env(name, value);
    }
    let outcome = command.run().expect_code(0);
    assert!(outcome.stdout.contains("1 passed"), "{}", outcome.stdout);
}

/// Does nothing unless it runs as the child.
#[test]
fn as_somebody_with_settings() {
    if std::env::var_os(SECOND_RUN).is_none() {
        return;
    }
    let environment = Environment::without_venv();
    let own = tempfile::tempdir().unwrap();
    for command in [Command::new("env"), Command::at_home("env", own.path()), environment.command("/usr/bin/env")] {
        let seen = command.run().expect_code(0).stdout;
        assert!(!seen.contains("somewhere"), "{seen}");
        let seen: BTreeMap<&str, &str> = seen.lines().filter_map(|line| line.split_once('=')).collect();
        for prefix in ["PIP_", "TUFPIP_", "UV_", "PYTHON", "GIT_"] {
            let names: Vec<_> = seen.keys().filter(|name| name.starts_with(prefix)).collect();
            let neutral = |name: &&&&str| !["PIP_CONFIG_FILE", "PYTHONDONTWRITEBYTECODE"].contains(name);
            assert_eq!(names.iter().find(neutral), None, "{names:?}");
        }
        assert!(!seen.contains_key(SECOND_RUN) && !seen.contains_key("HTTPS_PROXY"), "{seen:?}");
        for name in ["HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "TMPDIR"] {
            assert!(Path::new(seen[name]).starts_with(std::env::temp_dir()), "{name}: {}", seen[name]);
        }
    }
}

#[test]
fn a_home_of_a_command_ends_with_it() {
    let outcome = Command::new("sh").args(["-c", "echo x > \"$HOME/file\" && echo \"$HOME\""]).run().expect_code(0);
    assert!(!Path::new(outcome.stdout.trim()).exists());
}
