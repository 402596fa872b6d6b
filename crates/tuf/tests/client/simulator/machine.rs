//! A machine with a local store, on which clients run.

use std::collections::BTreeMap;

use tuf::metadata::{Metadata, RoleName, Root, Snapshot, Targets, Timestamp};
use tuf::{
    AbsenceDoubt, Check, Client, Epoch, Error, Event, Fetched, Limits, LookUp, Mode, RemoteFile, Request, StoredFile,
    Target, UnixTime,
};

use super::repository::{Instead, NOW, Repository};

/// What lasts from one run of a client to the next, and a record of the last run.
#[derive(Clone)]
pub struct Machine {
    pub trusted_root: Vec<u8>,
    pub now: UnixTime,
    pub limits: Limits,
    pub order: Order,
    pub stored: BTreeMap<StoredFile, Vec<u8>>,
    /// Names of the files that the last run asked the repository for, in order.
    pub requested: Vec<String>,
    /// The same, by round trips, for [`Order::RoundTrips`].
    pub round_trips: Vec<Vec<String>>,
    /// What the last run stored, in order, with the version it told.
    pub written: Vec<(StoredFile, u64)>,
    /// What the last run deleted, in order.
    pub deleted: Vec<StoredFile>,
    /// All events of the last run.
    pub events: Vec<Event>,
    /// How often the store can still be written to, before the power fails.
    pub writes_left: usize,
}

/// One result for each look-up.
pub type LookUps = Vec<Result<LookUp, Error>>;

/// In which order requests are carried out.
#[derive(Clone, Copy, Debug)]
pub enum Order {
    /// One is answered before the next is known.
    OneAtATime,
    /// All files that are asked for travel together; the store answers at once.
    RoundTrips,
    /// Any of the outstanding ones is answered next. Not random: by this seed.
    Shuffled(u64),
}

impl Machine {
    /// A machine that never saw the repository, but has its current root.
    pub fn trusting(repository: &Repository) -> Self {
        Machine {
            trusted_root: repository.file("root"),
            now: NOW,
            limits: Limits::default(),
            order: Order::OneAtATime,
            stored: BTreeMap::new(),
            requested: Vec::new(),
            round_trips: Vec::new(),
            written: Vec::new(),
            deleted: Vec::new(),
            events: Vec::new(),
            writes_left: usize::MAX,
        }
    }

    /// One that has refreshed once.
    pub fn refreshed(repository: &Repository) -> Self {
        let mut machine = Machine::trusting(repository);
        machine.refresh(repository).unwrap();
        machine
    }

    pub fn refresh(&mut self, repository: &Repository) -> Result<Epoch, Error> {
        self.run(Some(repository), &[]).map(|(epoch, _)| epoch)
    }

    pub fn refresh_offline(&mut self) -> Result<Epoch, Error> {
        self.run(None, &[]).map(|(epoch, _)| epoch)
    }

    pub fn look_up(&mut self, repository: &Repository, path: &str) -> Result<LookUp, Error> {
        self.run(Some(repository), &[path])?.1.remove(0)
    }

    pub fn look_up_offline(&mut self, path: &str) -> Result<LookUp, Error> {
        self.run(None, &[path])?.1.remove(0)
    }

    /// The results in order of the paths; the outer error is that of the refresh.
    pub fn look_up_all(&mut self, repository: &Repository, paths: &[&str]) -> Result<LookUps, Error> {
        self.run(Some(repository), paths).map(|(_, results)| results)
    }

    /// A new client, not yet driven.
    pub fn client(&mut self, mode: Mode) -> Result<Client, Error> {
        self.requested.clear();
        self.round_trips.clear();
        self.written.clear();
        self.deleted.clear();
        self.events.clear();
        Client::new(&self.trusted_root, self.now, mode, self.limits.clone())
    }

    /// Carries out all that a client asks for, until it asks for nothing more; without a repository, it must not ask for
    /// remote files.
    pub fn drive(&mut self, client: &mut Client, repository: Option<&Repository>) {
        let mut outstanding = Vec::new();
        let mut seed = if let Order::Shuffled(seed) = self.order { seed } else { 0 };
        loop {
            while let Some(request) = client.poll_request() {
                match request {
                    Request::Store { .. } | Request::Delete { .. } if self.writes_left == 0 => {}
                    Request::Store { file, bytes, version } => {
                        self.writes_left -= 1;
                        self.stored.insert(file.clone(), bytes.to_vec());
                        self.written.push((file, version));
                    }
                    Request::Delete { file, .. } => {
                        self.writes_left -= 1;
                        self.stored.remove(&file);
                        self.deleted.push(file);
                    }
                    Request::Load { .. } | Request::Fetch { .. } => outstanding.push(request),
                }
                if matches!(self.order, Order::OneAtATime) && !outstanding.is_empty() {
                    break;
                }
            }
            self.events.extend(std::iter::from_fn(|| client.poll_event()));
            if outstanding.is_empty() {
                return;
            }
            let batch = match self.order {
                Order::OneAtATime => std::mem::take(&mut outstanding),
                Order::Shuffled(_) => vec![outstanding.swap_remove(next_random(&mut seed) % outstanding.len())],
                Order::RoundTrips => {
                    let is_load = |request: &mut Request| matches!(request, Request::Load { .. });
                    let loads: Vec<_> = outstanding.extract_if(.., is_load).collect();
                    if loads.is_empty() { std::mem::take(&mut outstanding) } else { loads }
                }
            };
            self.answer(client, repository, batch);
        }
    }

