//! `repo.toml`: what the operator of an index decided. Written once by `repo init`, then edited by hand.

use std::path::{Component, Path, PathBuf};

use repository::{BinForm, DistributionTrust, Expiry, Policy, Profile};
use serde::Deserialize;
use url::Url;

use installer::error::{Code, Failure};

/// The name of the file.
pub const CONFIG_FILE: &str = "repo.toml";

/// The content of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Where the index will be reachable, with a slash at the end; its pages are in `simple/` below.
    pub base: Url,
    /// The URL that users give to pip, if it is not `simple/` below the base: that of an existing index which gets
    /// signatures.
    #[serde(default)]
    pub index_url: Option<Url>,
    /// Where it is published: a directory (relative ones are below the operator's), or `s3://bucket/prefix`.
    pub output: String,
    /// The shape of the delegations.
    pub profile: Profile,
    /// By which signatures a distribution is trusted.
    #[serde(default)]
    pub trust: DistributionTrust,
    /// How many bins; a power of two.
    #[serde(default = "default_bins")]
    pub bins: u32,
    /// How bins are represented in the metadata.
    #[serde(default)]
    pub bin_form: BinForm,
    /// How long signatures are valid.
    #[serde(default)]
    pub expiry: ExpiryDays,
}

/// How long signatures are valid, in days.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct ExpiryDays {
    /// `root`
    #[serde(deserialize_with = "days")]
    pub root: f64,
    /// `targets`, `bins`
    #[serde(deserialize_with = "days")]
    pub targets: f64,
    /// `snapshot`
    #[serde(deserialize_with = "days")]
    pub snapshot: f64,
    /// `timestamp`
    #[serde(deserialize_with = "days")]
    pub timestamp: f64,
    /// Each bin.
    #[serde(deserialize_with = "days")]
    pub bins: f64,
}

const DAY: f64 = 86_400.0;

fn default_bins() -> u32 {
    16
}

impl Default for ExpiryDays {
    fn default() -> Self {
        let Expiry { root, targets, snapshot, timestamp, leaves } = Expiry::default();
        let days = |seconds: i64| seconds as f64 / DAY;
        Self {
            root: days(root),
            targets: days(targets),
            snapshot: days(snapshot),
            timestamp: days(timestamp),
            bins: days(leaves),
        }
    }
}

