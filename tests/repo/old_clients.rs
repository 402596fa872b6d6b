//! What people who trusted the index long ago see of everything that changes behind it: nothing, or what to do.

use std::fs;
use std::time::Duration;

use testkit::{Outcome, Wheel};

use crate::repo::operator::{Operator, PASSPHRASE};
use crate::repo::serving::Serving;

/// An index that is served, and somebody who trusts it and remembers what was seen.
struct Scene {
    operator: Operator,
    serving: Serving,
    user: Operator,
}

impl Scene {
    fn new(options: &[&str]) -> Self {
        let operator = Operator::new();
        operator.does(&[&["init", "--base", "https://pkgs.example.org/"], options].concat());
        let serving = Serving::start(&operator.environment, &operator.path("."));
        let user = Operator::new();
        operator.gives("root.json", &user, "root.json");
        user.tufpip(&["trust", "add", &serving.index_url(), "--root", "root.json"]).run().expect_code(0);
        let scene = Self { operator, serving, user };
        scene.releases("1.0");
        scene.user_gets("1.0");
        scene
    }

    fn releases(&self, version: &str) {
        let wheel = Wheel::new("app", version).build();
        self.operator.environment.write(&wheel.filename, &wheel.bytes);
        self.operator.does(&["add", &wheel.filename]);
        self.operator.does(&["publish"]);
    }

    fn user_asks(&self) -> Outcome {
        let index = self.serving.index_url();
        let _ = fs::remove_dir_all(self.user.path("site"));
        self.user.tufpip(&["install", "--require-signed", "--target", "site", "-i", &index, "app"]).run()
    }

    /// The user who has been here before, and one who has only the first root, get this version.
    #[track_caller]
    fn user_gets(&self, version: &str) {
        self.user_asks().expect_code(0).expect_stderr(&["Verified   1 file against"]);
        assert!(self.user.path(&format!("site/app-{version}.dist-info")).is_dir(), "not version {version}");
        self.operator.does(&["verify", "--files", "--min-days", "0"]);
    }

    fn roots(&self) -> usize {
        let names = fs::read_dir(self.operator.path("public/tuf")).unwrap();
        names.filter(|name| name.as_ref().unwrap().file_name().to_string_lossy().ends_with(".root.json")).count()
    }
}

#[test]
fn every_key_is_replaced() {
    for profile in ["small", "pep458", "rstuf"] {
        let scene = Scene::new(&["--profile", profile, "--bins", "4"]);
        let operator = &scene.operator;
        operator.does(&["rotate-online"]);
        scene.user_gets("1.0");
        operator.does(&["key", "gen", "next", "--out", "keys"]);
        let root_edit = ["root", "edit", "--add-key", "keys/next.pub", "--remove-key", "root"];
        operator.does(&root_edit);
        operator.does(&["root", "sign", "--yes"]);
        operator.does(&["root", "finalize"]);
        scene.user_gets("1.0");
        if profile != "rstuf" {
            operator.does(&["root", "edit", "--role", "targets", "--add-key", "keys/next.pub", "--remove-key", "root"]);
            operator.does(&["root", "sign", "--yes"]);
            operator.does(&["root", "finalize"]);
            scene.user_gets("1.0");
        }
        // The first key is of no use to anybody any more.
        fs::remove_file(operator.path("keys/root.pem")).unwrap();
        scene.releases("2.0");
        scene.user_gets("2.0");
        assert!(scene.roots() >= 3);
    }
}

#[test]
fn the_online_key_is_lost() {
    let scene = Scene::new(&["--profile", "pep458", "--bins", "4"]);
    fs::remove_file(scene.operator.path("keys/online.pem")).unwrap();
    scene.operator.repo(&["publish"]).expect_code(1).expect_stderr(&["rotate-online"]);
    scene.operator.does(&["rotate-online"]);
    scene.user_gets("1.0");
    scene.releases("2.0");
    scene.user_gets("2.0");
}

/// The thief signs a bin, a snapshot and a timestamp with versions that no honest one will ever reach.
#[test]
fn the_online_key_is_stolen() {
    let scene = Scene::new(&["--profile", "pep458", "--bins", "4"]);
    let operator = &scene.operator;
    let honest = operator.path("honest");
    copy(&operator.path("public"), &honest);
    let thief = Operator::new();
    copy(&operator.path("."), &thief.path("."));
    thief.does(&["rotate-online", "--dry-run"]);
    let evil = Wheel::new("app", "6.6.6").build();
    thief.environment.write(&evil.filename, &evil.bytes);
    thief.does(&["add", &evil.filename]);
    thief.does(&["publish"]);
    for _ in 0..5 {
        thief.does(&["refresh"]);
    }
    // What the minimum of PEP 458 cannot prevent.
    copy(&thief.path("public"), &operator.path("public"));
    scene.user_asks().expect_code(0);
    assert!(scene.user.path("site/app-6.6.6.dist-info").is_dir());

    // Back to what is known to be good, and another key.
    fs::remove_dir_all(operator.path("public")).unwrap();
    copy(&honest, &operator.path("public"));
    scene.user_asks().expect_code(10);
    operator.does(&["rotate-online"]);
    scene.user_gets("1.0");
    // What the thief can still sign counts for nothing, not even from a cache.
    let now = fs::read(operator.path("public/tuf/timestamp.json")).unwrap();
    fs::copy(thief.path("public/tuf/timestamp.json"), operator.path("public/tuf/timestamp.json")).unwrap();
    scene.user_asks().expect_code(10);
    fs::write(operator.path("public/tuf/timestamp.json"), now).unwrap();
    scene.releases("2.0");
    scene.user_gets("2.0");
}

