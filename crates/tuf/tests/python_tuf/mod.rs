//! The client against python-tuf's: both are given the same repositories and have to come to the same verdicts.
//!
//! ```text
//! pip install tuf==7.0.1
//! TUFPIP_TEST_PYTHON=python3 cargo test -p tuf --test integration python_tuf:: -- --nocapture
//! ```
//!
//! It takes half a minute of processor time. Without an interpreter that has `tuf` (the one named, else `python3`) nothing
//! is compared. `TUFPIP_TEST_SEEDS` says how many repositories are made for each breakage: 1 if it is not set, and with 4
//! there are a thousand. `TUFPIP_TEST_ONLY` picks breakages by a part of their name. The repositories of the last run stay
//! in `target/tmp/python_tuf`, with what python-tuf said to them.
//!
//! * `ours` (`shape.rs`) are signed with this crate, and honest or broken in exactly one way (`breakages.rs`, which also
//!   says where and why the two clients mean to disagree).
//! * `theirs` (`reference.py`) are signed by python-tuf and honest.

mod breakages;
mod random;
mod repository;
mod scenario;
mod shape;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use testkit::Command;
use tuf::LookUp;

use crate::drive::{Store, update};
use breakages::{Breakage, Expected, History};
use repository::Repository;
use scenario::{Scenario, Step, Verdict};

#[test]
fn both_clients_come_to_the_same_verdict() {
    let Some(python) = python() else { return };
    let started = Instant::now();
    let directory = fresh_directory("ours");
    let seeds = std::env::var("TUFPIP_TEST_SEEDS").map_or(1, |seeds| seeds.parse().expect("a number"));
    let only = std::env::var("TUFPIP_TEST_ONLY").unwrap_or_default();
    let breakages: Vec<Breakage> =
        breakages::all().into_iter().filter(|breakage| breakage.name.contains(&only)).collect();
    let mut cases = BTreeMap::new();
    for (number, breakage) in breakages.iter().enumerate() {
        for seed in 0..seeds {
            let case = Case::new(breakage, number as u64 * 1000 + seed);
            let name = format!("{number:03}-{seed}");
            case.scenario.write(&directory.join(&name));
            cases.insert(name, case);
        }
    }
    let made = started.elapsed();
    reference(&python, "judge", &directory);
    let theirs = verdicts(&directory);
    let mut wrong = Vec::new();
    let mut refused = 0;
    let mut differences = BTreeSet::new();
    for (name, case) in &cases {
        let ours = case.scenario.judge();
        if let Err(why) = case.compare(&ours, &theirs[name]) {
            wrong.push(format!("{name}, {}: {why}", case.breakage.name));
        }
        refused += usize::from(!ours[case.broken].checks.is_empty());
        if let Expected::Differs(_, because) = case.breakage.expected {
            differences.insert((case.breakage.name.as_str(), because));
        }
    }
    println!(
        "{} repositories by {} breakages, {refused} refused; {:.1} s to make them, {:.1} s in all",
        cases.len(),
        breakages.len(),
        made.as_secs_f64(),
        started.elapsed().as_secs_f64()
    );
    for (name, because) in differences {
        println!("differs: {name}: {because}");
    }
    assert!(wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn what_python_tuf_signs_verifies() {
    let Some(python) = python() else { return };
    let directory = fresh_directory("theirs");
    reference(&python, "sign", &directory);
    reference(&python, "judge", &directory);
    let mut found = 0;
    let theirs = verdicts(&directory);
    for (name, theirs) in &theirs {
        let ours = Scenario::read(&directory.join(name)).judge();
        for (step, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
            assert_eq!(ours.said, theirs.said, "{name}, step {step}: {:?}, {:?}", ours.why, theirs.why);
            assert!(ours.checks.is_empty(), "{name}, step {step}: {:?}", ours.why);
            found += ours.said["look_ups"].as_array().unwrap().iter().filter(|found| found.is_object()).count();
        }
    }
    println!("{} repositories of python-tuf, {found} targets found", theirs.len());
    assert!(theirs.len() >= 60 && found > 200);
}

/// One repository over time, broken at one step.
struct Case<'a> {
    breakage: &'a Breakage,
    scenario: Scenario,
    /// The step.
    broken: usize,
    /// Look-ups that come to the delegated role that may be broken.
    affected: Vec<usize>,
}

impl<'a> Case<'a> {
    fn new(breakage: &'a Breakage, mut seed: u64) -> Self {
        loop {
            let mut repository = Repository::new(seed);
            repository.grow();
            repository.publish_root();
            repository.publish();
            if let Some((delegated, affected)) = some_delegated_role(&repository) {
                return Self::with(breakage, repository, &delegated, affected);
            }
            seed += 1 << 32;
        }
    }

    /// Perhaps an honest update, then the broken one, then one that would be honest again.
    fn with(breakage: &'a Breakage, mut repository: Repository, delegated: &str, affected: Vec<usize>) -> Self {
        let trusted_root = repository.served["1.root.json"].to_vec();
        let mut steps = Vec::new();
        let history = match breakage.history {
            History::Needed => true,
            History::Unwanted => false,
            History::Either => repository.random.once_in(2),
        };
        if history {
            steps.push(step(&repository));
        }
        repository.progress();
        (breakage.apply)(&mut repository, delegated);
        repository.publish();
        let broken = steps.len();
        steps.push(step(&repository));
        repository.damages.clear();
        repository.served.retain(|_, bytes| bytes.len() < 1 << 20);
        // Twice, so that no version comes back with another content after a rollback.
        repository.progress();
        repository.progress();
        repository.publish();
        steps.push(step(&repository));
        Case { breakage, scenario: Scenario { trusted_root, steps }, broken, affected }
    }

    fn compare(&self, ours: &[Verdict], theirs: &[Verdict]) -> Result<(), String> {
        let (our, their) = (&ours[self.broken], &theirs[self.broken]);
        let updated = our.said["updated"] == true;
        let refused_by = |checks: &[tuf::Check]| our.checks.iter().any(|check| checks.contains(check));
        let as_expected = match self.breakage.expected {
            Expected::Accepted => updated,
            Expected::Refused(checks) => !updated && refused_by(checks),
            Expected::LookUpsRefused(checks) => {
                let affected = self.affected.iter().all(|index| our.said["look_ups"][index] == "refused");
                updated && affected && refused_by(checks)
            }
            Expected::Differs(None, _) => updated,
            Expected::Differs(Some(check), _) => refused_by(&[check]),
        };
        if !as_expected {
            return Err(format!("not as expected: {} {:?}", our.said, our.why));
        }
        let differs = matches!(self.breakage.expected, Expected::Differs(..));
        for (step, (our, their)) in ours.iter().zip(theirs).enumerate() {
            if differs && step == self.broken {
                break;
            }
            if our.said != their.said {
                let (said, they) = (&our.said, &their.said);
                return Err(format!("step {step}: ours {said} {:?}\n    theirs {they} {:?}", our.why, their.why));
            }
        }
        if differs && our.said == their.said {
            return Err(format!("no difference: {} {:?} {:?}", our.said, our.why, their.why));
        }
        Ok(())
    }
}

/// One that look-ups come to by one way only, and some look-ups that come to it.
fn some_delegated_role(repository: &Repository) -> Option<(String, Vec<usize>)> {
    let root = &repository.served["1.root.json"];
    let outcome = update(root, repository.now, &repository.served, &mut Store::new(), &paths()).unwrap();
    outcome.refreshed.expect("an honest repository");
    let mut visited: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, result) in outcome.look_ups.into_iter().enumerate() {
        let roles = match result {
            Ok(LookUp::Found(target)) => target.roles,
            Ok(LookUp::NotFound { searched, .. }) => searched,
            // By a role that is delegated to twice, by different keys.
            Err(_) => Vec::new(),
        };
        for role in roles {
            visited.entry(role.as_str().to_owned()).or_default().push(index);
        }
    }
    visited.into_iter().find(|(role, _)| repository.delegators.get(role) == Some(&1))
}

