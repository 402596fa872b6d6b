//! Source distributions (PEP 517, PEP 625): a gzipped tar of one directory with PKG-INFO in it.
//!
//! It is read to its end and nothing of it is written. The checks ensure that every installer can unpack it: no name or
//! link leads out of the directory, no path occurs twice, and the unpacked size is limited.

mod tar;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};

use flate2::bufread::MultiGzDecoder;
use packaging::{MAX_METADATA_SIZE, SourceDistributionFilename};
use wheel::ArchiveLimits;

use self::tar::{Kind, Tar};

/// Longest name of a member, in bytes.
const NAME_LIMIT: usize = 1024;
/// Most bytes of all names together: they are held in memory.
const NAMES_LIMIT: usize = 32 << 20;

/// PKG-INFO of a `.tar.gz` whose whole content was checked. The file is read from its beginning.
///
/// # Errors
/// The rule that it breaks, as text.
pub fn read_metadata(
    file: &File,
    filename: &SourceDistributionFilename,
    limits: &ArchiveLimits,
) -> Result<Vec<u8>, String> {
    let length = file.metadata().map_err(|error| error.to_string())?.len();
    refuse_zip(file, length).map_err(|error| error.to_string())??;
    let mut file = file;
    file.rewind().map_err(|error| error.to_string())?;
    let most = limits.unpacked_size.min(limits.ratio_free_size.max(length.saturating_mul(limits.ratio)));
    let mut tar = Tar::new(Bounded { inner: MultiGzDecoder::new(BufReader::new(file)), left: most });
    let mut tree = ArchiveTree::new(filename);
    let mut metadata = None;
    while let Some(member) = tar.next_member()? {
        let is_file = member.kind == Kind::File;
        let path = tree.add(&member.path, member.kind)?;
        if tree.kinds.len() as u64 > limits.entries {
            return Err(format!("more than {} files", limits.entries));
        }
        if is_file && tree.is_metadata(&path) {
            let content =
                tar.read_content(MAX_METADATA_SIZE as u64).map_err(|problem| format!("PKG-INFO: {problem}"))?;
            metadata = Some(content);
        }
    }
    tree.check()?;
    metadata.ok_or_else(|| format!("no PKG-INFO in {}", tree.top.as_deref().unwrap_or("it")))
}

/// What has been found in the archive.
struct ArchiveTree<'a> {
    filename: &'a SourceDistributionFilename,
    /// The directory that everything is in, once it is known.
    top: Option<String>,
    kinds: HashMap<String, Kind>,
    names: usize,
}

impl<'a> ArchiveTree<'a> {
    fn new(filename: &'a SourceDistributionFilename) -> Self {
        Self { filename, top: None, kinds: HashMap::new(), names: 0 }
    }

    /// Adds a member; returns its normalized path.
    fn add(&mut self, written: &str, kind: Kind) -> Result<String, String> {
        let path = checked_path(written, kind == Kind::Directory)?;
        self.names += path.len();
        if self.names > NAMES_LIMIT {
            return Err("the names of its files are too long".to_owned());
        }
        self.check_top(&path)?;
        match &kind {
            Kind::SymbolicLink(target) => check_symbolic_link(&path, target)?,
            Kind::HardLink(target) => {
                let known =
                    checked_path(target, false).is_ok_and(|target| self.kinds.get(&target) == Some(&Kind::File));
                if !known {
                    return Err(format!("a hard link to something that is no file of the archive: {path}"));
                }
            }
            Kind::File | Kind::Directory => {}
        }
        let is_directory = kind == Kind::Directory;
        // What a hard link names can be linked to again.
        let kind = if matches!(kind, Kind::HardLink(_)) { Kind::File } else { kind };
        match self.kinds.insert(path.clone(), kind) {
            None => Ok(path),
            Some(Kind::Directory) if is_directory => Ok(path),
            Some(_) => Err(format!("the same name twice: {path}")),
        }
    }

    fn is_metadata(&self, path: &str) -> bool {
        self.top.as_deref().and_then(|top| path.strip_prefix(top)) == Some("/PKG-INFO")
    }

