//! The keys of a repository as files: `NAME.pem` with the encrypted private half, and `NAME.pub` with the public half
//! as it is in metadata, so that a key can be identified without opening it.

mod passphrase;
mod private_key;
mod ring;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use tuf::metadata::{Root, TopLevelRole};
use tuf::{Key, KeyId, SigningKey};

use super::operator_directory::{OperatorDirectory, disk_failure};
use installer::error::{Code, Failure};
use installer::event::Reporter;

pub use passphrase::{Passphrases, UnlockOptions};
pub use private_key::{PrivateKey, PrivateKeyError};
pub use ring::KeyRing;

/// A key file is a few hundred bytes.
const LARGEST_FILE: u64 = 64 << 10;

/// How many times a passphrase may be typed.
const ATTEMPTS: usize = 3;

/// A key of which at least the public half is on this machine.
#[derive(Clone, Debug)]
pub struct KeyFile {
    /// The name of the files, without extension.
    pub name: String,
    /// The public half.
    pub public: Key,
    /// Its key id.
    pub id: KeyId,
    /// The file of the private half, if it is here.
    pub private: Option<PathBuf>,
}

/// The keys in a directory, by name. None when there is no such directory.
///
/// # Errors
/// When a public half cannot be read.
pub fn in_directory(directory: &Path) -> Result<Vec<KeyFile>, Failure> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(disk_failure(directory, error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| disk_failure(directory, error))?.path();
        if path.extension().is_some_and(|extension| extension == "pub") {
            found.push(open(&path)?);
        }
    }
    found.sort_by(|key, other| key.name.cmp(&other.name));
    Ok(found)
}

/// The key of a file: the public half, or the private one if the public one is beside it or it is not encrypted.
///
/// # Errors
/// When it cannot be read, or only its passphrase would reveal which key it is.
pub fn open(path: &Path) -> Result<KeyFile, Failure> {
    let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (public_path, private_path) = (path.with_extension("pub"), path.with_extension("pem"));
    let text = read_text(path)?;
    if !is_pem(&text) {
        let public = parse_public(path, &text)?;
        let private = private_path.is_file().then_some(private_path);
        return Ok(KeyFile { name, id: public.identifier(), public, private });
    }
    let public = if public_path.is_file() {
        parse_public(&public_path, &read_text(&public_path)?)?
    } else if PrivateKey::is_locked(&text) {
        let message = format!("{} is encrypted and has no {} beside it", path.display(), public_path.display());
        return Err(Failure::new(Code::RepoKeyFile, message).hint("`tufpip repo key import FILE` writes both halves"));
    } else {
        let key = PrivateKey::from_pem(&text, None).map_err(|error| unusable(path, error))?;
        key.signing_key().public().clone()
    };
    Ok(KeyFile { name, id: public.identifier(), public, private: Some(path.to_owned()) })
}

/// Makes a new key.
///
/// # Errors
/// When the operating system has no randomness.
pub fn generate() -> Result<PrivateKey, Failure> {
    PrivateKey::generate()
        .map_err(|error| Failure::new(Code::RepoRandomness, format!("No key was made: {error}")).caused_by(error))
}

/// Opens a private key; returns it with the passphrase that it needed, if any.
///
/// # Errors
/// When it cannot be read, or the passphrase is wrong or not available.
pub fn unlock(
    path: &Path,
    passphrases: &mut Passphrases,
) -> Result<(PrivateKey, Option<zeroize::Zeroizing<String>>), Failure> {
    let text = read_text(path)?;
    if !PrivateKey::is_locked(&text) {
        return PrivateKey::from_pem(&text, None).map(|key| (key, None)).map_err(|error| unusable(path, error));
    }
    if let Some(given) = passphrases.given()? {
        return match PrivateKey::from_pem(&text, Some(&given.passphrase)) {
            Ok(key) => Ok((key, Some(given.passphrase))),
            Err(PrivateKeyError::WrongPassphrase) => {
                let message = format!("The passphrase from {} does not open {}", given.source, path.display());
                Err(Failure::new(Code::RepoPassphrase, message))
            }
            Err(error) => Err(unusable(path, error)),
        };
    }
    let mut typed = passphrases.typed().into_iter();
    let mut asked = false;
    for _ in 0..typed.len() + ATTEMPTS {
        let passphrase = match typed.next() {
            Some(passphrase) => passphrase,
            None => {
                passphrases.ask(&printable::line(&path.display().to_string()), std::mem::replace(&mut asked, true))?
            }
        };
        match PrivateKey::from_pem(&text, Some(&passphrase)) {
            Ok(key) => return Ok((key, Some(passphrase))),
            Err(PrivateKeyError::WrongPassphrase) => {}
            Err(error) => return Err(unusable(path, error)),
        }
    }
    let message = format!("None of the passphrases opens {}", path.display());
    Err(Failure::new(Code::RepoPassphrase, message))
}

