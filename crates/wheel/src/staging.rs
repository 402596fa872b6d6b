//! The staging directories of a transaction: `new` holds what is going to be placed, `old` what has been taken away.
//!
//! They lie beside what they replace, so that every move is a rename within one file system. The first one lies in the
//! directory that the transaction locks and also holds the journal; further ones exist only when an environment spans
//! several file systems, and the first one lists them.
//!
//! What is found in an environment is believed only as far as it proves to be one's own: others may be able to write
//! there, and an archive or a cloned repository can bring along anything.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{FileType, Stat};
use sha2::{Digest as _, Sha256};

use crate::directory::Directory;
use crate::fault_injection;
use crate::seal::{self, SealKey};
use crate::transaction_error::TransactionError;

const PREFIX: &str = ".tufpip-staging-";
const LIST_OF_OTHERS: &str = "others";

/// Whether a name is that of a staging directory.
pub(crate) fn is_staging_name(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(PREFIX.as_bytes())
}

/// Everything in a directory that has the name of a staging directory.
pub(crate) fn find(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if is_staging_name(&entry.file_name()) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// The staging directories of one transaction.
pub(crate) struct Staging {
    /// The directory that the transaction has locked.
    library: PathBuf,
    name: OsString,
    /// The first is the main one. A directory that is not there any more, or not yet, has no handle.
    areas: Vec<Area>,
}

/// One staging directory.
struct Area {
    /// The directory that it lies in.
    parent: PathBuf,
    handle: Option<Directory>,
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
    /// Creates the main staging directory in `library` and one more in each directory of `others`.
    pub(crate) fn create(
        library: &Path,
        others: &[PathBuf],
        key: Option<&SealKey>,
    ) -> Result<Staging, TransactionError> {
        fault_injection::step().map_err(TransactionError::io(library))?;
        let prefix = format!("{PREFIX}{}-", std::process::id());
        let private = fs::Permissions::from_mode(0o700);
        let created = tempfile::Builder::new().prefix(&prefix).permissions(private).tempdir_in(library);
        let path = created.map_err(TransactionError::io(library))?.keep();
        let name = path.file_name().map(OsStr::to_os_string).unwrap_or_default();
        let handle = open_own(library, &name)?;
        let mut staging = Staging { library: library.to_path_buf(), name, areas: Vec::new() };
        staging.areas.push(Area { parent: library.to_path_buf(), handle });
        match staging.fill(others, key) {
            Ok(()) => Ok(staging),
            Err(error) => {
                staging.discard();
                Err(error)
            }
        }
    }

    fn fill(&mut self, others: &[PathBuf], key: Option<&SealKey>) -> Result<(), TransactionError> {
        if !others.is_empty() {
            let text = others.iter().flat_map(|path| [path.as_os_str().as_bytes(), b"\0"].concat()).collect();
            self.write(LIST_OF_OTHERS, text, key)?;
        }
        for parent in others {
            let name = self.name.to_string_lossy();
            let made = Directory::open(parent).and_then(|parent| parent.make(&name, 0o700));
            let handle = made.map_err(TransactionError::io(parent))?;
            self.areas.push(Area { parent: parent.clone(), handle: Some(handle) });
        }
        for number in 0..self.areas.len() {
            for inner in ["new", "old"] {
                // Mode and owner of what is made here are those of new files and directories in the environment.
                let made = self.area(number)?.make(inner, 0o777);
                made.map_err(TransactionError::io(&self.area_path(number)))?;
            }
        }
        Ok(())
    }

    /// The staging directories that an interrupted transaction left in `library` under this name. They are one's own, and
    /// so is the list of them; without a seal it may only name what lies in the library.
    pub(crate) fn found(library: &Path, path: &Path, key: Option<&SealKey>) -> Result<Staging, TransactionError> {
        let name = path.file_name().unwrap_or_default().to_os_string();
        let handle = open_own(library, &name)?;
        let mut staging = Staging { library: library.to_path_buf(), name, areas: Vec::new() };
        staging.areas.push(Area { parent: library.to_path_buf(), handle });
        if let Some(text) = staging.read(LIST_OF_OTHERS, key)? {
            for parent in text.contents.split(|byte| *byte == 0).filter(|path| !path.is_empty()) {
                let parent = PathBuf::from(OsString::from_vec(parent.to_vec()));
                staging.check_place(&parent, text.is_sealed)?;
                let handle = open_own(&parent, &staging.name)?;
                staging.areas.push(Area { parent, handle });
            }
        }
        Ok(staging)
    }

    /// Refuses a path that an interrupted transaction does not change, as far as that can be known.
    pub(crate) fn check_place(&self, path: &Path, is_sealed: bool) -> Result<(), TransactionError> {
        let is_plain = path.is_absolute()
            && path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
        if !is_plain {
            return Err(self.not_believed(&format!("{} is no plain path", path.display())));
        }
        if is_sealed || path.starts_with(&self.library) {
            return Ok(());
        }
        let problem = format!(
            "it names {}, which is not in {}, and this user did not write it with the data directory of today",
            path.display(),
            self.library.display()
        );
        Err(TransactionError::StagingNotBelieved {
            path: self.path(),
            problem,
            remedy: "run the command that was interrupted again, as the same user and with the same HOME and \
                     XDG_DATA_HOME; if there was none, delete that directory"
                .to_owned(),
        })
    }

    fn not_believed(&self, problem: &str) -> TransactionError {
        TransactionError::StagingNotBelieved {
            path: self.path(),
            problem: problem.to_owned(),
            remedy: "delete that directory if no command of yours was interrupted here".to_owned(),
        }
    }

    /// A file of the main directory, and whether it is sealed; `None` if there is no such file.
    pub(crate) fn read(&self, name: &str, key: Option<&SealKey>) -> Result<Option<FoundFile>, TransactionError> {
        let path = self.path().join(name);
        let Some((sealed, found)) = self.main()?.read(name).map_err(TransactionError::io(&path))? else {
            return Ok(None);
        };
        if let Some((problem, _)) = foreign(&found, FileType::RegularFile, 0o022) {
            return Err(self.not_believed(&format!("its {name} is not your own: {problem}")));
        }
        let own = key.and_then(|key| key.open(&self.what(name), &sealed));
        let summed = own.or_else(|| seal::split(&sealed).map(|(summed, _)| summed)).unwrap_or_default();
        let contents = undamaged(summed)
            .ok_or(TransactionError::JournalDamaged { path, problem: "it does not match its checksum" })?;
        Ok(Some(FoundFile { contents: contents.to_vec(), is_sealed: own.is_some() }))
    }

    /// Writes a file of the main directory, which appears as a whole, with its checksum and its seal.
    pub(crate) fn write(
        &self,
        name: &str,
        mut contents: Vec<u8>,
        key: Option<&SealKey>,
    ) -> Result<(), TransactionError> {
        contents.extend_from_slice(&Sha256::digest(&contents));
        match key {
            Some(key) => key.seal(&self.what(name), &mut contents),
            None => seal::leave_unsealed(&mut contents),
        }
        let unfinished = format!("{name}.part");
        let main = self.main()?;
        let written = main.write(&unfinished, &contents).map_err(TransactionError::io(&self.path().join(&unfinished)));
        written.and_then(|()| {
            let renamed = main.rename(OsStr::new(&unfinished), main, OsStr::new(name));
            renamed.map_err(TransactionError::io(&self.path().join(name)))
        })
    }

    /// A seal holds for one file of one transaction in one library.
    fn what<'s>(&'s self, name: &'s str) -> [&'s [u8]; 4] {
        [b"staging", self.library.as_os_str().as_bytes(), self.name.as_bytes(), name.as_bytes()]
    }

    /// The path of the main directory.
    pub(crate) fn path(&self) -> PathBuf {
        self.library.join(&self.name)
    }

    /// The main directory, which holds the journal.
    pub(crate) fn main(&self) -> Result<&Directory, TransactionError> {
        self.area(0)
    }

    fn area(&self, number: usize) -> Result<&Directory, TransactionError> {
        let handle = self.areas.get(number).and_then(|area| area.handle.as_ref());
        handle.ok_or_else(|| TransactionError::io(&self.area_path(number))(io::Error::from(io::ErrorKind::NotFound)))
    }

    fn area_path(&self, number: usize) -> PathBuf {
        self.areas.get(number).map_or_else(PathBuf::new, |area| area.parent.join(&self.name))
    }

    /// The directory that holds the new files of an area.
    pub(crate) fn new_directory(&self, area: usize) -> Result<Directory, TransactionError> {
        self.inner(area, "new")
    }

    /// The directory that holds the removed files of an area.
    pub(crate) fn old_directory(&self, area: usize) -> Result<Directory, TransactionError> {
        self.inner(area, "old")
    }

    fn inner(&self, area: usize, name: &str) -> Result<Directory, TransactionError> {
        let opened = self.area(area)?.child(OsStr::new(name));
        opened.map_err(TransactionError::io(&self.area_path(area).join(name)))
    }

    /// How many directories there are.
    pub(crate) fn areas(&self) -> usize {
        self.areas.len()
    }

    /// Mode and owner of new files and directories.
    pub(crate) fn defaults(&self) -> Result<Defaults, TransactionError> {
        let found = self.new_directory(0)?.stat().map_err(TransactionError::io(&self.path()))?;
        Ok(Defaults { mode: found.st_mode & 0o777, owner: found.st_uid })
    }

    /// Deletes everything, the main directory and in it the list of the others last, so that an interruption loses
    /// track of nothing. What cannot be deleted stays for the next transaction to try: by now it is only waste.
    pub(crate) fn discard(&self) {
        let _ = self.try_discard();
    }

    fn try_discard(&self) -> io::Result<()> {
        let Some((main, others)) = self.areas.split_first() else { return Ok(()) };
        for other in others.iter().filter(|other| other.handle.is_some()) {
            fault_injection::step()?;
            Directory::open(&other.parent)?.delete_tree(&self.name)?;
        }
        if let Some(handle) = &main.handle {
            for inner in ["new", "old"] {
                fault_injection::step()?;
                handle.delete_tree(OsStr::new(inner))?;
            }
        }
        fault_injection::step()?;
        Directory::open(&main.parent)?.delete_tree(&self.name)
    }
}

