//! Patterns and paths: what matches is what the obvious matcher says, which tries everything.
//!
//! The pattern, a newline, the path.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tuf::metadata::PathPattern;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some((pattern, path)) = text.split_once('\n') else { return };
    let matches = PathPattern::new(pattern).matches(path);
    // Each star multiplies the steps of the obvious matcher.
    if pattern.matches('*').count() <= 4 && path.len() <= 48 {
        assert_eq!(matches, obviously_matches(pattern, path), "{pattern:?} {path:?}");
    }
});

fn obviously_matches(pattern: &str, path: &str) -> bool {
    let patterns: Vec<Vec<char>> = pattern.split('/').map(|part| part.chars().collect()).collect();
    let segments: Vec<Vec<char>> = path.split('/').map(|part| part.chars().collect()).collect();
    patterns.len() == segments.len()
        && patterns.iter().zip(&segments).all(|(pattern, segment)| segment_matches(pattern, segment))
}

fn segment_matches(pattern: &[char], text: &[char]) -> bool {
    let Some(first) = pattern.first() else { return text.is_empty() };
    if *first == '*' {
        return (0..=text.len()).any(|taken| segment_matches(&pattern[1..], &text[taken..]));
    }
    let (set, after) = match set_length(pattern) {
        Some(length) => (Some(&pattern[1..length - 1]), &pattern[length..]),
        None => (None, &pattern[1..]),
    };
    let Some(character) = text.first() else { return false };
    let fits = match set {
        Some(set) => is_in_set(set, *character),
        None => *first == '?' || first == character,
    };
    fits && segment_matches(after, &text[1..])
}

/// From `[` to `]`, if a set stands here.
fn set_length(pattern: &[char]) -> Option<usize> {
    if pattern.first() != Some(&'[') {
        return None;
    }
    let negated = usize::from(pattern.get(1) == Some(&'!'));
    // A `]` in the first place is a member.
    let from = 1 + negated + usize::from(pattern.get(1 + negated) == Some(&']'));
    (from..pattern.len()).find(|index| pattern[*index] == ']').map(|end| end + 1)
}

fn is_in_set(set: &[char], character: char) -> bool {
    let negated = set[0] == '!';
    let mut members = if negated { &set[1..] } else { set };
    let mut found = false;
    while let Some(start) = members.first() {
        if members.len() > 2 && members[1] == '-' {
            found |= (*start..=members[2]).contains(&character);
            members = &members[3..];
        } else {
            found |= *start == character;
            members = &members[1..];
        }
    }
    found != negated
}
