//! Requirements files as text: bytes to lines, as pip's req_file.py does. Options and requirements are not parsed
//! here.

use std::collections::BTreeMap;

/// A line with its number, counted from 1; of a continued line the first one.
pub type NumberedLine = (usize, String);

/// Decodes a file: byte order mark, else a PEP 263 comment in the first two lines, else UTF-8.
///
/// # Errors
/// One sentence without the file's name.
pub fn decode(bytes: &[u8]) -> Result<String, String> {
    let broken = |encoding: &str| format!("it is not valid {encoding}");
    // The mark of UTF-16 begins that of UTF-32, so the longer one comes first.
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        return String::from_utf8(rest.to_vec()).map_err(|_| broken("UTF-8"));
    }
    for (mark, little) in [(b"\xff\xfe\0\0", true), (b"\0\0\xfe\xff", false)] {
        if let Some(rest) = bytes.strip_prefix(mark) {
            return utf_32(rest, little).ok_or_else(|| broken("UTF-32"));
        }
    }
    for (mark, little) in [(b"\xff\xfe", true), (b"\xfe\xff", false)] {
        if let Some(rest) = bytes.strip_prefix(mark) {
            return utf_16(rest, little).ok_or_else(|| broken("UTF-16"));
        }
    }
    let declared = bytes.split(|byte| *byte == b'\n').take(2).find_map(declared_encoding);
    match declared.as_deref().map(|name| name.to_lowercase().replace('_', "-")).as_deref() {
        None => String::from_utf8(bytes.to_vec())
            .map_err(|_| format!("{}; save it as UTF-8, or declare its encoding on the first line", broken("UTF-8"))),
        Some("utf-8" | "utf8" | "u8" | "utf-8-sig") => {
            String::from_utf8(bytes.to_vec()).map_err(|_| broken("UTF-8, which it declares"))
        }
        Some("ascii" | "us-ascii") if bytes.is_ascii() => Ok(bytes.iter().copied().map(char::from).collect()),
        Some("ascii" | "us-ascii") => Err(broken("ASCII, which it declares")),
        // The first 256 characters of Unicode are Latin-1.
        Some("latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" | "l1" | "8859") => {
            Ok(bytes.iter().copied().map(char::from).collect())
        }
        Some(other) => Err(format!("it declares the encoding '{other}', which is not supported; save it as UTF-8")),
    }
}

/// The lines with content: continued ones joined, comments removed, `${VARIABLES}` replaced.
pub fn lines(content: &str, variables: &BTreeMap<String, String>) -> Vec<NumberedLine> {
    let joined = join(split_lines(content)).into_iter();
    let stripped = joined.map(|(number, line)| (number, strip_comment(&line).trim().to_owned()));
    let filled = stripped.filter(|(_, line)| !line.is_empty());
    filled.map(|(number, line)| (number, expand(&line, variables))).collect()
}

/// Splits a line where its options begin: at the first word that starts with a hyphen.
pub fn split_options(line: &str) -> (&str, &str) {
    let mut start = 0;
    for word in line.split(' ') {
        if word.starts_with('-') {
            return (
                line.get(..start).unwrap_or_default().trim_end_matches(' '),
                line.get(start..).unwrap_or_default(),
            );
        }
        start += word.len() + 1;
    }
    (line, "")
}

/// Splits into words as a POSIX shell does, without its expansions and comments; each word with its byte offset.
/// `None` when a quotation does not end.
pub fn split_words(text: &str) -> Option<Vec<(usize, String)>> {
    let mut words = Vec::new();
    let mut word: Option<(usize, String)> = None;
    let mut characters = text.char_indices();
    while let Some((position, character)) = characters.next() {
        if matches!(character, ' ' | '\t' | '\r' | '\n') {
            words.extend(word.take());
            continue;
        }
        let (_, current) = word.get_or_insert_with(|| (position, String::new()));
        match character {
            '\\' => current.push(characters.next()?.1),
            '\'' => loop {
                match characters.next()?.1 {
                    '\'' => break,
                    other => current.push(other),
                }
            },
            '"' => loop {
                match characters.next()?.1 {
                    '"' => break,
                    '\\' => match characters.next()?.1 {
                        escaped @ ('"' | '\\') => current.push(escaped),
                        other => current.extend(['\\', other]),
                    },
                    other => current.push(other),
                }
            },
            other => current.push(other),
        }
    }
    words.extend(word);
    Some(words)
}

