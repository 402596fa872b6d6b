//! What no wheel may write to and no uninstallation may remove (threats.md §1, rule 7).

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use packaging::{PackageName, Version};

use crate::scheme::Scheme;
use crate::staging;
use crate::transaction_error::TransactionError;

/// The special directories of the environment that a transaction changes, links resolved.
#[derive(Default)]
pub(crate) struct Protected {
    libraries: BTreeSet<PathBuf>,
    scripts: BTreeSet<PathBuf>,
    prefixes: BTreeSet<PathBuf>,
    /// The directories of the schemes: where nothing leads out of by a link.
    inside: BTreeSet<PathBuf>,
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
        for directory in [&scheme.purelib, &scheme.platlib, &scheme.scripts, &scheme.data, &scheme.headers] {
            let directory = self.resolve(directory)?;
            self.inside.insert(directory);
        }
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

    /// The directories that distributions are installed in.
    pub(crate) fn libraries(&self) -> Vec<PathBuf> {
        self.libraries.iter().cloned().collect()
    }

    /// Whether a directory without links is one of the schemes' or below one.
    pub(crate) fn is_inside(&self, directory: &Path) -> bool {
        directory.ancestors().any(|ancestor| self.inside.contains(ancestor))
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

    /// Why the distribution with this metadata directory may not put anything into a directory, if it may not.
    pub(crate) fn directory(&self, directory: &Path, own_info: &str) -> Option<&'static str> {
        for library in &self.libraries {
            let Ok(inner) = directory.strip_prefix(library) else { continue };
            let Some(top) = inner.components().next() else { continue };
            let top = top.as_os_str();
            if staging::is_staging_name(top) {
                return Some("the staging directory of a transaction");
            }
            if top != own_info && has_suffix(top, ".dist-info") || speaks_for_another(top, own_info) {
                return Some("another distribution's metadata");
            }
        }
        None
    }

    /// Why the distribution with this metadata directory may not have a file of this name in a directory, if it may not.
    pub(crate) fn file(&self, directory: &Path, name: &str, own_info: &str) -> Option<&'static str> {
        if name.eq_ignore_ascii_case("pyvenv.cfg") && self.prefixes.contains(directory) {
            return Some("the configuration of the virtual environment");
        }
        if self.scripts.contains(directory) {
            if is_interpreter_name(name) {
                return Some("the Python interpreter");
            }
            if is_activation_script(name) {
                return Some("an activation script of the virtual environment");
            }
        }
        if !self.libraries.contains(directory) {
            return None;
        }
        let name = OsStr::new(name);
        if has_suffix(name, ".dist-info") || speaks_for_another(name, own_info) {
            return Some("another distribution's metadata");
        }
        staging::is_staging_name(name).then_some("the staging directory of a transaction")
    }

    /// Whether a path is the `.egg-info` that a wheel brings of its own project, or in it. It would be read as a second
    /// installed distribution of that project (docs/decisions/what-speaks-for-another-project.md).
    pub(crate) fn is_second_metadata(&self, path: &Path, own_info: &str) -> bool {
        self.libraries.iter().any(|library| {
            let top = path.strip_prefix(library).ok().and_then(|inner| inner.components().next());
            top.is_some_and(|top| {
                has_suffix(top.as_os_str(), ".egg-info") && !speaks_for_another(top.as_os_str(), own_info)
            })
        })
    }

    /// The same for a file, as plain distutils wrote it.
    pub(crate) fn is_second_metadata_file(&self, directory: &Path, name: &str, own_info: &str) -> bool {
        let name = OsStr::new(name);
        has_suffix(name, ".egg-info") && !speaks_for_another(name, own_info) && self.libraries.contains(directory)
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
        if is_activation_script(&path.file_name()?.to_string_lossy()) && self.scripts.contains(path.parent()?) {
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

/// The scripts that `venv` and `virtualenv` make, for any shell; not `activate-global-python-argcomplete`.
fn is_activation_script(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    matches!(lower.split('.').next(), Some("activate" | "deactivate" | "activate_this"))
}

/// Whether a name in a library would be read as an installed distribution, or lead to one, of another project than the
/// one with the metadata directory `own_info`: `.egg-info`, eggs and `.egg-link`.
fn speaks_for_another(name: &OsStr, own_info: &str) -> bool {
    if has_suffix(name, ".egg") || has_suffix(name, ".egg-link") {
        return true;
    }
    if !has_suffix(name, ".egg-info") {
        return false;
    }
    let name = name.to_string_lossy();
    let stem = name.rsplit_once('.').map_or(&*name, |(stem, _)| stem);
    let own = project_of(own_info).parse::<PackageName>();
    // `name`, `name-1.0`, `name-1.0-py3.11`, where the name may have hyphens.
    let ends = stem.match_indices('-').map(|(position, _)| position).chain([stem.len()]);
    let mut names = ends.filter_map(|end| stem.get(..end)?.parse::<PackageName>().ok());
    own.is_err() || !names.any(|name| own.as_ref() == Ok(&name))
}

/// The project in the name of a metadata directory: `name-version.dist-info`, where the name may have hyphens.
pub(crate) fn project_of(info: &str) -> &str {
    let stem = info.rsplit_once('.').map_or(info, |(stem, _)| stem);
    let is_version = |text: &str| text.replace('_', "-").parse::<Version>().is_ok();
    let splits = stem.match_indices('-').filter_map(|(position, _)| stem.split_at_checked(position));
    let named = splits.clone().find(|(_, version)| version.get(1..).is_some_and(is_version));
    named.or_else(|| splits.clone().next()).map_or(stem, |(name, _)| name)
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

    #[test]
    fn activation_scripts_are_known_by_name() {
        for name in ["activate", "activate.fish", "Activate.ps1", "activate_this.py", "deactivate.bat"] {
            assert!(is_activation_script(name), "{name}");
        }
        for name in ["activate-global-python-argcomplete", "activated", "virtualenvwrapper.sh"] {
            assert!(!is_activation_script(name), "{name}");
        }
    }

    #[test]
    fn projects_of_metadata_directories() {
        for (info, project) in [
            ("foo_bar-1.0.dist-info", "foo_bar"),
            ("foo-bar-1.0.dist-info", "foo-bar"),
            ("foo-1-2.dist-info", "foo"),
            ("foo-1.0_1.dist-info", "foo"),
            ("foo.egg-info", "foo"),
            ("foo.bar-0.9-py3.7.egg-info", "foo.bar"),
        ] {
            assert_eq!(project_of(info), project, "{info}");
        }
    }

    #[test]
    fn what_would_be_read_as_another_distribution() {
        let own = "foo_bar-1.0.dist-info";
        for name in ["foo.bar.egg-info", "Foo_Bar-0.9-py3.7.egg-info", "foo-bar-1.EGG-INFO", "foo_bar", "x.egg-infos"] {
            assert!(!speaks_for_another(OsStr::new(name), own), "{name}");
        }
        for name in ["foo.egg-info", "foo_bar2-1.0.egg-info", "victim-1.0.Egg-Info", "foo_bar-1.0.egg", "x.egg-link"] {
            assert!(speaks_for_another(OsStr::new(name), own), "{name}");
        }
    }
}
