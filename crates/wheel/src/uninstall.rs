//! Which files an uninstallation removes.
//!
//! Implements "Recording installed projects: uninstalling" with pip's decisions for the older layouts. Never outside
//! the prefixes the caller permits, never the interpreter, another distribution's metadata or a protected place, whatever
//! a RECORD says. Older layouts, and what lies where nothing is installed, do not take files of other distributions along:
//! anybody could have made them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use crate::installed::{InstalledDistribution, InstalledKind};
use crate::owners::ForeignFiles;
use crate::protected::{Protected, resolve};
use crate::protected_places::{ProtectedPlaces, Reach};
use crate::transaction_error::TransactionError;

/// The environment that a distribution is removed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovalScope {
    /// Only what lies in these directories is removed: the prefix of a virtual environment; outside of one, the prefix
    /// of the interpreter and the user's base directory.
    pub permitted: Vec<PathBuf>,
    /// Where entry points have their scripts.
    pub scripts: PathBuf,
    /// Where distributions are installed.
    pub libraries: Vec<PathBuf>,
}

/// The files to remove with one distribution. Symbolic links in the parents of the paths are resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removal {
    /// Existing files, links and, in the old layouts and for the metadata, whole directories.
    pub paths: BTreeSet<PathBuf>,
    /// What the distribution lists, but may not be removed.
    pub refused: BTreeSet<PathBuf>,
    /// Files that lose some lines (`easy-install.pth`).
    pub edits: BTreeMap<PathBuf, BTreeSet<String>>,
    /// Directories that are never removed, even when nothing is left in them.
    boundaries: BTreeSet<PathBuf>,
}

impl Removal {
    /// Finds the files of a distribution.
    pub fn of(
        distribution: &InstalledDistribution,
        scope: &RemovalScope,
        places: &ProtectedPlaces,
    ) -> Result<Removal, TransactionError> {
        let mut collector = Collector::new(distribution, scope, places)?;
        match &distribution.kind {
            InstalledKind::DistInfo => collector.dist_info()?,
            InstalledKind::EggInfo => collector.egg_info()?,
            InstalledKind::EggInfoFile => {
                return Err(TransactionError::Distutils {
                    name: distribution.name.clone(),
                    version: distribution.version.clone().unwrap_or_default(),
                });
            }
            InstalledKind::Egg => {
                collector.add(&distribution.location)?;
                let egg = distribution.location.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let beside = distribution.location.parent().unwrap_or(Path::new("/"));
                collector.remove_line(&beside.join("easy-install.pth"), &format!("./{egg}"))?;
            }
            InstalledKind::EggLink { link } => {
                collector.add(link)?;
                let beside = link.parent().unwrap_or(Path::new("/"));
                let line = distribution.location.to_string_lossy().into_owned();
                collector.remove_line(&beside.join("easy-install.pth"), &line)?;
            }
        }
        collector.scripts()?;
        Ok(collector.removal)
    }
}

/// Turns the files of all removals into as few moves as possible: a directory in which nothing else is left goes as a
/// whole, unless it leads to a protected place.
pub(crate) fn compress(removals: &[Removal], places: &ProtectedPlaces) -> Result<BTreeSet<PathBuf>, TransactionError> {
    let paths: HashSet<&Path> =
        removals.iter().flat_map(|removal| removal.paths.iter().map(PathBuf::as_path)).collect();
    let boundaries: HashSet<&Path> =
        removals.iter().flat_map(|removal| removal.boundaries.iter().map(PathBuf::as_path)).collect();
    let parents = paths.iter().filter_map(|path| path.parent()).filter(|parent| !boundaries.contains(parent));
    let mut emptied = EmptiedDirectories { paths: &paths, parents: parents.collect(), places, known: HashMap::new() };
    let mut moves = BTreeSet::new();
    for path in &paths {
        let mut highest: &Path = path;
        while let Some(parent) = highest.parent() {
            if boundaries.contains(parent) || !emptied.is(parent)? {
                break;
            }
            highest = parent;
        }
        moves.insert(highest.to_path_buf());
    }
    // A directory that goes as a whole takes along what is listed below it.
    let below = |path: &PathBuf| path.ancestors().skip(1).any(|ancestor| moves.contains(ancestor));
    Ok(moves.iter().filter(|path| !below(path)).cloned().collect())
}

