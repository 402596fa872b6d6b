//! What is found does not depend on the order of answers, and no answer makes the client trust what was not signed.

use std::collections::BTreeSet;

use tuf::metadata::{Snapshot, Timestamp};
use tuf::{Client, Error, Fetched, Limits, LookUp, Mode, Request};

use super::any_answer::play;
use super::any_order::{Choices, Stored, drive};
use super::histories::{HISTORIES, History, PATHS};
use super::simulator::{Instead, NOW};

/// What must be the same in any order.
type Outcome = (Result<(Timestamp, Snapshot), Error>, Vec<Result<LookUp, Error>>, Stored);

#[test]
fn any_order_leads_to_the_same() {
    let (mut refreshed, mut failed) = (0, 0);
    for history in &*HISTORIES {
        for stored in [0, 1, history.stored.len() - 1] {
            for situation in situations(history, &history.stored[stored]) {
                // All requests at once, then one look-up after the other.
                let expected = situation.run(&[]);
                // One thing at a time.
                assert_eq!(situation.run(&[1; 1000]), expected, "{situation:?}");
                for seed in 0..3 {
                    assert_eq!(situation.run(&random_bytes(seed, 500)), expected, "{situation:?}, seed {seed}");
                }
                if let Ok((timestamp, snapshot)) = &expected.0 {
                    let before = history.versions[stored];
                    assert!(timestamp.version >= before.0 && snapshot.version >= before.1, "{situation:?}");
                }
                *if expected.0.is_ok() { &mut refreshed } else { &mut failed } += 1;
            }
        }
    }
    assert!(refreshed > 100 && failed > 100, "{refreshed} refreshed, {failed} failed: too few to mean something");
}

#[test]
fn no_answers_make_it_trust_what_was_not_signed() {
    assert!(play(&[]), "an honest first run refreshes");
    let runs = 2000;
    let refreshed = (0..runs).filter(|seed| play(&random_bytes(*seed, 600))).count() as u64;
    assert!(
        (runs / 5..runs * 4 / 5).contains(&refreshed),
        "{refreshed} of {runs} runs refreshed: too few, or too many"
    );
}

/// What a client may come upon.
struct Situation<'h> {
    history: &'h History,
    stored: &'h Stored,
    mode: Mode,
    /// What is served under a name in the place of the file.
    instead: Option<(String, Instead)>,
}

/// Offline; all well; and each file that is asked for then, wrong in each way.
fn situations<'h>(history: &'h History, stored: &'h Stored) -> Vec<Situation<'h>> {
    let situation = |mode, instead| Situation { history, stored, mode, instead };
    let mut situations = vec![situation(Mode::Offline, None), situation(Mode::Online, None)];
    for name in situations[1].names() {
        let mut ways = vec![Instead::Absent, Instead::Failed, Instead::TooLong, Instead::Body(b"{}".to_vec())];
        if let Some(versions) = history.served.get(&name) {
            let (newest, older) = versions.split_last().unwrap();
            // Another signature; the same file in other words; an older file.
            let signature = newest.windows(7).position(|window| window == b"\"sig\":\"").unwrap() + 7;
            let mut changed = newest.clone();
            changed[signature] = if changed[signature] == b'0' { b'1' } else { b'0' };
            ways.extend([Instead::Body(changed), Instead::Body([newest, &b" "[..]].concat())]);
            ways.extend(older.last().cloned().map(Instead::Body));
        }
        situations.extend(ways.into_iter().map(|way| situation(Mode::Online, Some((name.clone(), way)))));
    }
    situations
}

impl Situation<'_> {
    fn run(&self, choices: &[u8]) -> Outcome {
        self.run_noting(choices, |_| {})
    }

    /// What is asked for.
    fn names(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let _ = self.run_noting(&[], |name| {
            names.insert(name.to_owned());
        });
        names
    }

    fn run_noting(&self, choices: &[u8], mut note: impl FnMut(&str)) -> Outcome {
        let client = Client::new(&self.history.trusted_root, NOW, self.mode, Limits::default()).unwrap();
        let run =
            drive(client, self.stored, &PATHS, &mut Choices(choices), |client, request, stored, _| match request {
                Request::Load { id, file } => client.loaded(*id, stored.get(file).map(AsRef::as_ref)),
                Request::Fetch { id, file } => {
                    assert_eq!(self.mode, Mode::Online);
                    note(&file.name);
                    client.fetched(*id, self.answer(&file.name));
                }
                Request::Store { .. } | Request::Delete { .. } => unreachable!("carried out at once"),
            });
        let verdict = run.verdict.map(|epoch| (epoch.timestamp().clone(), epoch.snapshot().clone()));
        (verdict, run.results, run.stored)
    }

    fn answer(&self, name: &str) -> Fetched<'_> {
        match &self.instead {
            Some((wrong, instead)) if wrong == name => match instead {
                Instead::Body(bytes) => Fetched::Body(bytes),
                Instead::Absent => Fetched::Absent,
                Instead::Failed => Fetched::Failed("connection reset"),
                Instead::TooLong | Instead::Endless => Fetched::TooLong,
            },
            _ => self.history.current(name).map_or(Fetched::Absent, Fetched::Body),
        }
    }
}

impl std::fmt::Debug for Situation<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let versions = |(file, bytes): (&_, &std::sync::Arc<[u8]>)| format!("{file:?} of {} bytes", bytes.len());
        let stored: Vec<_> = self.stored.iter().map(versions).collect();
        write!(f, "{:?}, {:?}, stored {stored:?}", self.mode, self.instead)
    }
}

/// The same for the same seed (splitmix64).
fn random_bytes(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed;
    let next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let number = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (number >> 56) as u8
    };
    std::iter::repeat_with(next).take(count).collect()
}
