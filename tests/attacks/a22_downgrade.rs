//! Somebody wants a signed index to be used as an ordinary one: its metadata disappears, or its URL is spelled differently.

use std::fs;
use std::sync::Arc;

use sha2::Digest as _;
use testkit::{Outcome, Response, Server, SignedIndex, Wheel};

use crate::scene::{SignedScene, expect_no_plain_pages, index, tufpip};

const APP: &str = "app-1.0-py3-none-any.whl";

/// Everything that is the signed index's own, forged, as an ordinary index would offer it.
fn forge_plainly(scene: &SignedScene) {
    let evil = Wheel::new("app", "1.0").file("app/evil.py", "import this\n").build();
    let ordinary = testkit::Index::new().add(evil.clone()).add(Wheel::new("library", "2.0").build());
    scene.server.intercept(move |request| {
        let is_plain = request.path.starts_with("/simple/") && request.path.ends_with('/');
        is_plain.then(|| ordinary.respond(request))
    });
    scene.server.replace(&scene.server.wheel_path(APP), evil.bytes);
}

#[test]
fn no_metadata_at_all() {
    for is_known in [false, true] {
        let scene = SignedScene::signed();
        if is_known {
            scene.installs(&["app"]);
        }
        for status in [404, 403, 410, 500, 503, 204] {
            forge_plainly(&scene);
            scene.server.intercept(move |request| request.path.starts_with("/tuf/").then(|| Response::new(status)));
            let code = if matches!(status, 403 | 404 | 410) { 11 } else { 13 };
            let outcome =
                scene.refuses(&["--force-reinstall", "app"], code, &["expected", "received", "code      trust."]);
            assert!(outcome.stderr.contains(&scene.server.index_url()), "{}", outcome.stderr);
            scene.expect_nothing_asked_plainly();
            scene.server.honest();
        }
        scene.recovers(&["--force-reinstall", "app"], &["app-1.0", "library-2.0"]);
    }
}

/// At the same time, because the program waits a little for what may just be being published.
#[test]
fn each_role_is_withheld() {
    std::thread::scope(|threads| {
        for role in ["timestamp", "snapshot", "targets", "index"] {
            threads.spawn(move || {
                let scene = SignedScene::signed();
                forge_plainly(&scene);
                scene.server.remove(&scene.server.role_path(role));
                scene.refuses_and_learns(&["app"], 11, &["code      trust.withheld"]);
                scene.expect_nothing_asked_plainly();
                scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
            });
        }
    });
}

#[test]
fn the_host_of_the_metadata_is_down() {
    let scene = SignedScene::signed();
    forge_plainly(&scene);
    scene.edit_trust(|trust| trust["metadata_url"] = Server::unreachable_url("/tuf/").into());
    let pieces = ["Could not fetch the signed metadata", "nothing is used unverified", "code      trust.unreachable"];
    scene.refuses(&["app"], 13, &pieces);
    scene.expect_nothing_asked_plainly();
    scene.edit_trust(|trust| trust["metadata_url"] = scene.server.metadata_url().into());
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}

/// Verification is used, and refuses what is forged: in whatever way the command came to the index.
#[track_caller]
fn is_verified(scene: &SignedScene, command: testkit::Command) {
    let before = scene.environment.state();
    forge_plainly(scene);
    let refused = command.run().expect_code(10);
    refused.expect_stderr(&["Refused app-1.0-py3-none-any.whl", "code      verify.target"]);
    assert_eq!(scene.environment.state(), before);
    scene.expect_nothing_asked_plainly();
    scene.server.honest();
}

/// The same way leads to the honest index.
#[track_caller]
fn is_verified_and_installed(scene: &SignedScene, command: testkit::Command) {
    command.run().expect_code(0).expect_stderr(&["Verified   2 files against snapshot 1 of "]);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
}

