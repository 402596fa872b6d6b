//! The signing side of a TUF repository in memory: roles, keys, versions, and the files to publish (TUF 1.0, 4 and 6.2;
//! PEP 458).

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use tuf::metadata::{
    DelegatedRoles, Delegations, FileMeta, HashPrefix, Metadata, PathPattern, PathSet, RoleName, Root, Signed,
    Snapshot, TargetFile, Targets, Timestamp, TopLevelRole,
};
use tuf::{UnixTime, json};

use crate::signing_keys::{KeyRing, KeyType, Signers};

/// 2100-01-01: the default expiry of metadata.
const FAR_FUTURE: UnixTime = UnixTime(4_102_444_800);

/// Which roles there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// `targets` signs everything itself.
    Alone,
    /// `targets` delegates everything to one role, `index`.
    Small,
    /// `targets` delegates to `bins`, and that to `2^bit_length` hashed bins, `bins-0` and so on (PEP 458, TAP 15).
    /// Root, targets and bins have three keys each, of which two must sign.
    Pep458 {
        /// 1 to 32.
        bit_length: u8,
    },
}

/// How a repository is signed.
#[derive(Clone, Debug)]
pub struct SigningOptions {
    /// Which roles there are.
    pub profile: Profile,
    /// Whether names of files carry versions and hashes.
    pub consistent_snapshot: bool,
    /// Whether the snapshot has length and hash of each role, beside its version.
    pub hashes_in_snapshot: bool,
    /// By role; the default is Ed25519. All bins are one role here, `bins-*`.
    pub key_types: BTreeMap<String, KeyType>,
    /// Number of keys and threshold by role, instead of what the profile has.
    pub thresholds: BTreeMap<String, (usize, u64)>,
    /// Roles of projects, searched before all others: they sign what their patterns match.
    pub claims: Vec<Claim>,
    /// By role; the default is far in the future.
    pub expiries: BTreeMap<String, UnixTime>,
}

/// A role that `targets` delegates some paths to, with a key of its own, as PEP 480 has them for projects.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Its name.
    pub role: String,
    /// Such as `simple/app/*`.
    pub patterns: Vec<String>,
    /// Whether the search for these paths ends here.
    pub terminating: bool,
}

/// Roles, keys and published files. What is served never changes under a versioned name.
#[derive(Clone)]
pub struct SignedRepository {
    signing: SigningOptions,
    pub(crate) keys: KeyRing,
    root: Root,
    timestamp: Timestamp,
    pub(crate) snapshot: Snapshot,
    targets: Targets,
    delegated: BTreeMap<String, Targets>,
    changed: BTreeSet<String>,
    files: BTreeMap<String, Vec<u8>>,
}

impl Default for SigningOptions {
    fn default() -> Self {
        Self {
            profile: Profile::Small,
            consistent_snapshot: true,
            hashes_in_snapshot: true,
            key_types: BTreeMap::new(),
            thresholds: BTreeMap::new(),
            claims: Vec::new(),
            expiries: BTreeMap::new(),
        }
    }
}

impl SigningOptions {
    fn expiry(&self, role: &str) -> UnixTime {
        let said = self.expiries.get(role).or_else(|| self.expiries.get(shared_name(role)));
        said.copied().unwrap_or(FAR_FUTURE)
    }

    /// Keys for one role.
    fn signers(&self, role: &str) -> Signers {
        let offline = matches!(role, "root" | "targets" | "bins");
        let usual = if offline && matches!(self.profile, Profile::Pep458 { .. }) { (3, 2) } else { (1, 1) };
        let (count, threshold) = self.thresholds.get(role).copied().unwrap_or(usual);
        Signers::new(self.key_types.get(role).copied().unwrap_or_default(), count, threshold)
    }
}

/// The name under which keys of a role are kept: those of all bins are `bins-*`.
pub(crate) fn shared_name(role: &str) -> &str {
    if role.starts_with("bins-") { "bins-*" } else { role }
}

