//! A small world of projects for tests: the truth that a catalog is filled from, fact by fact.

use std::collections::{BTreeMap, HashMap, HashSet};

use packaging::{MarkerEnvironment, Requirement, Version};
use resolve::{
    Candidate, CandidateId, CandidateMetadata, CandidateOrigin, Catalog, Explanation, Fact, Prereleases, Rejection,
    Resolution, ResolveRequest, SolveOutcome, UpgradeStrategy, UserRequirement, solve,
};

/// Projects with their releases, what is installed, what URLs lead to, and what the user wants.
#[derive(Clone, Default)]
pub struct World {
    pub pages: BTreeMap<String, Vec<Release>>,
    pub installed: BTreeMap<String, Release>,
    pub direct: HashMap<String, Release>,
    pub wants: Vec<String>,
    pub constraints: Vec<String>,
    pub upgrade: UpgradeStrategy,
    pub ignore_installed: bool,
    pub prereleases: Prereleases,
    pub prereleases_of: Vec<(String, Prereleases)>,
    pub no_deps: bool,
}

/// One version of a project, written like `2.0`, `2.0 yanked`, `2.0 rejected: no wheel`, `2.0 broken: bad metadata`.
#[derive(Clone)]
pub struct Release {
    text: String,
    requires: Vec<String>,
    extras: Vec<String>,
}

/// How a solve went.
#[derive(Debug)]
pub struct Run {
    pub outcome: SolveOutcome,
    pub rounds: Vec<Vec<Fact>>,
}

impl World {
    pub fn new() -> Self {
        Self::default()
    }

    /// A release on the project's page; the best is added first.
    pub fn release(self, name: &str, text: &str, requires: &[&str]) -> Self {
        self.release_with_extras(name, text, &[], requires)
    }

    pub fn release_with_extras(mut self, name: &str, text: &str, extras: &[&str], requires: &[&str]) -> Self {
        self.pages.entry(name.to_owned()).or_default().push(Release::new(text, extras, requires));
        self
    }

    /// Several releases without dependencies, best first.
    pub fn releases(self, name: &str, texts: &[&str]) -> Self {
        texts.iter().fold(self, |world, text| world.release(name, text, &[]))
    }

    pub fn installed(mut self, name: &str, text: &str, requires: &[&str]) -> Self {
        self.installed.insert(name.to_owned(), Release::new(text, &[], requires));
        self
    }

    pub fn at_url(mut self, url: &str, text: &str, requires: &[&str]) -> Self {
        self.direct.insert(url.to_owned(), Release::new(text, &[], requires));
        self
    }

    pub fn wants(mut self, requirement: &str) -> Self {
        self.wants.push(requirement.to_owned());
        self
    }

    pub fn constrained(mut self, requirement: &str) -> Self {
        self.constraints.push(requirement.to_owned());
        self
    }

    pub fn upgrading(mut self, upgrade: UpgradeStrategy) -> Self {
        self.upgrade = upgrade;
        self
    }

    pub fn with_prereleases(mut self, rule: Prereleases) -> Self {
        self.prereleases = rule;
        self
    }

    /// Solves round by round until nothing is missing.
    pub fn run(&self) -> Run {
        let environment = environment();
        let request = self.request(&environment);
        let mut catalog = Catalog::new();
        for (name, release) in &self.installed {
            let candidate = release.candidate(CandidateOrigin::Installed);
            self.tell_metadata(&mut catalog, name, &candidate, release);
            catalog.insert_installed(name.parse().unwrap(), candidate);
        }
        let mut known = HashSet::new();
        let mut rounds = Vec::new();
        loop {
            match solve(&catalog, &request) {
                SolveOutcome::Missing(facts) => {
                    assert!(!facts.is_empty(), "something must be missing");
                    for fact in &facts {
                        assert!(known.insert(fact.clone()), "asked twice for {fact}");
                        self.tell(&mut catalog, fact);
                    }
                    rounds.push(facts);
                }
                outcome => return Run { outcome, rounds },
            }
        }
    }

