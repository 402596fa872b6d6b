//! A valid wheel with random damage either is refused and leaves nothing, or unpacks to exactly what RECORD says.

use super::archive_maker::{Bench, Entry, FILENAME, Wheel, zip64_end};
use testkit::Mutations;
use wheel::{MetadataLocation, MetadataSearch};

#[test]
fn damaged_wheels() {
    let mut wheel = Wheel::new();
    wheel.entries[0].descriptor(true, false);
    wheel.entries[1].method = 0;
    wheel.entries.push(Entry::directory("h_x/empty/"));
    wheel.text("entry_points.txt", "[console_scripts]\nx = h_x:main\n");
    wheel.zip64 = Some(zip64_end);
    let original = wheel.bytes();
    let bench = Bench::new();
    bench.unpack(FILENAME, &original).unwrap();
    std::fs::remove_dir_all(bench.output()).unwrap();

    let mutations = Mutations::of(original, 1_500);
    let rounds = mutations.rounds();
    let mut accepted = 0;
    for bytes in mutations {
        let round = bytes.round;
        find_metadata(&bytes);
        match bench.unpack(FILENAME, &bytes) {
            Ok(manifest) => {
                accepted += 1;
                for file in &manifest.files {
                    let entry = wheel.entries.iter().find(|entry| entry.name == file.path.as_bytes());
                    let contents = std::fs::read(bench.output().join(&file.path)).unwrap();
                    assert_eq!(entry.map(|entry| &entry.contents), Some(&contents), "round {round}: {}", file.path);
                }
                std::fs::remove_dir_all(bench.output()).unwrap();
            }
            Err(error) => assert!(error.refusal().is_some(), "round {round}: {error}"),
        }
        assert!(bench.left().is_empty(), "round {round}: {:?}", bench.left());
    }
    // Times, versions and the like may change without harm; nearly everything else may not.
    assert!(accepted < rounds / 2, "{accepted} of {rounds} accepted");
}

fn find_metadata(bytes: &[u8]) {
    let name = FILENAME.parse().unwrap();
    let mut start = bytes.len().saturating_sub(300);
    while let Ok(found) = MetadataLocation::find(&name, &bytes[start..], bytes.len() as u64) {
        match found {
            MetadataSearch::NeedMore { from } => {
                assert!((from as usize) < start);
                start = from as usize;
            }
            MetadataSearch::Found(location) => {
                let range = location.range();
                if let Some(part) = bytes.get(range.start as usize..range.end as usize) {
                    let _ = location.extract(part);
                }
                break;
            }
        }
    }
}
