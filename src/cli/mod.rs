//! The command line: clap definitions only. Their doc comments are the help.
//!
//! The words themselves are read by [`tokens`], because pip's users rely on optparse's rules (abbreviated options, values
//! that start with a hyphen, options before the command); clap gets them tidied, checks values and prints help. Options
//! and commands of pip that are answered with a sentence instead stand in [`unsupported_options`].

pub mod repo;
pub mod tokens;
pub mod trust;
pub mod unsupported_options;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;

use crate::settings::{Color, ListFormat, ProgressBar};
use installer::options::DependencyGroup;

mod values;

pub use trust::{COMMAND_LINE_ONLY, VerificationArgs};
use values::{PythonVersion, Seconds, dependency_group, python_version, seconds, timestamp};

/// The definition of the whole command line, with the options that are only known by name.
pub fn definition() -> clap::Command {
    let mut definition = with_unsupported_options(Cli::command(), "");
    definition.build();
    definition
}

/// Adds the options that are only known by name to a command and to all commands below it; the path is `trust add`.
fn with_unsupported_options(definition: clap::Command, path: &str) -> clap::Command {
    let definition = unsupported_options::add_options(definition, path);
    let names: Vec<String> = definition.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    names.iter().fold(definition, |definition, name| {
        let path = format!("{path} {name}");
        definition.mut_subcommand(name, |command| with_unsupported_options(command, path.trim_start()))
    })
}

