//! A repository whose content can be edited, signed by anybody, and replaced on the way.

use std::collections::BTreeMap;

use tuf::json::{Object, Value};
use tuf::metadata::{
    DelegatedRole, DelegatedRoles, Delegations, FileMeta, HashPrefix, Metadata, PathPattern, PathSet, RoleKeys,
    RoleName, Root, Signed, Snapshot, SuccinctRoles, TargetFile, Targets, Timestamp, TopLevelRole,
};
use tuf::{HashAlgorithm, Hashes, UnixTime};

use super::keys::{Signer, ed25519, public};

/// The time of the tests: 2026-01-01.
pub const NOW: UnixTime = UnixTime(1_767_225_600);
/// In seconds.
pub const DAY: i64 = 86_400;

/// Content to edit, who signs it, and what is served.
#[derive(Clone)]
pub struct Repository {
    pub root: Root,
    pub timestamp: Timestamp,
    pub snapshot: Snapshot,
    pub targets: Targets,
    pub delegated: BTreeMap<String, Targets>,
    /// By role.
    pub signers: BTreeMap<String, Vec<Signer>>,
    /// Whether timestamp and snapshot sign lengths and SHA-256 of what they describe.
    pub describes_content: bool,
    /// Files by name.
    pub published: BTreeMap<String, Vec<u8>>,
    /// What is served in the place of files by these names.
    pub instead: BTreeMap<String, Instead>,
    root_signers_before: Vec<Signer>,
}

/// What a server or a network can do in the place of serving a file.
#[derive(Clone, Debug)]
pub enum Instead {
    Body(Vec<u8>),
    Absent,
    Failed,
    /// The driver of the client stopped reading.
    TooLong,
    /// The driver of the client has not stopped reading.
    Endless,
}

/// A metadata file of this content, signed by these.
pub fn sign<T: Signed>(signed: &T, signers: &[Signer]) -> Vec<u8> {
    let mut metadata = Metadata::new(signed.clone());
    for signer in signers {
        metadata.sign(signer);
    }
    metadata.to_bytes()
}

/// A file of any content at all, signed by these.
pub fn sign_object(signed: &Object<'static>, signers: &[Signer]) -> Vec<u8> {
    let signed = Value::Object(signed.clone());
    let message = signed.canonical();
    let signatures = signers.iter().map(|signer| {
        let mut signature = Object::new();
        signature.insert("keyid", signer.key_id().0.clone());
        signature.insert("sig", signer.sign(&message).signature);
        Value::Object(signature)
    });
    let mut file = Object::new();
    file.insert("signatures", Value::Array(signatures.collect()));
    file.insert("signed", signed);
    Value::Object(file).to_json()
}

/// What is signed, to be changed into something that the types do not allow.
pub fn object_of<T: Signed>(signed: &T) -> Object<'static> {
    match signed.to_value() {
        Value::Object(object) => object,
        _ => unreachable!("content is an object"),
    }
}

impl Repository {
    /// Version 1 of the four roles, published: consistent snapshots, one Ed25519 key a role, 30 days to go.
    pub fn new() -> Self {
        let expires = UnixTime(NOW.0 + 30 * DAY);
        let mut root = Root::new(expires);
        let mut signers = BTreeMap::new();
        use TopLevelRole::{
            Root as RootRole, Snapshot as SnapshotRole, Targets as TargetsRole, Timestamp as TimestampRole,
        };
        for (number, role) in (1..).zip([RootRole, TimestampRole, SnapshotRole, TargetsRole]) {
            let of_role = vec![ed25519(number)];
            root.set_role(role, &public(&of_role), 1);
            signers.insert(role.name().to_owned(), of_role);
        }
        let mut repository = Repository {
            root,
            timestamp: Timestamp::new(1, expires, FileMeta::unhashed(1)),
            snapshot: Snapshot::new(1, expires),
            targets: Targets::new(1, expires),
            delegated: BTreeMap::new(),
            signers,
            describes_content: false,
            published: BTreeMap::new(),
            instead: BTreeMap::new(),
            root_signers_before: Vec::new(),
        };
        repository.publish_root();
        repository.publish();
        repository
    }

    // ---- publishing --------------------------------------------------------------------------------------------------

    /// Signs and serves everything but the root, as it is, the parent after what it describes.
    pub fn publish(&mut self) {
        for role in self.delegated.keys().cloned().collect::<Vec<_>>() {
            self.publish_role(&role);
        }
        self.publish_role("targets");
        self.publish_snapshot();
        self.publish_timestamp();
    }

    /// Signs and serves the root with the keys of this root and of the one before.
    pub fn publish_root(&mut self) {
        let mut signers = self.signers["root"].clone();
        signers.extend(std::mem::replace(&mut self.root_signers_before, signers.clone()));
        self.publish_root_signed_by(&signers);
    }

