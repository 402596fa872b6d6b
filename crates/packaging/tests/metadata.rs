//! Core metadata: what is understood, what is refused, and hostile files.

use packaging::{CoreMetadata, MAX_METADATA_SIZE, MetadataError, MetadataFields};

fn parse(text: &str) -> Result<CoreMetadata, MetadataError> {
    CoreMetadata::parse(text.as_bytes())
}

#[test]
fn fields_are_understood() {
    let text = "Metadata-Version: 2.4\r\nName: Foo_Bar\r\nVersion: 1.00\r\nRequires-Python: >=3.8,\r\n\
        Provides-Extra: Test_All\r\nProvides-Extra: not valid!\r\nRequires-Dist: bar>=1 ; extra == 'test-all'\r\n\
        Requires-Dist: baz\r\n\r\nBody\r\n";
    let metadata = parse(text).unwrap();
    assert_eq!((metadata.name.to_string().as_str(), metadata.raw_name()), ("foo-bar", "Foo_Bar"));
    assert_eq!((metadata.version.to_string().as_str(), metadata.raw_version()), ("1.0", "1.00"));
    assert!(metadata.requires_python.as_ref().unwrap().contains(&"3.11".parse().unwrap()));
    assert_eq!(metadata.raw_requires_python(), Some(">=3.8,"));
    assert_eq!(metadata.provides_extra, ["test-all".parse().unwrap()]);
    let requirements: Vec<_> = metadata.requires_dist().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(requirements, ["bar>=1 ; extra == 'test-all'", "baz"]);
    assert_eq!(metadata.fields.description(), "Body\n");
}

#[test]
fn a_bad_dependency_is_an_error_of_its_own() {
    let metadata = parse("Name: foo\nVersion: 1\nRequires-Dist: bar\nRequires-Dist: b@d >>1\n").unwrap();
    let error = metadata.requires_dist().unwrap_err();
    assert!(error.to_string().contains("b@d >>1"), "{error}");
    assert_eq!((metadata.valid_requires_dist().len(), metadata.invalid_requires_dist().len()), (1, 1));
}

#[test]
fn what_cannot_be_used_is_refused() {
    assert_eq!(parse("").unwrap_err(), MetadataError::Missing("Name"));
    assert_eq!(parse("Name: foo\n").unwrap_err(), MetadataError::Missing("Version"));
    assert!(matches!(parse("Name: \nVersion: 1\n").unwrap_err(), MetadataError::Invalid { field: "Name", .. }));
    assert!(matches!(parse("Name: ../foo\nVersion: 1\n").unwrap_err(), MetadataError::Invalid { field: "Name", .. }));
    assert!(matches!(parse("Name: foo\nVersion: x\n").unwrap_err(), MetadataError::Invalid { field: "Version", .. }));
    let future = parse("Metadata-Version: 3.0\nName: foo\nVersion: 1\n").unwrap_err();
    assert_eq!(future, MetadataError::MetadataVersion("3.0".into()));
    assert!(parse("Metadata-Version: 2.99\nName: foo\nVersion: 1\n").is_ok());
    let large = vec![b'\n'; MAX_METADATA_SIZE + 1];
    assert!(matches!(CoreMetadata::parse(&large).unwrap_err(), MetadataError::TooLarge { .. }));
    // What does not understand versions of Python restricts none.
    assert!(parse("Name: foo\nVersion: 1\nRequires-Python: banana\n").unwrap().requires_python.is_none());
}

#[test]
fn hostile_files_are_read_in_linear_time() {
    let start = "Name: foo\nVersion: 1\n";
    for hostile in [
        format!("{start}Summary: x\n{}", " y\n".repeat(1_000_000)),
        format!("{start}{}", "A: b\n".repeat(500_000)),
        format!("{start}{}", ":\n".repeat(1_000_000)),
        format!("{start}X: {}", "\t".repeat(4_000_000)),
        format!("{start}Summary: \0\x1b[31m\n"),
        format!("{start}{}", "\r".repeat(1_000_000)),
        format!("{start}Requires-Dist: a; {}", "(".repeat(30_000)),
        format!("{start}Requires-Dist: a; {}", "os_name=='a' and ".repeat(3_000)),
        format!("{start}Requires-Dist: a[{}]", "x,".repeat(30_000)),
        format!("{start}Requires-Dist: a{}", "a".repeat(1_000_000)),
        format!("{start}Requires-Dist: a=={}1", "1.".repeat(30_000)),
    ] {
        let metadata = parse(&hostile).unwrap();
        let _ = metadata.to_json();
    }
    let fields = MetadataFields::parse(b"\xff\xfe: x\nName\x80: y\nAuthor: J\xe9r\xf4me\n");
    assert_eq!(fields.get("Author"), None, "the first line is no header, so everything is body");
    let fields = MetadataFields::parse(b"Author: J\xe9r\xf4me\n\n\xff");
    assert_eq!((fields.get("Author"), fields.description()), (Some("J\u{fffd}r\u{fffd}me"), "\u{fffd}"));
}

#[test]
fn a_marker_with_many_alternatives_stays_small() {
    // In a normal form ordered by name this needs 2^40 nodes.
    let terms: Vec<_> = (0..40).map(|index| format!("(extra=='a{index}' and extra=='b{index}')")).collect();
    let requirement: packaging::Requirement = format!("foo; {}", terms.join(" or ")).parse().unwrap();
    assert!(!requirement.marker.is_true());
}
