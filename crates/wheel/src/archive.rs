//! A wheel file as an archive: opened only if its zip structure leaves no room for two readings, then read entry by
//! entry.
//!
//! The zip format lets readers disagree: local headers, central directory and end record may contradict each other and
//! hide bytes between them. Opening a wheel walks all of them and accounts for every byte (APPNOTE 6.3.10 sections 4.3
//! to 4.5); every ambiguity between two readers is refused. Nothing is inflated and nothing is written here.

mod directory;
mod end;
mod identity;
mod inflate;
mod local;
mod names;
mod remote;
mod source;

use std::fs::File;
use std::path::Path;

pub(crate) use identity::{is_name, is_stem, is_version};
pub(crate) use inflate::Inflater;
pub(crate) use names::{ancestors, has_suffix};
pub use remote::{MetadataLocation, MetadataSearch};

use packaging::WheelFilename;

use crate::error::{Refusal, Rule, WheelError};
use end::{EndRecord, EndSearch};

/// Limits on a wheel. The defaults hold for every wheel known to be honest, with a wide margin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchiveLimits {
    /// Largest sum of the uncompressed sizes, in bytes.
    pub unpacked_size: u64,
    /// Above this sum of the uncompressed sizes, in bytes, the ratio counts.
    pub ratio_free_size: u64,
    /// How many times larger than the wheel file its contents may be.
    pub ratio: u64,
    /// Most entries in one wheel.
    pub entries: u64,
    /// Largest central directory, in bytes: it is held in memory while the wheel is opened.
    pub directory_size: u64,
}

impl Default for ArchiveLimits {
    fn default() -> ArchiveLimits {
        ArchiveLimits {
            unpacked_size: 8 << 30,
            ratio_free_size: 64 << 20,
            ratio: 50,
            entries: 250_000,
            directory_size: 64 << 20,
        }
    }
}

/// Largest METADATA, in bytes (uncompressed).
pub const METADATA_LIMIT: u64 = 16 << 20;

/// An open wheel whose structure has been checked. Its contents have not: checksums are checked when an entry is read.
#[derive(Debug)]
pub struct WheelArchive {
    file: File,
    name: WheelFilename,
    entries: Vec<ArchiveEntry>,
    dist_info: String,
}

/// How an entry is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Stored,
    Deflated,
}

/// One entry of the archive, as local header and central directory agree on it.
#[derive(Clone, Debug)]
pub(crate) struct ArchiveEntry {
    /// Checked path with `/`, without the trailing `/` of a directory.
    pub path: String,
    pub is_directory: bool,
    pub executable: bool,
    pub method: Method,
    pub flags: u16,
    pub crc: u32,
    pub compressed_size: u64,
    pub size: u64,
    pub header_offset: u64,
    /// Where the compressed data starts; known once the local header has been read.
    pub data_offset: u64,
}

impl WheelArchive {
    /// Opens the wheel at `path` and checks its structure. `name` is the file name the wheel was offered under,
    /// which its contents must agree with; the name on disk does not matter.
    pub fn open(path: &Path, name: &WheelFilename, limits: &ArchiveLimits) -> Result<WheelArchive, WheelError> {
        let file = File::open(path).map_err(WheelError::io(path))?;
        WheelArchive::from_file(file, name, limits)
    }

    /// Like [`WheelArchive::open`] for a file that is already open, so that what is unpacked is what has been verified.
    pub fn from_file(file: File, name: &WheelFilename, limits: &ArchiveLimits) -> Result<WheelArchive, WheelError> {
        let filename = name.as_str();
        let metadata = file.metadata().map_err(WheelError::io(Path::new(filename)))?;
        if !metadata.is_file() {
            return Err(Refusal::whole(filename, Rule::Framing, "not a regular file"));
        }
        let length = metadata.len();
        let (mut entries, directory_offset) = read_directory(&file, length, filename, limits)?;
        check_sizes(&entries, length, filename, limits)?;
        local::walk(&file, &mut entries, directory_offset, filename)?;
        let dist_info = names::find_dist_info(entries.iter().map(|entry| entry.path.as_str()), name)?;
        Ok(WheelArchive { file, name: name.clone(), entries, dist_info })
    }

