//! Which delegated roles match a target path, without asking each of 16,384.

use crate::metadata::{Delegations, RoleName};

/// Made once for a targets file.
#[derive(Debug)]
pub(crate) struct DelegationIndex;

/// A delegated role that may speak of a path.
pub(crate) struct Matched {
    pub(crate) name: RoleName,
    /// The last one, if true.
    pub(crate) terminating: bool,
}

impl DelegationIndex {
    pub(crate) fn new(delegations: Option<&Delegations>) -> Self {
        let _ = delegations;
        todo!()
    }

    /// In order of the delegations, up to the first terminating one.
    pub(crate) fn matching(&self, delegations: &Delegations, path: &str) -> Vec<Matched> {
        let _ = (delegations, path);
        todo!()
    }
}
