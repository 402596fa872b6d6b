//! Texts of others never steer the terminal of whoever reads the output, hide or reorder parts of it, or make lines of their
//! own; and no password of a URL is in it. Each test feeds one source of such texts, and looks at all that is printed and
//! logged.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use testkit::{Command, Index, ListedFile, Outcome, Response, Server, SignedIndex, Wheel};

use crate::scene::{Played, Scene, SignedScene, index, text};

/// Escape sequences of 7 and 8 bit, a bell, a carriage return, what separates lines, what reorders, and what is not seen.
pub const HOSTILE: &str =
    "\u{1b}[31m\u{9b}2J\u{7}\r\u{85}\u{61c}\u{2028}\u{2029}\u{202e}\u{2066}\u{200b}\u{feff}\u{e0041}";

/// What would be a line of its own.
pub const FORGED: &str = "\nFORGED LINE";

pub const SECRET: &str = "s3cret";

/// Runs the program; looks at what it printed and logged.
#[track_caller]
pub fn harmless<S: Played>(scene: &Scene<S>, words: &[&str]) -> Outcome {
    checked(scene, scene.tufpip(words))
}

#[track_caller]
pub fn checked<S: Played>(scene: &Scene<S>, command: Command) -> Outcome {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let log = scene.environment.work().join(format!("log-{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
    let outcome = command.args(["--log", text(&log)]).run();
    expect_harmless("standard output", &outcome.stdout);
    expect_harmless("standard error", &outcome.stderr);
    // There is none where the command line is wrong.
    let log = fs::read(&log).map(|bytes| String::from_utf8(bytes).unwrap()).unwrap_or_default();
    let lines: Vec<&str> = log.lines().map(|line| line.split_once(' ').map_or(line, |(_, line)| line)).collect();
    expect_harmless("the log", &lines.join("\n"));
    assert!(outcome.code.is_some_and(|code| code != 101), "{}", outcome.stderr);
    outcome
}

#[track_caller]
fn expect_harmless(place: &str, text: &str) {
    let steers = |character: &char| !matches!(character, '\n' | '\t') && printable::is_escaped(*character);
    assert_eq!(text.chars().find(steers), None, "{place}:\n{text}");
    assert!(!text.lines().any(|line| line.trim_start().starts_with("FORGED")), "{place}:\n{text}");
    assert!(!text.contains(SECRET), "{place}:\n{text}");
}

/// Whether a text is within those of a JSON value.
fn has_text(value: &Value, wanted: &str) -> bool {
    match value {
        Value::String(text) => text.contains(wanted),
        Value::Array(values) => values.iter().any(|value| has_text(value, wanted)),
        Value::Object(members) => members.values().any(|value| has_text(value, wanted)),
        _ => false,
    }
}

fn hostile() -> String {
    format!("a{HOSTILE}b{FORGED}")
}

/// An index whose page of `app` is this one.
fn page(content_type: &str, body: String) -> Scene {
    let content_type = content_type.to_owned();
    let index = Index::new().add(Wheel::new("app", "1.0").build());
    Scene::served(Server::start(move |request| match request.path.as_str() {
        "/simple/app/" => Response::ok(&content_type, body.clone()),
        _ => index.respond(request),
    }))
}

#[test]
fn files_and_facts_on_pages() {
    let (hostile, forged) = (hostile(), FORGED);
    let one = |change: &dyn Fn(&mut Value)| {
        let mut file =
            json!({"filename": "app-1.0-py3-none-any.whl", "url": "/files/app-1.0-py3-none-any.whl", "hashes": {}});
        change(&mut file);
        json!({"meta": {"api-version": "1.0"}, "name": "app", "files": [file]}).to_string()
    };
    let html =
        |attributes: &str, name: &str| format!("<a href=\"/files/app-1.0-py3-none-any.whl\" {attributes}>{name}</a>");
    let json_type = "application/vnd.pypi.simple.v1+json";
    let pages = [
        (json_type, one(&|file| file["filename"] = json!(format!("app-1.0-{hostile}-none-any.whl")))),
        (json_type, one(&|file| file["filename"] = json!(format!("app-1.0{hostile}-py3-none-any.whl")))),
        (json_type, one(&|file| file["filename"] = json!(format!("{hostile}.tar.gz")))),
        (json_type, one(&|file| file["yanked"] = json!(hostile))),
        (json_type, one(&|file| file["requires-python"] = json!(format!(">=99{hostile}")))),
        (json_type, one(&|file| file["requires-python"] = json!(hostile))),
        (json_type, one(&|file| file["url"] = json!(format!("/files/{hostile}")))),
        (json_type, one(&|file| file["url"] = json!(format!("http://[{hostile}/")))),
        (json_type, one(&|file| file["url"] = json!(format!("https://me:{SECRET}@[/")))),
        (
            json_type,
            one(&|file| file["url"] = json!(format!("http://me:{SECRET}@127.0.0.1:1/app-1.0-py3-none-any.whl"))),
        ),
        (json_type, one(&|file| file["hashes"] = json!({"sha256": hostile, "md5": hostile, hostile.clone(): hostile}))),
        (json_type, one(&|file| file["core-metadata"] = json!({"sha256": hostile}))),
        (json_type, one(&|file| file["upload-time"] = json!(hostile))),
        (json_type, one(&|file| file[hostile.as_str()] = json!(hostile))),
        (json_type, json!({"meta": {"api-version": format!("1.0{hostile}")}, "name": "app", "files": []}).to_string()),
        (
            json_type,
            json!({"meta": {"api-version": format!("9.0{forged}")}, "name": hostile, "files": hostile}).to_string(),
        ),
        (json_type, format!("{{\"{HOSTILE}")),
        ("text/html", html(&format!("data-yanked=\"{hostile}\""), "app-1.0-py3-none-any.whl")),
        ("text/html", html(&format!("data-requires-python=\"&gt;=99{hostile}\""), "app-1.0-py3-none-any.whl")),
        ("text/html", html("", &format!("app-1.0-py3-none-any{hostile}.whl"))),
        (
            "text/html",
            html("", "").replace("app-1.0-py3-none-any.whl\"", "app-1.0-py3%0AFORGED%1b%5b31m-none-any.whl\""),
        ),
        ("text/html", html("", "").replace("app-1.0-py3-none-any.whl\"", "app-1.0%0AFORGED%1b%5b31m.tar.gz\"")),
        (
            "text/html",
            format!("<base href=\"http://[{hostile}\"><a href=\"http://[{hostile}\">app-1.0-py3-none-any.whl</a>"),
        ),
        ("text/html", format!("<meta name=\"pypi:repository-version\" content=\"9.{HOSTILE}\">")),
        (&format!("text/{}", HOSTILE.replace('\r', "")), String::new()),
    ];
    for (content_type, body) in pages {
        let scene = page(content_type, body);
        harmless(&scene, &["install", "-vvv", "app==1.0"]);
        let report = harmless(&scene, &["install", "-q", "--dry-run", "--ignore-installed", "--report", "-", "app"]);
        if report.succeeded() {
            let _: Value = serde_json::from_str(&report.stdout).unwrap();
        }
        harmless(&scene, &["why-trust", "-vv", "app"]);
        let links = scene.server.url("/simple/app/");
        harmless(&scene, &["install", "-vv", "--force-reinstall", "--no-index", "--find-links", &links, "app"]);
    }
}

#[test]
fn answers_of_servers() {
    let latin = HOSTILE.chars().filter(|character| !matches!(character, '\r')).collect::<String>();
    for reason in ["\u{1b}[31m", "\u{9b}2J", "Gone\t\u{202e}\u{200b}", "\u{7}"] {
        for status in [404, 403, 500, 302] {
            let head = format!(
                "HTTP/1.1 {status} {reason}\r\nLocation: /x{latin}\r\nServer: {latin}\r\nContent-Type: text/{latin}\r\n\
                 WWW-Authenticate: {latin}\r\nContent-Encoding: {latin}\r\nContent-Length: 2\r\n\r\n{HOSTILE}"
            );
            let scene = Scene::served(Server::start(move |_| Response::raw(head.clone())));
            harmless(&scene, &["install", "-vv", "--retries", "0", "app"]);
        }
    }
    for target in [
        format!("/x{latin}"),
        format!("http://[{latin}"),
        format!("http://me:{SECRET}@127.0.0.1:1/x"),
        format!("ftp://me:{SECRET}@127.0.0.1:1/x"),
        format!("https://me:{SECRET}@[/"),
        format!("?next=http://me:{SECRET}@127.0.0.1/"),
    ] {
        let scene = Scene::served(Server::start(move |_| Response::redirect(302, &target)));
        harmless(&scene, &["install", "-vv", "--retries", "0", "app"]);
        let url = scene.server.url("/app-1.0-py3-none-any.whl");
        harmless(&scene, &["install", "-vv", "--retries", "0", &url]);
        harmless(&scene, &["install", "-vv", "--retries", "0", "-r", &url]);
    }
}

/// A distribution that somebody else put there.
pub fn plant<S>(scene: &Scene<S>, directory: &str, files: &[(&str, &str)]) {
    let info = scene.environment.site_packages().join(directory);
    fs::create_dir_all(&info).unwrap();
    for (name, content) in files {
        fs::write(info.join(name), content).unwrap();
    }
}

#[test]
fn installed_distributions() {
    let scene = Scene::new(Index::new().add(Wheel::new("app", "9.0").build()).add(Wheel::new("other", "1.0").build()));
    let hostile = HOSTILE;
    let folded = HOSTILE.replace('\r', "");
    let metadata = |name: &str, version: &str| {
        format!(
            "Metadata-Version: 2.4\nName: {name}\nVersion: {version}\nSummary: s{folded}\n FORGED\nLicense: {folded}\n\
             License-Expression: {folded}\nHome-page: https://me@h/{folded}\nAuthor: {folded}\nAuthor-email: {folded}\n\
             Classifier: {folded}\nProject-URL: {folded}, {folded}\nKeywords: {folded}\nRequires-Python: {folded}\n"
        )
    };
    let direct = json!({"url": format!("https://h/a{hostile}{FORGED}"), "archive_info": {"hash": format!("sha256={hostile}{FORGED}")},
        "subdirectory": format!("{hostile}{FORGED}")});
    plant(
        &scene,
        "app-1.0.dist-info",
        &[
            (
                "METADATA",
                &(metadata("app", "1.0") + &format!("Requires-Dist: gone{folded}\nRequires-Dist: other>=2\n")),
            ),
            ("INSTALLER", &format!("{hostile}{FORGED}\n")),
            ("direct_url.json", &direct.to_string()),
            (
                "RECORD",
                &format!("app{}.py,,\n\"forged\nFORGED\",,\n../../../../x{folded},,\n", hostile.replace('\r', "")),
            ),
            ("entry_points.txt", &format!("[console_scripts]\n{folded} = a:b\n")),
            ("WHEEL", &format!("Wheel-Version: 1.0\nBuild: 1{folded}\n")),
        ],
    );
    let vcs = json!({"url": format!("https://me:{SECRET}@h/a{FORGED}"), "vcs_info": {"vcs": format!("git{hostile}"), "commit_id": FORGED}});
    plant(
        &scene,
        "checkout-1.0.dist-info",
        &[
            ("METADATA", "Metadata-Version: 2.1\nName: checkout\nVersion: 1.0\n"),
            ("direct_url.json", &vcs.to_string()),
            ("RECORD", ""),
        ],
    );
    let archive = |url: &str| json!({"url": url, "archive_info": {}}).to_string();
    for (number, url) in
        [format!("https://{SECRET}@h/a"), format!("https://u:{SECRET}/x@h/a"), format!("me:{SECRET}@h/a")]
            .iter()
            .enumerate()
    {
        plant(
            &scene,
            &format!("archive{number}-1.0.dist-info"),
            &[
                ("METADATA", &format!("Metadata-Version: 2.1\nName: archive{number}\nVersion: 1.0\n")),
                ("direct_url.json", &archive(url)),
            ],
        );
    }
    let editable = json!({"url": format!("file:///x{hostile}{FORGED}"), "dir_info": {"editable": true}});
    plant(
        &scene,
        "editable-1.0.dist-info",
        &[
            ("METADATA", &metadata("editable", "1.0")),
            ("direct_url.json", &editable.to_string()),
            ("RECORD", "\"unfinished"),
        ],
    );
    plant(&scene, "version-1.0.dist-info", &[("METADATA", &metadata("version", &format!("1.0{folded}\n FORGED")))]);
    plant(&scene, "name-1.0.dist-info", &[("METADATA", &metadata(&format!("na{folded}\n FORGED"), "1.0"))]);
    plant(&scene, &format!("nothing{hostile}-1.0.dist-info"), &[]);
    plant(&scene, &format!("~half{hostile}-1.0.dist-info"), &[("METADATA", &metadata("half", "1.0"))]);
    plant(&scene, &format!("odd-1{hostile}.dist-info"), &[("METADATA", &metadata("odd", "1.0"))]);
    plant(&scene, &format!("egg-1{hostile}.egg-info"), &[("PKG-INFO", &metadata("egg", "1.0"))]);
    plant(
        &scene,
        "broken-1.0.dist-info",
        &[("METADATA", &(metadata("broken", "1.0") + &format!("Requires-Dist: {folded}\n")))],
    );

    let named = ["app", "checkout", "editable", "version", "name", "odd", "egg", "broken", "half", "archive0"];
    for verbosity in [&[][..], &["-vvv"]] {
        for words in [
            &["list"][..],
            &["list", "--format", "freeze"],
            &["list", "--outdated"],
            &["list", "--editable"],
            &["freeze", "--all"],
            &["check"],
        ] {
            harmless(&scene, &[words, verbosity].concat());
        }
        // The lines of a text are lines, as pip shows them.
        for name in named {
            let words = [&["show", "--files", name][..], verbosity].concat();
            let outcome = scene.tufpip(&words).run();
            let shown = format!("{}{}", outcome.stdout, outcome.stderr).replace("FORGED", "");
            expect_harmless("show", &shown);
        }
        let listed = harmless(&scene, &[&["list", "--format", "json"], verbosity].concat());
        let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
        assert!(verbosity.is_empty() || has_text(&listed, &format!("{hostile}{FORGED}")), "{listed}");
    }
    let frozen = harmless(&scene, &["freeze"]);
    assert!(frozen.stdout.contains("checkout @ git"), "{}", frozen.stdout);

    for name in named {
        checked(&scene, scene.tufpip(&["uninstall", "-v", name]).input("\u{1b}[31m\u{202e}\nn\n"));
    }
    harmless(&scene, &["install", "-vv", "other"]);
    harmless(&scene, &["install", "-vv", "--no-deps", "app"]);
    harmless(&scene, &["install", "--upgrade", "app"]);
    for name in named {
        harmless(&scene, &["install", "--dry-run", "-v", "--upgrade", name]);
        harmless(&scene, &["uninstall", "-v", "--yes", name]);
    }
}

#[test]
fn a_replaced_distribution_is_named_within_a_line() {
    let scene = Scene::new(Index::new().add(Wheel::new("app", "9.0").build()));
    let metadata = "Metadata-Version: 2.1\nName: app\nVersion: 1.0\u{1b}[31m\u{202e}\n FORGED\n";
    plant(&scene, "app-1.0.dist-info", &[("METADATA", metadata), ("RECORD", ""), ("INSTALLER", HOSTILE)]);
    harmless(&scene, &["install", "--upgrade", "app"]);
    let _ = fs::remove_dir_all(scene.environment.site_packages().join("app-9.0.dist-info"));
    plant(&scene, "app-1.0.dist-info", &[("METADATA", metadata), ("INSTALLER", HOSTILE)]);
    harmless(&scene, &["install", "-v", "--upgrade", "app"]);
    harmless(&scene, &["uninstall", "--yes", "app"]);
}

#[test]
fn wheels() {
    let scene = Scene::new(Index::new());
    let hostile = HOSTILE.replace('\r', "");
    let wheels = [
        Wheel::new("app", "1.0").metadata_name(&format!("a{hostile}")),
        Wheel::new("app", "1.0").metadata_version(&format!("1{hostile}")),
        Wheel::new("app", "1.0").requires(&hostile),
        Wheel::new("app", "1.0").requires(&format!("gone>=1{hostile}")),
        Wheel::new("app", "1.0").requires(&format!("gone; python_version > \"{hostile}\"")),
        Wheel::new("app", "1.0").requires(&format!("gone @ https://me:{SECRET}@127.0.0.1:1/gone-1.0-py3-none-any.whl")),
        Wheel::new("app", "1.0").requires(&format!("gone @ git+https://me:{SECRET}@127.0.0.1:1/{hostile}")),
        Wheel::new("app", "1.0").requires("gone @ http://127.0.0.1:1/gone-1.0%0AFORGED%1b-py3-none-any.whl"),
        Wheel::new("app", "1.0").requires("gone @ http://127.0.0.1:1/gone-1.0%0AFORGED%1b.tar.gz"),
        Wheel::new("app", "1.0").requires("gone @ http://127.0.0.1:1/%0AFORGED%1b"),
        Wheel::new("app", "1.0").requires("gone @ file:///gone-1.0%0AFORGED%1b-py3-none-any.whl"),
        Wheel::new("app", "1.0").requires_python(&hostile),
        Wheel::new("app", "1.0").metadata_header("Provides-Extra", &hostile),
        Wheel::new("app", "1.0").console_script(&format!("t{hostile} = app:main")),
        Wheel::new("app", "1.0").console_script(&format!("t = {hostile}:main")),
        Wheel::new("app", "1.0").script("a\u{1b}[31m", ""),
        Wheel::new("app", "1.0").script("a\u{3164}\u{200b}", ""),
        Wheel::new("app", "1.0").file(&format!("app/{hostile}.py"), ""),
        Wheel::new("app", "1.0").file("app/\u{200b}\u{e0041}.py", "(\n"),
        Wheel::new("app", "1.0").file("../\u{202e}", ""),
        Wheel::new("app", "1.0").data(&format!("{hostile}/x"), ""),
        Wheel::new("app", "1.0").record_row(&format!("{hostile},sha256={hostile},{hostile}")),
        Wheel::new("app", "1.0").file(&format!("app/{hostile}"), "").omitted_from_record(&format!("app/{hostile}")),
        Wheel::new("app", "1.0").symlink(&format!("app/{hostile}"), &hostile),
        Wheel::new("app", "1.0").second_dist_info(&hostile, "1.0"),
        Wheel::new("app", "1.0").wheel_version(&hostile),
        Wheel::new("app", "1.0").wheel_version(&format!("9.{hostile}")),
    ];
    for wheel in wheels {
        let wheel = wheel.build();
        scene.environment.write(&wheel.filename, &wheel.bytes);
        let path = format!("./{}", wheel.filename);
        harmless(&scene, &["install", "-vv", "--retries", "0", "--force-reinstall", &path]);
        harmless(&scene, &["install", "--no-deps", "--force-reinstall", &format!("{path}[x\u{1b}]")]);
        harmless(&scene, &["install", "-v", "--no-index", "--find-links", ".", "app[extra]"]);
        harmless(&scene, &["check", "-v"]);
        // As an index shows it before it is downloaded.
        let shown = Scene::new(Index::new().add(ListedFile::from(wheel)));
        harmless(&shown, &["install", "-vv", "--retries", "0", "app"]);
        // The report has the metadata as it is.
        let report = shown.tufpip(&["install", "-q", "--no-deps", "--dry-run", "--report", "-", "app"]).run();
        expect_harmless("the report", &report.stdout.replace(SECRET, ""));
    }
    for name in [
        format!("app-1.0-py3{HOSTILE}-none-any.whl"),
        format!("app{HOSTILE}-1.0-py3-none-any.whl"),
        format!("{HOSTILE}.whl"),
        format!("app-1.0{FORGED}-py3-none-any.whl"),
        format!("app-1.0{FORGED}.tar.gz"),
    ] {
        scene.environment.write(&name, Wheel::new("app", "1.0").build().bytes);
        harmless(&scene, &["install", "-vv", &format!("./{name}")]);
        harmless(&scene, &["download", "-vv", &format!("./{name}")]);
        harmless(&scene, &["install", "-vv", "--no-index", "--find-links", ".", "app"]);
    }
}

#[test]
fn requirements_and_settings() {
    let scene = Scene::new(index());
    let hostile = HOSTILE.replace(['\r', '\u{85}', '\u{2028}', '\u{2029}'], "");
    let url = format!("http://me:{SECRET}@127.0.0.1:1/");
    for line in [
        hostile.clone(),
        format!("app{hostile}"),
        format!("app=={hostile}"),
        format!("app; python_version < '{hostile}'"),
        format!("app; python_version < '2' and os_name != '{hostile}'"),
        format!("app[{hostile}]"),
        format!("app @ {hostile}"),
        format!("app @ {url}app-1.0-py3-none-any.whl"),
        format!("app @ {url}app-1.0-py3-none-any.whl; python_version < '2'"),
        format!("app @ https://me:{SECRET}@["),
        "app @ file:///app-1.0%0AFORGED%1b-py3-none-any.whl".to_owned(),
        "http://127.0.0.1:1/app-1.0%0AFORGED%1b.tar.gz".to_owned(),
        "http://127.0.0.1:1/app-1.0%0AFORGED%1b-py3-none-any.whl".to_owned(),
        format!("app @ https://u:{SECRET}/x@127.0.0.1:1/a.zip"),
        format!("me:{SECRET}@127.0.0.1:1/app-1.0-py3-none-any.whl"),
        format!("git+{url}{hostile}"),
        format!("-e git+{url}#egg=app"),
        format!("{url}app-1.0.tar.gz"),
        format!("./{hostile}.whl"),
        format!("app --hash=sha256:{hostile}"),
        format!("app --{hostile}"),
        format!("--{hostile}"),
        format!("-r {hostile}"),
        format!("-r {url}requirements.txt"),
        format!("-c {url}constraints.txt"),
        format!("--index-url {hostile}"),
        format!("--index-url {url}\napp"),
        format!("--index-url me:{SECRET}@127.0.0.1:1/simple\napp"),
        format!("--extra-index-url {url}simple\napp"),
        format!("--find-links {url}\napp"),
        format!("--find-links me:{SECRET}@127.0.0.1:1/\napp"),
        format!("--find-links {hostile}\napp"),
        format!("--trusted-host {hostile}\napp"),
        format!("app --config-settings {hostile}"),
        format!("# {hostile}\napp"),
    ] {
        scene.environment.write("requirements.txt", format!("{line}\n"));
        let requirements = &["-r", "requirements.txt"][..];
        for words in
            [&["install", "-vv", "--retries", "0", "--no-deps", "--force-reinstall"][..], &["uninstall", "-v", "--yes"]]
        {
            harmless(&scene, &[words, requirements].concat());
        }
        harmless(&scene, &["install", "-v", "--retries", "0", "--dry-run", "-c", "requirements.txt", "app"]);
        // What is in the file is what is asked for.
        let frozen = scene.tufpip(&["freeze", "-r", "requirements.txt"]).run();
        expect_harmless("freeze -r", &format!("{}{}", frozen.stdout, frozen.stderr).replace(SECRET, ""));
        let first = line.lines().next().unwrap_or_default();
        harmless(&scene, &["install", "-v", "--retries", "0", "--dry-run", "--", first]);
        if first.starts_with('-') {
            harmless(&scene, &[&["install", "--dry-run", "app"][..], &first.split(' ').collect::<Vec<_>>()].concat());
        }
    }
    for file in [
        format!("[dependency-groups]\nall = [\"{}\"]", hostile.replace(['\u{1b}', '\u{7}'], "")),
        format!("[dependency-groups]\nall = [\"app @ {url}a-1-py3-none-any.whl\"]"),
        hostile.clone(),
    ] {
        scene.environment.write("pyproject.toml", file);
        harmless(&scene, &["install", "-v", "--retries", "0", "--dry-run", "--group", "all"]);
        harmless(&scene, &["install", "--dry-run", "--group", &hostile]);
    }
    for setting in [
        format!("index-url = {hostile}"),
        format!("index-url = {url}simple"),
        format!("index-url = me:{SECRET}@127.0.0.1:1"),
        format!("extra-index-url = {url}simple"),
        format!("find-links = {url}{hostile}"),
        format!("proxy = {url}{hostile}"),
        format!("proxy = me:{SECRET}@127.0.0.1:1"),
        format!("proxy = socks9://me:{SECRET}@127.0.0.1:1"),
        format!("retries = {hostile}"),
        format!("timeout = {hostile}"),
        format!("cert = {hostile}"),
        format!("log = {hostile}/x"),
        format!("progress-bar = {hostile}"),
        format!("no-binary = {hostile}"),
        format!("{hostile} = {hostile}"),
        format!("uploaded-prior-to = {hostile}"),
        format!("trusted-host = {hostile}"),
        hostile.clone(),
    ] {
        let file = scene.environment.write("pip.conf", format!("[global]\nretries = 0\n{setting}\n"));
        for words in [&["install", "--dry-run", "-vv", "app"][..], &["list", "--outdated", "-v"]] {
            let command =
                scene.tufpip(words).env("PIP_CONFIG_FILE", &file).env_remove("PIP_INDEX_URL").env_remove("NO_PROXY");
            checked(&scene, command);
        }
    }
}

#[test]
fn passwords_of_configured_places() {
    let wheel = Wheel::new("app", "1.0").build();
    let scene = Scene::new(Index::new().add(wheel));
    let with_password = |path: &str| scene.server.url_with_credentials("me", SECRET, path);
    let (simple, file) = (with_password("/simple/"), with_password("/files/app-1.0-py3-none-any.whl"));
    for words in [
        &["install", "-vv", "-i", &simple, "app"][..],
        &["install", "-vv", "-i", &simple, "absent"],
        &["install", "-vv", "--force-reinstall", "--extra-index-url", &simple, "app"],
        &["install", "-vv", "--force-reinstall", &file],
        &["install", "-vv", &file],
        &["install", "-vv", &format!("app @ {file}")],
        &["install", "-vv", "--dry-run", "--ignore-installed", "--report", "-", &file],
        &["install", "-vv", "--no-index", "--find-links", &simple, "absent"],
        &["install", "-vv", &file, "app>1"],
        &["install", "-vv", &file, &with_password("/files/../files/app-1.0-py3-none-any.whl?x")],
        &["download", "-vv", "-i", &simple, "app"],
        &["list", "--outdated", "-vv", "-i", &simple],
        &["why-trust", "-vv", "-i", &simple, "app"],
        &["trust", "add", "--yes", "-vv", &simple],
        &["trust", "show", "-v", &simple],
        &["trust", "remove", "-v", &simple],
        &["freeze", "--all"],
        &["show", "-vf", "app"],
        &["repo", "init", "--base", &simple],
        &["repo", "verify", &simple],
        &["repo", "mirror", "--from", &simple, "app"],
    ] {
        harmless(&scene, words);
    }
    for (variable, value) in [
        ("PIP_INDEX_URL", simple.as_str()),
        ("PIP_EXTRA_INDEX_URL", &simple),
        ("PIP_FIND_LINKS", &simple),
        ("PIP_INDEX_URL", &format!("me:{SECRET}@127.0.0.1:1/simple")),
        ("PIP_PROXY", &format!("http://me:{SECRET}@127.0.0.1:1")),
        ("PIP_PROXY", &format!("me:{SECRET}@127.0.0.1:1")),
        ("PIP_PROXY", &format!("ftp://me:{SECRET}@127.0.0.1:1")),
        ("HTTP_PROXY", &format!("http://me:{SECRET}@127.0.0.1:1")),
        ("ALL_PROXY", &format!("http://me:{SECRET}@[")),
    ] {
        let words = ["install", "-vv", "--retries", "0", "--force-reinstall", "app"];
        checked(&scene, scene.tufpip(&words).env_remove("NO_PROXY").env(variable, value));
    }
}

#[test]
fn signed_metadata() {
    for role in ["red\u{1b}[31m", "a\u{202e}b", "a\u{200b}", "a\u{e0041}", "a\u{9b}2J", "a\nFORGED", "a\u{2028}b"] {
        let scene = SignedScene::of(SignedIndex::new(index()).claim(role, &["*", "*/*", "*/*/*"], true));
        let url = scene.server.index_url();
        harmless(&scene, &["install", "-vv", "app"]);
        harmless(&scene, &["why-trust", "-v", "app"]);
        harmless(&scene, &["trust", "show", "-v", &url]);
        harmless(&scene, &["trust", "list", "-v"]);
        harmless(&scene, &["trust", "log", "-v", &url]);
        harmless(&scene, &["repo", "verify", "-v", &url]);
        let verified = harmless(&scene, &["repo", "verify", "--json", &url]);
        if !verified.stdout.is_empty() {
            let _: Value = serde_json::from_str(&verified.stdout).unwrap();
        }
    }
    for changed in [
        format!("{{\"signed\": {{\"_type\": \"{HOSTILE}\"}}, \"signatures\": []}}"),
        HOSTILE.to_owned(),
        json!({"signed": {"_type": hostile(), "expires": hostile(), "version": hostile()}, "signatures": [{"keyid": hostile(), "sig": hostile()}]})
            .to_string(),
    ] {
        let scene = SignedScene::signed();
        scene.server.replace("/tuf/timestamp.json", changed.as_bytes());
        harmless(&scene, &["install", "-vv", "app"]);
        harmless(&scene, &["trust", "show", "-v", &scene.server.index_url()]);
    }
}