fn utf_16(bytes: &[u8], little: bool) -> Option<String> {
    let units = bytes.chunks(2).map(|unit| {
        let unit: [u8; 2] = unit.try_into().ok()?;
        Some(if little { u16::from_le_bytes(unit) } else { u16::from_be_bytes(unit) })
    });
    String::from_utf16(&units.collect::<Option<Vec<u16>>>()?).ok()
}

fn utf_32(bytes: &[u8], little: bool) -> Option<String> {
    let characters = bytes.chunks(4).map(|unit| {
        let unit: [u8; 4] = unit.try_into().ok()?;
        char::from_u32(if little { u32::from_le_bytes(unit) } else { u32::from_be_bytes(unit) })
    });
    characters.collect()
}

/// `coding: name` or `coding=name` in a comment line (PEP 263).
fn declared_encoding(line: &[u8]) -> Option<String> {
    let line = std::str::from_utf8(line.strip_prefix(b"#")?).ok()?;
    line.match_indices("coding").find_map(|(position, _)| {
        let rest = line.get(position + "coding".len()..)?;
        let rest = rest.strip_prefix([':', '='])?.trim_start();
        let is_name = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
        let end = rest.find(|character| !is_name(character)).unwrap_or(rest.len());
        rest.get(..end).filter(|name| !name.is_empty()).map(str::to_owned)
    })
}

