//! Metadata made by an attacker, with the keys he has stolen and those he made himself.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tuf::{SigningKey, json as strict_json};

use crate::digest::HashName;
use crate::signed_repository::{SignedRepository, shared_name};
use crate::signed_server::SignedServer;
use crate::signing_keys::{KeyType, new_key};

/// Which keys an attacker has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StolenKeys {
    /// None: he owns the network, or a mirror.
    Nothing,
    /// That of the timestamp.
    Timestamp,
    /// Those of timestamp and snapshot.
    Snapshot,
    /// That of the bins, or of `index`.
    Bins,
    /// All that are online: timestamp, snapshot and bins.
    Online,
    /// One less than must sign, of the root.
    RootBelowThreshold,
}

/// By which signatures a file is accompanied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForgedSignatures {
    /// Good ones of all the role's keys.
    RightKeys,
    /// A valid one of an untrusted key.
    WrongKeys,
    /// One of an untrusted key, under the key ids of the role.
    WrongKeysUnderRightNames,
    /// Valid ones of all the role's keys, under key ids that are not listed.
    RightKeysUnderWrongNames,
    /// Those that stood under the content before it was changed.
    EarlierContent,
    /// Good ones, one less than must sign; none where one is enough.
    TooFew,
    /// The same good one as often as there are keys, under one name.
    OneKeyRepeated,
    /// The same good one under the name of each of the role's keys.
    OneKeyUnderAllNames,
    /// None.
    Nobody,
}

/// What the attacker serves in the place of the owner's metadata: the files by role.
#[derive(Default)]
pub(crate) struct Forged {
    files: BTreeMap<String, Vec<u8>>,
}

/// The entry of a file for a targets file.
pub fn target(content: &[u8]) -> Value {
    json!({"length": content.len(), "hashes": {"sha256": HashName::Sha256.hex(content)}})
}

impl StolenKeys {
    fn can_sign(self, role: &str) -> bool {
        match self {
            Self::Nothing | Self::RootBelowThreshold => false,
            Self::Timestamp => role == "timestamp",
            Self::Snapshot => matches!(role, "timestamp" | "snapshot"),
            Self::Bins => matches!(shared_name(role), "bins-*" | "index"),
            Self::Online => matches!(shared_name(role), "timestamp" | "snapshot" | "bins-*" | "index"),
        }
    }

    /// The best signatures he can make for a role.
    fn signatures(self, role: &str) -> ForgedSignatures {
        match self {
            _ if self.can_sign(role) => ForgedSignatures::RightKeys,
            Self::RootBelowThreshold if role == "root" => ForgedSignatures::TooFew,
            _ => ForgedSignatures::WrongKeys,
        }
    }
}

impl SignedServer {
    /// Serves a changed file of a role, signed as well as the attacker can, and the snapshot and timestamp that lead to
    /// it if he has their keys. `edit` gets what is signed now, by the owner or in an earlier forgery.
    ///
    /// The version is the next one already where a client would otherwise not look at it: in a root, a timestamp, and
    /// what the attacker's own snapshot lists. Such a root is served as the next one, whatever version `edit` gives it.
    pub fn forge(&self, role: &str, stolen: StolenKeys, edit: impl FnOnce(&mut Value)) {
        self.forge_signed_by(role, stolen.signatures(role), stolen, edit);
    }

    /// The same with signatures chosen for the role; those of snapshot and timestamp above it are as good as the
    /// attacker can.
    pub fn forge_signed_by(
        &self,
        role: &str,
        signed_by: ForgedSignatures,
        stolen: StolenKeys,
        edit: impl FnOnce(&mut Value),
    ) {
        self.forge_chain(role, signed_by, stolen, Box::new(edit));
    }

    fn forge_chain(
        &self,
        role: &str,
        signed_by: ForgedSignatures,
        stolen: StolenKeys,
        edit: Box<dyn FnOnce(&mut Value) + '_>,
    ) {
        let listed_anew = match role {
            "root" | "timestamp" => true,
            "snapshot" => stolen.can_sign("timestamp"),
            _ => stolen.can_sign("snapshot"),
        };
        let mut signed = self.signed(role);
        let listed_version = signed["version"].clone();
        if listed_anew {
            raise_version(&mut signed);
        }
        let next_version = signed["version"].clone();
        edit(&mut signed);
        let bytes = self.file_signed_by(role, &signed, signed_by);
        let version = match role {
            "root" => next_version,
            _ if listed_anew => signed["version"].clone(),
            _ => listed_version,
        };
        self.lead_to(role, &version, bytes, stolen);
    }

    /// Serves these bytes as the next version of a role, with the snapshot and timestamp that lead to them.
    pub fn forge_bytes(&self, role: &str, stolen: StolenKeys, bytes: &[u8]) {
        let mut signed = json!({"version": self.signed_version(role)});
        raise_version(&mut signed);
        self.lead_to(role, &signed["version"], bytes.to_vec(), stolen);
    }

    /// Serves a file of a role, and lists it in the files above if he has their keys.
    fn lead_to(&self, role: &str, version: &Value, bytes: Vec<u8>, stolen: StolenKeys) {
        self.serve_forged(role, version, bytes.clone());
        let parent = match role {
            "root" | "timestamp" => return,
            "snapshot" if stolen.can_sign("timestamp") => "timestamp",
            _ if role != "snapshot" && stolen.can_sign("snapshot") => "snapshot",
            _ => return,
        };
        let list = |parent: &mut Value| {
            let mut entry = target(&bytes);
            entry["version"] = version.clone();
            parent["meta"][format!("{role}.json")] = entry;
        };
        self.forge_chain(parent, stolen.signatures(parent), stolen, Box::new(list));
    }

