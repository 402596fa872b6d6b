//! `repo key`: making, importing and showing keys. None of it needs a repository.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;
use tuf::metadata::{Metadata, Root, TopLevelRole};

use super::{OperatorDirectoryArgs, PassphraseArgs, path};
use crate::terminal::Terminal;
use installer::error::{Code, Failure};
use operator::config::CONFIG_FILE;
use operator::keys::{self, KeyFile, Passphrases};

/// Make, import and show keys
#[derive(Clone, Debug, Args)]
#[command(override_usage = "tufpip repo key <command> [options]")]
pub struct KeyArgs {
    #[command(subcommand)]
    pub command: KeyCommand,
}

#[derive(Clone, Debug, Subcommand)]
pub enum KeyCommand {
    Gen(GenArgs),
    Import(ImportArgs),
    Show(ShowArgs),
}

/// Make new keys
///
/// Each is two files: NAME.pem, encrypted, which signs, and NAME.pub, which may be given to anybody.
#[derive(Clone, Debug, Args)]
pub struct GenArgs {
    /// Names of the keys
    #[arg(value_name = "name", required = true)]
    pub names: Vec<String>,
    #[command(flatten)]
    pub written: WrittenKeyArgs,
}

/// Take over a private key that another program has made
#[derive(Clone, Debug, Args)]
pub struct ImportArgs {
    /// A private key in PEM, encrypted or not: Ed25519 or ECDSA on P-256
    #[arg(value_name = "file", required = true, value_parser = path)]
    pub file: PathBuf,
    /// Name of the key; that of the file unless given
    #[arg(long, value_name = "name")]
    pub name: Option<String>,
    #[command(flatten)]
    pub written: WrittenKeyArgs,
}

/// How private keys are written.
#[derive(Clone, Debug, Args)]
pub struct WrittenKeyArgs {
    /// Where the files go; needed where there is no repository, otherwise its keys
    #[arg(long, value_name = "dir", value_parser = path)]
    pub out: Option<PathBuf>,
    /// Do not encrypt them, for a machine that signs alone; whoever reads the file can sign
    #[arg(long)]
    pub no_passphrase: bool,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
    #[command(flatten)]
    pub unlock: PassphraseArgs,
}

/// Show public keys
#[derive(Clone, Debug, Args)]
pub struct ShowArgs {
    /// Key files; all of the repository when none is named
    #[arg(value_name = "file", value_parser = path)]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
}

/// Runs one of the commands below `repo key`.
///
/// # Errors
/// When a key cannot be read or written, or its passphrase cannot be had.
pub fn key(command: &KeyCommand, terminal: &Terminal) -> Result<(), Failure> {
    match command {
        KeyCommand::Gen(make) => self::make(make, terminal),
        KeyCommand::Import(import) => self::import(import, terminal),
        KeyCommand::Show(show) => self::show(show, terminal),
    }
}

fn make(make: &GenArgs, terminal: &Terminal) -> Result<(), Failure> {
    let (names, written) = (&make.names, &make.written);
    let repo = &written.operator_directory;
    let directory = place(repo, written.out.as_deref())?;
    for name in names {
        keys::check_name(name)?;
        keys::check_absent(&directory, name)?;
    }
    let passphrase = match written.no_passphrase {
        true => None,
        false => Some(Passphrases::new(&written.unlock.options(terminal)).for_new_keys(&names.join(", "))?),
    };
    let mut made = Vec::new();
    for name in names {
        let key = keys::generate()?;
        made.push(keys::write(&directory, name, &key, passphrase.as_deref().map(String::as_str))?);
    }
    report(repo, &made, !written.no_passphrase, terminal);
    Ok(())
}

