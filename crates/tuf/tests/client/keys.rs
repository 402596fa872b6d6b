//! Keys, thresholds and signatures: what counts, what does not, and what spoils nothing.

use tuf::json::{Object, Value};
use tuf::metadata::{Metadata, Snapshot, TopLevelRole};
use tuf::{Action, Check, Error, Key, KeyId, Signature};

use super::simulator::{Machine, Repository, ecdsa, ed25519, ed25519_keys, object_of, refused, sign_object};

const SNAPSHOT: TopLevelRole = TopLevelRole::Snapshot;

/// The snapshot needs signatures of three of five keys.
fn three_of_five() -> Repository {
    let mut repository = Repository::new();
    repository.rotate(SNAPSHOT, &ed25519_keys(30..35), 3);
    repository.publish();
    repository
}

fn publish(repository: &mut Repository, snapshot: &Metadata<Snapshot>) {
    repository.published.insert("1.snapshot.json".to_owned(), snapshot.to_bytes());
}

fn signed_by(repository: &Repository, numbers: &[u16]) -> Metadata<Snapshot> {
    let mut snapshot = Metadata::new(repository.snapshot.clone());
    for key in ed25519_keys(numbers.iter().copied()) {
        snapshot.sign(&key);
    }
    snapshot
}

fn signature(key_id: &KeyId, signature: &str) -> Signature {
    Signature { key_id: key_id.clone(), signature: signature.to_owned(), other: Object::new() }
}

#[test]
fn fewer_signatures_than_the_threshold() -> Result<(), Error> {
    let mut repository = three_of_five();
    for too_few in [&[30, 31][..], &[30, 31, 99], &[], &[1, 2, 4]] {
        let snapshot = signed_by(&repository, too_few);
        publish(&mut repository, &snapshot);
        let mut machine = Machine::trusting(&repository);
        refused(machine.refresh(&repository), Check::Signatures, "snapshot", 1);
        assert_eq!(machine.trusts(), "root 2, timestamp 1");
        let snapshot = signed_by(&repository, &[34, 32, 30]);
        publish(&mut repository, &snapshot);
        machine.refresh(&repository)?;
    }
    Ok(())
}

#[test]
fn a_threshold_that_no_number_of_keys_can_meet() {
    let mut repository = Repository::new();
    repository.rotate(SNAPSHOT, &ed25519_keys(30..35), 6);
    repository.publish();
    refused(Machine::trusting(&repository).refresh(&repository), Check::Signatures, "snapshot", 1);
}

#[test]
fn a_key_listed_often_is_refused_and_one_under_many_names_counts_once() {
    let mut twice = three_of_five();
    let key_ids = &mut twice.root.roles.get_mut(&SNAPSHOT).unwrap().key_ids;
    key_ids.push(key_ids[0].clone());
    twice.release_root();
    let mut machine = Machine::trusting(&three_of_five());
    refused(machine.refresh(&twice), Check::Format, "root", 3);

    let mut aliased = three_of_five();
    let names: Vec<_> = (0..9).map(|number| KeyId(format!("name {number}"))).collect();
    for name in &names {
        aliased.root.keys.insert(name.clone(), ed25519(30).public().clone());
        aliased.root.roles.get_mut(&SNAPSHOT).unwrap().key_ids.push(name.clone());
    }
    aliased.release_root();
    let mut snapshot = signed_by(&aliased, &[30, 31]);
    for name in &names {
        let of_key = snapshot.signatures[0].signature.clone();
        snapshot.add_signature(signature(name, &of_key));
    }
    publish(&mut aliased, &snapshot);
    let error = refused(Machine::trusting(&aliased).refresh(&aliased), Check::Signatures, "snapshot", 1);
    assert_eq!(error.found(), "2");
}

