//! The future content of the index: published pages and the changes that are staged on top of them.
//!
//! `publish` checks everything again, against the published state of that moment.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use packaging::PackageName;
use repository::{Change, FileAddition, Page, PageFile, Published};

use super::operator_directory::OperatorDirectory;
use super::published_state;
use super::storage::Storage;
use installer::error::Failure;

/// The content of an index, as far as it was loaded.
pub struct IndexContents {
    storage: Storage,
    /// `None` as long as nothing is published.
    pub published: Option<Published>,
    pages: BTreeMap<PackageName, Page>,
    changes: Vec<Change>,
    /// The names of files that changes are about.
    touched: HashSet<String>,
    /// Staged files that no change refers to any more.
    dropped: Vec<String>,
}

/// The result of staging a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageOutcome {
    /// It is staged.
    Staged,
    /// A contrary change was staged before and is cancelled; that is all.
    TakenBack,
    /// The state is as requested already.
    Already,
}

impl IndexContents {
    /// Reads and verifies the published state except for the pages, and reads the staged changes.
    ///
    /// # Errors
    /// When either cannot be read, or the published state is refused.
    pub async fn open(operator_directory: &OperatorDirectory) -> Result<Self, Failure> {
        let storage = Storage::open(&operator_directory.output())?;
        let published = published_state::read(operator_directory, &storage).await?.map(|state| state.published);
        let changes = operator_directory.staged_changes()?;
        let touched = changes.iter().flat_map(filenames_of).map(str::to_owned).collect();
        Ok(Self { storage, published, pages: BTreeMap::new(), changes, touched, dropped: Vec::new() })
    }

    /// Reads the published pages of these projects; the others stay unknown.
    ///
    /// # Errors
    /// When one cannot be read, or is refused.
    pub async fn load(&mut self, projects: BTreeSet<PackageName>) -> Result<(), Failure> {
        let Some(published) = &self.published else { return Ok(()) };
        for page in published_state::pages(published, &self.storage, &projects).await? {
            self.pages.insert(page.project.clone(), page);
        }
        Ok(())
    }

    /// The published file of this name.
    pub fn published_file(&self, project: &PackageName, filename: &str) -> Option<&PageFile> {
        self.pages.get(project)?.file(filename)
    }

    /// The published files of the loaded projects.
    pub fn published_files(&self) -> impl Iterator<Item = &PageFile> {
        self.pages.values().flat_map(Page::files)
    }

    /// The files that staged changes add, by name.
    pub fn staged_files(&self) -> HashMap<String, FileAddition> {
        let additions = self.changes.iter().flat_map(Change::additions);
        additions.map(|addition| (addition.file.filename.clone(), addition.clone())).collect()
    }

    /// The files that a project will have.
    pub fn files(&self, project: &PackageName) -> Vec<PageFile> {
        let of_project: Vec<&Change> = self.changes.iter().filter(|change| change.project() == project).collect();
        let published = self.pages.get(project).into_iter().flat_map(Page::files);
        let staged = of_project.iter().flat_map(|change| change.additions()).map(|addition| &addition.file);
        let mut names = BTreeSet::new();
        let files = published.chain(staged).filter(|file| names.insert(&file.filename));
        files.filter_map(|file| self.file_after(&of_project, project, &file.filename)).collect()
    }

    /// Whether a staged change is about the file of this name.
    pub fn is_touched(&self, filename: &str) -> bool {
        self.touched.contains(filename)
    }

    /// Stages a file. If it is published and only its removal is staged, the removal is cancelled.
    pub fn add(&mut self, project: &PackageName, addition: FileAddition) -> StageOutcome {
        let filename = addition.file.filename.clone();
        if !self.touched.insert(filename.clone()) {
            let is_addition = |change: &Change| matches!(change, Change::Add { .. });
            let again = self.changes.iter().any(|change| is_addition(change) && filename_of(change) == Some(&filename));
            self.forget(project, &filename, |change| again || matches!(change, Change::Remove { .. }));
            if self.file(project, &filename).is_some() {
                return StageOutcome::TakenBack;
            }
        }
        self.dropped.retain(|path| addition.file.path().as_ref() != Some(path));
        self.changes.push(Change::Add { project: project.clone(), addition });
        StageOutcome::Staged
    }

