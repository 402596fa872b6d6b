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
        config.bit_length().map(|_| ()).ok_or_else(|| {
            unreadable(&path, &format!("bins is {}, not a power of two from 2 to 16384", config.bins))
        })?;
        let Expiry { root, targets, snapshot, timestamp, leaves } = config.expiry();
        if [root, targets, snapshot, timestamp, leaves].iter().any(|seconds| *seconds < 60) {
            return Err(unreadable(&path, "an expiry is less than a minute; they are given in days"));
        }
        Ok(config)
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

fn unreadable(path: &Path, problem: &str) -> Failure {
    Failure::new(Kind::Usage, "repo.config", format!("{} cannot be used: {}", path.display(), problem.trim_end()))
}
