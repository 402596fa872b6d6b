//! `repo.toml`: what the operator of an index decided. Written once by `repo init`, then edited by hand.

use std::path::{Component, Path, PathBuf};

use repository::{BinForm, DistributionTrust, Expiry, Policy, Profile};
use serde::Deserialize;
use toml_edit::{DocumentMut, Item, Table, Value};
use url::Url;

use installer::error::{Code, Failure, Source};

/// The name of the file.
pub const CONFIG_FILE: &str = "repo.toml";

const BASE: &str = "base";
const INDEX_URL: &str = "index-url";
const PROFILE: &str = "profile";
const BINS: &str = "bins";

// What stands before each value of a new file.
const BASE_COMMENT: &str = "# A signed package index, kept with `tufpip repo`.

# Where it will be reachable; its pages are in simple/ below. Users get this URL when they begin to trust the
# index, so it should not change.
";
const INDEX_URL_COMMENT: &str = "
# The index that was there before its signatures, whose URL users give to pip.
";
const OUTPUT_COMMENT: &str = "
# Where it is published: a directory (relative to this one), or s3://bucket/prefix.
";
const PROFILE_COMMENT: &str = "
# The next four are signed, so that they cannot be changed here; `tufpip repo root edit --bins` changes the first two.
# Who signs: small (one role for all projects), pep458 (projects are spread over bins), rstuf (people sign only
# the root).
";
const BINS_COMMENT: &str = "# Over how many bins; not used by small.\n";
const BIN_FORM_COMMENT: &str =
    "# How bins are written: succinct (TAP 15), or classic for clients that do not know that.\n";
const TRUST_COMMENT: &str =
    "# What vouches for a file: target (an entry of its own), page (its row on the signed page), both.\n";
const EXPIRY_COMMENT: &str = "
# For how many days each signature is good. People sign root and targets; the others are signed anew by
# `tufpip repo publish` and `tufpip repo refresh`.
";

/// What stands in the file.
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
            _ => unreadable(&path, error),
        })?;
        let mut config: Self = toml::from_str(&text).map_err(|error| unreadable(&path, error))?;
        if !config.base.path().ends_with('/') {
            config.base.set_path(&format!("{}/", config.base.path()));
        }
        config.check().map_err(|problem| unreadable(&path, problem))?;
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
        let mut document = DocumentMut::new();
        let mut put = |name: &str, value: Value, comment: &str| {
            document.insert(name, Item::Value(value));
            explain(&mut document, name, comment);
        };
        put(BASE, self.base.as_str().into(), BASE_COMMENT);
        if let Some(url) = &self.index_url {
            put(INDEX_URL, url.as_str().into(), INDEX_URL_COMMENT);
        }
        put("output", self.output.as_str().into(), OUTPUT_COMMENT);
        put(PROFILE, profile_name(self.profile).into(), PROFILE_COMMENT);
        put(BINS, i64::from(self.bins).into(), BINS_COMMENT);
        put("bin-form", bin_form_name(self.bin_form).into(), BIN_FORM_COMMENT);
        put("trust", self.trust.name().into(), TRUST_COMMENT);
        let ExpiryDays { root, targets, snapshot, timestamp, bins } = self.expiry;
        let mut expiry = Table::new();
        expiry.decor_mut().set_prefix(EXPIRY_COMMENT);
        for (role, days) in
            [("root", root), ("targets", targets), ("snapshot", snapshot), ("timestamp", timestamp), ("bins", bins)]
        {
            expiry.insert(role, Item::Value(number(days)));
        }
        document.insert("expiry", Item::Table(expiry));
        document.to_string()
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
    ///
    /// # Errors
    /// When the text is no TOML.
    pub fn bins_written_into(&self, text: &str) -> Result<String, Failure> {
        let mut document = parsed(text)?;
        set(&mut document, PROFILE, profile_name(self.profile).into());
        set(&mut document, BINS, i64::from(self.bins).into());
        Ok(document.to_string())
    }

    /// The text of a file with the URL of the index that was there before its signatures; everything else in it stays.
    ///
    /// # Errors
    /// When the text is no TOML.
    pub fn index_url_written_into(text: &str, index_url: &Url) -> Result<String, Failure> {
        let mut document = parsed(text)?;
        let is_new = !document.contains_key(INDEX_URL);
        set(&mut document, INDEX_URL, index_url.as_str().into());
        if is_new {
            explain(&mut document, INDEX_URL, INDEX_URL_COMMENT);
            // Where a new file has it: behind the base. The others stay in order.
            let names: Vec<String> = document.iter().map(|(name, _)| name.to_owned()).collect();
            let place = |name: &str| match name {
                INDEX_URL => names.iter().position(|other| other == BASE).map(|base| (base, 1)),
                _ => names.iter().position(|other| other == name).map(|own| (own, 0)),
            };
            document.sort_values_by(|one, _, other, _| place(one.get()).cmp(&place(other.get())));
        }
        Ok(document.to_string())
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

fn parsed(text: &str) -> Result<DocumentMut, Failure> {
    text.parse().map_err(|error: toml_edit::TomlError| unreadable(Path::new(CONFIG_FILE), error))
}

/// Gives a name another value; spaces and comments around it stay.
fn set(document: &mut DocumentMut, name: &str, mut value: Value) {
    match document.get_mut(name).and_then(Item::as_value_mut) {
        Some(old) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        None => _ = document.insert(name, Item::Value(value)),
    }
}

fn explain(document: &mut DocumentMut, name: &str, comment: &str) {
    if let Some(mut key) = document.key_mut(name) {
        key.leaf_decor_mut().set_prefix(comment);
    }
}

/// `365` and not `365.0`.
fn number(days: f64) -> Value {
    let whole = days as i64;
    if whole as f64 == days { whole.into() } else { days.into() }
}

fn bin_form_name(form: BinForm) -> &'static str {
    match form {
        BinForm::Succinct => "succinct",
        BinForm::Classic => "classic",
    }
}

