//! Makes wheels (PyPA binary distribution format), valid and deterministic unless a knob breaks them on purpose.

use crate::archive::{Entry, zip};
use crate::digest::record_hash;

/// A wheel in the making; every method adds one thing, [`build`](Wheel::build) writes it.
#[derive(Clone, Debug)]
pub struct Wheel {
    name: String,
    version: String,
    tag: String,
    filename: Option<String>,
    wheel_version: String,
    root_is_purelib: bool,
    metadata_name: String,
    metadata_version: String,
    headers: Vec<(String, String)>,
    requires: Vec<String>,
    console_scripts: Vec<String>,
    gui_scripts: Vec<String>,
    files: Vec<Entry>,
    unrecorded: Vec<Entry>,
    record: Record,
}

/// A built wheel.
#[derive(Clone, Debug)]
pub struct WheelFile {
    /// Such as `app-1.0-py3-none-any.whl`.
    pub filename: String,
    /// The archive.
    pub bytes: Vec<u8>,
    /// The METADATA file, as PEP 658 serves it.
    pub metadata: Vec<u8>,
}

/// How RECORD deviates from the truth.
#[derive(Clone, Debug, Default)]
struct Record {
    missing: bool,
    wrong_hashes: Vec<String>,
    omitted: Vec<String>,
    extra_rows: Vec<String>,
}

impl Wheel {
    /// A pure wheel for any Python 3. Without any [`file`](Wheel::file) it has one module with `__version__`.
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            tag: "py3-none-any".to_owned(),
            filename: None,
            wheel_version: "1.0".to_owned(),
            root_is_purelib: true,
            metadata_name: name.to_owned(),
            metadata_version: version.to_owned(),
            headers: Vec::new(),
            requires: Vec::new(),
            console_scripts: Vec::new(),
            gui_scripts: Vec::new(),
            files: Vec::new(),
            unrecorded: Vec::new(),
            record: Record::default(),
        }
    }

    /// A dependency, such as `library>=2; python_version >= "3.8"`.
    pub fn requires(mut self, requirement: &str) -> Self {
        self.requires.push(requirement.to_owned());
        self
    }

    /// An extra and one dependency of it; may be called again for the same extra.
    pub fn extra(mut self, extra: &str, requirement: &str) -> Self {
        if !self.headers.iter().any(|(name, value)| name == "Provides-Extra" && value == extra) {
            self.headers.push(("Provides-Extra".to_owned(), extra.to_owned()));
        }
        self.requires.push(match requirement.split_once(';') {
            Some((wish, marker)) => format!("{}; ({}) and extra == \"{extra}\"", wish.trim(), marker.trim()),
            None => format!("{requirement}; extra == \"{extra}\""),
        });
        self
    }

    /// The Requires-Python of the wheel.
    pub fn requires_python(self, specifiers: &str) -> Self {
        self.metadata_header("Requires-Python", specifiers)
    }

    /// A line of METADATA.
    pub fn metadata_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The compatibility tag, such as `cp311-abi3-manylinux_2_17_x86_64`; compressed sets are fine.
    pub fn tag(mut self, tag: &str) -> Self {
        self.tag = tag.to_owned();
        self
    }

    /// A wheel for `platlib`.
    pub fn platlib(mut self) -> Self {
        self.root_is_purelib = false;
        self
    }

    /// A file, path relative to the root of the archive.
    pub fn file(self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.entry(Entry::new(path, bytes.as_ref()))
    }

    /// A file in `NAME-VERSION.data/scripts/`.
    pub fn script(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        let path = format!("scripts/{name}");
        self.data(&path, bytes)
    }

    /// A file in `NAME-VERSION.data/`; `path` starts with the scheme key, such as `data/share/x`.
    pub fn data(self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        let path = format!("{}.data/{path}", self.stem());
        self.file(&path, bytes)
    }

    /// An entry point such as `tool = package:main`.
    pub fn console_script(mut self, definition: &str) -> Self {
        self.console_scripts.push(definition.to_owned());
        self
    }

    /// An entry point such as `window = package:main`, without a console.
    pub fn gui_script(mut self, definition: &str) -> Self {
        self.gui_scripts.push(definition.to_owned());
        self
    }

    /// A file in the dist-info directory, such as `direct_url.json`.
    pub fn dist_info_file(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        let path = format!("{}/{name}", self.dist_info());
        self.file(&path, bytes)
    }

    /// Broken when the name is hostile: an entry exactly as given. RECORD lists it when its name is UTF-8.
    pub fn entry(mut self, entry: Entry) -> Self {
        self.files.push(entry);
        self
    }

    /// Broken: an entry that RECORD does not know.
    pub fn unrecorded_entry(mut self, entry: Entry) -> Self {
        self.unrecorded.push(entry);
        self
    }

    /// Broken: a symbolic link; RECORD lists it.
    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.entry(Entry { mode: 0o120_777, deflate: false, ..Entry::new(path, target) })
    }

    /// Broken: RECORD has another hash for `path` than the file.
    pub fn wrong_record_hash(mut self, path: &str) -> Self {
        self.record.wrong_hashes.push(path.to_owned());
        self
    }

    /// Broken: RECORD has no row for `path`.
    pub fn omitted_from_record(mut self, path: &str) -> Self {
        self.record.omitted.push(path.to_owned());
        self
    }

    /// Broken: a row of RECORD for which there is no file, without its line end.
    pub fn record_row(mut self, row: &str) -> Self {
        self.record.extra_rows.push(row.to_owned());
        self
    }

    /// Broken: no RECORD at all.
    pub fn without_record(mut self) -> Self {
        self.record.missing = true;
        self
    }

    /// Broken: a second dist-info directory, as if `name` were in the archive too.
    pub fn second_dist_info(self, name: &str, version: &str) -> Self {
        let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
        let path = format!("{}-{version}.dist-info/METADATA", filename_part(name));
        self.file(&path, metadata)
    }

    /// Broken: METADATA has another name than the filename.
    pub fn metadata_name(mut self, name: &str) -> Self {
        self.metadata_name = name.to_owned();
        self
    }

    /// Broken: METADATA has another version than the filename.
    pub fn metadata_version(mut self, version: &str) -> Self {
        self.metadata_version = version.to_owned();
        self
    }

    /// Broken unless it is 1.x: the `Wheel-Version` in WHEEL.
    pub fn wheel_version(mut self, version: &str) -> Self {
        self.wheel_version = version.to_owned();
        self
    }

    /// Another filename than name, version and tag make; for build numbers and for lies.
    pub fn filename(mut self, filename: &str) -> Self {
        self.filename = Some(filename.to_owned());
        self
    }

    /// Writes the archive: files in the order they were added, then dist-info, RECORD last.
    pub fn build(self) -> WheelFile {
        let metadata = self.metadata_text().into_bytes();
        let dist_info = self.dist_info();
        let mut entries = self.files.clone();
        if entries.iter().all(|entry| entry.name.windows(11).any(|part| part == b".dist-info/")) {
            let module = format!("{}.py", filename_part(&self.name));
            entries.push(Entry::new(module, format!("__version__ = \"{}\"\n", self.version)));
        }
        entries.push(Entry::new(format!("{dist_info}/METADATA"), metadata.clone()));
        entries.push(Entry::new(format!("{dist_info}/WHEEL"), self.wheel_text()));
        let entry_points = self.entry_points_text();
        if !entry_points.is_empty() {
            entries.push(Entry::new(format!("{dist_info}/entry_points.txt"), entry_points));
        }
        let record = self.record.text(&entries, &dist_info);
        entries.extend(self.unrecorded.iter().cloned());
        if !self.record.missing {
            entries.push(Entry::new(format!("{dist_info}/RECORD"), record));
        }
        let filename = self.filename.clone().unwrap_or_else(|| format!("{}-{}.whl", self.stem(), self.tag));
        WheelFile { filename, bytes: zip(&entries), metadata }
    }

    fn stem(&self) -> String {
        format!("{}-{}", filename_part(&self.name), self.version.replace('-', "_"))
    }

    fn dist_info(&self) -> String {
        format!("{}.dist-info", self.stem())
    }

    fn metadata_text(&self) -> String {
        let mut text =
            format!("Metadata-Version: 2.1\nName: {}\nVersion: {}\n", self.metadata_name, self.metadata_version);
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\n");
        }
        for requirement in &self.requires {
            text += &format!("Requires-Dist: {requirement}\n");
        }
        text
    }

    fn wheel_text(&self) -> String {
        let mut text = format!(
            "Wheel-Version: {}\nGenerator: testkit\nRoot-Is-Purelib: {}\n",
            self.wheel_version, self.root_is_purelib
        );
        let mut parts = self.tag.splitn(3, '-').map(|part| part.split('.'));
        let (pythons, abis, platforms) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
        for python in pythons {
            for abi in abis.clone() {
                for platform in platforms.clone() {
                    text += &format!("Tag: {python}-{abi}-{platform}\n");
                }
            }
        }
        text
    }

    fn entry_points_text(&self) -> String {
        let mut text = String::new();
        for (section, definitions) in [("console_scripts", &self.console_scripts), ("gui_scripts", &self.gui_scripts)] {
            if !definitions.is_empty() {
                text += &format!("[{section}]\n{}\n", definitions.join("\n"));
            }
        }
        text
    }
}

