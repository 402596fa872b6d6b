//! What the process was started with: environment variables and directories, as far as options are read from them, and how
//! much of them child processes get.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{Access, access};

/// Directories of trusted roots, separated as PATH is.
pub const TRUST_VARIABLE: &str = "TUFPIP_TRUST";

/// The passphrase of an operator's private keys. A secret: no child process gets it.
pub const PASSPHRASE_VARIABLE: &str = "TUFPIP_REPO_PASSPHRASE";

/// The interpreter that runs a launcher of this program, such as `python -m tufpip`: the launcher sets it.
pub const LAUNCHER_VARIABLE: &str = "TUFPIP_LAUNCHED_BY";

/// The variables that child processes get; no others, because any other may have a secret. They are what interpreters, the
/// programs that choose one of several interpreters, and git need to start and to answer.
const FOR_CHILDREN: &[&str] = &[
    "HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "LC_MESSAGES",
    "LD_PRELOAD",
    // Where packages of the user are, and the form of bytecode.
    "PYTHONNOUSERSITE",
    "PYTHONUSERBASE",
    "SOURCE_DATE_EPOCH",
    // What `sysconfig` reads, also with -I.
    "_PYTHON_HOST_PLATFORM",
    "_PYTHON_PROJECT_BASE",
    "_PYTHON_SYSCONFIGDATA_NAME",
    "_CONDA_PYTHON_SYSCONFIGDATA_NAME",
    "DEB_PYTHON_INSTALL_LAYOUT",
    "MACOSX_DEPLOYMENT_TARGET",
    "ARCHFLAGS",
    "__PYVENV_LAUNCHER__",
    // `python3` on PATH may be a script of one of these.
    "PYENV_ROOT",
    "PYENV_VERSION",
    "ASDF_DIR",
    "ASDF_DATA_DIR",
    "ASDF_PYTHON_VERSION",
    "MISE_DATA_DIR",
    "MISE_CONFIG_DIR",
    "MISE_PYTHON_VERSION",
];

/// Lists of directories that child processes get, without what is relative: that would be found in the working directory.
const LISTS_FOR_CHILDREN: &[&str] = &["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"];

/// A command that gets the variables that child processes need, and no secrets.
pub fn child(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    command.envs(FOR_CHILDREN.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command.envs(LISTS_FOR_CHILDREN.iter().filter_map(|name| {
        let directories = absolute_directories(&std::env::var_os(name)?);
        let list = std::env::join_paths(directories).ok().filter(|list| !list.is_empty())?;
        Some((name, list))
    }));
    command
}

/// Finds a command on PATH. Relative and empty entries are passed over: they name the working directory, and what lies there
/// is not run unless somebody asks for it.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let directories = absolute_directories(&std::env::var_os("PATH")?);
    let mut candidates = directories.into_iter().map(|directory| directory.join(name));
    candidates.find(|candidate| candidate.is_file() && access(candidate, Access::EXEC_OK).is_ok())
}

fn absolute_directories(list: &OsString) -> Vec<PathBuf> {
    std::env::split_paths(list).filter(|directory| directory.is_absolute()).collect()
}

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
