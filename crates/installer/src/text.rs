//! Small pieces of text that several parts make in the same way.

/// `1 file`, `2 files`: for nouns that only need an `s`.
pub fn count_noun(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// `text` without anything that could steer a terminal.
pub fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| if c.is_control() || is_bidirectional(c) { c.escape_unicode().collect() } else { vec![c] })
        .collect()
}

/// Foreign text of several lines, without anything that could steer a terminal; lines and tabs stay.
pub fn printable_lines(text: &str) -> String {
    let part = |part: &str| part.split('\t').map(printable).collect::<Vec<_>>().join("\t");
    text.split('\n').map(part).collect::<Vec<_>>().join("\n")
}

fn is_bidirectional(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
