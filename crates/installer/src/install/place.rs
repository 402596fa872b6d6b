//! The last stage: unpacked wheels go into the environment in one transaction, and pip's result lines are printed.

use std::path::{Path, PathBuf};

use wheel::{
    InstalledDistribution, Overwriting, Placement, ProtectedPlaces, Removal, Scheme, Transaction, TransactionError,
};

use crate::context::Context;
use crate::error::{Code, Failure};
use crate::event::{Event, Progress, Reporter, WarningCode};
use crate::install::fetch::PreparedWheels;
use crate::install::plan::{Addition, Plan};
use crate::install::proofs;
use crate::install::recover::waiting_for;
use crate::install::script_location;
use crate::options::{InstallLocation, InstallOptions};
use crate::python::environment::{Environment, installed_version};
use crate::python::{Destination, InstallScheme, Interpreter};
use crate::text::count_noun;
use crate::wheel_cache::UnpackedWheel;
use crate::wheel_cache::bytecode::Bytecode;
use resolve::UpgradeStrategy;

/// Where files are installed, and where changes are staged.
pub struct InstallTarget {
    /// Where files go.
    pub destination: Destination,
    /// What RECORD says instead, with `--target`.
    recorded: Option<Destination>,
    /// Whether this is `--target`, and if so whether names that exist are replaced.
    flat: Option<bool>,
    /// The directory of the lock and the journal.
    pub library: PathBuf,
}

impl InstallTarget {
    /// The place that the settings name.
    ///
    /// # Errors
    /// When the user scheme is requested and not allowed, or `--target` is not a directory.
    pub fn new(environment: &Environment, install: &InstallOptions, reporter: &dyn Reporter) -> Result<Self, Failure> {
        let interpreter = &environment.interpreter;
        let root = install.root.as_deref();
        let layout = match &install.place {
            InstallLocation::Environment { user } => {
                if uses_user_scheme(interpreter, *user, root, reporter)? {
                    InstallScheme::User
                } else {
                    InstallScheme::Environment
                }
            }
            InstallLocation::Prefix(directory) => InstallScheme::Prefix(absolute(directory)?),
            InstallLocation::Target(directory) => {
                if directory.exists() && !directory.is_dir() {
                    return Err(Failure::new(
                        Code::TargetNotADirectory,
                        "Target path exists but is not a directory, will not continue.",
                    )
                    .detail("path", directory.display().to_string()));
                }
                let directory = absolute(directory)?;
                let recorded = Destination::new(interpreter, &InstallScheme::Home(directory.clone()), root)?;
                return Ok(Self {
                    destination: Destination::flat(&directory),
                    recorded: Some(recorded),
                    flat: Some(install.upgrade != UpgradeStrategy::ToSatisfyOnly),
                    library: directory,
                });
            }
        };
        let destination = Destination::new(interpreter, &layout, root)?;
        let library = destination.purelib().to_owned();
        Ok(Self { destination, recorded: None, flat: None, library })
    }
}

/// What came of placing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placing {
    /// The environment is what was planned.
    Done,
    /// Nothing was done: the environment or the cache is no longer what was planned with, and the plan must be made again.
    PlanAgain,
}

/// Places the wheels of `plan`.
///
/// # Errors
/// When the disk or a wheel does not allow it; the environment is then as it was.
pub fn place(
    plan: &Plan,
    wheels: &PreparedWheels,
    environment: &Environment,
    target: &InstallTarget,
    places: &ProtectedPlaces,
    install: &InstallOptions,
    context: &Context,
) -> Result<Placing, Failure> {
    if plan.additions.is_empty() {
        // The environment may have been looked at while another process was changing it.
        return Ok(if environment.is_unchanged()? { Placing::Done } else { Placing::PlanAgain });
    }
    let reporter = &*context.reporter;
    let prepared = prepare_placements(plan, wheels, target)?;
    let mut transaction = Transaction::begin(&target.library, context.cache.key().get(), || {
        reporter.report(waiting_for(&target.library));
    })?;
    if !environment.is_unchanged()? {
        // The plan was made for an earlier state of the environment.
        reporter.report(Event::EnvironmentChanged);
        return Ok(Placing::PlanAgain);
    }
    let names: Vec<&str> = plan.additions.iter().map(|addition| addition.spelled.as_str()).collect();
    reporter.report(Event::Installing { projects: &names });
    reporter.progress(Progress::Placing { packages: plan.additions.len() });
    for addition in &plan.additions {
        if let Some(installed) = &addition.replaces {
            if !is_removable(&installed.location, environment, target) {
                reporter.report(Event::NotRemovable { installed: &installed.name });
                continue;
            }
            transaction.remove(Removal::of(installed, &environment.removal_scope(installed), places)?);
            reporter.report(Event::Replacing {
                project: &addition.spelled,
                installed: &installed.name,
                version: &shown_version(installed),
            });
        }
    }
    for ready in &prepared {
        transaction.add(ready.placement(environment, install));
    }
    if let Some(upgrade) = target.flat {
        transaction.into_target(upgrade);
    }
    let outcome = match transaction.commit(places) {
        Err(TransactionError::CacheChanged { tree, path, .. }) => {
            // A file was changed in an environment and, through the hard link, in the cache: unpack the wheel again.
            reporter.report(Event::CacheChanged { path: &path });
            context.wheels.forget(&tree);
            return Ok(Placing::PlanAgain);
        }
        outcome => outcome?,
    };
    wheels.keep_times(&context.wheels);
    reporter.progress(Progress::Placed);
    for kept in &outcome.kept {
        reporter.warning(
            WarningCode::TargetExists,
            format!("Target directory {} already exists. Specify --upgrade to force replacement.", kept.display()),
        );
    }
    for overwriting in &outcome.overwritten {
        reporter.warning(WarningCode::FilesOverwritten, overwriting_text(overwriting));
    }
    if install.warn_script_location && matches!(install.place, InstallLocation::Environment { .. }) {
        for ready in &prepared {
            script_location::warn(&ready.console_scripts(), &environment.interpreter.executable, reporter);
        }
    }
    say_installed(plan, wheels, reporter);
    Ok(Placing::Done)
}

