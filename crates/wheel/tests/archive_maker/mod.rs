//! Makes wheels byte by byte, valid until a test spoils one part of them.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use sha2::Digest as _;
use wheel::{ArchiveLimits, Manifest, RecordPolicy, WheelArchive, WheelError, unpack, verify};

pub const FILENAME: &str = "h_x-1.0-py3-none-any.whl";
pub const DIST_INFO: &str = "h_x-1.0.dist-info";

/// One entry. Fields that are `None` get what is right.
#[derive(Clone, Default)]
pub struct Entry {
    pub name: Vec<u8>,
    pub contents: Vec<u8>,
    pub method: u16,
    pub flags: u16,
    pub attributes: u32,
    /// Compressed data, if not made from the contents.
    pub data: Option<Vec<u8>>,
    pub crc: Option<u32>,
    pub size: Option<u32>,
    pub compressed_size: Option<u32>,
    pub extra: Vec<u8>,
    pub comment: Vec<u8>,
    pub disk: u16,
    pub offset: Option<u32>,
    pub local: Local,
    /// Bytes between the data and the next header.
    pub after: Vec<u8>,
    pub hidden: bool,
    /// Only in the central directory.
    pub phantom: bool,
}

/// Where the local header differs from the central directory.
#[derive(Clone, Default)]
pub struct Local {
    pub name: Option<Vec<u8>>,
    pub method: Option<u16>,
    pub flags: Option<u16>,
    pub crc: Option<u32>,
    pub size: Option<u32>,
    pub compressed_size: Option<u32>,
    pub extra: Vec<u8>,
    pub version: u16,
}

impl Entry {
    pub fn new(name: &str, contents: &[u8]) -> Entry {
        Entry {
            name: name.into(),
            contents: contents.into(),
            method: 8,
            flags: if name.is_ascii() { 0 } else { 1 << 11 },
            attributes: 0o100_644 << 16,
            ..Entry::default()
        }
    }

    pub fn directory(name: &str) -> Entry {
        Entry { method: 0, attributes: 0o040_755 << 16 | 0x10, ..Entry::new(name, b"") }
    }

    pub fn packed(&self) -> Vec<u8> {
        match (&self.data, self.method) {
            (Some(data), _) => data.clone(),
            (None, 8) => deflate(&self.contents),
            (None, _) => self.contents.clone(),
        }
    }

    pub fn crc(&self) -> u32 {
        self.crc.unwrap_or_else(|| crc32fast::hash(&self.contents))
    }

    /// Leaves the sizes out of the local header and puts them behind the data.
    pub fn descriptor(&mut self, signature: bool, wide: bool) {
        self.flags |= 1 << 3;
        self.local.crc = Some(0);
        self.local.size = Some(0);
        self.local.compressed_size = Some(0);
        if signature {
            self.after.extend(b"PK\x07\x08");
        }
        self.after.extend(self.crc().to_le_bytes());
        for size in [self.packed().len() as u64, self.contents.len() as u64] {
            let bytes = size.to_le_bytes();
            self.after.extend(if wide { &bytes[..] } else { &bytes[..4] });
        }
    }
}

pub fn deflate(contents: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(contents).unwrap();
    encoder.finish().unwrap()
}

pub fn extra(tag: u16, contents: &[u8]) -> Vec<u8> {
    [&tag.to_le_bytes()[..], &(contents.len() as u16).to_le_bytes(), contents].concat()
}

/// Makes zip64 end records from the offset of the directory, its size and the count.
pub type Zip64 = fn(u64, u64, u64) -> Vec<u8>;

/// A wheel to be. RECORD is made last, from the entries as they are then.
#[derive(Clone)]
pub struct Wheel {
    pub filename: String,
    pub entries: Vec<Entry>,
    /// Changes the text of RECORD; `None` leaves RECORD out.
    pub record: Option<fn(String) -> String>,
    pub before: Vec<u8>,
    pub before_directory: Vec<u8>,
    pub in_directory: Vec<u8>,
    pub before_end: Vec<u8>,
    pub after: Vec<u8>,
    pub comment: Vec<u8>,
    pub count: Option<u16>,
    pub count_here: Option<u16>,
    pub directory_size: Option<u32>,
    pub directory_offset: Option<u32>,
    pub disk: u16,
    /// The central directory names the entries in another order than they have.
    pub reversed: bool,
    pub zip64: Option<Zip64>,
}