/// A file of an interrupted transaction.
pub(crate) struct FoundFile {
    pub(crate) contents: Vec<u8>,
    /// Whether the seal proves that this user wrote it.
    pub(crate) is_sealed: bool,
}

/// The contents in front of their checksum (SHA-256). It proves nothing about who wrote them; without it, damage to a
/// sealed file would make it an unsealed one that says something else, and may still be obeyed within the library.
fn undamaged(summed: &[u8]) -> Option<&[u8]> {
    let (contents, checksum) = summed.split_last_chunk::<32>()?;
    (Sha256::digest(contents)[..] == checksum[..]).then_some(contents)
}

/// Opens a staging directory, which must be one's own and nobody else's; `None` if it is not there.
fn open_own(parent: &Path, name: &OsStr) -> Result<Option<Directory>, TransactionError> {
    let path = parent.join(name);
    let not_believed =
        |problem: String, remedy: String| TransactionError::StagingNotBelieved { path: path.clone(), problem, remedy };
    let directory = match Directory::open(parent) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(TransactionError::io(parent))?,
    };
    let found = directory.look(name).map_err(TransactionError::io(&path))?;
    let Some(found) = found else { return Ok(None) };
    let handle = match foreign(&found, FileType::Directory, 0o077) {
        Some((problem, remedy)) => return Err(not_believed(problem, remedy)),
        None => directory.child(name).map_err(TransactionError::io(&path))?,
    };
    // What was opened is what counts.
    let opened = handle.stat().map_err(TransactionError::io(&path))?;
    match foreign(&opened, FileType::Directory, 0o077) {
        Some((problem, remedy)) => Err(not_believed(problem, remedy)),
        None => Ok(Some(handle)),
    }
}

