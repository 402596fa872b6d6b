//! Why a target is believed: from the root to the role that signed it, who could sign and who did.

use tuf::json::{self, Object, Value};
use tuf::metadata::{PathPattern, PathSet, RoleName, TopLevelRole};
use tuf::{ChainLink, Client, Event, HashAlgorithm, Hashes, KeyId, LookUp, Mode, Signature, Target, UnixTime};

use super::simulator::{DAY, Machine, NOW, Repository, Signer, ecdsa, ed25519, ed25519_keys, found};

/// The client that looked for a path, and what it found.
fn looked_up(machine: &mut Machine, repository: &Repository, path: &str) -> (Client, Target) {
    let mut client = machine.client(Mode::Online).unwrap();
    client.look_up(path);
    machine.drive(&mut client, Some(repository));
    let target = machine.events.iter().find_map(|event| match event {
        Event::LookedUp { result, .. } => Some(found(result.clone().unwrap())),
        _ => None,
    });
    (client, target.expect("answered"))
}

fn chain(repository: &Repository, path: &str) -> Vec<ChainLink> {
    let (client, target) = looked_up(&mut Machine::trusting(repository), repository, path);
    client.chain(&target).unwrap()
}

/// `role 2: 1 of ed25519+` for one of one key that signed; keys that did not have a `-`.
fn line(link: &ChainLink) -> String {
    let signer = |signer: &tuf::Signer| {
        let kind = signer.key.as_ref().map_or("no key", |key| key.key_type());
        format!("{kind}{}", if signer.signed { "+" } else { "-" })
    };
    let signers: Vec<_> = link.signers.iter().map(signer).collect();
    format!("{} {}: {} of {}", link.role, link.version, link.threshold, signers.join(" "))
}

fn lines(chain: &[ChainLink]) -> Vec<String> {
    chain.iter().map(line).collect()
}

/// The ids of the keys that signed.
fn signed(link: &ChainLink) -> Vec<&KeyId> {
    link.signers.iter().filter(|signer| signer.signed).map(|signer| &signer.key_id).collect()
}

fn ids(signers: &[Signer]) -> Vec<&KeyId> {
    signers.iter().map(|signer| signer.key_id()).collect()
}

/// A metadata file with one more signature, the first of all.
fn with_signature(file: &[u8], signature: Signature) -> Vec<u8> {
    let Value::Object(mut file) = json::parse(file).unwrap() else { panic!("an object") };
    let Some(Value::Array(mut signatures)) = file.remove("signatures") else { panic!("a list") };
    let mut forged = Object::new();
    forged.insert("keyid", signature.key_id.0);
    forged.insert("sig", signature.signature);
    signatures.insert(0, Value::Object(forged));
    file.insert("signatures", Value::Array(signatures));
    Value::Object(file).to_json()
}

fn pattern(text: &str) -> PathSet {
    PathSet::Patterns(vec![PathPattern::new(text)])
}

#[test]
fn every_role_on_the_way_with_its_version_expiry_and_keys() {
    let mut repository = Repository::new();
    repository.delegate("targets", "projects", &["*"]);
    repository.delegate_to("projects", "acme", &[ecdsa(7)], 1, pattern("acme-*"));
    repository.add_target("acme", "acme-1.whl", b"content");
    repository.role_mut("acme").expires = UnixTime(NOW.0 + 5 * DAY);
    repository.publish();
    repository.release("acme");
    repository.release("targets");
    repository.release_timestamp();
    let chain = chain(&repository, "acme-1.whl");
    assert_eq!(
        lines(&chain),
        [
            "root 1: 1 of ed25519+",
            "timestamp 4: 1 of ed25519+",
            "snapshot 3: 1 of ed25519+",
            "targets 2: 1 of ed25519+",
            "projects 1: 1 of ed25519+",
            "acme 2: 1 of ecdsa+",
        ]
    );
    let expires: Vec<_> = chain.iter().map(|link| (link.expires.0 - NOW.0) / DAY).collect();
    assert_eq!(expires, [30, 30, 30, 30, 30, 5]);
    for (link, role) in chain.iter().zip(["root", "timestamp", "snapshot", "targets", "projects", "acme"]) {
        assert_eq!(signed(link), ids(&repository.signers[role]));
        assert_eq!(link.signers[0].key.as_ref(), Some(repository.signers[role][0].public()));
    }
}

