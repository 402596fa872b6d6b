//! `check`: whether installed distributions satisfy each other's dependencies, and whether their files are complete.

use std::path::Component;
use std::process::ExitCode;

use packaging::{MetadataFields, Tags, WheelFilename};
use wheel::{InstalledProblem, Pending};

use crate::terminal::Terminal;
use installer::cache::CacheDirectory;
use installer::error::Failure;
use installer::install::consistency::PackageSet;
use installer::options::CommonOptions;
use installer::python::environment::Environment;
use installer::python::installed::{InstalledPackage, installed_directory, installed_packages, is_local};

/// Prints the problems of the environment; exit code 1 when there are any.
///
/// # Errors
/// When the environment cannot be read.
pub fn check(common: &CommonOptions, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let environment = Environment::open(common, &CacheDirectory::open(common, terminal)?)?;
    let distributions = installed_packages(environment.distributions(), terminal)?;
    let (set, understood) = PackageSet::of_installed(&distributions, &environment.interpreter.markers, terminal);
    let broken = set.broken();
    for broken in &broken {
        let (name, version) = (&broken.name, &broken.version);
        terminal.line(&match &broken.found {
            None => format!("{name} {version} requires {}, which is not installed.", broken.dependency),
            Some(found) => format!(
                "{name} {version} has requirement {}, but you have {} {found}.",
                broken.requirement, broken.dependency
            ),
        });
    }
    let unsupported = report_unsupported(&distributions, &environment, terminal)?;
    let damaged = report_damaged(&distributions, &environment, terminal)?;
    if !broken.is_empty() || !understood || unsupported || damaged {
        return Ok(ExitCode::FAILURE);
    }
    terminal.line("No broken requirements found.");
    Ok(ExitCode::SUCCESS)
}

/// Reports wheels for another platform or Python.
fn report_unsupported(
    distributions: &[InstalledPackage],
    environment: &Environment,
    terminal: &Terminal,
) -> Result<bool, Failure> {
    let tags = Tags::for_interpreter(&environment.interpreter.tag_facts);
    let mut some = false;
    for described in local(distributions, environment) {
        let Some(text) = described.distribution.read("WHEEL")? else { continue };
        let fields = MetadataFields::parse(&text);
        let is_supported = |tag: &str| {
            format!("x-0-{}.whl", tag.trim()).parse::<WheelFilename>().is_ok_and(|wheel| tags.rank(&wheel).is_some())
        };
        if !fields.get_all("Tag").any(is_supported) {
            let version = described.version().map_or_else(str::to_owned, |version| version.to_string());
            terminal.line(&format!("{} {version} is not supported on this platform", described.raw_name()));
            some = true;
        }
    }
    Ok(some)
}

/// Reports what pip does not check: interrupted changes, and files that are missing or have another length.
fn report_damaged(
    distributions: &[InstalledPackage],
    environment: &Environment,
    terminal: &Terminal,
) -> Result<bool, Failure> {
    let mut some = false;
    if let Some(Pending::Interrupted(journal)) = wheel::pending(&environment.interpreter.paths.purelib)? {
        terminal.line(&format!(
            "An interrupted change of this environment is waiting to be undone ({}). The next install or uninstall does it.",
            journal.display()
        ));
        some = true;
    }
    for described in local(distributions, environment) {
        for problem in wheel::problems(&described.distribution) {
            let text = || format!("{} {}: {problem}", described.raw_name(), described.raw_version());
            if is_serious(&problem) {
                terminal.line(&text());
                some = true;
            } else {
                terminal.verbose(1, text);
            }
        }
    }
    Ok(some)
}

/// Not serious: a missing RECORD, by which other package managers mark a distribution as theirs; a program that was
/// deleted from the scripts directory; a link by which a distributor replaced a file with its own.
fn is_serious(problem: &InstalledProblem) -> bool {
    match problem {
        InstalledProblem::NoRecord => false,
        InstalledProblem::Missing(path) | InstalledProblem::WrongSize { path, .. } => {
            !path.is_symlink() && !path.components().any(|component| component == Component::ParentDir)
        }
        InstalledProblem::NoMetadata | InstalledProblem::UnreadableRecord(_) => true,
    }
}

fn local<'d>(
    distributions: &'d [InstalledPackage],
    environment: &'d Environment,
) -> impl Iterator<Item = &'d InstalledPackage> {
    distributions.iter().filter(|described| {
        !described.is_standard_library()
            && is_local(&environment.interpreter, &installed_directory(&described.distribution))
    })
}
