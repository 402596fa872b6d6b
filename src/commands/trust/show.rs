//! `trust show`: roles, keys, versions and dates of trusted indexes, as far as they are stored and verify.

use clap::{Args, ValueHint};
use tuf::Key;
use tuf::metadata::{DelegatedRoles, FileMeta, Targets, TopLevelRole};
use url::Url;

use super::stored_metadata::StoredMetadata;
use super::{anchor_of, key_text, list};
use crate::arguments::values::index_url;
use crate::terminal::Terminal;
use installer::error::Failure;
use installer::options::TrustOptions;
use installer::trust::{TrustAnchor, TrustFile};

/// Show roles, keys and versions of trusted indexes
#[derive(Clone, Debug, Args)]
pub struct ShowArgs {
    /// Base URLs of indexes; all trusted ones when none is named
    #[arg(value_name = "index_url", value_hint = ValueHint::DirPath, value_parser = index_url)]
    pub indexes: Vec<Url>,
}

/// Delegated roles that are printed; more are counted.
const MOST_DELEGATIONS: usize = 20;

/// Prints the given indexes, or all.
///
/// # Errors
/// When one is not trusted, or what is stored of it cannot be used.
pub fn show(settings: &TrustOptions, show: &ShowArgs, terminal: &Terminal) -> Result<(), Failure> {
    let mut nameless = Vec::new();
    let anchors: Vec<TrustAnchor> = if show.indexes.is_empty() {
        let mut anchors = Vec::new();
        for (directory, anchor) in TrustAnchor::all(settings) {
            match anchor? {
                Some(anchor) => anchors.push(anchor),
                None => nameless.push(directory),
            }
        }
        anchors
    } else {
        show.indexes.iter().map(|index| anchor_of(settings, index)).collect::<Result<_, _>>()?
    };
    for directory in &nameless {
        terminal.note(&printable::line(&format!(
            "{} does not say which index it belongs to; to see it, name the index: tufpip trust show URL",
            directory.display()
        )));
    }
    if anchors.is_empty() && nameless.is_empty() {
        terminal.note("No index is trusted. `tufpip trust add` adds one.");
    }
    for (number, anchor) in anchors.iter().enumerate() {
        if number > 0 {
            terminal.line("");
        }
        let stored = StoredMetadata::of(anchor, settings)?;
        for line in anchor_lines(anchor, settings)?.into_iter().chain(role_lines(&stored)) {
            terminal.line(&printable::line(&line));
        }
    }
    Ok(())
}

/// Where the metadata is, and why the root is trusted.
fn anchor_lines(anchor: &TrustAnchor, settings: &TrustOptions) -> Result<Vec<String>, Failure> {
    let mut lines = vec![
        printable::redacted_url(anchor.identity.url()),
        format!("  metadata   {}", printable::redacted_url(&anchor.metadata_url)),
    ];
    let file = anchor.directory.as_deref().map(TrustFile::read).transpose()?.unwrap_or_default();
    lines.push(match file.layout {
        None => "  layout     as the index signs it".to_owned(),
        Some(serde_json::Value::String(preset)) => format!("  layout     {preset}"),
        Some(_) => "  layout     in trust.json".to_owned(),
    });
    lines.extend(anchor.mirrors.iter().map(|mirror| format!("  mirror     {}", printable::redacted_url(mirror))));
    lines.extend(
        anchor.rewrites.iter().map(|rule| printable::redacted(&format!("  rewrite    {} to {}", rule.from, rule.to))),
    );
    if let Some(record) = &anchor.record {
        let kind = list::kind(anchor);
        lines.push(format!("  anchor     root {}, {kind} {}, added {}", record.version, record.source, record.added));
    }
    if let Some(directory) = &anchor.directory {
        let read_only = if anchor.is_users(settings) { "" } else { " (read-only)" };
        lines.push(format!("  kept in    {}{read_only}", directory.display()));
    }
    Ok(lines)
}

fn role_lines(stored: &StoredMetadata) -> Vec<String> {
    let (client, root) = (&stored.client, stored.client.root());
    let now = client.now();
    let mut lines = Vec::new();
    for role in TopLevelRole::ALL {
        let known = match (role, client.epoch(), client.targets()) {
            (TopLevelRole::Root, ..) => Some((root.version, root.expires)),
            (TopLevelRole::Timestamp, Some(epoch), _) => Some((epoch.timestamp().version, epoch.timestamp().expires)),
            (TopLevelRole::Snapshot, Some(epoch), _) => Some((epoch.snapshot().version, epoch.snapshot().expires)),
            (TopLevelRole::Targets, _, Some(targets)) => Some((targets.version, targets.expires)),
            _ => None,
        };
        let mut said = match known {
            Some((version, expires)) => format!("version {version}, {}", key_text::expiry(expires, now)),
            None => "not stored yet".to_owned(),
        };
        if let (TopLevelRole::Timestamp, Some(signed_at)) = (role, stored.signed_at()) {
            said = format!("{said}, signed {}", key_text::ago(signed_at, now));
        }
        lines.push(format!("  {:<10} {said}", role.name()));
        lines.push(format!("             {}", key_text::keys_of_root(root.role(role), root)));
    }
    if let (Some(targets), Some(epoch)) = (client.targets(), client.epoch()) {
        lines.extend(delegation_lines(targets, |role| epoch.snapshot().role(role)));
    }
    if let Some(error) = &stored.failed {
        lines.push(format!(
            "  stored     {}: expected {}, found {}",
            error.role().as_str(),
            error.expected(),
            error.found()
        ));
    }
    lines
}

/// The roles to which the top-level targets delegate projects.
fn delegation_lines<'a>(
    targets: &Targets,
    in_snapshot: impl Fn(&tuf::metadata::RoleName) -> Option<&'a FileMeta>,
) -> Vec<String> {
    let Some(delegations) = &targets.delegations else { return Vec::new() };
    let find = |id: &tuf::KeyId| -> Option<Key> { delegations.keys.get(id).cloned() };
    match &delegations.roles {
        DelegatedRoles::Listed(roles) => {
            let shown = roles.iter().take(MOST_DELEGATIONS).flat_map(|role| {
                let version = in_snapshot(&role.name).map(|meta| format!("version {}", meta.version));
                let name: String = role.name.as_str().chars().take(80).collect();
                [
                    format!("  {name:<10} {}, delegated", version.unwrap_or_else(|| "not in the snapshot".to_owned())),
                    format!("             {}", key_text::role_keys(&role.keys, find)),
                ]
            });
            let more = roles.len().saturating_sub(MOST_DELEGATIONS);
            shown.chain((more > 0).then(|| format!("  … and {more} more delegated roles"))).collect()
        }
        DelegatedRoles::Succinct(bins) => vec![
            format!("  {}-*: {} delegated bins", bins.name_prefix, 1_u64 << bins.bit_length.min(32)),
            format!("             {}", key_text::role_keys(&bins.keys, find)),
        ],
    }
}
