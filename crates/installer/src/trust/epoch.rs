//! One epoch of one repository: one time, one root, one snapshot, and look-ups in it from any number of tasks.
//!
//! Drives `tuf::Client` as `tuf::manual::driving` says: a task of its own owns the client and the store; fetches run
//! in parallel to it. It makes no trust decision itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tuf::metadata::{RoleName, Timestamp};
use tuf::{
    ChainLink, Client, Event, Fetched, LookUp, LookUpId, Mode, Request, RequestId, StoredFile, Target, UnixTime,
};
use url::Url;

use super::layout::{Layout, LayoutError};
use super::metadata_fetcher::{FetchOutcome, MetadataFetcher};
use super::metadata_store::MetadataStore;
use crate::event::{Reporter, WarningCode};
use crate::text::duration;

/// A running epoch. Ends with its last user; whoever waits for one that has ended otherwise gets [`EpochError::Stopped`].
pub struct EpochHandle {
    now: UnixTime,
    fetcher: Arc<MetadataFetcher>,
    requests: mpsc::UnboundedSender<EpochRequest>,
    state: watch::Receiver<Option<Result<Arc<EpochInfo>, tuf::Error>>>,
    expired: Arc<Mutex<Vec<(RoleName, UnixTime)>>>,
}

/// Why an epoch gives no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum EpochError {
    /// The client refuses the metadata, or lacks it.
    #[error(transparent)]
    Metadata(#[from] tuf::Error),
    /// The task that drives the client has ended: it panicked, or its runtime is shut down.
    #[error("the task that verifies its metadata has ended")]
    Stopped,
}

/// How far the clock may be off before that is said.
const CLOCK_TOLERANCE: i64 = 3600;

/// Versions, dates and layout of a verified epoch.
#[derive(Clone, Debug)]
pub struct EpochInfo {
    /// Version of the root.
    pub root: u64,
    /// Version of the timestamp.
    pub timestamp: u64,
    /// Version of the snapshot.
    pub snapshot: u64,
    /// Version of the top-level targets.
    pub targets: u64,
    /// When the timestamp was signed, if its signer says so (`x-signed-at`; TUF has no such field).
    pub signed_at: Option<UnixTime>,
    /// When the timestamp or the snapshot expires, whichever comes first.
    pub expires: UnixTime,
    /// The time by which expiry was checked.
    pub now: UnixTime,
    /// How target paths are made, as the repository says.
    pub in_band_layout: Result<Option<Arc<Layout>>, LayoutError>,
}

impl EpochInfo {
    /// Which versions of the top-level roles these are, for reports.
    pub fn versions(&self) -> serde_json::Value {
        serde_json::json!({
            "root": self.root,
            "timestamp": self.timestamp,
            "snapshot": self.snapshot,
            "targets": self.targets,
        })
    }

    /// How fresh the metadata is, for messages: when it was signed if that is known, else how long it is still valid.
    pub fn age(&self) -> String {
        match self.signed_at {
            Some(signed_at) => format!("signed {} ago", duration(self.now.0.saturating_sub(signed_at.0))),
            None if self.expires <= self.now => {
                format!("expired {} ago", duration(self.now.0.saturating_sub(self.expires.0)))
            }
            None => format!("valid for {}", duration(self.expires.0.saturating_sub(self.now.0))),
        }
    }
}

/// When a timestamp was signed, if its signer says so.
pub fn signed_at(timestamp: &Timestamp) -> Option<UnixTime> {
    UnixTime::parse(timestamp.other.get("x-signed-at")?.as_str()?)
}

enum EpochRequest {
    LookUp { path: String, answer: oneshot::Sender<Result<LookUp, tuf::Error>> },
    Chain { target: Box<Target>, answer: oneshot::Sender<Option<Vec<ChainLink>>> },
}

impl EpochHandle {
    /// Begins to update from a trusted root. `name` is what messages call the index.
    ///
    /// # Errors
    /// When the root cannot be used.
    pub fn start(
        name: String,
        root: &[u8],
        mode: Mode,
        limits: tuf::Limits,
        store: MetadataStore,
        fetcher: Arc<MetadataFetcher>,
        reporter: Arc<dyn Reporter>,
    ) -> Result<Self, tuf::Error> {
        let now = unix_now();
        let client = Client::new(root, now, mode, limits)?;
        let (requests, received) = mpsc::unbounded_channel();
        let (announce, state) = watch::channel(None);
        let (fetches, answers) = (JoinSet::new(), HashMap::new());
        let expired = Arc::default();
        let driver = Driver {
            name,
            client,
            store,
            fetcher: Arc::clone(&fetcher),
            reporter,
            announce,
            fetches,
            answers,
            expired: Arc::clone(&expired),
            warned: false,
        };
        tokio::spawn(driver.run(received));
        Ok(Self { now, fetcher, requests, state, expired })
    }

