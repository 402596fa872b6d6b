//! The straight line from the requirements to a changed environment. Start reading here.
//!
//! read requirements → probe Python → recover → resolve and plan → fetch → place. Each stage is one call below and
//! lives in a module of its own; the types between them say what was checked: only a
//! [`VerifiedFile`](crate::download::VerifiedFile) is unpacked, and only an
//! [`UnpackedWheel`](crate::wheel_cache::UnpackedWheel) is placed.

pub mod consistency;
pub mod fetch;
pub mod place;
pub mod plan;
pub mod proofs;
pub mod protected_places;
pub mod recover;
mod report;
pub mod resolution;
pub mod resolver_input;
pub mod root_user;
mod script_location;

use std::collections::HashMap;

use crate::context::Context;
use crate::error::{Code, Failure};
use crate::event::{Event, Reporter};
use crate::install::place::{InstallTarget, Placing};
use crate::install::plan::{InstalledPolicy, Plan};
use crate::install::recover::Recovery;
use crate::install::resolution::Rules;
use crate::options::{CommonOptions, InstallLocation, InstallOptions};
use crate::python::environment::Environment;

/// Installs what `install` asks for.
///
/// # Errors
/// When a stage fails; nothing is installed unless the last one, placing, has ended.
pub async fn install(options: &CommonOptions, install: &InstallOptions, context: &Context) -> Result<(), Failure> {
    let reporter = &*context.reporter;
    // Again, when what was read is out of date: a killed command was undone, or another process was faster.
    for _ in 0..ATTEMPTS {
        let requirements =
            resolution::read_requirements(&install.requirement_options, &install.indexes, &install.selection, context)
                .await?;
        let environment = Environment::open(options, &context.cache)?;
        if changes_environment(install) {
            environment.refuse_if_managed()?;
        }
        let target = InstallTarget::new(&environment, install, reporter)?;
        let places =
            protected_places::find(options, context, &environment.interpreter, Some(target.destination.paths()));
        protected_places::refuse_library(&places, &target.library)?;
        if !install.dry_run && recover::recover(&target.library, context.cache.key(), reporter)? == Recovery::Undone {
            continue;
        }
        let plan = resolution::resolve(requirements, &environment, rules(install), context).await?.plan;
        if install.dry_run {
            if let Some(output) = &install.report {
                report::write(output, &plan, &HashMap::new(), &environment.interpreter, context).await?;
            }
            report_would_install(&plan, reporter);
            proofs::report_limits(&plan, &context.trust, reporter);
            return Ok(());
        }

        let mut wheels = fetch::fetch(&plan, &environment.interpreter, install.compile, context).await?;
        if install.force_reinstall {
            wheels.forget_times();
        }
        if let Some(output) = &install.report {
            report::write(output, &plan, &wheels.by_name(), &environment.interpreter, context).await?;
        }
        if place::place(&plan, &wheels, &environment, &target, &places, install, context)? == Placing::Done {
            proofs::report_limits(&plan, &context.trust, reporter);
            consistency::warn_of_conflicts(&plan, &environment, install, reporter)?;
            root_user::warn(&environment.interpreter, install.warn_root_user, reporter);
            return Ok(());
        }
    }
    Err(always_changed())
}

/// How often a command begins again because something has changed under it.
pub const ATTEMPTS: usize = 100;

/// Other programs have changed the environment or the cache under every attempt.
pub fn always_changed() -> Failure {
    Failure::new(
        Code::Place,
        format!(
            "The environment or the cache was changed by other programs each of the {ATTEMPTS} times this was tried"
        ),
    )
    .detail("meaning", "nothing was changed")
    .hint("end the other programs that change it, then try again")
}

/// Whether the interpreter's own environment is touched (PEP 668 protects that, and nothing else).
fn changes_environment(install: &InstallOptions) -> bool {
    matches!(install.place, InstallLocation::Environment { .. })
        && install.root.is_none()
        && !install.break_system_packages
        && !(install.dry_run && install.report.is_some())
}

fn rules(install: &InstallOptions) -> Rules {
    let existing = if install.ignore_installed || matches!(install.place, InstallLocation::Target(_)) {
        InstalledPolicy::Ignore
    } else if install.force_reinstall {
        InstalledPolicy::Reinstall
    } else {
        InstalledPolicy::Keep
    };
    Rules {
        upgrade: install.upgrade,
        existing,
        no_deps: install.requirement_options.no_deps,
        only_deps: install.requirement_options.only_deps,
    }
}

fn report_would_install(plan: &Plan, reporter: &dyn Reporter) {
    let mut distributions: Vec<String> =
        plan.additions.iter().map(|a| format!("{}-{}", a.metadata.raw_name(), a.metadata.raw_version())).collect();
    distributions.sort();
    if !distributions.is_empty() {
        reporter.report(Event::WouldInstall { distributions: &distributions });
    }
}
