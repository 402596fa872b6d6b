//! `repo export-anchor`: writes the root with which users start to trust an index.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use repository::layout;
use serde_json::json;
use tuf::metadata::{RoleName, TopLevelRole};

use super::{OperatorDirectoryArgs, path};
use crate::terminal::Terminal;
use installer::error::{Code, Failure};
use operator::anchor::{IndexAddress, NewestRoot};
use operator::config::Config;
use operator::operator_directory::{disk_failure, write_whole};
use operator::storage::Storage;

/// Write the root that users give to `trust add`
#[derive(Clone, Debug, Args)]
pub struct ExportAnchorArgs {
    /// Where to write it; standard output for -
    #[arg(short, long, value_name = "file", value_parser = path)]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
}

/// What users are told to call it when it goes to standard output.
const USUAL_NAME: &str = "root.json";

/// Writes the newest root, to `--output` or else to standard output, and says how it comes to be trusted.
///
/// # Errors
/// When it is not the root that is published: who trusts another could not use the index.
pub async fn export_anchor(export: &ExportAnchorArgs, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    let repo = &export.operator_directory;
    let output = export.output.as_deref().filter(|output| *output != Path::new("-"));
    let config = Config::read(&repo.directory)?;
    let root = NewestRoot::read(&repo.directory)?;
    let storage = Storage::open(&config.output(&repo.directory))?;
    let root_path = layout::metadata_path(&RoleName::from(TopLevelRole::Root), root.version);
    let published = storage.read(&root_path, tuf::Limits::default().root_size).await?.map(|(bytes, _)| bytes);
    match published {
        Some(published) if published == root.bytes => {}
        Some(_) => return Err(not_published(&root, &format!("another file is published as {root_path}"))),
        None => return Err(not_published(&root, &format!("there is no {root_path} where the index is published"))),
    }
    if let Some(output) = output {
        write_whole(output, &root.bytes).map_err(|error| disk_failure(output, error))?;
    }
    let text = String::from_utf8_lossy(&root.bytes);
    let address = IndexAddress::of(&config);
    let name = output.map_or_else(|| USUAL_NAME.to_owned(), |output| output.display().to_string());
    let command = printable::line(&address.trust_command(&name, &root.sha256));
    if repo.json {
        let said = json!({
            "version": root.version,
            "sha256": root.sha256,
            "index_url": printable::redacted_url(&address.index),
            "metadata_url": printable::redacted_url(&address.metadata),
            "output": output,
            "root": output.is_none().then_some(&text),
            "command": command,
        });
        terminal.json(&said.to_string());
        return Ok(());
    }
    match output {
        Some(output) => {
            terminal.line(&format!("Wrote root {} to {}", root.version, output.display()));
            terminal.line(&format!("  sha256  {}", root.sha256));
            terminal.line("Users of the index run, once they have the file from you:");
            terminal.line(&format!("  {command}"));
        }
        None => {
            terminal.file(text.trim_end_matches('\n'));
            terminal.note(&format!("sha256 {}; users run: {command}", root.sha256));
        }
    }
    Ok(())
}

fn not_published(root: &NewestRoot, found: &str) -> Failure {
    let message = format!("Root {} of the operator's directory is not the one that is published", root.version);
    Failure::new(Code::RepoRootNotPublished, message)
        .detail("received", found)
        .detail("meaning", "who trusts it could not use the index; nothing was written")
        .hint("publish it first: tufpip repo root finalize, or tufpip repo publish for a new index")
}
