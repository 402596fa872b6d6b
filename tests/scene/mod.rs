//! What most stories begin with: an index, an environment, and the program between them.

mod signed;

use std::path::Path;

use serde_json::Value;
use testkit::{Command, Environment, Index, Outcome, Server, tree};

pub use signed::{SignedScene, expect_no_plain_pages, forget_what_can_be_fetched, index};

/// An environment beside an index.
pub struct Scene<S = Server> {
    pub environment: Environment,
    pub server: S,
}

/// An index that a scene is played with.
pub trait Played {
    /// `PIP_RETRIES` of the program, where the default would take too long.
    const RETRIES: Option<&str>;

    /// What answers the requests.
    fn server(&self) -> &Server;
}

impl Played for Server {
    const RETRIES: Option<&str> = None;

    fn server(&self) -> &Server {
        self
    }
}

impl Scene {
    /// A fresh environment beside `index`.
    pub fn new(index: Index) -> Self {
        Self::served(index.serve())
    }
}

impl<S: Played> Scene<S> {
    /// A fresh environment beside a server that a test made itself.
    pub fn served(server: S) -> Self {
        Self { environment: Environment::new(), server }
    }

    /// The program, which will use the index.
    pub fn tufpip(&self, arguments: &[&str]) -> Command {
        let command = tufpip(&self.environment).index(self.server.server()).args(arguments);
        match S::RETRIES {
            Some(retries) => command.env("PIP_RETRIES", retries),
            None => command,
        }
    }

    /// `tufpip install` with these arguments.
    pub fn install(&self, arguments: &[&str]) -> Outcome {
        self.tufpip(&["install"]).args(arguments).run()
    }

    /// `tufpip install`, which must succeed.
    #[track_caller]
    pub fn installs(&self, arguments: &[&str]) -> Outcome {
        self.install(arguments).expect_code(0)
    }

    /// `tufpip install`, which must end with this code, say these things on standard error, and leave everything as it was:
    /// what is installed, and what is trusted.
    #[track_caller]
    pub fn refuses(&self, arguments: &[&str], code: i32, pieces: &[&str]) -> Outcome {
        let trusted = self.trusted();
        let outcome = self.refuses_and_learns(arguments, code, pieces);
        assert_eq!(self.trusted(), trusted, "the trusted metadata changed");
        outcome
    }

    /// As [`Scene::refuses`], where metadata that is good and newer comes first.
    #[track_caller]
    pub fn refuses_and_learns(&self, arguments: &[&str], code: i32, pieces: &[&str]) -> Outcome {
        self.refuses_command(self.tufpip(&["install"]).args(arguments), code, pieces)
    }

    /// As [`Scene::refuses_and_learns`], for a command of the story's own.
    #[track_caller]
    pub fn refuses_command(&self, command: Command, code: i32, pieces: &[&str]) -> Outcome {
        let before = self.environment.state();
        let outcome = command.run().expect_code(code);
        let said = in_single_spaces(&outcome.stderr);
        for piece in pieces {
            // Lines are broken anywhere.
            let is_said = outcome.stderr.contains(piece) || said.contains(&in_single_spaces(piece));
            assert!(is_said, "no `{piece}` in standard error:\n{}", outcome.stderr);
        }
        // Refusals of signed things name the index.
        if said.contains(" check TUF ") || said.contains("it is not what was signed") {
            assert!(said.contains(&self.server.server().url("/")), "whose is it?\n{}", outcome.stderr);
        }
        assert_eq!(self.environment.state(), before, "the environment changed");
        self.expect_clean();
        outcome
    }

    /// Fails the test when something unfinished is left.
    #[track_caller]
    pub fn expect_clean(&self) {
        expect_clean(&self.environment);
    }

    /// The names and versions that are installed must be these, such as `app-1.0`.
    #[track_caller]
    pub fn expect_installed(&self, wanted: &[&str]) {
        assert_eq!(self.environment.installed(), wanted);
    }

