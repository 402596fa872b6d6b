//! The chain of roles and signatures behind a target.

use super::checks::{Signers, Verified};
use super::delegated::DelegatedFiles;
use super::{Client, Target};
use crate::metadata::threshold::SignedBy;
use crate::metadata::{RoleName, Signed, TopLevelRole};
use crate::{Key, KeyId, UnixTime};

/// One role of a [`Client::chain`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChainLink {
    /// Whose metadata it is.
    pub role: RoleName,
    /// Of the file that is used.
    pub version: u64,
    /// When that file stops being usable.
    pub expires: UnixTime,
    /// How many different keys must sign.
    pub threshold: u64,
    /// Those that may, as the role before names them: for the top-level roles the root, for the root itself.
    pub signers: Vec<Signer>,
}

/// A key that may sign for a role.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Signer {
    /// Its name in the file that names it.
    pub key_id: KeyId,
    /// `None` if that file has no key of this name, which then counts for nothing.
    pub key: Option<Key>,
    /// Whether it made one of the signatures by which the file was verified. There are as many of these as the
    /// threshold: once enough have been verified, no other is tried.
    pub signed: bool,
}

impl Client {
    /// All that a target which was found rests on: root, timestamp, snapshot, then [`Target::roles`] from `targets` to
    /// the role that signed it, each with the keys that the delegation by which it was found names. Made when it is
    /// asked for.
    ///
    /// `None` if it is no target of this client's epoch.
    pub fn chain(&self, target: &Target) -> Option<Vec<ChainLink>> {
        let epoch = self.epoch()?;
        let top_level = Signers::of_root(&self.root, TopLevelRole::Targets);
        let mut chain = vec![
            self.top_level_link(&self.root),
            self.top_level_link(&epoch.timestamp),
            self.top_level_link(&epoch.snapshot),
            link(
                self.delegated.top_level()?,
                TopLevelRole::Targets.into(),
                top_level,
                self.delegated.top_level_signed_by(),
            ),
        ];
        let mut file = DelegatedFiles::TOP_LEVEL;
        for role in target.roles.iter().skip(1) {
            let (vouched, signers) = self.delegated.vouched(file, role)?;
            file = vouched.file;
            chain.push(link(&self.delegated.get(file)?.targets, role.clone(), signers, &vouched.signed_by));
        }
        let listed = self.delegated.get(file)?.targets.targets.get(&target.path)?;
        (listed.length == target.length && listed.hashes == target.hashes).then_some(chain)
    }

    fn top_level_link<T: Signed>(&self, verified: &Verified<T>) -> ChainLink {
        link(&verified.content, T::TYPE.into(), Signers::of_root(&self.root, T::TYPE), &verified.signed_by)
    }
}

fn link<T: Signed>(content: &T, role: RoleName, signers: Signers<'_>, signed_by: &SignedBy) -> ChainLink {
    let signer = |(place, key_id): (usize, &KeyId)| Signer {
        key_id: key_id.clone(),
        key: signers.keys.get(key_id).cloned(),
        signed: signed_by.contains(&place),
    };
    ChainLink {
        role,
        version: content.version(),
        expires: content.expires(),
        threshold: signers.role.threshold,
        signers: signers.role.key_ids.iter().enumerate().map(signer).collect(),
    }
}
