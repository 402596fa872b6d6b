//! `repo add`, `repo yank`, `repo remove`, `repo status`: what an operator wants in the index, before it is published.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use testkit::{Environment, Outcome, Sdist, Wheel, WheelFile, tree};

use crate::repo::published::Published;

/// An operator's directory, `work/repository`, in which nothing is published, and files beside it.
struct Operator {
    environment: Environment,
}

impl Operator {
    fn new() -> Self {
        let environment = Environment::without_venv();
        let config = "base = \"https://pkgs.example.org/\"\noutput = \"public\"\nprofile = \"small\"\n";
        environment.write("repository/repo.toml", config);
        Self { environment }
    }

    fn wheel(&self, wheel: &WheelFile) -> PathBuf {
        self.environment.write(&format!("dist/{}", wheel.filename), &wheel.bytes)
    }

    fn repo(&self, arguments: &[&str]) -> Outcome {
        let command = self.environment.command(env!("CARGO_BIN_EXE_tufpip")).arg("repo").args(arguments);
        command.arg("--repo").arg(self.directory()).run()
    }

    #[track_caller]
    fn says(&self, arguments: &[&str]) -> Value {
        let outcome = self.repo(&[arguments, &["--json"]].concat()).expect_code(0);
        serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}:\n{}", outcome.stdout))
    }

    fn directory(&self) -> PathBuf {
        self.environment.work().join("repository")
    }

    fn staged(&self) -> Vec<String> {
        files(&self.directory().join("staged"))
    }

    fn changes(&self) -> Vec<Value> {
        let path = self.directory().join("staged/changes.json");
        fs::read(path).map(|bytes| serde_json::from_slice(&bytes).unwrap()).unwrap_or_default()
    }
}

/// The files below a directory, as [`tree`] describes them.
fn files(directory: &Path) -> Vec<String> {
    if directory.exists() { tree(directory) } else { Vec::new() }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn names<'a>(files: &'a Value, field: &str) -> Vec<&'a str> {
    files.as_array().unwrap().iter().map(|file| file[field].as_str().unwrap()).collect()
}

#[test]
fn a_directory_of_files_is_staged() {
    let operator = Operator::new();
    let app = Wheel::new("app", "1.0").requires_python(">=3.9").build();
    let sdist = Sdist::new("app", "1.0").build();
    let original = operator.wheel(&app);
    operator.environment.write(&format!("dist/{}", sdist.filename), &sdist.bytes);
    operator.environment.write("dist/README.txt", "not a distribution");
    operator.environment.write("dist/old-1.0.zip", "not looked at");

    let outcome = operator.repo(&["add", "dist"]).expect_code(0).expect_stderr(&["old-1.0.zip is left out"]);
    assert!(outcome.stdout.contains("Staged 2 files of 1 project."), "{}", outcome.stdout);
    assert_eq!(fs::read(original).unwrap(), app.bytes, "the original is gone");

    let changes = operator.changes();
    let wheel = changes.iter().find(|change| change["file"]["filename"] == json!(app.filename)).unwrap();
    assert_eq!((&wheel["change"], &wheel["project"]), (&json!("add"), &json!("app")));
    let wheel = &wheel["file"];
    assert_eq!(wheel["hashes"]["sha256"], json!(app.sha256()));
    assert_eq!(wheel["requires-python"], json!(">=3.9"));
    let uploaded = wheel["upload-time"].as_str().unwrap();
    assert!(uploaded.len() == 20 && uploaded.ends_with('Z'), "{uploaded}");
    let path = wheel["url"].as_str().unwrap().strip_prefix("../../").unwrap();
    let staged = operator.directory().join("staged").join(path);
    assert_eq!(fs::read(&staged).unwrap(), app.bytes);
    let metadata = format!("{}.metadata", staged.display());
    assert_eq!(fs::read(metadata).unwrap(), app.metadata);
    let source = changes.iter().find(|change| change["file"]["filename"] == json!(sdist.filename)).unwrap();
    assert_eq!(source["file"].get("core-metadata"), None);
    assert_eq!(changes.len(), 2);

    let status = operator.says(&["status"]);
    assert_eq!((&status["published"], &status["orphans"]), (&Value::Null, &json!([])));
    assert_eq!(names(&status["staged"][0]["changes"], "change"), ["add", "add"]);
}