#[test]
fn who_signed_is_told_apart_from_who_could_have() {
    for role in ["root", "timestamp", "snapshot", "targets", "role"] {
        let mut repository = Repository::new();
        let keys = ed25519_keys(20..24);
        repository.add_target("targets", "file", b"content");
        if role == "role" {
            repository.role_mut("targets").targets.clear();
            repository.delegate_to("targets", "role", &keys, 2, pattern("*"));
            repository.add_target("role", "file", b"content");
        } else {
            let top_level = TopLevelRole::ALL.into_iter().find(|top_level| top_level.name() == role).unwrap();
            repository.set_signers(top_level, &keys, 2);
        }
        // The last two signed, and somebody pretends that the first did.
        repository.signers.insert(role.to_owned(), keys[2..].to_vec());
        repository.publish_root();
        repository.publish();
        let name = match role {
            "root" => "1.root.json".to_owned(),
            "timestamp" => "timestamp.json".to_owned(),
            role => repository.file_name(role, 1),
        };
        let with_forged = with_signature(&repository.file(role), keys[0].sign(b"something else"));
        repository.published.insert(name, with_forged);

        let chain = chain(&repository, "file");
        for link in &chain {
            let expected = if link.role.as_str() == role {
                format!("{role} 1: 2 of ed25519- ed25519- ed25519+ ed25519+")
            } else {
                format!("{} 1: 1 of ed25519+", link.role)
            };
            assert_eq!(line(link), expected);
        }
    }
}

#[test]
fn no_more_signatures_than_the_threshold_are_looked_at() {
    let mut repository = Repository::new();
    repository.set_signers(TopLevelRole::Targets, &ed25519_keys(20..23), 2);
    repository.add_target("targets", "file", b"content");
    repository.publish_root();
    repository.publish();
    assert_eq!(line(&chain(&repository, "file")[3]), "targets 1: 2 of ed25519+ ed25519+ ed25519-");
}

#[test]
fn a_name_without_a_key_is_told_as_such() {
    let mut repository = Repository::new();
    repository.root.roles.get_mut(&TopLevelRole::Targets).unwrap().key_ids.insert(0, KeyId("nobody".to_owned()));
    repository.add_target("targets", "file", b"content");
    repository.publish_root();
    repository.publish();
    let chain = chain(&repository, "file");
    assert_eq!(line(&chain[3]), "targets 1: 1 of no key- ed25519+");
}

#[test]
fn after_a_rotation_the_root_is_vouched_for_by_its_own_keys() {
    let mut repository = Repository::new();
    repository.add_target("targets", "file", b"content");
    repository.publish();
    let mut machine = Machine::trusting(&repository);
    repository.rotate(TopLevelRole::Root, &[ed25519(30), ed25519(31)], 2);
    repository.rotate(TopLevelRole::Targets, &[ed25519(32)], 1);
    repository.release("targets");
    // Fetched, and then from the store.
    for _ in 0..2 {
        let (client, target) = looked_up(&mut machine, &repository, "file");
        let chain = client.chain(&target).unwrap();
        assert_eq!(line(&chain[0]), "root 3: 2 of ed25519+ ed25519+");
        assert_eq!(signed(&chain[0]), ids(&[ed25519(30), ed25519(31)]));
        assert_eq!(signed(&chain[3]), ids(&[ed25519(32)]));
    }
}

