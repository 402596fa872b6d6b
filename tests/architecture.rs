//! The rules of docs/architecture.md about crates, held against what Cargo knows.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use testkit::Command;

/// Each crate of the workspace, and those of ours that it may use in what is shipped.
const MAY_USE: &[(&str, &[&str])] = &[
    ("tufpip", &["packaging", "resolve", "wheel", "tuf", "repository", "printable"]),
    ("resolve", &["packaging", "printable"]),
    ("wheel", &["packaging", "printable"]),
    ("repository", &["packaging", "tuf", "printable"]),
    ("packaging", &["printable"]),
    ("tuf", &["printable"]),
    ("printable", &[]),
    ("testkit", &["tuf"]),
    ("tuf-conformance-client", &["tuf", "printable"]),
];

/// Not part of what is shipped.
const FOR_TESTS: &[&str] = &["testkit", "tuf-conformance-client"];

/// What only the program may know, neither directly nor through something else.
const FOR_THE_PROGRAM: &[&str] = &["tokio", "reqwest", "hyper", "indicatif", "directories", "clap"];

#[test]
fn arrows_point_down_only() {
    let edges = edges();
    for (member, used) in &edges.direct {
        let allowed = MAY_USE.iter().find(|(name, _)| name == member).map(|(_, allowed)| *allowed);
        let allowed = allowed.unwrap_or_else(|| panic!("{member} is not in the table of this test"));
        for name in used.intersection(&edges.members) {
            assert!(allowed.contains(&name.as_str()), "{member} uses {name}");
        }
    }
}

#[test]
fn only_the_program_knows_network_and_terminal() {
    let edges = edges();
    for member in edges.members.iter().filter(|name| *name != "tufpip" && !FOR_TESTS.contains(&name.as_str())) {
        let reached = edges.reached_from(member);
        for name in FOR_THE_PROGRAM {
            assert!(!reached.contains(*name), "{member} reaches {name}");
        }
    }
}

#[test]
fn the_solver_is_named_by_one_crate() {
    let edges = edges();
    let users: Vec<_> =
        edges.direct.iter().filter(|(_, used)| used.contains("pubgrub")).map(|(name, _)| name).collect();
    assert_eq!(users, ["resolve"]);
}

#[test]
fn what_is_for_tests_is_not_shipped() {
    let shipped = edges().reached_from("tufpip");
    for name in FOR_TESTS {
        assert!(!shipped.contains(*name), "tufpip reaches {name}");
    }
}

/// Where `autotests` is off, a file that nothing names would be taken for tests and never run.
#[test]
fn every_file_with_tests_belongs_to_a_program() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let crates = fs::read_dir(root.join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let mut files = 0;
    for member in crates.chain([root.to_owned()]) {
        let manifest = fs::read_to_string(member.join("Cargo.toml")).unwrap();
        if !manifest.contains("autotests = false") {
            continue;
        }
        let paths = rust_files(&member.join("tests"));
        let texts: String = paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
        for path in &paths {
            let relative = path.strip_prefix(&member).unwrap().display().to_string();
            let module = if path.ends_with("mod.rs") { path.parent().unwrap() } else { path };
            let name = module.file_stem().unwrap().to_str().unwrap();
            let is_named = manifest.contains(&format!("\"{relative}\"")) || texts.contains(&format!("mod {name};"));
            assert!(is_named, "{} belongs to no test program", path.display());
        }
        files += paths.len();
    }
    assert!(files > 100, "only {files}");
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => rust_files(&path),
            false => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// What depends on what, development dependencies left out.
struct Edges {
    members: BTreeSet<String>,
    /// Dependencies of the workspace's members, by name.
    direct: BTreeMap<String, BTreeSet<String>>,
    /// Of every package, by name; versions of one package are one.
    all: BTreeMap<String, BTreeSet<String>>,
}

impl Edges {
    fn reached_from(&self, start: &str) -> BTreeSet<String> {
        let mut reached = BTreeSet::new();
        let mut waiting = vec![start.to_owned()];
        while let Some(name) = waiting.pop() {
            for used in self.all.get(&name).into_iter().flatten() {
                if reached.insert(used.clone()) {
                    waiting.push(used.clone());
                }
            }
        }
        reached
    }
}

/// The platform of this machine: packages of others need not have been downloaded.
fn platform() -> String {
    let text = toolchain("rustc").arg("-vV").run().expect_code(0).stdout;
    text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

/// A program of the toolchain, which keeps its own directories beside the user's home.
fn toolchain(program: &str) -> Command {
    let below_home = |name: &str| std::env::home_dir().map(|home| home.join(name));
    let given = |variable: &str| std::env::var_os(variable).map(PathBuf::from);
    let directories = [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")];
    let mut command = Command::new(program);
    for (variable, name) in directories {
        if let Some(directory) = given(variable).or_else(|| below_home(name)) {
            command = command.env(variable, directory);
        }
    }
    match std::env::var_os("RUSTUP_TOOLCHAIN") {
        Some(name) => command.env("RUSTUP_TOOLCHAIN", name),
        None => command,
    }
}

fn edges() -> Edges {
    let outcome = toolchain(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--offline",
            "--filter-platform",
            &platform(),
            "--manifest-path",
        ])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .run()
        .expect_code(0);
    let metadata: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let names: BTreeMap<&str, &str> =
        packages.iter().map(|package| (package["id"].as_str().unwrap(), package["name"].as_str().unwrap())).collect();
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for node in metadata["resolve"]["nodes"].as_array().unwrap() {
        let used = all.entry(names[node["id"].as_str().unwrap()].to_owned()).or_default();
        for dependency in node["deps"].as_array().unwrap() {
            let kinds = dependency["dep_kinds"].as_array().unwrap();
            if kinds.iter().any(|kind| kind["kind"] != "dev") {
                used.insert(names[dependency["pkg"].as_str().unwrap()].to_owned());
            }
        }
    }
    let members: BTreeSet<String> = metadata["workspace_members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| names[id.as_str().unwrap()].to_owned())
        .collect();
    let direct = members.iter().map(|name| (name.clone(), all[name].clone())).collect();
    Edges { members, direct, all }
}
