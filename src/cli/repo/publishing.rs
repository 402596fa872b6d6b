//! `repo publish`, `repo refresh`, `repo gc`: what reaches the web server.

use clap::Args;

use super::{Place, Unlock};
use crate::cli::General;

/// Sign what has changed and publish it
#[derive(Debug, Args)]
pub struct Publish {
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

/// Sign again what would expire; for cron
#[derive(Debug, Args)]
pub struct Refresh {
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

/// Delete published files that nobody needs any more
#[derive(Debug, Args)]
pub struct Gc {
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub general: General,
}
