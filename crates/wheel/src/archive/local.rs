//! The walk over the local headers: from byte 0 to the central directory, every byte belongs to exactly one entry.

use std::fs::File;

use crate::archive::directory::{ByteReader, Extra, HeaderSizes, SIZES_FOLLOW};
use crate::archive::{ArchiveEntry, Method, source};
use crate::error::{Refusal, Rule, WheelError};

const SIGNATURE: &[u8; 4] = b"PK\x03\x04";
const DESCRIPTOR_SIGNATURE: &[u8; 4] = b"PK\x07\x08";
const LARGEST_DESCRIPTOR: usize = 24;
/// Length of a local header before its name.
pub(super) const HEADER_LENGTH: usize = 30;

/// Checks each local header against its entry and notes where its data starts.
pub(super) fn walk(
    file: &File,
    entries: &mut [ArchiveEntry],
    directory_offset: u64,
    filename: &str,
) -> Result<(), WheelError> {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|&index| entries.get(index).map(|entry| entry.header_offset));
    let mut ends: Vec<u64> =
        order.iter().skip(1).filter_map(|&index| entries.get(index)).map(|entry| entry.header_offset).collect();
    ends.push(directory_offset);

    let mut expected_offset = 0;
    let mut buffer = Vec::new();
    for (&index, &end) in order.iter().zip(&ends) {
        let Some(entry) = entries.get_mut(index) else { continue };
        if entry.header_offset != expected_offset {
            let problem = "bytes before or inside an entry belong to nothing or to two entries";
            return Err(Refusal::entry(filename, Rule::Framing, problem, entry.path.as_str()));
        }
        check_entry(file, entry, end, &mut buffer, filename)?;
        expected_offset = end;
    }
    if expected_offset != directory_offset {
        return Err(Refusal::whole(filename, Rule::Framing, "bytes before the central directory belong to no entry"));
    }
    Ok(())
}

/// Checks the local header, the extent of the data and the data descriptor of one entry that must end at `end`.
fn check_entry(
    file: &File,
    entry: &mut ArchiveEntry,
    end: u64,
    buffer: &mut Vec<u8>,
    filename: &str,
) -> Result<(), WheelError> {
    let framing = |problem: &str| Refusal::entry(filename, Rule::Framing, problem, entry.path.as_str());
    let available = end.checked_sub(entry.header_offset).ok_or_else(|| framing("overlaps another entry"))?;
    // Name, a usual extra field, and not more: large enough for nearly all headers in one read.
    let guess = (HEADER_LENGTH + entry.path.len() + 64) as u64;
    read_front(file, entry, guess.min(available), buffer, filename)?;
    let needed = header_length(buffer).ok_or_else(|| framing("local header is cut short"))?;
    if needed > available {
        return Err(framing("local header is cut short"));
    }
    if needed > buffer.len() as u64 {
        read_front(file, entry, needed, buffer, filename)?;
    }
    let length = check_header(buffer, entry).map_err(framing)?;
    let descriptor_length = available
        .checked_sub(length)
        .and_then(|rest| rest.checked_sub(entry.compressed_size))
        .ok_or_else(|| framing("overlaps another entry"))?;
    let data_offset = entry.header_offset + length;
    // Read no more than shows that it is too long.
    let mut descriptor = [0; LARGEST_DESCRIPTOR + 1];
    let length = descriptor_length.min(descriptor.len() as u64) as usize;
    let descriptor = descriptor.get_mut(..length).unwrap_or_default();
    source::read_into(file, data_offset + entry.compressed_size, descriptor, filename)?;
    check_descriptor(descriptor, entry).map_err(framing)?;
    if hides_its_length(buffer, entry) && holds_local_header(file, data_offset, entry.compressed_size, filename)? {
        return Err(framing("stored entry of unknown length that holds a local header"));
    }
    entry.data_offset = data_offset;
    Ok(())
}

/// Whether somebody who reads the archive from its front cannot know where the data ends: it is stored, and its length
/// stands behind it. A local header in the data would be the next entry for him.
fn hides_its_length(header: &[u8], entry: &ArchiveEntry) -> bool {
    let is_length_given = header.get(18..22).is_some_and(|length| length != [0; 4]);
    entry.method == Method::Stored && entry.flags & SIZES_FOLLOW != 0 && !is_length_given
}

