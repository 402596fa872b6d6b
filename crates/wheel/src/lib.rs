//! Wheels on a local disk: read one, refuse a hostile one, place it, record it, remove it, all or nothing.
//!
//! Synchronous; never touches the network, never starts a process, never prints.

mod error;
mod manifest;
mod record;

pub use error::{Refusal, Rule, WheelError};
pub use manifest::{EntryPoint, Manifest, UnpackedFile};
pub use record::{RecordError, RecordRow, parse_record, parse_record_paths, write_record};
