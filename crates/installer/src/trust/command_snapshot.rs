//! The one snapshot of a signed index that a command sees, and how it moves to a newer one when the old one is removed.
//!
//! PEP 458 lets a repository remove old files while clients read; TUF leaves this open. What was returned to the rest
//! of the program must be true in the newer snapshot too, or everything is looked up again.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex as SyncMutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Mutex;
use tuf::{AbsenceDoubt, ChainLink, Check, Hashes, LookUp, Mode, Target};
use url::Url;

use super::anchor::TrustAnchor;
use super::epoch::{EpochError, EpochHandle, EpochInfo};
use super::metadata_fetcher::MetadataFetcher;
use super::metadata_store::MetadataStore;
use super::refusal;
use crate::error::{Code, Failure};
use crate::event::Reporter;
use crate::net::HttpClient;

/// The most snapshots that one command tries when a repository keeps removing old files.
const MOST_EPOCHS: u32 = 3;
/// How long to wait for a repository that lacks a file it has signed.
const PATIENCE: Duration = Duration::from_secs(2);
/// What one command sees of an index.
pub struct CommandSnapshot {
    anchor: TrustAnchor,
    settings: EpochOptions,
    epoch: Mutex<CurrentEpoch>,
    /// Results of look-ups so far, by target path: a later snapshot must not contradict them.
    reported: SyncMutex<BTreeMap<String, Option<Hashes>>>,
}

/// What each epoch of the index begins with.
pub struct EpochOptions {
    /// The network.
    pub client: Arc<HttpClient>,
    /// For warnings.
    pub reporter: Arc<dyn Reporter>,
    /// The user's own store; the metadata of the index is stored in it or beside it.
    pub store: Option<std::path::PathBuf>,
    /// The cache.
    pub cache: std::path::PathBuf,
    /// Whether requests are sent.
    pub mode: Mode,
    /// How long ago metadata may have expired.
    pub allow_expired: Duration,
}

#[derive(Clone)]
struct CurrentEpoch {
    number: u32,
    epoch: Arc<EpochHandle>,
}

/// The result of looking up a target path in one snapshot.
pub struct LookUpResult {
    /// `None` when the snapshot proves that the target does not exist.
    pub target: Option<Target>,
    /// What the snapshot is.
    pub epoch_info: Arc<EpochInfo>,
    /// The number of its epoch, for [`CommandSnapshot::renew`].
    pub epoch: u32,
}

impl CommandSnapshot {
    /// Begins to update the metadata; does not wait for it.
    ///
    /// # Errors
    /// When the anchor cannot be used.
    pub fn open(anchor: TrustAnchor, settings: EpochOptions) -> Result<Self, Failure> {
        let epoch = Arc::new(start(&anchor, &settings)?);
        let epoch = Mutex::new(CurrentEpoch { number: 1, epoch });
        Ok(Self { anchor, settings, epoch, reported: SyncMutex::default() })
    }

    /// The trust anchor.
    pub fn anchor(&self) -> &TrustAnchor {
        &self.anchor
    }

    /// The index's URL, for messages.
    pub fn display_url(&self) -> String {
        printable::redacted_url(self.anchor.identity.url())
    }

    /// The snapshot, verified.
    ///
    /// # Errors
    /// When the metadata is refused.
    pub async fn epoch_info(&self) -> Result<Arc<EpochInfo>, Failure> {
        Ok(self.current().await?.1)
    }