/// Which directories have nothing left in them. A directory that was empty before goes along only when it lies in a
/// directory that files leave: `include/python3.11` of a new virtual environment stays.
struct EmptiedDirectories<'p> {
    paths: &'p HashSet<&'p Path>,
    parents: HashSet<&'p Path>,
    places: &'p ProtectedPlaces,
    known: HashMap<PathBuf, bool>,
}

impl EmptiedDirectories<'_> {
    fn is(&mut self, directory: &Path) -> Result<bool, TransactionError> {
        if let Some(known) = self.known.get(directory) {
            return Ok(*known);
        }
        let emptied = self.look(directory)?;
        self.known.insert(directory.to_path_buf(), emptied);
        Ok(emptied)
    }

    fn look(&mut self, directory: &Path) -> Result<bool, TransactionError> {
        if directory.metadata().is_ok_and(|metadata| self.places.taken_with(&metadata).is_some()) {
            return Ok(false);
        }
        // A directory that cannot be listed is left alone.
        let Ok(entries) = fs::read_dir(directory) else { return Ok(false) };
        let mut something_leaves = false;
        for entry in entries {
            let entry = entry.map_err(TransactionError::io(directory))?;
            let path = entry.path();
            if !self.paths.contains(path.as_path()) {
                let kind = entry.file_type().map_err(TransactionError::io(&path))?;
                if !kind.is_dir() || !self.is(&path)? {
                    return Ok(false);
                }
            }
            something_leaves = true;
        }
        Ok(something_leaves || directory.ancestors().any(|ancestor| self.parents.contains(ancestor)))
    }
}

struct Collector<'d> {
    distribution: &'d InstalledDistribution,
    scripts: PathBuf,
    permitted: Vec<PathBuf>,
    protected: Protected,
    places: &'d ProtectedPlaces,
    /// Files that only their own distribution takes along, where this one is not to be believed.
    foreign: Option<ForeignFiles>,
    /// Whether RECORD lists what is being added.
    is_recorded: bool,
    /// Parents of listed paths, resolved, and the protected places that they reach.
    parents: HashMap<PathBuf, (PathBuf, Reach<'d>)>,
    /// Files in `__pycache__` directories, by directory and name of the module.
    compiled: HashMap<PathBuf, HashMap<String, Vec<PathBuf>>>,
    removal: Removal,
}

