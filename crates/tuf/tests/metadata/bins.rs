//! Which bin a path falls into, and what the bins are called.

use tuf::json::Object;
use tuf::metadata::{RoleKeys, SuccinctRoles};

fn bins(bit_length: u8) -> SuccinctRoles {
    let keys = RoleKeys { key_ids: Vec::new(), threshold: 1, other: Object::new() };
    SuccinctRoles { keys, bit_length, name_prefix: "bins".to_owned() }
}

/// Computed with Python: `int.from_bytes(sha256(path).digest()[:4], "big") >> (32 - bit_length)`.
#[test]
fn bins_of_paths() {
    let paths = ["", "a", "projects/pip.html", "ä/b"];
    let cases = [
        (1, ["bins-1", "bins-1", "bins-1", "bins-0"]),
        (8, ["bins-e3", "bins-ca", "bins-e2", "bins-1c"]),
        (14, ["bins-38ec", "bins-32a5", "bins-3897", "bins-0731"]),
        (32, ["bins-e3b0c442", "bins-ca978112", "bins-e25d6d1f", "bins-1cc6ae74"]),
    ];
    for (bit_length, expected) in cases {
        for (path, expected) in paths.into_iter().zip(expected) {
            assert_eq!(bins(bit_length).bin(path).as_str(), expected, "{path} in 2^{bit_length}");
        }
    }
}

#[test]
fn names_of_all_bins() {
    let names = |bit_length| bins(bit_length).bins().map(|name| name.to_string()).collect::<Vec<_>>();
    assert_eq!(names(1), ["bins-0", "bins-1"]);
    assert_eq!(names(4).len(), 16);
    assert_eq!(names(5)[31], "bins-1f");
    let all = names(14);
    assert_eq!((all.len(), all[0].as_str(), all[16_383].as_str()), (16_384, "bins-0000", "bins-3fff"));
    assert_eq!(bins(32).bins().next().unwrap().as_str(), "bins-00000000");
}

/// The field is public: nonsense in it must not panic.
#[test]
fn lengths_beyond_the_limits() {
    assert_eq!(bins(0).bin("a").as_str(), "bins-0");
    assert_eq!(bins(255).bin("a").as_str(), "bins-ca978112");
}
