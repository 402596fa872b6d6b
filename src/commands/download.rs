//! `download`: what `install` would fetch, saved as files in a directory.

use std::path::Path;

use crate::environment::{Environment, shown_path};
use crate::failure::{Failure, Kind};
use crate::net::VerifiedFile;
use crate::plan::{Existing, Plan};
use crate::session::Session;
use crate::settings::{DownloadSettings, Settings, Upgrade};
use crate::verified;
use crate::wanted::warn_of_unknown_extras;

/// Saves the distributions that `download` asks for and, unless told otherwise, those they need.
///
/// # Errors
/// Whatever stops resolving or fetching, and a file that is there already with other contents.
pub async fn download(settings: &Settings, download: &DownloadSettings, session: &Session) -> Result<(), Failure> {
    let terminal = &session.terminal;
    let environment = Environment::open(settings)?;
    let asked = session.asked(&download.wishes, &download.indexes, &download.selection, &environment)?;
    let mut finder = session.finder(&asked, &environment)?;
    let request = asked.request(&environment, Upgrade::ToSatisfyOnly, true, download.wishes.no_deps);
    let resolution = finder.resolve(&request).await?;
    warn_of_unknown_extras(&resolution, terminal);
    let mut plan = Plan::new(&resolution, &finder, &environment, Existing::Ignore, terminal)?;
    if download.wishes.only_deps {
        plan.without(&asked.names());
    }
    asked.refuse_unhashed(&plan)?;
    session.refuse_unsigned(&plan)?;
    let files = session.download(&plan).await?;
    std::fs::create_dir_all(&download.destination).map_err(|error| unwritable(&download.destination, &error))?;
    for addition in &plan.additions {
        if let Some(file) = files.get(&addition.candidate.name) {
            let path = download.destination.join(file.filename());
            if save(file, &path)? {
                terminal.line(&format!("Saved {}", shown_path(&absolute(&path))));
            } else {
                terminal.line(&format!("  File was already downloaded {}", absolute(&path).display()));
            }
        }
    }
    let names: Vec<&str> = plan.additions.iter().map(|addition| addition.spelled.as_str()).collect();
    if !names.is_empty() {
        terminal.line(&format!("Successfully downloaded {}", names.join(" ")));
    }
    verified::say(&plan, |name| files.get(name).map(VerifiedFile::proof), terminal);
    verified::say_limits(&plan, session.trust(), terminal);
    Ok(())
}

/// Copies a file to its place by one rename; `false` when it is there already.
fn save(file: &VerifiedFile, path: &Path) -> Result<bool, Failure> {
    if std::fs::read(path).ok().is_some_and(|present| std::fs::read(file.path()).ok() == Some(present)) {
        return Ok(false);
    }
    let directory = path.parent().unwrap_or(Path::new("."));
    let temporary =
        tempfile::Builder::new().prefix(".tufpip-").tempfile_in(directory).map_err(|error| unwritable(path, &error))?;
    std::fs::copy(file.path(), temporary.path()).map_err(|error| unwritable(path, &error))?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    temporary.as_file().set_permissions(mode).map_err(|error| unwritable(path, &error))?;
    temporary.persist(path).map_err(|error| unwritable(path, &error.error))?;
    Ok(true)
}

fn absolute(path: &Path) -> std::path::PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Kind::Error, "file.unwritable", format!("Could not write {}: {error}", path.display()))
        .hint("choose another directory with --dest, or free some space")
}
