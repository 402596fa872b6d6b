//! Delegated roles that are not what they should be: each is verified like the top-level ones, and none is passed over.

use tuf::json::{Object, Value};
use tuf::metadata::{PathPattern, PathSet};
use tuf::{Action, Check, Error, Key, KeyId, StoredFile};

use super::simulator::{
    Instead, Machine, Repository, Signer, ed25519, ed25519_keys, found, object_of, refused, searched, sign, sign_object,
};

fn everything() -> PathSet {
    PathSet::Patterns(vec![PathPattern::new("*")])
}

/// `file` is listed by `role`, which two of three keys sign.
fn two_of_three() -> (Repository, Vec<Signer>) {
    let mut repository = Repository::new();
    let signers = ed25519_keys([60, 61, 62]);
    repository.delegate_to("targets", "role", &signers, 2, everything());
    repository.add_target("role", "file", b"content");
    repository.publish();
    (repository, signers)
}

#[test]
fn a_role_signed_by_fewer_keys_than_its_threshold() -> Result<(), Error> {
    let (mut repository, signers) = two_of_three();
    for too_few in [vec![], vec![signers[0].clone()], vec![signers[0].clone(), ed25519(99)], ed25519_keys([4, 98, 99])]
    {
        repository.signers.insert("role".to_owned(), too_few);
        repository.publish();
        let mut machine = Machine::trusting(&repository);
        refused(machine.look_up(&repository, "file"), Check::Signatures, "role", 1);
        assert_eq!(machine.trusts(), "root 1, timestamp 1, snapshot 1, targets 1");
        repository.signers.insert("role".to_owned(), signers[1..].to_vec());
        repository.publish();
        found(machine.look_up(&repository, "file")?);
        assert_eq!(machine.trusts(), "root 1, timestamp 1, snapshot 1, targets 1, role 1");
    }
    Ok(())
}

/// One key under two names signs twice.
#[test]
fn one_key_under_two_names_counts_once() {
    let (mut repository, signers) = two_of_three();
    let alias = KeyId("another name".to_owned());
    let delegations = repository.targets.delegations.as_mut().unwrap();
    delegations.keys.insert(alias.clone(), signers[0].public().clone());
    // Upper-case hex is the same key.
    let Value::Object(mut shouted) = signers[0].public().to_value() else { unreachable!() };
    let mut value = Object::new();
    let public = shouted.get("keyval").and_then(Value::as_object).unwrap().get("public").unwrap();
    value.insert("public", public.as_str().unwrap().to_uppercase());
    shouted.insert("keyval", value);
    let shouted_alias = KeyId("a third name".to_owned());
    delegations.keys.insert(shouted_alias.clone(), Key::from_value(&Value::Object(shouted)).unwrap());
    let role = repository.delegation("targets", "role");
    role.keys.key_ids.extend([alias.clone(), shouted_alias.clone()]);
    repository.publish_role("targets");

    let mut metadata = tuf::metadata::Metadata::new(repository.role("role").clone());
    metadata.sign(&signers[0]);
    for name in [alias, shouted_alias] {
        let signature = metadata.signatures[0].signature.clone();
        metadata.add_signature(tuf::Signature { key_id: name, signature, other: Object::new() });
    }
    assert_eq!(metadata.signatures.len(), 3);
    repository.publish_role_bytes("role", 1, metadata.to_bytes());
    repository.publish_snapshot();
    repository.publish_timestamp();
    let mut machine = Machine::trusting(&repository);
    let error = refused(machine.look_up(&repository, "file"), Check::Signatures, "role", 1);
    assert_eq!(error.found(), "1");
}

