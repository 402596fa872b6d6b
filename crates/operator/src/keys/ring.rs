//! The keys that a command may sign with: opened when the first signature is needed, each only once.

use std::collections::BTreeMap;
use std::path::Path;

use tuf::{Key, KeyId, SigningKey};

use super::{KeyFile, Passphrases, short, unlock_as};
use installer::error::Failure;

/// Keys, and the names of their files.
pub struct KeyRing {
    files: Vec<KeyFile>,
    opened: BTreeMap<KeyId, SigningKey>,
    passphrases: Passphrases,
}

impl KeyRing {
    /// These keys; of two files with one key the first that has a private half.
    pub fn new(files: Vec<KeyFile>, passphrases: Passphrases) -> Self {
        Self { files, opened: BTreeMap::new(), passphrases }
    }

    /// Adds a key.
    pub fn add_file(&mut self, file: KeyFile) {
        self.files.push(file);
    }

    /// Adds a key that is open already.
    pub fn add(&mut self, file: KeyFile, key: SigningKey) {
        self.opened.insert(file.id.clone(), key);
        self.files.push(file);
    }

    /// Adds a key from the file of its private half. It is opened now if its public half is not beside it.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(&mut self, path: &Path) -> Result<(), Failure> {
        if path.with_extension("pub").is_file() {
            self.files.push(super::open(path)?);
            return Ok(());
        }
        let (key, _) = super::unlock(path, &mut self.passphrases)?;
        let key = key.into_signing_key();
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let (id, public) = (key.key_id().clone(), key.public().clone());
        self.add(KeyFile { name, public, id, private: Some(path.to_owned()) }, key);
        Ok(())
    }

    /// Whether it can sign with this key.
    pub fn has(&self, id: &KeyId) -> bool {
        self.opened.contains_key(id) || self.private(id).is_some()
    }

    /// The keys it can sign with.
    pub fn ids(&self) -> impl Iterator<Item = &KeyId> {
        self.files.iter().map(|file| &file.id).filter(|id| self.has(id))
    }

    /// A private key; `None` if it is not here.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn get(&mut self, id: &KeyId) -> Result<Option<&SigningKey>, Failure> {
        if !self.opened.contains_key(id)
            && let Some(path) = self.private(id).map(Path::to_owned)
        {
            let key = unlock_as(&path, id, &mut self.passphrases)?;
            self.opened.insert(id.clone(), key);
        }
        Ok(self.opened.get(id))
    }

    /// Removes and returns a private key; `None` if it is not here.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn take(&mut self, id: &KeyId) -> Result<Option<SigningKey>, Failure> {
        self.get(id)?;
        Ok(self.opened.remove(id))
    }

    /// A key in messages: its name, if it has one, and the beginning of its key id; else the whole key
    /// id, because an attacker could make a key whose id begins like another one.
    pub fn display_name(&self, id: &KeyId) -> String {
        let name = self.files.iter().find(|file| file.id == *id).map(|file| file.name.as_str());
        printable::line(&match name {
            Some(name) => format!("{name} ({})", short(id)),
            None => id.0.clone(),
        })
    }

    /// The name of a key here, if it has one.
    pub fn name(&self, id: &KeyId) -> Option<&str> {
        self.files.iter().find(|file| file.id == *id).map(|file| file.name.as_str())
    }

    /// The public half of a key with this name.
    pub fn find(&self, name: &str) -> Option<&Key> {
        self.files.iter().find(|file| file.name == name).map(|file| &file.public)
    }

    fn private(&self, id: &KeyId) -> Option<&Path> {
        self.files.iter().filter(|file| file.id == *id).find_map(|file| file.private.as_deref())
    }
}
