//! `repo rotate-online`: replaces the online key.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use repository::KeyGroup;
use repository::ceremony::{OfflineRenewal, SigningGroup};
use serde_json::json;

use super::publish::report;
use super::root;
use super::root::edit::{impossible, no_root, prepare, report_difference, stage};
use super::{OperatorDirectoryArgs, PassphraseArgs};
use crate::terminal::Terminal;
use installer::error::Failure;
use operator::ceremony::{self, Ceremony};
use operator::keys::{self, KeyFile, KeyRing, Passphrases};
use operator::operator_directory::OperatorDirectory;
use operator::publish;
use operator::storage::Storage;

/// Replace the key that signs without people
///
/// If the keys of the people are here, all of it is done at once; if not, what they have to sign is written to staged/metadata.
/// What is staged is published along with it.
#[derive(Clone, Debug, Args)]
pub struct RotateOnlineArgs {
    /// The new key: a .pub or .pem file, or the name of one to be made; online-N unless given
    #[arg(long, value_name = "key")]
    pub new_key: Option<String>,
    /// Do not encrypt the new key, for a machine that signs alone; whoever reads the file can sign publications
    #[arg(long)]
    pub no_passphrase: bool,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
    #[command(flatten)]
    pub unlock: PassphraseArgs,
}

/// Replaces the online key: at once if the keys of the people are here, else the files wait for them.
///
/// # Errors
/// When the new key cannot be made or used, or publishing fails.
pub async fn rotate_online(rotate: &RotateOnlineArgs, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    let repo = &rotate.operator_directory;
    let operator_directory = OperatorDirectory::open(&repo.directory)?;
    let storage = Storage::open(&operator_directory.output())?;
    let mut ceremony = Ceremony::read(&operator_directory, &storage, terminal).await?;
    let mut wanted = ceremony.expected().ok_or_else(no_root)?;
    let mut ring = ceremony::ring(&operator_directory, &rotate.unlock.options(terminal))?;
    if rotate.dry_run {
        return report_plan(repo, &ring, &wanted, terminal);
    }
    let new = new_key(rotate, &operator_directory, &mut ring, terminal)?;
    let group = KeyGroup::new(vec![new.public.clone()], 1).map_err(impossible)?;
    wanted.set_group(SigningGroup::Online, &group).map_err(impossible)?;
    let renewed = OfflineRenewal::default();
    let files = prepare(&operator_directory, &ceremony, &wanted, renewed);
    let needed = ceremony.with(files.clone());
    let all_here = needed.can_be_signed_with(&ring);
    if !all_here {
        return stage(repo, rotate.dry_run, &operator_directory, ceremony, files, &ring, terminal);
    }
    if !repo.json {
        let before = ceremony.published.as_ref().map(repository::ceremony::OfflineMetadata::of);
        report_difference(before.as_ref(), &files, &ring, terminal);
    }
    ceremony::stage(&operator_directory, &files)?;
    ceremony = needed;
    ceremony.sign(&mut ring)?;
    ceremony.sign_online(&mut ring)?;
    for file in &ceremony.waiting {
        ceremony::write_file(&operator_directory, file)?;
    }
    let files = root::waiting_json(&ceremony, &operator_directory, &ring);
    let outcome = ceremony.publish(&operator_directory, &storage, &mut ring, false, terminal).await?;
    if repo.json {
        let published = publish::to_json(&outcome, false);
        terminal.json(&json!({"key": new.id.0, "files": files, "published": published}).to_string());
        return Ok(());
    }
    report(&outcome, &operator_directory, false, terminal);
    terminal.line(&printable::line(&format!(
        "From now on {} signs. Delete the private half of the old online key.",
        ring.display_name(&new.id)
    )));
    Ok(())
}

fn report_plan(
    repo: &OperatorDirectoryArgs,
    ring: &KeyRing,
    published: &repository::ceremony::OfflineMetadata,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let old = published.group(SigningGroup::Online);
    let old: Vec<_> = old.keys.iter().map(tuf::Key::identifier).collect();
    if repo.json {
        let old: Vec<&str> = old.iter().map(|id| id.0.as_str()).collect();
        terminal.json(&json!({"dry_run": true, "replaces": old}).to_string());
        return Ok(());
    }
    let names: Vec<String> = old.iter().map(|id| ring.display_name(id)).collect();
    terminal.line(&format!("Would replace {} by a new key, in a new root and all that it signs.", names.join(", ")));
    Ok(())
}

/// The key that was named, or a new one.
fn new_key(
    rotate: &RotateOnlineArgs,
    operator_directory: &OperatorDirectory,
    ring: &mut KeyRing,
    terminal: &Terminal,
) -> Result<KeyFile, Failure> {
    let directory = operator_directory.keys();
    let named = rotate.new_key.as_deref();
    if let Some(path) = named.filter(|name| is_file(name)).map(PathBuf::from) {
        let key = keys::open(&path)?;
        keys::adopt(&directory, &key, true)?;
        ring.add_file(key.clone());
        return Ok(key);
    }
    let name = match named {
        Some(name) => name.to_owned(),
        None => free_name(&directory)?,
    };
    keys::check_name(&name)?;
    keys::check_absent(&directory, &name)?;
    let passphrase = match rotate.no_passphrase {
        true => None,
        false => Some(Passphrases::new(&rotate.unlock.options(terminal)).for_new_keys(&format!("the new key {name}"))?),
    };
    let key = keys::generate()?;
    let file = keys::write(&directory, &name, &key, passphrase.as_deref().map(String::as_str))?;
    if rotate.no_passphrase {
        terminal.warning("The new key is not encrypted: whoever reads its file can sign publications.");
    }
    ring.add(file.clone(), key.into_signing_key());
    Ok(file)
}

fn is_file(name: &str) -> bool {
    let path = Path::new(name);
    path.extension().is_some_and(|extension| extension == "pub" || extension == "pem")
}

fn free_name(directory: &Path) -> Result<String, Failure> {
    let names = (2..10_000).map(|number| format!("online-{number}"));
    let mut free = names.filter(|name| keys::check_absent(directory, name).is_ok());
    free.next().ok_or_else(|| Failure::usage("name the new key with --new-key"))
}
