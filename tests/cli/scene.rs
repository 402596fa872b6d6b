//! What most stories begin with: an index, an environment, and the program between them.

use std::path::Path;

use testkit::{Command, Environment, Index, Outcome, Server};

/// An index and an environment.
pub struct Scene {
    pub environment: Environment,
    pub server: Server,
}

impl Scene {
    /// A fresh environment beside `index`.
    pub fn new(index: Index) -> Self {
        Self::served(index.serve())
    }

    /// A fresh environment beside a server that a test made itself.
    pub fn served(server: Server) -> Self {
        Self { environment: Environment::new(), server }
    }

    /// The program, which will use the index.
    pub fn tufpip(&self, arguments: &[&str]) -> Command {
        tufpip(&self.environment).index(&self.server).args(arguments)
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

    /// `tufpip install`, which must end with this code, say these things on standard error, and leave everything as it was.
    #[track_caller]
    pub fn refuses(&self, arguments: &[&str], code: i32, pieces: &[&str]) -> Outcome {
        let before = self.environment.state();
        let outcome = self.install(arguments).expect_code(code).expect_stderr(pieces);
        assert_eq!(self.environment.state(), before, "the environment changed");
        self.expect_clean();
        outcome
    }

    /// Fails the test when something unfinished is left in the environment, the temporary directory or the cache.
    #[track_caller]
    pub fn expect_clean(&self) {
        expect_clean(&self.environment);
    }

    /// The names and versions that are installed must be these, such as `app-1.0`.
    #[track_caller]
    pub fn expect_installed(&self, wanted: &[&str]) {
        assert_eq!(self.environment.installed(), wanted);
    }
}

/// The program, with no index set.
pub fn tufpip(environment: &Environment) -> Command {
    environment.command(env!("CARGO_BIN_EXE_tufpip")).showing(env!("CARGO_BIN_EXE_tufpip"), "$TUFPIP")
}

/// Fails the test when something unfinished is left.
#[track_caller]
pub fn expect_clean(environment: &Environment) {
    assert_eq!(environment.leftovers(), Vec::<String>::new(), "left in the temporary directory");
    let unfinished = |line: &String| {
        line.contains(".tufpip")
            || line.contains("/.tmp")
            || line.contains("/.unpacking")
            || line.contains("/.compiling")
    };
    let in_environment: Vec<String> = environment.state().into_iter().filter(unfinished).collect();
    assert_eq!(in_environment, Vec::<String>::new(), "left in the environment");
    let in_cache: Vec<String> = testkit::tree(&environment.cache()).into_iter().filter(unfinished).collect();
    assert_eq!(in_cache, Vec::<String>::new(), "left in the cache");
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
