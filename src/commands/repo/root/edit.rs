//! `repo root edit`: writes the next versions of offline metadata.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use repository::KeyGroup;
use repository::ceremony::{CeremonyError, OfflineMetadata, OfflineMetadataFile, OfflineRenewal, SigningGroup};
use serde_json::json;
use tuf::metadata::{Metadata, RoleName, Targets};
use tuf::{Key, UnixTime};

use crate::arguments::values::expiry_grace;
use crate::commands::repo::{OperatorDirectoryArgs, path, without_passphrase};
use crate::terminal::Terminal;
use installer::error::{Code, Failure};
use installer::trust::unix_now;
use operator::ceremony::{self, Ceremony};
use operator::config::CONFIG_FILE;
use operator::keys::{self, KeyRing};
use operator::operator_directory::OperatorDirectory;
use operator::published_state;
use operator::storage::Storage;

/// Write what people have to sign next
///
/// Begins with what waits in staged/metadata, or else with what is published. Files that change lose their signatures.
#[derive(Clone, Debug, Args)]
pub struct EditArgs {
    /// Whose keys change: those of root, of targets (which roles there are), or the online one
    #[arg(long, value_name = "role", default_value = "root", value_parser = group())]
    pub role: SigningGroup,
    /// A key more (a .pub file); may be given several times
    #[arg(long, value_name = "file", value_parser = path)]
    pub add_key: Vec<PathBuf>,
    /// A key less, by its name here or the beginning of its key id; may be given several times
    #[arg(long, value_name = "key")]
    pub remove_key: Vec<String>,
    /// How many of the keys must sign
    #[arg(long, value_name = "number")]
    pub threshold: Option<u64>,
    /// Spread the projects over so many bins from now on, a power of two from 2 to 16384; a repository of the profile small
    /// becomes one of pep458
    #[arg(long, value_name = "number")]
    pub bins: Option<u32>,
    /// For how long the new root is good (90d); otherwise as repo.toml says
    #[arg(long, value_name = "time", value_parser = expiry_grace)]
    pub expires: Option<Duration>,
    /// Sign again what would expire, whatever else changes: root, targets or all
    #[arg(long, value_name = "role", value_parser = renewal())]
    pub renew: Option<OfflineRenewal>,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
}

/// `--role`
fn group() -> impl TypedValueParser<Value = SigningGroup> {
    PossibleValuesParser::new(["root", "targets", "online"]).map(|name| match name.as_str() {
        "targets" => SigningGroup::Targets,
        "online" => SigningGroup::Online,
        _ => SigningGroup::Root,
    })
}

/// `--renew`
fn renewal() -> impl TypedValueParser<Value = OfflineRenewal> {
    PossibleValuesParser::new(["root", "targets", "all"])
        .map(|name| OfflineRenewal { root: name != "targets", targets: name != "root" })
}