    /// The time by which expiry is checked.
    pub fn now(&self) -> UnixTime {
        self.now
    }

    /// Where its metadata comes from.
    pub fn source(&self) -> Option<&Url> {
        self.fetcher.base_url()
    }

    /// The HTTP status with which a server last reported a file of this name as missing.
    pub fn status_of_absent(&self, name: &str) -> Option<u16> {
        self.fetcher.status_of_absent(name)
    }

    /// Waits until the top-level metadata is verified.
    ///
    /// # Errors
    /// When it is refused, or the driver ends before.
    pub async fn epoch_info(&self) -> Result<Arc<EpochInfo>, EpochError> {
        let mut state = self.state.clone();
        // A value that was announced stays there when the driver ends.
        let announced = state.wait_for(Option::is_some).await.map_err(|_| EpochError::Stopped)?;
        match &*announced {
            Some(result) => Ok(result.clone()?),
            None => Err(EpochError::Stopped),
        }
    }

    /// What is known already.
    pub fn known_epoch_info(&self) -> Option<Arc<EpochInfo>> {
        self.state.borrow().as_ref().and_then(|result| result.as_ref().ok().cloned())
    }

    /// Roles whose expired metadata is used because the user allows it, with the time of expiry.
    pub fn expired(&self) -> Vec<(RoleName, UnixTime)> {
        self.expired.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks a target up, after the top-level metadata is verified.
    ///
    /// # Errors
    /// When metadata is refused, or the driver ends before.
    pub async fn look_up(&self, path: &str) -> Result<LookUp, EpochError> {
        Ok(self.ask(|answer| EpochRequest::LookUp { path: path.to_owned(), answer }).await??)
    }

    /// The roles and keys that a target of this epoch rests on; `None` for a target of another epoch.
    ///
    /// # Errors
    /// When the driver has ended.
    pub async fn chain(&self, target: &Target) -> Result<Option<Vec<ChainLink>>, EpochError> {
        self.ask(|answer| EpochRequest::Chain { target: Box::new(target.clone()), answer }).await
    }

    /// Waits for the driver's answer. When the driver ends, so do both channels.
    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> EpochRequest) -> Result<T, EpochError> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(request(answer)).map_err(|_| EpochError::Stopped)?;
        answered.await.map_err(|_| EpochError::Stopped)
    }
}

/// The owner of the client.
struct Driver {
    name: String,
    client: Client,
    store: MetadataStore,
    fetcher: Arc<MetadataFetcher>,
    reporter: Arc<dyn Reporter>,
    announce: watch::Sender<Option<Result<Arc<EpochInfo>, tuf::Error>>>,
    fetches: JoinSet<(RequestId, FetchOutcome)>,
    answers: HashMap<LookUpId, oneshot::Sender<Result<LookUp, tuf::Error>>>,
    expired: Arc<Mutex<Vec<(RoleName, UnixTime)>>>,
    warned: bool,
}

impl Driver {
    async fn run(mut self, mut requests: mpsc::UnboundedReceiver<EpochRequest>) {
        self.warn_of_clock(self.store.timestamp_stored_at());
        loop {
            self.carry_out_requests();
            self.pass_on_events();
            tokio::select! {
                Some(fetched) = self.fetches.join_next() => {
                    // The client waits for every fetch: after one that panicked it would never answer.
                    let Ok((id, answer)) = fetched else { return };
                    self.client.fetched(id, answer.as_fetched());
                }
                ask = requests.recv() => match ask {
                    Some(EpochRequest::LookUp { path, answer }) => {
                        let id = self.client.look_up(path);
                        self.answers.insert(id, answer);
                    }
                    Some(EpochRequest::Chain { target, answer }) => drop(answer.send(self.client.chain(&target))),
                    None => return,
                }
            }
        }
    }

    fn carry_out_requests(&mut self) {
        while let Some(request) = self.client.poll_request() {
            match request {
                Request::Load { id, file } => {
                    let bytes = self.store.load(&file);
                    self.client.loaded(id, bytes.as_deref());
                }
                Request::Fetch { id, file } => {
                    let fetcher = Arc::clone(&self.fetcher);
                    self.fetches.spawn(async move { (id, fetcher.fetch(&file).await) });
                }
                Request::Store { file, bytes, version } => {
                    let root = self.client.root().version;
                    let stored = tokio::task::block_in_place(|| self.store.store(&file, &bytes, version, root));
                    // The others are a cache: rollbacks of delegated roles are the snapshot's business.
                    if !matches!(file, StoredFile::Delegated(_)) {
                        self.warn_of_forgetting(stored);
                    }
                }
                Request::Delete { file, before_root } => {
                    let root = self.client.root().version;
                    let deleted = tokio::task::block_in_place(|| self.store.delete(&file, before_root, root));
                    self.warn_of_forgetting(deleted);
                }
            }
        }
    }

