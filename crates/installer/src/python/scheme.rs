//! Where files go: pip's install schemes for a plain install, `--user`, `--prefix`, `--target` and `--root`.

use std::path::{Component, Path, PathBuf};

use super::{Interpreter, SchemePaths};
use crate::error::{Code, Failure};

/// Where an install goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstallScheme {
    /// The environment itself.
    Environment,
    /// The user's own site-packages.
    User,
    /// Below a directory, laid out as an environment is.
    Prefix(PathBuf),
    /// One flat directory; the value is the temporary directory in which the home scheme is built first.
    Home(PathBuf),
}

/// The directories of an install, before a distribution is known.
#[derive(Clone, Debug)]
pub struct Destination {
    paths: SchemePaths,
}

impl Destination {
    /// The directories for `layout`; with `root` (as DESTDIR in make) all of them below it.
    ///
    /// # Errors
    /// When the interpreter has no user scheme.
    pub fn new(interpreter: &Interpreter, layout: &InstallScheme, root: Option<&Path>) -> Result<Self, Failure> {
        let mut paths = match layout {
            InstallScheme::Environment => interpreter.paths.clone(),
            InstallScheme::User => interpreter
                .user_paths
                .clone()
                .ok_or_else(|| Failure::new(Code::PythonNoUserScheme, "This Python has no user site-packages"))?,
            InstallScheme::Prefix(directory) => interpreter.prefix_paths.filled("{prefix}", directory),
            InstallScheme::Home(directory) => interpreter.home_paths.filled("{home}", directory),
        };
        if let Some(root) = root {
            paths = paths.map(|path| below(root, path));
        }
        Ok(Self { paths })
    }

    /// The directories of `--target`: modules, data and metadata side by side, scripts in `bin`.
    pub fn flat(directory: &Path) -> Self {
        let paths = SchemePaths {
            purelib: directory.to_owned(),
            platlib: directory.to_owned(),
            scripts: directory.join("bin"),
            data: directory.to_owned(),
            headers: directory.join("include"),
        };
        Self { paths }
    }

    /// All of them.
    pub fn paths(&self) -> &SchemePaths {
        &self.paths
    }

    /// Where pure Python modules go.
    pub fn purelib(&self) -> &Path {
        &self.paths.purelib
    }

    /// Where modules with compiled parts go.
    pub fn platlib(&self) -> &Path {
        &self.paths.platlib
    }

    /// The directories for the distribution `name`.
    pub fn scheme(&self, name: &str) -> wheel::Scheme {
        wheel::Scheme {
            purelib: self.paths.purelib.clone(),
            platlib: self.paths.platlib.clone(),
            scripts: self.paths.scripts.clone(),
            data: self.paths.data.clone(),
            headers: self.paths.headers.join(name),
        }
    }
}

impl SchemePaths {
    fn map(&self, change: impl Fn(&Path) -> PathBuf) -> Self {
        Self {
            purelib: change(&self.purelib),
            platlib: change(&self.platlib),
            scripts: change(&self.scripts),
            data: change(&self.data),
            headers: change(&self.headers),
        }
    }

    fn filled(&self, placeholder: &str, directory: &Path) -> Self {
        self.map(|path| match path.strip_prefix(placeholder) {
            Ok(rest) if rest.as_os_str().is_empty() => directory.to_owned(),
            Ok(rest) => directory.join(rest),
            Err(_) => path.to_owned(),
        })
    }
}

fn below(root: &Path, path: &Path) -> PathBuf {
    let relative = path.components().filter(|part| !matches!(part, Component::RootDir | Component::Prefix(_)));
    root.components().chain(relative).collect()
}
