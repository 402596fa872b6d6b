//! What goes wrong: each failure says what, where and what to do, has its exit code, and leaves nothing behind.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use testkit::{Command, Index, IndexBehavior, ListedFile, Response, Sdist, Server, Wheel, zip};

use crate::scene::{Scene, text, tufpip};

fn one() -> Index {
    Index::new().add(Wheel::new("app", "1.0").build())
}

/// Something like it may exist: nothing is guessed.
#[test]
fn an_argument_that_is_not_utf_8() {
    let scene = Scene::new(one());
    for (argument, shown) in [
        (&b"app\xe9"[..], r"argument 2 is not UTF-8: app\xe9"),
        (b"--target=caf\xe9\x1b[31m", r"argument 2 is not UTF-8: --target=caf\xe9\x1b[31m"),
        (b"https://me:secret@pkgs.example.org/\xff", r"argument 2 is not UTF-8: https://****@pkgs.example.org/\xff"),
    ] {
        let command = scene.tufpip(&["install"]).arg(OsStr::from_bytes(argument)).arg("app");
        scene.refuses_command(command, 2, &[shown, "usage"]);
    }
}

#[test]
fn a_misspelt_name() {
    let scene = Scene::new(one());
    let asked = scene.server.url("/simple/");
    scene.refuses(
        &["ap"],
        1,
        &[
            "ERROR: Could not find a version that satisfies the requirement ap (from versions: none)",
            "ERROR: No matching distribution found for ap",
            &asked,
            "check the spelling",
            "resolve.no-match",
        ],
    );
}

#[test]
fn a_version_that_does_not_exist() {
    let scene = Scene::new(one().add(Wheel::new("app", "1.1").build()));
    scene.refuses(
        &["app==9"],
        1,
        &[
            "ERROR: Could not find a version that satisfies the requirement app==9 (from versions: 1.0, 1.1)",
            "ERROR: No matching distribution found for app==9",
        ],
    );
}

#[test]
fn a_python_that_is_too_old() {
    let scene = Scene::new(Index::new().add(Wheel::new("app", "1.0").requires_python(">=99").build()));
    scene.refuses(
        &["app"],
        1,
        &["requires a different Python", ">=99", "ERROR: No matching distribution found for app"],
    );
}

#[test]
fn no_wheel_for_this_machine() {
    let scene = Scene::new(Index::new().add(Wheel::new("app", "1.0").tag("cp39-cp39-win_amd64").build()));
    scene.refuses(&["app"], 1, &["ERROR: No matching distribution found for app"]);
    let wheel = Wheel::new("app", "1.0").tag("cp39-cp39-win_amd64").build();
    scene.environment.write(&wheel.filename, &wheel.bytes);
    scene.refuses(
        &[&format!("./{}", wheel.filename)],
        1,
        &["app-1.0-cp39-cp39-win_amd64.whl is not a supported wheel on this platform"],
    );
}

#[test]
fn a_conflict() {
    let index = Index::new()
        .add(Wheel::new("left", "1.0").requires("library<2").build())
        .add(Wheel::new("right", "1.0").requires("library>=2").build())
        .add(Wheel::new("library", "1.0").build())
        .add(Wheel::new("library", "2.0").build());
    let scene = Scene::new(index);
    scene.refuses(
        &["left", "right"],
        1,
        &[
            "ERROR: Cannot install",
            "left 1.0 depends on library<2",
            "right 1.0 depends on library>=2",
            "ERROR: ResolutionImpossible",
            "loosen",
        ],
    );
}

#[test]
fn a_hash_that_is_not_that_of_the_index() {
    let wheel = Wheel::new("app", "1.0").build();
    let scene = Scene::new(Index::new().add(ListedFile::from(wheel.clone()).wrong_hash()));
    let outcome = scene.refuses(
        &["app"],
        10,
        &[
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES GIVEN BY THE INDEX",
            "Expected sha256 ",
            &format!("Got        {}", wheel.sha256()),
            "nothing was installed",
            "verify.hash-mismatch",
        ],
    );
    assert!(outcome.stderr.contains(&scene.server.url("/files/app-1.0-py3-none-any.whl")), "{}", outcome.stderr);
    assert!(
        !testkit::tree(&scene.environment.cache()).iter().any(|line| line.contains(&wheel.sha256())),
        "nothing of it is kept"
    );
}

