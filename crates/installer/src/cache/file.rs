//! Files of the cache that are believed: written whole or not at all, and sealed by the user who wrote them. One that is
//! damaged, or of somebody else, counts as missing.

use std::io::Write;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::local_key::LocalKey;

/// The bytes that [`write()`] put there with this key; `None` when the file is missing or is not what was written, or
/// there is no key.
pub fn read(path: &Path, key: &LocalKey) -> Option<Vec<u8>> {
    let bytes = std::fs::read(path).ok()?;
    key.get()?.open(&name(path), &bytes).map(<[u8]>::to_vec)
}

/// Keeps `bytes` for [`read`].
pub fn write(path: &Path, key: &LocalKey, mut bytes: Vec<u8>) {
    if let Some(key) = key.get() {
        key.seal(&name(path), &mut bytes);
        keep(path, &bytes);
    }
}

/// Keeps a file as it is. A cache that cannot be written only costs time.
pub fn keep(path: &Path, bytes: &[u8]) {
    let Some(directory) = path.parent() else { return };
    let written = super::make_private(directory)
        .and_then(|()| tempfile::NamedTempFile::new_in(directory))
        .and_then(|mut file| file.write_all(bytes).map(|()| file));
    if let Ok(file) = written {
        let _ = file.persist(path);
    }
}

/// What a file of the cache is: its name, and the directory of the cache that it is in.
fn name(path: &Path) -> [&[u8]; 3] {
    let directory = path.parent().and_then(Path::file_name).unwrap_or_default();
    [b"cache", directory.as_bytes(), path.file_name().unwrap_or_default().as_bytes()]
}