/// What a [`Placement`] borrows.
struct PreparedPlacement<'a> {
    addition: &'a Addition,
    wheel: &'a UnpackedWheel,
    bytecode: Option<&'a Bytecode>,
    tree: PathBuf,
    scheme: Scheme,
    recorded: Option<Scheme>,
    direct_url: Option<String>,
}

fn prepare_placements<'a>(
    plan: &'a Plan,
    wheels: &'a PreparedWheels,
    target: &InstallTarget,
) -> Result<Vec<PreparedPlacement<'a>>, Failure> {
    plan.additions
        .iter()
        .map(|addition| {
            let name = &addition.candidate.name;
            let missing = || Failure::new(Code::Internal, format!("{name} was not fetched"));
            let (wheel, bytecode) = wheels.get(name).ok_or_else(missing)?;
            let header_name = addition.metadata.raw_name();
            Ok(PreparedPlacement {
                addition,
                wheel,
                bytecode: bytecode.as_ref(),
                tree: wheel.tree(),
                scheme: target.destination.scheme(header_name),
                recorded: target.recorded.as_ref().map(|recorded| recorded.scheme(header_name)),
                direct_url: addition.direct_url(wheel.sha256()),
            })
        })
        .collect()
}

impl<'a> PreparedPlacement<'a> {
    /// The paths of the console scripts.
    fn console_scripts(&self) -> Vec<PathBuf> {
        let entry_points = &self.wheel.manifest().console_scripts;
        entry_points.iter().map(|entry_point| self.scheme.scripts.join(&entry_point.name)).collect()
    }

    fn placement(&'a self, environment: &'a Environment, install: &InstallOptions) -> Placement<'a> {
        Placement {
            manifest: self.wheel.manifest(),
            tree: &self.tree,
            times: self.wheel.times(),
            bytecode: self.bytecode.filter(|_| install.compile).map(Bytecode::directory),
            scheme: &self.scheme,
            record_scheme: self.recorded.as_ref(),
            interpreter: &environment.interpreter.executable,
            version: environment.interpreter.major_minor(),
            installer: "tufpip",
            requested: self.addition.requested,
            direct_url: self.direct_url.as_deref(),
        }
    }
}

/// Whether the user's own site-packages are meant; by default only when the environment cannot be written.
fn uses_user_scheme(
    interpreter: &Interpreter,
    user_option: Option<bool>,
    root: Option<&Path>,
    reporter: &dyn Reporter,
) -> Result<bool, Failure> {
    let refused =
        |reason: &str| Err(Failure::new(Code::TargetUser, format!("Can not perform a '--user' install. {reason}")));
    match user_option {
        Some(false) => Ok(false),
        Some(true) if interpreter.is_virtualenv && !interpreter.system_site_packages => {
            refused("User site-packages are not visible in this virtualenv.")
        }
        Some(true) if interpreter.user_site_enabled != Some(true) => {
            refused("User site-packages are disabled for this Python.")
        }
        Some(true) => Ok(true),
        None if interpreter.user_site_enabled != Some(true) || root.is_some() => Ok(false),
        None if is_writable(&interpreter.paths.purelib) && is_writable(&interpreter.paths.platlib) => Ok(false),
        None => {
            reporter.report(Event::UserSchemeChosen);
            Ok(true)
        }
    }
}

fn is_writable(directory: &Path) -> bool {
    let existing = directory.ancestors().find(|ancestor| ancestor.exists());
    existing.is_some_and(|path| rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok())
}

/// Whether a distribution may be removed to make room: not one of the base interpreter from inside a virtual
/// environment, and not one elsewhere when the install goes elsewhere.
fn is_removable(location: &Path, environment: &Environment, target: &InstallTarget) -> bool {
    let interpreter = &environment.interpreter;
    if target.library == location || target.destination.platlib() == location {
        return true;
    }
    let user_install = interpreter.user_site.as_deref() == Some(target.library.as_path());
    !user_install && location.starts_with(&interpreter.prefix)
}

/// One sentence for all files that one project took from another.
fn overwriting_text(overwriting: &Overwriting) -> String {
    const NAMED: usize = 3;
    let Overwriting { project, other, files } = overwriting;
    let named: Vec<String> = files.iter().take(NAMED).map(|path| path.display().to_string()).collect();
    let more = match files.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let text = format!(
        "{project} replaced {} of {other} with other contents: {}{more}. {other} may not work any more; whichever of the two is \
         uninstalled takes them along.",
        count_noun(files.len(), "file"),
        named.join(", ")
    );
    printable::line(&text)
}

fn shown_version(installed: &InstalledDistribution) -> String {
    installed
        .version
        .clone()
        .or_else(|| installed_version(installed).map(|version| version.to_string()))
        .unwrap_or_default()
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| {
        Failure::new(Code::TargetPath, format!("Could not use {}: {error}", path.display())).caused_by(error)
    })
}

fn say_installed(plan: &Plan, wheels: &PreparedWheels, reporter: &dyn Reporter) {
    let mut installed: Vec<String> =
        plan.additions.iter().map(|addition| format!("{}-{}", addition.spelled, addition.candidate.version)).collect();
    installed.sort();
    reporter.report(Event::Installed { distributions: &installed });
    proofs::report(plan, |name| wheels.get(name).map(|(wheel, _)| wheel.proof()), reporter);
}
