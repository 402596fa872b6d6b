//! A project's page: the entries of its files. Written deterministically: the same files give the same bytes.

use std::collections::BTreeMap;

use packaging::{DistributionFilename, PackageName, Version};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::{Deserialize, Serialize};

/// A page in the simple repository API (PEP 691, PEP 700).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The project.
    pub project: PackageName,
    /// In the order of the page: by version, then by name.
    files: BTreeMap<(Version, String), PageFile>,
}

/// One file on a page, with the names the JSON form gives its fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PageFile {
    /// The name of the wheel or source distribution.
    pub filename: String,
    /// Absolute, or relative to `simple/PROJECT/`; percent-encoded.
    pub url: String,
    /// The hashes of the content.
    pub hashes: FileHashes,
    /// In bytes.
    pub size: u64,
    /// The versions of Python it is for, as its metadata writes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires_python: Option<String>,
    /// Why it should not be chosen any more; may be empty.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "yanked")]
    pub yanked: Option<String>,
    /// The hash of the metadata file beside it (PEP 658).
    #[serde(default, skip_serializing_if = "Option::is_none", with = "core_metadata")]
    pub core_metadata: Option<String>,
    /// Its upload time (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload_time: Option<String>,
}

/// The hashes of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileHashes {
    /// 64 lower-case hex digits.
    pub sha256: String,
}

/// A page that cannot be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// Not what this crate writes.
    #[error("the page is not one this program has written: {0}")]
    Format(String),
    /// A file name that no installer could read.
    #[error("{0}")]
    Filename(String),
}

/// The JSON form.
#[derive(Serialize, Deserialize)]
struct Document {
    meta: Meta,
    name: String,
    versions: Vec<String>,
    files: Vec<PageFile>,
}

#[derive(Serialize, Deserialize)]
struct Meta {
    #[serde(rename = "api-version")]
    api_version: String,
}

/// The version of the API that pages conform to: with sizes and versions (PEP 700).
const API_VERSION: &str = "1.1";

/// What has to be encoded in a path segment; `+` because object stores read it as a blank.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'+')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'&');

impl PageFile {
    /// The URL on a page of what is published at this path (see [`layout`](crate::layout)).
    pub fn url_of(path: &str) -> String {
        let segments: Vec<_> =
            path.split('/').map(|segment| utf8_percent_encode(segment, SEGMENT).to_string()).collect();
        format!("../../{}", segments.join("/"))
    }

    /// The path below the base of the index, if the file is published there and not elsewhere.
    pub fn path(&self) -> Option<String> {
        let path = self.url.strip_prefix("../../")?;
        percent_encoding::percent_decode_str(path).decode_utf8().ok().map(|path| path.into_owned())
    }
}

impl Page {
    /// Without files.
    pub fn new(project: PackageName) -> Self {
        Self { project, files: BTreeMap::new() }
    }

    /// With these files; of several with one name the last.
    ///
    /// # Errors
    /// When a file name is none of this project.
    pub fn with_files(project: PackageName, files: Vec<PageFile>) -> Result<Self, PageError> {
        let mut page = Self::new(project);
        for file in files {
            page.insert(file)?;
        }
        Ok(page)
    }

    /// Reads what [`Page::to_json`] has written.
    ///
    /// # Errors
    /// When it is something else, or of another project.
    pub fn from_json(project: &PackageName, bytes: &[u8]) -> Result<Self, PageError> {
        let document: Document = serde_json::from_slice(bytes).map_err(|error| PageError::Format(error.to_string()))?;
        if document.name != project.to_string() {
            return Err(PageError::Format(format!("it is of {}, not of {project}", document.name)));
        }
        Self::with_files(project.clone(), document.files)
    }

    /// The files, by version, then by name.
    pub fn files(&self) -> impl ExactSizeIterator<Item = &PageFile> {
        self.files.values()
    }

    /// The file with this name.
    pub fn file(&self, filename: &str) -> Option<&PageFile> {
        self.files.get(&self.key(filename).ok()?)
    }

    /// The file with this name, to be changed in anything but its name.
    pub(crate) fn file_mut(&mut self, filename: &str) -> Option<&mut PageFile> {
        self.files.get_mut(&self.key(filename).ok()?)
    }

    /// Removes a file from the page.
    pub(crate) fn remove(&mut self, filename: &str) -> Option<PageFile> {
        self.files.remove(&self.key(filename).ok()?)
    }

