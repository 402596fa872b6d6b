//! Which version, which file, and with which dependencies.

use testkit::{Index, Sdist, Wheel};

use crate::scene::{Scene, text};

#[test]
fn no_deps() {
    let scene = Scene::new(Index::new().add(Wheel::new("app", "1.0").requires("missing").build()));
    scene.installs(&["--no-deps", "app"]);
    scene.expect_installed(&["app-1.0"]);
}

#[test]
fn only_deps() {
    let index = Index::new()
        .add(Wheel::new("app", "1.0").requires("library").build())
        .add(Wheel::new("library", "1.0").build());
    let scene = Scene::new(index);
    scene.installs(&["--only-deps", "app"]);
    scene.expect_installed(&["library-1.0"]);
}

#[test]
fn constraints_limit_without_asking() {
    let index = Index::new()
        .add(Wheel::new("app", "1.0").requires("library").build())
        .add(Wheel::new("library", "1.0").build())
        .add(Wheel::new("library", "2.0").build())
        .add(Wheel::new("other", "1.0").build());
    let scene = Scene::new(index);
    let constraints = scene.environment.write("constraints.txt", "library<2\nother==1.0\n");
    scene.installs(&["app", "-c", text(&constraints)]);
    scene.expect_installed(&["app-1.0", "library-1.0"]);
}

#[test]
fn a_requirements_file_with_everything() {
    let index = Index::new()
        .add(Wheel::new("first", "1.0").build())
        .add(Wheel::new("first", "2.0").build())
        .add(Wheel::new("second", "1.0").build())
        .add(Wheel::new("third", "1.0a1").build())
        .add(Wheel::new("never", "1.0").build());
    let scene = Scene::new(index);
    scene.environment.write("more/nested.txt", "second  # a comment\n--pre\nthird\n");
    scene.environment.write("limits.txt", "first<2\n");
    let text_of_file = "# what the application needs\nfirst \\\n    >=1.0\n-r more/nested.txt\n-c limits.txt\nnever; python_version < '3'\n";
    scene.environment.write("requirements.txt", text_of_file);
    let outcome = scene.installs(&["-r", "requirements.txt"]);
    scene.expect_installed(&["first-1.0", "second-1.0", "third-1.0a1"]);
    assert!(outcome.stdout.contains("Ignoring never: markers"), "{}", outcome.stdout);
}

#[test]
fn a_dependency_group() {
    let index = Index::new().add(Wheel::new("app", "1.0").build()).add(Wheel::new("linter", "1.0").build());
    let scene = Scene::new(index);
    let groups = "[dependency-groups]\nlint = ['linter']\ndev = [{include-group = 'lint'}, 'app']\n";
    scene.environment.write("pyproject.toml", groups);
    scene.installs(&["--group", "dev"]);
    scene.expect_installed(&["app-1.0", "linter-1.0"]);
}

#[test]
fn extras_and_markers() {
    let index = Index::new()
        .add(
            Wheel::new("app", "1.0")
                .extra("fast", "accelerator")
                .extra("windows", "registry; sys_platform == 'win32'")
                .requires("legacy; python_version < '3'")
                .requires("modern; python_version >= '3'")
                .build(),
        )
        .add(Wheel::new("accelerator", "1.0").build())
        .add(Wheel::new("modern", "1.0").build());
    let scene = Scene::new(index);
    scene.installs(&["app[fast,windows]"]);
    scene.expect_installed(&["accelerator-1.0", "app-1.0", "modern-1.0"]);
}

#[test]
fn an_extra_that_does_not_exist_is_a_warning() {
    let scene = Scene::new(Index::new().add(Wheel::new("app", "1.0").build()));
    let outcome = scene.installs(&["app[nonsense]"]);
    assert!(outcome.stderr.contains("WARNING: app 1.0 does not provide the extra 'nonsense'"), "{}", outcome.stderr);
}

#[test]
fn prereleases_only_when_asked_for() {
    let index = Index::new().add(Wheel::new("app", "1.0").build()).add(Wheel::new("app", "2.0rc1").build());
    let scene = Scene::new(index);
    scene.installs(&["app"]);
    scene.expect_installed(&["app-1.0"]);
    scene.installs(&["--upgrade", "--pre", "app"]);
    scene.expect_installed(&["app-2.0rc1"]);
    scene.installs(&["--force-reinstall", "app"]);
    scene.expect_installed(&["app-1.0"]);
    scene.installs(&["app>=2.0rc1"]);
    scene.expect_installed(&["app-2.0rc1"]);
}

