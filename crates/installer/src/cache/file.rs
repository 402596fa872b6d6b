//! Files of the cache: written whole or not at all, and as good as absent when they were damaged.

use std::io::Write;
use std::path::Path;

/// The bytes that [`write()`] put there; `None` when the file is missing or is not what was written.
pub fn read(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = std::fs::read(path).ok()?;
    let split = bytes.len().checked_sub(size_of::<u32>())?;
    let sum = bytes.split_off(split);
    (sum == checksum(&bytes)).then_some(bytes)
}

/// Keeps `bytes` for [`read`].
pub fn write(path: &Path, bytes: &[u8]) {
    keep(path, &[bytes, &checksum(bytes)]);
}

/// Keeps a file that consists of these parts. A cache that cannot be written only costs time.
pub fn keep(path: &Path, parts: &[&[u8]]) {
    let Some(directory) = path.parent() else { return };
    let written = std::fs::create_dir_all(directory)
        .and_then(|()| tempfile::NamedTempFile::new_in(directory))
        .and_then(|mut file| parts.iter().try_for_each(|part| file.write_all(part)).map(|()| file));
    if let Ok(file) = written {
        let _ = file.persist(path);
    }
}

/// Against accidents, not against attackers: who can write here can write anywhere the user can.
fn checksum(bytes: &[u8]) -> [u8; 4] {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum().to_le_bytes()
}
