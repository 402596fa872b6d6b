//! What is said when nothing fits.

use super::world::{Run, World};
use resolve::{Conflict, Explanation, Note, Rejection};

fn conflict(run: &Run) -> &Conflict {
    let explanation = run.explanation();
    let conflict = if let Explanation::Conflict(conflict) = explanation { Some(conflict) } else { None };
    conflict.unwrap_or_else(|| unreachable!("another explanation: {explanation}"))
}

fn sentences(notes: &[Note]) -> Vec<String> {
    notes.iter().map(ToString::to_string).collect()
}

#[test]
fn two_pins_that_need_different_versions_of_a_third() {
    let world = World::new()
        .release("a", "1.0", &["c (>=2,<3)"])
        .release("b", "2.0", &["c<2"])
        .releases("c", &["2.0", "1.0"])
        .wants("a==1.0")
        .wants("b==2.0");
    assert_eq!(
        world.run().explanation().to_string(),
        "Cannot install a==1.0 and b==2.0 because these package versions have conflicting dependencies.\n\n\
         The conflict is caused by:\n    a 1.0 depends on c<3 and >=2\n    b 2.0 depends on c<2"
    );
}

#[test]
fn the_user_against_a_dependency() {
    let world = World::new().release("a", "1.0", &["c>=2"]).releases("c", &["2.0", "1.0"]).wants("a==1.0").wants("c<2");
    let run = world.run();
    assert_eq!(conflict(&run).lines(), ["a 1.0 depends on c>=2", "The user requested c<2"]);
    assert_eq!(conflict(&run).triggers, ["a==1.0", "c<2"]);
    assert_eq!(sentences(&conflict(&run).notes), ["a is needed because the command line asks for a==1.0"]);
}

#[test]
fn two_requirements_of_the_user() {
    let world = World::new().releases("c", &["2.0", "1.0"]).wants("c<2").wants("c>=2");
    let run = world.run();
    assert_eq!(conflict(&run).lines(), ["The user requested c<2", "The user requested c>=2"]);
}

#[test]
fn a_constraint_is_named() {
    let world = World::new().release("a", "1.0", &["c>=2"]).releases("c", &["2.0", "1.0"]);
    let run = world.wants("a").constrained("c<2").run();
    assert_eq!(conflict(&run).lines(), ["a 1.0 depends on c>=2", "The user requested (constraint) c<2"]);
}

#[test]
fn nothing_has_the_version() {
    let run = World::new().releases("c", &["2.0", "1.0"]).wants("c>=3").run();
    assert_eq!(
        run.explanation().to_string(),
        "Could not find a version that satisfies the requirement c>=3 (from versions: 1.0, 2.0)"
    );
}

#[test]
fn the_project_does_not_exist() {
    let run = World::new().release("a", "1.0", &["typo"]).wants("a").run();
    assert_eq!(
        run.explanation().to_string(),
        "Could not find a version that satisfies the requirement typo (from a) (from versions: none)"
    );
}

#[test]
fn the_version_needs_another_python() {
    let world = World::new().releases("numpy", &["2.5.0 rejected: Requires-Python >=3.12", "2.4.0"]);
    let run = world.wants("numpy==2.5.0").run();
    assert_eq!(
        run.explanation().to_string(),
        "Ignored the following versions that require a different python version: 2.5.0 Requires-Python >=3.12\n\
         Could not find a version that satisfies the requirement numpy==2.5.0 (from versions: 2.4.0)"
    );
    let notes = sentences(run.explanation().notes());
    assert_eq!(notes, ["numpy 2.5.0 would match, but: requires a different Python: 3.11.7 not in '>=3.12'"]);
}

#[test]
fn equal_reasons_and_long_lists_are_put_together() {
    let mut versions: Vec<String> = (2..40).rev().map(|version| format!("{version}.0")).collect();
    versions.extend(["1.1 rejected: source", "1.0 rejected: source", "0.9 broken: bad"].map(str::to_owned));
    let versions: Vec<&str> = versions.iter().map(String::as_str).collect();
    let run = World::new().releases("a", &versions).wants("a<2").run();
    let Explanation::NoMatch(problem) = run.explanation() else { panic!("{}", run.explanation()) };
    let reasons = ["1.0, 1.1: only a source distribution", "0.9: bad"];
    assert_eq!(problem.other_reasons(usize::MAX, Rejection::to_string), reasons);
    assert!(problem.lines(6).concat().ends_with("(from versions: 0.9, 2.0, … 33 more …, 36.0, 37.0, 38.0, 39.0)"));
}

#[test]
fn a_conflict_names_what_would_have_to_be_built() {
    let world = World::new()
        .release("a", "2.0", &["c<2"])
        .releases("a", &["1.1 rejected: source", "1.0 rejected: source"])
        .releases("c", &["2.0", "1.0"])
        .wants("a>1.0")
        .wants("c>=2");
    let run = world.run();
    assert_eq!(conflict(&run).lines(), ["a 2.0 depends on c<2", "The user requested c>=2"]);
    let note = "a 1.1 could fit, but there is only a source distribution";
    let notes = sentences(&conflict(&run).notes);
    assert!(notes.iter().any(|known| known == note), "{notes:?}");
}

#[test]
fn the_newest_version_of_a_parent_is_the_one_explained() {
    let world = World::new()
        .release("a", "3.0", &["three"])
        .release("a", "2.0", &["two"])
        .release("a", "1.0", &["one"])
        .wants("a");
    let run = world.run();
    let text = "Could not find a version that satisfies the requirement three (from a) (from versions: none)";
    assert_eq!(run.explanation().to_string(), text);
}

#[test]
fn every_version_of_a_dependent_asks_the_same() {
    let mut world = World::new().releases("c", &["2.0", "1.0"]).wants("c<2").wants("a");
    for version in (1..30).rev() {
        world = world.release("a", &format!("{version}.0"), &["c>=2"]);
    }
    let run = world.run();
    assert_eq!(conflict(&run).lines(), ["a 29.0 depends on c>=2", "The user requested c<2"]);
    assert_eq!(
        sentences(&conflict(&run).notes),
        [
            "a is needed because the command line asks for a",
            "28 other versions of a, down to 1.0, depend on c in the same way"
        ]
    );
}

#[test]
fn the_way_from_the_user_to_a_deep_conflict_is_told() {
    let world = World::new()
        .release("app", "1.0", &["lib"])
        .release("lib", "4.0", &["c>=2"])
        .releases("c", &["2.0", "1.0"])
        .wants("app")
        .wants("c<2");
    let run = world.run();
    assert_eq!(conflict(&run).lines(), ["lib 4.0 depends on c>=2", "The user requested c<2"]);
    assert_eq!(
        sentences(&conflict(&run).notes),
        ["lib is needed because app 1.0 depends on lib", "app is needed because the command line asks for app"]
    );
}

#[test]
fn a_direct_reference_that_can_not_be_used() {
    let url = "https://pkgs.example.org/a-5.0-py3-none-any.whl";
    let world = World::new().at_url(url, "5.0 rejected: no wheel for this platform", &[]);
    let run = world.wants(&format!("a @ {url}")).run();
    assert_eq!(run.explanation().to_string(), "a can not be used: no wheel for this platform");
    let Explanation::Unusable(problem) = run.explanation() else { panic!("{}", run.explanation()) };
    assert_eq!(problem.reason, Rejection::Other("no wheel for this platform".to_owned()));
}
