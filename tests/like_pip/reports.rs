//! What the reporting commands print, against pip: `list`, `freeze`, `show` and `check` of one environment with everything
//! in it that they treat in a special way.
//!
//! Left out, because they depend on pip's version and not on the environment:
//! - before pip 25: invalid versions, wheels for other platforms, build tags, home pages among the project URLs, and the
//!   licence expressions of new metadata;
//! - the order in which `check` names distributions, which with pip is that of a directory on the disk.

use std::fs;
use std::path::Path;

use testkit::{Environment, Outcome, Wheel};

use super::reference::Reference;
use crate::scene;

fn tufpip(environment: &Environment, arguments: &[&str]) -> Outcome {
    scene::tufpip(environment).args(arguments).run()
}

/// An environment with what a report has to know about; with what only new pips understand when `modern`.
fn world(modern: bool) -> Environment {
    let environment = Environment::new();
    let mut wheels = vec![
        Wheel::new("Plain.Name", "1.0").metadata_header("Summary", "Ein Käse").metadata_header("License", "MIT"),
        Wheel::new("app", "2.0rc1")
            .requires("plain-name >= 2, != 3.0")
            .requires("Helper[Speed] (<2)")
            .requires("absent; python_version>='3'")
            .requires("never; sys_platform == 'vax'")
            .extra("speed", "absent-too")
            .metadata_header("Home-page", "https://pkgs.example.org/app")
            .metadata_header("Author", "A. N. Author")
            .metadata_header("Author-email", "author@pkgs.example.org")
            .metadata_header("Classifier", "Programming Language :: Python")
            .metadata_header("Classifier", "Topic :: Utilities")
            .metadata_header("Project-URL", "Source, https://pkgs.example.org/source")
            .file("app/__init__.py", "")
            .file("app/data/ümlaut.txt", "ü")
            .console_script("app = app:main")
            .gui_script("app-window = app:window"),
    ];
    let helper = Wheel::new("helper", "1.5").requires("app");
    wheels.push(if modern {
        helper.metadata_header("Project-URL", "Homepage, https://pkgs.example.org/helper")
    } else {
        helper
    });
    if modern {
        wheels.push(Wheel::new("built", "1.0").filename("built-1.0-7-py3-none-any.whl"));
    }
    for wheel in wheels {
        let file = wheel.build();
        environment.write(&file.filename, &file.bytes);
    }
    let links = environment.work().display().to_string();
    let from_links = ["install", "--no-index", "--no-deps", "--find-links", &links];
    // One by its path, so that it has a direct_url.json, the others as if from an index.
    tufpip(&environment, &[&from_links[..], &["plain.name", "helper", "./app-2.0rc1-py3-none-any.whl"]].concat())
        .expect_code(0);
    if modern {
        tufpip(&environment, &[&from_links[..], &["built"]].concat()).expect_code(0);
    }
    add_by_hand(&environment, modern);
    environment
}

/// Distributions of other installers and of old times.
fn add_by_hand(environment: &Environment, modern: bool) {
    let site_packages = environment.site_packages();
    let add = |directory: &Path, name: &str, files: &[(&str, &str)]| {
        fs::create_dir_all(directory.join(name)).unwrap();
        for (file, text) in files {
            fs::write(directory.join(name).join(file), text).unwrap();
        }
    };
    let metadata = |name: &str, version: &str| format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
    let project = environment.work().join("a project");
    let url = format!("file://{}", project.display()).replace(' ', "%20");
    fs::create_dir_all(&project).unwrap();
    let editable = format!("{{\"dir_info\": {{\"editable\": true}}, \"url\": \"{url}\"}}");
    let editable_metadata = metadata("Editable_One", "0.1");
    add(
        &site_packages,
        "editable_one-0.1.dist-info",
        &[("METADATA", &editable_metadata), ("direct_url.json", &editable), ("INSTALLER", "\n other \n")],
    );
    let commit = r#"{"url": "https://pkgs.example.org/repo.git", "vcs_info": {"vcs": "git", "commit_id": "f00d"}, "subdirectory": "py"}"#;
    let from_commit = metadata("from-commit", "1!1.0+local");
    add(
        &site_packages,
        "from_commit-1!1.0+local.dist-info",
        &[("METADATA", &from_commit), ("direct_url.json", commit)],
    );
    let egg = metadata("old-egg", "3");
    let requires = "helper\n\n[extra]\nabsent-three\n\n[:python_version < '3']\nabsent-four\n";
    add(
        &site_packages,
        "old_egg-3-py3.11.egg-info",
        &[("PKG-INFO", &egg), ("requires.txt", requires), ("installed-files.txt", "../old_egg.py\nPKG-INFO\n")],
    );
    let develop = metadata("develop", "4");
    add(&project, "develop.egg-info", &[("PKG-INFO", &develop)]);
    fs::write(site_packages.join("develop.egg-link"), format!("{}\n.", project.display())).unwrap();
    if modern {
        let legacy = metadata("legacy", "not-a-version");
        add(&site_packages, "legacy-not-a-version.dist-info", &[("METADATA", &legacy)]);
        let foreign =
            metadata("foreign", "1.0").replace("2.1", "2.4") + "License: no\nLicense-Expression: MIT OR Apache-2.0\n";
        let wheel = "Wheel-Version: 1.0\nTag: cp27-cp27m-win32\n";
        let record =
            "foreign-1.0.dist-info/METADATA,,\nforeign-1.0.dist-info/WHEEL,,\nforeign-1.0.dist-info/RECORD,,\n";
        add(&site_packages, "foreign-1.0.dist-info", &[("METADATA", &foreign), ("WHEEL", wheel), ("RECORD", record)]);
    }
}

