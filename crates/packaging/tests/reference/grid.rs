//! Versions against specifiers, many of each, with the newest `packaging` that is here.

use std::ffi::OsStr;
use std::path::Path;

use packaging::{Marker, MarkerEnvironment, Version, VersionSpecifiers};
use serde_json::{Value, json};

use super::{interpreters, questions};

/// The first `packaging` whose answers count.
const REFERENCE: &str = "26";

const EPOCHS: [&str; 2] = ["", "1!"];
const RELEASES: [&str; 12] =
    ["0", "1", "1.0", "1.0.0", "1.0.1", "1.1", "1.2", "1.2.3", "1.10", "2", "0.0.1", "1.2.0.0.1"];
const SUFFIXES: [&str; 18] = [
    "",
    "a1",
    "a2",
    "b1",
    "rc1",
    ".dev0",
    ".dev1",
    ".post0",
    ".post1",
    "a1.dev1",
    "a1.post1",
    "a1.post1.dev2",
    ".post1.dev0",
    ".post1.dev2",
    "rc1.post0",
    "rc1.dev0",
    "-2",
    "-RC.1",
];
const LOCALS: [&str; 5] = ["", "", "+cpu", "+Cpu.2", "+1"];
const OPERATORS: [&str; 8] = ["==", "!=", "<", "<=", ">", ">=", "~=", "==="];

/// xorshift, from a fixed seed: the same questions every time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }

    fn public(&mut self) -> String {
        [self.of(&EPOCHS), self.of(&RELEASES), self.of(&SUFFIXES)].concat()
    }

    fn version(&mut self) -> String {
        self.public() + self.of(&LOCALS)
    }

    fn specifier(&mut self) -> String {
        match self.below(10) {
            0 => [self.of(&["==", "!="]), self.of(&EPOCHS), self.of(&RELEASES), ".*"].concat(),
            1 => self.of(&["==", "!=", "===", "<="]).to_owned() + &self.version(),
            2 => format!(" {} {} ", self.of(&OPERATORS), self.public()),
            _ => self.of(&OPERATORS).to_owned() + &self.public(),
        }
    }
}

fn questions() -> Value {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut pairs: Vec<(String, String)> = (0..60_000).map(|_| (random.version(), random.specifier())).collect();
    pairs.extend((0..20_000).map(|_| (random.version(), format!("{},{}", random.specifier(), random.specifier()))));
    let markers: Vec<(String, String)> = (0..10_000)
        .map(|_| {
            let operator = random.of(&OPERATORS);
            let variable = random.of(&["python_full_version", "python_version", "implementation_version"]);
            let literal = if random.below(8) == 0 { random.of(&RELEASES).to_owned() + ".*" } else { random.public() };
            let marker = match random.below(4) {
                0 => format!("'{literal}' {operator} {variable}"),
                _ => format!("{variable} {operator} '{literal}'"),
            };
            (random.public(), marker)
        })
        .collect();
    json!({"pairs": pairs, "markers": markers, "environment": questions::environment()})
}

/// With pre-releases, without them, and whether the specifiers by themselves ask for them.
fn ours(version: &str, specifiers: &str) -> Value {
    match (version.parse::<Version>(), specifiers.parse::<VersionSpecifiers>()) {
        (Ok(version), Ok(specifiers)) => {
            let contains = specifiers.contains(&version);
            assert_eq!(contains, !specifiers.spans(&[&version]).is_empty(), "{version} in {specifiers}");
            json!([contains, contains && !version.any_prerelease(), specifiers.names_prerelease()])
        }
        _ => json!("invalid"),
    }
}

fn our_marker(environment: &Value, version: &str, marker: &str) -> Value {
    let mut environment = environment.clone();
    for variable in ["python_full_version", "python_version", "implementation_version"] {
        environment[variable] = json!(version);
    }
    let environment: MarkerEnvironment = serde_json::from_value(environment).unwrap();
    marker.parse::<Marker>().map_or(json!("invalid"), |marker| json!(marker.evaluate(&environment, &[])))
}

#[test]
fn versions_and_specifiers_are_judged_alike() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/grid.py");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("questions.json");
    let asked = questions();
    std::fs::write(&file, asked.to_string()).unwrap();
    let given = std::env::var_os("TUFPIP_REFERENCE_PIP").unwrap_or_default();
    let pythons = std::env::var_os("TUFPIP_TEST_PYTHON").into_iter().chain(["python3".into()]);
    let answers = pythons.into_iter().find_map(|python| {
        let arguments: [&OsStr; 5] = ["-I".as_ref(), script.as_ref(), file.as_ref(), REFERENCE.as_ref(), &given];
        let text = interpreters::run(Path::new(&python), &arguments)?;
        Some(serde_json::from_str::<Value>(&text).unwrap()).filter(|answers| !answers.is_null())
    });
    let Some(answers) = answers else {
        println!("skipped: neither TUFPIP_TEST_PYTHON nor python3 has packaging {REFERENCE} or newer, alone or in pip");
        return;
    };
    let mut differences = Vec::new();
    let pairs = asked["pairs"].as_array().unwrap();
    for (pair, theirs) in pairs.iter().zip(answers["pairs"].as_array().unwrap()) {
        let (version, specifiers) = (pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
        let ours = ours(version, specifiers);
        if ours != *theirs {
            differences.push(format!("{version} in {specifiers}: {ours}, expected {theirs}"));
        }
    }
    let markers = asked["markers"].as_array().unwrap();
    for (pair, theirs) in markers.iter().zip(answers["markers"].as_array().unwrap()) {
        let (version, marker) = (pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
        let ours = our_marker(&asked["environment"], version, marker);
        if ours != *theirs {
            differences.push(format!("{marker} for {version}: {ours}, expected {theirs}"));
        }
    }
    println!("packaging {}: {} pairs, {} markers", answers["packaging"], pairs.len(), markers.len());
    let valid = answers["pairs"].as_array().unwrap().iter().filter(|answer| answer.is_array()).count();
    assert!(valid > pairs.len() / 2, "{valid} of {} are valid questions", pairs.len());
    differences.truncate(40);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
