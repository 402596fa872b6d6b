//! Who signs: an index begins, people come and go, the online key is replaced, projects sign for themselves.

use std::fs;

use serde_json::{Value, json};
use testkit::{Wheel, tree};

use crate::repo::operator::Operator;

const BASE: [&str; 2] = ["--base", "https://pkgs.example.org/"];

impl Operator {
    /// `repo init` with these options, which must succeed.
    #[track_caller]
    fn begins(&self, options: &[&str]) -> Value {
        self.says(&[&["init"], &BASE[..], options].concat())
    }

    /// What is published must be what a client accepts from the first root on.
    #[track_caller]
    fn is_accepted(&self) {
        self.does(&["verify", "--files"]);
    }

    /// Published metadata, such as `tuf/2.root.json`.
    #[track_caller]
    fn published(&self, file: &str) -> Value {
        serde_json::from_slice(&self.read(&format!("public/{file}"))).unwrap()
    }

    fn has_published(&self, file: &str) -> bool {
        self.path(&format!("public/{file}")).exists()
    }

    /// A file that waits goes to somebody who signs it with a key, and comes back.
    #[track_caller]
    fn has_signed(&self, file: &str, person: &Operator, key: &str) {
        let staged = format!("staged/metadata/{file}");
        self.gives(&staged, person, file);
        person.does(&["root", "sign", file, "--key", key, "--yes"]);
        person.gives(file, self, &staged);
    }

    fn waiting(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("staged/metadata")).into_iter().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Adds a wheel and publishes.
    #[track_caller]
    fn releases(&self, name: &str, version: &str) -> Value {
        let wheel = Wheel::new(name, version).build();
        self.environment.write(&wheel.filename, &wheel.bytes);
        self.does(&["add", &wheel.filename]);
        self.says(&["publish"])
    }
}

/// Somebody with a key of this name, the public half of which the operator has.
fn person(name: &str, operator: &Operator) -> Operator {
    let person = Operator::new();
    person.does(&["key", "gen", name, "--out", "."]);
    person.gives(&format!("{name}.pub"), operator, &format!("{name}.pub"));
    person
}

#[test]
fn an_index_begins_at_once_where_all_keys_are() {
    for (profile, roles) in [
        ("small", &["1.targets.json", "1.index.json"][..]),
        ("pep458", &["1.targets.json", "1.bins.json", "1.bins-0.json", "1.bins-f.json"]),
        ("rstuf", &["1.targets.json", "1.bins-0.json", "1.bins-f.json"]),
    ] {
        let operator = Operator::new();
        let said = operator.begins(&["--profile", profile, "--bins", "16"]);
        assert_eq!(said["index"], json!("https://pkgs.example.org/simple/"));
        assert_eq!(said["published"]["timestamp"], json!(1));
        for file in ["1.root.json", "1.snapshot.json", "timestamp.json"].iter().chain(roles) {
            assert!(operator.has_published(&format!("tuf/{file}")), "{profile}: {file}");
        }
        assert_eq!(operator.waiting(), Vec::<String>::new());
        operator.is_accepted();
    }
}

#[test]
fn what_was_decided_is_written_down() {
    let operator = Operator::new();
    operator.begins(&["--projects", "2000", "--trust", "page", "--classic-bins", "--expiry", "timestamp=12h"]);
    let config = String::from_utf8(operator.read("repo.toml")).unwrap();
    for line in [
        "profile = \"pep458\"",
        "bins = 512",
        "trust = \"page\"",
        "bin-form = \"classic\"",
        "timestamp = 0.5",
        "root = 365",
    ] {
        assert!(config.lines().any(|found| found == line), "no `{line}` in\n{config}");
    }
    assert!(operator.has_published("tuf/1.bins-1ff.json"));
    operator.is_accepted();
}

#[test]
fn a_repository_is_not_begun_twice_or_with_nonsense() {
    let operator = Operator::new();
    operator.begins(&[]);
    let before = tree(&operator.environment.work());
    operator.repo(&[&["init"], &BASE[..]].concat()).expect_code(2).expect_stderr(&["repo.exists"]);
    assert_eq!(tree(&operator.environment.work()), before);

    let fresh = Operator::new();
    for (options, piece) in [
        (&["--base", "no url"][..], "no url"),
        (&["--base", "https://pkgs.example.org/", "--bins", "12"], "power of two"),
        (&["--base", "https://pkgs.example.org/", "--threshold", "2"], "2 of 1 key"),
        (&["--base", "https://pkgs.example.org/", "--expiry", "root"], "--expiry"),
        (&["--base", "https://pkgs.example.org/", "--root-key", "missing.pub"], "missing.pub"),
        (&["--base", "https://pkgs.example.org/simple/"], "leave simple/ out"),
        (&["--base", "https://pkgs.example.org/", "--passphrase-fd", "x"], "expected a number such as 3"),
    ] {
        let outcome = fresh.repo(&[&["init"], options].concat()).expect_stderr(&[piece]);
        assert_ne!(outcome.code, Some(0), "{options:?}");
        assert_eq!(tree(&fresh.environment.work()), Vec::<String>::new(), "{options:?}");
    }
}