/// A pip-compatible installer that verifies everything it downloads
#[derive(Debug, Parser)]
#[command(name = "tufpip", disable_help_flag = true, disable_help_subcommand = true, disable_version_flag = true)]
#[command(override_usage = "tufpip <command> [options]", args_override_self = true)]
pub struct Cli {
    /// Show version and exit
    #[arg(short = 'V', long)]
    pub version: bool,
    #[command(flatten)]
    pub general: GeneralArgs,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
#[command(disable_help_flag = true, args_override_self = true)]
pub enum Command {
    /// Install packages
    #[command(disable_help_flag = true, args_override_self = true)]
    Install(Box<InstallArgs>),
    /// Download packages
    #[command(disable_help_flag = true, args_override_self = true)]
    Download(Box<DownloadArgs>),
    /// Uninstall packages
    #[command(disable_help_flag = true, args_override_self = true)]
    Uninstall(UninstallArgs),
    /// List installed packages
    #[command(disable_help_flag = true, args_override_self = true)]
    List(Box<ListArgs>),
    /// Output installed packages in requirements format
    #[command(disable_help_flag = true, args_override_self = true)]
    Freeze(FreezeArgs),
    /// Show information about installed packages
    #[command(disable_help_flag = true, args_override_self = true)]
    Show(ShowArgs),
    /// Verify that installed packages have compatible dependencies
    #[command(disable_help_flag = true, args_override_self = true)]
    Check(CheckArgs),
    /// Say which indexes are trusted, and by whose signatures
    #[command(disable_help_flag = true, args_override_self = true)]
    Trust(trust::TrustArgs),
    /// Show which signatures the files of packages are trusted by
    #[command(disable_help_flag = true, args_override_self = true)]
    WhyTrust(Box<trust::WhyTrustArgs>),
    /// Make a signed index out of packages
    #[command(disable_help_flag = true, args_override_self = true)]
    Repo(Box<repo::RepoArgs>),
    /// Show help for commands
    #[command(disable_help_flag = true, args_override_self = true)]
    Help(HelpArgs),
}

#[derive(Debug, Args)]
#[command(next_help_heading = "General options")]
pub struct GeneralArgs {
    /// Show help
    #[arg(short, long)]
    pub help: bool,
    /// Give more output, as with -vv
    #[arg(long)]
    pub debug: bool,
    /// Ignore environment variables and the user's configuration
    #[arg(long)]
    pub isolated: bool,
    /// Refuse to run outside of a virtual environment
    #[arg(long, alias = "require-venv")]
    pub require_virtualenv: bool,
    /// Work on the environment of this interpreter, or on this virtual environment
    #[arg(long, value_name = "python")]
    pub python: Option<String>,
    /// Give more output; may be given up to 3 times
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Give less output; may be given up to 3 times
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub quiet: u8,
    /// Append a verbose log to this file
    #[arg(long, aliases = ["log-file", "local-log"], value_name = "path")]
    pub log: Option<String>,
    /// Never ask anything
    #[arg(long)]
    pub no_input: bool,
    /// Use this proxy, given as scheme://[user:password@]host:port
    #[arg(long, value_name = "proxy")]
    pub proxy: Option<String>,
    /// Do not read proxies from environment variables
    #[arg(long)]
    pub no_proxy_env: bool,
    /// How often a failed connection is tried again
    #[arg(long, value_name = "retries", default_value_t = 5)]
    pub retries: u32,
    /// How many seconds a server may be silent
    #[arg(long, alias = "default-timeout", value_name = "sec", default_value = "15", value_parser = seconds)]
    pub timeout: Seconds,
    /// How often a download that broke off is continued
    #[arg(long, value_name = "resume_retries", default_value_t = 5)]
    pub resume_retries: u32,
    /// Do not verify TLS for this host or host:port, and allow plain HTTP
    #[arg(long, value_name = "hostname")]
    pub trusted_host: Vec<String>,
    /// PEM file of certificate authorities that replaces the default ones
    #[arg(long, value_name = "path")]
    pub cert: Option<String>,
    /// PEM file with a private key and its certificate, to show to the server
    #[arg(long, value_name = "path", hide = true)]
    pub client_cert: Option<String>,
    /// Keep the cache in this directory
    #[arg(long, value_name = "dir", overrides_with = "no_cache_dir")]
    pub cache_dir: Option<String>,
    /// Do not use a cache
    #[arg(long, overrides_with = "cache_dir")]
    pub no_cache_dir: bool,
    /// Print without colour
    #[arg(long, overrides_with = "color")]
    pub no_color: bool,
    /// When to use colour
    #[arg(long, value_name = "when", overrides_with = "no_color", default_value = "auto")]
    pub color: Color,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Package index options")]
pub struct IndexArgs {
    /// Base URL of the package index, or a local directory laid out like one
    #[arg(short, long, alias = "pypi-url", value_name = "URL")]
    pub index_url: Option<String>,
    /// Base URL of a further index
    #[arg(long, value_name = "URL")]
    pub extra_index_url: Vec<String>,
    /// Ask no index, look only at --find-links
    #[arg(long)]
    pub no_index: bool,
    /// Also look at this directory, archive or page of links
    #[arg(short, long, value_name = "url")]
    pub find_links: Vec<String>,
    /// Only take what was uploaded before this date, or at least so many days ago (P3D)
    #[arg(long, value_name = "datetime_or_duration", value_parser = timestamp)]
    pub uploaded_prior_to: Option<Timestamp>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Package selection options")]
pub struct SelectionArgs {
    /// Include pre-releases and development versions
    #[arg(long)]
    pub pre: bool,
    /// Include pre-releases of these packages (:all:, :none:, or names with commas)
    #[arg(long, value_name = "names")]
    pub all_releases: Vec<String>,
    /// Only final releases of these packages (:all:, :none:, or names with commas)
    #[arg(long, value_name = "names")]
    pub only_final: Vec<String>,
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
    #[arg(long, overrides_with = "no_user")]
    pub user: bool,
    /// Do not install into the user's own site directory
    #[arg(long, hide = true, overrides_with = "user")]
    pub no_user: bool,
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
    #[arg(long, overrides_with = "no_compile")]
    pub compile: bool,
    /// Do not compile to bytecode
    #[arg(long, overrides_with = "compile")]
    pub no_compile: bool,
    /// Do not warn when scripts land outside of PATH
    #[arg(long)]
    pub no_warn_script_location: bool,
    /// Do not warn about broken dependencies
    #[arg(long)]
    pub no_warn_conflicts: bool,
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
    #[command(flatten)]
    pub general: GeneralArgs,
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
    #[command(flatten)]
    pub general: GeneralArgs,
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
    #[command(flatten)]
    pub general: GeneralArgs,
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
    #[arg(long, overrides_with = "include_editable")]
    pub exclude_editable: bool,
    /// Show editable projects (default)
    #[arg(long, overrides_with = "exclude_editable")]
    pub include_editable: bool,
    #[command(flatten)]
    pub security: VerificationArgs,
    #[command(flatten)]
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub index: IndexArgs,
    #[command(flatten)]
    pub general: GeneralArgs,
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
    #[command(flatten)]
    pub general: GeneralArgs,
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
    #[command(flatten)]
    pub general: GeneralArgs,
}

/// Verify that installed packages have compatible dependencies
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Words that pip ignores.
    #[arg(hide = true)]
    pub ignored: Vec<String>,
    #[command(flatten)]
    pub general: GeneralArgs,
}

/// Show help for commands
#[derive(Debug, Args)]
pub struct HelpArgs {
    /// The command, with the command below it if it has some
    #[arg(value_name = "command")]
    pub commands: Vec<String>,
    #[command(flatten)]
    pub general: GeneralArgs,
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
