//! Where the files of a wheel may want to go: the `.data` directory, names reserved for installers, and collisions that the
//! archive's own paths do not show.

use std::collections::HashSet;

use crate::archive::{WheelArchive, has_suffix, is_stem};
use crate::error::{Refusal, Rule, WheelError};
use crate::unpack::{INSTALLER_FILES, RECORD_FILES, dist_info_file};

/// The directories that `.data` may have.
const SCHEMES: [&str; 5] = ["purelib", "platlib", "headers", "scripts", "data"];

/// Checks the destinations of all files; gives the `.data` directory if there is one.
pub(super) fn check(archive: &WheelArchive) -> Result<Option<String>, WheelError> {
    let refused = |rule, problem: &str, path: &str| Refusal::entry(archive.filename(), rule, problem, path);
    let mut data: Option<&str> = None;
    for path in archive.paths() {
        if let Some(name) = dist_info_file(archive, path)
            && is_reserved_variant(name)
        {
            let problem = "differs only in case from a file of the installer";
            return Err(refused(Rule::EntryName, problem, path));
        }
        let (top, rest) = path.split_once('/').unwrap_or((path, ""));
        if !has_suffix(top, ".data") {
            continue;
        }
        if data.is_some_and(|data| data != top) {
            return Err(refused(Rule::Data, "more than one .data directory", top));
        }
        if !top.strip_suffix(".data").is_some_and(|stem| is_stem(archive.name(), stem)) {
            return Err(refused(Rule::Data, ".data directory of another distribution", top));
        }
        data = Some(top);
        check_data_file(rest).map_err(|problem| refused(Rule::Data, problem, path))?;
    }
    if let Some(data) = data {
        check_collisions(archive, data)?;
    }
    Ok(data.map(str::to_owned))
}

/// Whether a script of this name would stand in for the interpreter: `python`, `python3.12`, `pythonw.exe` and the like, in
/// any case, but not `python-dotenv`.
pub(super) fn shadows_python(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(".exe").unwrap_or(&name);
    name.strip_prefix("python")
        .is_some_and(|rest| rest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'd' | b't' | b'w')))
}

/// Whether a file of `.dist-info` would overwrite one of ours where case does not count.
fn is_reserved_variant(name: &str) -> bool {
    INSTALLER_FILES.iter().chain(&RECORD_FILES).any(|reserved| *reserved != name && reserved.eq_ignore_ascii_case(name))
}

/// Checks one path below `.data`.
fn check_data_file(path: &str) -> Result<(), &'static str> {
    let (scheme, rest) = path.split_once('/').unwrap_or((path, ""));
    if !SCHEMES.contains(&scheme) || rest.is_empty() {
        return Err("file in .data that belongs to none of purelib, platlib, headers, scripts, data");
    }
    // Another distribution's RECORD, or a second one of our own.
    if rest.split('/').rev().skip(1).any(|part| has_suffix(part, ".dist-info")) {
        return Err("file in .data that would go into a .dist-info directory");
    }
    let (directory, name) = rest.split_once('/').unwrap_or(("", rest));
    match scheme {
        "scripts" if shadows_python(rest) => Err("script would replace the interpreter"),
        "data" if rest.eq_ignore_ascii_case("pyvenv.cfg") => Err("file would replace the environment's configuration"),
        "data" if is_script_directory(directory) && shadows_python(name) => Err("script would replace the interpreter"),
        _ => Ok(()),
    }
}

fn is_script_directory(name: &str) -> bool {
    name.eq_ignore_ascii_case("bin") || name.eq_ignore_ascii_case("scripts")
}

/// The root, purelib and platlib usually are one directory: no file may come from two of them.
fn check_collisions(archive: &WheelArchive, data: &str) -> Result<(), WheelError> {
    let mut seen = HashSet::new();
    for path in archive.paths() {
        let destination = match path.strip_prefix(data).and_then(|rest| rest.strip_prefix('/')) {
            None => path,
            Some(rest) => match rest.strip_prefix("purelib/").or_else(|| rest.strip_prefix("platlib/")) {
                Some(destination) => destination,
                None => continue,
            },
        };
        if !seen.insert(destination) {
            return Err(Refusal::entry(archive.filename(), Rule::Data, "two files for one destination", path));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_shadow_the_interpreter() {
        for name in ["python", "python3", "Python3.12", "pythonw", "PYTHON.EXE", "python3.14t", "python3d"] {
            assert!(shadows_python(name), "{name}");
        }
        for name in ["python-dotenv", "pythonize", "ipython", "python3-config", "pytho"] {
            assert!(!shadows_python(name), "{name}");
        }
    }

    #[test]
    fn files_below_data() {
        for path in
            ["scripts/tool", "scripts/sub/tool", "data/share/x", "data/bin/tool", "headers/a.h", "purelib/a/b.py"]
        {
            assert_eq!(check_data_file(path), Ok(()), "{path}");
        }
        for path in [
            "",
            "scripts",
            "other/x",
            "Scripts/x",
            "scripts/python3",
            "data/pyvenv.cfg",
            "data/PyVenv.cfg",
            "data/bin/python",
            "data/Scripts/python.exe",
            "purelib/x-1.dist-info/RECORD",
            "data/lib/python3.12/site-packages/x-1.DIST-INFO/RECORD",
        ] {
            assert!(check_data_file(path).is_err(), "{path}");
        }
    }
}
