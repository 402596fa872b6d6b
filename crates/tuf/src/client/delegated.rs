//! The files of delegated roles: read once, fetched once unless refused, and verified separately for each delegator.
//!
//! A role that two others delegate to must satisfy the keys of the one that the search comes from; that the other one's
//! are satisfied proves nothing. So verdicts are kept by delegator and role, bytes by role.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::checks::{self, Signers, Verified};
use super::refresh::{Stage, not_listed, offline_error};
use super::{Client, FetchAnswer, Mode, StoredFile};
use crate::delegation_index::DelegationIndex;
use crate::error::{Check, Error};
use crate::metadata::threshold::SignedBy;
use crate::metadata::{Delegations, FileMeta, RoleName, Targets, TopLevelRole};

/// A verified targets file of this epoch. What one file delegates depends on its content, so it takes part in verdicts
/// by this and not by its role's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FileId(usize);

/// All targets files of the epoch.
#[derive(Debug, Default)]
pub(super) struct DelegatedFiles {
    verified: Vec<VerifiedTargets>,
    top_level_signed_by: SignedBy,
    verdicts: BTreeMap<(FileId, RoleName), Result<VouchedFile, Error>>,
    candidates: BTreeMap<RoleName, RoleCandidates>,
}

/// A targets file with the way to find out which of its delegations match a path.
#[derive(Debug)]
pub(super) struct VerifiedTargets {
    pub(super) role: RoleName,
    pub(super) targets: Targets,
    pub(super) index: DelegationIndex,
}

/// A file verified with a delegator's keys.
#[derive(Clone, Debug)]
pub(super) struct VouchedFile {
    pub(super) file: FileId,
    /// See [`checks::may_be_another_bin`].
    pub(super) doubtful_bin: bool,
    /// Which of them.
    pub(super) signed_by: SignedBy,
}

/// Bytes that may be the file of a role.
#[derive(Debug, Default)]
struct RoleCandidates {
    stored: Stored,
    remote: Remote,
}

#[derive(Debug, Default)]
enum Stored {
    #[default]
    NotAsked,
    Asked,
    /// There is none, or none that could be valid.
    None,
    Bytes(Body),
}

#[derive(Debug, Default)]
enum Remote {
    #[default]
    NotAsked,
    Asked,
    Failed(Error),
    Bytes(Body),
}

/// The same content is the same file for every delegator.
#[derive(Debug)]
struct Body {
    bytes: Arc<[u8]>,
    file: Option<FileId>,
}

/// The state of a delegated role.
pub(super) enum Obtained {
    Verified(VouchedFile),
    Refused(Error),
    /// An answer must come first.
    Awaited,
}

impl DelegatedFiles {
    pub(super) const TOP_LEVEL: FileId = FileId(0);

    pub(super) fn set_top_level(&mut self, targets: Verified<Targets>) {
        self.verified.clear();
        self.add(TopLevelRole::Targets.into(), targets.content);
        self.top_level_signed_by = targets.signed_by;
    }

    pub(super) fn top_level(&self) -> Option<&Targets> {
        self.get(Self::TOP_LEVEL).map(|file| &file.targets)
    }

    pub(super) fn top_level_signed_by(&self) -> &SignedBy {
        &self.top_level_signed_by
    }

    /// What a look-up has found out about a role that a file delegates to, and who may sign for it.
    pub(super) fn vouched(&self, delegator: FileId, role: &RoleName) -> Option<(&VouchedFile, Signers<'_>)> {
        let vouched = self.verdicts.get(&(delegator, role.clone()))?.as_ref().ok()?;
        let (_, signers, _) = self.delegation(delegator, role)?;
        Some((vouched, signers))
    }

    pub(super) fn get(&self, id: FileId) -> Option<&VerifiedTargets> {
        self.verified.get(id.0)
    }

    /// The top-level targets first.
    pub(super) fn all(&self) -> impl Iterator<Item = &VerifiedTargets> {
        self.verified.iter()
    }

    fn add(&mut self, role: RoleName, targets: Targets) -> FileId {
        let index = DelegationIndex::new(targets.delegations.as_ref());
        self.verified.push(VerifiedTargets { role, targets, index });
        FileId(self.verified.len() - 1)
    }

    /// The delegations of a file, who of them must sign for a role, and the file's own role.
    fn delegation(&self, delegator: FileId, role: &RoleName) -> Option<(&Delegations, Signers<'_>, &RoleName)> {
        let delegating = self.get(delegator)?;
        let delegations = delegating.targets.delegations.as_ref()?;
        let signers = Signers { keys: &delegations.keys, role: delegations.role_keys(role)? };
        Some((delegations, signers, &delegating.role))
    }

    fn candidates(&mut self, role: &RoleName) -> &mut RoleCandidates {
        self.candidates.entry(role.clone()).or_default()
    }
}

impl Client {
    pub(super) fn stored_delegated(&mut self, role: RoleName, bytes: Option<&[u8]>) {
        self.delegated.candidates(&role).stored = match bytes {
            Some(bytes) => Stored::Bytes(Body { bytes: bytes.into(), file: None }),
            None => Stored::None,
        };
        self.resume_searches(&role);
    }

    pub(super) fn fetched_delegated(&mut self, role: RoleName, answer: FetchAnswer) {
        self.delegated.candidates(&role).remote = match answer.body(&role) {
            Ok(bytes) => Remote::Bytes(Body { bytes, file: None }),
            Err(error) => Remote::Failed(error),
        };
        self.resume_searches(&role);
    }

