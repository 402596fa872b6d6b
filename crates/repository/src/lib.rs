//! From files and keys to a signed package index (PEP 458) on any static host: pages, metadata, and what follows from a change.
//!
//! Pure: no disk, no network, no clock. The layout is `static-1`, as [`layout`] writes it down. What is published is the
//! only state: [`Published`] reads and verifies it, a [`Draft`] becomes the next one.

pub mod ceremony;
pub mod draft;
pub mod garbage_collection;
pub mod layout;
pub mod page;
pub mod published;
pub mod roles;

mod change;
mod router;

pub use change::{Change, ChangeError, FileAddition};
pub use draft::{Draft, Publication, RenewScope};
pub use page::{Page, PageError, PageFile};
pub use published::{Published, StateError};
pub use roles::{BinForm, DistributionTrust, Expiry, KeyGroup, Policy, Profile, Signers};
pub use router::ResponsibleRole;
