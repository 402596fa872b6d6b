//! What most stories begin with: a signed index that the user trusts, an environment, and the program between them.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use testkit::{Command, Environment, Index, Outcome, Request, SignedIndex, SignedServer, Wheel, tree};

/// A signed index and an environment whose user trusts it.
pub struct Scene {
    pub environment: Environment,
    pub server: Arc<SignedServer>,
}

/// `app` 1.0 needs `library`, of which there are 1.0 and 2.0.
pub fn index() -> Index {
    Index::new()
        .add(Wheel::new("app", "1.0").requires("library>=1").build())
        .add(Wheel::new("library", "1.0").build())
        .add(Wheel::new("library", "2.0").build())
}

impl Scene {
    /// The usual index, in the smallest profile.
    pub fn new() -> Self {
        Self::of(SignedIndex::new(index()))
    }

    /// A signed index of the story's own.
    pub fn of(index: SignedIndex) -> Self {
        let scene = Self { environment: Environment::new(), server: Arc::new(index.serve()) };
        scene.trust(&scene.server);
        scene
    }

    /// The user trusts this index, too.
    pub fn trust(&self, server: &SignedServer) {
        server.write_trust(&self.environment.trust_store());
    }

    /// Changes the trust file of the scene's index.
    pub fn edit_trust(&self, edit: impl FnOnce(&mut Value)) {
        self.server.edit_trust(&self.environment.trust_store(), edit);
    }

    /// The user's map of projects.
    pub fn map(&self, map: &Value) {
        fs::write(self.environment.trust_store().join("map.json"), map.to_string()).unwrap();
    }

    /// The program, which will use the index.
    pub fn tufpip(&self, arguments: &[&str]) -> Command {
        tufpip(&self.environment).env("PIP_INDEX_URL", self.server.index_url()).env("PIP_RETRIES", "0").args(arguments)
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

    /// `tufpip install`, which must end with this code, say these things on standard error, and change nothing that is
    /// installed.
    #[track_caller]
    pub fn refuses(&self, arguments: &[&str], code: i32, pieces: &[&str]) -> Outcome {
        self.refuses_command(self.tufpip(&["install"]).args(arguments), code, pieces)
    }

    /// As [`Scene::refuses`], for a command with an environment of its own.
    #[track_caller]
    pub fn refuses_command(&self, command: Command, code: i32, pieces: &[&str]) -> Outcome {
        let before = self.environment.state();
        let outcome = command.run().expect_code(code).expect_stderr(pieces);
        assert_eq!(self.environment.state(), before, "the environment changed");
        assert_eq!(self.environment.leftovers(), Vec::<String>::new(), "left in the temporary directory");
        outcome
    }

    /// The report of `tufpip install`, which must succeed.
    #[track_caller]
    pub fn report(&self, arguments: &[&str]) -> Value {
        self.installs(&[&["--report", "report.json"], arguments].concat());
        serde_json::from_slice(&fs::read(self.environment.work().join("report.json")).unwrap()).unwrap()
    }

    /// The names and versions that are installed must be these, such as `app-1.0`.
    #[track_caller]
    pub fn expect_installed(&self, wanted: &[&str]) {
        assert_eq!(self.environment.installed(), wanted);
    }

    /// Every file of the trust store with a digest of its content; the lock has none.
    pub fn trusted(&self) -> Vec<String> {
        let lines = tree(&self.environment.trust_store());
        lines.into_iter().filter(|line| !line.contains("/lock")).collect()
    }

    /// Does something once, when a request comes that fits; the request is answered afterwards.
    pub fn when(
        &self,
        fits: impl Fn(&Request) -> bool + Send + Sync + 'static,
        action: impl Fn(&SignedServer) + Send + Sync + 'static,
    ) {
        let server = Arc::downgrade(&self.server);
        let done = AtomicBool::new(false);
        self.server.intercept(move |request| {
            if fits(request)
                && !done.swap(true, Ordering::SeqCst)
                && let Some(server) = server.upgrade()
            {
                action(&server);
            }
            None
        });
    }
}

/// The program, with no index set.
pub fn tufpip(environment: &Environment) -> Command {
    environment.command(env!("CARGO_BIN_EXE_tufpip"))
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
