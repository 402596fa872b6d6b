//! Stored metadata of a trusted index, verified again from the pinned root, offline.

use std::path::PathBuf;

use tuf::metadata::{Metadata, Root};
use tuf::{Client, Event, Mode, Request, StoredFile, UnixTime};

use installer::error::{Code, Failure};
use installer::options::TrustOptions;
use installer::trust::{MetadataStore, TrustAnchor, signed_at, unix_now};

/// Expired metadata is shown, not used: up to a century.
const SHOW_EXPIRED: u64 = 100 * 366 * 24 * 3600;

/// The verified part of the stored metadata.
pub struct StoredMetadata {
    /// The pinned root.
    pub pinned: Metadata<Root>,
    /// The roots that followed it, each verified by the one before.
    pub later: Vec<Metadata<Root>>,
    /// The client with the other roles; without an epoch when something is missing or does not verify.
    pub client: Client,
    /// Why there is no epoch.
    pub failed: Option<tuf::Error>,
}

impl StoredMetadata {
    /// Reads and verifies.
    ///
    /// # Errors
    /// When the pinned root cannot be used.
    pub fn of(anchor: &TrustAnchor, settings: &TrustOptions) -> Result<Self, Failure> {
        let limits = tuf::Limits { expired_for: SHOW_EXPIRED, ..tuf::Limits::default() };
        let mut client = Client::new(&anchor.root, unix_now(), Mode::Offline, limits)
            .map_err(|error| unusable(anchor, settings, error.expected(), error.found()))?;
        let pinned = Metadata::from_bytes(&anchor.root)
            .map_err(|error| unusable(anchor, settings, "root metadata", &error.to_string()))?;
        let store = MetadataStore::of(anchor, settings.store.as_deref(), PathBuf::new());
        let mut later = Vec::new();
        while let Some(request) = client.poll_request() {
            // Offline, nothing is fetched, stored or deleted.
            let Request::Load { id, file } = request else { continue };
            let bytes = store.load(&file);
            client.loaded(id, bytes.as_deref());
            if let (StoredFile::Root(version), Some(bytes)) = (&file, &bytes)
                && client.root().version == *version
                && let Ok(root) = Metadata::from_bytes(bytes)
            {
                later.push(root);
            }
        }
        let mut failed = None;
        while let Some(event) = client.poll_event() {
            if let Event::Failed(error) = event {
                failed = Some(error);
            }
        }
        Ok(Self { pinned, later, client, failed })
    }

    /// Every verified root, the pinned one first.
    pub fn roots(&self) -> impl Iterator<Item = &Metadata<Root>> {
        std::iter::once(&self.pinned).chain(&self.later)
    }

    /// When the newest timestamp was signed, if its signer says so.
    pub fn signed_at(&self) -> Option<UnixTime> {
        signed_at(self.client.epoch()?.timestamp())
    }
}

fn unusable(anchor: &TrustAnchor, settings: &TrustOptions, expected: &str, found: &str) -> Failure {
    let hint = match &anchor.directory {
        Some(directory) if !anchor.is_users(settings) => {
            format!(
                "get the root from the operator of the index and repair {}, which is only read here",
                directory.display()
            )
        }
        _ => format!(
            "get the root from the operator of the index; run tufpip trust remove {0}, then tufpip trust add {0} --root FILE",
            printable::redacted_url(anchor.identity.url())
        ),
    };
    let message = format!("The trusted root of {} cannot be used", printable::redacted_url(anchor.identity.url()));
    Failure::new(Code::TrustRoot, message)
        .detail("expected", printable::line(expected))
        .detail("received", printable::line(found))
        .hint(hint)
}