/// A time this number of seconds from now, or before now.
pub fn in_seconds(seconds: i64) -> UnixTime {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    UnixTime(now.as_secs() as i64 + seconds)
}

impl SignedRepository {
    /// Keys and roles without targets; version 1 of the root is published, nothing else yet.
    pub fn new(signing: SigningOptions) -> Self {
        let mut root = Root::new(signing.expiry("root"));
        root.version = 0;
        root.consistent_snapshot = Some(signing.consistent_snapshot);
        let leaves: &[&str] = match signing.profile {
            Profile::Alone => &[],
            Profile::Small => &["index"],
            Profile::Pep458 { .. } => &["bins", "bins-*"],
        };
        let top_level = TopLevelRole::ALL.map(TopLevelRole::name);
        let claims = signing.claims.iter().map(|claim| claim.role.as_str());
        let roles = top_level.iter().chain(leaves).copied().chain(claims);
        let keys = roles.map(|role| (role.to_owned(), signing.signers(role))).collect();
        let mut repository = Self {
            keys,
            root,
            timestamp: Timestamp::new(0, FAR_FUTURE, FileMeta::unhashed(1)),
            snapshot: Snapshot::new(0, FAR_FUTURE),
            targets: Targets::new(0, FAR_FUTURE),
            delegated: BTreeMap::new(),
            changed: BTreeSet::new(),
            files: BTreeMap::new(),
            signing,
        };
        repository.delegate();
        for role in repository.targets_roles() {
            repository.mark_changed(&role);
        }
        for role in TopLevelRole::ALL {
            repository.name_keys_in_root(role);
        }
        repository.publish_root(&[]);
        repository
    }

    // ---- content
    // ------------------------------------------------------------------------------------------------------

    /// Adds a field to the signed part of `targets`, to be published.
    pub fn set_field_of_targets(&mut self, name: &str, value: &serde_json::Value) {
        let value = json::parse(value.to_string().as_bytes()).unwrap().into_owned();
        self.targets.other.insert(name.to_owned(), value);
        self.mark_changed("targets");
    }

    /// Replaces all targets, to be published: roles that sign for something else now get a new version.
    pub fn set_targets(&mut self, targets: BTreeMap<String, TargetFile>) {
        // A map, not a search in the roles: there may be a million targets in thousands of bins.
        let mut by_role: BTreeMap<String, BTreeMap<String, TargetFile>> = BTreeMap::new();
        for (path, target) in targets {
            by_role.entry(self.role_of(&path)).or_default().insert(path, target);
        }
        for role in self.targets_roles() {
            let targets = by_role.remove(&role).unwrap_or_default();
            let current = self.role_mut(&role);
            if current.targets != targets {
                current.targets = targets;
                self.mark_changed(&role);
            }
        }
    }

    /// The role that signs for a target path.
    pub fn role_of(&self, path: &str) -> String {
        let claims = |claim: &&Claim| claim.patterns.iter().any(|pattern| PathPattern::new(pattern).matches(path));
        if let Some(claim) = self.signing.claims.iter().find(claims) {
            return claim.role.clone();
        }
        match self.signing.profile {
            Profile::Alone => "targets".to_owned(),
            Profile::Small => "index".to_owned(),
            Profile::Pep458 { .. } => {
                match self.delegated.get("bins").and_then(|bins| bins.delegations.as_ref()).map(|found| &found.roles) {
                    Some(DelegatedRoles::Succinct(succinct)) => succinct.bin(path).to_string(),
                    _ => unreachable!("bins delegates to succinct roles"),
                }
            }
        }
    }

    // ---- publishing
    // ---------------------------------------------------------------------------------------------------