impl<'d> Collector<'d> {
    fn new(
        distribution: &'d InstalledDistribution,
        scope: &RemovalScope,
        places: &'d ProtectedPlaces,
    ) -> Result<Collector<'d>, TransactionError> {
        let permitted = scope.permitted.iter().map(|path| resolve(path)).collect::<Result<Vec<_>, _>>()?;
        let scripts = resolve(&scope.scripts)?;
        let mut protected = Protected::default();
        protected.add_library(&distribution.location)?;
        protected.add_environment(scripts.clone(), &permitted);
        let mut removal = Removal::default();
        for boundary in permitted.iter().chain([&scripts, &resolve(&distribution.location)?]) {
            removal.boundaries.extend(boundary.ancestors().map(Path::to_path_buf));
        }
        // What cannot be reached holds nothing.
        let libraries: Vec<PathBuf> = scope.libraries.iter().filter_map(|path| resolve(path).ok()).collect();
        let is_installed =
            distribution.kind == InstalledKind::DistInfo && libraries.contains(&resolve(&distribution.location)?);
        let foreign = if is_installed { None } else { Some(ForeignFiles::of(&libraries, distribution)?) };
        let (parents, compiled) = (HashMap::new(), HashMap::new());
        Ok(Collector {
            distribution,
            scripts,
            permitted,
            protected,
            places,
            foreign,
            is_recorded: false,
            parents,
            compiled,
            removal,
        })
    }

    fn dist_info(&mut self) -> Result<(), TransactionError> {
        let distribution = self.distribution;
        let Some(files) = distribution.files()? else {
            return Err(TransactionError::NoRecord {
                name: distribution.name.clone(),
                version: distribution.version.clone().unwrap_or_default(),
                installer: distribution.installer(),
            });
        };
        self.is_recorded = true;
        for file in files {
            self.add_listed(&distribution.location.join(file))?;
        }
        self.is_recorded = false;
        // As a whole: whatever else is in there describes this distribution only.
        self.add(&distribution.info)
    }

    fn egg_info(&mut self) -> Result<(), TransactionError> {
        let distribution = self.distribution;
        self.add(&distribution.info)?;
        if let Some(files) = distribution.files()? {
            for file in files {
                self.add_listed(&distribution.location.join(file))?;
            }
            return Ok(());
        }
        let lines = |name: &str| -> Result<Vec<String>, TransactionError> {
            let text = distribution.read(name)?.unwrap_or_default();
            Ok(String::from_utf8_lossy(&text).lines().map(str::to_owned).collect())
        };
        let namespaces = lines("namespace_packages.txt")?;
        for package in lines("top_level.txt")? {
            // The names come from a file: they must stay names.
            if package.is_empty() || package.contains(['/', '.']) || namespaces.contains(&package) {
                continue;
            }
            self.add(&distribution.location.join(&package))?;
            self.add_module(&distribution.location.join(format!("{package}.py")))?;
        }
        Ok(())
    }

    /// Scripts that entry points have, and those that distutils recorded, even when no list has them.
    fn scripts(&mut self) -> Result<(), TransactionError> {
        let text = self.distribution.read("entry_points.txt")?.unwrap_or_default();
        for name in script_names(&String::from_utf8_lossy(&text)) {
            self.add(&self.scripts.join(name))?;
        }
        if let Ok(entries) = fs::read_dir(self.distribution.info.join("scripts")) {
            for entry in entries.flatten() {
                self.add(&self.scripts.join(entry.file_name()))?;
            }
        }
        Ok(())
    }

    /// Adds what RECORD or `installed-files.txt` list. They list files; a directory would take along what does not belong
    /// to the distribution.
    fn add_listed(&mut self, path: &Path) -> Result<(), TransactionError> {
        if path.is_dir() && !path.is_symlink() {
            return Ok(());
        }
        self.add_module(path)
    }

    /// Adds a file, and when it is Python source also what was compiled from it.
    fn add_module(&mut self, path: &Path) -> Result<(), TransactionError> {
        self.add(path)?;
        let (Some(parent), Some(name)) = (path.parent(), path.file_name().and_then(OsStr::to_str)) else {
            return Ok(());
        };
        let Some(module) = name.strip_suffix(".py") else { return Ok(()) };
        for legacy in ["pyc", "pyo"] {
            self.add(&parent.join(format!("{module}.{legacy}")))?;
        }
        let cache = parent.join("__pycache__");
        let known = self.compiled.entry(cache).or_insert_with_key(|cache| compiled_files(cache));
        for compiled in known.remove(module).unwrap_or_default() {
            self.add(&compiled)?;
        }
        Ok(())
    }

    /// Adds a path when it exists and may be removed.
    fn add(&mut self, path: &Path) -> Result<(), TransactionError> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok(()) };
        if !self.parents.contains_key(parent) {
            let Ok(resolved) = parent.canonicalize() else { return Ok(()) };
            let reach = self.places.reach(&resolved);
            self.parents.insert(parent.to_path_buf(), (resolved, reach));
        }
        let Some((parent, reach)) = self.parents.get(parent) else { return Ok(()) };
        let path = parent.join(name);
        let Ok(metadata) = path.symlink_metadata() else { return Ok(()) };
        if self.may_be_removed(&path, parent, &name.to_string_lossy()) && !self.is_kept(&path, reach, &metadata) {
            self.removal.paths.insert(path);
        } else {
            self.removal.refused.insert(path);
        }
        Ok(())
    }

    fn may_be_removed(&self, path: &Path, parent: &Path, name: &str) -> bool {
        let own_info = self.distribution.info.file_name().unwrap_or_default().to_string_lossy();
        let is_boundary = self.removal.boundaries.contains(path);
        // An egg is itself the location; it is a boundary only for what is inside.
        let is_egg = self.distribution.kind == InstalledKind::Egg && path.extension() == Some(OsStr::new("egg"));
        let is_own = |path: &Path| match &self.distribution.kind {
            InstalledKind::Egg => path == self.distribution.location,
            InstalledKind::EggLink { link } => path.file_name() == link.file_name(),
            _ => name == own_info,
        };
        (!is_boundary || is_egg)
            && self.permitted.iter().any(|permitted| parent.starts_with(permitted))
            && self.protected.directory(parent, &own_info).is_none()
            && (is_own(path) || self.protected.file(parent, name, &own_info).is_none())
            && self.protected.environment_file(path).is_none()
    }

    /// Whether something is in or leads to a protected place, or belongs to somebody else.
    fn is_kept(&self, path: &Path, reach: &Reach<'_>, metadata: &Metadata) -> bool {
        let inside = reach.file(path.file_name().unwrap_or_default());
        let place = inside.or_else(|| self.places.taken_with(metadata)).and_then(|number| self.places.place(number));
        place.is_some_and(|place| place.owner.is_none() || !metadata.is_file() || !self.is_recorded)
            || self.foreign.as_ref().is_some_and(|foreign| foreign.has(path))
    }

    fn remove_line(&mut self, file: &Path, line: &str) -> Result<(), TransactionError> {
        if !file.is_file() {
            return Ok(());
        }
        let file = resolve(file)?;
        let parent = file.parent().unwrap_or(&file);
        let reach = self.places.reach(parent);
        let Ok(metadata) = file.symlink_metadata() else { return Ok(()) };
        if !self.permitted.iter().any(|permitted| parent.starts_with(permitted))
            || self.is_kept(&file, &reach, &metadata)
        {
            self.removal.refused.insert(file);
            return Ok(());
        }
        self.removal.edits.entry(file).or_default().insert(line.to_owned());
        Ok(())
    }
}

