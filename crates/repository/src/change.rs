//! A change made by an operator. Changes are kept and applied again when another publisher was faster.

use packaging::PackageName;
use serde::{Deserialize, Serialize};

use crate::page::{Page, PageError, PageFile};

/// The entry of a file on its page, and what the page does not contain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileAddition {
    /// Its entry on the page.
    pub file: PageFile,
    /// Size in bytes of the metadata file beside it, if the page names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub core_metadata_size: Option<u64>,
}

/// One change of one project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    /// Adds a file.
    Add {
        /// Of which project.
        project: PackageName,
        /// Which file.
        #[serde(flatten)]
        addition: FileAddition,
    },
    /// Marks a file as not to be chosen unless its version is pinned (PEP 592).
    Yank {
        /// Of which project.
        project: PackageName,
        /// Which file.
        filename: String,
        /// Why; may be empty.
        reason: String,
    },
    /// Reverts a yank.
    Unyank {
        /// Of which project.
        project: PackageName,
        /// Which file.
        filename: String,
    },
    /// Removes a file.
    Remove {
        /// Of which project.
        project: PackageName,
        /// Which file.
        filename: String,
    },
    /// Gives the project exactly these files; without files it is removed.
    Replace {
        /// Which project.
        project: PackageName,
        /// All its files.
        files: Vec<FileAddition>,
    },
}

/// A change that the published state does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// A file name belongs to one content for ever: users have pinned its hash.
    #[error("{filename} is published already, with other content (sha256 {published}, not {offered})")]
    OtherContent {
        /// Which file.
        filename: String,
        /// The hash that is published.
        published: String,
        /// The hash that was to be added.
        offered: String,
    },
    /// The page does not list it.
    #[error("{project} has no file {filename}")]
    NoSuchFile {
        /// Which project.
        project: PackageName,
        /// Which file.
        filename: String,
    },
    /// It cannot stand on a page.
    #[error(transparent)]
    Page(#[from] PageError),
}

impl Change {
    /// The project whose page changes.
    pub fn project(&self) -> &PackageName {
        match self {
            Change::Add { project, .. }
            | Change::Yank { project, .. }
            | Change::Unyank { project, .. }
            | Change::Remove { project, .. }
            | Change::Replace { project, .. } => project,
        }
    }

    /// The files it adds.
    pub fn additions(&self) -> &[FileAddition] {
        match self {
            Change::Add { addition, .. } => std::slice::from_ref(addition),
            Change::Replace { files, .. } => files,
            Change::Yank { .. } | Change::Unyank { .. } | Change::Remove { .. } => &[],
        }
    }

    /// Applies it to the page of the same project. Adding an existing file or removing a missing one
    /// has no effect, so that a partly published change can be published again.
    ///
    /// # Errors
    /// See [`ChangeError`]. The page may have changed in part then.
    pub fn apply(&self, page: &mut Page) -> Result<(), ChangeError> {
        match self {
            Change::Add { addition, .. } => add(page, &addition.file),
            Change::Yank { filename, reason, .. } => set_yanked(page, filename, Some(reason.clone())),
            Change::Unyank { filename, .. } => set_yanked(page, filename, None),
            Change::Remove { filename, .. } => {
                page.remove(filename);
                Ok(())
            }
            Change::Replace { files, .. } => {
                let mut replaced = Page::new(page.project.clone());
                for FileAddition { file, .. } in files {
                    if let Some(published) = page.file(&file.filename) {
                        same_content(published, file)?;
                    }
                    replaced.insert(file.clone())?;
                }
                *page = replaced;
                Ok(())
            }
        }
    }
}

fn add(page: &mut Page, file: &PageFile) -> Result<(), ChangeError> {
    match page.file(&file.filename) {
        // It keeps its upload time and whether it is yanked.
        Some(published) => same_content(published, file),
        None => Ok(page.insert(file.clone())?),
    }
}

fn same_content(published: &PageFile, offered: &PageFile) -> Result<(), ChangeError> {
    if published.hashes == offered.hashes && published.size == offered.size {
        return Ok(());
    }
    Err(ChangeError::OtherContent {
        filename: published.filename.clone(),
        published: published.hashes.sha256.clone(),
        offered: offered.hashes.sha256.clone(),
    })
}

fn set_yanked(page: &mut Page, filename: &str, yanked: Option<String>) -> Result<(), ChangeError> {
    match page.file_mut(filename) {
        Some(file) => {
            file.yanked = yanked;
            Ok(())
        }
        None => Err(no_such_file(page, filename)),
    }
}

fn no_such_file(page: &Page, filename: &str) -> ChangeError {
    ChangeError::NoSuchFile { project: page.project.clone(), filename: filename.to_owned() }
}
