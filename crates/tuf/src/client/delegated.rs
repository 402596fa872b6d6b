//! The files of delegated roles: each is read and fetched at most once, and judged for each delegator by itself.
//!
//! A role that two others delegate to must satisfy the keys of the one that the search comes from; that the other one's
//! are satisfied proves nothing. So verdicts are kept by delegator and role, bytes by role.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::checks::{self, Signers};
use super::refresh::{Stage, not_listed, offline_error};
use super::{Answer, Client, Mode, StoredFile};
use crate::delegation_index::DelegationIndex;
use crate::error::{Check, Error};
use crate::metadata::{RoleName, Targets, TopLevelRole};

/// A verified targets file of this epoch. What one file delegates depends on its content, so it takes part in verdicts by
/// this and not by its role's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FileId(usize);

/// All targets files of the epoch.
#[derive(Debug, Default)]
pub(super) struct DelegatedFiles {
    verified: Vec<VerifiedTargets>,
    verdicts: BTreeMap<(FileId, RoleName), Result<FileId, Error>>,
    candidates: BTreeMap<RoleName, Candidates>,
}

/// A targets file with the way to find out which of its delegations match a path.
#[derive(Debug)]
pub(super) struct VerifiedTargets {
    pub(super) role: RoleName,
    pub(super) targets: Targets,
    pub(super) index: DelegationIndex,
    /// It is a hashed bin and lists only targets that its delegator gives to other bins.
    pub(super) is_another_bin: bool,
}

/// Bytes that may be the file of a role.
#[derive(Debug, Default)]
struct Candidates {
    stored: Candidate<Option<Arc<[u8]>>>,
    remote: Candidate<Answer>,
    /// The remote one is in the store already.
    kept: bool,
}

#[derive(Debug, Default)]
enum Candidate<T> {
    #[default]
    NotAsked,
    Asked,
    Answered(T),
}

/// What is known of a delegated role.
pub(super) enum Obtained {
    Verified(FileId),
    Refused(Error),
    /// An answer has to come first.
    Awaited,
}

impl DelegatedFiles {
    pub(super) const TOP_LEVEL: FileId = FileId(0);

    pub(super) fn set_top_level(&mut self, targets: Targets) {
        self.verified.clear();
        self.add(TopLevelRole::Targets.into(), targets, false);
    }

    pub(super) fn top_level(&self) -> Option<&Targets> {
        self.get(Self::TOP_LEVEL).map(|file| &file.targets)
    }

    pub(super) fn get(&self, id: FileId) -> Option<&VerifiedTargets> {
        self.verified.get(id.0)
    }

    /// Who must sign for a role that this file delegates to, and the file's own role.
    fn signers(&self, delegator: FileId, role: &RoleName) -> Option<(&RoleName, Signers<'_>)> {
        let delegating = self.get(delegator)?;
        let delegations = delegating.targets.delegations.as_ref()?;
        Some((&delegating.role, Signers { keys: &delegations.keys, role: delegations.role_keys(role)? }))
    }

    fn add_delegated(&mut self, delegator: FileId, role: RoleName, targets: Targets) -> FileId {
        let delegations = self.get(delegator).and_then(|delegating| delegating.targets.delegations.as_ref());
        let is_another_bin =
            delegations.is_some_and(|delegations| checks::is_another_bin(&targets, &role, delegations));
        self.add(role, targets, is_another_bin)
    }

    fn add(&mut self, role: RoleName, targets: Targets, is_another_bin: bool) -> FileId {
        let index = DelegationIndex::new(targets.delegations.as_ref());
        self.verified.push(VerifiedTargets { role, targets, index, is_another_bin });
        FileId(self.verified.len() - 1)
    }
}

impl Client {
    pub(super) fn stored_delegated(&mut self, role: RoleName, bytes: Option<&[u8]>) {
        let candidates = self.delegated.candidates.entry(role.clone()).or_default();
        candidates.stored = Candidate::Answered(bytes.map(Arc::from));
        self.resume_searches(&role);
    }

