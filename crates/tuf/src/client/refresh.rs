//! The update of the top-level metadata, step by step (TUF 5.3 to 5.6).
//!
//! stored roots → new roots → timestamp → snapshot → targets → ready. Each step first looks into the store, then asks
//! the repository; a step that fails ends the epoch, and what earlier steps verified stays in the store.

use std::collections::BTreeSet;

use super::checks::{self, Signers, Verified};
use super::{Client, Epoch, Event, FetchAnswer, Mode, RemoteFile, StoredFile};
use crate::error::{Check, Error};
use crate::metadata::{FileMeta, RoleName, Root, Snapshot, Targets, Timestamp, TopLevelRole};

/// The state of the update, with what the next step needs.
#[derive(Debug)]
pub(super) enum Stage {
    /// Following the roots in the store.
    StoredRoots,
    /// Asking for newer roots.
    NewRoots { rotations: u32, keys_rotated: bool, timestamp: EarlyTimestamp },
    /// The root is final; the stored timestamp is awaited, or the new one.
    Timestamp { stored: Option<Verified<Timestamp>>, keys_rotated: bool, answer: EarlyTimestamp },
    /// The timestamp is final.
    Snapshot { timestamp: Verified<Timestamp>, stored: Option<Verified<Snapshot>> },
    /// The snapshot is final.
    Targets(Epoch),
    /// All is verified.
    Ready(Epoch),
    /// A step failed.
    Failed(Error),
}

/// The timestamp is asked for together with the first new root, because nearly always there is none: one round trip. It
/// is judged when the root is final.
#[derive(Debug)]
pub(super) enum EarlyTimestamp {
    NotAsked,
    /// With the version of the newest root when it was asked for.
    Asked(u64),
    Answered(u64, FetchAnswer),
}

impl Client {
    // ---- TUF 5.3: root
    // -----------------------------------------------------------------------------------------------

    /// Roots verified in earlier runs, so that they need not be fetched again. One that does not verify is no error:
    /// the repository is asked for it.
    pub(super) fn stored_root(&mut self, bytes: Option<&[u8]>) {
        let root = bytes.filter(|bytes| bytes.len() as u64 <= self.limits.root_size);
        if let Some(Ok(root)) = root.map(|bytes| checks::next_root(bytes, &self.root)) {
            self.root = root;
            return self.load_next_root();
        }
        match self.mode {
            Mode::Online => {
                let timestamp = EarlyTimestamp::NotAsked;
                self.stage = Stage::NewRoots { rotations: 0, keys_rotated: false, timestamp };
                self.fetch_next_root();
            }
            Mode::Offline => self.roots_are_final(false, EarlyTimestamp::NotAsked),
        }
    }

    pub(super) fn fetched_root(&mut self, answer: FetchAnswer) {
        let Stage::NewRoots { rotations, keys_rotated, timestamp } = &mut self.stage else { return };
        // TUF 5.3.3: only an answer of the repository means that there is no newer root.
        if matches!(answer, FetchAnswer::Absent { .. }) {
            let (keys_rotated, timestamp) = (*keys_rotated, std::mem::replace(timestamp, EarlyTimestamp::NotAsked));
            return self.roots_are_final(keys_rotated, timestamp);
        }
        let next = self.root.version.saturating_add(1);
        let limit = self.limits.root_rotations;
        let verified = answer.body(&TopLevelRole::Root.into()).and_then(|bytes| {
            if *rotations >= limit {
                let expected = format!("at most {limit} new roots in one update");
                return Err(Error::new(Check::RootRotations, TopLevelRole::Root, expected, "another one"));
            }
            let root = checks::next_root(&bytes, &self.root)?;
            Ok((bytes, root))
        });
        let (bytes, root) = match verified {
            Ok(verified) => verified,
            Err(error) => return self.fail(error.with_version(next)),
        };
        *rotations += 1;
        if takes_away_keys(&self.root, &root) {
            // TUF 5.3.11: an attacker with the old keys may have raised the versions out of the repository's reach. Not
            // only when the root is final: the next run finds this root in the store, and would not know that it is
            // new.
            *keys_rotated = true;
            self.exchange.delete(StoredFile::Timestamp, root.version);
            self.exchange.delete(StoredFile::Snapshot, root.version);
        }
        self.root = root;
        // TUF 5.3.8: at once, before the next one is asked for.
        self.exchange.store(StoredFile::Root(self.root.version), bytes, self.root.version);
        self.fetch_next_root();
    }

