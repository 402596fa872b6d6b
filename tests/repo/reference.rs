//! The tables of `docs/reference/repo.md` are what `--help` says.

use std::fs;
use std::path::Path;

use crate::repo::operator::Operator;

/// What stands before the part that is made from the help.
const MARK: &str = "with TUFPIP_WRITE_REFERENCE=1. -->\n";
/// Headings of the help that all commands, or all that install, have in common; the page speaks of them once.
const IN_COMMON: &[&str] = &[
    "General options:",
    "Repository options:",
    "Repository security options:",
    "Package index options:",
    "Key options:",
];

#[test]
fn every_command_is_in_the_reference_as_its_help_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/repo.md");
    let page = fs::read_to_string(&path).unwrap();
    let (by_hand, found) = page.split_once(MARK).expect("the mark behind which the commands are");
    let operator = Operator::new();
    let mut expected = String::new();
    for command in commands(&operator, &[]) {
        expected.push_str(&described(&operator, &command));
    }
    assert!(expected.matches("\n### ").count() > 20, "{expected}");
    if std::env::var_os("TUFPIP_WRITE_REFERENCE").is_some() {
        fs::write(&path, format!("{by_hand}{MARK}{expected}")).unwrap();
    } else {
        assert!(
            found == expected,
            "docs/reference/repo.md is not what --help says; TUFPIP_WRITE_REFERENCE=1 writes it"
        );
    }
}

fn help(operator: &Operator, command: &[String]) -> String {
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    operator.repo(&[&words[..], &["--help"]].concat()).expect_code(0).stdout
}

/// The commands below this one, those of groups too.
fn commands(operator: &Operator, group: &[String]) -> Vec<Vec<String>> {
    let help = help(operator, group);
    let Some((_, list)) = help.split_once("\nCommands:\n") else { return vec![group.to_vec()] };
    let names = list.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.split_whitespace().next());
    names.flat_map(|name| commands(operator, &[group, &[name.to_owned()]].concat())).collect()
}

/// A section for a command: what it does, and a table of what it takes.
fn described(operator: &Operator, command: &[String]) -> String {
    let help = help(operator, command);
    let (about, rest) = help.split_once("\nUsage:").unwrap();
    let mut text = format!("\n### {}\n\n{}\n", command.join(" "), about.trim().replace('<', "\\<"));
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut is_wanted = false;
    for line in rest.lines().skip(1) {
        let indented = line.len() - line.trim_start().len();
        if indented == 0 {
            is_wanted = !line.is_empty() && !IN_COMMON.contains(&line);
        } else if !is_wanted {
            continue;
        } else if indented < 8 && line.trim_start().starts_with(['-', '<', '[']) {
            let (name, meaning) = line.trim().split_once("  ").unwrap_or((line.trim(), ""));
            rows.push((name.to_owned(), meaning.trim().to_owned()));
        } else if let Some((_, meaning)) = rows.last_mut() {
            meaning.push(' ');
            meaning.push_str(line.trim());
        }
    }
    if !rows.is_empty() {
        text.push_str("\n| | |\n|---|---|\n");
    }
    for (name, meaning) in rows {
        let meaning = meaning.trim().replace('|', "\\|").replace('<', "\\<");
        text.push_str(&format!("| `{}` | {meaning} |\n", name.replace('|', "\\|")));
    }
    text
}
