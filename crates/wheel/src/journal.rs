//! The journal of a transaction: which renames turn the old environment into the new one, and how to undo them.
//!
//! It is written completely before the first rename and renamed to `done` after the last. A process that dies in between
//! leaves a journal from which the next transaction undoes exactly the renames that have happened: a rename has happened
//! when the thing is no longer where it was. Undoing may itself be interrupted and started again.
//!
//! A journal is obeyed only if it is one's own: it lies in a staging directory of one's own ([`Staging::found`]), is
//! sealed with the user's key, or names nothing outside of the directory that it lies in; and no path in it is reached
//! through a symbolic link. One that does not match its checksum is obeyed by nobody. All journals of a directory are checked before the first is obeyed.
//!
//! Nothing is synchronised to the medium: that would cost more than the whole installation (a killed process loses nothing
//! of what it wrote, only a power failure does). After a power failure files may be empty or the journal unreadable; then
//! the RECORDs tell what is damaged.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use crate::directory::Directory;
use crate::seal::SealKey;
use crate::staging::{self, FoundFile, Staging};
use crate::transaction_error::TransactionError;

const JOURNAL: &str = "journal";
const DONE: &str = "done";
const HEADER: &[u8] = b"tufpip journal 3";

/// One rename.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    pub(crate) kind: OperationKind,
    /// Which of the staging directories is used.
    pub(crate) area: usize,
    /// Name of the file or directory in there.
    pub(crate) number: usize,
    /// The path in the environment.
    pub(crate) path: PathBuf,
}

/// The direction of a rename.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OperationKind {
    /// From the environment to `old`.
    TakeAway,
    /// From `new` to the environment.
    Place,
}

/// What a transaction does.
pub(crate) struct Journal {
    pub(crate) staging: Staging,
    pub(crate) operations: Vec<Operation>,
}

/// What `recover` found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// How many interrupted changes were undone.
    pub rolled_back: usize,
    /// How many finished or never begun ones only left waste, which is deleted now.
    pub cleaned: usize,
}

/// Undoes or finishes what interrupted transactions left in a directory, which the caller has locked.
pub(crate) fn recover(library: &Path, key: Option<&SealKey>) -> Result<Recovered, TransactionError> {
    let mut found = Vec::new();
    for path in staging::find(library).map_err(TransactionError::io(library))? {
        let staging = Staging::found(library, &path, key)?;
        found.push(match staging.read(JOURNAL, key)? {
            Some(file) => Journal::parse(staging, &path.join(JOURNAL), &file)?,
            None => Journal { staging, operations: Vec::new() },
        });
    }
    let mut recovered = Recovered::default();
    for journal in found {
        match journal.is_unfinished()? {
            true => {
                journal.roll_back()?;
                recovered.rolled_back += 1;
            }
            false => recovered.cleaned += 1,
        }
        journal.finish()?;
    }
    Ok(recovered)
}

/// Whether a staging directory holds a journal of unfinished work, be it believed or not.
pub(crate) fn looks_unfinished(staging: &Path) -> bool {
    staging.join(JOURNAL).exists()
}

impl Journal {
    /// Writes the journal, does the renames and marks the work as done. When something fails, everything is undone.
    pub(crate) fn run(&self, key: Option<&SealKey>) -> Result<(), TransactionError> {
        let outcome = self.write(key).and_then(|()| self.perform()).and_then(|()| self.mark_done());
        let Err(failure) = outcome else {
            self.staging.discard();
            return Ok(());
        };
        match self.roll_back().and_then(|()| self.finish()) {
            Ok(()) => Err(failure),
            Err(undoing) => {
                Err(TransactionError::NotRolledBack { failure: Box::new(failure), undoing: Box::new(undoing) })
            }
        }
    }

    fn write(&self, key: Option<&SealKey>) -> Result<(), TransactionError> {
        let mut text = [HEADER, b"\0"].concat();
        for operation in &self.operations {
            let kind = match operation.kind {
                OperationKind::TakeAway => "away",
                OperationKind::Place => "place",
            };
            text.extend_from_slice(format!("{kind}\0{}\0{}\0", operation.area, operation.number).as_bytes());
            text.extend_from_slice(operation.path.as_os_str().as_bytes());
            text.push(0);
        }
        text.extend_from_slice(b"end\0");
        self.staging.write(JOURNAL, text, key)
    }

