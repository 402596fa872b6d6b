//! The end of the archive: end of central directory record, and its zip64 variant (APPNOTE 4.3.14 to 4.3.16).

use crate::archive::ArchiveLimits;
use crate::archive::directory::ByteReader;
use crate::error::{Refusal, Rule, WheelError};

const SIGNATURE: &[u8; 4] = b"PK\x05\x06";
const ZIP64_SIGNATURE: &[u8; 4] = b"PK\x06\x06";
const ZIP64_LOCATOR_SIGNATURE: &[u8; 4] = b"PK\x06\x07";
const LENGTH: usize = 22;
const ZIP64_LENGTH: u64 = 56;
const ZIP64_LOCATOR_LENGTH: u64 = 20;

/// Bytes at the end of a file that certainly hold the end records, whatever the length of the comment.
pub(super) const LARGEST_END: u64 = LENGTH as u64 + 65_535 + ZIP64_LENGTH + ZIP64_LOCATOR_LENGTH;

/// Where the central directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EndRecord {
    pub directory_offset: u64,
    pub directory_size: u64,
    pub entries: u64,
}

/// Whether the tail at hand was long enough.
pub(super) enum EndSearch {
    Found(EndRecord),
    NeedMore { from: u64 },
}

impl EndRecord {
    /// Finds the end records in `tail`, the last bytes of a file of `total` bytes.
    pub fn find(tail: &[u8], total: u64, filename: &str) -> Result<EndSearch, WheelError> {
        let refused = |problem: &str| Refusal::whole(filename, Rule::Framing, problem);
        let Some(position) = find_signature(tail) else {
            let searched = tail.len() as u64;
            if searched >= LARGEST_END || searched >= total {
                return Err(refused("not a zip file: no end of central directory"));
            }
            return Ok(EndSearch::NeedMore { from: total.saturating_sub(LARGEST_END) });
        };
        let mut fields = ByteReader::new(tail.get(position + 4..).unwrap_or_default());
        let plain =
            PlainEndRecord::parse(&mut fields).ok_or_else(|| refused("end of central directory is cut short"))?;
        if fields.rest().len() != usize::from(plain.comment_length) {
            return Err(refused("data after the end of the archive"));
        }
        // Bytes before the end of the wheel that another reader could start from.
        if fields.rest().windows(2).any(|pair| pair == b"PK") {
            return Err(refused("archive comment looks like an archive"));
        }
        let end_offset = total - (tail.len() - position) as u64;
        let (end, directory_end) = match find_locator(tail, position, tail.len() as u64 == total) {
            Locator::Unknown => {
                return Ok(EndSearch::NeedMore {
                    from: end_offset.saturating_sub(ZIP64_LENGTH + ZIP64_LOCATOR_LENGTH),
                });
            }
            Locator::Absent => (plain.end_record(), end_offset),
            Locator::Present(locator) => {
                let record_offset = end_offset
                    .checked_sub(ZIP64_LENGTH + ZIP64_LOCATOR_LENGTH)
                    .ok_or_else(|| refused("zip64 end record is cut short"))?;
                let in_tail = position.checked_sub((ZIP64_LENGTH + ZIP64_LOCATOR_LENGTH) as usize);
                let Some(in_tail) = in_tail else { return Ok(EndSearch::NeedMore { from: record_offset }) };
                let record = tail.get(in_tail..).unwrap_or_default();
                let end = read_zip64(record, locator, record_offset, &plain).map_err(refused)?;
                (end, record_offset)
            }
        };
        if plain.entries_here != plain.entries || !plain.is_single_disk() {
            return Err(refused("archive is split over several disks, or counts its entries twice"));
        }
        if end.directory_offset.checked_add(end.directory_size) != Some(directory_end) {
            return Err(refused("central directory does not end where the end record starts"));
        }
        Ok(EndSearch::Found(end))
    }

    /// Refuses a directory that would cost too much to read.
    pub fn check_limits(&self, filename: &str, limits: &ArchiveLimits) -> Result<(), WheelError> {
        if self.entries > limits.entries || self.directory_size > limits.directory_size {
            let problem =
                format!("{} entries in a directory of {} bytes are too many", self.entries, self.directory_size);
            return Err(Refusal::whole(filename, Rule::Size, problem));
        }
        Ok(())
    }
}

