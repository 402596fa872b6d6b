//! What a killed command left in an environment is undone before anybody judges by what is installed there.

use std::path::Path;

use wheel::Transaction;

use crate::failure::Failure;
use crate::terminal::Terminal;

/// Undoes an unfinished change of `library`, or waits for the process that is making it. `true` when there was one: what was
/// read from the environment before is of no use then.
///
/// # Errors
/// When the environment can be neither read nor repaired.
pub fn undo(library: &Path, terminal: &Terminal) -> Result<bool, Failure> {
    if wheel::pending(library)?.is_none() {
        return Ok(false);
    }
    let transaction = Transaction::begin(library, || {
        terminal.note(&format!("Waiting for another process that changes {}", library.display()));
    })?;
    if transaction.recovered().rolled_back > 0 {
        terminal.note(&format!("An interrupted change of {} was undone", library.display()));
    }
    Ok(true)
}
