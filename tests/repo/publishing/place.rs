//! An index and where it is published: in a directory that the program serves, or in a bucket that everybody can read.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use testkit::{Environment, Outcome, S3Server, Wheel, WheelFile};

use crate::repo::operator::Operator;
use crate::repo::serving::Serving;

/// Where it is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Directory,
    Bucket,
}

/// Both.
pub const KINDS: [Kind; 2] = [Kind::Directory, Kind::Bucket];

/// An index, empty at first, and its operator, whose directory is `index`; others may work in copies of it.
pub struct Place {
    pub operator: Operator,
    pub store: Option<S3Server>,
    serving: Option<Serving>,
}

/// Somebody who trusts the index and remembers what was seen there.
pub struct Client {
    operator: Operator,
    index_url: String,
}

impl Place {
    pub fn new(kind: Kind) -> Self {
        Self::shaped(kind, &[])
    }

    /// With more arguments for `init`.
    pub fn shaped(kind: Kind, shape: &[&str]) -> Self {
        let operator = Operator::new();
        let store = (kind == Kind::Bucket).then(|| S3Server::start("published"));
        let output = match &store {
            Some(store) => store.location(),
            None => operator.path("public").display().to_string(),
        };
        let mut place = Self { operator, store, serving: None };
        let init = ["init", "--base", "https://pkgs.example.org/", "--no-passphrase", "--output", &output];
        place.does(&[&init, shape].concat());
        if kind == Kind::Directory {
            place.serving = Some(Serving::start(&place.operator.environment, &place.operator.path("index")));
        }
        place
    }

    /// `tufpip repo` for the operator's own directory.
    pub fn repo(&self, arguments: &[&str]) -> Outcome {
        self.repo_in("index", arguments)
    }

    #[track_caller]
    pub fn does(&self, arguments: &[&str]) -> Outcome {
        self.repo(arguments).expect_code(0)
    }

    /// What it says with `--json`.
    #[track_caller]
    pub fn says(&self, arguments: &[&str]) -> Value {
        let outcome = self.does(&[arguments, &["--json"]].concat());
        serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}:\n{}", outcome.stdout))
    }

    /// For another directory.
    pub fn repo_in(&self, directory: &str, arguments: &[&str]) -> Outcome {
        let mut command = self.operator.tufpip(&["repo"]).args(arguments).args(["--repo", directory]);
        for (name, value) in self.variables() {
            command = command.env(name, value);
        }
        command.run()
    }

    /// The same as a process that can be killed.
    pub fn begin(&self, arguments: &[&str]) -> Child {
        let mut command = self.operator.tufpip(&["repo"]).args(arguments).args(["--repo", "index"]).process();
        command.envs(self.variables()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Kills the command after so long, if it still runs; says whether it did.
    pub fn kill_after(&self, arguments: &[&str], delay: Duration) -> bool {
        let mut child = self.begin(arguments);
        thread::sleep(delay);
        child.kill().unwrap();
        !child.wait().unwrap().success()
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = self.store.as_ref().map(S3Server::environment).unwrap_or_default();
        variables.push(("TUFPIP_REPO_PASSPHRASE", crate::repo::operator::PASSPHRASE.into()));
        variables
    }

    /// Stages wheels in an operator's directory.
    #[track_caller]
    pub fn stage_in(&self, directory: &str, wheels: &[WheelFile]) {
        let paths = wheels.iter().map(|wheel| {
            let path = self.operator.environment.write(&format!("dist-{directory}/{}", wheel.filename), &wheel.bytes);
            path.display().to_string()
        });
        let paths: Vec<String> = paths.collect();
        let arguments: Vec<&str> = std::iter::once("add").chain(paths.iter().map(String::as_str)).collect();
        self.repo_in(directory, &arguments).expect_code(0);
    }

    /// Stages wheels without anything in them, each as `name` and `version`.
    #[track_caller]
    pub fn stage(&self, wheels: &[(&str, &str)]) {
        let wheels: Vec<WheelFile> = wheels.iter().map(|(name, version)| Wheel::new(name, version).build()).collect();
        self.stage_in("index", &wheels);
    }

    /// Stages and publishes.
    #[track_caller]
    pub fn publish(&self, wheels: &[(&str, &str)]) {
        self.stage(wheels);
        self.does(&["publish"]);
    }

    /// Another operator's directory with the same keys.
    pub fn copy_workplace(&self, to: &str) {
        copy(&self.operator.path("index"), &self.operator.path(to));
    }

    /// The base of what everybody can read.
    pub fn url(&self) -> String {
        match (&self.store, &self.serving) {
            (Some(store), _) => store.public_url(""),
            (None, Some(serving)) => serving.url.clone(),
            (None, None) => panic!("nothing is served"),
        }
    }

    /// A published file.
    pub fn read(&self, path: &str) -> Option<Vec<u8>> {
        match &self.store {
            Some(store) => store.object(path).map(|object| object.bytes),
            None => fs::read(self.operator.path("public").join(path)).ok(),
        }
    }

    /// Writes to what is published, as somebody without keys.
    pub fn plant(&self, path: &str, bytes: &[u8]) {
        match &self.store {
            Some(store) => store.put(path, bytes),
            None => drop(self.operator.environment.write(&format!("public/{path}"), bytes)),
        }
    }

    /// Deletes what is published, as somebody without keys.
    pub fn remove(&self, path: &str) {
        match &self.store {
            Some(store) => store.remove(path),
            None => fs::remove_file(self.operator.path("public").join(path)).unwrap(),
        }
    }

    /// The paths of everything that is published, sorted.
    pub fn paths(&self) -> Vec<String> {
        match &self.store {
            Some(store) => store.keys(),
            None => {
                let mut paths = Vec::new();
                walk(&self.operator.path("public"), "", &mut |path, _| paths.push(path.to_owned()));
                paths.retain(|path| path != ".tufpip-lock");
                paths.sort();
                paths
            }
        }
    }

    /// Everything that is published.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        self.paths().into_iter().filter_map(|path| Some((path.clone(), self.read(&path)?))).collect()
    }

    /// Makes everything look as if it had been written so much earlier.
    pub fn age(&self, by: Duration) {
        if let Some(store) = &self.store {
            return store.age(by);
        }
        walk(&self.operator.path("public"), "", &mut |_, place| {
            File::options().write(true).open(place).unwrap().set_modified(SystemTime::now() - by).unwrap();
        });
    }

    /// The versions of timestamp and snapshot that a client sees.
    #[track_caller]
    pub fn versions(&self) -> (u64, u64) {
        let timestamp: Value = serde_json::from_slice(&self.read("tuf/timestamp.json").unwrap()).unwrap();
        let signed = &timestamp["signed"];
        (signed["version"].as_u64().unwrap(), signed["meta"]["snapshot.json"]["version"].as_u64().unwrap())
    }

    /// Looks at everything as a client that has never been there. What may be wrong are pages that nobody signs.
    #[track_caller]
    pub fn is_consistent(&self) {
        let outcome = self.repo(&["verify", "--json", "--url", &self.url()]);
        let said: Value = serde_json::from_str(&outcome.stdout)
            .unwrap_or_else(|error| panic!("{error}:\n{}{}", outcome.stdout, outcome.stderr));
        let plain = ["index.html", "index.json"];
        for problem in said["problems"].as_array().unwrap() {
            let problem = problem.as_str().unwrap();
            assert!(plain.iter().any(|page| problem.contains(page)), "{problem}\n{}", self.paths().join("\n"));
        }
    }

    /// The same, and nothing may be wrong, down to the bytes of packages.
    #[track_caller]
    pub fn is_whole(&self) {
        self.repo(&["verify", "--files", "--url", &self.url()]).expect_code(0);
    }

    /// The projects that installers without signatures are told of.
    pub fn listed(&self) -> Vec<String> {
        let list: Value = serde_json::from_slice(&self.read("simple/index.json").unwrap()).unwrap();
        let projects = list["projects"].as_array().unwrap();
        projects.iter().map(|project| project["name"].as_str().unwrap().to_owned()).collect()
    }
}

