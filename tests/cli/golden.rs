//! Every word of what is printed, where words matter most.

use testkit::{Environment, Index, ListedFile, Wheel};

use crate::scene::{Scene, tufpip};

fn help(arguments: &[&str]) -> String {
    tufpip(&Environment::new()).args(arguments).run().expect_code(0).normalized()
}

#[test]
fn help_of_the_program() {
    insta::assert_snapshot!(help(&["--help"]));
}

#[test]
fn help_of_install() {
    insta::assert_snapshot!(help(&["install", "--help"]));
}

#[test]
fn version() {
    insta::assert_snapshot!(tufpip(&Environment::new()).arg("--version").run().normalized());
}

#[test]
fn a_successful_install() {
    let index = Index::new()
        .add(Wheel::new("app", "1.0").requires("library>=1").build())
        .add(Wheel::new("library", "1.0").build())
        .add(Wheel::new("library", "2.0").build());
    let scene = Scene::new(index);
    scene.installs(&["library==1.0"]);
    insta::assert_snapshot!(scene.install(&["--upgrade", "app", "library"]).normalized());
    insta::assert_snapshot!(scene.install(&["app"]).normalized());
}

#[test]
fn a_failing_download() {
    let file = ListedFile::from(Wheel::new("app", "1.0").build()).wrong_hash();
    let scene = Scene::new(Index::new().add(file));
    insta::assert_snapshot!(scene.install(&["app"]).normalized());
}

#[test]
fn a_conflict() {
    let index = Index::new()
        .add(Wheel::new("left", "1.0").requires("library<2").build())
        .add(Wheel::new("right", "1.0").requires("library>=2").build())
        .add(Wheel::new("library", "1.0").build())
        .add(Wheel::new("library", "2.0").build());
    insta::assert_snapshot!(Scene::new(index).install(&["left", "right"]).normalized());
}

#[test]
fn a_wrong_option() {
    let scene = Scene::new(Index::new());
    insta::assert_snapshot!(scene.install(&["--editable", ".", "app"]).normalized());
}
