//! One repository over time, the same for both clients: what it serves at each update, and what is looked for.
//!
//! On disk a scenario is a directory: `scenario.json`, `root.json` to start from, and for each step a directory of what
//! the repository serves, by the names it is asked for.

use std::fs;
use std::path::Path;

use serde_json::{Value as Json, json};
use tuf::{Check, LookUp, UnixTime};

use crate::drive::{Served, Store, update};

pub struct Scenario {
    pub trusted_root: Vec<u8>,
    pub steps: Vec<Step>,
}

pub struct Step {
    pub now: UnixTime,
    pub served: Served,
    pub paths: Vec<String>,
}

/// What a client says to one step: the same words as in `reference.py`.
#[derive(Debug, Default)]
pub struct Verdict {
    /// `{"updated": true, "look_ups": [...]}`; a look-up is `"refused"`, `null` or `{"length", "hashes"}`.
    pub said: Json,
    /// The checks that refused, of ours; for theirs in `reference.py`'s own words.
    pub checks: Vec<Check>,
    pub why: Vec<String>,
}

impl Scenario {
    pub fn write(&self, directory: &Path) {
        fs::create_dir_all(directory).unwrap();
        fs::write(directory.join("root.json"), &self.trusted_root).unwrap();
        let mut steps = Vec::new();
        for (number, step) in self.steps.iter().enumerate() {
            let served = directory.join(number.to_string());
            fs::create_dir(&served).unwrap();
            for (name, bytes) in &step.served {
                fs::write(served.join(name), bytes).unwrap();
            }
            steps.push(json!({"now": step.now.to_string(), "paths": step.paths}));
        }
        fs::write(directory.join("scenario.json"), serde_json::to_vec(&steps).unwrap()).unwrap();
    }

    pub fn read(directory: &Path) -> Self {
        let steps: Json = serde_json::from_slice(&fs::read(directory.join("scenario.json")).unwrap()).unwrap();
        let steps = steps.as_array().unwrap().iter().enumerate().map(|(number, step)| {
            let served = fs::read_dir(directory.join(number.to_string())).unwrap().map(|entry| {
                let entry = entry.unwrap();
                (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap().into())
            });
            let paths = step["paths"].as_array().unwrap().iter().map(|path| path.as_str().unwrap().to_owned());
            let now = UnixTime::parse(step["now"].as_str().unwrap()).unwrap();
            Step { now, served: served.collect(), paths: paths.collect() }
        });
        let trusted_root = fs::read(directory.join("root.json")).unwrap();
        Scenario { trusted_root, steps: steps.collect() }
    }

    /// What our client says to each step; one store for all of them.
    pub fn judge(&self) -> Vec<Verdict> {
        let mut store = Store::new();
        self.steps.iter().map(|step| step.judge(&self.trusted_root, &mut store)).collect()
    }
}

impl Step {
    pub fn judge(&self, trusted_root: &[u8], store: &mut Store) -> Verdict {
        let mut verdict = Verdict::default();
        let outcome = match update(trusted_root, self.now, &self.served, store, &self.paths) {
            Ok(outcome) => outcome,
            Err(error) => {
                verdict.said = json!({"updated": false, "look_ups": []});
                verdict.checks.push(error.check());
                verdict.why.push(error.to_string());
                return verdict;
            }
        };
        if let Err(error) = outcome.refreshed {
            verdict.said = json!({"updated": false, "look_ups": []});
            verdict.checks.push(error.check());
            verdict.why.push(error.to_string());
            return verdict;
        }
        let look_ups: Vec<Json> = outcome
            .look_ups
            .into_iter()
            .map(|result| match result {
                Ok(LookUp::Found(target)) => {
                    let hashes: serde_json::Map<_, _> =
                        target.hashes.iter().map(|(name, hex)| (name.to_owned(), hex.into())).collect();
                    json!({"length": target.length, "hashes": hashes})
                }
                Ok(LookUp::NotFound { .. }) => Json::Null,
                Err(error) => {
                    verdict.checks.push(error.check());
                    verdict.why.push(error.to_string());
                    "refused".into()
                }
            })
            .collect();
        verdict.said = json!({"updated": true, "look_ups": look_ups});
        verdict
    }
}
