//! METADATA of a wheel that lies on a server: found from the wheel's last bytes, read from one further range.
//!
//! Pure: the caller makes the requests. What is found this way serves to resolve; the whole wheel is checked when it is
//! installed.

use std::ops::Range;

use packaging::WheelFilename;

use crate::archive::end::{EndRecord, EndSearch};
use crate::archive::{ArchiveEntry, ArchiveLimits, Inflater, METADATA_LIMIT, directory, local, names};
use crate::error::{Refusal, Rule, WheelError};

/// Local header, name and extra fields, data descriptor: the most that an entry has besides its data, in bytes.
const LARGEST_OVERHEAD: u64 = local::HEADER_LENGTH as u64 + 2 * 65_535 + 24;

/// Where METADATA is in a remote wheel.
#[derive(Clone, Debug)]
pub struct MetadataLocation {
    filename: String,
    entry: ArchiveEntry,
    range: Range<u64>,
}

/// Whether the bytes at hand were enough.
#[derive(Clone, Debug)]
pub enum MetadataSearch {
    /// Call again with all bytes of the wheel from this offset to its end.
    NeedMore {
        /// Smaller than the offset of the bytes at hand.
        from: u64,
    },
    /// METADATA has been found.
    Found(MetadataLocation),
}

impl MetadataLocation {
    /// Looks for METADATA of the wheel `name` of `total` bytes, given its last bytes.
    pub fn find(name: &WheelFilename, tail: &[u8], total: u64) -> Result<MetadataSearch, WheelError> {
        let filename = name.as_str();
        let tail_start = total
            .checked_sub(tail.len() as u64)
            .ok_or_else(|| Refusal::whole(filename, Rule::Framing, "longer than it claims"))?;
        let end = match EndRecord::find(tail, total, filename)? {
            EndSearch::Found(end) => end,
            EndSearch::NeedMore { from } => return Ok(MetadataSearch::NeedMore { from }),
        };
        end.check_limits(filename, &ArchiveLimits::default())?;
        let Some(start) = end.directory_offset.checked_sub(tail_start) else {
            return Ok(MetadataSearch::NeedMore { from: end.directory_offset });
        };
        let bytes = tail.get(start as usize..).and_then(|rest| rest.get(..end.directory_size as usize));
        let entries = directory::parse(bytes.unwrap_or_default(), &end, filename)?;
        let dist_info = names::find_dist_info(entries.iter().map(|entry| entry.path.as_str()), name)?;
        let path = format!("{dist_info}/METADATA");

        let Some(entry) = entries.iter().find(|entry| entry.path == path && !entry.is_directory) else {
            return Err(Refusal::entry(filename, Rule::Metadata, "no such file in the wheel", path));
        };
        if entry.size > METADATA_LIMIT {
            return Err(Refusal::entry(filename, Rule::Size, format!("longer than {METADATA_LIMIT} bytes"), path));
        }
        let starts = entries.iter().map(|other| other.header_offset);
        let end = starts.filter(|&start| start > entry.header_offset).min().unwrap_or(end.directory_offset);
        let range = entry.header_offset..end;
        let overhead =
            end.checked_sub(entry.header_offset).and_then(|length| length.checked_sub(entry.compressed_size));
        if entry.compressed_size > METADATA_LIMIT || overhead.is_none_or(|overhead| overhead > LARGEST_OVERHEAD) {
            return Err(Refusal::entry(filename, Rule::Framing, "entry does not fit its place", path));
        }
        Ok(MetadataSearch::Found(MetadataLocation { filename: filename.to_owned(), entry: entry.clone(), range }))
    }

    /// The bytes of the wheel to fetch: start and end (exclusive).
    pub fn range(&self) -> Range<u64> {
        self.range.clone()
    }

    /// METADATA from exactly the bytes of [`MetadataLocation::range`], checked against its checksum.
    pub fn extract(&self, bytes: &[u8]) -> Result<Vec<u8>, WheelError> {
        let framing = |problem: &str| Refusal::entry(&self.filename, Rule::Framing, problem, self.entry.path.as_str());
        if bytes.len() as u64 != self.range.end - self.range.start {
            return Err(framing("server sent another range than asked for"));
        }
        let (compressed, descriptor) = local::check_header(bytes, &self.entry)
            .map_err(framing)
            .map(|length| bytes.get(length as usize..).unwrap_or_default())?
            .split_at_checked(self.entry.compressed_size as usize)
            .ok_or_else(|| framing("overlaps another entry"))?;
        local::check_descriptor(descriptor, &self.entry).map_err(framing)?;
        Inflater::new().contents(&self.entry, compressed, &self.filename)
    }
}
