//! What was signed about pages and files: carried along to the download, the report and the last line.

use std::collections::BTreeMap;
use std::sync::Arc;

use packaging::PackageName;
use serde_json::{Value, json};
use tuf::metadata::RoleName;
use tuf::{Hashes, Mismatch, Size, Target, Verifier};
use url::Url;

use super::epoch::EpochInfo;
use super::index::{TrustedIndex, signer};
use super::layout::Layout;
use crate::error::Failure;

/// A verified project page.
#[derive(Debug)]
pub struct PageProof {
    pub(super) index: Arc<TrustedIndex>,
    pub(super) project: PackageName,
    pub(super) target: Target,
    pub(super) epoch_info: Arc<EpochInfo>,
    pub(super) layout: Arc<Layout>,
}

/// A distribution that a signed index vouches for.
#[derive(Clone, Debug)]
pub struct SignedFile {
    /// Where to fetch it.
    pub url: Url,
    pub(super) page: Arc<PageProof>,
    /// The target of its own; without one, the page vouches for it.
    pub(super) target: Option<Target>,
    pub(super) size: Size,
    pub(super) hashes: Hashes,
}

impl PageProof {
    /// The index whose page it is.
    pub fn index(&self) -> &Arc<TrustedIndex> {
        &self.index
    }

    /// The page as a target.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The snapshot it belongs to, for messages: `snapshot 7 of https://pkgs.example.org/simple/, signed 3 minutes
    /// ago`.
    pub fn snapshot(&self) -> String {
        format!("snapshot {} of {}, {}", self.epoch_info.snapshot, self.index.display_url(), self.epoch_info.age())
    }
}

impl SignedFile {
    /// The page that lists it.
    pub fn page(&self) -> &Arc<PageProof> {
        &self.page
    }

    /// Checks its bytes while they arrive.
    ///
    /// # Errors
    /// When no signed hash is of a known algorithm.
    pub fn verifier(&self) -> Result<Verifier, Mismatch> {
        Verifier::new(self.size, &self.hashes)
    }

    /// The signed length in bytes.
    pub fn length(&self) -> Option<u64> {
        match self.size {
            Size::Exactly(length) => Some(length),
            Size::AtMost(_) => None,
        }
    }

    /// The signed SHA-256 in lower-case hex, if there is a well-formed one.
    pub fn sha256(&self) -> Option<String> {
        let hex = self.hashes.get(tuf::HashAlgorithm::Sha256)?;
        (hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(hex)
    }

    /// Who signed it, for messages.
    pub fn signer(&self) -> String {
        signer(&self.page.index, self.target(), &self.page.epoch_info)
    }

    /// The entry in the report.
    ///
    /// # Errors
    /// When the verifier has stopped.
    pub async fn to_json(&self) -> Result<Value, Failure> {
        let target = self.target();
        let chain = self.page.index.chain(target).await?.unwrap_or_default();
        let versions: BTreeMap<&str, u64> = chain.iter().map(|link| (link.role.as_str(), link.version)).collect();
        // The index may have moved to a newer snapshot, which agrees about the file.
        let versions = if versions.is_empty() { self.page.epoch_info.versions() } else { json!(versions) };
        let roles: Vec<&str> = target.roles.iter().map(RoleName::as_str).collect();
        Ok(json!({
            "by": if self.target.is_some() { "signed-target" } else { "signed-page" },
            "repository": self.page.index.display_url(),
            "target": target.path,
            "roles": roles,
            "versions": versions,
            "hashes": self.hashes.iter().collect::<BTreeMap<_, _>>(),
        }))
    }

    /// The target that signs it: its own, or the page's.
    pub fn target(&self) -> &Target {
        self.target.as_ref().unwrap_or(&self.page.target)
    }
}