/// The record of 22 bytes that every archive has.
struct PlainEndRecord {
    disk: u16,
    directory_disk: u16,
    entries_here: u16,
    entries: u16,
    directory_size: u32,
    directory_offset: u32,
    comment_length: u16,
}

impl PlainEndRecord {
    fn parse(fields: &mut ByteReader) -> Option<PlainEndRecord> {
        Some(PlainEndRecord {
            disk: fields.u16()?,
            directory_disk: fields.u16()?,
            entries_here: fields.u16()?,
            entries: fields.u16()?,
            directory_size: fields.u32()?,
            directory_offset: fields.u32()?,
            comment_length: fields.u16()?,
        })
    }

    fn is_single_disk(&self) -> bool {
        self.disk == 0 && self.directory_disk == 0
    }

    fn end_record(&self) -> EndRecord {
        EndRecord {
            directory_offset: self.directory_offset.into(),
            directory_size: self.directory_size.into(),
            entries: self.entries.into(),
        }
    }
}

/// Position of the end record: right at the end, as nearly always, or the last signature before a comment.
fn find_signature(tail: &[u8]) -> Option<usize> {
    let without_comment = tail.len().checked_sub(LENGTH)?;
    let record = tail.get(without_comment..)?;
    if record.starts_with(SIGNATURE) && record.ends_with(&[0, 0]) {
        return Some(without_comment);
    }
    memchr::memmem::rfind(tail.get(without_comment.saturating_sub(65_535)..)?, SIGNATURE)
        .map(|found| found + without_comment.saturating_sub(65_535))
}

enum Locator<'a> {
    Present(&'a [u8]),
    Absent,
    Unknown,
}

fn find_locator(tail: &[u8], end_position: usize, is_whole: bool) -> Locator<'_> {
    match end_position.checked_sub(ZIP64_LOCATOR_LENGTH as usize) {
        Some(start) => match tail.get(start..end_position) {
            Some(locator) if locator.starts_with(ZIP64_LOCATOR_SIGNATURE) => Locator::Present(locator),
            _ => Locator::Absent,
        },
        None if is_whole => Locator::Absent,
        None => Locator::Unknown,
    }
}

/// Reads the zip64 record, which must agree with the plain one wherever that is not saturated.
fn read_zip64(
    record: &[u8],
    locator: &[u8],
    record_offset: u64,
    plain: &PlainEndRecord,
) -> Result<EndRecord, &'static str> {
    const CUT: &str = "zip64 end record is cut short";
    let mut locator = ByteReader::new(locator.get(4..).ok_or(CUT)?);
    let (disk, offset, disks) = (locator.u32().ok_or(CUT)?, locator.u64().ok_or(CUT)?, locator.u32().ok_or(CUT)?);
    if disk != 0 || disks > 1 || offset != record_offset || !record.starts_with(ZIP64_SIGNATURE) {
        return Err("zip64 locator does not point at the zip64 end record");
    }
    let mut fields = ByteReader::new(record.get(4..).ok_or(CUT)?);
    let length = fields.u64().ok_or(CUT)?;
    // What follows is 44 bytes; more would be extensible data, which no wheel needs.
    if length != ZIP64_LENGTH - 12 {
        return Err("zip64 end record has an unexpected length");
    }
    let _versions = fields.u32().ok_or(CUT)?;
    let (disk, directory_disk) = (fields.u32().ok_or(CUT)?, fields.u32().ok_or(CUT)?);
    let (entries_here, entries) = (fields.u64().ok_or(CUT)?, fields.u64().ok_or(CUT)?);
    let (directory_size, directory_offset) = (fields.u64().ok_or(CUT)?, fields.u64().ok_or(CUT)?);
    let agree = |plain: u64, saturated: u64, wide: u64| plain == saturated || plain == wide;
    if disk != 0
        || directory_disk != 0
        || entries_here != entries
        || !agree(plain.entries.into(), 0xffff, entries)
        || !agree(plain.directory_size.into(), 0xffff_ffff, directory_size)
        || !agree(plain.directory_offset.into(), 0xffff_ffff, directory_offset)
    {
        return Err("zip64 end record contradicts the end record");
    }
    Ok(EndRecord { directory_offset, directory_size, entries })
}
