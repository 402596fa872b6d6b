//! Where distributions are looked for: indexes, and the directories, pages and files of `--find-links`.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use packaging::{DistributionFilename, File, PackageName, ProjectPage};
use tokio::sync::OnceCell;
use url::Url;

use super::{Pages, pages};
use crate::failure::{Failure, Kind};
use crate::net::{Fetched, redacted};
use crate::settings::{IndexSettings, redact};
use crate::terminal::Terminal;

/// Every place where a project may be found, in the order in which ties are decided: links first, then the indexes.
pub struct Sources {
    links: Vec<Place>,
    indexes: Vec<Url>,
    pages: Pages,
}

/// One place of `--find-links`. What lists files of many projects is read once, when the first of them is looked for.
enum Place {
    /// A directory: links to its distributions, and its pages of links.
    Directory(PathBuf, OnceLock<Listing>),
    /// A page of links on a server.
    Page(Url, Box<OnceCell<Option<Fetched>>>),
    /// A page of links on the disk.
    File(PathBuf),
    /// A single distribution.
    Distribution(Url),
}

#[derive(Clone, Default)]
struct Listing {
    links: Vec<String>,
    pages: Vec<PathBuf>,
}

impl Sources {
    /// Reads the settings; asks nobody yet.
    ///
    /// A place of `--find-links` that is neither a URL nor there on the disk is only a warning, as in pip.
    pub fn new(settings: &IndexSettings, pages: Pages, terminal: &Terminal) -> Self {
        let mut links = Vec::new();
        for text in &settings.find_links {
            match place(text) {
                Some(Place::Page(url, _)) if !is_believed(&url, &pages, terminal) => {}
                Some(place) => links.push(place),
                None => terminal.warning(&format!(
                    "Location '{}' is ignored: it is either a non-existing path or lacks a specific scheme.",
                    redact(text)
                )),
            }
        }
        let indexes = settings.indexes.iter().filter(|url| is_believed(url, &pages, terminal)).cloned().collect();
        Self { links, indexes, pages }
    }

    /// Whether there is nowhere to look.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty() && self.indexes.is_empty()
    }

    /// The index URLs without secrets, for messages.
    pub fn shown(&self) -> Vec<String> {
        self.indexes.iter().map(redacted).collect()
    }

    /// All files of `project`.
    pub async fn files(&self, project: &PackageName) -> Result<Vec<Arc<File>>, Failure> {
        let mut files = Vec::new();
        for place in &self.links {
            files.extend(self.linked(place, project).await?.files);
        }
        let asked = self.indexes.iter().map(|index| async move {
            match local_path(index) {
                Some(path) => file_page(&path.join(project.as_ref()), project).map(Some),
                None => self.pages.project(index, project).await,
            }
        });
        for page in futures_util::future::join_all(asked).await {
            files.extend(page?.map(|page| page.files).unwrap_or_default());
        }
        Ok(files.into_iter().map(Arc::new).collect())
    }

    async fn linked(&self, place: &Place, project: &PackageName) -> Result<ProjectPage, Failure> {
        match place {
            Place::Distribution(url) => Ok(page_of_links(&[url.to_string()], url, project)),
            Place::File(path) => file_page(path, project),
            Place::Page(url, page) => match page.get_or_try_init(|| self.pages.links(url)).await? {
                Some(fetched) => pages::parse(fetched, project),
                None => Ok(ProjectPage::default()),
            },
            Place::Directory(directory, listing) => {
                let listing = match listing.get() {
                    Some(listing) => listing,
                    None => {
                        let found = list(directory)?;
                        listing.get_or_init(|| found)
                    }
                };
                let base = Url::from_directory_path(directory).ok();
                let mut page = base.map(|base| page_of_links(&listing.links, &base, project)).unwrap_or_default();
                for path in &listing.pages {
                    page.files.extend(file_page(path, project)?.files);
                }
                Ok(page)
            }
        }
    }
}

