//! `repo`: making and keeping a signed index. One file a command; what they share is in `src/repo`.

mod add_metadata_to;
mod demo;
mod export_anchor;
mod gc;
mod keys;
mod mirror;
mod publish;
mod serve;
mod verify;

use std::sync::Arc;

use crate::failure::{Failure, Kind};
use crate::settings::{RepoCommand, RepoSettings, Settings};
use crate::terminal::Terminal;

/// Runs one of the commands below `repo`.
///
/// # Errors
/// See the commands.
pub async fn repo(settings: &Settings, repo: &RepoSettings, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    match &repo.command {
        RepoCommand::Mirror(mirror) => self::mirror::mirror(settings, repo, mirror, terminal).await,
        RepoCommand::AddMetadataTo(add) => self::add_metadata_to::add_metadata_to(settings, repo, add, terminal).await,
        RepoCommand::Key(command) => keys::key(repo, command, terminal),
        RepoCommand::ExportAnchor { output } => export_anchor::export_anchor(repo, output.as_deref(), terminal).await,
        RepoCommand::Verify(verify) => verify::verify(settings, repo, verify, terminal).await,
        RepoCommand::Publish => publish::publish(repo, terminal).await,
        RepoCommand::Refresh => publish::refresh(repo, terminal).await,
        RepoCommand::Gc { keep, keep_packages } => gc::gc(repo, *keep, *keep_packages, terminal).await,
        RepoCommand::Demo => demo::demo(settings, terminal).await,
        RepoCommand::Serve { port } => serve::serve(repo, *port, terminal).await,
        RepoCommand::Init(_)
        | RepoCommand::Root(_)
        | RepoCommand::RotateOnline(_)
        | RepoCommand::Delegate(_)
        | RepoCommand::Add(_)
        | RepoCommand::Yank(_)
        | RepoCommand::Unyank(_)
        | RepoCommand::Remove(_)
        | RepoCommand::Status => Err(Failure::new(Kind::Usage, "usage", "this command does not work yet")),
    }
}
