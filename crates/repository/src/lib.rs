//! From files and keys to a signed package index (PEP 458) on any static host: pages, metadata, and what follows from a change.
//!
//! Pure: no disk, no network, no clock. The layout is `static-1`, as [`layout`] writes it down. What is published is the
//! only state: [`Published`] reads and verifies it, [`Update`] makes the next one out of it.

pub mod layout;

mod change;
pub mod page;
pub mod roles;

pub use change::{Addition, Change, ChangeError};
pub use page::{Page, PageError, PageFile};
pub use roles::{BinForm, DistributionTrust, Expiry, Group, Policy, Profile, Signers};
