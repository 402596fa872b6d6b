//! What goes back to earlier versions.

use tuf::metadata::{TargetFile, TopLevelRole};
use tuf::{Check, HashAlgorithm};

use super::Expected::{self, Accepted, LookUpsRefused, Refused};
use super::{History, List};
use crate::python_tuf::repository::{Description, Repository, public};

pub(super) fn add(list: &mut List) {
    use History::Needed;
    const UNLIKE: &str = "TUF 5.3.11 discards timestamp and snapshot when a key of either is taken away; python-tuf \
                          compares with what the remaining keys still vouch for";
    list.add("timestamp rolled back", Needed, Refused(&[Check::TimestampRollback]), |repository, _| {
        repository.timestamp.version -= 2;
    });
    list.add("snapshot rolled back", Needed, Refused(&[Check::SnapshotRollback]), |repository, _| {
        repository.snapshot.version -= 2;
    });
    list.add("targets rolled back", Needed, Refused(&[Check::RoleRollback]), |repository, _| {
        repository.targets.get_mut("targets").unwrap().version = 1;
    });
    list.add("delegated role rolled back", Needed, Refused(&[Check::RoleRollback]), |repository, delegated| {
        repository.targets.get_mut(delegated).unwrap().version = 1;
    });
    list.add("delegated role removed", Needed, Refused(&[Check::RoleRemoved]), |repository, delegated| {
        let file = format!("{delegated}.json");
        repository.content("snapshot", move |content| {
            content["meta"].as_object_mut().unwrap().remove(&file);
        });
    });
    list.add(
        "delegated role not listed",
        History::Unwanted,
        LookUpsRefused(&[Check::InSnapshot]),
        |repository, delegated| {
            let file = format!("{delegated}.json");
            repository.content("snapshot", move |content| {
                content["meta"].as_object_mut().unwrap().remove(&file);
            });
        },
    );
    list.add("targets not listed", History::Either, Refused(&[Check::Format]), |repository, _| {
        repository.content("snapshot", move |content| {
            content["meta"].as_object_mut().unwrap().remove("targets.json");
        });
    });
    list.add("timestamp goes back with new keys", Needed, Accepted, |repository, _| {
        repository.timestamp.version -= 2;
        rotate(repository, &[TopLevelRole::Timestamp]);
    });
    list.add("timestamp and snapshot go back with new keys", Needed, Accepted, |repository, _| {
        repository.timestamp.version -= 2;
        repository.snapshot.version -= 2;
        rotate(repository, &[TopLevelRole::Timestamp, TopLevelRole::Snapshot]);
    });
    list.add("targets go back with new keys of the snapshot", Needed, Accepted, |repository, _| {
        repository.targets.get_mut("targets").unwrap().version = 1;
        rotate(repository, &[TopLevelRole::Snapshot]);
    });
    list.add("targets go back with new keys of its own", Needed, Refused(&[Check::RoleRollback]), |repository, _| {
        repository.targets.get_mut("targets").unwrap().version = 1;
        rotate(repository, &[TopLevelRole::Targets]);
    });
    list.add(
        "timestamp goes back and gets one more key",
        Needed,
        Refused(&[Check::TimestampRollback]),
        |repository, _| {
            repository.timestamp.version -= 2;
            let (mut keys, threshold) = (repository.signers["timestamp"].clone(), repository.enough["timestamp"]);
            keys.push(repository.new_key());
            repository.root.set_role(TopLevelRole::Timestamp, &public(&keys), threshold as u64);
            repository.signers.insert("timestamp".to_owned(), keys);
            repository.next_root();
            repository.publish_root();
        },
    );
    list.add("snapshot goes back with new keys", Needed, Expected::Differs(None, UNLIKE), |repository, _| {
        repository.snapshot.version -= 2;
        rotate(repository, &[TopLevelRole::Snapshot]);
    });
    list.add(
        "stored snapshot of the version named, but another content",
        Needed,
        Expected::Differs(
            None,
            "python-tuf keeps the stored snapshot, whose hash is not the signed one; it is used here only with that hash",
        ),
        |repository, delegated| {
            repository.described_by = Description { length: true, hashes: vec![HashAlgorithm::Sha256] };
            repository.snapshot.version -= 1;
            // Shows in what look-ups find.
            repository.change("targets");
            repository.change(delegated);
            let targets = repository.targets.get_mut("targets").unwrap();
            for path in crate::python_tuf::shape::PATHS {
                targets.targets.insert(path.to_owned(), TargetFile::of(b"of the new snapshot"));
            }
        },
    );
}

fn rotate(repository: &mut Repository, roles: &[TopLevelRole]) {
    for role in roles {
        repository.new_top_level_keys(*role);
    }
    repository.next_root();
    repository.publish_root();
}
