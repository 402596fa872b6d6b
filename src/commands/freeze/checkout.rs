//! Editable projects as requirements: those in a git checkout by its remote and commit, others by their directory.
//!
//! The only supported version control system is git; a checkout of another one counts as a plain directory.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::without_secret;
use crate::terminal::Terminal;
use installer::process_environment;
use installer::python::installed::InstalledPackage;

/// The line for an editable project, with a comment before it where the line does not contain the version.
pub(super) fn requirement(location: &Path, described: &InstalledPackage, terminal: &Terminal) -> Vec<String> {
    let location = std::path::absolute(location).unwrap_or_else(|_| location.to_owned());
    let pinned = described.to_pin();
    let plain = format!("-e {}", location.display());
    let repository = match git(&location, &["rev-parse", "--show-toplevel"]) {
        Some(top) => PathBuf::from(top.trim_end_matches(['\r', '\n'])),
        None => return vec![format!("# Editable install with no version control ({pinned})"), plain],
    };
    let Some(remote) = remote(&location) else {
        return vec![format!("# Editable Git install with no remote ({pinned})"), plain];
    };
    let Some(url) = remote_url(&remote) else {
        return vec![
            format!("# Editable Git install ({pinned}) with either a deleted local remote or invalid URI:"),
            format!("# '{}'", without_secret(&remote)),
            plain,
        ];
    };
    let Some(revision) = git(&location, &["rev-parse", "HEAD"]) else {
        let shown = printable::line(&location.display().to_string());
        terminal.warning(&format!("Could not determine repository location of {shown}"));
        return vec!["## !! Could not determine repository location".to_owned(), plain];
    };
    let prefix = if url.starts_with("git:") { "" } else { "git+" };
    let egg = described.raw_name().replace('-', "_");
    let mut line = format!("-e {prefix}{}@{}#egg={egg}", without_secret(&url), revision.trim());
    if let Some(directory) = subdirectory(&location, &repository) {
        line.push_str(&format!("&subdirectory={}", directory.display()));
    }
    vec![line]
}

/// The output of git in a directory; `None` when there is no git, or it fails.
fn git(directory: &Path, arguments: &[&str]) -> Option<String> {
    let mut command = process_environment::child(&process_environment::on_path("git")?);
    command.args(arguments).current_dir(directory).stdin(Stdio::null());
    let output = command.output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The URL of `origin`, else of the first remote.
fn remote(directory: &Path) -> Option<String> {
    let remotes = git(directory, &["config", "--get-regexp", r"remote\..*\.url"])?;
    let origin = remotes.lines().find(|line| line.starts_with("remote.origin.url "));
    origin.or_else(|| remotes.lines().next())?.split(' ').nth(1).map(|url| url.trim().to_owned())
}

/// A remote as a URL: git also takes paths and `user@host:path`.
fn remote_url(remote: &str) -> Option<String> {
    let is_word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_');
    if remote.split_once("://").is_some_and(|(scheme, _)| is_word(scheme)) {
        return Some(remote.to_owned());
    }
    if Path::new(remote).exists() {
        return url::Url::from_file_path(remote).ok().map(String::from);
    }
    let (host, path) = remote.split_once(':')?;
    let server = host.rsplit_once('@').map_or(host, |(_, server)| server);
    let is_path = path.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    (!server.is_empty() && !server.contains('/') && is_path).then(|| format!("ssh://{host}/{path}"))
}

/// Where the project is inside its repository; `None` when it is the repository's root.
fn subdirectory(location: &Path, repository: &Path) -> Option<PathBuf> {
    let is_project =
        |directory: &&Path| directory.join("pyproject.toml").is_file() || directory.join("setup.py").is_file();
    let project = location.ancestors().find(is_project)?.canonicalize().ok()?;
    let relative = project.strip_prefix(repository.canonicalize().ok()?).ok()?.to_owned();
    (relative.components().next().is_some()).then_some(relative)
}
