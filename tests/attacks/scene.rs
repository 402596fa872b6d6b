//! What most stories begin with: a signed index that the user trusts, an environment, and the program between them.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use testkit::{Command, Environment, Index, Outcome, Server, SignedIndex, SignedServer, Wheel, tree};

/// A signed index and an environment whose user trusts it.
pub struct Scene {
    pub environment: Environment,
    pub server: SignedServer,
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
        let (environment, server) = (Environment::new(), index.serve());
        server.write_trust(&environment.trust_store());
        Self { environment, server }
    }

    /// The program, which will use the index.
    pub fn tufpip(&self, arguments: &[&str]) -> Command {
        let origin = self.server.url("");
        tufpip(&self.environment)
            .env("PIP_INDEX_URL", self.server.index_url())
            .env("PIP_RETRIES", "0")
            .showing(&origin, "$INDEX")
            .args(arguments)
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

    /// `tufpip install`, which must end with this code, say these things on standard error (whatever the space between
    /// words), install nothing and leave the trusted metadata as it was.
    #[track_caller]
    pub fn refuses(&self, arguments: &[&str], code: i32, pieces: &[&str]) -> Outcome {
        let trusted = self.trusted();
        let outcome = self.refuses_and_learns(arguments, code, pieces);
        assert_eq!(self.trusted(), trusted, "the trusted metadata changed");
        outcome
    }

    /// As [`Scene::refuses`], for attacks that come with metadata that is good and newer.
    #[track_caller]
    pub fn refuses_and_learns(&self, arguments: &[&str], code: i32, pieces: &[&str]) -> Outcome {
        let before = self.environment.state();
        let outcome = self.install(arguments).expect_code(code);
        let said = in_single_spaces(&outcome.stderr);
        for piece in pieces {
            assert!(said.contains(&in_single_spaces(piece)), "no `{piece}` in\n{}", outcome.stderr);
        }
        assert_eq!(self.environment.state(), before, "the environment changed");
        assert_eq!(self.environment.leftovers(), Vec::<String>::new(), "left in the temporary directory");
        assert_eq!(self.half_made(), Vec::<String>::new(), "left in cache or trust store");
        // Refusals of signed things name the index.
        if said.contains(" check TUF ") || said.contains("it is not what was signed") {
            assert!(said.contains(&self.server.url("/")), "whose is it?\n{}", outcome.stderr);
        }
        outcome
    }

    /// With the honest repository back, the same command works and all of this is installed.
    #[track_caller]
    pub fn recovers(&self, arguments: &[&str], installed: &[&str]) {
        self.server.honest();
        self.installs(arguments);
        self.expect_installed(installed);
    }

    /// The owner takes stolen keys away. With the honest repository back, the same command works then.
    #[track_caller]
    pub fn recovers_with_new_keys(&self, arguments: &[&str], installed: &[&str]) {
        self.server.honest();
        self.server.rotate("timestamp");
        self.server.rotate("snapshot");
        self.recovers(arguments, installed);
    }

    /// The names and versions that are installed must be these, such as `app-1.0`.
    #[track_caller]
    pub fn expect_installed(&self, wanted: &[&str]) {
        assert_eq!(self.environment.installed(), wanted);
    }

    /// Nobody was asked for a page as an ordinary index has it, in the whole story.
    #[track_caller]
    pub fn expect_nothing_asked_plainly(&self) {
        expect_no_plain_pages(&self.server);
    }

    /// Changes `trust.json` of the index, as its user may.
    pub fn edit_trust(&self, edit: impl FnOnce(&mut serde_json::Value)) {
        self.server.edit_trust(&self.environment.trust_store(), edit);
    }

    /// Every file of the trust store with a digest of its content; the lock has none.
    pub fn trusted(&self) -> Vec<String> {
        let lines = tree(&self.environment.trust_store());
        lines.into_iter().filter(|line| !line.contains("/lock")).collect()
    }

    /// The version of a role that is remembered.
    pub fn stored_version(&self, role: &str) -> Option<u64> {
        let file: Value = serde_json::from_slice(&fs::read(self.stored(&format!("{role}.json"))).ok()?).unwrap();
        file["signed"]["version"].as_u64()
    }

    /// Files of cache and trust store that are unfinished, or that have the name of another content's hash.
    fn half_made(&self) -> Vec<String> {
        let lines = [tree(&self.environment.cache()), tree(&self.environment.trust_store())].concat();
        lines.into_iter().filter(|line| is_unfinished(line) || has_name_of_another(line)).collect()
    }

    /// The signed page of a project, changed.
    pub fn altered_page(&self, project: &str, alter: impl FnOnce(&mut Value)) -> Vec<u8> {
        let mut page: Value = serde_json::from_slice(&self.server.page(project)).unwrap();
        alter(&mut page);
        page.to_string().into_bytes()
    }

    /// A file of the index's own directory in the trust store.
    pub fn stored(&self, name: &str) -> PathBuf {
        self.server.trust_directory(&self.environment.trust_store()).join(name)
    }
}

/// A server was not asked for `/simple/PROJECT/`, which is never signed in the usual layout.
#[track_caller]
pub fn expect_no_plain_pages(server: &Server) {
    let plain: Vec<String> =
        server.log().into_iter().filter(|line| line.contains("/simple/") && line.ends_with('/')).collect();
    assert_eq!(plain, Vec::<String>::new(), "asked for an unsigned page");
}

/// The program, with no index set.
pub fn tufpip(environment: &Environment) -> Command {
    environment.command(env!("CARGO_BIN_EXE_tufpip")).showing(env!("CARGO_BIN_EXE_tufpip"), "$TUFPIP")
}

/// Empties the cache: delegated roles, pages and files lie there, and are not asked for again while they are what is signed.
pub fn forget_what_can_be_fetched(scene: &Scene) {
    fs::remove_dir_all(scene.environment.cache()).unwrap();
    fs::create_dir(scene.environment.cache()).unwrap();
}

fn in_single_spaces(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `.tmp…` and `.new-…`, as files are called while they are written.
fn is_unfinished(line: &str) -> bool {
    line.split(['/', ' ']).any(|part| part.starts_with(".tmp") || part.starts_with(".new-"))
}

/// A file in the caches of downloads and signed pages, whose names are the SHA-256 of their content.
fn has_name_of_another(line: &str) -> bool {
    let Some((path, facts)) = line.split_once(' ') else { return false };
    let Some((directory, name)) = path.rsplit_once('/') else { return false };
    let hash = name.strip_prefix("sha256-").unwrap_or(name);
    let by_content = directory.ends_with("/content") || directory.ends_with("/downloads");
    by_content && hash.get(..12) != facts.rsplit(' ').next()
}