    /// Signs and serves the root with these keys.
    pub fn publish_root_signed_by(&mut self, signers: &[Signer]) {
        self.published.insert(format!("{}.root.json", self.root.version), sign(&self.root, signers));
    }

    /// Signs and serves the timestamp.
    pub fn publish_timestamp(&mut self) {
        self.published.insert("timestamp.json".to_owned(), sign(&self.timestamp, &self.signers["timestamp"]));
    }

    /// Signs and serves the snapshot, and describes it in the timestamp, which is not published.
    pub fn publish_snapshot(&mut self) {
        let bytes = sign(&self.snapshot, &self.signers["snapshot"]);
        self.timestamp.snapshot = self.describe(self.snapshot.version, &bytes);
        self.published.insert(self.file_name("snapshot", self.snapshot.version), bytes);
    }

    /// Signs and serves top-level or delegated targets, and lists them in the snapshot, which is not published.
    pub fn publish_role(&mut self, role: &str) {
        let signed = self.role(role).clone();
        let bytes = sign(&signed, &self.signers[role]);
        self.publish_role_bytes(role, signed.version, bytes);
    }

    /// Serves this file of a targets role, and lists it in the snapshot, which is not published.
    pub fn publish_role_bytes(&mut self, role: &str, version: u64, bytes: Vec<u8>) {
        let description = self.describe(version, &bytes);
        self.snapshot.set_role(&RoleName::from(role), description);
        self.published.insert(self.file_name(role, version), bytes);
    }

    /// A new version of a targets role, with the snapshot and the timestamp that lead to it.
    pub fn release(&mut self, role: &str) {
        self.role_mut(role).version += 1;
        self.publish_role(role);
        self.release_snapshot();
    }

    /// A new version of the snapshot, with the timestamp that leads to it.
    pub fn release_snapshot(&mut self) {
        self.snapshot.version += 1;
        self.publish_snapshot();
        self.release_timestamp();
    }

    /// A new version of the timestamp.
    pub fn release_timestamp(&mut self) {
        self.timestamp.version += 1;
        self.publish_timestamp();
    }

    /// A new version of the root, signed as it must be.
    pub fn release_root(&mut self) {
        self.root.version += 1;
        self.publish_root();
    }

    /// A new root that gives a role these keys. What the role has signed stays as it is.
    pub fn rotate(&mut self, role: TopLevelRole, signers: &[Signer], threshold: u64) {
        self.set_signers(role, signers, threshold);
        self.release_root();
    }

    /// Gives a top-level role these keys, in a root that is not published.
    pub fn set_signers(&mut self, role: TopLevelRole, signers: &[Signer], threshold: u64) {
        self.root.set_role(role, &public(signers), threshold);
        self.signers.insert(role.name().to_owned(), signers.to_vec());
    }

    // ---- serving -----------------------------------------------------------------------------------------------------

    /// Serves something else under this name until [`Repository::serve_honestly`].
    pub fn serve(&mut self, name: &str, instead: Instead) {
        self.instead.insert(name.to_owned(), instead);
    }

    pub fn serve_honestly(&mut self) {
        self.instead.clear();
    }

    /// What a client gets that asks for this name.
    pub fn answer(&self, name: &str) -> Instead {
        let published = || self.published.get(name).cloned().map_or(Instead::Absent, Instead::Body);
        self.instead.get(name).cloned().unwrap_or_else(published)
    }

    /// The newest file of a role, as published.
    pub fn file(&self, role: &str) -> Vec<u8> {
        let version = match role {
            "root" => return self.published[&format!("{}.root.json", self.root.version)].clone(),
            "timestamp" => return self.published["timestamp.json"].clone(),
            "snapshot" => self.snapshot.version,
            role => self.role(role).version,
        };
        self.published[&self.file_name(role, version)].clone()
    }

    /// Where a version of a role other than root and timestamp is served.
    pub fn file_name(&self, role: &str, version: u64) -> String {
        let role = RoleName::from(role).encoded();
        if self.root.consistent_snapshot == Some(true) {
            format!("{version}.{role}.json")
        } else {
            format!("{role}.json")
        }
    }

    // ---- targets and delegations -------------------------------------------------------------------------------------

    pub fn role(&self, role: &str) -> &Targets {
        if role == "targets" { &self.targets } else { &self.delegated[role] }
    }

    pub fn role_mut(&mut self, role: &str) -> &mut Targets {
        if role == "targets" { &mut self.targets } else { self.delegated.get_mut(role).unwrap() }
    }

    /// Lists a target in a role, unpublished.
    pub fn add_target(&mut self, role: &str, path: &str, content: &[u8]) {
        self.role_mut(role).targets.insert(path.to_owned(), TargetFile::of(content));
    }

    /// Delegates paths to a role with one key of its own, unpublished.
    pub fn delegate(&mut self, from: &str, to: &str, paths: &[&str]) {
        self.delegate_role(from, to, patterns(paths), false);
    }

