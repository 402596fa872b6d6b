//! What shows that an unpacked file is still what it was: the time when the system changed its entry last (`ctime`), which
//! no program sets. Writing into a file changes it, through whatever link; linking and unlinking do so, too.

use std::sync::atomic::{AtomicI64, Ordering};

/// For each file of an unpacked wheel, or of its bytecode, the time after it was linked last, in nanoseconds since 1970.
/// A file whose time differs, or is not known, is hashed before it is linked.
#[derive(Debug, Default)]
pub struct LinkTimes(Vec<AtomicI64>);

const UNKNOWN: i64 = 0;

impl LinkTimes {
    /// These times, in the order of the files.
    pub fn new(times: impl IntoIterator<Item = i64>) -> LinkTimes {
        LinkTimes(times.into_iter().map(AtomicI64::new).collect())
    }

    /// Nothing is known: every file is hashed.
    pub fn unknown(files: usize) -> LinkTimes {
        LinkTimes::new(std::iter::repeat_n(UNKNOWN, files))
    }

    /// The times, in the order of the files, for [`LinkTimes::new`].
    pub fn to_vec(&self) -> Vec<i64> {
        self.0.iter().map(|time| time.load(Ordering::Relaxed)).collect()
    }

    pub(crate) fn is_known(&self, file: usize, time: i64) -> bool {
        time != UNKNOWN && self.0.get(file).is_some_and(|known| known.load(Ordering::Relaxed) == time)
    }

    pub(crate) fn set(&self, file: usize, time: i64) {
        if let Some(known) = self.0.get(file) {
            known.store(time, Ordering::Relaxed);
        }
    }
}
