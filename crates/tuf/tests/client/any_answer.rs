//! A client whose store and network answer anything at all.

use tuf::json::{Object, Value, parse};
use tuf::{Check, Client, Fetched, Limits, Mode, Request, RequestId, UnixTime};

use super::any_order::{Choices, Run, Stored, drive};
use super::histories::{HISTORIES, History, PATHS};
use super::simulator::{DAY, NOW, ed25519};

/// One run as these bytes decide; empty ones decide for an honest first run. Says whether it refreshed.
///
/// # Panics
/// If the client trusts what it must not, does not come to an end, or refuses what it must not.
pub fn play(bytes: &[u8]) -> bool {
    let mut choices = Choices(bytes);
    let history = &HISTORIES[choices.below(HISTORIES.len())];
    let time = choices.below(history.stored.len());
    let mode = if choices.below(4) == 3 { Mode::Offline } else { Mode::Online };
    let expired = choices.below(8) == 7;
    let now = if expired { UnixTime(NOW.0 + 30 * DAY) } else { NOW };
    let paths: Vec<usize> =
        (0..PATHS.len() + choices.below(4)).map(|place| (place + choices.below(16)) % PATHS.len()).collect();
    let lies_one_in = [None, Some(32), Some(8), Some(2)][choices.below(4)];
    let mut adversary = Adversary::new(history, mode, lies_one_in);

    let client = Client::new(&history.trusted_root, now, mode, Limits::default()).expect("the root is good");
    let names: Vec<&str> = paths.iter().map(|place| PATHS[*place]).collect();
    let run = drive(client, &history.stored[time], &names, &mut choices, |client, request, stored, choices| {
        adversary.answer(client, request, stored, choices);
    });
    nothing_else_is_trusted(&run, history, &paths, expired);
    if !adversary.lied_about_store {
        nothing_goes_back(&run, history.versions[time]);
    }
    if !adversary.lied {
        everything_is_found(&run, history, time, mode, expired);
    } else if !expired {
        nothing_is_broken_for_good(history, &run.stored);
    }
    run.verdict.is_ok()
}

/// What is stored was signed for this file, and what is found is what the repository had at the time of that snapshot.
fn nothing_else_is_trusted(run: &Run, history: &History, paths: &[usize], expired: bool) {
    for (file, bytes) in &run.written {
        assert!(history.is_genuine(file, bytes), "stored as {file:?}: {}", String::from_utf8_lossy(bytes));
    }
    let Ok(epoch) = &run.verdict else { return };
    assert!(!expired, "everything has expired");
    assert_eq!(epoch.timestamp().snapshot.version, epoch.snapshot().version);
    let honest = &history.found[&epoch.snapshot().version];
    for (path, result) in paths.iter().zip(&run.results) {
        if let Ok(found) = result {
            assert_eq!(found, &honest[*path]);
        }
    }
}

/// Nothing older than what was stored, unless a new root took keys away.
fn nothing_goes_back(run: &Run, (timestamp, snapshot): (u64, u64)) {
    if let Ok(epoch) = &run.verdict
        && run.deleted.is_empty()
    {
        assert!(epoch.timestamp().version >= timestamp, "{} after {timestamp}", epoch.timestamp().version);
        assert!(epoch.snapshot().version >= snapshot, "{} after {snapshot}", epoch.snapshot().version);
    }
}

/// Honest answers lead to the newest there is.
fn everything_is_found(run: &Run, history: &History, time: usize, mode: Mode, expired: bool) {
    let newest = match mode {
        Mode::Online => history.versions.len() - 1,
        Mode::Offline => time,
    };
    match &run.verdict {
        Ok(epoch) => {
            assert_eq!((epoch.timestamp().version, epoch.snapshot().version), history.versions[newest]);
            assert!(run.results.iter().all(Result::is_ok), "{:?}", run.results);
        }
        Err(error) => {
            let expected = if expired { Check::Expiry } else { Check::Stored };
            assert_eq!((error.check(), expired || newest == 0), (expected, true), "{error}");
        }
    }
}

/// Whatever is stored now, the next honest run leads to the newest there is.
fn nothing_is_broken_for_good(history: &History, stored: &Stored) {
    let client = Client::new(&history.trusted_root, NOW, Mode::Online, Limits::default()).expect("the root is good");
    let mut honest = Adversary::new(history, Mode::Online, None);
    let run = drive(client, stored, &PATHS, &mut Choices(&[]), |client, request, stored, choices| {
        honest.answer(client, request, stored, choices);
    });
    everything_is_found(&run, history, 0, Mode::Online, false);
}

/// Answers what it likes.
struct Adversary<'h> {
    history: &'h History,
    mode: Mode,
    lies_one_in: Option<usize>,
    lied: bool,
    lied_about_store: bool,
    /// What was asked before.
    earlier: Vec<RequestId>,
}

impl<'h> Adversary<'h> {
    fn new(history: &'h History, mode: Mode, lies_one_in: Option<usize>) -> Self {
        Adversary { history, mode, lies_one_in, lied: false, lied_about_store: false, earlier: Vec::new() }
    }