/// The private online keys on this machine: those that a root lists for timestamp and snapshot.
///
/// # Errors
/// When there are fewer than the threshold, or one cannot be opened.
pub fn online_keys(
    operator_directory: &OperatorDirectory,
    root: &Root,
    unlock: &UnlockOptions,
    reporter: &dyn Reporter,
) -> Result<Vec<SigningKey>, Failure> {
    let mut ring = KeyRing::new(in_directory(&operator_directory.keys())?, Passphrases::new(unlock));
    online_keys_in(operator_directory, root, &mut ring, reporter)
}

/// As [`online_keys`], with keys that may be open already. They leave the ring.
///
/// # Errors
/// As [`online_keys`].
pub fn online_keys_in(
    operator_directory: &OperatorDirectory,
    root: &Root,
    ring: &mut KeyRing,
    reporter: &dyn Reporter,
) -> Result<Vec<SigningKey>, Failure> {
    let roles = [TopLevelRole::Timestamp, TopLevelRole::Snapshot].map(|role| root.role(role));
    let ids: BTreeSet<&KeyId> = roles.iter().flat_map(|role| &role.key_ids).collect();
    let mut keys = Vec::new();
    for id in ids {
        reporter.detail(1, || format!("Signing with the key {}", ring.display_name(id)));
        keys.extend(ring.take(id)?);
    }
    for role in roles {
        let found = keys.iter().filter(|key| role.key_ids.contains(key.key_id())).count();
        if (found as u64) < role.threshold {
            let wanted: Vec<String> = role.key_ids.iter().map(|id| ring.display_name(id)).collect();
            let message = format!(
                "What is published is signed by {} of these keys, and the private halves of {found} are in {}: {}",
                role.threshold,
                operator_directory.keys().display(),
                wanted.join(", ")
            );
            return Err(Failure::new(Code::RepoNoOnlineKey, message)
                .hint("put NAME.pem and NAME.pub of the online key there")
                .hint("if it is lost, `tufpip repo rotate-online` replaces it"));
        }
    }
    Ok(keys)
}

/// The private online keys that a new root removes. If they sign once more, clients that do not know the new root yet
/// go on without a gap; this is optional, since the keys may be lost.
pub fn replaced_online(before: &Root, after: &Root, ring: &mut KeyRing, reporter: &dyn Reporter) -> Vec<SigningKey> {
    let ids = |root: &Root| -> BTreeSet<KeyId> {
        let roles = [TopLevelRole::Timestamp, TopLevelRole::Snapshot].map(|role| root.role(role));
        roles.iter().flat_map(|role| role.key_ids.iter().cloned()).collect()
    };
    let mut keys = Vec::new();
    for id in ids(before).difference(&ids(after)) {
        match ring.take(id) {
            Ok(key) => keys.extend(key),
            Err(failure) => {
                reporter.detail(1, || format!("{} cannot be used: {}", ring.display_name(id), failure.message))
            }
        }
    }
    keys
}

/// Opens a private key, which must match its public half.
///
/// # Errors
/// As [`unlock`], and when it is another key.
pub fn unlock_as(path: &Path, id: &KeyId, passphrases: &mut Passphrases) -> Result<SigningKey, Failure> {
    let key = unlock(path, passphrases)?.0.into_signing_key();
    if key.key_id() != id {
        let message = format!("{} and the .pub file beside it are of different keys", path.display());
        return Err(Failure::new(Code::RepoKeyFile, message)
            .hint("delete the .pub file; `tufpip repo key import` writes a new one"));
    }
    Ok(key)
}

/// Writes both halves of a new key; existing files are never touched.
///
/// # Errors
/// When one of the files is there already, or the disk refuses.
pub fn write(directory: &Path, name: &str, key: &PrivateKey, passphrase: Option<&str>) -> Result<KeyFile, Failure> {
    check_name(name)?;
    let (private_path, public_path) = paths(directory, name);
    check_absent(directory, name)?;
    let pem = key.to_pem(passphrase).map_err(|error| unusable(&private_path, error))?;
    let public = key.signing_key().public().clone();
    create_private_directory(directory)?;
    create(&private_path, pem.as_bytes(), 0o600)?;
    create(&public_path, &public_json(&public), 0o644)?;
    Ok(KeyFile { name: name.to_owned(), id: public.identifier(), public, private: Some(private_path) })
}

