//! Path patterns (spec 4.5, PATHPATTERN).

use std::iter::Peekable;

/// Segments are matched one by one, so `*` never crosses a `/`; case matters on every system.
///
/// Within a segment the signs are those of Python's `fnmatch.fnmatchcase`, to which the specification's own
/// implementation leaves them: `*`, `?`, `[abc]`, `[a-z]`, `[!a]`; there is no way to escape but `[*]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathPattern(pub(crate) String);

impl PathPattern {
    /// Any non-empty text is a pattern.
    pub fn new(pattern: &str) -> Self {
        PathPattern(pattern.to_owned())
    }
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// Whether a path matches. Never takes more steps than the product of both lengths.
    pub fn matches(&self, path: &str) -> bool {
        let mut patterns = self.0.split('/');
        let mut segments = path.split('/');
        loop {
            match (patterns.next(), segments.next()) {
                (None, None) => return true,
                (Some(pattern), Some(segment)) if segment_matches(pattern, segment) => {}
                _ => return false,
            }
        }
    }
}

fn segment_matches(pattern: &str, segment: &str) -> bool {
    if !pattern.contains(['*', '?', '[']) {
        return pattern == segment;
    }
    let tokens = tokenize(pattern);
    let mut tokens = tokens.as_slice();
    let mut text = segment.chars();
    // After the last `*`: only the last needs to be tried again, as what an earlier one takes more, it could take too.
    let mut retry = None;
    loop {
        match tokens.split_first() {
            Some((Token::Star, rest)) => {
                tokens = rest;
                retry = Some((rest, text.clone()));
                continue;
            }
            Some((token, rest)) if text.next().is_some_and(|character| token.matches(character)) => {
                tokens = rest;
                continue;
            }
            None if text.as_str().is_empty() => return true,
            _ => {}
        }
        let Some((after_star, from)) = &mut retry else { return false };
        if from.next().is_none() {
            return false;
        }
        tokens = after_star;
        text = from.clone();
    }
}

enum Token {
    Star,
    One,
    Literal(char),
    Set(Set),
}

/// `[…]`: ranges sorted and apart, so that a long one costs little.
struct Set {
    negated: bool,
    ranges: Vec<(char, char)>,
}

impl Token {
    fn matches(&self, character: char) -> bool {
        match self {
            Token::Star => false,
            Token::One => true,
            Token::Literal(literal) => *literal == character,
            Token::Set(set) => set.contains(character) != set.negated,
        }
    }
}

fn tokenize(pattern: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        rest = rest.get(first.len_utf8()..).unwrap_or_default();
        let token = match first {
            '*' => Token::Star,
            '?' => Token::One,
            '[' => match split_set(rest) {
                Some((content, after)) => {
                    rest = after;
                    Token::Set(Set::new(content))
                }
                None => {
                    // No set ends in what is left: all of it without looking again.
                    tokens.push(Token::Literal('['));
                    tokens.extend(rest.chars().map(|c| match c {
                        '*' => Token::Star,
                        '?' => Token::One,
                        literal => Token::Literal(literal),
                    }));
                    return tokens;
                }
            },
            literal => Token::Literal(literal),
        };
        tokens.push(token);
    }
    tokens
}

/// Content of a set, and what follows its `]`. One directly at the beginning is a member.
fn split_set(text: &str) -> Option<(&str, &str)> {
    let members = text.strip_prefix('!').unwrap_or(text);
    let members = members.strip_prefix(']').unwrap_or(members);
    let start = text.len() - members.len();
    let end = start + members.find(']')?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

impl Set {
    /// A `-` between two characters makes a range, elsewhere it is itself; a range that goes backwards is empty. (Python
    /// drops such a range before it looks for the `!`, so that `[b-a!c]` negates there; here the `!` must be written first.)
    fn new(content: &str) -> Self {
        let (negated, content) = match content.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, content),
        };
        let mut ranges = Vec::new();
        let mut characters: Peekable<_> = content.chars().peekable();
        while let Some(start) = characters.next() {
            let mut ahead = characters.clone();
            let end = match (ahead.next(), ahead.next()) {
                (Some('-'), Some(end)) => {
                    characters = ahead;
                    end
                }
                _ => start,
            };
            if start <= end {
                ranges.push((start, end));
            }
        }
        ranges.sort_unstable();
        ranges.dedup_by(|next, kept| {
            let overlap = next.0 <= kept.1;
            if overlap {
                kept.1 = kept.1.max(next.1);
            }
            overlap
        });
        Set { negated, ranges }
    }

    fn contains(&self, character: char) -> bool {
        let after = self.ranges.partition_point(|(start, _)| *start <= character);
        let range = after.checked_sub(1).and_then(|index| self.ranges.get(index));
        range.is_some_and(|(_, end)| character <= *end)
    }
}
