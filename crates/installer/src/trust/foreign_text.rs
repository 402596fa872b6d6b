//! Text of others, in error texts.

use crate::text::printable;

/// Characters of foreign text that an error shows.
const SHOWN: usize = 120;

/// Its first characters, without what could steer a reporter, and a sign if there are more.
pub fn shown(text: &str) -> String {
    let start: String = text.chars().take(SHOWN).collect();
    let more = if start.len() < text.len() { "…" } else { "" };
    format!("{}{more}", printable(&start))
}
