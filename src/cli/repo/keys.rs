//! `repo init`, `repo key`, `repo root`, `repo rotate-online`, `repo delegate`, `repo sign`: who signs.

use std::time::Duration;

use clap::{Args, Subcommand};
use packaging::PackageName;

use super::OperatorDirectoryArgs;
use super::PassphraseArgs;
use crate::cli::GeneralArgs;
use crate::cli::values::{expiry_grace, project_name, role_expiry};

/// Make keys and an empty signed index
///
/// Without key options two keys are made: "root", for people, who keep it away from machines that are on all day, and "online",
/// which signs every publication. If all private keys are here, the empty index is published at once; if not, the next
/// steps are printed.
#[derive(Debug, Args)]
pub struct Init {
    /// Where the index will be reachable; the pages are below simple/
    #[arg(long, value_name = "URL")]
    pub base: String,
    /// Where it is published: a directory, or s3://bucket/prefix
    #[arg(long, value_name = "place", default_value = "public")]
    pub output: String,
    /// How many projects are expected: chooses --profile and --bins
    #[arg(long, value_name = "number", default_value_t = 100)]
    pub projects: u64,
    /// The shape of the signatures: small (up to some 500 projects), pep458 (more), or rstuf (people sign only the root);
    /// by --projects unless given
    #[arg(long, value_name = "profile", value_parser = ["small", "pep458", "rstuf"])]
    pub profile: Option<String>,
    /// Over how many signed files the projects are spread, a power of two from 2 to 16384; by --projects unless given
    #[arg(long, value_name = "number")]
    pub bins: Option<u32>,
    /// List each bin with its hash prefixes, for clients that do not know the short form (TAP 15)
    #[arg(long)]
    pub classic_bins: bool,
    /// What vouches for a file: an entry of its own (target), its row on the signed page (page), or both
    #[arg(long, value_name = "kind", default_value = "both", value_parser = ["target", "page", "both"])]
    pub trust: String,
    /// For how long a role is signed, as role=time: root=365d, targets, snapshot=7d, timestamp=1d, bins=30d; may be given
    /// several times
    #[arg(long, value_name = "role=time", value_parser = role_expiry)]
    pub expiry: Vec<(String, Duration)>,
    /// Somebody who signs the root (a .pub file); may be given several times. They sign targets too, unless --targets-key says
    /// who does
    #[arg(long, value_name = "file")]
    pub root_key: Vec<String>,
    /// Somebody who signs which roles there are (a .pub file); may be given several times
    #[arg(long, value_name = "file")]
    pub targets_key: Vec<String>,
    /// How many of the root keys, and of the targets keys, must sign
    #[arg(long, value_name = "number", default_value_t = 1)]
    pub threshold: u64,
    /// The key that signs publications (a .pub or .pem file), instead of a new one
    #[arg(long, value_name = "file")]
    pub online_key: Option<String>,
    /// Do not encrypt the new online key, for a machine that signs alone; whoever reads the file can sign publications
    #[arg(long)]
    pub no_passphrase: bool,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
    #[command(flatten)]
    pub unlock: PassphraseArgs,
    #[command(flatten)]
    pub general: GeneralArgs,
}

/// Make, import and show keys
#[derive(Debug, Args)]
#[command(override_usage = "tufpip repo key <command> [options]")]
pub struct Keys {
    #[command(flatten)]
    pub general: GeneralArgs,
    #[command(subcommand)]
    pub command: KeyCommand,
}

#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    #[command(disable_help_flag = true, args_override_self = true)]
    Gen(MakeKeys),
    #[command(disable_help_flag = true, args_override_self = true)]
    Import(ImportKey),
    #[command(disable_help_flag = true, args_override_self = true)]
    Show(ShowKey),
}

/// Make new keys
///
/// Each is two files: NAME.pem, encrypted, which signs, and NAME.pub, which may be given to anybody.
#[derive(Debug, Args)]
pub struct MakeKeys {
    /// Names of the keys
    #[arg(value_name = "name", required = true)]
    pub names: Vec<String>,
    /// Where the files go; needed where there is no repository, otherwise its keys
    #[arg(long, value_name = "dir")]
    pub out: Option<String>,
    /// Do not encrypt them, for a machine that signs alone; whoever reads the file can sign
    #[arg(long)]
    pub no_passphrase: bool,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
    #[command(flatten)]
    pub unlock: PassphraseArgs,
    #[command(flatten)]
    pub general: GeneralArgs,
}

/// Take over a private key that another program has made
#[derive(Debug, Args)]
pub struct ImportKey {
    /// A private key in PEM, encrypted or not: Ed25519 or ECDSA on P-256
    #[arg(value_name = "file", required = true)]
    pub file: String,
    /// Name of the key; that of the file unless given
    #[arg(long, value_name = "name")]
    pub name: Option<String>,
    /// Where the files go; needed where there is no repository, otherwise its keys
    #[arg(long, value_name = "dir")]
    pub out: Option<String>,
    /// Do not encrypt it, for a machine that signs alone; whoever reads the file can sign
    #[arg(long)]
    pub no_passphrase: bool,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
    #[command(flatten)]
    pub unlock: PassphraseArgs,
    #[command(flatten)]
    pub general: GeneralArgs,
}

