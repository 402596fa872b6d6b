//! The summary of following another index.

use packaging::{PackageName, Version};
use serde_json::{Value, json};

use super::comparison::ReplacedFile;
use installer::error::{Code, Failure};

/// What has changed, what has not, and what the operator should know. Files are listed with their projects.
#[derive(Default)]
pub struct MirrorReport {
    /// New files.
    pub new: Vec<(PackageName, String)>,
    /// Files with a new description or a new place.
    pub updated: Vec<(PackageName, String)>,
    /// Files that are yanked from now on, and why.
    pub yanked: Vec<(PackageName, String, String)>,
    /// Files that are no longer yanked.
    pub unyanked: Vec<(PackageName, String)>,
    /// Removed files.
    pub removed: Vec<(PackageName, String)>,
    /// The newest versions that are too young.
    pub held_back: Vec<(PackageName, Version)>,
    /// Files that stay although the other index no longer lists them.
    pub vanished: Vec<(PackageName, String)>,
    /// Files that have another content in the other index, of projects that are not required.
    pub different: Vec<(PackageName, String)>,
    /// Files that are yanked here and not there.
    pub yanked_only_here: Vec<(PackageName, String)>,
    /// File names with two different contents: nothing may be changed then.
    pub replaced: Vec<(PackageName, ReplacedFile)>,
    /// The indexes that the files are from, for messages.
    pub sources: Vec<String>,
    /// Whether a new file has no signed hash.
    pub has_unsigned: bool,
    /// Files that were compared or imported.
    pub files: usize,
    /// Projects that were compared.
    pub projects: usize,
}

/// How many lines are shown of a long list.
pub const SHOWN: usize = 20;

impl MirrorReport {
    /// Adds the report of other projects.
    pub fn add(&mut self, other: Self) {
        self.new.extend(other.new);
        self.updated.extend(other.updated);
        self.yanked.extend(other.yanked);
        self.unyanked.extend(other.unyanked);
        self.removed.extend(other.removed);
        self.held_back.extend(other.held_back);
        self.vanished.extend(other.vanished);
        self.different.extend(other.different);
        self.yanked_only_here.extend(other.yanked_only_here);
        self.replaced.extend(other.replaced);
        self.files += other.files;
        self.projects += other.projects;
    }

    /// Refuses everything if another index has replaced a file.
    ///
    /// # Errors
    /// A failure that names the files.
    pub fn refuse_replaced(&self) -> Result<(), Failure> {
        let Some((_, first)) = self.replaced.first() else { return Ok(()) };
        let message = match self.replaced.len() {
            1 => format!("{} was replaced by another file of the same name", printable::line(&first.filename)),
            several => format!("{several} files were replaced by others of the same names"),
        };
        let mut failure = Failure::new(Code::RepoUpstreamReplaced, message);
        for (_, ReplacedFile { filename, here, there }) in self.replaced.iter().take(SHOWN) {
            failure = failure
                .detail("file", filename.clone())
                .detail("expected", here.clone())
                .detail("received", there.clone());
        }
        Err(failure
            .detail("meaning", "what was signed once stays as it is; nothing was changed")
            .hint("ask the operator of the other index why: a release must never be replaced")
            .hint("to take the new file nevertheless, `tufpip repo remove` the old one first"))
    }

    /// The report as JSON.
    pub fn to_json(&self, dry_run: bool) -> Value {
        let files = |files: &[(PackageName, String)]| -> Vec<Value> {
            files.iter().map(|(project, file)| json!({"project": project, "file": file})).collect()
        };
        let yanked = self.yanked.iter();
        let yanked = yanked.map(|(project, file, reason)| json!({"project": project, "file": file, "reason": reason}));
        let held_back = self.held_back.iter();
        let held_back = held_back.map(|(project, version)| json!({"project": project, "version": version.to_string()}));
        json!({
            "dry_run": dry_run,
            "sources": self.sources,
            "projects": self.projects,
            "files": self.files,
            "new": files(&self.new),
            "updated": files(&self.updated),
            "yanked": yanked.collect::<Vec<_>>(),
            "unyanked": files(&self.unyanked),
            "removed": files(&self.removed),
            "held_back": held_back.collect::<Vec<_>>(),
            "vanished": files(&self.vanished),
            "different": files(&self.different),
            "yanked_only_here": files(&self.yanked_only_here),
        })
    }

    /// Whether the index changes.
    pub fn is_change(&self) -> bool {
        let lists = [&self.new, &self.updated, &self.unyanked, &self.removed];
        lists.iter().any(|list| !list.is_empty()) || !self.yanked.is_empty()
    }
}
