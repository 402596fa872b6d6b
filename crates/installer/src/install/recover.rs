//! Undoes what a killed command left in an environment, before installed distributions are read.

use std::path::Path;

use wheel::Transaction;

use crate::error::Failure;
use crate::event::{Event, Reporter};
use crate::local_key::LocalKey;

/// What was found in an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// No unfinished change.
    Nothing,
    /// An unfinished change, which is undone or finished now: what was read from the environment before is out of date.
    Undone,
}

/// Undoes an unfinished change of `library`, or waits for the process that is making it. `key` proves whose change it is.
///
/// # Errors
/// When the environment can be neither read nor repaired, or something there only looks like an unfinished change.
pub fn recover(library: &Path, key: &LocalKey, reporter: &dyn Reporter) -> Result<Recovery, Failure> {
    if wheel::pending(library)?.is_none() {
        return Ok(Recovery::Nothing);
    }
    let transaction = Transaction::begin(library, key.get(), || {
        reporter.report(waiting_for(library));
    })?;
    if transaction.recovered().rolled_back > 0 {
        reporter.report(Event::InterruptedChangeUndone { library });
    }
    Ok(Recovery::Undone)
}

/// Another process has locked `library`.
pub fn waiting_for(library: &Path) -> Event<'static> {
    Event::Waiting { text: format!("Waiting for another process that changes {}", library.display()) }
}
