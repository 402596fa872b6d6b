//! Where a published index is read from, and a client that starts with its first root only.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use reqwest::header::{CACHE_CONTROL, HeaderMap, HeaderValue};
use tempfile::TempDir;
use url::Url;

use crate::anchor::IndexAddress;
use crate::config::Config;
use installer::context::Context;
use installer::error::{Code, Failure};
use installer::event::Reporter;
use installer::net::{ResponseLimits, local_path};
use installer::options::{CommonOptions, TrustOptions};
use installer::trust::{IndexIdentity, TrustAnchor, make_private_directory};

/// A published index, and a client for it.
pub struct PublishedIndex {
    /// The client, with an empty store.
    pub context: Context,
    /// The first root.
    pub anchor: TrustAnchor,
    /// Whether the pages for other installers are published here, too.
    pub has_own_pages: bool,
    trust: TrustOptions,
    base: Url,
    /// Store and cache of the client, deleted with this value.
    _directory: TempDir,
}

/// The most bytes of one page or metadata file.
const LIMIT: u64 = 64 << 20;

impl PublishedIndex {
    /// The index below `base`, and a client that trusts its first root.
    ///
    /// # Errors
    /// When there is no first root, or no directory for the client's store.
    pub async fn open(
        base: &Url,
        config: &Config,
        options: &CommonOptions,
        reporter: &Arc<dyn Reporter>,
    ) -> Result<Self, Failure> {
        let temporary = |error: std::io::Error| {
            Failure::new(Code::Disk, format!("Could not make a temporary directory: {error}"))
                .caused_by(error)
                .hint("set TMPDIR to a directory with free space")
        };
        let private = Permissions::from_mode(0o700);
        let directory = tempfile::Builder::new().prefix("tufpip-").permissions(private).tempdir().map_err(temporary)?;
        let options = fresh_client_settings(options, directory.path());
        let context = Context::open(&options, Arc::clone(reporter))?;
        context.client.add_credentials_of(std::slice::from_ref(base));
        let address = IndexAddress::of(&Config { base: base.clone(), ..config.clone() });
        let identity = IndexIdentity::of(&address.index);
        let mut published_index = Self {
            context,
            anchor: TrustAnchor::new(identity, Vec::new(), address.metadata),
            has_own_pages: config.index_url.is_none(),
            trust: options.trust,
            base: base.clone(),
            _directory: directory,
        };
        published_index.anchor.root = published_index.must_read("tuf/1.root.json").await?;
        if let Some(memory) = published_index.memory() {
            make_private_directory(&memory).map_err(temporary)?;
        }
        Ok(published_index)
    }

    /// The directory of the client's metadata store.
    pub fn memory(&self) -> Option<PathBuf> {
        let [memory, _] = self.anchor.metadata_directories(self.trust.store.as_deref()?);
        Some(memory)
    }

    /// A file below the base, as it is now; `None` if there is none.
    ///
    /// # Errors
    /// When the server does not answer, or the file is too large.
    pub async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        let url = self.base.join(path).map_err(|error| {
            Failure::usage(format!("{}: {error}", printable::redacted_url(&self.base))).caused_by(error)
        })?;
        if let Some(local) = local_path(&url) {
            return match std::fs::read(&local) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(crate::operator_directory::disk_failure(&local, error)),
            };
        }
        let headers = HeaderMap::from_iter([(CACHE_CONTROL, HeaderValue::from_static("no-cache"))]);
        match self.context.client.get(&url, &headers, ResponseLimits::signed(LIMIT)).await {
            Ok(fetched) => Ok(Some(fetched.body)),
            Err(failure) if matches!(failure.status(), Some(403 | 404 | 410)) => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }

    /// A file below the base that must be there.
    ///
    /// # Errors
    /// When it is not.
    pub async fn must_read(&self, path: &str) -> Result<Vec<u8>, Failure> {
        self.read(path).await?.ok_or_else(|| {
            let message = format!("There is no {path} below {}", printable::redacted_url(&self.base));
            Failure::new(Code::RepoMissing, message)
                .hint("if the index was never published, run tufpip repo publish; otherwise put the file back")
        })
    }
}

/// The user's network options, without the user's trust store and cache.
fn fresh_client_settings(options: &CommonOptions, directory: &Path) -> CommonOptions {
    let mut options = options.clone();
    options.trust = TrustOptions { store: Some(directory.join("trust")), ..TrustOptions::default() };
    options.network.cache_dir = Some(directory.join("cache"));
    options
}
