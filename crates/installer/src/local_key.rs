//! The user's secret on this machine, by which files of the user's own prove what they are: journals in environments that
//! others may write to, and a cache that may have been restored from elsewhere.
//!
//! It lies in the user's data directory, where no cleaner of caches comes and from where no cache is restored; beside the
//! trust store, because it says nothing about indexes. Without one, nothing fails: what it would have proved is not
//! believed.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use wheel::SealKey;

use crate::options::TrustOptions;
use crate::ownership;

/// Its name in the directory that the trust store is in.
const FILE: &str = "local-key";
const LENGTH: usize = 32;

/// The key of the user who runs this. It is read, and made if there is none yet, when it is needed first.
#[derive(Clone, Debug)]
pub struct LocalKey(Arc<Lazy>);

#[derive(Debug)]
struct Lazy {
    directory: Option<PathBuf>,
    key: OnceLock<Option<SealKey>>,
}

impl LocalKey {
    /// The key beside this trust store.
    pub fn new(trust: &TrustOptions) -> Self {
        let directory = trust.store.as_deref().and_then(Path::parent).map(Path::to_owned);
        Self(Arc::new(Lazy { directory, key: OnceLock::new() }))
    }

    /// The key; `None` without a directory for user data that can be written to.
    pub fn get(&self) -> Option<&SealKey> {
        let key = self.0.key.get_or_init(|| open(self.0.directory.as_deref()?));
        key.as_ref()
    }
}

/// Where the key is: nothing that is installed may change it.
pub fn path(trust: &TrustOptions) -> Option<PathBuf> {
    Some(trust.store.as_deref()?.parent()?.join(FILE))
}

fn open(directory: &Path) -> Option<SealKey> {
    let path = directory.join(FILE);
    match read(&path) {
        Ok(key) => Some(key),
        Err(Unusable::Foreign) => None,
        Err(Unusable::Absent) => make(directory, &path, false),
        // Others may know it.
        Err(Unusable::NotSecret) => make(directory, &path, true),
    }
}

/// Why there is no key to read.
enum Unusable {
    Absent,
    /// Another user's, or unreadable.
    Foreign,
    /// The user's own, but damaged or not private.
    NotSecret,
}

fn read(path: &Path) -> Result<SealKey, Unusable> {
    let absent = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Unusable::Absent,
        _ => Unusable::Foreign,
    };
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let mut file = File::options().read(true).custom_flags(flags).open(path).map_err(absent)?;
    let metadata = file.metadata().map_err(absent)?;
    if !metadata.is_file() || !ownership::is_own(&metadata) {
        return Err(Unusable::Foreign);
    }
    let mut bytes = [0; LENGTH];
    let is_secret = metadata.mode() & 0o077 == 0 && metadata.len() == LENGTH as u64;
    if !is_secret || file.read_exact(&mut bytes).is_err() {
        return Err(Unusable::NotSecret);
    }
    Ok(SealKey::new(bytes))
}

/// Makes a key. Of several processes that do so at once, all get the same.
fn make(directory: &Path, path: &Path, replace: bool) -> Option<SealKey> {
    let existing = directory.ancestors().find_map(|ancestor| std::fs::metadata(ancestor).ok())?;
    // With another user's HOME, as under sudo, that user could not read it any more.
    if rustix::process::geteuid().is_root() && !ownership::is_own(&existing) {
        return None;
    }
    DirBuilder::new().recursive(true).mode(0o700).create(directory).ok()?;
    let mut bytes = [0; LENGTH];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()).ok()?;
    // With its mode from the beginning, and complete when it gets its name.
    let mut file = tempfile::Builder::new()
        .prefix(".new-")
        .permissions(Permissions::from_mode(0o600))
        .make_in(directory, |path| OpenOptions::new().write(true).create_new(true).mode(0o600).open(path))
        .ok()?;
    file.write_all(&bytes).ok()?;
    let kept = match replace {
        true => file.into_temp_path().persist(path).is_ok(),
        false => file.into_temp_path().persist_noclobber(path).is_ok(),
    };
    if kept && replace {
        return Some(SealKey::new(bytes));
    }
    // Whoever was first, that key counts.
    read(path).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn open(directory: &Path) -> Option<SealKey> {
        let store = Some(directory.join("share/tufpip/tuf-repositories"));
        LocalKey::new(&TrustOptions { store, ..TrustOptions::default() }).get().cloned()
    }

    #[test]
    fn it_is_made_once_for_the_user_alone() {
        let home = tempfile::tempdir().unwrap();
        let keys: Vec<Option<SealKey>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| open(home.path()))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(keys[0].is_some() && keys.iter().all(|key| *key == keys[0]));
        let file = home.path().join("share/tufpip/local-key");
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o600);
        assert_eq!(fs::metadata(file.parent().unwrap()).unwrap().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn one_that_others_may_know_is_replaced_and_a_foreign_one_not_believed() {
        let home = tempfile::tempdir().unwrap();
        let first = open(home.path()).unwrap();
        let file = home.path().join("share/tufpip/local-key");
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        let second = open(home.path()).unwrap();
        assert_ne!(first, second);
        assert_eq!(open(home.path()), Some(second.clone()));
        fs::write(&file, "short").unwrap();
        assert_ne!(open(home.path()), Some(second));
        let target = home.path().join("elsewhere");
        fs::rename(&file, &target).unwrap();
        std::os::unix::fs::symlink(&target, &file).unwrap();
        assert_eq!(open(home.path()), None);
    }

    #[test]
    fn without_a_place_there_is_none() {
        assert_eq!(LocalKey::new(&TrustOptions::default()).get().cloned(), None);
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("share"), "a file").unwrap();
        assert_eq!(open(home.path()), None);
    }
}
