//! `show`: what a distribution says of itself.

use std::process::ExitCode;

use crate::failure::Failure;
use crate::settings::{Settings, ShowSettings};
use crate::terminal::Terminal;

pub fn show(_settings: &Settings, _show: &ShowSettings, _terminal: &Terminal) -> Result<ExitCode, Failure> {
    Err(Failure::usage("not there yet"))
}
