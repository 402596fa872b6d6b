//! `repo`: creates and maintains a signed index. One command per file; what they share is in `crates/operator`.

mod add;
mod add_metadata_to;
mod delegate;
mod demo;
mod export_anchor;
mod gc;
mod init;
mod keys;
mod mirror;
mod publish;
mod releases;
mod root;
mod rotate_online;
mod serve;
mod status;
mod verify;

use std::sync::Arc;

use crate::settings::{OperatorOptions, RepoCommand, Settings};
use crate::terminal::Terminal;
use installer::error::Failure;

/// Runs one of the commands below `repo`.
///
/// # Errors
/// See the commands.
pub async fn repo(settings: &Settings, repo: &OperatorOptions, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    match &repo.command {
        RepoCommand::Init(command) => init::init(repo, command, terminal).await,
        RepoCommand::RotateOnline(command) => rotate_online::rotate_online(repo, command, terminal).await,
        RepoCommand::Delegate(command) => delegate::delegate(repo, command, terminal).await,
        RepoCommand::Root(command) => root::root(repo, command, terminal).await,
        RepoCommand::Mirror(mirror) => self::mirror::mirror(settings, repo, mirror, terminal).await,
        RepoCommand::AddMetadataTo(add) => self::add_metadata_to::add_metadata_to(settings, repo, add, terminal).await,
        RepoCommand::Key(command) => keys::key(repo, command, terminal),
        RepoCommand::ExportAnchor { output } => export_anchor::export_anchor(repo, output.as_deref(), terminal).await,
        RepoCommand::Add(files) => add::add(repo, files, terminal).await,
        RepoCommand::Yank(yank) => releases::yank(repo, yank, terminal).await,
        RepoCommand::Unyank(unyank) => releases::unyank(repo, unyank, terminal).await,
        RepoCommand::Remove(remove) => releases::remove(repo, remove, terminal).await,
        RepoCommand::Status => status::status(repo, terminal).await,
        RepoCommand::Verify(verify) => verify::verify(settings, repo, verify, terminal).await,
        RepoCommand::Publish { plain_pages } => publish::publish(repo, *plain_pages, terminal).await,
        RepoCommand::Refresh => publish::refresh(repo, terminal).await,
        RepoCommand::Gc { keep, keep_packages } => gc::gc(repo, *keep, *keep_packages, terminal).await,
        RepoCommand::Demo => demo::demo(settings, terminal).await,
        RepoCommand::Serve { port } => serve::serve(repo, *port, terminal).await,
    }
}
