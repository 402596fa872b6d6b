//! The files of `.dist-info` that decide how a wheel is installed: METADATA, WHEEL and entry_points.txt.

use std::collections::HashMap;

use packaging::MetadataFields;

use crate::archive::{WheelArchive, is_name, is_version};
use crate::error::{Refusal, Rule, WheelError};
use crate::manifest::EntryPoint;
use crate::unpack::{destinations, required};

/// Largest WHEEL and entry_points.txt, in bytes.
const TEXT_LIMIT: u64 = 4 << 20;

/// What WHEEL says.
pub(super) struct WheelFile {
    pub version: (u64, u64),
    pub root_is_purelib: bool,
}

/// The scripts of entry_points.txt.
#[derive(Default)]
pub(super) struct Scripts {
    pub console: Vec<EntryPoint>,
    pub gui: Vec<EntryPoint>,
}

/// METADATA must speak of the distribution in the file name.
pub(super) fn check_metadata(archive: &WheelArchive) -> Result<(), WheelError> {
    let contents = archive.metadata()?;
    let fields = MetadataFields::parse(&contents);
    let refused = |problem: String, value: &str| Refusal::entry(archive.filename(), Rule::Metadata, problem, value);
    for name in ["Name", "Version"] {
        let value = single(&fields, name).map_err(|problem| refused(format!("METADATA {problem}"), name))?;
        let agrees = if name == "Name" { is_name(archive.name(), value) } else { is_version(archive.name(), value) };
        if !agrees {
            return Err(refused(format!("METADATA has another {name} than the file name"), value));
        }
    }
    match fields.hidden_by_carriage_returns(&contents) {
        Some(name) => {
            let problem = format!("METADATA has another {name} for readers that end no line at a carriage return");
            Err(refused(problem, "METADATA"))
        }
        None => Ok(()),
    }
}

/// Reads WHEEL. Major versions above 1 may mean anything (PEP 427); a newer minor version is worth a warning by the caller.
pub(super) fn read_wheel_file(archive: &WheelArchive) -> Result<WheelFile, WheelError> {
    let contents = required(archive, "WHEEL", Rule::WheelFile, TEXT_LIMIT)?;
    let refused = |problem: &str, value: &str| Refusal::entry(archive.filename(), Rule::WheelFile, problem, value);
    if std::str::from_utf8(&contents).is_err() {
        return Err(refused("WHEEL is not UTF-8", "WHEEL"));
    }
    let fields = MetadataFields::parse(&contents);
    let value =
        single(&fields, "Wheel-Version").map_err(|problem| refused(&format!("WHEEL {problem}"), "Wheel-Version"))?;
    let version = wheel_version(value).ok_or_else(|| refused("Wheel-Version is not a version", value))?;
    if version.0 > 1 {
        return Err(refused("Wheel-Version is not supported, only 1.x and older are", value));
    }
    let root_is_purelib = match fields.get_all("Root-Is-Purelib").count() {
        0 => false,
        _ => single(&fields, "Root-Is-Purelib")
            .map_err(|problem| refused(&format!("WHEEL {problem}"), "Root-Is-Purelib"))?
            .eq_ignore_ascii_case("true"),
    };
    Ok(WheelFile { version, root_is_purelib })
}

/// Reads the scripts of entry_points.txt, the way `importlib.metadata` separates its lines.
pub(super) fn read_entry_points(archive: &WheelArchive) -> Result<Scripts, WheelError> {
    let refused = |problem: &str, value: &str| Refusal::entry(archive.filename(), Rule::EntryPoint, problem, value);
    let mut scripts = Scripts::default();
    let path = format!("{}/entry_points.txt", archive.dist_info());
    let Some(contents) = archive.read(&path, TEXT_LIMIT)? else { return Ok(scripts) };
    let text = std::str::from_utf8(&contents).map_err(|_| refused("entry_points.txt is not UTF-8", &path))?;
    let mut known = HashMap::new();
    let mut section = None;
    for whole_line in text.lines() {
        let line = whole_line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = Some(name.trim());
            continue;
        }
        let Some(section) = section else {
            return Err(refused("entry_points.txt has a line before its first section", line));
        };
        if !matches!(section, "console_scripts" | "gui_scripts") {
            // Another program's entry point, or a further line of its value.
            if !line.contains('=') && !whole_line.starts_with([' ', '\t']) {
                return Err(refused("entry_points.txt has a line that is neither a section nor an entry point", line));
            }
            continue;
        }
        let entry_point = entry_point(line).map_err(|problem| refused(problem, line))?;
        match known.insert(entry_point.name.clone(), entry_point.clone()) {
            Some(other) if other == entry_point => {}
            Some(_) => return Err(refused("two scripts of one name", line)),
            None if section == "console_scripts" => scripts.console.push(entry_point),
            None => scripts.gui.push(entry_point),
        }
    }
    Ok(scripts)
}

