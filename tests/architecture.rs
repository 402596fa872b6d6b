//! The rules of docs/architecture.md: about crates, held against what Cargo knows, and about modules, held against the sources.

mod planted;
mod rules;
mod uses;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use testkit::Command;

use rules::{
    MAY_DRAW, MAY_START, cycles, documented_order, drawing_violations, order_violations, starting_violations,
    terminal_violations,
};

/// Each crate of the workspace, and those of ours that it may use in what is shipped.
const MAY_USE: &[(&str, &[&str])] = &[
    ("tufpip", &["operator", "installer", "repository", "wheel", "resolve", "packaging", "tuf", "printable"]),
    ("operator", &["installer", "repository", "wheel", "resolve", "packaging", "tuf", "printable"]),
    ("installer", &["wheel", "resolve", "packaging", "tuf", "printable", "data"]),
    ("repository", &["packaging", "tuf", "printable"]),
    ("wheel", &["packaging", "printable"]),
    ("resolve", &["packaging", "printable"]),
    ("packaging", &["printable"]),
    ("tuf", &["printable"]),
    ("printable", &[]),
    ("data", &[]),
    ("testkit", &["tuf"]),
    ("tuf-conformance-client", &["tuf", "printable"]),
];

/// Not part of what is shipped.
const FOR_TESTS: &[&str] = &["testkit", "tuf-conformance-client"];

/// What only these crates may reach, neither directly nor through something else.
const RESERVED: &[(&[&str], &[&str])] = &[
    (&["tokio", "reqwest", "hyper", "directories"], &["installer", "operator", "tufpip"]),
    (&["rpassword"], &["operator", "tufpip"]),
    (&["indicatif", "clap"], &["tufpip"]),
];

/// Crates with an order of modules, by the directory of their sources.
const WITH_ORDER: &[&str] = &["crates/installer/src", "crates/operator/src", "src"];

/// Crates without cycles of modules, whose order nobody has to know.
const WITHOUT_CYCLES: &[&str] = &[
    "crates/conformance/src",
    "crates/packaging/src",
    "crates/printable/src",
    "crates/repository/src",
    "crates/resolve/src",
    "crates/tuf/src",
    "crates/wheel/src",
];

/// Where nothing is printed, drawn or asked, except in `src/terminal`.
const SILENT: &[&str] = &[
    "data",
    "src",
    "crates/installer/src",
    "crates/operator/src",
    "crates/packaging/src",
    "crates/printable/src",
    "crates/repository/src",
    "crates/resolve/src",
    "crates/tuf/src",
    "crates/wheel/src",
];

#[test]
fn arrows_point_down_only() {
    assert_none(&edges().upward());
}

#[test]
fn network_and_terminal_are_reserved() {
    assert_none(&edges().reaching_what_is_reserved());
}

#[test]
fn a_planted_upward_dependency_is_noticed() {
    let mut edges = edges();
    edges.plant("packaging", "installer");
    assert_eq!(edges.upward(), ["packaging uses installer"]);
    let reached = edges.reaching_what_is_reserved();
    assert!(reached.contains(&"packaging reaches tokio".to_owned()), "{reached:?}");
    // What uses packaging reaches it as well.
    assert!(reached.contains(&"wheel reaches reqwest".to_owned()), "{reached:?}");
    edges.plant("installer", "indicatif");
    assert!(edges.reaching_what_is_reserved().contains(&"operator reaches indicatif".to_owned()));
}

#[test]
fn modules_use_only_what_is_below_them() {
    let document = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    for directory in WITH_ORDER {
        let order = documented_order(&document, directory);
        assert!(order.len() >= 5, "no table of the modules of {directory}: {order:?}");
        assert_none(&order_violations(&root().join(directory), &order));
    }
}

#[test]
fn other_crates_have_no_cycles_either() {
    for directory in WITHOUT_CYCLES {
        assert_none(&cycles(&root().join(directory)));
    }
}

#[test]
fn only_commands_use_the_terminal_and_only_the_terminal_draws() {
    assert_none(&terminal_violations(&root().join("src")));
    for directory in SILENT {
        assert_none(&drawing_violations(root(), directory, MAY_DRAW));
    }
    for (file, _, _) in MAY_DRAW {
        assert!(root().join(file).exists(), "{file}");
    }
}

/// Each exception is still needed.
#[test]
fn nothing_is_allowed_to_draw_in_vain() {
    for allowed in MAY_DRAW {
        let others: Vec<_> = MAY_DRAW.iter().filter(|other| *other != allowed).copied().collect();
        let directory =
            SILENT.iter().filter(|directory| allowed.0.starts_with(*directory)).max_by_key(|name| name.len());
        let violations = drawing_violations(root(), directory.unwrap(), &others);
        assert!(violations.iter().any(|violation| violation.contains(allowed.1)), "{} draws nothing", allowed.0);
    }
}

#[test]
fn processes_are_started_in_one_way() {
    let all = || SILENT.iter().flat_map(|directory| starting_violations(root(), directory, MAY_START));
    assert_none(&all().collect::<Vec<_>>());
    for (file, _) in MAY_START {
        let violations = SILENT.iter().flat_map(|directory| starting_violations(root(), directory, &[]));
        assert!(violations.into_iter().any(|violation| violation.contains(file)), "{file} starts nothing");
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
    let crates = fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let mut files = 0;
    for member in crates.chain([root().to_owned()]) {
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

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn assert_none(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}", violations.join("\n"));
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
    /// Dependencies that [`MAY_USE`] does not have.
    fn upward(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (member, used) in &self.direct {
            let allowed = MAY_USE.iter().find(|(name, _)| name == member).map(|(_, allowed)| *allowed);
            let allowed = allowed.unwrap_or_else(|| panic!("{member} is not in the table of this test"));
            let wrong = used.intersection(&self.members).filter(|name| !allowed.contains(&name.as_str()));
            found.extend(wrong.map(|name| format!("{member} uses {name}")));
        }
        found
    }

    /// Members that reach what [`RESERVED`] keeps for others.
    fn reaching_what_is_reserved(&self) -> Vec<String> {
        let mut found = Vec::new();
        for member in self.members.iter().filter(|name| !FOR_TESTS.contains(&name.as_str())) {
            let reached = self.reached_from(member);
            for (names, _) in RESERVED.iter().filter(|(_, users)| !users.contains(&member.as_str())) {
                let wrong = names.iter().filter(|name| reached.contains(**name));
                found.extend(wrong.map(|name| format!("{member} reaches {name}")));
            }
        }
        found
    }

    fn plant(&mut self, from: &str, to: &str) {
        for edges in [&mut self.direct, &mut self.all] {
            edges.get_mut(from).unwrap().insert(to.to_owned());
        }
    }

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
