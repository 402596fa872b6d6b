//! Which candidate is chosen: newest, installed, pre-release, yanked, constrained.

use super::world::World;
use resolve::{Fact, Prereleases, UpgradeStrategy};

#[test]
fn the_newest_that_fits_is_chosen_and_dependencies_come_along() {
    let world = World::new()
        .release("a", "2.0", &["b>=1", "c"])
        .release("a", "1.0", &[])
        .releases("b", &["1.5", "1.0", "0.9"])
        .release("c", "1.0", &["b<1.5"]);
    let run = world.wants("a").run();
    assert_eq!(run.pins(), "a 2.0, b 1.0, c 1.0");
    assert_eq!(run.order(), "b c a");
}

#[test]
fn all_facts_that_can_matter_are_asked_for_in_one_round() {
    let world = World::new().releases("a", &["1.0"]).releases("b", &["1.0"]).releases("c", &["1.0"]);
    let run = world.wants("a").wants("b").wants("c").run();
    assert_eq!(run.rounds.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3]);
}

#[test]
fn an_older_version_is_taken_when_the_newest_does_not_fit() {
    let world = World::new()
        .release("a", "2.0", &["c>=2"])
        .release("a", "1.0", &["c>=1"])
        .release("b", "1.0", &["c<2"])
        .releases("c", &["2.0", "1.0"]);
    assert_eq!(world.wants("a").wants("b").run().pins(), "a 1.0, b 1.0, c 1.0");
}

#[test]
fn what_was_decided_first_gives_way_to_the_newest_of_what_was_decided_later() {
    let world = World::new()
        .releases("docs", &["0.23", "0.22", "0.21"])
        .release("site", "9.0", &["docs<0.23"])
        .release("site", "8.0", &["docs<0.22"])
        .release("site", "3.5", &["docs"]);
    assert_eq!(world.wants("docs").wants("site").run().pins(), "docs 0.22, site 9.0");
}

#[test]
fn what_the_user_pins_gives_way_to_nothing() {
    let world = World::new().releases("docs", &["0.23", "0.22"]).release("site", "9.0", &["docs<0.23"]).release(
        "site",
        "3.5",
        &["docs"],
    );
    assert_eq!(world.wants("docs>=0.23").wants("site").run().pins(), "docs 0.23, site 3.5");
}

#[test]
fn a_local_version_fits_a_pin_of_its_public_version() {
    let world = World::new().releases("torch", &["2.0+cpu"]);
    assert_eq!(world.wants("torch==2.0").run().pins(), "torch 2.0+cpu");
}

#[test]
fn a_marker_that_does_not_hold_drops_the_requirement() {
    let world = World::new().release("a", "1.0", &["b; sys_platform == 'win32'", "c; python_version >= '3.8'"]);
    assert_eq!(world.releases("c", &["1.0"]).wants("a").run().pins(), "a 1.0, c 1.0");
}

#[test]
fn what_is_installed_and_fits_stays_without_looking_at_any_page() {
    let world = World::new().installed("a", "1.0", &["b"]).installed("b", "1.0", &[]);
    let run = world.releases("a", &["2.0"]).wants("a").run();
    assert_eq!(run.pins(), "a 1.0 (installed), b 1.0 (installed)");
    assert!(run.rounds.is_empty());
}

#[test]
fn upgrading_named_projects_keeps_installed_dependencies_that_fit() {
    let world = World::new()
        .installed("a", "1.0", &["b"])
        .installed("b", "1.0", &[])
        .release("a", "2.0", &["b"])
        .releases("b", &["2.0"])
        .wants("a");
    let named = world.clone().upgrading(UpgradeStrategy::OnlyIfNeeded).run();
    assert_eq!(named.pins(), "a 2.0, b 1.0 (installed)");
    assert_eq!(world.upgrading(UpgradeStrategy::Eager).run().pins(), "a 2.0, b 2.0");
}

#[test]
fn the_installed_version_is_not_installed_again_from_the_index() {
    let world = World::new().installed("a", "2.0", &[]).releases("a", &["2.0", "1.0"]).wants("a");
    assert_eq!(world.clone().upgrading(UpgradeStrategy::Eager).run().pins(), "a 2.0 (installed)");
    let again = World { ignore_installed: true, ..world };
    assert_eq!(again.run().pins(), "a 2.0");
}

#[test]
fn an_installed_version_newer_than_the_page_survives_an_upgrade() {
    let world = World::new().installed("a", "3.0", &[]).releases("a", &["2.0", "1.0"]).wants("a");
    assert_eq!(world.upgrading(UpgradeStrategy::Eager).run().pins(), "a 3.0 (installed)");
}

#[test]
fn an_installed_version_that_does_not_fit_is_replaced() {
    let world = World::new().installed("a", "1.0", &[]).releases("a", &["3.0", "2.0", "1.0"]);
    assert_eq!(world.wants("a>=2,<3").run().pins(), "a 2.0");
}

#[test]
fn prereleases_are_taken_only_when_something_asks_for_them() {
    let world = World::new().releases("a", &["2.0rc1", "1.0", "0.5b1"]);
    let pins = |requirement: &str| world.clone().wants(requirement).run().pins();
    assert_eq!(pins("a"), "a 1.0");
    assert_eq!(pins("a>=2.0b1"), "a 2.0rc1");
    assert_eq!(pins("a>=0.1a1"), "a 2.0rc1");
    assert_eq!(pins("a>1.0"), "a 2.0rc1");
    assert_eq!(pins("a!=2.0b1"), "a 1.0");
    assert_eq!(pins("a<0.6"), "a 0.5b1");
    assert_eq!(world.clone().with_prereleases(Prereleases::Allow).wants("a").run().pins(), "a 2.0rc1");
    let forbidden = world.clone().with_prereleases(Prereleases::Forbid).wants("a>1.0").run();
    assert!(forbidden.explanation().to_string().starts_with("Could not find a final version that satisfies"));
}

