//! The current index: published pages with staged changes applied.

use std::collections::{BTreeMap, BTreeSet};

use packaging::PackageName;
use repository::published::{open_page, page_path};
use repository::{Change, Page, Published, layout};
use tuf::metadata::TargetFile;

use crate::operator_directory::OperatorDirectory;
use crate::published_state;
use crate::storage::Storage;
use installer::error::{Code, Failure};

/// The pages of this index once everything staged is published.
pub struct CurrentIndex {
    storage: Storage,
    published: BTreeMap<PackageName, TargetFile>,
    staged: BTreeMap<PackageName, Vec<Change>>,
}

impl CurrentIndex {
    /// Reads the published state and the staged changes. Pages are read on demand.
    ///
    /// # Errors
    /// When either cannot be read, or the published state is refused.
    pub async fn read(operator_directory: &OperatorDirectory) -> Result<Self, Failure> {
        let storage = Storage::open(&operator_directory.output())?;
        let published = match published_state::read(operator_directory, &storage).await? {
            Some(state) => pages(&state.published, &storage).await?,
            None => BTreeMap::new(),
        };
        let mut staged: BTreeMap<PackageName, Vec<Change>> = BTreeMap::new();
        for change in operator_directory.staged_changes()? {
            staged.entry(change.project().clone()).or_default().push(change);
        }
        Ok(Self { storage, published, staged })
    }

    /// Every project that has a page, or will have one.
    pub fn projects(&self) -> BTreeSet<PackageName> {
        self.published.keys().chain(self.staged.keys()).cloned().collect()
    }

    /// The page of a project; without files if there is none.
    ///
    /// # Errors
    /// When the published state cannot be read, or the staged changes do not fit it.
    pub async fn page(&self, project: &PackageName) -> Result<Page, Failure> {
        let mut page = match self.published.get(project) {
            None => Page::new(project.clone()),
            Some(target) => {
                let path = page_path(project, target).unwrap_or_default();
                let bytes = published_state::must_read(&self.storage, &path).await?;
                open_page(project, target, &bytes).map_err(published_state::refused)?
            }
        };
        for change in self.staged.get(project).into_iter().flatten() {
            change.apply(&mut page).map_err(|error| {
                Failure::new(Code::RepoChange, format!("What waits to be published does not fit: {error}"))
                    .caused_by(error)
                    .hint("`tufpip repo status` shows what waits")
            })?;
        }
        Ok(page)
    }
}

/// The target of each page.
async fn pages(published: &Published, storage: &Storage) -> Result<BTreeMap<PackageName, TargetFile>, Failure> {
    let leaves = published_state::roles(published, storage, published.leaves()).await?;
    let targets = leaves.into_iter().flat_map(|(_, leaf)| leaf.targets);
    Ok(targets.filter_map(|(path, target)| Some((layout::project_of_page(&path)?, target))).collect())
}
