//! Where distributions are looked for: indexes, and the directories, pages and files of `--find-links`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use packaging::{DistributionFilename, File, PackageName, ProjectPage};
use url::Url;

use super::Pages;
use crate::failure::{Failure, Kind};
use crate::net::redacted;
use crate::settings::IndexSettings;
use crate::terminal::Terminal;

/// Every place where a project may be found, in the order in which ties are decided: links first, then the indexes.
pub struct Sources {
    links: Vec<Place>,
    indexes: Vec<Url>,
    pages: Pages,
}

/// One place of `--find-links`.
enum Place {
    Directory(PathBuf),
    /// A page of links, or a single distribution, at a URL.
    Url(Url),
}

impl Sources {
    /// Reads the settings; asks nobody yet.
    ///
    /// A place of `--find-links` that is neither a URL nor there on the disk is only a warning, as in pip.
    pub fn new(settings: &IndexSettings, pages: Pages, terminal: &Terminal) -> Self {
        let mut links = Vec::new();
        for text in &settings.find_links {
            match place(text) {
                Some(place) => links.push(place),
                None => terminal.warning(&format!(
                    "Location '{text}' is ignored: it is either a non-existing path or lacks a specific scheme."
                )),
            }
        }
        Self { links, indexes: settings.indexes.clone(), pages }
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
            let page = match place {
                Place::Directory(directory) => directory_page(directory, project)?,
                Place::Url(url) => self.linked(url, project).await?,
            };
            files.extend(page.files);
        }
        let asked = self.indexes.iter().map(|index| async move {
            match index.to_file_path() {
                Ok(path) => file_page(&path.join(project.as_ref()), project).map(Some),
                Err(()) => self.pages.project(index, project).await,
            }
        });
        for page in futures_util::future::join_all(asked).await {
            files.extend(page?.map(|page| page.files).unwrap_or_default());
        }
        Ok(files.into_iter().map(Arc::new).collect())
    }

    async fn linked(&self, url: &Url, project: &PackageName) -> Result<ProjectPage, Failure> {
        if is_distribution(url.path()) {
            return Ok(page_of_links(&[url.to_string()], url, project));
        }
        if let Ok(path) = url.to_file_path() {
            return file_page(&path, project);
        }
        Ok(self.pages.page(url, project).await?.unwrap_or_default())
    }
}

fn place(text: &str) -> Option<Place> {
    if let Ok(url) = Url::parse(text)
        && matches!(url.scheme(), "http" | "https" | "file")
    {
        return Some(match url.to_file_path() {
            Ok(path) if path.is_dir() => Place::Directory(path),
            _ => Place::Url(url),
        });
    }
    let path = std::path::absolute(text).ok()?;
    if path.is_dir() {
        return Some(Place::Directory(path));
    }
    path.is_file().then(|| Url::from_file_path(&path).ok().map(Place::Url)).flatten()
}

/// The distributions lying in a directory; pages of links in it count, too.
fn directory_page(directory: &Path, project: &PackageName) -> Result<ProjectPage, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::new(
            Kind::Error,
            "file.unreadable",
            format!("Could not read the directory {}: {error}", directory.display()),
        )
    };
    let mut page = ProjectPage::default();
    let mut links = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if is_distribution(&name) {
            links.extend(Url::from_file_path(&path).map(String::from));
        } else if name.ends_with(".html") {
            page.files.extend(file_page(&path, project)?.files);
        }
    }
    links.sort();
    if let Ok(base) = Url::from_directory_path(directory) {
        page.files.extend(page_of_links(&links, &base, project).files);
    }
    Ok(page)
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
