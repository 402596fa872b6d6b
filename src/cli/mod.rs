//! The definition of the whole command line, and of the commands that take their options from pip.conf, too: clap
//! definitions only; the doc comments are the help. Options of `trust` and `repo` stand beside their commands.
//!
//! The words themselves are read by [`tokens`], because pip's users rely on optparse's rules (abbreviated options, values
//! that start with a hyphen, options before the command); clap gets them tidied, checks values and prints help. Options
//! and commands of pip that are answered with a sentence instead stand in [`unsupported_options`].
//!
//! What pip.conf may say follows from the definitions: `SetFalse` is pip's `store_false`, which configuration asks for the
//! opposite (`no-compile = false` switches compiling off).

pub mod tokens;
pub mod unsupported_options;

use clap::ArgAction::SetFalse;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::arguments::values::{PythonVersion, dependency_group, python_version};
use crate::arguments::{GeneralArgs, IndexArgs, ReleaseArgs, VerificationArgs};
use crate::commands;
use crate::commands::list::ListFormat;
use crate::terminal::settings::ProgressBar;
use installer::options::DependencyGroup;

/// Options whose values add up over all sources, and are not split at white space.
pub const ACCUMULATING_OPTIONS: &[&str] =
    &["no-binary", "only-binary", "all-releases", "only-final", "group", "config-settings", "refresh-package"];

/// The definition of the whole command line, with the options that are only known by name.
pub fn definition() -> clap::Command {
    let mut definition = with_shared_options(Cli::command(), "");
    definition.build();
    definition
}

/// Adds the general options and those that are only known by name to a command and to all commands below it; the path is
/// `trust add`.
fn with_shared_options(definition: clap::Command, path: &str) -> clap::Command {
    let definition = definition.disable_help_flag(true).args_override_self(true);
    let definition = unsupported_options::add_options(GeneralArgs::augment_args(definition), path);
    let names: Vec<String> = definition.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    names.iter().fold(definition, |definition, name| {
        let path = format!("{path} {name}");
        definition.mut_subcommand(name, |command| with_shared_options(command, path.trim_start()))
    })
}

