//! The projects that most people install, from the real index and from a signed copy of it, compared file by file with what pip
//! makes of them.
//!
//! Needs the network and downloads some 500 MB for each test, so it runs only when asked for:
//! `TUFPIP_TEST_NETWORK=1 cargo test --test integration popular_projects:: -- --nocapture`.

mod signed;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use testkit::Command;

/// What is installed at a time; what does not go together stands in different groups.
const GROUPS: &[&[&str]] = &[
    &[
        "requests",
        "urllib3",
        "flask",
        "django",
        "sqlalchemy",
        "aiohttp",
        "jinja2",
        "click",
        "httpx",
        "fastapi",
        "uvicorn",
        "werkzeug",
        "gunicorn",
        "certifi",
        "idna",
        "charset-normalizer",
        "python-dotenv",
        "websockets",
    ],
    &["numpy", "pandas", "scipy", "scikit-learn", "matplotlib", "pillow", "ipython", "networkx", "sympy"],
    &[
        "cryptography",
        "cffi",
        "protobuf",
        "grpcio",
        "google-api-core",
        "googleapis-common-protos",
        "zope.interface",
        "pydantic",
        "lxml",
        "psutil",
        "pyyaml",
        "boto3",
        "jmespath",
        "google-cloud-storage",
        "redis",
        "paramiko",
        "pyarrow",
    ],
    &[
        "pytest",
        "setuptools",
        "wheel",
        "pip",
        "virtualenv",
        "black",
        "ruff",
        "mypy",
        "rich",
        "tqdm",
        "attrs",
        "docutils",
        "pygments",
        "tox",
        "isort",
        "coverage",
        "hypothesis",
        "sphinx",
        "twine",
        "build",
        "hatchling",
        "packaging",
    ],
    &["notebook", "jupyterlab", "ipykernel", "nbconvert"],
];

/// pip forbids itself imports while it installs, so that it cannot compile a source whose encoding needs a module that was not
/// loaded before; we can.
const NOT_WITH_PIP: &[&str] = &["joblib/test/__pycache__/test_func_inspect_special_encoding.cpython-311.pyc"];

#[test]
fn the_same_files_as_pip() {
    if !is_network_allowed() {
        return;
    }
    let place = TempDir::new().unwrap();
    let pip = newest_pip(place.path());
    let mut differences = Vec::new();
    for (number, group) in GROUPS.iter().enumerate() {
        // The same length, so that scripts whose first line names the interpreter have the same length too.
        let theirs = environment(&place.path().join(format!("pip/{number}")));
        let ours = environment(&place.path().join(format!("tuf/{number}")));
        let start = Instant::now();
        let python = theirs.join("bin/python");
        let install = ["install", "--quiet", "--only-binary", ":all:"];
        run(Command::new(&pip).args(["-m", "pip", "--python"]).arg(&python).args(install).args(*group));
        let pip_time = start.elapsed();
        // Pinned to what pip chose: which versions are chosen is another question, answered in a line of its own.
        let frozen = run(Command::new(&pip).args(["-m", "pip", "--python"]).arg(&python).args(["freeze", "--all"]));
        let constraints = place.path().join(format!("chosen{number}.txt"));
        fs::write(&constraints, &frozen).unwrap();
        let tufpip = || {
            let command = Command::new(env!("CARGO_BIN_EXE_tufpip")).arg("--cache-dir").arg(place.path().join("cache"));
            command.arg("--python").arg(ours.join("bin/python")).args(install).args(*group)
        };
        let free = run(tufpip().arg("--dry-run").args(["--report", "-"]));
        say_what_is_chosen_differently(&frozen, &free);
        let start = Instant::now();
        run(tufpip().arg("-c").arg(&constraints));
        let found = compare(&theirs, &ours);
        eprintln!(
            "group {number}: {} distributions, pip {:.1} s, tufpip {:.1} s, {} differences",
            distributions(&ours).len(),
            pip_time.as_secs_f64(),
            start.elapsed().as_secs_f64(),
            found.len()
        );
        differences.extend(found);
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

fn is_network_allowed() -> bool {
    let is_allowed = std::env::var_os("TUFPIP_TEST_NETWORK").is_some();
    if !is_allowed {
        eprintln!("skipped: TUFPIP_TEST_NETWORK is not set");
    }
    is_allowed
}

/// The Python of an environment of its own that has the newest pip.
fn newest_pip(place: &Path) -> PathBuf {
    let python = place.join("tool/bin/python");
    run(Command::new("python3").args(["-m", "venv"]).arg(place.join("tool")));
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--upgrade", "pip"]));
    python
}

fn environment(path: &Path) -> PathBuf {
    run(Command::new("python3").args(["-m", "venv", "--without-pip"]).arg(path));
    path.to_owned()
}

/// Runs a program that may use the network, with the proxies and certificates of the machine; its output is shown when it fails.
fn run(command: Command) -> String {
    let mut command = command.env_remove("NO_PROXY").env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
    let certificates = ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "PIP_CERT"];
    for name in ["HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"].into_iter().chain(certificates) {
        if let Some(value) = std::env::var_os(name) {
            command = command.env(name, value);
        }
    }
    command.time_limit(Duration::from_secs(3600)).run().expect_code(0).stdout
}

/// Prints the distributions of which pip, asked the same, chose another version: both answers may satisfy everything.
fn say_what_is_chosen_differently(frozen: &str, report: &str) {
    let report: serde_json::Value = serde_json::from_str(report).unwrap();
    let of_ours = report["install"].as_array().unwrap().iter().map(|entry| {
        let field = |name: &str| entry["metadata"][name].as_str().unwrap().to_owned();
        (field("name").to_lowercase().replace(['_', '.'], "-"), field("version"))
    });
    let ours: BTreeMap<String, String> = of_ours.collect();
    let theirs = frozen.lines().filter_map(|line| line.split_once("=="));
    let theirs: BTreeMap<String, String> =
        theirs.map(|(name, version)| (name.to_lowercase().replace(['_', '.'], "-"), version.to_owned())).collect();
    for name in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
        if ours.get(name) != theirs.get(name) {
            eprintln!("  chosen differently: {name} {:?} by pip, {:?} by tufpip", theirs.get(name), ours.get(name));
        }
    }
}

