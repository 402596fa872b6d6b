//! `repo verify`, `repo export-anchor`, `repo serve`, `repo demo`: what users will see.

use clap::Args;

use super::OperatorDirectoryArgs;
use crate::cli::GeneralArgs;

/// Check what is published as a client would, from the first root on
#[derive(Debug, Args)]
pub struct Verify {
    /// Hash every file, instead of looking whether it is there and as long as signed
    #[arg(long)]
    pub files: bool,
    /// Look at the copy below this URL, instead of where the index is published from here
    #[arg(long, value_name = "url")]
    pub url: Option<String>,
    /// Fail when something that people sign expires in fewer days
    #[arg(long, value_name = "days", default_value_t = 14)]
    pub min_days: u32,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
    #[command(flatten)]
    pub general: GeneralArgs,
}

/// Write the root that users give to `trust add`
#[derive(Debug, Args)]
pub struct ExportAnchor {
    /// Where to write it; standard output for -
    #[arg(short, long, value_name = "file")]
    pub output: Option<String>,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
    #[command(flatten)]
    pub general: GeneralArgs,
}

/// Serve what is published on this machine, for trying it
#[derive(Debug, Args)]
pub struct Serve {
    /// Port; any free one when 0
    #[arg(long, value_name = "port", default_value_t = 8080)]
    pub port: u16,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
    #[command(flatten)]
    pub general: GeneralArgs,
}

/// Show a signed index at work, and attacks on it refused
#[derive(Debug, Args)]
pub struct Demo {
    #[command(flatten)]
    pub general: GeneralArgs,
}
