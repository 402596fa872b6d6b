//! Asks for confirmation before an irreversible change.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

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
    let mut output = io::stdout();
    let _ = write!(output, "{} (y/N)? ", printable::line(question));
    let _ = output.flush();
    let mut answer = String::new();
    io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(|error| unanswered(&format!("reading the answer failed: {error}")))?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
