//! Wheels on a local disk: read one, refuse a hostile one, place it, record it, remove it, all or nothing.
//!
//! Synchronous; never touches the network, never starts a process, never prints.
//!
//! | module | is responsible for |
//! |---|---|
//! | `archive` | a wheel as a zip file with only one reading; METADATA of one that lies on a server |
//! | `record`, `manifest`, `scripts` | RECORD; what an unpacked wheel consists of; the texts of console scripts |
//! | `unpack` | from an archive to a directory and a manifest: everything is checked, or nothing is left |
//! | `installed` | distributions in the directories of an import path |
//! | `owners` | whose file something is, by what the installed distributions list |
//! | `scheme`, `protected`, `destination_tree` | directories of an environment; what nothing may write to or remove; every file of a transaction and its place |
//! | `protected_places` | what no package may change outside of an environment, by identity and not by spelling |
//! | `place` | where each file of an unpacked wheel goes, and what the installer writes besides |
//! | `uninstall` | which files leave with a distribution |
//! | `seal` | whether a file was written by this user on this machine |
//! | `directory` | a directory that is held open; nothing done in it follows a link |
//! | `staging`, `link` | the staging directories; they are filled with hard links, and written files |
//! | `link_times` | what shows that an unpacked file is still what it was |
//! | `journal` | the renames of a transaction, and how to undo them |
//! | `transaction` | one change of an environment, all of it or nothing |
//! | `error`, `transaction_error` | what can go wrong, and which rule refused a wheel |
//! | `fault_injection` | lets a test kill the process at a chosen step; compiled for tests only |

mod archive;
mod destination_tree;
mod directory;
mod error;
mod fault_injection;
mod installed;
mod journal;
mod link;
mod link_times;
mod manifest;
mod owners;
mod place;
mod protected;
mod protected_places;
mod record;
mod scheme;
mod scripts;
mod seal;
mod staging;
mod transaction;
mod transaction_error;
mod uninstall;
mod unpack;

pub use archive::{ArchiveLimits, METADATA_LIMIT, MetadataLocation, MetadataSearch, WheelArchive};
pub use error::{Refusal, Rule, WheelError};
#[cfg(feature = "fault-injection")]
#[doc(hidden)]
pub use fault_injection::enabled as fault;
pub use installed::{
    ArchiveInfo, DirInfo, DirectUrl, InstalledDistribution, InstalledKind, InstalledProblem, VcsInfo, installed,
    problems,
};
pub use journal::Recovered;
pub use link_times::LinkTimes;
pub use manifest::{BytecodeFile, EntryPoint, Manifest, UnpackedFile};
pub use place::{BytecodeDirectory, Placement};
pub use protected_places::{ProtectedPlace, ProtectedPlaces};
pub use record::{RecordError, RecordRow, parse_record, parse_record_paths, write_record};
pub use scheme::Scheme;
pub use scripts::rewritten_script;
pub use seal::SealKey;
pub use transaction::{Overwriting, Pending, Transaction, TransactionOutcome, pending};
pub use transaction_error::TransactionError;
pub use uninstall::{Removal, RemovalScope};
pub use unpack::{RecordPolicy, unpack, verify};