/// Why something is not one's own alone, and what can be done about it. Transactions make their directories for their
/// user only, and their files for others to read at most.
fn foreign(found: &Stat, wanted: FileType, forbidden: u32) -> Option<(String, String)> {
    let unfounded = "delete it if no command of yours was interrupted here".to_owned();
    let user = rustix::process::geteuid().as_raw();
    if FileType::from_raw_mode(found.st_mode) != wanted {
        return Some(("a transaction has never left such a thing".to_owned(), unfounded));
    }
    if found.st_uid != user {
        let problem = format!("it belongs to user {} and this is user {user}", found.st_uid);
        let remedy = format!("user {} has to run tufpip here once, or to delete it", found.st_uid);
        return Some((problem, remedy));
    }
    let mode = found.st_mode & 0o777;
    (mode & forbidden != 0).then(|| (format!("others may use it (mode {mode:o})"), unfounded))
}

/// Chooses the staging directory for each path that changes: one per file system.
pub(crate) struct Areas {
    devices: Vec<u64>,
    others: Vec<PathBuf>,
    known: BTreeMap<PathBuf, Place>,
}

/// The directory that a path lies in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The number of its staging directory.
    pub(crate) area: usize,
    /// Who may change what is in it.
    pub(crate) owner: u32,
}

impl Areas {
    pub(crate) fn new(main: &Path) -> Result<Areas, TransactionError> {
        let device = fs::metadata(main).map_err(TransactionError::io(main))?.dev();
        Ok(Areas { devices: vec![device], others: Vec::new(), known: BTreeMap::new() })
    }

    /// The place of a path whose parent exists.
    pub(crate) fn place_of(&mut self, path: &Path) -> Result<Place, TransactionError> {
        let parent = path.parent().unwrap_or(path);
        if let Some(place) = self.known.get(parent) {
            return Ok(*place);
        }
        let metadata = fs::metadata(parent).map_err(TransactionError::io(parent))?;
        let device = metadata.dev();
        let area = match self.devices.iter().position(|known| *known == device) {
            Some(area) => area,
            None => {
                self.devices.push(device);
                self.others.push(parent.to_path_buf());
                self.others.len()
            }
        };
        let place = Place { area, owner: metadata.uid() };
        self.known.insert(parent.to_path_buf(), place);
        Ok(place)
    }

    /// The directories besides the main one that need a staging directory.
    pub(crate) fn others(&self) -> &[PathBuf] {
        &self.others
    }
}
