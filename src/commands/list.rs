//! `list`: what is installed.

use crate::failure::Failure;
use crate::session::Session;
use crate::settings::{ListSettings, Settings};

pub async fn list(_settings: &Settings, _list: &ListSettings, _session: &Session) -> Result<(), Failure> {
    Err(Failure::usage("not there yet"))
}
