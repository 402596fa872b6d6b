//! A server sends a requirements or constraints file, and wants more than to ask for packages.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use testkit::{Index, Request, Response, Server, SignedIndex, Wheel};

use crate::scene::{Scene, SignedScene, index, text};

/// `app` needs `library`; a server that sends texts and has these and other files.
struct World {
    scene: Scene<Server>,
    texts: Arc<Mutex<BTreeMap<String, String>>>,
}

impl World {
    fn new() -> Self {
        let texts: Arc<Mutex<BTreeMap<String, String>>> = Arc::default();
        let index = Index::new().add(Wheel::new("app", "1.0").build()).add(Wheel::new("library", "2.0").build());
        let answers = Arc::clone(&texts);
        let server = Server::start(move |request: &Request| match answers.lock().unwrap().get(&request.path) {
            Some(text) => match text.strip_prefix("REDIRECT ") {
                Some(target) => Response::redirect(302, target),
                None => Response::ok("text/plain", text.clone()),
            },
            None => index.respond(request),
        });
        Self { scene: Scene::served(server), texts }
    }

    /// The URL of a text that the server sends from now on.
    fn sends(&self, path: &str, text: &str) -> String {
        self.texts.lock().unwrap().insert(path.to_owned(), text.to_owned());
        self.scene.server.url(path)
    }
}

/// A server nobody asked for anything.
fn stranger() -> Server {
    Index::new().add(Wheel::new("app", "9.0").build()).serve()
}

#[test]
fn a_requirements_file_from_a_server_asks_for_packages() {
    let world = World::new();
    world.sends("/d/more.txt", "library==2.0\n-c limits.txt\n");
    world.sends("/d/limits.txt", "library<3\n");
    let url = world.sends("/d/r.txt", "app --only-binary :all:\n--only-binary library\n-r more.txt\n");
    let local = world.scene.environment.write("local.txt", format!("-r {url}\n"));
    for file in [url.as_str(), text(&local)] {
        world.scene.installs(&["--force-reinstall", "-r", file]);
        world.scene.expect_installed(&["app-1.0", "library-2.0"]);
    }
    let constraints = world.sends("/c.txt", "app<1\n");
    world.scene.refuses(&["--force-reinstall", "app", "-c", &constraints], 1, &["app<1"]);
}

