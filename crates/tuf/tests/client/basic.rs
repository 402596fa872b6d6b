//! One refresh of an honest repository, and of one with a single file wrong.

use tuf::{Error, StoredFile};

use crate::simulator::{Machine, Repository};

#[test]
fn a_first_refresh_asks_for_the_four_roles_and_keeps_them_as_received() -> Result<(), Error> {
    let repository = Repository::new();
    let mut machine = Machine::trusting(&repository);
    machine.refresh(&repository)?;
    assert_eq!(machine.requested, ["2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"]);
    assert_eq!(machine.trusts(), "root 1, timestamp 1, snapshot 1, targets 1");
    assert_eq!(machine.stored[&StoredFile::Timestamp], repository.file("timestamp"));
    assert_eq!(machine.stored[&StoredFile::Snapshot], repository.file("snapshot"));
    assert_eq!(machine.stored[&StoredFile::Targets], repository.file("targets"));
    Ok(())
}