/// The only value of a header.
fn single<'a>(fields: &'a MetadataFields, name: &str) -> Result<&'a str, &'static str> {
    let mut values = fields.get_all(name);
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value.trim()),
        (None, _) => Err("lacks a field"),
        (Some(_), Some(_)) => Err("has a field twice"),
    }
}

/// Major and minor of `1`, `1.0`, `1.0.3`.
fn wheel_version(text: &str) -> Option<(u64, u64)> {
    let mut numbers = text.split('.').map(|part| {
        let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { part.parse::<u64>().ok() } else { None }
    });
    let major = numbers.next()??;
    let minor = numbers.next().unwrap_or(Some(0))?;
    numbers.all(|number| number.is_some()).then_some((major, minor))
}

/// Reads `name = module:object`, with extras that are ignored. The name becomes a file, module and object become Python code.
fn entry_point(line: &str) -> Result<EntryPoint, &'static str> {
    let (name, value) = line.split_once('=').ok_or("entry point without '='")?;
    let name = name.trim();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if name.is_empty() || !name.bytes().all(is_plain) || matches!(name, "." | "..") {
        return Err("entry point with an unsafe name");
    }
    if destinations::shadows_python(name) {
        return Err("script would replace the interpreter");
    }
    let value = match value.split_once('[') {
        Some((value, extras)) if extras.trim_end().ends_with(']') => value,
        Some(_) => return Err("entry point with unclosed extras"),
        None => value,
    };
    let (module, object) = value.split_once(':').ok_or("entry point without an object to call")?;
    let (module, object) = (module.trim(), object.trim());
    if !is_dotted(module) || !is_dotted(object) {
        return Err("entry point that is not 'module:object'");
    }
    Ok(EntryPoint { name: name.to_owned(), module: module.to_owned(), object: object.to_owned() })
}

/// Whether `text` is identifiers with dots between them.
fn is_dotted(text: &str) -> bool {
    text.split('.').all(|part| {
        !part.is_empty()
            && !part.starts_with(|first: char| first.is_ascii_digit())
            && part.chars().all(|character| character.is_alphanumeric() || character == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_points_of_real_wheels() {
        let line = "pip3.11 = pip._internal.cli.main : main [extra,other]";
        let read = entry_point(line).unwrap();
        assert_eq!(
            (read.name.as_str(), read.module.as_str(), read.object.as_str()),
            ("pip3.11", "pip._internal.cli.main", "main")
        );
        for line in ["python-dotenv=a:b", "pythonize = a:b.c", "_x=a:b", "x.y-z=a.b:c.d"] {
            assert!(entry_point(line).is_ok(), "{line}");
        }
    }

    #[test]
    fn unsafe_entry_points() {
        for line in [
            "x",
            "=a:b",
            "a b = c:d",
            "../x = a:b",
            "/x = a:b",
            ".. = a:b",
            ". = a:b",
            "python = a:b",
            "Python3 = a:b",
            "python3.12 = a:b",
            "PYTHONW.EXE = a:b",
            "python3.14t = a:b",
            "x = a",
            "x = a:",
            "x = :a",
            "x = a:b;c",
            "x = a:b()",
            "x = a b:c",
            "x = a:b[c",
            "x = a..b:c",
            "x = 1a:b",
            "x = a:b:c",
            "ü = a:b",
            "x\\y = a:b",
            "x = a:b\u{2028}c",
        ] {
            assert!(entry_point(line).is_err(), "{line}");
        }
    }

    #[test]
    fn wheel_versions() {
        assert_eq!(wheel_version("1"), Some((1, 0)));
        assert_eq!(wheel_version("1.0"), Some((1, 0)));
        assert_eq!(wheel_version("1.9.3"), Some((1, 9)));
        for text in ["", ".", "1.", "+1.0", "1.x", "1.0.x", "99999999999999999999"] {
            assert_eq!(wheel_version(text), None, "{text}");
        }
    }
}
