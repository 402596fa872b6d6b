//! The pages for installers that verify no signatures. They are mutable, and written when what they say is signed already.

use std::collections::BTreeSet;

use packaging::PackageName;
use repository::draft::NewPage;
use repository::page::{project_list_html, project_list_json, projects_of_list};
use repository::{Page, Publication, layout};

use super::publish::counted;
use super::state;
use super::storage::{Class, Content, Replaced, Storage};
use super::workplace::Workplace;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// The most bytes of the list of projects.
const LIMIT: u64 = 256 << 20;

/// Writes the pages of a publication. If somebody else publishes meanwhile, the pages of the same projects are written again
/// with what holds then, so that the last word is never an old one.
///
/// # Errors
/// When the storage fails.
pub async fn write(
    workplace: &Workplace,
    storage: &Storage,
    publication: &Publication,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let mut version = publication.timestamp_version;
    let mut pages = publication.pages.clone();
    let is_first = publication.root.is_some();
    if pages.is_empty() && !is_first {
        return Ok(());
    }
    loop {
        let total = pages.len();
        let written = pages.iter().map(async |page| write_page(storage, page).await);
        counted(written, storage, "Writing plain pages", total, terminal).await?;
        list(storage, &pages).await?;
        let Some(state) = state::read(workplace, storage).await? else { return Ok(()) };
        let now = state.published.timestamp().version;
        if now == version {
            return storage.settle().await;
        }
        version = now;
        for page in &mut pages {
            let current = state::page(&state.published, storage, &page.project).await?;
            *page = NewPage::of(&current.unwrap_or_else(|| Page::new(page.project.clone())));
        }
    }
}

async fn write_page(storage: &Storage, page: &NewPage) -> Result<(), Failure> {
    let (html, json) = (layout::html_page_path(&page.project), layout::json_page_path(&page.project));
    match &page.content {
        Some(content) => {
            storage.put(&html, Content::Bytes(content.html.clone()), Class::HtmlPage).await?;
            storage.put(&json, Content::Bytes(content.json.clone()), Class::JsonPage).await
        }
        None => {
            storage.delete(&html).await?;
            storage.delete(&json).await
        }
    }
}

/// Brings the list of projects up to date for these pages.
async fn list(storage: &Storage, pages: &[NewPage]) -> Result<(), Failure> {
    loop {
        let read = storage.read(layout::PROJECT_LIST_JSON, LIMIT).await?;
        let listed = read.as_ref().map(|(bytes, _)| projects_of_list(bytes)).unwrap_or_default();
        let mut projects: BTreeSet<PackageName> = listed.iter().cloned().collect();
        for page in pages {
            match page.content {
                Some(_) => projects.insert(page.project.clone()),
                None => projects.remove(&page.project),
            };
        }
        let projects: Vec<PackageName> = projects.into_iter().collect();
        if read.is_some() && projects == listed && storage.size(layout::PROJECT_LIST_HTML).await?.is_some() {
            return Ok(());
        }
        let json = project_list_json(&projects);
        let expected = read.as_ref().map(|(_, version)| version);
        let replaced = storage.replace(layout::PROJECT_LIST_JSON, &json, Class::JsonPage, expected).await?;
        if replaced == Replaced::Done {
            let html = project_list_html(&projects);
            return storage.put(layout::PROJECT_LIST_HTML, Content::Bytes(html), Class::HtmlPage).await;
        }
    }
}