impl WheelFile {
    /// Broken: only the first `length` bytes of the archive.
    pub fn truncated(mut self, length: usize) -> Self {
        self.bytes.truncate(length);
        self
    }

    /// The SHA-256 of the archive in hex, for `--hash=sha256:…`.
    pub fn sha256(&self) -> String {
        crate::HashName::Sha256.hex(&self.bytes)
    }
}

impl Record {
    fn text(&self, entries: &[Entry], dist_info: &str) -> String {
        let mut text = String::new();
        for entry in entries {
            let Ok(path) = std::str::from_utf8(&entry.name) else { continue };
            if path.ends_with('/') || self.omitted.iter().any(|omitted| omitted == path) {
                continue;
            }
            let wrong = self.wrong_hashes.iter().any(|wrong| wrong == path);
            let hash = record_hash(if wrong { b"not the content" } else { &entry.bytes });
            text += &format!("{},{hash},{}\n", csv_field(path), entry.bytes.len());
        }
        for row in &self.extra_rows {
            text += &format!("{row}\n");
        }
        text + &format!("{dist_info}/RECORD,,\n")
    }
}

fn csv_field(path: &str) -> String {
    if path.contains([',', '"', '\n', '\r']) { format!("\"{}\"", path.replace('"', "\"\"")) } else { path.to_owned() }
}

/// A project name as filenames have it: lower case, each run of `-`, `_` and `.` one underscore.
pub(crate) fn filename_part(name: &str) -> String {
    normalized(name).replace('-', "_")
}

/// PEP 503: lower case, each run of `-`, `_` and `.` one hyphen.
pub(crate) fn normalized(name: &str) -> String {
    let mut result = String::new();
    for character in name.chars() {
        match character {
            '-' | '_' | '.' if result.ends_with('-') => {}
            '-' | '_' | '.' => result.push('-'),
            other => result.extend(other.to_lowercase()),
        }
    }
    result
}
