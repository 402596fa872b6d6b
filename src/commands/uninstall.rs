//! `uninstall`: takes distributions out of the environment.

use crate::failure::Failure;
use crate::settings::{Settings, UninstallSettings};
use crate::terminal::Terminal;

pub fn uninstall(_settings: &Settings, _uninstall: &UninstallSettings, _terminal: &Terminal) -> Result<(), Failure> {
    Err(Failure::usage("not there yet"))
}
