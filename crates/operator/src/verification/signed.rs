//! All signed paths, read from the metadata that the client has accepted.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, TryStreamExt as _};
use repository::published::{PublishedReader, trusted_root};
use tuf::UnixTime;
use tuf::metadata::{RoleName, TopLevelRole};

use super::PARALLEL;
use super::place::PublishedIndex;
use crate::operator_directory::disk_failure;
use crate::published_state::refused;
use installer::error::Failure;

/// Everything that is signed.
pub struct SignedPaths {
    /// The target paths of all roles.
    pub paths: BTreeSet<String>,
    /// When offline metadata expires: root, and all roles that delegate.
    pub offline_metadata: BTreeMap<RoleName, UnixTime>,
}

impl SignedPaths {
    /// Reads all roles, beginning with the root of this version and the timestamp that the client has accepted.
    ///
    /// # Errors
    /// When a role cannot be read, or is refused.
    pub async fn read(published_index: &PublishedIndex, root: u64) -> Result<Self, Failure> {
        let root = match root {
            1 => published_index.anchor.root.clone(),
            later => remembered(published_index, &format!("root_history/{later}.root.json"))?,
        };
        let root = trusted_root(&root).map_err(refused)?;
        let mut offline_metadata = BTreeMap::from([(RoleName::from(TopLevelRole::Root), root.expires)]);
        let mut opening =
            PublishedReader::new(root, &remembered(published_index, "timestamp.json")?, 0, 0).map_err(refused)?;
        opening.snapshot(&published_index.must_read(&opening.snapshot_path()).await?).map_err(refused)?;
        while let Some((role, path)) = opening.next_delegator().map_err(refused)? {
            let bytes = published_index.must_read(&path).await?;
            opening.delegator(role, &bytes).map_err(refused)?;
        }
        let published = opening.finish().map_err(refused)?;
        offline_metadata.extend(published.delegators().iter().map(|(role, targets)| (role.clone(), targets.expires)));
        let leaves = published.leaves().into_iter().chain(published.project_roles().cloned());
        let read = leaves.map(async |role| {
            let bytes = published_index.must_read(&published.path_of(&role).map_err(refused)?).await?;
            let targets = published.open(&role, &bytes).map_err(refused)?;
            Ok::<_, Failure>((role, targets))
        });
        let read: Vec<_> = futures_util::stream::iter(read).buffer_unordered(PARALLEL).try_collect().await?;
        let projects: BTreeSet<&RoleName> = published.project_roles().collect();
        let mut paths = BTreeSet::new();
        for (role, targets) in read {
            if projects.contains(&role) {
                offline_metadata.insert(role, targets.expires);
            }
            paths.extend(targets.targets.into_keys());
        }
        Ok(Self { paths, offline_metadata })
    }
}

/// A file of the client's store.
fn remembered(published_index: &PublishedIndex, name: &str) -> Result<Vec<u8>, Failure> {
    let path = published_index.memory().unwrap_or_default().join(name);
    std::fs::read(&path).map_err(|error| disk_failure(&path, error))
}
