//! Passwords and tokens in URLs and locations.

#[cfg(feature = "url")]
use url::Url;

const HIDDEN: &str = "****";

/// A text with the user names and passwords of all URLs and locations in it hidden: `user:secret@` becomes `****@`. So does a
/// user name alone, and one with a password that says nothing: either can be a token.
///
/// Also of locations without a scheme (`user:secret@host/path`); a name alone before an `@` is not hidden there, because mail
/// addresses and `git@host:path` look like that. Also of mistyped URLs: too few or too many slashes, or a space in the password.
/// When in doubt it hides too much.
///
/// ```
/// assert_eq!(printable::redacted("see https://me:secret@pkgs.example.org/simple"), "see https://****@pkgs.example.org/simple");
/// ```
pub fn redacted(text: &str) -> String {
    // Nearly every text: without one there is no user information.
    if !text.contains('@') {
        return text.to_owned();
    }
    let words: Vec<&str> = text.split_inclusive(char::is_whitespace).collect();
    let mut shown = String::with_capacity(text.len());
    let mut rest = words.as_slice();
    while let Some((word, after)) = rest.split_first() {
        let further = if is_unfinished_userinfo(word) { words_up_to_at(after) } else { 0 };
        let (more, after) = after.split_at(further);
        shown.push_str(&redacted_word(&(word.to_string() + &more.concat())));
        rest = after;
    }
    shown
}

/// Whether a URL ends within its password, because a space follows: `https://user:sec ret@host`.
fn is_unfinished_userinfo(word: &str) -> bool {
    let Some((_, rest)) = word.rsplit_once("://").filter(|_| word.ends_with(' ')) else { return false };
    let rest = rest.trim_end();
    let password = rest.split_once(':').map(|(_, password)| password).filter(|_| !rest.starts_with('['));
    !rest.contains(['@', '/']) && password.is_some_and(|text| text.bytes().any(|byte| !byte.is_ascii_digit()))
}

/// How many words there are up to the one with the `@` that ends a password; none where no such word follows in the line.
fn words_up_to_at(words: &[&str]) -> usize {
    let of_line = words.iter().take_while(|word| !word.contains("://"));
    let mut ends = of_line.enumerate().take_while(|(number, _)| {
        words.iter().take(*number).all(|before| before.ends_with(' ') && !before.contains('@'))
    });
    ends.find(|(_, word)| word.contains('@')).map_or(0, |(number, _)| number + 1)
}

fn redacted_word(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else { return redacted_location(word) };
    let mut shown = format!("{scheme}://");
    // Only `file:` URLs go on with a path.
    let mut rest = match scheme.ends_with("file") {
        true => rest,
        false => without_slashes(rest, &mut shown),
    };
    loop {
        if let Some(at) = end_of_userinfo(rest) {
            shown.push_str(HIDDEN);
            rest = rest.get(at..).unwrap_or_default();
        }
        let Some((before, after)) = rest.split_once("://") else { break };
        shown.push_str(before);
        shown.push_str("://");
        rest = after;
    }
    shown + rest
}

/// Where the `@` is that ends the user information at the start of `rest`, what comes after `://`.
fn end_of_userinfo(rest: &str) -> Option<usize> {
    let end = rest.find(['/', '?', '#', '\'', '"']).unwrap_or(rest.len());
    let authority = rest.get(..end).unwrap_or(rest);
    if let Some(at) = authority.rfind('@') {
        return Some(at);
    }
    // A password with one of these characters in it is no valid URL, and still a password.
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (_, after_colon) = authority.split_once(':').filter(|_| !authority.starts_with('['))?;
    let of_this_url = rest.split("://").next().unwrap_or(rest);
    if is_port(after_colon) { None } else { of_this_url.rfind('@') }
}

/// Moves slashes from the beginning of `rest` to the end of `shown`.
fn without_slashes<'a>(rest: &'a str, shown: &mut String) -> &'a str {
    let after = rest.trim_start_matches(['/', '\\']);
    shown.push_str(rest.get(..rest.len() - after.len()).unwrap_or_default());
    after
}

/// `user:secret@host` and `https:/user:secret@host`, but not `C:\a@b` or `git@host:a@b`.
fn redacted_location(word: &str) -> String {
    let opening = ['/', '=', '\'', '"', '(', '<'];
    if let Some((before, rest)) = word.split_once(':')
        && rest.starts_with(['/', '\\'])
        && let Some(scheme) = before.rsplit(opening).next()
        && scheme.len() > 1
        && !scheme.ends_with("file")
        && !before.contains('@')
    {
        let mut shown = format!("{before}:");
        let rest = without_slashes(rest, &mut shown);
        let at = end_of_userinfo(rest).filter(|at| *at > 0);
        return match at.and_then(|at| rest.get(at..)) {
            Some(after) => format!("{shown}{HIDDEN}{after}"),
            None => word.to_owned(),
        };
    }
    if let Some((before, after)) = word.rsplit_once('@')
        && let Some((user, secret)) = before.split_once(':')
        && !user.contains('@')
        && !secret.starts_with(['/', '\\'])
    {
        let start = user.rfind(opening).map_or(0, |at| at + 1);
        return format!("{}{HIDDEN}@{after}", user.get(..start).unwrap_or_default());
    }
    word.to_owned()
}