    /// The report of `tufpip install`, which must succeed.
    #[track_caller]
    pub fn report(&self, arguments: &[&str]) -> Value {
        self.installs(&[&["--report", "report.json"], arguments].concat());
        serde_json::from_slice(&std::fs::read(self.environment.work().join("report.json")).unwrap()).unwrap()
    }

    /// Every file of the trust store with a digest of its content; the lock has none.
    pub fn trusted(&self) -> Vec<String> {
        let lines = tree(&self.environment.trust_store());
        lines.into_iter().filter(|line| !line.contains("/lock")).collect()
    }
}

/// The program, with no index set.
pub fn tufpip(environment: &Environment) -> Command {
    environment.command(env!("CARGO_BIN_EXE_tufpip")).showing(env!("CARGO_BIN_EXE_tufpip"), "$TUFPIP")
}

fn in_single_spaces(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Fails the test when something unfinished is left in the environment, the temporary directory, the cache or the trust store,
/// or when a file there has the name of another content's hash.
#[track_caller]
pub fn expect_clean(environment: &Environment) {
    assert_eq!(environment.leftovers(), Vec::<String>::new(), "left in the temporary directory");
    for (place, lines) in [
        ("the environment", environment.state()),
        ("the cache", tree(&environment.cache())),
        ("the trust store", tree(&environment.trust_store())),
    ] {
        let left: Vec<String> =
            lines.into_iter().filter(|line| is_unfinished(line) || has_name_of_another(line)).collect();
        assert_eq!(left, Vec::<String>::new(), "left in {place}");
    }
}

/// As files are called while they are written.
fn is_unfinished(line: &str) -> bool {
    let is_name = |part: &str| [".tmp", ".new-", ".unpacking", ".compiling"].iter().any(|name| part.starts_with(name));
    line.contains(".tufpip") || line.split(['/', ' ']).any(is_name)
}

/// A file in the caches of downloads and signed pages, whose names are the SHA-256 of their content.
fn has_name_of_another(line: &str) -> bool {
    let Some((path, facts)) = line.split_once(' ') else { return false };
    let Some((directory, name)) = path.rsplit_once('/') else { return false };
    let hash = name.strip_prefix("sha256-").unwrap_or(name);
    let by_content = directory.ends_with("/content") || directory.ends_with("/downloads");
    by_content && hash.get(..12) != facts.rsplit(' ').next()
}

/// Holds every installed file against its RECORD, and RECORD against the files: nothing missing, changed or unknown.
#[track_caller]
pub fn expect_whole(environment: &Environment) {
    const CHECK: &str = r#"
import base64, csv, hashlib, os, sys
site = [p for p in sys.path if p.endswith("site-packages")][0]
known = set()
for info in os.listdir(site):
    if not info.endswith(".dist-info"):
        continue
    with open(os.path.join(site, info, "RECORD"), newline="") as record:
        for path, digest, size in csv.reader(record):
            full = os.path.normpath(os.path.join(site, path))
            known.add(full)
            with open(full, "rb") as file:
                data = file.read()
            if digest:
                name, value = digest.split("=")
                found = base64.urlsafe_b64encode(hashlib.new(name, data).digest()).rstrip(b"=").decode()
                assert found == value, "changed: " + full
                assert len(data) == int(size), "size: " + full
for directory, _, names in os.walk(site):
    for name in names:
        full = os.path.join(directory, name)
        assert full in known, "unknown: " + full
print("whole")
"#;
    assert_eq!(environment.run_python(CHECK), "whole");
}

/// What is in a file of the environment's site-packages.
#[track_caller]
pub fn read(environment: &Environment, path: &str) -> String {
    let path = environment.site_packages().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The path as text.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What the report says of a project.
#[track_caller]
pub fn entry<'a>(report: &'a Value, project: &str) -> &'a Value {
    let entries = report["install"].as_array().unwrap();
    entries.iter().find(|entry| entry["metadata"]["name"] == project).expect("a project that is in the report")
}