#[test]
fn a_yanked_release_only_when_pinned_and_with_a_warning() {
    let index = Index::new()
        .add(Wheel::new("app", "1.0").build())
        .add_yanked(Wheel::new("app", "2.0").build(), "breaks things");
    let scene = Scene::new(index);
    scene.installs(&["app"]);
    scene.expect_installed(&["app-1.0"]);
    let outcome = scene.installs(&["app==2.0"]);
    scene.expect_installed(&["app-2.0"]);
    assert!(outcome.stderr.contains("yanked version: 'app' candidate (version 2.0 at "), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("Reason for being yanked: breaks things"), "{}", outcome.stderr);
}

#[test]
fn a_release_for_other_pythons_is_passed_over() {
    let index = Index::new()
        .add(Wheel::new("app", "1.0").build())
        .add(Wheel::new("app", "2.0").requires_python(">=99").build());
    let scene = Scene::new(index);
    scene.installs(&["app"]);
    scene.expect_installed(&["app-1.0"]);
    scene.installs(&["--upgrade", "--ignore-requires-python", "app"]);
    scene.expect_installed(&["app-2.0"]);
}

#[test]
fn the_best_wheel_of_a_release() {
    let index = Index::new()
        .add(Wheel::new("app", "1.0").file("app.py", "which = 'any'\n").build())
        .add(
            Wheel::new("app", "1.0")
                .tag("cp38-abi3-manylinux1_x86_64.manylinux1_aarch64")
                .file("app.py", "which = 'stable'\n")
                .build(),
        )
        .add(Wheel::new("app", "1.0").tag("cp99-cp99-win_amd64").file("app.py", "which = 'wrong'\n").build());
    let scene = Scene::new(index);
    scene.installs(&["app"]);
    if cfg!(all(target_os = "linux", target_env = "gnu")) {
        assert_eq!(scene.environment.run_python("import app; print(app.which)"), "stable");
    }
}

#[test]
fn the_highest_build_number() {
    let build = |number: &str, which: &str| {
        Wheel::new("app", "1.0")
            .filename(&format!("app-1.0-{number}-py3-none-any.whl"))
            .file("app.py", format!("which = '{which}'\n"))
            .build()
    };
    let scene = Scene::new(Index::new().add(build("2", "two")).add(build("10", "ten")).add(build("9a", "nine")));
    scene.installs(&["app"]);
    assert_eq!(scene.environment.run_python("import app; print(app.which)"), "ten");
}

#[test]
fn only_binary_passes_over_source_distributions() {
    let index = Index::new().add(Wheel::new("app", "1.0").build()).add(Sdist::new("app", "2.0").build());
    let scene = Scene::new(index);
    scene.refuses(&["app"], 1, &["app 2.0", "only a source distribution", "--only-binary app", "source.not-supported"]);
    scene.installs(&["--only-binary", ":all:", "app"]);
    scene.expect_installed(&["app-1.0"]);
}

#[test]
fn prefer_binary_takes_the_older_wheel() {
    let index = Index::new().add(Wheel::new("app", "1.0").build()).add(Sdist::new("app", "2.0").build());
    let scene = Scene::new(index);
    scene.installs(&["--prefer-binary", "app"]);
    scene.expect_installed(&["app-1.0"]);
}

#[test]
fn backtracking_finds_the_set_that_fits() {
    let index = Index::new()
        .add(Wheel::new("app", "2.0").requires("library<2").build())
        .add(Wheel::new("app", "1.0").requires("library").build())
        .add(Wheel::new("tool", "1.0").requires("library>=2").build())
        .add(Wheel::new("library", "1.0").build())
        .add(Wheel::new("library", "2.0").build());
    let scene = Scene::new(index);
    scene.installs(&["app", "tool"]);
    scene.expect_installed(&["app-1.0", "library-2.0", "tool-1.0"]);
}

#[test]
fn names_are_compared_in_their_normal_form() {
    let index = Index::new()
        .add(Wheel::new("My.App", "1.0").requires("Some_Library").build())
        .add(Wheel::new("some-library", "1.0").build());
    let scene = Scene::new(index);
    scene.installs(&["my_APP"]);
    scene.expect_installed(&["my_app-1.0", "some_library-1.0"]);
    let outcome = scene.installs(&["MY-app"]);
    assert!(outcome.stdout.contains("Requirement already satisfied"), "{}", outcome.stdout);
}