impl Client {
    /// Trusts the first root.
    pub fn new(place: &Place) -> Self {
        let operator = Operator { environment: Environment::without_venv() };
        operator.environment.write("root.json", place.read("tuf/1.root.json").unwrap());
        let index_url = format!("{}simple/", place.url());
        operator.tufpip(&["trust", "add", &index_url, "--root", "root.json"]).run().expect_code(0);
        Self { operator, index_url }
    }

    /// Downloads a package.
    pub fn download(&self, requirement: &str) -> Outcome {
        let download = ["download", "--require-signed", "--no-deps", "--dest", "got", "--index-url", &self.index_url];
        self.operator.tufpip(&download).arg(requirement).run()
    }

    /// The same, which must succeed and be verified.
    #[track_caller]
    pub fn gets(&self, requirement: &str) {
        self.download(requirement).expect_code(0).expect_stderr(&["Verified   1 file against"]);
    }

    /// Downloads again and again while something happens, and must succeed every time; says how often.
    pub fn while_going_on<T>(&self, requirement: &str, happens: impl FnOnce() -> T) -> (T, usize) {
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let downloads = scope.spawn(|| {
                let mut count = 0;
                while !is_over.load(Ordering::Relaxed) || count == 0 {
                    self.gets(requirement);
                    count += 1;
                }
                count
            });
            let over = Over(&is_over);
            let result = happens();
            drop(over);
            (result, downloads.join().unwrap())
        })
    }
}

/// Ends the loop, also when the test fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn walk(directory: &Path, path: &str, visit: &mut dyn FnMut(&str, &Path)) {
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let path = if path.is_empty() { name } else { format!("{path}/{name}") };
        match entry.file_type().unwrap().is_dir() {
            true => walk(&entry.path(), &path, visit),
            false => visit(&path, &entry.path()),
        }
    }
}

fn copy(from: &Path, to: &Path) {
    walk(from, "", &mut |path, place| {
        let target = to.join(path);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(place, target).unwrap();
    });
}
