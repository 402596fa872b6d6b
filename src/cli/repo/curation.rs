//! `repo mirror`, `repo add-metadata-to`: signing what others publish.

use std::time::Duration;

use clap::{Args, ValueEnum};
use packaging::PackageName;

use super::OperatorDirectoryArgs;
use crate::cli::values::{expiry_grace, project_name};
use crate::cli::{GeneralArgs, IndexArgs, VerificationArgs};
use operator::mirror::Machine;

/// Sign a chosen part of another index
///
/// The releases that the requirements resolve to, with everything they depend on, for each machine named with --for. What was
/// mirrored earlier stays, because lock files may name it; --prune takes it away.
#[derive(Debug, Args)]
pub struct Mirror {
    /// Names with version specifiers
    #[arg(value_name = "requirement")]
    pub requirements: Vec<String>,
    /// Read requirements from this file or URL; may be given several times
    #[arg(short, long, value_name = "file")]
    pub requirement: Vec<String>,
    /// Read constraints on versions from this file or URL; may be given several times
    #[arg(short, long, value_name = "file")]
    pub constraint: Vec<String>,
    /// Mirror what this lock file (pylock.toml) names, with its hashes; may be given several times
    #[arg(long, value_name = "file")]
    pub lock: Vec<String>,
    /// A machine to mirror for, such as 3.12/manylinux_2_28_x86_64, 3.13/win_amd64, or 3.12 with the platform of this one; may be
    /// given several times. Without it: the interpreter that other commands would install for
    #[arg(long = "for", value_name = "python[/platform]", value_parser = Machine::parse)]
    pub machines: Vec<Machine>,
    /// Mirror all files of a chosen release, not only wheels that one of the machines can use
    #[arg(long)]
    pub all_files: bool,
    /// Mirror source distributions, too; what has no wheel still cannot be chosen
    #[arg(long)]
    pub sdists: bool,
    /// Only what was uploaded at least so long ago (7d, 12h, P7D)
    #[arg(long, value_name = "duration", value_parser = expiry_grace)]
    pub min_age: Option<Duration>,
    /// Copy files into this index, or link to where they are
    #[arg(long, value_name = "how", default_value = "copy")]
    pub files: ImportMode,
    /// Take away what the requirements do not lead to any more
    #[arg(long)]
    pub prune: bool,
    /// Include pre-releases and development versions
    #[arg(long)]
    pub pre: bool,
    /// Include pre-releases of these packages (:all:, :none:, or names with commas)
    #[arg(long, value_name = "names")]
    pub all_releases: Vec<String>,
    /// Only final releases of these packages (:all:, :none:, or names with commas)
    #[arg(long, value_name = "names")]
    pub only_final: Vec<String>,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
    #[command(flatten)]
    pub security: VerificationArgs,
    #[command(flatten)]
    pub index: IndexArgs,
    #[command(flatten)]
    pub general: GeneralArgs,
}

/// How files come into the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ImportMode {
    /// They are downloaded, verified, and published again.
    Copy,
    /// The signed pages link to them.
    Link,
}

/// Sign an index that cannot be changed; the signatures live elsewhere
///
/// Pages and metadata are published here, files stay where they are. Run it again, from cron, when the index has changed. Users run
/// tufpip trust add URL --root FILE --metadata-url BASE/tuf/, with the base of this repository.
#[derive(Debug, Args)]
pub struct AddMetadataTo {
    /// Base URL of the index
    #[arg(value_name = "index_url", required = true)]
    pub index: String,
    /// Only this project; may be given several times, or names with commas. Otherwise the index's list of projects is read
    #[arg(long, value_name = "name", value_delimiter = ',', value_parser = project_name)]
    pub project: Vec<PackageName>,
    /// Only the projects named in this file, one a line
    #[arg(long, value_name = "file")]
    pub projects_from: Vec<String>,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
    #[command(flatten)]
    pub general: GeneralArgs,
}