#[test]
fn two_signatures_with_one_key_id_spoil_the_file() -> Result<(), Error> {
    let mut repository = three_of_five();
    let mut snapshot = signed_by(&repository, &[30, 31, 32, 33]);
    snapshot.signatures.push(snapshot.signatures[0].clone());
    publish(&mut repository, &snapshot);
    let mut machine = Machine::trusting(&repository);
    refused(machine.refresh(&repository), Check::Format, "snapshot", 1);
    assert_eq!(machine.trusts(), "root 2, timestamp 1");
    repository.publish();
    machine.refresh(&repository)?;
    Ok(())
}

#[test]
fn signatures_that_do_not_count_spoil_nothing() -> Result<(), Error> {
    let mut repository = three_of_five();
    let fourth = ed25519(33).key_id().clone();
    let fifth = ed25519(34).key_id().clone();
    let stranger = KeyId("stranger".to_owned());
    for worthless in
        ["", "00", "not hex", "é", &"0".repeat(127), &"0".repeat(128), &"f".repeat(128), &"0".repeat(100_000)]
    {
        let mut snapshot = signed_by(&repository, &[30, 31, 32]);
        for key_id in [&stranger, &fifth, &fourth] {
            snapshot.signatures.insert(0, signature(key_id, worthless));
        }
        publish(&mut repository, &snapshot);
        Machine::trusting(&repository).refresh(&repository)?;
        // And they do not help.
        snapshot.signatures.pop();
        publish(&mut repository, &snapshot);
        refused(Machine::trusting(&repository).refresh(&repository), Check::Signatures, "snapshot", 1);
    }
    Ok(())
}

#[test]
fn a_signature_over_other_content_or_by_another_key_does_not_count() {
    let mut repository = three_of_five();
    let mut snapshot = signed_by(&repository, &[30, 31]);
    let mut other = repository.snapshot.clone();
    other.version = 7;
    let elsewhere = Metadata { signed: other, signatures: Vec::new() };
    snapshot.add_signature(ed25519(32).sign(&elsewhere.signing_bytes()));
    let by_another = ed25519(98).sign(&snapshot.signing_bytes()).signature;
    snapshot.add_signature(signature(ed25519(33).key_id(), &by_another));
    publish(&mut repository, &snapshot);
    refused(Machine::trusting(&repository).refresh(&repository), Check::Signatures, "snapshot", 1);
}

#[test]
fn kinds_of_keys_may_be_mixed() -> Result<(), Error> {
    let mut repository = Repository::new();
    let signers = [ed25519(30), ecdsa(31), ecdsa(32)];
    for role in TopLevelRole::ALL {
        repository.set_signers(role, &signers, 3);
    }
    repository.release_root();
    repository.publish();
    Machine::trusting(&repository).refresh(&repository)?;
    for role in TopLevelRole::ALL {
        repository.signers.insert(role.name().to_owned(), signers[1..].to_vec());
    }
    repository.publish();
    refused(Machine::trusting(&repository).refresh(&repository), Check::Signatures, "timestamp", None);
    Ok(())
}

/// An ECDSA signature in the place of one by an Ed25519 key, and the other way round.
#[test]
fn a_signature_of_another_kind_does_not_count() {
    for (listed, signing) in [(ed25519(30), ecdsa(30)), (ecdsa(30), ed25519(30))] {
        let mut repository = Repository::new();
        repository.rotate(SNAPSHOT, std::slice::from_ref(&listed), 1);
        let mut snapshot = Metadata::new(repository.snapshot.clone());
        let of_other = signing.sign(&snapshot.signing_bytes()).signature;
        snapshot.add_signature(signature(listed.key_id(), &of_other));
        publish(&mut repository, &snapshot);
        refused(Machine::trusting(&repository).refresh(&repository), Check::Signatures, "snapshot", 1);
    }
}

fn key(key_type: &'static str, scheme: &'static str, public: String) -> Key {
    let mut values = Object::new();
    values.insert("public", public);
    let mut object = Object::new();
    object.insert("keytype", key_type);
    object.insert("scheme", scheme);
    object.insert("keyval", values);
    Key::from_value(&Value::Object(object)).unwrap()
}

