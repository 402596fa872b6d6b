//! `repo add`, `repo yank`, `repo unyank`, `repo remove`, `repo status`: what is in the index.

use clap::Args;

use super::OperatorDirectoryArgs;
use crate::cli::GeneralArgs;

/// Add wheels and source distributions, to be published
#[derive(Debug, Args)]
pub struct Add {
    /// Wheels (.whl), source distributions (.tar.gz), and directories with these in them
    #[arg(value_name = "file", required = true)]
    pub files: Vec<String>,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
    #[command(flatten)]
    pub general: GeneralArgs,
}

/// Mark a release as yanked: only who asks for this version gets it
#[derive(Debug, Args)]
pub struct Yank {
    /// Releases (name==version) or file names
    #[arg(value_name = "release", required = true)]
    pub releases: Vec<String>,
    /// Why, for whoever installs it
    #[arg(long, value_name = "text")]
    pub reason: Option<String>,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
    #[command(flatten)]
    pub general: GeneralArgs,
}

/// Take back that a release is yanked
#[derive(Debug, Args)]
pub struct Unyank {
    /// Releases (name==version) or file names
    #[arg(value_name = "release", required = true)]
    pub releases: Vec<String>,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
    #[command(flatten)]
    pub general: GeneralArgs,
}

/// Remove a release or a file from the index
#[derive(Debug, Args)]
pub struct Remove {
    /// Projects, releases (name==version) or file names
    #[arg(value_name = "release", required = true)]
    pub releases: Vec<String>,
    /// Do not ask before all files of a project go
    #[arg(short, long)]
    pub yes: bool,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
    #[command(flatten)]
    pub general: GeneralArgs,
}

/// Show what is published, what waits, and what expires
#[derive(Debug, Args)]
pub struct Status {
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
    #[command(flatten)]
    pub general: GeneralArgs,
}
