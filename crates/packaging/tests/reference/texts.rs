//! Version specifiers, markers and metadata against the reference.

use packaging::{ExtraName, Marker, MetadataFields, Version, VersionSpecifiers};
use serde_json::{Value, json};

use super::{on_all, questions};

/// Pairs of version and specifiers which we judge otherwise than the reference, with the reason.
const KNOWN: [(&str, &str, &str); 0] = [];

#[test]
fn version_specifiers() {
    on_all(|answers| {
        if !answers.packaging_is("26") {
            return;
        }
        let theirs = answers.reference["contains"].as_array().unwrap();
        let mut differences = Vec::new();
        for ((version, specifiers), theirs) in questions::contains().iter().zip(theirs) {
            let ours = match (version.parse::<Version>(), specifiers.parse::<VersionSpecifiers>()) {
                (Ok(version), Ok(specifiers)) => json!(specifiers.contains(&version)),
                _ => json!("invalid"),
            };
            let known = KNOWN.iter().any(|known| (known.0, known.1) == (*version, *specifiers));
            if ours != *theirs && !known {
                differences.push(format!("{version} in {specifiers}: {ours}, expected {theirs}"));
            }
        }
        assert!(differences.is_empty(), "{}", differences.join("\n"));
    });
}

#[test]
fn markers() {
    let environment = serde_json::from_value(questions::environment()).unwrap();
    let extra: ExtraName = questions::environment()["extra"].as_str().unwrap().parse().unwrap();
    on_all(|answers| {
        if !answers.packaging_is("26.3") {
            return;
        }
        let theirs = answers.reference["markers"].as_array().unwrap();
        let mut differences = Vec::new();
        for (marker, theirs) in questions::MARKERS.iter().zip(theirs) {
            let ours = marker
                .parse::<Marker>()
                .map_or(json!("invalid"), |marker| json!(marker.evaluate(&environment, std::slice::from_ref(&extra))));
            if ours != *theirs {
                differences.push(format!("{marker}: {ours}, expected {theirs}"));
            }
        }
        assert!(differences.is_empty(), "{}", differences.join("\n"));
    });
}

#[test]
fn metadata() {
    on_all(|answers| {
        // Before 3.10 `importlib.metadata` left indentation as it is, and only the newest versions read an empty first line.
        if answers.facts.version < (3, 10) || !answers.packaging_is("26") {
            return;
        }
        for (text, theirs) in questions::METADATA.iter().zip(answers.reference["metadata"].as_array().unwrap()) {
            let ours: Value = MetadataFields::parse(text.as_bytes()).to_json();
            assert_eq!(ours, *theirs, "{text}");
        }
    });
}
