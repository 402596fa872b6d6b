//! Questions at the terminal. What an answer means is the command's business.

use std::io::{self, BufRead as _, Write as _};

/// Shows a question and reads a line; `None` when standard input has ended.
///
/// # Errors
/// When standard input cannot be read.
pub fn ask(question: &str) -> io::Result<Option<String>> {
    // Nobody may be there to read the question; then there is no answer either.
    let mut output = io::stdout();
    let _ = write!(output, "{}", printable::lines(question));
    let _ = output.flush();
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer)?;
    Ok((read > 0).then_some(answer))
}