/// They take no part, and the others do.
#[test]
fn keys_that_cannot_be_used_spoil_nothing() -> Result<(), Error> {
    let useless = [
        key("ed25519", "ed25519", "00".repeat(32)),
        key("ed25519", "ed25519", "ff".repeat(31)),
        key("ed25519", "ed25519", "x".repeat(1 << 18)),
        key("ecdsa", "ecdsa-sha2-nistp256", "no PEM".to_owned()),
        key("rsa", "rsassa-pss-sha256", String::new()),
        key("rsa", "rsa-pkcs1v15-sha1", String::new()),
        key("sphincs", "sphincs-shake-128s", String::new()),
    ];
    let mut repository = Repository::new();
    for useless in &useless {
        repository.root.keys.insert(useless.identifier(), useless.clone());
        repository.root.roles.get_mut(&SNAPSHOT).unwrap().key_ids.push(useless.identifier());
    }
    repository.root.roles.get_mut(&SNAPSHOT).unwrap().key_ids.push(KeyId("without a key".to_owned()));
    repository.release_root();
    let mut snapshot = signed_by(&repository, &[3]);
    for useless in &useless {
        snapshot.add_signature(signature(&useless.identifier(), &"0".repeat(128)));
    }
    publish(&mut repository, &snapshot);
    Machine::trusting(&repository).refresh(&repository)?;
    Ok(())
}

/// Only a program that knows more can tell whether it is signed.
#[test]
fn a_role_with_keys_of_unknown_kinds_calls_for_a_newer_program() {
    let mut repository = Repository::new();
    let unknown = key("sphincs", "sphincs-shake-128s", "00".to_owned());
    repository.root.set_role(SNAPSHOT, &[unknown], 1);
    repository.release_root();
    let mut machine = Machine::trusting(&repository);
    let error = refused(machine.refresh(&repository), Check::SupportedKeys, "snapshot", 1);
    assert_eq!(error.action(), Action::Upgrade);
    assert_eq!(machine.trusts(), "root 2, timestamp 1");
}

#[test]
fn thresholds_and_key_lists_out_of_form_are_refused() -> Result<(), Error> {
    let repository = Repository::new();
    for (field, value) in [
        ("threshold", Value::Unsigned(0)),
        ("threshold", Value::Negative(-1)),
        ("threshold", Value::Unsigned(1 << 32)),
        ("threshold", Value::String("1".into())),
        ("threshold", Value::Bool(true)),
        ("keyids", Value::Null),
        ("keyids", Value::Array(vec![Value::Unsigned(1)])),
    ] {
        let mut repository = repository.clone();
        let mut machine = Machine::refreshed(&repository);
        repository.root.version = 2;
        let mut signed = object_of(&repository.root);
        let Some(Value::Object(mut roles)) = signed.remove("roles") else { panic!() };
        let Some(Value::Object(mut role)) = roles.remove("timestamp") else { panic!() };
        role.insert(field, value);
        roles.insert("timestamp", role);
        signed.insert("roles", roles);
        let bytes = sign_object(&signed, &repository.signers["root"]);
        repository.published.insert("2.root.json".to_owned(), bytes);
        refused(machine.refresh(&repository), Check::Format, "root", 2);
        assert!(machine.written.is_empty());
        repository.publish_root();
        machine.refresh(&repository)?;
    }
    Ok(())
}

/// No keys: nobody can sign, and so nothing is ever accepted.
#[test]
fn a_role_without_keys_is_signed_by_nobody() {
    let mut repository = Repository::new();
    repository.rotate(SNAPSHOT, &[], 1);
    repository.publish();
    refused(Machine::trusting(&repository).refresh(&repository), Check::Signatures, "snapshot", 1);
}

#[test]
fn more_signatures_than_are_read() {
    let mut repository = three_of_five();
    let mut snapshot = signed_by(&repository, &[30, 31, 32]);
    for number in 0..100_000 {
        snapshot.signatures.push(signature(&KeyId(number.to_string()), "00"));
    }
    publish(&mut repository, &snapshot);
    refused(Machine::trusting(&repository).refresh(&repository), Check::Format, "snapshot", 1);
}
