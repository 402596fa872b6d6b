//! `freeze -r`: the lines of requirements files in their order, with the versions that are installed.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use packaging::PackageName;

use super::FrozenRequirement;
use crate::terminal::Terminal;
use installer::error::{Code, Failure, Source};
use installer::requirements::{decoded, project_of};

/// Lines that are printed as they are, once.
const KEPT: [&str; 11] = [
    "-r",
    "--requirement",
    "-f",
    "--find-links",
    "-i",
    "--index-url",
    "--pre",
    "--trusted-host",
    "--process-dependency-links",
    "--extra-index-url",
    "--use-feature",
];

/// Prints `files` with what is installed, and takes that out of `frozen`.
///
/// # Errors
/// When a file cannot be read, or a line of it is invalid.
pub(super) fn fill(
    files: &[String],
    frozen: &mut BTreeMap<PackageName, FrozenRequirement>,
    print: impl Fn(&str),
    terminal: &Terminal,
) -> Result<(), Failure> {
    let mut kept: HashSet<String> = HashSet::new();
    // In which files a requirement was found, by its name as written.
    let mut found: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for file in files {
        for line in read(file)?.lines() {
            let text = line.trim();
            if text.is_empty() || text.starts_with('#') || KEPT.iter().any(|option| line.starts_with(option)) {
                if kept.insert(line.trim_end().to_owned()) {
                    print(line.trim_end());
                }
                continue;
            }
            let requirement = without_comment(line).trim();
            let Some((name, spelled)) = named(line, requirement)? else {
                terminal.note(&format!(
                    "Skipping line in requirement file [{file}] because it's not clear what it would install: {text}"
                ));
                terminal.note("  (add #egg=PackageName to the URL to avoid this warning)");
                continue;
            };
            let files = found.entry(spelled.clone()).or_default();
            match frozen.remove(&name) {
                Some(frozen) => {
                    frozen.lines.iter().for_each(|line| print(line));
                    files.push(file);
                }
                None if files.is_empty() => terminal.warning(&format!(
                    "Requirement file [{file}] contains {requirement}, but package '{spelled}' is not installed"
                )),
                None => files.push(file),
            }
        }
    }
    for (name, files) in found.iter().filter(|(_, files)| files.len() > 1) {
        let files: BTreeSet<&str> = files.iter().copied().collect();
        let files: Vec<&str> = files.into_iter().collect();
        terminal.warning(&format!("Requirement {name} included multiple times [{}]", files.join(", ")));
    }
    Ok(())
}

/// The project of a line, and its name as written.
fn named(line: &str, requirement: &str) -> Result<Option<(PackageName, String)>, Failure> {
    let is_part = |c: &char| c.is_ascii_alphanumeric() || "._-".contains(*c);
    let leading = |text: &str| -> String { text.chars().take_while(is_part).collect() };
    let fragment = requirement.split_once("#egg=").or_else(|| requirement.split_once("&egg="));
    let fragment = fragment.map(|(_, fragment)| leading(fragment));
    let is_editable = line.starts_with("-e") || line.starts_with("--editable");
    // The name of an editable project is known from a fragment only: no file is opened here.
    let name = if is_editable {
        fragment.as_ref().and_then(|fragment| fragment.parse().ok())
    } else {
        project_of(requirement)?
    };
    Ok(name.map(|name: PackageName| {
        let written = fragment.unwrap_or_else(|| leading(requirement));
        let same = written.parse::<PackageName>().is_ok_and(|written| written == name);
        let spelled = if same { written } else { name.to_string() };
        (name, spelled)
    }))
}

/// A comment begins with the line or behind white space.
fn without_comment(line: &str) -> &str {
    let start = line.char_indices().find(|(position, character)| {
        let before = line.get(..*position).unwrap_or_default();
        *character == '#' && (before.is_empty() || before.ends_with(char::is_whitespace))
    });
    start.map_or(line, |(position, _)| line.get(..position).unwrap_or(line))
}

fn read(file: &str) -> Result<String, Failure> {
    let unreadable = |cause: Source| {
        Failure::new(Code::RequirementsUnreadable, format!("Could not read requirements file {file}: {cause}"))
            .caused_by(cause)
    };
    let bytes = std::fs::read(file).map_err(|error| unreadable(error.into()))?;
    decoded(&bytes).map_err(|reason| unreadable(reason.into()))
}
