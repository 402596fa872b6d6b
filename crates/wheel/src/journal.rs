//! The journal of a transaction: which renames turn the old environment into the new one, and how to undo them.
//!
//! It is written completely before the first rename and renamed to `done` after the last. A process that dies in between
//! leaves a journal from which the next transaction undoes exactly the renames that have happened: a rename has happened
//! when the thing is no longer where it was. Undoing may itself be interrupted and started again.
//!
//! Nothing is synchronised to the medium: that would cost more than the whole installation (a killed process loses nothing
//! of what it wrote, only a power failure does). After a power failure files may be empty or the journal unreadable; then
//! the RECORDs tell what is damaged.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use crate::fault_injection;
use crate::staging::{self, Staging};
use crate::transaction_error::TransactionError;

const JOURNAL: &str = "journal";
const UNFINISHED: &str = "journal.part";
const DONE: &str = "done";
const HEADER: &[u8] = b"tufpip journal 1";

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
pub(crate) fn recover(directory: &Path) -> Result<Recovered, TransactionError> {
    let mut recovered = Recovered::default();
    for main in staging::find(directory).map_err(TransactionError::io(directory))? {
        let staging = Staging::found(&main)?;
        let path = main.join(JOURNAL);
        if fs::exists(&path).map_err(TransactionError::io(&path))? {
            let journal = Journal::read(staging, &path)?;
            journal.roll_back()?;
            journal.finish()?;
            recovered.rolled_back += 1;
        } else {
            staging.discard();
            recovered.cleaned += 1;
        }
    }
    Ok(recovered)
}

/// Whether a staging directory holds a journal of unfinished work.
pub(crate) fn is_unfinished(staging: &Path) -> bool {
    staging.join(JOURNAL).exists()
}

impl Journal {
    /// Writes the journal, does the renames and marks the work as done. When something fails, everything is undone.
    pub(crate) fn run(&self) -> Result<(), TransactionError> {
        let outcome = self.write().and_then(|()| self.perform()).and_then(|()| self.mark_done());
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

    fn write(&self) -> Result<(), TransactionError> {
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
        let unfinished = self.staging.main().join(UNFINISHED);
        fault_injection::step()
            .and_then(|()| fs::write(&unfinished, text))
            .map_err(TransactionError::io(&unfinished))?;
        let path = self.staging.main().join(JOURNAL);
        fault_injection::step().and_then(|()| fs::rename(&unfinished, &path)).map_err(TransactionError::io(&path))
    }

    fn read(staging: Staging, path: &Path) -> Result<Journal, TransactionError> {
        let damaged = |problem| TransactionError::JournalDamaged { path: path.to_path_buf(), problem };
        let text = fs::read(path).map_err(TransactionError::io(path))?;
        let mut fields = text.split(|byte| *byte == 0);
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
            operations.push(Operation { kind, area, number, path });
        }
    }

    fn perform(&self) -> Result<(), TransactionError> {
        for Operation { kind, area, number, path } in &self.operations {
            match kind {
                OperationKind::TakeAway => {
                    let old = self.staging.old_path(*area, *number);
                    move_tree(path, &old).map_err(TransactionError::io(path))?;
                }
                OperationKind::Place => {
                    let new = self.staging.new_path(*area, *number);
                    fault_injection::step()
                        .and_then(|()| fs::rename(&new, path))
                        .map_err(TransactionError::io(path))?;
                }
            }
        }
        Ok(())
    }

    /// Undoes what has been done, the last first. Without a journal on disk nothing has been done.
    fn roll_back(&self) -> Result<(), TransactionError> {
        if !is_unfinished(self.staging.main()) {
            return Ok(());
        }
        for Operation { kind, area, number, path } in self.operations.iter().rev() {
            match kind {
                OperationKind::TakeAway => {
                    let old = self.staging.old_path(*area, *number);
                    if old.symlink_metadata().is_ok() {
                        move_tree(&old, path).map_err(TransactionError::io(path))?;
                    }
                }
                OperationKind::Place => {
                    let new = self.staging.new_path(*area, *number);
                    if new.symlink_metadata().is_err() && path.symlink_metadata().is_ok() {
                        fault_injection::step()
                            .and_then(|()| fs::rename(path, &new))
                            .map_err(TransactionError::io(path))?;
                    }
                }
            }
        }
        Ok(())
    }

    fn mark_done(&self) -> Result<(), TransactionError> {
        let path = self.staging.main().join(JOURNAL);
        let done = self.staging.main().join(DONE);
        fault_injection::step().and_then(|()| fs::rename(&path, &done)).map_err(TransactionError::io(&path))
    }

    /// After undoing: there is no journal any more, only waste.
    fn finish(&self) -> Result<(), TransactionError> {
        if is_unfinished(self.staging.main()) {
            self.mark_done()?;
        }
        self.staging.discard();
        Ok(())
    }
}

/// Renames a file or directory. Where the file system cannot rename a directory (a directory of a lower layer of an
/// overlay, as in containers) its contents are moved one by one; so they are when a former attempt was interrupted.
fn move_tree(from: &Path, to: &Path) -> io::Result<()> {
    fault_injection::step()?;
    let error = match fs::rename(from, to) {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    let piecemeal = matches!(
        error.kind(),
        io::ErrorKind::CrossesDevices | io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists
    );
    let metadata = from.symlink_metadata()?;
    if !piecemeal || !metadata.is_dir() {
        return Err(error);
    }
    if to.symlink_metadata().is_err() {
        fault_injection::step()?;
        fs::create_dir(to)?;
        fs::set_permissions(to, metadata.permissions())?;
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        move_tree(&entry.path(), &to.join(entry.file_name()))?;
    }
    fault_injection::step()?;
    fs::remove_dir(from)
}
