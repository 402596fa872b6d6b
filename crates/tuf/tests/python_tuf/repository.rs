//! A repository of random shape, signed with the crate's own signing side, that can be damaged in one place.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use tuf::metadata::{FileMeta, Metadata, RoleName, Root, Signed, Snapshot, Targets, Timestamp, TopLevelRole};
use tuf::{HashAlgorithm, Hashes, Key, SigningKey, UnixTime};

use super::random::Random;
use crate::drive::Served;

pub const DAY: i64 = 86_400;

/// The time of the first update.
pub const START: UnixTime = UnixTime(1_906_500_000);

/// All there is of a repository.
pub struct Repository {
    pub random: Random,
    pub now: UnixTime,
    pub root: Root,
    pub timestamp: Timestamp,
    pub snapshot: Snapshot,
    /// `targets` and all delegated roles.
    pub targets: BTreeMap<String, Targets>,
    /// Who signs for a role, top-level ones included.
    pub signers: BTreeMap<String, Vec<Arc<SigningKey>>>,
    /// How many of them have to.
    pub enough: BTreeMap<String, usize>,
    /// How many delegate to a role.
    pub delegators: BTreeMap<String, usize>,
    /// What the timestamp says of the snapshot, and the snapshot of targets files.
    pub described_by: Description,
    /// What is wrong with the files of a role, from the next publication on.
    pub damages: Vec<(String, Damage)>,
    /// Who signed the root before the current one, and has to sign this one too.
    pub earlier_root_signers: Vec<Arc<SigningKey>>,
    pub served: Served,
}

/// What is said of a file besides its version.
#[derive(Clone)]
pub struct Description {
    pub length: bool,
    pub hashes: Vec<HashAlgorithm>,
}

pub type Edit<T> = Box<dyn Fn(&mut T)>;

/// Something wrong with a file.
pub enum Damage {
    /// Its content, which is then signed.
    Content(Edit<Json>),
    /// Its signatures.
    Signatures(Edit<Vec<Json>>),
    /// The file itself, after others have signed its length and hashes.
    File(Edit<Vec<u8>>),
    /// There is none.
    Missing,
}

