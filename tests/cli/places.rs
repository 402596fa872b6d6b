//! Where distributions come from besides an index, and where they go besides the environment.

use testkit::{Environment, Index, Wheel, tree};

use crate::scene::{Scene, expect_clean, text, tufpip};

fn index() -> Index {
    Index::new()
        .add(
            Wheel::new("app", "1.0")
                .requires("library")
                .console_script("app = app:main")
                .file("app.py", "def main():\n    print('app runs')\n")
                .data("data/share/app/readme.txt", "read me")
                .build(),
        )
        .add(Wheel::new("library", "1.0").build())
}

/// Paths below a directory without modes, sizes and hashes.
fn paths(directory: &std::path::Path) -> Vec<String> {
    tree(directory)
        .iter()
        .filter(|line| !line.ends_with('/'))
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect()
}

#[test]
fn a_target_directory() {
    let scene = Scene::new(index());
    let before = scene.environment.state();
    scene.installs(&["--target", "here/deep", "--no-compile", "app"]);
    assert_eq!(scene.environment.state(), before, "the environment is left alone");
    let target = scene.environment.work().join("here/deep");
    let found = paths(&target);
    for wanted in ["app.py", "library.py", "bin/app", "share/app/readme.txt", "app-1.0.dist-info/RECORD"] {
        assert!(found.iter().any(|path| path == wanted), "no {wanted} in {found:?}");
    }
    let again = scene.installs(&["--target", "here/deep", "--no-compile", "app"]);
    assert!(again.stderr.contains("already exists. Specify --upgrade to force replacement."), "{}", again.stderr);
    assert_eq!(paths(&target), found);
    scene.expect_clean();
}

#[test]
fn a_prefix() {
    let scene = Scene::new(index());
    let before = scene.environment.state();
    scene.installs(&["--prefix", "there", "--no-compile", "app"]);
    assert_eq!(scene.environment.state(), before);
    let version = scene.environment.interpreter().minor_version();
    let found = paths(&scene.environment.work().join("there"));
    for wanted in
        ["bin/app".to_owned(), format!("lib/python{version}/site-packages/app.py"), "share/app/readme.txt".to_owned()]
    {
        assert!(found.contains(&wanted), "no {wanted} in {found:?}");
    }
}

#[test]
fn the_users_own_directory() {
    let environment = Environment::without_venv();
    let server = index().serve();
    let python = environment.interpreter().executable.clone();
    // The base interpreter of this machine may belong to its package manager; nothing of it is touched here.
    let command =
        tufpip(&environment).index(&server).args(["install", "--user", "--break-system-packages", "--python"]);
    let outcome = command.arg(&python).args(["--ignore-installed", "app"]).run();
    if outcome.stderr.contains("User site-packages are disabled") {
        eprintln!("skipped: {} has no user site-packages", python.display());
        return;
    }
    let outcome = outcome.expect_code(0);
    let found = paths(&environment.home().join(".local"));
    let version = environment.interpreter().minor_version();
    for wanted in ["bin/app".to_owned(), format!("lib/python{version}/site-packages/app.py")] {
        assert!(found.contains(&wanted), "no {wanted} in {found:?}");
    }
    assert!(outcome.stderr.contains("not on PATH"), "{}", outcome.stderr);
    expect_clean(&environment);
}

#[test]
fn what_is_installed_for_the_user_is_seen_by_the_next_command() {
    let environment = Environment::without_venv();
    let server = index().serve();
    let python = environment.interpreter().executable.clone();
    let run = |arguments: &[&str]| {
        tufpip(&environment).index(&server).args(["--python", text(&python)]).args(arguments).run()
    };
    let list = || run(&["list", "--user", "--format", "freeze"]).expect_code(0).stdout;
    let installed = "app==1.0\nlibrary==1.0\n";
    let home = environment.home().join(".local");
    // Before there is a directory for it; the answer of the interpreter is cached.
    assert_eq!(list(), "");
    assert!(!home.join("lib").exists());
    let install = ["install", "--user", "--break-system-packages", "app"];
    let outcome = run(&install);
    if outcome.stderr.contains("User site-packages are disabled") {
        eprintln!("skipped: {} has no user site-packages", python.display());
        return;
    }
    outcome.expect_code(0);
    assert_eq!(list(), installed);
    assert!(run(&install).expect_code(0).stdout.contains("already satisfied"));
    run(&["uninstall", "-y", "--break-system-packages", "app", "library"]).expect_code(0);
    assert_eq!(list(), "");
    std::fs::remove_dir_all(&home).unwrap();
    assert_eq!(list(), "");
    run(&install).expect_code(0);
    assert_eq!(list(), installed);
}

#[test]
fn further_places_of_packages_are_seen_by_the_next_command() {
    let scene = Scene::new(index());
    let environment = &scene.environment;
    scene.installs(&["--target", "elsewhere", "app"]);
    let list = |command: testkit::Command| command.args(["list", "--format", "freeze"]).run().expect_code(0).stdout;
    assert_eq!(list(scene.tufpip(&[])), "");
    let path_file = environment.site_packages().join("more.pth");
    std::fs::write(&path_file, format!("{}\n", environment.work().join("elsewhere").display())).unwrap();
    assert_eq!(list(scene.tufpip(&[])), "app==1.0\nlibrary==1.0\n");
    std::fs::remove_file(&path_file).unwrap();
    assert_eq!(list(scene.tufpip(&[])), "");
    // The same words mean another directory elsewhere.
    assert_eq!(list(scene.tufpip(&[]).env("PYTHONPATH", "elsewhere")), "app==1.0\nlibrary==1.0\n");
    assert_eq!(list(scene.tufpip(&[]).env("PYTHONPATH", "elsewhere").directory(&environment.home())), "");
}

