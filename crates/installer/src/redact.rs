//! Text for messages, without what may be a password.

/// Replaces the user information of every URL in a text.
pub fn redact(text: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once("://") {
        redacted.push_str(before);
        redacted.push_str("://");
        let end = tail.find(|character: char| character.is_whitespace() || "/?#'\"".contains(character));
        let authority = tail.get(..end.unwrap_or(tail.len())).unwrap_or(tail);
        rest = match authority.rfind('@') {
            Some(at) => {
                redacted.push_str("****");
                tail.get(at..).unwrap_or_default()
            }
            None => tail,
        };
    }
    redacted.push_str(rest);
    redacted
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[test]
    fn passwords_are_gone_and_the_rest_is_there() {
        for (text, expected) in [
            ("a==1", "a==1"),
            ("-i https://u:p@h/simple -f http://h/a@b x", "-i https://****@h/simple -f http://h/a@b x"),
            ("git+ssh://git@h", "git+ssh://****@h"),
            ("https://u:p@ss@h", "https://****@h"),
            ("'https://token@h' and https://t@", "'https://****@h' and https://****@"),
        ] {
            assert_eq!(redact(text), expected);
        }
    }
}
