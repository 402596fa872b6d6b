//! `repo.toml`: what the operator of an index decided. Written once by `repo init`, then edited by people.

use std::path::Path;

use repository::{BinForm, DistributionTrust, Expiry, Policy, Profile};
use serde::Deserialize;
use url::Url;

use crate::failure::{Failure, Kind};

/// The name of the file.
pub const CONFIG_FILE: &str = "repo.toml";

/// What stands in the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Where the index will be reachable, with a slash at the end; its pages are in `simple/` below.
    pub base: Url,
    /// The URL that users give to pip, if it is not `simple/` below the base: of the index that was there before its signatures.
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
    /// How bins are written down.
    #[serde(default)]
    pub bin_form: BinForm,
    /// How long signatures are good.
    #[serde(default)]
    pub expiry: ExpiryDays,
}

/// How long signatures are good, in days.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct ExpiryDays {
    /// `root`
    pub root: f64,
    /// `targets`, `bins`
    pub targets: f64,
    /// `snapshot`
    pub snapshot: f64,
    /// `timestamp`
    pub timestamp: f64,
    /// Each bin.
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
    /// When it is not there, or says something that cannot be.
    pub fn read(directory: &Path) -> Result<Self, Failure> {
        let path = directory.join(CONFIG_FILE);
        let text = std::fs::read_to_string(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                let message = format!("There is no {CONFIG_FILE} in {}", directory.display());
                Failure::new(Kind::Error, "repo.no-repository", message)
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

    /// What cannot be, in words.
    ///
    /// # Errors
    /// When there is something.
    pub fn check(&self) -> Result<(), String> {
        if self.bit_length().is_none() {
            return Err(format!("bins is {}, not a power of two from 2 to 16384", self.bins));
        }
        let Expiry { root, targets, snapshot, timestamp, leaves } = self.expiry();
        if [root, targets, snapshot, timestamp, leaves].iter().any(|seconds| *seconds < 60) {
            return Err("an expiry is less than a minute; they are given in days".to_owned());
        }
        Ok(())
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

    /// The same with so many bins, and with the profile that has them.
    ///
    /// # Errors
    /// When there cannot be so many.
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
        // The table behind it has an expiry of the same name.
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

    /// What the signing side has to know.
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

fn profile_name(profile: Profile) -> &'static str {
    match profile {
        Profile::Small => "small",
        Profile::Pep458 => "pep458",
        Profile::Rstuf => "rstuf",
    }
}

fn unreadable(path: &Path, problem: &str) -> Failure {
    Failure::new(Kind::Usage, "repo.config", format!("{} cannot be used: {}", path.display(), problem.trim_end()))
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
