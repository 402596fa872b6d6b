//! `freeze`: what is installed, as requirements.

use crate::failure::Failure;
use crate::settings::{FreezeSettings, Settings};
use crate::terminal::Terminal;

pub fn freeze(_settings: &Settings, _freeze: &FreezeSettings, _terminal: &Terminal) -> Result<(), Failure> {
    Err(Failure::usage("not there yet"))
}
