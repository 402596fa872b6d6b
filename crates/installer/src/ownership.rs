//! Whether another user can write into a directory that is relied on.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// Why other users could have written here; `None` when only the user and root can. `may_belong_to_others` is for a
/// place that the user named although it is not the user's own.
pub fn writable_by_others(metadata: &Metadata, may_belong_to_others: bool) -> Option<&'static str> {
    if !may_belong_to_others && metadata.uid() != 0 && !is_own(metadata) {
        Some("it belongs to another user")
    } else if metadata.mode() & 0o002 != 0 {
        Some("everybody may write to it")
    } else {
        None
    }
}

/// As [`writable_by_others`], for a place that is for one user alone: not even a group may write there.
pub fn writable_by_others_or_group(metadata: &Metadata) -> Option<&'static str> {
    let by_group = (metadata.mode() & 0o020 != 0).then_some("its group may write to it");
    writable_by_others(metadata, false).or(by_group)
}

/// Whether something belongs to the user who runs this.
pub fn is_own(metadata: &Metadata) -> bool {
    metadata.uid() == rustix::process::geteuid().as_raw()
}
