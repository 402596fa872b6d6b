//! What can be said to `repo`: making and keeping a signed index.

pub mod content;
pub mod curation;
pub mod keys;
pub mod publishing;
pub mod trying;

use clap::{Args, Subcommand};

use super::General;

/// Make a signed index out of packages
///
/// A directory, made by `tufpip repo init`, holds what the operator decided and the keys. What is published is plain files for
/// any web server or object store: for tufpip a signed index, for pip and others an ordinary one.
#[derive(Debug, Args)]
#[command(override_usage = "tufpip repo <command> [options]")]
pub struct Repo {
    #[command(flatten)]
    pub general: General,
    #[command(subcommand)]
    pub command: RepoCommand,
}

#[derive(Debug, Subcommand)]
pub enum RepoCommand {
    /// Make keys and an empty signed index
    #[command(disable_help_flag = true, args_override_self = true)]
    Init(Box<keys::Init>),
    /// Make, import and show keys
    #[command(disable_help_flag = true, args_override_self = true)]
    Key(keys::Keys),
    /// Change who signs, in steps that several people can share
    #[command(disable_help_flag = true, args_override_self = true)]
    Root(keys::Root),
    /// Replace the key that signs without people
    #[command(disable_help_flag = true, args_override_self = true)]
    RotateOnline(keys::RotateOnline),
    /// Require a project's own signature for its files
    #[command(disable_help_flag = true, args_override_self = true)]
    Delegate(keys::Delegate),
    /// Sign for a project, or what else waits for people
    #[command(disable_help_flag = true, args_override_self = true)]
    Sign(keys::SignFiles),
    /// Add wheels and source distributions, to be published
    #[command(disable_help_flag = true, args_override_self = true)]
    Add(content::Add),
    /// Mark a release as yanked: only who asks for this version gets it
    #[command(disable_help_flag = true, args_override_self = true)]
    Yank(content::Yank),
    /// Take back that a release is yanked
    #[command(disable_help_flag = true, args_override_self = true)]
    Unyank(content::Unyank),
    /// Remove a release or a file from the index
    #[command(disable_help_flag = true, args_override_self = true)]
    Remove(content::Remove),
    /// Show what is published, what waits, and what expires
    #[command(disable_help_flag = true, args_override_self = true)]
    Status(content::Status),
    /// Sign what has changed and publish it
    #[command(disable_help_flag = true, args_override_self = true)]
    Publish(publishing::Publish),
    /// Sign again what would expire; for cron
    #[command(disable_help_flag = true, args_override_self = true)]
    Refresh(publishing::Refresh),
    /// Delete published files that nobody needs any more
    #[command(disable_help_flag = true, args_override_self = true)]
    Gc(publishing::Gc),
    /// Check what is published as a client would, from the first root on
    #[command(disable_help_flag = true, args_override_self = true)]
    Verify(trying::Verify),
    /// Write the root that users give to `trust add`
    #[command(disable_help_flag = true, args_override_self = true)]
    ExportAnchor(trying::ExportAnchor),
    /// Serve what is published on this machine, for trying it
    #[command(disable_help_flag = true, args_override_self = true)]
    Serve(trying::Serve),
    /// Show a signed index at work, and attacks on it refused
    #[command(disable_help_flag = true, args_override_self = true)]
    Demo(trying::Demo),
    /// Sign a chosen part of another index
    #[command(disable_help_flag = true, args_override_self = true)]
    Mirror(Box<curation::Mirror>),
    /// Sign an index that cannot be changed; the signatures live elsewhere
    #[command(disable_help_flag = true, args_override_self = true)]
    AddMetadataTo(Box<curation::AddMetadataTo>),
}

/// What every command on a repository can be told.
#[derive(Debug, Args)]
#[command(next_help_heading = "Repository options")]
pub struct Place {
    /// The operator's directory, with repo.toml in it
    #[arg(long, value_name = "dir", default_value = ".")]
    pub repo: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// How private keys are unlocked.
#[derive(Debug, Args)]
#[command(next_help_heading = "Key options")]
pub struct Unlock {
    /// Read the passphrase of private keys from this file descriptor, up to the end of the line; otherwise
    /// TUFPIP_REPO_PASSPHRASE is taken, or somebody at the terminal is asked
    #[arg(long, value_name = "fd")]
    pub passphrase_fd: Option<u32>,
}
