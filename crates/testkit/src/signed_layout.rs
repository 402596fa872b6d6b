//! The URLs of the pages and files of a signed index, and the names of their targets (PEP 458 leaves both open).

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tuf::metadata::TargetFile;
use tuf::{HashAlgorithm, Hashes};

use crate::index::{Index, JSON};
use crate::listing::{ListedFile, MetadataMode};

/// Which names an index uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignedLayout {
    /// `simple/PROJECT/vnd.pypi.simple.v1.json` and `dist/PROJECT/FILENAME`, as `x-pyindex` in the signed targets
    /// declares.
    #[default]
    InBand,
    /// The same names, without a descriptor in the metadata.
    Undeclared,
    /// The same names, as the preset of the configuration has them.
    Static1,
    /// `PROJECT/index.html`, and files, without their metadata, by the last four segments of their link.
    Pip2021,
    /// `PROJECT/PROJECT.html`, and files by the last four segments of their link; BLAKE2b only.
    Warehouse2022,
    /// `PROJECT`, no targets for files; BLAKE2b only.
    Warehouse2024,
    /// Both forms of `simple/PROJECT/`, chosen by `Accept`; no targets for files.
    Pep691,
}

/// What vouches for a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DistributionTrust {
    /// A target of its own.
    Target,
    /// The signed page.
    Page,
    /// Either: the page is complete, and there are targets too.
    #[default]
    Both,
}

/// What an index publishes: targets to be signed, and files by path on the server, which are served as they are.
pub(crate) struct Content {
    pub(crate) targets: BTreeMap<String, TargetFile>,
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

impl SignedLayout {
    /// The name of the layout in a configuration; `None` when it is not configured.
    pub fn preset(self) -> Option<&'static str> {
        match self {
            Self::InBand | Self::Undeclared => None,
            Self::Static1 => Some("static-1"),
            Self::Pip2021 => Some("pip-2021"),
            Self::Warehouse2022 => Some("warehouse-2022"),
            Self::Warehouse2024 => Some("warehouse-2024"),
            Self::Pep691 => Some("pep691"),
        }
    }

    /// The target path of a file; `None` when the layout has none.
    pub(crate) fn distribution(self, project: &str, file: &ListedFile) -> Option<String> {
        match self {
            Self::InBand | Self::Undeclared | Self::Static1 => Some(format!("dist/{project}/{}", file.filename)),
            Self::Pip2021 | Self::Warehouse2022 => Some(hashed_directory(file)),
            Self::Warehouse2024 | Self::Pep691 => None,
        }
    }

    /// The target path of the preferred page of a project.
    pub(crate) fn page(self, project: &str) -> String {
        match self {
            Self::InBand | Self::Undeclared | Self::Static1 | Self::Pep691 => {
                format!("simple/{project}/vnd.pypi.simple.v1.json")
            }
            Self::Pip2021 => format!("{project}/index.html"),
            Self::Warehouse2022 => format!("{project}/{project}.html"),
            Self::Warehouse2024 => project.to_owned(),
        }
    }

    /// The paths on the server for a page with this target.
    pub(crate) fn page_paths(self, project: &str, target: &TargetFile, consistent_snapshot: bool) -> Vec<String> {
        let file = match self {
            Self::InBand | Self::Undeclared | Self::Static1 => "vnd.pypi.simple.v1.json".to_owned(),
            Self::Pip2021 => "index.html".to_owned(),
            Self::Warehouse2022 | Self::Warehouse2024 => format!("{project}.html"),
            Self::Pep691 => return vec![format!("/simple/{project}/")],
        };
        if consistent_snapshot {
            target.hashes.iter().map(|(_, hash)| format!("/simple/{project}/{hash}.{file}")).collect()
        } else {
            vec![format!("/simple/{project}/{file}")]
        }
    }

    /// The target of content, with the hash that the layout's repositories list.
    pub(crate) fn target(self, content: &[u8]) -> TargetFile {
        let algorithm = match self {
            Self::Warehouse2022 | Self::Warehouse2024 => HashAlgorithm::Blake2b256,
            _ => HashAlgorithm::Sha256,
        };
        TargetFile { hashes: Hashes::of(content, &[algorithm]), ..TargetFile::of(content) }
    }

    fn is_html(self) -> bool {
        matches!(self, Self::Pip2021 | Self::Warehouse2022 | Self::Warehouse2024)
    }

