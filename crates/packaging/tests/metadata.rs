//! Core metadata: what is understood, what is refused, and hostile files.

use packaging::{CoreMetadata, MAX_METADATA_SIZE, MetadataError, MetadataFields};
use testkit::Mutations;

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

#[test]
fn damaged_metadata_says_one_thing() {
    let original = "Metadata-Version: 2.4\nName: Foo_Bar\nVersion: 1.0+local.1\nSummary: a\n        b\nRequires-Python: >=3.8,!=3.9.*\n\
        Requires-Dist: bar[x,y]>=1,<2 ; extra == 'test' and python_version < '3.13'\n\
        Requires-Dist: baz @ https://me:secret@pkgs.example.org/baz-1.tar.gz#sha256=00 ; os_name == 'nt'\n\
        Requires-Dist: qux (~=1.0)\nProvides-Extra: test\nKeywords: a,b\n\nBody\n";
    let words = [
        "\n",
        "\r",
        "\r\n",
        "\n\n",
        "\n ",
        ":",
        "Name: other\n",
        "Requires-Dist: evil\n",
        "\nVersion: 2\n",
        "From ",
        ";",
        "(",
        ")",
        "[",
        "]",
        ",",
        "@",
        "extra ==",
        " and ",
        " or ",
        "not in",
        "===",
        ".*",
        "'",
        "\"",
        "#",
        "\u{1b}[2J",
        "\u{202e}",
        "\u{85}",
        "é",
    ];
    let mut understood = 0;
    for bytes in Mutations::of(original, 1_500).words(words) {
        let (parsed, again) = (CoreMetadata::parse(&bytes), CoreMetadata::parse(&bytes));
        assert_eq!(format!("{parsed:?}"), format!("{again:?}"));
        let Ok(metadata) = parsed else { continue };
        understood += 1;
        assert_eq!(metadata.raw_name().parse(), Ok(metadata.name.clone()));
        assert_eq!(metadata.raw_version().parse(), Ok(metadata.version.clone()));
        // No dependency is lost, and none is believed if one is not understood.
        let (valid, invalid) = (metadata.valid_requires_dist(), metadata.invalid_requires_dist());
        let written: Vec<&str> = metadata.fields.get_all("Requires-Dist").collect();
        assert_eq!(valid.len() + invalid.len(), written.len());
        assert_eq!(metadata.requires_dist().is_ok(), invalid.is_empty());
        for requirement in valid {
            assert_eq!(requirement.to_string().parse().as_ref(), Ok(requirement));
            assert!(written.iter().any(|text| text.trim() == requirement.to_string()), "{requirement}");
        }
        for error in invalid {
            assert!(!error.to_string().contains(char::is_control), "{error:?}");
        }
        // Who reads the report and who installs read the same.
        let json = metadata.to_json();
        assert_eq!(json["name"].as_str(), metadata.fields.get("Name"));
        assert_eq!(json["version"].as_str(), metadata.fields.get("Version"));
        assert_eq!(json["requires_dist"].as_array().map_or(0, Vec::len), written.len());
        // Line ends are no part of what is said.
        if metadata.fields.hidden_by_carriage_returns(&bytes).is_none() && !bytes.contains(&b'\r') {
            let other = MetadataFields::parse(&String::from_utf8_lossy(&bytes).replace('\n', "\r\n").into_bytes());
            assert_eq!(other, metadata.fields);
        }
    }
    assert!(understood > 100, "only {understood}");
}
