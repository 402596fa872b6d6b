//! The warning about programs that were installed where a shell does not look for them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::event::{Reporter, WarningCode};

/// Warns of `scripts` (full paths) of one distribution whose directories are neither on PATH nor beside the interpreter.
pub fn warn(scripts: &[PathBuf], interpreter: &Path, reporter: &dyn Reporter) {
    if scripts.is_empty() {
        return;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let searched: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Some(message) = message(scripts, interpreter, &searched) {
        reporter.warning(WarningCode::ScriptLocation, message);
    }
}

fn message(scripts: &[PathBuf], interpreter: &Path, searched: &[PathBuf]) -> Option<String> {
    let mut by_directory: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
    for script in scripts {
        let directory = resolved(script.parent().unwrap_or(script));
        let name = script.file_name().unwrap_or_default().to_string_lossy().into_owned();
        by_directory.entry(directory).or_default().insert(name);
    }
    // A virtual environment works without being activated.
    let beside = interpreter.parent().map(resolved);
    let known: BTreeSet<PathBuf> = searched.iter().map(|path| resolved(path)).chain(beside).collect();
    by_directory.retain(|directory, _| !known.contains(directory) && !searched.contains(directory));
    let mut lines: Vec<String> = by_directory
        .iter()
        .map(|(directory, names)| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let subject = match names.split_last() {
                Some((last, others)) if !others.is_empty() => format!("scripts {} and {last} are", others.join(", ")),
                _ => format!("script {} is", names.join("")),
            };
            format!("The {subject} installed in '{}' which is not on PATH.", directory.display())
        })
        .collect();
    let directories = match lines.len() {
        0 => return None,
        1 => "this directory",
        _ => "these directories",
    };
    lines.push(format!(
        "Consider adding {directories} to PATH or, if you prefer to suppress this warning, use --no-warn-script-location."
    ));
    if searched.iter().any(|path| path.to_string_lossy().starts_with('~')) {
        lines.push(
            "NOTE: The current PATH contains path(s) starting with `~`, which may not be expanded by all applications."
                .to_owned(),
        );
    }
    Some(lines.join("\n"))
}

fn resolved(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| std::path::absolute(path).unwrap_or_else(|_| path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_warned() {
        let scripts = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
        let python = Path::new("/v/bin/python");
        let searched = scripts(&["/usr/bin", "/bin"]);
        assert_eq!(message(&scripts(&["/v/bin/a"]), python, &searched), None);
        assert_eq!(message(&scripts(&["/w/bin/a"]), python, &scripts(&["/w/bin"])), None);
        let one = "The script a is installed in '/w/bin' which is not on PATH.\nConsider adding this directory to PATH \
                   or, if you prefer to suppress this warning, use --no-warn-script-location.";
        assert_eq!(message(&scripts(&["/w/bin/a"]), python, &searched).as_deref(), Some(one));
        let three = message(&scripts(&["/w/bin/c", "/w/bin/a", "/w/bin/b", "/x/d"]), python, &scripts(&["~/bin"]));
        let three = three.unwrap();
        assert!(three.starts_with("The scripts a, b and c are installed in '/w/bin'"), "{three}");
        assert!(three.contains("Consider adding these directories to PATH"), "{three}");
        assert!(three.contains("NOTE: The current PATH contains path(s) starting with `~`"), "{three}");
    }
}
