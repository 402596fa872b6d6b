//! Makes source distributions (PEP 625, PEP 643): a gzipped tar with PKG-INFO and whatever else a test adds.

use std::io::Write as _;

use flate2::{Compression, GzBuilder};

use crate::wheel_maker::filename_part;

/// A source distribution in the making.
#[derive(Clone, Debug)]
pub struct Sdist {
    name: String,
    version: String,
    headers: String,
    files: Vec<(String, Vec<u8>)>,
}

/// A built source distribution.
#[derive(Clone, Debug)]
pub struct SdistFile {
    /// Such as `app-1.0.tar.gz`.
    pub filename: String,
    /// The compressed archive.
    pub bytes: Vec<u8>,
    /// The PKG-INFO file.
    pub metadata: Vec<u8>,
}

impl Sdist {
    /// A source distribution with PKG-INFO alone: it can be listed and downloaded, not built.
    pub fn new(name: &str, version: &str) -> Self {
        Self { name: name.to_owned(), version: version.to_owned(), headers: String::new(), files: Vec::new() }
    }

    /// A line of PKG-INFO.
    pub fn metadata_header(mut self, name: &str, value: &str) -> Self {
        self.headers += &format!("{name}: {value}\n");
        self
    }

    /// A file, path relative to `NAME-VERSION/`, such as `pyproject.toml`.
    pub fn file(mut self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.files.push((path.to_owned(), bytes.as_ref().to_vec()));
        self
    }

    /// Writes the archive.
    pub fn build(self) -> SdistFile {
        let stem = format!("{}-{}", filename_part(&self.name), self.version);
        let metadata =
            format!("Metadata-Version: 2.2\nName: {}\nVersion: {}\n{}", self.name, self.version, self.headers);
        let mut archive = Vec::new();
        add_tar_member(&mut archive, &format!("{stem}/PKG-INFO"), metadata.as_bytes());
        for (path, bytes) in &self.files {
            add_tar_member(&mut archive, &format!("{stem}/{path}"), bytes);
        }
        archive.extend([0; 1024]);
        let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::new(6));
        encoder.write_all(&archive).unwrap();
        SdistFile {
            filename: format!("{stem}.tar.gz"),
            bytes: encoder.finish().unwrap(),
            metadata: metadata.into_bytes(),
        }
    }
}

/// A POSIX ustar header, the content, and zeros up to the next block of 512 bytes.
fn add_tar_member(archive: &mut Vec<u8>, path: &str, bytes: &[u8]) {
    let mut header = [0_u8; 512];
    let mut put = |offset: usize, text: &[u8]| header[offset..offset + text.len()].copy_from_slice(text);
    assert!(path.len() <= 100, "{path} is too long for the name field of a tar header");
    put(0, path.as_bytes());
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{:011o}\0", bytes.len()).as_bytes());
    put(136, b"00000000000\0");
    // The checksum is computed with spaces in its own place.
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    let checksum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{checksum:06o}\0 ").as_bytes());
    archive.extend(header);
    archive.extend(bytes);
    archive.resize(archive.len().next_multiple_of(512), 0);
}
