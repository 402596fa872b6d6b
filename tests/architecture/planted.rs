//! The rules about modules notice what they are for: each is shown a small crate that breaks it.

use std::collections::BTreeSet;
use std::fs;

use tempfile::TempDir;

use super::rules::{
    cycles, documented_order, drawing_violations, order_violations, starting_violations, terminal_violations,
};

const DOCUMENT: &str = "\
# A house

## Modules of `src`, lowest first

| module | is responsible for |
|---|---|
| `messages` | words |
| `terminal` | drawing |
| `commands` | commands |
| `settings` | choices |

## Something else

| `other` | another table |
";

/// A crate that keeps every rule.
const HOUSE: &[(&str, &str)] = &[
    ("main.rs", "mod commands;\nmod messages;\nmod settings;\nmod terminal;\n\nfn main() {\n    commands::run();\n}\n"),
    (
        "messages.rs",
        "/// Not a use: [`crate::commands`].\npub fn hello() -> &'static str {\n    \"crate::commands\"\n}\n",
    ),
    (
        "terminal.rs",
        "pub mod settings;\nuse crate::messages::hello;\n\npub fn greet() {\n    println!(\"{}\", hello());\n}\n",
    ),
    ("terminal/settings.rs", "pub struct Color;\n"),
    ("commands/mod.rs", "mod greet;\n\npub use greet::run;\n"),
    ("commands/greet.rs", "use crate::terminal;\n\npub fn run() {\n    terminal::greet();\n}\n"),
    ("settings.rs", "use crate::terminal::settings::Color;\n\n#[cfg(test)]\nmod tests;\n"),
    ("settings/tests.rs", "use crate::terminal::greet;\n"),
];

