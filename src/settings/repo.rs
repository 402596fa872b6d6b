//! Settings of `repo`: which repository, how its keys are unlocked, and what to do with it.

mod content;
mod curation;
mod keys;
mod publishing;
mod trying;

pub use content::{AddFiles, ChangeReleases, RemoveReleases, YankReleases};
pub use curation::{AddMetadataTo, MirrorIndex};
pub use keys::{
    DelegateProject, EditRoot, EditedGroup, InitRepository, KeyCommand, Renewed, RootCommand, RotateOnline, SignFiles,
};
pub use trying::VerifyPublished;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::resolve_settings::CommandInput;
use super::{Command, Settings, TerminalSettings};
use crate::cli::repo as typed;
use crate::cli::{GeneralArgs, VerificationArgs};
use crate::terminal::Terminal;
use installer::error::Failure;
use installer::process_environment::ProcessEnvironment;
use operator::keys::UnlockOptions;

/// `repo`
#[derive(Clone, Debug)]
pub struct OperatorOptions {
    /// The operator's directory.
    pub directory: PathBuf,
    /// Print JSON.
    pub json: bool,
    /// Only report what would be done.
    pub dry_run: bool,
    /// Do not ask for passphrases and confirmations.
    pub no_input: bool,
    /// Where the passphrase of private keys is read from, if from a file descriptor.
    pub passphrase_fd: Option<u32>,
    /// What to do.
    pub command: RepoCommand,
}

/// The command below `repo`.
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
        /// Rewrite all plain pages.
        plain_pages: bool,
    },
    /// `repo refresh`
    Refresh,
    /// `repo gc`
    Gc {
        /// How long files stay after they were current.
        keep: Duration,
        /// Keep all wheels and source distributions.
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

/// Separates the general options of a command below `repo` from the command itself.
pub(super) fn command(
    typed: typed::RepoCommand,
    input: &CommandInput,
    process_environment: &ProcessEnvironment,
) -> Result<(GeneralArgs, Command), Failure> {
    use typed::RepoCommand as Typed;
    let (general, mut settings) = match typed {
        Typed::Init(init) => keys::init(*init, process_environment)?,
        Typed::Key(keys) => keys::key(keys.command, process_environment)?,
        Typed::Root(root) => keys::root(root.command, process_environment)?,
        Typed::RotateOnline(rotate) => keys::rotate_online(rotate, process_environment)?,
        Typed::Delegate(delegate) => keys::delegate(delegate, process_environment)?,
        Typed::Sign(sign) => keys::sign(sign, process_environment)?,
        Typed::Add(add) => content::add(add, process_environment)?,
        Typed::Yank(yank) => content::yank(yank, process_environment)?,
        Typed::Unyank(unyank) => content::unyank(unyank, process_environment)?,
        Typed::Remove(remove) => content::remove(remove, process_environment)?,
        Typed::Status(status) => content::status(status, process_environment)?,
        Typed::Publish(publish) => publishing::publish(publish, process_environment)?,
        Typed::Refresh(refresh) => publishing::refresh(refresh, process_environment)?,
        Typed::Gc(gc) => publishing::gc(gc, process_environment)?,
        Typed::Verify(verify) => trying::verify(verify, process_environment)?,
        Typed::ExportAnchor(export) => trying::export_anchor(export, process_environment)?,
        Typed::Serve(serve) => trying::serve(serve, process_environment)?,
        Typed::Demo(demo) => trying::demo(demo, process_environment)?,
        Typed::Mirror(mirror) => curation::mirror(*mirror, input, process_environment)?,
        Typed::AddMetadataTo(add) => curation::add_metadata_to(*add, process_environment)?,
    };
    settings.no_input = general.no_input;
    Ok((general, Command::Repo(Box::new(settings))))
}

/// How strictly a command that uses indexes requires signatures.
pub(super) fn take_security(typed: &mut typed::RepoCommand) -> Option<VerificationArgs> {
    match typed {
        typed::RepoCommand::Mirror(mirror) => Some(std::mem::take(&mut mirror.security)),
        _ => None,
    }
}

impl OperatorOptions {
    /// A command that needs no key and changes nothing.
    fn new(
        operator_directory: &typed::OperatorDirectoryArgs,
        command: RepoCommand,
        process_environment: &ProcessEnvironment,
    ) -> Self {
        Self {
            directory: named(process_environment.expand(&operator_directory.repo)),
            json: operator_directory.json,
            dry_run: false,
            no_input: false,
            passphrase_fd: None,
            command,
        }
    }

    /// The terminal for messages during the work: with --json, standard output is reserved for the one object.
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

    /// Where passphrases may come from.
    pub fn unlock(&self) -> UnlockOptions {
        UnlockOptions { passphrase_fd: self.passphrase_fd, no_input: self.no_input }
    }

    fn with_dry_run(self, dry_run: bool) -> Self {
        Self { dry_run, ..self }
    }

    fn unlocked_by(self, unlock: &typed::PassphraseArgs) -> Self {
        Self { passphrase_fd: unlock.passphrase_fd, ..self }
    }
}

/// Replaces `.` by a path that messages can show.
fn named(directory: PathBuf) -> PathBuf {
    if directory == Path::new(".") { std::path::absolute(&directory).unwrap_or(directory) } else { directory }
}
