//! Somebody without keys changes files that people sign, or files that wait to be published.

use std::fs;

use serde_json::{Value, json};
use testkit::Wheel;

use crate::repo::operator::Operator;

/// An index with `app` 1.0, whose files `dev` signs.
fn index() -> Operator {
    let operator = Operator::new();
    operator.does(&["init", "--base", "https://pkgs.example.org/"]);
    let wheel = Wheel::new("app", "1.0").build();
    operator.environment.write(&wheel.filename, &wheel.bytes);
    operator.does(&["add", &wheel.filename]);
    operator.does(&["publish"]);
    operator.does(&["key", "gen", "dev", "stranger", "--out", "people"]);
    operator.does(&["delegate", "app", "--key", "people/dev.pub"]);
    operator.does(&["sign", "--yes"]);
    operator.does(&["sign", "staged/metadata/1.project-app.json", "--key", "people/dev.pem", "--yes"]);
    operator.does(&["root", "finalize"]);
    operator
}

/// Writes the next version of a published file, changed somehow.
fn next(operator: &Operator, published: &str, next: &str, change: impl Fn(&mut Value)) {
    let mut file: Value = serde_json::from_slice(&operator.read(&format!("public/tuf/{published}"))).unwrap();
    file["signatures"] = json!([]);
    file["signed"]["version"] = json!(file["signed"]["version"].as_u64().unwrap() + 1);
    change(&mut file["signed"]);
    operator.environment.write(next, file.to_string());
}

#[test]
fn who_signs_sees_everything_that_changes() {
    let operator = index();
    next(&operator, "1.claimed.json", "2.claimed.json", |signed| {
        signed["delegations"]["roles"][0]["paths"] = json!(["dist/*/*"]);
    });
    next(&operator, "2.targets.json", "3.targets.json", |signed| {
        signed["x-pyindex"]["base"] = json!("https://elsewhere.example/");
        signed["delegations"]["roles"].as_array_mut().unwrap().reverse();
    });
    next(&operator, "1.project-app.json", "2.project-app.json", |signed| {
        let target = signed["targets"]["dist/app/app-1.0-py3-none-any.whl"].clone();
        signed["targets"]["dist/app/app-1.1-py3-none-any.whl"] = target;
    });
    let files = ["2.claimed.json", "3.targets.json", "2.project-app.json"];
    let said = operator.does(&[&["sign", "--yes"], &files[..]].concat()).stdout;
    for piece in [
        r#"project-app, paths is ["dist/*/*"], instead of ["dist/app/*"]"#,
        "https://elsewhere.example/",
        "which is believed is index, claimed, instead of claimed, index",
        "dist/app/app-1.1-py3-none-any.whl is new",
    ] {
        assert!(said.contains(piece), "no {piece} in\n{said}");
    }
    assert!(!said.contains("nothing else changes"), "{said}");

    // Also where nothing is known of the repository.
    let elsewhere = Operator::new();
    operator.gives("2.claimed.json", &elsewhere, "2.claimed.json");
    operator.gives("people/dev.pem", &elsewhere, "dev.pem");
    let said = elsewhere.does(&["sign", "2.claimed.json", "--key", "dev.pem", "--yes"]).stdout;
    assert!(said.contains(r#"project-app, paths: ["dist/*/*"]"#), "{said}");
}

#[test]
fn no_key_is_signed_under_the_name_of_another_one() {
    let operator = index();
    let stranger: Value = serde_json::from_slice(&operator.read("people/stranger.pub")).unwrap();
    next(&operator, "1.root.json", "2.root.json", |signed| {
        let online = signed["roles"]["timestamp"]["keyids"][0].as_str().unwrap().to_owned();
        signed["keys"][online] = stranger.clone();
    });
    let before = operator.read("2.root.json");
    operator.repo(&["root", "sign", "2.root.json", "--yes"]).expect_code(10).expect_stderr(&["repo.key-name"]);
    assert_eq!(operator.read("2.root.json"), before);

    // Nor where nothing is known of the repository, nor by who publishes it.
    let elsewhere = Operator::new();
    operator.gives("2.root.json", &elsewhere, "2.root.json");
    operator.gives("keys/root.pem", &elsewhere, "root.pem");
    let signs = ["root", "sign", "2.root.json", "--key", "root.pem", "--yes"];
    elsewhere.repo(&signs).expect_code(10).expect_stderr(&["repo.key-name"]);
    operator.environment.write("staged/metadata/2.root.json", before);
    operator.repo(&["root", "finalize"]).expect_code(10).expect_stderr(&["repo.key-name"]);
    assert!(!operator.path("public/tuf/2.root.json").exists());
}

#[test]
fn a_file_that_changed_after_it_was_added_is_not_published() {
    let operator = Operator::new();
    operator.does(&["init", "--base", "https://pkgs.example.org/"]);
    let wheel = Wheel::new("app", "1.0").build();
    operator.environment.write(&wheel.filename, &wheel.bytes);
    operator.does(&["add", &wheel.filename]);
    let changes: Value = serde_json::from_slice(&operator.read("staged/changes.json")).unwrap();
    let path = changes[0]["file"]["url"].as_str().unwrap().trim_start_matches("../../").to_owned();
    let mut bytes = operator.read(&format!("staged/{path}"));
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(operator.path(&format!("staged/{path}")), bytes).unwrap();

    operator.repo(&["publish"]).expect_code(10).expect_stderr(&["repo.staged-changed", &wheel.filename]);
    assert!(!operator.path(&format!("public/{path}")).exists());
    assert!(!operator.path("public/simple/app").exists());

    operator.does(&["remove", "app", "--yes"]);
    operator.does(&["add", &wheel.filename]);
    operator.does(&["publish"]);
    operator.does(&["verify", "--files"]);
}

#[test]
fn what_is_damaged_is_named() {
    let operator = Operator::new();
    operator.does(&["init", "--base", "https://pkgs.example.org/"]);
    let wheel = Wheel::new("app", "1.0").build();
    operator.environment.write(&wheel.filename, &wheel.bytes);
    operator.does(&["add", &wheel.filename]);
    for file in ["root.json", "seen.json", "staged/changes.json"] {
        let whole = operator.read(file);
        for damaged in [&b""[..], &whole[..20], b"\xff\xfe\x00"] {
            fs::write(operator.path(file), damaged).unwrap();
            operator.repo(&["publish"]).expect_code(1).expect_stderr(&["repo.damaged", file, "backup"]);
        }
        fs::write(operator.path(file), whole).unwrap();
    }
    operator.does(&["publish"]);
}
