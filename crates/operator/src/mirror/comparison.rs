//! What must change in this index so that it agrees with another one, and what must not change: the content of a
//! file name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use packaging::{CoreMetadataFile, HashAlgorithm, PackageName};
use repository::{Change, Page, PageFile};

use installer::index::IndexFile;

/// A file as the other index lists it.
pub struct UpstreamFile {
    /// Its entry on the page.
    pub file: Arc<IndexFile>,
    /// In lower-case hex, if it is known before the file is fetched.
    pub sha256: Option<String>,
    /// In bytes, if it is known before the file is fetched.
    pub size: Option<u64>,
}

/// How far this index follows the other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MirrorRules {
    /// This index has the same files as the other one, and no others.
    pub exactly: bool,
    /// The requirements lead to the project.
    pub is_requested: bool,
    /// Files that the requirements do not lead to are removed.
    pub prune: bool,
}

/// The necessary changes.
#[derive(Default)]
pub struct Comparison {
    /// Files to import.
    pub missing: Vec<Arc<IndexFile>>,
    /// Files with another link or description than upstream: to be imported again.
    pub outdated: Vec<Arc<IndexFile>>,
    /// Files to remove or to yank.
    pub changes: Vec<Change>,
    /// Files that the other index has replaced by others with the same name.
    pub replaced: Vec<ReplacedFile>,
    /// As `replaced`, for a project that is not required: this index may have such a file from elsewhere.
    pub different: Vec<String>,
    /// Files that the other index no longer lists, and that stay.
    pub vanished: Vec<String>,
    /// Files that are yanked here and not there, and stay yanked.
    pub yanked_only_here: Vec<String>,
}

/// A file name with two different contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplacedFile {
    /// Which file.
    pub filename: String,
    /// What is signed here.
    pub here: String,
    /// The present content in the other index.
    pub there: String,
}

impl UpstreamFile {
    /// A file as described by its page alone.
    pub fn of_page(file: &Arc<IndexFile>) -> Self {
        let sha256 = file.hashes.get(HashAlgorithm::Sha256).filter(|hex| is_sha256(hex));
        Self { file: Arc::clone(file), sha256: sha256.map(str::to_ascii_lowercase), size: file.size }
    }

    fn shown(&self) -> String {
        shown(self.sha256.as_deref(), self.size)
    }
}

/// Compares a project's page here with its files there, of which those in `wanted` are required.
pub fn compare(
    project: &PackageName,
    here: &Page,
    there: &[UpstreamFile],
    wanted: &BTreeSet<String>,
    rules: MirrorRules,
) -> Comparison {
    let mut comparison = Comparison::default();
    let mut by_name: BTreeMap<&str, &UpstreamFile> = BTreeMap::new();
    for listing in there {
        let filename = listing.file.filename();
        match by_name.get(filename) {
            Some(first) if contradict(first, listing) && wanted.contains(filename) => {
                let (here, there) = (first.shown(), listing.shown());
                comparison.replaced.push(ReplacedFile { filename: filename.to_owned(), here, there });
            }
            Some(_) => {}
            None => {
                by_name.insert(filename, listing);
            }
        }
    }
    for present in here.files() {
        let listing = by_name.remove(present.filename.as_str());
        compare_file(project, present, listing, wanted, rules, &mut comparison);
    }
    let missing = by_name.into_values().filter(|listing| wanted.contains(listing.file.filename()));
    comparison.missing.extend(missing.map(|listing| Arc::clone(&listing.file)));
    comparison
}

fn compare_file(
    project: &PackageName,
    present: &PageFile,
    listing: Option<&UpstreamFile>,
    wanted: &BTreeSet<String>,
    rules: MirrorRules,
    comparison: &mut Comparison,
) {
    let filename = &present.filename;
    let (project, name) = (|| project.clone(), || filename.clone());
    let Some(listing) = listing else {
        if rules.exactly || (rules.prune && rules.is_requested) {
            comparison.changes.push(Change::Remove { project: project(), filename: name() });
        } else {
            comparison.vanished.push(name());
        }
        return;
    };
    let same_hash = listing.sha256.as_ref().map(|sha256| *sha256 == present.hashes.sha256);
    if same_hash == Some(false) || listing.size.is_some_and(|size| size != present.size) {
        if rules.is_requested {
            let here = shown(Some(&present.hashes.sha256), Some(present.size));
            comparison.replaced.push(ReplacedFile { filename: name(), here, there: listing.shown() });
        } else {
            comparison.different.push(name());
        }
        return;
    }
    // A project that is not required may be from elsewhere: remove only files that are certainly from the other index.
    if rules.prune && !wanted.contains(filename) && (rules.is_requested || same_hash == Some(true)) {
        comparison.changes.push(Change::Remove { project: project(), filename: name() });
        return;
    }
    if is_outdated(present, &listing.file, rules) {
        comparison.outdated.push(Arc::clone(&listing.file));
        return;
    }
    match (&present.yanked, &listing.file.yanked) {
        (None, Some(reason)) => {
            comparison.changes.push(Change::Yank { project: project(), filename: name(), reason: reason.clone() });
        }
        (Some(here), Some(there)) if rules.exactly && here != there => {
            comparison.changes.push(Change::Yank { project: project(), filename: name(), reason: there.clone() });
        }
        (Some(_), None) if rules.exactly => {
            comparison.changes.push(Change::Unyank { project: project(), filename: name() });
        }
        // The operator may have yanked it.
        (Some(_), None) => comparison.yanked_only_here.push(name()),
        _ => {}
    }
}

/// Whether the entry of a linked file is out of date.
fn is_outdated(present: &PageFile, file: &IndexFile, rules: MirrorRules) -> bool {
    if present.path().is_some() {
        return false;
    }
    let moved = public_url(file).is_some_and(|url| url != present.url);
    let described_otherwise = rules.exactly
        && (requires_python(file) != present.requires_python
            || matches!(&file.core_metadata, CoreMetadataFile::Available { sha256: Some(sha256) }
                if present.core_metadata.as_ref() != Some(sha256)));
    moved || described_otherwise
}

/// The public URL of a file, without credentials.
pub fn public_url(file: &IndexFile) -> Option<String> {
    let url = file.url().ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let mut url = printable::without_credentials(&url);
    url.set_fragment(None);
    Some(url.into())
}

/// The Requires-Python of a file, if it is valid.
pub fn requires_python(file: &IndexFile) -> Option<String> {
    file.requires_python.clone().filter(|text| text.parse::<packaging::VersionSpecifiers>().is_ok())
}

/// Whether a text is a SHA-256 in hex.
pub fn is_sha256(hex: &str) -> bool {
    hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Two rows of one name that cannot both be true.
fn contradict(first: &UpstreamFile, second: &UpstreamFile) -> bool {
    let differ =
        |first: &Option<String>, second: &Option<String>| first.is_some() && second.is_some() && first != second;
    differ(&first.sha256, &second.sha256) || first.size.zip(second.size).is_some_and(|(first, second)| first != second)
}

fn shown(sha256: Option<&str>, size: Option<u64>) -> String {
    let sha256 = sha256.map_or_else(|| "unknown".to_owned(), |sha256| format!("sha256 {sha256}"));
    size.map_or(sha256.clone(), |size| format!("{sha256}, {size} bytes"))
}
