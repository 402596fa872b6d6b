//! `repo init`: a directory for the operator, keys, and an empty index that is published at once if all keys are here.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use repository::ceremony::{OfflineMetadata, OfflineRenewal};
use repository::{BinForm, DistributionTrust, KeyGroup, Policy, Profile, Signers, layout};
use serde_json::json;
use tuf::Key;
use url::Url;

use super::root;
use super::{OperatorDirectoryArgs, PassphraseArgs, path};
use crate::arguments::values::{expiry_grace, with_slash};
use crate::terminal::Terminal;
use installer::error::{Code, Failure};
use installer::text::count_noun;
use installer::trust::unix_now;
use operator::ceremony::{self, Ceremony};
use operator::config::{CONFIG_FILE, Config, ExpiryDays};
use operator::keys::{self, KeyFile, KeyRing, Passphrases};
use operator::operator_directory::{OperatorDirectory, disk_failure, write_whole};
use operator::publish::{self, PublishOutcome};
use operator::published_state;
use operator::storage::Storage;

/// Make keys and an empty signed index
///
/// Without key options two keys are made: "root", for people, who keep it away from machines that are on all day, and "online",
/// which signs every publication. If all private keys are here, the empty index is published at once; if not, the next
/// steps are printed.
#[derive(Clone, Debug, Args)]
pub struct InitArgs {
    /// Where the index will be reachable; the pages are below simple/
    #[arg(long, value_name = "URL")]
    pub base: String,
    /// Where it is published: a directory, or s3://bucket/prefix
    #[arg(long, value_name = "place", default_value = "public")]
    pub output: String,
    /// How many projects are expected: chooses --profile and --bins
    #[arg(long, value_name = "number", default_value_t = 100)]
    pub projects: u64,
    /// The shape of the signatures: small (up to some 500 projects), pep458 (more), or rstuf (people sign only the root);
    /// by --projects unless given
    #[arg(long, value_name = "profile", value_parser = profile())]
    pub profile: Option<Profile>,
    /// Over how many signed files the projects are spread, a power of two from 2 to 16384; by --projects unless given
    #[arg(long, value_name = "number")]
    pub bins: Option<u32>,
    /// List each bin with its hash prefixes, for clients that do not know the short form (TAP 15)
    #[arg(long)]
    pub classic_bins: bool,
    /// What vouches for a file: an entry of its own (target), its row on the signed page (page), or both
    #[arg(long, value_name = "kind", default_value = "both", value_parser = trust())]
    pub trust: DistributionTrust,
    /// For how long a role is signed, as role=time: root=365d, targets, snapshot=7d, timestamp=1d, bins=30d; may be given
    /// several times
    #[arg(long, value_name = "role=time", value_parser = role_expiry)]
    pub expiry: Vec<(String, Duration)>,
    /// Somebody who signs the root (a .pub file); may be given several times. They sign targets too, unless --targets-key says
    /// who does
    #[arg(long = "root-key", value_name = "file", value_parser = path)]
    pub root_keys: Vec<PathBuf>,
    /// Somebody who signs which roles there are (a .pub file); may be given several times
    #[arg(long = "targets-key", value_name = "file", value_parser = path)]
    pub targets_keys: Vec<PathBuf>,
    /// How many of the root keys, and of the targets keys, must sign
    #[arg(long, value_name = "number", default_value_t = 1)]
    pub threshold: u64,
    /// The key that signs publications (a .pub or .pem file), instead of a new one
    #[arg(long, value_name = "file", value_parser = path)]
    pub online_key: Option<PathBuf>,
    /// Do not encrypt the new online key, for a machine that signs alone; whoever reads the file can sign publications
    #[arg(long)]
    pub no_passphrase: bool,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
    #[command(flatten)]
    pub unlock: PassphraseArgs,
}

/// `--profile`
fn profile() -> impl TypedValueParser<Value = Profile> {
    PossibleValuesParser::new(["small", "pep458", "rstuf"]).map(|name| match name.as_str() {
        "pep458" => Profile::Pep458,
        "rstuf" => Profile::Rstuf,
        _ => Profile::Small,
    })
}

