//! Which interpreter to use.
//!
//! Order: `--python`, the interpreter of the launcher, `VIRTUAL_ENV`, `CONDA_PREFIX`, the environment that this program was
//! called from, `python3` on PATH. Nothing is looked for in the working directory
//! (docs/decisions/what-an-interpreter-runs.md).

use std::path::{Path, PathBuf};

use crate::error::{Code, Failure};
use crate::process_environment::{LAUNCHER_VARIABLE, on_path};

/// Finds the interpreter's executable; `requested` is the value of `--python`: an executable, a command name or an
/// environment. The path is absolute, and links in it are not followed.
///
/// # Errors
/// When nothing is found, or what was named is no interpreter.
pub fn find(requested: Option<&Path>) -> Result<PathBuf, Failure> {
    let found = match requested {
        Some(requested) => named(requested)?,
        None => unnamed()?,
    };
    Ok(std::path::absolute(&found).unwrap_or(found))
}

fn named(path: &Path) -> Result<PathBuf, Failure> {
    let found = if is_command_name(path) {
        on_path(&path.to_string_lossy())
    } else if path.is_dir() {
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

/// Whether this is `python`, `python3.12`, `pypy3` and the like: who writes that means PATH, not a file of the working
/// directory that has the name.
pub fn is_command_name(path: &Path) -> bool {
    let Some(name) = path.to_str() else { return false };
    let version = ["python", "pypy", "graalpy"].iter().find_map(|prefix| name.strip_prefix(prefix));
    version.is_some_and(|version| version.trim_end_matches('t').chars().all(|c| c.is_ascii_digit() || c == '.'))
}

fn unnamed() -> Result<PathBuf, Failure> {
    if let Some(launcher) = variable(LAUNCHER_VARIABLE) {
        return Some(launcher.clone()).filter(|path| path.is_file()).ok_or_else(|| {
            let message = format!("{LAUNCHER_VARIABLE} names {}, which is no file", launcher.display());
            Failure::new(Code::PythonNotFound, message).hint("name an interpreter or an environment with --python")
        });
    }
    for name in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
        if let Some(directory) = variable(name) {
            return in_environment(&directory).ok_or_else(|| {
                Failure::new(
                    Code::PythonNotFound,
                    format!("{name} names {}, where there is no Python", directory.display()),
                )
                .hint(format!("unset {name}, or choose an environment with --python"))
            });
        }
    }
    let program = std::env::args_os().next().map(PathBuf::from);
    let of_program = program.and_then(|program| environment_of(&program)).and_then(|found| in_environment(&found));
    of_program.or_else(|| on_path("python3")).ok_or_else(|| {
        Failure::new(Code::PythonNotFound, "Could not find a Python interpreter")
            .detail("looked in", "VIRTUAL_ENV, CONDA_PREFIX, the environment of this program, python3 on PATH")
            .hint("name an interpreter or an environment with --python")
    })
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn in_environment(directory: &Path) -> Option<PathBuf> {
    ["bin/python", "bin/python3", "Scripts/python.exe"]
        .iter()
        .map(|relative| directory.join(relative))
        .find(|candidate| candidate.is_file())
}

/// The virtual environment that a program was called from, if it is for more than this program. Links are not followed: who
/// puts a link into `~/bin` means a program, not an environment.
fn environment_of(program: &Path) -> Option<PathBuf> {
    let called = match program.components().count() {
        1 => on_path(program.to_str()?)?,
        _ => std::path::absolute(program).ok()?,
    };
    let directory = called.parent()?.parent()?;
    (directory.join("pyvenv.cfg").is_file() && !is_of_tool_manager(directory)).then(|| directory.to_owned())
}

/// Whether a tool manager made this environment for one program. pipx and `uv tool install` leave a file in it that says
/// so; those of `uvx` lie in a bucket of uv's cache, which is marked as a cache.
fn is_of_tool_manager(environment: &Path) -> bool {
    let is_marked = ["pipx_metadata.json", "pipx_expired_venv", "uv-receipt.toml"];
    let in_cache = environment.ancestors().skip(1).any(|directory| {
        let name = directory.file_name().unwrap_or_default().to_string_lossy();
        let is_bucket = name.starts_with("archive-v") || name.starts_with("environments-v");
        is_bucket && directory.parent().is_some_and(|cache| cache.join("CACHEDIR.TAG").is_file())
    });
    in_cache || is_marked.iter().any(|name| environment.join(name).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_mean_path() {
        for name in ["python", "python3", "python3.13", "python3.13t", "pypy3.10", "graalpy"] {
            assert!(is_command_name(Path::new(name)), "{name}");
        }
        for name in ["venv", "python-env", "./python3", "/usr/bin/python3", "python3/bin/python", "mypython"] {
            assert!(!is_command_name(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn the_environment_of_a_program_unless_it_is_for_the_program_alone() {
        let root = tempfile::tempdir().unwrap();
        let environment = |path: &str| {
            let directory = root.path().join(path);
            std::fs::create_dir_all(directory.join("bin")).unwrap();
            std::fs::write(directory.join("pyvenv.cfg"), "").unwrap();
            directory
        };
        let of = |directory: &Path| environment_of(&directory.join("bin/tufpip"));
        let plain = environment("venv");
        assert_eq!(of(&plain), Some(plain.clone()));
        for marker in ["pipx_metadata.json", "pipx_expired_venv", "uv-receipt.toml"] {
            let tool = environment(&format!("tools/{marker}"));
            std::fs::write(tool.join(marker), "").unwrap();
            assert_eq!(of(&tool), None, "{marker}");
        }
        let cached = environment("cache/archive-v0/x1");
        assert_eq!(of(&cached), Some(cached.clone()));
        std::fs::write(root.path().join("cache/CACHEDIR.TAG"), "").unwrap();
        assert_eq!(of(&cached), None);
        // `uv venv` marks the environments that it makes for people, too.
        std::fs::write(plain.join("CACHEDIR.TAG"), "").unwrap();
        assert_eq!(of(&plain), Some(plain));
        assert_eq!(of(&root.path().join("nothing")), None);
        std::os::unix::fs::symlink(cached.join("bin"), root.path().join("bin")).unwrap();
        assert_eq!(environment_of(&root.path().join("bin/tufpip")), None);
    }
}