#[test]
fn and_for_nothing_else() {
    let world = World::new();
    let elsewhere = stranger();
    let (simple, links) = (elsewhere.url("/simple/"), elsewhere.url("/find-links/"));
    let wheel = world.scene.environment.write("app-9.0-py3-none-any.whl", Wheel::new("app", "9.0").build().bytes);
    let (directory, wheel) = (world.scene.environment.work(), text(&wheel).to_owned());
    let nested = elsewhere.url("/more.txt");
    for (line, code) in [
        (format!("--index-url {simple}"), "requirements.remote-option"),
        (format!("-i {simple}"), "requirements.remote-option"),
        (format!("--extra-index-url={simple}"), "requirements.remote-option"),
        (format!("--find-links {links}"), "requirements.remote-option"),
        (format!("-f {}", directory.display()), "requirements.remote-option"),
        ("--no-index".to_owned(), "requirements.remote-option"),
        ("--trusted-host pkgs.example.org".to_owned(), "requirements.remote-option"),
        ("--no-require-hashes".to_owned(), "requirements.remote-option"),
        ("--pre".to_owned(), "requirements.remote-option"),
        ("--all-releases app".to_owned(), "requirements.remote-option"),
        ("--prefer-binary".to_owned(), "requirements.remote-option"),
        ("--no-binary :all:".to_owned(), "requirements.remote-option"),
        ("--only-binary :none:".to_owned(), "requirements.remote-option"),
        ("-e .".to_owned(), "requirements.remote-option"),
        (format!("app --find-links {links}"), "requirements.remote-option"),
        ("app --config-settings a=b".to_owned(), "requirements.remote-option"),
        (format!("file://{wheel}"), "requirements.remote-path"),
        (format!("app @ file://{wheel}"), "requirements.remote-path"),
        ("app @ file:app-9.0-py3-none-any.whl".to_owned(), "requirements.remote-path"),
        (wheel.clone(), "requirements.remote-path"),
        ("./app-9.0-py3-none-any.whl".to_owned(), "requirements.remote-path"),
        ("app-9.0-py3-none-any.whl".to_owned(), "requirements.remote-path"),
        (".".to_owned(), "requirements.remote-path"),
        (format!("-r {nested}"), "requirements.remote-include"),
        (format!("-c {nested}"), "requirements.remote-include"),
        ("-r file:///etc/hostname".to_owned(), "requirements.remote-include"),
    ] {
        // In the file that the user names, and in one that it includes.
        let direct = world.sends("/r.txt", &format!("library\n\n{line}\n"));
        let outer = world.sends("/outer.txt", "-c r.txt\n");
        for (option, url) in [("-r", &direct), ("-c", &direct), ("-r", &outer)] {
            // What the user chose is not taken back.
            let chosen = ["--only-binary", "app", option, url, "app"];
            world.scene.refuses(&chosen, 12, &[code, &format!("line 3 of {direct}")]);
        }
        let local = world.scene.environment.write("local.txt", format!("-r {direct}\n"));
        world.scene.refuses(&["--only-binary", "app", "-r", text(&local)], 12, &[code, "line 3 of"]);
        // The user's own file may say all of this.
        if line.starts_with("--find-links") || line.starts_with("app @ file:///") || line.starts_with("--pre") {
            let own = world.scene.environment.write("own.txt", format!("{line}\napp\n"));
            world.scene.installs(&["--force-reinstall", "-r", text(&own)]);
        }
    }
    assert_eq!(elsewhere.requests_for("/more.txt").len(), 0);
}

#[test]
fn variables_stay_on_this_machine() {
    let world = World::new();
    let elsewhere = stranger();
    let line = format!("app @ {}\n", elsewhere.url("/${SECRET}/app-9.0-py3-none-any.whl"));
    let url = world.sends("/r.txt", &line);
    world.sends("/nested.txt", "-r /${SECRET}.txt\n");
    let command = |file: &str| world.scene.tufpip(&["install", "--retries", "0", "-r", file]).env("SECRET", "t0ken");
    world.scene.refuses_command(command(&url), 1, &["net.not-found"]);
    world.scene.refuses_command(command(&world.scene.server.url("/nested.txt")), 1, &["net.not-found"]);
    for line in elsewhere.log().into_iter().chain(world.scene.server.log()) {
        assert!(!line.contains("t0ken"), "{line}");
    }
    assert_eq!(elsewhere.log(), ["GET /$%7BSECRET%7D/app-9.0-py3-none-any.whl"]);
    // The user's own file is expanded.
    let own = world.scene.environment.write("own.txt", "${SECRET}==1.0\n");
    world.scene.tufpip(&["install", "-r", text(&own)]).env("SECRET", "nobody").run().expect_code(1);
    world.scene.tufpip(&["install", "-r", text(&own)]).env("SECRET", "app").run().expect_code(0);
}

