//! A request: requirements, constraints and the rules of choice.

use std::collections::HashMap;

use packaging::{MarkerEnvironment, PackageName, Requirement};
use serde::{Deserialize, Serialize};

/// A requirement or constraint of the user, and where it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRequirement {
    /// The requirement. A path or a URL without a name becomes `name @ url` before it gets here.
    pub requirement: Requirement,
    /// Where it was read, for messages: "the command line" or "r.txt line 3".
    pub source: String,
}

impl UserRequirement {
    /// A requirement and where it was read.
    pub fn new(requirement: Requirement, source: impl Into<String>) -> Self {
        Self { requirement, source: source.into() }
    }
}

/// Which installed distributions may be replaced by a better candidate although they fit (pip's `--upgrade-strategy`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum UpgradeStrategy {
    /// None: what is installed and fits stays.
    #[default]
    ToSatisfyOnly,
    /// Those of projects the user named.
    OnlyIfNeeded,
    /// All.
    Eager,
}

/// Whether pre-releases of a project may be chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Prereleases {
    /// When a specifier in effect names one, or when no final release fits but a pre-release does.
    #[default]
    WhenNeeded,
    /// Like any other release (pip's `--pre` and `--all-releases`).
    Allow,
    /// Never (pip's `--only-final`).
    Forbid,
}

/// Requirements, constraints and the rules of choice.
#[derive(Clone, Debug, Serialize)]
pub struct ResolveRequest<'a> {
    /// What to install.
    pub requirements: Vec<UserRequirement>,
    /// Limits on projects, without asking for them.
    pub constraints: Vec<UserRequirement>,
    /// The values of environment markers for the target interpreter.
    pub environment: &'a MarkerEnvironment,
    /// What installed distributions may be replaced.
    pub upgrade: UpgradeStrategy,
    /// Resolve as if nothing was installed.
    pub ignore_installed: bool,
    /// The rule for projects without a rule of their own.
    pub prereleases: Prereleases,
    /// Projects with a rule of their own.
    pub prereleases_of: HashMap<PackageName, Prereleases>,
    /// Only what the user named, without its dependencies.
    pub no_deps: bool,
}

impl<'a> ResolveRequest<'a> {
    /// A request for nothing, with pip's defaults.
    pub fn new(environment: &'a MarkerEnvironment) -> Self {
        Self {
            requirements: Vec::new(),
            constraints: Vec::new(),
            environment,
            upgrade: UpgradeStrategy::ToSatisfyOnly,
            ignore_installed: false,
            prereleases: Prereleases::WhenNeeded,
            prereleases_of: HashMap::new(),
            no_deps: false,
        }
    }

    pub(crate) fn prereleases(&self, name: &PackageName) -> Prereleases {
        self.prereleases_of.get(name).copied().unwrap_or(self.prereleases)
    }
}