#[test]
fn an_index_of_several_people_begins_when_enough_have_signed() {
    let operator = Operator::new();
    let (ann, bob) = (person("ann", &operator), person("bob", &operator));
    let said = operator.begins(&["--root-key", "ann.pub", "--root-key", "bob.pub", "--threshold", "2"]);
    assert_eq!(said["published"], Value::Null);
    assert_eq!(operator.waiting(), ["1.root.json", "1.targets.json"]);
    assert!(!operator.path("public").exists(), "something was published");

    for file in ["1.root.json", "1.targets.json"] {
        operator.has_signed(file, &ann, "ann.pem");
    }
    operator.repo(&["root", "finalize"]).expect_code(1).expect_stderr(&[
        "repo.signatures-missing",
        "1.root.json: 1 of 2 signatures for root 1: ann",
        "missing: bob",
    ]);
    assert!(!operator.has_published("tuf/timestamp.json"));
    // Bob gets both files at once: so it is known who signs targets.
    operator.gives("staged/metadata/1.root.json", &bob, "1.root.json");
    operator.gives("staged/metadata/1.targets.json", &bob, "1.targets.json");
    let said = bob.says(&["root", "sign", "1.root.json", "1.targets.json", "--key", "bob.pem", "--yes"]);
    assert_eq!(said["files"][1]["signatures"][0]["met"], json!(true), "{said}");
    bob.gives("1.root.json", &operator, "staged/metadata/1.root.json");
    bob.gives("1.targets.json", &operator, "staged/metadata/1.targets.json");
    operator.does(&["root", "finalize"]);
    assert_eq!(operator.waiting(), Vec::<String>::new());
    operator.is_accepted();
}

#[test]
fn people_come_and_go() {
    let operator = Operator::new();
    let (ann, bob) = (person("ann", &operator), person("bob", &operator));
    operator.begins(&[]);
    let edit = ["root", "edit", "--add-key", "ann.pub", "--add-key", "bob.pub", "--remove-key", "root"];
    let shown = operator.does(&[&edit[..], &["--threshold", "2", "--dry-run"]].concat());
    assert!(shown.stdout.contains("may not sign any more"), "{}", shown.stdout);
    assert_eq!(operator.waiting(), Vec::<String>::new(), "--dry-run wrote something");
    operator.does(&[&edit[..], &["--threshold", "2"]].concat());
    assert_eq!(operator.waiting(), ["2.root.json"]);

    // The one who goes has to agree; a stranger's signature is none.
    operator.has_signed("2.root.json", &ann, "ann.pem");
    operator.has_signed("2.root.json", &bob, "bob.pem");
    operator.repo(&["root", "finalize"]).expect_code(1).expect_stderr(&["0 of 1 signatures for root 1; missing: root"]);
    assert!(!operator.has_published("tuf/2.root.json"));
    let eve = person("eve", &operator);
    operator.gives("staged/metadata/2.root.json", &eve, "2.root.json");
    eve.repo(&["root", "sign", "2.root.json", "--key", "eve.pem", "--yes"])
        .expect_code(1)
        .expect_stderr(&["repo.not-a-signer", "--previous"]);
    // Where the old key is, the old root says what it is for.
    operator.gives("staged/metadata/2.root.json", &eve, "2.root.json");
    operator.gives("root.json", &eve, "old/root.json");
    operator.gives("keys/root.pem", &eve, "old/root.pem");
    operator.gives("keys/root.pub", &eve, "old/root.pub");
    eve.repo(&["root", "sign", "2.root.json", "--key", "old/root.pem", "--yes"]).expect_code(1);
    eve.does(&["root", "sign", "2.root.json", "--key", "old/root.pem", "--previous", "old/root.json", "--yes"]);
    eve.gives("2.root.json", &operator, "staged/metadata/2.root.json");
    operator.does(&["root", "finalize"]);

    let root = operator.published("tuf/2.root.json");
    assert_eq!(root["signed"]["roles"]["root"]["threshold"], json!(2));
    assert_eq!(root["signed"]["roles"]["root"]["keyids"].as_array().unwrap().len(), 2);
    operator.is_accepted();
    // Targets is still the first key's.
    operator.does(&["root", "edit", "--renew", "targets"]);
    operator.does(&["root", "sign", "--yes"]);
    operator.does(&["root", "finalize"]);
    assert!(operator.has_published("tuf/2.targets.json"));
    operator.is_accepted();
}

