//! A project that a signed index or the user's map claims, offered by other ways: by the URL of a dependency, and by other
//! spellings of the signed index's own URL.

use serde_json::json;
use testkit::{Index, ListedFile, Response, Server, SignedIndex, Wheel};

use crate::scene::{SignedScene, index, text, tufpip};

const LIBRARY: &str = "/files/library-9.0-py3-none-any.whl";

/// A server without signatures that has `library` 9.0.
fn stranger() -> Server {
    Index::new().add(Wheel::new("library", "9.0").build()).serve()
}

/// The usual index, and `needy` 1.0 in it, which depends on this.
fn needing(requirement: &str) -> SignedScene {
    SignedScene::of(SignedIndex::new(index().add(Wheel::new("needy", "1.0").requires(requirement).build())))
}

#[test]
fn a_dependency_does_not_bring_a_claimed_project_from_elsewhere() {
    let elsewhere = stranger();
    let requirement = format!("library @ {}", elsewhere.url(LIBRARY));
    let needy = Wheel::new("needy", "1.0").requires(&requirement).build();
    let scene = needing(&requirement);
    let unsigned = Index::new().add(Wheel::new("plain", "1.0").requires(&requirement).build()).serve();
    let file = scene.environment.write(&needy.filename, &needy.bytes);
    let other = Index::new().add(ListedFile::from(Wheel::new("direct", "1.0").requires(&requirement).build())).serve();
    let direct = other.url("/files/direct-1.0-py3-none-any.whl");
    let claimed = ["policy.claimed", "library is in the signed index", &requirement];
    // Of a signed package, of an unsigned one, of a file on this machine, of a URL.
    scene.refuses_and_learns(&["needy"], 12, &claimed);
    scene.refuses_and_learns(&["--extra-index-url", &unsigned.url("/simple/"), "plain"], 12, &claimed);
    scene.refuses_and_learns(&["--find-links", &unsigned.url("/find-links/"), "plain"], 12, &claimed);
    scene.refuses_and_learns(&[text(&file)], 12, &claimed);
    scene.refuses_and_learns(&[&direct], 12, &claimed);
    let download = scene.tufpip(&["download", "needy"]);
    scene.refuses_command(download, 12, &claimed);
    assert_eq!(elsewhere.log(), Vec::<String>::new(), "the file was fetched");

    // What the user writes is that file, as always.
    scene.installs(&["needy", &requirement]);
    scene.expect_installed(&["library-9.0", "needy-1.0"]);
    // It stays, and is not fetched again.
    elsewhere.forget_requests();
    std::fs::remove_dir_all(scene.environment.cache()).unwrap();
    scene.installs(&["needy"]);
    scene.installs(&["app"]);
    scene.refuses_and_learns(&["--force-reinstall", "needy"], 12, &claimed);
    assert_eq!(elsewhere.log(), Vec::<String>::new(), "the file was fetched");
    scene.expect_installed(&["app-1.0", "library-9.0", "needy-1.0"]);
    let constraints = scene.environment.write("c.txt", format!("{requirement}\n"));
    scene.installs(&["--force-reinstall", "needy", "-c", text(&constraints)]);
}

#[test]
fn a_dependency_on_what_nobody_claims_is_followed() {
    let elsewhere = Index::new().add(Wheel::new("extra", "1.0").build()).serve();
    let scene = needing(&format!("extra @ {}", elsewhere.url("/files/extra-1.0-py3-none-any.whl")));
    scene.installs(&["needy"]);
    scene.expect_installed(&["extra-1.0", "needy-1.0"]);
}

#[test]
fn nor_what_the_map_ties_to_an_index() {
    let elsewhere = Index::new().add(Wheel::new("extra", "9.0").build()).serve();
    let scene = needing(&format!("extra @ {}", elsewhere.url("/files/extra-9.0-py3-none-any.whl")));
    let map = |terminating: bool| {
        scene.map(&json!({
            "repositories": {"corp": scene.server.index_url()},
            "mapping": [{"projects": ["ex*"], "repositories": ["corp"], "terminating": terminating}],
        }));
    };
    map(true);
    scene.refuses_and_learns(&["needy"], 12, &["policy.claimed", "map.json sends extra to 'corp'"]);
    // Not even where no index is asked at all.
    let wheels = scene.environment.work().join("wheels");
    let needy = scene.server.files().remove(&scene.server.wheel_path("needy-1.0-py3-none-any.whl")).unwrap();
    scene.environment.write("wheels/needy-1.0-py3-none-any.whl", needy);
    let offline = ["--no-index", "--find-links", text(&wheels), "needy"];
    scene.refuses_and_learns(&offline, 12, &["policy.claimed"]);
    assert_eq!(elsewhere.log(), Vec::<String>::new(), "the file was fetched");
    map(false);
    scene.installs(&["needy"]);
    scene.expect_installed(&["extra-9.0", "needy-1.0"]);
}