/// A pip-compatible installer that verifies everything it downloads
#[derive(Debug, Parser)]
#[command(name = "tufpip", disable_help_subcommand = true, disable_version_flag = true)]
#[command(override_usage = "tufpip <command> [options]")]
pub struct Cli {
    /// Show version and exit
    #[arg(short = 'V', long)]
    pub version: bool,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Install packages
    Install(Box<InstallArgs>),
    /// Download packages
    Download(Box<DownloadArgs>),
    /// Uninstall packages
    Uninstall(UninstallArgs),
    /// List installed packages
    List(Box<ListArgs>),
    /// Output installed packages in requirements format
    Freeze(FreezeArgs),
    /// Show information about installed packages
    Show(ShowArgs),
    /// Verify that installed packages have compatible dependencies
    Check(CheckArgs),
    /// Look after the cache
    Cache(commands::cache::CacheArgs),
    /// Say which indexes are trusted, and by whose signatures
    Trust(commands::trust::TrustArgs),
    /// Show which signatures the files of packages are trusted by
    WhyTrust(Box<WhyTrustArgs>),
    /// Make a signed index out of packages
    #[cfg(feature = "repo")]
    Repo(Box<commands::repo::RepoArgs>),
    /// Show help for commands
    Help(HelpArgs),
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Package selection options")]
pub struct SelectionArgs {
    #[command(flatten)]
    pub releases: ReleaseArgs,
    /// No wheels of these packages (:all:, :none:, or names with commas)
    #[arg(long, value_name = "names")]
    pub no_binary: Vec<String>,
    /// Only wheels of these packages (:all:, :none:, or names with commas)
    #[arg(long, value_name = "names")]
    pub only_binary: Vec<String>,
    /// Prefer an older wheel to a newer source distribution
    #[arg(long)]
    pub prefer_binary: bool,
}

#[derive(Debug, Args)]
pub struct TargetPythonArgs {
    /// Take wheels for this platform; may be given several times
    #[arg(long, value_name = "platform")]
    pub platform: Vec<String>,
    /// Take what works with this version of Python (3, 3.12, 3.12.1 or 312)
    #[arg(long, value_name = "python_version", value_parser = python_version)]
    pub python_version: Option<PythonVersion>,
    /// Take wheels for this implementation (cp, pp, py …)
    #[arg(long, value_name = "implementation")]
    pub implementation: Option<String>,
    /// Take wheels for this ABI; may be given several times
    #[arg(long, value_name = "abi")]
    pub abi: Vec<String>,
}

/// What `install` and `download` share.
#[derive(Debug, Args)]
pub struct RequirementArgs {
    /// Names with version specifiers, paths or URLs
    #[arg(value_name = "requirement")]
    pub requirements: Vec<String>,
    /// Read requirements from this file or URL; may be given several times
    #[arg(short, long, value_name = "file")]
    pub requirement: Vec<String>,
    /// Read constraints on versions from this file or URL; may be given several times
    #[arg(short, long, value_name = "file")]
    pub constraint: Vec<String>,
    /// Take a dependency group of a pyproject.toml; may be given several times
    #[arg(long, value_name = "[path:]group", value_parser = dependency_group)]
    pub group: Vec<DependencyGroup>,
    /// Do not install dependencies
    #[arg(long, alias = "no-dependencies")]
    pub no_deps: bool,
    /// Install the dependencies of the requirements, but not the requirements themselves
    #[arg(long, alias = "only-dependencies")]
    pub only_deps: bool,
    /// Refuse what has no hash given
    #[arg(long)]
    pub require_hashes: bool,
    /// Do not require hashes of everything when one requirement has some
    #[arg(long)]
    pub no_require_hashes: bool,
    /// Take releases that do not claim to work with this Python
    #[arg(long)]
    pub ignore_requires_python: bool,
    #[command(flatten)]
    pub target: TargetPythonArgs,
    /// How to show progress
    #[arg(long, value_name = "progress_bar", default_value = "auto")]
    pub progress_bar: ProgressBar,
}

/// Install packages from indexes, files, directories and URLs
#[derive(Debug, Args)]
pub struct InstallArgs {
    #[command(flatten)]
    pub requirement_args: RequirementArgs,
    /// Only say what would be installed
    #[arg(long)]
    pub dry_run: bool,
    /// Install into this directory, without an environment's layout
    #[arg(short, long = "target", value_name = "dir")]
    pub target_dir: Option<String>,
    /// Install into the user's own site directory
    #[arg(long, overrides_with = "allows_user")]
    pub user: bool,
    /// Do not install into the user's own site directory
    #[arg(long = "no-user", hide = true, action = SetFalse, overrides_with = "user")]
    pub allows_user: bool,
    /// Install everything below this directory, as if it were the root directory
    #[arg(long, value_name = "dir")]
    pub root: Option<String>,
    /// Put lib, bin and the other directories below this one
    #[arg(long, value_name = "dir")]
    pub prefix: Option<String>,
    /// Upgrade what is named to the newest version
    #[arg(short = 'U', long)]
    pub upgrade: bool,
    /// Whether dependencies are upgraded as well
    #[arg(long, value_name = "upgrade_strategy", default_value = "only-if-needed")]
    pub upgrade_strategy: UpgradeStrategyArg,
    /// Install again what is there already
    #[arg(long)]
    pub force_reinstall: bool,
    /// Do not look at what is installed; overwrite it
    #[arg(short = 'I', long)]
    pub ignore_installed: bool,
    /// Change an environment that is managed by the operating system
    #[arg(long)]
    pub break_system_packages: bool,
    /// Compile to bytecode (default)
    #[arg(long, overrides_with = "compiles")]
    pub compile: bool,
    /// Do not compile to bytecode
    #[arg(long = "no-compile", action = SetFalse, overrides_with = "compile")]
    pub compiles: bool,
    /// Do not warn when scripts land outside of PATH
    #[arg(long = "no-warn-script-location", action = SetFalse)]
    pub warns_script_location: bool,
    /// Do not warn about broken dependencies
    #[arg(long = "no-warn-conflicts", action = SetFalse)]
    pub warns_conflicts: bool,
    /// What to do when run as root
    #[arg(long, value_name = "root_user_action", default_value = "warn")]
    pub root_user_action: RootUserAction,
    /// Write a JSON report to this file, or to standard output (-)
    #[arg(long, value_name = "file")]
    pub report: Option<String>,
    #[command(flatten)]
    pub security: VerificationArgs,
    #[command(flatten)]
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub index: IndexArgs,
}

/// Download packages from indexes, files and URLs
#[derive(Debug, Args)]
pub struct DownloadArgs {
    #[command(flatten)]
    pub requirement_args: RequirementArgs,
    /// Put the files into this directory
    #[arg(short, long, aliases = ["destination-dir", "destination-directory"], value_name = "dir", default_value = ".")]
    pub dest: String,
    #[command(flatten)]
    pub security: VerificationArgs,
    #[command(flatten)]
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub index: IndexArgs,
}

/// Uninstall packages
#[derive(Debug, Args)]
pub struct UninstallArgs {
    /// Names of packages
    #[arg(value_name = "package")]
    pub packages: Vec<String>,
    /// Uninstall everything this file names; may be given several times
    #[arg(short, long, value_name = "file")]
    pub requirement: Vec<String>,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// What to do when run as root
    #[arg(long, value_name = "root_user_action", default_value = "warn")]
    pub root_user_action: RootUserAction,
    /// Change an environment that is managed by the operating system
    #[arg(long)]
    pub break_system_packages: bool,
}

/// What `list` and `freeze` share.
#[derive(Debug, Args)]
pub struct InstalledArgs {
    /// Words that pip ignores.
    #[arg(hide = true)]
    pub ignored: Vec<String>,
    /// Not the packages of the base interpreter
    #[arg(short, long)]
    pub local: bool,
    /// Only the packages of the user's own site directory
    #[arg(long)]
    pub user: bool,
    /// Only the packages in this directory; may be given several times
    #[arg(long, value_name = "path")]
    pub path: Vec<String>,
    /// Leave this package out; may be given several times
    #[arg(long, value_name = "package")]
    pub exclude: Vec<String>,
}

/// List installed packages
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    pub installed: InstalledArgs,
    /// Only packages that have a newer version
    #[arg(short, long)]
    pub outdated: bool,
    /// Only packages that have no newer version
    #[arg(short, long)]
    pub uptodate: bool,
    /// Only editable projects
    #[arg(short, long)]
    pub editable: bool,
    /// How to print
    #[arg(long, value_name = "list_format", default_value = "columns")]
    pub format: ListFormat,
    /// Only packages that no other package requires
    #[arg(long)]
    pub not_required: bool,
    /// Leave editable projects out
    #[arg(long = "exclude-editable", action = SetFalse, overrides_with = "include_editable")]
    pub shows_editable: bool,
    /// Show editable projects (default)
    #[arg(long, overrides_with = "shows_editable")]
    pub include_editable: bool,
    #[command(flatten)]
    pub security: VerificationArgs,
    #[command(flatten)]
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub index: IndexArgs,
}

