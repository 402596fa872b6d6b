//! Finds interpreters and asks each of them everything once.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use packaging::TagInputs;
use serde_json::{Value, json};
use testkit::Command;

use super::questions;

/// What one interpreter says to the probe and to a reference.
pub struct Answers {
    /// For messages.
    pub name: String,
    pub facts: TagInputs,
    pub probe: Value,
    pub reference: Value,
}

impl Answers {
    /// Whether the reference's `packaging` is at least this version.
    pub fn packaging_is(&self, version: &str) -> bool {
        let own: packaging::Version = self.reference["packaging"].as_str().unwrap().parse().unwrap();
        own >= version.parse().unwrap()
    }
}

/// The answers of all interpreters; found and asked by whichever test comes first.
pub fn all() -> &'static [Answers] {
    static ALL: OnceLock<Vec<Answers>> = OnceLock::new();
    ALL.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let questions = directory.path().join("questions.json");
        std::fs::write(&questions, questions::all().to_string()).unwrap();
        let given = std::env::var_os("TUFPIP_REFERENCE_PIP").map(PathBuf::from);
        let mut all = Vec::new();
        for (index, python) in found().iter().enumerate() {
            let own = output(python, &["-c", "import os, pip; print(os.path.dirname(os.path.dirname(pip.__file__)))"]);
            let references = own.map(|text| PathBuf::from(text.trim())).into_iter().chain(given.clone());
            let mut pythons = vec![python.clone()];
            for (name, option) in [("plain", "--without-pip"), ("system", "--system-site-packages")] {
                let environment = directory.path().join(format!("{name}-{index}"));
                let arguments = ["-m", "venv", "--without-pip", option, environment.to_str().unwrap()];
                if output(python, &arguments).is_some() {
                    pythons.push(environment.join("bin/python"));
                }
            }
            for reference in references {
                for python in &pythons {
                    all.extend(ask(python, &questions, &reference));
                }
            }
        }
        all
    })
}

fn ask(python: &Path, questions: &Path, reference: &Path) -> Option<Answers> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = root.join("tests/reference/reference.py");
    // The same home for both, empty for each: what is installed for a user is below it, and one makes directories there.
    let home = questions.with_file_name("home");
    let run = |arguments: &[&OsStr]| {
        let _ = std::fs::remove_dir_all(&home);
        finish(Command::at_home(python, &home).args(arguments))
    };
    let Some(answers) = run(&[script.as_ref(), questions.as_ref(), reference.as_ref()]) else {
        println!("skipped: {} cannot run the pip in {}", python.display(), reference.display());
        return None;
    };
    let probe = root.join("../../data/probe.py");
    let probe = run(&["-I".as_ref(), "-S".as_ref(), probe.as_ref()]).expect("the probe runs");
    let reference: Value = serde_json::from_str(&answers).unwrap();
    let mut probe: Value = serde_json::from_str(&probe).unwrap();
    // Now: some interpreters are gone when the answers are compared.
    probe["existing"] = existing(&probe["search_path"]);
    Some(Answers {
        name: format!("{} with pip {} and packaging {}", python.display(), reference["pip"], reference["packaging"]),
        facts: serde_json::from_value(probe["tag_facts"].clone()).unwrap(),
        probe,
        reference,
    })
}

/// One executable for each Python from 3.8 on, without those that are the same.
fn found() -> Vec<PathBuf> {
    let root = std::env::var("PYENV_ROOT").ok().or_else(|| output(Path::new("pyenv"), &["root"]));
    let versions = root.and_then(|root| std::fs::read_dir(Path::new(root.trim()).join("versions")).ok());
    let versions = versions.into_iter().flatten().flatten().map(|version| version.path().join("bin/python"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path: Vec<_> = std::env::split_paths(&path).map(|directory| directory.join("python3")).collect();
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for python in on_path.into_iter().chain(versions).filter(|python| python.exists()) {
        let code = "import sys; print(sys.executable if sys.version_info >= (3, 8) else '')";
        let executable = output(&python, &["-c", code]).unwrap_or_default().trim().to_owned();
        let identity = std::fs::canonicalize(&executable).unwrap_or_default();
        if !executable.is_empty() && seen.insert(identity) {
            found.push(PathBuf::from(executable));
        }
    }
    found
}

fn output(program: &Path, arguments: &[&str]) -> Option<String> {
    finish(Command::new(program).args(arguments))
}

/// What a Python prints when it is run with these arguments; `None` when it fails.
pub fn run(program: &Path, arguments: &[&OsStr]) -> Option<String> {
    finish(Command::new(program).args(arguments).env("PYTHONDONTWRITEBYTECODE", "1"))
}

/// What it prints; `None` when it fails, and that is said.
fn finish(command: Command) -> Option<String> {
    let outcome = command.time_limit(Duration::from_secs(300)).try_run().ok()?;
    if !outcome.succeeded() {
        println!("a Python failed: {}", outcome.stderr);
        return None;
    }
    Some(outcome.stdout)
}

/// The places of a search path that exist, each once.
fn existing(search_path: &Value) -> Value {
    let mut found: Vec<&Value> = Vec::new();
    for entry in search_path.as_array().unwrap() {
        let path = &entry["path"];
        if Path::new(path.as_str().unwrap()).exists() && !found.contains(&path) {
            found.push(path);
        }
    }
    json!(found)
}