impl Repository {
    /// The four roles, each with one to three keys; the shape of the rest is in `shape.rs`.
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let now = START;
        let expires = UnixTime(now.0 + 300 * DAY);
        let hashes: [&[HashAlgorithm]; 6] = [
            &[],
            &[],
            &[HashAlgorithm::Sha256],
            &[HashAlgorithm::Sha512],
            &[HashAlgorithm::Sha256, HashAlgorithm::Blake2b256],
            &[HashAlgorithm::Sha384, HashAlgorithm::Blake2b],
        ];
        let described_by = Description { length: random.once_in(2), hashes: random.one_of(&hashes).to_vec() };
        let mut root = Root::new(expires);
        root.consistent_snapshot = *random.one_of(&[Some(true), Some(true), Some(false), None]);
        let mut repository = Repository {
            random,
            now,
            root,
            // There are versions to go back to.
            timestamp: Timestamp::new(3, expires, FileMeta::unhashed(1)),
            snapshot: Snapshot::new(3, expires),
            targets: BTreeMap::from([("targets".to_owned(), Targets::new(3, expires))]),
            signers: BTreeMap::new(),
            enough: BTreeMap::new(),
            delegators: BTreeMap::new(),
            described_by,
            damages: Vec::new(),
            earlier_root_signers: Vec::new(),
            served: Served::new(),
        };
        for role in TopLevelRole::ALL {
            repository.new_top_level_keys(role);
        }
        repository
    }

    /// One to three new keys, and how many of them have to sign.
    pub fn new_keys(&mut self) -> (Vec<Arc<SigningKey>>, usize) {
        let number = 1 + self.random.below(3);
        let keys = (0..number).map(|_| self.new_key()).collect();
        (keys, 1 + self.random.below(number))
    }

    pub fn new_key(&mut self) -> Arc<SigningKey> {
        let secret = self.random.bytes();
        let ecdsa = if self.random.once_in(3) { SigningKey::ecdsa_p256(&secret) } else { None };
        Arc::new(ecdsa.unwrap_or_else(|| SigningKey::ed25519(&secret)))
    }

    /// Gives a top-level role other keys; the root has to be published for that.
    pub fn new_top_level_keys(&mut self, role: TopLevelRole) {
        let (keys, threshold) = self.new_keys();
        self.root.set_role(role, &public(&keys), threshold as u64);
        self.signers.insert(role.name().to_owned(), keys);
        self.enough.insert(role.name().to_owned(), threshold);
    }

    /// An honest next version of everything but the root, a day later.
    pub fn progress(&mut self) {
        self.now = UnixTime(self.now.0 + DAY);
        self.timestamp.version += 1;
        self.snapshot.version += 1;
        let names: Vec<String> = self.targets.keys().cloned().collect();
        for name in names {
            if self.random.once_in(2) {
                self.change(&name);
            }
        }
    }

    /// A next version of one role's file, listed in a next snapshot.
    pub fn change(&mut self, role: &str) {
        let number = self.random.below(1000);
        match role {
            "timestamp" => self.timestamp.version += 1,
            "snapshot" => self.snapshot.version += 1,
            _ => {
                let targets = self.targets.get_mut(role).unwrap();
                targets.version += 1;
                for (path, target) in &mut targets.targets {
                    *target = tuf::metadata::TargetFile::of(format!("{role} {path} {number}").as_bytes());
                }
            }
        }
    }

    /// The next root, with whatever keys it has by now.
    pub fn next_root(&mut self) {
        self.root.version += 1;
    }

    /// Signs the root of this version and serves it with all others.
    pub fn publish_root(&mut self) {
        let mut signers = self.signers["root"].clone();
        for earlier in &self.earlier_root_signers {
            if !signers.iter().any(|signer| signer.key_id() == earlier.key_id()) {
                signers.push(earlier.clone());
            }
        }
        let bytes = self.sign("root", &self.root, &signers);
        let name = format!("{}.root.json", self.root.version);
        self.serve("root", name, bytes);
        self.earlier_root_signers = self.signers["root"].clone();
    }

    /// Signs and serves everything but roots. Files of earlier versions stay where they are if they have other names.
    pub fn publish(&mut self) {
        for (name, targets) in self.targets.clone() {
            let signers = self.enough_signers(&name);
            let bytes = self.sign(&name, &targets, &signers);
            let role = RoleName::from(name.as_str());
            self.snapshot.set_role(&role, self.describe(targets.version, &bytes));
            self.serve(&name, self.file_name(&role, targets.version), bytes);
        }
        let signers = self.enough_signers("snapshot");
        let bytes = self.sign("snapshot", &self.snapshot, &signers);
        self.timestamp.snapshot = self.describe(self.snapshot.version, &bytes);
        let name = self.file_name(&TopLevelRole::Snapshot.into(), self.snapshot.version);
        self.serve("snapshot", name, bytes);

        let signers = self.enough_signers("timestamp");
        let bytes = self.sign("timestamp", &self.timestamp, &signers);
        self.serve("timestamp", "timestamp.json".to_owned(), bytes);
    }

    /// All, or exactly as many as have to.
    fn enough_signers(&mut self, role: &str) -> Vec<Arc<SigningKey>> {
        let mut signers = self.signers[role].clone();
        if self.random.once_in(4) {
            signers.truncate(self.enough[role]);
        }
        signers
    }

    fn describe(&self, version: u64, bytes: &[u8]) -> FileMeta {
        let Description { length, hashes } = &self.described_by;
        FileMeta {
            length: length.then_some(bytes.len() as u64),
            hashes: (!hashes.is_empty()).then(|| Hashes::of(bytes, hashes)),
            ..FileMeta::unhashed(version)
        }
    }

    pub fn file_name(&self, role: &RoleName, version: u64) -> String {
        if self.root.consistent_snapshot() {
            format!("{version}.{}.json", role.encoded())
        } else {
            format!("{}.json", role.encoded())
        }
    }

    fn serve(&mut self, role: &str, name: String, mut bytes: Vec<u8>) {
        for damage in self.damages.iter().filter(|(damaged, _)| damaged == role).map(|(_, damage)| damage) {
            match damage {
                Damage::File(edit) => edit(&mut bytes),
                Damage::Missing => {
                    self.served.remove(&name);
                    return;
                }
                Damage::Content(_) | Damage::Signatures(_) => {}
            }
        }
        self.served.insert(name, bytes.into());
    }

    fn sign<T: Signed>(&self, role: &str, signed: &T, signers: &[Arc<SigningKey>]) -> Vec<u8> {
        let damages: Vec<_> = self.damages.iter().filter(|(damaged, _)| damaged == role).collect();
        if damages.is_empty() {
            let mut metadata = Metadata::new(signed.clone());
            for signer in signers {
                metadata.sign(signer);
            }
            return metadata.to_bytes();
        }
        let mut content: Json = serde_json::from_slice(&signed.to_value().to_json()).unwrap();
        for (_, damage) in &damages {
            if let Damage::Content(edit) = damage {
                edit(&mut content);
            }
        }
        let message = canonical(&content);
        let signatures = signers.iter().map(|signer| {
            let signature = signer.sign(&message);
            json!({"keyid": signature.key_id.0, "sig": signature.signature})
        });
        let mut signatures = signatures.collect();
        for (_, damage) in &damages {
            if let Damage::Signatures(edit) = damage {
                edit(&mut signatures);
            }
        }
        serde_json::to_vec(&json!({"signatures": signatures, "signed": content})).unwrap()
    }

    // ---- damages -----------------------------------------------------------------------------------------------------

    pub fn content(&mut self, role: &str, edit: impl Fn(&mut Json) + 'static) {
        self.damages.push((role.to_owned(), Damage::Content(Box::new(edit))));
    }

    pub fn signatures(&mut self, role: &str, edit: impl Fn(&mut Vec<Json>) + 'static) {
        self.damages.push((role.to_owned(), Damage::Signatures(Box::new(edit))));
    }

    pub fn file(&mut self, role: &str, edit: impl Fn(&mut Vec<u8>) + 'static) {
        self.damages.push((role.to_owned(), Damage::File(Box::new(edit))));
    }

    pub fn missing(&mut self, role: &str) {
        self.damages.push((role.to_owned(), Damage::Missing));
    }
}

/// What a signature of this content is over.
pub fn canonical(content: &Json) -> Vec<u8> {
    tuf::json::parse(&serde_json::to_vec(content).unwrap()).unwrap().canonical()
}

pub fn public(keys: &[Arc<SigningKey>]) -> Vec<Key> {
    keys.iter().map(|key| key.public().clone()).collect()
}
