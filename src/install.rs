//! The straight line from a command to a changed environment. Start reading here.
//!
//! settle → read wishes → ask python → resolve → plan → fetch → place → report. Each stage is one call below and lives in
//! a module of its own; the types between them say what was checked: only a [`VerifiedFile`](crate::net::VerifiedFile) is
//! unpacked, and only an [`UnpackedWheel`](crate::store::UnpackedWheel) is placed.

use std::collections::HashMap;

use crate::consistency;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::placing::{self, Target};
use crate::plan::{Existing, Plan};
use crate::report;
use crate::root_user;
use crate::session::Session;
use crate::settings::{InstallSettings, Place, Settings};
use crate::terminal::Terminal;
use crate::unfinished;
use crate::verified;
use crate::wanted::{Asked, warn_of_unknown_extras};

/// Installs what `install` asks for.
///
/// # Errors
/// Whatever stops a stage; the environment is then as it was before.
pub async fn install(settings: &Settings, install: &InstallSettings, session: &Session) -> Result<(), Failure> {
    let terminal = &session.terminal;
    loop {
        let requirements = session.read(&install.wishes, &install.indexes, &install.selection)?;
        // A server's answers take as long as an interpreter's first one: both at once.
        session.begin_to_verify(&requirements.indexes);
        let environment = Environment::open(settings)?;
        if changes_environment(install) {
            environment.refuse_if_managed()?;
        }
        let target = Target::new(&environment, install, terminal)?;
        if !install.dry_run && unfinished::undo(&target.library, terminal)? {
            continue;
        }
        let asked = Asked::new(requirements, &environment.interpreter.markers, terminal)?;

        let mut finder = session.finder(&asked, &environment)?;
        let existing = existing(install);
        if existing == Existing::Keep {
            finder.insert_all_installed(&environment);
        }
        let request = asked.request(&environment, install.upgrade, existing != Existing::Keep, install.wishes.no_deps);
        let resolution = finder.resolve(&request).await?;
        warn_of_unknown_extras(&resolution, terminal);

        let mut plan = Plan::new(&resolution, &finder, &environment, existing, terminal)?;
        if install.wishes.only_deps {
            plan.without(&asked.names());
        }
        asked.refuse_unhashed(&plan)?;
        session.refuse_unsigned(&plan)?;
        if install.dry_run {
            if let Some(output) = &install.report {
                report::write(output, &plan, &HashMap::new(), &environment.interpreter, session).await?;
            }
            say_would_install(&plan, terminal);
            verified::say_limits(&plan, session.trust(), terminal);
            return Ok(());
        }

        let wheels = session.fetch(&plan, &environment.interpreter, install.compile).await?;
        if let Some(output) = &install.report {
            report::write(output, &plan, &wheels.by_name(), &environment.interpreter, session).await?;
        }
        if placing::place(&plan, &wheels, &environment, &target, install, session)? {
            verified::say_limits(&plan, session.trust(), terminal);
            consistency::warn_of_conflicts(&plan, &environment, install, terminal)?;
            root_user::warn(&environment.interpreter, install.warn_root_user, terminal);
            return Ok(());
        }
    }
}

/// Whether the interpreter's own environment is touched (PEP 668 protects that, and nothing else).
fn changes_environment(install: &InstallSettings) -> bool {
    matches!(install.place, Place::Environment { .. })
        && install.root.is_none()
        && !install.break_system_packages
        && !(install.dry_run && install.report.is_some())
}

fn existing(install: &InstallSettings) -> Existing {
    if install.ignore_installed || matches!(install.place, Place::Target(_)) {
        Existing::Ignore
    } else if install.force_reinstall {
        Existing::Reinstall
    } else {
        Existing::Keep
    }
}

fn say_would_install(plan: &Plan, terminal: &Terminal) {
    let mut names: Vec<String> =
        plan.additions.iter().map(|a| format!("{}-{}", a.metadata.raw_name(), a.metadata.raw_version())).collect();
    names.sort();
    if !names.is_empty() {
        terminal.line(&format!("Would install {}", names.join(" ")));
    }
}