impl Config {
    /// Reads the file in the operator's directory.
    ///
    /// # Errors
    /// When it is missing or invalid.
    pub fn read(directory: &Path) -> Result<Self, Failure> {
        let path = directory.join(CONFIG_FILE);
        let text = std::fs::read_to_string(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                let message = format!("There is no {CONFIG_FILE} in {}", directory.display());
                Failure::new(Code::RepoNoRepository, message)
                    .hint("`tufpip repo init` makes a repository; --repo names the directory of one")
            }
            _ => unreadable(&path, &error.to_string()),
        })?;
        let mut config: Self = toml::from_str(&text).map_err(|error| unreadable(&path, &error.to_string()))?;
        if !config.base.path().ends_with('/') {
            config.base.set_path(&format!("{}/", config.base.path()));
        }
        config.check().map_err(|problem| unreadable(&path, &problem))?;
        Ok(config)
    }

    /// Checks the values. The error is one sentence.
    ///
    /// # Errors
    /// When a value is invalid.
    pub fn check(&self) -> Result<(), String> {
        // A mistyped `s3:/…` must not become a directory of that name.
        let scheme = self.output.split_once(":/").map(|(scheme, _)| scheme);
        if scheme
            .is_some_and(|scheme| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)))
            && !["s3://", "file:///"].iter().any(|known| self.output.starts_with(known))
        {
            let expected = "expected the path of a directory, a file:///… URL, or s3://BUCKET/PREFIX";
            return Err(format!("nothing can be published to '{}': {expected}", self.output));
        }
        if self.output.is_empty() {
            return Err("the place where it is published is empty".to_owned());
        }
        if self.bit_length().is_none() {
            return Err(format!("bins is {}, not a power of two from 2 to 16384", self.bins));
        }
        let Expiry { root, targets, snapshot, timestamp, leaves } = self.expiry();
        if [root, targets, snapshot, timestamp, leaves].iter().any(|seconds| *seconds < 60) {
            return Err("an expiry is less than a minute; they are given in days".to_owned());
        }
        Ok(())
    }

    /// Refuses to publish the operator directory: everybody could then read the private keys.
    ///
    /// # Errors
    /// When the output would contain this directory, or be mixed with keys or staged files.
    pub fn check_output(&self, directory: &Path) -> Result<(), Failure> {
        let output = self.output(directory);
        let output = match output.split_once("://") {
            None => PathBuf::from(&output),
            Some(("file", _)) => Url::parse(&output).ok().and_then(|url| url.to_file_path().ok()).unwrap_or_default(),
            Some(_) => return Ok(()),
        };
        let (output, directory) = (resolved(&output), resolved(directory));
        let own = ["keys", "staged"].map(|own| directory.join(own));
        if !directory.starts_with(&output) && !own.iter().any(|own| output.starts_with(own)) {
            return Ok(());
        }
        let message = format!(
            "{} cannot be published: the operator's directory {} has private keys, and must not be in there",
            output.display(),
            directory.display()
        );
        Err(Failure::new(Code::RepoConfig, message)
            .hint("publish to a directory of its own, such as public/ in the operator's directory"))
    }

    /// The file, with an explanation of each line.
    pub fn to_toml(&self) -> String {
        // What JSON escapes in a text, TOML escapes in the same way.
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let ExpiryDays { root, targets, snapshot, timestamp, bins } = self.expiry;
        let index_url = match &self.index_url {
            None => String::new(),
            Some(url) => format!(
                "# The index that was there before its signatures, whose URL users give to pip.\nindex-url = {}\n\n",
                text(url.as_str())
            ),
        };
        format!(
            "# A signed package index, kept with `tufpip repo`.\n\
             \n\
             # Where it will be reachable; its pages are in simple/ below. Users get this URL when they begin to trust the\n\
             # index, so it should not change.\n\
             base = {base}\n\
             \n\
             {index_url}\
             # Where it is published: a directory (relative to this one), or s3://bucket/prefix.\n\
             output = {output}\n\
             \n\
             # The next four are signed, so that they cannot be changed here; `tufpip repo root edit --bins` changes the first two.\n\
             # Who signs: small (one role for all projects), pep458 (projects are spread over bins), rstuf (people sign only\n\
             # the root).\n\
             profile = {profile}\n\
             # Over how many bins; not used by small.\n\
             bins = {count}\n\
             # How bins are written: succinct (TAP 15), or classic for clients that do not know that.\n\
             bin-form = {bin_form}\n\
             # What vouches for a file: target (an entry of its own), page (its row on the signed page), both.\n\
             trust = {trust}\n\
             \n\
             # For how many days each signature is good. People sign root and targets; the others are signed anew by\n\
             # `tufpip repo publish` and `tufpip repo refresh`.\n\
             [expiry]\n\
             root = {root}\n\
             targets = {targets}\n\
             snapshot = {snapshot}\n\
             timestamp = {timestamp}\n\
             bins = {bins}\n",
            base = text(self.base.as_str()),
            output = text(&self.output),
            profile = text(profile_name(self.profile)),
            count = self.bins,
            bin_form = text(match self.bin_form {
                BinForm::Succinct => "succinct",
                BinForm::Classic => "classic",
            }),
            trust = text(self.trust.name()),
        )
    }

    /// The same with this number of bins, and with a profile that has bins.
    ///
    /// # Errors
    /// When the number is invalid.
    pub fn with_bins(&self, bins: u32) -> Result<Self, String> {
        let profile = if self.profile == Profile::Small { Profile::Pep458 } else { self.profile };
        let config = Self { bins, profile, ..self.clone() };
        config.check().map(|()| config)
    }

    /// The text of a file with the number of bins and the profile of this one; everything else in it stays.
    pub fn bins_written_into(&self, text: &str) -> String {
        let line = |line: &str| {
            let name = line.split('=').next().unwrap_or_default().trim();
            match name {
                "bins" => format!("bins = {}", self.bins),
                "profile" => format!("profile = \"{}\"", profile_name(self.profile)),
                _ => line.to_owned(),
            }
        };
        // A later table has an expiry of the same name.
        let (top, tables) = text.split_at(text.find("\n[").unwrap_or(text.len()));
        let top: Vec<String> = top.split('\n').map(line).collect();
        top.join("\n") + tables
    }

    /// The URL users give to pip and to `trust add`.
    pub fn index_url(&self) -> Url {
        let below = |base: &Url| base.join("simple/").unwrap_or_else(|_| base.clone());
        self.index_url.clone().unwrap_or_else(|| below(&self.base))
    }

    /// Where the index is published, as `Storage::open` wants it: absolute for a directory.
    pub fn output(&self, directory: &Path) -> String {
        if self.output.contains("://") {
            return self.output.clone();
        }
        let path = directory.join(&self.output);
        std::path::absolute(&path).unwrap_or(path).display().to_string()
    }

    /// The policy for signing.
    pub fn policy(&self) -> Policy {
        Policy {
            profile: self.profile,
            bin_form: self.bin_form,
            bit_length: self.bit_length().unwrap_or(4),
            trust: self.trust,
            expiry: self.expiry(),
        }
    }

    fn expiry(&self) -> Expiry {
        let seconds = |days: f64| (days * DAY) as i64;
        Expiry {
            root: seconds(self.expiry.root),
            targets: seconds(self.expiry.targets),
            snapshot: seconds(self.expiry.snapshot),
            timestamp: seconds(self.expiry.timestamp),
            leaves: seconds(self.expiry.bins),
        }
    }

    fn bit_length(&self) -> Option<u8> {
        let possible = self.bins.is_power_of_two() && (2..=16_384).contains(&self.bins);
        possible.then(|| self.bins.trailing_zeros() as u8)
    }
}

