//! Small pieces of text that several parts make in the same way.

/// `1 file`, `2 files`: for nouns that only need an `s`.
pub fn count_noun(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
