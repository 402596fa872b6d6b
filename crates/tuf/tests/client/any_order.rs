//! Drives a client in any order a program could choose, and checks what must hold in every order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tuf::metadata::TopLevelRole;
use tuf::{Client, Epoch, Error, Event, LookUp, LookUpId, Request, StoredFile};

/// What a program keeps on disk.
pub type Stored = BTreeMap<StoredFile, Arc<[u8]>>;

/// Decisions, taken from bytes: random ones in tests, invented ones when fuzzing. When they are used up, each decision is
/// the first alternative, so everything comes to an end.
pub struct Choices<'a>(pub &'a [u8]);

impl<'a> Choices<'a> {
    /// Less than `count`.
    pub fn below(&mut self, count: usize) -> usize {
        if count < 2 {
            return 0;
        }
        let bytes = self.take(if count <= 256 { 1 } else { 2 });
        bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)) % count
    }

    /// So many bytes, or as many as there are left.
    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

/// What a run came to.
pub struct Run {
    /// Of the refresh.
    pub verdict: Result<Epoch, Error>,
    /// In the order of the paths.
    pub results: Vec<Result<LookUp, Error>>,
    pub stored: Stored,
    /// What was stored, in order.
    pub written: Vec<(StoredFile, Arc<[u8]>)>,
    pub deleted: Vec<StoredFile>,
}

/// Starts a look-up of each path at some time, and answers requests in some order, until there is nothing left to do.
pub fn drive(
    mut client: Client,
    stored: &Stored,
    paths: &[&str],
    choices: &mut Choices<'_>,
    mut answer: impl FnMut(&mut Client, &Request, &Stored, &mut Choices<'_>),
) -> Run {
    let mut record = Record::default();
    let mut stored = stored.clone();
    let (mut written, mut deleted) = (Vec::new(), Vec::new());
    let mut to_look_up: Vec<usize> = (0..paths.len()).collect();
    let mut outstanding = Vec::new();
    loop {
        let mut idle = false;
        loop {
            match client.poll_request() {
                None => idle = true,
                Some(Request::Store { file, bytes, .. }) => {
                    stored.insert(file.clone(), bytes.clone());
                    written.push((file, bytes));
                    continue;
                }
                Some(Request::Delete { file, .. }) => {
                    stored.remove(&file);
                    deleted.push(file);
                    continue;
                }
                Some(request) => {
                    record.request(&request);
                    outstanding.push(request);
                    // A program may do one thing at a time.
                    if choices.below(4) != 1 {
                        continue;
                    }
                }
            }
            break;
        }
        while let Some(event) = client.poll_event() {
            record.event(event);
        }
        let alternatives = outstanding.len() + usize::from(!to_look_up.is_empty());
        if alternatives == 0 {
            if idle {
                break;
            }
            continue;
        }
        let chosen = choices.below(alternatives);
        if chosen < outstanding.len() {
            let request = outstanding.swap_remove(chosen);
            answer(&mut client, &request, &stored, choices);
        } else {
            let path = to_look_up.swap_remove(choices.below(to_look_up.len()));
            record.asked.insert(client.look_up(paths[path]), path);
        }
    }
    let (verdict, results) = record.finish(&client);
    Run { verdict, results, stored, written, deleted }
}

/// What the client asked for and said.
#[derive(Default)]
struct Record {
    loads: BTreeSet<StoredFile>,
    fetches: BTreeMap<String, usize>,
    asked: BTreeMap<LookUpId, usize>,
    results: BTreeMap<usize, Result<LookUp, Error>>,
    verdict: Option<Result<(), Error>>,
}

impl Record {
    fn request(&mut self, request: &Request) {
        assert!(!matches!(self.verdict, Some(Err(_))), "asks after it has failed: {request:?}");
        match request {
            Request::Load { file, .. } => assert!(self.loads.insert(file.clone()), "{file:?} is read twice"),
            Request::Fetch { file, .. } => {
                let times = self.fetches.entry(file.name.clone()).or_default();
                *times += 1;
                // The timestamp again after a new root, and a delegated file by another delegator after a refusal.
                let again = match file.role.top_level() {
                    Some(role) => role == TopLevelRole::Timestamp,
                    None => true,
                };
                let most = if again { 2 } else { 1 };
                assert!(*times <= most, "{} is fetched {times} times", file.name);
            }
            Request::Store { .. } | Request::Delete { .. } => {}
        }
    }

    fn event(&mut self, event: Event) {
        let verdict = match event {
            Event::LookedUp { id, result } => {
                assert!(self.verdict.is_some(), "a look-up is answered before there is an epoch");
                let earlier = self.results.insert(self.asked[&id], result);
                assert!(earlier.is_none(), "a look-up is answered twice");
                return;
            }
            Event::Refreshed => Ok(()),
            Event::Failed(error) => Err(error),
        };
        assert!(self.verdict.is_none(), "{:?} and then {verdict:?}", self.verdict);
        self.verdict = Some(verdict);
    }

    fn finish(self, client: &Client) -> (Result<Epoch, Error>, Vec<Result<LookUp, Error>>) {
        let verdict = self.verdict.expect("with all requests answered there is an epoch, or an error");
        assert_eq!(self.results.len(), self.asked.len(), "all look-ups are answered");
        assert_eq!((client.epoch().is_some(), client.targets().is_some()), (verdict.is_ok(), verdict.is_ok()));
        if let Err(error) = &verdict {
            assert!(
                self.results.values().all(|result| result.as_ref() == Err(error)),
                "they say what the refresh says"
            );
        }
        let verdict = verdict.map(|()| client.epoch().expect("refreshed").clone());
        (verdict, self.results.into_values().collect())
    }
}
