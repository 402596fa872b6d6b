//! Offline metadata: the root and the metadata that delegates. Who signs what, which files a change affects, and which
//! signatures are missing.
//!
//! A change is made to [`OfflineMetadata`] as it is published; [`OfflineMetadata::changes_since`] returns the files
//! that must be signed for it. They are passed from key holder to key holder, each an [`OfflineMetadataFile`];
//! [`SignatureRequirement`]s define whose signatures it needs.

mod file;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use packaging::PackageName;
use tuf::metadata::{
    DelegatedRoles, Delegations, PathPattern, PathSet, RoleKeys, RoleName, Root, Targets, TopLevelRole,
};
use tuf::{Key, KeyId, UnixTime};

pub use file::{OfflineMetadataFile, SignatureRequirement, requirements};

use crate::published::{Published, keys_of, name};
use crate::roles::{self, BINS, CLAIMED, INDEX, KeyGroup, Policy, Profile, Signers};

/// Root and delegating metadata, without the metadata of projects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfflineMetadata {
    /// Who signs for the top-level roles.
    pub root: Root,
    /// `targets`, `bins`, `claimed`, as far as the profile has them.
    pub delegators: BTreeMap<RoleName, Targets>,
}

/// Which keys sign together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningGroup {
    /// `root`
    Root,
    /// `targets`, `bins`, `claimed`
    Targets,
    /// Everything that the online key signs.
    Online,
}

/// Why keys and thresholds cannot be changed in this way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CeremonyError {
    /// No signatures.
    #[error("a threshold of 0 would let everybody sign")]
    NoThreshold,
    /// More signatures than keys.
    #[error("a threshold of {threshold} needs {threshold} keys; there {}", there_are(*keys))]
    Threshold {
        /// How many must sign.
        threshold: u64,
        /// How many could.
        keys: usize,
    },
    /// The profile `rstuf` has no key holders for targets.
    #[error("targets is signed by the online key in this repository (profile rstuf)")]
    NoTargetsKeys,
    /// The profile `rstuf` has no roles of projects.
    #[error("a repository with the profile rstuf has no place for keys of projects")]
    NoClaims,
    /// Claims need distributions that are targets.
    #[error("distributions are no targets in this repository (trust = \"page\")")]
    NoDistributionTargets,
    /// It has no keys of its own.
    #[error("{0} has no keys of its own")]
    NotClaimed(PackageName),
    /// The profile cannot be changed to the other one.
    #[error("a published repository can go from the profile small to pep458, and from any number of bins to another")]
    Profile,
    /// Delegations that this program has not made.
    #[error("the delegations of {0} are not of a kind this program makes")]
    Delegations(RoleName),
}

/// What is signed again with the same content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OfflineRenewal {
    /// The root.
    pub root: bool,
    /// `targets` and the others.
    pub targets: bool,
}

impl KeyGroup {
    /// These keys, of which `threshold` must sign.
    ///
    /// A key counts once, even under several key ids: these are hashes of the key object, which can be written
    /// in several ways.
    ///
    /// # Errors
    /// When there are fewer keys than the threshold, or the threshold is 0.
    pub fn new(mut keys: Vec<Key>, threshold: u64) -> Result<Self, CeremonyError> {
        let mut distinct = BTreeSet::new();
        keys.retain(|key| distinct.insert(material(key)));
        if threshold == 0 {
            return Err(CeremonyError::NoThreshold);
        }
        if threshold > keys.len() as u64 {
            return Err(CeremonyError::Threshold { threshold, keys: keys.len() });
        }
        Ok(Self { keys, threshold })
    }

    /// The keys that are also in another group.
    pub fn shared_with<'a>(&'a self, other: &Self) -> Vec<&'a Key> {
        let others: BTreeSet<String> = other.keys.iter().map(material).collect();
        self.keys.iter().filter(|key| others.contains(&material(key))).collect()
    }

    fn role_keys(&self) -> RoleKeys {
        RoleKeys::new(&self.keys, self.threshold)
    }
}

impl OfflineMetadata {
    /// The metadata of a new repository. `None` when the number of bins is out of range.
    pub fn first(policy: &Policy, signers: &Signers, now: UnixTime) -> Option<Self> {
        let root = roles::root(policy, signers, 1, now);
        let targets = roles::targets(policy, signers, 1, now)?;
        let mut delegators = BTreeMap::from([(name(TopLevelRole::Targets), targets)]);
        if policy.profile == Profile::Pep458 {
            delegators.insert(RoleName::from(BINS), roles::bins(policy, signers, 1, now)?);
        }
        Some(Self { root, delegators })
    }

