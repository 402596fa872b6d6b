//! The first contact: what is trusted begins with a root that came another way than the index, never by itself.

use testkit::{Command, Environment, Index, Outcome, Response, SignedIndex, SignedServer, Wheel, tree};

use crate::scene::{index, tufpip};

/// A signed index that the user of the environment knows nothing about.
struct Stranger {
    environment: Environment,
    server: SignedServer,
}

impl Stranger {
    fn new() -> Self {
        Self { environment: Environment::new(), server: SignedIndex::new(index()).serve() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        tufpip(&self.environment).env("PIP_INDEX_URL", self.server.index_url()).env("PIP_RETRIES", "0").args(arguments)
    }

    /// `trust add` with these arguments must end with this code, say these things, and leave nothing trusted.
    #[track_caller]
    fn does_not_trust(&self, arguments: &[&str], code: i32, pieces: &[&str]) -> Outcome {
        let before = tree(&self.environment.data());
        let url = self.server.index_url();
        let outcome = self.command(&["trust", "add", &url]).args(arguments).run();
        let outcome = outcome.expect_code(code).expect_stderr(pieces);
        assert_eq!(tree(&self.environment.data()), before, "something was trusted");
        outcome
    }

    fn root_url(&self) -> String {
        self.server.url("/tuf/1.root.json")
    }

    /// With the true hash, which the user has from the operator, it works.
    #[track_caller]
    fn trusts_the_honest_one(&self) {
        self.server.honest();
        let (url, root, sha256) = (self.server.index_url(), self.root_url(), self.server.root_sha256());
        self.command(&["trust", "add", &url, "--root", &root, "--root-sha256", &sha256]).run().expect_code(0);
        let outcome = self.command(&["install", "app"]).run().expect_code(0);
        outcome.expect_stderr(&["Verified   2 files against snapshot 1 of "]);
        assert_eq!(self.environment.installed(), ["app-1.0", "library-2.0"]);
    }
}

/// That an index has metadata beside it is no reason to believe that metadata.
#[test]
fn metadata_beside_an_index_is_not_trusted_by_itself() {
    let stranger = Stranger::new();
    let outcome = stranger.command(&["install", "app"]).run().expect_code(0);
    outcome.expect_stderr(&["Unverified 2 files: only an unsigned index gave their hashes"]);
    assert!(!stranger.server.log().iter().any(|line| line.contains("/tuf/")), "the metadata was asked for");
    assert_eq!(tree(&stranger.environment.trust_store()), Vec::<String>::new());
}

#[test]
fn who_wants_signed_indexes_only_does_not_get_this_one() {
    let stranger = Stranger::new();
    let before = stranger.environment.state();
    let outcome = stranger.command(&["install", "--require-signed", "app"]).run().expect_code(12);
    outcome.expect_stderr(&["is not a signed index", "trust add", "code      policy.require-signed"]);
    assert_eq!(stranger.environment.state(), before);
    assert_eq!(tree(&stranger.environment.trust_store()), Vec::<String>::new());
    assert_eq!(stranger.server.log(), Vec::<String>::new());
    stranger.trusts_the_honest_one();
}

#[test]
fn a_root_from_the_network_proves_nothing() {
    let stranger = Stranger::new();
    stranger.does_not_trust(&["--root", &stranger.root_url()], 2, &["--root-sha256", "proves nothing by itself"]);
    assert_eq!(stranger.server.log(), Vec::<String>::new());
    stranger.trusts_the_honest_one();
}

/// Somebody on the way has an index of his own, root and all.
#[test]
fn the_root_of_somebody_else() {
    let stranger = Stranger::new();
    let evil = Index::new().add(Wheel::new("app", "9.9").file("app/evil.py", "import this\n").build());
    let theirs = SignedIndex::new(evil).serve();
    let day = theirs.day();
    stranger.server.intercept(move |request| Some(day.respond(request)));
    let (expected, received) = (stranger.server.root_sha256(), theirs.root_sha256());
    let arguments = ["--root", &stranger.root_url(), "--root-sha256", &expected];
    stranger.does_not_trust(&arguments, 10, &["Refused the root", &expected, &received, "code      trust.root-hash"]);
    stranger.trusts_the_honest_one();
}

/// Behind the true root, the same attacker gets nowhere.
#[test]
fn the_index_of_somebody_else_behind_the_true_root() {
    let stranger = Stranger::new();
    let evil = Index::new().add(Wheel::new("app", "9.9").file("app/evil.py", "import this\n").build());
    let theirs = SignedIndex::new(evil).serve();
    let day = theirs.day();
    stranger.server.write_trust(&stranger.environment.trust_store());
    stranger.server.intercept(move |request| Some(day.respond(request)));
    let before = stranger.environment.state();
    let outcome = stranger.command(&["install", "app"]).run().expect_code(10);
    outcome.expect_stderr(&["(timestamp)", "expected", "received", "code      trust.signatures"]);
    assert_eq!(stranger.environment.state(), before);
    stranger.server.honest();
    stranger.command(&["install", "app"]).run().expect_code(0);
    assert_eq!(stranger.environment.installed(), ["app-1.0", "library-2.0"]);
}

#[test]
fn a_hash_that_is_none() {
    let stranger = Stranger::new();
    for sha256 in ["", "abc", &"g".repeat(64), &"0".repeat(63)] {
        stranger.does_not_trust(&["--root", &stranger.root_url(), "--root-sha256", sha256], 2, &["sha256"]);
    }
    stranger.trusts_the_honest_one();
}

#[test]
fn a_root_that_is_not_there() {
    let stranger = Stranger::new();
    let sha256 = stranger.server.root_sha256();
    let arguments = ["--root", &stranger.root_url(), "--root-sha256", &sha256];
    stranger.server.intercept(|_| Some(Response::new(503)));
    stranger.does_not_trust(&arguments, 13, &[]);
    stranger.trusts_the_honest_one();
}

/// Belief at first sight is for those who ask for it, and say yes: nobody is there to say it here.
#[test]
fn first_use_is_a_decision() {
    let stranger = Stranger::new();
    let outcome = stranger.does_not_trust(&[], 2, &["--root"]);
    assert!(!outcome.stdout.contains("Trusted"), "{}", outcome.stdout);
    assert_eq!(stranger.server.log(), Vec::<String>::new());
    let before = tree(&stranger.environment.data());
    let url = stranger.server.index_url();
    let outcome = stranger.command(&["--no-input", "trust", "add", &url, "--tofu"]).run();
    assert_ne!(outcome.code, Some(0), "{}", outcome.stdout);
    assert_eq!(tree(&stranger.environment.data()), before, "something was trusted");

    stranger.command(&["trust", "add", &url, "--tofu", "--yes"]).run().expect_code(0);
    let directory = stranger.server.trust_directory(&stranger.environment.trust_store());
    let trust: serde_json::Value =
        serde_json::from_slice(&std::fs::read(directory.join("trust.json")).unwrap()).unwrap();
    assert_eq!(trust["anchor"]["kind"], "first-use");
    stranger.command(&["install", "app"]).run().expect_code(0);
    assert_eq!(stranger.environment.installed(), ["app-1.0", "library-2.0"]);
}
