//! Text of foreign files, in error texts.

/// Its first characters, and a sign if there are more.
pub(crate) fn start_of(text: &str, most: usize) -> String {
    let mut start: String = text.chars().take(most).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    start
}

/// The same without what could command a terminal.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    start_of(text, most).escape_debug().to_string()
}
