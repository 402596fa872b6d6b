//! Options about signed indexes: those of every command that uses an index, of `trust` and of `why-trust`.

use std::time::Duration;

use clap::{Args, Subcommand};
use packaging::PackageName;

use super::values::{expiry_grace, project_name};
use super::{GeneralArgs, IndexArgs, SelectionArgs};

/// How strictly signatures are insisted on.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Repository security options")]
pub struct VerificationArgs {
    /// Refuse to install what neither a signed index nor a hash of yours vouches for; what is installed already is not
    /// looked at
    #[arg(long)]
    pub require_signed: bool,
    /// Let this project be unsigned if no signed index has it; may be given several times, or names with commas
    #[arg(long, value_name = "name", value_delimiter = ',', value_parser = project_name)]
    pub allow_unsigned: Vec<PackageName>,
    /// Send no requests; use what was fetched and verified before
    #[arg(long)]
    pub offline: bool,
    /// Accept signed metadata that expired less than so long ago (7d, 12h, P7D)
    #[arg(long, value_name = "duration", value_parser = expiry_grace)]
    pub allow_expired: Option<Duration>,
    /// Verify no signatures at all during this command: whoever controls the network or the index chooses what is installed
    #[arg(long)]
    pub disable_repository_security: bool,
}

/// Options that no file and no variable may set: each weakens what is verified, so somebody has to type it each time.
pub const COMMAND_LINE_ONLY: &[&str] = &["allow-unsigned", "allow-expired", "disable-repository-security"];

/// Say which indexes are trusted, and by whose signatures
///
/// An index with a trusted root is never used unverified. The root is the list of keys that everything else is signed
/// with; get it from the operator of the index by a way that you trust.
#[derive(Debug, Args)]
#[command(override_usage = "tufpip trust <command> [options]")]
pub struct TrustArgs {
    #[command(flatten)]
    pub general: GeneralArgs,
    #[command(subcommand)]
    pub command: TrustCommand,
}

#[derive(Debug, Subcommand)]
pub enum TrustCommand {
    /// Trust an index from now on
    #[command(disable_help_flag = true, args_override_self = true)]
    Add(Box<AddTrust>),
    /// List the trusted indexes
    #[command(disable_help_flag = true, args_override_self = true)]
    List(ListTrust),
    /// Show roles, keys and versions of trusted indexes
    #[command(disable_help_flag = true, args_override_self = true)]
    Show(ShowTrust),
    /// Forget that an index is trusted
    #[command(disable_help_flag = true, args_override_self = true)]
    Remove(RemoveTrust),
    /// Show how the root of a trusted index changed
    #[command(disable_help_flag = true, args_override_self = true)]
    Log(LogTrust),
}

/// Trust an index from now on
#[derive(Debug, Args)]
pub struct AddTrust {
    /// Base URL of the package index, or a local directory laid out like one
    #[arg(value_name = "index_url", required = true)]
    pub index: String,
    /// The root metadata: a file, or a URL together with --root-sha256
    #[arg(long, value_name = "file_or_url")]
    pub root: Option<String>,
    /// SHA-256 of the root metadata, in hexadecimal digits
    #[arg(long, value_name = "hex")]
    pub root_sha256: Option<String>,
    /// Where the index keeps its signed metadata, if not in tuf/ beside its pages
    #[arg(long, value_name = "URL")]
    pub metadata_url: Option<String>,
    /// How the index names what it signs: the name of a known layout, or a JSON file
    #[arg(long, value_name = "layout")]
    pub layout: Option<String>,
    /// A further place with the same metadata and pages; may be given several times
    #[arg(long, value_name = "URL")]
    pub mirror: Vec<String>,
    /// Fetch files whose address begins with FROM from TO instead; may be given several times
    #[arg(long, value_name = "from=to")]
    pub rewrite: Vec<String>,
    /// Trust the root that the index shows today, after asking
    #[arg(long)]
    pub tofu: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    #[command(flatten)]
    pub general: GeneralArgs,
}

/// List the trusted indexes
#[derive(Debug, Args)]
pub struct ListTrust {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub general: GeneralArgs,
}

/// Show roles, keys and versions of trusted indexes
#[derive(Debug, Args)]
pub struct ShowTrust {
    /// Base URLs of indexes; all trusted ones when none is named
    #[arg(value_name = "index_url")]
    pub indexes: Vec<String>,
    #[command(flatten)]
    pub general: GeneralArgs,
}

/// Forget that an index is trusted
#[derive(Debug, Args)]
pub struct RemoveTrust {
    /// Base URL of the package index
    #[arg(value_name = "index_url", required = true)]
    pub index: String,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    #[command(flatten)]
    pub general: GeneralArgs,
}

/// Show how the root of a trusted index changed
#[derive(Debug, Args)]
pub struct LogTrust {
    /// Base URL of the package index
    #[arg(value_name = "index_url", required = true)]
    pub index: String,
    #[command(flatten)]
    pub general: GeneralArgs,
}

/// Show which signatures the files of packages are trusted by
#[derive(Debug, Args)]
pub struct WhyTrustArgs {
    /// Names of packages
    #[arg(value_name = "package")]
    pub names: Vec<String>,
    #[command(flatten)]
    pub security: VerificationArgs,
    #[command(flatten)]
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub index: IndexArgs,
    #[command(flatten)]
    pub general: GeneralArgs,
}