/// A URL as it may be shown: [`redacted`].
#[cfg(feature = "url")]
pub fn redacted_url(url: &Url) -> String {
    redacted(url.as_str())
}

/// The address alone: a URL without user name and password, to compare it, to send it or to write it into a file.
#[cfg(feature = "url")]
pub fn without_credentials(url: &Url) -> Url {
    let mut url = without_password(url);
    // Fails only for URLs that cannot have one.
    let _ = url.set_username("");
    url
}

/// A URL with its user name and without the password: for what differs between users and must not depend on, or tell, a
/// password. Not to be shown, since a user name can be a token.
#[cfg(feature = "url")]
pub fn without_password(url: &Url) -> Url {
    let mut url = url.clone();
    // Fails only for URLs that cannot have one.
    let _ = url.set_password(None);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_and_tokens_are_gone_and_the_rest_is_there() {
        for (text, expected) in [
            ("a==1", "a==1"),
            ("", ""),
            ("-i https://u:p@h/simple -f http://h/a@b x", "-i https://****@h/simple -f http://h/a@b x"),
            ("git+ssh://git@h", "git+ssh://****@h"),
            ("https://u:p@ss@h", "https://****@h"),
            ("https://:p@h", "https://****@h"),
            ("https://u:@h", "https://****@h"),
            ("'https://token@h' and https://t@", "'https://****@h' and https://****@"),
            ("a @ https://u:p@h/a.zip#sha256=0 ; x", "a @ https://****@h/a.zip#sha256=0 ; x"),
            ("https://u:p/q@h/a", "https://****@h/a"),
            ("https://u:it's@h", "https://****@h"),
            ("https://u:p#q?r@h", "https://****@h"),
            ("https://h:8080/a@b", "https://h:8080/a@b"),
            ("https://[::1]/a@b https://[::1]:80/a@b", "https://[::1]/a@b https://[::1]:80/a@b"),
            ("https://u:p@h/?to=https://t@i/", "https://****@h/?to=https://****@i/"),
            ("https://h:x/https://t@i/", "https://h:x/https://****@i/"),
            ("u:p@h/simple", "****@h/simple"),
            ("--url=//u:p@ss:w@h:80/a\tb", "--url=//****@h:80/a\tb"),
            ("me@example.org git@h:team/a.git@v1", "me@example.org git@h:team/a.git@v1"),
            ("'u:p@h' (u:p@h) --proxy=u:p@h:80", "'****@h' (****@h) --proxy=****@h:80"),
            ("https://TOKEN:x-oauth-basic@h", "https://****@h"),
            ("C:\\a@b 'C:/a@b'", "C:\\a@b 'C:/a@b'"),
            ("https:/u:p@h/a 'https:\\\\u:p@h'", "https:/****@h/a 'https:\\\\****@h'"),
            ("https:///u:p@h https:////t@h/a", "https:///****@h https:////****@h/a"),
            ("https:/h/a@b file:/a@b file:///a@b", "https:/h/a@b file:/a@b file:///a@b"),
            ("https:/u:p/q@h", "https:/****@h"),
            ("https:u:p@h https//u:p@h http;//u:p@h", "****@h https//****@h http;//****@h"),
            ("see 'https://u:p q r@h/a', a@b", "see 'https://****@h/a', a@b"),
            ("https://h:8080 a@b https://h: a@b https://h a@b", "https://h:8080 a@b https://h: a@b https://h a@b"),
            ("https://u:p\na@b", "https://u:p\na@b"),
            ("https://u:p q https://h/ a@b", "https://u:p q https://h/ a@b"),
            ("a\nhttps://u:p@h\r\n b", "a\nhttps://****@h\r\n b"),
        ] {
            assert_eq!(redacted(text), expected);
            assert_eq!(redacted(expected), expected);
        }
    }

    #[cfg(feature = "url")]
    #[test]
    fn urls_are_shown_compared_and_keyed() {
        for (text, shown, address, key) in [
            ("https://me:s3cret@h/a?b#c", "https://****@h/a?b#c", "https://h/a?b#c", "https://me@h/a?b#c"),
            ("https://token@h/", "https://****@h/", "https://h/", "https://token@h/"),
            ("https://:s3cret@h/", "https://****@h/", "https://h/", "https://h/"),
            ("https://h/a@b", "https://h/a@b", "https://h/a@b", "https://h/a@b"),
            ("file:///a@b", "file:///a@b", "file:///a@b", "file:///a@b"),
            ("git+ssh:me:s3cret@h", "****@h", "git+ssh:me:s3cret@h", "git+ssh:me:s3cret@h"),
        ] {
            let url: Url = text.parse().unwrap();
            assert_eq!(redacted_url(&url), shown);
            assert_eq!(without_credentials(&url).as_str(), address);
            assert_eq!(without_password(&url).as_str(), key);
        }
    }
}
