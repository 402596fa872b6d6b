//! The client workflow (TUF 5) as a state machine: requests out, bytes in.
//!
//! A [`Client`] is one epoch: one fixed time, one root, one snapshot. It requests files by [`Client::poll_request`], is
//! given their bytes by [`Client::loaded`] and [`Client::fetched`], and reports results by [`Client::poll_event`]. It
//! trusts the root it was made with and nothing else: files from the local store are verified like those from the
//! network. The checks are in `checks.rs`, the order of the update in `refresh.rs`, the search for a target in
//! `look_up.rs`.

mod chain;
mod checks;
mod delegated;
mod look_up;
mod refresh;
mod request;
mod target;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

pub use chain::{ChainLink, Signer};
pub use look_up::{AbsenceDoubt, LookUp, LookUpId};
pub use request::{Fetched, RemoteFile, Request, RequestId, StoredFile};
pub use target::Target;

use crate::error::{Check, Error};
use crate::metadata::{RoleName, Root, Snapshot, Targets, Timestamp, TopLevelRole};
use crate::{Limits, UnixTime};
use checks::{Clock, Verified};
use delegated::DelegatedFiles;
use look_up::LookUps;
use refresh::Stage;

/// One update of one repository's metadata, and any number of target look-ups in what it finds.
#[derive(Debug)]
pub struct Client {
    clock: Clock,
    mode: Mode,
    limits: Limits,
    root: Verified<Root>,
    stage: Stage,
    delegated: DelegatedFiles,
    look_ups: LookUps,
    exchange: Exchange,
    events: VecDeque<Event>,
}

/// Whether requests are sent to the repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Send requests, and stop without an answer: stored metadata must not be taken for current.
    Online,
    /// Use only what is stored, as long as it has not expired. Newer metadata may exist; only an explicit request of
    /// the user permits this.
    Offline,
}

/// An event for the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The top-level metadata is verified and current: [`Client::epoch`] has it.
    Refreshed,
    /// There will be no epoch. All look-ups are answered with the same error; start again with a new client.
    Failed(Error),
    /// A look-up has ended.
    LookedUp {
        /// Which one.
        id: LookUpId,
        /// What it found. An error is about this target only, unless [`Event::Failed`] came before.
        result: Result<LookUp, Error>,
    },
}

/// The verified metadata that belongs together.
#[derive(Clone, Debug)]
pub struct Epoch {
    root: u64,
    timestamp: Verified<Timestamp>,
    snapshot: Verified<Snapshot>,
}

impl Client {
    /// Starts an update from a trusted root: the most securely stored one there is, which is usually the oldest. Newer
    /// roots are taken from the local store, then from the repository, each verified by the one before.
    ///
    /// `now` is the time of the whole epoch. Expiry is checked by it alone, however long the update takes (TUF 5.1).
    ///
    /// # Errors
    /// [`Check::TrustedRoot`] if the bytes are not a root that its own keys signed. Whether it has expired does not
    /// matter.
    pub fn new(trusted_root: &[u8], now: UnixTime, mode: Mode, limits: Limits) -> Result<Self, Error> {
        if trusted_root.len() as u64 > limits.root_size {
            let expected = format!("at most {} bytes", limits.root_size);
            return Err(Error::new(Check::TrustedRoot, TopLevelRole::Root, expected, trusted_root.len()));
        }
        let root = checks::trusted_root(trusted_root)?;
        let mut client = Client {
            clock: Clock { now, expired_for: limits.expired_for },
            mode,
            limits,
            root,
            stage: Stage::StoredRoots,
            delegated: DelegatedFiles::default(),
            look_ups: LookUps::default(),
            exchange: Exchange::default(),
            events: VecDeque::new(),
        };
        client.load_next_root();
        Ok(client)
    }

    /// The next thing to do. Call it until it returns `None`, after each answer and each new look-up. The first request
    /// is always the most urgent one, so that a program that does one thing at a time fetches no file in vain.
    ///
    /// All is done when it returns `None`, no answer is outstanding, and [`Client::poll_event`] returns `None` too.
    pub fn poll_request(&mut self) -> Option<Request> {
        if self.exchange.requests.is_empty() {
            self.request_timestamp_early();
        }
        self.exchange.requests.pop_front()
    }

    /// The next event. Call it until it returns `None`, whenever [`Client::poll_request`] has.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Answers a [`Request::Load`]: the bytes, or `None` if the store has no such file or cannot read it. Answers to
    /// nothing that was asked are ignored.
    pub fn loaded(&mut self, id: RequestId, bytes: Option<&[u8]>) {
        let Some(file) = self.exchange.loads.remove(&id) else { return };
        let bytes = bytes.filter(|bytes| bytes.len() as u64 <= self.limits.metadata_size);
        match file {
            StoredFile::Root(_) => self.stored_root(bytes),
            StoredFile::Timestamp => self.stored_timestamp(bytes),
            StoredFile::Snapshot => self.stored_snapshot(bytes),
            StoredFile::Targets => self.stored_targets(bytes),
            StoredFile::Delegated(role) => self.stored_delegated(role, bytes),
        }
    }

    /// Answers a [`Request::Fetch`]. Answers to nothing that was asked are ignored.
    pub fn fetched(&mut self, id: RequestId, fetched: Fetched<'_>) {
        let Some(file) = self.exchange.fetches.remove(&id) else { return };
        let answer = FetchAnswer::new(fetched, &file);
        match file.role.top_level() {
            Some(TopLevelRole::Root) => self.fetched_root(answer),
            Some(TopLevelRole::Timestamp) => self.fetched_timestamp(answer),
            Some(TopLevelRole::Snapshot) => self.fetched_snapshot(answer),
            Some(TopLevelRole::Targets) => self.fetched_targets(answer),
            None => self.fetched_delegated(file.role, answer),
        }
    }

