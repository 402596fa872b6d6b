//! Small random worlds, compared with trying everything.

use std::collections::BTreeMap;

use super::world::{World, environment};
use packaging::{MarkerEnvironment, Requirement, Version};
use resolve::SolveOutcome;

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
const SPECIFIERS: [&str; 8] = ["", ">=2", "<2", "==1", "!=2", "<=2", ">1", "==3"];

/// A release: version, requirements.
type Releases = BTreeMap<&'static str, Vec<(u32, Vec<String>)>>;

/// A generator of numbers that repeats itself from run to run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    fn requirement(&mut self) -> String {
        let extra = ["", "", "", "[x]"][self.below(4)];
        let marker = ["", "", "", "; extra == 'x'"][self.below(4)];
        format!("{}{extra}{}{marker}", NAMES[self.below(NAMES.len())], SPECIFIERS[self.below(SPECIFIERS.len())])
    }

    fn releases(&mut self) -> Releases {
        let mut releases = Releases::new();
        for name in NAMES {
            for version in (1..=self.below(4) as u32).rev() {
                let requirements = (0..self.below(4)).map(|_| self.requirement()).collect();
                releases.entry(name).or_default().push((version, requirements));
            }
        }
        releases
    }

    fn wishes(&mut self) -> Vec<String> {
        let wishes = 1 + self.below(3);
        (0..wishes).map(|_| self.requirement().split(';').next().unwrap().to_owned()).collect()
    }
}

/// A choice of versions, by name; what is not in it is not installed.
type Choice = BTreeMap<String, u32>;

/// Which extras are asked for and whether all requirements hold, following them from the user's.
fn is_valid(choice: &Choice, wishes: &[String], releases: &Releases, environment: &MarkerEnvironment) -> bool {
    let mut waiting: Vec<Requirement> = wishes.iter().map(|wish| wish.parse().unwrap()).collect();
    let mut seen = std::collections::HashSet::new();
    while let Some(requirement) = waiting.pop() {
        let Some(version) = choice.get(requirement.name.as_ref()) else { return false };
        if !requirement.specifiers.contains(&Version::new([u64::from(*version)])) {
            return false;
        }
        let with_extras = std::iter::once(None).chain(requirement.extras.iter().map(Some));
        for extra in with_extras {
            if !seen.insert((requirement.name.clone(), extra.cloned())) {
                continue;
            }
            let (_, requires) =
                releases[requirement.name.as_ref()].iter().find(|(candidate, _)| candidate == version).unwrap();
            let parsed = requires.iter().map(|text| text.parse::<Requirement>().unwrap());
            waiting.extend(
                parsed.filter(|dependency| dependency.applies(environment, extra.map_or(&[], std::slice::from_ref))),
            );
        }
    }
    true
}

/// Whether any choice is valid, trying all of them.
fn any_is_valid(wishes: &[String], releases: &Releases, environment: &MarkerEnvironment) -> bool {
    let options: Vec<_> = releases.iter().collect();
    let mut places = vec![0usize; options.len()];
    loop {
        let choice: Choice =
            options.iter().zip(&places).map(|((name, all), place)| ((**name).to_owned(), all[*place].0)).collect();
        if is_valid(&choice, wishes, releases, environment) {
            return true;
        }
        let Some(place) = (0..places.len()).find(|place| places[*place] + 1 < options[*place].1.len()) else {
            return false;
        };
        places[place] += 1;
        places[..place].fill(0);
    }
}

#[test]
fn solutions_are_valid_and_failures_are_real() {
    let environment = environment();
    let mut numbers = Numbers(7);
    let (mut solved, mut impossible) = (0, 0);
    for _ in 0..2000 {
        let releases = numbers.releases();
        let wishes = numbers.wishes();
        let mut world = World::new();
        for (name, all) in &releases {
            for (version, requires) in all {
                let requires: Vec<&str> = requires.iter().map(String::as_str).collect();
                world = world.release_with_extras(name, &version.to_string(), &["x"], &requires);
            }
        }
        let world = wishes.iter().fold(world, |world, wish| world.wants(wish));
        match world.run().outcome {
            SolveOutcome::Solved(resolution) => {
                let choice: Choice = (resolution.pins.iter())
                    .map(|pin| (pin.candidate.name.to_string(), pin.candidate.version.to_string().parse().unwrap()))
                    .collect();
                assert!(is_valid(&choice, &wishes, &releases, &environment), "{choice:?} {wishes:?} {releases:?}");
                assert_eq!(resolution.pins.len(), choice.len());
                solved += 1;
            }
            SolveOutcome::Impossible(explanation) => {
                assert!(!any_is_valid(&wishes, &releases, &environment), "{explanation} {wishes:?} {releases:?}");
                impossible += 1;
            }
            SolveOutcome::Missing(_) => unreachable!("a run ends when nothing is missing"),
        }
    }
    assert!(solved > 200 && impossible > 200, "{solved} solved, {impossible} impossible: the worlds are too simple");
}
