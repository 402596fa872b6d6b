//! Lets a test kill the process, or make an operation fail, at a chosen step of a transaction.
//!
//! Every change to the disk calls [`step`] first. Without the feature `fault-injection`, which only this crate's own tests
//! switch on, that is nothing.

#[cfg(not(feature = "fault-injection"))]
#[inline(always)]
pub(crate) fn step() -> std::io::Result<()> {
    Ok(())
}

#[cfg(feature = "fault-injection")]
pub(crate) use enabled::step;

/// For this crate's own tests.
#[cfg(feature = "fault-injection")]
pub mod enabled {
    use std::io;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    static STEPS: AtomicU64 = AtomicU64::new(0);
    static KILL_AT: AtomicU64 = AtomicU64::new(u64::MAX);
    static FAIL_AT: AtomicU64 = AtomicU64::new(u64::MAX);
    static FAIL_FOREVER: AtomicBool = AtomicBool::new(false);

    /// Kills this process with SIGKILL just before the step of this number (from 0).
    pub fn kill_at(step: u64) {
        KILL_AT.store(step, Ordering::SeqCst);
    }

    /// Makes the step of this number fail as if the disk were full; with `forever` all later ones as well.
    pub fn fail_at(step: u64, forever: bool) {
        FAIL_FOREVER.store(forever, Ordering::SeqCst);
        FAIL_AT.store(step, Ordering::SeqCst);
    }

    /// How many steps this process has taken.
    pub fn steps() -> u64 {
        STEPS.load(Ordering::SeqCst)
    }

    pub(crate) fn step() -> io::Result<()> {
        let number = STEPS.fetch_add(1, Ordering::SeqCst);
        if number >= KILL_AT.load(Ordering::SeqCst) {
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            std::process::abort();
        }
        let fail_at = FAIL_AT.load(Ordering::SeqCst);
        if number == fail_at || (number > fail_at && FAIL_FOREVER.load(Ordering::SeqCst)) {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        Ok(())
    }
}