/// Makes a directory for private keys, which nobody else may look into.
fn create_private_directory(directory: &Path) -> Result<(), Failure> {
    if let Some(parent) = directory.parent() {
        fs::create_dir_all(parent).map_err(|error| disk_failure(parent, error))?;
    }
    let created = fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
    created.map_err(|error| disk_failure(directory, error))
}

/// Copies the public half of a key from elsewhere to this directory, and with `private` also its private half. A key
/// that is here already stays as it is.
///
/// # Errors
/// When another key has the name, or a file cannot be read or written.
pub fn adopt(directory: &Path, key: &KeyFile, private: bool) -> Result<(), Failure> {
    let here = in_directory(directory)?.into_iter().find(|here| here.id == key.id);
    let name = here.as_ref().map_or(key.name.as_str(), |here| here.name.as_str());
    check_name(name)?;
    if here.is_none() {
        check_absent(directory, name)?;
    }
    let (private_path, public_path) = paths(directory, name);
    create_private_directory(directory)?;
    if private
        && here.as_ref().is_none_or(|here| here.private.is_none())
        && let Some(path) = &key.private
    {
        let pem = read_text(path)?;
        create(&private_path, pem.as_bytes(), 0o600)?;
    }
    match here {
        Some(_) => Ok(()),
        None => create(&public_path, &public_json(&key.public), 0o644),
    }
}

/// Refuses a name whose files are there already.
///
/// # Errors
/// When they are.
pub fn check_absent(directory: &Path, name: &str) -> Result<(), Failure> {
    let (private, public) = paths(directory, name);
    match [private, public].iter().find(|path| fs::symlink_metadata(path).is_ok()) {
        Some(path) => {
            let message = format!("{} is there already; keys are never overwritten", path.display());
            Err(Failure::new(Code::RepoKeyExists, message))
        }
        None => Ok(()),
    }
}

/// Refuses invalid names of keys; valid characters are letters, digits, `-` and `_`.
///
/// # Errors
/// When it is none.
pub fn check_name(name: &str) -> Result<(), Failure> {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !name.is_empty() && name.len() <= 64 && !name.starts_with('-') && name.bytes().all(fine) {
        return Ok(());
    }
    Err(Failure::usage(format!("'{name}' is no name for a key: expected letters, digits, - and _, at most 64")))
}

/// The beginning of a key id: enough to distinguish keys.
pub fn short(id: &KeyId) -> &str {
    id.0.get(..12).unwrap_or(&id.0)
}

fn public_json(key: &Key) -> Vec<u8> {
    let mut json = key.to_value().to_json();
    json.push(b'\n');
    json
}

fn paths(directory: &Path, name: &str) -> (PathBuf, PathBuf) {
    (directory.join(format!("{name}.pem")), directory.join(format!("{name}.pub")))
}

/// Creates a new file, with its permissions from the first moment on.
fn create(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Failure> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    let mut file = options.open(path).map_err(|error| disk_failure(path, error))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|error| disk_failure(path, error))
}

fn read_text(path: &Path) -> Result<zeroize::Zeroizing<String>, Failure> {
    let file = File::open(path).map_err(|error| disk_failure(path, error))?;
    let mut text = zeroize::Zeroizing::new(String::new());
    file.take(LARGEST_FILE).read_to_string(&mut text).map_err(|error| disk_failure(path, error))?;
    Ok(text)
}

fn is_pem(text: &str) -> bool {
    text.contains("-----BEGIN ")
}

fn parse_public(path: &Path, text: &str) -> Result<Key, Failure> {
    let problem = |problem: String| {
        let message = format!("{} is no public key: {problem}", path.display());
        Failure::new(Code::RepoKeyFile, message)
            .hint("expected the .pub file that `tufpip repo key gen` or `import` has written")
    };
    let value = tuf::json::parse(text.as_bytes()).map_err(|error| problem(error.to_string()))?;
    Key::from_value(&value).map_err(|error| problem(error.to_string()))
}

fn unusable(path: &Path, error: PrivateKeyError) -> Failure {
    let failure = Failure::new(Code::RepoKeyFile, format!("{} cannot be used: {error}", path.display()));
    let failure = match error {
        PrivateKeyError::Unsupported(_) | PrivateKeyError::Damaged(_) => {
            failure.hint("`tufpip repo key gen` makes keys; PEM files of openssl can be imported")
        }
        _ => failure,
    };
    failure.caused_by(error)
}
