//! The same projects, from a signed index: the same files as pip makes of the same wheels, and every one of them verified.

use std::fs;
use std::path::Path;
use std::time::Instant;

use tempfile::TempDir;
use testkit::{Command, Index, Profile, SignedIndex, WheelFile};
use wheel::{ArchiveLimits, WheelArchive};

use super::{GROUPS, compare, distributions, environment, is_network_allowed, newest_pip, run};

#[test]
fn the_same_files_as_pip_from_a_signed_index() {
    if !is_network_allowed() {
        return;
    }
    let place = TempDir::new().unwrap();
    let pip = newest_pip(place.path());
    let mut differences = Vec::new();
    for (number, group) in GROUPS.iter().enumerate() {
        let wheels = place.path().join(format!("wheels/{number}"));
        let download = ["-m", "pip", "download", "--quiet", "--only-binary", ":all:", "--dest"];
        run(Command::new(&pip).args(download).arg(&wheels).args(*group));

        let theirs = environment(&place.path().join(format!("pip/{number}")));
        let install = ["install", "--quiet", "--no-index", "--find-links"];
        let python = theirs.join("bin/python");
        run(Command::new(&pip).args(["-m", "pip", "--python"]).arg(python).args(install).arg(&wheels).args(*group));

        let index =
            fs::read_dir(&wheels).unwrap().fold(Index::new(), |index, wheel| index.add(read(&wheel.unwrap().path())));
        let server = SignedIndex::new(index).profile(Profile::Pep458 { bit_length: 6 }).serve();
        let trust = place.path().join(format!("trust/{number}"));
        server.write_trust(&trust);

        let ours = environment(&place.path().join(format!("tuf/{number}")));
        let report = place.path().join(format!("report{number}.json"));
        let start = Instant::now();
        let tufpip = Command::new(env!("CARGO_BIN_EXE_tufpip"))
            .env("TUFPIP_TRUST", &trust)
            .args(["install", "--quiet", "--require-signed", "--index-url", &server.index_url(), "--report"])
            .arg(&report);
        let tufpip = tufpip.arg("--cache-dir").arg(place.path().join("cache"));
        let tufpip = tufpip.arg("--python").arg(ours.join("bin/python"));
        run(tufpip.args(*group));
        let seconds = start.elapsed().as_secs_f64();

        let mut found = not_verified(&report);
        found.extend(compare(&theirs, &ours));
        let count = distributions(&ours).len();
        eprintln!("group {number}: {count} distributions, {seconds:.1} s, {} differences", found.len());
        differences.extend(found);
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

/// A wheel as an index offers it, with its metadata beside it.
fn read(path: &Path) -> WheelFile {
    let filename = path.file_name().unwrap().to_str().unwrap().to_owned();
    let archive = WheelArchive::open(path, &filename.parse().unwrap(), &ArchiveLimits::default()).unwrap();
    WheelFile { metadata: archive.metadata().unwrap(), bytes: fs::read(path).unwrap(), filename }
}

/// What was installed, as the report says, and not because its own target is signed.
fn not_verified(report: &Path) -> Vec<String> {
    let report: serde_json::Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
    let installed = report["install"].as_array().unwrap();
    assert!(!installed.is_empty(), "the report has nothing");
    let verification = |entry: &serde_json::Value| entry["verification"]["by"].clone();
    let unverified = installed.iter().filter(|entry| verification(entry) != "signed-target");
    unverified.map(|entry| format!("{}: verified by {}", entry["metadata"]["name"], verification(entry))).collect()
}