/// Show public keys
#[derive(Debug, Args)]
pub struct ShowKey {
    /// Key files; all of the repository when none is named
    #[arg(value_name = "file")]
    pub files: Vec<String>,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
    #[command(flatten)]
    pub general: GeneralArgs,
}

/// Change who signs, in steps that several people can share
///
/// `edit` writes the next versions of what people sign to staged/metadata. The files go to whoever has to sign, each of whom
/// runs `sign` on them. `finalize` publishes them when there are enough signatures.
#[derive(Debug, Args)]
#[command(override_usage = "tufpip repo root <command> [options]")]
pub struct Root {
    #[command(flatten)]
    pub general: GeneralArgs,
    #[command(subcommand)]
    pub command: RootCommand,
}

#[derive(Debug, Subcommand)]
pub enum RootCommand {
    #[command(disable_help_flag = true, args_override_self = true)]
    Edit(EditRoot),
    #[command(disable_help_flag = true, args_override_self = true)]
    Sign(SignFiles),
    #[command(disable_help_flag = true, args_override_self = true)]
    Finalize(Finalize),
}

/// Write what people shall sign next
///
/// Begins with what waits in staged/metadata, or else with what is published. Files that change lose their signatures.
#[derive(Debug, Args)]
pub struct EditRoot {
    /// Whose keys change: those of root, of targets (which roles there are), or the online one
    #[arg(long, value_name = "role", default_value = "root", value_parser = ["root", "targets", "online"])]
    pub role: String,
    /// A key more (a .pub file); may be given several times
    #[arg(long, value_name = "file")]
    pub add_key: Vec<String>,
    /// A key less, by its name here or the beginning of its key id; may be given several times
    #[arg(long, value_name = "key")]
    pub remove_key: Vec<String>,
    /// How many of the keys must sign
    #[arg(long, value_name = "number")]
    pub threshold: Option<u64>,
    /// Spread the projects over so many bins from now on, a power of two from 2 to 16384; a repository of the profile small
    /// becomes one of pep458
    #[arg(long, value_name = "number")]
    pub bins: Option<u32>,
    /// For how long the new root is good (90d); otherwise as repo.toml says
    #[arg(long, value_name = "time", value_parser = expiry_grace)]
    pub expires: Option<Duration>,
    /// Sign again what would expire, whatever else changes: root, targets or all
    #[arg(long, value_name = "role", value_parser = ["root", "targets", "all"])]
    pub renew: Option<String>,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
    #[command(flatten)]
    pub general: GeneralArgs,
}

/// Add signatures to what people sign
///
/// Works on the files alone, so that it can be done where the private keys are, without a repository.
#[derive(Debug, Args)]
pub struct SignFiles {
    /// The files; all that wait in staged/metadata when none is named. Of a file and copies of it, the first gets the
    /// signatures of all
    #[arg(value_name = "file")]
    pub files: Vec<String>,
    /// A private key to sign with; may be given several times; otherwise all in the repository's keys
    #[arg(long, value_name = "file")]
    pub key: Vec<String>,
    /// The root before the new one, whose keys must sign it too; otherwise root.json of the repository
    #[arg(long, value_name = "file")]
    pub previous: Option<String>,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Only say what would be signed, and who has signed
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
    #[command(flatten)]
    pub unlock: PassphraseArgs,
    #[command(flatten)]
    pub general: GeneralArgs,
}

/// Publish what enough people have signed
#[derive(Debug, Args)]
pub struct Finalize {
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

/// Replace the key that signs without people
///
/// If the keys of the people are here, all of it is done at once; if not, what they have to sign is written to staged/metadata.
/// What is staged is published along with it.
#[derive(Debug, Args)]
pub struct RotateOnline {
    /// The new key: a .pub or .pem file, or the name of one to be made; online-N unless given
    #[arg(long, value_name = "key")]
    pub new_key: Option<String>,
    /// Do not encrypt the new key, for a machine that signs alone; whoever reads the file can sign publications
    #[arg(long)]
    pub no_passphrase: bool,
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

/// Require a project's own signature for its files
///
/// The files of the project are then trusted only if its people signed them (PEP 480). Its page is still the index's word.
#[derive(Debug, Args)]
pub struct Delegate {
    /// Name of the project
    #[arg(value_name = "project", required = true, value_parser = project_name)]
    pub project: PackageName,
    /// Somebody who signs for it (a .pub file); may be given several times
    #[arg(long, value_name = "file")]
    pub key: Vec<String>,
    /// How many of the keys must sign
    #[arg(long, value_name = "number", default_value_t = 1)]
    pub threshold: u64,
    /// Take it back: the index vouches for the project's files again
    #[arg(long)]
    pub remove: bool,
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
