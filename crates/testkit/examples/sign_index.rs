//! Signs a directory that is served as an index, to measure what verification costs.
//!
//! ```text
//! cargo run --release -p testkit --example sign_index -- DIRECTORY [--profile alone|small|pep458] [--bit-length N]
//!     [--trust page|target|both] [--no-snapshot-hashes] [--synthetic N [--changed N]] [--gzip]
//! ```
//!
//! DIRECTORY has `simple/PROJECT/index.json` (PEP 691) for each project, and files where the pages' links point. Added are
//! `simple/PROJECT/HASH.vnd.pypi.simple.v1.json` and `tuf/`; what was in `tuf/` is removed. Printed is the path of the first root.
//! The signed targets declare the layout, so a client needs that root and nothing else.
//!
//! `--synthetic N` signs N pages more that do not exist, for metadata of the size of a large index; `--gzip` puts `.gz` beside
//! every page and metadata file, as web servers can send them. With `--changed N` another snapshot is published in which N of the
//! made-up pages are new; the timestamp before it is kept as `tuf/1.timestamp.json`. The private keys are the same in every run: nobody should trust
//! what this has signed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a tool of the benchmarks; its user reads the panic")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};
use serde_json::Value;
use sha2::Digest as _;
use testkit::{DistributionTrust, HashName, Profile, SignedRepository, SigningOptions};
use tuf::json::Object;
use tuf::metadata::TargetFile;
use tuf::{HashAlgorithm, Hashes};

const PAGE: &str = "vnd.pypi.simple.v1.json";

struct Arguments {
    directory: PathBuf,
    signing: SigningOptions,
    trust: DistributionTrust,
    synthetic: usize,
    changed: usize,
    gzip: bool,
}

fn main() {
    let arguments = arguments();
    let mut repository = SignedRepository::new(arguments.signing.clone());
    repository.set_field_of_targets("x-pyindex", &arguments.trust.in_band(true));
    let mut targets = BTreeMap::new();
    let mut projects = 0;
    for project in fs::read_dir(arguments.directory.join("simple")).unwrap() {
        let project = project.unwrap();
        if let Ok(page) = fs::read(project.path().join("index.json")) {
            add_project(&arguments, project.file_name().to_str().unwrap(), &page, &mut targets);
            projects += 1;
        }
    }
    assert!(projects + arguments.synthetic > 0, "no simple/PROJECT/index.json in {}", arguments.directory.display());
    for number in 0..arguments.synthetic {
        targets.insert(synthetic_path(number), synthetic_page(number));
    }
    let count = targets.len();
    let mut first_timestamp = None;
    if arguments.changed > 0 {
        repository.set_targets(targets.clone());
        repository.publish();
        first_timestamp = repository.files().get("timestamp.json").cloned();
        for number in 0..arguments.changed.min(arguments.synthetic) {
            targets.insert(synthetic_path(number), synthetic_page(number + arguments.synthetic));
        }
    }
    repository.set_targets(targets);
    repository.publish();
    let directory = arguments.directory.join("tuf");
    if directory.exists() {
        fs::remove_dir_all(&directory).unwrap();
    }
    fs::create_dir(&directory).unwrap();
    let mut bytes = 0;
    for (name, content) in repository.files() {
        write(&directory.join(name), content, arguments.gzip);
        bytes += content.len();
    }
    if let Some(timestamp) = first_timestamp {
        write(&directory.join("1.timestamp.json"), &timestamp, arguments.gzip);
    }
    let files = repository.files().len();
    eprintln!("{projects} projects and {} made up, {count} targets, {files} files, {bytes} bytes", arguments.synthetic);
    println!("{}", directory.join("1.root.json").display());
}

