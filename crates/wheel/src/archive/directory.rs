//! The central directory (APPNOTE 4.3.12) and the extra fields that local headers share with it (4.5).

use std::collections::HashSet;

use crate::archive::end::EndRecord;
use crate::archive::{ArchiveEntry, Method, names};
use crate::error::{Refusal, Rule, WheelError};

const SIGNATURE: &[u8; 4] = b"PK\x01\x02";

/// Flags a wheel may have: how hard the compressor tried (1, 2), sizes after the data (3), UTF-8 name (11). Others mean
/// encryption, patches or compression that wheels do not use.
const KNOWN_FLAGS: u16 = 1 << 1 | 1 << 2 | SIZES_FOLLOW | UTF8_NAME;
/// The sizes stand behind the data.
pub(super) const SIZES_FOLLOW: u16 = 1 << 3;
const UTF8_NAME: u16 = 1 << 11;

/// Reads little-endian numbers from the front of a byte string; `None` at its end.
pub(super) struct ByteReader<'a>(&'a [u8]);

impl<'a> ByteReader<'a> {
    pub fn new(bytes: &'a [u8]) -> ByteReader<'a> {
        ByteReader(bytes)
    }

    pub fn rest(&self) -> &'a [u8] {
        self.0
    }

    pub fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(front)
    }

    fn array<const LENGTH: usize>(&mut self) -> Option<[u8; LENGTH]> {
        let (front, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*front)
    }

    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }
}

/// Reads all entries and checks everything that the directory alone can show.
pub(super) fn parse(bytes: &[u8], end: &EndRecord, filename: &str) -> Result<Vec<ArchiveEntry>, WheelError> {
    let refused = |problem: &str| Refusal::whole(filename, Rule::Framing, problem);
    let mut fields = ByteReader::new(bytes);
    let mut entries = Vec::new();
    while !fields.rest().is_empty() {
        if fields.take(4) != Some(SIGNATURE) {
            return Err(refused("unknown record in the central directory"));
        }
        let header = Header::parse(&mut fields).ok_or_else(|| refused("central directory is cut short"))?;
        entries.push(header.entry(filename)?);
        if entries.len() as u64 > end.entries {
            return Err(refused("more entries in the central directory than it declares"));
        }
    }
    if entries.len() as u64 != end.entries {
        return Err(refused("fewer entries in the central directory than it declares"));
    }
    check_unique(&entries, filename)?;
    Ok(entries)
}

/// One record of the central directory, raw.
struct Header<'a> {
    flags: u16,
    method: u16,
    crc: u32,
    compressed_size: u32,
    size: u32,
    disk: u16,
    attributes: u32,
    header_offset: u32,
    name: &'a [u8],
    extra: &'a [u8],
    comment: &'a [u8],
}

impl<'a> Header<'a> {
    fn parse(fields: &mut ByteReader<'a>) -> Option<Header<'a>> {
        let _versions = fields.u32()?;
        let (flags, method) = (fields.u16()?, fields.u16()?);
        let _modified = fields.u32()?;
        let (crc, compressed_size, size) = (fields.u32()?, fields.u32()?, fields.u32()?);
        let (name_length, extra_length, comment_length) = (fields.u16()?, fields.u16()?, fields.u16()?);
        let disk = fields.u16()?;
        let _internal_attributes = fields.u16()?;
        let (attributes, header_offset) = (fields.u32()?, fields.u32()?);
        Some(Header {
            flags,
            method,
            crc,
            compressed_size,
            size,
            disk,
            attributes,
            header_offset,
            name: fields.take(name_length.into())?,
            extra: fields.take(extra_length.into())?,
            comment: fields.take(comment_length.into())?,
        })
    }

    fn entry(&self, filename: &str) -> Result<ArchiveEntry, WheelError> {
        let shown = String::from_utf8_lossy(self.name);
        let refused = |rule, problem: &str| Refusal::entry(filename, rule, problem, shown.as_ref());
        let framing = |problem: &'static str| refused(Rule::Framing, problem);

        if self.flags & !KNOWN_FLAGS != 0 {
            return Err(refused(Rule::Compression, "encrypted, patched or otherwise unusual entry"));
        }
        let method = match self.method {
            0 => Method::Stored,
            8 => Method::Deflated,
            other => {
                return Err(refused(Rule::Compression, &format!("compression method {other}, only 0 and 8 are used")));
            }
        };
        if !self.comment.is_empty() || self.disk != 0 {
            return Err(framing("entry with a comment or on another disk"));
        }
        let extra = Extra::parse(self.extra).map_err(framing)?;
        extra.check_unicode_path(self.name).map_err(framing)?;
        let wide =
            HeaderSizes { size: self.size, compressed_size: self.compressed_size, offset: Some(self.header_offset) };
        let (size, compressed_size, header_offset) = extra.widen(wide).map_err(framing)?;
        if method == Method::Stored && size != compressed_size {
            return Err(framing("stored entry with two different sizes"));
        }

        let path = names::checked(self.name, self.flags & UTF8_NAME != 0)
            .map_err(|problem| refused(Rule::EntryName, problem))?;
        let is_directory = self.name.ends_with(b"/");
        let executable =
            check_mode(self.attributes, is_directory).map_err(|problem| refused(Rule::EntryKind, problem))?;
        if is_directory && size != 0 {
            return Err(refused(Rule::EntryKind, "directory with contents"));
        }
        let flags = self.flags;
        let path = path.to_owned();
        let crc = self.crc;
        Ok(ArchiveEntry {
            path,
            is_directory,
            executable,
            method,
            flags,
            crc,
            compressed_size,
            size,
            header_offset,
            data_offset: 0,
        })
    }
}

/// Whether the entry is an executable file; refuses everything but regular files and directories. As pip does, whatever
/// system the archive says it was made on: the upper half of the attributes is a Unix mode or zero. A name with a slash at
/// its end is a directory for every reader, so that its mode says nothing.
fn check_mode(attributes: u32, is_directory: bool) -> Result<bool, &'static str> {
    const KIND: u32 = 0o170_000;
    const REGULAR: u32 = 0o100_000;
    const DIRECTORY: u32 = 0o040_000;
    let mode = attributes >> 16;
    if is_directory {
        return Ok(false);
    }
    match mode & KIND {
        0 => Ok(false),
        REGULAR => Ok(mode & 0o111 != 0),
        DIRECTORY => Err("its mode and its name disagree whether it is a directory"),
        0o120_000 => Err("symbolic link"),
        _ => Err("neither a file nor a directory"),
    }
}