impl Wheel {
    pub fn new() -> Wheel {
        let metadata = b"Metadata-Version: 2.1\nName: h-x\nVersion: 1.0\n\nA description.\n";
        let wheel = b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
        Wheel {
            filename: FILENAME.to_owned(),
            entries: vec![
                Entry::new("h_x/__init__.py", b"print('hello')\n# hello hello hello hello hello\n"),
                Entry::new("h_x/data/table.csv", &b"1,2,3\r\n".repeat(100)),
                Entry::new("h_x-1.0.dist-info/METADATA", metadata),
                Entry::new("h_x-1.0.dist-info/WHEEL", wheel),
            ],
            record: Some(|text| text),
            before: Vec::new(),
            before_directory: Vec::new(),
            in_directory: Vec::new(),
            before_end: Vec::new(),
            after: Vec::new(),
            comment: Vec::new(),
            count: None,
            count_here: None,
            directory_size: None,
            directory_offset: None,
            disk: 0,
            reversed: false,
            zip64: None,
        }
    }

    pub fn file(&mut self, name: &str, contents: &[u8]) -> &mut Entry {
        self.entries.push(Entry::new(name, contents));
        self.entries.last_mut().unwrap()
    }

    /// A file with nothing special about it.
    pub fn add(&mut self, name: &str, contents: &[u8]) {
        self.file(name, contents);
    }