    /// The file name the wheel was offered under.
    pub fn filename(&self) -> &str {
        self.name.as_str()
    }

    /// The `.dist-info` directory, for instance `numpy-2.4.6.dist-info`.
    pub fn dist_info(&self) -> &str {
        &self.dist_info
    }

    /// Paths of all files (not directories), in the order of the central directory.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files().map(|entry| entry.path.as_str())
    }

    /// Contents of the file `path`, checked against its checksum; `None` if there is no such file. Refused if it is
    /// longer than `limit` bytes.
    pub fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, WheelError> {
        let Some(entry) = self.files().find(|entry| entry.path == path) else { return Ok(None) };
        if entry.size > limit {
            let problem = format!("longer than {limit} bytes");
            return Err(Refusal::entry(self.filename(), Rule::Size, problem, path));
        }
        let mut contents = Vec::new();
        Inflater::new().each_part(self, entry, &mut |part| {
            contents.extend_from_slice(part);
            Ok(())
        })?;
        Ok(Some(contents))
    }

    /// Contents of the core metadata file, unparsed.
    pub fn metadata(&self) -> Result<Vec<u8>, WheelError> {
        let path = format!("{}/METADATA", self.dist_info);
        self.read(&path, METADATA_LIMIT)?
            .ok_or_else(|| Refusal::entry(self.filename(), Rule::Metadata, "no such file in the wheel", path))
    }

    pub(crate) fn name(&self) -> &WheelFilename {
        &self.name
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &ArchiveEntry> {
        self.entries.iter().filter(|entry| !entry.is_directory)
    }
}

/// Finds, reads and checks the central directory; gives its offset too.
fn read_directory(
    file: &File,
    length: u64,
    filename: &str,
    limits: &ArchiveLimits,
) -> Result<(Vec<ArchiveEntry>, u64), WheelError> {
    let tail_start = length.saturating_sub(end::LARGEST_END);
    let tail = source::read(file, tail_start, length - tail_start, filename)?;
    let end = match EndRecord::find(&tail, length, filename)? {
        EndSearch::Found(end) => end,
        EndSearch::NeedMore { .. } => {
            return Err(Refusal::whole(filename, Rule::Framing, "no end of central directory"));
        }
    };
    end.check_limits(filename, limits)?;
    let in_tail = end.directory_offset.checked_sub(tail_start).and_then(|start| {
        let start = usize::try_from(start).ok()?;
        tail.get(start..start.checked_add(usize::try_from(end.directory_size).ok()?)?)
    });
    let entries = match in_tail {
        Some(bytes) => directory::parse(bytes, &end, filename)?,
        None => {
            let bytes = source::read(file, end.directory_offset, end.directory_size, filename)?;
            directory::parse(&bytes, &end, filename)?
        }
    };
    Ok((entries, end.directory_offset))
}

fn check_sizes(
    entries: &[ArchiveEntry],
    length: u64,
    filename: &str,
    limits: &ArchiveLimits,
) -> Result<(), WheelError> {
    let total = entries.iter().fold(0u64, |sum, entry| sum.saturating_add(entry.size));
    if total > limits.unpacked_size {
        let problem = format!("unpacks to {total} bytes, more than {}", limits.unpacked_size);
        return Err(Refusal::whole(filename, Rule::Size, problem));
    }
    if total > limits.ratio_free_size && total > length.saturating_mul(limits.ratio) {
        let problem = format!("unpacks to {total} bytes, more than {} times its own size", limits.ratio);
        return Err(Refusal::whole(filename, Rule::Size, problem));
    }
    Ok(())
}