    fn roots_are_final(&mut self, keys_rotated: bool, answer: EarlyTimestamp) {
        // TUF 5.3.10
        if let Err(error) = checks::unexpired(&self.root, &TopLevelRole::Root.into(), self.clock) {
            return self.fail(error);
        }
        self.stage = Stage::Timestamp { stored: None, keys_rotated, answer };
        if keys_rotated {
            self.stored_timestamp(None);
        } else {
            self.exchange.load(StoredFile::Timestamp);
        }
    }

    // ---- TUF 5.4: timestamp
    // ------------------------------------------------------------------------------------------

    /// Asks for the timestamp while the answer about the next root is still under way.
    pub(super) fn request_timestamp_early(&mut self) {
        if let Stage::NewRoots { timestamp: timestamp @ EarlyTimestamp::NotAsked, .. } = &mut self.stage {
            *timestamp = EarlyTimestamp::Asked(self.root.version);
            self.fetch_timestamp();
        }
    }

    /// The timestamp of an earlier run, expired or not: no new one may be older.
    pub(super) fn stored_timestamp(&mut self, bytes: Option<&[u8]>) {
        let Stage::Timestamp { stored, answer, .. } = &mut self.stage else { return };
        let bytes = bytes.filter(|bytes| bytes.len() as u64 <= self.limits.timestamp_size);
        let verified = bytes.map(|bytes| checks::timestamp(bytes, &self.root));
        if matches!(verified, Some(Err(_))) && self.mode == Mode::Online {
            // Its version proves nothing, and must not prevent a valid one from being stored.
            self.exchange.delete(StoredFile::Timestamp, self.root.version.saturating_add(1));
        }
        *stored = verified.and_then(Result::ok);
        match (self.mode, answer) {
            (Mode::Online, EarlyTimestamp::Answered(..)) => self.judge_timestamp(),
            (Mode::Online, EarlyTimestamp::Asked(_)) => {}
            (Mode::Online, answer @ EarlyTimestamp::NotAsked) => {
                *answer = EarlyTimestamp::Asked(self.root.version);
                self.fetch_timestamp();
            }
            (Mode::Offline, _) => match stored.take() {
                Some(timestamp) => self.timestamp_is_final(timestamp, false),
                None => self.fail(offline_error(None, TopLevelRole::Timestamp.into())),
            },
        }
    }

    pub(super) fn fetched_timestamp(&mut self, fetched: FetchAnswer) {
        let slot = match &mut self.stage {
            Stage::NewRoots { timestamp, .. } => timestamp,
            Stage::Timestamp { answer, .. } => answer,
            _ => return,
        };
        let EarlyTimestamp::Asked(root_version) = *slot else { return };
        *slot = EarlyTimestamp::Answered(root_version, fetched);
        // Still waiting for the store, which was asked first?
        let loading = self.exchange.loads.values().any(|file| *file == StoredFile::Timestamp);
        if matches!(self.stage, Stage::Timestamp { .. }) && !loading {
            self.judge_timestamp();
        }
    }

    fn judge_timestamp(&mut self) {
        let Stage::Timestamp { stored, keys_rotated, answer } = &mut self.stage else { return };
        let EarlyTimestamp::Answered(asked_under, fetched) = std::mem::replace(answer, EarlyTimestamp::NotAsked) else {
            return;
        };
        let keys_rotated = *keys_rotated;
        let role = RoleName::from(TopLevelRole::Timestamp);
        let verified = fetched.body(&role).and_then(|bytes| Ok((checks::timestamp(&bytes, &self.root)?, bytes)));
        let (timestamp, bytes) = match verified {
            Ok(verified) => verified,
            // It may have been signed for the root of that time, and replaced since.
            Err(_) if asked_under != self.root.version => {
                *answer = EarlyTimestamp::Asked(self.root.version);
                return self.fetch_timestamp();
            }
            Err(error) => return self.fail(error),
        };
        let newer = match stored.take() {
            None => Ok(true),
            Some(trusted) => match checks::is_newer(&timestamp, &trusted) {
                Ok(false) => return self.timestamp_is_final(trusted, keys_rotated),
                newer => newer,
            },
        };
        // TUF 5.4.4, before it is kept.
        if let Err(error) = newer.and_then(|_| checks::unexpired(&timestamp, &role, self.clock)) {
            return self.fail(error);
        }
        self.exchange.store(StoredFile::Timestamp, bytes, timestamp.version);
        self.timestamp_is_final(timestamp, keys_rotated);
    }

