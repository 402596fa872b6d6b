//! The options of `repo`: create and maintain a signed index.

pub mod content;
pub mod curation;
pub mod keys;
pub mod publishing;
pub mod trying;

use clap::{Args, Subcommand};

use super::GeneralArgs;

/// Make a signed index out of packages
///
/// A directory, made by `tufpip repo init`, holds what the operator decided and the keys. What is published is plain files for
/// any web server or object store: for tufpip a signed index, for pip and others an ordinary one.
#[derive(Debug, Args)]
#[command(override_usage = "tufpip repo <command> [options]")]
pub struct RepoArgs {
    #[command(flatten)]
    pub general: GeneralArgs,
    #[command(subcommand)]
    pub command: RepoCommand,
}

#[derive(Debug, Subcommand)]
pub enum RepoCommand {
    #[command(disable_help_flag = true, args_override_self = true)]
    Init(Box<keys::Init>),
    #[command(disable_help_flag = true, args_override_self = true)]
    Key(keys::Keys),
    #[command(disable_help_flag = true, args_override_self = true)]
    Root(keys::Root),
    #[command(disable_help_flag = true, args_override_self = true)]
    RotateOnline(keys::RotateOnline),
    #[command(disable_help_flag = true, args_override_self = true)]
    Delegate(keys::Delegate),
    /// Sign for a project, or what else waits for people
    #[command(disable_help_flag = true, args_override_self = true)]
    Sign(keys::SignFiles),
    #[command(disable_help_flag = true, args_override_self = true)]
    Add(content::Add),
    #[command(disable_help_flag = true, args_override_self = true)]
    Yank(content::Yank),
    #[command(disable_help_flag = true, args_override_self = true)]
    Unyank(content::Unyank),
    #[command(disable_help_flag = true, args_override_self = true)]
    Remove(content::Remove),
    #[command(disable_help_flag = true, args_override_self = true)]
    Status(content::Status),
    #[command(disable_help_flag = true, args_override_self = true)]
    Publish(publishing::Publish),
    #[command(disable_help_flag = true, args_override_self = true)]
    Refresh(publishing::Refresh),
    #[command(disable_help_flag = true, args_override_self = true)]
    Gc(publishing::Gc),
    #[command(disable_help_flag = true, args_override_self = true)]
    Verify(trying::Verify),
    #[command(disable_help_flag = true, args_override_self = true)]
    ExportAnchor(trying::ExportAnchor),
    #[command(disable_help_flag = true, args_override_self = true)]
    Serve(trying::Serve),
    #[command(disable_help_flag = true, args_override_self = true)]
    Demo(trying::Demo),
    #[command(disable_help_flag = true, args_override_self = true)]
    Mirror(Box<curation::Mirror>),
    #[command(disable_help_flag = true, args_override_self = true)]
    AddMetadataTo(Box<curation::AddMetadataTo>),
}

/// What every command on a repository can be told.
#[derive(Debug, Args)]
#[command(next_help_heading = "Repository options")]
pub struct OperatorDirectoryArgs {
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
pub struct PassphraseArgs {
    /// Read the passphrase of private keys from this file descriptor, up to the end of the line; otherwise
    /// TUFPIP_REPO_PASSPHRASE is taken, or somebody at the terminal is asked
    #[arg(long, value_name = "fd", value_parser = file_descriptor)]
    pub passphrase_fd: Option<u32>,
}

fn file_descriptor(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "expected a number such as 3".to_owned())
}