fn step(repository: &Repository) -> Step {
    Step { now: repository.now, served: repository.served.clone(), paths: paths() }
}

fn paths() -> Vec<String> {
    let deep = (30..=34).map(|link| format!("deep-{link}"));
    shape::PATHS.into_iter().chain(["no/such/thing", ""]).map(str::to_owned).chain(deep).collect()
}

// ---- python-tuf ------------------------------------------------------------------------------------------------------

/// An interpreter that has it, and not from before it judged a role for each delegator by itself.
fn python() -> Option<PathBuf> {
    let named = std::env::var_os("TUFPIP_TEST_PYTHON").map(PathBuf::from);
    let python = named.unwrap_or_else(|| PathBuf::from("python3"));
    let probe = "import tuf.ngclient; assert tuple(map(int, tuf.__version__.split('.'))) >= (7, 0, 1)";
    let probe = Command::new(&python).args(["-c", probe]).try_run();
    if probe.is_ok_and(|outcome| outcome.succeeded()) {
        return Some(python);
    }
    eprintln!("skipped: {} has no tuf 7.0.1", python.display());
    None
}

fn reference(python: &Path, what: &str, directory: &Path) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python_tuf/reference.py");
    let command = Command::new(python).args(["-X", "utf8"]).arg(script).arg(what).arg(directory);
    command.time_limit(Duration::from_secs(1800)).run().expect_code(0);
}

fn verdicts(directory: &Path) -> BTreeMap<String, Vec<Verdict>> {
    let bytes = std::fs::read(directory.join("verdicts.json")).unwrap();
    let verdicts: BTreeMap<String, Vec<Json>> = serde_json::from_slice(&bytes).unwrap();
    let verdict = |mut said: Json| {
        let why = said.as_object_mut().unwrap().remove("why").unwrap_or_default();
        let why = why.as_array().unwrap().iter().map(|why| why.as_str().unwrap().to_owned()).collect();
        Verdict { said, checks: Vec::new(), why }
    };
    verdicts.into_iter().map(|(name, steps)| (name, steps.into_iter().map(verdict).collect())).collect()
}

fn fresh_directory(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python_tuf").join(name);
    if directory.exists() {
        std::fs::remove_dir_all(&directory).unwrap();
    }
    std::fs::create_dir_all(&directory).unwrap();
    directory
}
