//! `download`: what `install` would fetch, saved as files in a directory.

use std::path::Path;

use crate::terminal::Terminal;
use installer::context::Context;
use installer::download::VerifiedFile;
use installer::error::{Code, Failure};
use installer::install::fetch;
use installer::install::proofs;
use installer::install::resolution::{self, Rules};
use installer::options::{CommonOptions, DownloadOptions};
use installer::python::environment::{Environment, shown_path};

/// Saves the distributions that `download` names and, unless `--no-deps`, their dependencies.
///
/// # Errors
/// When resolving or fetching fails, or a file exists already with other content.
pub async fn download(
    common: &CommonOptions,
    download: &DownloadOptions,
    context: &Context,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let environment = Environment::open(common, &context.cache)?;
    let requirements =
        resolution::read_requirements(&download.requirement_options, &download.indexes, &download.selection, context)
            .await?;
    let rules = Rules::ignoring_installed(&download.requirement_options);
    let plan = resolution::resolve(requirements, &environment, rules, context).await?.plan;
    let files = fetch::download(&plan, context).await?;
    std::fs::create_dir_all(&download.destination).map_err(|error| unwritable(&download.destination, error))?;
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
    proofs::report(&plan, |name| files.get(name).map(VerifiedFile::proof), terminal);
    proofs::report_limits(&plan, &context.trust, terminal);
    Ok(())
}

/// Copies a file to its place by one rename; `false` when it exists already.
fn save(file: &VerifiedFile, path: &Path) -> Result<bool, Failure> {
    if std::fs::read(path).ok().is_some_and(|present| std::fs::read(file.path()).ok() == Some(present)) {
        return Ok(false);
    }
    let directory = path.parent().unwrap_or(Path::new("."));
    let temporary =
        tempfile::Builder::new().prefix(".tufpip-").tempfile_in(directory).map_err(|error| unwritable(path, error))?;
    std::fs::copy(file.path(), temporary.path()).map_err(|error| unwritable(path, error))?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    temporary.as_file().set_permissions(mode).map_err(|error| unwritable(path, error))?;
    temporary.persist(path).map_err(|error| unwritable(path, error.error))?;
    Ok(true)
}

fn absolute(path: &Path) -> std::path::PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn unwritable(path: &Path, error: std::io::Error) -> Failure {
    Failure::new(Code::FileUnwritable, format!("Could not write {}: {error}", path.display()))
        .caused_by(error)
        .hint("choose another directory with --dest, or free some space")
}
