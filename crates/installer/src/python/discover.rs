//! Which interpreter to use, when the user did not name one.
//!
//! Order: `--python`, `VIRTUAL_ENV`, `CONDA_PREFIX`, `.venv` in the working directory, `python3` or `python` on PATH.

use std::path::{Path, PathBuf};

use crate::error::{Code, Failure};

/// Finds the interpreter's executable; `requested` is the value of `--python`: an executable, a command name or an
/// environment.
///
/// # Errors
/// When nothing is found, or what was named is no interpreter.
pub fn find(requested: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(requested) = requested {
        return named(requested);
    }
    for variable in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
        if let Some(directory) = std::env::var_os(variable).filter(|value| !value.is_empty()) {
            let directory = PathBuf::from(directory);
            return in_environment(&directory).ok_or_else(|| {
                Failure::new(
                    Code::PythonNotFound,
                    format!("{variable} names {}, where there is no Python", directory.display()),
                )
                .hint(format!("unset {variable}, or choose an environment with --python"))
            });
        }
    }
    if let Some(executable) = in_environment(Path::new(".venv")) {
        return Ok(executable);
    }
    ["python3", "python"].iter().find_map(|name| on_path(name)).ok_or_else(|| {
        Failure::new(Code::PythonNotFound, "Could not find a Python interpreter")
            .detail("looked in", "VIRTUAL_ENV, CONDA_PREFIX, .venv, python3 and python on PATH")
            .hint("name an interpreter or an environment with --python")
    })
}

fn named(path: &Path) -> Result<PathBuf, Failure> {
    let found = if path.is_dir() {
        in_environment(path)
    } else if path.components().count() > 1 || path.is_file() {
        path.is_file().then(|| path.to_owned())
    } else {
        on_path(&path.to_string_lossy())
    };
    found.ok_or_else(|| {
        Failure::new(Code::PythonNotFound, format!("Could not locate Python interpreter {}", path.display()))
            .hint("give an executable, a command on PATH, or the directory of an environment")
    })
}

fn in_environment(directory: &Path) -> Option<PathBuf> {
    ["bin/python", "bin/python3", "Scripts/python.exe"]
        .iter()
        .map(|relative| directory.join(relative))
        .find(|candidate| candidate.is_file())
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(|candidate| candidate.is_file())
}
