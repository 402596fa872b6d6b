//! What no wheel may write to and no uninstallation may remove (threats.md §1, rule 7).

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::scheme::Scheme;
use crate::staging;
use crate::transaction_error::TransactionError;

/// The special directories of the environment that a transaction changes, links resolved.
#[derive(Default)]
pub(crate) struct Protected {
    libraries: BTreeSet<PathBuf>,
    scripts: BTreeSet<PathBuf>,
    prefixes: BTreeSet<PathBuf>,
    resolved: RefCell<BTreeMap<PathBuf, PathBuf>>,
}

impl Protected {
    /// Learns the directories of one more scheme.
    pub(crate) fn add_scheme(&mut self, scheme: &Scheme) -> Result<(), TransactionError> {
        for library in [&scheme.purelib, &scheme.platlib] {
            self.add_library(library)?;
        }
        let scripts = self.resolve(&scheme.scripts)?;
        self.scripts.insert(scripts);
        let prefix = self.resolve(&scheme.data)?;
        self.prefixes.insert(prefix);
        Ok(())
    }

    /// Learns one more directory that distributions are installed in.
    pub(crate) fn add_library(&mut self, library: &Path) -> Result<(), TransactionError> {
        let library = self.resolve(library)?;
        self.libraries.insert(library);
        Ok(())
    }

    /// Learns the scripts directory and the prefixes of an environment, links resolved.
    pub(crate) fn add_environment(&mut self, scripts: PathBuf, prefixes: &[PathBuf]) {
        self.scripts.insert(scripts);
        self.prefixes.extend(prefixes.iter().cloned());
    }

    /// An absolute path with the links in its existing part resolved.
    pub(crate) fn resolve(&self, path: &Path) -> Result<PathBuf, TransactionError> {
        if let Some(known) = self.resolved.borrow().get(path) {
            return Ok(known.clone());
        }
        let found = resolve(path)?;
        self.resolved.borrow_mut().insert(path.to_path_buf(), found.clone());
        Ok(found)
    }

    /// Why a distribution may not put anything into a directory, if it may not.
    pub(crate) fn directory(&self, directory: &Path, own_info: &str) -> Option<&'static str> {
        for library in &self.libraries {
            let Ok(inner) = directory.strip_prefix(library) else { continue };
            let Some(top) = inner.components().next() else { continue };
            let top = top.as_os_str();
            if staging::is_staging_name(top) {
                return Some("the staging directory of a transaction");
            }
            if has_suffix(top, ".dist-info") && top != own_info {
                return Some("another distribution's metadata");
            }
        }
        None
    }

    /// Why no distribution may have a file of this name in a directory, if none may.
    pub(crate) fn file(&self, directory: &Path, name: &str) -> Option<&'static str> {
        if name == "pyvenv.cfg" && self.prefixes.contains(directory) {
            return Some("the configuration of the virtual environment");
        }
        if is_interpreter_name(name) && self.scripts.contains(directory) {
            return Some("the Python interpreter");
        }
        if has_suffix(OsStr::new(name), ".dist-info") && self.libraries.contains(directory) {
            return Some("another distribution's metadata");
        }
        (staging::is_staging_name(OsStr::new(name)) && self.libraries.contains(directory))
            .then_some("the staging directory of a transaction")
    }

    /// Why something that exists and belongs to nothing that is being removed may not be replaced, if it may not.
    pub(crate) fn existing(&self, path: &Path) -> Option<&'static str> {
        let in_egg_info = |library: &PathBuf| {
            let top = path.strip_prefix(library).ok().and_then(|inner| inner.components().next());
            top.is_some_and(|top| has_suffix(top.as_os_str(), ".egg-info"))
        };
        if self.libraries.iter().any(in_egg_info) {
            return Some("another distribution's metadata");
        }
        self.environment_file(path)
    }

    /// What a path is to the environment itself, when it is something no distribution owns.
    pub(crate) fn environment_file(&self, path: &Path) -> Option<&'static str> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        let activates = name.starts_with("activate") || name.starts_with("deactivate");
        if activates && self.scripts.contains(path.parent()?) {
            return Some("an activation script of the virtual environment");
        }
        let in_standard_library = |library: &PathBuf| {
            let Some(parent) = library.parent() else { return false };
            let name = parent.file_name().map(OsStr::to_string_lossy);
            name.is_some_and(|name| name.starts_with("python")) && path.starts_with(parent)
        };
        let in_library = self.libraries.iter().any(|library| path.starts_with(library));
        (!in_library && self.libraries.iter().any(in_standard_library)).then_some("a file of Python's standard library")
    }
}

/// Resolves the links of the longest existing part of an absolute path.
pub(crate) fn resolve(path: &Path) -> Result<PathBuf, TransactionError> {
    let mut existing = path;
    let mut missing = Vec::new();
    loop {
        match existing.canonicalize() {
            Ok(mut found) => {
                found.extend(missing.iter().rev());
                return Ok(found);
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(TransactionError::io(existing)(error)),
        }
        match (existing.parent(), existing.file_name()) {
            (Some(parent), Some(name)) => {
                missing.push(name);
                existing = parent;
            }
            _ => return Ok(path.to_path_buf()),
        }
    }
}

/// `python`, `python3`, `Python3.11`, `pythonw.exe`, `python3.13t`.
fn is_interpreter_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let stem = lower.strip_suffix(".exe").unwrap_or(&lower);
    let Some(rest) = stem.strip_prefix("python") else { return false };
    rest.trim_end_matches(['w', 't', 'd']).bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn has_suffix(name: &OsStr, suffix: &str) -> bool {
    let name = name.as_encoded_bytes();
    let start = name.len().saturating_sub(suffix.len());
    name.get(start..).is_some_and(|end| end.eq_ignore_ascii_case(suffix.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpreters_are_known_by_name() {
        for name in ["python", "python3", "Python3.11", "pythonw", "python3.13t", "python.exe"] {
            assert!(is_interpreter_name(name), "{name}");
        }
        for name in ["python-argcomplete", "ipython", "pythonic", "py"] {
            assert!(!is_interpreter_name(name), "{name}");
        }
    }
}