    fn parse(staging: Staging, path: &Path, file: &FoundFile) -> Result<Journal, TransactionError> {
        let damaged = |problem| TransactionError::JournalDamaged { path: path.to_path_buf(), problem };
        let mut fields = file.contents.split(|byte| *byte == 0);
        if fields.next() != Some(HEADER) {
            return Err(damaged("it does not begin as a journal does"));
        }
        let mut operations = Vec::new();
        loop {
            let kind = match fields.next() {
                Some(b"away") => OperationKind::TakeAway,
                Some(b"place") => OperationKind::Place,
                Some(b"end") => return Ok(Journal { staging, operations }),
                _ => return Err(damaged("it is cut off")),
            };
            let mut number = || std::str::from_utf8(fields.next()?).ok()?.parse().ok();
            let (Some(area), Some(number)) = (number(), number()) else { return Err(damaged("a number is missing")) };
            let path = match fields.next() {
                Some(path) if path.starts_with(b"/") => PathBuf::from(OsString::from_vec(path.to_vec())),
                _ => return Err(damaged("a path is missing")),
            };
            if area >= staging.areas() {
                return Err(damaged("it names a staging directory that does not exist"));
            }
            staging.check_place(&path, file.is_sealed)?;
            operations.push(Operation { kind, area, number, path });
        }
    }

    fn perform(&self) -> Result<(), TransactionError> {
        let mut parents = Parents::default();
        for operation in &self.operations {
            let path = &operation.path;
            let staged = operation.staged(&self.staging)?;
            let number = operation.name();
            let moved = parents.of(path).and_then(|(parent, name)| match operation.kind {
                OperationKind::TakeAway => parent.move_tree(name, &staged, &number),
                OperationKind::Place => staged.rename(&number, parent, name),
            });
            moved.map_err(TransactionError::io(path))?;
        }
        Ok(())
    }

    /// Undoes what has been done, the last first. Without a journal on disk nothing has been done.
    fn roll_back(&self) -> Result<(), TransactionError> {
        if !self.is_unfinished()? {
            return Ok(());
        }
        let mut parents = Parents::default();
        for operation in self.operations.iter().rev() {
            let path = &operation.path;
            let staged = operation.staged(&self.staging)?;
            let number = operation.name();
            let undone = match operation.kind {
                OperationKind::TakeAway => put_back(&staged, &number, &mut parents, path),
                OperationKind::Place => take_back(&staged, &number, &mut parents, path),
            };
            undone.map_err(TransactionError::io(path))?;
        }
        Ok(())
    }

    /// Whether the journal is there and not marked as done.
    fn is_unfinished(&self) -> Result<bool, TransactionError> {
        let found = self.staging.main()?.look(OsStr::new(JOURNAL));
        Ok(found.map_err(TransactionError::io(&self.path(JOURNAL)))?.is_some())
    }

    fn mark_done(&self) -> Result<(), TransactionError> {
        let main = self.staging.main()?;
        let renamed = main.rename(OsStr::new(JOURNAL), main, OsStr::new(DONE));
        renamed.map_err(TransactionError::io(&self.path(JOURNAL)))
    }

    /// After undoing: there is no journal any more, only waste.
    fn finish(&self) -> Result<(), TransactionError> {
        if self.is_unfinished()? {
            self.mark_done()?;
        }
        self.staging.discard();
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.staging.path().join(name)
    }
}

impl Operation {
    /// The staging directory that it moves something into or out of.
    fn staged(&self, staging: &Staging) -> Result<Directory, TransactionError> {
        match self.kind {
            OperationKind::TakeAway => staging.old_directory(self.area),
            OperationKind::Place => staging.new_directory(self.area),
        }
    }

    /// What is moved is called so in the staging directory.
    fn name(&self) -> OsString {
        OsString::from(self.number.to_string())
    }
}

/// The directories of the environment that things are moved into and out of. Most moves are in the same one as the move
/// before, so that one is kept open.
#[derive(Default)]
struct Parents {
    last: Option<(PathBuf, Directory)>,
}

impl Parents {
    /// The directory that a path lies in, opened without following links, and the name in there.
    fn of<'p>(&mut self, path: &'p Path) -> io::Result<(&Directory, &'p OsStr)> {
        let invalid = || io::Error::from(io::ErrorKind::InvalidInput);
        let (parent, name) = path.parent().zip(path.file_name()).ok_or_else(invalid)?;
        if self.last.as_ref().is_none_or(|(known, _)| known != parent) {
            self.last = Some((parent.to_path_buf(), Directory::open(parent)?));
        }
        let (_, directory) = self.last.as_ref().ok_or_else(invalid)?;
        Ok((directory, name))
    }
}

/// Undoes taking away, if it has happened.
fn put_back(staged: &Directory, number: &OsStr, parents: &mut Parents, path: &Path) -> io::Result<()> {
    if staged.look(number)?.is_none() {
        return Ok(());
    }
    let (parent, name) = parents.of(path)?;
    staged.move_tree(number, parent, name)
}

/// Undoes placing, if it has happened.
fn take_back(staged: &Directory, number: &OsStr, parents: &mut Parents, path: &Path) -> io::Result<()> {
    if staged.look(number)?.is_some() {
        return Ok(());
    }
    let (parent, name) = parents.of(path)?;
    match parent.look(name)? {
        Some(_) => parent.rename(name, staged, number),
        None => Ok(()),
    }
}
