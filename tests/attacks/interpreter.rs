//! Code that lies in wait for the interpreter: in the working directory, in the environment, on PATH. Nothing of it runs
//! unless somebody asks for it, and what does run is told no secrets.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use testkit::{Command, Environment, Index, Wheel};

use crate::scene::{Scene, text, tufpip};

/// Writes a program that leaves a trace, and then does as `then` says.
fn trap(path: &Path, trace: &Path, then: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("#!/bin/bash\necho \"$0 $*\" >>'{}'\n{then}\n", trace.display())).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// What trapped code left behind, which it then has to leave anew.
fn traces(trace: &Path) -> Option<String> {
    let found = fs::read_to_string(trace).ok();
    let _ = fs::remove_file(trace);
    found
}

/// The program with no environment that is active.
fn inactive(environment: &Environment, arguments: &[&str]) -> Command {
    tufpip(environment).env_remove("VIRTUAL_ENV").args(arguments)
}

/// A distribution by which `list` shows that this environment was looked into.
fn mark(environment: &Environment, name: &str) {
    let info = environment.site_packages().join(format!("{name}-1.0.dist-info"));
    fs::create_dir_all(&info).unwrap();
    fs::write(info.join("METADATA"), format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")).unwrap();
}

#[test]
fn nothing_of_the_working_directory_runs() {
    let environment = Environment::new();
    let trace = environment.home().join("trace");
    for place in [".venv/bin/python", ".venv/bin/python3", "venv/bin/python", "python3", "python", "bin/python3", "git"]
    {
        trap(&environment.work().join(place), &trace, "exit 1");
    }
    fs::write(environment.work().join(".venv/pyvenv.cfg"), "home = /usr/bin\n").unwrap();
    let path = std::env::var("PATH").unwrap();
    let commands: &[&[&str]] = &[
        &["--version"],
        &["help"],
        &["help", "install"],
        &["trust", "list"],
        &["repo", "init", "--help"],
        &["list"],
        &["freeze"],
        &["check"],
        &["show", "app"],
        &["--python", "python3", "list"],
        &["install", "--no-index", "--dry-run", "app"],
    ];
    for arguments in commands {
        for path in [path.clone(), format!(".:{path}"), format!(":bin:{path}:")] {
            let outcome = inactive(&environment, arguments).env("PATH", &path).run();
            assert_eq!(traces(&trace), None, "{arguments:?} with PATH={path}");
            assert!(!outcome.stderr.contains("python."), "{arguments:?}: {}", outcome.stderr);
        }
    }
    // Who asks for it gets it.
    inactive(&environment, &["--python", ".venv", "list"]).run().expect_code(1);
    assert!(traces(&trace).unwrap().contains(".venv/bin/python "));
    inactive(&environment, &["--python", "./python3", "list"]).run().expect_code(1);
    assert!(traces(&trace).unwrap().contains("/python3 "));
    inactive(&environment, &["list"]).env("VIRTUAL_ENV", environment.work().join(".venv")).run().expect_code(1);
    assert!(traces(&trace).is_some());
}

#[test]
fn a_directory_of_that_name_does_not_stand_in_for_an_interpreter() {
    let environment = Environment::new();
    let trace = environment.home().join("trace");
    trap(&environment.work().join("python3/bin/python"), &trace, "exit 1");
    fs::write(environment.work().join("python3/pip.conf"), "[global]\nno-such = 1\nindex-url = http://evil.example/\n")
        .unwrap();
    inactive(&environment, &["--python", "python3", "list"]).run().expect_code(0);
    assert_eq!(traces(&trace), None);
}

#[test]
fn commands_that_need_no_interpreter_start_none() {
    let environment = Environment::without_venv();
    let trace = environment.home().join("trace");
    let programs = environment.home().join("programs");
    for name in ["python3", "python", "git"] {
        trap(&programs.join(name), &trace, "exit 1");
    }
    let run = |arguments: &[&str]| {
        inactive(&environment, arguments)
            .env("PATH", &programs)
            .env("TUFPIP_REPO_PASSPHRASE", "secret")
            .env("PIP_RETRIES", "0")
            .run()
    };
    let before: &[&[&str]] = &[
        &["--version"],
        &["-V"],
        &["--help"],
        &["help"],
        &["help", "repo"],
        &["install", "--help"],
        &["trust", "list"],
        &["repo", "init", "--repo", "index", "--base", "http://127.0.0.1:1/"],
        &["repo", "status", "--repo", "index"],
        &["repo", "publish", "--repo", "index"],
        &["repo", "verify", "--repo", "index"],
        &["repo", "export-anchor", "--repo", "index", "-o", "root.json"],
        &["trust", "add", "http://127.0.0.1:1/simple/", "--root", "root.json"],
        &["trust", "remove", "http://127.0.0.1:1/simple/"],
    ];
    for arguments in before {
        run(arguments);
        assert_eq!(traces(&trace), None, "{arguments:?}");
    }
    assert!(environment.work().join("root.json").is_file(), "the commands did what they are for");
    run(&["list"]).expect_code(1).expect_stderr(&["python.unusable"]);
    assert!(traces(&trace).is_some(), "the trap would have caught it");
}

#[test]
fn nothing_in_the_environment_runs() {
    let server = Index::new().add(Wheel::new("app", "1.0").requires("library").build());
    let scene = Scene::new(server.add(Wheel::new("library", "1.0").build()).add(Wheel::new("library", "2.0").build()));
    let environment = &scene.environment;
    scene.installs(&["library==1.0"]);
    let trace = environment.home().join("trace");
    let with_system = fs::read_to_string(environment.venv().join("pyvenv.cfg")).unwrap().replace("false", "true");
    fs::write(environment.venv().join("pyvenv.cfg"), with_system).unwrap();
    let version = environment.interpreter().minor_version();
    let user_site = environment.home().join(format!(".local/lib/python{version}/site-packages"));
    fs::create_dir_all(&user_site).unwrap();
    let code = |name: &str| format!("open({:?}, 'a').write('{name}\\n')", text(&trace));
    for place in [environment.site_packages(), user_site] {
        for name in
            ["sitecustomize", "usercustomize", "_manylinux", "encodings", "json", "sysconfig", "_distutils_hack"]
        {
            fs::write(place.join(format!("{name}.py")), code(name)).unwrap();
        }
        fs::write(place.join("evil.pth"), format!("import os; {}\n", code("pth"))).unwrap();
    }
    let said = environment.command(environment.python()).args(["-c", "pass"]).run().expect_code(0);
    let ran = traces(&trace).unwrap_or_else(|| panic!("the trap is none: {}", said.stderr));
    for name in ["pth", "sitecustomize", "usercustomize"] {
        assert!(ran.contains(name), "{ran}");
    }
    let commands: &[&[&str]] = &[
        &["list"],
        &["list", "--outdated"],
        &["list", "--user"],
        &["freeze"],
        &["check"],
        &["show", "-f", "library"],
        &["download", "app"],
        &["install", "--dry-run", "app"],
        &["install", "app"],
        &["install", "--upgrade", "library"],
        &["why-trust", "app"],
        &["uninstall", "-y", "app"],
        &["install", "--target", "vendor", "app"],
    ];
    for arguments in commands {
        let outcome = scene.tufpip(arguments).run();
        assert_eq!(traces(&trace), None, "{arguments:?}");
        assert!(!outcome.stderr.contains("code "), "{arguments:?}: {}", outcome.stderr);
        // Each with an answer that no cache has.
        let _ = fs::remove_dir_all(environment.cache().join("tufpip/interpreters"));
    }
    assert_eq!(environment.installed(), ["library-2.0"]);
}

#[test]
fn the_environment_is_asked_about_manylinux_wheels_and_only_then() {
    let arch = std::env::consts::ARCH;
    let index = Index::new()
        .add(Wheel::new("app", "1.0").build())
        .add(Wheel::new("app", "2.0").tag(&format!("py3-none-manylinux_2_17_{arch}")).build())
        .add(Wheel::new("plain", "1.0").build());
    let scene = Scene::new(index);
    let environment = &scene.environment;
    let trace = environment.home().join("trace");
    let module = environment.site_packages().join("_manylinux.py");
    let leave_trace = format!("print('noise')\nopen({:?}, 'a').write('asked\\n')\n", text(&trace));

    if !scene.installs(&["--dry-run", "app"]).stdout.contains("app-2.0") {
        eprintln!("skipped: this machine takes no manylinux wheels");
        return;
    }
    fs::write(&module, format!("{leave_trace}manylinux2014_compatible = False\n")).unwrap();
    scene.installs(&["plain"]);
    assert_eq!(traces(&trace), None);
    scene.installs(&["app"]);
    assert_eq!(traces(&trace).as_deref(), Some("asked\n"));
    scene.expect_installed(&["app-1.0", "plain-1.0"]);

    fs::write(&module, format!("{leave_trace}def manylinux_compatible(*_):\n    return True\n")).unwrap();
    scene.installs(&["--upgrade", "app"]);
    assert!(traces(&trace).is_some());
    scene.expect_installed(&["app-2.0", "plain-1.0"]);

    // A platform that the user names is not the environment's business.
    fs::write(&module, format!("{leave_trace}raise RuntimeError('\\x1b[2Jbroken')\n")).unwrap();
    let platform = format!("manylinux_2_17_{arch}");
    let named = ["--platform", &platform, "--only-binary", ":all:", "--target", "vendor", "app"];
    scene.installs(&named);
    assert_eq!(traces(&trace), None);

    let refused = scene.refuses(&["--force-reinstall", "app"], 1, &["_manylinux", "broken", "python.unusable"]);
    assert!(!refused.stderr.contains('\u{1b}'), "{:?}", refused.stderr);
    fs::remove_file(&module).unwrap();
    scene.installs(&["--force-reinstall", "app"]);
}

#[test]
fn what_is_started_is_told_no_secrets() {
    let scene = Scene::new(Index::new().add(Wheel::new("app", "1.0").file("app/more.py", "x = 1\n").build()));
    let environment = &scene.environment;
    let trace = environment.home().join("trace");
    let programs = environment.home().join("programs");
    let interpreter = environment.interpreter().executable.clone();
    let dump = |then: &str| format!("env >>'{}'\n{then}", trace.display());
    // Started under its own name, so that it takes itself for the environment's interpreter.
    fs::remove_file(environment.python()).unwrap();
    trap(&environment.python(), &trace, &dump(&format!("exec -a \"$0\" '{}' \"$@\"", interpreter.display())));
    trap(&programs.join("git"), &trace, &dump("exit 1"));
    let project = environment.write("project/pyproject.toml", "");
    let info = environment.site_packages().join("editable-1.0.dist-info");
    fs::create_dir_all(&info).unwrap();
    fs::write(info.join("METADATA"), "Metadata-Version: 2.1\nName: editable\nVersion: 1.0\n").unwrap();
    let url = format!("file://{}", project.parent().unwrap().display());
    fs::write(info.join("direct_url.json"), format!(r#"{{"dir_info": {{"editable": true}}, "url": "{url}"}}"#))
        .unwrap();

    let path = format!(".:{}:relative::{}", programs.display(), std::env::var("PATH").unwrap());
    let mut started = String::new();
    for arguments in [&["list"][..], &["install", "app"], &["freeze"]] {
        scene
            .tufpip(arguments)
            .env("PATH", &path)
            .env("LD_LIBRARY_PATH", ":lib:/nowhere")
            .env("TUFPIP_REPO_PASSPHRASE", "hidden-passphrase")
            .env("PIP_EXTRA_INDEX_URL", "https://user:hidden-password@127.0.0.1:1/simple/")
            .env("AWS_SECRET_ACCESS_KEY", "hidden-key")
            .env("GITHUB_TOKEN", "hidden-token")
            .env("GIT_CONFIG_VALUE_0", "hidden-header")
            .env("PYTHONSTARTUP", "hidden-startup")
            .env("PIP_RETRIES", "0")
            .run();
        started += &traces(&trace).unwrap_or_default();
    }
    for wanted in ["bin/python -I -S -c", "programs/git rev-parse", "HOME="] {
        assert!(started.contains(wanted), "{wanted} in {started}");
    }
    assert!(!started.contains("hidden"), "{started}");
    let lists = started.lines().filter_map(|line| line.strip_prefix("PATH=").or(line.strip_prefix("LD_LIBRARY_PATH=")));
    for directory in lists.flat_map(|list| list.split(':')) {
        assert!(Path::new(directory).is_absolute(), "`{directory}` names the working directory");
    }
}

#[test]
fn bytecode_is_compiled_without_secrets() {
    let scene = Scene::new(Index::new().add(Wheel::new("app", "1.0").file("app/more.py", "x = 1\n").build()));
    let environment = &scene.environment;
    let trace = environment.home().join("trace");
    let interpreter = environment.interpreter().executable.clone();
    fs::remove_file(environment.python()).unwrap();
    let then = format!("env >>'{}'\nexec -a \"$0\" '{}' \"$@\"", trace.display(), interpreter.display());
    trap(&environment.python(), &trace, &then);
    scene.tufpip(&["install", "app"]).env("AWS_SECRET_ACCESS_KEY", "hidden-key").run().expect_code(0);
    let started = traces(&trace).unwrap();
    assert!(started.matches("bin/python -I -S -c").count() >= 2, "probe and compiler: {started}");
    assert!(!started.contains("hidden"), "{started}");
}

#[test]
fn the_first_of_these_decides() {
    let environments: Vec<_> = std::iter::repeat_with(Environment::new).take(5).collect();
    let [asked, launcher, active, conda, program] = environments.as_slice() else { unreachable!() };
    for (environment, name) in environments.iter().zip(["asked", "launcher", "active", "conda", "program"]) {
        mark(environment, name);
    }
    let called = program.scripts().join("tufpip");
    symlink(env!("CARGO_BIN_EXE_tufpip"), &called).unwrap();
    let run = |set: &[(&str, PathBuf)], arguments: &[&str], program_name: &Path| {
        let command = program.command(program_name).env_remove("VIRTUAL_ENV").args(arguments);
        let command = set.iter().fold(command, |command, (name, value)| command.env(name, value));
        let outcome = command.args(["list", "--format", "freeze", "--local"]).run().expect_code(0);
        assert!(!outcome.stderr.contains("TUFPIP_"), "{}", outcome.stderr);
        outcome.stdout
    };
    let settings =
        [("TUFPIP_LAUNCHED_BY", launcher.python()), ("VIRTUAL_ENV", active.venv()), ("CONDA_PREFIX", conda.venv())];
    let asking = ["--python", text(&asked.venv())].map(str::to_owned);
    assert_eq!(run(&settings, &asking.each_ref().map(String::as_str), &called), "asked==1.0\n");
    assert_eq!(run(&settings, &[], &called), "launcher==1.0\n");
    assert_eq!(run(&settings[1..], &[], &called), "active==1.0\n");
    assert_eq!(run(&settings[2..], &[], &called), "conda==1.0\n");
    assert_eq!(run(&[], &[], &called), "program==1.0\n");
    // As a shell calls it: by its name alone. The scripts of the environment are on its PATH.
    assert_eq!(run(&[], &[], Path::new("tufpip")), "program==1.0\n");
    // A link elsewhere is the program, not its environment; and a tool manager's environment is for the tool alone.
    let elsewhere = program.home().join("tufpip");
    symlink(&called, &elsewhere).unwrap();
    let path = ("PATH", PathBuf::from(std::env::var_os("PATH").unwrap()));
    assert!(!run(std::slice::from_ref(&path), &[], &elsewhere).contains("program==1.0"));
    for marker in ["pipx_metadata.json", "uv-receipt.toml"] {
        fs::write(program.venv().join(marker), "").unwrap();
        assert!(!run(std::slice::from_ref(&path), &[], &called).contains("program==1.0"), "{marker}");
        fs::remove_file(program.venv().join(marker)).unwrap();
    }
    assert_eq!(run(&[path], &[], &called), "program==1.0\n");
}

#[test]
fn what_cannot_be_executed_is_passed_over_on_path() {
    let environment = Environment::new();
    mark(&environment, "active");
    let programs = environment.home().join("programs");
    fs::create_dir_all(programs.join("directory/python3")).unwrap();
    fs::write(programs.join("python3"), "not executable").unwrap();
    let path =
        [programs.join("directory"), programs, environment.scripts()].map(|path| text(&path).to_owned()).join(":");
    let outcome = inactive(&environment, &["list", "--format", "freeze"]).env("PATH", path).run().expect_code(0);
    assert_eq!(outcome.stdout, "active==1.0\n");
}
