//! Extras, direct references, cycles, the order of installation and who asked.

use super::world::World;
use resolve::RequestedBy;

#[test]
fn an_extra_brings_its_dependencies() {
    let world = World::new()
        .release_with_extras("a", "1.0", &["x", "y"], &["b", "c; extra == 'x'", "d; extra == 'y'"])
        .releases("b", &["1.0"])
        .releases("c", &["1.0"])
        .releases("d", &["1.0"]);
    assert_eq!(world.clone().wants("a").run().pins(), "a 1.0, b 1.0");
    assert_eq!(world.clone().wants("a[X]").run().pins(), "a[x] 1.0, b 1.0, c 1.0");
    assert_eq!(world.wants("a[x]").wants("a[y]>=1").run().pins(), "a[x,y] 1.0, b 1.0, c 1.0, d 1.0");
}

#[test]
fn an_extra_that_names_other_extras_of_its_project_works() {
    let world = World::new()
        .release_with_extras("a", "1.0", &["all", "x"], &["a[x]; extra == 'all'", "c; extra == 'x'"])
        .releases("c", &["1.0"]);
    assert_eq!(world.wants("a[all]").run().pins(), "a[all,x] 1.0, c 1.0");
}

#[test]
fn an_unknown_extra_is_a_warning() {
    let run = World::new().releases("a", &["1.0"]).wants("a[nope]").run();
    assert_eq!(run.pins(), "a[nope] 1.0");
    assert_eq!(run.resolution().warnings[0].to_string(), "a 1.0 does not provide the extra 'nope'");
}

#[test]
fn an_extra_and_its_project_are_one_version() {
    let world = World::new()
        .release_with_extras("a", "3.0", &["x"], &["b>=2; extra == 'x'"])
        .release_with_extras("a", "2.0", &["x"], &["b>=2; extra == 'x'"])
        .release_with_extras("a", "1.0", &["x"], &["b>=1; extra == 'x'"])
        .releases("b", &["2.0", "1.0"])
        .wants("a[x]")
        .wants("b<2");
    assert_eq!(world.run().pins(), "a[x] 1.0, b 1.0");
}

#[test]
fn an_extra_with_hundreds_of_versions_that_do_not_fit_comes_to_an_end() {
    let mut world = World::new().releases("b", &["2.0", "1.0"]).wants("b<2").wants("a[x]");
    for version in (1..300).rev() {
        world = world.release_with_extras("a", &format!("{version}.0"), &["x"], &["b>=2; extra == 'x'"]);
    }
    world.run().explanation();
}

#[test]
fn projects_may_depend_on_each_other_and_on_themselves() {
    let world = World::new()
        .release("a", "1.0", &["b", "a>=1"])
        .release("b", "1.0", &["c"])
        .release("c", "1.0", &["a", "d"])
        .releases("d", &["1.0"])
        .wants("a");
    let run = world.run();
    assert_eq!(run.pins(), "a 1.0, b 1.0, c 1.0, d 1.0");
    assert!(run.order().starts_with("d c b a"), "{}", run.order());
}

#[test]
fn a_version_that_excludes_itself_is_passed_over() {
    let world = World::new().release("a", "2.0", &["a<2"]).release("a", "1.0", &[]);
    assert_eq!(world.wants("a").run().pins(), "a 1.0");
}

#[test]
fn installation_order_is_by_layers_and_names_descend_within_one() {
    let world = World::new()
        .release("requests", "1.0", &["idna", "certifi", "urllib3"])
        .releases("idna", &["1.0"])
        .releases("certifi", &["1.0"])
        .releases("urllib3", &["1.0"]);
    assert_eq!(world.wants("requests").run().order(), "urllib3 idna certifi requests");
}

#[test]
fn a_pin_knows_who_asked_for_it() {
    let world = World::new().release("a", "1.0", &["b>=1"]).releases("b", &["1.0"]).wants("a").wants("b");
    let run = world.run();
    let pin = run.resolution().pins.iter().find(|pin| pin.candidate.name.as_ref() == "b").unwrap();
    assert!(matches!(&pin.requested_by[0], RequestedBy::User { source, .. } if source == "the command line"));
    assert!(matches!(&pin.requested_by[1], RequestedBy::Pin { name, .. } if name.as_ref() == "a"));
}

const URL: &str = "https://pkgs.example.org/a-5.0-py3-none-any.whl";

#[test]
fn a_direct_reference_of_the_user_is_the_only_candidate() {
    let world = World::new().releases("a", &["9.0"]).at_url(URL, "5.0", &["c"]).release("b", "1.0", &["a>=4"]);
    let world = world.releases("c", &["1.0"]).wants(&format!("a @ {URL}"));
    assert_eq!(world.clone().wants("b").run().pins(), "a 5.0 (direct), b 1.0, c 1.0");
    let conflict = world.wants("a>=6").run();
    assert!(conflict.explanation().to_string().starts_with(&format!("Cannot install a @ {URL} and a>=6 because")));
}

#[test]
fn a_direct_reference_of_a_dependency_counts_for_all() {
    let world = World::new()
        .releases("a", &["9.0"])
        .at_url(URL, "5.0", &[])
        .release("b", "1.0", &[&format!("a @ {URL}")])
        .wants("a")
        .wants("b");
    assert_eq!(world.run().pins(), "a 5.0 (direct), b 1.0");
}

#[test]
fn a_direct_reference_nobody_asks_for_any_more_is_not_taken() {
    let world = World::new()
        .releases("a", &["9.0", "8.0"])
        .at_url(URL, "5.0", &[])
        .release("b", "2.0", &[&format!("a @ {URL}"), "c>=2"])
        .release("b", "1.0", &["a<9"])
        .releases("c", &["1.0"])
        .wants("b")
        .wants("a");
    assert_eq!(world.run().pins(), "a 8.0, b 1.0");
}

#[test]
fn two_direct_references_for_one_project_exclude_each_other() {
    let other = "https://pkgs.example.org/a-6.0-py3-none-any.whl";
    let world = World::new().at_url(URL, "5.0", &[]).at_url(other, "6.0", &[]);
    let run = world.wants(&format!("a @ {URL}")).wants(&format!("a @ {other}")).run();
    assert!(run.explanation().to_string().starts_with("Cannot install a @ "), "{}", run.explanation());
}

#[test]
fn the_same_url_with_a_hash_or_a_password_is_one_reference() {
    let world = World::new().at_url(URL, "5.0", &[]).wants(&format!("a @ {URL}"));
    assert_eq!(world.wants(&format!("a @ {URL}#sha256=00")).run().pins(), "a 5.0 (direct)");
}

#[test]
fn a_password_in_a_url_is_not_shown() {
    let secret = "https://me:secret@pkgs.example.org/a-5.0-py3-none-any.whl";
    let run = World::new().at_url(secret, "5.0", &[]).wants(&format!("a @ {secret}")).wants("a>6").run();
    assert!(run.explanation().to_string().contains("https://****@pkgs.example.org/"), "{}", run.explanation());
}

#[test]
fn a_constraint_can_be_a_direct_reference() {
    let world = World::new().releases("a", &["9.0"]).at_url(URL, "5.0", &[]).constrained(&format!("a @ {URL}"));
    assert_eq!(world.wants("a").run().pins(), "a 5.0 (direct)");
}

#[test]
fn a_direct_reference_brings_its_extras() {
    let world =
        World::new().at_url(URL, "5.0", &["c; extra == 'x'"]).releases("c", &["1.0"]).wants(&format!("a[x] @ {URL}"));
    assert_eq!(world.run().pins(), "a[x] 5.0 (direct), c 1.0");
}
