//! Writes ZIP archives byte by byte (PKWARE APPNOTE 6.3), so that a test can also write what a decent library refuses
//! to.
//!
//! Deterministic: no clock, a fixed compression level.

use std::io::Write as _;

use flate2::{Compression, Crc, write::DeflateEncoder};

/// One member of an archive.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The raw name; need not be UTF-8, may be `../evil` or end in `/`.
    pub name: Vec<u8>,
    /// The content before compression.
    pub bytes: Vec<u8>,
    /// Unix mode with the file type, such as `0o100644` or `0o120777` for a symbolic link.
    pub mode: u32,
    /// Deflated, or stored as it is.
    pub deflate: bool,
}

impl Entry {
    /// A deflated regular file with mode 0644.
    pub fn new(name: impl Into<Vec<u8>>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), bytes: bytes.into(), mode: 0o100_644, deflate: true }
    }
}

/// An archive of `entries` in their order; names may repeat.
pub fn zip(entries: &[Entry]) -> Vec<u8> {
    let mut archive = Vec::new();
    let mut directory = Vec::new();
    for entry in entries {
        let offset = u32_of(archive.len());
        let compressed = if entry.deflate { deflate(&entry.bytes) } else { entry.bytes.clone() };
        let shared = shared_fields(entry, compressed.len());

        archive.extend(b"PK\x03\x04");
        archive.extend(&shared);
        archive.extend(&entry.name);
        archive.extend(&compressed);

        directory.extend(b"PK\x01\x02");
        // Made on Unix (3), so that the upper half of the external attributes is a mode.
        directory.extend([20, 3]);
        directory.extend(&shared);
        // Comment length, disk number, internal attributes.
        directory.extend([0; 6]);
        directory.extend((entry.mode << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(&entry.name);
    }
    let start = u32_of(archive.len());
    let count = u16::try_from(entries.len()).unwrap().to_le_bytes();
    archive.extend(&directory);
    archive.extend(b"PK\x05\x06\0\0\0\0");
    archive.extend(count);
    archive.extend(count);
    archive.extend(u32_of(directory.len()).to_le_bytes());
    archive.extend(start.to_le_bytes());
    archive.extend([0; 2]);
    archive
}

/// The fields that the local header and the central directory share, from "version needed" to "extra field length".
fn shared_fields(entry: &Entry, compressed_length: usize) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(&entry.bytes);
    let utf8_flag = if !entry.name.is_ascii() && std::str::from_utf8(&entry.name).is_ok() { 0x0800_u16 } else { 0 };
    let method = if entry.deflate { 8_u16 } else { 0 };
    let mut fields = Vec::new();
    fields.extend(20_u16.to_le_bytes());
    fields.extend(utf8_flag.to_le_bytes());
    fields.extend(method.to_le_bytes());
    // 1980-01-01 00:00, the first moment ZIP can express.
    fields.extend([0x00, 0x00, 0x21, 0x00]);
    fields.extend(crc.sum().to_le_bytes());
    fields.extend(u32_of(compressed_length).to_le_bytes());
    fields.extend(u32_of(entry.bytes.len()).to_le_bytes());
    fields.extend(u16::try_from(entry.name.len()).unwrap().to_le_bytes());
    fields.extend([0; 2]);
    fields
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn u32_of(length: usize) -> u32 {
    u32::try_from(length).expect("the archives of tests are below 4 GiB")
}
