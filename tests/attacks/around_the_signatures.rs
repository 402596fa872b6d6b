//! Ways around the signatures rather than against them: what comes in beside a signed index, what stands in its place, and
//! what others can write to.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use testkit::{HashName, Index, Outcome, Server, SignedIndex, Wheel};

use crate::scene::{SignedScene, index, tufpip};

/// A server without signatures that has one wheel; its address, and the wheel's SHA-256.
fn stranger(name: &str, version: &str) -> (Server, String, String) {
    let wheel = Wheel::new(name, version).build();
    let sha256 = wheel.sha256();
    let filename = wheel.filename.clone();
    let server = Index::new().add(wheel).serve();
    let url = server.url(&format!("/files/{filename}"));
    (server, url, sha256)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn let_everybody_write(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
}

/// `tufpip install` from the files of a signed index in a directory, which is trusted by its root.
fn installs_from_directory(scene: &SignedScene, arguments: &[&str]) -> Outcome {
    for (path, bytes) in scene.server.files() {
        // A server decodes what it is asked for.
        let name = percent_encoding::percent_decode_str(path.trim_start_matches('/')).decode_utf8().unwrap();
        scene.environment.write(&format!("shared/{name}"), bytes);
    }
    let root = scene.environment.write("root.json", scene.server.root());
    let index_url = format!("file://{}/shared/simple/", scene.environment.work().display());
    let add = ["trust", "add", &index_url, "--root", text(&root), "--layout", "static-1"];
    tufpip(&scene.environment).args(add).run().expect_code(0);
    scene.tufpip(&["install"]).args(arguments).env("PIP_INDEX_URL", &index_url).run().expect_code(0)
}

#[test]
fn a_hash_in_the_url_of_a_dependency_is_not_the_users() {
    let (_server, url, sha256) = stranger("extra", "1.0");
    let requirement = format!("extra @ {url}#sha256={sha256}");
    let wheels = index().add(Wheel::new("needy", "1.0").requires(&requirement).build());
    let scene = SignedScene::of(SignedIndex::new(wheels));
    scene.refuses_and_learns(&["--require-signed", "needy"], 12, &["policy.require-signed", "extra-1.0"]);
    // Who names it, with its hash, vouches for it.
    scene.installs(&["--require-signed", "needy", &requirement]);
    scene.expect_installed(&["extra-1.0", "needy-1.0"]);
}

#[test]
fn a_hash_in_a_constraint_holds_for_the_url_it_stands_behind() {
    let (_server, url, sha256) = stranger("extra", "1.0");
    let scene = SignedScene::signed();
    let wrong = scene.environment.write("wrong.txt", format!("extra @ {url}#sha256={}\n", "0".repeat(64)));
    let right = scene.environment.write("right.txt", format!("extra @ {url}#sha256={sha256}\n"));
    let requirement = format!("extra @ {url}");
    scene.refuses_and_learns(&[&requirement, "-c", text(&wrong)], 10, &["verify.hash-mismatch"]);
    scene.installs(&["--require-signed", &requirement, "-c", text(&right)]);
    scene.expect_installed(&["extra-1.0"]);
}

#[test]
fn a_page_on_this_machine_does_not_bring_in_files_from_servers() {
    let (server, url, _) = stranger("library", "9.0");
    let scene = SignedScene::signed();
    let page = scene.environment.write("links/page.html", format!("<a href=\"{url}\">library</a>"));
    for links in [page.clone(), page.parent().unwrap().to_owned()] {
        scene.installs(&["--force-reinstall", "--find-links", text(&links), "app"]);
        scene.expect_installed(&["app-1.0", "library-2.0"]);
    }
    assert_eq!(server.log(), Vec::<String>::new());
}

#[test]
fn a_named_place_of_trust_that_is_not_there_is_not_passed_over() {
    let scene = SignedScene::signed();
    fs::rename(scene.environment.trust_store(), scene.environment.work().join("trust.d")).unwrap();
    let before = scene.environment.state();
    let run = |place: PathBuf| scene.tufpip(&["install", "app"]).env("TUFPIP_TRUST", place).run();
    run(scene.environment.work().join("trust.f")).expect_code(2).expect_stderr(&["TUFPIP_TRUST", "no directory"]);
    assert_eq!(scene.environment.state(), before);
    let outcome = run(scene.environment.work().join("trust.d")).expect_code(0);
    assert!(outcome.stderr.contains("Verified   2 files against snapshot 1"), "{}", outcome.stderr);
}

#[test]
fn a_store_of_trust_that_everybody_may_write_to_is_not_believed_to_be_empty() {
    let scene = SignedScene::signed();
    let store = scene.environment.trust_store();
    // Somebody took the index's directory away.
    fs::rename(scene.stored(""), scene.environment.work().join("taken")).unwrap();
    let_everybody_write(&store);
    scene.refuses(&["app"], 1, &["trust.store-unsafe", "everybody may write to it"]);
}

#[test]
fn a_cache_that_everybody_may_write_to_is_not_used() {
    let scene = SignedScene::signed();
    scene.installs(&["app"]);
    let cache = scene.environment.cache().join("tufpip");
    let entries = fs::read_dir(cache.join("wheels")).unwrap().flatten().map(|entry| entry.path().join("tree/app.py"));
    let planted = entries.into_iter().find(|path| path.is_file()).unwrap();
    let written = fs::metadata(&planted).unwrap();
    let (honest, time) = (fs::read(&planted).unwrap(), written.modified().unwrap());
    // Another file in the place of the unpacked one, of the same size and time.
    let evil = vec![b'#'; honest.len()];
    fs::remove_file(&planted).unwrap();
    fs::write(&planted, &evil).unwrap();
    fs::File::options().write(true).open(&planted).unwrap().set_modified(time).unwrap();
    let_everybody_write(&cache);

    let outcome = scene.installs(&["--force-reinstall", "app"]);
    assert!(outcome.stderr.contains("is not used: everybody may write to it"), "{}", outcome.stderr);
    assert_eq!(fs::read(scene.environment.site_packages().join("app.py")).unwrap(), honest);
}

/// Between the hashing of a file in a directory that others share and its unpacking it may become another one.
#[test]
fn a_signed_index_in_a_directory_is_installed_from_what_was_verified() {
    let scene = SignedScene::signed();
    let outcome = installs_from_directory(&scene, &["app"]);
    assert!(outcome.stderr.contains("Verified   2 files against snapshot 1"), "{}", outcome.stderr);
    scene.expect_installed(&["app-1.0", "library-2.0"]);
    let archives = fs::read_dir(scene.environment.cache().join("tufpip/archives")).unwrap().flatten();
    let kept = archives.map(|file| {
        let name = file.file_name().into_string().unwrap();
        assert_eq!(HashName::Sha256.hex(&fs::read(file.path()).unwrap()), name);
        name
    });
    assert_eq!(kept.count(), 2);
}

#[test]
fn a_role_does_not_steer_the_terminal() {
    let scene = SignedScene::of(SignedIndex::new(index()).claim("red\u{1b}[31m", &["*", "*/*", "*/*/*"], true));
    let outcome = installs_from_directory(&scene, &["-v", "app"]);
    assert!(outcome.stderr.contains("red\\u{1b}[31m"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains('\u{1b}'), "{}", outcome.stderr);
}

#[test]
fn passwords_in_rewritten_addresses_are_not_printed() {
    let scene = SignedScene::signed();
    let root = scene.environment.write("root.json", scene.server.root());
    let rule = "https://files.example.org/=https://me:secret@proxy.example.org/files/";
    let url = scene.server.index_url();
    let add = scene.tufpip(&["trust", "add", &url, "--root", text(&root), "--rewrite", rule]).run().expect_code(0);
    let show = scene.tufpip(&["trust", "show", &url]).run().expect_code(0);
    for printed in [add.stdout, show.stdout] {
        assert!(printed.contains("https://****@proxy.example.org/files/") && !printed.contains("secret"), "{printed}");
    }
}

#[test]
fn a_signed_index_is_not_read_as_a_page_of_links() {
    let scene = SignedScene::signed();
    let index_url = scene.server.index_url();
    for page in ["", "app/", "app", "app/index.html", "app/?x#y"] {
        let links = format!("{index_url}{page}").replace("http:", "HTTP:");
        scene.refuses(&["--no-index", "--find-links", &links, "app"], 12, &["policy.signed-as-links", &index_url]);
    }
    assert_eq!(scene.server.log(), Vec::<String>::new());
}
