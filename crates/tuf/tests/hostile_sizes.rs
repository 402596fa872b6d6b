//! Files made to be expensive: the client refuses them, or handles them, in bounded time and memory.
//!
//! Each case runs in a process of its own, this binary again, so that its peak of memory can be read from
//! `/proc/self/status` (elsewhere only the time is checked). The bound on time is one that catches what grows with the
//! square of its input even without optimisation on a busy machine; docs/benchmarks.md has real figures, which
//! `cargo test --release -p tuf --test hostile_sizes -- --nocapture` prints.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "hostile_sizes/cases.rs"]
mod cases;
#[path = "hostile_sizes/stage.rs"]
mod stage;

use std::path::PathBuf;
use std::time::Duration;

use testkit::Command;

use cases::CASES;

/// Names the case that the child process runs.
const CASE: &str = "TUFPIP_TEST_HOSTILE_CASE";

const MOST_TIME: Duration = Duration::from_secs(if cfg!(debug_assertions) { 30 } else { 10 });

/// In KiB, of the whole process, with the hostile file itself.
const MOST_MEMORY: u64 = 256 << 10;

#[test]
fn every_case_is_bounded() {
    let this = std::env::current_exe().unwrap();
    let mut failed = Vec::new();
    for (number, case) in CASES.iter().enumerate() {
        let directory = directory(number);
        std::fs::create_dir_all(&directory).unwrap();
        (case.stage)().write(&directory);
        let child = Command::new(&this)
            .args(["one_case", "--exact", "--nocapture"])
            .env(CASE, number.to_string())
            .time_limit(MOST_TIME * 4)
            .run();
        std::fs::remove_dir_all(&directory).unwrap();
        eprint!("{}", child.stderr);
        if !child.succeeded() {
            failed.push(case.name);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Does nothing unless it runs as the child.
#[test]
fn one_case() {
    let Ok(number) = std::env::var(CASE) else { return };
    let number: usize = number.parse().unwrap();
    let case = &CASES[number];
    let (found, took) = stage::run(&directory(number));
    let peak = peak_memory();
    eprintln!("{:50} {took:9.1?} {:4} MB  {found}", case.name, peak.unwrap_or(0) >> 10);
    assert!(found.starts_with(case.expected), "expected {}, found {found}", case.expected);
    assert!(took < MOST_TIME, "{took:?}");
    assert!(peak.is_none_or(|peak| peak < MOST_MEMORY), "{peak:?} KiB");
}

fn directory(number: usize) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("hostile-{number}"))
}

/// In KiB.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
