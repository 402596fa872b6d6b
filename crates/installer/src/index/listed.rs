//! A file on offer, and what vouches for it.

use std::ops::Deref;
use std::sync::Arc;

use packaging::File;

use crate::trust::PageProof;

/// A file that an index or a place of links offers.
#[derive(Clone, Debug)]
pub struct Listed {
    /// What the page says of it.
    pub file: File,
    /// The signed page it stands on; `None` for everything that is not signed.
    pub signed: Option<Arc<PageProof>>,
}

impl Listed {
    /// A file that nobody vouches for.
    pub fn unsigned(file: File) -> Self {
        Self { file, signed: None }
    }
}

impl Deref for Listed {
    type Target = File;

    fn deref(&self) -> &File {
        &self.file
    }
}