/// No path twice, no file where another entry needs a directory.
fn check_unique(entries: &[ArchiveEntry], filename: &str) -> Result<(), WheelError> {
    let mut files = HashSet::with_capacity(entries.len());
    let mut directories = HashSet::new();
    for entry in entries {
        let is_new = if entry.is_directory {
            directories.insert(entry.path.as_str())
        } else {
            files.insert(entry.path.as_str())
        };
        if !is_new {
            return Err(Refusal::entry(filename, Rule::EntryName, "name occurs twice", entry.path.as_str()));
        }
    }
    let mut last_parent = "";
    for entry in entries {
        if entry.is_directory && files.contains(entry.path.as_str()) {
            return Err(Refusal::entry(filename, Rule::EntryName, "both a file and a directory", entry.path.as_str()));
        }
        let Some((parent, _)) = entry.path.rsplit_once('/') else { continue };
        if parent == last_parent {
            continue;
        }
        last_parent = parent;
        for directory in names::ancestors(&entry.path) {
            if files.contains(directory) {
                return Err(Refusal::entry(filename, Rule::EntryName, "both a file and a directory", directory));
            }
        }
    }
    Ok(())
}

/// The extra fields of a header that change its meaning.
pub(super) struct Extra<'a> {
    zip64: Option<&'a [u8]>,
    unicode_path: Option<&'a [u8]>,
}

/// The header's own numbers, which the zip64 field replaces where they are saturated. Local headers have no offset.
pub(super) struct HeaderSizes {
    pub size: u32,
    pub compressed_size: u32,
    pub offset: Option<u32>,
}

impl<'a> Extra<'a> {
    pub fn parse(extra: &'a [u8]) -> Result<Extra<'a>, &'static str> {
        let mut fields = ByteReader::new(extra);
        let mut found = Extra { zip64: None, unicode_path: None };
        // Old tools leave up to three bytes of padding, too short for a field.
        while fields.rest().len() >= 4 {
            let (Some(tag), Some(length)) = (fields.u16(), fields.u16()) else { break };
            let contents = fields.take(length.into()).ok_or("extra field is cut short")?;
            let slot = match tag {
                0x0001 => &mut found.zip64,
                0x7075 => &mut found.unicode_path,
                _ => continue,
            };
            if slot.replace(contents).is_some() {
                return Err("extra field occurs twice");
            }
        }
        Ok(found)
    }

    /// Info-ZIP's second name (APPNOTE 4.6.9): some readers take it instead of the first, so it must be the same.
    pub fn check_unicode_path(&self, name: &[u8]) -> Result<(), &'static str> {
        match self.unicode_path {
            // Version and checksum of the first name come before the second.
            Some(field) if field.get(5..) != Some(name) => Err("second name in an extra field differs"),
            _ => Ok(()),
        }
    }

    /// Size, compressed size and offset after the zip64 field (APPNOTE 4.5.3).
    pub fn widen(&self, plain: HeaderSizes) -> Result<(u64, u64, u64), &'static str> {
        let narrow = [Some(plain.size), Some(plain.compressed_size), plain.offset];
        let saturated = narrow.contains(&Some(u32::MAX));
        let Some(field) = self.zip64 else {
            if saturated {
                return Err("size of 4 GiB without a zip64 field");
            }
            return Ok((plain.size.into(), plain.compressed_size.into(), plain.offset.unwrap_or(0).into()));
        };
        let mut field = ByteReader::new(field);
        let mut value = |narrow: u32| if narrow == u32::MAX { field.u64() } else { Some(narrow.into()) };
        let (size, compressed_size, offset) =
            (value(plain.size), value(plain.compressed_size), value(plain.offset.unwrap_or(0)));
        let (Some(size), Some(compressed_size), Some(offset)) = (size, compressed_size, offset) else {
            return Err("zip64 field is too short");
        };
        if field.rest().is_empty() || (!saturated && is_harmless(self.zip64, size, compressed_size)) {
            return Ok((size, compressed_size, offset));
        }
        Err("zip64 field says more than it may")
    }
}

/// Whether a zip64 field that nothing asks for is harmless: it repeats the sizes, or is the stale header offset that
/// tools built on Python's `zipfile` carry over when they rewrite an archive above 4 GiB (published wheels have it).
fn is_harmless(field: Option<&[u8]>, size: u64, compressed_size: u64) -> bool {
    let mut field = ByteReader::new(field.unwrap_or_default());
    match (field.u64(), field.u64(), field.rest().len()) {
        (Some(first), None, 0) => first == size || first >= u64::from(u32::MAX),
        (Some(first), Some(second), 0) => first == size && second == compressed_size,
        _ => false,
    }
}