#[test]
fn a_file_that_was_changed_on_its_way_has_no_signatures() {
    let operator = Operator::new();
    let ann = person("ann", &operator);
    operator.begins(&[]);
    operator.does(&["root", "edit", "--add-key", "ann.pub", "--threshold", "2"]);
    operator.does(&["root", "sign", "--yes"]);
    operator.has_signed("2.root.json", &ann, "ann.pem");
    let path = "staged/metadata/2.root.json";
    let forged = String::from_utf8(operator.read(path)).unwrap().replacen("\"threshold\":2", "\"threshold\":1", 1);
    operator.environment.write(path, forged);
    let before = tree(&operator.path("public"));
    let misfit = "1 signature is there and does not fit this content: it was changed after signing";
    operator.repo(&["root", "finalize"]).expect_code(1).expect_stderr(&["0 of 1 signatures for root 1", misfit]);
    assert_eq!(tree(&operator.path("public")), before);
    let status = operator.does(&["status"]).stdout;
    for piece in ["2.root.json: 0 of 1 signatures for root 1; missing: root (", misfit] {
        assert!(status.contains(piece), "{piece} is not in\n{status}");
    }
    assert!(!status.contains("signed by"), "{status}");
    operator.repo(&["root", "sign", "--dry-run"]).expect_code(0).expect_stderr(&[misfit]);
    // A file whose name says something else than its content is refused as well.
    fs::rename(operator.path(path), operator.path("staged/metadata/7.root.json")).unwrap();
    operator.repo(&["root", "finalize"]).expect_code(1).expect_stderr(&["it has version 2"]);
}

#[test]
fn nothing_is_signed_unseen() {
    let operator = Operator::new();
    operator.begins(&[]);
    operator.does(&["root", "edit", "--renew", "all"]);
    let before = operator.read("staged/metadata/2.root.json");
    let outcome = operator.repo(&["root", "sign"]).expect_code(2).expect_stderr(&["usage.no-input"]);
    assert!(outcome.stdout.contains("2.root.json: root 2, expires in"), "{}", outcome.stdout);
    assert_eq!(operator.read("staged/metadata/2.root.json"), before);
    operator.does(&["root", "sign", "--dry-run"]);
    assert_eq!(operator.read("staged/metadata/2.root.json"), before);
    operator.repo(&["root", "edit"]).expect_code(0);
    operator.does(&["root", "sign", "--yes"]);
    operator.does(&["root", "finalize", "--dry-run"]);
    assert!(!operator.has_published("tuf/2.root.json"), "--dry-run published something");
    operator.does(&["root", "finalize"]);
    operator.repo(&["root", "finalize"]).expect_code(1).expect_stderr(&["repo.nothing-waits"]);
    operator.repo(&["root", "edit"]).expect_code(2).expect_stderr(&["repo.nothing-changes"]);
    operator.is_accepted();
}

