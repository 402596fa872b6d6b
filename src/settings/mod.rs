//! What one command shall do: the command line, `PIP_*`, `TUFPIP_*` and pip.conf merged into one [`Settings`].
//!
//! Every default is applied here, so nothing that has one is optional behind this point; an `Option` left means that
//! absence has a meaning of its own. Nothing here asks the network or runs Python. The rules are those of pip's
//! configuration page: built-in < `[global]` of every file < `[command]` of every file < `PIP_*` < command line.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use url::Url;

mod commands;
mod configuration;
mod control;
mod layers;
mod redact;
mod repo;
mod settle;
#[cfg(test)]
mod tests;
mod trust;

pub use commands::{control, index_url};
pub use configuration::Surroundings;
pub use control::{FormatControl, ReleaseControl, normalize};
pub use redact::redact;
pub use repo::{
    AddFiles, AddMetadataTo, Bring, ChangeReleases, DelegateProject, EditRoot, EditedGroup, InitRepository, KeyCommand,
    MirrorIndex, RemoveReleases, Renewed, RepoCommand, RepoSettings, RootCommand, RotateOnline, SignFiles,
    VerifyPublished, YankReleases,
};
pub use settle::settle;
pub use trust::{AddTrust, RootSource, TrustCommand, TrustSettings, WhyTrustSettings};

/// The index that is asked when none is named: pip's documented default, and the only registry address in the program.
pub const DEFAULT_INDEX_URL: &str = "https://pypi.org/simple";

/// Everything one run has to know before it starts.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What to do.
    pub command: Command,
    /// The interpreter, or the directory of a virtual environment, to work on; as given to `--python`.
    pub python: Option<PathBuf>,
    /// Stop when the environment is no virtual one.
    pub require_virtualenv: bool,
    /// What the user sees.
    pub terminal: TerminalSettings,
    /// How servers are spoken to, and the cache.
    pub network: NetworkSettings,
    /// Where trusted roots are kept, and how strictly signatures are insisted on.
    pub trust: TrustSettings,
    /// Sentences to print as warnings before the command starts.
    pub warnings: Vec<String>,
}

/// The command with what belongs to it alone.
#[derive(Clone, Debug)]
pub enum Command {
    /// `install`
    Install(Box<InstallSettings>),
    /// `download`
    Download(Box<DownloadSettings>),
    /// `uninstall`
    Uninstall(UninstallSettings),
    /// `list`
    List(Box<ListSettings>),
    /// `freeze`
    Freeze(FreezeSettings),
    /// `show`
    Show(ShowSettings),
    /// `check`
    Check,
    /// `trust`
    Trust(TrustCommand),
    /// `why-trust`
    WhyTrust(Box<WhyTrustSettings>),
    /// `repo`
    Repo(Box<RepoSettings>),
    /// `--version`
    Version,
    /// `help`, `help COMMAND`, `--help`, or no word at all.
    Help {
        /// The page, for standard output.
        text: String,
    },
}

/// `install`
#[derive(Clone, Debug)]
pub struct InstallSettings {
    /// What is wanted.
    pub wishes: WishSettings,
    /// Where to look.
    pub indexes: IndexSettings,
    /// What may be chosen.
    pub selection: SelectionSettings,
    /// Where to put it.
    pub place: Place,
    /// `--root`: everything goes below this directory, as if it were `/`.
    pub root: Option<PathBuf>,
    /// Whether what is installed may stay.
    pub upgrade: Upgrade,
    /// Install again what is there already.
    pub force_reinstall: bool,
    /// Do not look at what is installed; overwrite. On with `--target`.
    pub ignore_installed: bool,
    /// Only say what would be installed.
    pub dry_run: bool,
    /// Where the JSON report goes.
    pub report: Option<Output>,
    /// Compile to bytecode.
    pub compile: bool,
    /// Warn when a script lands outside of PATH.
    pub warn_script_location: bool,
    /// Warn when the environment is inconsistent afterwards.
    pub warn_conflicts: bool,
    /// Change an environment that is marked as managed by somebody else (PEP 668).
    pub break_system_packages: bool,
    /// Warn when running as root outside of a virtual environment.
    pub warn_root_user: bool,
}

/// `download`
#[derive(Clone, Debug)]
pub struct DownloadSettings {
    /// What is wanted.
    pub wishes: WishSettings,
    /// Where to look.
    pub indexes: IndexSettings,
    /// What may be chosen.
    pub selection: SelectionSettings,
    /// Where the files go; the current directory unless named.
    pub destination: PathBuf,
}

/// `uninstall`
#[derive(Clone, Debug)]
pub struct UninstallSettings {
    /// Names (or requirements, of which only the name counts) from the command line.
    pub packages: Vec<String>,
    /// `-r`
    pub requirement_files: Vec<String>,
    /// Do not ask.
    pub yes: bool,
    /// Change an environment that is marked as managed by somebody else (PEP 668).
    pub break_system_packages: bool,
    /// Warn when running as root outside of a virtual environment.
    pub warn_root_user: bool,
}

