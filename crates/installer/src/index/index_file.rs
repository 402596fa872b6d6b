//! A file of an index or find-links location, and its signed page if there is one.

use std::ops::Deref;
use std::sync::Arc;

use packaging::ProjectFile;

use crate::trust::PageProof;

/// A file that an index or a find-links location offers.
#[derive(Clone, Debug)]
pub struct IndexFile {
    /// What the page says of it.
    pub file: ProjectFile,
    /// The signed page it stands on; `None` for everything that is not signed.
    pub signed: Option<Arc<PageProof>>,
}

impl IndexFile {
    /// A file from an unsigned source.
    pub fn unsigned(file: ProjectFile) -> Self {
        Self { file, signed: None }
    }
}

impl Deref for IndexFile {
    type Target = ProjectFile;

    fn deref(&self) -> &ProjectFile {
        &self.file
    }
}