#[test]
fn who_signs_sees_what_changes_and_whose_keys_they_are() {
    let operator = Operator::new();
    let (ann, bob) = (person("ann", &operator), person("bob", &operator));
    operator.begins(&["--root-key", "ann.pub"]);
    for file in ["1.root.json", "1.targets.json"] {
        operator.has_signed(file, &ann, "ann.pem");
    }
    operator.does(&["root", "finalize"]);
    operator.gives("root.json", &ann, "1/root.json");
    operator.does(&["root", "edit", "--add-key", "bob.pub", "--threshold", "2"]);
    operator.gives("staged/metadata/2.root.json", &ann, "2.root.json");
    let sign = ["root", "sign", "2.root.json", "--key", "ann.pem"];
    let previous = ["--previous", "1/root.json"];

    // A key that has no name here is shown with all of its id: the beginning can be made.
    let shown = bob.says(&["key", "show", "bob.pub"]);
    let bob_id = shown["keys"][0]["keyid"].as_str().unwrap().to_owned();
    assert_eq!(bob_id.len(), 64);
    let shown = ann.does(&[&sign[..], &previous, &["--dry-run"]].concat()).stdout;
    for piece in [&format!("root: {bob_id} may sign from now on"), "root: 2 must sign, instead of 1", "for root 1"] {
        assert!(shown.contains(piece), "{piece} is not in\n{shown}");
    }
    bob.gives("bob.pub", &ann, "bob.pub");
    let shown = ann.does(&[&sign[..], &previous, &["--dry-run"]].concat()).stdout;
    assert!(shown.contains("root: bob ("), "{shown}");

    // Without the root before, nothing is taken for complete.
    let blind = ann.does(&[&sign[..], &["--dry-run"]].concat());
    let warned = "the old root's own signatures cannot be counted here; give --previous root.json";
    assert!(blind.stdout.contains(warned), "{}", blind.stdout);
    // Nor is another root taken for it, or one that nobody signed.
    operator.gives("staged/metadata/2.root.json", &ann, "2/root.json");
    ann.repo(&[&sign[..], &["--yes", "--previous", "2/root.json"]].concat())
        .expect_code(1)
        .expect_stderr(&["is not signed by its own keys"]);
    let nobody_asked = ann.repo(&[&sign[..], &previous, &["--json"]].concat()).expect_code(2);
    assert!(!nobody_asked.stderr.contains("--no-input"), "{}", nobody_asked.stderr);
    ann.does(&[&sign[..], &previous, &["--yes"]].concat());
    ann.repo(&[&sign[..], &previous, &["--yes"]].concat()).expect_code(1).expect_stderr(&[
        "ann (",
        "has signed already",
        "missing: bob (",
    ]);

    // Bob has signed another copy meanwhile.
    operator.has_signed("2.root.json", &bob, "bob.pem");
    ann.gives("2.root.json", &operator, "ann/2.root.json");
    operator.does(&["root", "sign", "staged/metadata/2.root.json", "ann/2.root.json"]);
    operator.does(&["root", "finalize"]);
    operator.is_accepted();
    operator.does(&["root", "edit", "--renew", "root"]);
    operator.gives("staged/metadata/3.root.json", &ann, "3.root.json");
    ann.repo(&["root", "sign", "3.root.json", "--key", "ann.pem", "--yes", "--previous", "1/root.json"])
        .expect_code(1)
        .expect_stderr(&["--previous is root 1", "3.root.json", "root 2"]);
}

#[test]
fn what_leads_back_to_what_is_published_waits_for_nobody() {
    let operator = Operator::new();
    person("ann", &operator);
    operator.begins(&[]);
    operator.does(&["root", "edit", "--add-key", "ann.pub"]);
    let back = operator.does(&["root", "edit", "--remove-key", "ann"]);
    assert!(back.stdout.contains("This takes back what was staged; nothing waits."), "{}", back.stdout);
    assert_eq!(operator.waiting(), Vec::<String>::new());
    operator
        .repo(&["root", "edit", "--threshold", "5"])
        .expect_code(2)
        .expect_stderr(&["a threshold of 5 needs 5 keys; there is 1"]);
}

#[test]
fn one_key_is_not_two_and_the_online_key_is_nobodys() {
    let operator = Operator::new();
    person("ann", &operator);
    let key = String::from_utf8(operator.read("ann.pub")).unwrap();
    operator.environment.write("again.pub", key.replacen('{', "{\"comment\":\"again\",", 1));
    let twice =
        [&["init"], &BASE[..], &["--root-key", "ann.pub", "--root-key", "again.pub", "--threshold", "2"]].concat();
    operator.repo(&twice).expect_code(2).expect_stderr(&["--threshold 2 of 1 key cannot be"]);
    assert!(!operator.path("keys").exists());
    let operator = Operator::new();
    operator.begins(&[]);
    let edit = ["root", "edit", "--add-key", "keys/online.pub"];
    operator.does(&edit).expect_stderr(&["WARNING: The online key online (", "is a key of root too"]);
}

#[test]
fn signatures_stay_on_what_a_second_edit_does_not_touch() {
    let operator = Operator::new();
    person("ann", &operator);
    operator.begins(&["--profile", "pep458", "--bins", "2"]);
    operator.does(&["root", "edit", "--renew", "all"]);
    operator.does(&["root", "sign", "--yes"]);
    let before = (operator.read("staged/metadata/2.bins.json"), operator.read("staged/metadata/2.targets.json"));
    operator.does(&["root", "edit", "--add-key", "ann.pub"]);
    assert_eq!(operator.waiting(), ["2.bins.json", "2.root.json", "2.targets.json"]);
    let after = (operator.read("staged/metadata/2.bins.json"), operator.read("staged/metadata/2.targets.json"));
    assert!(before == after, "the signatures are gone");
    operator.repo(&["root", "finalize"]).expect_code(1).expect_stderr(&["2.root.json: 0 of 1"]);
}

