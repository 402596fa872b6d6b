//! A valid wheel with random damage either is refused and leaves nothing, or unpacks to exactly what RECORD says.

use super::archive_maker::{Bench, Entry, FILENAME, Wheel, zip64_end};
use wheel::{MetadataLocation, MetadataSearch};

/// How many mutations; more on demand for a long run.
fn rounds() -> u64 {
    std::env::var("WHEEL_MUTATIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_500)
}

/// xorshift64*: the same sequence in every run, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }
}

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

    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut accepted = 0;
    for round in 0..rounds() {
        let bytes = mutated(&original, &mut random);
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
    assert!(accepted < rounds() / 2, "{accepted} of {} accepted", rounds());
}

fn mutated(original: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for _ in 0..1 + random.below(3) {
        let position = random.below(bytes.len());
        match random.below(6) {
            0 | 1 => bytes[position] ^= 1 << random.below(8),
            2 => bytes[position] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
            3 => bytes.truncate(position.max(1)),
            4 => drop(bytes.splice(position..position, [0; 3])),
            _ => {
                let end = (position + random.below(64)).min(bytes.len());
                let piece = bytes[position..end].to_vec();
                let target = random.below(bytes.len());
                bytes.splice(target..target, piece);
            }
        }
    }
    bytes
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
