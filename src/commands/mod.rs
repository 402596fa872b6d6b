//! One command a file. `install` is the straight line of `crates/installer`, its `install/mod.rs`.

pub mod check;
pub mod confirmation;
pub mod download;
pub mod freeze;
pub mod list;
pub mod repo;
pub mod show;
pub mod trust;
pub mod uninstall;
pub mod why_trust;

use crate::settings::Settings;

/// What `--version` prints: as pip does, with the place of the program and the interpreter it would work on.
pub fn version(settings: &Settings) -> String {
    let place = std::env::current_exe().map(|path| path.display().to_string()).unwrap_or_default();
    let python = installer::python::environment::Environment::open(&settings.common).map(|environment| {
        let (major, minor) = environment.interpreter.major_minor();
        format!(" (python {major}.{minor})")
    });
    format!("tufpip {} from {place}{}", env!("CARGO_PKG_VERSION"), python.unwrap_or_default())
}
