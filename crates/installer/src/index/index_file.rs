//! A file on offer, and what vouches for it.

use std::ops::Deref;
use std::sync::Arc;

use packaging::ProjectFile;

use crate::trust::PageProof;

/// A file that an index or a place of links offers.
#[derive(Clone, Debug)]
pub struct IndexFile {
    /// What the page says of it.
    pub file: ProjectFile,
    /// The signed page it stands on; `None` for everything that is not signed.
    pub signed: Option<Arc<PageProof>>,
}

impl IndexFile {
    /// A file that nobody vouches for.
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
