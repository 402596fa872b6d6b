//! Whether another user can write into a directory that is relied on.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// Why other users could have written here; `None` when only the user and root can. `may_belong_to_others` is for a
/// place that the user named although it is not the user's own.
pub fn writable_by_others(metadata: &Metadata, may_belong_to_others: bool) -> Option<&'static str> {
    let user = rustix::process::geteuid().as_raw();
    if !may_belong_to_others && metadata.uid() != 0 && metadata.uid() != user {
        Some("it belongs to another user")
    } else if metadata.mode() & 0o002 != 0 {
        Some("everybody may write to it")
    } else {
        None
    }
}