#[test]
fn a_root() {
    let scene = Scene::new(index());
    let before = scene.environment.state();
    scene.installs(&["--root", "image", "--no-compile", "app"]);
    assert_eq!(scene.environment.state(), before);
    let root = scene.environment.work().join("image");
    let site_packages = root.join(scene.environment.site_packages().strip_prefix("/").unwrap());
    assert!(site_packages.join("app.py").is_file());
    let script =
        std::fs::read_to_string(root.join(scene.environment.scripts().strip_prefix("/").unwrap()).join("app")).unwrap();
    assert!(script.starts_with(&format!("#!{}\n", scene.environment.python().display())), "{script}");
}

#[test]
fn find_links_without_an_index() {
    let environment = Environment::new();
    let app = Wheel::new("app", "1.0").requires("library").build();
    let library = Wheel::new("library", "1.0").build();
    environment.write(&format!("wheels/{}", app.filename), &app.bytes);
    environment.write(&format!("wheels/{}", library.filename), &library.bytes);
    tufpip(&environment).args(["install", "--no-index", "--find-links", "wheels", "app"]).run().expect_code(0);
    assert_eq!(environment.installed(), ["app-1.0", "library-1.0"]);
    assert!(!environment.site_packages().join("app-1.0.dist-info/direct_url.json").exists());
    expect_clean(&environment);
}

#[test]
fn find_links_page_beside_an_index() {
    let scene = Scene::new(Index::new().add(Wheel::new("app", "1.0").requires("library").build()));
    let links = Index::new().add(Wheel::new("library", "1.0").build()).add(Wheel::new("app", "0.9").build()).serve();
    scene.installs(&["--find-links", &links.url("/find-links/"), "app"]);
    scene.expect_installed(&["app-1.0", "library-1.0"]);
}

#[test]
fn an_index_on_the_disk() {
    let environment = Environment::new();
    let app = Wheel::new("app", "1.0").build();
    environment.write(&format!("index/app/{}", app.filename), &app.bytes);
    let page = format!("<a href=\"{0}#sha256={1}\">{0}</a>", app.filename, app.sha256());
    let file = environment.write("index/app/index.html", page);
    let index = file.parent().unwrap().parent().unwrap().to_owned();
    tufpip(&environment).args(["install", "--index-url", text(&index), "app"]).run().expect_code(0);
    assert_eq!(environment.installed(), ["app-1.0"]);
}

#[test]
fn a_wheel_by_path_and_by_url() {
    let scene = Scene::new(index());
    let wheel = Wheel::new("local", "1.0").requires("library").build();
    let path = scene.environment.write(&wheel.filename, &wheel.bytes);
    for wish in [format!("./{}", wheel.filename), text(&path).to_owned(), format!("local @ file://{}", path.display())]
    {
        scene.installs(&["--force-reinstall", &wish]);
        scene.expect_installed(&["library-1.0", "local-1.0"]);
    }
    let url = scene.server.url("/files/app-1.0-py3-none-any.whl");
    scene.installs(&[&url]);
    scene.installs(&["--force-reinstall", &format!("app @ {url}")]);
    scene.expect_installed(&["app-1.0", "library-1.0", "local-1.0"]);
}

#[test]
fn download_saves_the_wheels() {
    let scene = Scene::new(index());
    let before = scene.environment.state();
    let outcome = scene.tufpip(&["download", "--dest", "saved", "app"]).run().expect_code(0);
    assert_eq!(scene.environment.state(), before);
    assert!(outcome.stdout.contains("Saved ./saved/app-1.0-py3-none-any.whl\n"), "{}", outcome.stdout);
    assert!(
        outcome.stdout.ends_with("Successfully downloaded app library\n")
            || outcome.stdout.ends_with("Successfully downloaded library app\n"),
        "{}",
        outcome.stdout
    );
    assert_eq!(
        paths(&scene.environment.work().join("saved")),
        ["app-1.0-py3-none-any.whl", "library-1.0-py3-none-any.whl"]
    );
    scene.expect_clean();
    let again = scene.tufpip(&["download", "--dest", "saved", "app"]).run().expect_code(0);
    assert!(again.stdout.contains("File was already downloaded"), "{}", again.stdout);
}

#[test]
fn another_interpreter_than_the_activated_one() {
    let scene = Scene::new(index());
    let other = Environment::new();
    scene.tufpip(&["install", "--python", text(&other.python()), "app"]).run().expect_code(0);
    scene.expect_installed(&[]);
    assert_eq!(other.installed(), ["app-1.0", "library-1.0"]);
    let other = Environment::new();
    scene.tufpip(&["--python", text(&other.venv()), "install", "app"]).run().expect_code(0);
    assert_eq!(other.installed(), ["app-1.0", "library-1.0"]);
}

#[test]
fn the_installed_program_runs() {
    let scene = Scene::new(index());
    scene.installs(&["app"]);
    let outcome = scene.environment.command(scene.environment.scripts().join("app")).run().expect_code(0);
    assert_eq!(outcome.stdout, "app runs\n");
}