#[test]
fn a_role_of_another_version_length_or_hash_than_the_snapshot_lists() -> Result<(), Error> {
    for describes_content in [false, true] {
        let (mut repository, signers) = two_of_three();
        repository.describes_content = describes_content;
        repository.release("role");
        let genuine_but_old = repository.published["1.role.json"].clone();
        let mut other = repository.role("role").clone();
        other.targets.clear();
        let same_version_other_content = sign(&other, &signers);
        other.version = 3;
        let newer = sign(&other, &signers);
        let longer = [repository.file("role"), b" ".to_vec()].concat();
        let shorter = repository.file("role")[1..].to_vec();
        let check = |unlisted| if describes_content { Check::LengthAndHashes } else { unlisted };
        let mut cases = vec![
            (genuine_but_old, check(Check::Version)),
            (newer, check(Check::Version)),
            (shorter, check(Check::Format)),
        ];
        if describes_content {
            cases.push((same_version_other_content, Check::LengthAndHashes));
            // Longer than signed: that much is not even read.
            cases.push((longer, Check::Size));
        }
        for (bytes, check) in cases {
            let mut machine = Machine::trusting(&repository);
            repository.serve("2.role.json", Instead::Body(bytes));
            // A shorter one is of another length as well, if that is signed.
            refused(machine.look_up(&repository, "file"), check, "role", 2);
            assert!(machine.stored_role("role").is_none());
            repository.serve_honestly();
            found(machine.look_up(&repository, "file")?);
        }
    }
    Ok(())
}

#[test]
fn a_role_that_the_snapshot_does_not_list_is_not_even_asked_for() -> Result<(), Error> {
    let (mut repository, _) = two_of_three();
    let listed = repository.snapshot.meta.remove("role.json").unwrap();
    repository.publish_snapshot();
    let mut machine = Machine::trusting(&repository);
    refused(machine.look_up(&repository, "file"), Check::InSnapshot, "role", None);
    refused(machine.look_up(&repository, "file"), Check::InSnapshot, "role", None);
    assert_eq!(machine.requested, ["2.root.json", "timestamp.json"]);
    repository.snapshot.meta.insert("role.json".to_owned(), listed);
    repository.release_snapshot();
    found(machine.look_up(&repository, "file")?);
    Ok(())
}

/// The first delegation cannot be verified; the second one would answer.
#[test]
fn no_later_role_answers_in_the_place_of_one_that_fails() -> Result<(), Error> {
    let (mut repository, signers) = two_of_three();
    repository.delegate("targets", "later", &["*"]);
    repository.add_target("later", "file", b"evil");
    repository.publish();
    let unsigned = sign(repository.role("role"), &signers[..1]);
    for (instead, check) in [
        (Instead::Absent, Check::Present),
        (Instead::Failed, Check::Reachable),
        (Instead::Endless, Check::Size),
        (Instead::Body(b"{}".to_vec()), Check::Format),
        (Instead::Body(unsigned), Check::Signatures),
        (Instead::Body(repository.file("snapshot")), Check::Type),
    ] {
        let mut machine = Machine::trusting(&repository);
        repository.serve("1.role.json", instead);
        for _ in 0..2 {
            refused(machine.look_up(&repository, "file"), check, "role", 1);
            assert!(!machine.requested.contains(&"1.later.json".to_owned()));
        }
        repository.serve_honestly();
        found(machine.look_up(&repository, "file")?);
    }
    Ok(())
}

