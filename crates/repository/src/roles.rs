//! Which roles an index has, who signs for them, and for how long: the profiles.
//!
//! | profile | roles | who signs |
//! |---|---|---|
//! | `small` | root → targets → `index` | key holders: root, targets; the online key: timestamp, snapshot, `index` |
//! | `pep458` | root → targets → `bins` → `bins-…` | key holders: root, targets, `bins`; the online key: the rest |
//! | `rstuf` | root → targets → `bins-…` | key holders: root; the online key: the rest, targets too |

use packaging::PackageName;
use serde::{Deserialize, Serialize};
use tuf::metadata::{DelegatedRoles, Delegations, HashPrefix, PathSet, RoleName, Root, Targets, TopLevelRole};
use tuf::{Key, UnixTime};

use crate::layout;

/// The shape of the delegations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// One role for everything: up to some hundred projects.
    Small,
    /// Hashed bins, as in PEP 458.
    Pep458,
    /// As RSTUF makes them: the online key signs `targets` too.
    Rstuf,
}

/// How bins are represented in the metadata.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BinForm {
    /// One line for all of them (TAP 15).
    #[default]
    Succinct,
    /// Each by its hash prefixes, for clients that do not support TAP 15.
    Classic,
}

/// By which signatures a distribution is trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DistributionTrust {
    /// It is a target.
    Target,
    /// The signed page gives its hash and size.
    Page,
    /// Both, which must agree.
    #[default]
    Both,
}

/// How long signatures are valid, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// `root`
    pub root: i64,
    /// `targets`, `bins`: other offline metadata.
    pub targets: i64,
    /// `snapshot`
    pub snapshot: i64,
    /// `timestamp`
    pub timestamp: i64,
    /// `index`, or each bin.
    pub leaves: i64,
}

/// What an operator decides once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The shape of the delegations.
    pub profile: Profile,
    /// How bins are represented in the metadata.
    pub bin_form: BinForm,
    /// There are 2^bit_length bins, 1 to 14; not used by [`Profile::Small`].
    pub bit_length: u8,
    /// By which signatures a distribution is trusted.
    pub trust: DistributionTrust,
    /// How long signatures are valid.
    pub expiry: Expiry,
}

/// Keys, of which `threshold` must sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyGroup {
    /// Public keys.
    pub keys: Vec<Key>,
    /// At least 1.
    pub threshold: u64,
}

/// The key groups of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signers {
    /// `root`
    pub root: KeyGroup,
    /// `targets` and `bins`, unless the profile gives `targets` to the online key.
    pub targets: KeyGroup,
    /// The online keys.
    pub online: KeyGroup,
}

const DAY: i64 = 24 * 60 * 60;

impl Default for Expiry {
    fn default() -> Self {
        Self { root: 365 * DAY, targets: 365 * DAY, snapshot: 7 * DAY, timestamp: DAY, leaves: 30 * DAY }
    }
}

impl DistributionTrust {
    /// As the layout's descriptor writes it.
    pub fn name(self) -> &'static str {
        match self {
            DistributionTrust::Target => "target",
            DistributionTrust::Page => "page",
            DistributionTrust::Both => "both",
        }
    }

    /// Whether distributions are targets.
    pub fn has_targets(self) -> bool {
        self != DistributionTrust::Page
    }
}

impl Policy {
    /// The binary logarithm of the number of bins that costs clients least for this number of projects: a compromise
    /// between a long list of all bins and a large bin for each project.
    pub fn bit_length_for(projects: u64) -> u8 {
        // A line of the snapshot is about 6.7 bytes when compressed, an entry of a bin 63, and a command asks for 20
        // projects.
        let best = (9.46 * 20.0 * projects as f64).sqrt();
        (best.max(1.0).log2().round() as u8).clamp(4, 14)
    }

    /// Whether offline keys sign `targets`.
    pub fn targets_offline(&self) -> bool {
        self.profile != Profile::Rstuf
    }
}