/// pip's rule and words: what came over plain http from another machine may have been changed by anybody in between.
fn is_believed(url: &Url, pages: &Pages, terminal: &Terminal) -> bool {
    let believed = pages.is_secure(url);
    if !believed {
        let host = url.host_str().unwrap_or_default();
        terminal.warning(&format!(
            "The repository located at {host} is not a trusted or secure host and is being ignored. If this repository is \
             available via HTTPS we recommend you use HTTPS instead, otherwise you may silence this warning and allow it \
             anyway with '--trusted-host {host}'."
        ));
    }
    believed
}

fn place(text: &str) -> Option<Place> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https" | "file"));
    let path = match &url {
        Some(url) => local_path(url),
        None => std::path::absolute(text).ok(),
    };
    match (path, url) {
        (Some(path), _) if path.is_dir() => Some(Place::Directory(path, OnceLock::new())),
        (Some(path), _) if !path.is_file() => None,
        (Some(path), _) if is_distribution(&path.to_string_lossy()) => {
            Url::from_file_path(&path).ok().map(Place::Distribution)
        }
        (Some(path), _) => Some(Place::File(path)),
        (None, Some(url)) if is_distribution(url.path()) => Some(Place::Distribution(url)),
        (None, Some(url)) => Some(Place::Page(url, Box::default())),
        (None, None) => None,
    }
}

/// The path of a `file:` URL. ([`Url::to_file_path`] alone takes `http://localhost/` for one, too.)
pub(super) fn local_path(url: &Url) -> Option<PathBuf> {
    (url.scheme() == "file").then(|| url.to_file_path().ok()).flatten()
}

/// The distributions lying in a directory, and the pages of links in it.
fn list(directory: &Path) -> Result<Listing, Failure> {
    let unreadable = |error: std::io::Error| {
        let message = format!("Could not read the directory {}: {error}", directory.display());
        Failure::new(Kind::Error, "file.unreadable", message)
    };
    let mut listing = Listing::default();
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if is_distribution(&name) {
            listing.links.extend(Url::from_file_path(&path).map(String::from));
        } else if name.ends_with(".html") {
            listing.pages.push(path);
        }
    }
    listing.links.sort();
    listing.pages.sort();
    Ok(listing)
}

/// A page of links on the disk; in a directory it is `index.html`. A page that is not there lists nothing.
fn file_page(path: &Path, project: &PackageName) -> Result<ProjectPage, Failure> {
    let path = if path.is_dir() { path.join("index.html") } else { path.to_owned() };
    let (Ok(bytes), Ok(url)) = (std::fs::read(&path), Url::from_file_path(&path)) else {
        return Ok(ProjectPage::default());
    };
    ProjectPage::from_html(&bytes, &url, project).map_err(|error| {
        Failure::new(Kind::Error, "index.page", format!("Could not read the page {}: {error}", path.display()))
    })
}

/// A page made of bare links, so that they are judged by the same rules as links on a page.
fn page_of_links(links: &[String], base: &Url, project: &PackageName) -> ProjectPage {
    let html: String = links.iter().map(|link| format!("<a href=\"{}\"></a>", link.replace('"', "%22"))).collect();
    ProjectPage::from_html(html.as_bytes(), base, project).unwrap_or_default()
}

fn is_distribution(name: &str) -> bool {
    name.ends_with(".whl") || packaging::SourceFormat::split(name).is_some()
}

/// The file name that a link to a distribution ends in, if it does.
pub fn linked_filename(url: &Url) -> Option<String> {
    let last = url.path_segments()?.next_back()?;
    let name = percent_encoding::percent_decode_str(last).decode_utf8().ok()?.into_owned();
    is_distribution(&name).then_some(name)
}

/// Reads the file name of a distribution whose project is not known.
pub fn parse_filename(name: &str) -> Option<DistributionFilename> {
    if name.ends_with(".whl") {
        return name.parse().ok().map(DistributionFilename::Wheel);
    }
    packaging::SourceDistributionFilename::guess(name).ok().map(DistributionFilename::SourceDistribution)
}