fn profile_name(profile: Profile) -> &'static str {
    match profile {
        Profile::Small => "small",
        Profile::Pep458 => "pep458",
        Profile::Rstuf => "rstuf",
    }
}

fn unreadable(path: &Path, cause: impl Into<Source>) -> Failure {
    let cause = cause.into();
    let message = format!("{} cannot be used: {}", path.display(), cause.to_string().trim_end());
    Failure::new(Code::RepoConfig, message).caused_by(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config {
            base: Url::parse("https://pkgs.example.org/team/").unwrap(),
            index_url: None,
            output: "public".to_owned(),
            profile: Profile::Small,
            trust: DistributionTrust::Both,
            bins: 16,
            bin_form: BinForm::Succinct,
            expiry: ExpiryDays::default(),
        }
    }

    fn other_index() -> Url {
        Url::parse("https://other.example.org/simple/").unwrap()
    }

    fn read(text: &str) -> Config {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(CONFIG_FILE), text).unwrap();
        Config::read(directory.path()).unwrap()
    }

    #[track_caller]
    fn expect_read_back(config: &Config) {
        let text = config.to_toml();
        assert_eq!(format!("{:?}", read(&text)), format!("{config:?}"), "{text}");
    }

    #[test]
    fn what_is_written_is_read_back() {
        expect_read_back(&config());
        for days in [0.25, 1e-3, 1.0 / 3.0, 36_500.0, 1e15] {
            expect_read_back(&Config {
                index_url: Some(other_index()),
                profile: Profile::Rstuf,
                trust: DistributionTrust::Page,
                bins: 256,
                bin_form: BinForm::Classic,
                expiry: ExpiryDays { timestamp: days, ..Default::default() },
                ..config()
            });
        }
    }

    /// Every kind of character that means something in TOML, alone and in pairs.
    #[test]
    fn any_text_is_read_back() {
        const CHARACTERS: &str = "aé'\"\\#=[]{}\t\n\r\u{0}\u{7f}\u{85}\u{2028}\u{feff}\u{10ffff}";
        let pairs = CHARACTERS.chars().flat_map(|one| CHARACTERS.chars().map(move |other| format!("{one}{other}")));
        let others = ["'''", "\"\"\"", "a '''b''' \"\"\"c\"\"\"", "\\u0041", "a \"place\"\\ of\tits own", " "];
        for output in CHARACTERS.chars().map(String::from).chain(pairs).chain(others.map(String::from)) {
            expect_read_back(&Config { output, ..config() });
        }
    }

    #[test]
    fn a_new_file_explains_itself() {
        let expected = r#"# A signed package index, kept with `tufpip repo`.

# Where it will be reachable; its pages are in simple/ below. Users get this URL when they begin to trust the
# index, so it should not change.
base = "https://pkgs.example.org/team/"

# The index that was there before its signatures, whose URL users give to pip.
index-url = "https://other.example.org/simple/"

# Where it is published: a directory (relative to this one), or s3://bucket/prefix.
output = "public"

# The next four are signed, so that they cannot be changed here; `tufpip repo root edit --bins` changes the first two.
# Who signs: small (one role for all projects), pep458 (projects are spread over bins), rstuf (people sign only
# the root).
profile = "small"
# Over how many bins; not used by small.
bins = 16
# How bins are written: succinct (TAP 15), or classic for clients that do not know that.
bin-form = "succinct"
# What vouches for a file: target (an entry of its own), page (its row on the signed page), both.
trust = "both"

# For how many days each signature is good. People sign root and targets; the others are signed anew by
# `tufpip repo publish` and `tufpip repo refresh`.
[expiry]
root = 365
targets = 90
snapshot = 1
timestamp = 0.25
bins = 1
"#;
        let expiry = ExpiryDays { root: 365.0, targets: 90.0, snapshot: 1.0, timestamp: 0.25, bins: 1.0 };
        let config = Config { index_url: Some(other_index()), expiry, ..config() };
        assert_eq!(config.to_toml(), expected);
    }

    #[test]
    fn a_changed_file_is_like_a_new_one() {
        let before = config();
        let after = before.with_bins(64).unwrap();
        assert_eq!(after.bins_written_into(&before.to_toml()).unwrap(), after.to_toml());
        let after = Config { index_url: Some(other_index()), ..config() };
        assert_eq!(Config::index_url_written_into(&before.to_toml(), &other_index()).unwrap(), after.to_toml());
    }

    #[test]
    fn what_people_wrote_stays() {
        let written = "# ours\n\noutput='a # b'\n  profile = 'small' # for now\nbase = \"https://pkgs.example.org/\"\n\
                       \n# days\n[expiry]\nbins = 3 # not those\n# end\n";
        let bins = Config { bins: 64, profile: Profile::Pep458, ..config() };
        let text = bins.bins_written_into(written).unwrap();
        assert_eq!(text, written.replace("'small' #", "\"pep458\" #").replace("/\"\n", "/\"\nbins = 64\n"));
        assert_eq!((read(&text).bins, read(&text).expiry.bins), (64, 3.0));
        let text = Config::index_url_written_into(written, &other_index()).unwrap();
        let added = format!("/\"\n{INDEX_URL_COMMENT}index-url = \"{}\"\n", other_index());
        assert_eq!(text, written.replace("/\"\n", &added));
        assert_eq!(read(&text).index_url, Some(other_index()));
    }
}
