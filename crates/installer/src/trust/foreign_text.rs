//! Text of others, in error texts.

/// Characters of foreign text that an error shows.
const SHOWN: usize = 120;

/// Its first characters, without what could steer a reporter, and a sign if there are more.
pub fn shown(text: &str) -> String {
    printable::shortened(text, SHOWN)
}
