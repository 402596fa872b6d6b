//! What is published, read by the tools that others have: python-tuf's client, pip, uv.
//!
//! `TUFPIP_TEST_PYTHON` names an interpreter that has `tuf`, and beside which `uv` may be. What is missing is skipped, and said.

use std::path::{Path, PathBuf};

use testkit::{Command, Response, Sdist, Server, Wheel};

use crate::repo::operator::Operator;
use crate::repo::serving::Serving;

/// Shapes of an index: options of `repo init`.
const SHAPES: &[&[&str]] = &[
    &["--profile", "small"],
    &["--profile", "small", "--trust", "page"],
    &["--profile", "pep458", "--bins", "16"],
    &["--profile", "pep458", "--bins", "32", "--classic-bins", "--trust", "target"],
    &["--profile", "rstuf", "--bins", "16"],
];

/// An operator with an index in this shape: `app` 1.0 and 2.0, `library` as wheel and source distribution.
fn published(shape: &[&str]) -> Operator {
    let operator = Operator::new();
    let init = ["init", "--base", "https://pkgs.example.org/", "--repo", "index"];
    operator.does(&[&init, shape].concat());
    let wheels = [
        Wheel::new("app", "1.0").requires("library").build(),
        Wheel::new("app", "2.0").requires("library>=1").requires_python(">=3.6").build(),
        Wheel::new("library", "1.5+local.1").file("library/__init__.py", "VALUE = 7\n").build(),
    ];
    for wheel in &wheels {
        operator.environment.write(&format!("dist/{}", wheel.filename), &wheel.bytes);
    }
    let source = Sdist::new("library", "1.4").build();
    operator.environment.write(&format!("dist/{}", source.filename), &source.bytes);
    operator.does(&["add", "dist", "--repo", "index"]);
    operator.does(&["publish", "--repo", "index"]);
    operator
}

#[test]
fn python_tuf_finds_pages_and_distributions() {
    let Some(python) = python_with("import tuf.ngclient") else {
        println!("skipped: no interpreter has python-tuf (TUFPIP_TEST_PYTHON)");
        return;
    };
    for shape in SHAPES {
        let operator = published(shape);
        let serving = Serving::start(&operator.environment, &operator.path("index"));
        let memory = operator.path("python-tuf");
        std::fs::create_dir_all(&memory).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repo/interop.py");
        let mut targets = vec!["simple/app/vnd.pypi.simple.v1.json", "simple/library/vnd.pypi.simple.v1.json"];
        let pages = targets.len();
        if !shape.contains(&"page") {
            targets.push("dist/app/app-2.0-py3-none-any.whl");
            targets.push("dist/app/app-2.0-py3-none-any.whl.metadata");
            targets.push("dist/library/library-1.5+local.1-py3-none-any.whl");
            targets.push("dist/library/library-1.4.tar.gz");
        }
        targets.push("simple/nothing/vnd.pypi.simple.v1.json");
        let outcome = Command::new(&python)
            .arg(script)
            .args([&format!("{}tuf/", serving.url), &serving.url])
            .arg(operator.path("index/public/tuf/1.root.json"))
            .arg(&memory)
            .args(&targets)
            .run();
        let said = &outcome.stdout;
        assert!(outcome.succeeded(), "{shape:?}: {said}{}", outcome.stderr);
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), targets.len(), "{said}");
        assert!(lines.iter().take(lines.len() - 1).all(|line| !line.ends_with("absent")), "{said}");
        assert_eq!(lines.last(), Some(&"simple/nothing/vnd.pypi.simple.v1.json absent"));
        assert!(lines.len() > pages);
    }
}

#[test]
fn pip_installs_from_it_as_from_any_index() {
    let Some(python) = python_with("import pip") else {
        println!("skipped: no interpreter has pip (TUFPIP_TEST_PYTHON)");
        return;
    };
    let operator = published(&["--profile", "pep458", "--bins", "16"]);
    let serving = Serving::start(&operator.environment, &operator.path("index"));
    let target = operator.path("by-pip");
    let outcome = operator
        .environment
        .command(&python)
        .args(["-m", "pip", "install", "--no-cache-dir", "--disable-pip-version-check", "--only-binary", ":all:"])
        .args(["--index-url", &serving.index_url(), "--target"])
        .arg(&target)
        .arg("app")
        .run()
        .expect_code(0);
    assert!(outcome.stdout.contains("app-2.0 library-1.5+local.1"), "{}", outcome.stdout);
    assert!(target.join("library/__init__.py").is_file());
}