/// `--trust`
fn trust() -> impl TypedValueParser<Value = DistributionTrust> {
    PossibleValuesParser::new(["target", "page", "both"]).map(|name| match name.as_str() {
        "target" => DistributionTrust::Target,
        "page" => DistributionTrust::Page,
        _ => DistributionTrust::Both,
    })
}

/// `--expiry`: a role of a repository, `=`, and a time such as `7d`.
fn role_expiry(text: &str) -> Result<(String, Duration), String> {
    const ROLES: &[&str] = &["root", "targets", "snapshot", "timestamp", "bins"];
    match text.split_once('=') {
        Some((role, time)) if ROLES.contains(&role) => Ok((role.to_owned(), expiry_grace(time)?)),
        _ => Err(format!("expected {} and a time, such as root=365d, found '{text}'", ROLES.join(", "))),
    }
}

/// Up to so many projects one role signs for all of them.
const SMALL: u64 = 500;

/// Creates a repository.
///
/// # Errors
/// When there is one already, a key cannot be used, or publishing fails.
pub async fn init(init: &InitArgs, terminal: &Terminal) -> Result<(), Failure> {
    let directory = &init.operator_directory.directory;
    if directory.join(CONFIG_FILE).exists() {
        let message = format!("{} is a repository already", directory.display());
        return Err(Failure::new(Code::RepoExists, message)
            .hint("`tufpip repo root edit` changes who signs; repo.toml holds everything else"));
    }
    let config = config(init)?;
    config.check_output(directory)?;
    check_place(&config.output(directory)).await?;
    let policy = config.policy();
    let given = GivenKeys::read(init)?;
    given.check(init, &policy)?;
    let ring = keys_of(init, &given, terminal)?;
    let signers = signers(init, &given, &ring)?;
    std::fs::create_dir_all(directory).map_err(|error| disk_failure(directory, error))?;
    let path = directory.join(CONFIG_FILE);
    write_whole(&path, config.to_toml().as_bytes()).map_err(|error| disk_failure(&path, error))?;
    begin(&init.operator_directory, &policy, &signers, ring, terminal).await
}

/// Checks that the storage can be read and has no index, before keys are made that would be in the way of a second try.
async fn check_place(output: &str) -> Result<(), Failure> {
    if Storage::open(output)?.read(layout::TIMESTAMP, published_state::LIMIT).await?.is_none() {
        return Ok(());
    }
    Err(Failure::new(Code::RepoPublishedAlready, format!("An index is published in {output} already"))
        .hint("name another place with --output")
        .hint("to go on with that index, work in the directory that it was made in, or in a copy of its repo.toml, root.json and keys"))
}

/// Public keys given by options, instead of new ones.
struct GivenKeys {
    root: Vec<KeyFile>,
    targets: Vec<KeyFile>,
    online: Option<KeyFile>,
}

impl GivenKeys {
    fn read(init: &InitArgs) -> Result<Self, Failure> {
        let read = |paths: &[PathBuf]| paths.iter().map(|path| keys::open(path)).collect::<Result<Vec<_>, _>>();
        Ok(Self {
            root: read(&init.root_keys)?,
            targets: read(&init.targets_keys)?,
            online: init.online_key.as_deref().map(keys::open).transpose()?,
        })
    }

    /// Refuses what cannot be before anything is written.
    fn check(&self, init: &InitArgs, policy: &Policy) -> Result<(), Failure> {
        if !policy.targets_offline() && !self.targets.is_empty() {
            return Err(Failure::usage("with --profile rstuf the online key signs targets; leave out --targets-key"));
        }
        let distinct = |files: &[KeyFile]| {
            KeyGroup::new(files.iter().map(|file| file.public.clone()).collect(), 1).map_or(0, |group| group.keys.len())
        };
        let root = distinct(&self.root).max(1);
        let targets = if self.targets.is_empty() { root } else { distinct(&self.targets) };
        for (keys, option) in [(root, "--root-key"), (targets, "--targets-key")] {
            if init.threshold == 0 || init.threshold > keys as u64 {
                let message = format!("--threshold {} of {} cannot be", init.threshold, count_noun(keys, "key"));
                return Err(Failure::usage(message).hint(format!("{option} may be given several times")));
            }
        }
        Ok(())
    }
}