    fn answer(&mut self, client: &mut Client, request: &Request, stored: &Stored, choices: &mut Choices<'_>) {
        self.answer_what_was_not_asked(client, request, choices);
        let lies = self.lies_one_in.is_some_and(|count| choices.below(count) == count - 1);
        self.lied |= lies;
        match request {
            Request::Load { id, file } => {
                self.earlier.push(*id);
                self.lied_about_store |= lies;
                let honest = stored.get(file).map(AsRef::as_ref);
                if !lies {
                    client.loaded(*id, honest);
                } else if choices.below(3) == 0 {
                    client.loaded(*id, None);
                } else {
                    client.loaded(*id, Some(&self.anything(&file.file_name(), honest, choices)));
                }
            }
            Request::Fetch { id, file } => {
                self.earlier.push(*id);
                assert_eq!(self.mode, Mode::Online, "{} is fetched", file.name);
                let honest = self.history.current(&file.name);
                let body;
                let answer = match (lies, honest) {
                    (false, Some(bytes)) => Fetched::Body(bytes),
                    (false, None) => Fetched::Absent,
                    (true, _) => match choices.below(8) {
                        0 => Fetched::Absent,
                        1 => Fetched::Failed("so it goes"),
                        2 => Fetched::TooLong,
                        _ => {
                            body = self.anything(&file.name, honest, choices);
                            Fetched::Body(&body)
                        }
                    },
                };
                client.fetched(*id, answer);
            }
            Request::Store { .. } | Request::Delete { .. } => unreachable!("carried out at once"),
        }
    }

    /// Which must change nothing.
    fn answer_what_was_not_asked(&self, client: &mut Client, request: &Request, choices: &mut Choices<'_>) {
        match choices.below(16) {
            15 => match request {
                Request::Load { id, .. } => client.fetched(*id, Fetched::Absent),
                Request::Fetch { id, .. } => client.loaded(*id, None),
                Request::Store { .. } | Request::Delete { .. } => {}
            },
            14 if !self.earlier.is_empty() => {
                let id = self.earlier[choices.below(self.earlier.len())];
                client.loaded(id, Some(b"{}"));
                client.fetched(id, Fetched::Failed("again"));
            }
            _ => {}
        }
    }

    /// An old file of this name, or whatever.
    fn anything(&self, name: &str, honest: Option<&[u8]>, choices: &mut Choices<'_>) -> Vec<u8> {
        let served = &self.history.served;
        let base: &[u8] = match (choices.below(4), served.get(name), honest) {
            (0, Some(versions), _) => return versions[choices.below(versions.len())].clone(),
            (1 | 2, _, Some(honest)) => honest,
            _ => {
                let versions = served.values().nth(choices.below(served.len())).expect("something is served");
                &versions[choices.below(versions.len())]
            }
        };
        match choices.below(6) {
            0 => base.to_vec(),
            1 => {
                let length = choices.below(64);
                choices.take(length).to_vec()
            }
            2 => vec![b' '; 600 << 10],
            3 => forged(base, choices),
            _ => mutated(base, choices),
        }
    }
}

/// With some bytes other than they were.
fn mutated(bytes: &[u8], choices: &mut Choices<'_>) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=choices.below(3) {
        let place = choices.below(bytes.len() + 1);
        let end = bytes.len().min(place + choices.below(64));
        match choices.below(5) {
            0 => bytes.truncate(place),
            1 => drop(bytes.drain(place..end)),
            2 => bytes.extend_from_within(place..end),
            3 => drop(bytes.splice(place..place, [b" 0\"9{,}1"[choices.below(8)]])),
            _ => {
                if let Some(byte) = bytes.get_mut(place) {
                    *byte ^= 1 << choices.below(8);
                }
            }
        }
    }
    bytes
}

/// With another content, or signatures by a key that is not the repository's and says it were.
fn forged(bytes: &[u8], choices: &mut Choices<'_>) -> Vec<u8> {
    let Ok(Value::Object(mut file)) = parse(bytes) else { return Vec::new() };
    let Some(Value::Object(mut signed)) = file.remove("signed") else { return Vec::new() };
    let version = match signed.get("version") {
        Some(Value::Unsigned(version)) => *version,
        _ => 1,
    };
    match choices.below(6) {
        0 => drop(signed.insert("version", version + 1)),
        1 => drop(signed.insert("version", version.saturating_sub(1))),
        2 => drop(signed.insert("expires", "2099-01-01T00:00:00Z")),
        3 => drop(signed.insert("targets", Object::new())),
        4 => drop(signed.remove("delegations")),
        _ => {}
    }
    let signed = Value::Object(signed);
    if choices.below(2) == 0
        && let Some(Value::Array(signatures)) = file.remove("signatures")
    {
        let by_another_key = ed25519(666).sign(&signed.canonical()).signature;
        let signatures = signatures.into_iter().map(|signature| match signature {
            Value::Object(mut signature) => {
                signature.insert("sig", by_another_key.clone());
                Value::Object(signature)
            }
            other => other,
        });
        file.insert("signatures", Value::Array(signatures.collect()));
    }
    file.insert("signed", signed);
    Value::Object(file).to_json()
}
