//! An index that signs its pages and files with The Update Framework (PEP 458).

use tuf::UnixTime;

use crate::index::Index;
use crate::listing::Links;
use crate::signed_layout::{DistributionTrust, SignedLayout};
use crate::signed_repository::{Claim, Profile, SigningOptions};
use crate::signed_server::SignedServer;
use crate::signing_keys::KeyType;

/// A plain [`Index`] about to be signed and served: pages, files and roles as they should be.
///
/// ```
/// use testkit::{Index, SignedIndex, Wheel};
///
/// let server = SignedIndex::new(Index::new().add(Wheel::new("app", "1.0").build())).serve();
/// assert!(server.files().contains_key("/tuf/timestamp.json"));
/// ```
#[derive(Clone, Debug)]
pub struct SignedIndex {
    pub(crate) index: Index,
    pub(crate) signing: SigningOptions,
    pub(crate) trust: DistributionTrust,
    pub(crate) layout: SignedLayout,
}

impl SignedIndex {
    /// Profile [`Profile::Small`], layout in the signed targets, pages with relative links, nothing expires.
    pub fn new(mut index: Index) -> Self {
        index.options.links = Links::Relative;
        Self { index, signing: SigningOptions::default(), trust: DistributionTrust::Both, layout: SignedLayout::InBand }
    }

    /// Which roles there are.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.signing.profile = profile;
        self
    }

    /// What vouches for files; layouts of others decide that themselves.
    pub fn trust(mut self, trust: DistributionTrust) -> Self {
        self.trust = trust;
        self
    }

    /// Names of targets and pages.
    pub fn layout(mut self, layout: SignedLayout) -> Self {
        self.layout = layout;
        self
    }

    /// How pages link to files.
    pub fn links(mut self, links: Links) -> Self {
        self.index.options.links = links;
        self
    }

    /// Without versions and hashes in the names of files.
    pub fn without_consistent_snapshots(mut self) -> Self {
        self.signing.consistent_snapshot = false;
        self
    }

    /// A snapshot with versions only.
    pub fn without_hashes_in_snapshot(mut self) -> Self {
        self.signing.hashes_in_snapshot = false;
        self
    }

    /// The kind of keys of a role; `bins-*` is all bins.
    pub fn key_type(mut self, role: &str, key_type: KeyType) -> Self {
        self.signing.key_types.insert(role.to_owned(), key_type);
        self
    }

    /// How many keys a role has, and how many of them must sign.
    pub fn threshold(mut self, role: &str, keys: usize, threshold: u64) -> Self {
        self.signing.thresholds.insert(role.to_owned(), (keys, threshold));
        self
    }

    /// When a role expires; see [`in_seconds`](crate::in_seconds).
    pub fn expires(mut self, role: &str, expires: UnixTime) -> Self {
        self.signing.expiries.insert(role.to_owned(), expires);
        self
    }

    /// A role with a key of its own for the paths that these patterns match, such as `simple/app/*`; see [`Claim`].
    pub fn claim(mut self, role: &str, patterns: &[&str], terminating: bool) -> Self {
        let patterns = patterns.iter().map(ToString::to_string).collect();
        self.signing.claims.push(Claim { role: role.to_owned(), patterns, terminating });
        self
    }

    /// What vouches for files, with the layout considered.
    pub(crate) fn trust_in_force(&self) -> DistributionTrust {
        match self.layout {
            SignedLayout::InBand | SignedLayout::Undeclared => self.trust,
            SignedLayout::Static1 => DistributionTrust::Both,
            SignedLayout::Pip2021 | SignedLayout::Warehouse2022 => DistributionTrust::Target,
            SignedLayout::Warehouse2024 | SignedLayout::Pep691 => DistributionTrust::Page,
        }
    }

    /// Signs everything and serves it.
    pub fn serve(self) -> SignedServer {
        SignedServer::start(self)
    }
}