    /// Everything is in one directory, which is named as the archive is.
    fn check_top(&mut self, path: &str) -> Result<(), String> {
        let top = path.split('/').next().unwrap_or_default();
        match &self.top {
            Some(known) if known == top => return Ok(()),
            Some(known) => return Err(format!("a file outside of {known}: {path}")),
            None => {}
        }
        let named = SourceDistributionFilename::parse(&format!("{top}.tar.gz"), &self.filename.name);
        if !named.is_ok_and(|named| named.version == self.filename.version) {
            return Err(format!(
                "expected everything in {}, found {path}",
                self.filename.as_str().trim_end_matches(".tar.gz")
            ));
        }
        self.top = Some(top.to_owned());
        Ok(())
    }

    /// Nothing may be below something that is no directory: a path through a link could lead anywhere.
    fn check(&self) -> Result<(), String> {
        for path in self.kinds.keys() {
            for (position, _) in path.match_indices('/') {
                let above = path.get(..position).unwrap_or_default();
                if self.kinds.get(above).is_some_and(|kind| *kind != Kind::Directory) {
                    return Err(format!("a file below something that is no directory: {path}"));
                }
            }
        }
        match self.top.as_ref().and_then(|top| self.kinds.get(top)) {
            None | Some(Kind::Directory) => Ok(()),
            Some(_) => Err("it consists of one file".to_owned()),
        }
    }
}

/// A path whose parts are all plain names, without a leading `./` and trailing `/`.
fn checked_path(written: &str, is_directory: bool) -> Result<String, String> {
    let path = written.strip_prefix("./").unwrap_or(written);
    let path = if is_directory { path.strip_suffix('/').unwrap_or(path) } else { path };
    if path.len() > NAME_LIMIT {
        return Err(format!("a name of more than {NAME_LIMIT} bytes"));
    }
    let is_name = |part: &str| !matches!(part, "" | "." | "..");
    if !path.split('/').all(is_name) || path.contains(|character: char| character == '\\' || character.is_control()) {
        return Err(format!("a name that leads elsewhere or cannot be shown: {written}"));
    }
    Ok(path.to_owned())
}

/// A symbolic link must not leave the directory. `..` may only come first: behind the name of another link it would
/// start from wherever that leads.
fn check_symbolic_link(path: &str, target: &str) -> Result<(), String> {
    let refused = || Err(format!("a symbolic link that leads out of the archive: {path}"));
    let up = target.split('/').take_while(|part| *part == "..").count();
    let down = target.split('/').skip(up);
    // The directory that everything is in, and the link itself, cannot be left.
    if target.is_empty() || target.starts_with('/') || target.contains(['\\', '\0']) || up + 2 > path.split('/').count()
    {
        return refused();
    }
    if down.into_iter().any(|part| part == "..") { refused() } else { Ok(()) }
}

/// Refuses a file that is a zip archive as well: programs would read it differently.
fn refuse_zip(mut file: &File, length: u64) -> io::Result<Result<(), String>> {
    const END_LENGTH: usize = 22;
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(length.saturating_sub(END_LENGTH as u64 + u64::from(u16::MAX))))?;
    file.take(END_LENGTH as u64 + u64::from(u16::MAX)).read_to_end(&mut tail)?;
    let is_end = tail.windows(END_LENGTH).enumerate().any(|(place, end)| {
        let comment = end.last_chunk::<2>().map(|length| usize::from(u16::from_le_bytes(*length)));
        end.starts_with(b"PK\x05\x06") && comment == Some(tail.len() - place - END_LENGTH)
    });
    Ok(if is_end { Err("it is a zip archive as well".to_owned()) } else { Ok(()) })
}

/// What an archive unpacks to, up to a limit.
struct Bounded<R> {
    inner: R,
    /// In bytes.
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(length as u64).ok_or_else(|| io::Error::other("it unpacks to too much"))?;
        Ok(length)
    }
}

#[cfg(test)]
mod tests;
