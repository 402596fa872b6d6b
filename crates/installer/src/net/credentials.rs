//! User names and passwords for indexes: which request gets which.

use std::path::PathBuf;

use url::{Origin, Url};

/// Credentials known from index URLs and netrc, each bound to the origin it was given for.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// Every configured index; one without credentials still claims its part of the host.
    indexes: Vec<Url>,
    /// Of everything else that the user named.
    origins: Vec<Origin>,
    netrc: Vec<NetrcEntry>,
}

#[derive(Clone, Debug)]
struct NetrcEntry {
    host: Option<String>,
    login: String,
    password: String,
}

impl Credentials {
    /// Takes those of the user's netrc file (`$NETRC`, `~/.netrc`, `~/_netrc`).
    pub fn new() -> Self {
        Self { netrc: read_netrc(), ..Self::default() }
    }

    /// Takes those in the URLs of `indexes`.
    pub fn add_indexes(&mut self, indexes: &[Url]) {
        self.indexes.extend(indexes.iter().filter(|index| !self.indexes.contains(index)).cloned().collect::<Vec<_>>());
    }

    /// The user named these URLs.
    pub fn add_origins(&mut self, urls: impl IntoIterator<Item = Url>) {
        for origin in urls.into_iter().map(|url| url.origin()) {
            if !self.origins.contains(&origin) {
                self.origins.push(origin);
            }
        }
    }

    /// User name and password for `url`, which never leave the origin (scheme, host, port) they belong to.
    ///
    /// Order as in pip: the URL itself, the configured index that shares the longest path with it, netrc; a user name
    /// without password only when nothing better is found.
    pub fn for_url(&self, url: &Url) -> Option<(String, String)> {
        let nearest = self
            .indexes
            .iter()
            .filter(|index| index.origin() == url.origin())
            // Among equals one with credentials, and the first of those, as the user ordered them.
            .min_by_key(|index| std::cmp::Reverse((shared_segments(index, url), userinfo(index).is_some())));
        let named = userinfo(url).or_else(|| nearest.and_then(userinfo));
        match named {
            Some((user, Some(password))) => Some((user, password)),
            Some((user, None)) => Some(self.of_netrc(url).unwrap_or((user, String::new()))),
            None => self.of_netrc(url),
        }
    }

    /// A netrc file knows no schemes and ports. A server that links or redirects to another port must not get what was meant
    /// for the one that the user named, nor must one that nobody named get the default entry.
    fn of_netrc(&self, url: &Url) -> Option<(String, String)> {
        let host = url.host_str()?;
        let origin = url.origin();
        let is_named = self.origins.contains(&origin) || self.indexes.iter().any(|index| index.origin() == origin);
        let is_usual = url.scheme() == "https" && url.port().is_none();
        let of_host = |entry: &&NetrcEntry| entry.host.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(host));
        let default = || self.netrc.iter().find(|entry| entry.host.is_none()).filter(|_| is_named);
        let entry = self.netrc.iter().find(of_host).filter(|_| is_named || is_usual).or_else(default)?;
        Some((entry.login.clone(), entry.password.clone()))
    }
}

fn userinfo(url: &Url) -> Option<(String, Option<String>)> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    Some((decode(url.username()), url.password().map(decode)))
}

fn decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn shared_segments(index: &Url, url: &Url) -> usize {
    let (Some(left), Some(right)) = (index.path_segments(), url.path_segments()) else { return 0 };
    left.zip(right).take_while(|(left, right)| left == right && !left.is_empty()).count()
}

fn read_netrc() -> Vec<NetrcEntry> {
    let candidates = match std::env::var_os("NETRC") {
        Some(path) => vec![PathBuf::from(path)],
        None => match std::env::home_dir() {
            Some(home) => vec![home.join(".netrc"), home.join("_netrc")],
            None => Vec::new(),
        },
    };
    candidates
        .into_iter()
        .find_map(|path| std::fs::read_to_string(path).ok())
        .map(|text| parse_netrc(&text))
        .unwrap_or_default()
}

/// The `machine`, `default`, `login` and `password` tokens of a netrc file; macros and unknown tokens are passed over.
fn parse_netrc(text: &str) -> Vec<NetrcEntry> {
    let mut entries: Vec<NetrcEntry> = Vec::new();
    let mut in_macro = false;
    let lines = text.lines().map(str::trim).filter(|line| {
        // A macro ends with an empty line.
        in_macro = (in_macro || line.starts_with("macdef")) && !line.is_empty();
        !in_macro && !line.starts_with('#')
    });
    let mut tokens = lines.flat_map(str::split_whitespace);
    while let Some(token) = tokens.next() {
        match token {
            "machine" | "default" => {
                let host = if token == "machine" { tokens.next().map(str::to_owned) } else { None };
                entries.push(NetrcEntry { host, login: String::new(), password: String::new() });
            }
            "login" | "password" => {
                let value = tokens.next().unwrap_or_default().to_owned();
                if let Some(entry) = entries.last_mut() {
                    if token == "login" { entry.login = value } else { entry.password = value }
                }
            }
            _ => {}
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn credentials_stay_with_the_index_they_were_given_for() {
        let credentials = Credentials {
            indexes: vec![
                url("https://me:s3%40cret@pkgs.example.org/team/simple/"),
                url("https://pkgs.example.org/open/simple/"),
            ],
            ..Credentials::default()
        };
        let of = |text: &str| credentials.for_url(&url(text));
        let mine = Some(("me".to_owned(), "s3@cret".to_owned()));
        assert_eq!(of("https://pkgs.example.org/team/files/a.whl"), mine);
        assert_eq!(of("https://pkgs.example.org/open/files/a.whl"), None);
        assert_eq!(of("http://pkgs.example.org/team/files/a.whl"), None);
        assert_eq!(of("https://files.example.org/team/a.whl"), None);
        assert_eq!(of("https://pkgs.example.org:8443/team/a.whl"), None);
    }

    #[test]
    fn netrc_tokens_may_stand_on_any_line() {
        let entries =
            parse_netrc("# comment\nmachine a.example.org\n  login x password y\ndefault login d\npassword e");
        let named = ["https://b.example.org/x", "http://a.example.org:8080/"].map(url);
        let mut credentials = Credentials { netrc: entries, ..Credentials::default() };
        credentials.add_origins(named);
        let pair = |login: &str, password: &str| Some((login.to_owned(), password.to_owned()));
        assert_eq!(credentials.for_url(&url("https://a.example.org/")), pair("x", "y"));
        assert_eq!(credentials.for_url(&url("https://b.example.org/")), pair("d", "e"));
        assert_eq!(credentials.for_url(&url("http://a.example.org:8080/y")), pair("x", "y"));
        for nobody_named in [
            "https://a.example.org:8443/",
            "http://a.example.org/",
            "https://b.example.org:8443/",
            "http://b.example.org/",
            "https://c.example.org/",
            "https://me@c.example.org/",
        ] {
            let password = credentials.for_url(&url(nobody_named)).map(|(_, password)| password).unwrap_or_default();
            assert_eq!(password, "", "{nobody_named}");
        }
    }
}
