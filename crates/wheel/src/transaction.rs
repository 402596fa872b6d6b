//! One change of an environment: distributions are removed and others added, all or nothing.
//!
//! A transaction locks the directory it installs into, stages everything beside it, writes a journal of renames, does
//! them and deletes what it took away (threats.md §3). A process killed at any moment leaves either the old environment
//! or a journal, and the next [`Transaction::begin`] on the directory makes the old environment of it; from the moment
//! the journal is marked as done the new environment is complete, and only waste remains to be deleted. `journal.rs`
//! describes what a power failure can do.

mod overwriting;
mod plan;

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::destination_tree::DestinationTree;
use crate::journal::{self, Journal, Operation, OperationKind, Recovered};
use crate::link::Linker;
use crate::place::{self, Placement};
use crate::protected::Protected;
use crate::protected_places::ProtectedPlaces;
use crate::seal::SealKey;
use crate::staging::{self, Areas, Place, Staging};
use crate::transaction_error::TransactionError;
use crate::uninstall::{self, Removal};
pub use overwriting::Overwriting;
use plan::{MovePlan, Planner, Subtree, TargetDirectory};

/// A change of one environment that is being put together. Nothing happens before [`Transaction::commit`].
#[derive(Debug)]
pub struct Transaction<'a> {
    /// Where the lock, the staging directory and the journal are.
    directory: PathBuf,
    /// Held until the transaction ends. The lock is on the directory itself, so that no lock file stays behind.
    _lock: File,
    /// Directories made for this transaction, the outermost first.
    made: Vec<PathBuf>,
    recovered: Recovered,
    /// Seals the journal.
    key: Option<SealKey>,
    removals: Vec<Removal>,
    placements: Vec<Placement<'a>>,
    target: Option<TargetDirectory>,
}

/// What a transaction did besides its task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransactionOutcome {
    /// With a target directory: names that existed and were left alone.
    pub kept: Vec<PathBuf>,
    /// Files of other distributions that have other contents now.
    pub overwritten: Vec<Overwriting>,
}

/// Something unfinished in an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pending {
    /// Another process is changing the environment right now.
    Running,
    /// A change was interrupted; the environment may be half changed until the next transaction.
    Interrupted(PathBuf),
    /// Only a directory to delete was left behind; the environment is whole.
    Waste(PathBuf),
}

impl<'a> Transaction<'a> {
    /// Locks a directory (usually `site-packages`; made when missing) and undoes what an interrupted transaction left
    /// there, as far as that proves to be the user's own: by `key`, or because it names nothing outside of the directory.
    /// When another process holds the lock, `on_wait` is called before waiting for it.
    pub fn begin(
        directory: &Path,
        key: Option<&SealKey>,
        on_wait: impl FnOnce(),
    ) -> Result<Transaction<'a>, TransactionError> {
        let made = make_directories(directory)?;
        let directory = directory.canonicalize().map_err(TransactionError::io(directory))?;
        let lock = File::open(&directory).map_err(TransactionError::io(&directory))?;
        let locked = match lock.try_lock() {
            Err(TryLockError::WouldBlock) => {
                on_wait();
                lock.lock()
            }
            Err(TryLockError::Error(error)) => Err(error),
            Ok(()) => Ok(()),
        };
        match locked {
            // A file system without locks: pip installs there as well.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
            other => other.map_err(TransactionError::io(&directory))?,
        }
        let recovered = journal::recover(&directory, key)?;
        Ok(Transaction {
            directory,
            _lock: lock,
            made,
            recovered,
            key: key.cloned(),
            removals: Vec::new(),
            placements: Vec::new(),
            target: None,
        })
    }

    /// What [`Transaction::begin`] had to undo or clean up.
    pub fn recovered(&self) -> Recovered {
        self.recovered
    }

    /// Removes a distribution.
    pub fn remove(&mut self, removal: Removal) {
        self.removals.push(removal);
    }

    /// Places a wheel. Of two wheels that have the same file the later one's is placed.
    pub fn add(&mut self, placement: Placement<'a>) {
        self.placements.push(placement);
    }

    /// Installs like `pip install --target`: a name that exists in the directory the transaction was begun for stays as
    /// it is ([`TransactionOutcome::kept`]), or with `upgrade` is replaced whole unless it is a link.
    pub fn into_target(&mut self, upgrade: bool) {
        self.target = Some(TargetDirectory { directory: self.directory.clone(), upgrade });
    }

    /// Makes the change, which leaves `places` as they are. After an error the environment is as it was before.
    pub fn commit(mut self, places: &ProtectedPlaces) -> Result<TransactionOutcome, TransactionError> {
        let outcome = self.run(places);
        if outcome.is_ok() {
            self.made.clear();
        }
        outcome
    }

    fn run(&self, places: &ProtectedPlaces) -> Result<TransactionOutcome, TransactionError> {
        let mut protected = Protected::default();
        protected.add_library(&self.directory)?;
        for placement in &self.placements {
            protected.add_scheme(placement.scheme)?;
        }
        let mut tree = DestinationTree::new();
        let mut removed = uninstall::compress(&self.removals, places)?;
        // Before the wheels: one that brings such a file has the last word.
        for (path, contents) in uninstall::edited(&self.removals)? {
            place::add_edit(&path, contents, &mut tree);
            removed.insert(path);
        }
        for (owner, placement) in self.placements.iter().enumerate() {
            place::add_placement(placement, owner, &mut tree, &protected)?;
        }
        let planner = Planner {
            tree: &tree,
            placements: &self.placements,
            protected: &protected,
            places,
            removed,
            target: self.target.clone(),
            plan: MovePlan::default(),
        };
        let plan = planner.run()?;
        // Before anything moves: afterwards the contents cannot be compared.
        let overwritten = overwriting::find(&plan.replaced, &tree, &self.placements, &protected.libraries())?;
        if !plan.take_away.is_empty() || !plan.place.is_empty() {
            self.execute(&plan, &tree)?;
        }
        Ok(TransactionOutcome { kept: plan.kept, overwritten })
    }

    fn execute(&self, plan: &MovePlan, tree: &DestinationTree<'a>) -> Result<(), TransactionError> {
        let mut areas = Areas::new(&self.directory)?;
        let take_away = plan.take_away.iter().map(|path| (OperationKind::TakeAway, path));
        let place = plan.place.iter().map(|(_, path)| (OperationKind::Place, path));
        let mut operations = Vec::with_capacity(plan.take_away.len() + plan.place.len());
        let mut owners = Vec::with_capacity(plan.place.len());
        for (number, (kind, path)) in take_away.chain(place).enumerate() {
            let Place { area, owner } = areas.place_of(path)?;
            if kind == OperationKind::Place {
                owners.push(owner);
            }
            operations.push(Operation { kind, area, number, path: path.clone() });
        }
        let key = self.key.as_ref();
        let staging = Staging::create(&self.directory, areas.others(), key)?;
        let placing = operations.get(plan.take_away.len()..).unwrap_or_default();
        if let Err(error) = stage(&staging, tree, &plan.place, placing, &owners) {
            staging.discard();
            return Err(error);
        }
        Journal { staging, operations }.run(key)
    }
}

