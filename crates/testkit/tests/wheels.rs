//! The wheels and source distributions of the testkit, judged by Python where there is one.

use std::io::Read as _;

use testkit::{Entry, Environment, Interpreter, Sdist, Wheel, WheelFile};

/// Reads an archive with Python and prints `name mode size` of every entry, then whether every CRC is right.
const LIST: &str = "
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    for entry in archive.infolist():
        print(entry.filename, oct(entry.external_attr >> 16), entry.file_size)
    print(archive.testzip())
";

/// Prints every row of RECORD that does not agree with the archive, and every file without a row.
const CHECK_RECORD: &str = "
import base64, csv, hashlib, io, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    record = next(name for name in archive.namelist() if name.endswith('.dist-info/RECORD'))
    names = set(archive.namelist())
    for path, digest, size in csv.reader(io.StringIO(archive.read(record).decode())):
        if path not in names:
            print('no file', path)
            continue
        names.discard(path)
        content = archive.read(path)
        true = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b'=').decode()
        if path != record and (digest, size) != ('sha256=' + true, str(len(content))):
            print('wrong', path)
    for name in sorted(names):
        print('no row', name)
";

fn python(program: &str, wheel: &WheelFile) -> Option<String> {
    if Interpreter::find().is_none() {
        eprintln!("skipped: no python3");
        return None;
    }
    let environment = Environment::new();
    let path = environment.write(&wheel.filename, &wheel.bytes);
    let outcome = environment.command(environment.python()).args(["-I", "-c", program]).arg(path).run().expect_code(0);
    Some(outcome.stdout)
}

fn rich_wheel() -> Wheel {
    Wheel::new("My.App", "1.0")
        .requires("library>=2")
        .extra("fast", "accelerator>1; python_version >= \"3.8\"")
        .extra("fast", "turbo")
        .requires_python(">=3.8")
        .metadata_header("Summary", "An application")
        .file("my_app/__init__.py", "def main(): print('ran')\n")
        .file("my_app/a,b \"c\".txt", "a name that CSV must quote")
        .script("run.py", "#!python\nprint('script')\n")
        .data("data/share/x", "data")
        .console_script("tool = my_app:main")
        .gui_script("window = my_app:main")
        .tag("py2.py3-none-any")
}

#[test]
fn building_twice_gives_the_same_bytes() {
    assert_eq!(rich_wheel().build().bytes, rich_wheel().build().bytes);
}

#[test]
fn metadata_says_what_was_asked() {
    let wheel = rich_wheel().build();
    assert_eq!(wheel.filename, "my_app-1.0-py2.py3-none-any.whl");
    let expected = "Metadata-Version: 2.1\nName: My.App\nVersion: 1.0\nProvides-Extra: fast\n\
        Requires-Python: >=3.8\nSummary: An application\nRequires-Dist: library>=2\n\
        Requires-Dist: accelerator>1; (python_version >= \"3.8\") and extra == \"fast\"\n\
        Requires-Dist: turbo; extra == \"fast\"\n";
    assert_eq!(String::from_utf8(wheel.metadata).unwrap(), expected);
}

#[test]
fn python_reads_every_entry() {
    let Some(listing) = python(LIST, &rich_wheel().build()) else { return };
    let names: Vec<_> = listing.lines().map(|line| line.rsplitn(3, ' ').last().unwrap()).collect();
    assert_eq!(
        names,
        [
            "my_app/__init__.py",
            "my_app/a,b \"c\".txt",
            "my_app-1.0.data/scripts/run.py",
            "my_app-1.0.data/data/share/x",
            "my_app-1.0.dist-info/METADATA",
            "my_app-1.0.dist-info/WHEEL",
            "my_app-1.0.dist-info/entry_points.txt",
            "my_app-1.0.dist-info/RECORD",
            "None",
        ]
    );
}

#[test]
fn record_is_right_unless_a_test_breaks_it() {
    let Some(complaints) = python(CHECK_RECORD, &rich_wheel().build()) else { return };
    assert_eq!(complaints, "");

    let broken = Wheel::new("app", "1.0")
        .file("app.py", "x")
        .file("other.py", "y")
        .wrong_record_hash("app.py")
        .omitted_from_record("other.py")
        .record_row("ghost.py,sha256=AAAA,1")
        .unrecorded_entry(Entry::new("extra.py", "z"));
    let complaints = python(CHECK_RECORD, &broken.build()).unwrap();
    assert_eq!(complaints, "wrong app.py\nno file ghost.py\nno row extra.py\nno row other.py\n");
}

#[test]
fn hostile_entries_are_written_as_asked() {
    let wheel = Wheel::new("app", "1.0").entry(Entry::new("../evil", "x")).symlink("link", "/etc/passwd").build();
    let Some(listing) = python(LIST, &wheel) else { return };
    assert!(listing.starts_with("../evil 0o100644 1\nlink 0o120777 11\n"), "{listing}");
}

#[test]
fn a_truncated_wheel_has_exactly_the_length_asked_for() {
    assert_eq!(Wheel::new("app", "1.0").build().truncated(100).bytes.len(), 100);
}

#[test]
fn a_source_distribution_is_a_tar_that_python_reads() {
    let sdist = Sdist::new("My.App", "1.0").file("setup.py", "raise SystemExit\n").build();
    assert_eq!(sdist.filename, "my_app-1.0.tar.gz");
    let mut archive = Vec::new();
    flate2::read::GzDecoder::new(&*sdist.bytes).read_to_end(&mut archive).unwrap();
    assert_eq!(archive.len() % 512, 0);
    if Interpreter::find().is_none() {
        eprintln!("skipped: no python3");
        return;
    }
    let environment = Environment::new();
    environment.write("sdist", &sdist.bytes);
    let names = environment.run_python("import tarfile; print(tarfile.open('sdist').getnames())");
    assert_eq!(names, "['my_app-1.0/PKG-INFO', 'my_app-1.0/setup.py']");
}