    pub fn text(&mut self, name: &str, text: &str) {
        let name = format!("{DIST_INFO}/{name}");
        match self.entries.iter().position(|entry| entry.name == name.as_bytes()) {
            Some(position) => self.entries[position].contents = text.into(),
            None => self.add(&name, text.as_bytes()),
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut entries = self.entries.clone();
        if let Some(change) = self.record {
            let record = change(record(&entries));
            entries.push(Entry::new(&format!("{DIST_INFO}/RECORD"), record.as_bytes()));
        }
        let mut bytes = self.before.clone();
        let mut headers = Vec::new();
        for entry in &entries {
            let offset = bytes.len() as u32;
            if !entry.phantom {
                write_local(entry, &mut bytes);
            }
            if !entry.hidden {
                let mut header = Vec::new();
                write_central(entry, offset, &mut header);
                headers.push(header);
            }
        }
        if self.reversed {
            headers.reverse();
        }
        let count = headers.len() as u64;
        let mut directory = headers.concat();
        bytes.extend(&self.before_directory);
        directory.extend(&self.in_directory);
        let offset = bytes.len() as u32;
        bytes.extend(&directory);
        if let Some(zip64) = self.zip64 {
            bytes.extend(zip64(offset.into(), directory.len() as u64, count));
        }
        bytes.extend(&self.before_end);
        bytes.extend(b"PK\x05\x06");
        bytes.extend(self.disk.to_le_bytes());
        bytes.extend(self.disk.to_le_bytes());
        bytes.extend(self.count_here.or(self.count).unwrap_or(count as u16).to_le_bytes());
        bytes.extend(self.count.unwrap_or(count as u16).to_le_bytes());
        bytes.extend(self.directory_size.unwrap_or(directory.len() as u32).to_le_bytes());
        bytes.extend(self.directory_offset.unwrap_or(offset).to_le_bytes());
        bytes.extend((self.comment.len() as u16).to_le_bytes());
        bytes.extend(&self.comment);
        bytes.extend(&self.after);
        bytes
    }
}

/// Zip64 end record and locator as Python writes them.
pub fn zip64_end(offset: u64, size: u64, count: u64) -> Vec<u8> {
    let mut bytes = b"PK\x06\x06".to_vec();
    bytes.extend(44u64.to_le_bytes());
    bytes.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for number in [count, count, size, offset] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(b"PK\x06\x07\0\0\0\0");
    bytes.extend((offset + size).to_le_bytes());
    bytes.extend(1u32.to_le_bytes());
    bytes
}

fn write_local(entry: &Entry, bytes: &mut Vec<u8>) {
    let local = &entry.local;
    let data = entry.packed();
    let name = local.name.as_ref().unwrap_or(&entry.name);
    bytes.extend(b"PK\x03\x04");
    bytes.extend((20 + local.version).to_le_bytes());
    bytes.extend(local.flags.unwrap_or(entry.flags).to_le_bytes());
    bytes.extend(local.method.unwrap_or(entry.method).to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(local.crc.unwrap_or_else(|| entry.crc()).to_le_bytes());
    let (size, compressed_size) = sizes(entry);
    bytes.extend(local.compressed_size.unwrap_or(compressed_size).to_le_bytes());
    bytes.extend(local.size.unwrap_or(size).to_le_bytes());
    bytes.extend((name.len() as u16).to_le_bytes());
    bytes.extend((local.extra.len() as u16).to_le_bytes());
    bytes.extend(name);
    bytes.extend(&local.extra);
    bytes.extend(data);
    bytes.extend(&entry.after);
}

fn write_central(entry: &Entry, offset: u32, bytes: &mut Vec<u8>) {
    let (size, compressed_size) = sizes(entry);
    bytes.extend(b"PK\x01\x02\x14\x03\x14\x00");
    bytes.extend(entry.flags.to_le_bytes());
    bytes.extend(entry.method.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(entry.crc().to_le_bytes());
    bytes.extend(compressed_size.to_le_bytes());
    bytes.extend(size.to_le_bytes());
    bytes.extend((entry.name.len() as u16).to_le_bytes());
    bytes.extend((entry.extra.len() as u16).to_le_bytes());
    bytes.extend((entry.comment.len() as u16).to_le_bytes());
    bytes.extend(entry.disk.to_le_bytes());
    bytes.extend([0; 2]);
    bytes.extend(entry.attributes.to_le_bytes());
    bytes.extend(entry.offset.unwrap_or(offset).to_le_bytes());
    bytes.extend(&entry.name);
    bytes.extend(&entry.extra);
    bytes.extend(&entry.comment);
}

fn sizes(entry: &Entry) -> (u32, u32) {
    let size = entry.size.unwrap_or(entry.contents.len() as u32);
    (size, entry.compressed_size.unwrap_or(entry.packed().len() as u32))
}

fn record(entries: &[Entry]) -> String {
    let mut text = String::new();
    for entry in entries.iter().filter(|entry| !entry.name.ends_with(b"/")) {
        let hash = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(&entry.contents));
        let name = String::from_utf8_lossy(&entry.name);
        let name = if name.contains([',', '"']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.into() };
        text.push_str(&format!("{name},sha256={hash},{}\n", entry.contents.len()));
    }
    text + &format!("{DIST_INFO}/RECORD,,\n")
}

/// A directory with the wheel in it and a place to unpack to.
pub struct Bench {
    directory: tempfile::TempDir,
}

impl Bench {
    pub fn new() -> Bench {
        Bench { directory: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn output(&self) -> PathBuf {
        self.path().join("sub/unpacked")
    }

    pub fn open(&self, filename: &str, bytes: &[u8], limits: &ArchiveLimits) -> Result<WheelArchive, WheelError> {
        let path = self.path().join("the.whl");
        std::fs::write(&path, bytes).unwrap();
        std::fs::create_dir_all(self.path().join("sub")).unwrap();
        WheelArchive::open(&path, &filename.parse().unwrap(), limits)
    }

    /// Unpacks the wheel; verifying it alone must give the same verdict.
    pub fn unpack(&self, filename: &str, bytes: &[u8]) -> Result<Manifest, WheelError> {
        let archive = self.open(filename, bytes, &ArchiveLimits::default())?;
        let verified = verify(&archive, RecordPolicy::Enforce).map_err(|error| error.to_string());
        let unpacked = unpack(&archive, &self.output(), RecordPolicy::Enforce);
        assert_eq!(verified, unpacked.as_ref().map(|_| ()).map_err(|error| error.to_string()));
        unpacked
    }

    /// Everything below the directory except the wheel, relative, sorted.
    pub fn left(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut pending = vec![self.path().to_path_buf()];
        while let Some(directory) = pending.pop() {
            for entry in std::fs::read_dir(&directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() && !path.is_symlink() {
                    pending.push(path.clone());
                }
                found.push(path.strip_prefix(self.path()).unwrap().to_string_lossy().into_owned());
            }
        }
        found.retain(|path| path != "the.whl" && path != "sub");
        found.sort();
        found
    }
}
