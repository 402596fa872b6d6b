//! What callers of this library decide. Defaults are applied before, so that an `Option` here means that absence has a
//! meaning of its own.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use packaging::{PackageName, TargetPython};
use resolve::UpgradeStrategy;
use url::Url;
use wheel::ProtectedPlace;

use crate::error::Failure;
use crate::process_environment::ProcessEnvironment;

mod format_control;

pub use format_control::{AllowedFormats, FormatControl, ProjectNames, ReleaseControl, normalize};

/// What every command has to know, whatever it does.
#[derive(Clone, Debug)]
pub struct CommonOptions {
    /// The interpreter, or the directory of a virtual environment, to work on; as given to `--python`.
    pub python: Option<PathBuf>,
    /// Stop when the environment is no virtual one.
    pub require_virtualenv: bool,
    /// Options of network connections, and the cache.
    pub network: NetworkOptions,
    /// Where trusted roots are kept, and how strictly signatures are required.
    pub trust: TrustOptions,
    /// What no package may change, besides what follows from the other options: configuration files, data of the program.
    pub protected: Vec<ProtectedPlace>,
}

/// `install`
#[derive(Clone, Debug)]
pub struct InstallOptions {
    /// The requirements.
    pub requirement_options: RequirementOptions,
    /// Where to look.
    pub indexes: IndexOptions,
    /// What may be chosen.
    pub selection: SelectionOptions,
    /// Where to put it.
    pub place: InstallLocation,
    /// `--root`: everything goes below this directory, as if it were `/`.
    pub root: Option<PathBuf>,
    /// Whether what is installed may stay.
    pub upgrade: UpgradeStrategy,
    /// Install again what is there already.
    pub force_reinstall: bool,
    /// Do not look at what is installed; overwrite. On with `--target`.
    pub ignore_installed: bool,
    /// Only report what would be installed.
    pub dry_run: bool,
    /// Where the JSON report goes.
    pub report: Option<Output>,
    /// Compile to bytecode.
    pub compile: bool,
    /// Warn when a script lands outside of PATH.
    pub warn_script_location: bool,
    /// Warn when the environment is inconsistent afterwards.
    pub warn_conflicts: bool,
    /// Change an environment that is marked as externally managed (PEP 668).
    pub break_system_packages: bool,
    /// Warn when running as root outside of a virtual environment.
    pub warn_root_user: bool,
}

/// `download`
#[derive(Clone, Debug)]
pub struct DownloadOptions {
    /// The requirements.
    pub requirement_options: RequirementOptions,
    /// Where to look.
    pub indexes: IndexOptions,
    /// What may be chosen.
    pub selection: SelectionOptions,
    /// Where the files go; the current directory unless named.
    pub destination: PathBuf,
}

/// Options of network connections. Variables that are not pip's (`HTTPS_PROXY`, `SSL_CERT_FILE` …) are read by the
/// network layer itself.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkOptions {
    /// Which proxy is used.
    pub proxy: Proxy,
    /// How long a server may be silent.
    pub timeout: Duration,
    /// How often a failed connection is tried again.
    pub retries: u32,
    /// How often a download that broke off is continued.
    pub resume_retries: u32,
    /// A PEM file that replaces the trusted certificate authorities.
    pub cert: Option<PathBuf>,
    /// A PEM file with a private key and its certificate.
    pub client_cert: Option<PathBuf>,
    /// `HOST` or `HOST:PORT`, for which TLS is not verified and plain HTTP is allowed.
    pub trusted_hosts: Vec<String>,
    /// The cache; `None` when it is switched off.
    pub cache_dir: Option<PathBuf>,
    /// Send no requests.
    pub offline: bool,
}

/// Which proxy is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proxy {
    /// What `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` say.
    Environment,
    /// None, whatever the environment says.
    Off,
    /// This one; may hold a password.
    Url(String),
}

