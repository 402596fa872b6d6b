//! Several processes at once: in one environment they take turns, in one cache they do not even notice each other.

use std::thread;

use testkit::{Environment, Index, Wheel};

use crate::scene::{Scene, expect_clean, expect_whole, tufpip};

fn index() -> Index {
    (0..20).fold(Index::new(), |index, number| {
        let name = format!("package{number}");
        let mut wheel = Wheel::new(&name, "1.0").console_script(&format!("{name} = {name}:main"));
        for module in 0..20 {
            wheel = wheel.file(&format!("{name}/module{module}.py"), format!("value = {module}\n"));
        }
        index.add(wheel.build()).add(Wheel::new(&name, "2.0").file(&format!("{name}/other.py"), "").build())
    })
}

fn names(numbers: impl Iterator<Item = usize>, version: &str) -> Vec<String> {
    numbers.map(|number| format!("package{number}=={version}")).collect()
}

#[test]
fn two_installs_of_different_things_into_one_environment() {
    let scene = Scene::new(index());
    thread::scope(|scope| {
        for numbers in [0..10, 5..20] {
            let scene = &scene;
            scope.spawn(move || scene.tufpip(&["install"]).args(names(numbers, "1.0")).run().expect_code(0));
        }
    });
    assert_eq!(scene.environment.installed().len(), 20);
    expect_whole(&scene.environment);
    scene.expect_clean();
}

#[test]
fn many_installs_of_the_same_thing_into_one_environment() {
    let scene = Scene::new(index());
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| scene.tufpip(&["install"]).args(names(0..20, "1.0")).run().expect_code(0));
        }
    });
    assert_eq!(scene.environment.installed().len(), 20);
    expect_whole(&scene.environment);
    scene.expect_clean();
}

#[test]
fn installs_that_contradict_each_other_leave_one_of_both_results() {
    let scene = Scene::new(index());
    scene.tufpip(&["install"]).args(names(0..20, "1.0")).run().expect_code(0);
    thread::scope(|scope| {
        for version in ["2.0", "1.0", "2.0"] {
            let scene = &scene;
            scope.spawn(move || {
                scene.tufpip(&["install", "--force-reinstall"]).args(names(0..20, version)).run().expect_code(0)
            });
        }
    });
    let installed = scene.environment.installed();
    assert_eq!(installed.len(), 20);
    let of = |version: &str| installed.iter().filter(|name| name.ends_with(version)).count();
    assert!(of("-1.0") == 20 || of("-2.0") == 20, "a mixture: {installed:?}");
    expect_whole(&scene.environment);
    scene.expect_clean();
}

#[test]
fn one_cache_for_several_environments_at_once() {
    let scene = Scene::new(index());
    let environments: Vec<Environment> = (0..4).map(|_| Environment::new()).collect();
    thread::scope(|scope| {
        for environment in &environments {
            let scene = &scene;
            scope.spawn(move || {
                let command = tufpip(environment).index(&scene.server).env("XDG_CACHE_HOME", scene.environment.cache());
                command.arg("install").args(names(0..20, "1.0")).run().expect_code(0)
            });
        }
    });
    for environment in &environments {
        assert_eq!(environment.installed().len(), 20);
        expect_whole(environment);
    }
    expect_clean(&scene.environment);
}