/// The new contents of the files that lose lines.
pub(crate) fn edited(removals: &[Removal]) -> Result<BTreeMap<PathBuf, Vec<u8>>, TransactionError> {
    let mut edited = BTreeMap::new();
    for (path, lines) in removals.iter().flat_map(|removal| &removal.edits) {
        let text = match edited.remove(path) {
            Some(text) => text,
            None => fs::read(path).map_err(TransactionError::io(path))?,
        };
        let keep = |found: &&[u8]| !lines.iter().any(|line| found.trim_ascii_end() == line.as_bytes());
        let kept: Vec<u8> = text.split_inclusive(|byte| *byte == b'\n').filter(keep).flatten().copied().collect();
        edited.insert(path.clone(), kept);
    }
    Ok(edited)
}

/// The `.pyc` files of a `__pycache__` directory by the module they were compiled from.
fn compiled_files(cache: &Path) -> HashMap<String, Vec<PathBuf>> {
    let mut found: HashMap<String, Vec<PathBuf>> = HashMap::new();
    for entry in fs::read_dir(cache).into_iter().flatten().flatten() {
        let path = entry.path();
        let Some(name) = path.file_name().and_then(OsStr::to_str) else { continue };
        // `module.cpython-311.opt-1.pyc`
        if let Some((module, rest)) = name.split_once('.')
            && rest.ends_with(".pyc")
        {
            found.entry(module.to_owned()).or_default().push(path.clone());
        }
    }
    found
}

/// Names of the console and gui scripts in an `entry_points.txt`, as far as they are plain file names.
fn script_names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut in_scripts = false;
    for line in text.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            in_scripts = matches!(section.trim(), "console_scripts" | "gui_scripts");
        } else if in_scripts
            && !line.starts_with(['#', ';'])
            && let Some((name, _)) = line.split_once('=')
        {
            let name = name.trim();
            if !name.is_empty() && !name.contains('/') && name != "." && name != ".." {
                names.push(name.to_owned());
            }
        }
    }
    names
}