/// Reached through A it is signed by A's key, and B, who wants another key, is not to be fooled by that.
#[test]
fn a_role_with_two_delegators_must_satisfy_the_one_it_is_reached_through() -> Result<(), Error> {
    for (signers, through_a, through_b) in
        [(vec![70], true, false), (vec![71], false, true), (vec![70, 71], true, true)]
    {
        let mut repository = Repository::new();
        repository.delegate("targets", "A", &["a*"]);
        repository.delegate("targets", "B", &["b*"]);
        repository.delegate_to("A", "C", &[ed25519(70)], 1, everything());
        repository.delegate_to("B", "C", &[ed25519(71)], 1, everything());
        repository.signers.insert("C".to_owned(), ed25519_keys(signers));
        repository.add_target("C", "a-file", b"content");
        repository.add_target("C", "b-file", b"content");
        repository.publish();
        for paths in [["a-file", "b-file"], ["b-file", "a-file"]] {
            let mut machine = Machine::trusting(&repository);
            // In one run, and then with what that run stored.
            for run in 0..2 {
                for (path, result) in paths.iter().zip(machine.look_up_all(&repository, &paths)?) {
                    if if *path == "a-file" { through_a } else { through_b } {
                        found(result?);
                    } else {
                        refused(result, Check::Signatures, "C", 1);
                    }
                }
                let fetched = machine.requested.iter().filter(|name| *name == "1.C.json").count();
                let written =
                    machine.written.iter().filter(|(file, _)| *file == StoredFile::Delegated("C".into())).count();
                assert_eq!(written, usize::from(run == 0), "kept once, whoever accepts it");
                // The stored one does not satisfy everybody, so the repository is asked whether it has another; and once
                // more by the second delegator if the first one refused it, since what is refused is not held.
                let expected = match (through_a, through_b, run) {
                    (true, true, 0) => 1..=1,
                    (true, true, _) => 0..=0,
                    _ => 1..=2,
                };
                assert!(expected.contains(&fetched), "{fetched}");
            }
            assert_eq!(machine.trusts(), "root 1, timestamp 1, snapshot 1, targets 1, A 1, B 1, C 1");
        }
    }
    Ok(())
}

/// From the local store it is judged by today's delegation.
#[test]
fn a_stored_role_whose_keys_were_taken_away_is_not_used() -> Result<(), Error> {
    let (mut repository, _) = two_of_three();
    let mut machine = Machine::trusting(&repository);
    found(machine.look_up(&repository, "file")?);
    repository.targets.delegations = None;
    repository.delegate_to("targets", "role", &ed25519_keys([63]), 1, everything());
    repository.release("targets");
    refused(machine.look_up(&repository, "file"), Check::Signatures, "role", 1);
    repository.signers.insert("role".to_owned(), ed25519_keys([63]));
    repository.release("role");
    found(machine.look_up(&repository, "file")?);
    assert_eq!(machine.trusts(), "root 1, timestamp 3, snapshot 3, targets 2, role 2");
    Ok(())
}

/// TAP 3: several roles must agree. To ignore that would be to trust one of them alone.
#[test]
fn delegations_to_several_roles_at_once_call_for_a_newer_program() -> Result<(), Error> {
    let mut repository = Repository::new();
    repository.delegate("targets", "role", &["*"]);
    repository.delegate("role", "below", &["*"]);
    repository.publish();
    let Some(Value::Object(mut delegations)) = object_of(repository.role("role")).remove("delegations") else {
        panic!()
    };
    let Some(Value::Array(mut roles)) = delegations.remove("roles") else { panic!() };
    let Some(Value::Object(mut role)) = roles.pop() else { panic!() };
    role.insert("min_roles_in_agreement", 2);
    delegations.insert("roles", vec![Value::Object(role)]);
    let mut signed = object_of(repository.role("role"));
    signed.insert("delegations", delegations);
    let bytes = sign_object(&signed, &repository.signers["role"]);
    repository.publish_role_bytes("role", 1, bytes);
    repository.publish_snapshot();
    repository.publish_timestamp();
    let mut machine = Machine::trusting(&repository);
    let error = refused(machine.look_up(&repository, "file"), Check::Supported, "role", 1);
    assert_eq!(error.action(), Action::Upgrade);
    assert!(machine.stored_role("role").is_none());

    repository.release("role");
    assert_eq!(searched(machine.look_up(&repository, "file")?), ["targets", "role", "below"]);
    Ok(())
}

