//! `repo init`, `repo key`, `repo root`, `repo rotate-online`, `repo delegate`, `repo sign`.

use std::path::PathBuf;
use std::time::Duration;

use packaging::PackageName;
use repository::{BinForm, DistributionTrust, Profile};

use super::{OperatorOptions, RepoCommand};
use crate::cli::GeneralArgs;
use crate::cli::repo::keys as typed;
use installer::error::Failure;
use installer::process_environment::ProcessEnvironment;

/// `repo init`
#[derive(Clone, Debug)]
pub struct InitRepository {
    /// Where the index will be reachable.
    pub base: String,
    /// Where it is published.
    pub output: String,
    /// How many projects are expected; determines what is not given.
    pub projects: u64,
    /// The shape of the delegations.
    pub profile: Option<Profile>,
    /// How many bins.
    pub bins: Option<u32>,
    /// How bins are represented in the metadata.
    pub bin_form: BinForm,
    /// Which target signs a distribution.
    pub trust: DistributionTrust,
    /// Roles, and for how long they are signed; the last one for a role counts.
    pub expiry: Vec<(String, Duration)>,
    /// Public keys of those who sign the root; a new key when empty.
    pub root_keys: Vec<PathBuf>,
    /// Public keys of those who sign targets; those of root when empty.
    pub targets_keys: Vec<PathBuf>,
    /// How many of them must sign.
    pub threshold: u64,
    /// The key that signs publications; a new one when `None`.
    pub online_key: Option<PathBuf>,
    /// Do not encrypt the new online key.
    pub no_passphrase: bool,
}

/// `repo key`
#[derive(Clone, Debug)]
pub enum KeyCommand {
    /// `repo key gen`
    Make {
        /// Names of the keys.
        names: Vec<String>,
        /// Where the files go; the repository's keys when `None`.
        out: Option<PathBuf>,
        /// Do not encrypt them.
        no_passphrase: bool,
    },
    /// `repo key import`
    Import {
        /// A private key in PEM.
        file: PathBuf,
        /// Its name; that of the file when `None`.
        name: Option<String>,
        /// Where the files go; the repository's keys when `None`.
        out: Option<PathBuf>,
        /// Do not encrypt it.
        no_passphrase: bool,
    },
    /// `repo key show`
    Show {
        /// Key files; all of the repository when empty.
        files: Vec<PathBuf>,
    },
}

/// `repo root`
#[derive(Clone, Debug)]
pub enum RootCommand {
    /// `repo root edit`
    Edit(EditRoot),
    /// `repo root sign`, `repo sign`
    Sign(SignFiles),
    /// `repo root finalize`
    Finalize,
}

/// `repo root edit`
#[derive(Clone, Debug)]
pub struct EditRoot {
    /// Whose keys change.
    pub group: EditedGroup,
    /// Public keys to add.
    pub add: Vec<PathBuf>,
    /// Names or beginnings of key ids to remove.
    pub remove: Vec<String>,
    /// How many of the keys must sign.
    pub threshold: Option<u64>,
    /// Over how many bins the projects are spread from now on.
    pub bins: Option<u32>,
    /// For how long the new root is valid; as in repo.toml when `None`.
    pub expires: Option<Duration>,
    /// What is signed again although its content stays.
    pub renew: Renewed,
}

/// Whose keys change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EditedGroup {
    /// Those who sign the root.
    Root,
    /// Those who sign targets.
    Targets,
    /// The online key.
    Online,
}

/// Which offline metadata is signed again although its content stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewed {
    /// Only what follows from other changes.
    Nothing,
    /// The root.
    Root,
    /// Targets and the offline metadata that it delegates to.
    Targets,
    /// Both.
    All,
}

/// `repo root sign`, `repo sign`
#[derive(Clone, Debug)]
pub struct SignFiles {
    /// The files; all waiting ones when empty.
    pub files: Vec<PathBuf>,
    /// Private keys; those of the repository when empty.
    pub keys: Vec<PathBuf>,
    /// The root before the new one; root.json of the repository when `None`.
    pub previous: Option<PathBuf>,
    /// Do not ask.
    pub yes: bool,
}

/// `repo rotate-online`
#[derive(Clone, Debug)]
pub struct RotateOnline {
    /// A file, or the name of a key to be made.
    pub new_key: Option<String>,
    /// Do not encrypt the new key.
    pub no_passphrase: bool,
}

/// `repo delegate`
#[derive(Clone, Debug)]
pub struct DelegateProject {
    /// Which project.
    pub project: PackageName,
    /// Public keys of those who sign for it.
    pub keys: Vec<PathBuf>,
    /// How many of them must sign.
    pub threshold: u64,
    /// End the delegation.
    pub remove: bool,
}

pub(super) fn init(
    typed: typed::Init,
    process_environment: &ProcessEnvironment,
) -> Result<(GeneralArgs, OperatorOptions), Failure> {
    let init = InitRepository {
        base: typed.base,
        output: typed.output,
        projects: typed.projects,
        profile: typed.profile.as_deref().map(profile),
        bins: typed.bins,
        bin_form: if typed.classic_bins { BinForm::Classic } else { BinForm::Succinct },
        trust: trust(&typed.trust),
        expiry: typed.expiry,
        root_keys: paths(&typed.root_key, process_environment),
        targets_keys: paths(&typed.targets_key, process_environment),
        threshold: typed.threshold,
        online_key: typed.online_key.as_deref().map(|path| process_environment.expand(path)),
        no_passphrase: typed.no_passphrase,
    };
    let settings =
        OperatorOptions::new(&typed.operator_directory, RepoCommand::Init(Box::new(init)), process_environment);
    Ok((typed.general, settings.unlocked_by(&typed.unlock)))
}

