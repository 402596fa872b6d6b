//! Where each file of an unpacked wheel goes in an environment, and what the installer writes besides.
//!
//! Implements the "spread" part of "Binary distribution format: installing a wheel" and "Recording installed projects".
//! What ends up on disk equals what pip 26 leaves: contents, modes, rows of RECORD. Two things differ on purpose.
//! RECORD has no row for setuptools' script wrappers that are not installed (pip keeps a row for a file that does not
//! exist), and where pip would write into the interpreter or into another distribution's metadata the wheel is refused
//! (threats.md §1.7).

use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use base64::Engine as _;
use sha2::{Digest as _, Sha256};

use crate::destination_tree::{
    CachedFile, DestinationTree, DirectoryId, FileSource, PathConflict, Permissions, PlannedFile, ReplacedFile,
};
use crate::error::{Refusal, Rule, WheelError};
use crate::link_times::LinkTimes;
use crate::manifest::{BytecodeFile, EntryPoint, Manifest, UnpackedFile};
use crate::protected::{Protected, project_of};
use crate::record::{RecordRow, write_record};
use crate::scheme::Scheme;
use crate::scripts;
use crate::transaction_error::TransactionError;

/// One unpacked wheel and how it is to be placed.
#[derive(Clone, Copy, Debug)]
pub struct Placement<'a> {
    /// What the wheel consists of.
    pub manifest: &'a Manifest,
    /// The directory it is unpacked in.
    pub tree: &'a Path,
    /// When its files were linked last; the new times are put there.
    pub times: &'a LinkTimes,
    /// Compiled `.pyc` files to place along.
    pub bytecode: Option<BytecodeDirectory<'a>>,
    /// Where the files go.
    pub scheme: &'a Scheme,
    /// The directories that RECORD pretends the files are in. Only `--target` needs it: pip installs into a home
    /// scheme, writes RECORD there and moves the files afterwards. `None` stands for `scheme`.
    pub record_scheme: Option<&'a Scheme>,
    /// The interpreter that scripts name in their first line.
    pub interpreter: &'a Path,
    /// Major and minor version of the interpreter: a script `pip3.11` has it in its name.
    pub version: (u8, u8),
    /// What INSTALLER says, without the line end.
    pub installer: &'a str,
    /// Whether the user requested this distribution, which the file REQUESTED records.
    pub requested: bool,
    /// Contents of `direct_url.json` (PEP 610).
    pub direct_url: Option<&'a str>,
}

/// Compiled files of an unpacked wheel.
#[derive(Clone, Copy, Debug)]
pub struct BytecodeDirectory<'a> {
    /// The directory that the paths of the files are relative to.
    pub path: &'a Path,
    /// The files.
    pub files: &'a [BytecodeFile],
    /// When they were linked last; the new times are put there.
    pub times: &'a LinkTimes,
}

impl Placement<'_> {
    /// What to call the wheel in a message.
    pub(crate) fn label(&self) -> &str {
        self.manifest.dist_info.strip_suffix(".dist-info").unwrap_or(&self.manifest.dist_info)
    }

    /// The project that the wheel is of.
    pub(crate) fn project(&self) -> &str {
        project_of(&self.manifest.dist_info)
    }

    pub(crate) fn refusal(&self, problem: impl Into<String>, entry: impl Into<String>) -> TransactionError {
        Refusal::entry(self.label(), Rule::Placement, problem, entry).into()
    }
}

/// Adds all files of a placement to the layout of the transaction.
pub(crate) fn add_placement<'a>(
    placement: &Placement<'a>,
    owner: usize,
    layout: &mut DestinationTree<'a>,
    protected: &Protected,
) -> Result<(), TransactionError> {
    let spread = Spread { placement: *placement, owner, layout, protected, rows: Vec::new(), current: None };
    spread.run()
}

/// Adds the new contents of a file that an uninstallation edits.
pub(crate) fn add_edit(path: &Path, contents: Vec<u8>, layout: &mut DestinationTree<'_>) {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else { return };
    let source = FileSource::Written { contents, permissions: Permissions::Plain, modified: None };
    if let Some(id) = layout.make_directory(DestinationTree::ROOT, parent) {
        // The layout is empty so far: nothing can be in the way.
        let _ = layout.add_file(id, name, PlannedFile { owner: usize::MAX, source }, false);
    }
}

/// The five directories a wheel's files may go to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SchemeKey {
    Purelib,
    Platlib,
    Scripts,
    Data,
    Headers,
}

/// A directory of the archive that was looked up last: the next file is most likely beside it.
struct Current<'a> {
    archive_directory: &'a str,
    key: SchemeKey,
    directory: PathBuf,
    id: DirectoryId,
    /// Nothing of it is placed: a second metadata directory of the project itself.
    left_out: bool,
}

