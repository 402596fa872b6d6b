//! The three forms in which `list` prints: a table, `name==version` lines, JSON.

use packaging::MetadataFields;

use super::ListEntry;
use super::{Freshness, ListFormat, ListOptions};
use crate::terminal::Terminal;
use installer::error::Failure;

/// Prints the distributions in the format of `list`.
///
/// # Errors
/// When metadata cannot be read.
pub(super) fn print(listed: &[ListEntry], list: &ListOptions, terminal: &Terminal) -> Result<(), Failure> {
    let verbose = terminal.is_verbose(1);
    match list.format {
        ListFormat::Columns if listed.is_empty() => {}
        ListFormat::Columns => {
            for line in align_columns(&table(listed, list.freshness == Freshness::Outdated, verbose)?) {
                terminal.line(&line);
            }
        }
        ListFormat::Freeze => {
            for ListEntry { described, .. } in listed {
                let location = if verbose { format!(" ({})", described.location().display()) } else { String::new() };
                terminal.line(&printable::line(&format!("{}{location}", described.to_pin())));
            }
        }
        ListFormat::Json => {
            terminal.line(&printable::json(&json(listed, list.freshness == Freshness::Outdated, verbose)));
        }
    }
    Ok(())
}

/// The rows of the table, the titles first. Empty columns are omitted.
fn table(listed: &[ListEntry], latest: bool, verbose: bool) -> Result<Vec<Vec<String>>, Failure> {
    let mut builds = Vec::with_capacity(listed.len());
    let mut editables = Vec::with_capacity(listed.len());
    for ListEntry { described, .. } in listed {
        let text = described.distribution.read("WHEEL")?.unwrap_or_default();
        builds.push(MetadataFields::parse(&text).get("Build").unwrap_or_default().to_owned());
        let editable = described.distribution.editable_location();
        editables.push(editable.map(|path| path.display().to_string()).unwrap_or_default());
    }
    let has_builds = builds.iter().any(|build| !build.is_empty());
    let has_editables = editables.iter().any(|editable| !editable.is_empty());
    let titles = [
        ("Package", true),
        ("Version", true),
        ("Latest", latest),
        ("Type", latest),
        ("Build", has_builds),
        ("Editable project location", has_editables),
        ("Location", verbose),
        ("Installer", verbose),
    ];
    let shown = |row: [String; 8]| -> Vec<String> {
        row.into_iter()
            .zip(titles)
            .filter(|(_, (_, is_shown))| *is_shown)
            .map(|(cell, _)| printable::line(&cell))
            .collect()
    };
    let mut rows = vec![shown(titles.map(|(title, _)| title.to_owned()))];
    for ((ListEntry { described, latest }, build), editable) in listed.iter().zip(builds).zip(editables) {
        let (version, kind) = latest.as_ref().map(|(version, kind)| (version.to_string(), *kind)).unwrap_or_default();
        rows.push(shown([
            described.raw_name().to_owned(),
            described.raw_version().to_owned(),
            version,
            kind.to_owned(),
            build,
            editable,
            described.location().display().to_string(),
            if verbose { described.distribution.installer() } else { String::new() },
        ]));
    }
    Ok(rows)
}

/// Lines with the cells of each column one below the other, and a rule below the titles.
pub fn align_columns(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.first().map(Vec::len).unwrap_or_default();
    let widths: Vec<usize> = (0..columns)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0))
        .collect();
    let mut lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            cells.join(" ").trim_end().to_owned()
        })
        .collect();
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    lines.insert(lines.len().min(1), rule.join(" "));
    lines
}

/// One line as Python's `json.dumps` writes it.
fn json(listed: &[ListEntry], latest: bool, verbose: bool) -> String {
    let objects: Vec<String> = listed
        .iter()
        .map(|ListEntry { described, latest: newest }| {
            let version =
                described.version().map_or_else(|_| described.raw_version().to_owned(), |version| version.to_string());
            let mut members = vec![("name", described.raw_name().to_owned()), ("version", version)];
            if verbose {
                members.push(("location", described.location().display().to_string()));
                members.push(("installer", described.distribution.installer()));
            }
            if let (true, Some((version, kind))) = (latest, newest) {
                members.push(("latest_version", version.to_string()));
                members.push(("latest_filetype", (*kind).to_owned()));
            }
            if let Some(location) = described.distribution.editable_location() {
                members.push(("editable_project_location", location.display().to_string()));
            }
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("\"{name}\": {}", ascii_text(value))).collect();
            format!("{{{}}}", members.join(", "))
        })
        .collect();
    format!("[{}]", objects.join(", "))
}

/// A JSON text in ASCII.
fn ascii_text(text: &str) -> String {
    let mut ascii = String::with_capacity(text.len() + 2);
    for character in serde_json::Value::from(text).to_string().chars() {
        if character.is_ascii() {
            ascii.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                ascii.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    ascii
}