/// Output installed packages in requirements format
#[derive(Debug, Args)]
pub struct FreezeArgs {
    #[command(flatten)]
    pub installed: InstalledArgs,
    /// Keep the order and the comments of this requirements file; may be given several times
    #[arg(short, long, value_name = "file")]
    pub requirement: Vec<String>,
    /// Also print the packages that install others
    #[arg(long)]
    pub all: bool,
    /// Leave editable projects out
    #[arg(long)]
    pub exclude_editable: bool,
}

/// Show information about installed packages
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Names of packages
    #[arg(value_name = "package")]
    pub packages: Vec<String>,
    /// List the files as well
    #[arg(short, long)]
    pub files: bool,
}

/// Verify that installed packages have compatible dependencies
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Words that pip ignores.
    #[arg(hide = true)]
    pub ignored: Vec<String>,
}

/// Show which signatures the files of packages are trusted by
#[derive(Debug, Args)]
pub struct WhyTrustArgs {
    /// Names of packages
    #[arg(value_name = "package")]
    pub names: Vec<String>,
    #[command(flatten)]
    pub security: VerificationArgs,
    #[command(flatten)]
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub index: IndexArgs,
}

/// Show help for commands
#[derive(Debug, Args)]
pub struct HelpArgs {
    /// The command, with the command below it if it has some
    #[arg(value_name = "command")]
    pub commands: Vec<String>,
}

/// Whether dependencies are upgraded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum UpgradeStrategyArg {
    /// Only when they must.
    OnlyIfNeeded,
    /// Always.
    Eager,
}

/// What to do when run as root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RootUserAction {
    /// Warn.
    Warn,
    /// Nothing.
    Ignore,
}
