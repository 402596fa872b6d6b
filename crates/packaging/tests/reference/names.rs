//! File names of wheels and requirements against the reference.

use packaging::{Requirement, WheelFilename};
use serde_json::{Value, json};

use super::{on_all, questions};

#[test]
fn wheel_filenames() {
    on_all(|answers| {
        if !answers.packaging_is("26.3") {
            return;
        }
        for (filename, theirs) in questions::WHEELS.iter().zip(answers.reference["wheels"].as_array().unwrap()) {
            let ours = filename.parse::<WheelFilename>().map_or(json!("invalid"), |wheel| {
                let mut tags = Vec::new();
                for python in wheel.python_tags() {
                    for abi in wheel.abi_tags() {
                        tags.extend(
                            wheel.platform_tags().map(|platform| format!("{python}-{abi}-{platform}").to_lowercase()),
                        );
                    }
                }
                tags.sort();
                tags.dedup();
                let build = wheel.build.as_ref().map_or(json!([]), |build| json!([build.number, build.rest]));
                json!([wheel.name.to_string(), wheel.version.to_string(), build, tags])
            });
            assert_eq!(ours, *theirs, "{filename}");
        }
    });
}

/// Requirements we read otherwise than the reference, with the reason.
const KNOWN: [(&str, &str); 1] = [(
    "requests === 1.0-custom",
    "arbitrary equality with what is no version: no distribution has such a version today",
)];

#[test]
fn requirements() {
    on_all(|answers| {
        if !answers.packaging_is("24") {
            return;
        }
        let theirs = answers.reference["requirements"].as_array().unwrap();
        let mut differences = Vec::new();
        for (text, theirs) in questions::REQUIREMENTS.iter().zip(theirs) {
            let ours = text.parse::<Requirement>().map_or(json!("invalid"), |requirement| {
                let mut extras: Vec<_> = requirement.extras.iter().map(ToString::to_string).collect();
                extras.sort();
                let mut specifiers: Vec<_> = requirement.specifiers.iter().map(without_space).collect();
                specifiers.sort();
                let url = requirement.url.as_ref().map_or(Value::Null, |url| json!(url.as_str()));
                json!([requirement.name.to_string(), extras, specifiers, url, !requirement.marker.is_true()])
            });
            if ours != *theirs && !KNOWN.iter().any(|(known, _)| known == text) {
                differences.push(format!("{text:?}: {ours}, expected {theirs}"));
            }
        }
        assert!(differences.is_empty(), "{}", differences.join("\n"));
    });
}

fn without_space(specifier: &packaging::VersionSpecifier) -> String {
    specifier.to_string().replace(' ', "")
}
