//! The settings of one run: the command line, `PIP_*`, `TUFPIP_*` and pip.conf, merged.
//!
//! Every default is applied here, so nothing that has one is optional behind this point; an `Option` left means that
//! absence has a meaning of its own. Nothing here uses the network or runs Python. The rules are those of pip's
//! configuration page: built-in < `[global]` of every file < `[command]` of every file < `PIP_*` < command line.

use std::path::PathBuf;

use installer::options::{
    CommonOptions, DownloadOptions, IndexOptions, InstallOptions, InstalledFilter, SelectionOptions,
};

mod commands;
mod configuration;
mod layers;
mod repo;
mod resolve_settings;
#[cfg(test)]
mod tests;
mod trust;

pub use repo::{
    AddFiles, AddMetadataTo, ChangeReleases, DelegateProject, EditRoot, EditedGroup, InitRepository, KeyCommand,
    MirrorIndex, OperatorOptions, RemoveReleases, Renewed, RepoCommand, RootCommand, RotateOnline, SignFiles,
    VerifyPublished, YankReleases,
};
pub use resolve_settings::resolve_settings;
pub use trust::{AddTrust, RootSource, TrustCommand, WhyTrustOptions};

/// The index that is used when none is named: pip's documented default, and the only registry address in the program.
pub const DEFAULT_INDEX_URL: &str = "https://pypi.org/simple";

/// The settings of one run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What to do.
    pub command: Command,
    /// What every command of the installer has to know.
    pub common: CommonOptions,
    /// What the user sees.
    pub terminal: TerminalSettings,
    /// Sentences to print as warnings before the command starts.
    pub warnings: Vec<String>,
}

/// The command with what belongs to it alone.
#[derive(Clone, Debug)]
pub enum Command {
    /// `install`
    Install(Box<InstallOptions>),
    /// `download`
    Download(Box<DownloadOptions>),
    /// `uninstall`
    Uninstall(UninstallOptions),
    /// `list`
    List(Box<ListOptions>),
    /// `freeze`
    Freeze(FreezeOptions),
    /// `show`
    Show(ShowOptions),
    /// `check`
    Check,
    /// `trust`
    Trust(TrustCommand),
    /// `why-trust`
    WhyTrust(Box<WhyTrustOptions>),
    /// `repo`
    Repo(Box<OperatorOptions>),
    /// `--version`
    Version,
    /// `help`, `help COMMAND`, `--help`, or no argument at all.
    Help {
        /// The page, for standard output.
        text: String,
    },
}

/// `uninstall`
#[derive(Clone, Debug)]
pub struct UninstallOptions {
    /// Names (or requirements, of which only the name counts) from the command line.
    pub packages: Vec<String>,
    /// `-r`
    pub requirement_files: Vec<String>,
    /// Do not ask.
    pub yes: bool,
    /// Change an environment that is marked as externally managed (PEP 668).
    pub break_system_packages: bool,
    /// Warn when running as root outside of a virtual environment.
    pub warn_root_user: bool,
}

/// `list`
#[derive(Clone, Debug)]
pub struct ListOptions {
    /// Which distributions are looked at.
    pub installed: InstalledFilter,
    /// Where newer versions are looked for.
    pub indexes: IndexOptions,
    /// Which newer versions count.
    pub selection: SelectionOptions,
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
pub struct FreezeOptions {
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
pub struct ShowOptions {
    /// Names from the command line; at least one.
    pub packages: Vec<String>,
    /// List the files too.
    pub files: bool,
}

/// Output and prompts.
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

/// The candidate that is most similar to a word, if any is similar enough.
fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |candidate: &str| strsim::normalized_damerau_levenshtein(word, candidate);
    let scored = candidates.map(|candidate| (likeness(candidate), candidate)).filter(|(likeness, _)| *likeness >= 0.6);
    scored.max_by(|left, right| left.0.total_cmp(&right.0)).map(|(_, candidate)| candidate)
}