    /// Pages link to `/packages/aa/bb/REST/NAME`.
    fn has_hashed_directories(self) -> bool {
        self.is_html()
    }
}

impl DistributionTrust {
    /// The field `x-pyindex` for the names of [`SignedLayout::InBand`], to stand in the signed part of `targets`.
    pub fn in_band(self, consistent_snapshot: bool) -> Value {
        let url = if consistent_snapshot { "{base}{dir}{hash}.{file}" } else { "{base}{dir}{file}" };
        let mut layout = json!({
            "v": 1,
            "pages": [{
                "type": JSON,
                "target": "simple/{project}/vnd.pypi.simple.v1.json",
                "url": url,
                "hash": "sha256",
            }],
            "base": "../",
        });
        let trust = match self {
            Self::Target => "target",
            Self::Page => "page",
            Self::Both => "both",
        };
        layout["dist_trust"] = trust.into();
        if self != Self::Page {
            layout["dist_target"] = "dist/{project}/{filename}".into();
            layout["dist_hash_prefix"] = false.into();
            layout["core_metadata_target"] = "{dist}.metadata".into();
        }
        layout
    }
}

/// The index with the links of the layout, where a test has not set others.
pub(crate) fn linked(mut index: Index, layout: SignedLayout) -> Index {
    if layout.has_hashed_directories() {
        for file in index.projects.values_mut().flatten().filter(|file| file.raw_link.is_none()) {
            file.raw_link = Some(format!("../../packages/{}", hashed_directory(file)));
        }
    }
    index
}

/// All that an index publishes at `origin`.
pub(crate) fn content(
    index: &Index,
    layout: SignedLayout,
    trust: DistributionTrust,
    consistent_snapshot: bool,
    origin: &str,
) -> Content {
    let mut content = Content { targets: BTreeMap::new(), files: BTreeMap::new() };
    for (project, files) in &index.projects {
        content.add_page(index, project, layout, consistent_snapshot, origin);
        for file in files {
            let target = if trust == DistributionTrust::Page { None } else { layout.distribution(project, file) };
            content.add_file(index, file, layout, target.as_deref());
        }
    }
    content
}

impl Content {
    fn add_page(
        &mut self,
        index: &Index,
        project: &str,
        layout: SignedLayout,
        consistent_snapshot: bool,
        origin: &str,
    ) {
        let html = || index.html_page(project, origin).into_bytes();
        let page = if layout.is_html() { html() } else { index.json_page(project, origin).into_bytes() };
        let target = layout.target(&page);
        if layout == SignedLayout::Pep691 {
            // The server chooses by `Accept`; these pages have no path of their own.
            self.targets.insert(format!("simple/{project}/vnd.pypi.simple.v1.html"), layout.target(&html()));
        } else {
            for path in layout.page_paths(project, &target, consistent_snapshot) {
                self.files.insert(path, page.clone());
            }
        }
        self.targets.insert(layout.page(project), target);
    }

    fn add_file(&mut self, index: &Index, file: &ListedFile, layout: SignedLayout, target: Option<&str>) {
        let path = file_path(file, layout);
        let setting = file.metadata_setting(&index.options);
        if let Some(target) = target {
            self.targets.insert(target.to_owned(), layout.target(&file.bytes));
            if setting != MetadataMode::Absent && layout != SignedLayout::Pip2021 {
                self.targets.insert(format!("{target}.metadata"), layout.target(&file.metadata));
            }
        }
        if !matches!(setting, MetadataMode::Absent | MetadataMode::Missing) {
            self.files.insert(format!("{path}.metadata"), file.metadata.clone());
        }
        self.files.insert(path, file.bytes.clone());
    }
}

/// The path of a file on the server, not encoded.
pub(crate) fn file_path(file: &ListedFile, layout: SignedLayout) -> String {
    if layout.has_hashed_directories() {
        format!("/packages/{}", hashed_directory(file))
    } else {
        format!("/files/{}", file.filename)
    }
}

/// `aa/bb/REST/NAME` by the BLAKE2b-256 of the file.
fn hashed_directory(file: &ListedFile) -> String {
    let hash = Hashes::of(&file.bytes, &[HashAlgorithm::Blake2b256]).get(HashAlgorithm::Blake2b256).unwrap();
    format!("{}/{}/{}/{}", &hash[..2], &hash[2..4], &hash[4..], file.filename)
}