pub(super) fn key(
    typed: typed::KeyCommand,
    process_environment: &ProcessEnvironment,
) -> Result<(GeneralArgs, OperatorOptions), Failure> {
    let expand = |path: Option<String>| path.map(|path| process_environment.expand(&path));
    match typed {
        typed::KeyCommand::Gen(make) => {
            let (names, out) = (make.names, expand(make.out));
            let command = RepoCommand::Key(KeyCommand::Make { names, out, no_passphrase: make.no_passphrase });
            let settings = OperatorOptions::new(&make.operator_directory, command, process_environment);
            Ok((make.general, settings.unlocked_by(&make.unlock)))
        }
        typed::KeyCommand::Import(import) => {
            let (file, out) = (process_environment.expand(&import.file), expand(import.out));
            let import_key = KeyCommand::Import { file, name: import.name, out, no_passphrase: import.no_passphrase };
            let settings =
                OperatorOptions::new(&import.operator_directory, RepoCommand::Key(import_key), process_environment);
            Ok((import.general, settings.unlocked_by(&import.unlock)))
        }
        typed::KeyCommand::Show(show) => {
            let command = RepoCommand::Key(KeyCommand::Show { files: paths(&show.files, process_environment) });
            Ok((show.general, OperatorOptions::new(&show.operator_directory, command, process_environment)))
        }
    }
}

pub(super) fn root(
    typed: typed::RootCommand,
    process_environment: &ProcessEnvironment,
) -> Result<(GeneralArgs, OperatorOptions), Failure> {
    match typed {
        typed::RootCommand::Edit(edit) => {
            let command = RootCommand::Edit(EditRoot {
                group: match edit.role.as_str() {
                    "targets" => EditedGroup::Targets,
                    "online" => EditedGroup::Online,
                    _ => EditedGroup::Root,
                },
                add: paths(&edit.add_key, process_environment),
                remove: edit.remove_key,
                threshold: edit.threshold,
                bins: edit.bins,
                expires: edit.expires,
                renew: match edit.renew.as_deref() {
                    None => Renewed::Nothing,
                    Some("root") => Renewed::Root,
                    Some("targets") => Renewed::Targets,
                    Some(_) => Renewed::All,
                },
            });
            let settings =
                OperatorOptions::new(&edit.operator_directory, RepoCommand::Root(command), process_environment);
            Ok((edit.general, settings.with_dry_run(edit.dry_run)))
        }
        typed::RootCommand::Sign(sign) => self::sign(sign, process_environment),
        typed::RootCommand::Finalize(finalize) => {
            let settings = OperatorOptions::new(
                &finalize.operator_directory,
                RepoCommand::Root(RootCommand::Finalize),
                process_environment,
            );
            Ok((finalize.general, settings.unlocked_by(&finalize.unlock).with_dry_run(finalize.dry_run)))
        }
    }
}

pub(super) fn sign(
    typed: typed::SignFiles,
    process_environment: &ProcessEnvironment,
) -> Result<(GeneralArgs, OperatorOptions), Failure> {
    let sign = SignFiles {
        files: paths(&typed.files, process_environment),
        keys: paths(&typed.key, process_environment),
        previous: typed.previous.as_deref().map(|path| process_environment.expand(path)),
        yes: typed.yes,
    };
    let settings = OperatorOptions::new(
        &typed.operator_directory,
        RepoCommand::Root(RootCommand::Sign(sign)),
        process_environment,
    );
    Ok((typed.general, settings.unlocked_by(&typed.unlock).with_dry_run(typed.dry_run)))
}

pub(super) fn rotate_online(
    typed: typed::RotateOnline,
    process_environment: &ProcessEnvironment,
) -> Result<(GeneralArgs, OperatorOptions), Failure> {
    let rotate = RotateOnline { new_key: typed.new_key, no_passphrase: typed.no_passphrase };
    let settings =
        OperatorOptions::new(&typed.operator_directory, RepoCommand::RotateOnline(rotate), process_environment);
    Ok((typed.general, settings.unlocked_by(&typed.unlock).with_dry_run(typed.dry_run)))
}

pub(super) fn delegate(
    typed: typed::Delegate,
    process_environment: &ProcessEnvironment,
) -> Result<(GeneralArgs, OperatorOptions), Failure> {
    if typed.remove != typed.key.is_empty() {
        return Err(Failure::usage("expected either --key, for each of those who sign for the project, or --remove"));
    }
    let command = RepoCommand::Delegate(DelegateProject {
        project: typed.project,
        keys: paths(&typed.key, process_environment),
        threshold: typed.threshold,
        remove: typed.remove,
    });
    let settings = OperatorOptions::new(&typed.operator_directory, command, process_environment);
    Ok((typed.general, settings.unlocked_by(&typed.unlock).with_dry_run(typed.dry_run)))
}

fn paths(typed: &[String], process_environment: &ProcessEnvironment) -> Vec<PathBuf> {
    typed.iter().map(|path| process_environment.expand(path)).collect()
}

/// The command line accepts only the three names.
fn profile(name: &str) -> Profile {
    match name {
        "pep458" => Profile::Pep458,
        "rstuf" => Profile::Rstuf,
        _ => Profile::Small,
    }
}

/// The command line accepts only the three names.
fn trust(name: &str) -> DistributionTrust {
    match name {
        "target" => DistributionTrust::Target,
        "page" => DistributionTrust::Page,
        _ => DistributionTrust::Both,
    }
}