    /// Verification never fails because metadata cannot be stored, but the next run can then detect less.
    fn warn_of_forgetting(&mut self, stored: std::io::Result<()>) {
        if let Err(error) = stored
            && !std::mem::replace(&mut self.warned, true)
        {
            self.reporter.warning(WarningCode::TrustNotRemembered, format!(
                "Could not remember what was verified: {error}. It was verified all the same, but a later run will not notice \
                 when it is shown an older state of the index.",
            ));
        }
    }

    fn report(&self, epoch_info: &EpochInfo) {
        let signed_at = epoch_info.signed_at.map(|time| time.0);
        self.warn_of_clock(
            signed_at
                .and_then(|time| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(time).ok()?))),
        );
        self.reporter.detail(1, || {
            format!(
                "{}: root {}, timestamp {}, snapshot {}, {}, valid until {}",
                self.name,
                epoch_info.root,
                epoch_info.timestamp,
                epoch_info.snapshot,
                epoch_info.age(),
                epoch_info.expires
            )
        });
    }

    /// Metadata from the future means that the clock is behind; expired metadata is then not detected.
    fn warn_of_clock(&self, seen: Option<SystemTime>) {
        let Some(seen) = seen.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok()) else { return };
        let seen = i64::try_from(seen.as_secs()).unwrap_or(i64::MAX);
        if seen > self.client.now().0.saturating_add(CLOCK_TOLERANCE) {
            self.reporter.warning(WarningCode::ClockBehind, format!(
                "This machine's clock says {}, but the metadata of {} is from {}: the clock is behind, and metadata that has \
                 expired is not noticed.",
                self.client.now(),
                self.name,
                UnixTime(seen)
            ));
        }
    }

    /// Warns once for each role whose expired metadata is used because the user allows it.
    fn warn_of_expired(&self) {
        let mut told = self.expired.lock().unwrap_or_else(PoisonError::into_inner);
        for (role, expired) in self.client.expired() {
            if !told.iter().any(|(known, _)| *known == role) {
                self.reporter.warning(WarningCode::Expired, format!(
                    "The metadata of {} ({}) expired on {expired} and is used all the same, as --allow-expired says.",
                    self.name,
                    printable::line(role.as_str())
                ));
                told.push((role, expired));
            }
        }
    }

    fn pass_on_events(&mut self) {
        self.warn_of_expired();
        while let Some(event) = self.client.poll_event() {
            match event {
                Event::Refreshed => {
                    let Some(epoch_info) = epoch_info(&self.client) else { continue };
                    self.report(&epoch_info);
                    self.announce.send_replace(Some(Ok(Arc::new(epoch_info))));
                }
                Event::Failed(error) => {
                    self.announce.send_replace(Some(Err(error)));
                }
                Event::LookedUp { id, result } => {
                    if let Some(answer) = self.answers.remove(&id) {
                        // The caller may have dropped its request.
                        let _ = answer.send(result);
                    }
                }
            }
        }
    }
}

impl FetchOutcome {
    fn as_fetched(&self) -> Fetched<'_> {
        match self {
            Self::Body(bytes) => Fetched::Body(bytes),
            Self::Absent => Fetched::Absent,
            Self::TooLong => Fetched::TooLong,
            Self::Failed(reason) => Fetched::Failed(reason),
        }
    }
}

fn epoch_info(client: &Client) -> Option<EpochInfo> {
    let (epoch, targets) = (client.epoch()?, client.targets()?);
    let (timestamp, snapshot) = (epoch.timestamp(), epoch.snapshot());
    let signed_at = signed_at(timestamp);
    Some(EpochInfo {
        root: client.root().version,
        timestamp: timestamp.version,
        snapshot: snapshot.version,
        targets: targets.version,
        signed_at,
        expires: timestamp.expires.min(snapshot.expires),
        now: client.now(),
        in_band_layout: Layout::in_band(targets).map(|layout| layout.map(Arc::new)),
    })
}

/// The clock of this machine. Before 1970 it is 1970.
pub fn unix_now() -> UnixTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixTime(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
