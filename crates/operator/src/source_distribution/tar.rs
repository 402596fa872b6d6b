//! Reads a tar (POSIX.1-2001 ustar and pax, with GNU's long names) so strictly that there is one reading.
//!
//! Programs interpret unusual headers differently, and a file that they read differently can hide something from one of
//! them. Every such ambiguity is refused here. Nothing is written.

use std::io::{ErrorKind, Read};

/// The unit of the format, in bytes.
const BLOCK: usize = 512;
/// Largest pax header or long name, in bytes: it is held in memory.
const EXTENSION_LIMIT: u64 = 1 << 20;

/// A file, directory or link in the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// As it is written.
    pub path: String,
    /// What it is.
    pub kind: Kind,
}

/// What a member is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link to this.
    SymbolicLink(String),
    /// A hard link to this member.
    HardLink(String),
}

/// An archive that is read from its beginning to its end.
pub struct Tar<R> {
    reader: R,
    /// Content of the last member that was not read yet, in bytes.
    content: u64,
    /// Bytes behind the content, up to the next block.
    padding: u64,
}

/// Extended headers before a member.
#[derive(Default)]
struct Extensions {
    path: Option<String>,
    link: Option<String>,
    size: Option<u64>,
    /// Whether there was a pax header.
    pax: bool,
}

impl<R: Read> Tar<R> {
    /// An archive that begins here.
    pub fn new(reader: R) -> Self {
        Self { reader, content: 0, padding: 0 }
    }

    /// The next member; `None` when the archive has ended and nothing follows.
    ///
    /// # Errors
    /// What is damaged or ambiguous, as text.
    pub fn next_member(&mut self) -> Result<Option<Member>, String> {
        let mut extensions = Extensions::default();
        loop {
            self.skip_content()?;
            let Some(header) = self.read_header()? else {
                return if extensions.is_empty() {
                    Ok(None)
                } else {
                    Err("a header that belongs to no file".to_owned())
                };
            };
            let size = header.size()?;
            self.content = size;
            self.padding = size.next_multiple_of(BLOCK as u64) - size;
            match header.type_flag() {
                b'x' if extensions.is_empty() => {
                    extensions.pax = true;
                    for (key, value) in pax_records(&self.extension()?)? {
                        extensions.apply(&key, &value)?;
                    }
                }
                b'g' if extensions.is_empty() => {
                    if let Some((key, _)) = pax_records(&self.extension()?)?.iter().find(|(key, _)| is_decisive(key)) {
                        return Err(format!("a pax header that sets '{key}' for all files"));
                    }
                }
                b'L' if !extensions.pax && extensions.path.is_none() => {
                    extensions.path = Some(long_name(&self.extension()?)?);
                }
                b'K' if !extensions.pax && extensions.link.is_none() => {
                    extensions.link = Some(long_name(&self.extension()?)?);
                }
                b'x' | b'g' | b'L' | b'K' => return Err("two headers that describe one file".to_owned()),
                _ => return header.member(extensions, size).map(Some),
            }
        }
    }

    /// The content of the member that was read last.
    ///
    /// # Errors
    /// When it is longer than `limit` bytes, or the archive is cut off.
    pub fn read_content(&mut self, limit: u64) -> Result<Vec<u8>, String> {
        if self.content > limit {
            return Err(format!("longer than {limit} bytes"));
        }
        let mut content = vec![0; usize::try_from(self.content).map_err(|_| "too long".to_owned())?];
        self.reader.read_exact(&mut content).map_err(unreadable)?;
        self.content = 0;
        Ok(content)
    }

    fn extension(&mut self) -> Result<Vec<u8>, String> {
        self.read_content(EXTENSION_LIMIT).map_err(|problem| format!("a header for long names: {problem}"))
    }

    /// The next header; `None` at the end, which must be the end of everything.
    fn read_header(&mut self) -> Result<Option<Header>, String> {
        let mut block = [0; BLOCK];
        match self.reader.read_exact(&mut block) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                return Err("the archive is cut off".to_owned());
            }
            other => other.map_err(unreadable)?,
        }
        if block.iter().any(|byte| *byte != 0) {
            return Header::checked(block).map(Some);
        }
        let mut rest = [0; 16 * BLOCK];
        loop {
            let length = self.reader.read(&mut rest).map_err(unreadable)?;
            let read = rest.get(..length).unwrap_or_default();
            if read.iter().any(|byte| *byte != 0) {
                return Err("data after the end of the archive".to_owned());
            }
            if read.is_empty() {
                return Ok(None);
            }
        }
    }

    fn skip_content(&mut self) -> Result<(), String> {
        let length = self.content + self.padding;
        (self.content, self.padding) = (0, 0);
        let skipped = std::io::copy(&mut self.reader.by_ref().take(length), &mut std::io::sink());
        match skipped.map_err(unreadable)? {
            skipped if skipped == length => Ok(()),
            _ => Err("the archive is cut off".to_owned()),
        }
    }
}

impl Extensions {
    fn is_empty(&self) -> bool {
        !self.pax && self.path.is_none() && self.link.is_none()
    }

    /// Takes over a record of a pax header.
    fn apply(&mut self, key: &str, value: &[u8]) -> Result<(), String> {
        let text = || match std::str::from_utf8(value) {
            Ok(text) if !text.is_empty() && !text.contains('\0') => Ok(text.to_owned()),
            _ => Err(format!("a pax header with an unusable '{key}'")),
        };
        let was_there = match key {
            "path" => self.path.replace(text()?).is_some(),
            "linkpath" => self.link.replace(text()?).is_some(),
            "size" => {
                let size = text()?.parse().map_err(|_| "a pax header with an unusable 'size'".to_owned())?;
                self.size.replace(size).is_some()
            }
            _ if is_decisive(key) => return Err(format!("a pax header with '{key}', which is read in different ways")),
            _ => false,
        };
        if was_there { Err(format!("a pax header with '{key}' twice")) } else { Ok(()) }
    }
}

