//! Which published files may be deleted: those that no running client can still need.
//!
//! A client works with the snapshot that was current when it began. So the files that the snapshots of the last day
//! name stay. Of the others only files with names that this program makes are deleted, and never a root.

use std::collections::BTreeSet;

use tuf::UnixTime;

use crate::layout::{METADATA, PACKAGES, PAGES, TIMESTAMP, page_file_name};

/// The number of newest snapshots that stay at any age.
const ALWAYS: usize = 3;

/// The timestamps, of those that were ever published, whose snapshots must stay: the newest ones, and those that were
/// current at some time since `since`. Each is given with its version and when it was signed.
pub fn kept_timestamps(published: &[(u64, UnixTime)], since: UnixTime) -> BTreeSet<u64> {
    let mut published = published.to_vec();
    published.sort_by_key(|(version, _)| *version);
    let newest = published.len().saturating_sub(ALWAYS);
    let ends = published.iter().skip(1).map(|(_, signed_at)| Some(*signed_at)).chain([None]);
    let kept = published.iter().zip(ends).enumerate();
    kept.filter(|(place, (_, end))| *place >= newest || end.is_none_or(|end| end.0 >= since.0))
        .map(|(_, ((version, _), _))| *version)
        .collect()
}

/// Whether a file is of a kind that may be deleted when nothing names it: metadata with a version, pages with a hash,
/// packages. All else is not from this program, or is overwritten in any case.
pub fn is_collectable(path: &str) -> bool {
    if let Some(name) = path.strip_prefix(METADATA) {
        let Some((version, rest)) = name.split_once('.') else { return false };
        let is_version = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
        return is_version && rest != "root.json" && rest.ends_with(".json") && path != TIMESTAMP;
    }
    if let Some(name) = path.strip_prefix(PAGES) {
        let hash = name.split_once('/').and_then(|(_, name)| page_file_name(name));
        return hash.is_some();
    }
    // As `layout::distribution_path` makes them.
    let segments: Vec<&str> = path.strip_prefix(PACKAGES).unwrap_or_default().split('/').collect();
    let [first, second, rest, _] = segments.as_slice() else { return false };
    let is_hex = |text: &str, digits: usize| text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex(first, 2) && is_hex(second, 2) && is_hex(rest, 60)
}

/// The version of a copy of a timestamp, by its path.
pub fn timestamp_copy(path: &str) -> Option<u64> {
    path.strip_prefix(METADATA)?.strip_suffix(".timestamp.json")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_current_stays() {
        let published: Vec<(u64, UnixTime)> =
            (1..=10).map(|version| (version, UnixTime(version as i64 * 100))).collect();
        let kept = |since| kept_timestamps(&published, UnixTime(since)).into_iter().collect::<Vec<_>>();
        assert_eq!(kept(5_000), [8, 9, 10]);
        // 6 was current from 600 to 700.
        assert_eq!(kept(650), [6, 7, 8, 9, 10]);
        assert_eq!(kept(700), [6, 7, 8, 9, 10]);
        assert_eq!(kept(701), [7, 8, 9, 10]);
        assert_eq!(kept(0), (1..=10).collect::<Vec<_>>());
        assert!(kept_timestamps(&[], UnixTime(0)).is_empty());
        assert_eq!(kept_timestamps(&[(7, UnixTime(1))], UnixTime(9)).into_iter().collect::<Vec<_>>(), [7]);
    }

    #[test]
    fn only_what_this_program_names_may_go() {
        let hash = "a".repeat(64);
        for path in [
            "tuf/12.snapshot.json",
            "tuf/3.bins-0a.json",
            "tuf/9.timestamp.json",
            &format!("simple/app/{hash}.vnd.pypi.simple.v1.json"),
            &format!("packages/aa/bb/{}/app-1.0-py3-none-any.whl", "c".repeat(60)),
        ] {
            assert!(is_collectable(path), "{path}");
        }
        for path in [
            "tuf/1.root.json",
            "tuf/timestamp.json",
            "tuf/README",
            "simple/index.html",
            "simple/app/index.json",
            "simple/app/notes.vnd.pypi.simple.v1.json",
            "packages/README.txt",
            "packages/old/app-1.0-py3-none-any.whl",
            "packages/aa/bb/cc/app-1.0-py3-none-any.whl",
            "robots.txt",
            "",
        ] {
            assert!(!is_collectable(path), "{path}");
        }
        assert_eq!(timestamp_copy("tuf/9.timestamp.json"), Some(9));
        assert_eq!(timestamp_copy("tuf/timestamp.json"), None);
    }
}
