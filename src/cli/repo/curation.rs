//! `repo mirror`, `repo add-metadata-to`: signing what others publish.

use clap::Args;

use super::Place;
use crate::cli::General;

/// Sign a chosen part of another index
#[derive(Debug, Args)]
pub struct Mirror {
    /// Names with version specifiers
    #[arg(value_name = "requirement")]
    pub requirements: Vec<String>,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub general: General,
}

/// Sign an index that cannot be changed; the signatures live elsewhere
#[derive(Debug, Args)]
pub struct AddMetadataTo {
    /// Base URL of the index
    #[arg(value_name = "index_url", required = true)]
    pub index: String,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub general: General,
}