/// Whether a record of a pax header decides where or what a file is.
fn is_decisive(key: &str) -> bool {
    matches!(key, "path" | "linkpath" | "size" | "hdrcharset") || key.starts_with("GNU.sparse.")
}

/// A header whose checksum is right.
struct Header([u8; BLOCK]);

impl Header {
    fn checked(block: [u8; BLOCK]) -> Result<Self, String> {
        let header = Self(block);
        let in_checksum = |place: usize| (148..156).contains(&place);
        let bytes = block.iter().enumerate().map(|(place, byte)| if in_checksum(place) { b' ' } else { *byte });
        let sum: u64 = bytes.map(u64::from).sum();
        if octal(header.field(148, 8)) != Some(sum) {
            return Err("a header that does not match its checksum".to_owned());
        }
        Ok(header)
    }

    fn field(&self, start: usize, length: usize) -> &[u8] {
        self.0.get(start..start + length).unwrap_or_default()
    }

    fn type_flag(&self) -> u8 {
        self.field(156, 1).first().copied().unwrap_or_default()
    }

    fn size(&self) -> Result<u64, String> {
        octal(self.field(124, 12)).ok_or_else(|| "a size that is no octal number".to_owned())
    }

    /// The member it describes, including extended headers.
    fn member(&self, extensions: Extensions, size: u64) -> Result<Member, String> {
        let path = match extensions.path {
            Some(path) => path,
            None => self.path()?,
        };
        if extensions.size.is_some_and(|announced| announced != size) {
            return Err(format!("two sizes for one file: {path}"));
        }
        let link = || match &extensions.link {
            Some(link) => Ok(link.clone()),
            None => text(self.field(157, 100)),
        };
        let is_old_directory = self.type_flag() == 0 && path.ends_with('/');
        let kind = match self.type_flag() {
            b'5' => Kind::Directory,
            _ if is_old_directory => Kind::Directory,
            b'0' | b'7' | 0 => Kind::File,
            b'1' => Kind::HardLink(link()?),
            b'2' => Kind::SymbolicLink(link()?),
            _ => return Err(format!("neither a file nor a directory nor a link: {path}")),
        };
        if kind != Kind::File && size != 0 {
            return Err(format!("a directory or link with content: {path}"));
        }
        Ok(Member { path, kind })
    }

    fn path(&self) -> Result<String, String> {
        let name = text(self.field(0, 100))?;
        let is_posix = self.field(257, 6) == b"ustar\0";
        let prefix = self.field(345, 155);
        if is_posix {
            let prefix = text(prefix)?;
            return Ok(if prefix.is_empty() { name } else { format!("{prefix}/{name}") });
        }
        // Some readers treat this field as a part of the name in every format.
        match prefix.iter().all(|byte| *byte == 0) {
            true => Ok(name),
            false => Err(format!("a header of an old format with data where new formats have a name: {name}")),
        }
    }
}

/// A text up to the first zero byte.
fn text(field: &[u8]) -> Result<String, String> {
    let text = field.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8(text.to_vec()).map_err(|_| format!("a name that is not UTF-8: {}", String::from_utf8_lossy(text)))
}

/// A long name as GNU writes it: up to a zero byte at its end.
fn long_name(content: &[u8]) -> Result<String, String> {
    let name = content.strip_suffix(b"\0").unwrap_or(content);
    if name.is_empty() || name.contains(&0) {
        return Err("a long name with a zero byte in it".to_owned());
    }
    text(name)
}

/// Spaces, octal digits, then nothing but spaces and zero bytes. Nothing at all is zero.
fn octal(field: &[u8]) -> Option<u64> {
    let field = field.trim_ascii_start();
    let end = field.iter().position(|byte| !(b'0'..=b'7').contains(byte)).unwrap_or(field.len());
    let (digits, rest) = field.split_at_checked(end)?;
    if rest.iter().any(|byte| !matches!(byte, b' ' | 0)) {
        return None;
    }
    digits.iter().try_fold(0u64, |number, digit| number.checked_mul(8)?.checked_add(u64::from(digit - b'0')))
}

/// A key and its value.
type PaxRecord = (String, Vec<u8>);

/// The records `LENGTH KEY=VALUE\n` of a pax header.
fn pax_records(mut content: &[u8]) -> Result<Vec<PaxRecord>, String> {
    let mut records = Vec::new();
    while !content.is_empty() {
        let (record, rest) = pax_record(content).ok_or_else(|| "a damaged pax header".to_owned())?;
        records.push(record);
        content = rest;
    }
    Ok(records)
}

fn pax_record(content: &[u8]) -> Option<(PaxRecord, &[u8])> {
    let space = content.iter().take(20).position(|byte| *byte == b' ')?;
    let digits = content.get(..space).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    let length: usize = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let (record, rest) = content.split_at_checked(length)?;
    let record = record.get(space + 1..)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    let (key, value) = record.split_at_checked(equals)?;
    let key = String::from_utf8(key.to_vec()).ok().filter(|key| !key.is_empty())?;
    Some(((key, value.get(1..)?.to_vec()), rest))
}

fn unreadable(error: std::io::Error) -> String {
    match error.kind() {
        ErrorKind::UnexpectedEof => "the archive is cut off".to_owned(),
        _ => format!("the archive cannot be read: {error}"),
    }
}
