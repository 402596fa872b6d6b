//! The pages for installers that verify no signatures. They are mutable, and written after their content was signed.

use std::collections::BTreeSet;

use packaging::PackageName;
use repository::draft::NewPage;
use repository::page::{project_list_html, project_list_json, projects_of_list};
use repository::{Page, Publication, layout};

use super::operator_directory::OperatorDirectory;
use super::published_state;
use super::storage::{FileClass, FileContent, Storage};
use installer::error::Failure;
use installer::event::Reporter;

/// The most bytes of the list of projects.
const LIMIT: u64 = 256 << 20;

/// Writes the pages of a publication. If another process publishes at the same time, the pages of the same projects are
/// written again with the new state, so that old content never remains.
///
/// # Errors
/// When the storage fails.
pub async fn write(
    operator_directory: &OperatorDirectory,
    storage: &Storage,
    publication: &Publication,
    reporter: &dyn Reporter,
) -> Result<(), Failure> {
    let pages = publication.pages.clone();
    // Only a first publication, or one that was interrupted here, finds no list.
    if pages.is_empty() && storage.size(layout::PROJECT_LIST_HTML).await?.is_some() {
        return Ok(());
    }
    write_until_current(operator_directory, storage, publication.timestamp_version, pages, reporter).await
}

/// Rewrites the pages of all projects and their list, and removes those of unknown projects: even if the pages
/// were modified, they match the signed state afterwards.
///
/// # Errors
/// When what is published is refused, or the storage fails.
pub async fn write_all(
    operator_directory: &OperatorDirectory,
    storage: &Storage,
    reporter: &dyn Reporter,
) -> Result<usize, Failure> {
    let Some(state) = published_state::read(operator_directory, storage).await? else { return Ok(0) };
    let leaves = published_state::roles(&state.published, storage, state.published.leaves()).await?;
    let targets = leaves.iter().flat_map(|(_, leaf)| leaf.targets.keys());
    let projects: BTreeSet<PackageName> = targets.filter_map(|path| layout::project_of_page(path)).collect();
    let pages = published_state::pages(&state.published, storage, &projects).await?;
    let mut pages: Vec<NewPage> = pages.iter().map(NewPage::of).collect();
    let listed = storage.list(layout::PAGES.trim_end_matches('/')).await?;
    let listed = listed.iter().filter_map(|file| layout::project_of_plain_page(&file.path));
    let strangers: BTreeSet<PackageName> = listed.filter(|project| !projects.contains(project)).collect();
    pages.extend(strangers.into_iter().map(|project| NewPage { project, content: None }));
    storage.delete(layout::PROJECT_LIST_JSON).await?;
    write_until_current(operator_directory, storage, state.published.timestamp().version, pages, reporter).await?;
    Ok(projects.len())
}

async fn write_until_current(
    operator_directory: &OperatorDirectory,
    storage: &Storage,
    mut version: u64,
    mut pages: Vec<NewPage>,
    reporter: &dyn Reporter,
) -> Result<(), Failure> {
    loop {
        let total = pages.len();
        let written = pages.iter().map(async |page| write_page(storage, page).await);
        storage.with_progress(written, "Writing plain pages", total, reporter).await?;
        list(storage, &pages).await?;
        let Some(state) = published_state::read(operator_directory, storage).await? else { return Ok(()) };
        let now = state.published.timestamp().version;
        if now == version {
            return storage.flush().await;
        }
        version = now;
        for page in &mut pages {
            let current = published_state::page(&state.published, storage, &page.project).await?;
            *page = NewPage::of(&current.unwrap_or_else(|| Page::new(page.project.clone())));
        }
    }
}

async fn write_page(storage: &Storage, page: &NewPage) -> Result<(), Failure> {
    let (html, json) = (layout::html_page_path(&page.project), layout::json_page_path(&page.project));
    match &page.content {
        Some(content) => {
            storage.put(&html, FileContent::Bytes(content.html.clone()), FileClass::HtmlPage).await?;
            storage.put(&json, FileContent::Bytes(content.json.clone()), FileClass::JsonPage).await
        }
        None => {
            storage.delete(&html).await?;
            storage.delete(&json).await
        }
    }
}

/// Brings the list of projects up to date for these pages. The JSON comes first, and the HTML after it.
async fn list(storage: &Storage, pages: &[NewPage]) -> Result<(), Failure> {
    let mut read = storage.read(layout::PROJECT_LIST_JSON, LIMIT).await?;
    loop {
        let listed = read.as_ref().map(|(bytes, _)| projects_of_list(bytes)).unwrap_or_default();
        let mut projects: BTreeSet<PackageName> = listed.iter().cloned().collect();
        for page in pages {
            match page.content {
                Some(_) => projects.insert(page.project.clone()),
                None => projects.remove(&page.project),
            };
        }
        let projects: Vec<PackageName> = projects.into_iter().collect();
        if read.is_none() || projects != listed {
            let json = project_list_json(&projects);
            let expected = read.as_ref().map(|(_, version)| version);
            storage.replace(layout::PROJECT_LIST_JSON, &json, FileClass::JsonPage, expected).await?;
            // Whether or not that succeeded, the HTML is made from the present JSON.
            read = storage.read(layout::PROJECT_LIST_JSON, LIMIT).await?;
            continue;
        }
        let html = project_list_html(&projects);
        let present = storage.read(layout::PROJECT_LIST_HTML, LIMIT).await?;
        if present.is_none_or(|(bytes, _)| bytes != html) {
            storage.put(layout::PROJECT_LIST_HTML, FileContent::Bytes(html), FileClass::HtmlPage).await?;
        }
        let now = storage.read(layout::PROJECT_LIST_JSON, LIMIT).await?;
        if now.as_ref().map(|(_, version)| version) == read.as_ref().map(|(_, version)| version) {
            return Ok(());
        }
        // Another process has changed it, and may have written the HTML before this one did.
        read = now;
    }
}