fn config(init: &InitArgs) -> Result<Config, Failure> {
    let base = Url::parse(&init.base).ok().filter(|base| matches!(base.scheme(), "http" | "https" | "file"));
    let base = base.map(with_slash).ok_or_else(|| {
        Failure::usage(format!("--base is {}; expected a URL such as https://pkgs.example.org/", init.base))
    })?;
    if base.path().ends_with("/simple/") {
        let message = format!("--base is {base}, and the pages would be in {base}simple/");
        return Err(Failure::usage(message).hint("leave simple/ out: it is added to the base"));
    }
    let mut expiry = ExpiryDays::default();
    for (role, time) in &init.expiry {
        let days = match role.as_str() {
            "root" => &mut expiry.root,
            "targets" => &mut expiry.targets,
            "snapshot" => &mut expiry.snapshot,
            "timestamp" => &mut expiry.timestamp,
            _ => &mut expiry.bins,
        };
        *days = time.as_secs_f64() / 86_400.0;
    }
    let config = Config {
        base,
        index_url: None,
        output: init.output.clone(),
        profile: init.profile.unwrap_or(if init.projects <= SMALL { Profile::Small } else { Profile::Pep458 }),
        trust: init.trust,
        bins: init.bins.unwrap_or(1 << Policy::bit_length_for(init.projects)),
        bin_form: if init.classic_bins { BinForm::Classic } else { BinForm::Succinct },
        expiry,
    };
    config.check().map_err(Failure::usage)?;
    Ok(config)
}

/// Makes the keys that nobody named, and puts the others beside them.
fn keys_of(init: &InitArgs, given: &GivenKeys, terminal: &Terminal) -> Result<KeyRing, Failure> {
    let repo = &init.operator_directory;
    let directory = repo.directory.join("keys");
    let new_root = given.root.is_empty().then_some("root");
    let new_online = given.online.is_none().then_some("online");
    for name in [new_root, new_online].into_iter().flatten() {
        keys::check_absent(&directory, name)?;
    }
    let mut passphrases = Passphrases::new(&init.unlock.options(terminal));
    let encrypted = [new_root, new_online.filter(|_| !init.no_passphrase)];
    let names: Vec<&str> = encrypted.into_iter().flatten().collect();
    let passphrase = match names.is_empty() {
        true => None,
        false => Some(passphrases.for_new_keys(&format!("the new keys ({})", names.join(", ")))?),
    };
    for key in given.root.iter().chain(&given.targets) {
        keys::adopt(&directory, key, false)?;
    }
    if let Some(online) = &given.online {
        keys::adopt(&directory, online, true)?;
    }
    let mut ring = KeyRing::new(Vec::new(), passphrases);
    for (name, protect) in [(new_root, true), (new_online, !init.no_passphrase)] {
        let Some(name) = name else { continue };
        let key = keys::generate()?;
        let passphrase = passphrase.as_deref().filter(|_| protect).map(String::as_str);
        let file = keys::write(&directory, name, &key, passphrase)?;
        if !repo.json {
            let kept = if passphrase.is_some() { "encrypted" } else { "NOT encrypted" };
            let private = directory.join(format!("{name}.pem"));
            terminal.line(&printable::line(&format!("Made the key {name}: {} ({kept})", private.display())));
        }
        ring.add(file, key.into_signing_key());
    }
    // Private halves in other places can sign now; later they must be named.
    for file in given.root.iter().chain(&given.targets).chain(&given.online) {
        ring.add_file(file.clone());
    }
    if init.no_passphrase && new_online.is_some() {
        terminal.warning("The online key is not encrypted: whoever reads its file can sign publications.");
    }
    Ok(ring)
}

