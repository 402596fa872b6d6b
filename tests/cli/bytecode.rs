//! Bytecode is compiled once per machine, and is valid wherever it is placed.

use std::os::unix::fs::MetadataExt;

use testkit::{Environment, Index, Wheel};

use crate::scene::{Scene, tufpip};

fn index() -> Index {
    Index::new().add(
        Wheel::new("app", "1.0")
            .file("app/__init__.py", "def where():\n    return where.__code__.co_filename\n")
            .file("app/broken.py", "this is no Python\n")
            .file("app/deep/er/module.py", "value = 1\n")
            .build(),
    )
}

/// Holds every .pyc of `app` against its source by the rules of the import system, and names those that are there.
const CHECK: &str = r#"
import importlib.util, os, struct, sys
site = [p for p in sys.path if p.endswith("site-packages")][0]
found = []
for directory, _, names in os.walk(os.path.join(site, "app")):
    for name in names:
        if not name.endswith(".py"):
            continue
        source = os.path.join(directory, name)
        compiled = importlib.util.cache_from_source(source)
        if not os.path.exists(compiled):
            continue
        with open(compiled, "rb") as file:
            header = file.read(16)
        status = os.stat(source)
        assert header[:4] == importlib.util.MAGIC_NUMBER, compiled
        flags, modified, size = struct.unpack("<III", header[4:])
        assert flags == 0, compiled
        assert modified == int(status.st_mtime) & 0xFFFFFFFF, "time: " + compiled
        assert size == status.st_size & 0xFFFFFFFF, "size: " + compiled
        found.append(os.path.relpath(source, site))
print(" ".join(sorted(found)))
"#;

#[test]
fn the_second_environment_links_the_bytecode_of_the_first() {
    let scene = Scene::new(index());
    scene.installs(&["app"]);
    let other = Environment::new();
    tufpip(&other)
        .index(&scene.server)
        .env("XDG_CACHE_HOME", scene.environment.cache())
        .env("XDG_DATA_HOME", scene.environment.data())
        .args(["install", "app"])
        .run()
        .expect_code(0);
    let tag = other.run_python("import sys; print(sys.implementation.cache_tag)");
    for path in [
        "app/__init__.py".to_owned(),
        format!("app/__pycache__/__init__.{tag}.pyc"),
        format!("app/deep/er/__pycache__/module.{tag}.pyc"),
    ] {
        let inode =
            |environment: &Environment| std::fs::metadata(environment.site_packages().join(&path)).unwrap().ino();
        assert_eq!(inode(&scene.environment), inode(&other), "{path} is one file in both environments");
    }
    for environment in [&scene.environment, &other] {
        assert_eq!(environment.run_python(CHECK), "app/__init__.py app/deep/er/module.py");
    }
}

#[test]
fn tracebacks_name_the_file_that_is_there() {
    let scene = Scene::new(index());
    scene.installs(&["app"]);
    let shown = scene.environment.run_python("import app; print(app.where())");
    assert_eq!(shown, scene.environment.site_packages().join("app/__init__.py").display().to_string());
}

#[test]
fn python_uses_the_bytecode() {
    let scene = Scene::new(index());
    scene.installs(&["app"]);
    let outcome = scene
        .environment
        .command(scene.environment.python())
        .args(["-v", "-c", "import app.deep.er.module"])
        .run()
        .expect_code(0);
    let wanted = "site-packages/app/deep/er/__pycache__/module.";
    assert!(outcome.stderr.lines().any(|line| line.contains("matches") && line.contains(wanted)), "{}", outcome.stderr);
}

#[test]
fn a_source_with_a_syntax_error_is_installed_without_bytecode() {
    let scene = Scene::new(index());
    scene.installs(&["app"]);
    assert!(scene.environment.site_packages().join("app/broken.py").exists());
}

#[test]
fn no_compile_means_none() {
    let scene = Scene::new(index());
    scene.installs(&["--no-compile", "app"]);
    assert_eq!(scene.environment.run_python(CHECK), "");
    assert!(!scene.environment.state().iter().any(|line| line.contains("__pycache__")));
    scene.installs(&["--force-reinstall", "app"]);
    assert_eq!(scene.environment.run_python(CHECK), "app/__init__.py app/deep/er/module.py");
}

#[test]
fn a_script_that_is_a_module_has_bytecode_as_with_pip() {
    let wheel = Wheel::new("app", "1.0").script("tool.py", "#!python\nprint('tool')\n").build();
    let scene = Scene::new(Index::new().add(wheel));
    scene.installs(&["app"]);
    let tag = scene.environment.run_python("import sys; print(sys.implementation.cache_tag)");
    assert!(scene.environment.scripts().join(format!("__pycache__/tool.{tag}.pyc")).is_file());
}
