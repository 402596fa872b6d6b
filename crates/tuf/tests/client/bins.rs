//! Hashed bins (`path_hash_prefixes`) and succinct ones (TAP 15), as PEP 458 uses them.

use tuf::json::Value;
use tuf::metadata::{DelegatedRoles, HashPrefix, PathSet};
use tuf::{AbsenceDoubt, Action, Check, Error, LookUp};

use super::simulator::{Instead, Machine, Order, Repository, found, object_of, refused, searched, sign, sign_object};

/// A repository with bins of one kind: 256 hashed ones, or succinct ones of so many bits.
fn repository(bits: Option<u8>) -> Repository {
    let mut repository = Repository::new();
    match bits {
        None => repository.delegate_hash_bins("targets", 2),
        Some(bits) => repository.delegate_succinct("targets", bits),
    }
    repository
}

const KINDS: [Option<u8>; 5] = [None, Some(1), Some(4), Some(5), Some(10)];

#[test]
fn a_target_is_found_in_the_bin_of_its_hash() -> Result<(), Error> {
    for kind in KINDS {
        let mut repository = repository(kind);
        let paths: Vec<_> = (0..30).map(|number| format!("simple/project-{number}/file.whl")).collect();
        for path in &paths {
            let bin = repository.bin("targets", path);
            repository.add_target(&bin, path, path.as_bytes());
        }
        repository.publish();
        let mut machine = Machine::trusting(&repository);
        let paths: Vec<_> = paths.iter().map(String::as_str).collect();
        for (path, result) in paths.iter().zip(machine.look_up_all(&repository, &paths)?) {
            let target = found(result?);
            assert_eq!(target.length, path.len() as u64);
            let roles: Vec<_> = target.roles.iter().map(|role| role.to_string()).collect();
            assert_eq!(roles, ["targets".to_owned(), repository.bin("targets", path)]);
        }
        let path = "simple/nowhere/";
        assert_eq!(
            searched(machine.look_up(&repository, path)?),
            ["targets".to_owned(), repository.bin("targets", path)]
        );
    }
    Ok(())
}

/// Known hashes: SHA-256 of `a` begins with ca97, of `b` with 3e23.
#[test]
fn bins_have_the_names_that_the_specifications_give_them() {
    for (bits, a, b) in
        [(1, "bin-1", "bin-0"), (3, "bin-6", "bin-1"), (8, "bin-ca", "bin-3e"), (10, "bin-32a", "bin-0f8")]
    {
        let repository = repository(Some(bits));
        assert_eq!((repository.bin("targets", "a"), repository.bin("targets", "b")), (a.to_owned(), b.to_owned()));
    }
    assert_eq!(repository(None).bin("targets", "a"), "bin-ca");
}

#[test]
fn a_target_in_another_bin_than_that_of_its_hash_does_not_exist() -> Result<(), Error> {
    for kind in KINDS {
        let mut repository = repository(kind);
        let own = repository.bin("targets", "a");
        let bins: Vec<_> = repository.delegated.keys().filter(|bin| **bin != own).cloned().collect();
        for bin in bins {
            repository.add_target(&bin, "a", b"evil");
        }
        repository.publish();
        let mut machine = Machine::trusting(&repository);
        assert_eq!(searched(machine.look_up(&repository, "a")?), ["targets".to_owned(), own]);
    }
    Ok(())
}

/// Why a target that was not found may exist.
#[track_caller]
fn doubt(look_up: LookUp) -> Option<AbsenceDoubt> {
    let LookUp::NotFound { doubt, .. } = look_up else { panic!("{look_up:?}") };
    doubt
}

