//! An index of somebody else that changes while a story goes on, and an operator who follows it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;
use testkit::{Command, Environment, HashName, Index, IndexBehavior, ListedFile, Outcome, Server, Wheel};

use crate::repo::operator::PASSPHRASE;
use crate::repo::serving::Serving;

/// The index of somebody else, and a directory of one's own.
pub struct Following {
    pub environment: Environment,
    pub upstream: Server,
    index: Arc<RwLock<Index>>,
}

/// Pages are asked for again each time, as stories need it.
pub fn options() -> IndexBehavior {
    IndexBehavior { cache_control: None, ..IndexBehavior::default() }
}

/// A wheel for any machine, uploaded at some time.
pub fn uploaded(name: &str, version: &str, time: &str) -> ListedFile {
    ListedFile::from(Wheel::new(name, version).build()).uploaded(time)
}

/// A moment so many hours ago.
pub fn hours_ago(hours: i64) -> String {
    (jiff::Timestamp::now() - jiff::Span::new().hours(hours)).to_string()
}

impl Following {
    /// Nothing is published yet.
    pub fn new(index: Index) -> Self {
        Self::with_options(index, options())
    }

    /// As [`Following::new`], with an index that behaves in another way.
    pub fn with_options(index: Index, options: IndexBehavior) -> Self {
        let index = Arc::new(RwLock::new(index.options(options)));
        let served = Arc::clone(&index);
        let upstream =
            Server::start(move |request| served.read().unwrap_or_else(PoisonError::into_inner).respond(request));
        let environment = Environment::new();
        environment.write(
            "repository/repo.toml",
            "base = \"https://pkgs.example.org/\"\noutput = \"public\"\nprofile = \"small\"\n",
        );
        Self { environment, upstream, index }
    }

    /// As [`Following::new`], with keys and an empty signed index.
    pub fn begun(index: Index) -> Self {
        let following = Self::new(index);
        std::fs::remove_file(following.path("repo.toml")).unwrap();
        following.does(&["init", "--base", "http://pkgs.example.org/", "--no-passphrase"]);
        following
    }

    /// Signs and publishes what is staged.
    #[track_caller]
    pub fn publishes(&self) {
        self.does(&["publish"]);
        assert_eq!(self.staged(), Vec::<Value>::new(), "something is left to be published");
    }

    /// A user trusts the index at this URL, whose metadata is served there.
    #[track_caller]
    pub fn trust(&self, index: &str, serving: &Serving) {
        let root = self.environment.work().join("root.json");
        self.does(&["export-anchor", "--output", root.to_str().unwrap()]);
        let metadata = format!("{}tuf/", serving.url);
        let command = self.environment.command(env!("CARGO_BIN_EXE_tufpip")).args(["trust", "add", index]);
        command.arg("--root").arg(root).args(["--metadata-url", &metadata, "--yes"]).run().expect_code(0);
    }

    /// `tufpip install` as a user who only takes what is signed; nothing is remembered of earlier downloads.
    pub fn installs(&self, index: &str, arguments: &[&str]) -> Outcome {
        let command = self.environment.command(env!("CARGO_BIN_EXE_tufpip")).env("PIP_RETRIES", "0");
        command.args(["install", "--no-cache-dir", "--require-signed", "-i", index]).args(arguments).run()
    }

    /// The other index is another one from now on.
    pub fn becomes(&self, index: Index) {
        *self.index.write().unwrap() = index.options(options());
    }

    /// The URL of the other index.
    pub fn url(&self) -> String {
        self.upstream.url("/simple/")
    }

    /// `tufpip repo …` in the operator's directory.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let command = self.environment.command(env!("CARGO_BIN_EXE_tufpip")).arg("repo").args(arguments);
        let command = command.arg("--repo").arg(self.path("")).env("TUFPIP_REPO_PASSPHRASE", PASSPHRASE);
        command.env("PIP_RETRIES", "0").env("PIP_INDEX_URL", self.url())
    }

    /// The same, which must succeed.
    #[track_caller]
    pub fn does(&self, arguments: &[&str]) -> Outcome {
        self.command(arguments).run().expect_code(0)
    }

    /// The same with `--json`, which prints one object and nothing else.
    #[track_caller]
    pub fn says(&self, arguments: &[&str]) -> Value {
        let outcome = self.does(&[arguments, &["--json"]].concat());
        serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}:\n{}", outcome.stdout))
    }

    /// The same, which must fail with this code, say these things, and leave what is staged as it was.
    #[track_caller]
    pub fn refuses(&self, arguments: &[&str], code: i32, pieces: &[&str]) {
        let before = self.staged();
        self.command(arguments).run().expect_code(code).expect_stderr(pieces);
        assert_eq!(self.staged(), before, "something was staged");
    }

    /// A path in the operator's directory.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.environment.work().join("repository").join(relative)
    }

    /// What is staged, in order.
    pub fn staged(&self) -> Vec<Value> {
        let bytes = std::fs::read(self.path("staged/changes.json")).unwrap_or_else(|_| b"[]".to_vec());
        serde_json::from_slice(&bytes).unwrap()
    }

    /// The rows that staged additions will put on pages, by file name.
    pub fn staged_files(&self) -> Vec<Value> {
        let staged = self.staged();
        let mut files: Vec<Value> = Vec::new();
        for change in &staged {
            match change["change"].as_str().unwrap() {
                "add" => files.push(change["file"].clone()),
                "replace" => files.extend(change["files"].as_array().unwrap().iter().map(|file| file["file"].clone())),
                _ => {}
            }
        }
        files
    }

    /// The names of the staged files.
    pub fn staged_names(&self) -> BTreeSet<String> {
        self.staged_files().iter().map(|file| file["filename"].as_str().unwrap().to_owned()).collect()
    }

    /// The staged row of a file.
    #[track_caller]
    pub fn staged_file(&self, filename: &str) -> Value {
        let files = self.staged_files();
        files.into_iter().find(|file| file["filename"] == filename).expect("a file that is staged")
    }

    /// The bytes that wait to be published for a staged file, and its metadata.
    #[track_caller]
    pub fn staged_copy(&self, filename: &str) -> (Vec<u8>, Vec<u8>) {
        let file = self.staged_file(filename);
        let path = file["url"].as_str().unwrap().strip_prefix("../../").expect("a copied file").to_owned();
        let read = |path: String| std::fs::read(self.path("staged").join(&path)).unwrap();
        let (bytes, metadata) = (read(path.clone()), read(format!("{path}.metadata")));
        assert_eq!(file["hashes"]["sha256"], HashName::Sha256.hex(&bytes));
        assert_eq!(file["core-metadata"]["sha256"], HashName::Sha256.hex(&metadata));
        (bytes, metadata)
    }

    /// The pages that the other index was asked for, each once.
    pub fn asked_pages(&self) -> BTreeSet<String> {
        let requests = self.upstream.requests().into_iter().map(|request| request.path);
        requests.filter(|path| path.starts_with("/simple/")).collect()
    }
}
