//! `trust remove`: deletes the root of an index and the metadata verified with it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use clap::{Args, ValueHint};
use url::Url;

use super::not_trusted;
use crate::arguments::values::index_url;
use crate::commands::confirmation::confirm;
use crate::terminal::Terminal;
use installer::error::{Code, Failure};
use installer::options::TrustOptions;
use installer::trust::{IndexIdentity, TrustAnchor, metadata_store_directories};

/// Forget that an index is trusted
#[derive(Clone, Debug, Args)]
pub struct RemoveArgs {
    /// Base URL of the package index
    #[arg(value_name = "index_url", required = true, value_hint = ValueHint::DirPath, value_parser = index_url)]
    pub index: Url,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}

/// Removes an index from the user's own store, after asking unless `--yes`, and what was remembered about it for anchors from
/// elsewhere.
///
/// # Errors
/// When the index is not trusted, is trusted by what others keep, nobody confirms it, or the disk refuses.
pub fn remove(settings: &TrustOptions, remove: &RemoveArgs, terminal: &Terminal) -> Result<(), Failure> {
    let identity = IndexIdentity::of(&remove.index);
    let (shown, name) = (printable::redacted_url(identity.url()), identity.directory_name());
    if let Some(kept) = settings.anchors.iter().map(|place| place.join(&name)).find(|path| exists(path)) {
        let message = format!("{shown} is trusted by a directory that is only read here");
        return Err(Failure::new(Code::TrustReadOnly, message)
            .detail("directory", kept.display().to_string())
            .hint("whoever administers that directory can remove it, or take it out of TUFPIP_TRUST"));
    }
    let places = settings.store.as_ref().map(|store| metadata_store_directories(store, &identity));
    let [own, elsewhere] = places.ok_or_else(|| not_trusted(&identity))?;
    let is_remembered =
        settings.store.as_ref().map(|store| TrustAnchor::is_remembered(store, &identity)).transpose()?;
    let was_trusted = exists(&own) || is_remembered == Some(true);
    if !was_trusted && !exists(&elsewhere) {
        return Err(not_trusted(&identity));
    }
    if !remove.yes {
        let what = if was_trusted { "Trust in" } else { "What was remembered of" };
        let place = if exists(&own) { &own } else { &elsewhere };
        terminal.line(&format!("{what} {shown}, kept in {}, would be removed.", place.display()));
        terminal.line("Afterwards the index is used without verification, and older states of it are not noticed.");
        if !confirm("Remove it", terminal.settings().no_input)? {
            return Err(Failure::new(Code::TrustNotConfirmed, "Nothing was removed"));
        }
    }
    // Metadata first: if that fails the anchor still exists, and the command can be repeated.
    for directory in [&elsewhere, &own].into_iter().filter(|path| exists(path)) {
        delete(directory).map_err(|error| {
            Failure::new(Code::TrustUnwritable, format!("Could not remove {}: {error}", directory.display()))
                .caused_by(error)
                .hint("make the directory yours, or remove it by hand")
        })?;
    }
    let done = if was_trusted {
        "is not trusted any more"
    } else {
        "was not trusted here; what was remembered of it is forgotten"
    };
    terminal.line(&format!("{shown} {done}"));
    Ok(())
}

fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Removes it by one rename, so that a part of it is never taken for the whole.
fn delete(directory: &Path) -> std::io::Result<()> {
    let store = directory.parent().unwrap_or(Path::new("."));
    let private = std::fs::Permissions::from_mode(0o700);
    let waste = tempfile::Builder::new().prefix(".removed-").permissions(private).tempdir_in(store)?;
    std::fs::rename(directory, waste.path().join("index"))?;
    waste.close()
}