#[test]
fn the_online_key_is_replaced_at_once() {
    for profile in ["small", "pep458", "rstuf"] {
        let operator = Operator::new();
        operator.begins(&["--profile", profile, "--bins", "2"]);
        operator.releases("app", "1.0");
        let old = operator.published("tuf/timestamp.json")["signatures"][0]["keyid"].clone();
        let said = operator.says(&["rotate-online"]);
        assert_eq!(operator.published("tuf/timestamp.json")["signatures"][0]["keyid"], said["key"], "{profile}");
        assert_ne!(said["key"], old, "{profile}");
        let root = operator.read("public/tuf/2.root.json");
        assert!(!String::from_utf8(root).unwrap().contains(&format!("\"{}\":", old.as_str().unwrap())), "{profile}");
        operator.is_accepted();

        // The old key is of no use any more, and the new one is enough.
        for file in ["keys/online.pem", "keys/online.pub", "keys/root.pem"] {
            fs::remove_file(operator.path(file)).unwrap();
        }
        operator.releases("app", "2.0");
        operator.is_accepted();
        fs::remove_file(operator.path("keys/online-2.pem")).unwrap();
        operator.repo(&["refresh"]).expect_code(1).expect_stderr(&["repo.no-online-key", "online-2"]);
    }
}

#[test]
fn the_online_key_is_replaced_by_people_elsewhere() {
    let operator = Operator::new();
    let ann = person("ann", &operator);
    operator.begins(&["--root-key", "ann.pub"]);
    for file in ["1.root.json", "1.targets.json"] {
        operator.has_signed(file, &ann, "ann.pem");
    }
    operator.does(&["root", "finalize"]);
    operator.does(&["rotate-online", "--new-key", "second", "--no-passphrase"]);
    assert_eq!(operator.waiting(), ["2.root.json", "2.targets.json"]);
    assert!(!operator.has_published("tuf/2.root.json"));
    // Until they have signed, everything goes on with the old key.
    operator.releases("app", "1.0");
    for file in ["2.root.json", "2.targets.json"] {
        operator.has_signed(file, &ann, "ann.pem");
    }
    operator.does(&["root", "finalize"]);
    let shown = operator.says(&["key", "show", "keys/second.pub"]);
    assert_eq!(shown["keys"][0]["roles"], json!(["timestamp", "snapshot"]));
    operator.is_accepted();
}

#[test]
fn a_project_signs_for_itself() {
    let operator = Operator::new();
    let dev = person("dev", &operator);
    operator.begins(&[]);
    operator.releases("app", "1.0");
    operator.releases("other", "1.0");
    operator.does(&["delegate", "app", "--key", "dev.pub"]);
    assert_eq!(operator.waiting(), ["1.claimed.json", "1.project-app.json", "2.targets.json"]);
    operator.does(&["sign", "--yes"]);
    // What is published already must be signed first: otherwise it could not be installed any more.
    operator.repo(&["root", "finalize"]).expect_code(1).expect_stderr(&["1.project-app.json: 0 of 1", "missing: dev"]);
    operator.has_signed("1.project-app.json", &dev, "dev.pem");
    operator.does(&["root", "finalize"]);
    assert_eq!(operator.waiting(), Vec::<String>::new());
    let app: Value = operator.published("tuf/1.project-app.json");
    assert!(
        app["signed"]["targets"].as_object().unwrap().keys().any(|path| path == "dist/app/app-1.0-py3-none-any.whl")
    );
    operator.is_accepted();

    // A release waits for the project; others do not.
    let said = operator.releases("app", "2.0");
    assert_eq!(said["waiting_for_signatures"], json!(["app"]));
    operator.releases("other", "2.0");
    assert_eq!(operator.waiting(), ["2.project-app.json"]);
    let page = operator.published("simple/app/index.json");
    assert_eq!(page["versions"], json!(["1.0"]));
    operator.is_accepted();
    // The index cannot sign in place of the project.
    operator.repo(&["sign", "--yes"]).expect_code(1).expect_stderr(&["repo.not-a-signer", "missing: dev"]);
    operator.has_signed("2.project-app.json", &dev, "dev.pem");
    operator.does(&["publish"]);
    assert_eq!(operator.published("simple/app/index.json")["versions"], json!(["1.0", "2.0"]));
    operator.is_accepted();

    // And back.
    operator.does(&["delegate", "app", "--remove"]);
    operator.does(&["sign", "--yes"]);
    operator.does(&["root", "finalize"]);
    operator.releases("app", "3.0");
    assert_eq!(operator.published("simple/app/index.json")["versions"], json!(["1.0", "2.0", "3.0"]));
    operator.is_accepted();
}

