//! Reading bytes at a position, without a shared cursor, so that several threads can read one wheel.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::error::{Refusal, Rule, WheelError};

/// Reads exactly `length` bytes at `offset`. The caller has bounded `length`.
pub(super) fn read(file: &File, offset: u64, length: u64, filename: &str) -> Result<Vec<u8>, WheelError> {
    let length = usize::try_from(length).map_err(|_| Refusal::whole(filename, Rule::Size, "too large to address"))?;
    let mut bytes = vec![0; length];
    read_into(file, offset, &mut bytes, filename)?;
    Ok(bytes)
}

/// Fills `bytes` from `offset`.
pub(super) fn read_into(file: &File, offset: u64, bytes: &mut [u8], filename: &str) -> Result<(), WheelError> {
    read_exact_at(file, bytes, offset).map_err(|source| match source.kind() {
        io::ErrorKind::UnexpectedEof => Refusal::whole(filename, Rule::Framing, "ends before its contents do"),
        _ => WheelError::Io { path: Path::new(filename).to_path_buf(), source },
    })
}

#[cfg(unix)]
fn read_exact_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut bytes: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, bytes, offset)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                bytes = bytes.get_mut(count..).unwrap_or_default();
                offset += count as u64;
            }
        }
    }
    Ok(())
}