fn import(import: &ImportArgs, terminal: &Terminal) -> Result<(), Failure> {
    let written = &import.written;
    let repo = &written.operator_directory;
    let directory = place(repo, written.out.as_deref())?;
    let stem = import.file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let name = import.name.clone().unwrap_or(stem);
    keys::check_name(&name)?;
    keys::check_absent(&directory, &name)?;
    let mut passphrases = Passphrases::new(&written.unlock.options(terminal));
    let (key, opened_with) = keys::unlock(&import.file, &mut passphrases)?;
    let passphrase = match (written.no_passphrase, opened_with) {
        (true, _) => None,
        // It stays protected as it was.
        (false, Some(passphrase)) => Some(passphrase),
        (false, None) => Some(passphrases.for_new_keys(&name)?),
    };
    let imported = keys::write(&directory, &name, &key, passphrase.as_deref().map(String::as_str))?;
    report(repo, &[imported], !written.no_passphrase, terminal);
    Ok(())
}

fn show(show: &ShowArgs, terminal: &Terminal) -> Result<(), Failure> {
    let repo = &show.operator_directory;
    let found = if show.files.is_empty() {
        keys::in_directory(&place(repo, None)?)?
    } else {
        show.files.iter().map(|file| keys::open(file)).collect::<Result<_, _>>()?
    };
    let root = std::fs::read(repo.directory.join("root.json")).ok();
    let root = root.and_then(|bytes| Metadata::<Root>::from_bytes(&bytes).ok());
    let roles_of = |key: &KeyFile| -> Vec<&'static str> {
        let root = root.iter().map(|root| &root.signed);
        let roles = root
            .flat_map(|root| TopLevelRole::ALL.into_iter().filter(|role| root.role(*role).key_ids.contains(&key.id)));
        roles.map(TopLevelRole::name).collect()
    };
    if repo.json {
        let keys: Vec<_> = found
            .iter()
            .map(|key| {
                let mut shown = described(key);
                if let Some(shown) = shown.as_object_mut() {
                    shown.insert("roles".to_owned(), json!(roles_of(key)));
                }
                shown
            })
            .collect();
        terminal.json(&json!({ "keys": keys }).to_string());
        return Ok(());
    }
    if found.is_empty() {
        terminal.note("There are no keys. `tufpip repo key gen NAME` makes one.");
    }
    for key in &found {
        let roles = roles_of(key);
        let private = if key.private.is_some() { "private half is here" } else { "public half only" };
        let signs = match roles.is_empty() {
            true => String::new(),
            false => format!(", signs {}", roles.join(", ")),
        };
        terminal.line(&printable::line(&format!(
            "{}  {} {}  ({private}{signs})",
            key.name,
            key.public.key_type(),
            key.id.0
        )));
    }
    Ok(())
}

/// Where key files go: where somebody says, or among the repository's keys.
fn place(repo: &OperatorDirectoryArgs, out: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(out) = out {
        return Ok(out.to_owned());
    }
    if repo.directory.join(CONFIG_FILE).is_file() {
        return Ok(repo.directory.join("keys"));
    }
    let message = format!("There is no repository in {}, whose keys these could be", repo.directory.display());
    Err(Failure::new(Code::RepoNoRepository, message)
        .hint("--repo names the directory of a repository; --out any directory for key files"))
}

fn report(repo: &OperatorDirectoryArgs, made: &[KeyFile], encrypted: bool, terminal: &Terminal) {
    if repo.json {
        let keys: Vec<_> = made.iter().map(described).collect();
        terminal.json(&json!({ "keys": keys, "encrypted": encrypted }).to_string());
    } else {
        for key in made {
            terminal.line(&printable::line(&format!("{}  {} {}", key.name, key.public.key_type(), key.id.0)));
            if let Some(private) = &key.private {
                let kept = if encrypted { "encrypted" } else { "NOT encrypted" };
                terminal.line(&printable::line(&format!("  private half  {} ({kept})", private.display())));
                let public = private.with_extension("pub");
                terminal.line(&printable::line(&format!("  public half   {}", public.display())));
            }
        }
    }
    if !encrypted {
        terminal.warning("Whoever reads a private half that is not encrypted can sign with it. Keep it for machines that sign alone.");
    }
}

fn described(key: &KeyFile) -> serde_json::Value {
    json!({
        "name": key.name,
        "keyid": key.id.0,
        "keytype": key.public.key_type(),
        "scheme": key.public.scheme(),
        "private": key.private.as_ref().map(|path| path.display().to_string()),
    })
}