#[test]
fn there_is_no_doubt_about_a_bin_that_has_targets_or_a_hash() -> Result<(), Error> {
    for kind in KINDS {
        let mut repository = repository(kind);
        let own = repository.bin("targets", "a");
        repository.publish();
        let mut machine = Machine::trusting(&repository);
        assert_eq!(doubt(machine.look_up(&repository, "a")?), Some(AbsenceDoubt::Bin(own.as_str().into())));
        let mut hashed = repository.clone();
        hashed.describes_content = true;
        hashed.publish();
        let mut machine = Machine::trusting(&hashed);
        assert_eq!(doubt(machine.look_up(&hashed, "a")?), None);
        // Any target of the bin will do.
        let sibling = (0..).map(|number| format!("file-{number}"));
        let sibling = sibling.into_iter().find(|path| repository.bin("targets", path) == own).unwrap();
        repository.add_target(&own, &sibling, b"content");
        repository.publish();
        let mut machine = Machine::trusting(&repository);
        assert_eq!(doubt(machine.look_up(&repository, "a")?), None);
    }
    Ok(())
}

/// All bins have the same key, so a signature says nothing about which bin it is.
#[test]
fn the_metadata_of_another_bin_is_refused_or_does_not_have_the_target() -> Result<(), Error> {
    for kind in KINDS {
        let mut repository = repository(kind);
        let own = repository.bin("targets", "a");
        let other = repository.bin("targets", "b");
        repository.add_target(&own, "a", b"content");
        repository.publish();

        // Nothing tells the files apart but what they list, which is nothing, or is another bin's.
        for _ in 0..2 {
            repository.serve(&format!("1.{own}.json"), Instead::Body(repository.file(&other)));
            let mut machine = Machine::trusting(&repository);
            assert_eq!(doubt(machine.look_up(&repository, "a")?), Some(AbsenceDoubt::Bin(own.as_str().into())));
            // Nothing of that stays when the repository can be reached again.
            assert!(machine.stored_role(&own).is_none());
            repository.serve_honestly();
            found(machine.look_up(&repository, "a")?);
            repository.add_target(&other, "b", b"content");
            repository.publish();
        }

        // Another version, or another hash.
        let mut machine = Machine::trusting(&repository);
        repository.release(&own);
        repository.serve(&format!("2.{own}.json"), Instead::Body(repository.file(&other)));
        refused(machine.look_up(&repository, "a"), Check::Version, &own, 2);
        repository.serve_honestly();
        repository.describes_content = true;
        repository.publish();
        repository.release_timestamp();
        repository.release_snapshot();
        repository.serve(&format!("2.{own}.json"), Instead::Body(repository.file(&other)));
        let mut machine = Machine::trusting(&repository);
        refused(machine.look_up(&repository, "a"), Check::LengthAndHashes, &own, 2);
        repository.serve_honestly();
        found(machine.look_up(&repository, "a")?);
    }
    Ok(())
}

#[test]
fn an_old_file_of_a_bin_is_not_the_new_one() -> Result<(), Error> {
    for kind in KINDS {
        let mut repository = repository(kind);
        let bin = repository.bin("targets", "a");
        repository.add_target(&bin, "a", b"vulnerable");
        repository.publish();
        let old = repository.clone();
        repository.add_target(&bin, "a", b"repaired");
        repository.release(&bin);
        let mut machine = Machine::trusting(&repository);
        let repaired = found(machine.look_up(&repository, "a")?);
        repository.serve(&format!("2.{bin}.json"), Instead::Body(old.file(&bin)));
        // It is stored, so nothing is asked; without it, the old one is refused.
        assert_eq!(found(machine.look_up(&repository, "a")?), repaired);
        machine.stored.retain(|file, _| !matches!(file, tuf::StoredFile::Delegated(_)));
        refused(machine.look_up(&repository, "a"), Check::Version, &bin, 2);
    }
    Ok(())
}

#[test]
fn each_bin_is_fetched_once_and_all_of_them_at_once() -> Result<(), Error> {
    for kind in KINDS {
        let mut repository = repository(kind);
        repository.publish();
        let mut machine = Machine::refreshed(&repository);
        machine.order = Order::RoundTrips;
        let paths: Vec<_> = (0..20).map(|number| format!("path{number}")).collect();
        let paths: Vec<_> = paths.iter().map(String::as_str).collect();
        let mut bins: Vec<_> = paths.iter().map(|path| format!("1.{}.json", repository.bin("targets", path))).collect();
        bins.sort();
        bins.dedup();
        machine.look_up_all(&repository, &paths)?;
        let [first, second] = machine.round_trips.as_slice() else { panic!("{:?}", machine.round_trips) };
        assert_eq!(first, &["2.root.json", "timestamp.json"]);
        let mut fetched = second.clone();
        fetched.sort();
        assert_eq!(fetched, bins);
    }
    Ok(())
}