    /// The published offline metadata.
    pub fn of(published: &Published) -> Self {
        Self { root: published.root().clone(), delegators: published.delegators().clone() }
    }

    /// The offline metadata once the waiting files are published. `None` when no root is published and none waits.
    pub fn expected(published: Option<Self>, waiting: &[OfflineMetadataFile]) -> Option<Self> {
        let nothing = || {
            let root = waiting.iter().find_map(|file| match file {
                OfflineMetadataFile::Root(root) => Some(root.signed.clone()),
                OfflineMetadataFile::Targets(..) => None,
            })?;
            Some(Self { root, delegators: BTreeMap::new() })
        };
        published.or_else(nothing).map(|base| base.with(waiting))
    }

    /// Replaces files by those that wait for signatures.
    pub fn with(mut self, waiting: &[OfflineMetadataFile]) -> Self {
        for file in waiting {
            match file {
                OfflineMetadataFile::Root(root) => self.root = root.signed.clone(),
                OfflineMetadataFile::Targets(role, targets) if is_delegator(role) => {
                    self.delegators.insert(role.clone(), targets.signed.clone());
                }
                OfflineMetadataFile::Targets(..) => {}
            }
        }
        self
    }

    /// Who signs together.
    pub fn group(&self, group: SigningGroup) -> KeyGroup {
        let role = match group {
            SigningGroup::Root => TopLevelRole::Root,
            SigningGroup::Targets => TopLevelRole::Targets,
            SigningGroup::Online => TopLevelRole::Timestamp,
        };
        let role = self.root.role(role);
        let keys = role.key_ids.iter().filter_map(|id| self.root.keys.get(id).cloned()).collect();
        KeyGroup { keys, threshold: role.threshold }
    }

    /// Replaces the keys of a group in every delegation to it.
    ///
    /// # Errors
    /// When this repository has no such group, or delegations of another kind.
    pub fn set_group(&mut self, group: SigningGroup, signers: &KeyGroup) -> Result<(), CeremonyError> {
        let online_targets = self.targets_is_online();
        let mut top_level = |role| self.root.set_role(role, &signers.keys, signers.threshold);
        match group {
            SigningGroup::Root => top_level(TopLevelRole::Root),
            SigningGroup::Targets if online_targets => return Err(CeremonyError::NoTargetsKeys),
            SigningGroup::Targets => {
                top_level(TopLevelRole::Targets);
                self.delegate(TopLevelRole::Targets.name(), signers, |role| matches!(role.as_str(), BINS | CLAIMED))?;
            }
            SigningGroup::Online => {
                top_level(TopLevelRole::Timestamp);
                top_level(TopLevelRole::Snapshot);
                if online_targets {
                    top_level(TopLevelRole::Targets);
                }
                self.delegate(TopLevelRole::Targets.name(), signers, |role| role.as_str() == INDEX)?;
                self.delegate(BINS, signers, |_| true)?;
            }
        }
        Ok(())
    }

    /// Spreads the projects over the bins of this policy. Roles of projects and all keys stay.
    ///
    /// # Errors
    /// When the policy has no bins, or other keys would have to sign.
    pub fn spread_over_bins(&mut self, policy: &Policy) -> Result<(), CeremonyError> {
        if policy.profile == Profile::Small || (policy.profile == Profile::Rstuf) != self.targets_is_online() {
            return Err(CeremonyError::Profile);
        }
        let signers = Signers {
            root: self.group(SigningGroup::Root),
            targets: self.group(SigningGroup::Targets),
            online: self.group(SigningGroup::Online),
        };
        let new = Self::first(policy, &signers, UnixTime(0)).ok_or(CeremonyError::Profile)?;
        for (role, new) in new.delegators {
            match self.delegators.get_mut(&role) {
                Some(targets) => targets.delegations = with_claims(targets.delegations.take(), new.delegations),
                None => drop(self.delegators.insert(role, new)),
            }
        }
        Ok(())
    }