/// Signs a page and what it lists, and writes the page under its hash.
fn add_project(arguments: &Arguments, project: &str, page: &[u8], targets: &mut BTreeMap<String, TargetFile>) {
    let directory = arguments.directory.join("simple").join(project);
    write(&directory.join(format!("{}.{PAGE}", HashName::Sha256.hex(page))), page, arguments.gzip);
    targets.insert(format!("simple/{project}/{PAGE}"), TargetFile::of(page));
    if arguments.trust == DistributionTrust::Page {
        return;
    }
    let page: Value = serde_json::from_slice(page).unwrap();
    for file in page.get("files").and_then(Value::as_array).unwrap() {
        let text = |name: &str| file.get(name).and_then(Value::as_str).unwrap_or_default();
        let sha256 = |field: &str| Some(file.get(field)?.get("sha256")?.as_str()?.to_owned());
        let (Some(hash), Some(length)) = (sha256("hashes"), file.get("size").and_then(Value::as_u64)) else {
            panic!("{project}: {} has no sha256 or no size", text("filename"));
        };
        let target = format!("dist/{project}/{}", text("filename"));
        // A page gives no length for metadata: that of the file, if there is one.
        let metadata = local_path(&arguments.directory, &directory, text("url")).with_added_extension("metadata");
        if let (Some(hash), Ok(found)) = (sha256("core-metadata"), fs::metadata(metadata)) {
            targets.insert(format!("{target}.metadata"), described(found.len(), hash));
        }
        targets.insert(target, described(length, hash));
    }
}

/// Where a link leads, if it leads into the directory.
fn local_path(root: &Path, page: &Path, link: &str) -> PathBuf {
    let link = link.split('#').next().unwrap_or_default();
    match link.strip_prefix('/') {
        Some(path) => root.join(path),
        None => page.join(link),
    }
}

fn described(length: u64, sha256: String) -> TargetFile {
    let mut hashes = Hashes::new();
    hashes.insert(HashAlgorithm::Sha256.name(), sha256);
    TargetFile { length, hashes, custom: None, other: Object::new() }
}

fn synthetic_path(number: usize) -> String {
    format!("simple/synthetic-{number:07}/{PAGE}")
}

/// A page as long as most, with the hash of its number.
fn synthetic_page(number: usize) -> TargetFile {
    let hash = sha2::Sha256::digest(number.to_be_bytes());
    described(2000 + (number % 40_000) as u64, hex::encode(hash))
}

fn write(path: &Path, content: &[u8], gzip: bool) {
    fs::write(path, content).unwrap();
    if gzip {
        let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::new(6));
        encoder.write_all(content).unwrap();
        fs::write(path.with_added_extension("gz"), encoder.finish().unwrap()).unwrap();
    }
}

fn arguments() -> Arguments {
    let mut words = std::env::args().skip(1);
    let mut directory = None;
    let (mut profile, mut bit_length) = ("pep458".to_owned(), 14);
    let mut arguments = Arguments {
        directory: PathBuf::new(),
        signing: SigningOptions::default(),
        trust: DistributionTrust::Both,
        synthetic: 0,
        changed: 0,
        gzip: false,
    };
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or_else(|| panic!("{word} needs a value"));
        match word.as_str() {
            "--profile" => profile = value(),
            "--bit-length" => bit_length = value().parse().unwrap(),
            "--trust" => {
                arguments.trust = match value().as_str() {
                    "page" => DistributionTrust::Page,
                    "target" => DistributionTrust::Target,
                    "both" => DistributionTrust::Both,
                    other => panic!("--trust is page, target or both, not {other}"),
                }
            }
            "--no-snapshot-hashes" => arguments.signing.hashes_in_snapshot = false,
            "--synthetic" => arguments.synthetic = value().parse().unwrap(),
            "--changed" => arguments.changed = value().parse().unwrap(),
            "--gzip" => arguments.gzip = true,
            option if option.starts_with('-') => panic!("unknown option {option}"),
            _ => directory = Some(PathBuf::from(word)),
        }
    }
    arguments.signing.profile = match profile.as_str() {
        "alone" => Profile::Alone,
        "small" => Profile::Small,
        "pep458" => Profile::Pep458 { bit_length },
        other => panic!("--profile is alone, small or pep458, not {other}"),
    };
    arguments.directory = directory.unwrap_or_else(|| panic!("which directory?"));
    arguments
}
