//! Commands that report and remove, held against pip.

mod newest_versions;
mod reference;
mod reports;
mod uninstall;
