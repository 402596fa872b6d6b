//! Everything that is signed, read from the metadata that the client has accepted.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, TryStreamExt as _};
use repository::published::{Opening, trusted_root};
use tuf::UnixTime;
use tuf::metadata::{RoleName, TopLevelRole};

use super::PARALLEL;
use super::place::Place;
use crate::state::refused;
use crate::workplace::disk;
use installer::error::Failure;

/// Everything that is signed.
pub struct Signed {
    /// The target paths of all roles.
    pub paths: BTreeSet<String>,
    /// When roles expire that people sign: root, and all that delegates.
    pub by_people: BTreeMap<RoleName, UnixTime>,
}

impl Signed {
    /// Reads all roles, beginning with the root of this version and the timestamp that the client has accepted.
    ///
    /// # Errors
    /// When a role cannot be read, or is refused.
    pub async fn read(place: &Place, root: u64) -> Result<Self, Failure> {
        let root = match root {
            1 => place.anchor.root.clone(),
            later => remembered(place, &format!("root_history/{later}.root.json"))?,
        };
        let root = trusted_root(&root).map_err(refused)?;
        let mut by_people = BTreeMap::from([(RoleName::from(TopLevelRole::Root), root.expires)]);
        let mut opening = Opening::new(root, &remembered(place, "timestamp.json")?, 0, 0).map_err(refused)?;
        opening.snapshot(&place.must_read(&opening.snapshot_path()).await?).map_err(refused)?;
        while let Some((role, path)) = opening.next_delegator().map_err(refused)? {
            let bytes = place.must_read(&path).await?;
            opening.delegator(role, &bytes).map_err(refused)?;
        }
        let published = opening.finish().map_err(refused)?;
        by_people.extend(published.delegators().iter().map(|(role, targets)| (role.clone(), targets.expires)));
        let leaves = published.leaves().into_iter().chain(published.project_roles().cloned());
        let read = leaves.map(async |role| {
            let bytes = place.must_read(&published.path_of(&role).map_err(refused)?).await?;
            let targets = published.open(&role, &bytes).map_err(refused)?;
            Ok::<_, Failure>((role, targets))
        });
        let read: Vec<_> = futures_util::stream::iter(read).buffer_unordered(PARALLEL).try_collect().await?;
        let projects: BTreeSet<&RoleName> = published.project_roles().collect();
        let mut paths = BTreeSet::new();
        for (role, targets) in read {
            if projects.contains(&role) {
                by_people.insert(role, targets.expires);
            }
            paths.extend(targets.targets.into_keys());
        }
        Ok(Self { paths, by_people })
    }
}

/// A file of the client's memory.
fn remembered(place: &Place, name: &str) -> Result<Vec<u8>, Failure> {
    let path = place.memory().unwrap_or_default().join(name);
    std::fs::read(&path).map_err(|error| disk(&path, &error))
}