/// Writes what people have to sign next.
///
/// # Errors
/// When a key is not found, too few remain, or nothing changes.
pub async fn edit(edit: &EditArgs, terminal: &Terminal) -> Result<(), Failure> {
    let repo = &edit.operator_directory;
    let operator_directory = OperatorDirectory::open(&repo.directory)?;
    let storage = Storage::open(&operator_directory.output())?;
    let ceremony = Ceremony::read(&operator_directory, &storage, terminal).await?;
    let mut ring = ceremony::ring(&operator_directory, &without_passphrase(terminal))?;
    let mut wanted = ceremony.expected().ok_or_else(no_root)?;
    let mut added = Vec::new();
    for file in &edit.add_key {
        let key = keys::open(file)?;
        ring.add_file(key.clone());
        added.push(key);
    }
    if !added.is_empty() || !edit.remove_key.is_empty() || edit.threshold.is_some() {
        let signers = changed(&wanted.group(edit.role), edit, &added, &ring)?;
        wanted.set_group(edit.role, &signers).map_err(impossible)?;
    }
    let spread = match edit.bins {
        None => None,
        Some(bins) => {
            let config = operator_directory.config.with_bins(bins).map_err(Failure::usage)?;
            wanted.spread_over_bins(&config.policy()).map_err(impossible)?;
            Some(config)
        }
    };
    let renewed = edit.renew.unwrap_or_default();
    let renewed = OfflineRenewal { root: renewed.root || edit.expires.is_some(), ..renewed };
    let mut files = prepare(&operator_directory, &ceremony, &wanted, renewed);
    if renewed.targets {
        let expires = UnixTime(unix_now().0 + operator_directory.config.policy().expiry.targets);
        files.extend(renewed_projects(&ceremony, &wanted, &storage, expires).await?);
    }
    if let Some(expires) = edit.expires {
        let until = UnixTime(unix_now().0.saturating_add(i64::try_from(expires.as_secs()).unwrap_or(i64::MAX)));
        for file in files.iter_mut().filter(|file| matches!(file, OfflineMetadataFile::Root(_))) {
            file.set_expires(until);
        }
    }
    if files.is_empty() && ceremony.with(Vec::new()).waiting.len() == ceremony.waiting.len() {
        return Err(Failure::new(Code::RepoNothingChanges, "Nothing would change")
            .hint("--add-key, --remove-key and --threshold change who signs, --bins over what the projects are spread; --renew all signs the same again"));
    }
    if !edit.dry_run {
        for key in &added {
            keys::adopt(&operator_directory.keys(), key, false)?;
        }
        if let (Some(config), Some(text)) = (&spread, operator_directory.read(CONFIG_FILE)?) {
            let text = config.bins_written_into(&String::from_utf8_lossy(&text))?;
            operator_directory.write(CONFIG_FILE, text.as_bytes())?;
        }
    }
    stage(repo, edit.dry_run, &operator_directory, ceremony, files, &ring, terminal)
}

/// The files that must be signed before this can be published. A waiting file with the same content stays: it may have
/// signatures already.
pub fn prepare(
    operator_directory: &OperatorDirectory,
    ceremony: &Ceremony,
    wanted: &OfflineMetadata,
    renewed: OfflineRenewal,
) -> Vec<OfflineMetadataFile> {
    let published = ceremony.published.as_ref().map(OfflineMetadata::of);
    let files = wanted.changes_since(published.as_ref(), renewed, &operator_directory.config.policy(), unix_now());
    // Files that wait only because of another expiry.
    let is_there = |waiting: &OfflineMetadataFile| files.iter().any(|file| file.role() == waiting.role());
    let others = ceremony.waiting.iter().filter(|waiting| wanted.matches_file(waiting) && !is_there(waiting));
    let others: Vec<OfflineMetadataFile> = others.cloned().collect();
    let kept = |file: OfflineMetadataFile| {
        let is_renewed = if matches!(file, OfflineMetadataFile::Root(_)) { renewed.root } else { renewed.targets };
        let mut waiting = ceremony.waiting.iter().filter(|waiting| !is_renewed && waiting.same_but_expiry(&file));
        waiting.next().cloned().unwrap_or(file)
    };
    let mut files: Vec<OfflineMetadataFile> = files.into_iter().map(kept).chain(others).collect();
    files.sort_by_key(|file| (!matches!(file, OfflineMetadataFile::Root(_)), file.role()));
    files
}

/// The metadata of claimed projects with a later expiry. Where a file waits for their key holders already, it is kept.
async fn renewed_projects(
    ceremony: &Ceremony,
    wanted: &OfflineMetadata,
    storage: &Storage,
    expires: UnixTime,
) -> Result<Vec<OfflineMetadataFile>, Failure> {
    let Some(published) = &ceremony.published else { return Ok(Vec::new()) };
    let waits =
        |role: &RoleName| ceremony.waiting.iter().any(|file| file.role() == *role && file.expires().0 > unix_now().0);
    let stays = |role: &RoleName| wanted.has(role);
    let roles = published.project_roles().filter(|role| stays(role) && !waits(role)).cloned().collect();
    let mut read = published_state::roles(published, storage, roles).await?;
    read.sort_by(|(role, _), (other, _)| role.cmp(other));
    let next = |(role, targets): (RoleName, Targets)| {
        OfflineMetadataFile::targets(role, Targets { version: targets.version + 1, expires, ..targets })
    };
    Ok(read.into_iter().map(next).collect())
}