struct Spread<'p, 'a> {
    placement: Placement<'a>,
    owner: usize,
    layout: &'p mut DestinationTree<'a>,
    protected: &'p Protected,
    rows: Vec<RecordRow>,
    current: Option<Current<'a>>,
}

impl<'a> Spread<'_, 'a> {
    fn run(mut self) -> Result<(), TransactionError> {
        let Placement { manifest, tree, bytecode, .. } = self.placement;
        self.rows.reserve(manifest.files.len() + 8);
        let console = scripts::console_scripts(&manifest.console_scripts, self.placement.version);
        for (number, file) in manifest.files.iter().enumerate() {
            self.unpacked_file(tree, number, file)?;
        }
        if let Some(bytecode) = bytecode {
            for (number, file) in bytecode.files.iter().enumerate() {
                self.bytecode_file(&bytecode, number, file)?;
            }
        }
        for entry_point in console.iter().chain(&manifest.gui_scripts) {
            self.entry_point(entry_point)?;
        }
        self.metadata()
    }

    fn unpacked_file(&mut self, tree: &'a Path, number: usize, file: &'a UnpackedFile) -> Result<(), TransactionError> {
        let (key, name) = self.enter(&file.path)?;
        let permissions = if file.executable { Permissions::Executable } else { Permissions::Plain };
        if key == SchemeKey::Scripts {
            let manifest = self.placement.manifest;
            let mut entry_points = manifest.console_scripts.iter().chain(&manifest.gui_scripts);
            if entry_points.any(|entry_point| scripts::is_wrapper_of(name, &entry_point.name)) {
                return Ok(());
            }
            if let Some(contents) = self.rewritten(tree, file)? {
                // Bytecode of the script refers to the time of the file it was made from.
                let source = FileSource::Written { contents, permissions, modified: Some(file.modified) };
                return self.written(key, name, &file.path, source, false);
            }
        }
        let hash = Some(("sha256".to_owned(), file.sha256.clone()));
        let row = RecordRow { path: self.record_path(key, &file.path), hash, size: Some(file.size) };
        let source = FileSource::Cached(CachedFile {
            tree,
            path: &file.path,
            size: file.size,
            modified: Some(file.modified),
            sha256: &file.sha256,
            permissions,
            times: self.placement.times,
            number,
        });
        self.add(name, &file.path, source, row, false)
    }

    fn bytecode_file(
        &mut self,
        bytecode: &BytecodeDirectory<'a>,
        number: usize,
        file: &'a BytecodeFile,
    ) -> Result<(), TransactionError> {
        let (key, name) = self.enter(&file.path)?;
        // pip leaves hash and size of compiled files empty: they may be compiled again at any time.
        let row = RecordRow { path: self.record_path(key, &file.path), hash: None, size: None };
        let source = FileSource::Cached(CachedFile {
            tree: bytecode.path,
            path: &file.path,
            size: file.size,
            modified: None,
            sha256: &file.sha256,
            permissions: Permissions::Plain,
            times: bytecode.times,
            number,
        });
        self.add(name, &file.path, source, row, true)
    }

    fn entry_point(&mut self, entry_point: &EntryPoint) -> Result<(), TransactionError> {
        let contents = scripts::entry_point_script(self.placement.interpreter, entry_point);
        self.enter_scripts()?;
        // A name that console and gui scripts share: the later one wins, as with pip.
        let source = FileSource::Written { contents, permissions: Permissions::Script, modified: None };
        self.written(SchemeKey::Scripts, &entry_point.name, &entry_point.name, source, true)
    }

    /// INSTALLER, direct_url.json, REQUESTED and RECORD.
    fn metadata(mut self) -> Result<(), TransactionError> {
        let Placement { manifest, installer, requested, direct_url, .. } = self.placement;
        let key = if manifest.root_is_purelib { SchemeKey::Purelib } else { SchemeKey::Platlib };
        self.current = None;
        let mut generated = vec![("INSTALLER", format!("{installer}\n").into_bytes())];
        generated.extend(direct_url.map(|text| ("direct_url.json", text.as_bytes().to_vec())));
        generated.extend(requested.then(|| ("REQUESTED", Vec::new())));
        let directory = self.destination(key, &manifest.dist_info)?;
        let Some(id) = self.layout.make_directory(DestinationTree::ROOT, &directory) else {
            return Err(self.placement.refusal("a file stands where a directory must be", &manifest.dist_info));
        };
        let current = Current { archive_directory: &manifest.dist_info, key, directory, id, left_out: false };
        self.current = Some(current);
        for (name, contents) in generated {
            let path = format!("{}/{name}", manifest.dist_info);
            let source = FileSource::Written { contents, permissions: Permissions::Plain, modified: None };
            self.written(key, name, &path, source, false)?;
        }
        let path = format!("{}/RECORD", manifest.dist_info);
        let row = RecordRow { path: path.clone(), hash: None, size: None };
        self.rows.push(row.clone());
        let contents = write_record(&self.rows);
        let source = FileSource::Written { contents, permissions: Permissions::Plain, modified: None };
        self.add("RECORD", &path, source, row, false)
    }

    /// Makes the directory of an archive path the current one; returns what kind it is and the file's name.
    fn enter(&mut self, path: &'a str) -> Result<(SchemeKey, &'a str), TransactionError> {
        let (archive_directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        if let Some(current) = &self.current
            && current.archive_directory == archive_directory
        {
            return Ok((current.key, name));
        }
        let (key, inner) = self.key_of(archive_directory, path)?;
        let directory = self.destination(key, inner)?;
        self.set_current(archive_directory, key, directory, path)?;
        Ok((key, name))
    }

    fn enter_scripts(&mut self) -> Result<(), TransactionError> {
        let directory = self.destination(SchemeKey::Scripts, "")?;
        self.set_current("//scripts", SchemeKey::Scripts, directory, "scripts")
    }

    fn set_current(
        &mut self,
        archive_directory: &'a str,
        key: SchemeKey,
        directory: PathBuf,
        entry: &str,
    ) -> Result<(), TransactionError> {
        if let Some(what) = self.protected.directory(&directory, &self.placement.manifest.dist_info) {
            return Err(self.placement.refusal(format!("would write into {what}"), entry));
        }
        let left_out = self.protected.is_second_metadata(&directory, &self.placement.manifest.dist_info);
        let made = if left_out { Path::new("/") } else { &directory };
        let Some(id) = self.layout.make_directory(DestinationTree::ROOT, made) else {
            return Err(self.placement.refusal("a file stands where a directory must be", entry));
        };
        self.current = Some(Current { archive_directory, key, directory, id, left_out });
        Ok(())
    }

    /// Which directory of the scheme a directory of the archive belongs to, and its path in there.
    fn key_of<'t>(&self, archive_directory: &'t str, path: &str) -> Result<(SchemeKey, &'t str), TransactionError> {
        let manifest = self.placement.manifest;
        let root = if manifest.root_is_purelib { SchemeKey::Purelib } else { SchemeKey::Platlib };
        let (top, rest) = archive_directory.split_once('/').unwrap_or((archive_directory, ""));
        if manifest.data.as_deref() != Some(top) {
            return Ok((root, archive_directory));
        }
        let (key, inner) = rest.split_once('/').unwrap_or((rest, ""));
        let key = match key {
            "purelib" => SchemeKey::Purelib,
            "platlib" => SchemeKey::Platlib,
            "scripts" => SchemeKey::Scripts,
            "data" => SchemeKey::Data,
            "headers" => SchemeKey::Headers,
            _ => return Err(self.placement.refusal("is not in a directory that wheels may use", path)),
        };
        Ok((key, inner))
    }

    /// The directory on disk, with the symbolic links on the way to it resolved as far as it exists. Inside the library
    /// no links are looked for: it would cost a system call per directory, and the plan resolves those it meets.
    fn destination(&self, key: SchemeKey, inner: &str) -> Result<PathBuf, TransactionError> {
        let base = directory_of(self.placement.scheme, key);
        match key {
            SchemeKey::Purelib | SchemeKey::Platlib => Ok(self.protected.resolve(base)?.join(inner)),
            SchemeKey::Scripts | SchemeKey::Data | SchemeKey::Headers => {
                let directory = self.protected.resolve(&base.join(inner))?;
                if !self.protected.is_inside(&directory) {
                    let problem =
                        format!("would write through a link out of the environment, to {}", directory.display());
                    return Err(self.placement.refusal(problem, base.join(inner).to_string_lossy()));
                }
                Ok(directory)
            }
        }
    }

    fn rewritten(&self, tree: &Path, file: &UnpackedFile) -> Result<Option<Vec<u8>>, TransactionError> {
        let path = tree.join(&file.path);
        let changed =
            |problem| TransactionError::CacheChanged { tree: tree.to_path_buf(), path: path.clone(), problem };
        let mut opened = std::fs::File::open(&path).map_err(|_| changed("it cannot be opened"))?;
        let mut contents = Vec::new();
        let beginning = opened.by_ref().take(8).read_to_end(&mut contents);
        beginning.map_err(TransactionError::io(&path))?;
        if !contents.starts_with(b"#!python") {
            return Ok(None);
        }
        opened.take(file.size).read_to_end(&mut contents).map_err(TransactionError::io(&path))?;
        if sha256(&contents) != file.sha256 {
            return Err(changed("its hash differs"));
        }
        Ok(scripts::rewritten_script(self.placement.interpreter, &contents))
    }

    fn written(
        &mut self,
        key: SchemeKey,
        name: &str,
        path: &str,
        source: FileSource<'a>,
        replace_own: bool,
    ) -> Result<(), TransactionError> {
        let FileSource::Written { contents, permissions, .. } = &source else { return Ok(()) };
        let hash = Some(("sha256".to_owned(), sha256(contents)));
        let path_in_record = match permissions {
            Permissions::Script => self.record_path_in_scripts(name),
            _ => self.record_path(key, path),
        };
        let row = RecordRow { path: path_in_record, hash, size: Some(contents.len() as u64) };
        self.add(name, path, source, row, replace_own)
    }

    /// Adds a file to the current directory.
    fn add(
        &mut self,
        name: &str,
        path: &str,
        source: FileSource<'a>,
        row: RecordRow,
        replace_own: bool,
    ) -> Result<(), TransactionError> {
        let Some(current) = &self.current else { return Ok(()) };
        let own_info = &self.placement.manifest.dist_info;
        if let Some(what) = self.protected.file(&current.directory, name, own_info) {
            return Err(self.placement.refusal(format!("would replace {what}"), path));
        }
        if current.left_out || self.protected.is_second_metadata_file(&current.directory, name, own_info) {
            return Ok(());
        }
        let file = PlannedFile { owner: self.owner, source };
        let replaced = match self.layout.add_file(current.id, name, file, replace_own) {
            Ok(replaced) => replaced,
            Err(PathConflict::SameOwner) => {
                return Err(self.placement.refusal("goes to the same place as another file of the wheel", path));
            }
            Err(PathConflict::Directory) => {
                return Err(self.placement.refusal("goes to a place where there is a directory", path));
            }
        };
        match replaced {
            Some(earlier) if earlier.owner != self.owner => {
                let (path, directory) = (current.directory.join(name), current.id);
                self.layout.replaced.push(ReplacedFile { path, directory, earlier });
            }
            Some(_) => self.rows.retain(|other| other.path != row.path),
            None => {}
        }
        if name != "RECORD" || row.hash.is_some() {
            self.rows.push(row);
        }
        Ok(())
    }

    /// The path of a file in RECORD: relative to the library, without resolving links.
    fn record_path(&self, key: SchemeKey, path: &str) -> String {
        let manifest = self.placement.manifest;
        if manifest.data.as_deref().is_none_or(|data| !path.starts_with(data)) {
            return path.to_owned();
        }
        let inner = match self.key_of(path, path) {
            Ok((_, inner)) => inner,
            Err(_) => path,
        };
        let scheme = self.placement.record_scheme.unwrap_or(self.placement.scheme);
        relative(&directory_of(scheme, key).join(inner), library(scheme, manifest))
    }

    fn record_path_in_scripts(&self, name: &str) -> String {
        let scheme = self.placement.record_scheme.unwrap_or(self.placement.scheme);
        relative(&scheme.scripts.join(name), library(scheme, self.placement.manifest))
    }
}