/// Everything that is not the same in both environments, bytecode and installers' own words aside.
fn compare(theirs: &Path, ours: &Path) -> Vec<String> {
    let (their_files, our_files) = (files(theirs), files(ours));
    let mut differences = Vec::new();
    let paths: BTreeSet<&PathBuf> = their_files.keys().chain(our_files.keys()).collect();
    for path in paths {
        let shown = path.display();
        match (their_files.get(path), our_files.get(path)) {
            (Some(_), None) => differences.push(format!("only pip has {shown}")),
            (None, Some(_)) if NOT_WITH_PIP.iter().any(|known| path.ends_with(known)) => {}
            (None, Some(_)) => differences.push(format!("only tufpip has {shown}")),
            (Some(their_mode), Some(our_mode)) => {
                if their_mode != our_mode {
                    differences.push(format!("{shown}: mode {their_mode:o} with pip, {our_mode:o} with tufpip"));
                }
                if let Some(difference) = differing(theirs, ours, path) {
                    differences.push(format!("{shown}: {difference}"));
                }
            }
            (None, None) => {}
        }
    }
    differences
}

/// Modes of all files and directories, by relative path. Links are followed: only the interpreter is one.
fn files(root: &Path) -> BTreeMap<PathBuf, u32> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            let status = fs::symlink_metadata(entry.path()).unwrap();
            if status.is_symlink() {
                continue;
            }
            found.insert(entry.path().strip_prefix(root).unwrap().to_owned(), status.permissions().mode());
            if status.is_dir() {
                waiting.push(entry.path());
            }
        }
    }
    found
}

fn differing(theirs: &Path, ours: &Path, path: &Path) -> Option<String> {
    if theirs.join(path).is_dir() {
        return None;
    }
    let (their_bytes, our_bytes) = (fs::read(theirs.join(path)).unwrap(), fs::read(ours.join(path)).unwrap());
    let name = path.file_name().unwrap().to_str().unwrap();
    // Those of vendored distributions, deeper down, are files like any other.
    let in_dist_info = path.components().count() == 5
        && path.parent().is_some_and(|parent| parent.to_string_lossy().ends_with(".dist-info"));
    if name.ends_with(".pyc") {
        return invalid_bytecode(&ours.join(path), &our_bytes);
    }
    if in_dist_info && name == "INSTALLER" {
        return (our_bytes != b"tufpip\n").then(|| "not ours".to_owned());
    }
    if in_dist_info && name == "RECORD" {
        let (their_rows, our_rows) = (rows(&their_bytes), rows(&our_bytes));
        let only = |left: &BTreeSet<String>, right: &BTreeSet<String>| {
            left.difference(right).take(5).cloned().collect::<Vec<_>>()
        };
        let (pip_only, tufpip_only) = (only(&their_rows, &our_rows), only(&our_rows, &their_rows));
        return (their_rows != our_rows)
            .then(|| format!("only in pip's {pip_only:?}, only in tufpip's {tufpip_only:?}"));
    }
    if their_bytes == our_bytes {
        return None;
    }
    let translated = replace(&their_bytes, theirs.to_str().unwrap().as_bytes(), ours.to_str().unwrap().as_bytes());
    (translated != our_bytes).then(|| format!("{} bytes with pip, {} with tufpip", their_bytes.len(), our_bytes.len()))
}

/// The rows of a RECORD; those of files that name the installer or the environment only by their path.
fn rows(record: &[u8]) -> BTreeSet<String> {
    let text = String::from_utf8(record.to_vec()).unwrap();
    let known = |row: &&str| !NOT_WITH_PIP.iter().any(|known| row.starts_with(known));
    let own = |row: &str| row.contains(".dist-info/INSTALLER,") || row.starts_with("../../../bin/");
    text.lines()
        .filter(known)
        .map(|row| if own(row) { row.split(',').next().unwrap().to_owned() } else { row.to_owned() })
        .collect()
}

/// Whether the import system would take the bytecode for its source (PEP 552): flags, modification time and size.
fn invalid_bytecode(path: &Path, bytes: &[u8]) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let module = name.split(".cpython-").next()?;
    let source = fs::metadata(path.parent()?.parent()?.join(format!("{module}.py"))).ok()?;
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let valid = number(4) == 0 && number(8) == source.mtime() as u32 && number(12) == source.size() as u32;
    (!valid).then(|| "bytecode that does not belong to its source".to_owned())
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut result = bytes.to_vec();
    let mut start = 0;
    while let Some(found) = result[start..].windows(from.len()).position(|window| window == from) {
        result.splice(start + found..start + found + from.len(), to.iter().copied());
        start += found + to.len();
    }
    result
}

fn distributions(environment: &Path) -> Vec<String> {
    let library = fs::read_dir(environment.join("lib")).unwrap().next().unwrap().unwrap().path().join("site-packages");
    let names = fs::read_dir(library).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".dist-info")).collect()
}
