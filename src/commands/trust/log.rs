//! `trust log`: every root since the pinned one, with what it changed and who signed it.

use clap::{Args, ValueHint};
use tuf::metadata::{Metadata, RoleKeys, Root, TopLevelRole};
use tuf::{KeyId, UnixTime};
use url::Url;

use super::stored_metadata::StoredMetadata;
use super::{anchor_of, key_text, list};
use crate::arguments::values::index_url;
use crate::terminal::Terminal;
use installer::error::Failure;
use installer::options::TrustOptions;

/// Show how the root of a trusted index changed
#[derive(Clone, Debug, Args)]
pub struct LogArgs {
    /// Base URL of the package index
    #[arg(value_name = "index_url", required = true, value_hint = ValueHint::DirPath, value_parser = index_url)]
    pub index: Url,
}

/// Prints the roots of an index that are stored, oldest first.
///
/// # Errors
/// When the index is not trusted, or its pinned root cannot be used.
pub fn log(settings: &TrustOptions, log: &LogArgs, terminal: &Terminal) -> Result<(), Failure> {
    let anchor = anchor_of(settings, &log.index)?;
    let stored = StoredMetadata::of(&anchor, settings)?;
    let now = stored.client.now();
    let mut earlier: Option<&Metadata<Root>> = None;
    for root in stored.roots() {
        let mut lines = match (&earlier, &anchor.record) {
            (Some(earlier), _) => changed(&earlier.signed, &root.signed),
            (None, Some(record)) => {
                vec![format!("pinned: {} {}, {}", list::kind(&anchor), record.source, record.added)]
            }
            (None, None) => vec!["pinned".to_owned()],
        };
        if earlier.is_none() {
            lines.extend(TopLevelRole::ALL.map(|role| {
                format!("{}: {}", role.name(), key_text::keys_of_root(root.signed.role(role), &root.signed))
            }));
        }
        terminal.line(&head(root, now));
        for line in lines.iter().chain([&signers(root, earlier)]) {
            terminal.line(&printable::line(&format!("  {line}")));
        }
        earlier = Some(root);
    }
    Ok(())
}

fn head(root: &Metadata<Root>, now: UnixTime) -> String {
    format!("root {}, {}", root.signed.version, key_text::expiry(root.signed.expires, now))
}

/// The keys whose signatures are valid: those of the root before and of this one may sign.
fn signers(root: &Metadata<Root>, earlier: Option<&Metadata<Root>>) -> String {
    let makers = std::iter::once(root).chain(earlier).map(|root| &root.signed);
    let signed: Vec<String> = root
        .signatures
        .iter()
        .filter_map(|signature| {
            let id = &signature.key_id;
            let alone = RoleKeys { key_ids: vec![id.clone()], threshold: 1, other: Default::default() };
            let maker = makers.clone().find(|maker| {
                maker.role(TopLevelRole::Root).key_ids.contains(id) && root.verify(&maker.keys, &alone).is_ok()
            })?;
            Some(key_text::key(id, maker.keys.get(id)))
        })
        .collect();
    format!("signed by {}", signed.join(", "))
}

/// The differences between a root and the previous one, role by role.
fn changed(before: &Root, after: &Root) -> Vec<String> {
    let mut lines = Vec::new();
    for role in TopLevelRole::ALL {
        let (old, new) = (before.role(role), after.role(role));
        let added = new.key_ids.iter().filter(|id| !is_in(old, before, id, after));
        let removed = old.key_ids.iter().filter(|id| !is_in(new, after, id, before));
        let mut changes: Vec<String> = added.map(|id| format!("+ {}", key_text::key(id, after.keys.get(id)))).collect();
        changes.extend(removed.map(|id| format!("- {}", key_text::key(id, before.keys.get(id)))));
        if old.threshold != new.threshold {
            changes.push(format!("threshold {} to {}", old.threshold, new.threshold));
        }
        if !changes.is_empty() {
            lines.push(format!("{}: {}", role.name(), changes.join(", ")));
        }
    }
    if before.consistent_snapshot() != after.consistent_snapshot() {
        lines.push(format!("consistent snapshots: {}", if after.consistent_snapshot() { "on" } else { "off" }));
    }
    if lines.is_empty() {
        lines.push("no key or threshold changed".to_owned());
    }
    lines
}

/// Whether a role has the same key under the same key id; key ids are opaque, so that an equal id alone proves nothing.
fn is_in(role: &RoleKeys, root: &Root, id: &KeyId, other: &Root) -> bool {
    role.key_ids.contains(id) && root.keys.get(id) == other.keys.get(id)
}
