//! The rules of docs/architecture.md about modules, as functions of a document and of sources. Each answers with what breaks it.

use std::path::Path;

use proc_macro2::TokenTree;

use super::uses::{Use, sources, uses, way};

/// Drawing outside of `src/terminal`: the file, what draws in it, and why it may.
pub const MAY_DRAW: &[(&str, &str, &str)] = &[
    ("src/main.rs", "eprintln!", "the command line or the log file is wrong, so that there is no terminal yet"),
    (
        "crates/operator/src/keys/passphrase.rs",
        "rpassword",
        "the question for a passphrase goes to /dev/tty, past everything that is printed, and its answer to nobody else",
    ),
];

/// Starting processes otherwise than by `process_environment::child`, which gives them no secrets: the file, and why it may.
pub const MAY_START: &[(&str, &str)] = &[
    ("crates/installer/src/process_environment.rs", "here is what gives them none"),
    (
        "src/commands/repo/demo/stage.rs",
        "its processes see nothing but the demonstration, with a passphrase of its own",
    ),
];

/// The modules of a crate by the document, lowest first: the first column of the table below "Modules of `DIRECTORY`".
pub fn documented_order(document: &str, directory: &str) -> Vec<String> {
    let title = format!("Modules of `{directory}`");
    let lines = document.lines().skip_while(|line| !(line.starts_with('#') && line.contains(&title))).skip(1);
    let rows = lines.take_while(|line| !line.starts_with('#')).filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split_once('`')).map(|(name, _)| name.to_owned()).collect()
}

/// Modules that the document does not name or that are not there, and uses of a module above one's own. The root is above all.
pub fn order_violations(directory: &Path, order: &[String]) -> Vec<String> {
    let sources = sources(directory);
    let (root, modules): (Vec<_>, Vec<_>) = sources.iter().partition(|source| source.owner() == root_name(directory));
    let mut found = Vec::new();
    for source in modules {
        if !order.iter().any(|name| name == source.owner()) {
            found.push(format!("{}: module `{}` is not in the document", source.path.display(), source.owner()));
        }
    }
    for name in order {
        if !sources.iter().any(|source| source.owner() == name) {
            found.push(format!("the document names module `{name}`, which {} does not have", directory.display()));
        }
    }
    assert_eq!(root.len(), 1, "{}", directory.display());

    let uses = uses(directory);
    let height = |module: &str| order.iter().position(|name| name == module).unwrap_or(order.len());
    for used in uses.iter().filter(|used| height(&used.to) > height(&used.from)) {
        let reason = match way(&uses, &used.to, &used.from) {
            Some(way) => format!("a cycle: {} -> {}", used.from, way.join(" -> ")),
            None => "which is above it in the document".to_owned(),
        };
        found.push(format!("{}: `{}` uses `{}`, {reason}", place(used), used.from, used.to));
    }
    // A line with braces uses several things of one module.
    found.dedup();
    found
}

/// Uses that close a cycle of modules. What the root passes on is no module.
pub fn cycles(directory: &Path) -> Vec<String> {
    let root = root_name(directory);
    let uses: Vec<Use> = uses(directory).into_iter().filter(|used| used.from != root && used.to != root).collect();
    let mut found = Vec::new();
    for used in &uses {
        if let Some(way) = way(&uses, &used.to, &used.from) {
            found.push(format!("{}: a cycle: {} -> {}", place(used), used.from, way.join(" -> ")));
        }
    }
    found.dedup();
    found
}

/// Uses of the terminal by others than the commands and the root. What the user chose about it, `terminal::settings`, draws
/// nothing and is for all.
pub fn terminal_violations(directory: &Path) -> Vec<String> {
    let may_use = ["commands", root_name(directory)];
    let is_choice = |used: &&Use| used.item.first().is_some_and(|name| name == "settings");
    let uses = uses(directory);
    let of_terminal = uses.iter().filter(|used| used.to == "terminal" && !is_choice(used));
    let wrong = of_terminal.filter(|used| !may_use.contains(&used.from.as_str()));
    wrong.map(|used| format!("{}: `{}` uses the terminal", place(used), used.from)).collect()
}

/// What prints, draws or asks outside of a module `terminal`; files are named from `root` on.
pub fn drawing_violations(root: &Path, directory: &str, allowed: &[(&str, &str, &str)]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources(&root.join(directory)).iter().filter(|source| source.owner() != "terminal") {
        let file = source.path.strip_prefix(root).unwrap().display().to_string();
        for (what, line) in drawing(&source.flat()) {
            if !allowed.iter().any(|(path, drawn, _)| *path == file && *drawn == what) {
                found.push(format!("{}:{line}: {what} outside of src/terminal", source.path.display()));
            }
        }
    }
    found
}

/// Sources that name `std::process::Command`; files are named from `root` on.
pub fn starting_violations(root: &Path, directory: &str, allowed: &[(&str, &str)]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources(&root.join(directory)) {
        let file = source.path.strip_prefix(root).unwrap().display().to_string();
        let words: Vec<String> = source.flat().iter().map(ToString::to_string).collect();
        let names_it = words.windows(4).any(|words| {
            let [module, first, second, item] = words else { return false };
            let is_path = module == "process" && first == ":" && second == ":";
            is_path && item.split(|c: char| !c.is_alphanumeric()).any(|word| word == "Command")
        });
        if names_it && !allowed.iter().any(|(path, _)| *path == file) {
            found.push(format!("{}: starts a process by itself", source.path.display()));
        }
    }
    found
}

/// Each thing that reaches a screen, and its line.
fn drawing(tokens: &[TokenTree]) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let TokenTree::Ident(name) = token else { continue };
        let text = |at: Option<usize>| at.and_then(|at| tokens.get(at)).map(ToString::to_string).unwrap_or_default();
        let (before, after) = (text(index.checked_sub(1)), text(Some(index + 1)));
        let name = name.to_string();
        let what = match name.as_str() {
            "print" | "println" | "eprint" | "eprintln" | "dbg" if after == "!" => format!("{name}!"),
            // `.stdout(…)` says where the output of another process goes.
            "stdout" | "stderr" if after == "()" && before != "." => format!("{name}()"),
            "indicatif" | "rpassword" => name,
            _ => continue,
        };
        found.push((what, token.span().start().line));
    }
    found
}

fn root_name(directory: &Path) -> &'static str {
    if directory.join("main.rs").exists() { "main" } else { "lib" }
}

fn place(used: &Use) -> String {
    format!("{}:{}", used.file.display(), used.line)
}