/// The directory with links resolved, even if it does not exist yet.
fn resolved(path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for component in std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).components() {
        match component {
            Component::ParentDir => _ = resolved.pop(),
            other => resolved.push(other),
        }
        if let Ok(there) = resolved.canonicalize() {
            resolved = there;
        }
    }
    resolved
}

/// A number of days; the error explains that texts such as `1d` are not accepted.
fn days<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    struct Days;
    impl serde::de::Visitor<'_> for Days {
        type Value = f64;

        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("a number of days, such as 1")
        }

        fn visit_f64<E>(self, days: f64) -> Result<f64, E> {
            Ok(days)
        }

        fn visit_i64<E>(self, days: i64) -> Result<f64, E> {
            Ok(days as f64)
        }
    }
    deserializer.deserialize_f64(Days)
}

fn profile_name(profile: Profile) -> &'static str {
    match profile {
        Profile::Small => "small",
        Profile::Pep458 => "pep458",
        Profile::Rstuf => "rstuf",
    }
}

fn unreadable(path: &Path, problem: &str) -> Failure {
    Failure::new(Code::RepoConfig, format!("{} cannot be used: {}", path.display(), problem.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let directory = tempfile::tempdir().unwrap();
        for (index_url, profile, expiry) in [
            (None, Profile::Small, ExpiryDays::default()),
            (
                Some("https://other.example.org/simple/"),
                Profile::Rstuf,
                ExpiryDays { timestamp: 0.25, ..Default::default() },
            ),
        ] {
            let config = Config {
                base: Url::parse("https://pkgs.example.org/team/").unwrap(),
                index_url: index_url.map(|url| Url::parse(url).unwrap()),
                output: "a \"place\"\\ of\tits own".to_owned(),
                profile,
                trust: DistributionTrust::Page,
                bins: 256,
                bin_form: BinForm::Classic,
                expiry,
            };
            std::fs::write(directory.path().join(CONFIG_FILE), config.to_toml()).unwrap();
            let read = Config::read(directory.path()).unwrap();
            assert_eq!(format!("{read:?}"), format!("{config:?}"));
        }
    }
}
