//! The search for a target: pre-order, depth first, in order of the delegations (TUF 5.6.7).

use std::collections::BTreeMap;

use super::delegated::{DelegatedFiles, FileId, Obtained, VouchedFile};
use super::{Client, Event, Target};
use crate::error::Error;
use crate::metadata::RoleName;

/// Pairs a result with a [`Client::look_up`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LookUpId(u64);

/// What a look-up found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookUp {
    /// The repository has signed the target.
    Found(Target),
    /// None of the roles that were searched lists the target.
    NotFound {
        /// Those roles, in order.
        searched: Vec<RoleName>,
        /// `None`: the repository's keys prove that the target does not exist, as far as signatures can. Otherwise
        /// there may be one.
        doubt: Option<AbsenceDoubt>,
    },
}

/// Why a target that was not found may exist nevertheless.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AbsenceDoubt {
    /// More roles may list the path than [`Limits::delegations_visited`](crate::Limits::delegations_visited) allows to
    /// ask.
    Truncated,
    /// This role is a hashed bin, its file lists no target of this bin, and the snapshot gives no hash for it: it may
    /// be another bin's. Nothing in a file says which bin it is, and bins often have the same keys and the same
    /// version.
    Bin(RoleName),
}

/// All searches that have no result yet.
#[derive(Debug, Default)]
pub(super) struct LookUps {
    next_id: u64,
    running: BTreeMap<LookUpId, Search>,
    /// By the role whose file they need next.
    waiting: BTreeMap<RoleName, Vec<LookUpId>>,
}

#[derive(Debug)]
struct Search {
    path: String,
    /// Roles to search, the next one last.
    to_visit: Vec<Visit>,
    visited: Vec<RoleName>,
    /// The first bin that may be another.
    doubtful_bin: Option<RoleName>,
}

#[derive(Clone, Debug)]
struct Visit {
    role: RoleName,
    delegator: FileId,
    /// The roles from `targets` to the delegator.
    chain: Vec<RoleName>,
}

/// The result of a step of the search.
enum Step {
    Done(LookUp),
    Next,
}

impl LookUps {
    pub(super) fn add(&mut self, path: String) -> LookUpId {
        self.next_id += 1;
        let id = LookUpId(self.next_id);
        self.running.insert(id, Search { path, to_visit: Vec::new(), visited: Vec::new(), doubtful_bin: None });
        id
    }

    pub(super) fn all(&self) -> Vec<LookUpId> {
        self.running.keys().copied().collect()
    }
}

impl Client {
    /// Goes on with the searches that waited for this role's file.
    pub(super) fn resume_searches(&mut self, role: &RoleName) {
        for id in self.look_ups.waiting.remove(role).unwrap_or_default() {
            self.search(id);
        }
    }

    pub(super) fn answer_look_up(&mut self, id: LookUpId, result: Result<LookUp, Error>) {
        if self.look_ups.running.remove(&id).is_some() {
            self.events.push_back(Event::LookedUp { id, result });
        }
    }

    /// Searches as far as it can without waiting.
    pub(super) fn search(&mut self, id: LookUpId) {
        let Some(mut search) = self.look_ups.running.remove(&id) else { return };
        let result = self.search_on(id, &mut search);
        self.look_ups.running.insert(id, search);
        if let Some(result) = result {
            self.answer_look_up(id, result);
        }
    }

    /// `None` when a file has to come first.
    fn search_on(&mut self, id: LookUpId, search: &mut Search) -> Option<Result<LookUp, Error>> {
        let limit = self.limits.delegations_visited;
        if search.visited.is_empty()
            && let Step::Done(found) = search.ask(&self.delegated, DelegatedFiles::TOP_LEVEL, Vec::new(), limit)
        {
            return Some(Ok(found));
        }
        // The top-level role does not count.
        while search.visited.len() <= limit
            && let Some(visit) = search.to_visit.pop()
        {
            if search.visited.contains(&visit.role) {
                continue;
            }
            match self.obtain_role(visit.delegator, &visit.role) {
                Obtained::Verified(VouchedFile { file, doubtful_bin, .. }) => {
                    if let Step::Done(found) = search.ask(&self.delegated, file, visit.chain, limit) {
                        return Some(Ok(found));
                    }
                    if doubtful_bin && search.doubtful_bin.is_none() {
                        search.doubtful_bin = Some(visit.role);
                    }
                }
                // A role that cannot be verified ends the search: no later one may answer in its place.
                Obtained::Refused(error) => return Some(Err(error)),
                Obtained::Awaited => {
                    self.look_ups.waiting.entry(visit.role.clone()).or_default().push(id);
                    search.to_visit.push(visit);
                    return None;
                }
            }
        }
        let truncated = search.to_visit.iter().any(|visit| !search.visited.contains(&visit.role));
        let bin = search.doubtful_bin.take().map(AbsenceDoubt::Bin);
        let doubt = if truncated { Some(AbsenceDoubt::Truncated) } else { bin };
        Some(Ok(LookUp::NotFound { searched: std::mem::take(&mut search.visited), doubt }))
    }
}

impl Search {
    /// Searches one verified file: for the target, and for further roles to search.
    fn ask(&mut self, files: &DelegatedFiles, id: FileId, mut chain: Vec<RoleName>, limit: usize) -> Step {
        let Some(file) = files.get(id) else { return Step::Next };
        chain.push(file.role.clone());
        if let Some(target) = file.targets.targets.get(&self.path) {
            return Step::Done(LookUp::Found(Target {
                path: self.path.clone(),
                length: target.length,
                hashes: target.hashes.clone(),
                custom: target.custom.clone(),
                roles: chain,
            }));
        }
        self.visited.push(file.role.clone());
        let Some(delegations) = &file.targets.delegations else { return Step::Next };
        let matching = file.index.matching(delegations, &self.path);
        // TUF 5.6.7.2.1: a terminating delegation leaves only what stands before it in this file, and itself.
        if matching.iter().any(|matched| matched.terminating) {
            self.to_visit.clear();
        }
        // The first one is asked next. No more of them than can be asked at all, all visited ones being among them.
        for matched in matching.into_iter().take(limit.saturating_add(2)).rev() {
            self.to_visit.push(Visit { role: matched.name, delegator: id, chain: chain.clone() });
        }
        Step::Next
    }
}