/// Prints what changes, stages the files, and prints what comes next.
///
/// # Errors
/// When the disk refuses.
pub fn stage(
    repo: &OperatorDirectoryArgs,
    dry_run: bool,
    operator_directory: &OperatorDirectory,
    ceremony: Ceremony,
    files: Vec<OfflineMetadataFile>,
    ring: &KeyRing,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let before = ceremony.published.as_ref().map(OfflineMetadata::of);
    if !repo.json {
        report_difference(before.as_ref(), &files, ring, terminal);
    }
    if !dry_run {
        ceremony::stage(operator_directory, &files)?;
    }
    let ceremony = ceremony.with(files);
    super::warn_of_keys(&ceremony, ring, terminal);
    if repo.json {
        let files = super::waiting_json(&ceremony, operator_directory, ring);
        terminal.json(&json!({"files": files, "dry_run": dry_run}).to_string());
    } else if dry_run {
        terminal.line("Nothing was written.");
    } else {
        super::say_what_is_next(&ceremony, operator_directory, ring, terminal);
    }
    Ok(())
}

/// Prints what changes with each file.
pub fn report_difference(
    before: Option<&OfflineMetadata>,
    files: &[OfflineMetadataFile],
    ring: &KeyRing,
    terminal: &Terminal,
) {
    for file in files {
        let published = before.and_then(|before| match file {
            OfflineMetadataFile::Root(_) => Some(OfflineMetadataFile::Root(Metadata::new(before.root.clone()))),
            OfflineMetadataFile::Targets(role, _) => {
                let targets = before.delegators.get(role)?.clone();
                Some(OfflineMetadataFile::targets(role.clone(), targets))
            }
        });
        for line in ceremony::difference(published.as_ref(), file, ring) {
            terminal.line(&line);
        }
    }
}

/// The group as it shall be.
fn changed(group: &KeyGroup, edit: &EditArgs, added: &[keys::KeyFile], ring: &KeyRing) -> Result<KeyGroup, Failure> {
    let mut signers: Vec<Key> = group.keys.clone();
    for name in &edit.remove_key {
        let by_name = ring.find(name).map(Key::identifier);
        let is_meant = |key: &Key| {
            let id = key.identifier();
            by_name.as_ref() == Some(&id) || (name.len() >= 4 && id.0.starts_with(name.as_str()))
        };
        let before = signers.len();
        signers.retain(|key| !is_meant(key));
        match before - signers.len() {
            1 => {}
            0 => {
                let present: Vec<String> = group.keys.iter().map(|key| ring.display_name(&key.identifier())).collect();
                let message = format!("No key of this role is called {name}; it has {}", present.join(", "));
                return Err(Failure::usage(message));
            }
            _ => return Err(Failure::usage(format!("Several keys of this role begin with {name}"))),
        }
    }
    for key in added.iter().filter(|key| !group.keys.contains(&key.public)) {
        signers.push(key.public.clone());
    }
    KeyGroup::new(signers, edit.threshold.unwrap_or(group.threshold)).map_err(impossible)
}

/// Why keys and thresholds cannot be changed in this way.
pub fn impossible(error: CeremonyError) -> Failure {
    Failure::new(Code::RepoCeremony, format!("This change is impossible: {error}")).caused_by(error)
}

/// The failure when there is no root to change.
pub fn no_root() -> Failure {
    Failure::new(Code::RepoNoRoot, "There is no root, neither published nor waiting")
        .hint("`tufpip repo init` makes the first one")
}