/// Both delegators lead to `shared`, each with a key of its own.
#[test]
fn a_role_of_two_delegators_has_the_keys_of_the_one_it_was_found_by() {
    let mut repository = Repository::new();
    repository.delegate("targets", "first", &["a*"]);
    repository.delegate("targets", "second", &["b*"]);
    repository.delegate_to("first", "shared", &[ed25519(40)], 1, pattern("*"));
    repository.delegate_to("second", "shared", &[ed25519(41), ed25519(42)], 1, pattern("*"));
    repository.signers.insert("shared".to_owned(), vec![ed25519(40), ed25519(42)]);
    for path in ["a", "b"] {
        repository.add_target("shared", path, b"content");
    }
    repository.publish();
    let mut machine = Machine::trusting(&repository);
    let mut client = machine.client(Mode::Online).unwrap();
    let paths = ["a", "b"].map(|path| client.look_up(path));
    machine.drive(&mut client, Some(&repository));
    for (path, signer, line_of_shared) in [
        (paths[0], ed25519(40), "shared 1: 1 of ed25519+"),
        (paths[1], ed25519(42), "shared 1: 1 of ed25519- ed25519+"),
    ] {
        let target = machine.events.iter().find_map(|event| match event {
            Event::LookedUp { id, result: Ok(LookUp::Found(target)) } if *id == path => Some(target),
            _ => None,
        });
        let chain = client.chain(target.unwrap()).unwrap();
        assert_eq!(line(chain.last().unwrap()), line_of_shared);
        assert_eq!(signed(chain.last().unwrap()), ids(&[signer]));
    }
}

#[test]
fn a_bin_has_the_keys_of_all_bins() {
    let mut repository = Repository::new();
    repository.delegate("targets", "bins", &["*"]);
    repository.delegate_succinct("bins", 4);
    let bin = repository.bin("bins", "file");
    repository.add_target(&bin, "file", b"content");
    repository.publish();
    let chain = chain(&repository, "file");
    assert_eq!(line(chain.last().unwrap()), format!("{bin} 1: 1 of ed25519+"));
    assert_eq!(signed(chain.last().unwrap()), [ed25519(50).key_id()]);
}

#[test]
fn a_target_that_this_client_did_not_find_has_no_chain() {
    let mut repository = Repository::new();
    repository.delegate("targets", "role", &["f*"]);
    repository.add_target("role", "file", b"content");
    repository.publish();
    let mut machine = Machine::trusting(&repository);
    let (client, target) = looked_up(&mut machine, &repository, "file");
    assert!(client.chain(&target).is_some());

    let changes: [fn(&mut Target); 4] = [
        |target| target.path = "other".to_owned(),
        |target| target.length += 1,
        |target| target.hashes = Hashes::of(b"other", &[HashAlgorithm::Sha256]),
        |target| target.roles.push(RoleName::from("below")),
    ];
    for change in changes {
        let mut other = target.clone();
        change(&mut other);
        assert_eq!(client.chain(&other), None);
    }
    // One that has not looked.
    let mut other = machine.client(Mode::Online).unwrap();
    assert_eq!(other.chain(&target), None);
    machine.drive(&mut other, Some(&repository));
    assert!(other.epoch().is_some());
    assert_eq!(other.chain(&target), None);
    // One that found that the file has changed.
    repository.add_target("role", "file", b"changed");
    repository.release("role");
    let (other, changed) = looked_up(&mut machine, &repository, "file");
    assert_eq!(other.chain(&target), None);
    assert!(other.chain(&changed).is_some());
}

#[test]
fn the_epoch_has_the_version_of_every_role() {
    let mut repository = Repository::new();
    repository.delegate("targets", "role", &["*"]);
    repository.add_target("role", "file", b"content");
    repository.release("role");
    repository.release_root();
    repository.release("targets");
    repository.release_timestamp();
    let mut machine = Machine::trusting(&repository);
    let (client, target) = looked_up(&mut machine, &repository, "file");
    let version = |role: &str| client.epoch().unwrap().version(&RoleName::from(role));
    assert_eq!(
        ["root", "timestamp", "snapshot", "targets", "role", "nobody"].map(version),
        [Some(2), Some(4), Some(3), Some(2), Some(2), None]
    );
    for link in client.chain(&target).unwrap() {
        assert_eq!(version(link.role.as_str()), Some(link.version));
    }
    // The same for a client that starts from the store.
    assert_eq!(machine.refresh(&repository).unwrap().version(&RoleName::from("root")), Some(2));
}