    /// What is trusted, from the local store: `root 1, timestamp 1, snapshot 1, targets 1, role1 3`.
    pub fn trusts(&self) -> String {
        let mut root = version(&self.trusted_root);
        while let Some(bytes) = self.stored.get(&StoredFile::Root(root + 1)) {
            root = version(bytes);
        }
        let mut trusts = format!("root {root}");
        for (file, bytes) in &self.stored {
            let role = match file {
                StoredFile::Root(_) => continue,
                StoredFile::Timestamp => "timestamp",
                StoredFile::Snapshot => "snapshot",
                StoredFile::Targets => "targets",
                StoredFile::Delegated(role) => role.as_str(),
            };
            trusts += &format!(", {role} {}", version(bytes));
        }
        trusts
    }

    /// The stored file of a delegated role.
    pub fn stored_role(&self, role: &str) -> Option<&Vec<u8>> {
        self.stored.get(&StoredFile::Delegated(RoleName::from(role)))
    }

    /// Everything of one run; the outer error is that of the refresh.
    fn run(&mut self, repository: Option<&Repository>, paths: &[&str]) -> Result<(Epoch, LookUps), Error> {
        let mode = if repository.is_some() { Mode::Online } else { Mode::Offline };
        let mut client = self.client(mode)?;
        let ids: Vec<_> = paths.iter().map(|path| client.look_up(*path)).collect();
        self.drive(&mut client, repository);
        let failure = self.events.iter().find_map(|event| match event {
            Event::Failed(error) => Some(error.clone()),
            _ => None,
        });
        if let Some(error) = failure {
            assert!(client.epoch().is_none() && client.targets().is_none());
            return Err(error);
        }
        assert_eq!(self.events.iter().filter(|event| matches!(event, Event::Refreshed)).count(), 1);
        let mut results = BTreeMap::new();
        for event in &self.events {
            if let Event::LookedUp { id, result } = event {
                assert!(results.insert(*id, result.clone()).is_none(), "answered twice");
            }
        }
        let results = ids.iter().map(|id| results.remove(id).expect("every look-up is answered")).collect();
        Ok((client.epoch().expect("refreshed").clone(), results))
    }

    fn answer(&mut self, client: &mut Client, repository: Option<&Repository>, requests: Vec<Request>) {
        let mut round_trip = Vec::new();
        for request in requests {
            match request {
                Request::Load { id, file } => client.loaded(id, self.stored.get(&file).map(Vec::as_slice)),
                Request::Fetch { id, file } => {
                    let repository = repository.expect("nothing is fetched offline");
                    self.requested.push(file.name.clone());
                    round_trip.push(file.name.clone());
                    let answer = repository.answer(&file.name);
                    let endless = if matches!(answer, Instead::Endless) { too_much(&file) } else { Vec::new() };
                    let fetched = match &answer {
                        Instead::Body(bytes) => Fetched::Body(bytes),
                        Instead::Absent => Fetched::Absent,
                        Instead::Failed => Fetched::Failed("connection reset"),
                        Instead::TooLong => Fetched::TooLong,
                        Instead::Endless => Fetched::Body(&endless),
                    };
                    client.fetched(id, fetched);
                }
                Request::Store { .. } | Request::Delete { .. } => unreachable!("carried out at once"),
            }
        }
        if !round_trip.is_empty() {
            self.round_trips.push(round_trip);
        }
    }
}

/// The error of a result, which must be of this check, role and version.
#[track_caller]
pub fn refused<T: std::fmt::Debug>(
    result: Result<T, Error>,
    check: Check,
    role: &str,
    version: impl Into<Option<u64>>,
) -> Error {
    let error = result.unwrap_err();
    assert_eq!((error.check(), error.role().as_str(), error.version()), (check, role, version.into()), "{error}");
    error
}

/// The target that was found.
#[track_caller]
pub fn found(look_up: LookUp) -> Target {
    match look_up {
        LookUp::Found(target) => target,
        not_found => panic!("{not_found:?}"),
    }
}

/// The roles that were searched in vain. Empty bins without hashes in the snapshot leave a doubt.
#[track_caller]
pub fn searched(look_up: LookUp) -> Vec<String> {
    match look_up {
        LookUp::NotFound { searched, doubt: None | Some(AbsenceDoubt::Bin(_)) } => {
            searched.iter().map(RoleName::to_string).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn too_much(file: &RemoteFile) -> Vec<u8> {
    vec![b' '; file.max_bytes as usize + 1]
}

/// Of any metadata file.
fn version(bytes: &[u8]) -> u64 {
    let root = Metadata::<Root>::from_bytes(bytes).map(|root| root.signed.version);
    let timestamp = || Metadata::<Timestamp>::from_bytes(bytes).map(|timestamp| timestamp.signed.version);
    let snapshot = || Metadata::<Snapshot>::from_bytes(bytes).map(|snapshot| snapshot.signed.version);
    let targets = || Metadata::<Targets>::from_bytes(bytes).map(|targets| targets.signed.version);
    root.or_else(|_| timestamp()).or_else(|_| snapshot()).or_else(|_| targets()).unwrap_or_default()
}

/// Numbers without pattern (splitmix64).
fn next_random(seed: &mut u64) -> usize {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut number = *seed;
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (number ^ (number >> 31)) as usize >> 1
}