    /// Stages that a file is yanked. Without a reason, a file that is yanked already keeps its reason.
    pub fn yank(&mut self, project: &PackageName, filename: &str, reason: Option<&str>) -> StageOutcome {
        if reason.is_none() && self.file(project, filename).is_some_and(|file| file.yanked.is_some()) {
            return StageOutcome::Already;
        }
        self.set_yanked(project, filename, Some(reason.unwrap_or_default()))
    }

    /// Stages that a file is yanked, for this reason, or that it is not.
    pub fn set_yanked(&mut self, project: &PackageName, filename: &str, yanked: Option<&str>) -> StageOutcome {
        let is_so =
            |content: &Self| content.file(project, filename).is_some_and(|file| file.yanked.as_deref() == yanked);
        if is_so(self) {
            return StageOutcome::Already;
        }
        self.forget(project, filename, |change| matches!(change, Change::Yank { .. } | Change::Unyank { .. }));
        if is_so(self) {
            return StageOutcome::TakenBack;
        }
        let (project, filename) = (project.clone(), filename.to_owned());
        self.touched.insert(filename.clone());
        self.changes.push(match yanked {
            Some(reason) => Change::Yank { project, filename, reason: reason.to_owned() },
            None => Change::Unyank { project, filename },
        });
        StageOutcome::Staged
    }

    /// Stages the removal of a file. For a file that is only staged, the addition is cancelled.
    pub fn remove(&mut self, project: &PackageName, filename: &str) -> StageOutcome {
        if self.file(project, filename).is_none() {
            return StageOutcome::Already;
        }
        self.forget(project, filename, |_| true);
        if self.file(project, filename).is_none() {
            return StageOutcome::TakenBack;
        }
        self.touched.insert(filename.to_owned());
        self.changes.push(Change::Remove { project: project.clone(), filename: filename.to_owned() });
        StageOutcome::Staged
    }

    /// Writes the staged changes, and removes files that no change refers to any more.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, operator_directory: &OperatorDirectory) -> Result<(), Failure> {
        operator_directory.write_staged_changes(&self.changes)?;
        for path in &self.dropped {
            for path in [format!("{path}.metadata"), path.clone()] {
                // A file that cannot be removed does no harm, and `status` lists it.
                let _ = std::fs::remove_file(operator_directory.staged_file(&path));
            }
        }
        Ok(())
    }

    /// A file with its staged changes applied.
    fn file(&self, project: &PackageName, filename: &str) -> Option<PageFile> {
        let of_project: Vec<&Change> = self.changes.iter().filter(|change| change.project() == project).collect();
        self.file_after(&of_project, project, filename)
    }

    fn file_after(&self, changes: &[&Change], project: &PackageName, filename: &str) -> Option<PageFile> {
        let published = self.published_file(project, filename).cloned();
        let mut page = Page::with_files(project.clone(), published.into_iter().collect()).ok()?;
        for change in changes.iter().filter_map(|change| about(change, filename)) {
            // A change that no longer fits the page is reported when it is published.
            let _ = change.apply(&mut page);
        }
        page.file(filename).cloned()
    }

    /// Cancels the staged changes of one file.
    fn forget(&mut self, project: &PackageName, filename: &str, which: impl Fn(&Change) -> bool) {
        let (forgotten, left) = std::mem::take(&mut self.changes)
            .into_iter()
            .partition(|change| change.project() == project && filename_of(change) == Some(filename) && which(change));
        self.changes = left;
        let forgotten: Vec<Change> = forgotten;
        self.dropped.extend(forgotten.iter().flat_map(Change::additions).filter_map(|addition| addition.file.path()));
    }
}

/// The files that a change is about.
fn filenames_of(change: &Change) -> impl Iterator<Item = &str> {
    let brought = change.additions().iter().map(|addition| addition.file.filename.as_str());
    filename_of(change).into_iter().chain(brought)
}

/// The one file that a change is about.
fn filename_of(change: &Change) -> Option<&str> {
    match change {
        Change::Add { addition, .. } => Some(&addition.file.filename),
        Change::Yank { filename, .. } | Change::Unyank { filename, .. } | Change::Remove { filename, .. } => {
            Some(filename)
        }
        Change::Replace { .. } => None,
    }
}

/// The part of a change about one file; `None` if there is none.
fn about(change: &Change, filename: &str) -> Option<Change> {
    match change {
        Change::Replace { project, files } => {
            let files = files.iter().filter(|addition| addition.file.filename == filename).cloned().collect();
            Some(Change::Replace { project: project.clone(), files })
        }
        _ => (filename_of(change) == Some(filename)).then(|| change.clone()),
    }
}