    /// Inserts a file in its place; replaces one with the same name.
    pub(crate) fn insert(&mut self, file: PageFile) -> Result<(), PageError> {
        self.files.insert(self.key(&file.filename)?, file);
        Ok(())
    }

    /// The position of a file with this name.
    fn key(&self, filename: &str) -> Result<(Version, String), PageError> {
        let parsed = DistributionFilename::parse(filename, &self.project);
        let parsed = parsed.map_err(|error| PageError::Filename(format!("{filename}: {error}")))?;
        Ok((parsed.version().clone(), filename.to_owned()))
    }

    /// The JSON form, which is what is signed.
    pub fn to_json(&self) -> Vec<u8> {
        let mut versions: Vec<String> = Vec::new();
        for (version, _) in self.files.keys() {
            let version = version.to_string();
            if versions.last() != Some(&version) {
                versions.push(version);
            }
        }
        let document = Document {
            meta: Meta { api_version: API_VERSION.to_owned() },
            name: self.project.to_string(),
            versions,
            files: self.files.values().cloned().collect(),
        };
        serde_json::to_vec(&document).unwrap_or_default()
    }

    /// The HTML form (PEP 503), for installers that read nothing else.
    pub fn to_html(&self) -> Vec<u8> {
        let mut rows = String::new();
        for file in self.files.values() {
            let mut attributes = format!("href=\"{}#sha256={}\"", escaped(&file.url), file.hashes.sha256);
            if let Some(requires_python) = &file.requires_python {
                attributes += &format!(" data-requires-python=\"{}\"", escaped(requires_python));
            }
            if let Some(sha256) = &file.core_metadata {
                attributes += &format!(" data-core-metadata=\"sha256={sha256}\"");
            }
            if let Some(reason) = &file.yanked {
                attributes += &format!(" data-yanked=\"{}\"", escaped(reason));
            }
            rows += &format!("<a {attributes}>{}</a><br>\n", escaped(&file.filename));
        }
        html(&format!("Links for {}", self.project), &rows)
    }
}

/// The list of projects in JSON (PEP 691).
pub fn project_list_json(projects: &[PackageName]) -> Vec<u8> {
    let projects: Vec<_> = projects.iter().map(|project| serde_json::json!({"name": project.to_string()})).collect();
    let list = serde_json::json!({"meta": {"api-version": API_VERSION}, "projects": projects});
    serde_json::to_vec(&list).unwrap_or_default()
}

/// The projects of a list that [`project_list_json`] has written; none when it is something else.
pub fn projects_of_list(json: &[u8]) -> Vec<PackageName> {
    #[derive(Deserialize)]
    struct List {
        projects: Vec<Project>,
    }
    #[derive(Deserialize)]
    struct Project {
        name: PackageName,
    }
    let list = serde_json::from_slice::<List>(json);
    list.map(|list| list.projects.into_iter().map(|project| project.name).collect()).unwrap_or_default()
}

/// The list of projects in HTML (PEP 503).
pub fn project_list_html(projects: &[PackageName]) -> Vec<u8> {
    let rows: String = projects.iter().map(|project| format!("<a href=\"{project}/\">{project}</a><br>\n")).collect();
    html("Simple index", &rows)
}

fn html(title: &str, rows: &str) -> Vec<u8> {
    format!(
        "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"pypi:repository-version\" \
         content=\"1.1\">\n<title>{title}</title>\n</head>\n<body>\n{rows}</body>\n</html>\n"
    )
    .into_bytes()
}

/// Makes a text safe between tags and in quotes.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// `false`, `true` or the reason (PEP 691); a reason that is empty is written as `true`.
mod yanked {
    use serde::{Deserialize, Deserializer, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Yanked {
        Flag(bool),
        Reason(String),
    }

    pub fn serialize<S: Serializer>(yanked: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
        match yanked.as_deref() {
            None => serializer.serialize_bool(false),
            Some("") => serializer.serialize_bool(true),
            Some(reason) => serializer.serialize_str(reason),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
        Ok(match Yanked::deserialize(deserializer)? {
            Yanked::Flag(false) => None,
            Yanked::Flag(true) => Some(String::new()),
            Yanked::Reason(reason) => Some(reason),
        })
    }
}

/// `{"sha256": …}` (PEP 714).
mod core_metadata {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::FileHashes;

    pub fn serialize<S: Serializer>(sha256: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
        sha256.as_ref().map(|sha256| FileHashes { sha256: sha256.clone() }).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
        Ok(Some(FileHashes::deserialize(deserializer)?.sha256))
    }
}