#[test]
fn a_dependency_on_a_file_of_the_signed_index_is_verified() {
    let scene = SignedScene::signed();
    let url = scene.server.url(&scene.server.wheel_path("library-1.0-py3-none-any.whl"));
    let needy = Wheel::new("needy", "1.0").requires(&format!("library @ {url}")).build();
    let file = scene.environment.write(&needy.filename, &needy.bytes);
    // By the user, by a dependency, in another spelling.
    let odd = url.replace("/files/", "//x/..//%66iles/").replace("http:", "HTTP:");
    for words in [[url.as_str()], [text(&file)], [&format!("library @ {odd}")]] {
        let evil = Wheel::new("library", "1.0").file("evil.py", "").build();
        scene.server.replace(&scene.server.wheel_path("library-1.0-py3-none-any.whl"), evil.bytes);
        let words = [&["--force-reinstall", "--no-cache-dir"], words.as_slice()].concat();
        scene.refuses_and_learns(&words, 10, &["verify.target"]);
        scene.server.honest();
        let outcome = scene.installs(&words);
        outcome.expect_stderr(&["Verified   1 file against snapshot 1"]);
    }
    scene.installs(&["--require-signed", "--force-reinstall", &url]);
}

#[test]
fn a_dependency_names_no_file_of_this_machine() {
    let scene = SignedScene::signed();
    let extra = Wheel::new("extra", "1.0").build();
    let path = scene.environment.write(&extra.filename, &extra.bytes);
    let requirement = format!("extra @ file://{}", path.display());
    let needy = Wheel::new("needy", "1.0").requires(&requirement).build();
    let filename = needy.filename.clone();
    let unsigned = Index::new().add(needy.clone()).serve();
    let (simple, links) = (unsigned.url("/simple/"), unsigned.url("/find-links/"));
    let direct = unsigned.url(&format!("/files/{filename}"));
    let pieces = ["policy.dependency-url", "extra", "names a file of this machine"];
    scene.refuses_and_learns(&["--extra-index-url", &simple, "needy"], 12, &pieces);
    scene.refuses_and_learns(&["--find-links", &links, "needy"], 12, &pieces);
    scene.refuses_and_learns(&[&direct], 12, &pieces);
    scene.server.publish(|index| index.add(needy.clone()));
    scene.refuses_and_learns(&["needy"], 12, &pieces);
    // The user may name it, and so may a file of his on this machine, today and when it is installed.
    scene.installs(&["needy", &requirement]);
    let local = scene.environment.write(&format!("mine/{filename}"), &needy.bytes);
    let directory = local.parent().unwrap();
    for words in [&["--find-links", text(directory), "--no-index", "needy"][..], &[text(&local)]] {
        scene.installs(&[&["--force-reinstall"], words].concat());
        scene.expect_installed(&["extra-1.0", "needy-1.0"]);
    }
    std::fs::remove_file(&path).unwrap();
    scene.installs(&["needy"]);
    scene.installs(&["app"]);
}

#[test]
fn a_dependency_does_not_come_over_plain_http() {
    let scene = needing("extra @ http://pkgs.example.org/files/extra-1.0-py3-none-any.whl");
    let index = Index::new().add(Wheel::new("extra", "1.0").build());
    let proxy = Server::start(move |request| {
        let path = request.path.strip_prefix("http://pkgs.example.org").unwrap_or(&request.path).to_owned();
        index.respond(&testkit::Request { path, ..request.clone() })
    });
    let install = |words: &[&str]| {
        let command = scene.tufpip(&["install", "needy"]).args(words);
        command.env("NO_PROXY", "127.0.0.1").env("HTTP_PROXY", proxy.url(""))
    };
    scene.refuses_command(install(&[]), 12, &["policy.dependency-url", "--trusted-host pkgs.example.org"]);
    assert_eq!(proxy.log(), Vec::<String>::new());
    install(&["--trusted-host", "pkgs.example.org"]).run().expect_code(0);
    scene.expect_installed(&["extra-1.0", "needy-1.0"]);
}

/// Ways to write the URL of the page of `app` that lead around an exact comparison.
fn spellings(scene: &SignedScene) -> Vec<String> {
    let url = scene.server.url("");
    let upper = url.replace("http:", "HTTP:");
    let mut spellings: Vec<String> = [
        "/simple/app//",
        "/simple/app/index.html",
        "/simple//app",
        "/simple%2Fapp/",
        "/simple%2fapp",
        "/%73imple/app/",
        "/./x/../simple/app/",
        "/x/%2E%2e/simple/app/",
        "/x%2F..%2Fsimple%2Fapp/",
        "/simple/app/?x=y#z",
        "/simple/app/app-9.0-py3-none-any.whl",
        "/simple/a/b/c/d/app-9.0-py3-none-any.whl",
    ]
    .iter()
    .map(|path| format!("{url}{path}"))
    .collect();
    spellings.push(format!("{upper}/simple/app/"));
    spellings.push(format!("{}/simple/app/", url.replace("http://", "http://me:pw@")));
    spellings
}