    /// Starts looking for a target, at any time; those that come before the refresh is done wait for it.
    pub fn look_up(&mut self, path: impl Into<String>) -> LookUpId {
        let id = self.look_ups.add(path.into());
        match &self.stage {
            Stage::Ready(_) => self.search(id),
            Stage::Failed(error) => {
                let error = error.clone();
                self.answer_look_up(id, Err(error));
            }
            _ => {}
        }
        id
    }

    /// The newest root verified so far.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// What was refreshed to; `None` before [`Event::Refreshed`].
    pub fn epoch(&self) -> Option<&Epoch> {
        match &self.stage {
            Stage::Ready(epoch) => Some(epoch),
            _ => None,
        }
    }

    /// The top-level targets of the epoch; `None` before [`Event::Refreshed`].
    pub fn targets(&self) -> Option<&Targets> {
        self.epoch()?;
        self.delegated.top_level()
    }

    /// What is used although it has expired, thanks to [`Limits::expired_for`] alone: roles, and when they expired.
    /// First timestamp, snapshot and targets, then the delegated roles that look-ups have come to so far. Empty before
    /// [`Event::Refreshed`]. The user should be warned of it, and it belongs in a report.
    pub fn expired(&self) -> Vec<(RoleName, UnixTime)> {
        let Some(epoch) = self.epoch() else { return Vec::new() };
        let (timestamp, snapshot) = (&epoch.timestamp, &epoch.snapshot);
        let mut roles = vec![
            (TopLevelRole::Timestamp.into(), timestamp.expires),
            (TopLevelRole::Snapshot.into(), snapshot.expires),
        ];
        roles.extend(self.delegated.all().map(|file| (file.role.clone(), file.targets.expires)));
        roles.retain(|(_, expires)| *expires <= self.clock.now);
        roles
    }

    /// The time by which expiry is checked.
    pub fn now(&self) -> UnixTime {
        self.clock.now
    }

    fn fail(&mut self, error: Error) {
        self.exchange.loads.clear();
        self.exchange.fetches.clear();
        self.exchange.requests.retain(|request| matches!(request, Request::Store { .. } | Request::Delete { .. }));
        self.stage = Stage::Failed(error.clone());
        self.events.push_back(Event::Failed(error.clone()));
        for id in self.look_ups.all() {
            self.answer_look_up(id, Err(error.clone()));
        }
    }
}

impl Epoch {
    /// The version of a role: of root, timestamp or snapshot, or that of any other role the snapshot lists, which is
    /// the only one a file of it may have. `None` if it lists none of this name.
    pub fn version(&self, role: &RoleName) -> Option<u64> {
        match role.top_level() {
            Some(TopLevelRole::Root) => Some(self.root),
            Some(TopLevelRole::Timestamp) => Some(self.timestamp.version),
            Some(TopLevelRole::Snapshot) => Some(self.snapshot.version),
            Some(TopLevelRole::Targets) | None => self.snapshot.role(role).map(|listed| listed.version),
        }
    }

    /// `timestamp.json`
    pub fn timestamp(&self) -> &Timestamp {
        &self.timestamp
    }

    /// `snapshot.json`
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }
}

/// Requests without an answer.
#[derive(Debug, Default)]
struct Exchange {
    next_id: u64,
    requests: VecDeque<Request>,
    loads: BTreeMap<RequestId, StoredFile>,
    fetches: BTreeMap<RequestId, RemoteFile>,
}

impl Exchange {
    fn load(&mut self, file: StoredFile) {
        let id = self.id();
        self.loads.insert(id, file.clone());
        self.requests.push_back(Request::Load { id, file });
    }

    fn fetch(&mut self, file: RemoteFile) {
        let id = self.id();
        self.fetches.insert(id, file.clone());
        self.requests.push_back(Request::Fetch { id, file });
    }

    fn store(&mut self, file: StoredFile, bytes: Arc<[u8]>, version: u64) {
        self.requests.push_back(Request::Store { file, bytes, version });
    }

    fn delete(&mut self, file: StoredFile, before_root: u64) {
        self.requests.push_back(Request::Delete { file, before_root });
    }

    fn id(&mut self) -> RequestId {
        self.next_id += 1;
        RequestId(self.next_id)
    }
}

/// The answer to a fetch, kept until its turn comes.
#[derive(Debug)]
enum FetchAnswer {
    Body(Arc<[u8]>),
    Absent { name: String },
    TooLong { limit: u64 },
    Failed(String),
}

impl FetchAnswer {
    fn new(fetched: Fetched<'_>, file: &RemoteFile) -> Self {
        let limit = file.max_bytes;
        match fetched {
            Fetched::Body(bytes) if bytes.len() as u64 <= limit => FetchAnswer::Body(bytes.into()),
            Fetched::Body(_) | Fetched::TooLong => FetchAnswer::TooLong { limit },
            Fetched::Absent => FetchAnswer::Absent { name: file.name.clone() },
            Fetched::Failed(reason) => FetchAnswer::Failed(reason.to_owned()),
        }
    }

    /// The content of a file that must be there.
    fn body(self, role: &RoleName) -> Result<Arc<[u8]>, Error> {
        match self {
            FetchAnswer::Body(bytes) => Ok(bytes),
            FetchAnswer::Absent { name } => Err(Error::new(Check::Present, role.clone(), name, "no such file")),
            FetchAnswer::TooLong { limit } => {
                Err(Error::new(Check::Size, role.clone(), format!("at most {limit} bytes"), "more"))
            }
            FetchAnswer::Failed(reason) => Err(Error::new(Check::Reachable, role.clone(), "an answer", reason)),
        }
    }
}
