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

/// What `--version` prints: as pip does, with the place of the program, but without an interpreter: none is started for it.
pub fn version() -> String {
    let place = std::env::current_exe().map(|path| path.display().to_string()).unwrap_or_default();
    format!("tufpip {} from {place}", env!("CARGO_PKG_VERSION"))
}