fn holds_local_header(file: &File, offset: u64, length: u64, filename: &str) -> Result<bool, WheelError> {
    const PART: u64 = 1 << 16;
    let overlap = SIGNATURE.len() as u64 - 1;
    let mut part = Vec::new();
    let mut start = 0;
    while start < length {
        let size = (length - start).min(PART + overlap);
        part.resize(size as usize, 0);
        source::read_into(file, offset + start, &mut part, filename)?;
        if memchr::memmem::find(&part, SIGNATURE).is_some() {
            return Ok(true);
        }
        start += PART;
    }
    Ok(false)
}

fn read_front(
    file: &File,
    entry: &ArchiveEntry,
    length: u64,
    buffer: &mut Vec<u8>,
    filename: &str,
) -> Result<(), WheelError> {
    // At most 30 bytes, a name and an extra field of 65,535 bytes each.
    buffer.resize(length as usize, 0);
    source::read_into(file, entry.header_offset, buffer, filename)
}

/// Length of the local header at the front of `bytes`, with its name and extra fields.
pub(super) fn header_length(bytes: &[u8]) -> Option<u64> {
    let mut fields = ByteReader::new(bytes.get(26..)?);
    Some(HEADER_LENGTH as u64 + u64::from(fields.u16()?) + u64::from(fields.u16()?))
}

/// Compares the local header with the entry of the central directory; gives the header's whole length. The versions and the
/// time may differ: no reader of wheels depends on them.
pub(super) fn check_header(bytes: &[u8], entry: &ArchiveEntry) -> Result<u64, &'static str> {
    const CUT: &str = "local header is cut short";
    let mut fields = ByteReader::new(bytes);
    if fields.take(4) != Some(SIGNATURE) {
        return Err("no local header where the central directory says");
    }
    let _version = fields.u16().ok_or(CUT)?;
    let (flags, method) = (fields.u16().ok_or(CUT)?, fields.u16().ok_or(CUT)?);
    let _modified = fields.u32().ok_or(CUT)?;
    let crc = fields.u32().ok_or(CUT)?;
    let (compressed_size, size) = (fields.u32().ok_or(CUT)?, fields.u32().ok_or(CUT)?);
    let (name_length, extra_length) = (fields.u16().ok_or(CUT)?, fields.u16().ok_or(CUT)?);
    let name = fields.take(name_length.into()).ok_or(CUT)?;
    let extra = Extra::parse(fields.take(extra_length.into()).ok_or(CUT)?)?;

    if name.strip_suffix(b"/").unwrap_or(name) != entry.path.as_bytes() || name.ends_with(b"/") != entry.is_directory {
        return Err("two different names");
    }
    extra.check_unicode_path(name)?;
    if method != (if entry.method == Method::Stored { 0 } else { 8 }) || flags != entry.flags {
        return Err("two different compression methods or flags");
    }
    let (size, compressed_size, _) = extra.widen(HeaderSizes { size, compressed_size, offset: None })?;
    let may_be_empty = flags & SIZES_FOLLOW != 0;
    let agree = |local: u64, central: u64| local == central || (may_be_empty && local == 0);
    if !agree(size, entry.size)
        || !agree(compressed_size, entry.compressed_size)
        || !agree(crc.into(), entry.crc.into())
    {
        return Err("two different sizes or checksums");
    }
    Ok(HEADER_LENGTH as u64 + u64::from(name_length) + u64::from(extra_length))
}

/// What stands between the data of an entry and the next record: nothing, or a data descriptor (APPNOTE 4.3.9), with or
/// without its signature, with 32 or 64 bit sizes.
pub(super) fn check_descriptor(bytes: &[u8], entry: &ArchiveEntry) -> Result<(), &'static str> {
    if entry.flags & SIZES_FOLLOW == 0 {
        return if bytes.is_empty() { Ok(()) } else { Err("bytes after the data belong to no entry") };
    }
    let mut fields = ByteReader::new(bytes);
    if matches!(bytes.len(), 16 | 24) && fields.take(4) != Some(DESCRIPTOR_SIGNATURE) {
        return Err("data descriptor has no signature");
    }
    let crc = fields.u32();
    let mut size = || if bytes.len() <= 16 { fields.u32().map(u64::from) } else { fields.u64() };
    let (compressed_size, size) = (size(), size());
    if (crc, compressed_size, size) != (Some(entry.crc), Some(entry.compressed_size), Some(entry.size)) {
        return Err("data descriptor differs from the central directory");
    }
    if fields.rest().is_empty() { Ok(()) } else { Err("bytes after the data descriptor belong to no entry") }
}
