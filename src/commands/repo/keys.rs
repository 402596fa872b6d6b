//! `repo key`: making, importing and showing keys. None of it needs a repository.

use std::path::{Path, PathBuf};

use serde_json::json;
use tuf::metadata::{Metadata, Root, TopLevelRole};

use crate::settings::{KeyCommand, OperatorOptions};
use crate::terminal::Terminal;
use installer::error::{Code, Failure};
use operator::config::CONFIG_FILE;
use operator::keys::{self, KeyFile, Passphrases};

/// Runs one of the commands below `repo key`.
///
/// # Errors
/// When a key cannot be read or written, or its passphrase is not available.
pub fn key(repo: &OperatorOptions, command: &KeyCommand, terminal: &Terminal) -> Result<(), Failure> {
    match command {
        KeyCommand::Make { names, out, no_passphrase } => make(repo, names, out.as_deref(), *no_passphrase, terminal),
        KeyCommand::Import { file, name, out, no_passphrase } => {
            import(repo, file, name.as_deref(), out.as_deref(), *no_passphrase, terminal)
        }
        KeyCommand::Show { files } => show(repo, files, terminal),
    }
}

fn make(
    repo: &OperatorOptions,
    names: &[String],
    out: Option<&Path>,
    no_passphrase: bool,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let directory = place(repo, out)?;
    for name in names {
        keys::check_name(name)?;
        keys::check_absent(&directory, name)?;
    }
    let passphrase = match no_passphrase {
        true => None,
        false => Some(Passphrases::new(&repo.unlock()).for_new_keys(&names.join(", "))?),
    };
    let mut made = Vec::new();
    for name in names {
        let key = keys::generate()?;
        made.push(keys::write(&directory, name, &key, passphrase.as_deref().map(String::as_str))?);
    }
    report(repo, &made, !no_passphrase, terminal);
    Ok(())
}

fn import(
    repo: &OperatorOptions,
    file: &Path,
    name: Option<&str>,
    out: Option<&Path>,
    no_passphrase: bool,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let directory = place(repo, out)?;
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let name = name.map_or(stem, str::to_owned);
    keys::check_name(&name)?;
    keys::check_absent(&directory, &name)?;
    let mut passphrases = Passphrases::new(&repo.unlock());
    let (key, opened_with) = keys::unlock(file, &mut passphrases)?;
    let passphrase = match (no_passphrase, opened_with) {
        (true, _) => None,
        // It stays protected as it was.
        (false, Some(passphrase)) => Some(passphrase),
        (false, None) => Some(passphrases.for_new_keys(&name)?),
    };
    let imported = keys::write(&directory, &name, &key, passphrase.as_deref().map(String::as_str))?;
    report(repo, &[imported], !no_passphrase, terminal);
    Ok(())
}

fn show(repo: &OperatorOptions, files: &[PathBuf], terminal: &Terminal) -> Result<(), Failure> {
    let found = if files.is_empty() {
        keys::in_directory(&place(repo, None)?)?
    } else {
        files.iter().map(|file| keys::open(file)).collect::<Result<_, _>>()?
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

/// Where key files go: the given directory, or that of the repository's keys.
fn place(repo: &OperatorOptions, out: Option<&Path>) -> Result<PathBuf, Failure> {
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

fn report(repo: &OperatorOptions, made: &[KeyFile], encrypted: bool, terminal: &Terminal) {
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