#[test]
fn uv_installs_from_it_as_from_any_index() {
    let Some(uv) =
        python_with("import sys").and_then(|python| Some(python.parent()?.join("uv"))).filter(|uv| uv.exists())
    else {
        println!("skipped: there is no uv beside the interpreter (TUFPIP_TEST_PYTHON)");
        return;
    };
    let operator = published(&["--profile", "small"]);
    let serving = Serving::start(&operator.environment, &operator.path("index"));
    let target = operator.path("by-uv");
    let outcome = operator
        .environment
        .command(&uv)
        .args(["pip", "install", "--no-cache", "--no-config", "--python", "python3"])
        .args(["--index-url", &serving.index_url(), "--target"])
        .arg(&target)
        .arg("app")
        .run()
        .expect_code(0);
    assert!(outcome.stderr.contains("library==1.5+local.1"), "{}", outcome.stderr);
    assert!(target.join("library/__init__.py").is_file());
}

/// In every shape; the anchor is what the operator exports.
#[test]
fn tufpip_installs_verified() {
    for shape in SHAPES {
        let operator = published(shape);
        let serving = Serving::start(&operator.environment, &operator.path("index"));
        operator.does(&["export-anchor", "--repo", "index", "--output", "root.json"]);
        let user = Operator::new();
        operator.gives("root.json", &user, "root.json");
        user.tufpip(&["trust", "add", &serving.index_url(), "--root", "root.json"]).run().expect_code(0);
        let install = ["install", "--require-signed", "--target", "site", "--index-url", &serving.index_url(), "app"];
        let outcome = user.tufpip(&install).run().expect_code(0);
        outcome.expect_stderr(&["Verified   2 files against"]);
        assert!(user.path("site/library/__init__.py").is_file(), "{shape:?}");
    }
}

/// An index that RSTUF signs, in the layout of the package index that was to use it.
#[test]
fn tufpip_reads_what_rstuf_signs() {
    let Some(python) = python_with("import tuf.api.metadata, cryptography") else {
        println!("skipped: no interpreter has python-tuf with cryptography (TUFPIP_TEST_PYTHON)");
        return;
    };
    let user = Operator::new();
    for name in ["app", "library"] {
        let wheel = Wheel::new(name, "1.0").build();
        let link = format!("<a href=\"../../files/{0}#sha256={1}\">{0}</a>", wheel.filename, wheel.sha256());
        user.environment.write(&format!("pages/{name}.html"), format!("<!DOCTYPE html><body>{link}</body>"));
        user.environment.write(&format!("tree/files/{}", wheel.filename), &wheel.bytes);
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repo/rstuf.py");
    Command::new(python).arg(script).args([user.path("pages"), user.path("tree")]).run().expect_code(0);
    let tree = user.path("tree");
    let server = Server::start(move |request| match std::fs::read(tree.join(request.path.trim_start_matches('/'))) {
        Ok(bytes) => Response::ok("application/octet-stream", bytes),
        Err(_) => Response::not_found(),
    });
    let index = server.url("/simple/");
    let root = user.path("tree/tuf/1.root.json");
    let trust = ["trust", "add", &index, "--root", root.to_str().unwrap(), "--layout", "warehouse-2024"];
    user.tufpip(&trust).run().expect_code(0);
    let install = ["install", "--require-signed", "--target", "site", "--index-url", &index, "app", "library"];
    user.tufpip(&install).run().expect_code(0).expect_stderr(&["Verified   2 files against"]);

    // The page is what it says, or nothing is installed.
    let page = std::fs::read_dir(user.path("tree/simple/app")).unwrap().next().unwrap().unwrap().path();
    let text = std::fs::read_to_string(&page).unwrap();
    std::fs::write(&page, text.replace("1.0", "9.0")).unwrap();
    let fresh = ["install", "--no-cache-dir", "--target", "other", "--index-url", &index, "app"];
    user.tufpip(&fresh).run().expect_code(10);
    assert!(!user.path("other").exists());
}

fn python_with(import: &str) -> Option<PathBuf> {
    let python = std::env::var_os("TUFPIP_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let works = Command::new(&python).args(["-c", import]).try_run().is_ok_and(|outcome| outcome.succeeded());
    works.then(|| python.into())
}
