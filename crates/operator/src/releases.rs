//! The arguments of `yank`, `unyank` and `remove`: releases and files by name.

use packaging::{DistributionFilename, PackageName, Version};
use repository::PageFile;

use super::distribution::Filename;
use installer::error::{Code, Failure};

/// Files of one project, named by the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFiles {
    /// The project.
    pub project: PackageName,
    /// Which of them.
    pub which: FileSelector,
}

/// Which files of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileSelector {
    /// All of them.
    All,
    /// Those of one version.
    Release(Version),
    /// One.
    File(String),
}

impl NamedFiles {
    /// Reads `NAME==VERSION`, the name of a file, or `NAME` for all its files.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let unreadable = || {
            Failure::usage(format!("Expected NAME==VERSION or the name of a file, found '{text}'"))
                .hint("for example: app==1.0, app-1.0-py3-none-any.whl")
        };
        if let Some((name, version)) = text.split_once("==") {
            let project = project(name.trim()).ok_or_else(unreadable)?;
            let version = version.trim().parse().map_err(|_| unreadable())?;
            return Ok(Self { project, which: FileSelector::Release(version) });
        }
        if Filename::is_likely(text) {
            let name = Filename::parse(text)?;
            return Ok(Self { project: name.project().clone(), which: FileSelector::File(text.to_owned()) });
        }
        Ok(Self { project: project(text).ok_or_else(unreadable)?, which: FileSelector::All })
    }

    /// The names of the selected files among those of the project.
    ///
    /// # Errors
    /// When there are none.
    pub fn among(&self, files: &[PageFile]) -> Result<Vec<String>, Failure> {
        let found: Vec<String> =
            files.iter().map(|file| &file.filename).filter(|name| self.means(name)).cloned().collect();
        if !found.is_empty() {
            return Ok(found);
        }
        let project = &self.project;
        let message = match &self.which {
            _ if files.is_empty() => format!("The index has no project {project}"),
            FileSelector::File(filename) => format!("{project} has no file {filename}"),
            FileSelector::Release(version) => format!("{project} has no version {version}"),
            FileSelector::All => format!("{project} has no files"),
        };
        let failure = Failure::new(Code::RepoNoSuchRelease, message);
        Err(if files.is_empty() { failure } else { failure.detail("found", self.versions(files).join(", ")) })
    }

    fn means(&self, filename: &str) -> bool {
        match &self.which {
            FileSelector::All => true,
            FileSelector::File(name) => name == filename,
            FileSelector::Release(version) => self.version(filename).is_some_and(|found| found == *version),
        }
    }

    /// The versions of the project, in order.
    fn versions(&self, files: &[PageFile]) -> Vec<String> {
        let mut versions: Vec<Version> = files.iter().filter_map(|file| self.version(&file.filename)).collect();
        versions.sort();
        versions.dedup();
        versions.iter().map(Version::to_string).collect()
    }

    fn version(&self, filename: &str) -> Option<Version> {
        DistributionFilename::parse(filename, &self.project).ok().map(|name| name.version().clone())
    }
}

fn project(name: &str) -> Option<PackageName> {
    if name.is_empty() { None } else { name.parse().ok() }
}
