//! `trust list`: one line for each index, or JSON.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::stored_metadata::StoredMetadata;
use crate::commands::list::align_columns;
use crate::terminal::Terminal;
use installer::error::Failure;
use installer::options::TrustOptions;
use installer::trust::{AnchorKind, TrustAnchor, TrustFile};

/// List the trusted indexes
#[derive(Clone, Debug, Args)]
pub struct ListArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// An index with what there is to say about it.
struct TrustListEntry {
    anchor: TrustAnchor,
    /// Where it was found.
    directory: PathBuf,
    /// The version of the pinned root, and of the newest one that follows from it.
    versions: (u64, u64),
    read_only: bool,
}

/// Prints what is trusted.
///
/// # Errors
/// When something of it cannot be used; all the rest is printed before.
pub fn list(settings: &TrustOptions, list: &ListArgs, terminal: &Terminal) -> Result<(), Failure> {
    let (mut usable, mut nameless, mut unusable) = (Vec::new(), Vec::new(), Vec::new());
    for (directory, anchor) in TrustAnchor::all(settings) {
        let read = match anchor {
            Ok(None) => {
                nameless.push(directory);
                continue;
            }
            Ok(Some(anchor)) => StoredMetadata::of(&anchor, settings).map(|stored| (stored, anchor)),
            Err(failure) => Err(failure),
        };
        match read {
            Ok((stored, anchor)) => usable.push(TrustListEntry {
                directory,
                versions: (stored.pinned.signed.version, stored.client.root().version),
                read_only: !anchor.is_users(settings),
                anchor,
            }),
            Err(failure) => unusable.push((directory, failure)),
        }
    }
    usable.sort_by(|left, right| left.anchor.identity.cmp(&right.anchor.identity));
    if list.json {
        let broken = unusable.iter().map(|(directory, failure)| {
            json!({ "directory": directory.display().to_string(), "error": failure.message, "code": failure.code.name() })
        });
        let nameless = nameless.iter().map(|directory| {
            let read_only = !is_users(directory, settings);
            json!({ "index_url": null, "directory": directory.display().to_string(), "read_only": read_only })
        });
        let all: Vec<Value> = usable.iter().map(object).chain(nameless).chain(broken).collect();
        terminal.json(&Value::from(all).to_string());
    } else if usable.is_empty() && nameless.is_empty() && unusable.is_empty() {
        terminal.note("No index is trusted. `tufpip trust add` adds one.");
    } else if !usable.is_empty() || !nameless.is_empty() {
        let titles = ["Index", "Root", "Trusted by", "Added", "From"].map(str::to_owned).to_vec();
        let nameless = nameless.iter().map(|directory| nameless_row(directory, settings));
        let rows: Vec<Vec<String>> = std::iter::once(titles).chain(usable.iter().map(row)).chain(nameless).collect();
        for line in align_columns(&rows) {
            terminal.line(&line);
        }
    }
    let Some((_, last)) = unusable.pop() else { return Ok(()) };
    for (_, failure) in &unusable {
        terminal.failure(failure);
    }
    Err(last)
}

/// The row of a directory that names no index: it counts for the index whose hash is its name.
fn nameless_row(directory: &Path, settings: &TrustOptions) -> Vec<String> {
    let index = if directory.join(TrustFile::NAME).exists() { "(no index_url)" } else { "(no trust.json)" };
    let read_only = if is_users(directory, settings) { "" } else { " (read-only)" };
    let from = format!("{}{read_only}", directory.display());
    [index, "", "directory", "", &from].map(printable::line).to_vec()
}

fn is_users(directory: &Path, settings: &TrustOptions) -> bool {
    settings.store.is_some() && directory.parent() == settings.store.as_deref()
}

fn row(listed: &TrustListEntry) -> Vec<String> {
    let record = listed.anchor.record.as_ref();
    let added = record.map(|record| record.added.chars().take(10).collect()).unwrap_or_default();
    let directory = listed.directory.display();
    let from = match record {
        _ if listed.read_only => format!("{directory} (read-only)"),
        Some(record) => record.source.clone(),
        None => directory.to_string(),
    };
    let (pinned, newest) = listed.versions;
    let root = if pinned == newest { newest.to_string() } else { format!("{newest} (pinned {pinned})") };
    let index = printable::redacted_url(listed.anchor.identity.url());
    [index, root, kind(&listed.anchor).to_owned(), added, from].map(|cell| printable::line(&cell)).to_vec()
}

fn object(listed: &TrustListEntry) -> Value {
    let (pinned, newest) = listed.versions;
    json!({
        "index_url": printable::redacted_url(listed.anchor.identity.url()),
        "metadata_url": printable::redacted_url(&listed.anchor.metadata_url),
        "anchor": listed.anchor.record,
        "pinned_root": pinned,
        "newest_root": newest,
        "directory": listed.directory.display().to_string(),
        "read_only": listed.read_only,
    })
}

/// Why the pinned root is trusted; not recorded for one that was put there by hand.
pub fn kind(anchor: &TrustAnchor) -> &'static str {
    anchor.record.as_ref().map_or("directory", |record| name_of(record.kind))
}

/// As `trust.json` spells it.
pub fn name_of(kind: AnchorKind) -> &'static str {
    match kind {
        AnchorKind::File => "file",
        AnchorKind::Url => "url",
        AnchorKind::FirstUse => "first-use",
    }
}