    /// The snapshot for the report of the command; `None` if nothing of the index was needed.
    pub async fn to_json(&self) -> Option<Value> {
        if self.reported.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
            return None;
        }
        let epoch = Arc::clone(&self.epoch.lock().await.epoch);
        let epoch_info = epoch.known_epoch_info()?;
        let expired = epoch.expired();
        let expired: Vec<Value> =
            expired.iter().map(|(role, since)| json!({"role": role.as_str(), "since": since.to_string()})).collect();
        Some(json!({
            "repository": self.display_url(),
            "versions": epoch_info.versions(),
            "signed_at": epoch_info.signed_at.map(|time| time.to_string()),
            "expires": epoch_info.expires.to_string(),
            "used_although_expired": expired,
        }))
    }

    /// The roles and keys that a target rests on; `None` when the index has gone on to another snapshot meanwhile.
    ///
    /// # Errors
    /// When the verifier has stopped.
    pub async fn chain(&self, target: &Target) -> Result<Option<Vec<ChainLink>>, Failure> {
        let epoch = Arc::clone(&self.epoch.lock().await.epoch);
        epoch.chain(target).await.map_err(|error| self.failed(&error, &epoch))
    }

    /// Looks a target up in the snapshot of the command.
    ///
    /// # Errors
    /// When metadata is refused, or does not prove that there is no such target.
    pub async fn look_up(&self, path: &str) -> Result<LookUpResult, Failure> {
        loop {
            let (current, epoch_info) = self.current().await?;
            let target = match current.epoch.look_up(path).await {
                Ok(LookUp::Found(target)) => Some(target),
                Ok(LookUp::NotFound { doubt: None, .. }) => None,
                Ok(LookUp::NotFound { doubt: Some(doubt), .. }) => return Err(self.in_doubt(path, &doubt)),
                Err(EpochError::Metadata(error)) if is_gone(&error) => {
                    self.renew(current.number, &printable::line(error.expected())).await?;
                    continue;
                }
                Err(error) => return Err(self.failed(&error, &current.epoch)),
            };
            // A renewal holds this lock while it compares the results so far with the new snapshot: none may be added
            // meanwhile.
            let latest = self.epoch.lock().await;
            if latest.number != current.number {
                continue;
            }
            let hashes = target.as_ref().map(|target| target.hashes.clone());
            self.reported.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), hashes);
            return Ok(LookUpResult { target, epoch_info, epoch: current.number });
        }
    }

    /// The epoch, verified.
    async fn current(&self) -> Result<(CurrentEpoch, Arc<EpochInfo>), Failure> {
        loop {
            let current = self.epoch.lock().await.clone();
            match current.epoch.epoch_info().await {
                Ok(epoch_info) => return Ok((current, epoch_info)),
                Err(EpochError::Metadata(error)) if is_gone(&error) => {
                    self.renew(current.number, &printable::line(error.expected())).await?;
                }
                Err(error) => return Err(self.failed(&error, &current.epoch)),
            }
        }
    }

    /// A signed file is missing: continue with a newer snapshot if there is one that agrees with all results so far.
    ///
    /// # Errors
    /// When there is none in time, or it contradicts them ([`Code::TrustSnapshotMoved`]).
    pub async fn renew(&self, number: u32, missing: &str) -> Result<(), Failure> {
        let mut current = self.epoch.lock().await;
        if current.number != number {
            return Ok(());
        }
        let before = current.epoch.known_epoch_info();
        for attempt in 0..2 {
            if number >= MOST_EPOCHS {
                break;
            }
            if attempt > 0 {
                tokio::time::sleep(PATIENCE).await;
            }
            let epoch = Arc::new(start(&self.anchor, &self.settings)?);
            let epoch_info = match epoch.epoch_info().await {
                Ok(epoch_info) => epoch_info,
                Err(EpochError::Metadata(error)) if is_gone(&error) => continue,
                Err(error) => return Err(self.failed(&error, &epoch)),
            };
            if before.as_ref().is_some_and(|before| epoch_info.timestamp <= before.timestamp) {
                continue;
            }
            self.settings.reporter.detail(1, || {
                format!("{}: {missing} is gone; going on with snapshot {}", self.display_url(), epoch_info.snapshot)
            });
            let names_changed = self.anchor.layout.is_none()
                && before.as_ref().is_some_and(|before| epoch_info.in_band_layout != before.in_band_layout);
            let moved = match self.contradicts(&epoch, names_changed).await {
                Ok(moved) => moved,
                Err(EpochError::Metadata(error)) if is_gone(&error) => continue,
                Err(error) => return Err(self.failed(&error, &epoch)),
            };
            *current = CurrentEpoch { number: number + 1, epoch };
            return if moved { Err(self.moved()) } else { Ok(()) };
        }
        Err(self.incomplete(missing, current.epoch.status_of_absent(missing)))
    }

    /// Whether another epoch contradicts what was told, or asks for it by other names; if so, that is forgotten.
    async fn contradicts(&self, epoch: &EpochHandle, names_changed: bool) -> Result<bool, EpochError> {
        if names_changed {
            self.reported.lock().unwrap_or_else(PoisonError::into_inner).clear();
            return Ok(true);
        }
        let reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (path, before) in reported {
            let now = match epoch.look_up(&path).await? {
                LookUp::Found(target) => Some(target.hashes),
                LookUp::NotFound { .. } => None,
            };
            if now != before {
                self.reported.lock().unwrap_or_else(PoisonError::into_inner).clear();
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn failed(&self, error: &EpochError, epoch: &EpochHandle) -> Failure {
        match error {
            EpochError::Metadata(error) => self.refused(error, epoch),
            EpochError::Stopped => {
                let message = format!("Verifying the signed metadata of {} has stopped", self.display_url());
                Failure::new(Code::Internal, message).detail("cause", error.to_string())
            }
        }
    }

    fn refused(&self, error: &tuf::Error, epoch: &EpochHandle) -> Failure {
        let from = epoch.source().unwrap_or(&self.anchor.metadata_url);
        let mut failure = refusal::of_metadata(&self.anchor, from, error, epoch.now());
        if error.check() == Check::Present
            && let Some(status) = epoch.status_of_absent(error.expected())
        {
            failure = refusal::with_status(failure, status);
        }
        failure
    }

    fn in_doubt(&self, path: &str, doubt: &AbsenceDoubt) -> Failure {
        let why = match doubt {
            AbsenceDoubt::Bin(role) => format!("the file of {} may be another bin's", printable::line(role.as_str())),
            _ => "more roles may speak of it than are asked".to_owned(),
        };
        Failure::new(
            Code::VerifyAbsenceInDoubt,
            format!("{} does not prove that it has no {}", self.display_url(), printable::line(path)),
        )
        .detail("received", why)
        .detail("meaning", "somebody on the network may be hiding it; nothing was taken from elsewhere instead")
        .hint("try from another network; the operator of the index can end this by signing the hashes of bins in the snapshot")
    }

    fn incomplete(&self, missing: &str, status: Option<u16>) -> Failure {
        let message = format!("{} lacks a file that it has signed", self.display_url());
        let failure = Failure::new(Code::TrustWithheld, message)
            .detail("missing", missing)
            .detail("received", "no such file")
            .detail(
                "meaning",
                "somebody removes or withholds files, or the index is being published; nothing was installed",
            )
            .hint("try again in a moment or from another network; if it stays so, tell the operator of the index");
        match status {
            Some(status) => refusal::with_status(failure, status),
            None => failure,
        }
    }

    fn moved(&self) -> Failure {
        Failure::new(Code::TrustSnapshotMoved, format!("{} was changed while it was read", self.display_url()))
            .detail("meaning", "what was chosen is no longer what the index signs; nothing was installed")
            .hint("run the command again")
    }
}

fn start(anchor: &TrustAnchor, settings: &EpochOptions) -> Result<EpochHandle, Failure> {
    let name = anchor.identity.directory_name();
    let roles = settings.cache.join("tuf").join(&name).join("roles");
    let store = MetadataStore::of(anchor, settings.store.as_deref(), roles);
    let places = mirror_urls(anchor).into_iter().map(|(_, metadata)| metadata).collect();
    let fetcher = Arc::new(MetadataFetcher::new(Arc::clone(&settings.client), places));
    let limits = tuf::Limits { expired_for: settings.allow_expired.as_secs(), ..tuf::Limits::default() };
    let name = printable::redacted_url(anchor.identity.url());
    EpochHandle::start(name, &anchor.root, settings.mode, limits, store, fetcher, Arc::clone(&settings.reporter))
        .map_err(|error| refusal::of_metadata(anchor, &anchor.metadata_url, &error, super::epoch::unix_now()))
}

/// Index and metadata URL of the index and of its mirrors, which have the metadata where the index has it, seen from
/// the pages.
pub fn mirror_urls(anchor: &TrustAnchor) -> Vec<(Url, Url)> {
    let relative = anchor.identity.url().make_relative(&anchor.metadata_url);
    let of_mirrors = anchor.mirrors.iter().filter_map(|mirror| {
        let metadata = mirror.join(relative.as_deref()?).ok()?;
        Some((mirror.clone(), metadata))
    });
    std::iter::once((anchor.identity.url().clone(), anchor.metadata_url.clone())).chain(of_mirrors).collect()
}

/// Whether the repository lacks a file that belongs to a snapshot it has signed.
fn is_gone(error: &tuf::Error) -> bool {
    error.check() == Check::Present && error.role().as_str() != "timestamp"
}