    pub(super) fn fetched_delegated(&mut self, role: RoleName, answer: Answer) {
        let candidates = self.delegated.candidates.entry(role.clone()).or_default();
        candidates.remote = Candidate::Answered(answer);
        self.resume_searches(&role);
    }

    /// The file of a role as one delegator's keys vouch for it; asks for what is missing.
    pub(super) fn obtain(&mut self, delegator: FileId, role: &RoleName) -> Obtained {
        let key = (delegator, role.clone());
        if let Some(verdict) = self.delegated.verdicts.get(&key) {
            return match verdict {
                Ok(file) => Obtained::Verified(*file),
                Err(error) => Obtained::Refused(error.clone()),
            };
        }
        let verdict = match self.judge_delegated(delegator, role) {
            Some(Ok(targets)) => Ok(self.delegated.add_delegated(delegator, role.clone(), targets)),
            Some(Err(error)) => Err(error),
            None => return Obtained::Awaited,
        };
        self.delegated.verdicts.insert(key, verdict.clone());
        verdict.map_or_else(Obtained::Refused, Obtained::Verified)
    }

    /// The stored file if it is good, else the repository's. `None` while an answer is awaited.
    fn judge_delegated(&mut self, delegator: FileId, role: &RoleName) -> Option<Result<Targets, Error>> {
        let Stage::Ready(epoch) = &self.stage else { return None };
        // TUF 5.6.7.1: not even asked for.
        let Some(listed) = epoch.snapshot.role(role) else { return Some(Err(not_listed(role))) };
        let Some((delegating, signers)) = self.delegated.signers(delegator, role) else {
            return Some(Err(not_delegated(role)));
        };
        let judge = |bytes: &[u8]| checks::targets(bytes, role, signers, delegating.as_str(), listed, self.now);

        let candidates = self.delegated.candidates.get(role);
        let stored = match candidates.map(|candidates| &candidates.stored) {
            None | Some(Candidate::NotAsked) => {
                self.delegated.candidates.entry(role.clone()).or_default().stored = Candidate::Asked;
                self.exchange.load(StoredFile::Delegated(role.clone()));
                return None;
            }
            Some(Candidate::Asked) => return None,
            Some(Candidate::Answered(stored)) => stored.as_deref().map(judge),
        };
        match (stored, self.mode) {
            (Some(Ok(targets)), _) => return Some(Ok(targets)),
            (stored, Mode::Offline) => return Some(Err(offline_error(stored.and_then(Result::err), role.clone()))),
            (_, Mode::Online) => {}
        }
        match candidates.map(|candidates| &candidates.remote) {
            None | Some(Candidate::NotAsked) => {
                let listed = listed.clone();
                self.delegated.candidates.entry(role.clone()).or_default().remote = Candidate::Asked;
                self.fetch(role, &listed, self.limits.targets_size);
                None
            }
            Some(Candidate::Asked) => None,
            Some(Candidate::Answered(answer)) => {
                let version = listed.version;
                let verified = answer.clone().body(role).and_then(|bytes| Ok((judge(&bytes)?, bytes)));
                Some(match verified {
                    Ok((targets, bytes)) => {
                        self.keep(role, bytes, version);
                        Ok(targets)
                    }
                    Err(error) => Err(error.with_version(version)),
                })
            }
        }
    }

    /// Once, however many delegators' keys it satisfies.
    fn keep(&mut self, role: &RoleName, bytes: Arc<[u8]>, version: u64) {
        let candidates = self.delegated.candidates.entry(role.clone()).or_default();
        if !std::mem::replace(&mut candidates.kept, true) {
            self.exchange.store(StoredFile::Delegated(role.clone()), bytes, version);
        }
    }
}

/// Searches come only to roles that are delegated to, so this is said of a mistake in here.
fn not_delegated(role: &RoleName) -> Error {
    Error::new(Check::Signatures, role.clone(), "a role that is delegated to", "no delegation")
}
