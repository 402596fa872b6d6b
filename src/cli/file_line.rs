//! The options that may stand in a line of a requirements file.

use clap::Parser;

use super::Selection;

/// Options of a line in a requirements file; `-r`, `-c` and `-e` stand alone there as everywhere.
#[derive(Debug, Parser)]
#[command(name = "requirements file", disable_help_flag = true, disable_version_flag = true, args_override_self = true)]
pub struct FileLine {
    #[arg(short, long, alias = "pypi-url")]
    pub index_url: Option<String>,
    #[arg(long)]
    pub extra_index_url: Vec<String>,
    #[arg(long)]
    pub no_index: bool,
    #[arg(short, long)]
    pub constraint: Vec<String>,
    #[arg(short, long)]
    pub requirement: Vec<String>,
    #[arg(short, long)]
    pub editable: Vec<String>,
    #[arg(short, long)]
    pub find_links: Vec<String>,
    #[command(flatten)]
    pub selection: Selection,
    #[arg(long)]
    pub require_hashes: bool,
    #[arg(long)]
    pub no_require_hashes: bool,
    #[arg(long)]
    pub trusted_host: Vec<String>,
    #[arg(long)]
    pub use_feature: Vec<String>,
    #[arg(long)]
    pub hash: Vec<String>,
    #[arg(short = 'C', long)]
    pub config_settings: Vec<String>,
}
