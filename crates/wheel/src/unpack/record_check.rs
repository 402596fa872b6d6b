//! RECORD against the archive: which digest each file must have, and that no file is missing on either side.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use crate::archive::{ArchiveEntry, WheelArchive};
use crate::error::{Refusal, Rule, WheelError};
use crate::record::{RecordRow, parse_record};
use crate::unpack::{RecordPolicy, is_left_out, required};

/// Largest RECORD, in bytes.
const RECORD_LIMIT: u64 = 64 << 20;

/// What RECORD says about the contents of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ExpectedDigest {
    /// Nothing is asked for: the user has waived RECORD, or it is empty.
    Anything,
    Sha256(String),
    Sha384(String),
    Sha512(String),
}

/// What each of `entries` must contain, in their order.
pub(super) fn expected(
    archive: &WheelArchive,
    entries: &[&ArchiveEntry],
    policy: RecordPolicy,
) -> Result<Vec<ExpectedDigest>, WheelError> {
    if policy == RecordPolicy::Waive {
        return Ok(vec![ExpectedDigest::Anything; entries.len()]);
    }
    let refused = |problem: &str, path: &str| Refusal::entry(archive.filename(), Rule::Record, problem, path);
    let contents = required(archive, "RECORD", Rule::Record, RECORD_LIMIT)?;
    let rows = parse_record(&contents).map_err(|error| refused(&error.to_string(), "RECORD"))?;
    if rows.is_empty() {
        // A wheel with an empty RECORD is accepted, as in pip: test tools make such wheels, and RECORD is from the
        // author of the archive, so that an empty one hides nothing that a full one would show. A wrong RECORD is
        // refused.
        return Ok(vec![ExpectedDigest::Anything; entries.len()]);
    }
    let mut by_path: HashMap<&str, &RecordRow> = HashMap::with_capacity(rows.len());
    for row in &rows {
        match by_path.insert(&row.path, row) {
            Some(other) if other != row => return Err(refused("RECORD has two rows for one file", &row.path)),
            _ => {}
        }
    }
    let expected = entries
        .iter()
        .map(|entry| {
            let row = by_path.remove(entry.path.as_str());
            let row = row.ok_or_else(|| refused("file that RECORD does not list", &entry.path))?;
            expected_of(row, entry).map_err(|problem| refused(problem, &entry.path))
        })
        .collect::<Result<_, _>>()?;
    // In the order of RECORD, so that the same wheel always gives the same message.
    match rows.iter().find(|row| by_path.contains_key(row.path.as_str()) && !is_left_out(archive, &row.path)) {
        Some(row) => Err(refused("RECORD lists a file that is not there", &row.path)),
        None => Ok(expected),
    }
}

fn expected_of(row: &RecordRow, entry: &ArchiveEntry) -> Result<ExpectedDigest, &'static str> {
    if row.size.is_some_and(|size| size != entry.size) {
        return Err("size differs from RECORD");
    }
    let Some((algorithm, value)) = &row.hash else { return Err("RECORD has no hash for this file") };
    let value = value.trim_end_matches('=').to_owned();
    match algorithm.as_str() {
        "sha256" => Ok(ExpectedDigest::Sha256(value)),
        "sha384" => Ok(ExpectedDigest::Sha384(value)),
        "sha512" => Ok(ExpectedDigest::Sha512(value)),
        _ => Err("RECORD has no hash of SHA-256 or better for this file"),
    }
}

/// Hashes the contents of one file while they pass by.
pub(super) struct Hasher {
    sha256: Sha256,
    also: SecondHasher,
}

enum SecondHasher {
    None,
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Hasher {
    pub fn new(expected: &ExpectedDigest) -> Hasher {
        let also = match expected {
            ExpectedDigest::Anything | ExpectedDigest::Sha256(_) => SecondHasher::None,
            ExpectedDigest::Sha384(_) => SecondHasher::Sha384(Sha384::new()),
            ExpectedDigest::Sha512(_) => SecondHasher::Sha512(Sha512::new()),
        };
        Hasher { sha256: Sha256::new(), also }
    }

    pub fn update(&mut self, part: &[u8]) {
        self.sha256.update(part);
        match &mut self.also {
            SecondHasher::None => {}
            SecondHasher::Sha384(hasher) => hasher.update(part),
            SecondHasher::Sha512(hasher) => hasher.update(part),
        }
    }

    /// The SHA-256 in RECORD's form, if the contents were the expected ones.
    pub fn finish(self, expected: &ExpectedDigest) -> Option<String> {
        let sha256 = URL_SAFE_NO_PAD.encode(self.sha256.finalize());
        let matches = match (expected, self.also) {
            (ExpectedDigest::Anything, _) => true,
            (ExpectedDigest::Sha256(value), _) => *value == sha256,
            (ExpectedDigest::Sha384(value), SecondHasher::Sha384(hasher)) => {
                *value == URL_SAFE_NO_PAD.encode(hasher.finalize())
            }
            (ExpectedDigest::Sha512(value), SecondHasher::Sha512(hasher)) => {
                *value == URL_SAFE_NO_PAD.encode(hasher.finalize())
            }
            _ => false,
        };
        matches.then_some(sha256)
    }
}
