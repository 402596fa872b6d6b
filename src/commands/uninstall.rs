//! `uninstall`: takes distributions out of the environment, all that are named in one transaction.

mod listing;

use std::path::PathBuf;

use packaging::PackageName;
use wheel::{ProtectedPlaces, Removal, SealKey, Transaction, TransactionError};

use crate::terminal::Terminal;
use crate::terminal::question::ask;
use installer::context::Context;
use installer::error::{Code, Failure};
use installer::install::protected_places;
use installer::install::root_user;
use installer::install::{ATTEMPTS, always_changed, resolution};
use installer::options::{CommonOptions, IndexOptions, RequirementOptions, SelectionOptions};
use installer::python::environment::Environment;
use installer::python::installed::{InstalledPackage, installed_directory, is_local};
use installer::requirements::InstallRequirement;

/// `uninstall`
#[derive(Clone, Debug)]
pub struct UninstallOptions {
    /// Names (or requirements, of which only the name counts) from the command line.
    pub packages: Vec<String>,
    /// `-r`
    pub requirement_files: Vec<String>,
    /// Do not ask.
    pub yes: bool,
    /// Change an environment that is marked as managed by somebody else (PEP 668).
    pub break_system_packages: bool,
    /// Warn when running as root outside of a virtual environment.
    pub warn_root_user: bool,
}

/// Removes what `uninstall` names.
///
/// # Errors
/// When nothing is named, files cannot be read, or a distribution cannot be removed; the environment is then as it was.
pub async fn uninstall(
    common: &CommonOptions,
    uninstall: &UninstallOptions,
    context: &Context,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let names = named(uninstall, context, terminal).await?;
    for _ in 0..ATTEMPTS {
        let environment = Environment::open(common, &context.cache)?;
        if !uninstall.break_system_packages {
            environment.refuse_if_managed()?;
        }
        let places = protected_places::find(common, context, &environment.interpreter, None);
        let removals = confirm_removals(&names, &environment, &places, uninstall.yes, terminal)?;
        if removals.is_empty() || remove(&removals, &environment, &places, context.cache.key().get(), terminal)? {
            root_user::warn(&environment.interpreter, uninstall.warn_root_user, terminal);
            return Ok(());
        }
        // The environment has changed since the list was shown, so that the confirmation no longer covers it.
        terminal.verbose(0, || "The environment was changed by another process; looking again".to_owned());
    }
    Err(always_changed())
}

/// A project to uninstall, and its name as written.
struct NamedProject {
    name: PackageName,
    spelled: String,
}

/// A distribution to remove, and its files.
struct PlannedRemoval {
    described: InstalledPackage,
    removal: Removal,
}

/// The names of the command line and the files, each once, in the spelling of the last one.
async fn named(
    uninstall: &UninstallOptions,
    context: &Context,
    terminal: &Terminal,
) -> Result<Vec<NamedProject>, Failure> {
    let named = RequirementOptions {
        requirements: uninstall.packages.clone(),
        requirement_files: uninstall.requirement_files.clone(),
        ..RequirementOptions::default()
    };
    let (indexes, selection) = (IndexOptions::default(), SelectionOptions::default());
    let found = resolution::read_requirements(&named, &indexes, &selection, context).await?;
    let mut names: Vec<NamedProject> = Vec::new();
    for install_requirement in &found.requirements {
        let Some(name) = install_requirement.name() else {
            terminal.warning(&format!(
                "Invalid requirement: '{}' ignored - the uninstall command expects named requirements.",
                install_requirement.text
            ));
            continue;
        };
        let spelled = spelled(install_requirement, name);
        match names.iter_mut().find(|known| known.name == *name) {
            Some(known) => known.spelled = spelled,
            None => names.push(NamedProject { name: name.clone(), spelled }),
        }
    }
    if names.is_empty() {
        return Err(Failure::new(
            Code::UsageNothingToUninstall,
            "You must give at least one requirement to uninstall (see \"tufpip help uninstall\")",
        ));
    }
    Ok(names)
}

fn spelled(install_requirement: &InstallRequirement, name: &PackageName) -> String {
    let is_part = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
    let written: String = install_requirement.text.chars().take_while(|character| is_part(*character)).collect();
    if written.parse::<PackageName>().is_ok_and(|written| written == *name) { written } else { name.to_string() }
}

/// Looks up the names, shows what would be removed and asks, unless `yes`.
fn confirm_removals(
    names: &[NamedProject],
    environment: &Environment,
    places: &ProtectedPlaces,
    yes: bool,
    terminal: &Terminal,
) -> Result<Vec<PlannedRemoval>, Failure> {
    let mut planned = Vec::new();
    for NamedProject { name, spelled } in names {
        let found = environment.installed(name).map(InstalledPackage::new).transpose()?.flatten();
        let Some(described) = found else {
            terminal.warning(&format!("Skipping {spelled} as it is not installed."));
            continue;
        };
        let (raw_name, raw_version) = (described.raw_name(), described.raw_version());
        terminal.line(&format!("Found existing installation: {raw_name} {raw_version}"));
        let removal = removal(&described, environment, places, terminal)?.filter(|removal| !removal.paths.is_empty());
        let Some(removal) = removal else {
            terminal.line(&format!("Can't uninstall '{raw_name}'. No files were found to uninstall."));
            continue;
        };
        terminal.line(&format!("Uninstalling {raw_name}-{raw_version}:"));
        if !yes {
            for line in listing::lines(&removal, &described.distribution.info, terminal.is_verbose(1)) {
                terminal.line(&line);
            }
            if !proceed(terminal.settings().no_input)? {
                continue;
            }
        }
        planned.push(PlannedRemoval { described, removal });
    }
    Ok(planned)
}