#[test]
fn a_project_can_have_its_own_rule_for_prereleases() {
    let world = World {
        prereleases_of: vec![("a".to_owned(), Prereleases::Allow)],
        ..World::new().releases("a", &["2.0rc1", "1.0"]).releases("b", &["2.0rc1", "1.0"])
    };
    assert_eq!(world.wants("a").wants("b").run().pins(), "a 2.0rc1, b 1.0");
}

#[test]
fn a_dependency_that_names_a_prerelease_admits_it() {
    let world =
        World::new().release("a", "1.0", &["c==2.0b1"]).release("b", "1.0", &["c>=1"]).releases("c", &["2.0b1", "1.0"]);
    assert_eq!(world.clone().wants("a").wants("b").run().pins(), "a 1.0, b 1.0, c 2.0b1");
    assert_eq!(world.wants("b").wants("a").wants("c").run().pins(), "a 1.0, b 1.0, c 2.0b1");
}

#[test]
fn a_prerelease_does_not_replace_a_final_release_that_was_chosen_first() {
    let world = World::new().release("a", "1.0", &["c>=1.0a1"]).releases("c", &["2.0a1", "1.0"]);
    assert_eq!(world.clone().wants("c").wants("a").run().pins(), "a 1.0, c 1.0");
    assert_eq!(world.wants("a").wants("c").run().pins(), "a 1.0, c 2.0a1");
}

#[test]
fn a_dependency_of_a_rejected_candidate_does_not_admit_prereleases() {
    let world = World::new()
        .release("a", "2.0", &["c>=1.0b1", "d>=9"])
        .release("a", "1.0", &["c>=1.0"])
        .releases("d", &["1.0"])
        .releases("c", &["2.0b1", "1.0"]);
    assert_eq!(world.wants("a").run().pins(), "a 1.0, c 1.0");
}

#[test]
fn two_specifiers_that_leave_only_prereleases_admit_them() {
    let world = World::new().release("a", "1.0", &["c<2"]).releases("c", &["2.0", "1.5b1", "1.0"]);
    assert_eq!(world.wants("a").wants("c>1.0").run().pins(), "a 1.0, c 1.5b1");
}

#[test]
fn prereleases_stay_out_when_final_releases_are_excluded_for_other_reasons() {
    let world = World::new()
        .release("a", "2.0rc1", &[])
        .release("a", "1.0", &["b==1"])
        .releases("b", &["2.0", "1.0"])
        .wants("a")
        .wants("b==2");
    assert!(world.run().explanation().to_string().contains("a 1.0 depends on b==1"));
}

#[test]
fn a_yanked_release_is_taken_only_for_a_pin_that_nothing_else_satisfies() {
    let world = World::new().releases("a", &["2.0 yanked", "1.0"]);
    let pins = |requirement: &str| world.clone().wants(requirement).run().pins();
    assert_eq!(pins("a"), "a 1.0");
    assert_eq!(pins("a==2.0"), "a 2.0");
    let refused = world.clone().wants("a>=2").run();
    assert_eq!(
        refused.explanation().to_string(),
        "Ignored the following yanked versions: 2.0\n\
         Could not find a version that satisfies the requirement a>=2 (from versions: 1.0)"
    );
    assert!(world.wants("a==2.*").run().explanation().to_string().contains("a==2.*"));
}

#[test]
fn a_pin_of_a_dependency_admits_a_yanked_release_and_the_pin_says_so() {
    let world = World::new().release("b", "1.0", &["a==2.0"]).releases("a", &["2.0 yanked", "1.0"]);
    let run = world.wants("a").wants("b").run();
    assert_eq!(run.pins(), "a 2.0, b 1.0");
    assert!(run.resolution().pins.iter().any(|pin| pin.yanked));
}

#[test]
fn a_pin_that_is_met_late_still_admits_a_yanked_release() {
    let world =
        World::new().release("b", "2.0", &["a==2.0"]).release("b", "1.0", &["a"]).releases("a", &["2.0 yanked", "1.0"]);
    assert_eq!(world.wants("b").wants("a").run().pins(), "a 2.0, b 2.0");
}

#[test]
fn constraints_limit_without_asking() {
    let world = World::new().release("a", "1.0", &["b"]).releases("b", &["2.0", "1.0"]).constrained("b<2");
    let run = world.clone().constrained("unrelated==1").wants("a").run();
    assert_eq!(run.pins(), "a 1.0, b 1.0");
    assert!(
        !run.rounds.iter().flatten().any(|fact| matches!(fact, Fact::Project(name) if name.as_ref() == "unrelated"))
    );
}

#[test]
fn unusable_candidates_are_passed_over() {
    let world = World::new().releases("a", &["3.0 rejected: no wheel", "2.0 broken: invalid metadata", "1.0"]);
    assert_eq!(world.wants("a").run().pins(), "a 1.0");
}

#[test]
fn without_dependencies_only_what_is_named_is_chosen_and_no_metadata_is_asked_for() {
    let world = World { no_deps: true, ..World::new().release("a", "1.0", &["b"]) };
    let run = world.wants("a").run();
    assert_eq!(run.pins(), "a 1.0");
    assert_eq!(run.rounds.len(), 1);
}
