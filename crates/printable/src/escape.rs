//! Which characters of foreign text are escaped, and how.

use std::fmt::{self, Write};

/// A text within one line.
///
/// Characters for which [`is_escaped`] holds become `\u{…}`, their number in hex. Everything else, backslashes included,
/// stays as it is, so that a text that went through once is not changed by going through again.
///
/// ```
/// assert_eq!(printable::line("naïve 名前 🙂\u{1b}[2J"), "naïve 名前 🙂\\u{1b}[2J");
/// ```
pub fn line(text: &str) -> String {
    // Nearly every text.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    text.chars().for_each(|character| push(&mut shown, character));
    shown
}

/// A text of several lines: line ends and tabs stay, `\r\n` becomes `\n`, everything else is as in [`line()`].
pub fn lines(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\n' | '\t' => shown.push(character),
            '\r' if characters.peek() == Some(&'\n') => {}
            other => push(&mut shown, other),
        }
    }
    shown
}

/// A JSON document, with the same characters escaped as JSON has it (`\u202e`); its ends of lines and tabs stay. It means
/// what it meant, since all others can only be within its texts.
///
/// ```
/// assert_eq!(printable::json("[\"a\u{202e}\"]"), r#"["a\u202e"]"#);
/// ```
pub fn json(document: &str) -> String {
    let mut shown = String::with_capacity(document.len());
    for character in document.chars() {
        if is_escaped(character) && !matches!(character, '\n' | '\r' | '\t') {
            for unit in character.encode_utf16(&mut [0; 2]) {
                shown.push_str(&format!("\\u{unit:04x}"));
            }
        } else if character != '\r' {
            shown.push(character);
        }
    }
    shown
}

/// The first `most` characters of what [`line()`] makes of a text, and `…` if there are more. An escape is there whole or not
/// at all. What is left out is not even formatted.
///
/// ```
/// assert_eq!(printable::shortened("a very long story", 6), "a very…");
/// ```
pub fn shortened(text: impl fmt::Display, most: usize) -> String {
    cut(text, most, "…", push)
}

/// [`shortened`] with nothing but ASCII in what is shown, and `...` for what is left out: for names and contents that are
/// refused, which may be made to look like others.
///
/// ```
/// assert_eq!(printable::ascii("r\u{435}quests", 20), "r\\u{435}quests");
/// ```
pub fn ascii(text: impl fmt::Display, most: usize) -> String {
    cut(text, most, "...", |shown, character| {
        if character.is_ascii() {
            push(shown, character);
        } else {
            shown.extend(character.escape_unicode());
        }
    })
}

/// [`shortened`], in double quotes; quotes and backslashes within are escaped with a backslash.
///
/// ```
/// assert_eq!(printable::quoted(r#"a "b""#, 20), r#""a \"b\"""#);
/// ```
pub fn quoted(text: impl fmt::Display, most: usize) -> String {
    let inside = cut(text, most, "…", |shown, character| {
        if matches!(character, '"' | '\\') {
            shown.push('\\');
        }
        push(shown, character);
    });
    format!("\"{inside}\"")
}

/// Whether a character is not shown as it is, because it
/// - steers: the controls of C0 and C1, line and paragraph separators;
/// - reorders: marks, embeddings, overrides and isolates of directions, format controls of hieroglyphs, shorthand and notes;
/// - hides: what Unicode says to draw as nothing (zero-width characters and joiners, soft hyphens, fillers, variation
///   selectors, tags), annotations between lines, the empty Braille pattern;
/// - or means nothing to others: private use, and code points that never become characters.
///
/// Letters, marks, digits, symbols and spaces of every script are shown. Two names that look alike may differ by a joiner:
/// that is why the joiners of emoji, Persian and Indic scripts are escaped too.
pub fn is_escaped(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_control();
    }
    let code = u32::from(character);
    // The last two of each plane are no characters.
    ESCAPED.iter().any(|(first, last)| (*first..=*last).contains(&code)) || code & 0xfffe == 0xfffe
}

/// Beyond ASCII, in order; first and last of each range. From DerivedCoreProperties (Default_Ignorable_Code_Point) and
/// DerivedGeneralCategory (Cc, Cf, Zl, Zp, Co) of Unicode 16; of Cf the signs that enclose a number are visible and missing.
const ESCAPED: &[(u32, u32)] = &[
    (0x80, 0x9f),         // C1 controls
    (0xad, 0xad),         // soft hyphen
    (0x34f, 0x34f),       // combining grapheme joiner
    (0x61c, 0x61c),       // Arabic letter mark
    (0x115f, 0x1160),     // Hangul fillers
    (0x17b4, 0x17b5),     // Khmer inherent vowels
    (0x180b, 0x180f),     // Mongolian variation selectors and vowel separator
    (0x200b, 0x200f),     // zero width space, joiners, direction marks
    (0x2028, 0x202e),     // line and paragraph separators, embeddings and overrides
    (0x2060, 0x206f),     // word joiner, invisible operators, isolates, deprecated format characters
    (0x2800, 0x2800),     // empty Braille pattern
    (0x3164, 0x3164),     // Hangul filler
    (0xe000, 0xf8ff),     // private use
    (0xfdd0, 0xfdef),     // no characters
    (0xfe00, 0xfe0f),     // variation selectors
    (0xfeff, 0xfeff),     // byte order mark
    (0xffa0, 0xffa0),     // half-width Hangul filler
    (0xfff0, 0xfffb),     // interlinear annotations
    (0x13430, 0x1343f),   // Egyptian hieroglyph format controls
    (0x1bca0, 0x1bca3),   // shorthand format controls
    (0x1d173, 0x1d17a),   // musical format controls
    (0xe0000, 0xe0fff),   // tags and more variation selectors
    (0xf0000, 0x10_ffff), // private use
];

fn push(shown: &mut String, character: char) {
    if is_escaped(character) {
        shown.extend(character.escape_unicode());
    } else {
        shown.push(character);
    }
}

fn cut(text: impl fmt::Display, most: usize, sign: &str, show: fn(&mut String, char)) -> String {
    let mut cut = Cut { shown: String::new(), room: most, show };
    // Its only error is that it is full; one of the text itself leaves it unfinished just so.
    if write!(cut, "{text}").is_err() {
        cut.shown.push_str(sign);
    }
    cut.shown
}

/// Takes as much of a text as there is room for.
struct Cut {
    shown: String,
    /// Characters that still fit.
    room: usize,
    show: fn(&mut String, char),
}

impl Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            let length = self.shown.len();
            (self.show)(&mut self.shown, character);
            let width = self.shown.get(length..).unwrap_or_default().chars().count();
            match self.room.checked_sub(width) {
                Some(room) => self.room = room,
                None => {
                    self.shown.truncate(length);
                    self.room = 0;
                    return Err(fmt::Error);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