#[test]
fn no_spelling_of_a_signed_index_makes_it_a_page_of_links() {
    let scene = SignedScene::signed();
    let index_url = scene.server.index_url();
    let pieces = ["policy.signed-as-links", "belongs to a signed index", &index_url];
    for spelling in spellings(&scene) {
        for more in [&["--no-index"][..], &[]] {
            scene.refuses_and_learns(&[more, &["--find-links", &spelling, "app"]].concat(), 12, &pieces);
        }
    }
    scene.expect_nothing_asked_plainly();
    scene.recovers(&["app"], &["app-1.0", "library-2.0"]);
}

#[test]
fn no_spelling_of_a_signed_index_makes_it_an_unsigned_one() {
    let scene = SignedScene::signed();
    let paths =
        ["/simple%2F", "/simple%2F%2f", "/x%2F..%2Fsimple", "/simple/app/", "/simple/%2e%2E%2Fsimple/", "/simple%5C"];
    for path in paths {
        let url = scene.server.url(path);
        for option in ["--index-url", "--extra-index-url"] {
            scene.refuses_and_learns(
                &[option, &url, "app"],
                12,
                &["policy.signed-as-links", &scene.server.index_url()],
            );
        }
    }
    scene.expect_nothing_asked_plainly();
    // Beside it there may be others.
    let scene = SignedScene::signed();
    scene.server.intercept(|request| {
        request.path.starts_with("/simpler/").then(|| {
            let path = request.path.replace("/simpler/", "/simple/");
            let other = Index::new().add(Wheel::new("tool", "1.0").build());
            other.respond(&testkit::Request { path, ..request.clone() })
        })
    });
    let tool = Wheel::new("tool", "1.0").build();
    scene.server.replace("/files/tool-1.0-py3-none-any.whl", tool.bytes);
    scene.installs(&["--extra-index-url", &scene.server.url("/simpler/"), "tool"]);
}

#[test]
fn a_file_below_a_signed_index_is_not_taken_by_its_url() {
    let scene = SignedScene::signed();
    let evil = Wheel::new("app", "9.0").build();
    let sha256 = evil.sha256();
    scene.server.replace("/simple/app/app-9.0-py3-none-any.whl", evil.bytes);
    let url = scene.server.url("/simple/app/app-9.0-py3-none-any.whl");
    let odd = scene.server.url("/simple%2Fapp//app-9.0-py3-none-any.whl");
    for url in [&url, &odd] {
        scene.refuses_and_learns(&[url], 12, &["policy.signed-as-links"]);
        scene.refuses_and_learns(&["--no-index", &format!("app @ {url}")], 12, &["policy.signed-as-links"]);
    }
    // With a hash it is what the user says.
    scene.installs(&["--no-deps", &format!("{url}#sha256={sha256}")]);
}

#[test]
fn neither_links_nor_redirects_lead_into_a_signed_index() {
    let scene = SignedScene::signed();
    let evil = Wheel::new("tool", "9.0").build();
    scene.server.replace("/simple/tool/tool-9.0-py3-none-any.whl", evil.bytes.clone());
    let target = scene.server.url("/simple/tool/tool-9.0-py3-none-any.whl");
    let pieces = ["policy.signed-as-links"];
    // A page of another index that links to it.
    let linking = Index::new().add(ListedFile::from(evil.clone()).raw_link(&target)).serve();
    scene.refuses_and_learns(&["--extra-index-url", &linking.url("/simple/"), "tool"], 12, &pieces);
    scene.refuses_and_learns(&["--find-links", &linking.url("/find-links/"), "tool"], 12, &pieces);
    // A page that is somewhere else now, and a file.
    let origin = scene.server.url("");
    let moved = Server::start(move |request| Response::redirect(302, &format!("{origin}{}", request.path)));
    let moved_index = moved.url("/simple/");
    scene.refuses_and_learns(&["--index-url", &moved_index, "app"], 12, &pieces);
    scene.refuses_and_learns(&["--no-index", "--find-links", &moved.url("/simple/app/"), "app"], 12, &pieces);
    scene.refuses_and_learns(&[&moved.url("/simple/tool/tool-9.0-py3-none-any.whl")], 12, &pieces);
    // Who may be unsigned may.
    let command = tufpip(&scene.environment).args(["install", "--index-url", &linking.url("/simple/"), "tool"]);
    command.args(["--allow-unsigned", "tool"]).run().expect_code(0);
    scene.recovers(&["app"], &["app-1.0", "library-2.0", "tool-9.0"]);
}