    fn timestamp_is_final(&mut self, timestamp: Verified<Timestamp>, keys_rotated: bool) {
        if let Err(error) = checks::unexpired(&timestamp, &TopLevelRole::Timestamp.into(), self.clock) {
            return self.fail(error);
        }
        self.stage = Stage::Snapshot { timestamp, stored: None };
        if keys_rotated {
            self.stored_snapshot(None);
        } else {
            self.exchange.load(StoredFile::Snapshot);
        }
    }

    // ---- TUF 5.5: snapshot
    // -------------------------------------------------------------------------------------------

    /// The snapshot of an earlier run: the current one, or else a base to compare the current one with.
    pub(super) fn stored_snapshot(&mut self, bytes: Option<&[u8]>) {
        let Stage::Snapshot { timestamp, stored } = &mut self.stage else { return };
        let verified = bytes.map(|bytes| Ok((checks::stored_snapshot(bytes, &self.root)?, bytes)));
        if matches!(verified, Some(Err::<_, Error>(_))) && self.mode == Mode::Online {
            self.exchange.delete(StoredFile::Snapshot, self.root.version.saturating_add(1));
        }
        let verified = verified.and_then(Result::ok);
        let current = verified
            .as_ref()
            .map(|(snapshot, bytes)| checks::is_named(snapshot, bytes, &timestamp.snapshot, self.clock));
        match (current, verified, self.mode) {
            (Some(Ok(())), Some((snapshot, _)), _) => {
                let epoch = Epoch { root: self.root.version, timestamp: timestamp.clone(), snapshot };
                self.snapshot_is_final(epoch);
            }
            (current, _, Mode::Offline) => {
                self.fail(offline_error(current.and_then(Result::err), TopLevelRole::Snapshot.into()));
            }
            (_, verified, Mode::Online) => {
                *stored = verified.map(|(snapshot, _)| snapshot);
                let named = timestamp.snapshot.clone();
                self.fetch(&TopLevelRole::Snapshot.into(), &named, self.limits.snapshot_size);
            }
        }
    }

    pub(super) fn fetched_snapshot(&mut self, answer: FetchAnswer) {
        let Stage::Snapshot { timestamp, stored } = &mut self.stage else { return };
        let (root, named, stored) = (&self.root, &timestamp.snapshot, stored.as_deref());
        let verified = answer.body(&TopLevelRole::Snapshot.into()).and_then(|bytes| {
            let snapshot = checks::snapshot(&bytes, root, named, stored, self.clock)?;
            Ok((bytes, snapshot))
        });
        match verified {
            Err(error) => {
                let version = named.version;
                self.fail(error.with_version(version));
            }
            Ok((bytes, snapshot)) => {
                let epoch = Epoch { root: self.root.version, timestamp: timestamp.clone(), snapshot };
                self.exchange.store(StoredFile::Snapshot, bytes, epoch.snapshot.version);
                self.snapshot_is_final(epoch);
            }
        }
    }

    fn snapshot_is_final(&mut self, epoch: Epoch) {
        self.stage = Stage::Targets(epoch);
        self.exchange.load(StoredFile::Targets);
    }

    // ---- TUF 5.6: targets
    // --------------------------------------------------------------------------------------------

    pub(super) fn stored_targets(&mut self, bytes: Option<&[u8]>) {
        let judged = bytes.map(|bytes| self.judge_targets(bytes));
        match (judged, self.mode) {
            (Some(Ok(targets)), _) => self.targets_are_final(targets),
            (judged, Mode::Offline) => {
                self.fail(offline_error(judged.and_then(Result::err), TopLevelRole::Targets.into()));
            }
            (_, Mode::Online) => {
                let Stage::Targets(epoch) = &self.stage else { return };
                let role = RoleName::from(TopLevelRole::Targets);
                let Some(listed) = epoch.snapshot.role(&role).cloned() else { return self.fail(not_listed(&role)) };
                self.fetch(&role, &listed, self.limits.targets_size);
            }
        }
    }

