//! The staging directories of a transaction: `new` holds what is going to be placed, `old` what has been taken away.
//!
//! They lie beside what they replace, so that every move is a rename within one file system. The first one lies in the
//! directory that the transaction locks and also holds the journal; further ones exist only when an environment spans
//! several file systems, and the first one lists them.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::fault_injection;
use crate::transaction_error::TransactionError;

const PREFIX: &str = ".tufpip-staging-";
const LIST_OF_OTHERS: &str = "others";

/// Whether a name is that of a staging directory.
pub(crate) fn is_staging_name(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(PREFIX.as_bytes())
}

/// The staging directories in a directory, of any process.
pub(crate) fn find(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if is_staging_name(&entry.file_name()) && entry.file_type()?.is_dir() {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// The staging directories of one transaction.
pub(crate) struct Staging {
    /// The first is the main one.
    directories: Vec<PathBuf>,
}

/// Mode and owner of new files and directories here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Defaults {
    /// Permissions of a new directory: 0777 without the umask. Looking at one is the only way to learn the umask that
    /// neither disturbs other threads nor overlooks the default access list of a directory.
    pub(crate) mode: u32,
    /// Owner of new files.
    pub(crate) owner: u32,
}

impl Staging {
    /// Creates the main staging directory in `main` and one more in each directory of `others`.
    pub(crate) fn create(main: &Path, others: &[PathBuf]) -> Result<Staging, TransactionError> {
        fault_injection::step().map_err(TransactionError::io(main))?;
        let name = format!("{PREFIX}{}-", std::process::id());
        let created = tempfile::Builder::new().prefix(&name).tempdir_in(main).map_err(TransactionError::io(main))?;
        let path = created.keep();
        let name = path.file_name().map(OsStr::to_os_string).unwrap_or_default();
        let mut directories = vec![path];
        directories.extend(others.iter().map(|other| other.join(&name)));
        let staging = Staging { directories };
        match staging.fill() {
            Ok(()) => Ok(staging),
            Err(error) => {
                staging.discard();
                Err(error)
            }
        }
    }

    fn fill(&self) -> Result<(), TransactionError> {
        if let [main, others @ ..] = self.directories.as_slice()
            && !others.is_empty()
        {
            let list = main.join(LIST_OF_OTHERS);
            let text = others.iter().flat_map(|path| [path.as_os_str().as_bytes(), b"\0"].concat()).collect::<Vec<_>>();
            fault_injection::step().and_then(|()| fs::write(&list, text)).map_err(TransactionError::io(&list))?;
            for other in others {
                fault_injection::step().and_then(|()| fs::create_dir(other)).map_err(TransactionError::io(other))?;
            }
        }
        for directory in &self.directories {
            for inner in ["new", "old"] {
                let path = directory.join(inner);
                fault_injection::step().and_then(|()| fs::create_dir(&path)).map_err(TransactionError::io(&path))?;
            }
        }
        Ok(())
    }

    /// The staging directories that an interrupted transaction left.
    pub(crate) fn found(main: &Path) -> Result<Staging, TransactionError> {
        let mut directories = vec![main.to_path_buf()];
        let list = main.join(LIST_OF_OTHERS);
        match fs::read(&list) {
            Ok(text) => {
                let others = text.split(|byte| *byte == 0).filter(|path| !path.is_empty());
                let others = others.map(|path| PathBuf::from(OsString::from_vec(path.to_vec())));
                // The list names what gets deleted: nothing but our own directories may be in it.
                directories.extend(others.filter(|other| other.file_name() == main.file_name()));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(TransactionError::io(&list)(error)),
        }
        Ok(Staging { directories })
    }

    /// The main directory, which holds the journal.
    pub(crate) fn main(&self) -> &Path {
        self.directories.first().map_or(Path::new(""), PathBuf::as_path)
    }

    /// Where the new files with a number are staged.
    pub(crate) fn new_path(&self, area: usize, number: usize) -> PathBuf {
        self.inner(area, "new").join(number.to_string())
    }

    /// Where removed files are kept.
    pub(crate) fn old_path(&self, area: usize, number: usize) -> PathBuf {
        self.inner(area, "old").join(number.to_string())
    }

    /// The directory that holds the new files.
    pub(crate) fn new_directory(&self, area: usize) -> PathBuf {
        self.inner(area, "new")
    }

    /// How many directories there are.
    pub(crate) fn areas(&self) -> usize {
        self.directories.len()
    }

    fn inner(&self, area: usize, name: &str) -> PathBuf {
        self.directories.get(area).map_or_else(PathBuf::new, |directory| directory.join(name))
    }

    /// Mode and owner of new files and directories.
    pub(crate) fn defaults(&self) -> Result<Defaults, TransactionError> {
        let path = self.new_directory(0);
        let metadata = fs::metadata(&path).map_err(TransactionError::io(&path))?;
        Ok(Defaults { mode: metadata.mode() & 0o777, owner: metadata.uid() })
    }

    /// Deletes everything, the main directory and in it the list of the others last, so that an interruption loses
    /// track of nothing. What cannot be deleted stays for the next transaction to try: by now it is only waste.
    pub(crate) fn discard(&self) {
        let _ = self.try_discard();
    }

    fn try_discard(&self) -> io::Result<()> {
        let Some((main, others)) = self.directories.split_first() else { return Ok(()) };
        for other in others {
            fault_injection::step()?;
            delete_tree(other)?;
        }
        for inner in ["new", "old"] {
            fault_injection::step()?;
            delete_tree(&main.join(inner))?;
        }
        fault_injection::step()?;
        delete_tree(main)
    }
}

fn delete_tree(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Chooses the staging directory for each path that changes: one per file system.
pub(crate) struct Areas {
    devices: Vec<u64>,
    others: Vec<PathBuf>,
    known: BTreeMap<PathBuf, usize>,
}

impl Areas {
    pub(crate) fn new(main: &Path) -> Result<Areas, TransactionError> {
        let device = fs::metadata(main).map_err(TransactionError::io(main))?.dev();
        Ok(Areas { devices: vec![device], others: Vec::new(), known: BTreeMap::new() })
    }

    /// The number of the staging directory for a path whose parent exists.
    pub(crate) fn area_of(&mut self, path: &Path) -> Result<usize, TransactionError> {
        let parent = path.parent().unwrap_or(path);
        if let Some(area) = self.known.get(parent) {
            return Ok(*area);
        }
        let device = fs::metadata(parent).map_err(TransactionError::io(parent))?.dev();
        let area = match self.devices.iter().position(|known| *known == device) {
            Some(area) => area,
            None => {
                self.devices.push(device);
                self.others.push(parent.to_path_buf());
                self.others.len()
            }
        };
        self.known.insert(parent.to_path_buf(), area);
        Ok(area)
    }

    /// The directories besides the main one that need a staging directory.
    pub(crate) fn others(&self) -> &[PathBuf] {
        &self.others
    }
}
