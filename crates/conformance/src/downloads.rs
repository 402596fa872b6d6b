//! Downloaded targets: a directory of verified files, each named by its encoded target path.

use std::fs::File;
use std::io::{Read, Write, sink};
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tempfile::NamedTempFile;
use tuf::Verifier;

use crate::Failure;

/// Neither slash nor dot remains, so that no target path leads out of the directory.
const IN_FILE_NAMES: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

pub struct Downloads {
    directory: PathBuf,
}

impl Downloads {
    pub fn new(directory: PathBuf) -> Self {
        Downloads { directory }
    }

    /// Whether the target is there with exactly the content that is signed now.
    pub fn have(&self, path: &str, signed: Verifier) -> bool {
        File::open(self.path(path)).is_ok_and(|file| copy_verified(signed, file, sink()).is_ok())
    }

    /// Takes the content if it is what is signed, wholly or not at all. The scratch directory must be on the same file
    /// system.
    pub fn keep(
        &self,
        path: &str,
        signed: Verifier,
        content: impl Read,
        scratch_directory: &Path,
    ) -> Result<(), Failure> {
        let mut temporary = NamedTempFile::new_in(scratch_directory)?;
        copy_verified(signed, content, &mut temporary)?;
        temporary.persist(self.path(path))?;
        Ok(())
    }

    fn path(&self, path: &str) -> PathBuf {
        self.directory.join(utf8_percent_encode(path, IN_FILE_NAMES).to_string())
    }
}

/// An error as soon as there are more bytes than signed, or in the end if they are not the signed ones.
fn copy_verified(mut signed: Verifier, mut from: impl Read, mut to: impl Write) -> Result<(), Failure> {
    let mut buffer = [0; 16 << 10];
    loop {
        let length = from.read(&mut buffer)?;
        let bytes = buffer.get(..length).unwrap_or_default();
        if bytes.is_empty() {
            return Ok(signed.finish()?);
        }
        signed.update(bytes)?;
        to.write_all(bytes)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tuf::{HashAlgorithm, Hashes, Size};

    fn signed(content: &[u8]) -> Verifier {
        Verifier::new(Size::Exactly(content.len() as u64), &Hashes::of(content, &[HashAlgorithm::Sha256])).unwrap()
    }

    #[test]
    fn no_target_path_leaves_the_directory() {
        let downloads = Downloads::new(PathBuf::from("downloads"));
        for path in ["..", ".", "../up", "/etc/passwd", "a/../../b", "a\\..\\b", "C:\\a", "a\0b"] {
            let file = downloads.path(path);
            assert_eq!(file.parent(), Some(Path::new("downloads")), "{path}");
            assert!(file.file_name().is_some(), "{path}");
        }
    }

    #[test]
    fn what_is_not_signed_leaves_what_was_there() {
        let (directory, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let downloads = Downloads::new(directory.path().to_owned());
        downloads.keep("a/b", signed(b"hello"), &b"hello"[..], scratch.path()).unwrap();
        for other in ["hell", "hullo", "hello!"] {
            downloads.keep("a/b", signed(b"hello"), other.as_bytes(), scratch.path()).unwrap_err();
        }
        assert!(downloads.have("a/b", signed(b"hello")));
        assert!(!downloads.have("a/b", signed(b"hullo")));
        assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