#[test]
fn the_index_by_other_spellings_of_its_url() {
    let scene = SignedScene::signed();
    let paths = [
        "/simple",
        "/simple//",
        "/simple/?a=b",
        "/simple/#c",
        "/other/../simple/",
        "/other/%2e%2E/simple/",
        "/./simple/",
    ];
    let url = scene.server.index_url();
    let mut spellings: Vec<String> = paths.iter().map(|path| scene.server.url(path)).collect();
    spellings.extend([
        url.replace("http://", "HTTP://"),
        url.replace("http://", "http://me:secret@"),
        url.replace("http://", "http://me@"),
        url.replace("127.0.0.1", "127.1"),
        url.replace("127.0.0.1", "0x7f.0.0.1"),
    ]);
    let install = |url: &str| scene.tufpip(&["install", "--force-reinstall", "--index-url", url, "app"]);
    for spelling in &spellings {
        is_verified(&scene, install(spelling));
    }
    is_verified_and_installed(&scene, install(&spellings[0]));
}

#[test]
fn the_host_in_capital_letters() {
    let scene = SignedScene::served(Arc::new(SignedIndex::new(index()).serve()));
    let named = |host: &str| scene.server.index_url().replace("127.0.0.1", host);
    // Trusted under its name instead of its address.
    let directory = scene.server.write_trust(&scene.environment.trust_store());
    let of_name = scene.environment.trust_store().join(hex::encode(sha2::Sha224::digest(named("localhost"))));
    fs::rename(directory, &of_name).unwrap();
    let trust = fs::read_to_string(of_name.join("trust.json")).unwrap();
    fs::write(of_name.join("trust.json"), trust.replace("127.0.0.1", "localhost")).unwrap();
    let url = named("LocalHost");
    let install = || plain(&scene).args(["install", "--index-url", &url, "app"]);
    is_verified(&scene, install());
    is_verified_and_installed(&scene, install());
}

#[test]
fn the_index_from_every_place_that_names_one() {
    type Naming = fn(&SignedScene, &str) -> testkit::Command;
    let namings: [Naming; 7] = [
        |scene, url| plain(scene).env("PIP_INDEX_URL", url).args(["install", "app"]),
        |scene, url| plain(scene).env("PIP_EXTRA_INDEX_URL", url).args(["install", "-i", &empty(scene), "app"]),
        |scene, url| plain(scene).args(["install", "-i", url, "app"]),
        |scene, url| plain(scene).args(["install", "-i", &empty(scene), "--extra-index-url", url, "app"]),
        |scene, url| {
            let configuration = scene.environment.write("pip.conf", format!("[global]\nindex-url = {url}\n"));
            plain(scene).env("PIP_CONFIG_FILE", configuration).args(["install", "app"])
        },
        |scene, url| {
            scene.environment.write("wanted.txt", format!("--index-url {url}\napp\n"));
            plain(scene).args(["install", "-r", "wanted.txt"])
        },
        |scene, url| {
            let text = format!("--index-url {}\n--extra-index-url {url}\napp\n", empty(scene));
            scene.environment.write("wanted.txt", text);
            plain(scene).args(["install", "-r", "wanted.txt"])
        },
    ];
    for naming in namings {
        let scene = SignedScene::signed();
        // Not the canonical spelling, as people write it.
        let url = scene.server.url("/simple");
        is_verified(&scene, naming(&scene, &url));
        is_verified_and_installed(&scene, naming(&scene, &url));
    }
}

fn plain(scene: &SignedScene) -> testkit::Command {
    tufpip(&scene.environment).env("PIP_RETRIES", "0")
}

/// An index on the disk that has nothing.
fn empty(scene: &SignedScene) -> String {
    let directory = scene.environment.work().join("nothing");
    fs::create_dir_all(&directory).unwrap();
    format!("file://{}", directory.display())
}