#[test]
fn other_bytes_of_the_same_length() {
    let wheel = Wheel::new("app", "1.0").build();
    let mut bytes = wheel.bytes.clone();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let scene = Scene::new(Index::new().add(ListedFile::from(wheel).served_as(bytes)));
    scene.refuses(&["app"], 10, &["DO NOT MATCH THE HASHES"]);
}

#[test]
fn metadata_that_is_not_that_of_the_index() {
    let options = IndexBehavior { core_metadata: testkit::MetadataMode::WrongHash, ..IndexBehavior::default() };
    let scene = Scene::new(one().options(options));
    scene.refuses(
        &["app"],
        10,
        &["The metadata of app-1.0-py3-none-any.whl is not what the index says", "verify.metadata-hash-mismatch"],
    );
}

#[test]
fn metadata_that_promises_other_dependencies_than_the_wheel_has() {
    let mut file = ListedFile::from(Wheel::new("app", "1.0").requires("library").build());
    file.metadata = b"Metadata-Version: 2.1\nName: app\nVersion: 1.0\n".to_vec();
    let scene = Scene::new(Index::new().add(file));
    scene.refuses(&["app"], 10, &["is not what the index showed for it", "library", "verify.metadata-mismatch"]);
}

/// It cannot be left out where dependencies matter; with --no-deps it does not.
#[test]
fn a_dependency_that_cannot_be_understood() {
    let bad = |name: &str| Wheel::new(name, "2.0").metadata_header("Requires-Dist", "lib >= % 1").build();
    let scene = Scene::new(Index::new().add(Wheel::new("app", "1.0").build()).add(bad("app")).add(bad("only")));
    let filename = bad("only").filename;
    let path = scene.environment.write(&filename, bad("only").bytes);
    for wanted in ["only", text(&path)] {
        scene.refuses(&[wanted], 1, &["Requires-Dist", "lib >= % 1"]);
    }
    scene.installs(&["app"]);
    scene.expect_installed(&["app-1.0"]);
    scene.installs(&["--no-deps", "--upgrade", "app", "only"]);
    scene.expect_installed(&["app-2.0", "only-2.0"]);
}

#[test]
fn a_download_that_breaks_off_for_good() {
    let index = one();
    let scene = Scene::served(Server::start(move |request| {
        let response = index.respond(request);
        if request.path.ends_with(".whl") { response.close_after(100) } else { response }
    }));
    scene.refuses(
        &["--retries", "1", "--resume-retries", "1", "app"],
        13,
        &["app-1.0-py3-none-any.whl", "safe to try again"],
    );
}

#[test]
fn a_download_that_breaks_off_once() {
    let index = one();
    let scene = Scene::served(Server::start(move |request| {
        let response = index.respond(request);
        if request.path.ends_with(".whl") && request.occurrence == 0 { response.close_after(100) } else { response }
    }));
    scene.installs(&["app"]);
    let requests = scene.server.requests_for("/files/app-1.0-py3-none-any.whl");
    assert_eq!(requests[1].header("range"), Some("bytes=100-"), "the rest is asked for");
}

#[test]
fn a_wheel_that_wants_out_of_its_place() {
    for path in ["../evil.py", "/evil.py", "app/../../../evil.py", "app\\..\\evil.py"] {
        let wheel = Wheel::new("app", "1.0").file("app.py", "").file(path, "evil").build();
        let scene = Scene::new(Index::new().add(wheel));
        scene.refuses(&["app"], 10, &["nothing of it was installed", "app-1.0-py3-none-any.whl"]);
        assert!(!scene.environment.work().parent().unwrap().join("evil.py").exists());
    }
}