#[test]
fn hashes_from_a_server_are_checked_and_vouch_for_nothing() {
    let (tool, other) = (Wheel::new("tool", "1.0").build(), Wheel::new("tool", "1.0").file("evil.py", "").build());
    let sha256 = tool.sha256();
    let files = Index::new().add(tool).serve();
    let right = format!("tool==1.0 --hash=sha256:{sha256}\n");
    let wrong = format!("tool==1.0 --hash=sha256:{}\n", other.sha256());
    let texts = Server::start(move |request| {
        let text = if request.path == "/right.txt" { &right } else { &wrong };
        Response::ok("text/plain", text.clone())
    });
    let scene = SignedScene::of(SignedIndex::new(index()));
    let extra = files.url("/simple/");
    let with_tool = ["--extra-index-url", &extra, "-r"];
    let (right, wrong) = (texts.url("/right.txt"), texts.url("/wrong.txt"));
    scene.refuses_and_learns(&[&with_tool[..], &[&wrong]].concat(), 10, &["verify.hash-mismatch"]);
    // They switch hash mode on for everything.
    scene.refuses_and_learns(&[&with_tool[..], &[&right, "app==1.0"]].concat(), 12, &["policy.require-hashes"]);
    // A signature would be needed, and the server's hash is none.
    let url = files.url("/files/tool-1.0-py3-none-any.whl");
    for line in [format!("tool @ {url}#sha256={sha256}"), format!("tool @ {url} --hash=sha256:{sha256}")] {
        let own = scene.environment.write("own.txt", &line);
        let server = Server::start(move |_| Response::ok("text/plain", line.clone()));
        let words = ["--require-signed", "-r", &server.url("/r.txt")];
        scene.refuses_and_learns(&words, 12, &["policy.require-signed"]);
        // The same words of the user's own do vouch.
        scene.installs(&["--require-signed", "-r", text(&own)]);
        scene.tufpip(&["uninstall", "-y", "tool"]).run().expect_code(0);
    }

    let outcome = scene.installs(&[&["--require-hashes"], &with_tool[..], &[&right]].concat());
    scene.expect_installed(&["tool-1.0"]);
    outcome.expect_stderr(&["Unverified 1 file"]);
}

#[test]
fn a_url_from_a_server_does_not_override_a_signed_index() {
    let evil = Wheel::new("library", "9.0").build();
    let elsewhere = Index::new().add(evil).serve();
    let line = format!("library @ {}\n", elsewhere.url("/files/library-9.0-py3-none-any.whl"));
    let texts = Server::start(move |_| Response::ok("text/plain", line.clone()));
    let scene = SignedScene::signed();
    for option in ["-r", "-c"] {
        scene.refuses_and_learns(&[option, &texts.url("/r.txt"), "library"], 12, &["policy.claimed", "library"]);
    }
    assert_eq!(elsewhere.log(), Vec::<String>::new());
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}

#[test]
fn texts_do_not_come_over_plain_http() {
    let world = World::new();
    let server = Server::start(|_| Response::ok("text/plain", "app\n"));
    let proxied = |words: &[&str]| {
        let command = world.scene.tufpip(&["install", "--retries", "0"]).args(words);
        command.env_remove("NO_PROXY").env("HTTP_PROXY", server.url(""))
    };
    // The index is found without a proxy.
    let found = |words: &[&str]| proxied(words).env("NO_PROXY", "127.0.0.1");
    let url = "http://pkgs.example.org/r.txt";
    let local = world.scene.environment.write("local.txt", format!("\n-r {url}\n"));
    for (words, place) in [
        (["-r", url], "-r http://pkgs.example.org/r.txt".to_owned()),
        (["-c", url], "-c http://pkgs.example.org/r.txt".to_owned()),
        (["-r", text(&local)], format!("line 2 of {}", local.display())),
    ] {
        world.scene.refuses_command(found(&words).arg("app"), 12, &["requirements.insecure", &place]);
    }
    // Nor by a redirect.
    let moved = world.sends("/moved.txt", &format!("REDIRECT {url}"));
    world.scene.refuses_command(found(&["-r", &moved]), 10, &["net.unsafe-redirect"]);
    assert_eq!(server.log(), Vec::<String>::new());
    found(&["--trusted-host", "pkgs.example.org", "-r", url]).run().expect_code(0);
    world.scene.expect_installed(&["app-1.0"]);
    let trusting =
        world.scene.environment.write("trusting.txt", format!("--trusted-host pkgs.example.org\n-r {url}\n"));
    found(&["--force-reinstall", "-r", text(&trusting)]).run().expect_code(0);
}
