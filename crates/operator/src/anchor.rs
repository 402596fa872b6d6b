//! What the users of an index receive: its newest root, the hash of it, and the command to trust it.

use std::path::Path;

use sha2::{Digest as _, Sha256};
use url::Url;

use super::config::Config;
use super::operator_directory::disk_failure;
use super::published_state::ROOT_FILE;
use installer::error::{Code, Failure};
use installer::trust::default_metadata_url;

/// A root for the users of an index.
#[derive(Clone, Debug)]
pub struct NewestRoot {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its version.
    pub version: u64,
    /// SHA-256 of the file in hex.
    pub sha256: String,
}

/// Where users find an index, and where its metadata is.
#[derive(Clone, Debug)]
pub struct IndexAddress {
    /// The index URL for pip.
    pub index: Url,
    /// Ends in a slash.
    pub metadata: Url,
}

impl NewestRoot {
    /// Reads the root of an operator's directory.
    ///
    /// # Errors
    /// When there is none, or its own keys have not signed it.
    pub fn read(directory: &Path) -> Result<Self, Failure> {
        let path = directory.join(ROOT_FILE);
        let bytes = std::fs::read(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => no_root(directory),
            _ => disk_failure(&path, error),
        })?;
        let root = repository::published::trusted_root(&bytes).map_err(|error| {
            let message = format!("{} is damaged: {}", path.display(), printable::line(&error.to_string()));
            Failure::new(Code::RepoDamaged, message)
                .hint("put back the newest root that is published, and compare its sha256 with what users were given")
        })?;
        Ok(Self { version: root.version, sha256: hex::encode(Sha256::digest(&bytes)), bytes })
    }
}

impl IndexAddress {
    /// The addresses according to `repo.toml`.
    pub fn of(config: &Config) -> Self {
        let metadata = config.base.join(repository::layout::METADATA);
        Self { index: config.index_url(), metadata: metadata.unwrap_or_else(|_| config.base.clone()) }
    }

    /// The metadata URL, if it is not the default that clients derive from the index URL.
    pub fn unusual_metadata(&self) -> Option<&Url> {
        (default_metadata_url(&self.index) != self.metadata).then_some(&self.metadata)
    }

    /// The command that users run once. `file` is the path or URL of the root.
    pub fn trust_command(&self, file: &str, sha256: &str) -> String {
        let metadata = self.unusual_metadata();
        let metadata = metadata
            .map(|url| format!(" --metadata-url {}", shell_quoted(&printable::redacted_url(url))))
            .unwrap_or_default();
        let index = shell_quoted(&printable::redacted_url(&self.index));
        format!("tufpip trust add {index} --root {} --root-sha256 {sha256}{metadata}", shell_quoted(file))
    }
}

/// A text as one argument for a shell.
pub fn shell_quoted(text: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "/._-:@%+=,~".contains(character);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn no_root(directory: &Path) -> Failure {
    let message = format!("There is no {ROOT_FILE} in {}: the index was never signed", directory.display());
    Failure::new(Code::RepoNoRoot, message)
        .hint("finish `tufpip repo init`: the people with root keys sign, then `tufpip repo root finalize`")
}
