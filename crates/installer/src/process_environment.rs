//! Environment variables and directories of the process, as far as options are read from them. Tests pass their own.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Directories of trusted roots, separated as PATH is.
pub const TRUST_VARIABLE: &str = "TUFPIP_TRUST";

/// The passphrase of an operator's private keys. A secret: no child process gets it.
pub const PASSPHRASE_VARIABLE: &str = "TUFPIP_REPO_PASSPHRASE";

/// Environment variables and system directories of the process. Tests pass their own.
#[derive(Clone, Debug)]
pub struct ProcessEnvironment {
    /// Environment variables.
    pub variables: BTreeMap<String, String>,
    /// The directory of the machine's configuration: `/etc`.
    pub system: PathBuf,
}

impl ProcessEnvironment {
    /// Those of this process. Variables that are not Unicode are left out, but not the one that names trusted roots: a
    /// directory that is not found is refused, one that is not named would be skipped.
    pub fn current() -> Self {
        let variables = std::env::vars_os();
        let variables = variables.filter_map(|(name, value)| {
            let value = match value.into_string() {
                Err(value) if name == TRUST_VARIABLE => value.to_string_lossy().into_owned(),
                value => value.ok()?,
            };
            Some((name.into_string().ok()?, value))
        });
        Self { variables: variables.collect(), system: PathBuf::from("/etc") }
    }

    /// A variable, unless it is empty.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A path with a leading `~` replaced by the home directory.
    pub fn expand(&self, path: &str) -> PathBuf {
        let home = self.home();
        match (path.strip_prefix('~'), home) {
            (Some(""), Some(home)) => home,
            (Some(rest), Some(home)) if rest.starts_with(std::path::is_separator) => {
                home.join(rest.trim_start_matches(std::path::is_separator))
            }
            _ => PathBuf::from(path),
        }
    }

    /// The home directory according to the environment.
    pub fn home(&self) -> Option<PathBuf> {
        self.variable(if cfg!(windows) { "USERPROFILE" } else { "HOME" }).map(PathBuf::from)
    }
}