#[test]
fn one_bad_file_and_nothing_is_staged_and_every_bad_file_is_named() {
    let operator = Operator::new();
    operator.wheel(&Wheel::new("good", "1.0").build());
    operator.wheel(&Wheel::new("hostile", "1.0").file("../evil.py", "evil").build());
    operator.wheel(&Wheel::new("liar", "1.0").metadata_name("other").build());
    operator.wheel(&Wheel::new("old", "1.0").file("a.py", "1").wrong_record_hash("a.py").build());
    operator.environment.write("dist/fake-1.0.tar.gz", "no archive");
    operator.environment.write("other/broken-name.whl", "");
    let before = operator.staged();
    let dist = operator.repo(&["add", "dist", "other/broken-name.whl", "missing-1.0-py3-none-any.whl"]);
    let outcome = dist.expect_code(10).expect_stderr(&[
        "6 files cannot be added, and nothing was",
        "hostile-1.0-py3-none-any.whl",
        "wheel.entry-name",
        "liar-1.0-py3-none-any.whl",
        "old-1.0-py3-none-any.whl",
        "wheel.record",
        "fake-1.0.tar.gz",
        "broken-name.whl",
        "missing-1.0-py3-none-any.whl",
    ]);
    assert!(!outcome.stderr.contains("good-1.0"), "{}", outcome.stderr);
    assert_eq!(outcome.stdout, "");
    assert_eq!(operator.changes(), Vec::<Value>::new());
    assert_eq!(operator.staged(), before, "something was left");
    assert_eq!(operator.environment.leftovers(), Vec::<String>::new());
    assert!(!operator.environment.work().join("evil.py").exists());
}

#[test]
fn a_single_bad_file_fails_in_its_own_words() {
    let operator = Operator::new();
    let wheel = operator.wheel(&Wheel::new("app", "1.0").without_record().build());
    operator
        .repo(&["add", text(&wheel)])
        .expect_code(10)
        .expect_stderr(&["refused app-1.0-py3-none-any.whl", "wheel.record"])
        .expect_stderr(&["it was not added", "build it again"]);
    operator.repo(&["add", "nope.whl"]).expect_code(1).expect_stderr(&["nope.whl: no such file", "repo.disk"]);
    operator.environment.write("app-1.0.zip", "");
    operator.repo(&["add", "app-1.0.zip"]).expect_code(1).expect_stderr(&["have to be .tar.gz", "repo.file-name"]);
    operator.environment.write("empty/README", "");
    operator.repo(&["add", "empty"]).expect_code(1).expect_stderr(&["no wheels", "repo.nothing-to-add"]);
    fs::create_dir_all(operator.environment.work().join("app-1.0-py3-none-any.whl")).unwrap();
    operator.repo(&["add", "app-1.0-py3-none-any.whl"]).expect_code(1).expect_stderr(&["repo.nothing-to-add"]);
}

#[test]
fn a_name_stands_for_one_content() {
    let operator = Operator::new();
    let first = operator.wheel(&Wheel::new("app", "1.0").build());
    operator.repo(&["add", text(&first)]).expect_code(0);
    let before = operator.staged();
    let again = operator.says(&["add", text(&first)]);
    assert_eq!((&again["added"], &again["already_staged"]), (&json!([]), &json!(["app-1.0-py3-none-any.whl"])));
    assert_eq!(operator.staged(), before);

    let other = Wheel::new("app", "1.0").file("app.py", "other").build();
    let other = operator.environment.write(&format!("other/{}", other.filename), &other.bytes);
    operator.repo(&["add", text(&other)]).expect_code(1).expect_stderr(&["with other content", "repo.other-content"]);
    assert_eq!(operator.staged(), before);

    operator.repo(&["remove", "app==1.0"]).expect_code(0);
    operator
        .repo(&["add", text(&first), text(&other)])
        .expect_code(1)
        .expect_stderr(&["given twice", "repo.other-content"]);
    let twice = operator.says(&["add", text(&first), text(&first)]);
    assert_eq!(names(&twice["added"], "filename"), ["app-1.0-py3-none-any.whl"]);
    assert_eq!(operator.changes().len(), 1);
}

#[test]
fn the_same_content_under_another_name_is_worth_a_warning() {
    let operator = Operator::new();
    let wheel = Wheel::new("app", "1.0").build();
    operator.wheel(&wheel);
    let other = wheel.filename.replace("1.0-py3", "1.0-1-py3");
    operator.environment.write(&format!("dist/{other}"), &wheel.bytes);
    let added = operator.says(&["add", "dist"]);
    assert_eq!(names(&added["added"], "filename").len(), 2);
    assert!(added["warnings"][0].as_str().unwrap().contains("the same content"), "{added}");
}

#[test]
fn a_dry_run_leaves_nothing() {
    let operator = Operator::new();
    let wheel = operator.wheel(&Wheel::new("app", "1.0").build());
    let before = files(&operator.directory());
    let said = operator.says(&["add", text(&wheel), "--dry-run"]);
    assert_eq!((&said["dry_run"], names(&said["added"], "project")), (&json!(true), vec!["app"]));
    let lock = |line: &String| !line.contains(".lock");
    let after: Vec<String> = files(&operator.directory()).into_iter().filter(lock).collect();
    assert_eq!(after, before.into_iter().filter(lock).collect::<Vec<_>>());
    let bad = operator.wheel(&Wheel::new("bad", "1.0").without_record().build());
    operator.repo(&["add", text(&bad), "--dry-run"]).expect_code(10);
}

