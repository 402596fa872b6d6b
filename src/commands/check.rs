//! `check`: whether what is installed fits together.

use std::process::ExitCode;

use crate::failure::Failure;
use crate::settings::Settings;
use crate::terminal::Terminal;

pub fn check(_settings: &Settings, _terminal: &Terminal) -> Result<ExitCode, Failure> {
    Err(Failure::usage("not there yet"))
}