/// Without a backup to go back to: the new key never vouches for what the thief has published.
#[test]
fn what_the_thief_published_is_not_signed_by_the_new_key() {
    let scene = Scene::new(&["--profile", "small"]);
    let operator = &scene.operator;
    let evil = Wheel::new("app", "6.6.6").build();
    operator.environment.write(&evil.filename, &evil.bytes);
    operator.does(&["add", &evil.filename]);
    operator.does(&["publish"]);
    scene.user_gets("6.6.6");
    operator.does(&["remove", "app==6.6.6", "--yes"]);
    fs::remove_file(operator.path("keys/online.pem")).unwrap();
    let said = operator.says(&["rotate-online"]);
    scene.user_gets("1.0");
    let key = said["key"].as_str().unwrap();
    let names = fs::read_dir(operator.path("public/tuf")).unwrap();
    let signed: Vec<String> = names.map(|name| fs::read_to_string(name.unwrap().path()).unwrap()).collect();
    assert!(signed.iter().any(|text| text.contains("6.6.6")), "the thief left nothing");
    assert!(!signed.iter().any(|text| text.contains(&format!("\"keyid\":\"{key}\"")) && text.contains("6.6.6")));
}

#[test]
fn the_number_of_bins_changes() {
    let scene = Scene::new(&["--profile", "small"]);
    for (bins, version) in [("4", "2.0"), ("64", "3.0"), ("8", "4.0")] {
        scene.operator.does(&["root", "edit", "--bins", bins]);
        scene.operator.does(&["root", "sign", "--yes"]);
        scene.operator.does(&["root", "finalize"]);
        scene.user_gets(&scene.newest());
        scene.releases(version);
        scene.user_gets(version);
    }
    let decided = String::from_utf8(scene.operator.read("repo.toml")).unwrap();
    assert!(decided.contains("profile = \"pep458\"") && decided.contains("\nbins = 8\n"), "{decided}");
    assert!(decided.contains("\nbins = 30\n"), "the expiry of bins changed:\n{decided}");
    scene.operator.repo(&["root", "edit", "--bins", "7"]).expect_code(2);
}

/// A client with an expired root is told so; the operator signs a new one, and nobody has to do anything.
#[test]
fn the_root_expires() {
    let scene = Scene::new(&[]);
    scene.operator.does(&["root", "edit", "--expires", "8s"]);
    scene.operator.does(&["root", "sign", "--yes"]);
    scene.operator.does(&["root", "finalize"]);
    std::thread::sleep(Duration::from_secs(9));
    scene.user_asks().expect_code(11).expect_stderr(&["root", "expired"]);
    scene.operator.repo(&["verify"]).expect_code(11).expect_stderr(&["root"]);
    scene.operator.does(&["root", "edit", "--expires", "90d"]);
    scene.operator.does(&["root", "sign", "--yes"]);
    scene.operator.does(&["root", "finalize"]);
    scene.user_gets("1.0");
}

/// What a clock that is behind would sign has expired when it is read.
#[test]
fn the_clock_of_the_publisher_is_behind() {
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .map(|directory| directory.join("faketime"))
        .find(|path| path.is_file());
    let Some(faketime) = found else {
        println!("skipped: there is no faketime");
        return;
    };
    let scene = Scene::new(&[]);
    let published = scene.operator.read("public/tuf/timestamp.json");
    let refresh = ["-f", "-3d", env!("CARGO_BIN_EXE_tufpip"), "repo", "refresh"];
    let refreshed =
        scene.operator.environment.command(faketime).args(refresh).env("TUFPIP_REPO_PASSPHRASE", PASSPHRASE);
    refreshed.run().expect_code(1).expect_stderr(&["repo.clock", "was signed at"]);
    assert_eq!(scene.operator.read("public/tuf/timestamp.json"), published);
    scene.operator.does(&["refresh"]);
    scene.user_gets("1.0");
}

impl Scene {
    /// The newest version that is published.
    fn newest(&self) -> String {
        let page: serde_json::Value =
            serde_json::from_slice(&self.operator.read("public/simple/app/index.json")).unwrap();
        page["versions"].as_array().unwrap().last().unwrap().as_str().unwrap().to_owned()
    }
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            if entry.path() != to {
                copy(&entry.path(), &target);
            }
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