#[test]
fn what_is_only_staged_is_taken_back_with_its_files() {
    let operator = Operator::new();
    operator.wheel(&Wheel::new("app", "1.0").build());
    operator.wheel(&Wheel::new("app", "2.0").build());
    operator.repo(&["add", "dist"]).expect_code(0);
    operator.repo(&["yank", "app==1.0", "--reason", "wrong"]).expect_code(0);
    let removed = operator.says(&["remove", "app-1.0-py3-none-any.whl"]);
    assert_eq!(removed["files"][0]["result"], json!("taken-back"));
    let changes = operator.changes();
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(changes[0]["file"]["filename"], json!("app-2.0-py3-none-any.whl"));
    let left = operator.staged();
    assert!(!left.iter().any(|line| line.contains("app-1.0")), "{left:?}");
    assert!(left.iter().any(|line| line.contains("app-2.0-py3-none-any.whl.metadata")), "{left:?}");
    operator.repo(&["remove", "app==1.0"]).expect_code(1).expect_stderr(&[
        "app has no version 1.0",
        "2.0",
        "repo.no-such-release",
    ]);
}

#[test]
fn a_staged_file_that_was_lost_is_staged_again() {
    let operator = Operator::new();
    let wheel = operator.wheel(&Wheel::new("app", "1.0").build());
    operator.repo(&["add", text(&wheel)]).expect_code(0);
    let before = operator.staged();
    fs::remove_dir_all(operator.directory().join("staged/packages")).unwrap();
    let status = operator.says(&["status"]);
    assert!(status["warnings"][0].as_str().unwrap().contains("add it again"), "{status}");
    operator.repo(&["add", text(&wheel)]).expect_code(0);
    let names = |lines: Vec<String>| lines.into_iter().filter(|line| line.contains(".whl")).count();
    assert_eq!(names(operator.staged()), names(before));
    assert_eq!(operator.changes().len(), 1);
}

#[test]
fn what_a_killed_command_left_goes_or_is_named() {
    let operator = Operator::new();
    operator.environment.write("repository/staged/.adding-x/0", "half a wheel");
    operator.environment.write("repository/staged/packages/aa/bb/cc/app-1.0-py3-none-any.whl", "of no change");
    let status = operator.says(&["status"]);
    assert_eq!(status["orphans"], json!(["packages/aa/bb/cc/app-1.0-py3-none-any.whl"]));
    let wheel = operator.wheel(&Wheel::new("app", "1.0").build());
    operator.repo(&["add", text(&wheel)]).expect_code(0);
    assert!(!operator.directory().join("staged/.adding-x").exists());
}

