//! Compatibility tags against the reference.

use std::collections::BTreeSet;

use packaging::{Tags, TargetPython};
use serde_json::Value;

use super::interpreters::Answers;
use super::{on_all, questions};

fn compare(answers: &Answers, tags: &Tags, reference: &Value, what: &str) {
    let ours: Vec<String> = tags.iter().map(|tag| tag.to_string()).collect();
    let theirs: Vec<String> = serde_json::from_value(reference.clone()).unwrap();
    if answers.packaging_is("26.3") {
        assert_eq!(ours, theirs, "{what}");
        return;
    }
    // Before 26.3 the plain tag of Linux came after those of manylinux.
    // Before 22 own tags of any platform were missing.
    let is_old = |tag: &&String| !(tag.starts_with("cp") && tag.ends_with("-none-any"));
    let set = |tags: &[String]| -> BTreeSet<String> { tags.iter().filter(is_old).cloned().collect() };
    let difference: Vec<_> = set(&ours).symmetric_difference(&set(&theirs)).cloned().collect();
    assert!(difference.is_empty(), "{what}: {difference:?}");
    let without_linux = |tags: &[String]| -> Vec<String> {
        tags.iter().filter(is_old).filter(|tag| !tag.contains("-linux_")).cloned().collect()
    };
    assert_eq!(without_linux(&ours), without_linux(&theirs), "{what}");
}

#[test]
fn own_tags() {
    on_all(|answers| {
        let tags = Tags::for_interpreter(&answers.facts);
        compare(answers, &tags, &answers.reference["sys_tags"], "sys_tags");
        for (rank, tag) in tags.iter().enumerate() {
            let wheel = format!("foo-1-{tag}.whl").parse().unwrap();
            assert_eq!(tags.rank(&wheel), u32::try_from(rank).ok());
        }
    });
}

#[test]
fn tags_of_targets() {
    on_all(|answers| {
        // Older versions know other formats of macOS and other ABIs.
        if !answers.packaging_is("26.3") {
            return;
        }
        for (target, theirs) in questions::targets().iter().zip(answers.reference["targets"].as_array().unwrap()) {
            let texts = |key: &str| serde_json::from_value(target.get(key).cloned().unwrap_or_default()).unwrap();
            let platforms: Option<Vec<String>> = texts("platforms");
            let abis: Option<Vec<String>> = texts("abis");
            let digits = target.get("version").and_then(Value::as_str);
            let asked = TargetPython {
                platforms: platforms.unwrap_or_default(),
                python_version: digits.map(|digits| {
                    let (major, minor) = digits.split_at(1);
                    [major, minor].iter().filter_map(|part| part.parse().ok()).collect()
                }),
                implementation: target.get("impl").and_then(Value::as_str).map(str::to_owned),
                abis: abis.unwrap_or_default(),
            };
            compare(answers, &Tags::for_target(&answers.facts, &asked), theirs, &target.to_string());
        }
    });
}