#[test]
fn a_wheel_whose_record_lies() {
    let lies = [
        Wheel::new("app", "1.0").file("app.py", "").wrong_record_hash("app.py"),
        Wheel::new("app", "1.0").file("app.py", "").omitted_from_record("app.py"),
        Wheel::new("app", "1.0").file("app.py", "").record_row("missing.py,,"),
        Wheel::new("app", "1.0").without_record(),
        Wheel::new("app", "1.0").symlink("app.py", "/etc/passwd"),
        Wheel::new("app", "1.0").metadata_name("other"),
        Wheel::new("app", "1.0").metadata_version("2.0"),
        Wheel::new("app", "1.0").second_dist_info("other", "1.0"),
        Wheel::new("app", "1.0").wheel_version("2.0"),
    ];
    for lie in lies {
        let wheel = lie.build();
        let name = wheel.filename.clone();
        let scene = Scene::new(Index::new());
        scene.environment.write(&name, wheel.bytes);
        scene.refuses(&[&format!("./{name}")], 10, &["app"]);
    }
}

#[test]
fn something_that_is_no_wheel() {
    for bytes in [b"no archive".to_vec(), Vec::new(), zip(&[])] {
        let mut wheel = Wheel::new("app", "1.0").build();
        wheel.bytes = bytes;
        let scene = Scene::new(Index::new());
        scene.environment.write(&wheel.filename, &wheel.bytes);
        scene.refuses(&[&format!("./{}", wheel.filename)], 10, &["app-1.0-py3-none-any.whl"]);
    }
}

#[test]
fn an_index_that_cannot_be_reached() {
    let scene = Scene::new(one());
    let url = Server::unreachable_url("/simple/");
    scene.refuses(
        &["--retries", "0", "--index-url", &url, "app"],
        13,
        &[&url, "check the host name", "net.unreachable"],
    );
    scene.refuses(&["--retries", "0", "--extra-index-url", &url, "app"], 13, &[&url, "net.unreachable"]);
}

#[test]
fn an_index_that_wants_a_password() {
    let options =
        IndexBehavior { basic_auth: Some(("user".to_owned(), "secret".to_owned())), ..IndexBehavior::default() };
    let scene = Scene::new(one().options(options));
    scene.refuses(
        &["app"],
        1,
        &["401", &scene.server.url("/simple/app/"), "user name and password", "net.unauthorized"],
    );
    let url = scene.server.url_with_credentials("user", "wr0ng", "/simple/");
    let outcome = scene.refuses(&["--index-url", &url, "app"], 1, &["401"]);
    assert!(!outcome.stderr.contains("wr0ng"), "{}", outcome.stderr);
}

#[test]
fn an_index_that_fails_is_not_passed_over() {
    for status in [403, 500, 503] {
        let failing = Server::start(move |_| Response::new(status));
        let scene = Scene::new(one());
        let code = if status == 403 { 1 } else { 13 };
        scene.refuses(
            &["--retries", "0", "--extra-index-url", &failing.url("/simple/"), "app"],
            code,
            &[&status.to_string(), &failing.url("/simple/app/")],
        );
    }
}

#[test]
fn a_page_that_is_none() {
    let pages: [(&str, Vec<u8>); 4] = [
        ("application/vnd.pypi.simple.v1+json", b"{\"files\": [".to_vec()),
        ("application/vnd.pypi.simple.v1+json", b"[]".to_vec()),
        ("application/vnd.pypi.simple.v2+json", b"{}".to_vec()),
        ("image/png", b"png".to_vec()),
    ];
    for (kind, body) in pages {
        let scene = Scene::served(Server::start(move |_| Response::ok(kind, body.clone())));
        scene.refuses(&["app"], 1, &["Could not read the page at ", "index.page"]);
    }
}

#[test]
fn a_project_with_source_distributions_only() {
    let scene = Scene::new(Index::new().add(Sdist::new("app", "1.0").build()));
    scene.refuses(&["app"], 1, &["app", "only a source distribution, which tufpip does not build yet"]);
    let sdist = Sdist::new("app", "1.0").build();
    scene.environment.write(&sdist.filename, &sdist.bytes);
    scene.refuses(&[&format!("./{}", sdist.filename)], 1, &["does not build yet", "build a wheel of it first"]);
}