/// Lines by all of Unicode's ends of line, as Python's `splitlines`.
fn split_lines(content: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = content;
    let is_end = |character: char| {
        matches!(character, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
    };
    while let Some(end) = rest.find(is_end) {
        let (line, tail) = rest.split_at(end);
        lines.push(line);
        rest = tail.strip_prefix("\r\n").unwrap_or_else(|| {
            let mut characters = tail.chars();
            characters.next();
            characters.as_str()
        });
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

/// Joins lines that end in a backslash; a comment line ends a join.
fn join(lines: Vec<&str>) -> Vec<NumberedLine> {
    let mut joined = Vec::new();
    let mut open: Option<NumberedLine> = None;
    for (index, line) in lines.into_iter().enumerate() {
        let is_comment = line.trim_start().starts_with('#');
        if line.ends_with('\\') && !is_comment {
            open.get_or_insert_with(|| (index + 1, String::new())).1.push_str(line.trim_matches('\\'));
            continue;
        }
        let (number, mut text) = open.take().unwrap_or_else(|| (index + 1, String::new()));
        if is_comment {
            // Else `a\` before `# comment` would become `a# comment`.
            text.push(' ');
        }
        text.push_str(line);
        joined.push((number, text));
    }
    joined.extend(open);
    joined
}

/// A comment starts at a `#` that begins the line or follows white space.
fn strip_comment(line: &str) -> &str {
    let mut after_space = true;
    for (position, character) in line.char_indices() {
        if character == '#' && after_space {
            return line.get(..position).unwrap_or(line);
        }
        after_space = character.is_whitespace();
    }
    line
}

/// Replaces `${NAME}`, where the name has only capitals, digits and underscores and the variable is not empty.
fn expand(line: &str, variables: &BTreeMap<String, String>) -> String {
    let mut expanded = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(start) = rest.find("${") {
        let (before, tail) = rest.split_at(start);
        expanded.push_str(before);
        let name = tail.get(2..).and_then(|tail| tail.split_once('}')).map(|(name, _)| name);
        let is_name = |name: &&str| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        };
        let value = name.filter(is_name).and_then(|name| Some((name, variables.get(name)?)));
        match value.filter(|(_, value)| !value.is_empty()) {
            Some((name, value)) => {
                expanded.push_str(value);
                rest = tail.get(name.len() + 3..).unwrap_or_default();
            }
            None => {
                expanded.push_str("${");
                rest = tail.get(2..).unwrap_or_default();
            }
        }
    }
    expanded.push_str(rest);
    expanded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(content: &str) -> Vec<(usize, String)> {
        let variables = [("TOKEN", "t1"), ("EMPTY", ""), ("lower", "no")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        lines(content, &BTreeMap::from(variables))
    }

    #[test]
    fn what_a_line_is() {
        for (content, expected) in [
            ("a\nb\r\nc\rd", vec![(1, "a"), (2, "b"), (3, "c"), (4, "d")]),
            ("a\\\nb\nc", vec![(1, "ab"), (3, "c")]),
            ("a \\\n  b\\", vec![(1, "a   b")]),
            ("a \\\n# comment \\\nb", vec![(1, "a"), (3, "b")]),
            ("a\\\n#c\nb", vec![(1, "a"), (3, "b")]),
            ("# c\n\n  \na # c\nb#notc\n\tc\t#c", vec![(4, "a"), (5, "b#notc"), (6, "c")]),
            ("${TOKEN}/${EMPTY}/${UNSET}/${lower}/$TOKEN", vec![(1, "t1/${EMPTY}/${UNSET}/${lower}/$TOKEN")]),
            ("${TOKEN", vec![(1, "${TOKEN")]),
            ("a\u{2028}b", vec![(1, "a"), (2, "b")]),
            ("", vec![]),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|(number, line)| (number, line.to_owned())).collect();
            assert_eq!(numbered(content), expected, "{content:?}");
        }
    }

    #[test]
    fn encodings() {
        for (bytes, expected) in [
            (b"caf\xc3\xa9".as_slice(), "café"),
            (b"\xef\xbb\xbfx", "x"),
            (b"\xff\xfex\0\xe9\0", "xé"),
            (b"\xfe\xff\0x", "x"),
            (b"\xff\xfe\0\0x\0\0\0", "x"),
            (b"\0\0\xfe\xff\0\0\0x", "x"),
            (b"# -*- coding: latin-1 -*-\n\xe9", "# -*- coding: latin-1 -*-\né"),
            (b"#\n# vim: set fileencoding=utf-8 :\nx", "#\n# vim: set fileencoding=utf-8 :\nx"),
        ] {
            assert_eq!(decode(bytes).as_deref(), Ok(expected), "{bytes:?}");
        }
        for bytes in
            [b"\xe9".as_slice(), b"# coding: klingon\n", b"\xff\xfex", b"\xff\xfe\0\0x", b"#coding:ascii\n\xe9"]
        {
            assert!(decode(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn options_begin_at_the_first_hyphenated_word() {
        for (line, expected) in [
            ("a>=1 ; python_version < '3' --hash=x", ("a>=1 ; python_version < '3'", "--hash=x")),
            ("-r x", ("", "-r x")),
            ("a-b", ("a-b", "")),
            ("a  -e b", ("a", "-e b")),
        ] {
            assert_eq!(split_options(line), expected, "{line}");
        }
    }

    #[test]
    fn words_as_in_a_shell() {
        let words = |text| split_words(text).map(|words| words.into_iter().map(|(_, word)| word).collect::<Vec<_>>());
        for (text, expected) in [
            ("-r 'a b' c", Some(vec!["-r", "a b", "c"])),
            (r#"--x="a \" \n" b\ c"#, Some(vec![r#"--x=a " \n"#, "b c"])),
            ("a # b", Some(vec!["a", "#", "b"])),
            ("''", Some(vec![""])),
            ("'a", None),
            ("a\\", None),
        ] {
            assert_eq!(words(text), expected.map(|words| words.into_iter().map(str::to_owned).collect()), "{text}");
        }
        assert_eq!(split_words(" a  'b'"), Some(vec![(1, "a".to_owned()), (4, "b".to_owned())]));
    }
}