#[test]
fn hash_prefixes_of_several_lengths_are_asked_in_order_of_the_delegations() -> Result<(), Error> {
    let mut repository = Repository::new();
    let prefixes = |prefixes: &[&str]| {
        PathSet::HashPrefixes(prefixes.iter().map(|prefix| HashPrefix::new(prefix).unwrap()).collect())
    };
    // SHA-256 of `a` begins with ca978112.
    let delegations: [(&str, &[&str]); 5] = [
        ("long", &["ca9781"]),
        ("other", &["cb", "0"]),
        ("short", &["0", "c"]),
        ("longer", &["ca978112"]),
        ("near", &["ca978113"]),
    ];
    for (role, of_role) in delegations {
        repository.delegate_role("targets", role, prefixes(of_role), false);
    }
    repository.delegate("targets", "pattern", &["*"]);
    repository.publish();
    let mut machine = Machine::trusting(&repository);
    assert_eq!(searched(machine.look_up(&repository, "a")?), ["targets", "long", "short", "longer", "pattern"]);
    Ok(())
}

#[test]
fn prefixes_and_bit_lengths_out_of_range_are_refused_without_counting_to_them() {
    let repository = repository(Some(4));
    for bit_length in [Value::Unsigned(0), Value::Unsigned(33), Value::Negative(-1), Value::Unsigned(1_000_000_000)] {
        let mut repository = repository.clone();
        let mut signed = object_of(&repository.targets);
        let Some(Value::Object(mut delegations)) = signed.remove("delegations") else { panic!() };
        let Some(Value::Object(mut succinct)) = delegations.remove("succinct_roles") else { panic!() };
        succinct.insert("bit_length", bit_length);
        delegations.insert("succinct_roles", succinct);
        signed.insert("delegations", delegations);
        let bytes = sign_object(&signed, &repository.signers["targets"]);
        repository.publish_role_bytes("targets", 1, bytes);
        repository.publish_snapshot();
        repository.publish_timestamp();
        let mut machine = Machine::trusting(&repository);
        refused(machine.refresh(&repository), Check::Format, "targets", 1);
    }
}

/// 2^32 bins cost nothing; a name prefix is no path.
#[test]
fn the_most_bins_there_can_be() -> Result<(), Error> {
    let mut repository = repository(Some(1));
    let DelegatedRoles::Succinct(succinct) = &mut repository.targets.delegations.as_mut().unwrap().roles else {
        panic!()
    };
    succinct.bit_length = 32;
    succinct.name_prefix = "../bins".to_owned();
    repository.delegated.clear();
    repository.publish();
    let mut machine = Machine::trusting(&repository);
    refused(machine.look_up(&repository, "a"), Check::InSnapshot, "../bins-ca978112", None);
    let signers = repository.signers["bin-0"].clone();
    let mut bin = repository.targets.clone();
    bin.delegations = None;
    repository.publish_role_bytes("../bins-ca978112", 1, sign(&bin, &signers));
    repository.release_snapshot();
    searched(machine.look_up(&repository, "a")?);
    assert_eq!(machine.requested.last().unwrap(), "1...%2Fbins-ca978112.json");
    Ok(())
}

#[test]
fn listed_roles_and_succinct_ones_at_once_are_refused() {
    let repository = repository(Some(4));
    let mut signed = object_of(&repository.targets);
    let Some(Value::Object(mut delegations)) = signed.remove("delegations") else { panic!() };
    delegations.insert("roles", Value::Array(Vec::new()));
    signed.insert("delegations", delegations);
    let mut repository = repository.clone();
    let bytes = sign_object(&signed, &repository.signers["targets"]);
    repository.publish_role_bytes("targets", 1, bytes);
    repository.publish_snapshot();
    repository.publish_timestamp();
    let error = refused(Machine::trusting(&repository).refresh(&repository), Check::Format, "targets", 1);
    assert_eq!(error.action(), Action::DoNotTrust);
}