#[test]
fn metadata_that_waits_for_signatures_is_named() {
    let operator = Operator::new();
    let waiting = json!({"signatures": [{"keyid": "abc", "sig": "12"}, {"keyid": "def", "sig": ""}], "signed": {}});
    operator.environment.write("repository/staged/metadata/2.root.json", waiting.to_string());
    let status = operator.says(&["status"]);
    // It is no root, so whatever is called a signature there is none.
    assert_eq!(status["waiting"][0]["file"], json!("staged/metadata/2.root.json"));
    assert_eq!(status["waiting"][0]["signatures"], json!([]));
    let outcome = operator.repo(&["status"]).expect_code(0);
    assert!(outcome.stdout.contains("is nothing that people sign"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("Waits for signatures: staged/metadata/2.root.json"), "{}", outcome.stdout);
}

#[test]
fn names_that_mean_nothing() {
    let operator = Operator::new();
    operator.repo(&["yank", "app"]).expect_code(2).expect_stderr(&["names a project", "app==1.0"]);
    operator.repo(&["yank", "app==what"]).expect_code(2).expect_stderr(&["NAME==VERSION"]);
    operator.repo(&["yank", "no/name"]).expect_code(2).expect_stderr(&["NAME==VERSION"]);
    operator.repo(&["yank", "app==1.0"]).expect_code(1).expect_stderr(&["no project app", "repo.no-such-release"]);
    operator.repo(&["remove", "app-1.0.tar.gz"]).expect_code(1).expect_stderr(&["no project app"]);
}

/// On top of `app` 1.0 and `library` 2.0, which are published.
mod on_what_is_published {
    use super::*;

    fn says(published: &Published, arguments: &[&str]) -> Value {
        let outcome = published.repo(arguments).arg("--json").run().expect_code(0);
        serde_json::from_str(&outcome.stdout).unwrap()
    }

    fn changes(published: &Published) -> Vec<Value> {
        let path = published.directory().join("staged/changes.json");
        fs::read(path).map(|bytes| serde_json::from_slice(&bytes).unwrap()).unwrap_or_default()
    }

    #[test]
    fn a_published_name_keeps_its_content() {
        let published = Published::new();
        let same = Wheel::new("app", "1.0").requires("library>=1").build();
        let same = published.environment.write(&format!("same/{}", same.filename), &same.bytes);
        let said = says(&published, &["add", text(&same)]);
        assert_eq!(said["already_published"], json!(["app-1.0-py3-none-any.whl"]));
        let other = Wheel::new("app", "1.0").build();
        let other = published.environment.write(&format!("other/{}", other.filename), &other.bytes);
        let outcome = published.repo(&["add", text(&other)]).run();
        outcome.expect_code(1).expect_stderr(&["is published already, with other content", "repo.other-content"]);
        assert_eq!(changes(&published), Vec::<Value>::new());
    }

    #[test]
    fn wishes_and_their_opposites() {
        let published = Published::new();
        let result = |arguments: &[&str]| says(&published, arguments)["files"][0]["result"].clone();
        assert_eq!(result(&["unyank", "app==1.0"]), json!("already"));
        assert_eq!(result(&["yank", "App==1.0.0", "--reason", "broken", "--dry-run"]), json!("staged"));
        assert_eq!(changes(&published), Vec::<Value>::new());
        assert_eq!(result(&["yank", "App==1.0.0", "--reason", "broken"]), json!("staged"));
        assert_eq!(result(&["yank", "app==1.0", "--reason", "broken"]), json!("already"));
        assert_eq!(result(&["yank", "app==1.0"]), json!("already"));
        assert_eq!(changes(&published)[0]["reason"], json!("broken"), "the reason was erased");
        assert_eq!(result(&["yank", "app==1.0", "--reason", "worse"]), json!("staged"));
        assert_eq!(changes(&published).len(), 1, "the first reason stayed");
        assert_eq!(changes(&published)[0]["reason"], json!("worse"));
        assert_eq!(result(&["unyank", "app-1.0-py3-none-any.whl"]), json!("taken-back"));
        assert_eq!(changes(&published), Vec::<Value>::new());
        assert_eq!(result(&["remove", "app==1.0"]), json!("staged"));
        assert_eq!(changes(&published)[0]["change"], json!("remove"));

        let same = Wheel::new("app", "1.0").requires("library>=1").build();
        let same = published.environment.write(&format!("same/{}", same.filename), &same.bytes);
        let said = says(&published, &["add", text(&same)]);
        assert_eq!(said["removal_taken_back"], json!(["app-1.0-py3-none-any.whl"]));
        assert_eq!(said["already_published"], json!([]));
        assert_eq!(changes(&published), Vec::<Value>::new(), "adding takes the removal back");
    }

    #[test]
    fn a_whole_project_goes_when_somebody_agrees() {
        let published = Published::new();
        let wheel = Wheel::new("app", "2.0").build();
        let wheel = published.environment.write(&format!("dist/{}", wheel.filename), &wheel.bytes);
        says(&published, &["add", text(&wheel)]);
        published.repo(&["remove", "app"]).run().expect_code(2).expect_stderr(&["all 2 files of app", "--yes"]);
        assert_eq!(changes(&published).len(), 1);
        let said = says(&published, &["remove", "app", "--yes"]);
        assert_eq!(names(&said["files"], "result"), ["staged", "taken-back"]);
        let left = changes(&published);
        assert_eq!((left.len(), &left[0]["change"]), (1, &json!("remove")));
    }

    #[test]
    fn how_things_stand() {
        let published = Published::new();
        let status = says(&published, &["status"]);
        let roles = names(&status["published"]["roles"], "role");
        for role in ["root", "timestamp", "snapshot", "targets"] {
            assert!(roles.contains(&role), "{roles:?}");
        }
        assert_eq!(status["published"]["projects"], json!(2));
        assert_eq!(status["staged"], json!([]));
        let shown = published.repo(&["status"]).run().expect_code(0);
        for piece in ["2 projects", "expires in", "Nothing is staged."] {
            assert!(shown.stdout.contains(piece), "{}", shown.stdout);
        }
    }

    #[test]
    fn what_was_tampered_with_is_not_gone_on_from() {
        let published = Published::new();
        let timestamp = published.public("tuf/timestamp.json");
        let bytes = fs::read_to_string(&timestamp).unwrap().replace("\"version\":", "\"version\": ");
        fs::write(&timestamp, bytes.replacen("2", "3", 1)).unwrap();
        published.repo(&["status"]).run().expect_code(10).expect_stderr(&["repo.refused"]);
        published.repo(&["yank", "app==1.0"]).run().expect_code(10);
        assert_eq!(changes(&published), Vec::<Value>::new());
    }
}
