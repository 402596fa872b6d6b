//! `repo publish`, `repo refresh`, `repo gc`: what reaches the web server.

use std::time::Duration;

use clap::Args;

use super::OperatorDirectoryArgs;
use super::PassphraseArgs;
use crate::cli::GeneralArgs;
use crate::cli::values::expiry_grace;

/// Sign what has changed and publish it
#[derive(Debug, Args)]
pub struct Publish {
    /// Write the pages for installers without signatures anew, of all projects: if somebody has changed them
    #[arg(long)]
    pub plain_pages: bool,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
    #[command(flatten)]
    pub unlock: PassphraseArgs,
    #[command(flatten)]
    pub general: GeneralArgs,
}

/// Sign again what would expire; for cron
#[derive(Debug, Args)]
pub struct Refresh {
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
    #[command(flatten)]
    pub unlock: PassphraseArgs,
    #[command(flatten)]
    pub general: GeneralArgs,
}

/// Delete published files that nobody needs any more
#[derive(Debug, Args)]
pub struct Gc {
    /// Keep what was current within so long, for clients that are still at it
    #[arg(long, value_name = "duration", default_value = "24h", value_parser = expiry_grace)]
    pub keep: Duration,
    /// Keep all wheels and source distributions, removed ones too
    #[arg(long)]
    pub keep_files: bool,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
    #[command(flatten)]
    pub general: GeneralArgs,
}
