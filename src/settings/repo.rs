//! Settings of `repo`: which repository, how its keys are unlocked, and what to do with it.

mod content;
mod curation;
mod keys;
mod publishing;
mod trying;

pub use content::{AddFiles, ChangeReleases, RemoveReleases, YankReleases};
pub use curation::{AddMetadataTo, Bring, MirrorIndex};
pub use keys::{
    DelegateProject, EditRoot, EditedGroup, InitRepository, KeyCommand, Renewed, RootCommand, RotateOnline, SignFiles,
};
pub use trying::VerifyPublished;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::configuration::Surroundings;
use super::settle::Told;
use super::{Command, Settings, TerminalSettings};
use crate::cli::repo as typed;
use crate::cli::{General, Security};
use crate::failure::Failure;
use crate::terminal::Terminal;

/// `repo`
#[derive(Clone, Debug)]
pub struct RepoSettings {
    /// The operator's directory.
    pub directory: PathBuf,
    /// Print JSON.
    pub json: bool,
    /// Only say what would be done.
    pub dry_run: bool,
    /// Nobody is asked for passphrases and confirmations.
    pub no_input: bool,
    /// Where the passphrase of private keys is read from, if from a file descriptor.
    pub passphrase_fd: Option<u32>,
    /// What to do.
    pub command: RepoCommand,
}

/// What `repo` shall do.
#[derive(Clone, Debug)]
pub enum RepoCommand {
    /// `repo init`
    Init(Box<InitRepository>),
    /// `repo key`
    Key(KeyCommand),
    /// `repo root`
    Root(RootCommand),
    /// `repo rotate-online`
    RotateOnline(RotateOnline),
    /// `repo delegate`
    Delegate(DelegateProject),
    /// `repo add`
    Add(AddFiles),
    /// `repo yank`
    Yank(YankReleases),
    /// `repo unyank`
    Unyank(ChangeReleases),
    /// `repo remove`
    Remove(RemoveReleases),
    /// `repo status`
    Status,
    /// `repo publish`
    Publish {
        /// Write all plain pages anew.
        plain_pages: bool,
    },
    /// `repo refresh`
    Refresh,
    /// `repo gc`
    Gc {
        /// How long what was current stays.
        keep: Duration,
        /// Leave all wheels and source distributions.
        keep_packages: bool,
    },
    /// `repo verify`
    Verify(VerifyPublished),
    /// `repo export-anchor`
    ExportAnchor {
        /// Where the root is written; standard output when `None`.
        output: Option<PathBuf>,
    },
    /// `repo serve`
    Serve {
        /// 0 for any free one.
        port: u16,
    },
    /// `repo demo`
    Demo,
    /// `repo mirror`
    Mirror(Box<MirrorIndex>),
    /// `repo add-metadata-to`
    AddMetadataTo(Box<AddMetadataTo>),
}

/// The general options of a command below `repo`, and what it shall do.
pub(super) fn command(
    typed: typed::RepoCommand,
    told: &Told,
    surroundings: &Surroundings,
) -> Result<(General, Command), Failure> {
    use typed::RepoCommand as Typed;
    let (general, mut settings) = match typed {
        Typed::Init(init) => keys::init(*init, surroundings)?,
        Typed::Key(keys) => keys::key(keys.command, surroundings)?,
        Typed::Root(root) => keys::root(root.command, surroundings)?,
        Typed::RotateOnline(rotate) => keys::rotate_online(rotate, surroundings)?,
        Typed::Delegate(delegate) => keys::delegate(delegate, surroundings)?,
        Typed::Sign(sign) => keys::sign(sign, surroundings)?,
        Typed::Add(add) => content::add(add, surroundings)?,
        Typed::Yank(yank) => content::yank(yank, surroundings)?,
        Typed::Unyank(unyank) => content::unyank(unyank, surroundings)?,
        Typed::Remove(remove) => content::remove(remove, surroundings)?,
        Typed::Status(status) => content::status(status, surroundings)?,
        Typed::Publish(publish) => publishing::publish(publish, surroundings)?,
        Typed::Refresh(refresh) => publishing::refresh(refresh, surroundings)?,
        Typed::Gc(gc) => publishing::gc(gc, surroundings)?,
        Typed::Verify(verify) => trying::verify(verify, surroundings)?,
        Typed::ExportAnchor(export) => trying::export_anchor(export, surroundings)?,
        Typed::Serve(serve) => trying::serve(serve, surroundings)?,
        Typed::Demo(demo) => trying::demo(demo, surroundings)?,
        Typed::Mirror(mirror) => curation::mirror(*mirror, told, surroundings)?,
        Typed::AddMetadataTo(add) => curation::add_metadata_to(*add, surroundings)?,
    };
    settings.no_input = general.no_input;
    Ok((general, Command::Repo(Box::new(settings))))
}

/// How strictly signatures are insisted on by a command that asks indexes.
pub(super) fn take_security(typed: &mut typed::RepoCommand) -> Option<Security> {
    match typed {
        typed::RepoCommand::Mirror(mirror) => Some(std::mem::take(&mut mirror.security)),
        _ => None,
    }
}

impl RepoSettings {
    /// A command that needs no key and changes nothing.
    fn new(place: &typed::Place, command: RepoCommand, surroundings: &Surroundings) -> Self {
        Self {
            directory: named(surroundings.expand(&place.repo)),
            json: place.json,
            dry_run: false,
            no_input: false,
            passphrase_fd: None,
            command,
        }
    }

    /// The terminal for what is done on the way: with --json, standard output belongs to the one object.
    ///
    /// # Errors
    /// When the log file cannot be opened.
    pub fn terminal(&self, settings: &Settings, terminal: &Arc<Terminal>) -> Result<Arc<Terminal>, Failure> {
        if !self.json {
            return Ok(Arc::clone(terminal));
        }
        let settings = &settings.terminal;
        let quiet = TerminalSettings { verbosity: settings.verbosity.min(-1), ..settings.clone() };
        Terminal::new(&quiet).map(Arc::new)
    }

    fn with_dry_run(self, dry_run: bool) -> Self {
        Self { dry_run, ..self }
    }

    fn unlocked_by(self, unlock: &typed::Unlock) -> Self {
        Self { passphrase_fd: unlock.passphrase_fd, ..self }
    }
}

/// `.` has a name that messages can say.
fn named(directory: PathBuf) -> PathBuf {
    if directory == Path::new(".") { std::path::absolute(&directory).unwrap_or(directory) } else { directory }
}