/// Neither the environment nor a configuration file switches verification off: they are easily changed by others.
#[test]
fn settings_that_would_switch_it_off() {
    for name in ["PIP_DISABLE_REPOSITORY_SECURITY", "TUFPIP_DISABLE_REPOSITORY_SECURITY"] {
        let scene = SignedScene::signed();
        forge_plainly(&scene);
        let before = scene.environment.state();
        let outcome = scene.tufpip(&["install", "app"]).env(name, "1").run();
        expect_nothing_forged(&scene, &outcome, &before);
        scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
    }
    let scene = SignedScene::signed();
    forge_plainly(&scene);
    let before = scene.environment.state();
    let configuration = scene.environment.write("pip.conf", "[global]\ndisable-repository-security = true\n");
    let outcome = scene.tufpip(&["install", "app"]).env("PIP_CONFIG_FILE", configuration).run();
    expect_nothing_forged(&scene, &outcome, &before);
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}

#[track_caller]
fn expect_nothing_forged(scene: &SignedScene, outcome: &Outcome, before: &[String]) {
    assert!(matches!(outcome.code, Some(2 | 10)), "{:?}\n{}", outcome.code, outcome.stderr);
    assert_eq!(scene.environment.state(), before);
    scene.expect_nothing_asked_plainly();
}

#[test]
fn redirects_to_an_ordinary_index() {
    let evil = Wheel::new("app", "1.0").file("app/evil.py", "import this\n").build();
    let elsewhere = testkit::Index::new().add(evil).add(Wheel::new("library", "2.0").build()).serve();
    let wheel = format!("/files/{APP}");
    type Place = fn(&SignedScene) -> String;
    let places: [(Place, &str, i32, &str); 4] = [
        (|_| "/tuf/timestamp.json".to_owned(), "/simple/app/", 10, "trust.malformed"),
        (|_| "/tuf/2.root.json".to_owned(), "/simple/app/", 10, "trust.malformed"),
        (|scene| scene.server.page_path("app"), "/simple/app/", 10, "verify.page"),
        (|scene| scene.server.wheel_path(APP), &wheel, 10, "verify.target"),
    ];
    for (place, target, code, piece) in places {
        let scene = SignedScene::signed();
        let target = elsewhere.url(target);
        scene.server.alter(&place(&scene), move |_| Response::redirect(302, &target));
        scene.refuses_and_learns(&["app"], code, &["expected", "received", piece]);
        scene.expect_nothing_asked_plainly();
        scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
    }
    expect_only_what_was_redirected(&elsewhere);
}

/// The page of `app` and its file: nothing else was looked for there.
#[track_caller]
fn expect_only_what_was_redirected(elsewhere: &Server) {
    let others = elsewhere.log().into_iter().filter(|line| line.contains("library"));
    assert_eq!(others.collect::<Vec<_>>(), Vec::<String>::new());
}

/// A redirect is followed where honest indexes send people, and the content is verified all the same.
#[test]
fn redirects_to_the_same_content_are_no_attack() {
    let scene = SignedScene::signed();
    let day = scene.server.day();
    let elsewhere = Server::start(move |request| day.respond(request));
    let origin = elsewhere.url("");
    scene.server.intercept(move |request| Some(Response::redirect(307, &format!("{origin}{}", request.path))));
    scene.installs(&["app"]);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
    expect_no_plain_pages(&elsewhere);
}

/// A page of links is no way around the index either.
#[test]
fn the_pages_of_the_index_as_a_place_of_links() {
    let scene = SignedScene::signed();
    let links = scene.server.url("/simple/app/");
    forge_plainly(&scene);
    scene.refuses_and_learns(
        &["--find-links", &links, "app"],
        12,
        &["belongs to a signed index", "policy.signed-as-links"],
    );
    scene.expect_nothing_asked_plainly();
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}

/// What knows that the index is signed cannot be taken away half: there has to be a decision of the user.
#[test]
fn the_root_was_removed_from_the_store() {
    let scene = SignedScene::signed();
    forge_plainly(&scene);
    let (root, away) = (scene.stored("root_history"), scene.environment.work().join("away"));
    fs::rename(&root, &away).unwrap();
    scene.refuses(&["app"], 1, &["cannot be used", "tufpip trust", "code      trust.damaged"]);
    scene.expect_nothing_asked_plainly();
    fs::rename(&away, &root).unwrap();
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}
