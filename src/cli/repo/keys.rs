//! `repo init`, `repo key`, `repo root`, `repo rotate-online`, `repo delegate`: who signs.

use clap::{Args, Subcommand};

use super::{Place, Unlock};
use crate::cli::General;

/// Make keys and an empty signed index
#[derive(Debug, Args)]
pub struct Init {
    /// Where the index will be reachable; the pages are below simple/
    #[arg(long, value_name = "URL")]
    pub base: String,
    /// Where it is published: a directory, or s3://bucket/prefix
    #[arg(long, value_name = "place", default_value = "public")]
    pub output: String,
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub unlock: Unlock,
    #[command(flatten)]
    pub general: General,
}

/// Make, import and show keys
#[derive(Debug, Args)]
#[command(override_usage = "tufpip repo key <command> [options]")]
pub struct Keys {
    #[command(flatten)]
    pub general: General,
    #[command(subcommand)]
    pub command: KeyCommand,
}

#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Show public keys
    #[command(disable_help_flag = true, args_override_self = true)]
    Show(ShowKey),
}

/// Show public keys
#[derive(Debug, Args)]
pub struct ShowKey {
    /// Key files; all of the repository when none is named
    #[arg(value_name = "file")]
    pub files: Vec<String>,
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub general: General,
}

/// Change who signs, in steps that several people can share
#[derive(Debug, Args)]
#[command(override_usage = "tufpip repo root <command> [options]")]
pub struct Root {
    #[command(flatten)]
    pub general: General,
    #[command(subcommand)]
    pub command: RootCommand,
}

#[derive(Debug, Subcommand)]
pub enum RootCommand {
    /// Publish what enough people have signed
    #[command(disable_help_flag = true, args_override_self = true)]
    Finalize(Finalize),
}

/// Publish what enough people have signed
#[derive(Debug, Args)]
pub struct Finalize {
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub unlock: Unlock,
    #[command(flatten)]
    pub general: General,
}

/// Replace the key that signs without people
#[derive(Debug, Args)]
pub struct RotateOnline {
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub unlock: Unlock,
    #[command(flatten)]
    pub general: General,
}

/// Require a project's own signature for its files
#[derive(Debug, Args)]
pub struct Delegate {
    /// Name of the project
    #[arg(value_name = "project", required = true)]
    pub project: String,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub unlock: Unlock,
    #[command(flatten)]
    pub general: General,
}
