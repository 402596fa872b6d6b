//! Groups of options that several commands share, and the values of options that are more than text.

pub mod values;

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use packaging::PackageName;

use crate::terminal::settings::Color;
use values::{Seconds, expiry_grace, project_name, seconds, timestamp};

// What every command can be told; `cli::definition` adds it to each of them. (A doc comment would become the help of these.)
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
    #[allow(rustdoc::broken_intra_doc_links, reason = "the comment is the help text, where brackets are no link")]
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

#[derive(Clone, Debug, Default, Args)]
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

// Which versions count; the order of these options does, too.
#[derive(Clone, Debug, Args)]
pub struct ReleaseArgs {
    /// Include pre-releases and development versions
    #[arg(long)]
    pub pre: bool,
    /// Include pre-releases of these packages (:all:, :none:, or names with commas)
    #[arg(long, value_name = "names")]
    pub all_releases: Vec<String>,
    /// Only final releases of these packages (:all:, :none:, or names with commas)
    #[arg(long, value_name = "names")]
    pub only_final: Vec<String>,
}

/// How strictly signatures are insisted on.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Repository security options")]
pub struct VerificationArgs {
    /// Refuse to install what neither a signed index nor a hash of yours vouches for; what is installed already is not
    /// looked at
    #[arg(long)]
    pub require_signed: bool,
    /// Let this project be unsigned if no signed index has it; may be given several times, or names with commas
    #[arg(long, value_name = "name", value_delimiter = ',', value_parser = project_name)]
    pub allow_unsigned: Vec<PackageName>,
    /// Send no requests; use what was fetched and verified before
    #[arg(long)]
    pub offline: bool,
    /// Accept signed metadata that expired less than so long ago (7d, 12h, P7D)
    #[arg(long, value_name = "duration", value_parser = expiry_grace)]
    pub allow_expired: Option<Duration>,
    /// Verify no signatures at all during this command: whoever controls the network or the index chooses what is installed
    #[arg(long)]
    pub disable_repository_security: bool,
}

/// Options that no file and no variable may set: each weakens what is verified, so somebody has to type it each time.
pub const COMMAND_LINE_ONLY: &[&str] = &["allow-unsigned", "allow-expired", "disable-repository-security"];