/// An error is about one target; the others are found in the same epoch.
#[test]
fn a_broken_role_spoils_only_the_look_ups_that_need_it() -> Result<(), Error> {
    let mut repository = Repository::new();
    repository.delegate("targets", "A", &["a*"]);
    repository.delegate("targets", "B", &["b*"]);
    repository.add_target("B", "b", b"content");
    repository.publish();
    repository.serve("1.A.json", Instead::Body(repository.file("B")));
    let mut machine = Machine::trusting(&repository);
    let [broken, sound] = machine.look_up_all(&repository, &["a", "b"])?.try_into().unwrap();
    refused(broken, Check::Signatures, "A", 1);
    found(sound?);
    assert_eq!(machine.trusts(), "root 1, timestamp 1, snapshot 1, targets 1, B 1");
    Ok(())
}

/// The roles that a broken delegation would name do not exist for the client.
#[test]
fn delegations_out_of_form_are_refused() {
    let mut repository = Repository::new();
    repository.delegate("targets", "A", &["*"]);
    repository.publish();
    let role = |change: &dyn Fn(&mut Object<'static>)| {
        let mut signed = object_of(&repository.targets);
        let Some(Value::Object(mut delegations)) = signed.remove("delegations") else { panic!() };
        let Some(Value::Array(mut roles)) = delegations.remove("roles") else { panic!() };
        let Some(Value::Object(mut role)) = roles.pop() else { panic!() };
        change(&mut role);
        delegations.insert("roles", vec![Value::Object(role)]);
        signed.insert("delegations", delegations);
        signed
    };
    let texts = |texts: &[&'static str]| Value::Array(texts.iter().map(|text| Value::from(*text)).collect());
    let changes: [&dyn Fn(&mut Object<'static>); 14] = [
        &|role| _ = role.insert("name", "root"),
        &|role| _ = role.insert("name", "targets"),
        &|role| _ = role.insert("name", ""),
        &|role| _ = role.remove("paths"),
        &|role| _ = role.insert("path_hash_prefixes", texts(&["00"])),
        &|role| {
            role.remove("paths");
            role.insert("path_hash_prefixes", texts(&["0A"]));
        },
        &|role| {
            role.remove("paths");
            role.insert("path_hash_prefixes", texts(&["xy"]));
        },
        &|role| {
            role.remove("paths");
            role.insert("path_hash_prefixes", texts(&[""]));
        },
        &|role| _ = role.insert("threshold", 0),
        &|role| _ = role.insert("threshold", Value::Negative(-1)),
        &|role| _ = role.insert("threshold", 1 << 32),
        &|role| _ = role.insert("threshold", "1"),
        &|role| _ = role.insert("terminating", "no"),
        &|role| _ = role.remove("keyids"),
    ];
    for change in changes {
        let mut repository = repository.clone();
        let bytes = sign_object(&role(change), &repository.signers["targets"]);
        repository.publish_role_bytes("targets", 1, bytes);
        repository.publish_snapshot();
        repository.publish_timestamp();
        let mut machine = Machine::trusting(&repository);
        refused(machine.refresh(&repository), Check::Format, "targets", 1);
        assert_eq!(machine.trusts(), "root 1, timestamp 1, snapshot 1");
    }
}

/// Anybody can send files as large as the limit, for each role that is looked into. To hold them all would fill the memory, so a
/// second delegator of the role has to ask for it again; look-ups through the same one do not.
#[test]
fn what_is_refused_is_not_held() -> Result<(), Error> {
    let mut repository = Repository::new();
    for delegator in ["A", "B"] {
        repository.delegate("targets", delegator, &[&format!("{}*", delegator.to_lowercase())]);
        repository.delegate_to(delegator, "C", &[ed25519(70)], 1, everything());
    }
    repository.signers.insert("C".to_owned(), vec![ed25519(71)]);
    repository.publish();
    let mut machine = Machine::refreshed(&repository);
    for result in machine.look_up_all(&repository, &["a-1", "a-2", "b-1", "b-2"])? {
        refused(result, Check::Signatures, "C", 1);
    }
    assert_eq!(machine.requested.iter().filter(|name| *name == "1.C.json").count(), 2);
    Ok(())
}