/// `list`
#[derive(Clone, Debug)]
pub struct ListSettings {
    /// Which distributions are looked at.
    pub installed: InstalledFilter,
    /// Where newer versions are looked for.
    pub indexes: IndexSettings,
    /// Which newer versions count.
    pub selection: SelectionSettings,
    /// Compare with the indexes.
    pub freshness: Freshness,
    /// `-e`: only editable projects.
    pub editable: bool,
    /// Editable projects are shown; off with `--exclude-editable`.
    pub include_editable: bool,
    /// Only what no other distribution requires.
    pub not_required: bool,
    /// How to print.
    pub format: ListFormat,
}

/// `freeze`
#[derive(Clone, Debug)]
pub struct FreezeSettings {
    /// Which distributions are looked at.
    pub installed: InstalledFilter,
    /// `-r`: files whose order and comments are kept.
    pub requirement_files: Vec<String>,
    /// Also print the installers themselves (`pip`, and `setuptools`, `wheel`, `distribute` before Python 3.12).
    pub all: bool,
    /// Leave editable projects out.
    pub exclude_editable: bool,
}

/// `show`
#[derive(Clone, Debug)]
pub struct ShowSettings {
    /// Names from the command line; at least one.
    pub packages: Vec<String>,
    /// List the files too.
    pub files: bool,
}

/// What the user sees and is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TerminalSettings {
    /// Number of `-v` less the number of `-q`; `--debug` is 2.
    pub verbosity: i8,
    /// When to use colour.
    pub color: Color,
    /// How progress is shown.
    pub progress_bar: ProgressBar,
    /// A file that gets a verbose log appended.
    pub log: Option<PathBuf>,
    /// Never ask anything.
    pub no_input: bool,
}

/// How servers are spoken to. Variables that are not pip's (`HTTPS_PROXY`, `SSL_CERT_FILE` …) are read by the network
/// layer itself.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkSettings {
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
    /// `HOST` or `HOST:PORT`, for which TLS is not verified and plain HTTP is no offence.
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

/// What the user asks for, not yet parsed; `requirements` does that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WishSettings {
    /// Words of the command line.
    pub requirements: Vec<String>,
    /// `-r`: paths or URLs.
    pub requirement_files: Vec<String>,
    /// `-c`: paths or URLs.
    pub constraint_files: Vec<String>,
    /// `--group`
    pub groups: Vec<Group>,
    /// Do not look at dependencies.
    pub no_deps: bool,
    /// Take the dependencies, but not the wishes themselves.
    pub only_deps: bool,
    /// `Some` when said; else hashes given with any wish switch the mode on.
    pub require_hashes: Option<bool>,
}

/// A dependency group (PEP 735) of a project file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The `pyproject.toml`.
    pub path: PathBuf,
    /// The group's name as written.
    pub name: String,
}

/// Where distributions are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexSettings {
    /// The index, then the extra ones; empty with `--no-index`.
    pub indexes: Vec<Url>,
    /// Directories, pages and files.
    pub find_links: Vec<String>,
    /// No index is asked, whatever a requirements file says.
    pub no_index: bool,
}

/// Which of the distributions found may be chosen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SelectionSettings {
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

/// A Python to choose distributions for; what is empty is as in the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetPython {
    /// Platform tags such as `manylinux_2_28_x86_64`.
    pub platforms: Vec<String>,
    /// One to three parts of a version, as given.
    pub python_version: Option<Vec<u32>>,
    /// `cp`, `pp`, `py` …
    pub implementation: Option<String>,
    /// ABI tags.
    pub abis: Vec<String>,
}

impl TargetPython {
    /// Whether anything was said.
    pub fn is_set(&self) -> bool {
        *self != Self::default()
    }
}

/// Where an installation goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
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

/// Whether what is installed may stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upgrade {
    /// Whatever satisfies the wishes stays.
    ToSatisfyOnly,
    /// `-U`: the wishes get their newest version, dependencies only when they must.
    OnlyIfNeeded,
    /// `-U --upgrade-strategy eager`: everything gets its newest version.
    Eager,
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

/// What `list` compares with the indexes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Nothing; every distribution is shown.
    Any,
    /// Only what has a newer version.
    Outdated,
    /// Only what has none.
    UpToDate,
}

/// How `list` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ListFormat {
    /// A table.
    Columns,
    /// `name==version` lines.
    Freeze,
    /// JSON.
    Json,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// When the terminal can, unless the environment says otherwise.
    Auto,
    /// In any case.
    Always,
    /// Never.
    Never,
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ProgressBar {
    /// A bar on a terminal, unless quiet.
    Auto,
    /// A bar.
    On,
    /// Nothing.
    Off,
    /// `Progress N of TOTAL` lines.
    Raw,
    /// One JSON object a line.
    Json,
}

/// The candidate that looks most like a word, when one looks like it at all.
fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |candidate: &str| strsim::normalized_damerau_levenshtein(word, candidate);
    let scored = candidates.map(|candidate| (likeness(candidate), candidate)).filter(|(likeness, _)| *likeness >= 0.6);
    scored.max_by(|left, right| left.0.total_cmp(&right.0)).map(|(_, candidate)| candidate)
}