/// Requirements, constraints and groups as given; `requirements` parses them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequirementOptions {
    /// Requirements given as arguments.
    pub requirements: Vec<String>,
    /// `-r`: paths or URLs.
    pub requirement_files: Vec<String>,
    /// `-c`: paths or URLs.
    pub constraint_files: Vec<String>,
    /// `--group`
    pub groups: Vec<DependencyGroup>,
    /// Do not look at dependencies.
    pub no_deps: bool,
    /// Install the dependencies, but not the requirements themselves.
    pub only_deps: bool,
    /// `Some` when an option decides; else a hash of any requirement switches the mode on.
    pub require_hashes: Option<bool>,
}

/// A dependency group (PEP 735) of a project file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DependencyGroup {
    /// The `pyproject.toml`.
    pub path: PathBuf,
    /// The group's name as written.
    pub name: String,
}

/// Where distributions are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexOptions {
    /// The index, then the extra ones; empty with `--no-index`.
    pub indexes: Vec<Url>,
    /// Directories, pages and files.
    pub find_links: Vec<String>,
    /// No index is used, whatever a requirements file says.
    pub no_index: bool,
}

/// Which of the distributions found may be chosen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SelectionOptions {
    /// Wheels, source distributions or both.
    pub formats: FormatControl,
    /// Pre-releases or not.
    pub releases: ReleaseControl,
    /// An older wheel is better than a newer source distribution.
    pub prefer_binary: bool,
    /// Nothing uploaded at or after this moment.
    pub uploaded_prior_to: Option<Timestamp>,
    /// Do not look at Requires-Python.
    pub ignore_requires_python: bool,
    /// The Python to choose for, where it is not the environment's own.
    pub target: TargetPython,
}

/// Where an installation goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstallLocation {
    /// The environment.
    Environment {
        /// `Some(true)` with `--user`, `Some(false)` with `--no-user`; else the caller decides.
        user: Option<bool>,
    },
    /// `--target`: one flat directory.
    Target(PathBuf),
    /// `--prefix`: `lib`, `bin` … below this directory.
    Prefix(PathBuf),
}

/// Where trusted roots are kept, and how strictly signatures are required.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustOptions {
    /// The user's own directory of trusted indexes, which is written to; `None` for a user without a home.
    pub store: Option<PathBuf>,
    /// Directories of trusted indexes that are only read, most trusted first.
    pub anchors: Vec<PathBuf>,
    /// Refuse indexes without a trusted root.
    pub require_signed: bool,
    /// Projects that may come from an unsigned index nevertheless.
    pub allow_unsigned: Vec<PackageName>,
    /// How long ago metadata other than the root may have expired; zero for not at all.
    pub allow_expired: Duration,
    /// Verify no signatures.
    pub disabled: bool,
}

/// Where a document is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// `-`
    Stdout,
    /// A file.
    File(PathBuf),
}

/// Which installed distributions a command looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstalledFilter {
    /// Not those of the base interpreter, when the environment sees them.
    pub local: bool,
    /// Only those of the user scheme.
    pub user: bool,
    /// Only those in these directories, when any is named.
    pub paths: Vec<PathBuf>,
    /// Normalized names to leave out.
    pub exclude: Vec<String>,
}

/// The address of an index, which may be a local directory.
///
/// # Errors
/// It is neither an absolute URL nor a directory.
pub fn index_url(text: &str, process_environment: &ProcessEnvironment) -> Result<Url, Failure> {
    parse_index_url(text, process_environment).ok_or_else(|| {
        Failure::usage(format!(
            "The index url \"{}\" seems invalid, please provide a scheme.",
            printable::redacted(text)
        ))
    })
}

/// The URL that a text is, or that of the local directory it names.
pub fn parse_index_url(text: &str, process_environment: &ProcessEnvironment) -> Option<Url> {
    let path = process_environment.expand(text);
    if path.is_dir() {
        let path = std::path::absolute(&path).unwrap_or(path);
        if let Ok(url) = Url::from_directory_path(&path) {
            return Some(url);
        }
    }
    // A Windows drive or `host:port` is no scheme that an index could have.
    Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https" | "file"))
}