    /// The version of a role that is served now, or of the owner's where a forgery has none.
    fn signed_version(&self, role: &str) -> u64 {
        let file: Option<Value> = serde_json::from_slice(&self.served(role)).ok();
        let served = file.and_then(|file| file["signed"]["version"].as_u64());
        served.unwrap_or_else(|| self.version(role))
    }

    /// Puts a target into the role that is responsible for it, and serves that.
    pub fn forge_target(&self, path: &str, content: &[u8], stolen: StolenKeys) {
        self.forge(&self.role_of(path), stolen, |signed| signed["targets"][path] = target(content));
    }

    /// Serves another page of a project, with matching metadata.
    pub fn forge_page(&self, project: &str, page: &[u8], stolen: StolenKeys) {
        let layout = self.layout();
        let described = layout.target(page);
        let hashes: serde_json::Map<_, _> =
            described.hashes.iter().map(|(name, hash)| (name.to_owned(), hash.into())).collect();
        let path = self.page_target(project);
        self.forge(&self.role_of(&path), stolen, |signed| {
            signed["targets"][&path] = json!({"length": page.len(), "hashes": hashes});
        });
        let consistent = self.shared.honest.lock().unwrap().repository.consistent_snapshot();
        for path in layout.page_paths(&crate::wheel_maker::normalized(project), &described, consistent) {
            self.replace(&path, page);
        }
    }

    /// What is signed in the file of a role that is served now.
    pub fn signed(&self, role: &str) -> Value {
        let mut file: Value = serde_json::from_slice(&self.served(role)).unwrap();
        file["signed"].take()
    }

    /// A file with this content and signatures for a role. Numbers that TUF does not have are written as they are.
    pub fn file_signed_by(&self, role: &str, signed: &Value, signed_by: ForgedSignatures) -> Vec<u8> {
        let honest = self.shared.honest.lock().unwrap();
        let signatures = match signed_by {
            ForgedSignatures::EarlierContent => {
                drop(honest);
                let file: Value = serde_json::from_slice(&self.served(role)).unwrap();
                file["signatures"].clone()
            }
            _ => Value::Array(signatures(&honest.repository, role, signed_by, &canonical(signed))),
        };
        json!({"signatures": signatures, "signed": signed}).to_string().into_bytes()
    }

    /// The newest file of a role, forged or not.
    fn served(&self, role: &str) -> Vec<u8> {
        if let Some(bytes) = self.shared.forged.lock().unwrap().files.get(role) {
            return bytes.clone();
        }
        let honest = self.shared.honest.lock().unwrap();
        let repository = &honest.repository;
        repository.files()[&repository.file_name(role, repository.version(role))].clone()
    }

    fn serve_forged(&self, role: &str, version: &Value, bytes: Vec<u8>) {
        let name = self.shared.honest.lock().unwrap().repository.file_name(role, version);
        self.replace(&format!("/tuf/{name}"), bytes.clone());
        self.shared.forged.lock().unwrap().files.insert(role.to_owned(), bytes);
    }
}

fn raise_version(signed: &mut Value) {
    if let Some(version) = signed["version"].as_u64() {
        signed["version"] = version.saturating_add(1).into();
    }
}

/// What is signed. What TUF cannot read has no canonical form; any will do.
fn canonical(signed: &Value) -> Vec<u8> {
    let text = signed.to_string();
    strict_json::parse(text.as_bytes()).map_or_else(|_| text.clone().into_bytes(), |value| value.canonical())
}

fn signatures(repository: &SignedRepository, role: &str, signed_by: ForgedSignatures, message: &[u8]) -> Vec<Value> {
    let signers = &repository.keys[shared_name(role)];
    let named = |key: &SigningKey, name: &str| json!({"keyid": name, "sig": key.sign(message).signature});
    let good = |key: &Arc<SigningKey>| named(key, &key.key_id().0);
    let first = &signers.keys[0];
    let mine = new_key(KeyType::Ed25519);
    match signed_by {
        ForgedSignatures::RightKeys => signers.keys.iter().map(good).collect(),
        ForgedSignatures::WrongKeys => vec![named(&mine, &mine.key_id().0)],
        ForgedSignatures::WrongKeysUnderRightNames => {
            signers.keys.iter().map(|key| named(&mine, &key.key_id().0)).collect()
        }
        ForgedSignatures::RightKeysUnderWrongNames => {
            signers.keys.iter().map(|key| named(key, &new_key(KeyType::Ed25519).key_id().0)).collect()
        }
        ForgedSignatures::TooFew => signers.keys.iter().take(signers.threshold as usize - 1).map(good).collect(),
        ForgedSignatures::OneKeyRepeated => signers.keys.iter().map(|_| good(first)).collect(),
        ForgedSignatures::OneKeyUnderAllNames => signers.keys.iter().map(|key| named(first, &key.key_id().0)).collect(),
        ForgedSignatures::Nobody | ForgedSignatures::EarlierContent => Vec::new(),
    }
}
