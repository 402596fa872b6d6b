//! Names of entries: which ones are safe to create, and which of them is the `.dist-info` directory.

use packaging::WheelFilename;

use crate::archive::identity::is_stem;
use crate::error::{Refusal, Rule, WheelError};

/// Longest path of an entry, in bytes.
const PATH_LENGTH: usize = 1024;
/// Longest part of a path between two `/`, in bytes: what file systems can hold.
const PART_LENGTH: usize = 255;
/// Most parts of a path.
const DEPTH: usize = 64;

/// The path of an entry without the trailing `/` of a directory, if it is safe to create below a directory of ours.
pub(super) fn checked(name: &[u8], marked_utf8: bool) -> Result<&str, &'static str> {
    let name = std::str::from_utf8(name).map_err(|_| "name is not UTF-8")?;
    // Readers take an unmarked name for code page 437, each in its own way.
    if !marked_utf8 && !name.is_ascii() {
        return Err("name is not marked as UTF-8");
    }
    let path = name.strip_suffix('/').unwrap_or(name);
    if name.len() > PATH_LENGTH {
        return Err("name is too long");
    }
    if path.starts_with('/') {
        return Err("absolute path");
    }
    if path.chars().any(is_unsafe) {
        return Err("name with a control or direction character, a backslash or a colon");
    }
    let mut depth = 0;
    for part in path.split('/') {
        match part {
            ".." => return Err("path leaves its directory"),
            "" | "." => return Err("path with an empty part or a dot"),
            _ if part.len() > PART_LENGTH => return Err("name is too long"),
            _ => depth += 1,
        }
    }
    if depth > DEPTH {
        return Err("too many nested directories");
    }
    Ok(path)
}

/// Characters that change how a name reads on screen, or what it means on another system.
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\\' | ':' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
        || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The directories above `path`, outermost first.
pub(crate) fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').filter_map(|(position, _)| path.get(..position))
}

/// The one `.dist-info` directory at the top, which must be named after the distribution in the file name.
pub(super) fn find_dist_info<'a>(
    paths: impl Iterator<Item = &'a str>,
    name: &WheelFilename,
) -> Result<String, WheelError> {
    let mut found: Option<&str> = None;
    for path in paths {
        let top = path.split('/').next().unwrap_or(path);
        if !has_suffix(top, ".dist-info") {
            continue;
        }
        if found.is_some_and(|found| found != top) {
            return Err(Refusal::entry(name.as_str(), Rule::DistInfo, "more than one .dist-info directory", top));
        }
        found = Some(top);
    }
    let found = found.ok_or_else(|| Refusal::whole(name.as_str(), Rule::DistInfo, "no .dist-info directory"))?;
    match found.strip_suffix(".dist-info") {
        Some(stem) if is_stem(name, stem) => Ok(found.to_owned()),
        _ => Err(Refusal::entry(name.as_str(), Rule::DistInfo, ".dist-info directory of another distribution", found)),
    }
}

/// Whether `name` ends in `suffix`, in any mixture of cases: some file systems do not tell them apart.
pub(crate) fn has_suffix(name: &str, suffix: &str) -> bool {
    name.len()
        .checked_sub(suffix.len())
        .and_then(|start| name.get(start..))
        .is_some_and(|end| end.eq_ignore_ascii_case(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn honest_names_pass() {
        for name in ["a", "a/b.py", "a/", "a b/c+d.txt", "..a/b..", "a/...", "x~", &"a/".repeat(64)] {
            assert!(checked(name.as_bytes(), false).is_ok(), "{name}");
        }
        assert_eq!(checked("naïve/ü.txt".as_bytes(), true), Ok("naïve/ü.txt"));
    }

    #[test]
    fn unsafe_names_do_not() {
        let long = "a".repeat(256);
        let longer = "abcdefg/".repeat(128) + "x";
        let deep = "a/".repeat(65);
        let names = [
            "", "/", "/a", "//a", "a//b", ".", "..", "../a", "a/../b", "a/..", "./a", "a/.", "a\\b", "C:/a", "a:b",
            "a\0b", "a\nb", "a\x7f", "a\x1b[1m", &long, &longer, &deep,
        ];
        for name in names {
            assert!(checked(name.as_bytes(), true).is_err(), "{name:?}");
        }
        for name in ["a\u{202e}b", "a\u{2066}", "a\u{85}", "\u{feff}a", "a\u{2028}"] {
            assert!(checked(name.as_bytes(), true).is_err(), "{name:?}");
        }
        assert!(checked("ü".as_bytes(), false).is_err());
        assert!(checked(b"\xff", true).is_err());
    }
}
