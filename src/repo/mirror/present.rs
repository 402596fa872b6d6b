//! What this index has already: what is published, and what waits to be.

use std::collections::{BTreeMap, BTreeSet};

use packaging::PackageName;
use repository::{Change, Page};

use crate::failure::{Failure, Kind};
use crate::repo::workplace::Workplace;

/// The pages of this index as they will be once everything that waits is published.
pub struct Present {
    staged: BTreeMap<PackageName, Vec<Change>>,
}

impl Present {
    /// Reads what is published and what waits.
    ///
    /// # Errors
    /// When either cannot be read, or what is published is not signed as it must be.
    pub async fn read(workplace: &Workplace) -> Result<Self, Failure> {
        let mut staged: BTreeMap<PackageName, Vec<Change>> = BTreeMap::new();
        for change in workplace.staged_changes()? {
            staged.entry(change.project().clone()).or_default().push(change);
        }
        Ok(Self { staged })
    }

    /// Every project that has a page.
    ///
    /// # Errors
    /// When what is published cannot be read.
    pub async fn projects(&self) -> Result<BTreeSet<PackageName>, Failure> {
        Ok(self.staged.keys().cloned().collect())
    }

    /// The page of a project; without files if there is none.
    ///
    /// # Errors
    /// When what is published cannot be read, or what waits does not fit to it.
    pub async fn page(&self, project: &PackageName) -> Result<Page, Failure> {
        let mut page = Page::new(project.clone());
        for change in self.staged.get(project).into_iter().flatten() {
            change.apply(&mut page).map_err(|error| {
                Failure::new(Kind::Error, "repo.change", format!("What waits to be published does not fit: {error}"))
                    .hint("`tufpip repo status` shows what waits")
            })?;
        }
        Ok(page)
    }
}