impl Drop for Transaction<'_> {
    /// Without a change the directories made for it go again.
    fn drop(&mut self) {
        for directory in self.made.iter().rev() {
            // A directory that is not empty is in use by another process.
            let _ = fs::remove_dir(directory);
        }
    }
}

/// What is unfinished in a directory, without changing or locking anything for longer than a look.
pub fn pending(directory: &Path) -> Result<Option<Pending>, TransactionError> {
    let found = match staging::find(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(TransactionError::io(directory))?,
    };
    let Some(first) = found.first() else { return Ok(None) };
    let lock = File::open(directory).map_err(TransactionError::io(directory))?;
    if matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)) {
        return Ok(Some(Pending::Running));
    }
    match found.iter().find(|staging| journal::looks_unfinished(staging)) {
        Some(staging) => Ok(Some(Pending::Interrupted(staging.clone()))),
        None => Ok(Some(Pending::Waste(first.clone()))),
    }
}

/// Makes everything that is going to be placed, on all cores. What goes into a directory of another owner shares nothing
/// with the cache.
fn stage(
    staging: &Staging,
    tree: &DestinationTree<'_>,
    subtrees: &[(Subtree, PathBuf)],
    operations: &[Operation],
    owners: &[u32],
) -> Result<(), TransactionError> {
    let linker = Linker { tree, defaults: staging.defaults()? };
    let mut handles = Vec::new();
    for area in 0..staging.areas() {
        handles.push(staging.new_directory(area)?);
    }
    subtrees.par_iter().zip(operations).zip(owners).try_for_each(|(((subtree, _), operation), owner)| {
        let links = *owner == linker.defaults.owner;
        let Some(parent) = handles.get(operation.area) else { return Ok(()) };
        let name = operation.number.to_string();
        let name = OsStr::new(&name);
        match subtree {
            Subtree::Directory(id) => linker.directory(*id, parent.as_fd(), name, links),
            Subtree::File(id, file_name) => {
                let file = tree.directory(*id).and_then(|directory| directory.files.get(file_name));
                file.map_or(Ok(()), |file| linker.file(file, parent.as_fd(), name, links))
            }
        }
    })
}

/// Makes a directory and the missing ones above; returns those that were missing.
fn make_directories(directory: &Path) -> Result<Vec<PathBuf>, TransactionError> {
    let missing = directory.ancestors().take_while(|ancestor| !ancestor.exists() && !ancestor.as_os_str().is_empty());
    let mut missing: Vec<PathBuf> = missing.map(Path::to_path_buf).collect();
    missing.reverse();
    fs::create_dir_all(directory).map_err(TransactionError::io(directory))?;
    Ok(missing)
}
