//! Text from servers and files, shortened for error messages.

/// Characters of foreign text that an error shows.
const SHOWN: usize = 120;

/// The first characters, without control characters, and a mark if there are more.
pub fn shown(text: &str) -> String {
    printable::shortened(text, SHOWN)
}
