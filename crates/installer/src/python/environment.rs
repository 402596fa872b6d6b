//! The environment of a command: its interpreter and what is installed in it.

use std::path::{Path, PathBuf};

use packaging::{PackageName, Version};
use wheel::{InstalledDistribution, RemovalScope};

use crate::cache::CacheDirectory;
use crate::error::{Code, Failure};
use crate::options::CommonOptions;
use crate::python::{self, Interpreter};

/// An interpreter and the distributions it sees.
pub struct Environment {
    /// The interpreter.
    pub interpreter: Interpreter,
    distributions: Vec<InstalledDistribution>,
}

impl Environment {
    /// Finds the interpreter, probes it unless the cache knows it, and reads what is installed.
    ///
    /// # Errors
    /// When there is no interpreter, or it must be that of a virtual environment and is not.
    pub fn open(options: &CommonOptions, cache: &CacheDirectory) -> Result<Self, Failure> {
        let executable = python::find(options.python.as_deref())?;
        let interpreter = Interpreter::probe(&executable, cache)?;
        if options.require_virtualenv && !interpreter.is_virtualenv {
            return Err(Failure::new(Code::PythonNoVirtualenv, "Could not find an activated virtualenv (required).")
                .hint("activate one, or name one with --python"));
        }
        let distributions = wheel::installed(&interpreter.site_packages())?;
        Ok(Self { interpreter, distributions })
    }

    /// What is installed for `name`: the one that an import finds.
    pub fn installed(&self, name: &PackageName) -> Option<&InstalledDistribution> {
        self.distributions.iter().find(|distribution| distribution.normalized_name.as_ref() == Some(name))
    }

    /// Everything that is installed, in the order of the search path.
    pub fn distributions(&self) -> &[InstalledDistribution] {
        &self.distributions
    }

    /// Whether the same distributions are installed as when this was opened.
    ///
    /// # Errors
    /// When the environment cannot be read.
    pub fn is_unchanged(&self) -> Result<bool, Failure> {
        let now = wheel::installed(&self.interpreter.site_packages())?;
        let places = |distributions: &[InstalledDistribution]| -> Vec<PathBuf> {
            distributions.iter().map(|distribution| distribution.info.clone()).collect()
        };
        Ok(places(&now) == places(&self.distributions))
    }

    /// From where the files of an installed distribution may be removed.
    pub fn removal_scope(&self, distribution: &InstalledDistribution) -> RemovalScope {
        let interpreter = &self.interpreter;
        let in_user_site = interpreter.user_site.as_deref() == Some(distribution.location.as_path());
        let paths = interpreter.user_paths.as_ref().filter(|_| in_user_site).unwrap_or(&interpreter.paths);
        let mut permitted = vec![interpreter.prefix.clone()];
        if !interpreter.is_virtualenv {
            permitted.extend(interpreter.user_paths.as_ref().map(|paths| paths.data.clone()));
            permitted.push(interpreter.paths.data.clone());
        }
        let libraries =
            [&interpreter.paths.purelib, &interpreter.paths.platlib].into_iter().chain(&interpreter.user_site);
        RemovalScope { permitted, scripts: paths.scripts.clone(), libraries: libraries.cloned().collect() }
    }

    /// Refuses to change an environment that belongs to an operating system's package manager (PEP 668).
    ///
    /// # Errors
    /// When the environment is marked as externally managed.
    pub fn refuse_if_managed(&self) -> Result<(), Failure> {
        match &self.interpreter.externally_managed {
            Some(text) if !self.interpreter.is_virtualenv => Err(Failure::new(
                Code::PythonExternallyManaged,
                format!("externally-managed-environment\n\nThis environment is externally managed:\n{}", text.trim()),
            )
            .hint("install into a virtual environment; --break-system-packages overrides this at the risk of breaking your Python installation or OS")),
            _ => Ok(()),
        }
    }
}

/// The version of an installed distribution, where it is one.
pub fn installed_version(distribution: &InstalledDistribution) -> Option<Version> {
    match &distribution.version {
        Some(text) => text.parse().ok(),
        None => distribution.metadata().ok()??.ok().map(|metadata| metadata.version),
    }
}

/// A path as it is shown: relative to the working directory when it lies below it.
pub fn shown_path(path: &Path) -> String {
    let relative =
        std::env::current_dir().ok().and_then(|current| path.strip_prefix(current).ok().map(Path::to_path_buf));
    match relative {
        Some(relative) if relative.components().next().is_some() => {
            PathBuf::from(".").join(relative).display().to_string()
        }
        _ => path.display().to_string(),
    }
}