    /// Signs what has changed, then a new snapshot and a new timestamp.
    pub fn publish(&mut self) {
        for role in std::mem::take(&mut self.changed) {
            let signed = self.role_mut(&role).clone();
            let version = signed.version;
            let bytes = self.sign(&role, signed);
            let hashed = self.signing.hashes_in_snapshot;
            let meta = if hashed { FileMeta::of(version, &bytes) } else { FileMeta::unhashed(version) };
            self.snapshot.set_role(&RoleName::from(role.as_str()), meta);
            self.files.insert(self.file_name(&role, version), bytes);
        }
        self.snapshot.version += 1;
        self.snapshot.expires = self.signing.expiry("snapshot");
        let bytes = self.sign("snapshot", self.snapshot.clone());
        self.timestamp.snapshot = FileMeta::of(self.snapshot.version, &bytes);
        self.files.insert(self.file_name("snapshot", self.snapshot.version), bytes);
        self.refresh();
    }

    /// Signs a new timestamp, and nothing else. The time of signing is now.
    pub fn refresh(&mut self) {
        self.timestamp.version += 1;
        self.timestamp.expires = self.signing.expiry("timestamp");
        self.timestamp.other.insert("x-signed-at", in_seconds(0).to_string());
        let bytes = self.sign("timestamp", self.timestamp.clone());
        self.files.insert("timestamp.json".to_owned(), bytes);
    }

    /// Gives a role new keys and publishes all that follows from it.
    pub fn rotate(&mut self, role: &str) {
        let old = self.keys[role].clone();
        self.keys.insert(role.to_owned(), old.replaced());
        match TopLevelRole::ALL.into_iter().find(|top_level| top_level.name() == role) {
            Some(top_level) => {
                self.name_keys_in_root(top_level);
                self.publish_root(if role == "root" { &old.keys } else { &[] });
            }
            None => {
                self.delegate();
                self.mark_changed(if role == "bins-*" { "bins" } else { "targets" });
            }
        }
        match role {
            "root" => {}
            "timestamp" => self.refresh(),
            _ => {
                for changed in self.targets_roles() {
                    if shared_name(&changed) == role {
                        self.mark_changed(&changed);
                    }
                }
                self.publish();
            }
        }
    }

    /// Gives a role another expiry date and publishes it again. `bins-*` is all bins.
    pub fn set_expiry(&mut self, role: &str, expires: UnixTime) {
        self.signing.expiries.insert(role.to_owned(), expires);
        match role {
            "root" => self.publish_root(&[]),
            "timestamp" => self.refresh(),
            _ => {
                for changed in self.targets_roles() {
                    if changed == role || shared_name(&changed) == role {
                        self.mark_changed(&changed);
                    }
                }
                self.publish();
            }
        }
    }

    /// Removes all files but the roots and the newest version of everything else.
    pub fn garbage_collect(&mut self) {
        let mut current = vec!["timestamp.json".to_owned(), self.file_name("snapshot", self.snapshot.version)];
        let roles = self.delegated.iter().map(|(name, role)| (name.as_str(), role)).chain([("targets", &self.targets)]);
        current.extend(roles.map(|(name, role)| self.file_name(name, role.version)));
        let current: BTreeSet<String> = current.into_iter().collect();
        self.files.retain(|name, _| name.ends_with(".root.json") || current.contains(name));
    }

    // ---- what is there
    // ------------------------------------------------------------------------------------------------