fn library<'s>(scheme: &'s Scheme, manifest: &Manifest) -> &'s Path {
    if manifest.root_is_purelib { &scheme.purelib } else { &scheme.platlib }
}

fn directory_of(scheme: &Scheme, key: SchemeKey) -> &Path {
    match key {
        SchemeKey::Purelib => &scheme.purelib,
        SchemeKey::Platlib => &scheme.platlib,
        SchemeKey::Scripts => &scheme.scripts,
        SchemeKey::Data => &scheme.data,
        SchemeKey::Headers => &scheme.headers,
    }
}

/// The path from one absolute directory to an absolute path, by their text alone, with `/`.
fn relative(path: &Path, base: &Path) -> String {
    let mut path = path.components().peekable();
    let mut base = base.components().peekable();
    while path.peek().is_some() && path.peek() == base.peek() {
        path.next();
        base.next();
    }
    let up = base.map(|_| "..".to_owned());
    let down = path.filter(|part| matches!(part, Component::Normal(_)));
    let down = down.map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// The hash of some bytes, the way RECORD writes it.
fn sha256(contents: &[u8]) -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(Sha256::digest(contents))
}

impl From<Box<Refusal>> for TransactionError {
    fn from(refusal: Box<Refusal>) -> TransactionError {
        WheelError::Refused(refusal).into()
    }
}
