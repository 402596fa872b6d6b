//! A change that an operator asked for. Changes are kept and applied again when somebody else has published meanwhile.

use packaging::PackageName;
use serde::{Deserialize, Serialize};

use crate::page::{Page, PageError, PageFile};

/// A file, and what the page does not say of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileAddition {
    /// As it will stand on the page.
    pub file: PageFile,
    /// Size in bytes of the metadata file beside it, if the page names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub core_metadata_size: Option<u64>,
}

/// One change of one project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    /// A file more.
    Add {
        /// Of which project.
        project: PackageName,
        /// Which file.
        #[serde(flatten)]
        addition: FileAddition,
    },
    /// Not to be chosen any more unless asked for by version (PEP 592).
    Yank {
        /// Of which project.
        project: PackageName,
        /// Which file.
        filename: String,
        /// Why; may be empty.
        reason: String,
    },
    /// Takes that back.
    Unyank {
        /// Of which project.
        project: PackageName,
        /// Which file.
        filename: String,
    },
    /// A file less.
    Remove {
        /// Of which project.
        project: PackageName,
        /// Which file.
        filename: String,
    },
    /// The project has exactly these files from now on; none of them means that it leaves.
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
    /// A file name stands for one content for ever: people have pinned its hash.
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
    /// Whose page changes.
    pub fn project(&self) -> &PackageName {
        match self {
            Change::Add { project, .. }
            | Change::Yank { project, .. }
            | Change::Unyank { project, .. }
            | Change::Remove { project, .. }
            | Change::Replace { project, .. } => project,
        }
    }

    /// The files it brings.
    pub fn additions(&self) -> &[FileAddition] {
        match self {
            Change::Add { addition, .. } => std::slice::from_ref(addition),
            Change::Replace { files, .. } => files,
            Change::Yank { .. } | Change::Unyank { .. } | Change::Remove { .. } => &[],
        }
    }

    /// Changes a page of the same project. What is so already stays so: adding what is there, removing
    /// what is gone. A change that was half published can be published again.
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
        // It keeps the time at which it came, and whether it is yanked.
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
