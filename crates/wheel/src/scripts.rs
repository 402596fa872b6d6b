//! The texts of the programs that an installer puts into the scripts directory, equal to those of pip 26 on Unix.
//!
//! Implements "Entry points specification: use for scripts" and "Binary distribution format: recommended installer
//! features" with pip's decisions where the specifications leave room.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::manifest::EntryPoint;

/// Longest `#!` line, with its line end, that every kernel of this system runs.
const LONGEST_SHEBANG: usize = if cfg!(target_os = "macos") { 512 } else { 127 };

/// The script for an entry point.
pub(crate) fn entry_point_script(interpreter: &Path, entry_point: &EntryPoint) -> Vec<u8> {
    let EntryPoint { module, object, .. } = entry_point;
    let imported = object.split('.').next().unwrap_or(object);
    let mut script = entry_point_shebang(interpreter);
    script.extend_from_slice(
        format!(
            "import sys\n\
             from {module} import {imported}\n\
             if __name__ == '__main__':\n    \
                 sys.argv[0] = sys.argv[0].removesuffix('.exe')\n    \
                 sys.exit({object}())\n"
        )
        .as_bytes(),
    );
    script
}

/// The first line or lines of an entry point's script. An interpreter whose path a `#!` line cannot hold is started
/// through `sh`: to the shell the second line runs it, to Python the lines are one string.
fn entry_point_shebang(interpreter: &Path) -> Vec<u8> {
    let path = interpreter.as_os_str().as_bytes();
    let has_space = path.contains(&b' ');
    if !has_space && path.len() + "#!\n".len() <= LONGEST_SHEBANG {
        return [b"#!", path, b"\n"].concat();
    }
    let quote: &[u8] = if has_space { b"\"" } else { b"" };
    [b"#!/bin/sh\n'''exec' ", quote, path, quote, b" \"$0\" \"$@\"\n' '''\n"].concat()
}

/// A file of `.data/scripts` with its first line replaced, or `None` when it is to be placed as it is. pip writes the
/// bare interpreter here, whatever its path looks like.
pub fn rewritten_script(interpreter: &Path, contents: &[u8]) -> Option<Vec<u8>> {
    if !contents.starts_with(b"#!python") {
        return None;
    }
    let rest = match contents.iter().position(|byte| *byte == b'\n') {
        Some(end) => contents.get(end + 1..).unwrap_or_default(),
        None => &[],
    };
    Some([b"#!", interpreter.as_os_str().as_bytes(), b"\n", rest].concat())
}

/// The console scripts to make for Python `major.minor`. `pip` and `easy_install` are known to carry the Python version
/// of the machine that built the wheel in their names; those names are replaced.
pub(crate) fn console_scripts(declared: &[EntryPoint], (major, minor): (u8, u8)) -> Vec<EntryPoint> {
    let named = |name: &str| declared.iter().rev().find(|entry_point| entry_point.name == name);
    let renamed = |entry_point: &EntryPoint, name: String| EntryPoint { name, ..entry_point.clone() };
    let pip = named("pip");
    let easy_install = named("easy_install");
    let mut scripts = Vec::new();
    if let Some(pip) = pip {
        scripts.push(pip.clone());
        scripts.push(renamed(pip, format!("pip{major}")));
        scripts.push(renamed(pip, format!("pip{major}.{minor}")));
    }
    if let Some(easy_install) = easy_install {
        scripts.push(easy_install.clone());
        scripts.push(renamed(easy_install, format!("easy_install-{major}.{minor}")));
    }
    let remade =
        |name: &str| pip.is_some() && is_pip_name(name) || easy_install.is_some() && is_easy_install_name(name);
    scripts.extend(declared.iter().filter(|entry_point| !remade(&entry_point.name)).cloned());
    scripts
}

/// Whether a file of `.data/scripts` is a wrapper that setuptools generated for an entry point of this name: the
/// installer makes its own.
pub(crate) fn is_wrapper_of(file_name: &str, entry_point: &str) -> bool {
    let lower = file_name.to_ascii_lowercase();
    let stem_length = [".exe", "-script.py", ".pya"]
        .into_iter()
        .find(|suffix| lower.ends_with(suffix))
        .map_or(file_name.len(), |suffix| file_name.len() - suffix.len());
    file_name.get(..stem_length) == Some(entry_point)
}