#[test]
fn options_that_are_not_there() {
    let scene = Scene::new(one());
    scene.refuses(&["--editable", "."], 2, &["`--editable` is not supported yet", "usage.not-supported"]);
    scene.refuses(&["--no-such-option", "app"], 2, &["--no-such-option"]);
    scene.refuses(&["--upgrad-strategy", "eager", "app"], 2, &["--upgrade-strategy"]);
    scene.refuses(&[], 1, &["You must give at least one requirement to install"]);
    let outcome = scene.tufpip(&["instal", "app"]).run().expect_code(2);
    assert!(outcome.stderr.contains("install"), "{}", outcome.stderr);
}

#[test]
fn files_that_are_not_there() {
    let scene = Scene::new(one());
    scene.refuses(&["-r", "missing.txt"], 1, &["missing.txt"]);
    scene.refuses(&["./missing-1.0-py3-none-any.whl"], 1, &["missing-1.0-py3-none-any.whl"]);
    scene.environment.write("bad.txt", "app\n===oops===\n");
    scene.refuses(&["-r", "bad.txt"], 1, &["bad.txt", "line 2"]);
}

#[test]
fn no_virtual_environment_where_one_is_required() {
    let environment = testkit::Environment::without_venv();
    let python = environment.interpreter().executable.clone();
    let outcome = tufpip(&environment)
        .args(["install", "--require-virtualenv", "--python", text(&python), "app"])
        .run()
        .expect_code(3);
    assert!(outcome.stderr.contains("Could not find an activated virtualenv (required)."), "{}", outcome.stderr);
}

#[test]
fn a_full_disk() {
    // A limit on the size of files stands in for it: the write fails halfway, as it does on a full disk.
    let noise: Vec<u8> = (0..400_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let scene = Scene::new(Index::new().add(Wheel::new("app", "1.0").file("app/noise.bin", noise).build()));
    let before = scene.environment.state();
    let program = env!("CARGO_BIN_EXE_tufpip");
    let limited = |units: u32| format!("trap '' XFSZ; ulimit -f {units}; exec '{program}' install app");
    // Units of 512 bytes or, in some shells, 1024; the wheel has 1.6 MB.
    for units in [400, 1200] {
        let outcome = scene.environment.command("/bin/sh").index(&scene.server).args(["-c", &limited(units)]).run();
        let outcome = outcome.expect_code(1);
        assert!(outcome.stderr.contains("free some space"), "{}", outcome.stderr);
        assert_eq!(scene.environment.state(), before);
        scene.expect_clean();
    }
    scene.installs(&["app"]);
}

#[test]
fn a_directory_that_cannot_be_written() {
    let scene = Scene::new(one());
    // Not even root can make a directory below a file.
    let outcome = scene.tufpip(&["install", "--prefix", "/dev/null/there", "app"]).run();
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("/dev/null"), "{}", outcome.stderr);
    scene.expect_clean();
}

#[test]
fn a_disk_that_is_full_when_files_are_put_into_place() {
    // A file system of 1 MiB in a mount namespace of its own, which needs privileges. Its size rules out hard links.
    let possible =
        Command::new("unshare").args(["--mount", "sh", "-c", "mount -t tmpfs -o size=1m none /mnt"]).try_run();
    if !possible.is_ok_and(|outcome| outcome.succeeded()) {
        eprintln!("skipped: this user may not mount a small file system");
        return;
    }
    let noise: Vec<u8> = (0..400_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let index = Index::new()
        .add(Wheel::new("small", "1.0").build())
        .add(Wheel::new("large", "1.0").file("large/noise.bin", noise).build());
    let scene = Scene::new(index);
    let program = env!("CARGO_BIN_EXE_tufpip");
    let script = format!(
        "mkdir disk && mount -t tmpfs -o size=1m none disk && '{program}' install --quiet --target disk/here small && \
         find disk | sort > before; '{program}' install --target disk/here large; code=$?; find disk | sort > after; \
         cmp before after && exit $code"
    );
    let outcome =
        scene.environment.command("unshare").index(&scene.server).args(["--mount", "sh", "-c", &script]).run();
    let outcome = outcome.expect_code(1).expect_stderr(&["No space left on device", "disk"]);
    assert!(!outcome.stdout.contains("Successfully"), "{}", outcome.stdout);
    scene.expect_clean();
}
