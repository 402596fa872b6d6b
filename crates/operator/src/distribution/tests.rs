//! What can be in an index, and what cannot.

use testkit::{Entry, HashName, Sdist, Wheel, WheelFile};

use super::*;

fn inspect(filename: &str, bytes: &[u8]) -> Result<Distribution, Failure> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a file");
    std::fs::write(&path, bytes).unwrap();
    Distribution::inspect(&path, filename)
}

#[track_caller]
fn refuses(filename: &str, bytes: &[u8], code: &str, piece: &str) {
    let failure = inspect(filename, bytes).expect_err(filename);
    assert_eq!(failure.code.name(), code, "{failure}");
    assert!(failure.message.contains(filename) && failure.message.contains(piece), "{failure}");
}

#[test]
fn a_wheel_is_known_by_its_bytes_and_its_metadata() {
    let wheel = Wheel::new("Foo.Bar", "1.0+local").metadata_header("Requires-Python", ">=3.9 ").build();
    let found = inspect(&wheel.filename, &wheel.bytes).unwrap();
    assert_eq!((found.project.to_string(), found.version.to_string()), ("foo-bar".into(), "1.0+local".into()));
    assert_eq!(found.content.sha256, HashName::Sha256.hex(&wheel.bytes));
    assert_eq!(found.content.size, wheel.bytes.len() as u64);
    assert_eq!(found.requires_python.as_deref(), Some(">=3.9"));
    assert_eq!(found.core_metadata.as_deref(), Some(wheel.metadata.as_slice()));

    let addition = found.addition("2026-11-23T06:00:00Z");
    assert_eq!(addition.core_metadata_size, Some(wheel.metadata.len() as u64));
    assert_eq!(addition.file.core_metadata, Some(HashName::Sha256.hex(&wheel.metadata)));
    assert_eq!(addition.file.path().unwrap(), found.path());
    assert!(addition.file.url.contains("%2Blocal"), "{}", addition.file.url);
}

#[test]
fn a_source_distribution_has_no_metadata_file() {
    let sdist = Sdist::new("foo-bar", "1.0").metadata_header("Requires-Python", ">=3.9").build();
    let found = inspect(&sdist.filename, &sdist.bytes).unwrap();
    assert_eq!((found.project.to_string(), found.version.to_string()), ("foo-bar".into(), "1.0".into()));
    assert_eq!((found.requires_python.as_deref(), &found.core_metadata), (Some(">=3.9"), &None));
    let addition = found.addition("2026-11-23T06:00:00Z");
    assert_eq!((addition.core_metadata_size, addition.file.core_metadata), (None, None));
}

#[test]
fn the_path_is_the_blake2b_hash() {
    let content = {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        ContentHashes::of(&path).unwrap()
    };
    // BLAKE2b with 32 bytes of output, of "abc", as Python's hashlib gives it.
    assert_eq!(content.blake2b_256, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

#[test]
fn names_that_no_index_can_list() {
    let wheel = Wheel::new("app", "1.0").build();
    for (filename, piece) in [
        ("app.whl", "name-version"),
        ("app-1.0-py3-none.whl", "name-version"),
        ("app-x-py3-none-any.whl", "version"),
        ("app-1.0-py3-none-any.whl.asc", "expected a wheel"),
        ("app 1.0-py3-none-any.whl", "characters"),
        ("app-1.0-py3-none-any\u{202e}.whl", "characters"),
        ("app-1.0.zip", ".tar.gz"),
        ("app-1.0.tgz", ".tar.gz"),
        ("app-1.0.tar.bz2", ".tar.gz"),
        ("app.tar.gz", "PEP 625"),
        ("-1.0.tar.gz", "PEP 625"),
        ("app-1.0.exe", "expected a wheel"),
        ("", "expected a wheel"),
    ] {
        refuses(filename, &wheel.bytes, "repo.file-name", piece);
    }
}

#[test]
fn a_platform_of_this_machine_alone_is_allowed() {
    let wheel = Wheel::new("app", "1.0").tag("cp312-cp312-linux_x86_64").build();
    inspect(&wheel.filename, &wheel.bytes).unwrap();
}

#[test]
fn wheels_that_an_installer_would_refuse() {
    let hostile: Vec<(&str, WheelFile)> = vec![
        ("wheel.metadata", Wheel::new("app", "1.0").metadata_name("other").build()),
        ("wheel.metadata", Wheel::new("app", "1.0").metadata_version("2.0").build()),
        ("wheel.dist-info", Wheel::new("app", "1.0").second_dist_info("other", "1.0").build()),
        ("wheel.record", Wheel::new("app", "1.0").without_record().build()),
        ("wheel.record", Wheel::new("app", "1.0").file("app.py", "1").wrong_record_hash("app.py").build()),
        ("wheel.record", Wheel::new("app", "1.0").file("app.py", "1").omitted_from_record("app.py").build()),
        ("wheel.record", Wheel::new("app", "1.0").unrecorded_entry(Entry::new("evil.py", "1")).build()),
        ("wheel.entry-name", Wheel::new("app", "1.0").file("../evil.py", "1").build()),
        ("wheel.entry-kind", Wheel::new("app", "1.0").symlink("link", "/etc/passwd").build()),
        ("wheel.entry-point", Wheel::new("app", "1.0").console_script("../x = app:main").build()),
        ("wheel.data", Wheel::new("app", "1.0").data("data/pyvenv.cfg", "").build()),
        ("wheel.wheel-file", Wheel::new("app", "1.0").wheel_version("2.0").build()),
        ("wheel.framing", Wheel::new("app", "1.0").build().truncated(200)),
    ];
    for (code, wheel) in hostile {
        refuses(&wheel.filename, &wheel.bytes, code, "refused");
    }
    let wheel = Wheel::new("app", "1.0").build();
    refuses("other-1.0-py3-none-any.whl", &wheel.bytes, "wheel.dist-info", "refused");
    refuses("app-1.1-py3-none-any.whl", &wheel.bytes, "wheel.dist-info", "refused");
    refuses("app-1.0.tar.gz", &wheel.bytes, "repo.distribution", "zip archive");
    refuses("app-1.0-py3-none-any.whl", &Sdist::new("app", "1.0").build().bytes, "wheel.framing", "refused");
}

#[test]
fn metadata_that_no_installer_can_read() {
    let sdist = Sdist::new("app", "1.0").metadata_header("Version", "2.0").build();
    refuses(&sdist.filename, &sdist.bytes, "repo.distribution", "Version more than once");
    let sdist = Sdist::new("other", "1.0").build();
    refuses("app-1.0.tar.gz", &sdist.bytes, "repo.distribution", "other-1.0");
}

#[test]
fn what_is_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let failure = Distribution::inspect(directory.path(), "app-1.0-py3-none-any.whl").unwrap_err();
    assert!(failure.message.ends_with("is not a file"), "{failure}");
    let missing = directory.path().join("app-1.0-py3-none-any.whl");
    assert_eq!(Distribution::inspect(&missing, "app-1.0-py3-none-any.whl").unwrap_err().code.name(), "repo.disk");
}