    pub(super) fn fetched_targets(&mut self, answer: FetchAnswer) {
        let role = RoleName::from(TopLevelRole::Targets);
        let Stage::Targets(epoch) = &self.stage else { return };
        let Some(version) = epoch.snapshot.role(&role).map(|listed| listed.version) else {
            return self.fail(not_listed(&role));
        };
        let verified = answer.body(&role).and_then(|bytes| {
            let targets = self.judge_targets(&bytes)?;
            Ok((bytes, targets))
        });
        match verified {
            Err(error) => self.fail(error.with_version(version)),
            Ok((bytes, targets)) => {
                self.exchange.store(StoredFile::Targets, bytes, targets.version);
                self.targets_are_final(targets);
            }
        }
    }

    fn judge_targets(&self, bytes: &[u8]) -> Result<Verified<Targets>, Error> {
        let role = RoleName::from(TopLevelRole::Targets);
        let Stage::Targets(epoch) = &self.stage else { return Err(not_listed(&role)) };
        let listed = epoch.snapshot.role(&role).ok_or_else(|| not_listed(&role))?;
        let signers = Signers::of_root(&self.root, TopLevelRole::Targets);
        checks::targets(bytes, &role, signers, &format!("root {}", self.root.version), listed, self.clock)
    }

    fn targets_are_final(&mut self, targets: Verified<Targets>) {
        let stage = std::mem::replace(&mut self.stage, Stage::StoredRoots);
        let Stage::Targets(epoch) = stage else {
            self.stage = stage;
            return;
        };
        self.stage = Stage::Ready(epoch);
        self.delegated.set_top_level(targets);
        self.events.push_back(Event::Refreshed);
        for id in self.look_ups.all() {
            self.search(id);
        }
    }

    // ---- requests
    // ----------------------------------------------------------------------------------------------------

    pub(super) fn load_next_root(&mut self) {
        self.exchange.load(StoredFile::Root(self.root.version.saturating_add(1)));
    }

    fn fetch_next_root(&mut self) {
        let next = self.root.version.saturating_add(1);
        self.exchange.fetch(RemoteFile {
            name: format!("{next}.root.json"),
            role: TopLevelRole::Root.into(),
            max_bytes: self.limits.root_size,
            immutable: false,
        });
    }

    fn fetch_timestamp(&mut self) {
        self.exchange.fetch(RemoteFile {
            name: "timestamp.json".to_owned(),
            role: TopLevelRole::Timestamp.into(),
            max_bytes: self.limits.timestamp_size,
            immutable: false,
        });
    }

    /// Asks for a file that other metadata describes. Its signed length takes the place of the limit, within reason.
    pub(super) fn fetch(&mut self, role: &RoleName, described: &FileMeta, limit: u64) {
        // TUF 5.5.1, 5.6.1
        let consistent = self.root.consistent_snapshot();
        let name = if consistent {
            format!("{}.{}.json", described.version, role.encoded())
        } else {
            format!("{}.json", role.encoded())
        };
        let max_bytes = described.length.unwrap_or(limit).min(self.limits.metadata_size);
        self.exchange.fetch(RemoteFile { name, role: role.clone(), max_bytes, immutable: consistent });
    }
}

/// TUF 5.3.11: whether a key that signed for timestamp or snapshot does so no longer. By the keys themselves: their
/// names mean something only within one root.
fn takes_away_keys(before: &Root, after: &Root) -> bool {
    [TopLevelRole::Timestamp, TopLevelRole::Snapshot]
        .into_iter()
        .any(|role| !keys_of(before, role).is_subset(&keys_of(after, role)))
}

fn keys_of(root: &Root, role: TopLevelRole) -> BTreeSet<Vec<u8>> {
    let keys = root.role(role).key_ids.iter().filter_map(|key_id| root.keys.get(key_id));
    keys.map(|key| key.decode().map_or_else(|_| key.to_value().canonical(), |key| key.material())).collect()
}

pub(super) fn not_listed(role: &RoleName) -> Error {
    Error::new(Check::InSnapshot, role.clone(), "an entry in the snapshot", "none")
}

/// Why stored metadata does not suffice: it has expired, or something is missing that would be fetched online.
pub(super) fn offline_error(error: Option<Error>, role: RoleName) -> Error {
    match error {
        Some(error) if error.check() == Check::Expiry => error,
        Some(error) => Error::new(Check::Stored, role, "a current file, since nothing may be fetched", error),
        None => Error::new(Check::Stored, role, "a current file, since nothing may be fetched", "none"),
    }
}
