//! Inflating the files of a wheel on all threads of the current rayon pool, hashing them on the way, and writing them.

use std::collections::BTreeSet;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::UNIX_EPOCH;

use rayon::prelude::*;

use crate::archive::{ArchiveEntry, Inflater, WheelArchive, ancestors};
use crate::error::{Refusal, Rule, WheelError};
use crate::manifest::UnpackedFile;
use crate::unpack::ExpectedDigest;
use crate::unpack::record_check::Hasher;

/// Wheels that unpack to less than this many bytes are not worth waking another thread for.
const SERIAL_SIZE: u64 = 256 << 10;
/// Entries a thread takes at a time once the large ones are done: neighbours lie in the same directory, and two threads
/// creating files in one directory wait for each other.
const BATCH: usize = 16;

/// Writes `entries` below `into`, each with the contents it must have. On error, some of them may have been written.
pub(super) fn write_all(
    archive: &WheelArchive,
    entries: &[&ArchiveEntry],
    expected: &[ExpectedDigest],
    into: &Path,
) -> Result<Vec<UnpackedFile>, WheelError> {
    create_directories(archive, entries, into)?;
    on_all_threads(entries, expected, |entry, expected, inflater| write_file(archive, entry, expected, into, inflater))
}

/// Inflates `entries`, each of which must have its contents, and writes nothing.
pub(super) fn check_all(
    archive: &WheelArchive,
    entries: &[&ArchiveEntry],
    expected: &[ExpectedDigest],
) -> Result<(), WheelError> {
    let check = |entry: &ArchiveEntry, expected: &ExpectedDigest, inflater: &mut Inflater| {
        contents(archive, entry, expected, inflater, |_| Ok(())).map(|_| ())
    };
    on_all_threads(entries, expected, check).map(|_| ())
}

/// What `work` makes of each entry, in any order; the first error ends it.
fn on_all_threads<Done: Send>(
    entries: &[&ArchiveEntry],
    expected: &[ExpectedDigest],
    work: impl Fn(&ArchiveEntry, &ExpectedDigest, &mut Inflater) -> Result<Done, WheelError> + Sync,
) -> Result<Vec<Done>, WheelError> {
    let mut queue: Vec<(&ArchiveEntry, &ExpectedDigest)> = entries.iter().copied().zip(expected).collect();
    // Large entries first, so that no thread is left with one at the end; the rest stay in their directories' order.
    queue.sort_by_key(|(entry, _)| std::cmp::Reverse(entry.size.max(SERIAL_SIZE)));
    let total: u64 = entries.iter().map(|entry| entry.size).sum();
    let threads = if total < SERIAL_SIZE { 1 } else { rayon::current_num_threads().min(queue.len()) };
    let next = AtomicUsize::new(0);
    let on_one_thread = |inflater: &mut Inflater| {
        let mut done = Vec::new();
        while let Some(batch) = take_batch(&queue, &next) {
            for (entry, expected) in batch {
                let one = work(entry, expected, inflater);
                // The others need not go on either.
                done.push(one.inspect_err(|_| next.store(queue.len(), Ordering::Relaxed))?);
            }
        }
        Ok(done)
    };
    if threads <= 1 {
        return on_one_thread(&mut Inflater::new());
    }
    let done: Result<Vec<Vec<Done>>, WheelError> =
        (0..threads).into_par_iter().with_max_len(1).map(|_| on_one_thread(&mut Inflater::new())).collect();
    Ok(done?.into_iter().flatten().collect())
}

/// The next entries to work on: one large one, or a few small ones.
fn take_batch<'a, Work: Copy>(
    queue: &'a [(&ArchiveEntry, Work)],
    next: &AtomicUsize,
) -> Option<&'a [(&'a ArchiveEntry, Work)]> {
    let mut start = next.load(Ordering::Relaxed);
    loop {
        let (first, _) = queue.get(start)?;
        let count = if first.size > SERIAL_SIZE { 1 } else { BATCH };
        let end = (start + count).min(queue.len());
        match next.compare_exchange_weak(start, end, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return queue.get(start..end),
            Err(now) => start = now,
        }
    }
}

fn create_directories(archive: &WheelArchive, entries: &[&ArchiveEntry], into: &Path) -> Result<(), WheelError> {
    let mut directories = BTreeSet::new();
    let mut last_parent = "";
    for entry in entries {
        let Some((parent, _)) = entry.path.rsplit_once('/') else { continue };
        if parent != last_parent {
            directories.extend(ancestors(&entry.path));
            last_parent = parent;
        }
    }
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o755);
    for directory in directories {
        let path = into.join(directory);
        builder.create(&path).map_err(|error| collision(archive, directory, &path, error))?;
    }
    Ok(())
}

fn write_file(
    archive: &WheelArchive,
    entry: &ArchiveEntry,
    expected: &ExpectedDigest,
    into: &Path,
    inflater: &mut Inflater,
) -> Result<UnpackedFile, WheelError> {
    let path = into.join(&entry.path);
    let mut file = create(archive, entry, &path)?;
    let sha256 =
        contents(archive, entry, expected, inflater, |part| file.write_all(part).map_err(WheelError::io(&path)))?;
    let metadata = file.metadata().map_err(WheelError::io(&path))?;
    let changed = metadata.ctime().saturating_mul(1_000_000_000).saturating_add(metadata.ctime_nsec());
    let modified = metadata.modified().map_err(WheelError::io(&path))?;
    let modified = match modified.duration_since(UNIX_EPOCH) {
        Ok(since) => (i64::try_from(since.as_secs()).unwrap_or(i64::MAX), since.subsec_nanos()),
        // A clock before 1970 is of no use for comparing; at worst, zero causes another unpacking.
        Err(_) => (0, 0),
    };
    let (path, size, executable) = (entry.path.clone(), entry.size, entry.executable);
    Ok(UnpackedFile { path, size, modified, changed, executable, sha256 })
}

/// Hands the contents of an entry to `sink`. They were the expected ones if there is no error; gives their SHA-256.
fn contents(
    archive: &WheelArchive,
    entry: &ArchiveEntry,
    expected: &ExpectedDigest,
    inflater: &mut Inflater,
    mut sink: impl FnMut(&[u8]) -> Result<(), WheelError>,
) -> Result<String, WheelError> {
    let mut hasher = Hasher::new(expected);
    inflater.each_part(archive, entry, &mut |part| {
        hasher.update(part);
        sink(part)
    })?;
    hasher.finish(expected).ok_or_else(|| {
        let problem = "contents do not have the hash in RECORD";
        Refusal::entry(archive.filename(), Rule::Record, problem, entry.path.as_str())
    })
}

/// Creates a file that must not exist yet.
fn create(archive: &WheelArchive, entry: &ArchiveEntry, path: &Path) -> Result<File, WheelError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if entry.executable { 0o755 } else { 0o644 });
    options.open(path).map_err(|error| collision(archive, &entry.path, path, error))
}

/// The names in the archive are different, and the directory was empty: if something is there already, the file system
/// takes two of the names for one (case, Unicode normalization).
fn collision(archive: &WheelArchive, name: &str, path: &Path, error: io::Error) -> WheelError {
    match error.kind() {
        io::ErrorKind::AlreadyExists => {
            let problem = "the same name as another entry on this file system";
            Refusal::entry(archive.filename(), Rule::EntryName, problem, name)
        }
        _ => WheelError::io(path)(error),
    }
}
