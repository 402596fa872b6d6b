//! Signed indexes: which index a root of trust belongs to, under which names its pages and distributions are signed, and
//! which indexes may offer a project.
//!
//! `crates/tuf` knows targets and nothing of projects; what stands between the two is here.

mod anchor;
mod command_snapshot;
mod command_trust;
mod content;
mod epoch;
mod foreign_text;
mod identity;
mod index;
mod layout;
mod map;
mod refusal;
mod remote;
mod shipped;
mod signed_file;
mod store;

pub use anchor::{Anchor, AnchorKind, AnchorRecord, Rewrite, TrustFile, memory_places};
pub use command_snapshot::MOVED;
pub use command_trust::Trust;
pub use epoch::{Facts, duration, signed_at, unix_now};
pub use identity::{IndexIdentity, default_metadata_url, page_url};
pub use index::{SignedPage, TrustedIndex};
pub use layout::Layout;
pub use map::Mapping;
pub use refusal::{NOTHING_USED, refused_file, withheld_file};
pub use signed_file::{PageProof, SignedFile};
pub use store::{Store, make_private_directory, write_state};
