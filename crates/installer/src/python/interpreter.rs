//! Everything tufpip knows about an interpreter, as `data/probe.py` reports it.

use std::path::PathBuf;

use packaging::{MarkerEnvironment, TagInputs};
use serde::{Deserialize, Serialize};

use super::search_path::SearchPathEntry;

/// An interpreter and the environment it belongs to. Probed once and cached.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Interpreter {
    /// `sys.executable`: what scripts get as their first line.
    pub executable: PathBuf,
    /// Full version, for instance `3.11.7`.
    pub version: String,
    /// `sys.implementation.cache_tag`, which .pyc files carry in their names; none when bytecode is not cached.
    pub cache_tag: Option<String>,
    /// `sys.prefix`.
    pub prefix: PathBuf,
    /// `sys.base_prefix`; differs from `prefix` in a virtual environment.
    pub base_prefix: PathBuf,
    /// Values of the environment markers of PEP 508.
    pub markers: MarkerEnvironment,
    /// What compatibility tags follow from.
    pub tag_facts: TagInputs,
    /// Where a plain install goes.
    pub paths: SchemePaths,
    /// Where `--user` goes; none when the interpreter has no user scheme.
    pub user_paths: Option<SchemePaths>,
    /// The user's site-packages.
    pub user_site: Option<PathBuf>,
    /// Whether the interpreter looks into the user's site-packages; `None` when it was switched off for security.
    pub user_site_enabled: Option<bool>,
    /// Where `--prefix` goes, with `{prefix}` for the directory.
    pub prefix_paths: SchemePaths,
    /// Where `--target` goes, with `{home}` for the directory.
    pub home_paths: SchemePaths,
    /// Whether this is a virtual environment.
    pub is_virtualenv: bool,
    /// Whether a virtual environment also sees the packages of its base interpreter.
    pub system_site_packages: bool,
    /// Where installed distributions are looked for, if something is there.
    pub(super) search_path: Vec<SearchPathEntry>,
    /// The standard library.
    pub stdlib: PathBuf,
    /// The text of EXTERNALLY-MANAGED (PEP 668), when the interpreter belongs to an operating system's package manager.
    pub externally_managed: Option<String>,
    /// Whether `tag_facts` were replaced by those of another machine, whose own rules about wheels are not known here.
    #[serde(skip)]
    pub is_for_other_machine: bool,
}

impl Interpreter {
    /// Major and minor version.
    pub fn major_minor(&self) -> (u8, u8) {
        let narrow = |part: u32| u8::try_from(part).unwrap_or(u8::MAX);
        (narrow(self.tag_facts.version.0), narrow(self.tag_facts.version.1))
    }
}

/// One install scheme: a directory for each kind of file. `headers` ends before the distribution's own directory.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SchemePaths {
    /// Pure Python modules.
    pub purelib: PathBuf,
    /// Modules with compiled parts.
    pub platlib: PathBuf,
    /// Scripts.
    pub scripts: PathBuf,
    /// The root of data files.
    pub data: PathBuf,
    /// The parent of each distribution's C headers.
    pub headers: PathBuf,
}
