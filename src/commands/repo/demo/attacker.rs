//! An attacker who answers in place of the server, without any of its keys.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, MutexGuard, PoisonError};

use packaging::PackageName;
use repository::page::FileHashes;
use repository::{Page, PageFile, layout};
use sha2::{Digest as _, Sha256};

use super::stage::DemoStage;
use installer::error::{Code, Failure};
use operator::operator_directory::disk_failure;
use operator::server::ResponseOverrides;

/// An attacker on the network.
pub struct Attacker {
    public: PathBuf,
    overrides: ResponseOverrides,
}

/// Earlier responses of the server, by path.
pub type Recording = BTreeMap<String, Vec<u8>>;

impl Attacker {
    /// An attacker who does nothing yet.
    pub fn new(stage: &DemoStage) -> Self {
        Self { public: stage.directory().join("index/public"), overrides: Arc::clone(stage.interference()) }
    }

    /// Lets the server answer again.
    pub fn leave(&self) {
        self.hand().clear();
    }

    /// Answers with this wheel instead of the one of the same name, and with pages that give its hash.
    ///
    /// # Errors
    /// When the page cannot be read.
    pub fn replaces(&self, project: &str, filename: &str, wheel: &[u8]) -> Result<(), Failure> {
        let (page, _) = self.page(project)?;
        let mut files: Vec<PageFile> = page.files().cloned().collect();
        for file in files.iter_mut().filter(|file| file.filename == filename) {
            file.hashes = hashes(wheel);
            file.size = wheel.len() as u64;
            if let Some(path) = file.path() {
                self.hand().insert(path, Some(wheel.to_vec()));
            }
        }
        self.show(&of_files(page, files)?);
        Ok(())
    }

    /// Answers with pages that list this wheel, too; the page that is signed is one of them.
    ///
    /// # Errors
    /// When the page cannot be read.
    pub fn adds(&self, project: &str, filename: &str, wheel: &[u8]) -> Result<(), Failure> {
        let (page, signed) = self.page(project)?;
        let mut files: Vec<PageFile> = page.files().cloned().collect();
        let path = format!("{}evil/{filename}", layout::PACKAGES);
        files.push(PageFile {
            filename: filename.to_owned(),
            url: PageFile::url_of(&path),
            hashes: hashes(wheel),
            size: wheel.len() as u64,
            requires_python: None,
            yanked: None,
            core_metadata: None,
            upload_time: None,
        });
        let page = of_files(page, files)?;
        self.hand().insert(path, Some(wheel.to_vec()));
        self.hand().insert(signed, Some(page.to_json()));
        self.show(&page);
        Ok(())
    }

    /// Records the present responses.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn remembers(&self, project: &str) -> Result<Recording, Failure> {
        let project = name(project)?;
        let paths = [layout::TIMESTAMP.to_owned(), layout::json_page_path(&project), layout::html_page_path(&project)];
        paths.into_iter().map(|path| Ok((path.clone(), self.read(&path)?))).collect()
    }

    /// Answers with recorded responses.
    pub fn replays(&self, day: Recording) {
        self.hand().extend(day.into_iter().map(|(path, bytes)| (path, Some(bytes))));
    }

    /// Answers that there is no signed metadata.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn withholds_metadata(&self) -> Result<(), Failure> {
        let directory = self.public.join(layout::METADATA);
        for entry in std::fs::read_dir(&directory).map_err(|error| disk_failure(&directory, error))?.flatten() {
            let path = format!("{}{}", layout::METADATA, entry.file_name().to_string_lossy());
            self.hand().insert(path, None);
        }
        Ok(())
    }

    fn hand(&self) -> MutexGuard<'_, BTreeMap<String, Option<Vec<u8>>>> {
        self.overrides.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves a page to installers that verify nothing.
    fn show(&self, page: &Page) {
        self.hand().insert(layout::json_page_path(&page.project), Some(page.to_json()));
        self.hand().insert(layout::html_page_path(&page.project), Some(page.to_html()));
    }

    /// The page of a project, and where the signed copy is.
    fn page(&self, project: &str) -> Result<(Page, String), Failure> {
        let project = name(project)?;
        let bytes = self.read(&layout::json_page_path(&project))?;
        let signed = layout::page_path(&project, &hex::encode(Sha256::digest(&bytes)));
        Ok((Page::from_json(&project, &bytes).map_err(|error| broken(&error.to_string()))?, signed))
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, Failure> {
        let path = self.public.join(path);
        std::fs::read(&path).map_err(|error| disk_failure(&path, error))
    }
}

fn hashes(wheel: &[u8]) -> FileHashes {
    FileHashes { sha256: hex::encode(Sha256::digest(wheel)) }
}

fn of_files(page: Page, files: Vec<PageFile>) -> Result<Page, Failure> {
    Page::with_files(page.project, files).map_err(|error| broken(&error.to_string()))
}

fn name(project: &str) -> Result<PackageName, Failure> {
    project.parse().map_err(|_| broken(project))
}

fn broken(reason: &str) -> Failure {
    Failure::new(Code::RepoDemo, format!("The demonstration failed: {reason}"))
}
