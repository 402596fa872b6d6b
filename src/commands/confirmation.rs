//! Asks for confirmation before an irreversible change.

use std::io::{self, IsTerminal as _};

use crate::terminal::question::ask;
use installer::error::{Code, Failure};

/// Asks the user at the terminal; anything but yes means no.
///
/// # Errors
/// When there is no terminal to answer, or with `no_input`.
pub fn confirm(question: &str, no_input: bool) -> Result<bool, Failure> {
    let unanswered = |reason: &str| {
        let message = format!("Nothing was done: nobody can answer the question \"{question}?\", because {reason}");
        Failure::new(Code::UsageNoInput, message).hint("give --yes to answer it beforehand")
    };
    if no_input {
        return Err(unanswered("no input is expected (--no-input)"));
    }
    if !io::stdin().is_terminal() {
        return Err(unanswered("there is no terminal to ask at"));
    }
    let answer = ask(&format!("{question} (y/N)? "))
        .map_err(|error| unanswered(&format!("reading the answer failed: {error}")))?;
    Ok(matches!(answer.unwrap_or_default().trim().to_lowercase().as_str(), "y" | "yes"))
}
