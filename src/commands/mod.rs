//! One command per file. `install` is a single call into `crates/installer/src/install/mod.rs`.

pub mod cache;
pub mod check;
pub mod confirmation;
pub mod download;
pub mod freeze;
pub mod list;
#[cfg(feature = "repo")]
pub mod repo;
pub mod show;
pub mod trust;
pub mod uninstall;
pub mod why_trust;

use installer::cache::CacheDirectory;
use installer::event::Silent;
use installer::options::CommonOptions;
use installer::python::environment::Environment;

/// What `--version` prints: as pip does, with the place of the program and the interpreter it would work on.
pub fn version(common: &CommonOptions) -> String {
    let place = std::env::current_exe().map(|path| path.display().to_string()).unwrap_or_default();
    let environment = CacheDirectory::open(common, &Silent).and_then(|cache| Environment::open(common, &cache));
    let python = environment.map(|environment| {
        let (major, minor) = environment.interpreter.major_minor();
        format!(" (python {major}.{minor})")
    });
    format!("tufpip {} from {place}{}", env!("CARGO_PKG_VERSION"), python.unwrap_or_default())
}
