//! Files that are no metadata: foreign bytes are refused and never panic. What each field may be is tested with
//! [`tuf::metadata`]; here it is that a refusal leaves what is trusted alone.

use tuf::json::{Object, Value};
use tuf::{Action, Check, Error};

use super::simulator::{Instead, Machine, Repository, found, object_of, refused, sign_object};

/// A repository whose next version of everything is published, and a machine that has the version before.
fn updated() -> (Repository, Machine) {
    let mut repository = Repository::new();
    repository.delegate("targets", "role", &["*"]);
    repository.add_target("role", "file", b"content");
    repository.publish();
    let mut machine = Machine::trusting(&repository);
    found(machine.look_up(&repository, "file").unwrap());
    repository.release_root();
    repository.release("role");
    repository.release("targets");
    (repository, machine)
}

/// Names of the new files, their roles, and the versions that errors about them have.
const FILES: [(&str, &str, Option<u64>); 5] = [
    ("2.root.json", "root", Some(2)),
    ("timestamp.json", "timestamp", None),
    ("3.snapshot.json", "snapshot", Some(3)),
    ("2.targets.json", "targets", Some(2)),
    ("2.role.json", "role", Some(2)),
];

#[test]
fn foreign_bytes_are_refused_in_the_place_of_every_file() -> Result<(), Error> {
    let (mut repository, mut machine) = updated();
    machine.limits.timestamp_size = machine.limits.root_size;
    let whole = String::from_utf8(repository.file("role")).unwrap();
    let signed = |from: &str, to: &str| whole.replacen(from, to, 1).into_bytes();
    let number = |number: &str| signed(r#""version":2"#, &format!(r#""version":{number}"#));
    let nested = |open: &str, close: &str| {
        let deep = [open.repeat(50_000), close.repeat(50_000)].concat();
        signed("{", &format!(r#"{{"x":{deep},"#))
    };
    let mut cases = vec![
        Vec::new(),
        b" ".to_vec(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"{}".to_vec(),
        b"\"signed\"".to_vec(),
        br#"{"signatures":[],"signed":{}}"#.to_vec(),
        br#"{"signatures":{},"signed":[]}"#.to_vec(),
        br#"{"signed":{"_type":"root","spec_version":"1.0.0"}}"#.to_vec(),
        b"<html><body>502 Bad Gateway</body></html>".to_vec(),
        b"\xff\xfe{}".to_vec(),
        [b"\xef\xbb\xbf".as_slice(), whole.as_bytes()].concat(),
        [whole.as_bytes(), b"{}"].concat(),
        [whole.as_bytes(), b"\0"].concat(),
        whole.as_bytes()[..whole.len() - 1].to_vec(),
        signed(r#""version":2"#, r#""version":2,"version":9"#),
        signed(r#""signed""#, r#""signed":{},"signed""#),
        signed("{", r#"{"x":"\ud800","#),
        signed("{", "{\"x\":\"\u{1}\","),
        nested("[", "]"),
        nested(r#"{"a":"#, "}"),
        b"[".repeat(100_000),
    ];
    cases.extend(
        ["1e400", "1.0", "2.5", "18446744073709551616", "-9223372036854775809", "NaN", "02", "0x2"].map(number),
    );
    for (name, role, version) in FILES {
        for bytes in &cases {
            let mut machine = machine.clone();
            repository.serve(name, Instead::Body(bytes.clone()));
            let error = machine.look_up(&repository, "file").unwrap_err();
            assert_eq!(
                (error.check(), error.role().as_str(), error.version()),
                (Check::Format, role, version),
                "{error}"
            );
            assert_eq!(error.action(), Action::DoNotTrust);
            assert!(error.to_string().len() < 1000, "{error}");
            repository.serve_honestly();
        }
        let mut machine = machine.clone();
        found(machine.look_up(&repository, "file")?);
    }
    Ok(())
}

/// Accidents on the way: refused, or harmless, such as another case of a hex digit.
#[test]
fn a_damaged_byte_changes_nothing_that_is_believed() -> Result<(), Error> {
    let (mut repository, machine) = updated();
    let expected = found(machine.clone().look_up(&repository, "file")?);
    for (name, _, _) in FILES {
        let whole = repository.published[name].clone();
        for place in (0..whole.len()).step_by(7) {
            let mut damaged = whole.clone();
            damaged[place] ^= 1 << (place % 8);
            repository.serve(name, Instead::Body(damaged));
            if let Ok(target) = machine.clone().look_up(&repository, "file") {
                assert_eq!(found(target), expected, "{name}, byte {place}");
            }
        }
        repository.serve_honestly();
    }
    Ok(())
}

/// Each role with one field of its signed part changed, and signed by who should.
fn with_field(repository: &Repository, role: &str, change: &dyn Fn(&mut Object<'static>)) -> Vec<u8> {
    let mut signed = match role {
        "root" => object_of(&repository.root),
        "timestamp" => object_of(&repository.timestamp),
        "snapshot" => object_of(&repository.snapshot),
        role => object_of(repository.role(role)),
    };
    change(&mut signed);
    sign_object(&signed, &repository.signers[role])
}

#[track_caller]
fn refuses_everywhere(change: &dyn Fn(&mut Object<'static>), check: Check) {
    let (repository, machine) = updated();
    for (name, role, version) in FILES {
        let mut hostile = repository.clone();
        hostile.serve(name, Instead::Body(with_field(&repository, role, change)));
        let mut machine = machine.clone();
        refused(machine.look_up(&hostile, "file"), check, role, version);
        let written: Vec<_> = machine.written.iter().map(|(file, _)| file.file_name()).collect();
        let own = if role == "root" { "2.root.json".to_owned() } else { format!("{role}.json") };
        assert!(!written.contains(&own), "{written:?}");
        found(machine.look_up(&repository, "file").unwrap());
    }
}

#[test]
fn versions_are_integers_from_1_to_the_largest_of_63_bits() {
    let versions = [
        Value::Unsigned(0),
        Value::Negative(-1),
        Value::Unsigned(1 << 63),
        Value::Unsigned(u64::MAX),
        Value::String("2".into()),
        Value::Bool(true),
        Value::Null,
    ];
    for version in versions {
        refuses_everywhere(&|signed| _ = signed.insert("version", version.clone()), Check::Format);
    }
    refuses_everywhere(&|signed| _ = signed.remove("version"), Check::Format);
}

#[test]
fn expiry_dates_have_one_form() {
    for expires in [
        "2040-01-01T00:00:00",
        "2040-01-01T00:00:00+00:00",
        "2040-01-01T00:00:00.5Z",
        "2040-01-01 00:00:00Z",
        "2040-13-01T00:00:00Z",
        "2040-02-30T00:00:00Z",
        "2040-01-01T00:00:60Z",
        "12040-01-01T00:00:00Z",
        "never",
        "",
    ] {
        refuses_everywhere(&|signed| _ = signed.insert("expires", expires), Check::Format);
    }
    refuses_everywhere(&|signed| _ = signed.insert("expires", 4_000_000_000), Check::Format);
    refuses_everywhere(&|signed| _ = signed.remove("expires"), Check::Format);
}

#[test]
fn another_major_version_of_the_specification_calls_for_a_newer_program() {
    for spec_version in ["2.0.0", "2.0", "10.0.0"] {
        refuses_everywhere(&|signed| _ = signed.insert("spec_version", spec_version), Check::Supported);
    }
    for spec_version in ["1", "", "one", "1.0.x", "1.0.0.0", "01.0.0", "-1.0.0"] {
        refuses_everywhere(&|signed| _ = signed.insert("spec_version", spec_version), Check::Format);
    }
}

#[test]
fn another_minor_version_of_the_specification_is_read() -> Result<(), Error> {
    for spec_version in ["1.0", "1.0.0", "1.1.0", "1.99.99"] {
        let (mut repository, mut machine) = updated();
        for (name, role, _) in FILES {
            let bytes = with_field(&repository, role, &|signed| _ = signed.insert("spec_version", spec_version));
            repository.serve(name, Instead::Body(bytes));
        }
        found(machine.look_up(&repository, "file")?);
    }
    Ok(())
}

#[test]
fn the_greatest_version_and_the_last_date_are_exact() -> Result<(), Error> {
    let (mut repository, mut machine) = updated();
    repository.timestamp.version = i64::MAX as u64 - 1;
    repository.timestamp.expires = tuf::UnixTime::parse("9999-12-31T23:59:59Z").unwrap();
    repository.publish_timestamp();
    machine.refresh(&repository)?;
    repository.release_timestamp();
    let epoch = machine.refresh(&repository)?;
    assert_eq!(epoch.timestamp().version, i64::MAX as u64);
    repository.timestamp.version -= 1;
    repository.publish_timestamp();
    refused(machine.refresh(&repository), Check::TimestampRollback, "timestamp", i64::MAX as u64 - 1);
    Ok(())
}

#[test]
fn a_timestamp_lists_a_snapshot_and_nothing_else() {
    let (repository, machine) = updated();
    for change in [true, false] {
        let bytes = with_field(&repository, "timestamp", &|signed| {
            let Some(Value::Object(mut meta)) = signed.remove("meta") else { panic!() };
            let snapshot = if change { meta.get("snapshot.json").cloned() } else { meta.remove("snapshot.json") };
            meta.insert("targets.json", snapshot.unwrap());
            signed.insert("meta", meta);
        });
        let mut repository = repository.clone();
        repository.serve("timestamp.json", Instead::Body(bytes));
        refused(machine.clone().refresh(&repository), Check::Format, "timestamp", None);
    }
}

#[test]
fn nobody_without_keys_can_send_the_user_after_a_newer_program() -> Result<(), Error> {
    for (name, role, version) in FILES {
        let (mut repository, mut machine) = updated();
        let whole = String::from_utf8(repository.file(role)).unwrap();
        let forged = whole.replacen(r#""spec_version":"1."#, r#""spec_version":"2."#, 1);
        assert_ne!(whole, forged);
        repository.serve(name, Instead::Body(forged.into_bytes()));
        let error = refused(machine.look_up(&repository, "file"), Check::Signatures, role, version);
        assert_eq!(error.action(), Action::DoNotTrust);
        repository.serve_honestly();
        found(machine.look_up(&repository, "file")?);
    }
    Ok(())
}

/// Foreign text in errors is short and cannot command a terminal.
#[test]
fn what_is_quoted_is_escaped_and_shortened() -> Result<(), Error> {
    for (name, role, version) in FILES {
        let (mut repository, mut machine) = updated();
        let long = format!("\u{1b}[31m\n{}", "evil ".repeat(1_000));
        let bytes = with_field(&repository, role, &|signed| _ = signed.insert("_type", long.clone()));
        repository.serve(name, Instead::Body(bytes));
        let error = machine.look_up(&repository, "file").unwrap_err();
        assert_eq!((error.check(), error.role().as_str()), (Check::Type, role));
        assert!(error.version().is_none_or(|found| Some(found) == version), "{error}");
        let text = error.to_string();
        assert!(text.len() < 1_000 && !text.contains(char::is_control), "{text}");
        assert!(text.contains("\\u{1b}[31m\\u{a}evil"), "{text}");
    }
    Ok(())
}