    /// Delegates the distributions of a project to its own key holders (PEP 480).
    ///
    /// # Errors
    /// When the profile has no such delegation.
    pub fn claim(&mut self, policy: &Policy, project: &PackageName, signers: &KeyGroup) -> Result<(), CeremonyError> {
        if !policy.trust.has_targets() {
            return Err(CeremonyError::NoDistributionTargets);
        }
        if self.targets_is_online() {
            return Err(CeremonyError::NoClaims);
        }
        let offline_metadata = self.group(SigningGroup::Targets);
        let roles = self.listed(TopLevelRole::Targets.name())?;
        if !roles.1.iter().any(|role| role.name.as_str() == CLAIMED) {
            let mut claimed = Delegations::new(&offline_metadata.keys, DelegatedRoles::Listed(Vec::new()));
            let paths = PathSet::Patterns(vec![PathPattern::new("dist/*/*")]);
            claimed.add(CLAIMED, &offline_metadata.keys, offline_metadata.threshold, paths);
            let DelegatedRoles::Listed(claimed_roles) = claimed.roles else { return Err(CeremonyError::NoClaims) };
            roles.0.extend(claimed.keys);
            // Before the bins: the first delegation has priority.
            roles.1.splice(0..0, claimed_roles);
        }
        self.delegators.entry(RoleName::from(CLAIMED)).or_insert_with(|| {
            let mut claimed = Targets::new(1, UnixTime(0));
            claimed.delegations = Some(Delegations::new(&[], DelegatedRoles::Listed(Vec::new())));
            claimed
        });
        self.remove_claim(project)?;
        let (keys, roles) = self.listed(CLAIMED)?;
        let paths = PathSet::Patterns(vec![PathPattern::new(&format!("dist/{project}/*"))]);
        let mut one = Delegations::new(&signers.keys, DelegatedRoles::Listed(Vec::new()));
        if let Some(role) = one.add(roles::project_role(project).as_str(), &signers.keys, signers.threshold, paths) {
            role.terminating = Some(true);
        }
        let DelegatedRoles::Listed(one_role) = one.roles else { return Err(CeremonyError::NoClaims) };
        keys.extend(one.keys);
        roles.extend(one_role);
        roles.sort_by(|role, other| role.name.cmp(&other.name));
        Ok(())
    }

    /// Ends that delegation: the index signs the distributions of the project again.
    ///
    /// # Errors
    /// When the project has no keys of its own.
    pub fn unclaim(&mut self, project: &PackageName) -> Result<(), CeremonyError> {
        match self.remove_claim(project)? {
            true => Ok(()),
            false => Err(CeremonyError::NotClaimed(project.clone())),
        }
    }

    /// Whether the role exists, with keys.
    pub fn has(&self, role: &RoleName) -> bool {
        keys_of(&self.root, &self.delegators, role).is_ok()
    }

    /// The files that must be signed to publish this after `published`: each with the version after the published one,
    /// and a new expiry. All of them when nothing is published.
    pub fn changes_since(
        &self,
        published: Option<&Self>,
        renewed: OfflineRenewal,
        policy: &Policy,
        now: UnixTime,
    ) -> Vec<OfflineMetadataFile> {
        let mut files = Vec::new();
        let before = published.map(|published| &published.root);
        let same_root = before.is_some_and(|before| {
            Root { version: before.version, expires: before.expires, ..self.root.clone() } == *before
        });
        if !same_root || renewed.root {
            let mut root = self.root.clone();
            root.version = before.map_or(1, |before| before.version + 1);
            root.expires = UnixTime(now.0 + policy.expiry.root);
            files.push(OfflineMetadataFile::root(root));
        }
        for (role, targets) in &self.delegators {
            let before = published.and_then(|published| published.delegators.get(role));
            let same = before.is_some_and(|before| {
                Targets { version: before.version, expires: before.expires, ..targets.clone() } == *before
            });
            let keys = |side: &Self| keys_of(&side.root, &side.delegators, role).ok().map(|(_, keys)| keys.clone());
            let same_keys = published.is_some_and(|published| keys(published) == keys(self));
            if !same || !same_keys || renewed.targets {
                let mut targets = targets.clone();
                targets.version = before.map_or(1, |before| before.version + 1);
                targets.expires = UnixTime(now.0 + policy.expiry.targets);
                files.push(OfflineMetadataFile::targets(role.clone(), targets));
            }
        }
        files
    }

    /// Whether a file has exactly this content.
    pub fn matches_file(&self, file: &OfflineMetadataFile) -> bool {
        match file {
            OfflineMetadataFile::Root(root) => root.signed == self.root,
            OfflineMetadataFile::Targets(role, targets) => self.delegators.get(role) == Some(&targets.signed),
        }
    }

    /// Whether the online key signs `targets` too, as in the profile `rstuf`.
    pub fn targets_is_online(&self) -> bool {
        let targets = self.delegators.get(&name(TopLevelRole::Targets));
        let delegations = targets.and_then(|targets| targets.delegations.as_ref());
        delegations.is_some_and(|delegations| {
            !matches!(&delegations.roles, DelegatedRoles::Listed(roles)
            if roles.iter().any(|role| matches!(role.name.as_str(), INDEX | BINS)))
        })
    }