fn signers(init: &InitArgs, given: &GivenKeys, ring: &KeyRing) -> Result<Signers, Failure> {
    let public = |files: &[KeyFile]| -> Vec<Key> { files.iter().map(|file| file.public.clone()).collect() };
    let named = |name: &str| -> Vec<Key> { ring.find(name).cloned().into_iter().collect() };
    let root = if given.root.is_empty() { named("root") } else { public(&given.root) };
    let online = given.online.as_ref().map_or_else(|| named("online"), |file| vec![file.public.clone()]);
    let targets = if given.targets.is_empty() { root.clone() } else { public(&given.targets) };
    let group = |keys, threshold, option: &str| {
        KeyGroup::new(keys, threshold).map_err(|error| Failure::usage(format!("{option}: {error}")).caused_by(error))
    };
    Ok(Signers {
        root: group(root, init.threshold, "--root-key and --threshold")?,
        targets: group(targets, init.threshold, "--targets-key and --threshold")?,
        online: group(online, 1, "--online-key")?,
    })
}

/// Stages the first offline metadata, signs it with the keys here, and publishes it if they suffice.
async fn begin(
    repo: &OperatorDirectoryArgs,
    policy: &Policy,
    signers: &Signers,
    mut ring: KeyRing,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let operator_directory = OperatorDirectory::open(&repo.directory)?;
    let first = OfflineMetadata::first(policy, signers, unix_now())
        .ok_or_else(|| Failure::usage("the number of bins is no power of two from 2 to 16384"))?;
    let files = first.changes_since(None, OfflineRenewal::default(), policy, unix_now());
    ceremony::stage(&operator_directory, &files)?;
    let storage = Storage::open(&operator_directory.output())?;
    let mut ceremony = Ceremony::read(&operator_directory, &storage, terminal).await?;
    root::warn_of_keys(&ceremony, &ring, terminal);
    ceremony.sign(&mut ring)?;
    ceremony.sign_online(&mut ring)?;
    for file in &ceremony.waiting {
        ceremony::write_file(&operator_directory, file)?;
    }
    let is_signed = ceremony.unsigned().is_empty();
    let has_online = signers.online.keys.iter().all(|key| ring.has(&key.identifier()));
    let said = root::waiting_json(&ceremony, &operator_directory, &ring);
    let outcome = match is_signed && has_online {
        true => Some(ceremony.publish(&operator_directory, &storage, &mut ring, false, terminal).await?),
        false => {
            if !repo.json {
                root::say_what_is_next(&ceremony, &operator_directory, &ring, terminal);
            }
            None
        }
    };
    report(repo, &operator_directory, outcome.as_ref(), said, terminal);
    Ok(())
}

fn report(
    repo: &OperatorDirectoryArgs,
    operator_directory: &OperatorDirectory,
    outcome: Option<&PublishOutcome>,
    files: Vec<serde_json::Value>,
    terminal: &Terminal,
) {
    let index = operator_directory.config.index_url();
    if repo.json {
        let said = json!({
            "repository": repo.directory.display().to_string(),
            "index": index.to_string(),
            "output": operator_directory.output(),
            "files": files,
            "published": outcome.map(|outcome| publish::to_json(outcome, false)),
        });
        terminal.json(&said.to_string());
        return;
    }
    if outcome.is_none() {
        return;
    }
    let keys = operator_directory.keys();
    terminal.line(&printable::line(&format!("An empty signed index is in {}", operator_directory.output())));
    terminal.line(&printable::line(&format!("It is to be reachable as {index}")));
    terminal.line("");
    terminal.line(&printable::line(&format!(
        "Back up {}: without the root key nobody can go on when the root expires ({} from now).",
        keys.display(),
        count_noun((operator_directory.config.policy().expiry.root / 86_400).max(0) as usize, "day")
    )));
    terminal.line("Move the private half of the root key to where no machine is on all day.");
    terminal.line("Next: `tufpip repo add` takes packages, `tufpip repo publish` publishes them,");
    terminal.line("`tufpip repo refresh` has to run every few hours (cron), or clients refuse the index as stale,");
    terminal.line("`tufpip repo export-anchor` writes the root that users give to `tufpip trust add`.");
}
