//! What operators get wrong, and how they find out before harm is done.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::thread;
use std::time::Duration;

use testkit::{S3Server, Wheel, tree};

use crate::repo::operator::{Operator, PASSPHRASE};

const BASE: [&str; 2] = ["--base", "https://pkgs.example.org/"];

fn begins(operator: &Operator, options: &[&str]) {
    operator.does(&[&["init", "--repo", "index"], &BASE[..], options].concat());
}

#[test]
fn keys_are_never_made_where_they_would_be_published() {
    let operator = Operator::new();
    fs::create_dir(operator.path("real")).unwrap();
    std::os::unix::fs::symlink("real", operator.path("index")).unwrap();
    let before = tree(&operator.environment.work());
    let (around, real) = (operator.path("").display().to_string(), operator.path("real").display().to_string());
    let url = format!("file://{real}");
    for output in [".", "keys", "keys/below", "staged", "new/../keys", "..", &around, &real, &url] {
        let options = ["init", "--repo", "index", BASE[0], BASE[1], "--output", output];
        operator.repo(&options).expect_code(2).expect_stderr(&["private keys", "repo.config"]);
        assert_eq!(tree(&operator.environment.work()), before, "{output}");
    }
    begins(&operator, &[]);
    let decided = String::from_utf8(operator.read("index/repo.toml")).unwrap();
    operator.environment.write("index/repo.toml", decided.replace("\"public\"", "\".\""));
    operator.repo(&["publish", "--repo", "index"]).expect_code(2).expect_stderr(&["private keys"]);
}