    /// Replaces the keys of the selected roles that one role delegates to.
    fn delegate(
        &mut self,
        by: &str,
        signers: &KeyGroup,
        is_meant: impl Fn(&RoleName) -> bool,
    ) -> Result<(), CeremonyError> {
        let Some(delegator) = self.delegators.get_mut(&RoleName::from(by)) else { return Ok(()) };
        let error = || CeremonyError::Delegations(RoleName::from(by));
        let delegations = delegator.delegations.as_mut().ok_or_else(error)?;
        match &mut delegations.roles {
            // Bins: signed by the online key only.
            DelegatedRoles::Succinct(succinct) => {
                succinct.keys = RoleKeys { other: succinct.keys.other.clone(), ..signers.role_keys() };
            }
            DelegatedRoles::Listed(roles) => {
                for role in roles.iter_mut().filter(|role| is_meant(&role.name)) {
                    role.keys = signers.role_keys();
                }
            }
        }
        delegations.keys.extend(signers.keys.iter().map(|key| (key.identifier(), key.clone())));
        forget_unused_keys(delegations);
        Ok(())
    }

    fn remove_claim(&mut self, project: &PackageName) -> Result<bool, CeremonyError> {
        if !self.delegators.contains_key(&RoleName::from(CLAIMED)) {
            return Ok(false);
        }
        let (_, roles) = self.listed(CLAIMED)?;
        let before = roles.len();
        let role = roles::project_role(project);
        roles.retain(|listed| listed.name != role);
        let removed = roles.len() < before;
        if let Some(delegations) =
            self.delegators.get_mut(&RoleName::from(CLAIMED)).and_then(|claimed| claimed.delegations.as_mut())
        {
            forget_unused_keys(delegations);
        }
        Ok(removed)
    }

    fn listed(
        &mut self,
        role: &str,
    ) -> Result<(&mut BTreeMap<KeyId, Key>, &mut Vec<tuf::metadata::DelegatedRole>), CeremonyError> {
        let error = || CeremonyError::Delegations(RoleName::from(role));
        let targets = self.delegators.get_mut(&RoleName::from(role)).ok_or_else(error)?;
        match targets.delegations.as_mut().ok_or_else(error)? {
            Delegations { keys, roles: DelegatedRoles::Listed(roles), .. } => Ok((keys, roles)),
            _ => Err(error()),
        }
    }
}

fn there_are(keys: usize) -> String {
    match keys {
        1 => "is 1".to_owned(),
        keys => format!("are {keys}"),
    }
}

/// The key material in a normalized form: independent of the case of hex, the lines of PEM, and all other fields.
fn material(key: &Key) -> String {
    let value = key.to_value();
    let values = value.as_object().and_then(|key| key.get("keyval")).and_then(|values| values.as_object());
    let public = values.and_then(|values| values.get("public")).and_then(|public| public.as_str());
    let Some(public) = public else { return key.identifier().0 };
    match public.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => public.to_lowercase(),
        false => public.split_whitespace().collect(),
    }
}

/// The new delegations, and before them those to `claimed`.
fn with_claims(before: Option<Delegations>, new: Option<Delegations>) -> Option<Delegations> {
    let mut new = new?;
    if let (Some(before), DelegatedRoles::Listed(roles)) = (before, &mut new.roles)
        && let DelegatedRoles::Listed(old) = before.roles
    {
        roles.splice(0..0, old.into_iter().filter(|role| role.name.as_str() == CLAIMED));
        new.keys.extend(before.keys);
    }
    forget_unused_keys(&mut new);
    Some(new)
}

/// Whether a role delegates, other than signing for the files of one project.
pub fn is_delegator(role: &RoleName) -> bool {
    role.top_level() == Some(TopLevelRole::Targets) || matches!(role.as_str(), BINS | CLAIMED)
}

/// Removes keys that no role uses any more.
fn forget_unused_keys(delegations: &mut Delegations) {
    let used: BTreeSet<KeyId> = match &delegations.roles {
        DelegatedRoles::Succinct(succinct) => succinct.keys.key_ids.iter().cloned().collect(),
        DelegatedRoles::Listed(roles) => roles.iter().flat_map(|role| role.keys.key_ids.iter().cloned()).collect(),
    };
    delegations.keys.retain(|id, _| used.contains(id));
}
