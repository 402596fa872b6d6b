//! The list of mutants (docs/tuf-mutants.md) speaks of the source as it is: a check that is written anew needs its mutant
//! written anew. Whether tests notice the mutants is shown by `mutants/run.py`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use toml::{Table, Value};

#[test]
fn every_mutant_still_stands_in_the_source() {
    let crate_directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    let list: Table = fs::read_to_string(crate_directory.join("mutants/mutants.toml")).unwrap().parse().unwrap();
    let mut names = BTreeSet::new();
    for mutant in list["mutant"].as_array().unwrap() {
        let text =
            |field: &str| mutant.get(field).and_then(Value::as_str).unwrap_or_else(|| panic!("no {field}: {mutant:?}"));
        let (name, file) = (text("name"), text("file"));
        assert!(names.insert(name), "{name} is there twice");
        assert_ne!(text("find"), text("replace"), "{name} changes nothing");
        let source = fs::read_to_string(crate_directory.join("src").join(file)).unwrap();
        assert_eq!(source.matches(text("find")).count(), 1, "{name}: its text must be in {file} exactly once");
    }
    assert!(names.len() > 100, "{} mutants", names.len());
}
