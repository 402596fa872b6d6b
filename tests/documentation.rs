//! Documents that must not fall behind the program.

#![allow(clippy::unwrap_used, reason = "a story that cannot go on is a failed test")]

use std::collections::BTreeSet;
use std::path::Path;

/// Every stable code about verification, policy and signed indexes is explained, and none is explained that is not there.
#[test]
fn all_codes_of_refusals_are_explained() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut used = BTreeSet::new();
    for path in sources(&root.join("src")) {
        used.extend(quoted(&std::fs::read_to_string(path).unwrap(), '"'));
    }
    let page = std::fs::read_to_string(root.join("docs/reference/refusals.md")).unwrap();
    let explained: BTreeSet<String> = quoted(&page, '`').collect();
    let about_trust = |code: &&String| !code.starts_with("net.");
    assert_eq!(
        used.iter().filter(about_trust).collect::<Vec<_>>(),
        explained.iter().filter(about_trust).collect::<Vec<_>>()
    );
    assert!(used.len() > 30, "only {used:?}");
}

/// Codes between quotation marks of this kind, names of files left out.
fn quoted(text: &str, mark: char) -> impl Iterator<Item = String> {
    let is_code = |text: &&str| {
        let Some((area, name)) = text.split_once('.') else { return false };
        ["trust", "verify", "policy", "net"].contains(&area)
            && name.len() > 2
            && !["json", "example"].contains(&name)
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    };
    text.split(mark).filter(is_code).map(str::to_owned).collect::<Vec<_>>().into_iter()
}

fn sources(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}
