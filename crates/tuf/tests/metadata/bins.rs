//! Which bin a path falls into, and what the bins are called.

use tuf::SigningKey;
use tuf::json::Object;
use tuf::metadata::{DelegatedRoles, Delegations, PathPattern, PathSet, RoleKeys, SuccinctRoles};

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

#[test]
fn delegations_are_made_with_their_keys() {
    let [first, second] = [1, 2].map(|seed| SigningKey::ed25519(&[seed; 32]));
    let keys = [first.public().clone(), second.public().clone()];
    for out_of_range in [0, 33, 200] {
        assert_eq!(Delegations::succinct(&keys, 1, out_of_range, "bins"), None);
    }
    let mut bins = Delegations::succinct(&keys, 2, 4, "bins").unwrap();
    let DelegatedRoles::Succinct(roles) = &bins.roles else { panic!() };
    assert_eq!((roles.bins().count(), roles.keys.threshold), (16, 2));
    assert!(roles.keys.key_ids.iter().all(|key_id| bins.keys.contains_key(key_id)));
    let everything = || PathSet::Patterns(vec![PathPattern::new("*")]);
    assert!(bins.add("role", &keys, 1, everything()).is_none());

    let mut listed = Delegations::new(&[], DelegatedRoles::Listed(Vec::new()));
    listed.add("first", &keys[..1], 1, everything()).unwrap().terminating = Some(true);
    listed.add("second", &keys, 2, everything()).unwrap();
    let DelegatedRoles::Listed(roles) = &listed.roles else { panic!() };
    let found: Vec<_> =
        roles.iter().map(|role| (role.name.as_str(), role.is_terminating(), role.keys.threshold)).collect();
    assert_eq!(found, [("first", true, 1), ("second", false, 2)]);
    assert_eq!(listed.keys.len(), 2);
}
