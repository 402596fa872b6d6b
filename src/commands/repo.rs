//! `repo`: making and keeping a signed index. One file a command; what they do is in `crates/operator`.

mod add;
mod add_metadata_to;
mod delegate;
mod demo;
mod export_anchor;
mod gc;
mod init;
mod keys;
pub(crate) mod mirror;
mod publish;
mod releases;
mod root;
mod rotate_online;
mod serve;
mod status;
mod verify;

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};

use crate::terminal::Terminal;
use crate::terminal::settings::TerminalSettings;
use installer::error::Failure;
use installer::options::CommonOptions;
use operator::keys::UnlockOptions;

/// Make a signed index out of packages
///
/// A directory, made by `tufpip repo init`, holds what the operator decided and the keys. What is published is plain files for
/// any web server or object store: for tufpip a signed index, for pip and others an ordinary one.
#[derive(Clone, Debug, Args)]
#[command(override_usage = "tufpip repo <command> [options]")]
pub struct RepoArgs {
    #[command(subcommand)]
    pub command: RepoCommand,
}

#[derive(Clone, Debug, Subcommand)]
pub enum RepoCommand {
    Init(Box<init::InitArgs>),
    Key(keys::KeyArgs),
    Root(root::RootArgs),
    RotateOnline(rotate_online::RotateOnlineArgs),
    Delegate(delegate::DelegateArgs),
    /// Sign for a project, or what else waits for people
    Sign(root::sign::SignArgs),
    Add(add::AddArgs),
    Yank(releases::YankArgs),
    Unyank(releases::UnyankArgs),
    Remove(releases::RemoveArgs),
    Status(status::StatusArgs),
    Publish(publish::PublishArgs),
    Refresh(publish::RefreshArgs),
    Gc(gc::GcArgs),
    Verify(verify::VerifyArgs),
    ExportAnchor(export_anchor::ExportAnchorArgs),
    Serve(serve::ServeArgs),
    Demo(demo::DemoArgs),
    Mirror(Box<mirror::MirrorArgs>),
    AddMetadataTo(Box<add_metadata_to::AddMetadataToArgs>),
}

/// What every command on a repository can be told.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Repository options")]
pub struct OperatorDirectoryArgs {
    /// The operator's directory, with repo.toml in it
    #[arg(long = "repo", value_name = "dir", default_value = ".", value_parser = named_directory)]
    pub directory: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// How private keys are unlocked.
#[derive(Clone, Debug, Args)]
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

/// A path. A leading `~` is the home directory: `settings` puts it there, for all values whose hint says that they are paths.
fn path(text: &str) -> Result<PathBuf, Infallible> {
    Ok(PathBuf::from(text))
}

/// `.` has a name that messages can say.
fn named_directory(text: &str) -> Result<PathBuf, Infallible> {
    let directory = PathBuf::from(text);
    let is_current = directory == Path::new(".");
    Ok(if is_current { std::path::absolute(&directory).unwrap_or(directory) } else { directory })
}

impl PassphraseArgs {
    /// Where passphrases may come from.
    pub fn options(&self, terminal: &Terminal) -> UnlockOptions {
        UnlockOptions { passphrase_fd: self.passphrase_fd, ..without_passphrase(terminal) }
    }
}

/// For commands that have no option about passphrases.
fn without_passphrase(terminal: &Terminal) -> UnlockOptions {
    UnlockOptions { passphrase_fd: None, no_input: terminal.settings().no_input }
}

/// The terminal for what is done on the way: with --json, standard output belongs to the one object.
fn quiet_with_json(repo: &OperatorDirectoryArgs, terminal: &Arc<Terminal>) -> Result<Arc<Terminal>, Failure> {
    if !repo.json {
        return Ok(Arc::clone(terminal));
    }
    let settings = terminal.settings();
    let quiet = TerminalSettings { verbosity: settings.verbosity.min(-1), ..settings.clone() };
    Terminal::new(&quiet).map(Arc::new)
}

/// Runs one of the commands below `repo`.
///
/// # Errors
/// See the commands.
pub async fn repo(common: &CommonOptions, command: &RepoCommand, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    match command {
        RepoCommand::Init(init) => init::init(init, terminal).await,
        RepoCommand::Key(key) => keys::key(&key.command, terminal),
        RepoCommand::Root(root) => root::root(&root.command, terminal).await,
        RepoCommand::RotateOnline(rotate) => rotate_online::rotate_online(rotate, terminal).await,
        RepoCommand::Delegate(delegate) => delegate::delegate(delegate, terminal).await,
        RepoCommand::Sign(sign) => root::sign::sign(sign, terminal).await,
        RepoCommand::Add(add) => add::add(add, terminal).await,
        RepoCommand::Yank(yank) => releases::yank(yank, terminal).await,
        RepoCommand::Unyank(unyank) => releases::unyank(unyank, terminal).await,
        RepoCommand::Remove(remove) => releases::remove(remove, terminal).await,
        RepoCommand::Status(status) => status::status(status, terminal).await,
        RepoCommand::Publish(publish) => publish::publish(publish, terminal).await,
        RepoCommand::Refresh(refresh) => publish::refresh(refresh, terminal).await,
        RepoCommand::Gc(gc) => gc::gc(gc, terminal).await,
        RepoCommand::Verify(verify) => verify::verify(common, verify, terminal).await,
        RepoCommand::ExportAnchor(export) => export_anchor::export_anchor(export, terminal).await,
        RepoCommand::Serve(serve) => serve::serve(serve, terminal).await,
        RepoCommand::Demo(_) => demo::demo(common, terminal).await,
        RepoCommand::Mirror(mirror) => mirror::mirror(common, mirror, terminal).await,
        RepoCommand::AddMetadataTo(add) => add_metadata_to::add_metadata_to(common, add, terminal).await,
    }
}
