//! Wheels on a local disk: read one, refuse a hostile one, place it, record it, remove it, all or nothing.
//!
//! Synchronous; never touches the network, never starts a process, never prints.

mod manifest;

pub use manifest::{EntryPoint, Manifest, UnpackedFile};