    /// The request of this world.
    pub fn request<'a>(&self, environment: &'a MarkerEnvironment) -> ResolveRequest<'a> {
        let wanted = |texts: &[String], source: &str| -> Vec<UserRequirement> {
            texts.iter().map(|text| UserRequirement::new(text.parse().unwrap(), source)).collect()
        };
        ResolveRequest {
            requirements: wanted(&self.wants, "the command line"),
            constraints: wanted(&self.constraints, "c.txt line 1"),
            environment,
            upgrade: self.upgrade,
            ignore_installed: self.ignore_installed,
            prereleases: self.prereleases,
            prereleases_of: self.prereleases_of.iter().map(|(name, rule)| (name.parse().unwrap(), *rule)).collect(),
            no_deps: self.no_deps,
        }
    }

    fn tell(&self, catalog: &mut Catalog, fact: &Fact) {
        match fact {
            Fact::Project(name) => {
                let releases = self.pages.get(name.as_ref()).map(Vec::as_slice).unwrap_or_default();
                let candidates = releases.iter().map(|release| release.candidate(CandidateOrigin::Index)).collect();
                catalog.insert_project(name.clone(), candidates);
            }
            Fact::Metadata(candidate) => {
                let release = match &candidate.origin {
                    CandidateOrigin::Direct(url) => &self.direct[url],
                    _ => (self.pages[candidate.name.as_ref()].iter())
                        .find(|release| release.version() == candidate.version)
                        .unwrap(),
                };
                catalog.insert_metadata(candidate.clone(), release.metadata());
            }
            Fact::Direct { name, url } => {
                let candidate = self.direct[url].candidate(CandidateOrigin::Direct(url.clone()));
                catalog.insert_direct(name.clone(), url.clone(), candidate);
            }
        }
    }

    fn tell_metadata(&self, catalog: &mut Catalog, name: &str, candidate: &Candidate, release: &Release) {
        let (version, origin) = (candidate.version.clone(), candidate.origin.clone());
        catalog.insert_metadata(CandidateId { name: name.parse().unwrap(), version, origin }, release.metadata());
    }
}

impl Release {
    fn new(text: &str, extras: &[&str], requires: &[&str]) -> Self {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Self { text: text.to_owned(), requires: owned(requires), extras: owned(extras) }
    }

    fn version(&self) -> Version {
        self.text.split(' ').next().unwrap().parse().unwrap()
    }

    fn candidate(&self, origin: CandidateOrigin) -> Candidate {
        let rejected =
            self.text.split_once(" rejected: ").map(|(_, reason)| match reason.strip_prefix("Requires-Python ") {
                Some(requires) => {
                    Rejection::Python { requires: requires.to_owned(), python: "3.11.7".parse().unwrap() }
                }
                None if reason == "source" => Rejection::Source,
                None => Rejection::Other(reason.to_owned()),
            });
        Candidate { version: self.version(), origin, yanked: self.text.contains(" yanked"), rejected }
    }

    fn metadata(&self) -> Result<CandidateMetadata, String> {
        if let Some((_, reason)) = self.text.split_once(" broken: ") {
            return Err(reason.to_owned());
        }
        let requires_dist: Vec<Requirement> = self.requires.iter().map(|text| text.parse().unwrap()).collect();
        Ok(CandidateMetadata {
            requires_dist,
            provides_extras: self.extras.iter().map(|text| text.parse().unwrap()).collect(),
        })
    }
}

impl Run {
    pub fn resolution(&self) -> &Resolution {
        match &self.outcome {
            SolveOutcome::Solved(resolution) => resolution,
            SolveOutcome::Impossible(explanation) => panic!("impossible: {explanation}"),
            SolveOutcome::Missing(_) => unreachable!("a run ends when nothing is missing"),
        }
    }

    pub fn explanation(&self) -> &Explanation {
        match &self.outcome {
            SolveOutcome::Impossible(explanation) => explanation,
            _ => panic!("not impossible: {}", self.pins()),
        }
    }

    /// The pins sorted by name, like `a 1.0, b[x] 2.0 (installed)`.
    pub fn pins(&self) -> String {
        let mut pins: Vec<String> = self.resolution().pins.iter().map(describe).collect();
        pins.sort();
        pins.join(", ")
    }

    /// The names of the pins in installation order.
    pub fn order(&self) -> String {
        let names: Vec<_> = self.resolution().pins.iter().map(|pin| pin.candidate.name.to_string()).collect();
        names.join(" ")
    }
}

fn describe(pin: &resolve::Pin) -> String {
    let extras: Vec<_> = pin.extras.iter().map(ToString::to_string).collect();
    let extras = if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
    let origin = match &pin.candidate.origin {
        CandidateOrigin::Index => "",
        CandidateOrigin::Installed => " (installed)",
        CandidateOrigin::Direct(_) => " (direct)",
    };
    format!("{}{extras} {}{origin}", pin.candidate.name, pin.candidate.version)
}

/// CPython 3.11 on Linux.
pub fn environment() -> MarkerEnvironment {
    serde_json::from_value(serde_json::json!({
        "implementation_name": "cpython", "implementation_version": "3.11.7", "os_name": "posix",
        "platform_machine": "x86_64", "platform_python_implementation": "CPython", "platform_release": "6.1",
        "platform_system": "Linux", "platform_version": "#1", "python_full_version": "3.11.7",
        "python_version": "3.11", "sys_platform": "linux"
    }))
    .unwrap()
}