/// `pip`, `pip3`, `pip3.11`.
fn is_pip_name(name: &str) -> bool {
    match name.strip_prefix("pip") {
        Some("") => true,
        Some(version) => version.split('.').count() <= 2 && version.split('.').all(is_number),
        None => false,
    }
}

/// `easy_install`, `easy_install-3.11`.
fn is_easy_install_name(name: &str) -> bool {
    match name.strip_prefix("easy_install") {
        Some("") => true,
        Some(rest) => rest
            .strip_prefix('-')
            .and_then(|version| version.split_once('.'))
            .is_some_and(|(major, minor)| is_number(major) && is_number(minor)),
        None => false,
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry_point(name: &str, module: &str, object: &str) -> EntryPoint {
        EntryPoint { name: name.to_owned(), module: module.to_owned(), object: object.to_owned() }
    }

    #[test]
    fn a_script_imports_the_first_part_and_calls_the_whole() {
        let script = entry_point_script(Path::new("/v/bin/python"), &entry_point("x", "a.b", "C.main"));
        let expected = "#!/v/bin/python\nimport sys\nfrom a.b import C\nif __name__ == '__main__':\n    \
                        sys.argv[0] = sys.argv[0].removesuffix('.exe')\n    sys.exit(C.main())\n";
        assert_eq!(String::from_utf8_lossy(&script), expected);
    }

    #[test]
    fn long_paths_and_spaces_go_through_the_shell() {
        let longest = format!("/{}", "x".repeat(LONGEST_SHEBANG - 4));
        assert_eq!(entry_point_shebang(Path::new(&longest)), format!("#!{longest}\n").as_bytes());
        let longer = format!("{longest}x");
        let expected = format!("#!/bin/sh\n'''exec' {longer} \"$0\" \"$@\"\n' '''\n");
        assert_eq!(entry_point_shebang(Path::new(&longer)), expected.as_bytes());
        let expected = "#!/bin/sh\n'''exec' \"/a b/python\" \"$0\" \"$@\"\n' '''\n";
        assert_eq!(entry_point_shebang(Path::new("/a b/python")), expected.as_bytes());
    }

    #[test]
    fn the_first_line_of_a_script_file_is_replaced() {
        let python = Path::new("/v/bin/python");
        assert_eq!(rewritten_script(python, b"#!python -u\r\nx\n").unwrap(), b"#!/v/bin/python\nx\n");
        assert_eq!(rewritten_script(python, b"#!pythonw").unwrap(), b"#!/v/bin/python\n");
        assert_eq!(rewritten_script(python, b"#!/usr/bin/python\n"), None);
        assert_eq!(rewritten_script(python, b""), None);
    }

    #[test]
    fn pip_and_easy_install_get_the_names_of_this_python() {
        let names = |declared: &[&str]| -> Vec<String> {
            let declared: Vec<_> = declared.iter().map(|name| entry_point(name, "m", "f")).collect();
            console_scripts(&declared, (3, 11)).into_iter().map(|entry_point| entry_point.name).collect()
        };
        assert_eq!(names(&["pip", "pip3", "pip3.9", "pipx", "pip-run"]), ["pip", "pip3", "pip3.11", "pipx", "pip-run"]);
        assert_eq!(names(&["easy_install-3.6", "easy_install"]), ["easy_install", "easy_install-3.11"]);
        assert_eq!(names(&["pip3.9", "easy_install-3.6"]), ["pip3.9", "easy_install-3.6"]);
    }

    #[test]
    fn wrappers_of_setuptools_are_recognised() {
        for name in ["tool", "tool.exe", "tool.EXE", "tool-script.py", "tool.pya"] {
            assert!(is_wrapper_of(name, "tool"), "{name}");
        }
        assert!(!is_wrapper_of("tool.py", "tool"));
        assert!(!is_wrapper_of("toolé", "tool"));
    }
}