/// The house with one file replaced or added.
fn house(path: &str, text: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (path, text) in HOUSE.iter().chain([&(path, text)]) {
        let path = directory.path().join("src").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    directory
}

fn violations(path: &str, text: &str) -> Vec<String> {
    let house = house(path, text);
    let sources = house.path().join("src");
    let mut found = order_violations(&sources, &documented_order(DOCUMENT, "src"));
    found.extend(terminal_violations(&sources));
    found.extend(drawing_violations(house.path(), "src", &[]));
    let directory = format!("{}/", sources.display());
    found.iter().map(|violation| violation.replace(&directory, "")).collect()
}

#[test]
fn the_house_keeps_the_rules() {
    let (path, text) = HOUSE[0];
    assert_eq!(violations(path, text), [""; 0]);
}

#[test]
fn a_process() {
    for text in [
        "use std::process::Command;\n",
        "use std::process::{Command, Stdio};\n",
        "fn f() { std::process::Command::new(\"x\"); }\n",
    ] {
        let house = house("messages.rs", text);
        assert_eq!(starting_violations(house.path(), "src", &[]).len(), 1, "{text}");
        assert!(starting_violations(house.path(), "src", &[("src/messages.rs", "")]).is_empty(), "{text}");
    }
    let house = house("messages.rs", "use std::process::ExitCode;\nuse clap::Command;\n");
    assert!(starting_violations(house.path(), "src", &[]).is_empty());
}

#[test]
fn a_cycle() {
    // terminal uses messages already.
    let text = "pub fn hello() -> &'static str {\n    crate::terminal::NAME\n}\n";
    assert_eq!(
        violations("messages.rs", text),
        [
            "messages.rs:2: `messages` uses `terminal`, a cycle: messages -> terminal -> messages",
            "messages.rs:2: `messages` uses the terminal",
        ]
    );
}

#[test]
fn a_cycle_where_no_order_is_known() {
    let house = house("settings.rs", "use crate::commands::run;\n");
    let sources = house.path().join("src");
    assert_eq!(cycles(&sources), [""; 0]);
    fs::write(sources.join("messages.rs"), "use crate::settings::Settings;\nuse crate::terminal;\n").unwrap();
    let directory = format!("{}/", sources.display());
    let found: BTreeSet<String> = cycles(&sources).iter().map(|cycle| cycle.replace(&directory, "")).collect();
    let expected = [
        "commands/greet.rs:1: a cycle: commands -> terminal -> messages -> settings -> commands",
        "messages.rs:1: a cycle: messages -> settings -> commands -> terminal -> messages",
        "messages.rs:2: a cycle: messages -> terminal -> messages",
        "settings.rs:1: a cycle: settings -> commands -> terminal -> messages -> settings",
        "terminal.rs:2: a cycle: terminal -> messages -> terminal",
    ];
    assert_eq!(found.iter().collect::<Vec<_>>(), expected);
}

#[test]
fn an_upward_import() {
    let text = "use std::fmt;\n\nuse crate::settings::Settings;\n\npub fn run() {}\n";
    assert_eq!(
        violations("commands/greet.rs", text),
        ["commands/greet.rs:3: `commands` uses `settings`, which is above it in the document"]
    );
    assert_eq!(violations("settings.rs", "use crate::{commands::run, messages::hello};\n"), [""; 0]);
}

#[test]
fn a_use_of_the_terminal() {
    let text = "use crate::{\n    messages,\n    terminal::{settings::Color, greet},\n};\n";
    assert_eq!(violations("settings.rs", text), ["settings.rs:3: `settings` uses the terminal"]);
    let text = "fn draw() {\n    crate::terminal::greet();\n}\n";
    assert_eq!(violations("settings.rs", text), ["settings.rs:2: `settings` uses the terminal"]);
}

#[test]
fn drawing_outside_of_the_terminal() {
    let text = "use std::io::{self, Write as _};\n\npub fn run() {\n    println!();\n    let _ = io::stdout().flush();\n    \
                eprint!(\"x\");\n    command.stdout(null());\n    let bar = indicatif::ProgressBar::new(1);\n}\n";
    assert_eq!(
        violations("commands/greet.rs", text),
        [
            "commands/greet.rs:4: println! outside of src/terminal",
            "commands/greet.rs:5: stdout() outside of src/terminal",
            "commands/greet.rs:6: eprint! outside of src/terminal",
            "commands/greet.rs:8: indicatif outside of src/terminal",
        ]
    );
}

/// However a path is written: up from a nested or an inline module, in a macro, in the middle of an expression, by way of the root.
#[test]
fn every_form_of_a_path() {
    let use_of = |text: &str| violations("messages.rs", text).concat();
    let cycle = "`messages` uses `commands`, a cycle: messages -> commands -> terminal -> messages";
    assert_eq!(use_of("use super::commands::run;\n"), format!("messages.rs:1: {cycle}"));
    assert_eq!(use_of("use super::{fmt::{self, X}, commands::{X, Y}};\n").matches(cycle).count(), 1);
    assert_eq!(
        use_of("mod inner {\n    use super::super::commands::run;\n    use super::hello;\n}\n"),
        format!("messages.rs:2: {cycle}")
    );
    assert_eq!(use_of("fn f() {\n    assert!(g(&[crate::commands::X]));\n}\n"), format!("messages.rs:2: {cycle}"));
    assert_eq!(use_of("fn f(x: Vec<crate::commands::X>) {}\n"), format!("messages.rs:1: {cycle}"));
    assert_eq!(
        use_of("use crate::NAME;\n"),
        "messages.rs:1: `messages` uses `main`, which is above it in the document"
    );
    // What is there for tests only does not count, what follows it does.
    assert_eq!(
        use_of(
            "#[cfg(test)]\nuse crate::commands;\n#[cfg(test)]\nmod tests {\n    use crate::commands;\n}\nuse crate::commands;\n"
        ),
        format!("messages.rs:7: {cycle}")
    );
}

#[test]
fn a_module_without_row_and_a_row_without_module() {
    let root = HOUSE[0].1.replace("mod messages;", "mod words;");
    let house = house("main.rs", &root);
    fs::write(house.path().join("src/words.rs"), "").unwrap();
    fs::write(house.path().join("src/terminal.rs"), "pub fn greet() {}\n").unwrap();
    let violations = order_violations(&house.path().join("src"), &documented_order(DOCUMENT, "src"));
    let directory = house.path().join("src").display().to_string();
    assert_eq!(
        violations,
        [
            format!("{directory}/words.rs: module `words` is not in the document"),
            format!("the document names module `messages`, which {directory} does not have"),
        ]
    );
}