/// Lines sorted, where the order is that of a directory on the disk.
fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn the_same_words_for_the_same_environment() {
    let Some(reference) = Reference::find() else {
        println!("skipped: no pip of version 23 or later");
        return;
    };
    let modern = reference.version >= (25, 0);
    println!("compared with pip {}.{}", reference.version.0, reference.version.1);
    let environment = world(modern);
    let lines = "# kept\n--index-url https://pkgs.example.org/simple\napp>=1 # why\nPlain_Name\nplain-name\n\n-e git+https://pkgs.example.org/x.git#egg=editable-one\nnot-there\n";
    let requirements = environment.write("requirements.txt", lines).display().to_string();
    let site_packages = environment.site_packages().display().to_string();
    let questions: &[&[&str]] = &[
        &["list"],
        &["list", "-v"],
        &["list", "--format=freeze"],
        &["list", "--format=freeze", "-v"],
        &["list", "--format=json"],
        &["list", "--format=json", "-v"],
        &["list", "--editable"],
        &["list", "--exclude-editable"],
        &["list", "--not-required"],
        &["list", "--local", "--exclude", "HELPER", "--exclude", "built"],
        &["list", "--user"],
        &["list", "--path", &site_packages],
        &["list", "-q"],
        &["freeze"],
        &["freeze", "--all", "--exclude-editable"],
        &["freeze", "--exclude", "app"],
        &["freeze", "--path", &site_packages],
        &["freeze", "-r", &requirements],
        &["show", "app"],
        &["show", "-f", "app", "plain.name"],
        &["show", "-v", "app"],
        &["show", "-v", "-f", "Editable_One", "from-commit", "old.egg", "develop", "helper", "nothing"],
        &["show", "nothing", "else"],
    ];
    for question in questions {
        let own = tufpip(&environment, question);
        let expected = reference.command(&environment).args(*question).run();
        assert_eq!(
            own.stdout, expected.stdout,
            "{question:?}: tufpip left, pip right\n{}{}",
            own.stderr, expected.stderr
        );
        assert_eq!(own.code, expected.code, "{question:?}");
    }
    if modern {
        let (own, expected) = (
            tufpip(&environment, &["show", "foreign"]),
            reference.command(&environment).args(["show", "foreign"]).run(),
        );
        assert_eq!(own.stdout, expected.stdout);
    }
    let (own, expected) = (tufpip(&environment, &["check"]), reference.command(&environment).arg("check").run());
    assert_eq!(sorted(&own.stdout), sorted(&expected.stdout));
    assert_eq!((own.code, expected.code), (Some(1), Some(1)));
}

#[test]
fn a_whole_environment_has_nothing_to_complain_about() {
    if testkit::Interpreter::find().is_none() {
        println!("skipped: no python3 on PATH");
        return;
    }
    let environment = Environment::new();
    let wheel = Wheel::new("app", "1.0").build();
    let wheel = environment.write(&wheel.filename, &wheel.bytes).display().to_string();
    tufpip(&environment, &["install", "--no-index", &wheel]).expect_code(0);
    let outcome = tufpip(&environment, &["check"]).expect_code(0);
    assert_eq!(outcome.stdout, "No broken requirements found.\n");
    if let Some(reference) = Reference::find() {
        assert_eq!(reference.command(&environment).arg("check").run().expect_code(0).stdout, outcome.stdout);
    }
    fs::remove_file(environment.site_packages().join("app.py")).unwrap();
    let outcome = tufpip(&environment, &["check"]).expect_code(1);
    assert!(outcome.stdout.contains("app 1.0: ") && outcome.stdout.contains("app.py is missing"), "{}", outcome.stdout);
}

/// A prefix that is longer than the version, and the post-release of a pre-release.
#[test]
fn versions_that_do_not_match_are_broken() {
    if testkit::Interpreter::find().is_none() {
        println!("skipped: no python3 on PATH");
        return;
    }
    let environment = Environment::new();
    let app = Wheel::new("app", "1.0").requires("b==1.2.*").requires("c>1.0a1");
    for wheel in [app, Wheel::new("b", "1"), Wheel::new("c", "1.0a1.post1")] {
        let wheel = wheel.build();
        environment.write(&wheel.filename, &wheel.bytes);
    }
    let links = environment.work().display().to_string();
    let install = ["install", "--no-index", "--no-deps", "--find-links", &links];
    tufpip(&environment, &[&install[..], &["b==1", "c==1.0a1.post1"]].concat()).expect_code(0);
    tufpip(&environment, &[&install[..], &["app"]].concat()).expect_code(0);
    let outcome = tufpip(&environment, &["check"]).expect_code(1);
    let expected = "app 1.0 has requirement b==1.2.*, but you have b 1.\n\
                    app 1.0 has requirement c>1.0a1, but you have c 1.0a1.post1.\n";
    assert_eq!(outcome.stdout, expected);
    if let Some(reference) = Reference::find() {
        assert_eq!(reference.command(&environment).arg("check").run().expect_code(1).stdout, expected);
    }
}
