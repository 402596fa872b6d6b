//! Wheels on a local disk: read one, refuse a hostile one, place it, record it, remove it, all or nothing.
//!
//! Synchronous; never touches the network, never starts a process, never prints.

mod archive;
mod error;
mod installed;
mod journal;
mod link;
mod manifest;
mod place;
mod record;
mod scripts;
mod transaction;
mod uninstall;
mod unpack;

pub use archive::{ArchiveLimits, METADATA_LIMIT, MetadataLocation, MetadataSearch, WheelArchive};
pub use error::{Refusal, Rule, WheelError};
pub use installed::{
    ArchiveInfo, DirInfo, DirectUrl, InstalledDistribution, InstalledKind, InstalledProblem, VcsInfo, installed,
    problems,
};
pub use journal::Recovered;
pub use manifest::{EntryPoint, Manifest, UnpackedFile};
pub use place::{BytecodeFile, Placement, Scheme};
pub use record::{RecordError, RecordRow, parse_record, parse_record_paths, write_record};
pub use scripts::rewritten_script;
pub use transaction::error::TransactionError;
#[cfg(feature = "fault-injection")]
#[doc(hidden)]
pub use transaction::fault::enabled as fault;
pub use transaction::{Pending, Transaction, TransactionOutcome, pending};
pub use uninstall::{Removal, RemovalScope};
pub use unpack::{RecordPolicy, unpack, verify};