/// What belongs to a distribution; `None` when it is not of this environment.
fn removal(
    described: &InstalledPackage,
    environment: &Environment,
    places: &ProtectedPlaces,
    terminal: &Terminal,
) -> Result<Option<Removal>, Failure> {
    let interpreter = &environment.interpreter;
    let location = described.location();
    let resolved = location.canonicalize().unwrap_or_else(|_| location.to_owned());
    if !is_local(interpreter, &installed_directory(&described.distribution)) {
        terminal.line(&format!(
            "Not uninstalling {} at {}, outside environment {}",
            described.name,
            resolved.display(),
            interpreter.prefix.display()
        ));
        return Ok(None);
    }
    if resolved == interpreter.stdlib {
        terminal.line(&format!(
            "Not uninstalling {} at {}, as it is in the standard library.",
            described.name,
            resolved.display()
        ));
        return Ok(None);
    }
    let scope = environment.removal_scope(&described.distribution);
    Removal::of(&described.distribution, &scope, places).map(Some).map_err(|error| not_removable(described, error))
}

/// Why a distribution cannot be removed, with its name as its metadata spell it.
fn not_removable(described: &InstalledPackage, error: TransactionError) -> Failure {
    let (name, version) = (printable::line(described.raw_name()), printable::line(described.raw_version()));
    let failure =
        |code, cause: String| Failure::new(code, format!("Cannot uninstall {name} {version}")).detail("cause", cause);
    match error {
        TransactionError::NoRecord { installer, .. } => {
            let failure = failure(
                Code::InstalledNoRecord,
                format!("the package's contents are unknown: no RECORD file was found for {name}"),
            );
            match installer.as_str() {
                "" | "pip" | "tufpip" => failure.hint(format!(
                    "install it again, which writes a RECORD: tufpip install --ignore-installed --no-deps {name}=={version}"
                )),
                other => failure.hint(format!("the package was installed by {}", printable::line(other))),
            }
        }
        TransactionError::Distutils { .. } => failure(
            Code::InstalledDistutils,
            "it was installed by distutils, which does not record the files it installs, so that only a part of them \
             could be removed"
                .to_owned(),
        ),
        other => other.into(),
    }
}

/// Removes everything at once. `false` when the environment has changed since, and nothing was done.
fn remove(
    planned: &[PlannedRemoval],
    environment: &Environment,
    places: &ProtectedPlaces,
    key: Option<&SealKey>,
    terminal: &Terminal,
) -> Result<bool, Failure> {
    let library = library(planned, environment);
    let mut transaction = Transaction::begin(&library, key, || {
        terminal.verbose(0, || format!("Waiting for another process that changes {}", library.display()));
    })?;
    if !environment.is_unchanged()? {
        return Ok(false);
    }
    for PlannedRemoval { described, removal } in planned {
        let scope = environment.removal_scope(&described.distribution);
        if Removal::of(&described.distribution, &scope, places)? != *removal {
            return Ok(false);
        }
        if terminal.is_verbose(1) {
            for path in &removal.paths {
                terminal.line(&printable::line(&format!("  Removing file or directory {}", path.display())));
            }
        }
        transaction.remove(removal.clone());
    }
    transaction.commit(places)?;
    for PlannedRemoval { described, .. } in planned {
        terminal.line(&format!("  Successfully uninstalled {}-{}", described.raw_name(), described.raw_version()));
    }
    Ok(true)
}

/// The directory that is locked: where installs into the environment lock, unless all is in the user's site-packages.
fn library(planned: &[PlannedRemoval], environment: &Environment) -> PathBuf {
    let interpreter = &environment.interpreter;
    let user_site = interpreter.user_site.as_ref();
    match user_site
        .filter(|user_site| planned.iter().all(|planned| planned.described.location() == user_site.as_path()))
    {
        Some(user_site) => user_site.clone(),
        None => interpreter.paths.purelib.clone(),
    }
}

/// Repeats the question until the answer is valid.
fn proceed(no_input: bool) -> Result<bool, Failure> {
    let unanswered = |reason: &str| {
        Failure::new(Code::UninstallNotConfirmed, format!("{reason}; question: Proceed (Y/n)? "))
            .hint("give --yes to uninstall without being asked")
    };
    if no_input {
        return Err(unanswered("No input was expected (--no-input)"));
    }
    let mut correction = String::new();
    loop {
        let answer = ask(&format!("{correction}Proceed (Y/n)? ")).map_err(|error| unanswered(&error.to_string()))?;
        let Some(answer) = answer else { return Err(unanswered("Standard input ended without an answer")) };
        match answer.trim().to_lowercase().as_str() {
            "y" | "" => return Ok(true),
            "n" => return Ok(false),
            other => {
                let other = printable::line(other);
                correction = format!("Your response ('{other}') was not one of the expected responses: y, n, \n");
            }
        }
    }
}