    /// Published metadata by file name.
    pub fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }

    /// Whether names of files carry versions and hashes.
    pub fn consistent_snapshot(&self) -> bool {
        self.signing.consistent_snapshot
    }

    /// The version of a role that is published or about to be.
    pub fn version(&self, role: &str) -> u64 {
        match role {
            "root" => self.root.version,
            "timestamp" => self.timestamp.version,
            "snapshot" => self.snapshot.version,
            "targets" => self.targets.version,
            delegated => self.delegated[delegated].version,
        }
    }

    /// The name under which a version of a role is published.
    pub fn file_name(&self, role: &str, version: impl std::fmt::Display) -> String {
        let encoded = RoleName::from(role).encoded();
        match role {
            "timestamp" => "timestamp.json".to_owned(),
            "root" => format!("{version}.root.json"),
            _ if self.signing.consistent_snapshot => format!("{version}.{encoded}.json"),
            _ => format!("{encoded}.json"),
        }
    }

    // ---- inside
    // -------------------------------------------------------------------------------------------------------

    /// `targets` and the delegated roles.
    fn targets_roles(&self) -> Vec<String> {
        self.delegated.keys().cloned().chain(["targets".to_owned()]).collect()
    }

    fn role_mut(&mut self, role: &str) -> &mut Targets {
        if role == "targets" { &mut self.targets } else { self.delegated.get_mut(role).unwrap() }
    }

    /// The next version, once however often it changes before it is published.
    fn mark_changed(&mut self, role: &str) {
        if self.changed.insert(role.to_owned()) {
            let expires = self.signing.expiry(role);
            let role = self.role_mut(role);
            role.version += 1;
            role.expires = expires;
        }
    }

    fn sign<T: Signed>(&self, role: &str, signed: T) -> Vec<u8> {
        let mut metadata = Metadata::new(signed);
        for key in &self.keys[shared_name(role)].keys {
            metadata.sign(key);
        }
        metadata.to_bytes()
    }

    fn name_keys_in_root(&mut self, role: TopLevelRole) {
        let signers = &self.keys[role.name()];
        self.root.set_role(role, &signers.public(), signers.threshold);
    }

    /// A new root, signed by its own keys and these of the one before (TUF 5.3.4).
    fn publish_root(&mut self, earlier: &[std::sync::Arc<tuf::SigningKey>]) {
        self.root.version += 1;
        self.root.expires = self.signing.expiry("root");
        let mut metadata = Metadata::new(self.root.clone());
        for key in self.keys["root"].keys.iter().chain(earlier) {
            metadata.sign(key);
        }
        self.files.insert(self.file_name("root", self.root.version), metadata.to_bytes());
    }

    /// Writes the delegations of the profile with the keys as they are now; roles keep what they sign for.
    fn delegate(&mut self) {
        let mut delegations = Delegations::new(&[], DelegatedRoles::Listed(Vec::new()));
        for claim in self.signing.claims.clone() {
            let patterns = claim.patterns.iter().map(|pattern| PathPattern::new(pattern)).collect();
            self.add_role(&mut delegations, &claim.role, PathSet::Patterns(patterns), claim.terminating);
        }
        // All paths, by the first digit of their hash: no pattern matches every path.
        let digits = "0123456789abcdef".chars().map(|digit| HashPrefix::new(&digit.to_string()).unwrap());
        let everything = PathSet::HashPrefixes(digits.collect());
        match self.signing.profile {
            Profile::Alone => {}
            Profile::Small => self.add_role(&mut delegations, "index", everything, false),
            Profile::Pep458 { bit_length } => {
                self.add_role(&mut delegations, "bins", everything, false);
                self.delegate_to_bins(bit_length);
            }
        }
        let any = !matches!(&delegations.roles, DelegatedRoles::Listed(roles) if roles.is_empty());
        self.targets.delegations = any.then_some(delegations);
    }

    fn add_role(&mut self, delegations: &mut Delegations, role: &str, paths: PathSet, terminating: bool) {
        let signers = &self.keys[role];
        let added = delegations.add(role, &signers.public(), signers.threshold, paths);
        added.unwrap().terminating = Some(terminating);
        self.ensure_role(role);
    }

    fn delegate_to_bins(&mut self, bit_length: u8) {
        let signers = &self.keys["bins-*"];
        let delegations = Delegations::succinct(&signers.public(), signers.threshold, bit_length, "bins");
        let delegations = delegations.expect("a bit length from 1 to 32");
        if let DelegatedRoles::Succinct(succinct) = &delegations.roles {
            for bin in succinct.bins() {
                self.ensure_role(bin.as_str());
            }
        }
        self.role_mut("bins").delegations = Some(delegations);
    }

    fn ensure_role(&mut self, role: &str) {
        self.delegated.entry(role.to_owned()).or_insert_with(|| Targets::new(0, FAR_FUTURE));
    }
}