#[test]
fn a_place_that_cannot_be_used_is_noticed_before_keys_are_made() {
    let store = S3Server::start("bucket");
    let operator = Operator::new();
    let init = |output: &str, variables: &[(&str, &str)]| {
        let arguments = ["repo", "init", "--repo", "index", BASE[0], BASE[1], "--output", output];
        let mut command = operator.tufpip(&arguments).env("TUFPIP_REPO_PASSPHRASE", PASSPHRASE);
        for (name, value) in variables {
            command = command.env(name, value);
        }
        command.run()
    };
    operator.environment.write("file", "not a directory");
    let file = operator.path("file").display().to_string();
    let keys = [("AWS_ACCESS_KEY_ID", "writer"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    let plain = [keys[0], keys[1], ("AWS_ENDPOINT_URL", "http://127.0.0.1:9")];
    for (output, variables, code, pieces) in [
        ("s3:/packages", &keys[..], 2, &["s3:/packages", "s3://BUCKET"][..]),
        ("gs://packages", &keys, 2, &["gs://packages", "s3://BUCKET"]),
        ("https://pkgs.example.org/", &[], 2, &["s3://BUCKET"]),
        ("s3://packages", &[], 2, &["AWS_ACCESS_KEY_ID is not set"]),
        ("s3://packages", &keys[..1], 2, &["AWS_SECRET_ACCESS_KEY is not set"]),
        ("s3://packages", &plain, 2, &["plain http", "AWS_ALLOW_HTTP=true"]),
        (&file, &[], 1, &["repo.storage"]),
    ] {
        init(output, variables).expect_code(code).expect_stderr(pieces);
        assert_eq!(tree(&operator.environment.work()).len(), 1, "{output} {variables:?}");
    }
    // Another index is there already.
    let variables = store.environment();
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    init(&store.location(), &variables).expect_code(0);
    fs::remove_dir_all(operator.path("index")).unwrap();
    init(&store.location(), &variables).expect_code(1).expect_stderr(&["repo.published-already", "--output"]);
    assert_eq!(tree(&operator.environment.work()).len(), 1);
}

#[test]
fn what_others_may_read_follows_from_the_umask() {
    let operator = Operator::new();
    let mode = |path: &str| fs::metadata(operator.path(path)).unwrap().permissions().mode() & 0o777;
    operator.environment.write("yardstick", "");
    operator.does(&["key", "gen", "ann", "--out", "people"]);
    fs::create_dir(operator.path("stick")).unwrap();
    fs::rename(operator.path("people/ann.pem"), operator.path("stick/ann.pem")).unwrap();
    begins(&operator, &["--root-key", "people/ann.pub"]);
    assert_eq!(mode("index/staged/metadata/1.root.json"), mode("yardstick"));
    operator.does(&["root", "sign", "--repo", "index", "--key", "stick/ann.pem", "--yes"]);
    operator.does(&["root", "finalize", "--repo", "index"]);
    operator.does(&["export-anchor", "--repo", "index", "-o", "root.json"]);
    for public in ["root.json", "index/root.json", "index/repo.toml", "index/public/tuf/1.root.json"] {
        assert_eq!(mode(public), mode("yardstick"), "{public}");
    }
    assert_eq!(mode("index/keys/online.pem"), 0o600);
}

#[test]
fn a_publication_says_what_it_has_done() {
    let operator = Operator::new();
    begins(&operator, &[]);
    let does = |arguments: &[&str]| operator.does(&[arguments, &["--repo", "index"]].concat()).stdout;
    for version in ["1.0", "2.0"] {
        let wheel = Wheel::new("app", version).build();
        operator.environment.write(&wheel.filename, &wheel.bytes);
        does(&["add", &wheel.filename]);
    }
    let says = |arguments: &[&str], pieces: &[&str]| {
        let said = does(arguments);
        assert!(pieces.iter().all(|piece| said.contains(piece)), "{pieces:?}: {said}");
        assert!(!said.contains("bin"), "{said}");
    };
    says(&["publish"], &["Published 2 files of 1 project", "Signed timestamp 2, snapshot 2\n"]);
    does(&["yank", "app==1.0"]);
    does(&["remove", "app==2.0"]);
    says(&["publish", "--dry-run"], &["Would remove 1 file, yank 1 file of 1 project"]);
    says(&["publish"], &["Removed 1 file, yanked 1 file of 1 project"]);
    says(&["refresh"], &["Signed timestamp 4 for snapshot 3\n"]);
    says(&["status"], &["root          1  expires in 365 days"]);
}

#[test]
fn mistakes_in_the_settings_are_named() {
    let operator = Operator::new();
    begins(&operator, &[]);
    let decided = String::from_utf8(operator.read("index/repo.toml")).unwrap();
    let edited = |from: &str, to: &str| {
        assert!(decided.contains(from), "{decided}");
        operator.environment.write("index/repo.toml", decided.replace(from, to));
    };
    edited("timestamp = 1", "timestamp = \"1d\"");
    operator.repo(&["status", "--repo", "index"]).expect_code(2).expect_stderr(&["a number of days, such as 1"]);
    edited("\"public\"", "\"elsewhere\"");
    let elsewhere = operator.path("index/elsewhere").display().to_string();
    operator.repo(&["status", "--repo", "index"]).expect_code(10).expect_stderr(&[&elsewhere, "output in repo.toml"]);
}

#[test]
fn looking_needs_no_turn_and_refreshing_waits_for_it() {
    let operator = Operator::new();
    begins(&operator, &[]);
    let lock = File::options().append(true).open(operator.path("index/.lock")).unwrap();
    lock.lock().unwrap();
    operator.does(&["status", "--repo", "index"]);
    operator.does(&["verify", "--repo", "index"]);
    let here = operator.tufpip(&["repo", "gc"]).directory(&operator.path("index")).run();
    let named = format!("Another command works on {}", operator.path("index").display());
    here.expect_code(1).expect_stderr(&[&named, "repo.busy"]);
    let waiting = thread::scope(|scope| {
        let waiting = scope.spawn(|| operator.repo(&["refresh", "--repo", "index"]));
        thread::sleep(Duration::from_secs(1));
        lock.unlock().unwrap();
        waiting.join().unwrap()
    });
    waiting.expect_code(0).expect_stderr(&["waiting for it up to 60 s"]);
}
