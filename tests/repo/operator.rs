//! Somebody who runs `tufpip repo`: a machine with directories of its own, and a passphrase.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use testkit::{Command, Environment, Outcome};

use crate::scene::tufpip;

/// The passphrase of every key that an operator makes.
pub const PASSPHRASE: &str = "correct horse battery staple";

/// A machine on which commands are run. Its working directory is where relative paths begin.
pub struct Operator {
    pub environment: Environment,
}

impl Operator {
    pub fn new() -> Self {
        Self { environment: Environment::without_venv() }
    }

    /// `tufpip` with these arguments, and no passphrase.
    pub fn tufpip(&self, arguments: &[&str]) -> Command {
        tufpip(&self.environment).args(arguments)
    }

    /// `tufpip repo` with these arguments, and the passphrase.
    pub fn repo(&self, arguments: &[&str]) -> Outcome {
        self.tufpip(&["repo"]).args(arguments).env("TUFPIP_REPO_PASSPHRASE", PASSPHRASE).run()
    }

    /// The same, which must succeed.
    #[track_caller]
    pub fn does(&self, arguments: &[&str]) -> Outcome {
        self.repo(arguments).expect_code(0)
    }

    /// The same with `--json`, which must succeed and print one JSON object and nothing else.
    #[track_caller]
    pub fn says(&self, arguments: &[&str]) -> Value {
        let outcome = self.repo(&[arguments, &["--json"]].concat()).expect_code(0);
        serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}:\n{}", outcome.stdout))
    }

    /// A path below the working directory.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.environment.work().join(relative)
    }

    /// The content of a file below the working directory.
    #[track_caller]
    pub fn read(&self, relative: &str) -> Vec<u8> {
        fs::read(self.path(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"))
    }

    /// Gives a file to another operator, as on a stick.
    #[track_caller]
    pub fn gives(&self, from: &str, other: &Operator, to: &str) {
        let target = other.path(to);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::write(target, self.read(from)).unwrap();
    }
}