    /// The file of a role, verified with one delegator's keys; requests what is missing.
    pub(super) fn obtain_role(&mut self, delegator: FileId, role: &RoleName) -> Obtained {
        let key = (delegator, role.clone());
        let verdict = match self.delegated.verdicts.get(&key) {
            Some(verdict) => verdict.clone(),
            None => {
                let Some(verdict) = self.judge_delegated(delegator, role) else { return Obtained::Awaited };
                self.delegated.verdicts.insert(key, verdict.clone());
                verdict
            }
        };
        verdict.map_or_else(Obtained::Refused, Obtained::Verified)
    }

    /// The stored file if it is valid, else the repository's. `None` while an answer is awaited.
    fn judge_delegated(&mut self, delegator: FileId, role: &RoleName) -> Option<Result<VouchedFile, Error>> {
        let Stage::Ready(epoch) = &self.stage else { return None };
        // TUF 5.6.7.1: not even fetched.
        let Some(listed) = epoch.snapshot.role(role).cloned() else { return Some(Err(not_listed(role))) };
        let with_version = |error: Error| error.with_version(listed.version);

        let stored = match &self.delegated.candidates(role).stored {
            Stored::NotAsked => {
                self.delegated.candidates(role).stored = Stored::Asked;
                self.exchange.load(StoredFile::Delegated(role.clone()));
                return None;
            }
            Stored::Asked => return None,
            Stored::None => None,
            Stored::Bytes(body) => Some(Arc::clone(&body.bytes)),
        };
        let stored = stored.map(|bytes| self.judge_bytes(delegator, role, &listed, &bytes));
        match (stored, self.mode) {
            // A bin that may be another one is asked for each time: the repository may have the right one by now.
            (Some(Ok((targets, doubtful_bin))), mode) if !doubtful_bin || mode == Mode::Offline => {
                let (targets, signed_by) = (targets.content, targets.signed_by);
                return Some(Ok(VouchedFile { file: self.add_stored(role, targets), doubtful_bin, signed_by }));
            }
            (stored, Mode::Offline) => return Some(Err(offline_error(stored.and_then(Result::err), role.clone()))),
            (Some(Err(error)), Mode::Online) if !is_about_keys(&error) => {
                self.delegated.candidates(role).stored = Stored::None;
            }
            (_, Mode::Online) => {}
        }

        let bytes = match &self.delegated.candidates(role).remote {
            Remote::NotAsked => {
                self.delegated.candidates(role).remote = Remote::Asked;
                self.fetch(role, &listed, self.limits.targets_size);
                return None;
            }
            Remote::Asked => return None,
            Remote::Failed(error) => return Some(Err(with_version(error.clone()))),
            Remote::Bytes(body) => Arc::clone(&body.bytes),
        };
        Some(match self.judge_bytes(delegator, role, &listed, &bytes) {
            Ok((targets, doubtful_bin)) => {
                // One that may be another bin would be trusted offline, only because it was served once.
                let keep = (!doubtful_bin).then_some((bytes, listed.version));
                let (targets, signed_by) = (targets.content, targets.signed_by);
                Ok(VouchedFile { file: self.add_remote(role, targets, keep), doubtful_bin, signed_by })
            }
            Err(error) => {
                let remote = &mut self.delegated.candidates(role).remote;
                if let Remote::Bytes(Body { file: None, .. }) = remote {
                    // An attacker can send many files that are refused: they are not kept. Another delegator fetches
                    // again.
                    *remote = Remote::NotAsked;
                }
                Err(with_version(error))
            }
        })
    }

    fn judge_bytes(
        &self,
        delegator: FileId,
        role: &RoleName,
        listed: &FileMeta,
        bytes: &[u8],
    ) -> Result<(Verified<Targets>, bool), Error> {
        let Some((delegations, signers, delegating)) = self.delegated.delegation(delegator, role) else {
            return Err(not_delegated(role));
        };
        let targets = checks::targets(bytes, role, signers, delegating.as_str(), listed, self.clock)?;
        let doubtful_bin = checks::may_be_another_bin(&targets, role, delegations, listed);
        Ok((targets, doubtful_bin))
    }

    fn add_stored(&mut self, role: &RoleName, targets: Targets) -> FileId {
        if let Stored::Bytes(Body { file: Some(file), .. }) = self.delegated.candidates(role).stored {
            return file;
        }
        let file = self.delegated.add(role.clone(), targets);
        if let Stored::Bytes(body) = &mut self.delegated.candidates(role).stored {
            body.file = Some(file);
        }
        file
    }

    /// Stores it, once, if it is to be kept.
    fn add_remote(&mut self, role: &RoleName, targets: Targets, keep: Option<(Arc<[u8]>, u64)>) -> FileId {
        if let Remote::Bytes(Body { file: Some(file), .. }) = self.delegated.candidates(role).remote {
            return file;
        }
        let file = self.delegated.add(role.clone(), targets);
        if let Remote::Bytes(body) = &mut self.delegated.candidates(role).remote {
            body.file = Some(file);
        }
        if let Some((bytes, version)) = keep {
            self.exchange.store(StoredFile::Delegated(role.clone()), bytes, version);
        }
        file
    }
}

/// Whether another delegator, with other keys, might find nothing wrong.
fn is_about_keys(error: &Error) -> bool {
    matches!(error.check(), Check::Signatures | Check::SupportedKeys)
}

/// A search only reaches delegated roles, so that this is a bug in this crate.
fn not_delegated(role: &RoleName) -> Error {
    Error::new(Check::Signatures, role.clone(), "a role that is delegated to", "no delegation")
}