#[test]
fn a_project_cannot_sign_where_its_signature_would_not_count() {
    for options in [&["--trust", "page"][..], &["--profile", "rstuf", "--bins", "2"]] {
        let operator = Operator::new();
        person("dev", &operator);
        operator.begins(options);
        operator.repo(&["delegate", "app", "--key", "dev.pub"]).expect_code(2).expect_stderr(&["repo.ceremony"]);
        operator.repo(&["delegate", "app", "--remove"]).expect_code(2).expect_stderr(&["no keys of its own"]);
        assert_eq!(operator.waiting(), Vec::<String>::new());
    }
}

#[test]
fn a_projects_signature_is_renewed_before_it_expires() {
    let operator = Operator::new();
    let dev = person("dev", &operator);
    operator.begins(&["--expiry", "targets=20d"]);
    operator.releases("app", "1.0");
    operator.does(&["delegate", "app", "--key", "dev.pub"]);
    operator.does(&["sign", "--yes"]);
    operator.has_signed("1.project-app.json", &dev, "dev.pem");
    operator.does(&["root", "finalize"]);

    // Who lets a machine refresh the index is told in time.
    for command in ["refresh", "publish", "status"] {
        operator.does(&[command]).expect_stderr(&["project-app expires in", "targets expires in", "--renew all"]);
    }
    operator.does(&["root", "edit", "--renew", "targets"]);
    assert_eq!(operator.waiting(), ["2.claimed.json", "2.project-app.json", "3.targets.json"]);
    operator.does(&["sign", "--yes"]);
    // The index does not wait for the project, nor the project for the index.
    operator.does(&["root", "finalize"]);
    assert_eq!(operator.waiting(), ["2.project-app.json"]);
    assert!(!operator.has_published("tuf/2.project-app.json"));
    operator.has_signed("2.project-app.json", &dev, "dev.pem");
    operator.does(&["publish"]);
    let (first, second) = (operator.published("tuf/1.project-app.json"), operator.published("tuf/2.project-app.json"));
    assert_eq!(first["signed"]["targets"], second["signed"]["targets"]);
    assert_ne!(first["signed"]["expires"], second["signed"]["expires"]);
    operator.is_accepted();
}

#[test]
fn what_one_of_two_has_signed_stays_signed() {
    let operator = Operator::new();
    let (one, two) = (person("one", &operator), person("two", &operator));
    operator.begins(&[]);
    operator.releases("app", "1.0");
    operator.does(&["delegate", "app", "--key", "one.pub", "--key", "two.pub", "--threshold", "2"]);
    operator.does(&["sign", "--yes"]);
    operator.has_signed("1.project-app.json", &one, "one.pem");
    operator.has_signed("1.project-app.json", &two, "two.pem");
    operator.does(&["root", "finalize"]);
    operator.releases("app", "2.0");
    operator.has_signed("2.project-app.json", &one, "one.pem");

    operator.releases("other", "1.0");
    operator.does(&["publish"]);
    operator.has_signed("2.project-app.json", &two, "two.pem");
    operator.does(&["publish"]);
    assert_eq!(operator.published("simple/app/index.json")["versions"], json!(["1.0", "2.0"]));
    operator.is_accepted();
}

#[test]
fn what_no_people_sign_no_people_have_to_renew() {
    let operator = Operator::new();
    operator.begins(&["--profile", "rstuf", "--bins", "2", "--expiry", "targets=20d"]);
    operator.does(&["refresh"]);
    assert!(!operator.has_published("tuf/2.targets.json"));
    // Half of the time is over.
    let config = String::from_utf8(operator.read("repo.toml")).unwrap();
    operator.environment.write("repo.toml", config.replace("targets = 20", "targets = 60"));
    operator.does(&["refresh"]);
    assert!(operator.has_published("tuf/2.targets.json"));
    operator.does(&["refresh"]);
    assert!(!operator.has_published("tuf/3.targets.json"));
    operator.is_accepted();
}
