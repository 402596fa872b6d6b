//! From files and keys to a signed package index (PEP 458) on any static host: pages, metadata, and what follows from a change.
//!
//! Pure: no disk, no network, no clock. The layout is `static-1`, as [`layout`] writes it down. What is published is the
//! only state: [`Published`] reads and verifies it, a [`Draft`] becomes the next one.
//!
//! | module | is responsible for |
//! |---|---|
//! | [`layout`] | every path and every target name |
//! | [`page`] | a project's page, byte for byte the same for the same files |
//! | `change` | what an operator may want changed |
//! | [`roles`], `router` | the profiles: which roles there are; which of them signs for a target |
//! | [`published`] | what is published, read and verified |
//! | [`draft`] | the next state: which files it needs, and the signed files that come of it |
//! | [`ceremony`] | what key holders sign: what follows from a change, whose signatures are missing |
//! | [`garbage_collection`] | which published files nobody can reach any more |

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
