//! Signed indexes: which index a trust anchor belongs to, under which names its pages and distributions are signed, and
//! which indexes may offer a project.
//!
//! `crates/tuf` knows targets but no projects; the mapping between the two is here.

mod anchor;
mod command_snapshot;
mod command_trust;
mod epoch;
mod foreign_text;
mod index;
mod index_identity;
mod layout;
mod metadata_fetcher;
mod metadata_store;
mod project_map;
mod refusal;
mod shipped_roots;
mod signed_content;
mod signed_file;

pub use anchor::{AnchorKind, AnchorRecord, Rewrite, TrustAnchor, TrustFile, memory_of, metadata_store_directories};
pub use command_trust::CommandTrust;
pub use epoch::{EpochInfo, signed_at, unix_now};
pub use index::{PageLookUp, TrustedIndex};
pub use index_identity::{IndexIdentity, default_metadata_url, page_url};
pub use layout::Layout;
pub use metadata_store::{MetadataStore, make_private_directory, write_state};
pub use project_map::Mapping;
pub use refusal::{NOTHING_USED, refused_file, withheld_file};
pub use signed_file::{PageProof, SignedFile};
