//! Undoes what a killed command left in an environment, before installed distributions are read.

use std::path::Path;

use wheel::Transaction;

use crate::error::Failure;
use crate::event::{Event, Reporter};

/// Undoes an unfinished change of `library`, or waits for the process that is making it. `true` when there was one: what was
/// read from the environment before is of no use then.
///
/// # Errors
/// When the environment can be neither read nor repaired.
pub fn recover(library: &Path, reporter: &dyn Reporter) -> Result<bool, Failure> {
    if wheel::pending(library)?.is_none() {
        return Ok(false);
    }
    let transaction = Transaction::begin(library, || {
        reporter.report(waiting_for(library));
    })?;
    if transaction.recovered().rolled_back > 0 {
        reporter.report(Event::InterruptedChangeUndone { library });
    }
    Ok(true)
}

/// Another process has locked `library`.
pub fn waiting_for(library: &Path) -> Event<'static> {
    Event::Waiting { text: format!("Waiting for another process that changes {}", library.display()) }
}