    /// The same, and no later role is asked for these paths.
    pub fn delegate_terminating(&mut self, from: &str, to: &str, paths: &[&str]) {
        self.delegate_role(from, to, patterns(paths), true);
    }

    /// Delegates to a role with one key of its own, or the keys it has already, unpublished.
    pub fn delegate_role(&mut self, from: &str, to: &str, paths: PathSet, terminating: bool) {
        let signers = self.signers.get(to).cloned().unwrap_or_else(|| vec![ed25519(100 + self.signers.len() as u16)]);
        self.delegate_to(from, to, &signers, 1, paths);
        self.delegation(from, to).terminating = Some(terminating);
    }

    /// Delegates to a role with these keys, unpublished.
    pub fn delegate_to(&mut self, from: &str, to: &str, signers: &[Signer], threshold: u64, paths: PathSet) {
        self.add_role(to, signers);
        let keys = RoleKeys::new(&public(signers), threshold);
        let role = DelegatedRole::new(RoleName::from(to), keys, paths);
        let delegations = self.delegations_of(from, || DelegatedRoles::Listed(Vec::new()));
        for signer in signers {
            delegations.keys.insert(signer.key_id().clone(), signer.public().clone());
        }
        let DelegatedRoles::Listed(roles) = &mut delegations.roles else {
            panic!("{from} delegates to succinct roles")
        };
        roles.push(role);
    }

    /// Delegates all paths to bins by the first `digits` digits of their hash: `bin-00` to `bin-ff` for 2. Unpublished.
    pub fn delegate_hash_bins(&mut self, from: &str, digits: usize) {
        let signers = vec![ed25519(50)];
        for bin in 0..16_u32.pow(digits as u32) {
            let prefix = format!("{bin:0digits$x}");
            let paths = PathSet::HashPrefixes(vec![HashPrefix::new(&prefix).unwrap()]);
            self.delegate_to(from, &format!("bin-{prefix}"), &signers, 1, paths);
        }
    }

    /// Delegates all paths to 2^`bit_length` succinct bins, `bin-0` and so on. Unpublished.
    pub fn delegate_succinct(&mut self, from: &str, bit_length: u8) {
        let signers = vec![ed25519(50)];
        let keys = RoleKeys::new(&public(&signers), 1);
        let succinct = SuccinctRoles { keys, bit_length, name_prefix: "bin".to_owned() };
        for bin in succinct.bins() {
            self.add_role(bin.as_str(), &signers);
        }
        let roles = DelegatedRoles::Succinct(succinct);
        self.role_mut(from).delegations = Some(Delegations::new(&public(&signers), roles));
    }

    /// A delegation, to be changed.
    pub fn delegation(&mut self, from: &str, to: &str) -> &mut DelegatedRole {
        let delegations = self.role_mut(from).delegations.as_mut().unwrap();
        let DelegatedRoles::Listed(roles) = &mut delegations.roles else {
            panic!("{from} delegates to succinct roles")
        };
        roles.iter_mut().find(|role| role.name.as_str() == to).unwrap()
    }

    /// The bin of `from`, of either kind, that is responsible for a path.
    pub fn bin(&self, from: &str, path: &str) -> String {
        match &self.role(from).delegations.as_ref().unwrap().roles {
            DelegatedRoles::Succinct(succinct) => succinct.bin(path).to_string(),
            DelegatedRoles::Listed(roles) => {
                let hash = Hashes::of(path.as_bytes(), &[HashAlgorithm::Sha256]).get(HashAlgorithm::Sha256).unwrap();
                let responsible = |role: &&DelegatedRole| match &role.paths {
                    PathSet::HashPrefixes(prefixes) => prefixes.iter().any(|prefix| hash.starts_with(prefix.as_str())),
                    PathSet::Patterns(_) => false,
                };
                roles.iter().find(responsible).unwrap().name.to_string()
            }
        }
    }

    /// A role without targets, unless it is there already.
    fn add_role(&mut self, role: &str, signers: &[Signer]) {
        let expires = self.targets.expires;
        self.delegated.entry(role.to_owned()).or_insert_with(|| Targets::new(1, expires));
        self.signers.entry(role.to_owned()).or_insert_with(|| signers.to_vec());
    }

    fn delegations_of(&mut self, from: &str, roles: impl FnOnce() -> DelegatedRoles) -> &mut Delegations {
        self.role_mut(from).delegations.get_or_insert_with(|| Delegations::new(&[], roles()))
    }

    fn describe(&self, version: u64, content: &[u8]) -> FileMeta {
        if self.describes_content { FileMeta::of(version, content) } else { FileMeta::unhashed(version) }
    }
}

fn patterns(paths: &[&str]) -> PathSet {
    PathSet::Patterns(paths.iter().map(|path| PathPattern::new(path)).collect())
}