/// A root with these signers.
pub fn root(policy: &Policy, signers: &Signers, version: u64, now: UnixTime) -> Root {
    let mut root = Root::new(UnixTime(now.0 + policy.expiry.root));
    root.version = version;
    let targets = if policy.targets_offline() { &signers.targets } else { &signers.online };
    let roles = [
        (TopLevelRole::Root, &signers.root),
        (TopLevelRole::Targets, targets),
        (TopLevelRole::Snapshot, &signers.online),
        (TopLevelRole::Timestamp, &signers.online),
    ];
    for (role, group) in roles {
        root.set_role(role, &group.keys, group.threshold);
    }
    root
}

/// `targets` with the delegations of the profile. `None` when the number of bins is out of range.
pub fn targets(policy: &Policy, signers: &Signers, version: u64, now: UnixTime) -> Option<Targets> {
    let mut targets = Targets::new(version, UnixTime(now.0 + policy.expiry.targets));
    let descriptor = layout::descriptor(policy.trust).to_string();
    let descriptor = tuf::json::parse(descriptor.as_bytes()).ok()?.into_owned();
    targets.other.insert(layout::DESCRIPTOR_FIELD, descriptor);
    let mut delegations = Delegations::new(&[], DelegatedRoles::Listed(Vec::new()));
    match policy.profile {
        Profile::Small => {
            delegations.add(INDEX, &signers.online.keys, signers.online.threshold, every_path());
        }
        Profile::Pep458 => {
            delegations.add(BINS, &signers.targets.keys, signers.targets.threshold, every_path());
        }
        Profile::Rstuf => delegations = to_bins(policy, signers)?,
    }
    targets.delegations = Some(delegations);
    Some(targets)
}

/// `bins` of [`Profile::Pep458`]. `None` when the number of bins is out of range.
pub fn bins(policy: &Policy, signers: &Signers, version: u64, now: UnixTime) -> Option<Targets> {
    let mut bins = Targets::new(version, UnixTime(now.0 + policy.expiry.targets));
    bins.delegations = Some(to_bins(policy, signers)?);
    Some(bins)
}

/// The role that signs for everything in [`Profile::Small`].
pub const INDEX: &str = "index";
/// The role that delegates to the roles of projects with keys of their own (PEP 480).
pub const CLAIMED: &str = "claimed";
/// The role that delegates to bins in [`Profile::Pep458`], and the beginning of the names of bins.
pub const BINS: &str = "bins";

/// The role of a project with keys of its own: `project-NAME`, so that it is none of the others, whatever its name.
pub fn project_role(project: &PackageName) -> RoleName {
    RoleName::from(format!("{PROJECT_PREFIX}{project}").as_str())
}

/// The project whose role this is.
pub fn project_of_role(role: &RoleName) -> Option<PackageName> {
    role.as_str().strip_prefix(PROJECT_PREFIX)?.parse().ok()
}

const PROJECT_PREFIX: &str = "project-";

fn to_bins(policy: &Policy, signers: &Signers) -> Option<Delegations> {
    let KeyGroup { keys, threshold } = &signers.online;
    let succinct = Delegations::succinct(keys, *threshold, policy.bit_length, BINS)?;
    match policy.bin_form {
        BinForm::Succinct => Some(succinct),
        BinForm::Classic => {
            let DelegatedRoles::Succinct(roles) = &succinct.roles else { return None };
            let mut classic = Delegations::new(&[], DelegatedRoles::Listed(Vec::new()));
            for (number, name) in roles.bins().enumerate() {
                classic.add(name.as_str(), keys, *threshold, prefixes_of(number as u64, policy.bit_length)?);
            }
            Some(classic)
        }
    }
}

/// The hash prefixes of a bin: as few digits as distinguish it from all others.
fn prefixes_of(number: u64, bit_length: u8) -> Option<PathSet> {
    let digits = usize::from(bit_length.div_ceil(4));
    let spread = u32::try_from(digits * 4).ok()?.checked_sub(u32::from(bit_length))?;
    let first = number << spread;
    let prefixes = (first..first + (1 << spread)).map(|prefix| HashPrefix::new(&format!("{prefix:0digits$x}")));
    Some(PathSet::HashPrefixes(prefixes.collect::<Option<_>>()?))
}

/// Every path, by the first digit of its hash: no pattern matches every path.
fn every_path() -> PathSet {
    PathSet::HashPrefixes("0123456789abcdef".chars().filter_map(|digit| HashPrefix::new(&digit.to_string())).collect())
}
